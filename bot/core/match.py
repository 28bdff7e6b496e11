"""The matching engine: which topics an item belongs to, by what evidence, and why not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from bot.core import occurrences as places
from bot.core.expressions import Evidence, Expression, Leaf, evaluate, identity, leaves
from bot.core.occurrences import FieldText, Occurrence
from bot.core.terms import IsWord, Name, Needle, Pattern, Phrase, Term, Word, needles_of
from bot.core.text import MAX_TOKENS, Chunk, chunks_of, place, read_chunk
from bot.core.vocabulary import Memo, Vocabulary
from bot.model import Item, Match, TermMatch, TopicId

FIELDS: Final = ("title", "summary", "content", "author", "url", "source", "categories")
DEFAULT_FIELDS: Final = frozenset({"title", "summary", "content"})
DEFAULT_MIN_SCORE: Final = 60.0
TITLE_FACTOR: Final = 1.25
DOUBT: Final = 0.25  # what one whole piece of evidence leaves of the doubt
_MEMORABLE: Final = 64  # characters; longer chunks do not come again

DetectLanguage = Callable[[str], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicRule:
    """What the matcher knows of a topic."""

    id: TopicId
    match: Expression
    ignore: Expression | None = None
    unless: Expression | None = None
    min_score: float = DEFAULT_MIN_SCORE
    languages: frozenset[str] = frozenset()  # empty: all
    allow: frozenset[str] = frozenset()  # domains and feed ids; empty: all
    deny: frozenset[str] = frozenset()


def field_texts(item: Item) -> dict[str, str]:
    """Return the item's fields by name, as spans count them; empty ones are left out."""
    texts = {
        "title": item.title,
        "summary": item.summary,
        "content": item.content,
        "author": item.author,
        "url": item.url or "",
        "source": item.outlet,
        "categories": ", ".join(item.categories),
    }
    return {name: text for name, text in texts.items() if text}


def item_score(evidence: Evidence) -> float:
    """Return the score of a topic's evidence, 0 to 100.

    100 · (1 − 0.25^E), where E sums over the different terms: weight · similarity/100, times 1.25 where
    the term stands in the title; each term counts once, where it counts most. More evidence never lowers it.
    """
    strongest: dict[object, float] = {}
    for leaf, found in evidence.items():
        key = identity(leaf.term)
        strength = max(_strength(leaf, one) for one in found)
        strongest[key] = max(strength, strongest.get(key, 0.0))
    return round(100 * (1 - DOUBT ** sum(strongest.values())), 2)


def best_possible_score(expression: Expression) -> float:
    """Return the score when every term of the expression is found as it is written, 0 to 100."""
    strongest: dict[object, float] = {}
    for leaf in leaves(expression, positive=True):
        strength = leaf.weight * (TITLE_FACTOR if "title" in leaf.fields else 1.0)
        key = identity(leaf.term)
        strongest[key] = max(strength, strongest.get(key, 0.0))
    return 100 * (1 - DOUBT ** sum(strongest.values()))


def _strength(leaf: Leaf, one: Occurrence) -> float:
    return leaf.weight * one.score / 100 * (TITLE_FACTOR if one.field == "title" else 1.0)


@dataclass(frozen=True, slots=True)
class _Read:
    """A chunk, and which needles its tokens met."""

    chunk: Chunk
    hits: tuple[tuple[int, Needle, float], ...]  # index of the token


