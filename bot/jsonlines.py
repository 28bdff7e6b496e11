"""Items as JSON Lines: the one reader of the commands that take items from standard input or a file."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn

from bot.model import FeedId, Item

LONGEST_TITLE = 200  # characters of a title that people are shown


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonItem:
    """An item as a line told it; what it did not tell is empty or None."""

    id: str | int
    title: str
    summary: str = ""
    content: str = ""
    language: str | None = None
    url: str | None = None
    source: str = ""
    published: datetime | None = None  # UTC

    @property
    def shown_title(self) -> str:
        """Return the title for a terminal."""
        return shown(self.title)

    def as_item(self) -> Item:
        """Return the item; its `source` is its feed id and its outlet."""
        return Item(
            feed_id=FeedId(self.source),
            title=self.title,
            summary=self.summary,
            content=self.content,
            language=self.language,
            url=self.url,
            outlet=self.source,
            published_at=self.published,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BadLine:
    """A line that is no item."""

    file: str
    number: int  # from 1
    why: str

    def __str__(self) -> str:
        """Return the place and what is wrong."""
        return f"{self.file}:{self.number}: {self.why}"


class LineInvalid(ValueError):
    """A line of the input is no item; the text says why, without the place."""


def read_items(file: Iterable[bytes]) -> Iterator[JsonItem | BadLine]:
    """Yield what each line holds, as they come in; empty lines are passed over.

    An item is a JSON object with `id` (text or a whole number) and `title`, and optionally `summary`,
    `content`, `lang`, `url`, `source` and `published` (ISO 8601 or RFC 822); null is as good as left out,
    keys that we don't know are left alone.
    """
    name = getattr(file, "name", "-")
    shown = name if isinstance(name, str) and name != "-" else "<stdin>"
    for number, raw in enumerate(file, start=1):
        if not raw.strip():
            continue
        try:
            yield _item(_object(raw))
        except LineInvalid as problem:
            yield BadLine(file=shown, number=number, why=str(problem))


@contextmanager
def until_nobody_reads() -> Iterator[None]:
    """End in peace when the reader of standard output goes away, as `| head` does.

    Python flushes the stream once more when it exits; that goes nowhere then
    (https://docs.python.org/3/library/signal.html#note-on-sigpipe).
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def shown(text: str, longest: int = LONGEST_TITLE) -> str:
    """Return a text for a terminal: one line of at most so many characters, none of them a command."""
    printable = "".join(char if char.isprintable() else " " for char in text)
    line = " ".join(printable.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


# ---- one line ----------------------------------------------------------------------------------


def _object(raw: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(raw.decode("utf-8-sig"), parse_constant=_refuse)
    except UnicodeDecodeError as e:
        raise LineInvalid(f"not UTF-8 at byte {e.start + 1}") from e
    except json.JSONDecodeError as e:
        raise LineInvalid(f"not JSON: {e.msg} at column {e.colno}") from e
    except LineInvalid:
        raise
    except (ValueError, RecursionError) as e:  # a number of thousands of digits, thousands of brackets
        raise LineInvalid("not an item: a number too long, or nested too deeply") from e
    if not isinstance(value, dict):
        raise LineInvalid(f"want a JSON object, got {type(value).__name__}")
    return value


def _refuse(constant: str) -> NoReturn:
    """Refuse NaN and the infinities, which Python reads but JSON does not know (RFC 8259, section 6)."""
    raise LineInvalid(f"not JSON: {constant}")


def _item(told: Mapping[str, Any]) -> JsonItem:
    return JsonItem(
        id=_id(told),
        title=_title(told),
        summary=_text(told, "summary"),
        content=_text(told, "content"),
        language=_text(told, "lang") or None,
        url=_text(told, "url") or None,
        source=_text(told, "source"),
        published=_published(_text(told, "published")),
    )


def _id(told: Mapping[str, Any]) -> str | int:
    if "id" not in told:
        raise LineInvalid("`id` is missing; give text or a whole number")
    number = told["id"]
    if not isinstance(number, str | int) or isinstance(number, bool):
        raise LineInvalid(f"`id` is {_kind(number)}; give text or a whole number")
    return number


def _title(told: Mapping[str, Any]) -> str:
    if told.get("title") is None:
        raise LineInvalid("`title` is missing")
    return _text(told, "title")


def _text(told: Mapping[str, Any], key: str) -> str:
    value = told.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise LineInvalid(f"`{key}` is {_kind(value)}; give text")
    return value.encode("utf-8", "replace").decode("utf-8")  # JSON can spell lone surrogates


def _kind(value: object) -> str:
    """Return what JSON calls a value, for people."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    kinds = {dict: "an object", list: "a list", str: "text", int: "a number", float: "a number with a point"}
    return kinds[type(value)]


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
