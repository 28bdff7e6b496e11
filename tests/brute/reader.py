"""A reader of the rule format as it is defined in docs/matching.md and docs/rules.md, and as plain as that.

It knows no index, no memory and no order of asking: every topic, field, term and word is tried. It reads the
data of rule files itself, so that the engine's own building of expressions is held against it too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import product
from typing import Any
from urllib.parse import urlsplit

from bot.core.tags import language_code
from bot.core.terms import (
    IsWord,
    Name,
    Needle,
    Pattern,
    Phrase,
    Term,
    Word,
    WordNeedle,
    read_name,
    read_phrase,
    similarity,
)
from bot.core.text import MAX_TOKENS, Token
from bot.model import Item, Match, TermMatch, TopicId
from tests.brute.fields import Field, Place, Spans, read_field
from tests.brute.places import places

FIELDS = ("title", "summary", "content", "author", "url", "source", "categories")
DEFAULT_WHERE = ("title", "summary", "content")
IN_TITLE = 1.25
DOUBT = 0.25
NEVER = 101.0  # a least similarity that no typo has


@dataclass(frozen=True)
class Said:
    """A term as an operator means it: where it may stand, and what it weighs."""

    term: Term
    fields: frozenset[str]
    weight: float


_phrase = cache(read_phrase)  # only read once
Evidence = dict[Said, list[Place]]  # in the rule's order; places in the order of fields and texts
Find = Callable[[Said], list[Place]]


class Reader:
    """All topics of some rule files, as plain data."""

    def __init__(
        self,
        files: Sequence[Mapping[str, Any]],
        is_real: IsWord,
        detect_language: Callable[[str], str | None],
        rules_hash: str = "",
    ) -> None:
        self._alike = cache(lambda needle, word: similarity(needle, word, is_real))
        self.detect_language = detect_language
        self.rules_hash = rules_hash
        self.lists = {name: value for file in files for name, value in file.get("lists", {}).items()}
        self.topics = [{**file.get("defaults", {}), **topic} for file in files for topic in file["topics"]]

    def alike(self, needle: Needle, token: Token) -> float:
        """Return how alike a word of a term and a word of a text are, 0 to 100."""
        return self._alike(needle, Word(token.text, token.is_joined))

    def matches(self, item: Item) -> tuple[Match, ...]:
        """Return every topic that the item belongs to, best first, then in the files' order."""
        fields = self.read(item)
        found = [self.decide(topic, item, fields) for topic in self.topics]
        return tuple(sorted((match for match in found if match is not None), key=lambda m: -m.score))

    def read(self, item: Item) -> dict[str, Field]:
        """Return the fields that some topic reads, until 5,000 words are read."""
        texts = {
            "title": item.title,
            "summary": item.summary,
            "content": item.content,
            "author": item.author,
            "url": item.url or "",
            "source": item.outlet,
            "categories": ", ".join(item.categories),
        }
        fields, left = {}, MAX_TOKENS
        for name in FIELDS:
            if name in self.wanted and texts[name] and left > 0:
                fields[name] = read_field(name, texts[name], left)
                left -= fields[name].words_read
        return fields

    @cached_property
    def wanted(self) -> set[str]:
        """Return the fields that some term of some topic may stand in."""
        return {
            field
            for topic in self.topics
            for key in ("match", "ignore", "unless")
            if key in topic
            for said in every_said(Topic(self, topic), topic[key], "", where_of(topic))
            for field in said.fields
        }

    def decide(self, topic: Mapping[str, Any], item: Item, fields: Mapping[str, Field]) -> Match | None:
        """Return why the item belongs to the topic; None: it does not."""
        meaning = Topic(self, topic)

        def find(said: Said, hidden: Mapping[str, Spans]) -> list[Place]:
            spots: list[Place] = []
            for name in FIELDS:
                if name in said.fields and name in fields:
                    spots += places(said.term, fields[name], hidden.get(name, []), self.alike)
            return spots

        ignored = meaning.evidence(topic.get("ignore"), lambda said: find(said, {})) or {}
        hidden = {name: [(p.start, p.end) for p in _all(ignored) if p.field == name] for name in FIELDS}
        evidence = meaning.evidence(topic["match"], lambda said: find(said, hidden))
        dropped = meaning.evidence(topic.get("unless"), lambda said: find(said, {})) is not None
        if not evidence or dropped or topic.get("status") == "deprecated":
            return None
        score = item_score(evidence)
        if score < topic.get("min_score", 60) or not _is_heard(topic, item) or not self._speaks(topic, item):
            return None
        return Match(
            topic=TopicId(topic["id"]),
            score=score,
            terms=_told(evidence, fields),
            rules_hash=self.rules_hash,
        )

    def _speaks(self, topic: Mapping[str, Any], item: Item) -> bool:
        asked = {language_code(code) for code in topic.get("languages", [])}
        spoken = language_code(item.language) or language_code(
            self.detect_language(f"{item.title}\n{item.summary}")
        )
        return not asked or spoken is None or spoken in asked


