"""The canonical layout of a rule file: the same data and the same comments, laid out in one way.

Comments go with what they stand over or beside, also where keys change their order.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ruamel.yaml import YAML
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode

from bot.errors import Problem, RulesInvalid
from bot.rules import models
from bot.rules.reading import Source, parse_source, read_source
from bot.rules.scalars import in_one_line, wrapped
from bot.rules.yaml_comments import Entry, Remarks, read_remarks

WIDTH: Final = 120  # columns; a list in brackets that is longer is broken into lines
_GAP: Final = 2  # spaces before a comment on a line with something else
_SCHEMA: Final = "# yaml-language-server:"

_TOPIC: Final = (
    "id", "title", "description", "owner", "references", "status", "level", "tags", "where", "languages",
    "sources", "content", "match", "ignore", "unless", "min_score", "fuzzy", "spike", "cooldown", "tests",
)  # fmt: skip
_FORM: Final = (
    "any", "all", "not", "at_least", "of", "near", "within", "ordered", "use", "regex", "term", "name",
    "weight", "fuzzy", "slop", "in",
)  # fmt: skip
_ORDERS: Final[dict[str, tuple[str, ...]]] = {  # of the keys of a map, by its place
    "file": ("version", "defaults", "lists", "topics"),
    "topic": _TOPIC,
    "sources": tuple(models.Sources.model_fields),
    "spike": tuple(models.Spike.model_fields),
    "tests": ("match", "no_match"),
    "test": tuple(models.InlineItem.model_fields),
    "expression": _FORM,
}
_PLACES: Final[dict[tuple[str, str], str]] = {  # what is at a key (or "-": an item) of a place
    ("file", "defaults"): "topic",
    ("file", "lists"): "lists",
    ("file", "topics"): "topics",
    ("topics", "-"): "topic",
    ("topic", "sources"): "sources",
    ("topic", "spike"): "spike",
    ("topic", "tests"): "tests",
    ("tests", "match"): "titles",
    ("tests", "no_match"): "titles",
    ("titles", "-"): "test",
    **{("topic", key): "expression" for key in ("match", "ignore", "unless")},
}


@dataclass(frozen=True, slots=True)
class Formatted:
    """A rule file, as it is and as it should be."""

    path: Path
    before: str
    after: str

    @property
    def is_changed(self) -> bool:
        """True: the file is not in the canonical layout."""
        return self.before != self.after


def format_file(path: Path) -> Formatted:
    """Return the file's canonical layout; nothing is written.

    Raises:
        RulesInvalid: The file cannot be read as YAML, or cannot be laid out without changing what it says.
    """
    source = read_source(path)
    if source.problems:
        raise RulesInvalid(tuple(source.problems))
    before = path.read_bytes().decode("utf-8")
    return Formatted(path, before, format_text(before, file=str(path)))


def format_text(text: str, *, file: str = "rules.yaml") -> str:
    """Return the canonical layout of a rule file's text; laying it out twice is laying it out once.

    Raises:
        RulesInvalid: See format_file.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    source = Source(file)
    parse_source(source, text)
    if source.problems:
        raise RulesInvalid(tuple(source.problems))
    root = YAML(typ="safe", pure=True).compose(text)
    if not isinstance(root, MappingNode):
        raise RulesInvalid((Problem(file=file, code="E001", message="`version: 1` is missing"),))
    remarks = read_remarks(text, root)
    result = _Layout(text, remarks).whole(root)
    if _meaning(result, file) != _meaning(text, file) or _comments(result) != Counter(remarks.comments):
        message = "cannot be laid out without changing what it says; it is left as it is"
        raise RulesInvalid((Problem(file=file, code="E002", message=message),))
    return result


def _meaning(text: str, file: str) -> str:
    """Return what a rule set's hash is made of; comments and layout are no part of it."""
    source = Source(file)
    parse_source(source, text)
    said = [source.data, [str(problem.message) for problem in source.problems]]
    return json.dumps(said, sort_keys=True, ensure_ascii=False, default=str)


def _comments(text: str) -> Counter[str]:
    root: MappingNode = YAML(typ="safe", pure=True).compose(text)
    return Counter(read_remarks(text, root).comments)


