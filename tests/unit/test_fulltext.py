"""Which items want their page read, what its text adds, and what becomes of a page after a try."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.fulltext import (
    LEAST_WAIT,
    PagePolicy,
    PageState,
    after_error,
    after_reading,
    may_be_private,
    wants_page,
    with_page,
)
from bot.errors import FeedUnreadable, FetchError, FetchGone, FetchRefused, FetchTemporary
from bot.model import FeedId, Item, PollReason, TopicId
from tests.clock import START

GAS, OIL = TopicId("gas"), TopicId("oil")
POLICY = PagePolicy()
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ITEM = Item(feed_id=FeedId("herald"), title="A deal", url="https://herald.example/deal")


def weather(status: int | None = 500, **facts: object) -> FetchTemporary:
    reason = facts.pop("reason", PollReason.TEMPORARY)
    return FetchTemporary("it rains", feed_url="u", status=status, reason=reason, **facts)  # type: ignore[arg-type]  # facts of a FetchError


# ---- which items -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("feed_fetches", "matched", "fetching", "wanted"),
    [
        (False, [], [], False),
        (True, [], [], True),
        (True, [GAS], [], False),
        (False, [], [GAS], True),
        (False, [GAS], [GAS], False),
        (False, [OIL], [GAS], True),
        (True, [OIL], [GAS], True),
        (False, [GAS], [GAS, OIL], True),
    ],
    ids=[
        "nobody asks",
        "the feed asks",
        "the feed asks, and a topic matches",
        "a topic asks",
        "the topic that asks matches",
        "another matches",
        "the feed and a topic ask, and another matches",
        "one of two that ask matches",
    ],
)
def test_a_page_is_wanted_where_nothing_matches_that_asks_for_it(
    feed_fetches: bool, matched: list[TopicId], fetching: list[TopicId], wanted: bool
) -> None:
    assert wants_page(ITEM, feed_fetches=feed_fetches, matched=matched, fetching=fetching) is wanted


@pytest.mark.parametrize("url", [None, "", "mailto:a@b.example", "ftp://a.example/x", "https://"])
def test_only_a_web_address_is_wanted(url: str | None) -> None:
    assert not wants_page(replace(ITEM, url=url), feed_fetches=True, matched=[], fetching=[GAS])


@pytest.mark.parametrize(
    ("page", "allowed"),
    [
        ("http://nas.local:8080/page", True),
        ("https://NAS.local:8080/page", True),
        ("http://nas.local/page", False),
        ("http://router.local:8080/", False),
        ("http://169.254.169.254/latest", False),
        ("http://nas.local:8080@router.local/", False),
        ("http://nas.local:port/", False),
    ],
)
def test_a_feed_on_the_lan_leads_to_no_other_machine_there(page: str, allowed: bool) -> None:
    feed = "http://nas.local:8080/feed.xml"

    assert may_be_private(page, feed, allow_private=True) is allowed
    assert not may_be_private(page, feed, allow_private=False)


# ---- what a text adds --------------------------------------------------------------------------


def test_the_text_becomes_the_content_and_what_the_feed_told_stays() -> None:
    bare, telling = ITEM, replace(ITEM, summary="Signed today.", content="Signed today in Oslo.")

    assert with_page(bare, "The whole deal.").content == "The whole deal."
    assert with_page(telling, "The whole deal.").content == "Signed today in Oslo.\n\nThe whole deal."
    assert with_page(telling, "Signed today in Oslo. The rest.").content == "Signed today in Oslo. The rest."
    assert with_page(telling, "The whole deal.").summary == "Signed today."


@given(content=st.text(max_size=40), text=st.text(max_size=40))
def test_a_page_adds_its_text_once_and_takes_nothing_away(content: str, text: str) -> None:
    item = replace(ITEM, content=content)

    once = with_page(item, text)

    assert with_page(once, text) == once
    assert content in once.content
    assert text in once.content


@pytest.mark.parametrize(
    ("summary", "content", "text", "state"),
    [
        ("", "", "The whole deal.", PageState.READ),
        ("Signed.", "", "The whole deal.", PageState.READ),
        ("Signed by both sides today.", "", "Please log in.", PageState.SHORT),
        ("", "Signed by both sides today.", "We value cookies.", PageState.SHORT),
        ("", "", "", PageState.SHORT),
    ],
    ids=["a bare title", "a short summary", "a log-in", "a consent form", "nothing"],
)
def test_a_page_that_tells_less_than_its_feed_is_not_used(
    summary: str, content: str, text: str, state: PageState
) -> None:
    decision = after_reading(replace(ITEM, summary=summary, content=content), text, 1)

    assert (decision.state, decision.due_at, decision.error) == (state, None, None)


# ---- errors ------------------------------------------------------------------------------------


def after(error: FetchError, tries: int, dice: float = 0.0) -> tuple[PageState, timedelta | None, int]:
    decision = after_error(error, tries, now=START, dice=dice, policy=POLICY)
    return decision.state, decision.due_at - START if decision.due_at else None, decision.tries


def test_bad_weather_is_waited_for_three_times_ever_longer() -> None:
    assert [after(weather(), tries) for tries in (1, 2, 3, 4)] == [
        (PageState.WAITING, 5 * MINUTE, 1),
        (PageState.WAITING, 30 * MINUTE, 2),
        (PageState.WAITING, 3 * HOUR, 3),
        (PageState.GIVEN_UP, None, 4),
    ]


def test_all_tries_are_within_a_day_and_a_minute_apart() -> None:
    longest = [after(weather(), tries, dice=0.999)[1] or timedelta(0) for tries in (1, 2, 3)]

    assert sum(longest, timedelta(0)) < timedelta(days=1)
    assert min(POLICY.retries) > MINUTE  # so that a page counts once in the budget of a minute


@pytest.mark.parametrize(
    ("asked", "wait"), [(timedelta(0), 5 * MINUTE), (HOUR, HOUR), (None, 5 * MINUTE)], ids=str
)
def test_a_later_retry_after_wins(asked: timedelta | None, wait: timedelta) -> None:
    error = weather(429, reason=PollReason.RATE_LIMITED, retry_after=asked)

    assert after(error, 1) == (PageState.WAITING, wait, 1)


@pytest.mark.parametrize("wait", [timedelta(0), LEAST_WAIT, MINUTE], ids=str)
def test_where_nothing_was_asked_no_try_is_counted(wait: timedelta) -> None:
    busy = weather(None, reason=PollReason.RATE_LIMITED, retry_after=wait)

    decision = after_error(busy, 4, now=START, dice=0.5, policy=POLICY)

    assert (decision.state, decision.tries, decision.was_asked) == (PageState.WAITING, 3, False)
    assert decision.due_at == START + max(wait, LEAST_WAIT)


@pytest.mark.parametrize(
    "error",
    [
        FetchRefused("404", feed_url="u", status=404, reason=PollReason.REFUSED),
        FetchRefused("10.0.0.1", feed_url="u", reason=PollReason.FORBIDDEN_ADDRESS),
        FetchGone("410", feed_url="u", status=410, reason=PollReason.GONE),
        FeedUnreadable("a PDF", feed_url="u", reason=PollReason.UNREADABLE),
    ],
    ids=["not found", "a private address", "gone", "no page"],
)
def test_all_else_is_final(error: FetchError) -> None:
    assert after(error, 1) == (PageState.REFUSED, None, 1)


def test_a_reason_is_kept_without_credentials() -> None:
    error = FetchRefused(
        "https://me:pw@a.example/?token=geheim answered 404", feed_url="u", reason=PollReason.REFUSED
    )

    decision = after_error(error, 1, now=START, dice=0.5, policy=POLICY)

    assert decision.error == "https://***@a.example/?token=*** answered 404"
