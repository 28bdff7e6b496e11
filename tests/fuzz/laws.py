"""What must hold of any body, whatever it is."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from bot.core.markup import clean_text
from bot.errors import FeedUnreadable
from bot.feeds.draft import (
    CONTENT_LIMIT,
    GUID_LIMIT,
    MOST_CATEGORIES,
    MOST_WAIT,
    NAME_LIMIT,
    SUMMARY_LIMIT,
    TITLE_LIMIT,
    URL_LIMIT,
)
from bot.feeds.mending import made_whole, without_captions
from bot.feeds.parse import parse_feed
from bot.feeds.surplus import without_surplus
from bot.feeds.xmlfeed import from_its_start, read_fast, read_slowly, root_name
from bot.model import ZERO, Feed, FeedId, Item, ParsedFeed

NOW: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)
FEED: Final = Feed(id=FeedId("fuzz"), url="https://fuzz.example/feeds/all")
_LIMITS: Final = {
    "title": TITLE_LIMIT,
    "summary": SUMMARY_LIMIT,
    "content": CONTENT_LIMIT,
    "author": NAME_LIMIT,
    "outlet": NAME_LIMIT,
    "guid": GUID_LIMIT,
    "url": 3 * URL_LIMIT,  # made absolute, its blanks escaped
}
_LINES: Final = frozenset({"summary", "content"})  # what may have more than one


def check(body: bytes, content_type: str | None, max_items: int) -> bool:
    """Hold a body to the laws; tell whether it was a feed.

    Raises:
        AssertionError: A law is broken. Whatever else is raised breaks one, too.
    """
    try:
        found = parse_feed(body, content_type, FEED, NOW, FEED.url, max_items)
    except FeedUnreadable as error:
        assert str(error).startswith(f"{FEED.url} "), "an error that does not name its feed"
        return False
    _check_feed(found, max_items)
    return True


def check_alike(body: bytes, max_items: int) -> bool:
    """Hold the fast reader to feedparser's result; tell whether it took the body, or the body mended.

    Args:
        body: UTF-8; others are not compared.

    Raises:
        AssertionError: They differ.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError:  # detectors take long, and encodings make no difference here
        return False
    if text.lstrip()[:1] == "{" or root_name(text) == "html":
        return False
    document, _ = without_surplus(from_its_start(text), max_items)
    whole = made_whole(document)
    assert made_whole(whole) == whole, "mended twice is not mended once"
    taken = {one: _is_alike(one) for one in (document, whole, without_captions(whole))}
    return any(taken.values())


def _is_alike(document: str) -> bool:
    fast = read_fast(document)
    if fast is not None:
        assert fast == read_slowly(document), "read otherwise than by feedparser"
    return fast is not None


def _check_feed(found: ParsedFeed, max_items: int) -> None:
    assert len(found.items) <= max_items, "more items than the limit"
    assert ZERO <= found.wait <= MOST_WAIT, "a wait out of bounds"
    assert found.left_out >= 0, "entries left out, less than none"
    _check_text("title", found.title, NAME_LIMIT)
    for item in found.items:
        _check_item(item)


def _check_item(item: Item) -> None:
    assert any([item.title, item.summary, item.content, item.url, item.guid]), "an item of nothing"
    for name, limit in _LIMITS.items():
        _check_text(name, getattr(item, name) or "", limit)
    for category in item.categories:
        _check_text("category", category, NAME_LIMIT)
    assert len(item.categories) <= MOST_CATEGORIES, "too many categories"
    assert item.language is None or (len(item.language) == 2 and item.language.islower()), "no language"
    if item.url is not None:
        parts = urlsplit(item.url)
        assert parts.scheme in {"http", "https"}, "no web address"
        assert parts.hostname, "an address without a host"
    if item.published_at is not None:
        assert item.published_at.utcoffset() == ZERO, "a date that is not UTC"
        assert item.published_at <= NOW, "a date in the future"


def _check_text(name: str, text: str, limit: int) -> None:
    assert len(text) <= limit, f"{name}: longer than {limit}"
    if name != "url":
        assert clean_text(text, limit) == text, f"{name}: not clean"
    if not text.isprintable():
        allowed = {"\n"} if name in _LINES else set()
        controls = {char for char in text if unicodedata.category(char) in {"Cc", "Cs"}} - allowed
        assert not controls, f"{name}: control characters {controls}"
