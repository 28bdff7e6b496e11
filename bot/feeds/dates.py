"""The dates of feeds: as standards have them written, and as programs write them."""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

_MONTHS_OF_MAIL: Final = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
# RFC 822 with RFC 1123's four-digit year, and RFC 3339: what nearly all feeds write.
_MAIL: Final = re.compile(
    r"(?:[A-Z][a-z]{2}, )?([0-9]{1,2}) ([A-Z][a-z]{2}) ([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r" (?:GMT|Z|([+-])([0-9]{2})([0-9]{2}))"
)
_INTERNET: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]{1,9})?"
    r"(?:Z|([+-])([0-9]{2}):?([0-9]{2}))"
)
# How months begin: en, de, fr, es, it, pt, nl, sv, pl, cs, tr, hu, ru, uk. Four letters tell June from July.
_MONTHS: Final = {
    beginning: number
    for number, beginnings in enumerate(
        (
            "jan jän gen ene sty led oca янв січ",
            "feb fév fev lut úno şub фев лют",
            "mar mär már maa mrt bře мар бер",
            "apr avr abr kwi dub nis ápr апр кві",
            "may mai mag maj máj mei kvě май мая тра",
            "jun jún juin giu cze haz июн чер",
            "jul júl juil lug lip tem июл лип",
            "aug aoû aou ago sie srp ağu авг сер",
            "sep set wrz zář sze eyl сен вер",
            "oct okt ott out paź paz říj eki окт жов",
            "nov lis kas ноя лис",
            "dec dez déc dic gru pro ara дек гру",
        ),
        start=1,
    )
    for beginning in beginnings.split()
}
_HALVES: Final = {"오전": "am", "오후": "pm"}
# What clocks are called, in hours east of Greenwich: RFC 822's names, and those of places where feeds are
# written. A name that several places share means RFC 822's, else the one most usual in feeds.
_ZONES: Final = {
    name: float(hours)
    for hours, names in {
        "0": "ut utc gmt z wet",
        "1": "west bst met mez cet",
        "2": "mest mesz cest eet sast",
        "3": "eest msk мск trt",
        "4": "msd",
        "5": "pkt yekt",
        "5.5": "ist",
        "7": "ict wib novt krat",
        "8": "hkt sgt awst irkt",
        "9": "jst kst",
        "10": "aest vlat",
        "11": "aedt",
        "12": "nzst",
        "13": "nzdt",
        "-3": "brt art adt",
        "-4": "ast at edt",
        "-5": "est et cdt",
        "-6": "cst ct mdt",
        "-7": "mst mt pdt",
        "-8": "pst pt akdt",
        "-9": "akst",
        "-10": "hst",
    }.items()
    for name in names.split()
}
_WORD: Final = r"([^\W\d_]{3,20})"
_YEAR: Final = r"([0-9]{4})(?![0-9])"
# Each with the places of year, month and day among its groups.
_DAYS: Final = (
    (re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})(?![0-9])"), (1, 2, 3)),
    (re.compile(r"([0-9]{4})[年년]\s?([0-9]{1,2})[月월]\s?([0-9]{1,2})[日일]"), (1, 2, 3)),
    (re.compile(r"((?:19|20)[0-9]{2})([0-9]{2})([0-9]{2})(?![0-9])"), (1, 2, 3)),
    (re.compile(rf"([0-9]{{4}})-{_WORD}-([0-9]{{1,2}})(?![0-9])"), (1, 2, 3)),
    (re.compile(rf"([0-9]{{1,2}})(?:\.|st|nd|rd|th)?[ -](?:de )?{_WORD}\.?,?[ -](?:de )?{_YEAR}"), (3, 2, 1)),
    (re.compile(rf"{_WORD}\.? ([0-9]{{1,2}})(?:st|nd|rd|th)?,? {_YEAR}"), (3, 1, 2)),
    (re.compile(rf"([0-9]{{1,2}})\.([0-9]{{1,2}})\.{_YEAR}"), (3, 2, 1)),
)
_WEEKDAY: Final = re.compile(r"[^\W\d_]{2,15}\.?,? ?(?=[0-9])")
_TIME: Final = re.compile(
    r"[ ,t|-]{0,3}(?:г\.?,? ?|um |at |в |à )?(오전 ?|오후 ?)?"
    r"([0-9]{1,2})[:.h]?([0-9]{2})(?:[:.]?([0-9]{2}))?(?:[.,][0-9]{1,9})? ?(am|pm)?"
    r" ?(?:gmt|utc|uhr|etc/)? ?(?:([+-])([0-9]{1,2}):?([0-9]{2})?|([^\W\d_]{1,5}))?(?: ?\([^()]*\))?"
)
# No day of the calendar, and weeks: feedparser makes days of them that may lie a month back.
_NO_DAY: Final = re.compile(
    r"[0-9]{4}-?(?:W|(?:00|1[3-9]|[2-9][0-9])-?[0-9]{2}(?![0-9])|[0-9]{2}-?(?:00|3[2-9]|[4-9][0-9])(?![0-9]))"
)
_LONGEST: Final = 100


