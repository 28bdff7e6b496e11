"""YAML files as plain data, with the line and column of every key and value.

YAML 1.2: `no:` and `off` are text. Refused, with their place: tabs that indent, duplicate keys, anchors
and aliases (a rule set has `lists` and `use` for what stands in several places).
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from bot.errors import Problem
from bot.rules.syntax import character_problem, syntax_problem

Path_ = tuple[str | int, ...]  # keys and indexes from the top of a file
Spot = tuple[int, int]  # line and column, 1-based

MAX_BYTES: Final = 5 << 20
MAX_DEPTH: Final = 40
MAX_VALUES: Final = 60_000  # of a file; a term is one
_ALLOW: Final = re.compile(r"#\s*lint:\s*allow((?:[\s,]+W\d{3})+)")
_TAG: Final = "tag:yaml.org,2002:"
_SCALARS: Final = ("str", "int", "float", "bool", "null")
_WORDS: Final[dict[str, bool | float | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", "+.inf", ".Inf", "+.Inf"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN"), float("nan")),
}
_LONGEST_NUMBER: Final = 40  # characters
_INTEGER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*)|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")


@dataclass(slots=True)
class Source:
    """One rule file as read."""

    file: str  # as it is shown to people
    text: str = ""
    data: Any = None  # dict, list, str, int, float, bool or None
    values: dict[Path_, Spot] = field(default_factory=dict)
    keys: dict[Path_, Spot] = field(default_factory=dict)
    inherited: set[Path_] = field(default_factory=set)  # ("topics", 3, key): copied from ("defaults", key)
    allowed: dict[int, frozenset[str]] = field(default_factory=dict)  # warnings silenced, by line
    problems: list[Problem] = field(default_factory=list)

    def spot(self, path: Path_, *, key: bool = False) -> Spot:
        """Return where the value (or its key) stands; for an unknown path, where its nearest parent does."""
        if path[:3] in self.inherited:
            path = ("defaults", *path[2:])
        while path:
            found = (self.keys.get(path) if key else None) or self.values.get(path) or self.keys.get(path)
            if found is not None:
                return found
            path = path[:-1]
        return (1, 1)

    def problem(self, path: Path_, code: str, message: str, *, key: bool = False) -> Problem:
        """Return a problem at that place."""
        line, col = self.spot(path, key=key)
        return Problem(file=self.file, line=line, col=col, code=code, message=message)


def rule_files(folder: Path) -> list[Path]:
    """Return what is named as a rule file in a folder, by name; hidden files are left out.

    Raises:
        OSError: The folder cannot be listed.
    """
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in {".yaml", ".yml"} and not path.name.startswith(".")
    )


def read_source(path: Path) -> Source:
    """Return the file's data; what keeps it from being read is among its problems."""
    source = Source(str(path))
    try:
        is_file = stat.S_ISREG(path.stat().st_mode)  # reading a pipe would wait for ever
        raw = path.read_bytes() if is_file else b""
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        source.problems.append(Problem(file=source.file, code="E000", message=message))
        return source
    if not is_file:
        message = "is no file; rename it so that it does not end like a rule file"
        source.problems.append(Problem(file=source.file, code="E000", message=message))
        return source
    if len(raw) > MAX_BYTES:
        size = MAX_BYTES >> 20
        source.problems.append(source.problem((), "E002", f"the file is over {size} MB; split it"))
        return source
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        col = error.start - raw.rfind(b"\n", 0, error.start)
        message = "the file is not UTF-8; save it as UTF-8"
        source.problems.append(Problem(file=source.file, line=line, col=col, code="E002", message=message))
        return source
    parse_source(source, text)
    return source


def parse_source(source: Source, text: str) -> None:
    """Fill the source from the text of its file."""
    source.text = text
    source.allowed = {
        number: frozenset(re.findall(r"W\d{3}", found[1]))
        for number, line in enumerate(text.splitlines(), 1)
        if (found := _ALLOW.search(line))
    }
    try:
        source.data = _Composer(source, YAML(typ="safe").parse(text)).document()
    except MarkedYAMLError as error:
        source.problems.append(syntax_problem(source.file, error, text))
    except YAMLError as error:  # a character that YAML does not allow
        source.problems.append(character_problem(source.file, error, text))
    except _Refused:
        source.data = None


class _Refused(Exception):
    """The rest of the file is not read; its problem is told."""


