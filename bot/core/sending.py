"""When a message may leave, and what follows from each outcome of sending it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.errors import ChatMoved, NotifyError, NotifyLater
from bot.model import Chat, ChatKind, Delivery, DeliveryState, SendReason

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
LONGEST_WAIT = timedelta(minutes=10)  # between tries while Telegram cannot be reached
MOST_DOUBTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SendPolicy:
    """How fast messages leave: Telegram's own limits, with a margin.

    Source: core.telegram.org/bots/faq, "My bot is hitting limits".
    """

    per_second: float = 25
    chat_interval: timedelta = SECOND
    group_per_minute: int = 18
    lease: timedelta = timedelta(seconds=120)
    retry_uncertain_after: timedelta = timedelta(seconds=30)


def is_group(chat: Chat) -> bool:
    """Return whether Telegram's limit for groups holds: ids of groups and channels are negative."""
    return (
        chat.kind in {ChatKind.GROUP, ChatKind.SUPERGROUP, ChatKind.CHANNEL} or chat.address.telegram_id < 0
    )


def lane_opens(recent: Sequence[datetime], group: bool, policy: SendPolicy) -> datetime | None:
    """Return when a chat may get its next message; None: at any time.

    Args:
        recent: When messages and edits went to that chat, oldest first; the last minute is enough.
    """
    if not recent:
        return None
    opens = recent[-1] + policy.chat_interval
    if group and len(recent) >= policy.group_per_minute:
        opens = max(opens, recent[-policy.group_per_minute] + MINUTE)
    return opens


@dataclass(frozen=True, slots=True, kw_only=True)
class SendDecision:
    """What becomes of a delivery after an attempt."""

    state: DeliveryState
    reason: SendReason
    due_at: datetime
    counts: bool = True  # False: not a failed try
    uncertain: int = 0  # to add to the delivery's count
    chat_waits_until: datetime | None = None
    chat_lost: bool = False  # suspend it, all its threads
    moved_to: int | None = None
    drop_message: bool = False  # the message to edit is gone: forget it
    stop_sending: bool = False  # the token is refused: nothing more can leave
    alone: bool = False  # it shall leave by itself, not in a digest


def after_success(delivery: Delivery, now: datetime) -> SendDecision:
    """Return what becomes of a delivery that Telegram accepted."""
    reason = SendReason.EDITED if delivery.is_edit else SendReason.SENT
    return SendDecision(state=DeliveryState.SENT, reason=reason, due_at=now)


def after_error(delivery: Delivery, error: NotifyError, now: datetime, policy: SendPolicy) -> SendDecision:
    """Return what becomes of a delivery that was refused, delayed or perhaps sent."""
    stands = DeliveryState.SENT if delivery.is_edit else DeliveryState.QUEUED
    later = SendDecision(state=stands, reason=error.reason, due_at=now, counts=False)
    match error.reason:
        case SendReason.RATE_LIMITED if isinstance(error, NotifyLater):
            until = now + max(error.retry_after, SECOND)
            return replace(later, due_at=until, chat_waits_until=until)
        case SendReason.CHAT_MOVED if isinstance(error, ChatMoved):
            return replace(later, moved_to=error.new_id)
        case SendReason.CHAT_LOST:
            return replace(later, chat_lost=True)
        case SendReason.TOKEN_REFUSED:
            return replace(later, due_at=now + MINUTE, stop_sending=True)
        case SendReason.NOT_CONNECTED | SendReason.NO_ANSWER | SendReason.SERVER_ERROR:
            return unanswered(delivery, error.reason, now, policy)
    return _refused(delivery, error.reason, now)


def unanswered(delivery: Delivery, reason: SendReason, now: datetime, policy: SendPolicy) -> SendDecision:
    """Return what becomes of a delivery that got no answer, or was in flight at a crash.

    An edit is simply made again: editing twice is editing once. A message that was certainly not sent, or
    met an outage of Telegram's, is tried until it leaves. One that was perhaps sent is tried again after a
    doubling wait, and counted, since to lose an alert is worse than to send it twice; after MOST_DOUBTS such
    tries, one of which will have arrived, it becomes a dead letter, which an operator sees.
    """
    patience = _doubled(SECOND, delivery.attempts)
    if delivery.is_edit:
        return SendDecision(state=DeliveryState.SENT, reason=reason, due_at=now + patience)
    if reason is SendReason.NOT_CONNECTED:
        return SendDecision(state=DeliveryState.QUEUED, reason=reason, due_at=now + patience)
    if reason is SendReason.SERVER_ERROR:
        wait = max(patience, policy.retry_uncertain_after)
        return SendDecision(state=DeliveryState.UNCERTAIN, reason=reason, due_at=now + wait)
    if delivery.uncertain >= MOST_DOUBTS:
        return SendDecision(state=DeliveryState.FAILED, reason=reason, due_at=now, uncertain=1)
    wait = _doubled(policy.retry_uncertain_after, delivery.uncertain)
    return SendDecision(state=DeliveryState.UNCERTAIN, reason=reason, due_at=now + wait, uncertain=1)


def from_digest(decision: SendDecision, now: datetime) -> SendDecision:
    """Return what becomes of one delivery of a digest that was refused.

    Nobody knows which of its stories Telegram minds, so each is sent by itself, and only that one fails.
    """
    if decision.state is not DeliveryState.FAILED:
        return decision
    return SendDecision(
        state=DeliveryState.QUEUED, reason=decision.reason, due_at=now, counts=False, alone=True
    )


def notice_again_at(error: NotifyError, attempts: int, now: datetime, policy: SendPolicy) -> datetime | None:
    """Return when to try a notice to an operator again; None: it cannot be delivered.

    One that was perhaps sent is tried again MOST_DOUBTS times: to repeat it is better than to lose it.

    Args:
        attempts: Failed tries before this one.
    """
    match error.reason:
        case SendReason.RATE_LIMITED if isinstance(error, NotifyLater):
            return now + max(error.retry_after, SECOND)
        case SendReason.TOKEN_REFUSED:
            return now + MINUTE
        case SendReason.NOT_CONNECTED | SendReason.SERVER_ERROR:
            return now + _doubled(SECOND, attempts)
        case SendReason.NO_ANSWER if attempts < MOST_DOUBTS:
            return now + _doubled(policy.retry_uncertain_after, attempts)
    return None


def _refused(delivery: Delivery, reason: SendReason, now: datetime) -> SendDecision:
    if delivery.is_edit:  # the alert itself has arrived: an edit that cannot be made is no dead letter
        return SendDecision(
            state=DeliveryState.SENT,
            reason=reason,
            due_at=now,
            drop_message=reason is SendReason.MESSAGE_LOST,
        )
    return SendDecision(state=DeliveryState.FAILED, reason=reason, due_at=now)


def _doubled(wait: timedelta, times: int) -> timedelta:
    """Return the wait, doubled so many times, at most ten minutes."""
    return min(wait * 2.0 ** min(times, 20), LONGEST_WAIT)
