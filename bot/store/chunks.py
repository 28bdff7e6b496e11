"""Long lists of values, in statements of a bearable size."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

_T = TypeVar("_T")

_IN_ONE_QUERY = 500  # values; both databases take far more, this keeps statements small


def chunks(values: Iterable[_T]) -> Iterable[list[_T]]:
    """Return the values in lists of at most 500, in order."""
    every = list(values)
    return (every[start : start + _IN_ONE_QUERY] for start in range(0, len(every), _IN_ONE_QUERY))
