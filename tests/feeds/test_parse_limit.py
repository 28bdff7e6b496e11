"""Feeds of more items than the limit: which are kept, what that costs, and that it is counted."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.feeds.draft import Draft
from bot.feeds.parse import parse_feed
from bot.feeds.surplus import newest, without_surplus
from bot.feeds.xmlfeed import read_fast, read_slowly
from bot.model import Feed, FeedId, ParsedFeed

NOW: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)
FEED: Final = Feed(id=FeedId("long"), url="https://long.example/feeds/all")
Dates = Sequence[datetime | None]


def days_ago(*days: int | None) -> list[datetime | None]:
    return [None if day is None else NOW - timedelta(days=day) for day in days]


def dated(name: str, date: object) -> str:
    return f"<{name}>{date}</{name}>" if date else ""


def an_rss(dates: Dates) -> str:
    items = (
        f"<item><title>{number}</title>{dated('pubDate', date and format_datetime(date))}</item>"
        for number, date in enumerate(dates)
    )
    return f'<rss version="2.0"><channel><title>t</title>{"".join(items)}<ttl>60</ttl></channel></rss>'


def a_slow_rss(dates: Dates) -> str:
    """One that is left to feedparser."""
    return an_rss(dates).replace("</item>", "<body/></item>")


def an_atom(dates: Dates) -> str:
    entries = (
        f"<a:entry><a:title>{number}</a:title>{dated('a:updated', date and date.isoformat())}</a:entry>"
        for number, date in enumerate(dates)
    )
    return f'<a:feed xmlns:a="http://www.w3.org/2005/Atom">{"".join(entries)}</a:feed>'


def a_json(dates: Dates) -> str:
    items = [
        {"title": str(number), "date_published": date and date.isoformat()}
        for number, date in enumerate(dates)
    ]
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": items})


formats = pytest.mark.parametrize("a_feed", [an_rss, a_slow_rss, an_atom, a_json])
Maker = Callable[[Dates], str]


def parse(body: str, max_items: int = 500) -> ParsedFeed:
    return parse_feed(body.encode(), None, FEED, NOW, FEED.url, max_items)


def kept(found: ParsedFeed) -> list[int]:
    return [int(item.title) for item in found.items]


# ---- which are kept --------------------------------------------------------------------------------


@formats
def test_of_a_long_feed_that_lists_the_oldest_first_the_newest_are_kept(a_feed: Maker) -> None:
    found = parse(a_feed(days_ago(*range(600, 0, -1))))

    assert kept(found) == [*range(100, 600)]
    assert found.left_out == 100


@formats
def test_of_a_long_feed_that_lists_the_newest_first_the_first_are_kept(a_feed: Maker) -> None:
    found = parse(a_feed(days_ago(*range(600))))

    assert kept(found) == [*range(500)]
    assert found.left_out == 100


@formats
def test_one_entry_over_the_limit_costs_the_oldest(a_feed: Maker) -> None:
    found = parse(a_feed(days_ago(3, 1, 9, 2)), max_items=3)

    assert kept(found) == [0, 1, 3]
    assert found.left_out == 1


@formats
@pytest.mark.parametrize(
    "dates",
    [
        pytest.param([None] * 12, id="no dates"),
        pytest.param([NOW] * 5 + [None] * 7, id="fewer than half dated"),
        pytest.param([NOW] * 12, id="one date for all"),
    ],
)
def test_where_dates_do_not_tell_the_first_and_the_last_are_kept(a_feed: Maker, dates: Dates) -> None:
    found = parse(a_feed(dates), max_items=5)

    assert kept(found) == [0, 1, 2, 10, 11]
    assert found.left_out == 7


@formats
@pytest.mark.parametrize("count", [0, 1, 9, 10])
def test_a_feed_within_the_limit_is_kept_whole(a_feed: Maker, count: int) -> None:
    found = parse(a_feed(days_ago(*range(count))), max_items=10)

    assert kept(found) == [*range(count)]
    assert found.left_out == 0


@pytest.mark.parametrize(
    ("days", "numbers"),
    [
        pytest.param([9, 1, None, 8, 7], [1, 2, 4], id="an undated one is as old as the one before it"),
        pytest.param([None, 1, 9, 8, 7], [0, 1, 4], id="at the beginning, as the one after it"),
        pytest.param([20_000, 1, 9, 8, 7], [0, 1, 4], id="a date before the web is none"),
        pytest.param([-900, -800, 3, -700, -1], [0, 1, 4], id="dates to come are all the present"),
        pytest.param([5, 5, 5, 5, 1], [0, 3, 4], id="of one date, the first and the last"),
    ],
)
def test_dates_count_for_what_they_are_worth(days: list[int | None], numbers: list[int]) -> None:
    drafts = tuple(Draft(guid=str(number), published_at=date) for number, date in enumerate(days_ago(*days)))

    assert [int(draft.guid) for draft in newest(drafts, 3, NOW)] == numbers


@given(st.lists(st.integers(0, 50), max_size=40), st.integers(1, 20))
def test_no_entry_is_left_out_for_an_older_one(days: list[int], limit: int) -> None:
    drafts = tuple(Draft(guid=str(number), published_at=date) for number, date in enumerate(days_ago(*days)))

    chosen = newest(drafts, limit, NOW)

    others = [draft for draft in drafts if draft not in chosen]
    assert len(chosen) == min(limit, len(drafts))
    assert [int(draft.guid) for draft in chosen] == sorted(int(draft.guid) for draft in chosen)
    assert not others or max(map(date_of, others)) <= min(map(date_of, chosen))


def date_of(draft: Draft) -> datetime:
    assert draft.published_at is not None
    return draft.published_at


# ---- what it costs ---------------------------------------------------------------------------------


@formats
@pytest.mark.parametrize("is_newest_first", [True, False])
def test_of_twenty_thousand_entries_the_newest_are_kept(a_feed: Maker, is_newest_first: bool) -> None:
    order = range(20_000) if is_newest_first else range(20_000, 0, -1)
    body = a_feed([NOW - timedelta(minutes=minute) for minute in order])

    found = parse(body)

    assert kept(found) == [*(range(500) if is_newest_first else range(19_500, 20_000))]
    assert found.left_out == 19_500


@pytest.mark.parametrize("wound", ["", "&nbsp;", "<item>", "</item>", "<!-- <item> -->"])
def test_a_hundred_thousand_entries_take_no_longer_than_some(wound: str) -> None:
    body = an_rss([NOW] * 100_000).replace("<item>", f"{wound}<item>", 1)
    started = time.process_time()

    found = parse(body)

    assert time.process_time() - started < 6  # feedparser alone takes longer, and the daemon kills it then
    assert len(found.items) in {499, 500}  # one of them may be empty
    assert found.left_out in {99_500, 99_501}


@pytest.mark.parametrize("a_feed", [an_rss, a_slow_rss, an_atom])
def test_twenty_thousand_entries_take_little_memory(a_feed: Maker) -> None:
    body = a_feed(days_ago(*[1] * 20_000))
    parse(a_feed([]))
    tracemalloc.start()
    try:
        parse(body)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 2 * len(body) + 15e6  # some copies of the text, and five thousand entries


def test_a_long_feed_that_feedparser_reads_is_read_to_its_end() -> None:
    found = parse(a_slow_rss([None] * 20_000))

    assert (kept(found)[249], kept(found)[250], kept(found)[499]) == (249, 19_750, 19_999)
    assert (len(found.items), found.left_out, found.wait) == (500, 19_500, timedelta(hours=1))


@pytest.mark.parametrize("a_feed", [an_rss, a_slow_rss, an_atom])
def test_both_readers_are_shown_the_same_part_of_a_long_feed(a_feed: Maker) -> None:
    document, unseen = without_surplus(a_feed(days_ago(*range(60))), 5)

    assert unseen == 10
    assert read_fast(document) in {None, slow := read_slowly(document)}
    assert slow is not None
    assert [int(draft.title.value) for draft in slow.drafts] == [*range(5), *range(15, 60)]


def test_entries_in_comments_and_quotations_are_not_counted() -> None:
    body = an_rss([None] * 8).replace("</title>", "</title><!-- <item> --><x><![CDATA[<item>]]></x>")

    assert without_surplus(body, 1) == (body, 0)
    assert without_surplus(an_rss([None] * 12), 1)[1] == 2


def test_items_inside_of_entries_are_not_counted() -> None:
    body = an_rss([None] * 8).replace("</item>", "<x:item/><x:item/></item>")

    assert without_surplus(body, 1) == (body, 0)
