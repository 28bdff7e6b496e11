"""When a message may leave, and what follows from each outcome."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.sending import (
    MOST_DOUBTS,
    SendPolicy,
    after_error,
    after_success,
    from_digest,
    is_group,
    lane_opens,
    unanswered,
)
from bot.errors import (
    ChatLost,
    ChatMoved,
    MarkupRefused,
    MessageLost,
    NotifyError,
    NotifyLater,
    NotifyNotSent,
    NotifyRefused,
    NotifyUncertain,
    ThreadLost,
    TokenRefused,
)
from bot.model import (
    Address,
    Chat,
    ChatId,
    ChatKind,
    Delivery,
    DeliveryId,
    DeliveryState,
    Level,
    SendReason,
    StoryId,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
POLICY = SendPolicy()
FIRST = Delivery(
    id=DeliveryId(1),
    chat=Chat(id=ChatId(1), address=Address(telegram_id=5)),
    story_id=StoryId(1),
    state=DeliveryState.SENDING,
    topics=(),
    level=Level.MEDIUM,
    due_at=NOW,
)
EDIT = replace(FIRST, state=DeliveryState.SENT, message_id=9, is_edit=True)


@pytest.mark.parametrize(
    ("error", "state", "counts"),
    [
        pytest.param(
            NotifyLater("", retry_after=timedelta(seconds=7)), DeliveryState.QUEUED, False, id="429"
        ),
        pytest.param(NotifyNotSent(""), DeliveryState.QUEUED, True, id="no connection"),
        pytest.param(NotifyUncertain(""), DeliveryState.UNCERTAIN, True, id="no answer"),
        pytest.param(ChatMoved("", new_id=-1007), DeliveryState.QUEUED, False, id="migrated"),
        pytest.param(ChatLost(""), DeliveryState.QUEUED, False, id="blocked"),
        pytest.param(TokenRefused(""), DeliveryState.QUEUED, False, id="token"),
        pytest.param(NotifyRefused(""), DeliveryState.FAILED, True, id="refused"),
        pytest.param(MarkupRefused(""), DeliveryState.FAILED, True, id="refused as plain text too"),
        pytest.param(ThreadLost(""), DeliveryState.FAILED, True, id="no thread to fall back from"),
    ],
)
def test_each_outcome_keeps_the_delivery(error: NotifyError, state: DeliveryState, counts: bool) -> None:
    decision = after_error(FIRST, error, NOW, POLICY)

    assert (decision.state, decision.counts, decision.reason) == (state, counts, error.reason)


@pytest.mark.parametrize(
    "error",
    [
        NotifyNotSent(""),
        NotifyUncertain(""),
        NotifyRefused(""),
        MessageLost(""),
        NotifyLater("", retry_after=timedelta(seconds=7)),
    ],
)
def test_an_edit_that_fails_never_makes_the_alert_a_dead_letter(error: NotifyError) -> None:
    assert after_error(EDIT, error, NOW, POLICY).state is DeliveryState.SENT


def test_a_429_makes_the_chat_wait_as_long_as_telegram_says() -> None:
    decision = after_error(FIRST, NotifyLater("", retry_after=timedelta(seconds=42)), NOW, POLICY)

    assert decision.chat_waits_until == decision.due_at == NOW + timedelta(seconds=42)


def test_a_lost_chat_is_suspended_and_a_moved_one_moves() -> None:
    assert after_error(FIRST, ChatLost(""), NOW, POLICY).chat_lost
    assert after_error(FIRST, ChatMoved("", new_id=-1007), NOW, POLICY).moved_to == -1007


def test_a_message_that_is_gone_is_not_edited_again() -> None:
    assert after_error(EDIT, MessageLost(""), NOW, POLICY).drop_message


def test_doubts_wait_longer_each_time_and_are_counted() -> None:
    waits = [
        after_error(replace(FIRST, uncertain=doubts), NotifyUncertain(""), NOW, POLICY).due_at - NOW
        for doubts in range(6)
    ]

    assert [wait.total_seconds() for wait in waits[:-1]] == [30, 60, 120, 240, 480]


def test_after_many_doubts_an_operator_decides() -> None:
    decision = unanswered(replace(FIRST, uncertain=MOST_DOUBTS), SendReason.CRASHED, NOW, POLICY)

    assert decision.state is DeliveryState.FAILED


@given(attempts=st.integers(0, 10**6), uncertain=st.integers(0, 10**6), edit=st.booleans())
@pytest.mark.parametrize(
    "error", [NotifyNotSent(""), NotifyUncertain(""), NotifyUncertain("", is_outage=True)]
)
def test_no_number_of_tries_breaks_the_arithmetic(
    error: NotifyError, attempts: int, uncertain: int, edit: bool
) -> None:
    delivery = replace(EDIT if edit else FIRST, attempts=attempts, uncertain=uncertain)

    decision = after_error(delivery, error, NOW, POLICY)

    assert NOW <= decision.due_at <= NOW + timedelta(minutes=10)


@given(attempts=st.integers(0, 10**6))
def test_no_outage_is_long_enough_to_lose_an_alert(attempts: int) -> None:
    delivery = replace(FIRST, attempts=attempts)

    decision = after_error(delivery, NotifyUncertain("", is_outage=True), NOW, POLICY)

    assert decision.state is DeliveryState.UNCERTAIN


def test_of_a_refused_digest_each_story_goes_by_itself() -> None:
    refused = from_digest(after_error(FIRST, NotifyRefused(""), NOW, POLICY), NOW)
    delayed = after_error(FIRST, NotifyNotSent(""), NOW, POLICY)

    assert (refused.state, refused.alone) == (DeliveryState.QUEUED, True)
    assert from_digest(delayed, NOW) == delayed


def test_success_says_whether_it_was_sent_or_edited() -> None:
    assert after_success(FIRST, NOW).reason is SendReason.SENT
    assert after_success(EDIT, NOW).reason is SendReason.EDITED


@pytest.mark.parametrize(
    ("kind", "telegram_id", "group"),
    [
        (ChatKind.PRIVATE, 5, False),
        (ChatKind.GROUP, -5, True),
        (ChatKind.CHANNEL, -1005, True),
        (ChatKind.UNKNOWN, -5, True),
        (ChatKind.UNKNOWN, 5, False),
    ],
)
def test_groups_and_channels_have_the_lower_limit(kind: ChatKind, telegram_id: int, group: bool) -> None:
    assert is_group(Chat(id=ChatId(1), address=Address(telegram_id=telegram_id), kind=kind)) is group


def test_a_lane_nobody_used_is_open() -> None:
    assert lane_opens([], group=True, policy=POLICY) is None


@given(gaps=st.lists(st.floats(min_value=0, max_value=5), max_size=60), group=st.booleans())
def test_a_chat_that_waits_for_its_lane_never_exceeds_telegrams_limits(
    gaps: list[float], group: bool
) -> None:
    sent: list[datetime] = []
    now = NOW
    for gap in gaps:
        now += timedelta(seconds=gap)
        opens = lane_opens([one for one in sent if one > now - timedelta(minutes=1)], group, POLICY)
        now = max(now, opens or now)
        sent.append(now)

    assert all(after - before >= POLICY.chat_interval for before, after in pairwise(sent))
    if group:
        most = max(
            (sum(one <= other < one + timedelta(minutes=1) for other in sent) for one in sent), default=0
        )
        assert most <= POLICY.group_per_minute
