"""What YAML's parser complains of, in words that name the cure."""

from __future__ import annotations

import re
from typing import Final

from ruamel.yaml.error import MarkedYAMLError, YAMLError

from bot.errors import Problem

_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_QUOTES: Final = "put the text in quotes"
# libyaml's words → ours; {} is where what the complaint is about began.
_CURES: Final = (
    ("did not find expected ',' or ']'", "the list opened by [ at {} lacks a comma or its ]"),
    ("did not find expected ',' or '}'", "the map opened by {{ at {} lacks a comma or its }}"),
    ("found unexpected end of stream", "the quote that opens at {} is not closed"),
    ("mapping values are not allowed", f"a colon with a space stands inside a text; {_QUOTES}"),
    ("could not find expected ':'", "this is no `key: value`; a colon with a space behind it is missing"),
    ("did not find expected key", "indent the line like its neighbours, or put its text in quotes"),
    ("did not find expected '-' indicator", "no `- entry` of the list that begins at {}; indent it"),
    ("found character that cannot start any token", f"a text cannot begin with this sign; {_QUOTES}"),
    ("found unknown escape character", 'in double quotes \\ is special; use single quotes: \'…\''),
    ("did not find expected <document start>", f"a text cannot go on behind this; {_QUOTES}"),
)  # fmt: skip


def syntax_problem(file: str, error: MarkedYAMLError, text: str) -> Problem:
    """Return what keeps the file from being YAML, where it stands, and the cure."""
    mark = error.problem_mark or error.context_mark
    line, col = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    lines = text.splitlines()
    here = lines[line - 1] if 0 < line <= len(lines) else ""
    indent = here[: len(here) - len(here.lstrip())]
    if "\t" in indent:
        message = "a tab indents this line; YAML wants spaces"
        return _problem(file, line, indent.index("\t") + 1, message)
    if "alias" in str(error.context) and error.context_mark is not None:
        word = here[error.context_mark.column :].split(",")[0].split("]")[0].strip()
        message = f'a term that begins with * needs quotes: "{word[:60]}"'
        return _problem(file, line, error.context_mark.column + 1, message)
    return _problem(file, line, col, f"not YAML: {_in_our_words(error)}")


def _in_our_words(error: MarkedYAMLError) -> str:
    said = " ".join(filter(None, (error.context, error.problem)))
    start = error.context_mark
    place = f"line {start.line + 1}, column {start.column + 1}" if start else "its beginning"
    return next((cure.format(place) for words, cure in _CURES if words in said), said)


def character_problem(file: str, error: YAMLError, text: str) -> Problem:
    """Return which character YAML does not allow, and where it stands."""
    found = _FORBIDDEN.search(text)
    if found is None:
        return _problem(file, 1, 1, f"not YAML: {' '.join(str(error).split())[:200]}")
    line = text.count("\n", 0, found.start()) + 1
    col = found.start() - text.rfind("\n", 0, found.start())
    return _problem(file, line, col, f"the invisible character U+{ord(found[0]):04X} stands here; delete it")


def _problem(file: str, line: int, col: int, message: str) -> Problem:
    return Problem(file=file, line=line, col=col, code="E002", message=message)
