"""Finds, of very many strings, those within two edits of others, without comparing each with each.

What is left of two strings after at most as many deletions as there are edits between them has something in
common (Bocek, Hunt and Stiller, "Fast similarity search in large dictionaries", 2007). Only the first letters
are looked at, and of these the very first is never deleted: a typo keeps it. All that is left of a string is
hashed by one matrix product, and so is all that is left of many strings.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any, Final

import numpy as np
from rapidfuzz.distance import OSA

MAX_EDITS: Final = 2
_LETTERS: Final = 7  # of a string that are looked at
_BITS: Final = 8  # for each entry, in a table that tells whether a look-up is in vain; one in eight is wrong
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
    """Strings by number, found by others within a number of edits of them (OSA). Immutable once made.

    Takes some ten bytes for each string and each way to delete letters of it, of which there are 7 or 22.
    """

    def __init__(self, strings: Sequence[str], edits: Sequence[int]) -> None:
        """Take strings, none of them empty, each with the edits, 1 or 2, that another may be away."""
        self._strings = strings
        self._edits = edits
        self._allowed = np.array(edits, dtype=np.uint8)
        ways = int((self._allowed[:, None] >= _DELETED).sum())
        self._bits = (_BITS * max(1, ways)).bit_length()  # of a hash that are looked at
        self._slot_bits = max(1, ways.bit_length() - 1)  # the first of them, that name a slot
        entries = self._entries(ways)
        entries.sort()
        self._numbers = entries.astype(np.uint32)  # their last 32 bits
        entries >>= np.uint64(32)
        hashes = entries.astype(np.uint32)
        del entries  # half the memory of all that is going on here
        self._used = np.zeros((1 << self._bits) // 8 + 1, dtype=np.uint8)
        for start in range(0, ways, _AT_ONCE):
            some = hashes[start : start + _AT_ONCE]
            np.bitwise_or.at(self._used, some >> 3, (1 << (some & 7)).astype(np.uint8))
        borders = np.arange(1 << self._slot_bits, dtype=np.uint32) << (self._bits - self._slot_bits)
        starts = np.searchsorted(hashes, borders).astype(np.uint32)
        self._starts = np.append(starts, np.uint32(ways))

    def _entries(self, ways: int) -> _Array:
        """Return each hash of each string with the string's number in the last 32 bits."""
        entries = np.empty(ways, dtype=np.uint64)
        filled = 0
        for start in range(0, len(self._strings), _AT_ONCE):
            found = self._hashed(self._strings[start : start + _AT_ONCE])
            rows, columns = np.nonzero(self._allowed[start : start + _AT_ONCE, None] >= _DELETED)
            kept = found[rows, columns].astype(np.uint64) << np.uint64(32)
            entries[filled : filled + len(rows)] = kept | (rows + start).astype(np.uint64)
            filled += len(rows)
        return entries

    def __bool__(self) -> bool:
        return bool(self._strings)

    def near(self, texts: Iterable[str]) -> dict[str, list[int]]:
        """Return for each text the strings within their edits of it that begin with the same letter.

        Texts without any are left out.
        """
        asked: defaultdict[str, list[str]] = defaultdict(list)
        for text in texts:
            asked[text[:_LETTERS]].append(text)
        beginnings = list(asked)
        found: defaultdict[str, list[int]] = defaultdict(list)
        for row, number in self._likely(beginnings):
            own, most = self._strings[number], self._edits[number]
            size = len(own)
            for text in asked[beginnings[row]]:
                if (
                    -most <= size - len(text) <= most
                    and own[0] == text[0]
                    and OSA.distance(own, text, score_cutoff=most) <= most
                ):
                    found[text].append(number)
        return found

    def _likely(self, beginnings: Sequence[str]) -> Iterable[tuple[int, int]]:
        """Return pairs of a beginning's and a string's number that have something left in common, once."""
        hashes = self._hashed(beginnings)
        rows, columns = ((self._used[hashes >> 3] >> (hashes & 7)) & 1).nonzero()
        slots = hashes[rows, columns] >> (self._bits - self._slot_bits)
        starts = self._starts[slots].astype(np.int64)
        counts = self._starts[slots + 1] - starts
        before = np.cumsum(counts) - counts
        numbers = self._numbers[np.arange(int(counts.sum())) + np.repeat(starts - before, counts)]
        fits = self._allowed[numbers] >= np.repeat(_DELETED[columns], counts)
        pairs = np.unique((np.repeat(rows, counts)[fits] << 32) | numbers[fits].astype(np.int64))
        return zip((pairs >> 32).tolist(), (pairs & 0xFFFFFFFF).tolist(), strict=True)

    def _hashed(self, strings: Sequence[str]) -> _Array:
        mixed = _hashes(strings) * np.uint64(0xD6E8FEB86659FD93)
        return (mixed >> np.uint64(64 - self._bits)).astype(np.int64)