def where_of(topic: Mapping[str, Any]) -> frozenset[str]:
    """Return the fields that the topic's terms may stand in, unless an expression says otherwise."""
    return frozenset(topic.get("where", DEFAULT_WHERE))


# ---- expressions -------------------------------------------------------------------------------


class Topic:
    """What a topic's expressions mean."""

    def __init__(self, reader: Reader, topic: Mapping[str, Any]) -> None:
        self.reader = reader
        self.fuzzy = topic.get("fuzzy", 80.0)
        self.where = where_of(topic)

    def evidence(self, value: Any, find: Find) -> Evidence | None:
        """Return the evidence that an expression holds; None: it does not, or there is no expression."""
        return None if value is None else self.holds(value, "", self.where, find)

    def holds(self, value: Any, language: str, fields: frozenset[str], find: Find) -> Evidence | None:
        """Return the evidence that the expression holds under a language key and in some fields."""
        if isinstance(value, dict) and "in" in value:
            fields = frozenset(value["in"])
        if (said := self.said(value, language, fields)) is not None:
            found = find(said)
            return {said: found} if found else None
        if "use" in value:
            return self.holds(self.reader.lists[value["use"]], language, fields, find)
        if "not" in value:
            return {} if self.holds(value["not"], language, fields, find) is None else None
        if "near" in value:
            sides = [self.holds(side, language, fields, find) or {} for side in value["near"]]
            return near(sides, value.get("within", 8), ordered=value.get("ordered", False)) or None
        parts = [self.holds(part, code, fields, find) for part, code in children(value, language)]
        held = [part for part in parts if part is not None]
        evidence = united(held)
        if "all" in value:
            return evidence if len(held) == len(parts) else None
        if "at_least" in value:
            return evidence if len({meant(said.term) for said in evidence}) >= value["at_least"] else None
        return evidence if held else None

    def said(self, value: Any, language: str, fields: frozenset[str]) -> Said | None:
        """Return the term that stands there; None: it is another expression."""
        if isinstance(value, str):
            return Said(_phrase(value, language, fuzzy=self._fuzzy(None)), fields, 1.0)
        if isinstance(value, list) or not value.keys() & {"term", "name", "regex"}:
            return None
        fuzzy, term = self._fuzzy(value.get("fuzzy")), None
        if "term" in value:
            term = _phrase(value["term"], language, fuzzy=fuzzy, slop=value.get("slop", 2))
        return Said(
            term or (read_name(value["name"], fuzzy=fuzzy) if "name" in value else Pattern(value["regex"])),
            fields,
            value.get("weight", 1.0),
        )

    def _fuzzy(self, own: float | str | None) -> float:
        value = self.fuzzy if own is None else own
        return NEVER if value == "off" else float(value)


def children(value: Any, language: str) -> list[tuple[Any, str]]:
    """Return the expressions that an expression is made of, each with its language key."""
    if isinstance(value, list):
        return [(child, language) for child in value]
    for key in ("all", "near"):
        if key in value:
            return [(child, language) for child in value[key]]
    for key in ("any", "of", "not"):
        if key in value:
            return [(value[key], language)]
    return [(child, code) for code, child in value.items() if code != "in"]


def united(parts: Sequence[Evidence]) -> Evidence:
    """Return all evidence of some expressions together."""
    evidence: Evidence = {}
    for part in parts:
        for said, spots in part.items():
            every = {*evidence.get(said, ()), *spots}
            evidence[said] = sorted(every, key=lambda p: (FIELDS.index(p.field), p.start))
    return evidence


def near(sides: Sequence[Evidence], within: int, *, ordered: bool) -> Evidence:
    """Return the groups of places, one of each side and all in one field, that stand together.

    Each of the others begins behind the end of the first, with at most `within` positions between. If
    `ordered`, the first is of the first side, and each begins behind the end of the one before.
    All places of all such groups are evidence.
    """
    evidence: Evidence = {said: [] for side in sides for said in side}
    for group in _groups(sides, within, ordered=ordered):
        for said, place in group:
            evidence[said].append(place)
    return united([{said: spots for said, spots in evidence.items() if spots}])