class Finder:
    """Finds terms in fields; remembers every chunk and word it has seen."""

    def __init__(self, terms: Iterable[Term], is_real: IsWord) -> None:
        self.terms = tuple(dict.fromkeys(terms))
        self._vocabulary = Vocabulary((n for term in self.terms for n in needles_of(term)), is_real)
        self._patterns = [term for term in self.terms if isinstance(term, Pattern)]
        self._by_needle: dict[Needle, list[Term]] = defaultdict(list)
        for term in self.terms:
            for needle in _anchors(term):
                self._by_needle[needle].append(term)
        self._reads: Memo[str, _Read] = Memo()

    def read(self, text: str, name: str, limit: int) -> tuple[FieldText | None, int]:
        """Return the field with its hits, and how many words were read; None: no word met a needle."""
        chunks = chunks_of(text)
        reads, words, met = [], 0, False
        for raw in chunks:
            read = self._reads.get(raw) or self._read(raw)
            words += read.chunk.words
            if words > limit:
                break
            reads.append(read)
            met = met or bool(read.hits)
        if not met and not self._patterns:
            return None, words
        return _assembled(name, text, reads), words

    def find(self, field: FieldText) -> dict[Term, list[Occurrence]]:
        """Return where each term stands in the field; terms that do not are left out."""
        candidates: dict[Term, None] = dict.fromkeys(self._patterns)
        for needle in field.hits:
            candidates.update(dict.fromkeys(self._by_needle.get(needle, ())))
        found = {term: places.occurrences(term, field) for term in candidates}
        return {term: spots for term, spots in found.items() if spots}

    def _read(self, raw: str) -> _Read:
        chunk = read_chunk(raw)
        hits = tuple(
            (index, needle, score)
            for index, token in enumerate(chunk.tokens)
            for needle, score in self._vocabulary.hits(Word(token.text, token.is_joined))
        )
        read = _Read(chunk, hits)
        if len(raw) <= _MEMORABLE:
            self._reads.put(raw, read)
        return read


def _anchors(term: Term) -> Iterable[Needle]:
    """Return one needle of each reading: no occurrence is without one of them. The longest is the rarest."""
    match term:
        case Phrase():
            return {max((s.needle for s in reading), key=lambda n: n.size) for reading in term.readings}
        case Name():
            return {term.words[-1]}
        case Pattern():
            return ()


def _assembled(name: str, text: str, reads: Sequence[_Read]) -> FieldText:
    field = FieldText(name, text, place(text, (read.chunk for read in reads)))
    first = 0
    for read in reads:
        for index, needle, score in read.hits:
            field.add(field.tokens[first + index], needle, score)
        first += len(read.chunk.tokens)
    return field


class Sight:
    """An item as the topics see it: its fields, and where each term stands."""

    def __init__(self, finder: Finder, item: Item, wanted: frozenset[str]) -> None:
        self.texts = field_texts(item)
        self.fields: dict[str, FieldText] = {}
        self.found: dict[Term, list[Occurrence]] = {}
        left = MAX_TOKENS
        for name in FIELDS:
            if name in wanted and name in self.texts and left > 0:
                field, words = finder.read(self.texts[name], name, left)
                left -= words
                if field is not None:
                    self.fields[name] = field
                    for term, spots in finder.find(field).items():
                        self.found.setdefault(term, []).extend(spots)

    def find(self, leaf: Leaf) -> list[Occurrence]:
        """Return where a leaf's term stands in the leaf's fields."""
        return [one for one in self.found.get(leaf.term, ()) if one.field in leaf.fields]

    def find_uncovered(self, leaf: Leaf, covered: Mapping[str, places.Spans]) -> list[Occurrence]:
        """Return where it stands once the covered spans are taken out of the text."""
        found = self.find(leaf)
        hidden = {
            one.field for one in found if places.overlaps(one.start, one.end, covered.get(one.field, ()))
        }
        kept = [one for one in found if one.field not in hidden]
        for name in sorted(hidden, key=FIELDS.index):
            kept += places.occurrences(leaf.term, self.fields[name], covered[name])
        return kept

    def term_matches(self, evidence: Evidence) -> tuple[TermMatch, ...]:
        """Return the evidence, each different term once a field, best first, and of equals the longest."""
        best: dict[tuple[object, str], tuple[float, Leaf, Occurrence]] = {}
        for leaf, found in evidence.items():
            for one in found:
                key = (identity(leaf.term), one.field)
                strength = _strength(leaf, one)
                if key not in best or strength > best[key][0]:
                    best[key] = (strength, leaf, one)
        ordered = sorted(
            best.values(), key=lambda b: (-b[0], b[2].start - b[2].end, FIELDS.index(b[2].field))
        )
        return tuple(self.term_match(leaf.term, one) for _, leaf, one in ordered)

    def term_match(self, term: Term, one: Occurrence) -> TermMatch:
        """Return the occurrence as the house knows it."""
        text = self.texts[one.field][one.start : one.end]
        return TermMatch(
            term=term.text, field=one.field, start=one.start, end=one.end, text=text, score=one.score
        )


