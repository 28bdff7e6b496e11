"""Feeds of more entries than the limit: how much of one is read, and which entries are kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final, TypeVar

from bot.feeds.draft import Draft, credible_date

_MOST_READ: Final = 5_000  # that feedparser reads in about a second
_SHORTEST: Final = len("<item/>")
# How an entry's tag begins, with any prefix that its namespace may have.
_BEGINNINGS: Final = ("<item", "<entry", ":item", ":entry")
# Entries' tags, outside of CDATA and comments.
_ENTRY: Final = re.compile(
    r"<!\[CDATA\[(?>.*?\]\]>|.*)|<!--(?>.*?-->|.*)|<((?:[\w.-]{1,20}:)?(?:item|entry))(?=[\s/>])",
    re.DOTALL | re.IGNORECASE,
)
_T = TypeVar("_T")


def without_surplus(document: str, max_items: int) -> tuple[str, int]:
    """Return an XML document without the middle of thousands of entries, and how many those are; see ends."""
    first, last = _most_read(max_items)
    if len(document) < (first + last) * _SHORTEST or document.count("<") <= first + last:
        return document, 0
    if sum(map(document.count, _BEGINNINGS)) <= first + last:
        return document, 0
    starts = _starts(document)
    unseen = len(starts) - first - last
    return (document[: starts[first]] + document[starts[-last] :], unseen) if unseen > 0 else (document, 0)


def _starts(document: str) -> list[int]:
    """Return where entries begin. They share one name, for they may hold items of other names."""
    name = next((tag[1] for tag in _ENTRY.finditer(document) if tag[1]), None)
    return [tag.start() for tag in _ENTRY.finditer(document) if tag[1] and tag[1] == name]


def ends(entries: Sequence[_T], max_items: int) -> Sequence[_T]:
    """Return the entries that are read: all, or the first and the last, ten times the limit together.

    The new ones are at one end or the other. Of the last, more are read than can be kept, for they may lie
    behind each other in no order; the work stays bounded.
    """
    first, last = _most_read(max_items)
    return entries if len(entries) <= first + last else [*entries[:first], *entries[-last:]]


def newest(drafts: tuple[Draft, ...], limit: int, now: datetime) -> tuple[Draft, ...]:
    """Return as many as the limit allows, the newest, in the feed's order.

    Of those between which dates do not tell, the first and the last are kept, as many of each.
    """
    if len(drafts) <= limit:
        return drafts
    dates = _dates(drafts, now)
    oldest = sorted(dates, reverse=True)[limit - 1]
    tied = [place for place, date in enumerate(dates) if date == oldest]
    room = limit - sum(date > oldest for date in dates)
    kept = {*tied[: room - room // 2], *tied[len(tied) - room // 2 :]}
    return tuple(draft for place, draft in enumerate(drafts) if dates[place] > oldest or place in kept)


def _dates(drafts: Sequence[Draft], now: datetime) -> list[datetime]:
    """Return how old each is: an undated one as the one before it.

    Where fewer than half are dated, all are alike.
    """
    told = [credible_date(draft.published_at, now) for draft in drafts]
    known = [date for date in told if date]
    if 2 * len(known) < len(told):
        return [now] * len(told)
    last, dates = known[0], []
    for date in told:
        last = date or last
        dates.append(last)
    return dates


def _most_read(max_items: int) -> tuple[int, int]:
    """Return how many of the first entries are read, and of the last, where there are more than both."""
    return max_items, max(max_items, min(10 * max_items, _MOST_READ) - max_items)
