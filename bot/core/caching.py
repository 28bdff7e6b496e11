"""What an answer's header fields say of time and sameness (RFC 9110, RFC 9111)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Final

from bot.model import ZERO

LONGEST_RETRY: Final = timedelta(hours=24)
_LONGEST_FIELD: Final = 1000  # characters; longer validators are somebody's mistake
_CLOCK_SKEW: Final = timedelta(days=1)
_SECONDS: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?", re.ASCII)
_TAIL: Final = 2048  # bytes; caches sign below the last tag
_ENDS: Final = re.compile(rb"</(?:[a-z]+:)?(?:rss|feed|rdf|html)\s*>|[}\]]\s*$", re.IGNORECASE)


def fresh_for(
    cache_control: str, *, expires: str | None, date: str | None, age: str | None, now: datetime
) -> timedelta | None:
    """Return how much longer an answer is fresh, at least 0; None: the server did not say, or overruled it.

    max-age first, then Expires, less the time the answer lay in caches (RFC 9111, sections 4.2.1, 4.2.3 and
    5.3). s-maxage is for caches that many share; a server that keeps those up to date by hand may set it to a
    year.

    Args:
        now: Aware UTC; stands in for a Date that is not told.
    """
    if not cache_control and not expires:
        return None
    lifetime, is_settled = _max_age(cache_control[:_LONGEST_FIELD])
    if not is_settled and expires:
        until = _date(expires)
        lifetime = until - (_date(date or "") or now) if until else None
    if lifetime is None:
        return None
    return max(lifetime - _seconds(age or ""), ZERO)


def asked_wait(retry_after: Iterable[str], now: datetime) -> timedelta | None:
    """Return the wait that Retry-After asks for, over 0, at most a day; None: not told, past, or unreadable.

    Seconds or a date: RFC 9110, section 10.2.3. Of several the longest counts.
    """
    waits = [_wait(part, now) for value in retry_after for part in _parts(value)]
    longest = max(waits, default=ZERO)
    return min(longest, LONGEST_RETRY) if longest > ZERO else None


def kept_etag(value: str | None) -> str | None:
    """Return an ETag exactly as received; None where it cannot be sent back, or would mean something else.

    A mere star in If-None-Match is true of whatever is there: the server would never tell news again.
    """
    return value if value and value.strip() != "*" and _is_text(value) else None


def kept_last_modified(value: str | None, now: datetime) -> str | None:
    """Return a Last-Modified exactly as received; None where it cannot be sent back, or lies in the future.

    With a future date many a server calls everything unmodified until that date comes.
    """
    if not value or not _is_text(value):
        return None
    date = _date(value)
    return None if date and date > now + _CLOCK_SKEW else value


def is_same_etag(one: str | None, other: str | None) -> bool:
    """True: both are told, and alike by the weak comparison (RFC 9110, section 8.8.3.2)."""
    return one is not None and other is not None and one.removeprefix("W/") == other.removeprefix("W/")


def looks_whole(body: bytes) -> bool:
    """True: a document's end is there; False: it is cut off, or of no kind that we know."""
    return _ENDS.search(body[-_TAIL:].replace(b"\0", b"")) is not None  # without UTF-16's zeros


@lru_cache(maxsize=256)
def _max_age(cache_control: str) -> tuple[timedelta | None, bool]:
    """Return max-age, the first where it stands twice, and whether that settles it (else ask Expires)."""
    directives = [part.strip().lower() for part in cache_control.split(",")]
    if "no-cache" in directives or "no-store" in directives:
        return None, True
    for directive in directives:
        name, _, value = directive.partition("=")
        if name.strip() == "max-age":
            digits = value.strip('" ')
            return (_seconds(digits) if digits.isascii() and digits.isdigit() else None), True
    return None, False


def _seconds(text: str) -> timedelta:
    """Return seconds as a duration, at most some thirty years; 0 where the text is no number."""
    found = _SECONDS.fullmatch(text.strip())
    return timedelta(seconds=min(float(found[0][:400]), 1e9)) if found else ZERO


def _parts(value: str) -> list[str]:
    """Return the values of a field that some proxy has joined; the comma of a date joins nothing."""
    parts = [part.strip() for part in value[:_LONGEST_FIELD].split(",")]
    return parts if all(map(_SECONDS.fullmatch, parts)) else [value.strip()]


def _wait(value: str, now: datetime) -> timedelta:
    date = None if _SECONDS.fullmatch(value) else _date(value)
    return date - now if date else _seconds(value)


def _date(value: str) -> datetime | None:
    """Return an HTTP date (RFC 9110, section 5.6.7), aware UTC; None: it is none."""
    try:
        date = parsedate_to_datetime(value[:100])
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, OverflowError, IndexError):  # what email.utils lets out for odd texts
        return None


def _is_text(value: str) -> bool:
    # aiohttp decodes bytes that are no UTF-8 into surrogates, which neither a database nor a header takes.
    return len(value) <= _LONGEST_FIELD and value.isprintable()
