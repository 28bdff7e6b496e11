"""Reads feeds over HTTP: conditional, polite, bounded in time and size, and only on the public internet."""

from __future__ import annotations

import asyncio
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Final, Self

import aiohttp
from yarl import URL

from bot.core.hosts import host_key
from bot.core.identity import redact_url
from bot.errors import FeedUnreadable, FetchError, FetchGone, FetchRefused, FetchTemporary
from bot.feeds.addresses import AddressForbidden, lan_socket, public_socket
from bot.feeds.hosts import HostBusy, HostTurns
from bot.feeds.inflate import ACCEPTED, Damaged, inflater_for
from bot.model import Feed, Fetched, NotModified, PollReason, PollState

HOST_PAUSE = timedelta(minutes=10)  # after a 429 or 503 that does not say how long
LONGEST_PAUSE = timedelta(hours=24)
_CHUNK = 64 * 1024
_PERMANENT: Final = frozenset({301, 308})
_REDIRECTS: Final = _PERMANENT | {302, 303, 307}
_TEMPORARY: Final = frozenset({408, 425, 429})
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


@dataclass(slots=True)
class _Trip:
    """One poll's way through redirects."""

    feed: Feed
    url: URL  # where to ask next
    conditions: Mapping[str, str]
    time_left_s: float
    seen: set[URL] = field(default_factory=set)
    moved_to: URL | None = None
    is_leading: bool = True  # no temporary redirect yet

    def follow(self, status: int, location: str) -> None:
        """Take a redirect; credentials go along only to the same host and port.

        Raises:
            ValueError: The location is no URL.
        """
        self.seen.add(self.url)
        target = self.url.join(URL(location)).with_fragment(None)
        if target.user is None and self.url.user is not None and _is_same_place(self.url, target):
            target = target.with_user(self.url.user).with_password(self.url.password)
        self.is_leading = self.is_leading and status in _PERMANENT
        if self.is_leading:
            self.moved_to = target
        self.url = target


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
            now: The wall clock; only for a Retry-After that names a date.
        """
        self._limits = limits
        self._now = now
        self._monotonic = monotonic
        self._turns = HostTurns(
            limits.host_interval.total_seconds(), limits.longest_wait.total_seconds(), monotonic, sleep
        )
        self._slots = asyncio.Semaphore(limits.connections)
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

    async def fetch(self, feed: Feed, state: PollState) -> Fetched | NotModified:
        """Return the feed's bytes, or word that nothing changed.

        Raises:
            FetchTemporary: Worth another poll. `retry_after` is set when the server said so; with no status,
                the host's turn is too far off and nothing was asked.
            FetchRefused: The server or the address guard says no, or the URL is none.
            FetchGone: The server says 410.
            FeedUnreadable: The answer is too large, or in an encoding that we did not offer.
        """
        trip = _Trip(
            feed=feed,
            url=_feed_url(feed),
            conditions=_conditions(state),
            time_left_s=self._limits.total_timeout.total_seconds(),
        )
        while True:
            answer = await self._take_turn(trip)
            if answer is not None:
                return answer

    async def _take_turn(self, trip: _Trip) -> Fetched | NotModified | None:
        """Return the answer of one host; None: it sent us to another one."""
        key = host_key(trip.url.raw_host or "")
        try:
            async with self._turns.turn(key), self._slots:
                started = self._monotonic()
                async with asyncio.timeout(trip.time_left_s):
                    while host_key(trip.url.raw_host or "") == key:
                        answer = await self._ask(trip, key)
                        if answer is not None:
                            return answer
                trip.time_left_s -= self._monotonic() - started
                return None
        except HostBusy as busy:
            raise _error(
                FetchTemporary,
                trip.feed,
                PollReason.RATE_LIMITED,
                "its host is busy or asked for a pause",
                retry_after=timedelta(seconds=busy.wait_s),
            ) from busy
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
            # The text of a ClientResponseError holds the whole URL, so it must not be seen behind ours.
            raise _weather(trip.feed, error) from (
                None if isinstance(error, aiohttp.ClientResponseError) else error
            )

    async def _ask(self, trip: _Trip, key: str) -> Fetched | NotModified | None:
        """Return the answer of one request; None: it was a redirect, now taken."""
        session = self._private if trip.feed.allow_private else self._public
        if session is None:
            raise RuntimeError("HttpFetcher is used outside its context")
        bare = trip.url.with_user(None)
        headers = {**trip.conditions, **_authorization(trip.url)}
        async with session.get(bare, headers=headers, allow_redirects=False) as response:
            if response.status == 304:
                return self._not_modified(trip, response)
            if response.status in _REDIRECTS:
                self._redirect(trip, response)
                return None
            if not 200 <= response.status < 300:
                raise self._status_error(trip.feed, response, key)
            etag, last_modified = _validators(response)
            return Fetched(
                body=await self._body(trip.feed, response),
                final_url=str(bare),
                content_type=response.headers.get("Content-Type"),
                etag=etag,
                last_modified=last_modified,
                max_age=_max_age(response),
                moved_to=str(trip.moved_to) if trip.moved_to else None,
                status=response.status,
            )

    def _not_modified(self, trip: _Trip, response: aiohttp.ClientResponse) -> NotModified:
        if not trip.conditions:
            raise _error(
                FetchTemporary,
                trip.feed,
                PollReason.TEMPORARY,
                "answered 304 to an unconditional question",
                status=304,
            )
        etag, last_modified = _validators(response)
        return NotModified(etag=etag, last_modified=last_modified, max_age=_max_age(response))

    def _redirect(self, trip: _Trip, response: aiohttp.ClientResponse) -> None:
        status, problem = response.status, ""
        try:
            trip.follow(status, response.headers["Location"])
            _checked(trip.url)
        except (KeyError, ValueError):
            problem = "redirects to what is no web address"
        if trip.url in trip.seen:
            problem = problem or "redirects in a circle"
        elif len(trip.seen) > self._limits.max_redirects:
            problem = problem or f"redirects more than {self._limits.max_redirects} times"
        if problem:
            raise _error(FetchRefused, trip.feed, PollReason.REFUSED, problem, status=status)

    async def _body(self, feed: Feed, response: aiohttp.ClientResponse) -> bytes:
        """Return the body, decompressed; never more than the limit and a piece are held."""
        limit = self._limits.max_bytes
        if (response.content_length or 0) > limit:
            raise _too_large(feed, limit, response.status)
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
                        raise _too_large(feed, limit, response.status)
                if received > limit:
                    raise _too_large(feed, limit, response.status)
                chunk = await response.content.read(_CHUNK)
            inflater.finish()
        except Damaged as error:
            raise _error(
                FetchTemporary, feed, PollReason.TEMPORARY, str(error), status=response.status
            ) from error
        return bytes(body)

    def _status_error(self, feed: Feed, response: aiohttp.ClientResponse, key: str) -> FetchError:
        """Return the error for a status outside 200 to 299, and pause the host where it asks for that."""
        status = response.status
        asked = _retry_after(response, self._now())
        says = f"answered {status} {response.reason or ''}".rstrip()
        if status in {429, 503}:
            pause = HOST_PAUSE if asked is None else asked
            self._turns.pause(key, pause.total_seconds())
            is_limit = status == 429 or asked is not None
            reason = PollReason.RATE_LIMITED if is_limit else PollReason.TEMPORARY
            return _error(FetchTemporary, feed, reason, says, status=status, retry_after=pause)
        if status == 410:
            return _error(FetchGone, feed, PollReason.GONE, says, status=status)
        if status >= 500 or status in _TEMPORARY:
            return _error(FetchTemporary, feed, PollReason.TEMPORARY, says, status=status, retry_after=asked)
        return _error(FetchRefused, feed, PollReason.REFUSED, says, status=status, retry_after=asked)

    def _session(self, *, is_public: bool) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0,  # the slots count, so that waiting for one is not taken for a slow server
                keepalive_timeout=10,
                socket_factory=public_socket if is_public else lan_socket,
                # aiodns, aiohttp's own choice; the system's resolver, which knows names of a LAN too, takes a
                # thread for each name, and a slow name server would take them all.
                resolver=None if is_public else aiohttp.ThreadedResolver(),
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,  # inflate.py does it, in bounded pieces, and sees where data breaks off
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=self._limits.connect_timeout.total_seconds()
            ),
            headers={
                "User-Agent": self._limits.user_agent,
                "Accept": self._limits.accept,
                "Accept-Encoding": ACCEPTED,
            },
            max_line_size=64 * 1024,
            max_field_size=64 * 1024,  # some newspapers send security policies longer than aiohttp's 8 KiB
        )


def _feed_url(feed: Feed) -> URL:
    try:
        return _checked(URL(feed.url.strip()).with_fragment(None))
    except ValueError as error:
        says = "is no web address; it must look like https://host/path"
        raise _error(FetchRefused, feed, PollReason.REFUSED, says) from error


def _checked(url: URL) -> URL:
    """Return the URL.

    Raises:
        ValueError: It is not http or https, or its host cannot be one (RFC 1035, section 2.3.4).
    """
    labels = (url.raw_host or "").removesuffix(".").split(".")
    is_host = bool(url.host) and all(0 < len(label) < 64 for label in labels)  # .host may raise UnicodeError
    if url.scheme not in {"http", "https"} or not is_host:
        raise ValueError("no web address")
    return url


def _conditions(state: PollState) -> dict[str, str]:
    """Return the headers of a conditional request; empty where nothing is remembered."""
    found = {"If-None-Match": state.etag, "If-Modified-Since": state.last_modified}
    return {name: value for name, value in found.items() if value}


def _authorization(url: URL) -> dict[str, str]:
    """Return the header for a URL's user and password (RFC 7617); empty where it has none."""
    if url.user is None:
        return {}
    credentials = f"{url.user}:{url.password or ''}".encode()
    return {"Authorization": f"Basic {b64encode(credentials).decode('ascii')}"}


