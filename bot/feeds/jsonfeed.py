"""JSON Feed 1 and 1.1 (https://www.jsonfeed.org/version/1.1/), which feedparser does not read."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from bot.feeds.draft import Draft, DraftFeed, Words
from bot.feeds.surplus import ends


def read_json_feed(text: str, max_items: int) -> DraftFeed | None:
    """Return the feed; None where the text is no JSON Feed. Of thousands of entries the middle is not read.

    A value of the wrong type counts as absent, whatever it is: one bad field costs one field.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):  # nested too deeply for Python, and for any honest feed
        return None
    if not isinstance(document, dict) or "jsonfeed.org/version/" not in _text(document.get("version")):
        return None
    items = _objects(document.get("items"))
    drafts = tuple(map(_draft, ends(items, max_items)))
    return DraftFeed(
        drafts=drafts,
        unseen=len(items) - len(drafts),
        title=Words(_text(document.get("title")), is_plain=True),
        language=_text(document.get("language")),
    )


def _draft(item: dict[str, Any]) -> Draft:
    return Draft(
        title=Words(_text(item.get("title")), is_plain=True),
        summary=Words(_text(item.get("summary")), is_plain=True),
        content=_content(item),
        url=_text(item.get("url")) or _text(item.get("external_url")),
        guid=_identifier(item.get("id")),
        author=_author(item),
        categories=tuple(tag for tag in _list(item.get("tags")) if isinstance(tag, str)),
        language=_text(item.get("language")),
        published_at=_date(item.get("date_published")) or _date(item.get("date_modified")),
    )


def _content(item: dict[str, Any]) -> Words:
    if marked_up := _text(item.get("content_html")):
        return Words(marked_up)
    return Words(_text(item.get("content_text")), is_plain=True)


def _author(item: dict[str, Any]) -> str:
    """Return the names of 1.1's `authors`, or of version 1's `author`."""
    authors = _objects(item.get("authors")) or _objects([item.get("author")])
    return ", ".join(name for author in authors[:10] if (name := _text(author.get("name"))))


def _identifier(value: object) -> str:
    """Return the id as text; the specification asks readers to take numbers too."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else _text(value)


def _date(value: object) -> datetime | None:
    """Return an RFC 3339 date, whose "t" and "z" may be small; UTC where it does not name its offset."""
    try:
        date = datetime.fromisoformat(_text(value).strip().upper())
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _objects(value: object) -> list[dict[str, Any]]:
    return [entry for entry in _list(value) if isinstance(entry, dict)]
