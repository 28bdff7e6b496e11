"""Finding terms in the fields of an item, with a memory of every chunk seen before."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from operator import attrgetter
from typing import Final, cast

from bot.core.expressions import Evidence, Leaf, identity
from bot.core.memory import ENTRIES, Memory
from bot.core.occurrences import occurrences
from bot.core.pattern_set import PatternSet
from bot.core.places import FieldText, Occurrence, Read, Spans, overlaps
from bot.core.terms import IsWord, Name, Needle, Pattern, Phrase, Term, needles_of
from bot.core.text import MAX_TOKENS, Chunk, chunks_of, read_chunk
from bot.core.vocabulary import Hit, Vocabulary
from bot.model import Item, TermMatch

_NEEDLES: Final = attrgetter("needles")
FIELDS: Final = ("title", "summary", "content", "author", "url", "source", "categories")
TITLE_FACTOR: Final = 1.25
_HEAVY: Final = 64  # characters; a longer chunk counts for several in memory


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


def strength(leaf: Leaf, one: Occurrence) -> float:
    """Return what an occurrence counts in the item's score: 1 for a whole one outside the title."""
    return leaf.weight * one.score / 100 * (TITLE_FACTOR if one.field == "title" else 1.0)


_Reading = tuple[int, tuple[int, ...]]  # a term's number, and those of needles that must all be met