@dataclass(slots=True)
class _Layout:
    """Writes the lines of one file."""

    text: str
    remarks: Remarks
    lines: list[str] = field(default_factory=list)

    def whole(self, root: MappingNode) -> str:
        """Return the file's text."""
        header = list(self.remarks.header)
        schema = [line for line in header if line.startswith(_SCHEMA)]
        rest = [line for line in header if not line.startswith(_SCHEMA)]
        self.lines += [*schema, *rest]
        if not root.value:
            self.lines.append("{}")
        self._block(root, 0, "file", first="")
        self.lines += _squeezed(self.remarks.footer)
        while self.lines and not self.lines[-1]:
            self.lines.pop()
        return "\n".join(_squeezed(self.lines)).lstrip("\n") + "\n"

    # Every method below begins a line with `first`, which holds the indentation and any dashes.

    def _block(self, node: Node, indent: int, place: str, *, first: str) -> None:
        """Write a collection, each entry on lines of its own."""
        entries = self._ordered(node, place)
        for number, entry in enumerate(entries):
            start = first if number == 0 and first.strip() else " " * indent
            self._before(entry, indent, is_first=number == 0, start=start)
            if entry.key is None:
                self._value(entry, indent, _inside(place, "-"), f"{start}- ")
            else:
                key = in_one_line(entry.key, in_flow=False, is_key=True)
                inside = _inside(place, str(entry.key.value))
                self._value(entry, indent, inside, f"{start}{key}:")
        self.lines += [_indented(line, indent) for line in self.remarks.dangling.get(id(node), ())]

    def _ordered(self, node: Node, place: str) -> list[Entry]:
        entries = self.remarks.entries(node)
        names = [str(entry.key.value) if entry.key is not None else "" for entry in entries]
        return [entries[number] for number in _order(names, place)]

    def _before(self, entry: Entry, indent: int, *, is_first: bool, start: str) -> None:
        """Write what stands over an entry; behind a dash there is no room, so it goes over the dash."""
        over = [_indented(line, indent) for line in entry.above]
        if is_first and over and not over[0]:
            over = over[1:]
        if start.strip():
            over = [_indented(line.strip(), len(start) - len(start.lstrip())) for line in over if line]
        self.lines += over

    def _value(self, entry: Entry, indent: int, place: str, head: str) -> None:
        node = entry.value
        is_item = head.endswith("- ")
        glue = "" if is_item else " "
        if isinstance(node, ScalarNode):
            self._scalar(entry, node, indent, f"{head}{glue}")
            return
        flow = self._flow(node, head + glue, place)
        if flow:
            self.lines += flow[:-1]
            self._line(flow[-1], entry, indent)
        elif is_item:
            self._item(entry, node, indent, place, head)
        else:
            self._line(head, entry, indent)
            self._block(node, indent + 2, place, first="")

    def _item(self, entry: Entry, node: Node, indent: int, place: str, head: str) -> None:
        """Write a collection behind a dash; its own remark goes over it."""
        if entry.beside:
            self.lines.append(_indented(entry.beside, len(head) - len(head.lstrip())))
        self._block(node, indent + 2, place, first=head)

    def _scalar(self, entry: Entry, node: ScalarNode, indent: int, head: str) -> None:
        if node.style in {"|", ">"} and (lines := self._literal(node, indent + 2)) is not None:
            self.lines += [f"{head}{lines[0]}".rstrip(), *lines[1:]]
            if entry.beside:
                self.lines.append(_indented(entry.beside, indent))
            return
        text = in_one_line(node, in_flow=False)
        is_broken = node.start_mark.line != node.end_mark.line
        if is_broken and len(head) + len(text) > WIDTH:
            first, *rest = wrapped(text, WIDTH - len(head), WIDTH - indent - 2)
            self.lines.append(f"{head}{first}")
            self.lines += [_indented(line, indent + 2) for line in rest[:-1]]
            self._line(_indented(rest[-1], indent + 2), entry, indent)
        else:
            self._line(f"{head}{text}".rstrip(), entry, indent)

    def _literal(self, node: ScalarNode, indent: int) -> list[str] | None:
        """Return the lines of a block text, indented anew; None: its indentation is a part of it."""
        head, *lines = self.text[node.start_mark.index : node.end_mark.index].split("\n")
        marker = head.split("#")[0].strip()
        body = [line for line in lines if line.strip()]
        if any(char.isdigit() for char in marker) or "#" in head or not body or node.value[:1] in {" ", "\n"}:
            return None
        margin = len(body[0]) - len(body[0].lstrip(" "))
        kept = [_indented(line[margin:], indent) if line.strip() else "" for line in lines]
        while kept and not kept[-1]:
            kept.pop()
        return [marker, *kept] if "+" not in marker else None

    def _flow(self, node: CollectionNode, head: str, place: str) -> list[str]:
        """Return the lines of a collection in brackets behind `head`; none: it goes without brackets."""
        if (not node.flow_style and node.value) or self.remarks.has_any_inside(node):
            return []
        if isinstance(node, MappingNode) and node.value and self.text[node.start_mark.index] != "{":
            return []  # a pair without braces, of a list in brackets that was broken
        text = head + _in_brackets(node, self.text, place)
        if len(text) <= WIDTH or not node.value:
            return [text]
        if isinstance(node, SequenceNode) and all(isinstance(child, ScalarNode) for child in node.value):
            return _filled(head + "[", [in_one_line(child, in_flow=True) for child in node.value])
        return []

    def _line(self, text: str, entry: Entry, indent: int) -> None:
        """Write a line, with the remark beside it in its column if there is room."""
        if entry.beside:
            column = max(entry.column + indent - entry.indent, len(text) + _GAP)
            text = text.ljust(column) + entry.beside
        self.lines.append(text)


