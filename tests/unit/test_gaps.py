"""Whether items were missed, and what follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.gaps import hurry_after, is_gap
from bot.core.identity import KnownItem, Sorted, sort_items
from bot.core.schedule import NextPollReason, PollDecision, PollPolicy, after_success
from bot.model import (
    ZERO,
    Feed,
    FeedId,
    Fetched,
    Item,
    ItemId,
    ItemKey,
    NotModified,
    ParsedFeed,
    PollState,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FEED = Feed(id=FeedId("harbour"), url="https://harbour.example/rss")
POLLED = PollState(last_ok_at=NOW - HOUR, median_gap=2 * HOUR)


def an_item(number: int, age: timedelta | None = None) -> Item:
    return Item(
        feed_id=FEED.id,
        title=f"Title {number}",
        guid=f"guid-{number}",
        published_at=None if age is None else NOW - age,
    )


def aged(*minutes: int) -> tuple[Item, ...]:
    return tuple(an_item(number, age * MINUTE) for number, age in enumerate(minutes))


def undated(count: int) -> tuple[Item, ...]:
    return tuple(an_item(number) for number in range(count))


def remembered(*items: Item) -> dict[ItemKey, KnownItem]:
    found = sort_items(items, {}, PollState(), NOW)
    return {
        key: KnownItem(id=ItemId(number), content_hash=one.content_hash, seen_at=NOW)
        for number, one in enumerate(found)
        for key in one.keys
    }


def poll(
    items: Sequence[Item],
    state: PollState = POLLED,
    *,
    known: Sequence[Item] = (),
    feed: Feed = FEED,
    now: datetime = NOW,
    wait: timedelta = ZERO,
) -> PollDecision:
    answer = Fetched(
        body=b"x",
        final_url=feed.url,
        content_type=None,
        etag=None,
        last_modified=None,
        max_age=None,
    )
    found = sort_items(items, remembered(*known), state, now)
    return after_success(
        feed,
        state,
        answer,
        "hash",
        ParsedFeed(items=tuple(items), wait=wait),
        found,
        now=now,
        dice=0.5,
        policy=PollPolicy(),
    )


def a_304(state: PollState, now: datetime) -> PollDecision:
    answer = NotModified(etag=None, last_modified=None, max_age=None)
    return after_success(FEED, state, answer, None, None, None, now=now, dice=0.5, policy=PollPolicy())


# ---- what is a gap -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "items",
    [
        pytest.param(aged(5, 10, 20, 30), id="all since the last poll"),
        pytest.param(undated(4), id="undated"),
        pytest.param((*aged(5, 10, 20), an_item(9, 70 * MINUTE)), id="one is late"),
        pytest.param((*aged(5, 10, 20, 30), an_item(9, 400 * DAY)), id="an old one is pinned"),
        pytest.param(aged(1, 2, 3), id="a tiny feed that came round faster than we did"),
    ],
)
def test_a_later_poll_that_shares_nothing_has_missed_some(items: tuple[Item, ...]) -> None:
    assert is_gap(POLLED, sort_items(items, {}, POLLED, NOW), NOW)


@pytest.mark.parametrize(
    "items",
    [
        pytest.param((), id="no item"),
        pytest.param(aged(5), id="one item, a new one each time"),
        pytest.param(undated(3), id="a tiny feed without dates"),
        pytest.param(aged(5, 45), id="a tiny feed as slow as we are"),
        pytest.param(aged(5, 10, 70), id="a tiny feed that reaches back"),
        pytest.param(aged(5, 5, 5, 5, 5), id="a daily list, replaced as a whole"),
        pytest.param(aged(70, 80, 90, 100, 10), id="old ones under new names"),
        pytest.param(tuple(an_item(age, age * DAY) for age in range(40, 60)), id="an archive"),
        pytest.param((*aged(5, 10), *(an_item(age, age * DAY) for age in (40, 50))), id="half an archive"),
        pytest.param((an_item(1),) * 5, id="one item, five times over"),
        pytest.param(undated(3) * 2, id="three items, twice over"),
    ],
)
def test_nobody_cries_wolf(items: tuple[Item, ...]) -> None:
    assert not is_gap(POLLED, sort_items(items, {}, POLLED, NOW), NOW)


def test_a_first_poll_has_missed_nothing() -> None:
    found = sort_items(aged(5, 10, 20, 30), {}, PollState(), NOW)

    assert not is_gap(PollState(), found, NOW)


def test_one_known_item_is_overlap_enough() -> None:
    items = aged(5, 10, 20, 30, 50)

    assert not is_gap(POLLED, sort_items(items, remembered(items[-1]), POLLED, NOW), NOW)


def test_an_item_known_by_its_title_is_overlap() -> None:
    items = aged(5, 10, 20, 30)
    titles = {"Title 3": next(iter(remembered(items[3]).values()))}

    assert not is_gap(POLLED, sort_items(items, {}, POLLED, NOW, titles=titles), NOW)


# ---- what follows --------------------------------------------------------------------------------

SLOW = replace(FEED, interval=2 * HOUR)


def test_a_gap_halves_the_interval_and_is_remembered() -> None:
    decision = poll(undated(10), replace(POLLED, median_gap=HOUR))

    assert (decision.state.gap_at, decision.state.hurry) == (NOW, 1)
    assert decision.next_poll_at - NOW == 15 * MINUTE  # half of the default of half an hour
    assert decision.why is NextPollReason.MISSED


def test_each_further_gap_halves_it_again_down_to_a_sixteenth() -> None:
    state, waits = replace(POLLED, hurry=0), []
    for number in range(6):
        items = [an_item(100 * number + each) for each in range(10)]
        decision = poll(items, replace(state, last_ok_at=NOW - HOUR), feed=SLOW)
        state = decision.state
        waits.append((decision.next_poll_at - NOW) / MINUTE)

    assert waits == [60, 30, 15, 7.5, 7.5, 7.5]
    assert state.hurry == 4


@pytest.mark.parametrize(
    ("feed", "least", "why"),
    [
        pytest.param(FEED, 5 * MINUTE, NextPollReason.MISSED, id="least interval"),
        pytest.param(
            replace(FEED, interval=4 * MINUTE), MINUTE, NextPollReason.MISSED, id="the operator's interval"
        ),
        pytest.param(
            replace(FEED, interval=MINUTE), MINUTE, NextPollReason.OPERATOR, id="cannot be shortened"
        ),
    ],
)
def test_hurry_never_goes_below_the_least_interval(feed: Feed, least: timedelta, why: NextPollReason) -> None:
    decision = poll(undated(10), replace(POLLED, hurry=4, gap_at=NOW), feed=feed, known=undated(1))

    assert (decision.next_poll_at - NOW, decision.why) == (least, why)


def test_hurry_never_goes_below_what_the_server_asks() -> None:
    decision = poll(undated(10), wait=HOUR)

    assert decision.state.hurry == 1
    assert decision.next_poll_at - NOW >= HOUR
    assert decision.why is NextPollReason.SERVER_ASKED


@pytest.mark.parametrize(
    ("days", "hurry"), [(0, 3), (1, 3), (2, 2), (3, 1), (4, 0), (400, 0), (-400, 3)], ids=str
)
def test_hurry_fades_within_four_days_without_a_gap(days: int, hurry: int) -> None:
    state = replace(POLLED, hurry=3, gap_at=NOW - days * DAY)

    assert poll(undated(10), state, known=undated(10)).state.hurry == hurry
    assert a_304(state, NOW).state.hurry == hurry


def test_a_gap_stays_on_record_when_it_is_over() -> None:
    state = replace(POLLED, hurry=1, gap_at=NOW - 5 * DAY)

    decision = poll(undated(10), state, known=undated(10))

    assert (decision.state.gap_at, decision.state.hurry) == (NOW - 5 * DAY, 0)
    assert decision.why is NextPollReason.INTERVAL


def test_after_an_outage_a_gap_is_told_but_the_interval_is_not_to_blame() -> None:
    state = replace(POLLED, last_ok_at=NOW - 3 * DAY)

    decision = poll(undated(10), state)

    assert (decision.state.gap_at, decision.state.hurry) == (NOW, 0)
    assert decision.why is NextPollReason.INTERVAL


def test_news_are_noted() -> None:
    items = undated(3)
    state = replace(POLLED, last_new_at=NOW - DAY)

    assert poll(items, PollState()).state.last_new_at == NOW
    assert poll(items, state, known=items[1:]).state.last_new_at == NOW
    assert poll(items, state, known=items).state.last_new_at == NOW - DAY
    assert poll([an_item(1, 100 * DAY)], state).state.last_new_at == NOW - DAY
    assert a_304(state, NOW).state.last_new_at == NOW - DAY


# ---- the window ----------------------------------------------------------------------------------


def test_the_window_reaches_from_the_oldest_to_the_newest_date() -> None:
    assert poll((*aged(60, 5, 20), an_item(9))).state.window == 55 * MINUTE
    assert poll(aged(60)).state.window is None
    assert poll((), replace(POLLED, window=HOUR)).state.window == HOUR  # an empty body tells nothing


@pytest.mark.parametrize(
    ("ages", "begins"),
    [
        pytest.param((), 24 * 60, id="no dates: a day"),
        pytest.param((5,), 5, id="one"),
        pytest.param((5, 60), 60, id="two"),
        pytest.param((5, 60, 90_000), 60, id="a stray one of three"),
        pytest.param((*range(1, 20), 90_000), 18, id="a tenth of twenty"),
        pytest.param((*range(1, 10), 90_000), 9, id="a stray one of ten"),
        pytest.param((-60,), 0, id="never in the future"),
    ],
)
def test_the_first_window_leaves_out_the_oldest_tenth(ages: tuple[int, ...], begins: int) -> None:
    state = poll((*aged(*ages), an_item(999)), PollState()).state

    assert state.window_start == NOW - begins * MINUTE


def test_only_the_first_good_poll_says_where_the_archive_begins() -> None:
    first = poll(aged(5, 60), PollState()).state
    later = poll(aged(1, 600), first)

    assert later.state.window_start == first.window_start
    assert poll(aged(1, 600), POLLED).state.window_start is None


# ---- laws ----------------------------------------------------------------------------------------

moments = st.datetimes(
    min_value=datetime(2026, 1, 1),  # noqa: DTZ001  # hypothesis adds the zone
    max_value=datetime(2027, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
items = st.builds(
    Item,
    feed_id=st.just(FEED.id),
    title=st.sampled_from(["a", "b", ""]),
    guid=st.none() | st.integers(0, 30).map(str),
    published_at=st.none() | moments,
)
states = st.builds(
    PollState,
    last_ok_at=st.none() | moments,
    gap_at=st.none() | moments,
    hurry=st.integers(0, 9),
    window_start=st.none() | moments,
)


@settings(deadline=None)
@given(
    found=st.lists(items, max_size=12), state=states, now=moments, missed=st.booleans(), late=st.booleans()
)
def test_hurry_stays_in_bounds_and_only_a_gap_adds_to_it(
    found: list[Item], state: PollState, now: datetime, missed: bool, late: bool
) -> None:
    hurry = hurry_after(state, now, is_missed=missed, is_late=late)

    assert 0 <= hurry <= 4
    assert hurry <= state.hurry + (missed and not late)


@settings(deadline=None)
@given(st.lists(items, max_size=12), st.lists(items, max_size=3), states, moments)
def test_a_gap_needs_news_and_no_overlap(
    new: list[Item], old: list[Item], state: PollState, now: datetime
) -> None:
    found: tuple[Sorted, ...] = sort_items(new, remembered(*old), state, now)

    if is_gap(state, found, now):
        assert state.last_ok_at is not None
        assert all(one.known is None for one in found)
        assert len(found) >= 2
