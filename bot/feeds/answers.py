"""What servers and networks answer, as our own values and errors, in words that an operator understands."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import aiohttp

from bot.core.caching import asked_wait, fresh_for, is_same_etag, kept_etag, kept_last_modified
from bot.core.identity import redact_url
from bot.errors import FeedUnreadable, FetchError, FetchGone, FetchRefused, FetchTemporary
from bot.feeds.addresses import AddressForbidden
from bot.feeds.hosts import HostBusy
from bot.feeds.trips import Trip
from bot.model import Feed, NotModified, PollReason

HOST_PAUSE: Final = timedelta(minutes=10)  # after a 429 or 503 that does not say how long
_TEMPORARY: Final = frozenset({206, 408, 425})
_PAUSING: Final = frozenset({429, 503})
_CHALLENGES: Final = {  # how those who guard other people's sites say that they ask for a human
    "cf-mitigated": frozenset({"challenge"}),
    "x-amzn-waf-action": frozenset({"challenge", "captcha"}),
}
_CURES: Final = {
    401: "it wants a log-in, or refuses the one it got (auth_file)",
    204: "it holds no feed",
    205: "it holds no feed",
    206: "a part, though the whole was asked for",
    404: "look for the feed's new address",
    410: "taken down for good",
}
_CHALLENGE_CURE: Final = (
    "it takes us for a robot that it does not want; give the feed a user_agent or headers of its own, "
    "or look for another address of it"
)


def validators(response: aiohttp.ClientResponse, now: datetime) -> tuple[str | None, str | None]:
    """Return ETag and Last-Modified exactly as received; None where they had better not be sent back."""
    told = response.headers
    return kept_etag(told.get("ETag")), kept_last_modified(told.get("Last-Modified"), now)


def freshness(response: aiohttp.ClientResponse, now: datetime) -> timedelta | None:
    """Return how much longer the answer is fresh; None: not told."""
    told = response.headers
    if "Cache-Control" not in told and "Expires" not in told:
        return None
    return fresh_for(
        ",".join(told.getall("Cache-Control", ())),
        expires=told.get("Expires"),
        date=told.get("Date"),
        age=told.get("Age"),
        now=now,
    )


def not_modified(trip: Trip, response: aiohttp.ClientResponse, now: datetime) -> NotModified:
    """Return the word that nothing changed.

    Its validators count only where its ETag is the one that was sent: those of another representation, stored
    beside the body that we have, would hide what is new in it (RFC 9111, section 4.3.4).

    Raises:
        FetchTemporary: Nobody asked whether something changed.
    """
    if not trip.conditions:
        says = "answered 304, nothing new, to a question without conditions"
        raise fetch_error(FetchTemporary, trip, PollReason.TEMPORARY, says, status=304)
    etag, last_modified = response.headers.get("ETag"), response.headers.get("Last-Modified")
    if trip.is_redirected or not is_same_etag(etag, trip.conditions.get("If-None-Match")):
        etag = last_modified = None
    elif last_modified != trip.conditions.get("If-Modified-Since"):
        etag, last_modified = validators(response, now)
    return NotModified(etag=etag, last_modified=last_modified, max_age=freshness(response, now))


def is_challenge(response: aiohttp.ClientResponse) -> bool:
    """True: the answer is not the feed, but a test whether a human asks."""
    return response.status == 403 or any(
        response.headers.get(name, "").strip().lower() in values for name, values in _CHALLENGES.items()
    )


def status_error(trip: Trip, response: aiohttp.ClientResponse, now: datetime) -> FetchError:
    """Return the error for an answer that holds no feed; with `host` where that host asks for a pause."""
    status = response.status
    says = f"answered {status} {_plain(response.reason or '', 60)}".rstrip()
    asked = asked_wait(response.headers.getall("Retry-After", ()), now)
    if status != 429 and is_challenge(response):
        says = f"{says}: {_CHALLENGE_CURE}"
        return fetch_error(FetchRefused, trip, PollReason.CHALLENGED, says, status=status, retry_after=asked)
    if status in _PAUSING:
        return _pause(trip, status, says, asked)
    if cure := _CURES.get(status):
        says = f"{says}: {cure}"
    if status == 410:
        return fetch_error(FetchGone, trip, PollReason.GONE, says, status=status)
    if status in {204, 205}:
        return fetch_error(FeedUnreadable, trip, PollReason.UNREADABLE, says, status=status)
    if status >= 500 or status in _TEMPORARY:
        return fetch_error(FetchTemporary, trip, PollReason.TEMPORARY, says, status=status, retry_after=asked)
    return fetch_error(FetchRefused, trip, PollReason.REFUSED, says, status=status, retry_after=asked)


def _pause(trip: Trip, status: int, says: str, asked: timedelta | None) -> FetchError:
    pause = asked or HOST_PAUSE
    is_limit = status == 429 or asked is not None
    return fetch_error(
        FetchTemporary,
        trip,
        PollReason.RATE_LIMITED if is_limit else PollReason.TEMPORARY,
        f"{says}: {trip.place.key} is left in peace for {_spoken(pause)}",
        status=status,
        retry_after=pause,
        host=trip.place.key,
    )


def busy_error(trip: Trip, busy: HostBusy) -> FetchError:
    """Return the error for a host whose turn is too far off: nothing was asked, and nobody is at fault."""
    wait = timedelta(seconds=busy.wait_s)
    says = f"waits: other feeds of {trip.place.key} come first, or it asked for a pause"
    return fetch_error(FetchTemporary, trip, PollReason.RATE_LIMITED, says, retry_after=wait)


def network_error(trip: Trip, error: aiohttp.ClientError | OSError) -> FetchError:
    """Return our error for one of the network's."""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, AddressForbidden):
        says = f"leads to {cause.address}, no public address (allow_private lets a feed on your LAN pass)"
        return fetch_error(FetchRefused, trip, PollReason.FORBIDDEN_ADDRESS, says)
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        says = f"has a certificate that is refused: {_plain(str(error.certificate_error))}"
        return fetch_error(FetchRefused, trip, PollReason.REFUSED, says)
    return fetch_error(FetchTemporary, trip, PollReason.TEMPORARY, _weather(error, cause))


