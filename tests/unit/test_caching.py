"""What header fields say of time and sameness."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.caching import asked_wait, fresh_for, is_same_etag, kept_etag, kept_last_modified, looks_whole

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
IN_FIVE_MINUTES = "Sun, 22 Nov 2026 12:05:00 GMT"
FIVE_MINUTES = timedelta(minutes=5)
TEXTS = st.text(max_size=40) | st.from_regex(r"[0-9A-Za-z,:+\- ]{0,40}")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("max-age=300", 300),
        ('public, MAX-AGE="60"', 60),
        ("max-age=60, max-age=900", 60),
        ("public, s-maxage=9, max-age=60", 60),
        ("s-maxage=9", None),
        ("no-cache, max-age=300", None),
        ("max-age=300, no-store", None),
        ('no-cache="Set-Cookie", max-age=300', 300),
        ("max-age=0", 0),
        ("max-age=-1", None),
        ("max-age=soon", None),
        ("max-age", None),
        ("max-age=" + "9" * 900, 1e9),
        (",,=,;", None),
        ("", None),
    ],
)
def test_max_age_is_read_from_cache_control(header: str, expected: float | None) -> None:
    found = fresh_for(header, expires=None, date=None, age=None, now=NOW)

    assert found == (None if expected is None else timedelta(seconds=expected))


@pytest.mark.parametrize(
    ("cache_control", "expires", "date", "expected"),
    [
        pytest.param("", IN_FIVE_MINUTES, None, FIVE_MINUTES, id="by our clock"),
        pytest.param(
            "public", IN_FIVE_MINUTES, "Sun, 22 Nov 2026 11:00:00 GMT", timedelta(minutes=65), id="by theirs"
        ),
        pytest.param("max-age=60", IN_FIVE_MINUTES, None, timedelta(minutes=1), id="max-age comes first"),
        pytest.param("max-age=soon", IN_FIVE_MINUTES, None, None, id="even a broken one"),
        pytest.param("no-cache", IN_FIVE_MINUTES, None, None, id="overruled"),
        pytest.param("", "Sat, 21 Nov 2026 12:00:00 GMT", None, timedelta(0), id="past"),
        pytest.param("", "0", None, None, id="no date"),
        pytest.param("", "Sunday, 22-Nov-26 12:05:00 GMT", None, FIVE_MINUTES, id="RFC 850"),
        pytest.param("", "Sun Nov 22 12:05:00 2026", None, FIVE_MINUTES, id="asctime"),
    ],
)
def test_expires_counts_where_max_age_says_nothing(
    cache_control: str, expires: str, date: str | None, expected: timedelta | None
) -> None:
    assert fresh_for(cache_control, expires=expires, date=date, age=None, now=NOW) == expected


@pytest.mark.parametrize(
    ("age", "expected"), [("100", 200), ("300", 0), ("9999", 0), ("-5", 300), ("old", 300), ("", 300)]
)
def test_the_time_in_caches_is_taken_off(age: str, expected: int) -> None:
    found = fresh_for("max-age=300", expires=None, date=None, age=age, now=NOW)

    assert found == timedelta(seconds=expected)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param(["120"], timedelta(minutes=2), id="seconds"),
        pytest.param(["0.5"], timedelta(seconds=0.5), id="part of a second"),
        pytest.param([IN_FIVE_MINUTES], FIVE_MINUTES, id="date"),
        pytest.param(["Sun, 22 Nov 2026 14:05:00 +0200"], FIVE_MINUTES, id="date elsewhere"),
        pytest.param(["60", "120"], timedelta(minutes=2), id="several"),
        pytest.param(["60, 120"], timedelta(minutes=2), id="several, joined"),
        pytest.param(["soon", "120"], timedelta(minutes=2), id="one of them in words"),
        pytest.param(["99999999"], timedelta(days=1), id="three years"),
        pytest.param(["9" * 9000], timedelta(days=1), id="ages"),
        pytest.param(["Fri, 01 Mar 2036 12:00:00 GMT"], timedelta(days=1), id="date in ten years"),
        pytest.param(["Sat, 21 Nov 2026 12:00:00 GMT"], None, id="date in the past"),
        pytest.param(["0"], None, id="nothing"),
        pytest.param(["-5"], None, id="below nothing"),
        pytest.param(["when the moon is full"], None, id="words"),
        pytest.param(["٣٠"], None, id="digits of another script"),
        pytest.param([""], None, id="empty"),
        pytest.param([], None, id="absent"),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_at_most_a_day(
    values: list[str], expected: timedelta | None
) -> None:
    assert asked_wait(values, NOW) == expected


@given(st.lists(TEXTS, max_size=3))
def test_whatever_retry_after_says_the_wait_is_sane(values: list[str]) -> None:
    wait = asked_wait(values, NOW)

    assert wait is None or timedelta(0) < wait <= timedelta(days=1)


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_whatever_is_said_of_freshness_nothing_breaks(
    control: str, expires: str, date: str, age: str
) -> None:
    found = fresh_for(control, expires=expires, date=date, age=age, now=NOW)

    assert found is None or found >= timedelta(0)


@pytest.mark.parametrize("etag", ['"a"', 'W/"a"', "no quotes", '"a", "b"', '""', 'w/"odd"', '"a*b"'])
def test_an_etag_is_kept_as_it_came(etag: str) -> None:
    assert kept_etag(etag) == etag


@pytest.mark.parametrize("etag", [None, "", "*", " * ", "a\nb", "caf\udce9", "x" * 1001])
def test_an_etag_that_cannot_be_asked_for_is_not_kept(etag: str | None) -> None:
    assert kept_etag(etag) is None


@pytest.mark.parametrize(
    "value", ["Sat, 21 Nov 2026 10:00:00 GMT", "yesterday, roughly", "Mon, 23 Nov 2026 11:00:00 GMT"]
)
def test_a_last_modified_is_kept_as_it_came(value: str) -> None:
    assert kept_last_modified(value, NOW) == value


@pytest.mark.parametrize("value", [None, "", "Fri, 01 Mar 2036 12:00:00 GMT", "\udce9", "x" * 1001])
def test_a_last_modified_that_would_hide_news_is_not_kept(value: str | None) -> None:
    assert kept_last_modified(value, NOW) is None


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ('"a"', '"a"', True),
        ('W/"a"', '"a"', True),
        ('"a"', '"b"', False),
        ('"a"', "a", False),
        (None, '"a"', False),
        (None, None, False),
    ],
)
def test_etags_are_compared_weakly(one: str | None, other: str | None, is_same: bool) -> None:
    assert is_same_etag(one, other) is is_same
    assert is_same_etag(other, one) is is_same


@pytest.mark.parametrize(
    ("body", "is_whole"),
    [
        (b"<rss><channel/></rss>", True),
        (b"<feed></feed>\n<!-- served by a cache in 0.2 s -->", True),
        (b"<rdf:RDF></rdf:RDF>", True),
        (b'{"items": []}\n', True),
        (b"<html></HTML >", True),
        ("<rss></rss>".encode("utf-16"), True),
        (b"<rss><channel><item>", False),
        (b'{"items": [{"id": "1"', False),
        (b"", False),
        (b"<rss></rss>" + b" " * 3000, False),
    ],
)
def test_a_body_looks_whole_where_its_end_is_there(body: bytes, is_whole: bool) -> None:
    assert looks_whole(body) is is_whole