def _validators(response: aiohttp.ClientResponse) -> tuple[str | None, str | None]:
    """Return ETag and Last-Modified exactly as received; None where they could not be sent back so."""
    return _exact(response.headers.get("ETag")), _exact(response.headers.get("Last-Modified"))


def _exact(value: str | None) -> str | None:
    # aiohttp decodes bytes that are no UTF-8 into surrogates, which neither a database nor a header takes.
    if not value or len(value) > 1000 or not value.isprintable():
        return None
    return value


def _max_age(response: aiohttp.ClientResponse) -> timedelta | None:
    """Return Cache-Control's max-age (RFC 9111, section 5.2.2.1); None where absent, broken, or overruled."""
    directives = [part.strip().lower() for part in response.headers.get("Cache-Control", "").split(",")]
    if "no-cache" in directives or "no-store" in directives:
        return None
    for directive in directives:
        name, _, value = directive.partition("=")
        digits = value.strip('" ')
        if name.strip() == "max-age" and digits.isascii() and digits.isdigit():
            return timedelta(seconds=int(digits[:9]))
    return None


def _retry_after(response: aiohttp.ClientResponse, now: datetime) -> timedelta | None:
    """Return the wait that Retry-After asks for, 0 to 24 h; None: not told, or broken.

    Seconds or a date: RFC 9110, section 10.2.3.
    """
    value = response.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return min(timedelta(seconds=int(value[:9])), LONGEST_PAUSE)
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    wait = (date if date.tzinfo else date.replace(tzinfo=UTC)) - now
    return min(max(wait, timedelta(0)), LONGEST_PAUSE)


