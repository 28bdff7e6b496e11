"""`topicwire stories`: items in, stories out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from bot.cli_stories import stories_command

STRIKE = "Dockers in Hamburg walk out over night shifts"
MORE = "Some 2,300 dockers began a strike on Monday, port operator Hafenlogistik said."


@pytest.fixture
def app() -> typer.Typer:
    made = typer.Typer()
    made.command("stories")(stories_command)
    made.command("other")(lambda: None)  # a lone command would swallow its name
    return made


def run(app: typer.Typer, *items: Any, flags: tuple[str, ...] = ("--json",)) -> Result:
    lines = [
        item if isinstance(item, str | bytes) else json.dumps(item, ensure_ascii=False) for item in items
    ]
    raw = b"\n".join(line.encode() if isinstance(line, str) else line for line in lines)
    return CliRunner().invoke(app, ["stories", *flags], input=raw)


def told(result: Result) -> list[tuple[Any, int, str]]:
    objects = [json.loads(line) for line in result.stdout.splitlines()]
    assert all(list(one) == ["id", "story", "reason"] for one in objects)
    return [(one["id"], one["story"], one["reason"]) for one in objects]


def an_item(number: Any, title: str = STRIKE, **more: Any) -> dict[str, Any]:
    return {"id": number, "title": title, **more}


def test_items_come_out_in_time_order_with_story_and_reason(app: typer.Typer) -> None:
    result = run(
        app,
        an_item("late", summary=MORE, source="B", published="Mon, 02 Mar 2026 13:00:00 +0100"),
        an_item("other", "Zoo in Leipzig shows its tigers", source="A", published="2026-03-02T11:00:00Z"),
        an_item("early", summary=MORE, source="A", published="2026-03-02T10:00:00+00:00"),
    )

    assert result.exit_code == 0
    assert told(result) == [("early", 1, "new"), ("other", 2, "new"), ("late", 1, "copy")]


def test_an_item_without_a_date_stays_behind_its_predecessor(app: typer.Typer) -> None:
    result = run(
        app,
        an_item(1, "Gamma rays", published="2026-03-03T00:00:00Z"),
        an_item(2, "Delta works"),
        an_item(3, "Alpha males", published="2026-03-01"),
        an_item(4, "Beta tests", published=None),
    )

    assert [number for number, _, _ in told(result)] == [3, 4, 1, 2]


def test_undated_input_keeps_its_order(app: typer.Typer) -> None:
    result = run(app, *(an_item(number, f"Word{number} alone") for number in (3, 1, 2)))

    assert [number for number, _, _ in told(result)] == [3, 1, 2]


def test_one_page_under_two_addresses_is_one_story(app: typer.Typer) -> None:
    result = run(
        app,
        an_item(1, "First title of it", url="https://elbe.example/a?utm_source=rss"),
        an_item(2, "Wholly other words", url="http://elbe.example/a#top"),
    )

    assert told(result) == [(1, 1, "new"), (2, 1, "same_url")]


def test_the_same_item_twice_is_seen(app: typer.Typer) -> None:
    assert told(run(app, an_item(1), an_item(1))) == [(1, 1, "new"), (1, 1, "seen")]


def test_ids_of_another_kind_are_other_items(app: typer.Typer) -> None:
    assert [reason for _, _, reason in told(run(app, an_item(1), an_item("1")))] == ["new", "copy"]


def test_a_missing_source_is_taken_from_the_address(app: typer.Typer) -> None:
    same_outlet = run(
        app,
        an_item(1, summary=MORE, url="https://elbe.example/a"),
        an_item(2, summary=MORE, url="https://elbe.example/b"),
    )

    assert [reason for _, _, reason in told(same_outlet)] == ["new", "report"]


def test_content_stands_in_for_a_missing_summary(app: typer.Typer) -> None:
    result = run(
        app,
        an_item(1, summary=MORE, source="A"),
        an_item(2, "Hamburg port shut", content=MORE, source="B"),
    )

    assert told(result)[1][1:] == (1, "copy")


def test_a_bad_line_is_named_and_the_others_are_grouped(app: typer.Typer) -> None:
    result = run(app, an_item("good"), "nonsense", "", an_item(None), an_item("too", "Tigers in Leipzig"))

    assert result.exit_code == 2
    assert told(result) == [("good", 1, "new"), ("too", 2, "new")]
    first, second = result.stderr.splitlines()
    assert first.startswith("<stdin>:2: not JSON")
    assert second == "<stdin>:4: `id` is null; give text or a whole number"


def test_a_title_without_end_is_cut_in_the_table(app: typer.Typer) -> None:
    result = run(app, an_item(1, "lorem " * 5000), flags=())

    assert result.stdout.count("lorem") == 200 // len("lorem ")


def test_a_file_is_read_and_named(app: typer.Typer, tmp_path: Path) -> None:
    file = tmp_path / "items.jsonl"
    file.write_text('\ufeff{"id": 1, "title": "x"}\n?\n', encoding="utf-8")

    result = CliRunner().invoke(app, ["stories", "--json", str(file)])

    assert told(result) == [(1, 1, "new")]
    assert result.stderr.startswith(f"{file}:2: not JSON")


def test_no_input_is_no_error(app: typer.Typer) -> None:
    result = run(app)

    assert (result.exit_code, result.stdout) == (0, "")


def test_people_get_a_table_by_story(app: typer.Typer) -> None:
    result = run(
        app,
        an_item(1, summary=MORE, source="A", published="2026-03-02T10:00:00Z"),
        r'{"id": 2, "title": "[bold]Zoo[/bold] \ud800", "published": "2026-03-02T11:00:00Z"}',
        an_item(3, summary=MORE, source="B", published="2026-03-02T12:00:00Z"),
        flags=(),
    )

    rows = [line.split() for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert [row[:4] for row in rows if "2026-03-02" in row] == [
        ["1", "2026-03-02", "10:00", "new"],
        ["2026-03-02", "12:00", "copy", "1.00"],
        ["2", "2026-03-02", "11:00", "new"],
    ]
    assert "[bold]Zoo[/bold]" in result.stdout
    assert result.stdout.splitlines()[-1] == "2 stories, 3 items"
