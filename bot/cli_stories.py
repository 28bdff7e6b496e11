"""`topicwire stories`: group items from a file or standard input into stories, outside any store."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.core.identity import canonical_url
from bot.core.stories import StoryBook, StoryDecision, StoryText
from bot.jsonlines import BadLine, JsonItem, read_items, until_nobody_reads

EXIT_BAD_LINES = 2
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)  # where items stand when no line before or after has a date


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An item as it was read."""

    id: str | int
    shown_title: str  # for a terminal
    text: StoryText
    is_dated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An item and what was decided of it."""

    line: Line
    decision: StoryDecision


def stories_command(
    file: Annotated[
        typer.FileBinaryRead, typer.Argument(help="JSON Lines; - is standard input.", show_default=False)
    ] = "-",  # type: ignore[assignment]  # typer opens the name
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line instead of a table.")
    ] = False,
) -> None:
    """Group items into stories, in the order of their dates.

    Each line of the input is a JSON object with `id` and `title`, and optionally `summary`, `content`,
    `lang`, `url`, `source` and `published` (ISO 8601 or RFC 822). A line that is none is told of on standard
    error; the others are still grouped, and the exit code is 2.
    """
    lines: list[Line] = []
    bad = 0
    for one in read_items(file):
        if isinstance(one, BadLine):
            bad += 1
            sys.stderr.write(f"{one}\n")
        else:
            lines.append(_line(one))
    rows = grouped(lines)
    with until_nobody_reads():
        if as_json:
            for row in rows:
                sys.stdout.write(json.dumps(_object(row)) + "\n")
        else:
            _print_table(list(rows))
    if bad:
        raise typer.Exit(EXIT_BAD_LINES)


def grouped(lines: Iterable[Line]) -> Iterator[Row]:
    """Yield each item with its story, in time order; undated items stay behind their predecessor."""
    book = StoryBook()
    for line in sorted(_dated(list(lines)), key=lambda line: line.text.at):
        yield Row(line=line, decision=book.add(f"{type(line.id).__name__}:{line.id}", line.text))


def _dated(lines: list[Line]) -> Iterator[Line]:
    at = next((line.text.at for line in lines if line.is_dated), LONG_AGO)
    for line in lines:
        at = line.text.at if line.is_dated else at
        yield line if line.is_dated else replace(line, text=replace(line.text, at=at))


def _line(item: JsonItem) -> Line:
    canonical = canonical_url(item.url) if item.url else None
    return Line(
        id=item.id,
        shown_title=item.shown_title,
        is_dated=item.published is not None,
        text=StoryText(
            title=item.title,
            summary=item.summary or item.content,
            outlet=item.source or (canonical or "").partition("/")[0],
            url=canonical,
            language=item.language,
            at=item.published or LONG_AGO,
        ),
    )


# ---- writing -----------------------------------------------------------------------------------


def _object(row: Row) -> dict[str, str | int | None]:
    return {"id": row.line.id, "story": row.decision.story, "reason": row.decision.reason.value}


def _print_table(rows: list[Row]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("story", "published (UTC)", "reason", "like", "outlet", "title"):
        table.add_column(heading, no_wrap=heading not in {"outlet", "title"})
    ordered = sorted(rows, key=lambda row: row.decision.story or 0)
    for story, members in groupby(ordered, key=lambda row: row.decision.story):
        for place, row in enumerate(members):
            table.add_row(str(story) if place == 0 else "", *_cells(row))
    console = Console()
    with console.capture() as printed:  # rich would end the process itself when nobody reads
        console.print(table)
        console.print(f"{len({row.decision.story for row in rows})} stories, {len(rows)} items")
    sys.stdout.write(printed.get())


def _cells(row: Row) -> tuple[str | Text, ...]:
    text = row.line.text
    return (
        text.at.strftime("%Y-%m-%d %H:%M") if row.line.is_dated else "",
        row.decision.reason.value,
        f"{row.decision.similarity:.2f}",
        Text(text.outlet),
        Text(row.line.shown_title),
    )
