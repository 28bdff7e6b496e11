"""`topicwire stories`: group items from a file or standard input into stories, outside any store."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import groupby
from typing import Annotated, Any, BinaryIO

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.core.identity import canonical_url
from bot.core.stories import StoryBook, StoryDecision, StoryText

EXIT_BAD_LINES = 2
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)  # where items stand when no line before or after has a date


class LineInvalid(ValueError):
    """A line of the input is no item; the text says why, without the place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An item as it was read."""

    id: str | int
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
    lines, errors = read_lines(file)
    for error in errors:
        sys.stderr.write(f"{error}\n")
    rows = grouped(lines)
    if as_json:
        for row in rows:
            sys.stdout.write(json.dumps(_object(row)) + "\n")
    else:
        _print_table(list(rows))
    if errors:
        raise typer.Exit(EXIT_BAD_LINES)


def read_lines(file: BinaryIO | Iterable[bytes]) -> tuple[list[Line], list[str]]:
    """Return the items and a message for each line that is none; empty lines are passed over."""
    lines: list[Line] = []
    errors: list[str] = []
    name = getattr(file, "name", "<stdin>")
    for number, raw in enumerate(file, start=1):
        if not raw.strip():
            continue
        try:
            lines.append(_parsed(raw))
        except LineInvalid as problem:
            errors.append(f"{'<stdin>' if name == '-' else name}:{number}: {problem}")
    return lines, errors


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


# ---- reading one line --------------------------------------------------------------------------


def _parsed(raw: bytes) -> Line:
    """Return the item of a line.

    Raises:
        LineInvalid: The line is not UTF-8, not a JSON object, or a value is of the wrong kind.
    """
    try:
        item = json.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as e:
        raise LineInvalid(f"not UTF-8 at byte {e.start + 1}") from e
    except json.JSONDecodeError as e:
        raise LineInvalid(f"not JSON: {e.msg} at column {e.colno}") from e
    except (ValueError, RecursionError) as e:  # a number of thousands of digits, thousands of brackets
        raise LineInvalid("not an item: a number too long, or nested too deeply") from e
    if not isinstance(item, dict):
        raise LineInvalid(f"want a JSON object, got {type(item).__name__}")
    return _line(item)


def _line(item: Mapping[str, Any]) -> Line:
    number = item.get("id")
    if not isinstance(number, str | int) or isinstance(number, bool):
        raise LineInvalid("`id` is missing; give text or a whole number")
    url = _string(item, "url")
    canonical = canonical_url(url) if url else None
    published = _published(_string(item, "published"))
    return Line(
        id=number,
        is_dated=published is not None,
        text=StoryText(
            title=_title(item),
            summary=_string(item, "summary") or _string(item, "content"),
            outlet=_string(item, "source") or (canonical or "").partition("/")[0],
            url=canonical,
            language=_string(item, "lang") or None,
            at=published or LONG_AGO,
        ),
    )


def _title(item: Mapping[str, Any]) -> str:
    if "title" not in item:
        raise LineInvalid("`title` is missing")
    return _string(item, "title")


def _string(item: Mapping[str, Any], key: str) -> str:
    value = item.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise LineInvalid(f"`{key}` is {type(value).__name__}; give text")
    return value.encode("utf-8", "replace").decode("utf-8")  # JSON can spell lone surrogates


def _published(text: str) -> datetime | None:
    """Return the time in UTC; without an offset it is taken as UTC. None: an empty text.

    Raises:
        LineInvalid: Neither ISO 8601 nor RFC 822.
    """
    if not text.strip():
        return None
    try:
        return _utc(datetime.fromisoformat(text.strip()))
    except (ValueError, OverflowError):
        pass  # not ISO 8601: the other form is tried next
    try:
        return _utc(parsedate_to_datetime(text))
    except (ValueError, OverflowError) as e:
        raise LineInvalid(f"`published` is {text[:40]!r}; give ISO 8601 or RFC 822") from e


def _utc(when: datetime) -> datetime:
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)


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
    console.print(table)
    console.print(f"{len({row.decision.story for row in rows})} stories, {len(rows)} items")


def _cells(row: Row) -> tuple[str | Text, ...]:
    text = row.line.text
    return (
        text.at.strftime("%Y-%m-%d %H:%M") if row.line.is_dated else "",
        row.decision.reason.value,
        f"{row.decision.similarity:.2f}",
        Text(text.outlet),
        Text(text.title),
    )
