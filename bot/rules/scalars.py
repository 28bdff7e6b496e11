"""How a text is written in YAML: plain where that reads back the same, else in quotes."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode

_STRING: Final = "tag:yaml.org,2002:str"
# What a YAML text may hold as it is: https://yaml.org/spec/1.2.2/#51-character-set
_UNPRINTABLE: Final = re.compile(
    "[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_WORDS: Final = re.compile(r"[^\W\d_][\w \-]*")
_SIMPLE: Final = re.compile(r"[^\W\d_][\w]*(?: [^\W_]\w*)*")
_NO_TEXT: Final = frozenset({"null", "true", "false"})


def in_one_line(node: ScalarNode, *, in_flow: bool, is_key: bool = False) -> str:
    """Return a scalar of a file on one line; words lose quotes that they do not need."""
    is_plain = node.style is None
    if is_plain and node.start_mark.line == node.end_mark.line:
        return str(node.value) or "null"
    if str(node.tag) != _STRING:
        return str(node.value)
    text = str(node.value)
    if node.style in {"'", '"'} and not _WORDS.fullmatch(text):
        return quoted(text)  # its author's care for commas, colons and patterns
    return written(text, in_flow=in_flow, is_key=is_key)


def written(text: str, *, in_flow: bool = False, is_key: bool = False) -> str:
    """Return the text as YAML on one line."""
    return text if reads_back(text, in_flow, is_key) else quoted(text)


def quoted(text: str) -> str:
    """Return the text in quotes: double ones, unless it holds such or a backslash."""
    if _UNPRINTABLE.search(text):
        return f'"{_escaped(text)}"'
    if '"' in text or "\\" in text:
        return "'" + text.replace("'", "''") + "'"
    return f'"{text}"'


@lru_cache(maxsize=4_096)
def reads_back(text: str, in_flow: bool, is_key: bool) -> bool:
    """True: the text needs no quotes there."""
    if _SIMPLE.fullmatch(text) and text.lower() not in _NO_TEXT:
        return True
    if not text or _UNPRINTABLE.search(text):
        return False
    try:
        node = _only_child(YAML(typ="safe", pure=True).compose(_example(text, in_flow, is_key)))
    except (YAMLError, ValueError):
        return False
    return (
        isinstance(node, ScalarNode)
        and node.style is None
        and node.value == text
        and str(node.tag) == _STRING
        and node.anchor is None
    )


def _example(text: str, in_flow: bool, is_key: bool) -> str:
    if is_key:
        return f"{{{text}: x}}" if in_flow else f"{text}: x\n"
    # What is plain as an item may be no value: a: b
    return f"{{k: {text}}}" if in_flow else f"k: {text}\n"


def _only_child(node: Node | None) -> Node | None:
    if not isinstance(node, MappingNode) or len(node.value) != 1:
        return None
    key: Node
    value: Node
    key, value = node.value[0]
    return value if key.value == "k" and value.value != "x" else key


def _escaped(text: str) -> str:
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return _UNPRINTABLE.sub(lambda found: _code(ord(found[0])), text)


def _code(code: int) -> str:
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def wrapped(text: str, first: int, width: int) -> list[str]:
    """Return a scalar in lines, broken at single spaces, which YAML reads as spaces again."""
    lines, room = [""], first
    for word in re.split(r"(?<=[^ \\]) (?=[^ #])", text):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > room:
            lines.append(word)
            room = width
        else:
            lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    return lines if len(lines) > 1 else [*lines, ""]
