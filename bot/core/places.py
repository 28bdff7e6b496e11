"""A field's words, which needles they met, and the places where terms stand."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from bot.core.terms import Needle
from bot.core.text import Token

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


@dataclass
class FieldText:
    """A field's tokens, and which needles they met."""

    name: str
    text: str
    tokens: list[Token]
    hits: dict[Needle, dict[int, list[tuple[Token, float]]]] = field(default_factory=dict)  # by position

    def add(self, token: Token, needle: Needle, score: float) -> None:
        """Note that the token met the needle."""
        self.hits.setdefault(needle, defaultdict(list))[token.at].append((token, score))

    @cached_property
    def words(self) -> dict[int, Token]:
        """The tokens that are no joined runs, by position."""
        return {token.at: token for token in self.tokens if not token.is_joined}

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


def overlaps(start: int, end: int, covered: Spans) -> bool:
    """True: some of start..end lies inside a covered span."""
    return any(start < high and low < end for low, high in covered)
