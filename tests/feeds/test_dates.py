"""Dates as feeds have them."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime

import pytest
from feedparser.datetimes import _parse_date
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.feeds.dates import first_date, read_date

TEN = "2026-11-21T10:00:00+00:00"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Sat, 21 Nov 2026 10:00:00 GMT", TEN),
        ("Sat, 21 Nov 2026 13:00:00 +0300", TEN),
        ("21 Nov 2026 05:00:00 -0500", TEN),
        ("2026-11-21T10:00:00Z", TEN),
        ("2026-11-21T10:00:00.987654321Z", TEN),
        ("2026-11-21T11:00:00+01:00", TEN),
        ("2026-11-21T11:00:00+0100", TEN),
        # zones
        ("Sat, 21 Nov 2026 13:00:00 MSK", TEN),
        ("21 Nov 2026 13:00:00 МСК", TEN),
        ("Sat, 21 Nov 2026 11:00:00 CET", TEN),
        ("Sat, 21 Nov 2026 19:00:00 JST", TEN),
        ("Sat, 21 Nov 2026 05:00:00 EST", TEN),
        ("Sat, 21 Nov 2026 15:30:00 IST", TEN),
        ("Sat, 21 Nov 2026 13:00:00 GMT+3", TEN),
        ("Sat, 21 Nov 2026 13:00:00 UTC+03:00", TEN),
        ("Sat, 21 Nov 2026 13:00:00 GMT+0300 (MSK)", TEN),
        ("Sat, 21 Nov 2026 13:00:00+0300", TEN),
        ("2026-11-21 13:00:00 MSK", TEN),
        ("2026-11-21 11:00:00 +0100", TEN),
        ("2026-11-21T13:00:00+03", TEN),
        # no zone
        ("Sat, 21 Nov 2026 10:00:00", TEN),
        ("Sat, 21 Nov 2026 10:00", TEN),
        ("2026-11-21 10:00", TEN),
        ("2026-11-21T10:00", TEN),
        # languages
        ("Сб, 21 ноя 2026 13:00:00 +0300", TEN),
        ("сб, 21 нояб. 2026 г. 13:00:00 +0300", TEN),
        ("21 ноября 2026, 10:00", TEN),
        ("21 листопада 2026 10:00", TEN),
        ("Sa, 21 Nov 2026 11:00:00 +0100", TEN),
        ("Samstag, 21. November 2026 - 10:00 Uhr", TEN),
        ("Mo, 21 Dez 2026 10:00:00 GMT", "2026-12-21T10:00:00+00:00"),
        ("lun., 21 déc. 2026 11:00:00 +0100", "2026-12-21T10:00:00+00:00"),
        ("21 juin 2026 10:00", "2026-06-21T10:00:00+00:00"),
        ("21 juillet 2026 10:00", "2026-07-21T10:00:00+00:00"),
        ("21 de noviembre de 2026 10:00", TEN),
        ("sob, 21 lis 2026 11:00:00 +0100", TEN),
        ("November 21, 2026 10:00 AM", TEN),
        ("Nov 21st, 2026 10:00pm", "2026-11-21T22:00:00+00:00"),
        ("Sat, 21 Nov 2026 12:30:00 AM", "2026-11-21T00:30:00+00:00"),
        ("2026年11月21日 10:00", TEN),
        ("2026년 11월 21일 19:00:00", TEN),
        ("2026-11-21 오후 7:00:00", TEN),
        ("2026-november-21T11:00+01:00", TEN),
        # orders
        ("21.11.2026 10:00", TEN),
        ("2026/11/21 10:00:00", TEN),
        ("20261121T100000Z", TEN),
        ("Sat Nov 21 10:00:00 2026", TEN),
        ("21-Nov-2026 10:00:00", TEN),
        ("1795255200", "2026-11-21T10:00:00+00:00"),
        ("1795255200123", "2026-11-21T10:00:00+00:00"),
        ("20261121", "2026-11-21T00:00:00+00:00"),
        ("November 21, 2026", "2026-11-21T00:00:00+00:00"),
        ("21.11.2026", "2026-11-21T00:00:00+00:00"),
        # the end of a day
        ("Sat, 21 Nov 2026 24:00:00 GMT", "2026-11-22T00:00:00+00:00"),
        ("2026-11-21T24:00:00Z", "2026-11-22T00:00:00+00:00"),
        ("2026-11-21T23:59:60Z", "2026-11-22T00:00:00+00:00"),
    ],
)
def test_a_date_is_read_however_it_is_written(text: str, moment: str) -> None:
    assert read_date(text) == datetime.fromisoformat(moment)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "soon",
            "yesterday evening",
            "0000-00-00 00:00:00",
            "Sat, 32 Nov 2026 10:00:00 GMT",
            "11/21/2026",
            "05/06/2026",
        ),
        *(
            "9999-12-31T23:59:59-14:00",
            "0001-01-01T00:00:00+14:00",
            "Sat, 21 Nov 2026 25:00:00 GMT",
            "21 foo 2026 10:00",
        ),
        *("2026-13-01", "2026-00-10T10:00:00Z", "2026-11-40", "20261321", "2026-W47", "2026W471"),
    ],
)
def test_what_is_no_date_or_might_be_two_is_none(text: str) -> None:
    assert read_date(text) is None


def test_the_first_that_is_a_date_counts() -> None:
    assert first_date("", "soon", "2026-11-21", "2026-11-22") == datetime(2026, 11, 21, tzinfo=UTC)


@settings(deadline=None)
@given(
    st.integers(31_536_000, 4_070_908_800).map(lambda seconds: datetime.fromtimestamp(seconds, tz=UTC)),
    st.integers(-14 * 60, 14 * 60),
    st.booleans(),
)
def test_usual_dates_are_what_feedparser_takes_them_for(local: datetime, offset: int, is_mail: bool) -> None:
    zone = f"{'-' if offset < 0 else '+'}{abs(offset) // 60:02}{abs(offset) % 60:02}"
    text = (
        f"{local:%a, %d %b %Y %H:%M:%S} {zone}"
        if is_mail
        else f"{local:%Y-%m-%dT%H:%M:%S}{zone[:3]}:{zone[3:]}"
    )

    assert read_date(text) == datetime.fromtimestamp(calendar.timegm(_parse_date(text)), tz=UTC)


@settings(max_examples=500, deadline=None)
@given(st.text() | st.text("0123456789-/.:, TZ+adNovSatpm年월"))
def test_any_text_is_a_date_or_none(text: str) -> None:
    date = read_date(text)

    assert date is None or date.tzinfo is UTC