def _inside(place: str, key: str) -> str:
    """Return what stands at a key of a place, or at an item (`-`)."""
    return _PLACES.get((place, key)) or ("expression" if place in {"expression", "lists"} else "")


def _order(names: Sequence[str], place: str) -> list[int]:
    """Return the numbers of the keys as the format's documentation orders them; unknown ones come last."""
    order = _ORDERS.get(place, ())
    if place == "expression" and not set(names) <= set(order):
        order = ()  # languages, in their author's order
    rank = {name: number for number, name in enumerate(order)}
    return sorted(range(len(names)), key=lambda number: rank.get(names[number], len(rank)))


def _in_brackets(node: Node, source: str, place: str) -> str:
    if isinstance(node, SequenceNode):
        inside = _inside(place, "-")
        return f"[{', '.join(_member(child, source, inside) for child in node.value)}]"
    if isinstance(node, ScalarNode):
        return in_one_line(node, in_flow=True)
    pairs: list[tuple[ScalarNode, Node]] = list(node.value)
    order = _order([str(key.value) for key, _ in pairs], place)
    return "{" + ", ".join(_pair(*pairs[number], source, place) for number in order) + "}"


def _member(node: Node, source: str, place: str) -> str:
    """Return an item of a list; a map of one pair without braces keeps doing without."""
    text = _in_brackets(node, source, place)
    is_bare = isinstance(node, MappingNode) and source[node.start_mark.index] != "{" and len(node.value) == 1
    return text[1:-1] if is_bare else text


def _pair(key: ScalarNode, value: Node, source: str, place: str) -> str:
    told = _in_brackets(value, source, _inside(place, str(key.value)))
    return f"{in_one_line(key, in_flow=True, is_key=True)}: {told}"


def _filled(head: str, words: list[str]) -> list[str]:
    """Return a list in brackets on as many lines as it takes, each beginning behind the bracket."""
    lines = [head]
    for number, word in enumerate(words):
        member = word + ("]" if number == len(words) - 1 else ",")
        is_fresh = len(lines[-1]) == len(head)
        if not is_fresh and len(lines[-1]) + 1 + len(member) > WIDTH:
            lines.append(" " * len(head) + member)
        else:
            lines[-1] += member if is_fresh else f" {member}"
    return lines


def _indented(line: str, indent: int) -> str:
    return " " * indent + line if line else ""


def _squeezed(lines: list[str]) -> list[str]:
    """Return the lines with no two empty ones in a row."""
    return [line for number, line in enumerate(lines) if line or (number and lines[number - 1])]
