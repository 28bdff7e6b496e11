"""When a feed is polled again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.identity import sort_items
from bot.core.schedule import (
    NextPollReason,
    PollDecision,
    PollPolicy,
    after_success,
    first_poll_at,
    median_gap,
)
from bot.model import (
    ZERO,
    Feed,
    FeedId,
    Fetched,
    Item,
    NotModified,
    ParsedFeed,
    PollReason,
    PollState,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
POLICY = PollPolicy()
FEED = Feed(id=FeedId("harbour"), url="https://harbour.example/rss")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MIDDLE = 0.5  # of the dice: no jitter


def a_200(**facts: object) -> Fetched:
    given_facts: dict[str, object] = {
        "body": b"x",
        "final_url": FEED.url,
        "content_type": None,
        "etag": None,
        "last_modified": None,
        "max_age": None,
    }
    return Fetched(**(given_facts | facts))  # type: ignore[arg-type]  # a builder names only what matters


def a_304(
    etag: str | None = None, last_modified: str | None = None, max_age: timedelta | None = None
) -> NotModified:
    return NotModified(etag=etag, last_modified=last_modified, max_age=max_age)


def parsed(*, gap: timedelta | None = None, wait: timedelta = ZERO) -> ParsedFeed:
    dates = [NOW - gap * number for number in range(5)] if gap else []
    return ParsedFeed(items=tuple(Item(feed_id=FEED.id, published_at=date) for date in dates), wait=wait)


def good(
    outcome: Fetched | NotModified,
    found: ParsedFeed | None = None,
    *,
    state: PollState = PollState(),  # noqa: B008  # frozen
    feed: Feed = FEED,
    dice: float = MIDDLE,
) -> PollDecision:
    sorted_items = None if found is None else sort_items(found.items, {}, state, NOW)
    return after_success(feed, state, outcome, "hash", found, sorted_items, now=NOW, dice=dice, policy=POLICY)


def wait(decision: PollDecision) -> timedelta:
    return decision.next_poll_at - NOW


# ---- after a good poll ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gap", "expected"),
    [
        (MINUTE, 5 * MINUTE),
        (20 * MINUTE, 10 * MINUTE),
        (3 * HOUR, 90 * MINUTE),
        (3 * DAY, 4 * HOUR),
        (None, 30 * MINUTE),
    ],
    ids=["busy", "usual", "slow", "sleepy", "unknown"],
)
def test_a_feed_is_polled_twice_a_median_gap(gap: timedelta | None, expected: timedelta) -> None:
    decision = good(a_200(), parsed(gap=gap))

    assert wait(decision) == expected
    assert decision.why is NextPollReason.INTERVAL
    assert decision.reason is PollReason.FETCHED


@pytest.mark.parametrize(
    ("interval", "expected"), [(DAY, DAY), (2 * MINUTE, 2 * MINUTE), (timedelta(seconds=1), MINUTE)]
)
def test_the_operators_interval_wins_down_to_a_minute(interval: timedelta, expected: timedelta) -> None:
    decision = good(a_200(), parsed(gap=HOUR), feed=replace(FEED, interval=interval))

    assert wait(decision) == expected
    assert decision.why is NextPollReason.OPERATOR


@pytest.mark.parametrize("dice", [0.0, 0.3, 0.999])
@pytest.mark.parametrize("feed", [FEED, replace(FEED, interval=MINUTE)], ids=["computed", "override"])
def test_a_feed_is_never_polled_sooner_than_it_asks(feed: Feed, dice: float) -> None:
    by_header = good(a_200(max_age=HOUR), parsed(gap=MINUTE), feed=feed, dice=dice)
    by_body = good(a_200(), parsed(gap=MINUTE, wait=HOUR), feed=feed, dice=dice)

    assert wait(by_header) >= HOUR
    assert wait(by_body) >= HOUR
    assert by_header.why is by_body.why is NextPollReason.SERVER_ASKED


def test_what_a_feed_asks_for_is_capped_at_five_hours() -> None:
    assert wait(good(a_200(max_age=365 * DAY), parsed())) == 5 * HOUR * 1.05


def test_what_a_feed_asked_for_outlives_a_304() -> None:
    state = good(a_200(), parsed(gap=MINUTE, wait=2 * HOUR)).state

    decision = good(a_304(), state=state)

    assert wait(decision) >= 2 * HOUR
    assert decision.reason is PollReason.NOT_MODIFIED


def test_a_200_renews_what_the_feed_asks_for() -> None:
    state = good(a_200(max_age=3 * HOUR), parsed(gap=MINUTE)).state

    assert wait(good(a_200(), parsed(gap=MINUTE), state=state)) == 5 * MINUTE


def test_a_good_poll_clears_all_failures() -> None:
    failing = PollState(failures=7, failing_since=NOW - DAY, gone_count=2, gone_since=NOW - DAY)

    state = good(a_304(), state=failing).state

    assert (state.failures, state.failing_since, state.gone_count, state.gone_since) == (0, None, 0, None)
    assert state.last_ok_at == NOW


def test_a_200_replaces_validators_and_hash() -> None:
    old = PollState(etag='"old"', last_modified="old", body_sha256="old")

    state = good(a_200(etag='"new"'), parsed(), state=old).state

    assert (state.etag, state.last_modified, state.body_sha256) == ('"new"', None, "hash")
    assert state.validators_since == NOW


def test_the_same_body_keeps_what_the_last_one_told() -> None:
    state = good(a_200(), parsed(gap=HOUR, wait=50 * MINUTE)).state

    decision = good(a_200(), None, state=state)

    assert decision.reason is PollReason.SAME_BODY
    assert (decision.state.median_gap, decision.state.server_wait) == (HOUR, 50 * MINUTE)


def test_a_304_renews_validators_but_not_their_age() -> None:
    old = PollState(etag='"old"', last_modified="old", validators_since=NOW - DAY)

    state = good(a_304(etag='"new"'), state=old).state

    assert (state.etag, state.last_modified, state.validators_since) == ('"new"', "old", NOW - DAY)


@pytest.mark.parametrize(("age", "kept"), [(8 * DAY, True), (8 * DAY + MINUTE, False)])
def test_validators_are_dropped_after_eight_days_of_nothing_but_304(age: timedelta, kept: bool) -> None:
    old = PollState(etag='"e"', last_modified="l", validators_since=NOW - age)

    state = good(a_304(etag='"e"'), state=old).state

    assert (state.etag is not None, state.last_modified is not None) == (kept, kept)


def test_a_feed_without_validators_is_asked_in_full_and_stays_so() -> None:
    state = good(a_200(), parsed()).state

    assert (state.etag, state.last_modified, state.validators_since) == (None, None, None)


def test_after_eight_days_of_304_a_200_brings_new_validators() -> None:
    old = PollState(etag='"e"', validators_since=NOW - 9 * DAY, body_sha256="hash", server_wait=HOUR)

    dropped = good(a_304(etag='"e"'), state=old).state
    renewed = good(a_200(etag='"f"'), None, state=dropped).state

    assert (dropped.etag, dropped.validators_since, dropped.body_sha256) == (None, None, "hash")
    assert (renewed.etag, renewed.validators_since) == ('"f"', NOW)


def test_an_empty_body_leaves_the_rhythm_as_it_was() -> None:
    state = PollState(last_ok_at=NOW, median_gap=HOUR, window=DAY, window_start=NOW - DAY)

    after = good(a_200(), parsed(), state=state).state

    assert (after.median_gap, after.window, after.window_start) == (HOUR, DAY, NOW - DAY)


def test_jitter_spreads_by_a_tenth() -> None:
    waits = [wait(good(a_200(), parsed(gap=HOUR), dice=dice)) for dice in (0.0, 0.5, 1.0)]

    assert waits == [27 * MINUTE, 30 * MINUTE, 33 * MINUTE]


# ---- the first poll, and the rhythm --------------------------------------------------------------


def test_first_polls_spread_over_a_minute_by_url() -> None:
    feeds = [replace(FEED, url=f"https://harbour.example/{number}") for number in range(200)]

    phases = [first_poll_at(feed, NOW, POLICY) - NOW for feed in feeds]

    assert min(phases) >= ZERO
    assert 50 * timedelta(seconds=1) < max(phases) < MINUTE
    assert len(set(phases)) == 200
    assert phases == [first_poll_at(feed, NOW, POLICY) - NOW for feed in feeds]


def test_the_median_gap_overlooks_pauses_and_items_of_one_moment() -> None:
    hours = [0, 0, 1, 2, 3, 80]
    items = tuple(Item(feed_id=FEED.id, published_at=NOW - hour * HOUR) for hour in hours)

    assert median_gap(items) == HOUR
    assert median_gap(items[:3]) is None
    assert median_gap((Item(feed_id=FEED.id),)) is None


# ---- laws ----------------------------------------------------------------------------------------

spans = st.timedeltas(min_value=timedelta(days=-1), max_value=timedelta(days=4000))
moments = st.datetimes(
    min_value=datetime(2000, 1, 1),  # noqa: DTZ001  # hypothesis adds the zone
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
states = st.builds(
    PollState,
    etag=st.none() | st.text(max_size=5),
    validators_since=st.none() | moments,
    failures=st.integers(0, 10**9),
    gone_count=st.integers(0, 10),
    gone_since=st.none() | moments,
    failing_since=st.none() | moments,
    server_wait=spans,
    median_gap=st.none() | spans,
    last_ok_at=st.none() | moments,
    gap_at=st.none() | moments,
    hurry=st.integers(0, 10),
    window_start=st.none() | moments,
    learned_url=st.none() | st.just("https://elsewhere.example/rss"),
)
feeds = st.builds(Feed, id=st.just(FEED.id), url=st.text(), interval=st.none() | spans)
gaps = st.none() | spans
dices = st.floats(0, 1, exclude_max=True)
outcomes = st.builds(a_200, max_age=st.none() | spans) | st.builds(a_304, max_age=st.none() | spans)


@settings(deadline=None)
@given(
    feed=feeds, state=states, outcome=outcomes, gap=st.none() | spans, asked=spans, now=moments, dice=dices
)
def test_the_next_poll_after_a_good_one_is_later_and_within_bounds(
    feed: Feed,
    state: PollState,
    outcome: Fetched | NotModified,
    gap: timedelta | None,
    asked: timedelta,
    now: datetime,
    dice: float,
) -> None:
    found = parsed(gap=gap, wait=asked) if isinstance(outcome, Fetched) else None

    items = None if found is None else sort_items(found.items, {}, state, now)
    decision = after_success(feed, state, outcome, None, found, items, now=now, dice=dice, policy=POLICY)

    longest = max(4 * HOUR, 5 * HOUR, feed.interval or ZERO, state.server_wait)
    assert 54 * timedelta(seconds=1) <= decision.next_poll_at - now <= 1.1 * longest + timedelta(seconds=1)
    assert decision.pause is None
    assert decision.host_pause is None
    assert 0 <= decision.state.hurry <= 4
