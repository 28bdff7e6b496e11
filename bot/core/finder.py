"""Finding terms in the fields of an item, with a memory of every chunk seen before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bot.core.expressions import Evidence, Leaf, identity
from bot.core.occurrences import occurrences
from bot.core.patterns import find_all
from bot.core.places import FieldText, Occurrence, Spans, overlaps
from bot.core.terms import IsWord, Name, Needle, Pattern, Phrase, Term, Word, needles_of
from bot.core.text import MAX_TOKENS, Chunk, chunks_of, place, read_chunk
from bot.core.vocabulary import Memo, Vocabulary
from bot.model import Item, TermMatch

FIELDS: Final = ("title", "summary", "content", "author", "url", "source", "categories")
TITLE_FACTOR: Final = 1.25
_MEMORABLE: Final = 64  # characters; longer chunks do not come again


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


@dataclass(frozen=True, slots=True)
class _Read:
    """A chunk, and which needles its tokens met."""

    chunk: Chunk
    hits: tuple[tuple[int, Needle, float], ...]  # index of the token
    met: frozenset[int]  # the needles' numbers


class Finder:
    """The terms of a rule set, and what every chunk seen so far means to them."""

    def __init__(self, terms: Iterable[Term], is_real: IsWord) -> None:
        self._every = tuple(terms)  # kept, so that their ids stay theirs
        self.terms = tuple(dict.fromkeys(self._every))
        numbers = {term: number for number, term in enumerate(self.terms)}
        self._number_of_id = {id(term): numbers[term] for term in self._every}
        needles = dict.fromkeys(needle for term in self.terms for needle in needles_of(term))
        self._needle_numbers = {needle: number for number, needle in enumerate(needles)}
        self._vocabulary = Vocabulary(needles, is_real)
        self.patterns = [(number, term) for term, number in numbers.items() if isinstance(term, Pattern)]
        self._anchored: defaultdict[int, list[tuple[int, frozenset[int]]]] = defaultdict(list)
        for term, number in numbers.items():
            for reading in _readings(term):
                wanted = frozenset(self._needle_numbers[needle] for needle in reading)
                anchor = self._needle_numbers[max(reading, key=lambda needle: needle.size)]
                self._anchored[anchor].append((number, wanted))
        self._reads: Memo[str, _Read] = Memo()

    def number(self, term: Term) -> int:
        """Return the term's number, an index of `terms`; the term must be one of those given."""
        known = self._number_of_id.get(id(term))
        return self.terms.index(term) if known is None else known

    def read(self, text: str, limit: int) -> tuple[list[_Read], int]:
        """Return what the field's chunks mean, and how many words they have; at most `limit` words."""
        reads, words = [], 0
        for raw in chunks_of(text):
            read = self._reads.get(raw) or self._read(raw)
            words += read.chunk.words
            if words > limit:
                break
            reads.append(read)
        return reads, words

    def possible(self, met: set[int]) -> set[int]:
        """Return the numbers of the terms that may stand where these needles were met."""
        return {
            number
            for needle in met
            for number, wanted in self._anchored.get(needle, ())
            if len(wanted) == 1 or wanted <= met
        }

    def _read(self, raw: str) -> _Read:
        chunk = read_chunk(raw)
        hits = tuple(
            (index, needle, score)
            for index, token in enumerate(chunk.tokens)
            for needle, score in self._vocabulary.hits(Word(token.text, token.is_joined))
        )
        read = _Read(chunk, hits, frozenset(self._needle_numbers[needle] for _, needle, _ in hits))
        if len(raw) <= _MEMORABLE:
            self._reads.put(raw, read)
        return read


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
        self._reads: dict[str, list[_Read]] = {}
        self._possible: dict[str, set[int]] = {}
        self._fields: dict[str, FieldText] = {}
        self._found: dict[tuple[str, int], list[Occurrence]] = {}
        left = MAX_TOKENS
        for name in FIELDS:
            if name in wanted and name in self.texts and left > 0:
                self._reads[name], words = finder.read(self.texts[name], left)
                left -= words
                met = {number for read in self._reads[name] if read.met for number in read.met}
                self._possible[name] = finder.possible(met) if met else set()
                for number, pattern in finder.patterns:
                    if next(find_all(pattern.text, self.texts[name]), None) is not None:
                        self._possible[name].add(number)

    def possible(self) -> set[int]:
        """Return the numbers of all terms that may stand in the item; those that do are among them."""
        return set().union(*self._possible.values())

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
        """Return a field's tokens and what they met."""
        if name not in self._fields:
            self._fields[name] = _assembled(name, self.texts[name], self._reads[name])
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


def _assembled(name: str, text: str, reads: Sequence[_Read]) -> FieldText:
    field = FieldText(name, text, place(text, (read.chunk for read in reads)))
    first = 0
    for read in reads:
        for index, needle, score in read.hits:
            field.add(field.tokens[first + index], needle, score)
        first += len(read.chunk.tokens)
    return field
