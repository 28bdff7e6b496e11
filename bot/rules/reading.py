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
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from bot.errors import Problem

Path_ = tuple[str | int, ...]  # keys and indexes from the top of a file
Spot = tuple[int, int]  # line and column, 1-based

MAX_BYTES: Final = 5 << 20
MAX_DEPTH: Final = 40
_ALLOW: Final = re.compile(r"#\s*lint:\s*allow((?:[\s,]+W\d{3})+)")
_TAG: Final = "tag:yaml.org,2002:"
_TAGS: Final = {  # of plain YAML, by kind of node
    MappingNode: {"map"},
    SequenceNode: {"seq"},
    ScalarNode: {"str", "int", "float", "bool", "null", "timestamp", "value", "merge"},
}


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
        node = YAML(typ="safe", pure=True).compose(text)
        if node is not None:
            source.data = _Converter(source).convert(node, (), 0)
    except MarkedYAMLError as error:
        source.problems.append(_syntax_problem(source.file, error, text))
    except YAMLError as error:  # a character that YAML does not allow
        source.problems.append(source.problem((), "E002", f"not YAML: {' '.join(str(error).split())}"))
    except RecursionError:
        source.problems.append(source.problem((), "E002", f"nested deeper than {MAX_DEPTH} levels"))


def _syntax_problem(file: str, error: MarkedYAMLError, text: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    line, col = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    lines = text.splitlines()
    here = lines[line - 1] if 0 < line <= len(lines) else ""
    indent = here[: len(here) - len(here.lstrip())]
    if "\t" in indent:
        return Problem(
            file=file,
            line=line,
            col=indent.index("\t") + 1,
            code="E002",
            message="a tab indents this line; YAML wants spaces",
        )
    what = " ".join(filter(None, (error.context, error.problem)))
    if "*" in here and "alias" in what:
        what += '; a term that begins with * needs quotes: "*zölle"'
    return Problem(file=file, line=line, col=col, code="E002", message=f"not YAML: {what}")


class _Converter:
    """Turns YAML nodes into plain data, noting where everything stands."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.seen: set[int] = set()

    def convert(self, node: Node, path: Path_, depth: int) -> Any:
        self.source.values[path] = _spot(node)
        if depth > MAX_DEPTH:
            self._problem(path, f"nested deeper than {MAX_DEPTH} levels")
            return None
        if id(node) in self.seen:
            self._problem(path, "anchors and aliases (&, *) are not used here; write a list and `use:` it")
            return None
        self.seen.add(id(node))
        self._check_tag(node, path)
        match node:
            case MappingNode():
                return dict(self._pairs(node, path, depth))
            case SequenceNode():
                return [
                    self.convert(child, (*path, number), depth + 1) for number, child in enumerate(node.value)
                ]
            case ScalarNode():
                return self._scalar(node, path)
        raise AssertionError(node)

    def _pairs(self, node: MappingNode, path: Path_, depth: int) -> Iterator[tuple[str, Any]]:
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, ScalarNode) else None
            if key is None:
                self.source.values[path] = _spot(key_node)
                self._problem(path, "a key must be one word of text")
                continue
            here = (*path, key)
            if here in self.source.keys:
                line, col = self.source.keys[here]
                self.source.keys[here] = _spot(key_node)
                self._problem(here, f"duplicate key `{key}`; the first is at line {line}, column {col}")
                self.source.keys[here] = (line, col)
                continue
            self.source.keys[here] = _spot(key_node)
            self._check_tag(key_node, here)
            yield key, self.convert(value_node, here, depth + 1)

    def _scalar(self, node: ScalarNode, path: Path_) -> Any:
        tag = str(node.tag).removeprefix(_TAG)
        text: str = node.value
        try:
            match tag:
                case "int":
                    return int(text.replace("_", ""), 0)
                case "float":
                    return float(text.replace("_", ""))
                case "bool":
                    return text.lower() == "true"
                case "null":
                    return None
        except ValueError:  # an integer such as 0123, which is text to us
            return text
        return text

    def _check_tag(self, node: Node, path: Path_) -> None:
        if str(node.tag).removeprefix(_TAG) not in _TAGS[type(node)]:
            self._problem(path, f"the tag {node.tag} is not used here")

    def _problem(self, path: Path_, message: str) -> None:
        key = path in self.source.keys
        self.source.problems.append(self.source.problem(path, "E002", message, key=key))


def _spot(node: Node) -> Spot:
    return node.start_mark.line + 1, node.start_mark.column + 1