def _weather(error: aiohttp.ClientError | OSError, cause: BaseException) -> str:
    """Return what went wrong on the way, in a few words."""
    match error:
        case aiohttp.ConnectionTimeoutError():
            return "could not be reached in time"
        case TimeoutError():
            return "gave no whole answer in time"
        case aiohttp.ClientConnectorDNSError():
            return f"has a host name that has no address ({_plain(str(cause))})"
        case aiohttp.ServerDisconnectedError():
            return "closed the connection without an answer"
        case aiohttp.ClientPayloadError():
            return f"broke off in the middle of its answer ({_plain(str(error))})"
        case aiohttp.ClientResponseError():
            return f"answered in no HTTP that can be read ({_plain(error.message)})"
        case _:
            said = _plain(str(error)) or type(error).__name__
            return f"could not be connected to ({said})"


def fetch_error(
    kind: type[FetchError],
    trip: Trip,
    reason: PollReason,
    says: str,
    *,
    status: int | None = None,
    retry_after: timedelta | None = None,
    host: str | None = None,
) -> FetchError:
    """Return an error that names the feed and, where it was sent elsewhere, who said so."""
    url = redact_url(trip.feed.url)
    way = f" leads to {redact_url(str(trip.place.url))}, which" if trip.is_redirected else ""
    return kind(
        f"{url}{way} {says}", feed_url=url, reason=reason, status=status, retry_after=retry_after, host=host
    )


def feed_error(feed: Feed, reason: PollReason, says: str) -> FetchError:
    """Return the error for a feed that cannot be asked for as it is set up."""
    url = redact_url(feed.url)
    return FetchRefused(f"{url} {says}", feed_url=url, reason=reason)


def _plain(text: str, limit: int = 160) -> str:
    """Return a stranger's words as one short line without secrets."""
    line = "".join(letter if letter.isprintable() else " " for letter in text[: 4 * limit])
    return redact_url(" ".join(line.split()))[:limit]


def _spoken(wait: timedelta) -> str:
    seconds = wait.total_seconds()
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
