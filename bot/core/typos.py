"""Typos: how alike a term's spelling and a word's are when fingers or ears went wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from rapidfuzz.distance import OSA

MAX_EDITS: Final = 2
SHORTEST_TYPO: Final = 5  # letters of the term's word
SHORTEST_SWAP: Final = 4  # letters of a phrase's word in which two neighbours may have changed places
SWAPPED: Final = 80.0  # what such a word scores: a swap keeps all letters, and counts four fifths of an edit
SINGLED_COST: Final = 4.0  # score lost where only doubled letters written once are alike
STEM_COST: Final = 2.0  # score lost where only stems are alike

_DOUBLED: Final = re.compile(r"(.)\1+")


def single(text: str) -> str:
    """Return the word with doubled letters once: which one is doubled is the commonest mistake."""
    return _DOUBLED.sub(r"\1", text)


def edit_similarity(left: str, right: str) -> float:
    """Return rapidfuzz's OSA similarity, 0 to 100; 0 with more than MAX_EDITS edits."""
    edits = OSA.distance(left, right, score_cutoff=MAX_EDITS)
    return 0.0 if edits > MAX_EDITS else 100.0 * (1 - edits / max(len(left), len(right)))


def typo_similarities(forms: Iterable[str], other: str, cost: float = 0.0) -> Iterator[tuple[float, float]]:
    """Return similarities of a term's forms and a word's, each with its cost.

    Compared are the forms as they are, and with doubled letters once; the first letter must be right.

    Args:
        forms: Folds, or stems; short ones, and those with other signs than letters, have no typos.
        other: The word's fold, or stem.
    """
    for own in forms:
        if len(own) >= SHORTEST_TYPO and own[0] == other[:1] and own.isalpha():
            yield edit_similarity(own, other), cost
            yield edit_similarity(single(own), single(other)), cost + SINGLED_COST


def swapped(forms: Iterable[str]) -> set[str]:
    """Return the forms of four letters with two neighbours swapped, never the first."""
    short = [form for form in forms if len(form) == SHORTEST_SWAP and form.isalpha()]
    return {
        form[:at] + form[at + 1] + form[at] + form[at + 2 :]
        for form in short
        for at in range(1, SHORTEST_SWAP - 1)
    }


def misspellable(forms: Iterable[str]) -> Iterator[str]:
    """Return what `typo_similarities` compares of a term's forms."""
    for own in forms:
        if len(own) >= SHORTEST_TYPO and own.isalpha():
            yield own
            if (bare := single(own)) != own:
                yield bare


def most_edits(text: str, fuzzy: float) -> int:
    """Return how many edits a typo of the text may be away, 1 or 2; 0: it allows none.

    A similarity of 100 takes none, but a doubled letter written once is none.
    """
    if fuzzy > 100.0:
        return 0
    return 2 if 100.0 * (1 - 2 / (len(text) + 2)) >= fuzzy else 1
