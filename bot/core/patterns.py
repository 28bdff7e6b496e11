r"""Regular expressions in RE2's language: linear time whatever the operator wrote.

RE2's \w and \b know ASCII only. \w and \W are rewritten to Unicode letters and digits; \b at the ends of
a pattern is checked here; elsewhere it stays ASCII, as \W does between brackets: `check_pattern` tells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import re2

MAX_MEMORY: Final = 8 << 20  # bytes per pattern
MAX_TEXT: Final = 100_000  # code points searched in one field
MAX_FOUND: Final = 100  # in one field

_ESCAPE: Final = re.compile(r"\\(?:[wW]|.)|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]", re.DOTALL)
_FLAGS: Final = re.compile(r"\(\?[imsU]+\)")


class PatternInvalid(ValueError):
    """RE2 does not take the pattern; its text says why."""


def _rewrite(found: re.Match[str]) -> str:
    part = found[0]
    if part == r"\w":
        return r"[\pL\pM\pN_]"
    if part == r"\W":
        return r"[^\pL\pM\pN_]"
    if part.startswith("["):
        return re.sub(r"\\(.)", lambda inner: r"\pL\pM\pN_" if inner[1] == "w" else inner[0], part)
    return part


def _escapes(part: str) -> list[str]:
    return re.findall(r"\\.", part, re.DOTALL)


def _is_ascii(escape: str, part: str) -> bool:
    """True: RE2 knows only ASCII letters there, and we do not help it."""
    is_class = part.startswith("[")
    return escape == r"\W" if is_class else escape in {r"\b", r"\B"}


@dataclass(frozen=True, slots=True)
class PatternNotes:
    """What an operator should know about a pattern."""

    ascii_parts: tuple[str, ...]  # that know ASCII letters only, each once, such as an inner \b
    is_rewritten: bool  # True: it has a \w, which is read as letters of all alphabets


class _Compiled:
    def __init__(self, pattern: str) -> None:
        found = _FLAGS.match(pattern)
        flags = found[0] if found else ""
        body = pattern.removeprefix(flags)
        self.border_before = body.startswith(r"\b")
        body = body.removeprefix(r"\b")
        self.border_behind = body.endswith(r"\b") and not body.endswith(r"\\b")
        if self.border_behind:
            body = body.removesuffix(r"\b")
        parts = _ESCAPE.findall(body)
        self.is_rewritten = any(r"\w" in _escapes(part) or part == r"\W" for part in parts)
        self.ascii_parts = tuple(
            dict.fromkeys(escape for part in parts for escape in _escapes(part) if _is_ascii(escape, part))
        )
        options = re2.Options()
        options.max_mem = MAX_MEMORY
        options.log_errors = False
        try:
            self.regex: Any = re2.compile(flags + _ESCAPE.sub(_rewrite, body), options)
        except re2.error as error:
            reason = error.args[0] if error.args else error
            raise PatternInvalid(reason.decode() if isinstance(reason, bytes) else str(reason)) from error
        if self.regex.search("") is not None:
            raise PatternInvalid("it matches the empty text")


@lru_cache(maxsize=4_096)
def _compiled(pattern: str) -> _Compiled:
    return _Compiled(pattern)


def check_pattern(pattern: str) -> bool:
    """Return whether a part of the pattern knows ASCII letters only.

    Raises:
        PatternInvalid: RE2 refuses it, it needs over 8 MiB, or it matches nothing at all.
    """
    return bool(pattern_notes(pattern).ascii_parts)


def pattern_notes(pattern: str) -> PatternNotes:
    """Return what is to say about a pattern that RE2 takes; raises as check_pattern does."""
    compiled = _compiled(pattern)
    return PatternNotes(compiled.ascii_parts, compiled.is_rewritten)


def find_all(pattern: str, text: str) -> Iterator[tuple[int, int]]:
    """Return where the pattern matches, left to right, without overlaps, at most MAX_FOUND places."""
    compiled = _compiled(pattern)
    # RE2 reads UTF-8, in which half a surrogate pair has no place; "?" stands in, one for one.
    text = text[:MAX_TEXT].encode("utf-8", "replace").decode()
    for count, found in enumerate(compiled.regex.finditer(text)):
        if count == MAX_FOUND:
            return
        start, end = found.span()
        before = compiled.border_before and not _is_border(text, start)
        behind = compiled.border_behind and not _is_border(text, end)
        if start < end and not before and not behind:
            yield start, end


def _is_border(text: str, index: int) -> bool:
    """True: exactly one side of the index is a word character."""
    left = index > 0 and (text[index - 1].isalnum() or text[index - 1] == "_")
    right = index < len(text) and (text[index].isalnum() or text[index] == "_")
    return left != right


def rewritten(pattern: str) -> str:
    r"""Return what RE2 is given for a pattern: without the \b at its ends, so that it may find more."""
    return str(_compiled(pattern).regex.pattern)