class Finder:
    """The terms of a rule set, and what every chunk seen so far means to them."""

    def __init__(self, terms: Iterable[Term], is_real: IsWord, memory: int = ENTRIES) -> None:
        self._every = tuple(terms)  # kept, so that their ids stay theirs
        numbers: dict[Term, int] = {}
        self._number_of_id = {id(term): numbers.setdefault(term, len(numbers)) for term in self._every}
        self.terms = tuple(numbers)
        needles: dict[Needle, int] = {}
        for needle in (needle for term in self.terms for needle in needles_of(term)):
            needles.setdefault(needle, len(needles))
        readings = [
            (number, tuple({needles[needle] for needle in reading}))
            for number, term in enumerate(self.terms)
            for reading in _readings(term)
        ]
        self._vocabulary = Vocabulary(needles, is_real, memory)
        self.needles = needles  # with their numbers
        self.patterns = PatternSet(
            {number: term.text for number, term in enumerate(self.terms) if isinstance(term, Pattern)}
        )
        self._anchored = self._anchors(readings)
        self._reads: Memory[str, Read] = Memory(memory)
        self._shapes: dict[tuple[int, int, int, int], Read] = {}  # one for all chunks alike that met nothing

    def _anchors(self, readings: Iterable[_Reading]) -> dict[int, list[_Reading]]:
        """Return the readings of the terms under their seldomest needle: that of the fewest terms."""
        uses = Counter(needle for _, wanted in readings for needle in wanted)
        sizes = [needle.size for needle in self.needles]
        anchored: defaultdict[int, list[_Reading]] = defaultdict(list)
        for number, wanted in readings:
            anchor = min(wanted, key=lambda needle: (uses[needle], -sizes[needle], needle))
            anchored[anchor].append((number, tuple(needle for needle in wanted if needle != anchor)))
        return dict(anchored)

    def number(self, term: Term) -> int:
        """Return the term's number, an index of `terms`; the term must be one of those given."""
        known = self._number_of_id.get(id(term))
        return self.terms.index(term) if known is None else known

    def read(self, texts: Mapping[str, str]) -> dict[str, list[Read]]:
        """Return what the chunks of each field mean, of at most MAX_TOKENS words in all."""
        known = self._reads.young
        chunks = {name: chunks_of(text) for name, text in texts.items()}
        if sum(map(len, texts.values())) > MAX_TOKENS:  # else there cannot be too many, for each has a letter
            chunks = self._shortened(chunks)
        found = {name: list(map(known.get, some)) for name, some in chunks.items()}
        unknown = [name for name, reads in found.items() if None in reads]
        if unknown:
            made = self._made({raw: None for name in unknown for raw in chunks[name] if raw not in known})
            for name in unknown:
                found[name] = [made.get(raw) or known[raw] for raw in chunks[name]]
        return cast("dict[str, list[Read]]", found)

    def _shortened(self, chunks: Mapping[str, list[str]]) -> dict[str, list[str]]:
        """Return the chunks of the first MAX_TOKENS words, field after field."""
        kept: dict[str, list[str]] = {}
        words = 0
        for name, some in chunks.items():
            if words >= MAX_TOKENS:
                return kept
            kept[name] = []
            for raw in some:
                words += (self._reads.young.get(raw) or read_chunk(raw)).words
                if words > MAX_TOKENS:
                    return kept
                kept[name].append(raw)
        return kept

    def possible(self, met: set[int]) -> set[int]:
        """Return the numbers of the terms that may stand where these needles were met."""
        return {
            number
            for needle in met
            for number, wanted in self._anchored.get(needle, ())
            if met.issuperset(wanted)
        }

    def _made(self, raws: Iterable[str]) -> dict[str, Read]:
        """Return what chunks mean that came in lately not at all, and remember it."""
        found = {raw: self._reads.get(raw) for raw in raws}
        chunks = {raw: read_chunk(raw) for raw, read in found.items() if read is None}
        hits = self._vocabulary.hits(token for chunk in chunks.values() for token in chunk.tokens)
        for raw, chunk in chunks.items():
            read = found[raw] = self._read(chunk, hits)
            self._reads.put(raw, read, 1 + len(raw) // _HEAVY)
        return cast("dict[str, Read]", found)

    def _read(self, chunk: Chunk, hits: Mapping[tuple[str, bool], tuple[Hit, ...]]) -> Read:
        every = ((token, hits[token.text, token.is_joined]) for token in chunk.tokens)
        met = tuple((token, some) for token, some in every if some)
        shape = (chunk.words, chunk.width, chunk.clauses, chunk.sentences)
        if not met:
            return self._shapes.setdefault(shape, Read(*shape, (), ()))
        return Read(*shape, met, tuple({needle for _, some in met for needle, _ in some}))


def _readings(term: Term) -> Iterable[Sequence[Needle]]:
    """Return sets of needles, all of one of which are met wherever the term stands."""
    match term:
        case Phrase():
            return [[step.needle for step in reading] for reading in term.readings]
        case Name():
            return [term.words[-1:]] if term.glued is None else [term.words[-1:], (term.glued,)]
        case Pattern():
            return ()


class Sight:
    """An item as the topics see it: its fields, and where each term stands."""

    def __init__(self, finder: Finder, item: Item, wanted: frozenset[str]) -> None:
        self._finder = finder
        self.texts = field_texts(item)
        self._reads: dict[str, list[Read]] = {}
        self._possible: dict[str, set[int]] = {}
        self._fields: dict[str, FieldText] = {}
        self._found: dict[tuple[str, int], list[Occurrence]] = {}
        looked_at = {name: text for name, text in self.texts.items() if name in wanted}
        for name, reads in finder.read(looked_at).items():
            met: set[int] = set()
            met.update(*filter(None, map(_NEEDLES, reads)))
            possible = finder.possible(met) | finder.patterns.find(looked_at[name])
            if possible:
                self._possible[name] = possible
                self._reads[name] = reads

    @cached_property
    def possible(self) -> frozenset[int]:
        """The numbers of all terms that may stand in the item; those that do are among them."""
        return frozenset().union(*self._possible.values())

    def find(self, leaf: Leaf) -> list[Occurrence]:
        """Return where a leaf's term stands in the leaf's fields."""
        number = self._finder.number(leaf.term)
        found: list[Occurrence] = []
        for name, possible in self._possible.items():
            if number in possible and name in leaf.fields:
                key = (name, number)
                if key not in self._found:
                    self._found[key] = occurrences(leaf.term, self.field(name))
                found += self._found[key]
        return found

    def field(self, name: str) -> FieldText:
        """Return a field's words and what they met."""
        if name not in self._fields:
            self._fields[name] = FieldText(name, self.texts[name], self._reads[name], self._finder.needles)
        return self._fields[name]

    def find_uncovered(self, leaf: Leaf, covered: Mapping[str, Spans]) -> list[Occurrence]:
        """Return where it stands once the covered spans are taken out of the text."""
        found = self.find(leaf)
        if not found or not covered:
            return found
        hidden = {one.field for one in found if overlaps(one.start, one.end, covered.get(one.field, ()))}
        kept = [one for one in found if one.field not in hidden]
        for name in sorted(hidden, key=FIELDS.index):
            kept += occurrences(leaf.term, self.field(name), covered[name])
        return kept

    def term_matches(self, evidence: Evidence) -> tuple[TermMatch, ...]:
        """Return the evidence, each different term once a field, best first, and of equals the longest."""
        best: dict[tuple[object, str], tuple[float, Leaf, Occurrence]] = {}
        for leaf, found in evidence.items():
            for one in found:
                key = (identity(leaf.term), one.field)
                value = strength(leaf, one)
                if key not in best or value > best[key][0]:
                    best[key] = (value, leaf, one)
        ordered = sorted(
            best.values(), key=lambda b: (-b[0], b[2].start - b[2].end, FIELDS.index(b[2].field))
        )
        return tuple(self._term_match(leaf.term, one) for _, leaf, one in ordered)

    def _term_match(self, term: Term, one: Occurrence) -> TermMatch:
        text = self.texts[one.field][one.start : one.end]
        return TermMatch(
            term=term.text, field=one.field, start=one.start, end=one.end, text=text, score=one.score
        )
