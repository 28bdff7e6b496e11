"""The canonical layout: the same data, the same comments, and only one way to lay them out."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import RulesInvalid
from bot.rules.formatting import format_file, format_text
from bot.rules.reading import Source, parse_source

SHIPPED = sorted((Path(__file__).parents[2] / "rules").glob("*.yaml"))

MESSY = """\
# about this file
# yaml-language-server: $schema=./.schema.json

topics:
    # the first
  - title:   "Lithium"   # shown to people
    # how to recognise it
    match:
        en: ["lithium mine",
             lithium deal]   # both of these
        de:
        - {slop: 0, term: 'Lithium-Abkommen'}
        # German ends here

    # its number for machines
    id: "lithium"


    tests:
      no_match: ["Lithium: a song"]
      match:
      - why: because
        title: >-
          Lithium mine opens
          in Chile
  - {id: other, title: O, match: x}
# the end
version: 1
"""

NEAT = """\
# yaml-language-server: $schema=./.schema.json
# about this file

# the end
version: 1
topics:
  # the first
  # its number for machines
  - id: lithium
    title: Lithium       # shown to people
    # how to recognise it
    match:
      en: [lithium mine, lithium deal]  # both of these
      de:
        - {term: Lithium-Abkommen, slop: 0}
      # German ends here

    tests:
      match:
        - title: >-
            Lithium mine opens
            in Chile
          why: because
      no_match: ["Lithium: a song"]
  - {id: other, title: O, match: x}
