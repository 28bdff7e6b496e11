"""Reads feeds over HTTP: conditional, polite, bounded in time and size, and only on the public internet."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Final, Self

import aiohttp
from yarl import URL

from bot.core.caching import looks_whole
from bot.errors import FeedUnreadable, FetchError, FetchRefused, FetchTemporary
from bot.feeds.answers import (
    busy_error,
    feed_error,
    fetch_error,
    freshness,
    is_challenge,
    network_error,
    not_modified,
    status_error,
    validators,
)
from bot.feeds.connections import open_session
from bot.feeds.hosts import HostBusy, HostTurns
from bot.feeds.inflate import Damaged, inflater_for
from bot.feeds.trips import NoLogin, NoPlace, OddAddress, Trip, conditions, start_trip
from bot.model import Feed, FeedId, Fetched, NotModified, PollReason, PollState

_CHUNK = 64 * 1024
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_FEEDS: Final = frozenset({200, 201, 202, 203, 226})  # of the 2xx, those that may hold a whole feed
_KNOWN_FOR: Final = timedelta(days=1)
_KNOWN_AT_MOST: Final = 10_000
_ACCEPT = (
    "application/rss+xml, application/atom+xml, application/feed+json, "
    "application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, */*;q=0.5"
)
ACCEPT_PAGES = "text/html, application/xhtml+xml, text/plain;q=0.9, */*;q=0.5"


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """How much of the world's time, space and patience a poll may take."""

    connect_timeout: timedelta = timedelta(seconds=5)
    total_timeout: timedelta = timedelta(seconds=30)  # of work; waiting for a host's turn does not count
    max_bytes: int = 5_000_000  # as sent, and again after decompression
    max_redirects: int = 5
    connections: int = 100
    host_interval: timedelta = timedelta(seconds=2)  # between two requests to one registrable domain
    longest_wait: timedelta = timedelta(seconds=60)  # for a host's turn; beyond, the feed is due again later
    user_agent: str = "Topicwire (news feed reader)"
    accept: str = _ACCEPT


@dataclass(frozen=True, slots=True)
class _Known:
    """What the end of a redirect said last time."""

    url: URL
    conditions: Mapping[str, str]
    body_sha256: str
    until_s: float  # on the monotonic clock


