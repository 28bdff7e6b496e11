"""Finds the feeds behind an address that somebody names: the feed itself, or those of a web page."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from lxml import etree
from yarl import URL

from bot.core.feedsync import url_key
from bot.core.hosts import is_same_origin, url_host_key
from bot.core.identity import redact_url
from bot.core.markup import clean_text
from bot.errors import FeedUnreadable, FetchError
from bot.feeds.draft import NAME_LIMIT, web_url
from bot.feeds.look import WEB_PAGE, Look, look_at
from bot.model import Feed, FeedId, Fetched, ParsedFeed, PollReason, PollState
from bot.ports import Fetcher, Parser

MOST_TRIED: Final = 8  # further addresses asked for one that was named
COMMON_PATHS: Final = ("/feed", "/rss", "/rss.xml", "/atom.xml", "/feed.json", "/index.xml")
_PAGE_LIMIT: Final = 2_000_000  # characters of a page that are looked at
_TYPES: Final = frozenset(
    {
        "application/rss+xml",
        "application/atom+xml",
        "application/feed+json",
        "application/json",
        "application/rdf+xml",
        "application/x.atom+xml",
        "application/xml",
        "text/rss+xml",
        "text/rss",
        "text/xml",
    }
)
_FEED_PATH = re.compile(
    r"(?:^|[/._?=&-])(?:rss|atom|feeds?|rdf)\d?(?:$|[/._?=&-])|\.(?:rss|atom|rdf)$", re.IGNORECASE
)
_FEED_HOST = re.compile(r"^(?:feeds?|rss|newsfeed)[.\d]|feedburner\.com$", re.IGNORECASE)
_FEED_WORDS = re.compile(r"\b(?:rss|atom|news ?feeds?|web ?feeds?|feeds?)\b", re.IGNORECASE)
_COMMENTS = re.compile(r"\bcomment|kommentar|comentario|commentaire|комментари", re.IGNORECASE)


class Via(StrEnum):
    """How an address was come by."""

    ITSELF = "itself"  # it was named
    LINK = "link"  # the page declares it
    ANCHOR = "anchor"  # the page links to it
    GUESS = "guess"  # where feeds often are


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An address that may be a feed's."""

    url: str
    via: Via
    title: str = ""  # as the page calls it


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFeed:
    """A feed that was fetched and read."""

    feed: Feed  # without an id; its URL is where permanent redirects led
    via: Via
    answer: Fetched
    look: Look
    parsed: ParsedFeed
    called: str = ""  # by the page

    @property
    def title(self) -> str:
        """Return its own title, else the page's word for it; empty: neither says."""
        return self.parsed.title or self.called

    @property
    def newest(self) -> datetime | None:
        """Return the date of its newest item; None: no item has one."""
        return max((item.published_at for item in self.parsed.items if item.published_at), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """What was found behind an address."""

    found: tuple[FoundFeed, ...]  # the likeliest first
    failed: tuple[FetchError, ...] = ()  # what else was tried: no feeds
    in_vain: tuple[FetchError, ...] = ()  # of these, what the page declares to be feeds


async def discover(feed: Feed, fetcher: Fetcher, parser: Parser, now: datetime) -> Discovery:
    """Return the feed at that address; where a web page is there, the feeds that it names.

    Only where it names none, a handful of usual places on its host is tried.

    Args:
        feed: The address, with the settings to ask with. Headers, log-in and the permission for private
            addresses are kept from other hosts that a page names.
        now: Aware UTC; later dates become this.

    Raises:
        FetchError: The address itself cannot be had, or holds neither a feed nor a web page.
    """
    answer = await _fetched(feed, fetcher)
    look = _look(feed, answer)
    try:
        parsed = await parser.parse(feed, answer, now)
    except FeedUnreadable:
        if look.kind != WEB_PAGE:
            raise
    else:
        return Discovery(found=(_found(feed, Via.ITSELF, answer, look, parsed),))
    tried = page_candidates(look.text, answer.final_url) or common_candidates(answer.final_url)
    outcomes = await asyncio.gather(*(_try(feed, one, fetcher, parser, now) for one in tried))
    return Discovery(
        found=_each_once(one for one in outcomes if isinstance(one, FoundFeed)),
        failed=tuple(one for one in outcomes if isinstance(one, FetchError)),
        in_vain=tuple(
            outcome
            for one, outcome in zip(tried, outcomes, strict=True)
            if one.via is Via.LINK and isinstance(outcome, FetchError)
        ),
    )


def page_candidates(html: str, base: str) -> tuple[Candidate, ...]:
    """Return the addresses that a web page declares as its feeds, then those that look like feeds.

    Feeds of comments come last. At most MOST_TRIED, each once, in the page's order.
    """
    document = _document(html)
    if document is None:
        return ()
    for element in document.iter("base"):
        base = _address(element, base) or base
        break
    unique: dict[str, Candidate] = {}
    for one in (*_declared(document, base), *_linked(document, base)):
        unique.setdefault(url_key(one.url), one)
    ranked = sorted(unique.values(), key=lambda one: bool(_COMMENTS.search(f"{one.title} {one.url}")))
    return tuple(ranked[:MOST_TRIED])


def common_candidates(base: str) -> tuple[Candidate, ...]:
    """Return where feeds often are on a page's host."""
    root = URL(base).origin()
    return tuple(Candidate(url=str(root.with_path(path)), via=Via.GUESS) for path in COMMON_PATHS)


def _document(html: str) -> Any:
    """Return lxml's tree; None: there is no element in it."""
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    data = html[:_PAGE_LIMIT].encode("utf-8", "replace")
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError:  # "Document is empty"
        return None


def _declared(document: Any, base: str) -> Iterable[Candidate]:
    """Yield what <link rel="alternate"> and rel="feed" name (HTML, sections 4.6.7.1 and 4.6.7.9)."""
    for element in document.iter("link", "a"):
        relations = (element.get("rel") or "").lower().split()
        kind = (element.get("type") or "").partition(";")[0].strip().lower()
        is_feed = "feed" in relations or ("alternate" in relations and kind in _TYPES)
        url = _address(element, base)
        if is_feed and url:
            yield Candidate(url=url, via=Via.LINK, title=_line(element.get("title")))


def _linked(document: Any, base: str) -> Iterable[Candidate]:
    """Yield links of the page that look like feeds of the same house."""
    home = url_host_key(base)
    for element in document.iter("a"):
        url = _address(element, base)
        if url is None:
            continue
        parsed = URL(url)
        host = parsed.raw_host or ""
        says = _line("".join(element.itertext())) or _line(element.get("title"))
        names_feed = _FEED_PATH.search(parsed.raw_path_qs) or (_FEED_WORDS.search(says) and len(says) <= 40)
        if (url_host_key(url) == home and names_feed) or _FEED_HOST.search(host):
            yield Candidate(url=url, via=Via.ANCHOR, title=says)


def _address(element: Any, base: str) -> str | None:
    """Return where an element leads; None: to no web address."""
    url = web_url(element.get("href") or "", base)
    try:
        return url if url and URL(url).host else None
    except ValueError:  # yarl's word for a host or port that cannot be
        return None


def _line(text: str | None) -> str:
    return clean_text(text or "", NAME_LIMIT).replace("\n", " ")


async def _try(
    feed: Feed, candidate: Candidate, fetcher: Fetcher, parser: Parser, now: datetime
) -> FoundFeed | FetchError:
    mine = _for_address(feed, candidate.url)
    try:
        answer = await _fetched(mine, fetcher)
        parsed = await parser.parse(mine, answer, now)
        return _found(mine, candidate.via, answer, _look(mine, answer), parsed, candidate.title)
    except FetchError as error:
        return error


def _for_address(feed: Feed, url: str) -> Feed:
    """Return the settings for an address that a page names; nothing private goes to another host."""
    there, here = URL(url), URL(feed.url)
    feed = replace(feed, id=FeedId(url))  # the fetcher remembers by it what redirects led to
    if not is_same_origin(here, there):
        is_allowed = feed.allow_private and here.raw_host == there.raw_host
        return replace(feed, url=url, allow_private=is_allowed, headers=(), auth_file=None)
    if here.user is not None and there.user is None:
        url = str(there.with_user(here.user).with_password(here.password))
    return replace(feed, url=url)


async def _fetched(feed: Feed, fetcher: Fetcher) -> Fetched:
    answer = await fetcher.fetch(feed, PollState())
    if isinstance(answer, Fetched):
        return answer
    raise _unreadable(feed, "answered that nothing changed, to a first question")


def _look(feed: Feed, answer: Fetched) -> Look:
    try:
        return look_at(answer.body, answer.content_type, feed.encoding)
    except (LookupError, UnicodeError) as error:
        raise _unreadable(feed, f"cannot be decoded as {feed.encoding!r}; nobody knows it") from error


def _found(
    feed: Feed, via: Via, answer: Fetched, look: Look, parsed: ParsedFeed, called: str = ""
) -> FoundFeed:
    settled = replace(feed, id=FeedId(""), url=answer.moved_to or feed.url)
    return FoundFeed(feed=settled, via=via, answer=answer, look=look, parsed=parsed, called=called)


def _each_once(found: Iterable[FoundFeed]) -> tuple[FoundFeed, ...]:
    """Return the feeds without those that redirects led to a place that another one is at."""
    unique: dict[str, FoundFeed] = {}
    for one in found:
        unique.setdefault(url_key(one.answer.final_url), one)
    return tuple(unique.values())


def _unreadable(feed: Feed, says: str) -> FeedUnreadable:
    url = redact_url(feed.url)
    return FeedUnreadable(f"{url} {says}", feed_url=url, reason=PollReason.UNREADABLE)