"""


def data_of(text: str) -> Any:
    source = Source("x")
    parse_source(source, text)
    assert source.problems == []
    return source.data


def comments_of(text: str) -> list[str]:
    return sorted(re.findall(r"# c\d+", text))


def test_a_messy_file_comes_out_neat() -> None:
    assert format_text(MESSY) == NEAT


def test_a_neat_file_stays_as_it_is() -> None:
    assert format_text(NEAT) == NEAT


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_files_keep_their_data_and_comments(path: Path) -> None:
    before = path.read_text(encoding="utf-8")

    after = format_text(before)

    assert data_of(after) == data_of(before)
    assert format_text(after) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('a: ["*zölle", "b, c", "no", "12", "d"]', 'a: ["*zölle", "b, c", no, "12", d]'),
        ("a: 'say \"x\"'", "a: 'say \"x\"'"),
        ("a: '\\bword'", "a: '\\bword'"),
        ("a: 'x: y'", 'a: "x: y"'),
        ('a: "x\\ty\\u2028"', 'a: "x\\ty\\u2028"'),
        ("a: [use: b, {use: c}]", "a: [use: b, {use: c}]"),
        ("a: {}", "a: {}"),
        ("a: [ ]", "a: []"),
        ("a:", "a: null"),
        ("{a: 1, b: 2}", "a: 1\nb: 2"),
        ("a:\n- b\n- - c\n  - d", "a:\n  - b\n  - - c\n    - d"),
        ("a: |\n   x\n    y\n", "a: |\n  x\n   y"),
        ("a: |2\n   x\n", 'a: " x\\n"'),
        ("---\na: b\n...\n", "a: b"),
        ("\ufeffa: b\r\nc: d\r\n", "a: b\nc: d"),
        ("a: [b, # c1\n  c] # c2", "a:                  # c2\n  - b     # c1\n  - c"),
    ],
    ids=[
        "quotes", "double in single", "backslash", "colon", "escapes", "bare pairs", "empty map",
        "empty list", "nothing", "map in braces", "list in list", "literal",
        "literal with its own indentation", "document marks", "byte order mark and CRLF",
        "comments in brackets",
    ],
)  # fmt: skip
def test_values_are_written_in_one_way(before: str, after: str) -> None:
    found = format_text(before)

    assert data_of(found) == data_of(before.removeprefix("\ufeff"))
    assert re.sub(" +#", " #", found) == re.sub(" +#", " #", after + "\n")


def test_long_lists_are_broken_and_long_maps_unfolded() -> None:
    words = [f"word{number:03d}" for number in range(30)]
    inner = ", ".join(f"{{term: {word}, slop: 0}}" for word in words[:9])

    found = format_text(f"version: 1\nlists:\n  a: [{', '.join(words)}]\n  b: [{inner}]\n")

    assert max(map(len, found.splitlines())) <= 120
    assert "\n      word" in found
    assert "\n    - {term: word003, slop: 0}\n" in found
    assert "\n    - name: word003\n" in format_text(
        f"lists:\n  c: [{', '.join(f'name: {word}' for word in words)}]\n"
    )


def test_a_long_text_that_was_on_several_lines_is_filled_again() -> None:
    text = "version: 1\ntopics:\n  - id: a\n    description: " + "\n      ".join(["some words here"] * 20)

    found = format_text(text + "\n    title: A\n    match: x\n")

    assert data_of(found)["topics"][0]["description"] == " ".join(["some words here"] * 20)
    assert max(map(len, found.splitlines())) <= 120
    assert format_text(found) == found


@pytest.mark.parametrize(
    "text",
    ["a: [", "a: 1\na: 2\n", "a: &x 1\nb: *x\n", "- a\n", "", "a: !!python/name:os.system x", "\ta: 1"],
    ids=["broken", "duplicate key", "anchor", "no map", "empty", "tag", "tab"],
)
def test_what_is_no_rule_file_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(RulesInvalid) as caught:
        format_text(text, file="f.yaml")

    assert str(caught.value).startswith("f.yaml")


def test_a_file_tells_whether_it_would_change(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"version:   1\r\n")

    found = format_file(path)

    assert found.is_changed
    assert found.after == "version: 1\n"
    assert path.read_bytes() == b"version:   1\r\n"


# ---- laws --------------------------------------------------------------------------------------

TRICKY = (
    "=РЗМ",
    "Seltenerd*",
    "*zölle",
    "稀土",
    "no",
    "off",
    "null",
    "1",
    "1.5",
    "a: b",
    "- x",
    "#x",
    "it's",
)
TRICKIER = ('say "x"', "\\d+", "x, y", "[z]", "{q}", "&a", "!b", "%c", "? d", "Seltene Erden", "a:b", "---")
WORDS = st.one_of(st.sampled_from(TRICKY), st.sampled_from(TRICKIER), st.text(max_size=12))
KEYS = st.sampled_from(["de", "en", "any", "near", "within", "term", "x y", "1"])
SCALARS = st.one_of(WORDS, st.integers(-5, 500), st.booleans(), st.none())
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(KEYS, inner, max_size=4),
    ),
    max_leaves=8,
)  # fmt: skip
TOPICS = st.fixed_dictionaries(
    {},
    optional={
        "tests": st.fixed_dictionaries({}, optional={"no_match": VALUES, "match": VALUES}),
        "match": VALUES,
        "id": WORDS,
        "unknown": VALUES,
        "title": WORDS,
    },
)
FILES = st.fixed_dictionaries(
    {}, optional={"topics": st.lists(TOPICS, max_size=3), "lists": VALUES, "version": SCALARS}
)


class Scribe:
    """Writes data as YAML in a random style, with comments wherever they may stand."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.comments = 0

    def chance(self, of: int) -> bool:
        return self.draw(st.integers(0, of)) == 0

    def comment(self) -> str:
        self.comments += 1
        return f"# c{self.comments}"

    def scalar(self, value: Any) -> str:
        if not isinstance(value, str):
            return json.dumps(value)
        kept = " -.,:#'*="
        inner = (char if char.isalnum() or char in kept else f"\\U{ord(char):08x}" for char in value)
        return f'"{"".join(inner)}"'

    def flow(self, value: Any) -> str:
        gap = f" {self.comment()}\n" + " " * 30 if self.chance(6) else " "
        if isinstance(value, list):
            return "[" + f",{gap}".join(map(self.flow, value)) + "]"
        if isinstance(value, dict):
            return "{" + f",{gap}".join(f"{self.scalar(k)}: {self.flow(v)}" for k, v in value.items()) + "}"
        return self.scalar(value)

    def value(self, value: Any, indent: int) -> str:
        """Return what follows a key or a dash, up to the end of its last line."""
        beside = f"   {self.comment()}" if self.chance(4) else ""
        if not value or not isinstance(value, list | dict) or self.chance(3):
            return f" {self.flow(value)}{beside}\n"
        return f"{beside}\n{self.block(value, indent + self.draw(st.integers(1, 4)))}"

    def block(self, value: list[Any] | dict[str, Any], indent: int) -> str:
        pad, lines = " " * indent, []
        pairs = value.items() if isinstance(value, dict) else [(None, one) for one in value]
        for key, one in pairs:
            lines.append("\n" * self.draw(st.integers(0, 2)))
            if self.chance(3):
                lines.append(" " * self.draw(st.integers(0, 9)) + self.comment() + "\n")
            head = "-" if key is None else f"{self.scalar(key)}:"
            lines.append(f"{pad}{head}{self.value(one, indent)}")
        return "".join(lines)


@st.composite
def rule_texts(draw: st.DrawFn) -> str:
    data = draw(FILES)
    scribe = Scribe(draw)
    end = scribe.comment() + "\n" if draw(st.booleans()) else ""
    return (scribe.block(data, 0) if data else "{}\n") + end


@given(rule_texts())
@settings(max_examples=100, deadline=None)
def test_any_file_keeps_its_data_and_comments_and_settles_at_once(text: str) -> None:
    once = format_text(text)

    assert data_of(once) == data_of(text)
    assert comments_of(once) == comments_of(text)
    assert format_text(once) == once