Spot = tuple[Said, Place]


def _groups(sides: Sequence[Evidence], within: int, *, ordered: bool) -> Iterator[list[Spot]]:
    spots = [[(said, place) for said, found in side.items() for place in found] for side in sides]
    for leading in range(1 if ordered else len(sides)):
        others = spots[:leading] + spots[leading + 1 :]
        for first in spots[leading]:
            close = [[spot for spot in other if _stand(first, [spot], within)] for other in others]
            groups = [g for g in product(*close) if _stand(first, g, within, ordered=ordered)]
            yield from ([first, *group] for group in groups)


def _stand(first: Spot, others: Sequence[Spot], within: int, *, ordered: bool = False) -> bool:
    border = first[1].to
    for _, place in others:
        if place.field != first[1].field or not border <= place.at <= first[1].to + within:
            return False
        border = place.to if ordered else border
    return True


def meant(term: Term) -> object:
    """Return what two terms have in common that are one: their spellings, whatever their language."""
    match term:
        case Phrase():
            words = [
                [s.needle.folds if isinstance(s.needle, WordNeedle) else s.needle for s in reading]
                for reading in term.readings
            ]
            return tuple(map(tuple, words)), term.literal
        case Name():
            return tuple(needle.keys for needle in term.words)
        case Pattern():
            return term.text


def every_said(topic: Topic, value: Any, language: str, fields: frozenset[str]) -> Iterator[Said]:
    """Return every term of an expression, also those under `not`."""
    if isinstance(value, dict) and "in" in value:
        fields = frozenset(value["in"])
    if (said := topic.said(value, language, fields)) is not None:
        yield said
    elif "use" in value:
        yield from every_said(topic, topic.reader.lists[value["use"]], language, fields)
    else:
        for child, code in children(value, language):
            yield from every_said(topic, child, code, fields)


# ---- the item's score --------------------------------------------------------------------------


def strength(said: Said, place: Place) -> float:
    """Return what a place counts: 1 for a whole term of weight 1 outside the title."""
    return said.weight * place.score / 100 * (IN_TITLE if place.field == "title" else 1.0)


def item_score(evidence: Evidence) -> float:
    """Return 100 · (1 − 0.25^E), each different term counted once, where it counts most."""
    best: dict[object, float] = {}
    for said, spots in evidence.items():
        key = meant(said.term)
        best[key] = max([best.get(key, 0.0), *(strength(said, place) for place in spots)])
    return round(100 * (1 - DOUBT ** sum(best.values())), 2)


def _told(evidence: Evidence, fields: Mapping[str, Field]) -> tuple[TermMatch, ...]:
    """Return each different term once a field, where it counts most: strongest first, then the longest.

    Equals stand in the order of the fields, then of the rule; of a term's equals the first is told.
    """
    best: dict[tuple[object, str], tuple[Said, Place]] = {}
    for said, spots in evidence.items():
        for place in spots:
            key = meant(said.term), place.field
            if key not in best or strength(said, place) > strength(*best[key]):
                best[key] = said, place
    told = sorted(
        best.values(), key=lambda b: (-strength(*b), b[1].start - b[1].end, FIELDS.index(b[1].field))
    )
    return tuple(
        TermMatch(
            term=said.term.text,
            field=place.field,
            start=place.start,
            end=place.end,
            text=fields[place.field].text[place.start : place.end],
            score=place.score,
        )
        for said, place in told
    )


def _all(evidence: Evidence) -> list[Place]:
    return [place for spots in evidence.values() for place in spots]


# ---- sources -----------------------------------------------------------------------------------


def _is_heard(topic: Mapping[str, Any], item: Item) -> bool:
    """True: from a domain, or one of its subdomains, or a feed that the topic hears; deny wins."""
    sources = topic.get("sources", {})
    try:
        host = (urlsplit(item.url or "").hostname or "").rstrip(".")
    except ValueError:
        host = ""

    def is_from(name: str) -> bool:
        name = name.lower()
        return name == item.feed_id.lower() or host == name != "" or host.endswith("." + name)

    if any(map(is_from, sources.get("deny", []))):
        return False
    allow = sources.get("allow", [])
    return not allow or any(map(is_from, allow))
