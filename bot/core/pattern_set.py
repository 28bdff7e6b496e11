"""All patterns of a rule set in one automaton: which of them may be in a text, in one reading of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import re2

from bot.core.patterns import MAX_MEMORY, MAX_TEXT, find_all, rewritten

_PATTERNS: Final = 64  # in one automaton, so that none needs more memory than a machine has to spare


class PatternSet:
    """Patterns by number. Immutable once made."""

    def __init__(self, patterns: Mapping[int, str]) -> None:
        """Take patterns that `check_pattern` accepts."""
        self._patterns = patterns
        numbers = list(patterns)
        parts = [numbers[start : start + _PATTERNS] for start in range(0, len(numbers), _PATTERNS)]
        self._sets = [(part, _compiled([patterns[number] for number in part])) for part in parts]

    def find(self, text: str) -> set[int]:
        """Return the numbers of the patterns that are somewhere in the text."""
        if not self._sets:
            return set()
        read = text[:MAX_TEXT].encode("utf-8", "replace").decode()  # as find_all reads it
        likely = (part[index] for part, automaton in self._sets for index in automaton.Match(read) or ())
        return {number for number in likely if next(find_all(self._patterns[number], text), None) is not None}


def _compiled(patterns: list[str]) -> Any:
    options = re2.Options()
    options.max_mem = MAX_MEMORY * len(patterns)
    options.log_errors = False
    automaton = re2.Set.SearchSet(options)
    for pattern in patterns:
        automaton.Add(rewritten(pattern))
    automaton.Compile()
    return automaton