def first_date(*texts: str) -> datetime | None:
    """Return the first of them that is a date; see read_date."""
    for text in texts:
        if text and (date := read_date(text)):
            return date
    return None


def read_date(text: str) -> datetime | None:
    """Return when that is, UTC; None where it is no date. Without a zone it is UTC, as feedparser has it.

    Where feedparser reads a date wrongly (Moscow's time, seconds since 1970, 2026/11/21) or not at all (other
    languages' months, no zone, 24:00), it is read here; what is not read here is left to feedparser.
    """
    if mail := _MAIL.fullmatch(text):
        day, month, year, *rest = mail.groups()
        date = _moment(year, str(_MONTHS_OF_MAIL.find(month) // 4 + 1), day, rest)
    elif internet := _INTERNET.fullmatch(text):
        year, month, day, *rest = internet.groups()
        date = _moment(year, month, day, rest)
    else:
        date = _as_people_write(" ".join(text[:_LONGEST].split()).lower())
    return date or (None if _NO_DAY.match(text) else _as_feedparser(text))


def _moment(year: str, month: str, day: str, rest: Sequence[str | None]) -> datetime | None:
    """Return a moment; the rest is its time and its zone's sign, hours and minutes."""
    hour, minute, second, sign, hours, minutes = [part or "0" for part in rest]
    if hour > "24" or minute > "59" or second > "60" or (hour == "24" and f"{minute}{second}".strip("0")):
        return None
    east = int(hours) * 3600 + int(minutes) * 60
    since = int(second) + (east if sign == "-" else -east)
    try:
        local = datetime(int(year), int(month), int(day), int(hour) % 24, int(minute), tzinfo=UTC)
        return local + timedelta(days=int(hour) // 24, seconds=since)
    except (ValueError, OverflowError):
        return None


def _as_people_write(text: str) -> datetime | None:
    """Return a date in another order, language or clock.

    Args:
        text: Lower case, one blank between words.
    """
    if text.isascii() and text.isdigit() and len(text) in {10, 13}:  # seconds or milliseconds since 1970
        return datetime.fromtimestamp(int(text[:10]), tz=UTC)
    weekday = _WEEKDAY.match(text)  # or a month that stands before its day
    for pattern, places in _DAYS:
        if day := pattern.match(text) or (weekday and pattern.match(text, weekday.end())):
            year, month, of_month = (day[place] for place in places)
            number = month if month.isdigit() else str(_MONTHS.get(month[:4]) or _MONTHS.get(month[:3], 0))
            return _with_time(year, number, of_month, text[day.end() :], is_korean="년" in day[0])
    return None


def _with_time(year: str, month: str, day: str, rest: str, *, is_korean: bool) -> datetime | None:
    if not rest.strip(" .zг"):
        return _moment(year, month, day, [None] * 6)
    time = _TIME.fullmatch(rest)
    if time is None:
        return None
    korean, hour, minute, second, half, sign, hours, minutes, name = time.groups()
    hour = _of_24(hour, half or _HALVES.get((korean or "").strip()))
    date = _moment(year, month, day, [hour, minute, second, sign, hours, minutes])
    east = _ZONES.get(name or "", 9 if korean or is_korean else 0)
    try:
        return date and date - timedelta(hours=east)
    except OverflowError:
        return None


def _of_24(hour: str, half: str | None) -> str:
    number = int(hour)
    if half and 1 <= number <= 12:
        number = number % 12 + (12 if half == "pm" else 0)
    return f"{number:02}"


def _as_feedparser(text: str) -> datetime | None:
    """Return what feedparser takes it for; its struct_time is UTC but does not say so.

    https://feedparser.readthedocs.io/en/latest/date-parsing.html
    """
    if not any(map(str.isdigit, text)):
        return None
    from feedparser.datetimes import _parse_date  # noqa: PLC0415 - memory, for few feeds

    parsed: Any = _parse_date(text[:_LONGEST])
    if parsed is None:
        return None
    try:
        return datetime.fromtimestamp(calendar.timegm(parsed), tz=UTC)
    except (ValueError, OverflowError, OSError):  # a year that no calendar has
        return None
