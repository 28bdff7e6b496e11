"""Finds, of very many strings, those within two edits of others, without comparing each with each.

What is left of two strings after at most as many deletions as there are edits between them has something in
common (Bocek, Hunt and Stiller, "Fast similarity search in large dictionaries", 2007). Only the first letters
are looked at, and of these the very first is never deleted: a typo keeps it. All that is left of a string is
hashed by one matrix product, and so is all that is left of many strings.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any, Final

import numpy as np
from rapidfuzz.distance import OSA

MAX_EDITS: Final = 2
_LETTERS: Final = 7  # of a string that are looked at
_SLOTS: Final = 4  # for each entry, so that most look-ups in vain end at an empty slot
_AT_ONCE: Final = 100_000  # strings hashed together

_Array = np.ndarray[Any, Any]


def _weights() -> tuple[_Array, _Array]:
    """Return, for each way to delete letters, how many it deletes, and what each letter left weighs.

    A letter weighs what its place among those left weighs, so that the same letters weigh the same however
    they came to be left.
    """
    powers = [pow(0x9E3779B97F4A7C15, place + 1, 1 << 64) | 1 for place in range(_LETTERS)]
    deleted, rows = [], []
    for count in range(MAX_EDITS + 1):
        for gone in combinations(range(1, _LETTERS), count):
            left = [place for place in range(_LETTERS) if place not in gone]
            row = [powers[left.index(place)] if place in left else 0 for place in range(_LETTERS)]
            deleted.append(count)
            rows.append(row)
    return np.array(deleted), np.array(rows, dtype=np.uint64).T


_DELETED, _WEIGHTS = _weights()


def _hashes(strings: Sequence[str]) -> _Array:
    """Return for each string a row of hashes: what is left of it after each way to delete letters."""
    padded = "".join([text[:_LETTERS].ljust(_LETTERS, "\0") for text in strings])
    letters = np.frombuffer(padded.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return letters.reshape(-1, _LETTERS).astype(np.uint64) @ _WEIGHTS


class Neighbours:
    """Strings, found by others within a number of edits of them (OSA). Immutable once made."""

    def __init__(self, strings: Mapping[str, int]) -> None:
        """Take strings, none of them empty, with the edits, 1 or 2, that another may be away."""
        self._strings = list(strings)
        self._edits = list(strings.values())
        self._allowed = np.array(self._edits, dtype=np.uint8)
        ways = int((self._allowed[:, None] >= _DELETED).sum())
        self._shift = np.uint64(64 - (_SLOTS * ways).bit_length())
        slots, numbers = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.uint32)]
        for start in range(0, len(self._strings), _AT_ONCE):
            found = self._slots(self._strings[start : start + _AT_ONCE])
            rows, columns = np.nonzero(self._allowed[start : start + _AT_ONCE, None] >= _DELETED)
            slots.append(found[rows, columns])
            numbers.append((rows + start).astype(np.uint32))
        every = np.concatenate(slots)
        self._numbers = np.concatenate(numbers)[np.argsort(every, kind="stable")]
        counts = np.bincount(every, minlength=1 << (64 - int(self._shift)))
        self._starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.uint32)
        self._used = counts > 0

    def __bool__(self) -> bool:
        return bool(self._strings)

    def near(self, texts: Iterable[str]) -> dict[str, list[str]]:
        """Return for each text the strings within their edits of it that begin with the same letter.

        Texts without any are left out.
        """
        asked: defaultdict[str, list[str]] = defaultdict(list)
        for text in texts:
            asked[text[:_LETTERS]].append(text)
        beginnings = list(asked)
        found: defaultdict[str, list[str]] = defaultdict(list)
        for row, number in self._likely(beginnings):
            own, most = self._strings[number], self._edits[number]
            for text in asked[beginnings[row]]:
                if own[0] == text[0] and OSA.distance(own, text, score_cutoff=most) <= most:
                    found[text].append(own)
        return found

    def _likely(self, beginnings: Sequence[str]) -> Iterable[tuple[int, int]]:
        """Return pairs of a beginning's and a string's number that have something left in common, once."""
        slots = self._slots(beginnings)
        rows, columns = self._used[slots].nonzero()
        used = slots[rows, columns]
        starts = self._starts[used].astype(np.int64)
        counts = self._starts[used + 1] - starts
        before = np.cumsum(counts) - counts
        numbers = self._numbers[np.arange(int(counts.sum())) + np.repeat(starts - before, counts)]
        fits = self._allowed[numbers] >= np.repeat(_DELETED[columns], counts)
        pairs = np.unique((np.repeat(rows, counts)[fits] << 32) | numbers[fits].astype(np.int64))
        return zip((pairs >> 32).tolist(), (pairs & 0xFFFFFFFF).tolist(), strict=True)

    def _slots(self, strings: Sequence[str]) -> _Array:
        mixed = _hashes(strings) * np.uint64(0xD6E8FEB86659FD93)
        return (mixed >> self._shift).astype(np.int64)
