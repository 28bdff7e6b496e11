"""A feed's bytes to items, as a pure function: what a worker process needs, and nothing that it does not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

from bot.core.markup import clean_text, plain_line
from bot.feeds.decode import decode
from bot.feeds.draft import MAX_ITEMS, MOST_WAIT, NAME_LIMIT, Draft, DraftFeed, item_of, language_code
from bot.feeds.jsonfeed import read_json_feed
from bot.feeds.surplus import newest
from bot.feeds.xmlfeed import read_xml_feed, root_name
from bot.model import Feed, ParsedFeed


def read_feed(
    body: bytes,
    content_type: str | None,
    feed: Feed,
    now: datetime,
    final_url: str,
    max_items: int = MAX_ITEMS,
) -> ParsedFeed | str:
    """Return a feed's items in the feed's order; where it is none, words for what it does instead.

    Of more entries than the limit the newest are kept; see surplus.newest.

    Args:
        now: Aware UTC; later dates become this.
        final_url: Where the body came from; relative links are relative to it.
    """
    if not body.strip():
        return "sent an empty answer"
    try:
        text = decode(body, content_type, feed.encoding)
    except (LookupError, UnicodeError):
        return f"cannot be decoded as {feed.encoding!r}, its encoding in the settings"
    found = _read(text, max_items)
    if found is None:
        return f"sent {_what_came(text, content_type)}"
    return _parsed(found, newest(found.drafts, max_items, now), feed, now, final_url)


def _read(text: str, max_items: int) -> DraftFeed | None:
    if text.lstrip()[:1] == "{":
        return read_json_feed(text, max_items)
    return None if root_name(text) == "html" else read_xml_feed(text, max_items)


def _parsed(
    found: DraftFeed, drafts: Sequence[Draft], feed: Feed, now: datetime, final_url: str
) -> ParsedFeed:
    title = found.title.line(NAME_LIMIT)
    language = language_code(found.language)
    outlet = feed.outlet or title or (urlsplit(final_url).hostname or "").removeprefix("www.")
    items = (
        item_of(draft, feed, outlet=outlet, language=language, base=final_url, now=now) for draft in drafts
    )
    return ParsedFeed(
        items=tuple(item for item in items if item is not None),
        title=title,
        language=feed.language or language,
        wait=min(found.wait, MOST_WAIT),
        left_out=found.unseen + len(found.drafts) - len(drafts),
    )


def _what_came(text: str, content_type: str | None) -> str:
    """Return words for an operator: what it is that came instead of a feed."""
    head = text.lstrip()
    root = root_name(text)
    if root == "html" or "<html" in head[:2_000].lower():
        start = head.lower().find("<title")
        title = plain_line(head[start : start + 500].partition("</")[0], 80) if start >= 0 else ""
        named = f' titled "{title}"' if title else ""
        return f"a web page{named}, no feed (a log-in, a consent form, a check for robots, or a new address?)"
    if head[:1] in {"{", "["}:
        return "JSON that is no JSON Feed"
    if root in {"rss", "feed", "rdf:rdf"}:
        return "RSS or Atom that is broken beyond reading"
    if root is not None:
        return f"a document of <{root}> elements, no feed"
    kind = clean_text(content_type or "", 60) or "no content type"
    if "\0" in head[:1_000] or head[:1_000].count("\ufffd") > 50:
        return f"binary data ({kind}), no feed"
    return f'text ({kind}), no feed; it begins "{clean_text(head[:200], 40)}"'
