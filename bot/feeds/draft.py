"""What any kind of feed says of a piece of news, and the item we make of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from bot.core.markup import clean_text, looks_like_markup, plain_text
from bot.model import ZERO, Feed, Item

MAX_ITEMS = 500
TITLE_LIMIT = 1_000
SUMMARY_LIMIT = 5_000
CONTENT_LIMIT = 40_000
NAME_LIMIT = 200
URL_LIMIT = 2_000
GUID_LIMIT = 2_000
MOST_CATEGORIES = 50
MOST_WAIT = timedelta(hours=5)
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)  # before the web: a zero or a mistake
_PERIODS = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(weeks=1),
    "monthly": timedelta(days=30),
    "yearly": timedelta(days=365),
}
_LANGUAGE = re.compile(r"\s*([a-zA-Z]{2})(?![a-zA-Z])")


# A URL that joining to a base leaves as it is, letter for letter.
_CHARACTERS = r"A-Za-z0-9._~:@!$&'()*+,=%/-"
_PLAIN_URL = re.compile(
    rf"https?://[A-Za-z0-9.-]+(?::[0-9]+)?(?:/[{_CHARACTERS}]*)?(?:\?[{_CHARACTERS}?]+)?(?:#[{_CHARACTERS}?]+)?"
)


class Words(NamedTuple):
    """A text and whether it claims to be free of markup."""

    value: str = ""
    is_plain: bool = False

    def text(self, limit: int) -> str:
        """Return it as plain text. A claim of plainness is believed unless tags or entities belie it."""
        if self.is_plain and not looks_like_markup(self.value[: 20 * limit]):
            return clean_text(self.value, limit)
        return plain_text(self.value, limit)

    def line(self, limit: int) -> str:
        """Return it as one line of plain text."""
        return self.text(limit).replace("\n", " ")


class Draft(NamedTuple):
    """An item as the feed words it, before anything is believed."""

    title: Words = Words()
    summary: Words = Words()
    content: Words = Words()
    url: str = ""
    guid: str = ""
    author: str = ""
    source: str = ""  # the outlet that the item itself names
    categories: tuple[str, ...] = ()
    language: str = ""
    published_at: datetime | None = None


class DraftFeed(NamedTuple):
    """A feed as it words itself."""

    drafts: tuple[Draft, ...]
    unseen: int = 0  # entries that were not read, for there are too many
    title: Words = Words()
    language: str = ""
    wait: timedelta = ZERO  # what it asks for between two polls, uncapped


def best_link(origin: str, link: str, guid: str, others: Iterable[str]) -> str:
    """Return where an entry leads, relative or not; a guid only where it is an address.

    Args:
        origin: What FeedBurner says the link was.
        others: Of enclosures and the like; the first one stands in where nothing else does.
    """
    best = origin or link
    if best and best == guid and "://" not in best:
        best = ""
    return best or next((url for url in others if url), "")


def server_wait(ttl: str, period: str, frequency: str) -> timedelta:
    """Return what a feed asks for between two polls: the longer of ttl and sy:updatePeriod, uncapped.

    https://web.resource.org/rss/1.0/modules/syndication/
    """
    between = _PERIODS.get(period.strip().lower(), ZERO) / max(_number(frequency), 1)
    return max(timedelta(minutes=_number(ttl)), between)


def item_of(
    draft: Draft, feed: Feed, *, outlet: str, language: str | None, base: str, now: datetime
) -> Item | None:
    """Return the item; None where the draft has nothing to tell: no text, no link, no guid.

    Args:
        outlet: Who publishes, where the draft does not say.
        language: Of the feed, where the draft does not say; the operator's word goes before both.
        base: What relative links are relative to.
        now: A later date becomes this.
    """
    source = clean_line(draft.source, NAME_LIMIT)
    summary, content = _summary_and_content(draft)
    title = _without_outlet(draft.title.line(TITLE_LIMIT), source)
    url = web_url(draft.url, base)
    guid = clean_line(draft.guid, GUID_LIMIT) or None
    if not (title or summary or content or url or guid):
        return None
    return Item(
        feed_id=feed.id,
        title=title,
        summary=summary,
        content=content,
        url=url,
        guid=guid,
        author=clean_line(draft.author, NAME_LIMIT),
        outlet=source or outlet,
        categories=_categories(draft.categories),
        language=feed.language or language_code(draft.language) or language,
        published_at=_date(draft.published_at, now, has_name=bool(url or guid)),
    )


def web_url(url: str, base: str) -> str | None:
    """Return the absolute http or https URL; None where there is none, or one too long to be a link."""
    bare = clean_line(url, URL_LIMIT + 1).replace(" ", "%20")
    if not bare or len(bare) > URL_LIMIT:
        return None
    if _PLAIN_URL.fullmatch(bare):
        return bare
    return _joined(bare, base)


def _joined(url: str, base: str) -> str | None:
    """Return the absolute http or https URL; None where there is none."""
    try:
        told = urlsplit(url)
        if told.scheme and not told.netloc:
            return None
        absolute = urljoin(base, url)
        parts = urlsplit(absolute)
        is_web = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:  # "Invalid IPv6 URL"
        return None
    return absolute if is_web else None


def language_code(tag: str) -> str | None:
    """Return the ISO 639-1 code at the head of a language tag; None where there is none."""
    found = _LANGUAGE.match(tag)
    return found[1].lower() if found else None


def _number(text: str) -> int:
    digits = text.strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 7 else 0


def clean_line(text: str, limit: int) -> str:
    """Return plain text as one harmless line."""
    return clean_text(text, limit).replace("\n", " ")


def _summary_and_content(draft: Draft) -> tuple[str, str]:
    """Return both as text; the content is empty where the summary already is all of it."""
    summary = draft.summary.text(SUMMARY_LIMIT)
    content = summary if draft.content == draft.summary else draft.content.text(CONTENT_LIMIT)
    if content == summary and len(summary) < SUMMARY_LIMIT - 1:
        return summary, ""
    if content == summary:
        content = draft.content.text(CONTENT_LIMIT)
    return summary, content


def _without_outlet(title: str, source: str) -> str:
    """Return the title without the " - Outlet" that news search engines append."""
    return title.removesuffix(f" - {source}").rstrip() or title if source else title


def _categories(names: tuple[str, ...]) -> tuple[str, ...]:
    cleaned = (clean_line(name, NAME_LIMIT) for name in names[:MOST_CATEGORIES])
    return tuple(dict.fromkeys(name for name in cleaned if name))


def credible_date(date: datetime | None, now: datetime) -> datetime | None:
    """Return the date, at latest now; None where it cannot be true."""
    return None if date is None or date < _EARLIEST else min(date, now)


def _date(date: datetime | None, now: datetime, *, has_name: bool) -> datetime | None:
    """Return the date, at latest now.

    None where it cannot be true, or lies in the future of an item that only title and date can name: clamped
    to each poll's present, it would make that item new at every poll.
    """
    if date is not None and date > now and not has_name:
        return None
    return credible_date(date, now)