class _Composer:
    """Turns YAML's events into plain data, noting where everything stands.

    It works on events, not on a tree of nodes, so that a hostile file is refused where it first oversteps,
    and so that no depth of it is a depth of calls.
    """

    def __init__(self, source: Source, parsed: Iterator[Any]) -> None:
        self._source = source
        self._parsed = parsed
        self._values = 0

    def document(self) -> Any:
        """Return the data of the only document; None: there is none."""
        first = self._next_of(DocumentStartEvent, StreamEndEvent)
        if isinstance(first, StreamEndEvent):
            return None
        data = self._value(next(self._parsed), (), 0)
        behind = self._next_of(DocumentStartEvent, StreamEndEvent)
        if isinstance(behind, DocumentStartEvent):
            self._refuse(behind, "a file is one document; take this `---` and what follows out")
        return data

    def _next_of(self, *kinds: type[Event]) -> Any:
        return next(event for event in self._parsed if isinstance(event, kinds))

    def _value(self, event: Any, path: Path_, depth: int) -> Any:
        self._source.values[path] = _spot(event)
        self._values += 1
        if depth > MAX_DEPTH:
            self._refuse(event, f"nested deeper than {MAX_DEPTH} levels")
        if self._values > MAX_VALUES:
            self._refuse(event, f"the file has over {MAX_VALUES:,} values; split it")
        if isinstance(event, AliasEvent) or event.anchor is not None:
            self._refuse(event, _anchored(event))
        match event:
            case MappingStartEvent():
                self._check_tag(event, "map")
                return self._mapping(path, depth)
            case SequenceStartEvent():
                self._check_tag(event, "seq")
                return self._sequence(path, depth)
            case ScalarEvent():
                return self._scalar(event)
        raise AssertionError(event)

    def _sequence(self, path: Path_, depth: int) -> list[Any]:
        children: list[Any] = []
        while not isinstance(event := next(self._parsed), SequenceEndEvent):
            children.append(self._value(event, (*path, len(children)), depth + 1))
        return children

    def _mapping(self, path: Path_, depth: int) -> dict[str, Any]:
        pairs: dict[str, Any] = {}
        keys = self._source.keys
        while not isinstance(event := next(self._parsed), MappingEndEvent):
            if isinstance(event, AliasEvent) or event.anchor is not None:
                self._refuse(event, _anchored(event))
            if not isinstance(event, ScalarEvent):
                self._refuse(event, "a key must be one word of text")
            here = (*path, event.value)
            self._check_tag(event, *_SCALARS)
            if event.value in pairs:
                line, col = keys[here]
                message = f"duplicate key `{_short(event.value)}`; the first is at line {line}, column {col}"
                self._problem(event, message)
                self._value(next(self._parsed), (*here, "again"), depth + 1)
            else:
                keys[here] = _spot(event)
                pairs[event.value] = self._value(next(self._parsed), here, depth + 1)
        return pairs

    def _scalar(self, event: ScalarEvent) -> str | int | float | bool | None:
        self._check_tag(event, *_SCALARS)
        is_text = bool(event.style) and event.tag is None  # quoted, or a block of text
        if is_text or event.tag in {"!", f"{_TAG}str"}:
            return str(event.value)
        return plain_value(event.value)

    def _check_tag(self, event: Any, *known: str) -> None:
        tag = event.tag
        if tag not in {None, "!"} and tag.removeprefix(_TAG) not in known:
            self._problem(event, f"the tag {_short(tag)} is not used here")

    def _problem(self, event: Event, message: str) -> None:
        line, col = _spot(event)
        problem = Problem(file=self._source.file, line=line, col=col, code="E002", message=message)
        self._source.problems.append(problem)

    def _refuse(self, event: Event, message: str) -> NoReturn:
        self._problem(event, message)
        raise _Refused


def _anchored(event: Any) -> str:
    """Return what is wrong with an anchor or an alias, and the cure for a wildcard without quotes."""
    if isinstance(event, AliasEvent):
        name = _short(event.anchor)
        return f'`*{name}` is an alias to YAML; a term that begins with * needs quotes: "*{name}"'
    return f"anchors (&{_short(event.anchor)}) are not used here; write a list and `use:` it"


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}…"


def plain_value(text: str) -> str | int | float | bool | None:
    """Return what a scalar without quotes means in YAML 1.2: `no`, `off`, 0123 and dates are text.

    Source: the core schema, https://yaml.org/spec/1.2.2/#103-core-schema
    """
    if text in _WORDS:
        return _WORDS[text]
    if len(text) <= _LONGEST_NUMBER and text[0] in "+-.0123456789":
        if _INTEGER.fullmatch(text):
            return int(text, 0)
        if _FLOAT.fullmatch(text):
            return float(text)
    return text


def _spot(event: Event) -> Spot:
    return event.start_mark.line + 1, event.start_mark.column + 1
