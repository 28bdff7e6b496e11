"""Which comment of a YAML file belongs to which of its entries.

A comment over an entry belongs to it; one beside it, too. One behind the last entry of a collection that is
indented like it, or deeper, belongs to the collection's end.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode

_HASH: Final = re.compile(r"(?m)(?:^|(?<=[ \t]))#[^\n]*")


Value = ScalarNode | CollectionNode


@dataclass(slots=True)
class Entry:
    """A key with its value, or an item of a list, and the comments that belong to it."""

    key: ScalarNode | None  # None: an item of a list
    value: Value
    indent: int  # column where it begins
    above: list[str] = field(default_factory=list)  # comment lines; empty: an empty line
    beside: str = ""
    column: int = 0  # of `beside`


@dataclass(slots=True)
class Remarks:
    """All comments of a file, each in its place."""

    comments: list[str]
    header: list[str] = field(default_factory=list)  # over the first key
    footer: list[str] = field(default_factory=list)
    dangling: dict[int, list[str]] = field(default_factory=dict)  # by id of the collection
    by_node: dict[int, list[Entry]] = field(default_factory=dict)
    noted: set[int] = field(default_factory=set)  # ids of collections in brackets with comments inside

    def entries(self, node: Node) -> list[Entry]:
        """Return a collection's entries in the file's order."""
        return self.by_node[id(node)]

    def has_any_inside(self, node: Node) -> bool:
        """True: there are comments between the brackets."""
        return id(node) in self.noted


@dataclass(frozen=True, slots=True)
class _Comment:
    text: str
    line: int
    column: int
    is_alone: bool  # on its line


def read_remarks(text: str, root: MappingNode) -> Remarks:
    """Return the comments of a file, given its tree."""
    comments = list(_find_comments(text, root))
    remarks = Remarks([comment.text for comment in comments])
    _Reader(text.split("\n"), comments, remarks).read(root)
    return remarks


def _find_comments(text: str, root: Node) -> Iterator[_Comment]:
    spans = sorted(_scalar_spans(root))
    starts = [start for start, _ in spans]
    line_starts = [0, *(found.end() for found in re.finditer("\n", text))]
    position = 0
    while found := _HASH.search(text, position):
        index = bisect_right(starts, found.start()) - 1
        if index >= 0 and found.start() < spans[index][1]:
            position = spans[index][1]
            continue
        position = found.end()
        line = bisect_right(line_starts, found.start()) - 1
        begin = line_starts[line]
        is_alone = not text[begin : found.start()].strip()
        yield _Comment(found[0].rstrip(), line, found.start() - begin, is_alone)


def _scalar_spans(node: Node) -> Iterator[tuple[int, int]]:
    if isinstance(node, ScalarNode):
        if node.end_mark.index > node.start_mark.index:
            yield node.start_mark.index, node.end_mark.index
        return
    for child in node.value:
        for one in child if isinstance(node, MappingNode) else (child,):
            yield from _scalar_spans(one)


class _Reader:
    """Walks a tree in the file's order and hands out the comments as it passes them."""

    def __init__(self, lines: list[str], comments: list[_Comment], remarks: Remarks) -> None:
        self.lines = lines
        self.waiting = comments[::-1]  # the next one last
        self.remarks = remarks
        self.line = -1  # of the last thing passed
        self.end = (sys.maxsize, 0)  # line and column of the innermost bracket that closes

    def read(self, root: MappingNode) -> None:
        first = root.value[0][0] if root.value else root
        self.remarks.header = self._above(first.start_mark.line, first.start_mark.column)
        self._collection(root, floor=0)
        self.remarks.footer = self._rest()

    def _collection(self, node: CollectionNode, floor: int) -> None:
        """Note the entries of a collection; comments behind it from column `floor` on are its own."""
        pairs = _children(node)
        entries = self.remarks.by_node.setdefault(id(node), [])
        before, end = len(self.waiting), self.end
        if node.flow_style:
            self.end = (node.end_mark.line, node.end_mark.column)
        for key, value in pairs:
            entries.append(self._entry(node, key, value))
        self.end = end
        if node.flow_style:
            inside = self._until(node.end_mark.line, node.end_mark.column)
            if inside:
                self.remarks.dangling[id(node)] = inside
            if len(self.waiting) < before:
                self.remarks.noted.add(id(node))
            self.line = max(self.line, node.end_mark.line)
        elif pairs:
            self.remarks.dangling[id(node)] = self._dangling(floor)

    def _entry(self, parent: CollectionNode, key: ScalarNode | None, value: Value) -> Entry:
        start = (value if key is None else key).start_mark
        indent = start.column if key is not None or parent.flow_style else parent.start_mark.column
        entry = Entry(key, value, indent)
        entry.above = self._above(start.line, start.column)
        self.line = max(self.line, start.line)
        if isinstance(value, ScalarNode) or value.flow_style:
            self._inner(entry, value)
        else:
            if key is not None and value.start_mark.line > key.end_mark.line:
                self._beside(entry, key.end_mark.line)
            column = value.start_mark.column
            is_level = key is not None and column == indent  # a list whose dashes stand under its key
            self._collection(value, column + is_level)
        return entry

    def _inner(self, entry: Entry, value: Value) -> None:
        """Take what stands between an entry's beginning and end, and beside its end."""
        if isinstance(value, ScalarNode):
            entry.above += self._until(value.start_mark.line, value.start_mark.column)
            end = value.end_mark
            last = end.line - (end.column == 0 and end.line > value.start_mark.line)
            self.line = max(self.line, last)
            if value.style not in {"|", ">"}:
                self._beside(entry, last)
        else:
            entry.above += self._until(value.start_mark.line, value.start_mark.column)
            self._collection(value, value.start_mark.column)
            self._beside(entry, value.end_mark.line)

    def _beside(self, entry: Entry, line: int) -> None:
        """Take the comment at the end of that line."""
        comment = self.waiting[-1] if self.waiting else None
        if comment is None or comment.is_alone or comment.line != line:
            return
        if (comment.line, comment.column) < self.end:
            self.waiting.pop()
            entry.beside, entry.column = comment.text, comment.column
            self.line = max(self.line, line)

    def _above(self, line: int, column: int) -> list[str]:
        """Return the comments before that place, with the empty lines among and around them."""
        found: list[str] = []
        while self.waiting and (self.waiting[-1].line, self.waiting[-1].column) < (line, column):
            self._add_gap(found, self.waiting[-1].line)
            found.append(self.waiting.pop().text)
        self._add_gap(found, line)
        return found

    def _until(self, line: int, column: int) -> list[str]:
        return [text for text in self._above(line, column) if text]

    def _add_gap(self, found: list[str], line: int) -> None:
        """Note an empty line between the last thing and that line, and go on there."""
        if any(not text.strip() for text in self.lines[self.line + 1 : line]) and self.line >= 0:
            found.append("")
        self.line = max(self.line, line)

    def _dangling(self, floor: int) -> list[str]:
        """Return the comments right behind, as long as they are indented like it."""
        found: list[str] = []
        while self.waiting and self.waiting[-1].is_alone and self.waiting[-1].column >= max(floor, 0):
            comment = self.waiting[-1]
            if self._something_before(comment.line):
                break
            self._add_gap(found, comment.line)
            found.append(self.waiting.pop().text)
        return found

    def _something_before(self, line: int) -> bool:
        """True: there is more than comments and empty lines between the last thing and that line."""
        between = self.lines[self.line + 1 : line]
        return any(text.strip() and not text.lstrip().startswith("#") for text in between)

    def _rest(self) -> list[str]:
        found: list[str] = []
        while self.waiting:
            self._add_gap(found, self.waiting[-1].line)
            found.append(self.waiting.pop().text)
        return found


def _children(node: CollectionNode) -> list[tuple[ScalarNode | None, Value]]:
    if isinstance(node, SequenceNode):
        return [(None, child) for child in node.value]
    if isinstance(node, MappingNode):
        return list(node.value)
    return []