def _is_same_place(one: URL, other: URL) -> bool:
    """Tell whether credentials for one URL may be sent to the other: same host and port, or its https."""
    if one.host != other.host:
        return False
    return one.origin() == other.origin() or (one.scheme, one.port, other.port) == ("http", 80, 443)


def _weather(feed: Feed, error: aiohttp.ClientError | OSError) -> FetchError:
    """Return our error for one of the network's."""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, AddressForbidden):
        says = f"leads to {cause.address}, no public address (allow_private lets a feed on your LAN pass)"
        return _error(FetchRefused, feed, PollReason.FORBIDDEN_ADDRESS, says)
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return _error(
            FetchRefused, feed, PollReason.REFUSED, f"its certificate is refused: {error.certificate_error}"
        )
    if isinstance(error, TimeoutError):
        return _error(FetchTemporary, feed, PollReason.TEMPORARY, "gave no whole answer in time")
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return _error(FetchTemporary, feed, PollReason.TEMPORARY, f"its host name has no address ({cause})")
    says = redact_url(str(error)) or type(error).__name__
    return _error(FetchTemporary, feed, PollReason.TEMPORARY, f"the connection failed: {says}")


def _too_large(feed: Feed, limit: int, status: int) -> FetchError:
    says = f"sends more than {limit / 1e6:g} MB, the limit (max_bytes)"
    return _error(FeedUnreadable, feed, PollReason.UNREADABLE, says, status=status)


def _error(
    kind: type[FetchError],
    feed: Feed,
    reason: PollReason,
    says: str,
    *,
    status: int | None = None,
    retry_after: timedelta | None = None,
) -> FetchError:
    url = redact_url(feed.url)
    return kind(f"{url} {says}", feed_url=url, reason=reason, status=status, retry_after=retry_after)
