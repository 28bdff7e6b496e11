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
from rapidfuzz.process import cpdist

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
        self._edits = np.array(list(strings.values()), dtype=np.uint8)
        ways = int((self._edits[:, None] >= _DELETED).sum())
        self._shift = np.uint64(64 - (_SLOTS * ways).bit_length())
        slots, numbers = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.uint32)]
        for start in range(0, len(self._strings), _AT_ONCE):
            found = self._slots(self._strings[start : start + _AT_ONCE])
            rows, columns = np.nonzero(self._edits[start : start + _AT_ONCE, None] >= _DELETED)
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
        asked = list(texts)
        rows, numbers = self._likely(asked)
        found: defaultdict[str, list[str]] = defaultdict(list)
        if not len(rows):
            return found
        pairs = [asked[row] for row in rows.tolist()], [self._strings[number] for number in numbers.tolist()]
        edits = cpdist(*pairs, scorer=OSA.distance, score_cutoff=MAX_EDITS, dtype=np.uint8)
        for index in (edits <= self._edits[numbers]).nonzero()[0].tolist():
            text, own = pairs[0][index], pairs[1][index]
            if own[0] == text[0]:
                found[text].append(own)
        return found

    def _likely(self, asked: Sequence[str]) -> tuple[_Array, _Array]:
        """Return pairs of a text's and a string's number that have something left in common, each once."""
        slots = self._slots(asked)
        rows, columns = self._used[slots].nonzero()
        used = slots[rows, columns]
        starts = self._starts[used].astype(np.int64)
        counts = self._starts[used + 1] - starts
        before = np.cumsum(counts) - counts
        numbers = self._numbers[np.arange(int(counts.sum())) + np.repeat(starts - before, counts)]
        fits = self._edits[numbers] >= np.repeat(_DELETED[columns], counts)
        pairs = np.unique((np.repeat(rows, counts)[fits] << 32) | numbers[fits].astype(np.int64))
        return pairs >> 32, pairs & 0xFFFFFFFF

    def _slots(self, strings: Sequence[str]) -> _Array:
        mixed = _hashes(strings) * np.uint64(0xD6E8FEB86659FD93)
        return (mixed >> self._shift).astype(np.int64)
