"""Where a feed lives: which permanent redirects are learned, and when they are forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.identity import KnownItem, Sorted, content_hash, item_keys
from bot.core.moves import polled_url
from bot.core.schedule import PollPolicy, after_error, after_success
from bot.errors import FeedUnreadable, FetchError, FetchGone, FetchRefused, FetchTemporary
from bot.model import (
    Feed,
    FeedId,
    Fetched,
    Item,
    ItemId,
    ItemReason,
    NotModified,
    ParsedFeed,
    PauseReason,
    PollReason,
    PollState,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HOME = "https://harbour.example/rss"
NEW_HOME = "https://port.example/feed.xml"
THIRD = "https://quay.example/feed.xml"
FEED = Feed(id=FeedId("harbour"), url=HOME)
POLLED = PollState(last_ok_at=NOW - HOUR, body_sha256="old", etag='"old"')
AT_NEW_HOME = replace(POLLED, learned_url=NEW_HOME)


def a_sorted(*, is_known: bool = True) -> Sorted:
    item = Item(feed_id=FEED.id, title="Ferry returns", guid="ferry-1")
    digest = content_hash(item)
    known = KnownItem(id=ItemId(1), content_hash=digest, seen_at=NOW) if is_known else None
    reason = ItemReason.SEEN if is_known else ItemReason.NEW
    return Sorted(item=item, keys=item_keys(item), content_hash=digest, reason=reason, known=known)


SHARED = (a_sorted(),)
STRANGE = (a_sorted(is_known=False),)


def see(
    state: PollState,
    moved_to: str | None,
    *,
    found: tuple[Sorted, ...] | None = SHARED,
    feed: Feed = FEED,
    now: datetime = NOW,
) -> PollState:
    """Return the state after a good poll that was redirected there for good."""
    answer = Fetched(
        body=b"x",
        final_url=moved_to or polled_url(feed, state),
        content_type=None,
        etag='"new"',
        last_modified=None,
        max_age=None,
        moved_to=moved_to,
    )
    parsed = None if found is None else ParsedFeed(items=tuple(one.item for one in found))
    decision = after_success(
        feed, state, answer, "new", parsed, found, now=now, dice=0.5, policy=PollPolicy()
    )
    return decision.state


def see_daily(state: PollState, moved_to: str | None, days: int, *, feed: Feed = FEED) -> PollState:
    for day in range(days):
        state = see(state, moved_to, feed=feed, now=NOW + day * DAY)
    return state


def fail(
    state: PollState, error: FetchError, times: int = 1, *, every: timedelta = timedelta(minutes=10)
) -> PollState:
    for number in range(times):
        now = NOW + number * every
        state = after_error(FEED, state, error, now=now, dice=0.5, policy=PollPolicy()).state
    return state


def an_error(
    reason: PollReason, status: int | None = None, kind: type[FetchError] = FetchTemporary
) -> FetchError:
    return kind("no", feed_url=HOME, reason=reason, status=status)


# ---- learned slowly ------------------------------------------------------------------------------


def test_a_permanent_redirect_is_learned_after_seven_days() -> None:
    learned_at = next(days for days in range(1, 20) if see_daily(POLLED, NEW_HOME, days).learned_url)

    state = see_daily(POLLED, NEW_HOME, learned_at)

    assert learned_at == 8  # the eighth daily poll is seven days after the first
    assert polled_url(FEED, state) == NEW_HOME
    assert (state.moved_to, state.moved_since, state.moved_times) == (None, None, 0)


@pytest.mark.parametrize(
    ("seen_before", "days", "is_learned"),
    [
        pytest.param(4, 7, True, id="five times over seven days"),
        pytest.param(3, 30, False, id="four times in a month"),
        pytest.param(100, 6, False, id="hundred times in six days"),
    ],
)
def test_it_takes_seven_days_and_five_sightings(seen_before: int, days: int, is_learned: bool) -> None:
    state = replace(POLLED, moved_to=NEW_HOME, moved_since=NOW - days * DAY, moved_times=seen_before)

    assert (see(state, NEW_HOME).learned_url is not None) is is_learned


ALMOST = replace(POLLED, moved_to=NEW_HOME, moved_since=NOW - 8 * DAY, moved_times=50)


def test_what_belongs_to_the_old_url_is_dropped_with_it() -> None:
    state = see(ALMOST, NEW_HOME)

    assert state.learned_url == NEW_HOME
    assert (state.etag, state.last_modified, state.validators_since, state.body_sha256) == (None,) * 4
    assert state.last_ok_at == NOW


def test_another_target_begins_anew() -> None:
    state = see(ALMOST, THIRD)

    assert (state.learned_url, state.moved_to, state.moved_since, state.moved_times) == (None, THIRD, NOW, 1)


def test_a_poll_without_the_redirect_forgets_it() -> None:
    state = see(ALMOST, None)

    assert (state.moved_to, state.moved_since, state.moved_times) == (None, None, 0)


def test_a_304_says_nothing_of_redirects() -> None:
    answer = NotModified(etag=None, last_modified=None, max_age=None)

    state = after_success(
        FEED, ALMOST, answer, None, None, None, now=NOW, dice=0.5, policy=PollPolicy()
    ).state

    assert (state.moved_to, state.moved_since, state.moved_times) == (NEW_HOME, ALMOST.moved_since, 50)


def test_a_failed_poll_says_nothing_of_redirects() -> None:
    state = fail(ALMOST, an_error(PollReason.TEMPORARY, 500))

    assert (state.moved_to, state.moved_since, state.moved_times) == (NEW_HOME, ALMOST.moved_since, 50)


@pytest.mark.parametrize("found", [None, (), STRANGE], ids=["same body", "no item", "strangers"])
def test_nothing_is_learned_at_a_poll_that_shares_no_item(found: tuple[Sorted, ...] | None) -> None:
    assert see(ALMOST, NEW_HOME, found=found).learned_url is None


def test_a_target_that_had_nothing_of_the_feed_at_first_is_never_trusted() -> None:
    parked = see(POLLED, NEW_HOME, found=STRANGE)

    state = see_daily(parked, NEW_HOME, 60)  # by now its own items are known

    assert (state.learned_url, state.moved_to, state.moved_times) == (None, NEW_HOME, 0)


@pytest.mark.parametrize("found", [STRANGE, None], ids=["first poll", "same body"])
def test_a_redirect_that_was_there_from_the_beginning_is_the_feed(found: tuple[Sorted, ...] | None) -> None:
    before = PollState() if found else POLLED

    state = see_daily(see(before, NEW_HOME, found=found), NEW_HOME, 9)

    assert state.learned_url == NEW_HOME


def test_an_empty_answer_neither_counts_nor_forgets() -> None:
    state = see(ALMOST, NEW_HOME, found=())

    assert (state.moved_to, state.moved_since, state.moved_times) == (NEW_HOME, ALMOST.moved_since, 50)


# ---- http to https -------------------------------------------------------------------------------

PLAIN = replace(FEED, url="http://harbour.example/rss?lang=de")


@pytest.mark.parametrize("before", [POLLED, replace(POLLED, moved_to="x", moved_times=0)])
def test_https_of_the_same_page_is_learned_at_once(before: PollState) -> None:
    state = see(before, "https://harbour.example/rss?lang=de", feed=PLAIN)

    assert polled_url(PLAIN, state) == "https://harbour.example/rss?lang=de"
    assert state.body_sha256 is None


@pytest.mark.parametrize(
    "target",
    [
        "https://harbour.example/feed",
        "https://harbour.example/rss",
        "https://www.harbour.example/rss?lang=de",
        "https://harbour.example:8443/rss?lang=de",
        "http://harbour.example/rss/?lang=de",
    ],
    ids=["other path", "no query", "other host", "other port", "no https"],
)
def test_no_other_page_is_learned_at_once(target: str) -> None:
    state = see(POLLED, target, feed=PLAIN)

    assert (state.learned_url, state.moved_to, state.moved_times) == (None, target, 1)


def test_https_of_the_same_page_must_share_an_item_too() -> None:
    assert see(POLLED, "https://harbour.example/rss?lang=de", feed=PLAIN, found=STRANGE).learned_url is None


# ---- what is never learned -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    [
        "ftp://port.example/feed",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://",
        "//port.example/feed",
        "http://[::1",
        "http://port.example/feed.xml",
        "https://reader:secret@port.example/feed.xml",
        HOME,
        HOME + "#top",
        "",
    ],
    ids=repr,
)
def test_nothing_is_learned_from_such_a_target(target: str) -> None:
    state = see_daily(POLLED, target, 20)

    assert (state.learned_url, state.moved_to) == (None, None)


@pytest.mark.parametrize(
    "feed",
    [
        replace(FEED, url="https://reader:secret@harbour.example/rss"),
        replace(FEED, auth_file="/run/secrets/harbour"),
        replace(FEED, headers=(("X-Key", "secret"),)),
    ],
    ids=["user in the URL", "auth_file", "headers"],
)
def test_secrets_never_go_to_another_host(feed: Feed) -> None:
    away = see_daily(POLLED, NEW_HOME, 20, feed=feed)
    here = see_daily(POLLED, "https://harbour.example/new", 20, feed=feed)

    assert polled_url(feed, away) == feed.url
    assert polled_url(feed, here) == "https://harbour.example/new"  # the secrets stay with feed.url


def test_what_is_learned_bears_no_user() -> None:
    feed = replace(FEED, url="https://reader:secret@harbour.example/rss")

    state = see_daily(POLLED, "https://reader:secret@harbour.example/new", 20, feed=feed)

    assert state.learned_url == "https://harbour.example/new"


# ---- learned on, and back ------------------------------------------------------------------------


def test_a_learned_url_that_moves_on_is_learned_further() -> None:
    state = see_daily(AT_NEW_HOME, THIRD, 8)

    assert polled_url(FEED, state) == THIRD


def test_a_learned_url_that_leads_nowhere_else_stays_learned() -> None:
    assert see_daily(AT_NEW_HOME, None, 20).learned_url == NEW_HOME


@pytest.mark.parametrize("back", [HOME, HOME + "#top", "https://reader@harbour.example/rss"])
def test_a_way_back_to_the_operators_url_is_learned_by_forgetting(back: str) -> None:
    state = see(AT_NEW_HOME, back)

    assert polled_url(FEED, state) == HOME
    assert (state.learned_url, state.moved_to, state.etag, state.body_sha256) == (None, None, None, None)


def test_two_urls_that_lead_to_each_other_in_turn_come_to_rest() -> None:
    state, changes = POLLED, 0
    for day in range(60):
        here = polled_url(FEED, state)
        state = see(state, NEW_HOME if here == HOME else HOME, now=NOW + day * DAY)
        changes += polled_url(FEED, state) != here

    assert changes <= 2 * 60 // 8 + 1  # never at once again: each way out takes its seven days


# ---- forgotten quickly ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        an_error(PollReason.TEMPORARY, 500),
        an_error(PollReason.REFUSED, 404, FetchRefused),
        an_error(PollReason.CHALLENGED, 403, FetchRefused),
        an_error(PollReason.GONE, 410, FetchGone),
        an_error(PollReason.UNREADABLE, 200, FeedUnreadable),
        an_error(PollReason.UNREADABLE, None, FeedUnreadable),
        an_error(PollReason.FORBIDDEN_ADDRESS, None, FetchRefused),
    ],
    ids=["500", "404", "403", "410", "no feed", "no feed, no status", "private address"],
)
def test_a_learned_url_that_answers_badly_three_times_is_forgotten(error: FetchError) -> None:
    twice = fail(AT_NEW_HOME, error, 2)
    thrice = fail(AT_NEW_HOME, error, 3)

    assert polled_url(FEED, twice) == NEW_HOME
    assert polled_url(FEED, thrice) == HOME
    assert (thrice.etag, thrice.body_sha256) == (None, None)
    assert thrice.failures == 3
    assert thrice.failing_since == NOW


def test_a_good_answer_in_between_begins_the_count_anew() -> None:
    error = an_error(PollReason.TEMPORARY, 500)

    state = fail(see(fail(AT_NEW_HOME, error, 2), None), error, 2)

    assert state.learned_url == NEW_HOME


@pytest.mark.parametrize(
    ("error", "every", "is_kept"),
    [
        pytest.param(an_error(PollReason.TEMPORARY), HOUR, True, id="no network for some hours"),
        pytest.param(an_error(PollReason.TEMPORARY), 9 * HOUR, False, id="no answer for over a day"),
        pytest.param(an_error(PollReason.RATE_LIMITED, 429), DAY, True, id="asked to slow down"),
        pytest.param(an_error(PollReason.BROKEN), DAY, True, id="a bug of ours"),
    ],
)
def test_only_what_speaks_against_a_learned_url_counts(
    error: FetchError, every: timedelta, is_kept: bool
) -> None:
    assert (fail(AT_NEW_HOME, error, 4, every=every).learned_url is not None) is is_kept


def test_the_operators_url_is_tried_soon_after_a_learned_one_is_forgotten() -> None:
    error = an_error(PollReason.REFUSED, 404, FetchRefused)
    failing = fail(AT_NEW_HOME, error, 2)

    decision = after_error(FEED, failing, error, now=NOW, dice=0.999, policy=PollPolicy())

    assert decision.next_poll_at - NOW <= timedelta(minutes=5)


def test_410_at_a_learned_url_pauses_nothing() -> None:
    gone = an_error(PollReason.GONE, 410, FetchGone)
    state, pauses = AT_NEW_HOME, []
    for number in range(6):
        decision = after_error(FEED, state, gone, now=NOW + number * DAY, dice=0.5, policy=PollPolicy())
        state = decision.state
        pauses.append(decision.pause)

    assert pauses[:5] == [None] * 5  # three at the learned URL, then the count begins
    assert pauses[5] is PauseReason.GONE


# ---- laws ----------------------------------------------------------------------------------------

targets = st.none() | st.sampled_from([HOME, NEW_HOME, THIRD, "http://port.example/feed.xml"]) | st.text()


@settings(deadline=None)
@given(st.lists(st.tuples(targets, st.sampled_from([None, (), STRANGE, SHARED])), max_size=30), st.booleans())
def test_a_learned_url_is_https_and_was_seen_for_a_week(
    polls: list[tuple[str | None, tuple[Sorted, ...] | None]], is_new: bool
) -> None:
    state = PollState() if is_new else POLLED
    history: list[str | None] = []
    for day, (target, found) in enumerate(polls):
        before = state.learned_url
        state = see(state, target, found=found, now=NOW + day * 2 * DAY)
        history.append(target)
        if state.learned_url and state.learned_url != before:
            assert state.learned_url.startswith("https://")
            assert history.count(target) >= 5
            assert found == SHARED
            assert state.body_sha256 is None
