"""A bounded memory: what is asked for again outlives what is not."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

# The last of 60,000 items in twelve languages have 3.5 unknown words each, as with twice the entries;
# with 300,000 entries it is 4.7, with 150,000 it is 7.1.
ENTRIES: Final = 500_000


class Memory(Generic[K, V]):
    """Keys and values in two generations; the older one is dropped whole.

    Safe to share between threads that may lose an entry to each other, for every entry can be made again.
    """

    __slots__ = ("_half", "_old", "_weight", "young")

    def __init__(self, entries: int = ENTRIES) -> None:
        self._half = max(1, entries // 2)
        self.young: dict[K, V] = {}  # may be read directly; what is missing here may still be known to `get`
        self._old: dict[K, V] = {}
        self._weight = 0  # of the young

    def get(self, key: K) -> V | None:
        """Return what was put, or None once it is forgotten."""
        value = self.young.get(key)
        if value is None:
            value = self._old.get(key)
            if value is not None:
                self.put(key, value)
        return value

    def put(self, key: K, value: V, weight: int = 1) -> None:
        """Remember the value until half as many other keys as there are entries have come.

        Args:
            weight: How many entries it counts for.
        """
        if self._weight >= self._half:
            self._old = self.young
            self.young = {}
            self._weight = 0
        self._weight += weight
        self.young[key] = value

    def __len__(self) -> int:
        return len(self.young) + len(self._old)


@contextmanager
def uncollected() -> Iterator[None]:
    """Put the garbage collector off while very many objects are made that stay.

    It would walk through all of them again and again, which doubles the time of compiling 100,000 terms.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
