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


class FieldText(Look):
    """A field's words, and which needles they met."""

    def __init__(self, name: str, text: str, reads: Sequence[Read], needles: Sequence[Needle]) -> None:
        places = Places(text, reads)
        super().__init__(text, Words(places))
        self.name = name
        self.hits: dict[Needle, dict[int, list[tuple[Token, float]]]] = {}  # by position
        for number, read in enumerate(reads):
            if read.met:
                tokens = places.placed(number, (token for token, _ in read.met))
                for token, (_, hits) in zip(tokens, read.met, strict=True):
                    for needle, score in hits:
                        at = self.hits.setdefault(needles[needle], defaultdict(list))
                        at[token.at].append((token, score))


def overlaps(start: int, end: int, covered: Spans) -> bool:
    """True: some of start..end lies inside a covered span."""
    return any(start < high and low < end for low, high in covered)