def spans(evidence: Evidence) -> dict[str, list[tuple[int, int]]]:
    """Return what the evidence covers, by field."""
    covered: dict[str, list[tuple[int, int]]] = {}
    for found in evidence.values():
        for one in found:
            covered.setdefault(one.field, []).append((one.start, one.end))
    return covered


class Matcher:
    """A compiled rule set. Safe to share between threads: what it remembers is only a memory."""

    def __init__(
        self,
        rules: Iterable[TopicRule],
        *,
        is_real: IsWord,
        detect_language: DetectLanguage | None = None,
        rules_hash: str = "",
    ) -> None:
        self.rules = tuple(rules)
        self.is_real = is_real
        self._detect = detect_language
        self._hash = rules_hash
        every = [leaf for rule in self.rules for leaf in _all_leaves(rule)]
        self.wanted = frozenset(field for leaf in every for field in leaf.fields)
        self.finder = Finder((leaf.term for leaf in every), is_real)
        self._rules_of: dict[Term, list[int]] = defaultdict(list)
        for number, rule in enumerate(self.rules):
            for term in dict.fromkeys(leaf.term for leaf in leaves(rule.match, positive=True)):
                self._rules_of[term].append(number)

    def match(self, item: Item) -> tuple[Match, ...]:
        """Return the topics that the item belongs to, highest score first, then in the rules' order."""
        sight = self.see(item)
        numbers = sorted({number for term in sight.found for number in self._rules_of.get(term, ())})
        matches = [self._decide(self.rules[number], item, sight) for number in numbers]
        return tuple(sorted((m for m in matches if m is not None), key=lambda m: -m.score))

    def see(self, item: Item) -> Sight:
        """Return the item's fields and the terms in them."""
        return Sight(self.finder, item, self.wanted)

    def _decide(self, rule: TopicRule, item: Item, sight: Sight) -> Match | None:
        covered = covered_spans(rule, sight)
        evidence = evaluate(rule.match, lambda leaf: sight.find_uncovered(leaf, covered))
        if not evidence:
            return None
        score = item_score(evidence)
        if score < rule.min_score or not is_heard(rule, item):
            return None
        if rule.unless is not None and evaluate(rule.unless, sight.find) is not None:
            return None
        if not self.speaks(rule, item):
            return None
        return Match(topic=rule.id, score=score, terms=sight.term_matches(evidence), rules_hash=self._hash)

    def speaks(self, rule: TopicRule, item: Item) -> bool:
        """True: the item is in one of the topic's languages, or nobody can tell which it is in."""
        if not rule.languages:
            return True
        language = (item.language or "").lower()[:2] or None
        if language is None and self._detect is not None:
            language = self._detect(f"{item.title}\n{item.summary}")
        return language is None or language in rule.languages


def _all_leaves(rule: TopicRule) -> Iterable[Leaf]:
    for expression in (rule.match, rule.ignore, rule.unless):
        if expression is not None:
            yield from leaves(expression)


def covered_spans(rule: TopicRule, sight: Sight) -> dict[str, list[tuple[int, int]]]:
    """Return what the topic's `ignore` covers up."""
    hidden = evaluate(rule.ignore, sight.find) if rule.ignore is not None else None
    return spans(hidden or {})


def is_heard(rule: TopicRule, item: Item) -> bool:
    """True: the topic takes items from there; deny wins over allow."""
    if not rule.allow and not rule.deny:
        return True
    names = {str(item.feed_id).lower(), *_domains(item.url)}
    if names & rule.deny:
        return False
    return not rule.allow or bool(names & rule.allow)


def _domains(url: str | None) -> list[str]:
    """Return the host and every domain it belongs to: a.b.example → a.b.example, b.example, example."""
    try:
        host = urlsplit(url or "").hostname or ""
    except ValueError:  # a bracket that opens no IPv6 address
        return []
    labels = host.lower().rstrip(".").split(".")
    return [".".join(labels[index:]) for index in range(len(labels))] if host else []