class HttpFetcher:
    """A ports.Fetcher over aiohttp; use it as an async context manager."""

    def __init__(
        self,
        limits: FetchLimits,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Take the limits, and the clocks that politeness goes by.

        Args:
            now: The wall clock; only for header fields that name a date.
        """
        self._limits = limits
        self._now = now
        self._monotonic = monotonic
        self._turns = HostTurns(
            limits.host_interval.total_seconds(), limits.longest_wait.total_seconds(), monotonic, sleep
        )
        self._total_s = limits.total_timeout.total_seconds()
        self._slots = asyncio.Semaphore(limits.connections)
        self._known: dict[FeedId, _Known] = {}  # of feeds that a redirect leads to, the oldest first
        self._sessions = AsyncExitStack()
        self._public: aiohttp.ClientSession | None = None
        self._private: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the sessions.

        Two, since a kept-alive connection to a private address must never serve a feed that may not go there.
        """
        self._public = await self._sessions.enter_async_context(self._session(is_public=True))
        self._private = await self._sessions.enter_async_context(self._session(is_public=False))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all connections."""
        await self._sessions.aclose()

    async def fetch(self, feed: Feed, state: PollState, *, follow: bool = True) -> Fetched | NotModified:
        """Return the feed's bytes, or word that nothing changed.

        Validators belong to the resource that gave them. Those in `state` are of the URL that is asked first,
        so an answer from behind a redirect comes without: what its server said is remembered here.

        Args:
            follow: False: a redirect is the answer: its status, no body, and as `moved_to` where it leads.

        Raises:
            FetchTemporary: Worth another poll. `retry_after` is set when the server said so, and `host` where
                all feeds of that host shall wait; with no status, the host's turn is too far off and nothing
                was asked.
            FetchRefused: The server or the address guard says no, or the feed is set up wrongly.
            FetchGone: The server says 410.
            FeedUnreadable: The answer is too large, or empty by its own word.
        """
        try:
            trip = start_trip(feed, state, self._total_s)
        except OddAddress as error:
            raise feed_error(feed, PollReason.FORBIDDEN_ADDRESS, str(error)) from error
        except (NoPlace, NoLogin) as error:
            raise feed_error(feed, PollReason.REFUSED, str(error)) from error
        while True:
            answer = await self._take_turn(trip, state, follow)
            if answer is not None:
                return answer

    async def _take_turn(self, trip: Trip, state: PollState, follow: bool) -> Fetched | NotModified | None:
        """Return the answer of one host; None: it sent us to another one."""
        key = trip.place.key
        try:
            async with self._turns.turn(key), self._slots:
                started = self._monotonic()
                async with asyncio.timeout(trip.time_left_s):
                    while trip.place.key == key:
                        answer = await self._ask(trip, state, follow)
                        if answer is not None:
                            return answer
                trip.time_left_s -= self._monotonic() - started
                return None
        except HostBusy as busy:
            raise busy_error(trip, busy) from busy
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
            # The text of a ClientResponseError holds the whole URL, so it must not be seen behind ours.
            raise network_error(trip, error) from (
                None if isinstance(error, aiohttp.ClientResponseError) else error
            )

    async def _ask(self, trip: Trip, state: PollState, follow: bool) -> Fetched | NotModified | None:
        """Return the answer of one request; None: it was a redirect, now taken."""
        session = self._private if trip.feed.allow_private else self._public
        if session is None:
            raise RuntimeError("HttpFetcher is used outside its context")
        headers = {**trip.conditions, **trip.own_headers} if trip.own_headers else trip.conditions
        response = await session.get(trip.place.url, headers=headers, allow_redirects=False)
        try:
            if response.status == 304:
                return not_modified(trip, response, self._now())
            if response.status in REDIRECTS:
                asked = trip.place.url
                self._redirect(trip, response)
                self._recall(trip, state)
                return None if follow else _redirected(str(asked), trip, response.status)
            if response.status not in _FEEDS or is_challenge(response):
                raise self._status_error(trip, response)
            return self._fetched(trip, response, *await self._body(trip, response))
        finally:
            response.release()  # an answer not read to its end closes the connection

    def _fetched(self, trip: Trip, response: aiohttp.ClientResponse, body: bytes, received: int) -> Fetched:
        now = self._now()
        # Behind the validators of a body that broke off, the rest of it would stay unseen.
        etag, last_modified = validators(response, now) if looks_whole(body) else (None, None)
        if trip.is_redirected:
            self._remember(trip, body, etag, last_modified)
            etag = last_modified = None
        return Fetched(
            body=body,
            final_url=str(trip.place.url),
            content_type=response.headers.get("Content-Type"),
            etag=etag,
            last_modified=last_modified,
            max_age=freshness(response, now),
            moved_to=str(trip.moved_to) if trip.moved_to else None,
            status=response.status,
            received=received,
        )

    def _redirect(self, trip: Trip, response: aiohttp.ClientResponse) -> None:
        """Take a redirect.

        Raises:
            FetchRefused: It leads away from the web, in a circle, or on for too long.
        """
        status, reason, problem = response.status, PollReason.REFUSED, ""
        try:
            trip.follow(status, response.headers["Location"])
        except OddAddress as error:
            reason, problem = PollReason.FORBIDDEN_ADDRESS, f"redirects to what {error}"
        except (KeyError, NoPlace):
            problem = "redirects to what is no web address"
        if not problem and trip.place.url in trip.seen:
            problem = "redirects in a circle"
        elif not problem and len(trip.seen) > self._limits.max_redirects:
            problem = f"redirects more than {self._limits.max_redirects} times (max_redirects)"
        if problem:
            raise fetch_error(FetchRefused, trip, reason, problem, status=status)

    def _remember(self, trip: Trip, body: bytes, etag: str | None, last_modified: str | None) -> None:
        """Keep the validators of a redirect's end, with the body that they stand for."""
        if not (etag or last_modified):
            return
        self._known.pop(trip.feed.id, None)
        if len(self._known) >= _KNOWN_AT_MOST:
            del self._known[next(iter(self._known))]  # the oldest
        self._known[trip.feed.id] = _Known(
            url=trip.place.url,
            conditions=conditions(etag, last_modified),
            body_sha256=hashlib.sha256(body).hexdigest(),
            until_s=self._monotonic() + _KNOWN_FOR.total_seconds(),
        )

    def _recall(self, trip: Trip, state: PollState) -> None:
        """Ask the redirect's end conditionally, where its last body is the one that is kept of the feed.

        For a day: then it is asked in full again, since only a whole answer shows that a permanent redirect
        still leads to the feed.
        """
        known = self._known.get(trip.feed.id)
        if (
            known is not None
            and known.url == trip.place.url
            and known.body_sha256 == state.body_sha256
            and known.until_s > self._monotonic()
        ):
            trip.conditions = known.conditions

    async def _body(self, trip: Trip, response: aiohttp.ClientResponse) -> tuple[bytes, int]:
        """Return the body, decompressed, and how many bytes were sent.

        Never more than the limit and a piece are held.
        """
        limit = self._limits.max_bytes
        if (response.content_length or 0) > limit:
            raise _too_large(trip, limit, response.status)
        body = bytearray()
        received = 0
        try:
            chunk = await response.content.read(_CHUNK)
            if len(chunk) == 1:  # two bytes tell gzip
                chunk += await response.content.read(_CHUNK)
            inflater = inflater_for(response.headers.get("Content-Encoding", ""), chunk)
            while chunk:
                received += len(chunk)
                for piece in inflater.feed(chunk):
                    body += piece
                    if len(body) > limit:
                        raise _too_large(trip, limit, response.status)
                if received > limit:
                    raise _too_large(trip, limit, response.status)
                chunk = await response.content.read(_CHUNK)
            inflater.finish()
        except Damaged as error:
            says = f"sends what cannot be unpacked: {error}"
            raise fetch_error(
                FetchTemporary, trip, PollReason.TEMPORARY, says, status=response.status
            ) from error
        return bytes(body), received

    def _status_error(self, trip: Trip, response: aiohttp.ClientResponse) -> FetchError:
        """Return the error for an answer that holds no feed, and pause the host where it asks for that."""
        error = status_error(trip, response, self._now())
        if error.host and error.retry_after:
            self._turns.pause(error.host, error.retry_after.total_seconds())
        return error

    def _session(self, *, is_public: bool) -> aiohttp.ClientSession:
        limits = self._limits
        return open_session(
            is_public=is_public,
            connect_timeout=limits.connect_timeout,
            user_agent=limits.user_agent,
            accept=limits.accept,
        )


def _redirected(asked: str, trip: Trip, status: int) -> Fetched:
    """Return a redirect as an answer."""
    return Fetched(
        body=b"",
        final_url=asked,
        content_type=None,
        etag=None,
        last_modified=None,
        max_age=None,
        moved_to=str(trip.place.url),
        status=status,
    )


def _too_large(trip: Trip, limit: int, status: int) -> FetchError:
    says = f"sends more than {limit / 1e6:g} MB, the limit (max_bytes)"
    return fetch_error(FeedUnreadable, trip, PollReason.UNREADABLE, says, status=status)
