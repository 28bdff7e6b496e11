"""What a failed poll leaves behind."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.schedule import NextPollReason, PollDecision, PollPolicy, after_error, needs_operator
from bot.errors import FeedUnreadable, FetchError, FetchGone, FetchRefused, FetchTemporary
from bot.model import Feed, FeedId, HostPause, PauseReason, PollReason, PollState

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
POLICY = PollPolicy()
FEED = Feed(id=FeedId("harbour"), url="https://harbour.example/rss")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MIDDLE = 0.5  # of the dice: no jitter


def an_error(
    kind: type[FetchError] = FetchTemporary,
    reason: PollReason = PollReason.TEMPORARY,
    status: int | None = 500,
    retry_after: timedelta | None = None,
    host: str | None = None,
) -> FetchError:
    return kind("no", feed_url=FEED.url, reason=reason, status=status, retry_after=retry_after, host=host)


GONE = an_error(FetchGone, PollReason.GONE, 410)


def bad(
    error: FetchError,
    state: PollState = PollState(),  # noqa: B008  # frozen
    *,
    feed: Feed = FEED,
    dice: float = MIDDLE,
    now: datetime = NOW,
) -> PollDecision:
    return after_error(feed, state, error, now=now, dice=dice, policy=POLICY)


def wait(decision: PollDecision) -> timedelta:
    return decision.next_poll_at - NOW


# ---- back-off ------------------------------------------------------------------------------------


def test_back_off_doubles_up_to_a_day() -> None:
    state, ceilings = PollState(), []
    for _ in range(12):
        decision = bad(an_error(), state, dice=1.0)
        state = decision.state
        ceilings.append(wait(decision))

    assert ceilings[:4] == [5 * MINUTE, 10 * MINUTE, 20 * MINUTE, 40 * MINUTE]
    assert ceilings[-1] == DAY
    assert (state.failures, state.failing_since) == (12, NOW)


def test_back_off_has_full_jitter_but_never_less_than_a_minute() -> None:
    state = PollState(failures=3)

    assert [wait(bad(an_error(), state, dice=dice)) for dice in (0.0, 0.5, 1.0)] == [
        MINUTE,
        20 * MINUTE,
        40 * MINUTE,
    ]


def test_a_feed_polled_each_minute_is_retried_as_soon() -> None:
    assert wait(bad(an_error(), feed=replace(FEED, interval=MINUTE), dice=1.0)) == MINUTE


@pytest.mark.parametrize("status", [401, 403, 404, 500, 503, None])
def test_nothing_but_410_ever_pauses_a_feed(status: int | None) -> None:
    state = PollState(failures=10_000, failing_since=NOW - 1000 * DAY)

    decision = bad(an_error(FetchRefused, PollReason.REFUSED, status), state)

    assert decision.pause is None
    assert wait(decision) <= DAY


def test_an_unreadable_body_leaves_the_validators_of_the_last_good_one() -> None:
    state = PollState(etag='"good"', body_sha256="good")

    after = bad(an_error(FeedUnreadable, PollReason.UNREADABLE, None), state).state

    assert (after.etag, after.body_sha256) == ('"good"', "good")


@pytest.mark.parametrize(
    ("asked", "low", "high"), [(3 * HOUR, 3 * HOUR, 3.3 * HOUR), (40 * DAY, DAY, 1.1 * DAY)]
)
def test_retry_after_is_kept_to_but_no_longer_than_a_day(
    asked: timedelta, low: timedelta, high: timedelta
) -> None:
    decision = bad(an_error(reason=PollReason.RATE_LIMITED, status=429, retry_after=asked))

    assert low <= wait(decision) <= high
    assert decision.why is NextPollReason.RETRY_AFTER


def test_a_short_retry_after_does_not_shorten_the_back_off() -> None:
    decision = bad(an_error(retry_after=timedelta(seconds=1)), PollState(failures=5))

    assert decision.why is NextPollReason.BACKOFF


def test_waiting_for_a_busy_host_is_no_failure() -> None:
    error = an_error(reason=PollReason.RATE_LIMITED, status=None, retry_after=2 * MINUTE)
    before = PollState(failures=2, failing_since=NOW - DAY, learned_url="https://port.example/", hurry=2)

    decision = bad(error, before, dice=0.0)

    assert decision.state == before
    assert wait(decision) == 2 * MINUTE
    assert decision.why is NextPollReason.HOST_BUSY
    assert (decision.host_pause, decision.pause) == (None, None)


@pytest.mark.parametrize(
    ("reason", "status"),
    [(PollReason.CHALLENGED, 403), (PollReason.BROKEN, None), (PollReason.FORBIDDEN_ADDRESS, None)],
)
def test_whatever_goes_wrong_backs_off_as_an_error_does(reason: PollReason, status: int | None) -> None:
    decision = bad(an_error(FetchRefused, reason, status), PollState(failures=3), dice=1.0)

    assert wait(decision) == 40 * MINUTE
    assert (decision.reason, decision.why, decision.pause) == (reason, NextPollReason.BACKOFF, None)
    assert decision.state == PollState(failures=4, failing_since=NOW)


# ---- hosts that ask for a pause ------------------------------------------------------------------

HOST = "harbour.example"


@pytest.mark.parametrize(
    ("reason", "status", "asked", "pause"),
    [
        pytest.param(PollReason.RATE_LIMITED, 429, 3 * HOUR, 3 * HOUR, id="429 with Retry-After"),
        pytest.param(PollReason.RATE_LIMITED, 503, 3 * HOUR, 3 * HOUR, id="503 with Retry-After"),
        pytest.param(PollReason.RATE_LIMITED, 429, None, 10 * MINUTE, id="429"),
        pytest.param(PollReason.TEMPORARY, 503, None, 10 * MINUTE, id="503"),
        pytest.param(PollReason.RATE_LIMITED, 429, timedelta(0), MINUTE, id="Retry-After has passed"),
        pytest.param(PollReason.RATE_LIMITED, 429, 3650 * DAY, DAY, id="Retry-After in ten years"),
    ],
)
@pytest.mark.parametrize("dice", [0.0, 0.999])
def test_a_host_that_asks_for_it_is_left_in_peace(
    reason: PollReason, status: int, asked: timedelta | None, pause: timedelta, dice: float
) -> None:
    decision = bad(an_error(FetchTemporary, reason, status, asked, HOST), dice=dice)

    assert decision.host_pause == HostPause(host=HOST, until=NOW + pause)
    assert decision.next_poll_at >= NOW + pause


@pytest.mark.parametrize(("status", "host"), [(500, HOST), (404, HOST), (None, HOST), (429, None)], ids=str)
def test_no_other_error_pauses_a_host(status: int | None, host: str | None) -> None:
    assert bad(an_error(FetchTemporary, PollReason.TEMPORARY, status, None, host)).host_pause is None


def test_410_three_times_over_48_hours_pauses_a_feed() -> None:
    state, now, seen = PollState(), NOW, []
    for _ in range(3):
        decision = bad(GONE, state, now=now)
        state, now = decision.state, decision.next_poll_at
        seen.append(decision.pause)

    assert seen == [None, None, PauseReason.GONE]
    assert decision.why is NextPollReason.GONE


def test_410_three_times_in_an_hour_pauses_nothing() -> None:
    assert not bad(GONE, PollState(gone_count=9, gone_since=NOW - HOUR)).pause


def test_another_answer_in_between_starts_the_count_of_410_anew() -> None:
    gone = PollState(gone_count=2, gone_since=NOW - 10 * DAY)

    assert bad(an_error(status=404), gone).state.gone_count == 0
    assert bad(an_error(status=None), gone).state.gone_count == 2  # no answer at all


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
dices = st.floats(0, 1, exclude_max=True)
errors = st.builds(
    an_error,
    kind=st.sampled_from([FetchTemporary, FetchGone, FetchRefused, FeedUnreadable]),
    reason=st.sampled_from(PollReason),
    status=st.sampled_from([None, 404, 410, 429, 500]),
    retry_after=st.none() | spans,
    host=st.none() | st.just("harbour.example"),
)


@settings(deadline=None)
@given(feed=feeds, state=states, error=errors, now=moments, dice=dices)
def test_the_next_poll_after_a_failed_one_is_later_and_never_far_off(
    feed: Feed, state: PollState, error: FetchError, now: datetime, dice: float
) -> None:
    decision = after_error(feed, state, error, now=now, dice=dice, policy=POLICY)

    assert timedelta(seconds=1) <= decision.next_poll_at - now <= 1.1 * DAY
    assert decision.pause in {None, PauseReason.GONE}
    assert decision.pause is None or (isinstance(error, FetchGone) and state.learned_url is None)
    if decision.host_pause is not None:
        assert timedelta(0) < decision.host_pause.until - now <= DAY
        assert decision.host_pause.until <= decision.next_poll_at


# ---- operators -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "failing_for", "is_paused", "sick"),
    [
        pytest.param(PollReason.TEMPORARY, timedelta(hours=23), False, False, id="a hiccup"),
        pytest.param(PollReason.TEMPORARY, timedelta(hours=24), False, True, id="down for a day"),
        pytest.param(PollReason.RATE_LIMITED, timedelta(hours=1), False, False, id="asked to wait"),
        pytest.param(PollReason.UNREADABLE, timedelta(0), False, True, id="no feed"),
        pytest.param(PollReason.REFUSED, timedelta(0), False, True, id="refused"),
        pytest.param(PollReason.CHALLENGED, timedelta(0), False, True, id="taken for a robot"),
        pytest.param(PollReason.FORBIDDEN_ADDRESS, timedelta(0), False, True, id="a private address"),
        pytest.param(PollReason.BROKEN, timedelta(0), False, True, id="a bug of ours"),
        pytest.param(PollReason.NOT_MODIFIED, None, True, True, id="well, but paused"),
        pytest.param(PollReason.GONE, timedelta(0), True, True, id="paused"),
        pytest.param(PollReason.FETCHED, None, False, False, id="well"),
    ],
)
def test_an_operator_is_called_when_a_feed_will_not_get_well_by_itself(
    reason: PollReason, failing_for: timedelta | None, is_paused: bool, sick: bool
) -> None:
    since = None if failing_for is None else NOW - failing_for

    assert needs_operator(reason, since, is_paused, NOW) is sick
