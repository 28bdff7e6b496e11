"""A field as its words, and a place in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.core.text import Token, chunks_of, read_chunk, tokens_of

Spans = Sequence[tuple[int, int]]  # of code points


@dataclass(frozen=True)
class Place:
    """One place where a term stands."""

    field: str
    at: int  # positions of words
    to: int
    start: int  # code points
    end: int
    score: float


@dataclass(frozen=True)
class Field:
    """A field's text and what is read of it."""

    name: str
    text: str
    tokens: tuple[Token, ...]
    words_read: int  # those over 40 letters too

    @property
    def words(self) -> list[Token]:
        """The words that are no joined runs."""
        return [token for token in self.tokens if not token.is_joined]


def read_field(name: str, text: str, limit: int) -> Field:
    """Return the field, read for at most `limit` words."""
    words = sum(read_chunk(chunk).words for chunk in chunks_of(text))
    return Field(name, text, tuple(tokens_of(text, limit)), words)


def covers(hidden: Spans, start: int, end: int) -> bool:
    """True: some of start..end is covered up."""
    return any(low < end and start < high for low, high in hidden)


def best_of_each_beginning(places: Iterable[Place]) -> list[Place]:
    """Return, of the places that begin together, the best; of equals the shortest, in the text's order."""
    best: dict[int, Place] = {}
    for place in sorted(places, key=lambda p: (-p.score, p.end, p.at, p.to)):
        best.setdefault(place.start, place)
    return sorted(best.values(), key=lambda p: p.start)
