"""Items as JSON Lines: what is an item, what is none, and what is said of it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.jsonlines import LONGEST_TITLE, BadLine, JsonItem, read_items

GOOD = '{"id": 1, "title": "x"}'


def read(*lines: str | bytes) -> list[JsonItem | BadLine]:
    raw = (line.encode() if isinstance(line, str) else line for line in lines)
    return list(read_items(io.BytesIO(b"\n".join(raw))))


def test_a_line_tells_an_item() -> None:
    line = {
        "id": "a",
        "title": "Ä",
        "summary": "s",
        "content": "c",
        "lang": "de",
        "url": "https://elbe.example/",
        "source": "Elbe",
        "published": "Mon, 02 Mar 2026 13:00:00 +0100",
        "unknown": [1],
    }

    assert read(json.dumps(line)) == [
        JsonItem(
            id="a",
            title="Ä",
            summary="s",
            content="c",
            language="de",
            url="https://elbe.example/",
            source="Elbe",
            published=datetime(2026, 3, 2, 12, tzinfo=UTC),
        )
    ]


def test_null_is_as_good_as_left_out() -> None:
    optional = ("summary", "content", "lang", "url", "source", "published")

    assert read(json.dumps({"id": 1, "title": "x", **dict.fromkeys(optional)})) == read(GOOD)


def test_a_byte_order_mark_and_empty_lines_are_passed_over() -> None:
    assert read(b"\xef\xbb\xbf" + GOOD.encode(), "", " \r", GOOD) == [JsonItem(id=1, title="x")] * 2


def test_half_a_surrogate_pair_in_a_text_becomes_a_question_mark() -> None:
    (item,) = read(r'{"id": 1, "title": "rare \ud800 earth"}')

    assert isinstance(item, JsonItem)
    assert item.title == "rare ? earth"


BAD = {
    "no JSON": ("nonsense", "not JSON: Expecting value at column 1"),
    "cut off": ('{"id": 1, "title": "x', "not JSON: "),
    "no object": ("[1, 2]", "want a JSON object, got list"),
    "no id": ('{"title": "x"}', "`id` is missing; give text or a whole number"),
    "null as id": ('{"id": null, "title": "x"}', "`id` is null; give text or a whole number"),
    "a claim as id": ('{"id": true, "title": "x"}', "`id` is true; give text or a whole number"),
    "an object as id": ('{"id": {}, "title": "x"}', "`id` is an object; give text or a whole number"),
    "a broken number as id": ('{"id": 1.5, "title": "x"}', "`id` is a number with a point"),
    "not a number": ('{"id": NaN, "title": "x"}', "not JSON: NaN"),
    "not a number, elsewhere": ('{"id": 1, "title": "x", "more": [-Infinity]}', "not JSON: -Infinity"),
    "no title": ('{"id": 1}', "`title` is missing"),
    "null as title": ('{"id": 1, "title": null}', "`title` is missing"),
    "a list as title": ('{"id": 1, "title": ["x"]}', "`title` is a list; give text"),
    "a number as summary": ('{"id": 1, "title": "x", "summary": 5}', "`summary` is a number; give text"),
    "no date": ('{"id": 1, "title": "x", "published": "yesterday"}', "`published` is 'yesterday'; give"),
    "a date beyond all years": (
        '{"id": 1, "title": "x", "published": "0001-01-01T00:00:00+14:00"}',
        "`published` is '0001",
    ),
    "not UTF-8": (b'{"id": 1, "title": "\xff"}', "not UTF-8 at byte 21"),
    "a number too long": ('{"id": ' + "9" * 5000 + ', "title": "x"}', "not an item: a number too long"),
    "nested too deeply": ("[" * 200_000, "not an item: a number too long, or nested too deeply"),
}


@pytest.mark.parametrize(("line", "why"), BAD.values(), ids=BAD.keys())
def test_a_line_that_is_no_item_is_named_and_costs_no_other(line: str | bytes, why: str) -> None:
    first, bad, last = read(GOOD, line, GOOD)

    assert first == last == JsonItem(id=1, title="x")
    assert isinstance(bad, BadLine)
    assert str(bad).startswith(f"<stdin>:2: {why}")


def test_a_file_is_called_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    path.write_text("?\n", encoding="utf-8")

    with path.open("rb") as file:
        (bad,) = read_items(file)

    assert str(bad).startswith(f"{path}:1: not JSON")


def test_a_title_is_shown_as_one_line_of_200_characters_without_commands_to_the_terminal() -> None:
    shown = JsonItem(id=1, title="a\nb\x1b[2J\u202e " + "c" * 500).shown_title

    assert shown.startswith("a b [2J ccc")
    assert len(shown) == LONGEST_TITLE
    assert shown.endswith("…")


@pytest.mark.parametrize(
    "command",
    ["match --rules RULES", "match --rules RULES --json", "stories", "stories --json"],
)
def test_a_reader_that_goes_away_ends_the_command_in_peace(tmp_path: Path, command: str) -> None:
    items = tmp_path / "items.jsonl"
    lines = (json.dumps({"id": n, "title": f"Word{n} alone"}) for n in range(2000))
    items.write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "RULES").mkdir()
    rules = "version: 1\ntopics: [{id: metal, title: Metal, match: {en: [metal]}}]\n"
    (tmp_path / "RULES" / "metal.yaml").write_text(rules, encoding="utf-8")

    with items.open("rb") as stdin:
        process = subprocess.Popen(
            [sys.executable, "-m", "bot", *command.split()],
            cwd=tmp_path,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
        process.stderr.close()

    assert (process.wait(60), said) == (0, b"")
