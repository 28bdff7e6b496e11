"""A field's words, which needles they met, and the places where terms stand."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Final

from bot.core.terms import Needle
from bot.core.text import Token, chunk_spans, placed, read_chunk

_TITLE_CASE_SMALL: Final = frozenset(
    re.findall(
        r"\S+",
        "with from over into after amid than that upon about against under for and the but not are has his "
        "her its who as at by in of on or to up via per ",
    )
)
_POLISH_LETTERS: Final = re.compile("[ąęłńśźżĄĘŁŃŚŹŻ]")
_POLISH_WORDS: Final = frozenset({"w", "z", "ze", "dla", "przez", "przed", "oraz", "jest", "nad", "pod"})


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One place where a term stands."""

    field: str
    at: int  # positions, see text.Token
    to: int
    start: int  # code points of the field's text
    end: int
    score: float  # 0 to 100


Spans = Sequence[tuple[int, int]]  # of code points


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """A chunk of a text, and which needles its words met."""

    words: int
    width: int  # positions it takes
    clauses: int
    sentences: int
    met: tuple[tuple[Token, tuple[tuple[int, float], ...]], ...]  # tokens of the chunk, with needles' numbers
    needles: tuple[int, ...]  # all that were met


class Words(Mapping[int, Token]):
    """The words of a field by position, without joined runs; a chunk is read when it is first asked for."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._read: dict[int, dict[int, Token]] = {}

    def __getitem__(self, at: int) -> Token:
        """Return the word at a position.

        Raises:
            KeyError: A sentence's or clause's end, or no place of the field.
        """
        return self._chunk(self._places.at(at))[at]

    def __iter__(self) -> Iterator[int]:
        for number in range(len(self._places)):
            yield from self._chunk(number)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _chunk(self, number: int) -> dict[int, Token]:
        words = self._read.get(number)
        if words is None:
            words = self._read[number] = {
                token.at: token for token in self._places.read(number) if not token.is_joined
            }
        return words


class Places:
    """Where the chunks of a field stand."""

    def __init__(self, text: str, reads: Sequence[Read]) -> None:
        self._text = text
        self._ends = list(accumulate(read.width for read in reads))
        self._starts = list(accumulate((read.width for read in reads), initial=0))
        self._clauses = list(accumulate((read.clauses for read in reads), initial=0))
        self._sentences = list(accumulate((read.sentences for read in reads), initial=0))

    def __len__(self) -> int:
        return len(self._ends)

    @cached_property
    def _spans(self) -> list[tuple[int, int]]:
        return chunk_spans(self._text)

    def at(self, position: int) -> int:
        """Return the number of the chunk that a position is in; -1: there is none."""
        number = bisect_right(self._ends, position)
        return number if position >= 0 and number < len(self) else -1

    def read(self, number: int) -> Iterable[Token]:
        """Return the tokens of a chunk; none for -1."""
        if number < 0:
            return ()
        start, end = self._spans[number]
        return self.placed(number, read_chunk(self._text[start:end]).tokens)

    def placed(self, number: int, tokens: Iterable[Token]) -> Iterator[Token]:
        """Return tokens of a chunk as tokens of the field."""
        start, _ = self._spans[number]
        return placed(tokens, start, self._starts[number], self._clauses[number], self._sentences[number])


class Look:
    """What a field looks like, by its words."""

    def __init__(self, text: str, words: Mapping[int, Token]) -> None:
        self.text = text
        self.words = words  # by position, without joined runs

    @cached_property
    def is_title_case(self) -> bool:
        """True: every word of some length begins with a capital, so that capitals say nothing."""
        words = [token.text for token in self.words.values() if token.text.isalpha() and len(token.text) > 2]
        return len(words) > 4 and not self.has_small_words

    @cached_property
    def has_capitals(self) -> bool:
        """True: some word begins with a capital, so that a small letter says something."""
        return any(token.text[0].isupper() for token in self.words.values())

    @cached_property
    def has_small_letters(self) -> bool:
        """True: the text is not all in capitals."""
        return any(char.islower() for char in self.text)

    @cached_property
    def has_small_words(self) -> bool:
        """True: some word of three letters or more, no title's small word, begins with a small letter."""
        words = (token.text for token in self.words.values())
        return any(len(w) > 2 and w[0].islower() and w not in _TITLE_CASE_SMALL for w in words)

    @cached_property
    def is_polish(self) -> bool:
        """True: by its letters or small words."""
        words = {token.text.casefold() for token in self.words.values()}
        return not _POLISH_WORDS.isdisjoint(words) or _POLISH_LETTERS.search(self.text) is not None


AtPositions = Mapping[int, list[tuple[Token, float]]]  # words with their similarity to a needle


class Hits(Mapping[Needle, AtPositions]):
    """Where each needle was met; worked out for a needle when it is asked for."""

    def __init__(self, places: Places, reads: Sequence[Read], numbers: Mapping[Needle, int]) -> None:
        self._places = places
        self._numbers = numbers
        self._met: defaultdict[int, list[tuple[int, Token, float]]] = defaultdict(list)  # by chunk
        for chunk, read in enumerate(reads):
            for token, hits in read.met:
                for needle, score in hits:
                    self._met[needle].append((chunk, token, score))
        self._found: dict[int, AtPositions] = {}

    def __getitem__(self, needle: Needle) -> AtPositions:
        """Return the words that met the needle.

        Raises:
            KeyError: None did.
        """
        number = self._numbers[needle]
        found = self._found.get(number)
        if found is None:
            if number not in self._met:
                raise KeyError(needle)
            found = self._found[number] = self._placed(self._met[number])
        return found

    def __contains__(self, needle: object) -> bool:
        return self._numbers.get(needle) in self._met  # type: ignore[call-overload]  # as for any dict

    def __iter__(self) -> Iterator[Needle]:
        return (needle for needle, number in self._numbers.items() if number in self._met)

    def __len__(self) -> int:
        return len(self._met)

    def _placed(self, met: Iterable[tuple[int, Token, float]]) -> AtPositions:
        at: defaultdict[int, list[tuple[Token, float]]] = defaultdict(list)
        for chunk, token, score in met:
            for placed_token in self._places.placed(chunk, [token]):
                at[placed_token.at].append((placed_token, score))
        return dict(at)


class FieldText(Look):
    """A field's words, and which needles they met."""

    def __init__(self, name: str, text: str, reads: Sequence[Read], numbers: Mapping[Needle, int]) -> None:
        """Take what a field's chunks mean; needles are known there by these numbers."""
        places = Places(text, reads)
        super().__init__(text, Words(places))
        self.name = name
        self.hits = Hits(places, reads, numbers)


def overlaps(start: int, end: int, covered: Spans) -> bool:
    """True: some of start..end lies inside a covered span."""
    return any(start < high and low < end for low, high in covered)
