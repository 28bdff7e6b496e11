"""The dates of feeds: as standards have them written, and as programs write them."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

_MONTHS: Final = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
# RFC 822 with RFC 1123's four-digit year, and RFC 3339: what nearly all feeds write.
_MAIL: Final = re.compile(
    r"(?:[A-Z][a-z]{2}, )?([0-9]{1,2}) ([A-Z][a-z]{2}) ([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r" (?:GMT|Z|([+-])([0-9]{2})([0-9]{2}))"
)
_INTERNET: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]{1,9})?"
    r"(?:Z|([+-])([0-9]{2}):?([0-9]{2}))"
)


def read_date(text: str) -> datetime | None:
    """Return when that is, UTC; None where it is no date."""
    if mail := _MAIL.fullmatch(text):
        day, month, year, *rest = mail.groups()
        return _moment(year, _MONTHS.find(month) // 4 + 1, day, *rest)
    if internet := _INTERNET.fullmatch(text):
        year, month, *rest = internet.groups()
        return _moment(year, int(month), *rest)
    return _as_feedparser(text) if text else None


def first_date(*texts: str) -> datetime | None:
    """Return the first of them that is a date; see read_date."""
    for text in texts:
        if text and (date := read_date(text)):
            return date
    return None


def _moment(year: str, month: int, day: str, *rest: str | None) -> datetime | None:
    hour, minute, second, sign, hours, minutes = (part or "0" for part in rest)
    try:
        local = datetime(int(year), month, int(day), int(hour), int(minute), int(second), tzinfo=UTC)
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        return local + offset if sign == "-" else local - offset
    except (ValueError, OverflowError):
        return None


def _as_feedparser(text: str) -> datetime | None:
    """Return what feedparser takes it for; its struct_time is UTC but does not say so.

    https://feedparser.readthedocs.io/en/latest/date-parsing.html
    """
    from feedparser.datetimes import _parse_date  # noqa: PLC0415 - memory, for few feeds

    parsed: Any = _parse_date(text)
    if parsed is None:
        return None
    try:
        return datetime.fromtimestamp(calendar.timegm(parsed), tz=UTC)
    except (ValueError, OverflowError, OSError):  # a year that no calendar has
        return None
