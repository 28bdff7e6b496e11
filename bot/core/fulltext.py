"""Linked pages: which items want theirs read, what its text adds, and what an error means for it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from bot.core.identity import canonical_url, redact_url
from bot.errors import FetchError, FetchTemporary
from bot.model import Item, ItemId, PollReason, TopicId

LEAST_WAIT: Final = timedelta(seconds=5)  # before a page that was put off is looked at again
_JITTER: Final = 0.2  # of a wait, at most


class PageState(StrEnum):
    """Where the reading of an item's page stands."""

    WAITING = "waiting"
    READ = "read"  # its text is part of the item
    SHORT = "short"  # a teaser, a consent form, a log-in: the feed itself tells more
    DISALLOWED = "disallowed"  # by the host's robots.txt: never asked for
    REFUSED = "refused"  # 404 and the like, no page, no public address
    GIVEN_UP = "given_up"  # failed too often
    STALE = "stale"  # its item became too old before the page could be had
    DROPPED = "dropped"  # too many pages were waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class PagePolicy:
    """The numbers that reading pages goes by."""

    per_minute: int = 30  # pages asked for within any 60 seconds
    at_once: int = 4
    most_waiting: int = 1_000
    oldest: timedelta = timedelta(days=2)  # an item seen longer ago is no news, and its page not read
    reuse: timedelta = timedelta(days=3)  # a page read so lately is not asked for again
    retries: tuple[timedelta, ...] = (timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=3))


@dataclass(frozen=True, slots=True, kw_only=True)
class DuePage:
    """A page that is ours to read until its lease ends."""

    item: ItemId
    url: str
    url_key: str  # canonical
    host: str  # registrable domain
    tries: int  # this one included
    allow_private: bool = False  # True: may be on a private or loopback address
    is_flood: bool = False  # its item came with more news than is credible
    known_text: str | None = None  # of the same page, read lately for another item; None: it was not


@dataclass(frozen=True, slots=True, kw_only=True)
class PageDecision:
    """What becomes of a page after a try."""

    state: PageState
    tries: int
    due_at: datetime | None = None  # None: nothing is left to do
    error: str | None = None  # without credentials
    was_asked: bool = True  # False: no request was made for it, so it does not count as one


def wants_page(
    item: Item, *, feed_fetches: bool, matched: Collection[TopicId], fetching: Collection[TopicId]
) -> bool:
    """Tell whether the page that a new item links to shall be read.

    It is where the feed asks for that and the item matches nothing, and where a topic asks for it that the
    item does not match yet.

    Args:
        feed_fetches: Its feed asks for pages.
        fetching: The topics that ask for pages and would take an item of that source and language.
    """
    if not item.url or canonical_url(item.url) is None:
        return False
    return (feed_fetches and not matched) or not set(fetching) <= set(matched)


def may_be_private(url: str, feed_url: str, *, allow_private: bool) -> bool:
    """Tell whether a page may be on a private address: where its feed may, and only beside the feed.

    What a feed links to was often written by others, also where the feed itself comes from the LAN (a bridge
    that makes feeds of web sites), and must not lead to other machines there.
    """
    page, feed = urlsplit(url), urlsplit(feed_url)
    try:
        return allow_private and (page.hostname, page.port) == (feed.hostname, feed.port)
    except ValueError:  # a port that is no number
        return False


def with_page(item: Item, text: str) -> Item:
    """Return the item with its page's text in the content; what the feed itself told stays, and stays first.

    Doing it twice is doing it once.
    """
    if not text or text in item.content:
        return item
    if not item.content or item.content in text:
        return replace(item, content=text)
    return replace(item, content=f"{item.content}\n\n{text}")


def after_reading(item: Item, text: str, tries: int, *, was_asked: bool = True) -> PageDecision:
    """Return what becomes of a page that was read.

    A text no longer than what the feed tells is a teaser, a consent form or a log-in, and is not used.

    Args:
        was_asked: False: the text is that of another item with the same link.
    """
    told = max(len(item.content), len(item.summary))
    state = PageState.READ if len(text) > told else PageState.SHORT
    return PageDecision(state=state, tries=tries, was_asked=was_asked)


def after_error(
    error: FetchError, tries: int, *, now: datetime, dice: float, policy: PagePolicy
) -> PageDecision:
    """Return what becomes of a page that could not be had.

    Where nothing was asked, since the host has other guests or wants a pause, it is put off and no try is
    counted. Bad weather is waited for, ever longer (a later Retry-After wins: RFC 9110, section 10.2.3), as
    often as the policy has retries. All else is final.

    Args:
        tries: This one included.
        dice: 0 <= dice < 1. Spreads the pages of a host that was down.
    """
    said = redact_url(str(error))
    if is_put_off(error):
        due = now + max(error.retry_after or LEAST_WAIT, LEAST_WAIT)
        return PageDecision(state=PageState.WAITING, tries=tries - 1, due_at=due, error=said, was_asked=False)
    if not isinstance(error, FetchTemporary):
        return PageDecision(state=PageState.REFUSED, tries=tries, error=said)
    if tries > len(policy.retries):
        return PageDecision(state=PageState.GIVEN_UP, tries=tries, error=said)
    wait = policy.retries[tries - 1] * (1 + _JITTER * dice)
    due = now + max(wait, error.retry_after or wait)
    return PageDecision(state=PageState.WAITING, tries=tries, due_at=due, error=said)


def is_put_off(error: FetchError) -> bool:
    """Tell whether nothing was asked: the host's turn is too far off."""
    return (
        isinstance(error, FetchTemporary) and error.reason is PollReason.RATE_LIMITED and error.status is None
    )
