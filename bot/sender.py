"""The main path, second half: delivery → message.

Marks a delivery as being sent, sends it, writes down what came of it. A crash in between leaves the mark,
and `recover` turns it into a delivery that was perhaps sent.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.core.render import alert_message, digest_message
from bot.core.sending import (
    MINUTE,
    SendDecision,
    SendPolicy,
    after_error,
    after_success,
    from_digest,
    is_group,
    lane_opens,
    notice_again_at,
    unanswered,
)
from bot.errors import MarkupRefused, NotifyError, StoreError, ThreadLost
from bot.i18n import texts
from bot.metrics import Metrics
from bot.model import (
    Address,
    Chat,
    ChatId,
    Delivery,
    DeliveryState,
    Message,
    SendReason,
    Story,
    StoryId,
    Topic,
    TopicId,
)
from bot.ports import Batch, Clock, DeliveryStore, Notice, NoticeStore, Notifier, Settlement

log = structlog.get_logger()

# Between tries to write down what was sent: five minutes in all.
SETTLE_PAUSES = tuple(timedelta(seconds=seconds) for seconds in (0.2, 0.5, 1, 2, 4, 8, 15, 30, 60, 60, 120))


@dataclass(slots=True, kw_only=True)
class SendReport:
    """What came of deliveries, for logs and summaries."""

    sent: int = 0
    edited: int = 0
    delayed: int = 0  # 429, no connection, moved: they leave later
    uncertain: int = 0
    failed: int = 0
    notices: int = 0  # to operators, sent
    token_refused: bool = False

    def count(self, decision: SendDecision) -> None:
        """Add one delivery."""
        if decision.reason is SendReason.SENT:
            self.sent += 1
        elif decision.reason is SendReason.EDITED:
            self.edited += 1
        elif decision.state is DeliveryState.UNCERTAIN:
            self.uncertain += 1
        elif decision.state is DeliveryState.FAILED:
            self.failed += 1
        else:
            self.delayed += 1
        self.token_refused |= decision.stop_sending


class Lanes:
    """When which chat, and the bot as a whole, may speak again. Edits count like messages."""

    def __init__(self) -> None:
        self._recent: defaultdict[int, deque[datetime]] = defaultdict(deque)
        self._groups: set[int] = set()
        self._last: datetime | None = None

    def note(self, chat: Chat, now: datetime) -> None:
        """Remember that something left for that chat."""
        self._last = now
        self._recent[chat.address.telegram_id].append(now)
        if is_group(chat):
            self._groups.add(chat.address.telegram_id)

    def closed(self, now: datetime, policy: SendPolicy) -> dict[int, datetime]:
        """Return the Telegram ids that must wait, and until when; forget what no longer counts."""
        waiting = {}
        for chat in list(self._recent):
            recent = self._recent[chat]
            while recent and recent[0] <= now - MINUTE:
                recent.popleft()
            opens = lane_opens(list(recent), chat in self._groups, policy)
            if opens and opens > now:
                waiting[chat] = opens
            elif not recent:
                del self._recent[chat]
        return waiting

    def wait(self, now: datetime, policy: SendPolicy) -> timedelta:
        """Return how long the bot as a whole must wait."""
        if self._last is None:
            return timedelta(0)
        return max(timedelta(0), self._last + timedelta(seconds=1 / policy.per_second) - now)


class StoriesAndDeliveries(DeliveryStore, NoticeStore, Protocol):
    """What the sender asks of the store."""

    async def stories(self, numbers: Sequence[StoryId]) -> Sequence[Story]:
        """Return these stories in this order; unknown ones are left out."""


class Sender:
    """Sends what is owed, at the pace that Telegram allows."""

    def __init__(
        self,
        *,
        store: StoriesAndDeliveries,
        notifier: Notifier,
        clock: Clock,
        topics: Callable[[], Mapping[TopicId, Topic]],
        policy: Callable[[], SendPolicy],
        in_flight: Callable[[], int] = lambda: 1,
        metrics: Metrics | None = None,
    ) -> None:
        self._store = store
        self._notifier = notifier
        self._clock = clock
        self._topics = topics
        self._policy = policy
        self._lanes = Lanes()
        self._in_flight = in_flight
        self._metrics = metrics or Metrics()
        self._claiming = asyncio.Lock()
        self._in_hand: set[int] = set()  # Telegram ids that a message is on its way to
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Claim nothing more; what is in flight is finished."""
        self._stopping.set()

    @property
    def is_stopped(self) -> bool:
        """Return whether `stop` was called."""
        return self._stopping.is_set()

    async def pause(self, wait: timedelta) -> None:
        """Return after that wait, or as soon as `stop` is called."""
        waits = [asyncio.ensure_future(self._clock.sleep(wait)), asyncio.ensure_future(self._stopping.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()

    async def recover(self, *, all_leases: bool = False) -> int:
        """Return how many deliveries were in flight at a crash; each is counted as perhaps sent.

        Args:
            all_leases: Also where the lease still runs: for the one who holds the data directory's lock.
        """
        now = self._clock.now()
        expired = await self._store.expired_deliveries(now, all_leases=all_leases)
        for delivery in expired:
            decision = unanswered(delivery, SendReason.CRASHED, now, self._policy())
            settlement = Settlement(
                delivery=delivery, decision=decision, error="stopped while it was being sent"
            )
            await self._store.settle(Batch(chat=delivery.chat, deliveries=(delivery,)), [settlement], now)
            log.warning("delivery was in flight at a crash", delivery=delivery.id, state=decision.state.value)
        return len(expired)

    async def deliver_due(self, until: datetime | None = None) -> SendReport:
        """Send what is due and may leave now; return what came of it.

        Args:
            until: Claim nothing after this moment; None: there is no hurry.
        """
        await self.recover()
        report = SendReport()
        due = await self._store.next_due(self._clock.now())
        if due is not None and due <= self._clock.now():
            lanes = (self._drain(report, until) for _ in range(self._in_flight()))
            for result in await asyncio.gather(*lanes, return_exceptions=True):  # each ends before one raises
                if isinstance(result, BaseException):
                    raise result
        await self._tell_operators(report, until)
        return report

    async def next_due(self) -> datetime | None:
        """Return when the next delivery or notice may leave; None: none is owed."""
        now = self._clock.now()
        owed = (await self._store.next_due(now), await self._store.next_notice_due())
        due = min(filter(None, owed), default=None)
        closed = self._lanes.closed(now, self._policy())
        if due is not None and due <= now and closed:  # what is due waits for its lane
            return min(closed.values())
        return due

    async def _drain(self, report: SendReport, until: datetime | None) -> None:
        while not self.is_stopped and not report.token_refused:
            async with self._claiming:
                await self._clock.sleep(self._lanes.wait(self._clock.now(), self._policy()))
                batch = await self._claim(until)
            if batch is None:
                return
            try:
                await self._deliver(batch, report)
            except StoreError:
                raise
            except Exception:  # a bug in one delivery is logged with it, and the others leave
                log.exception("delivery broke off", delivery=batch.deliveries[0].id)
                await self._set_aside(batch, report)
            finally:
                self._in_hand.discard(batch.chat.address.telegram_id)

    async def _claim(self, until: datetime | None) -> Batch | None:
        now = self._clock.now()
        if until is not None and now >= until:
            return None
        closed = self._lanes.closed(now, self._policy()).keys() | self._in_hand
        batch = await self._store.claim_batch(now, self._policy().lease, closed)
        if batch is not None:
            self._in_hand.add(batch.chat.address.telegram_id)
            self._lanes.note(batch.chat, now)
        return batch

    async def _set_aside(self, batch: Batch, report: SendReport) -> None:
        """Settle deliveries that met a bug of ours: a digest's go by themselves, a single one waits."""
        now, error = self._clock.now(), "a bug of Topicwire's; the log has the traceback"
        settlements = []
        for delivery in batch.deliveries:
            decision = unanswered(delivery, SendReason.CRASHED, now, self._policy())
            if batch.is_digest:
                decision = replace(decision, state=DeliveryState.QUEUED, due_at=now, alone=True)
            report.count(decision)
            self._metrics.delivered(decision.reason)
            settlements.append(Settlement(delivery=delivery, decision=decision, error=error))
        await self._settle(batch, settlements)

    async def _settle(self, batch: Batch, settlements: Sequence[Settlement]) -> None:
        await self._write_down(lambda: self._store.settle(batch, settlements, self._clock.now()))

    async def _write_down(self, write: Callable[[], Awaitable[None]]) -> None:
        """Write what came of sending, trying for minutes: a message sent and not written down is sent again.

        Raises:
            StoreError: The database could not be written all that time.
        """
        for pause in SETTLE_PAUSES:
            try:
                return await write()
            except StoreError as error:
                log.error("what was sent cannot be written down; trying again", error=str(error))
                if self.is_stopped:
                    break
                await self.pause(pause)
        return await write()

    async def _tell_operators(self, report: SendReport, until: datetime | None) -> None:
        """Send operators what they are owed: few messages, so one after the other, in the lanes of all."""
        for notice in await self._store.due_notices(self._clock.now()):
            await self._clock.sleep(self._lanes.wait(self._clock.now(), self._policy()))
            now = self._clock.now()
            if self.is_stopped or report.token_refused or (until is not None and now >= until):
                return
            if notice.telegram_id not in self._lanes.closed(now, self._policy()):
                operator = Chat(id=ChatId(0), address=Address(telegram_id=notice.telegram_id))
                self._lanes.note(operator, now)
                await self._tell_operator(notice, operator.address, report)

    async def _tell_operator(self, notice: Notice, address: Address, report: SendReport) -> None:
        facts = {"operator": notice.telegram_id, "subject": notice.subject}
        again_at, error = None, None
        try:
            try:
                await self._notifier.send(address, notice.message)
            except MarkupRefused:
                await self._notifier.send(address, replace(notice.message, html=""))
            report.notices += 1
            log.info("operator told", **facts)
        except NotifyError as refusal:
            error, now = str(refusal), self._clock.now()
            again_at = notice_again_at(refusal, notice.attempts, now, self._policy())
            report.token_refused |= refusal.reason is SendReason.TOKEN_REFUSED
            log.warning("operator not told", **facts, error=error, is_given_up=again_at is None)
        await self._write_down(
            lambda: self._store.settle_notice(notice, self._clock.now(), again_at=again_at, error=error)
        )

    async def _deliver(self, batch: Batch, report: SendReport) -> None:
        message, included = await self._render(batch)
        message_id, error = None, None
        try:
            message_id = await self._carry(batch.chat.address, batch.deliveries[0], message)
        except NotifyError as refusal:
            error = refusal
        now = self._clock.now()
        settlements = []
        for number, delivery in enumerate(batch.deliveries):
            if number >= included:
                decision = SendDecision(
                    state=DeliveryState.QUEUED, reason=SendReason.NOT_CONNECTED, due_at=now, counts=False
                )
                settlements.append(
                    Settlement(delivery=delivery, decision=decision, error="in the next digest")
                )
                continue
            decision = (
                after_error(delivery, error, now, self._policy()) if error else after_success(delivery, now)
            )
            if batch.is_digest:
                decision = from_digest(decision, now)
            report.count(decision)
            self._metrics.delivered(decision.reason)
            text = str(error) if error else None
            settlements.append(
                Settlement(delivery=delivery, decision=decision, message_id=message_id, error=text)
            )
            _log_delivery(delivery, decision, text)
        await self._settle(batch, settlements)

    async def _render(self, batch: Batch) -> tuple[Message, int]:
        """Return the message, and how many of the batch's deliveries it tells."""
        now, words = self._clock.now(), texts(batch.chat.language)
        told = await self._store.stories([delivery.story_id for delivery in batch.deliveries])
        pairs = [
            (story, self._topics_of(delivery)) for story, delivery in zip(told, batch.deliveries, strict=True)
        ]
        if not batch.is_digest:
            return alert_message(*pairs[0], words, now), 1
        for count in range(len(pairs), 1, -1):
            pages = digest_message(pairs[:count], words, now)
            if len(pages) == 1:
                return pages[0], count
        return digest_message(pairs[:1], words, now)[0], 1

    def _topics_of(self, delivery: Delivery) -> list[Topic]:
        known = self._topics()
        return [known.get(topic) or Topic(id=topic, titles={}) for topic in delivery.topics]

    async def _carry(self, address: Address, delivery: Delivery, message: Message) -> int | None:
        """Send or edit; a lost thread falls back to the chat, refused markup to plain text.

        Returns:
            Telegram's id of a message that was sent; None: one was edited.
        """
        try:
            return await self._carry_once(address, delivery, message)
        except MarkupRefused as error:
            log.warning("telegram refused our markup", delivery=delivery.id, error=str(error))
            return await self._carry_once(address, delivery, replace(message, html=""))
        except ThreadLost:
            if address.thread_id is None:
                raise
            log.warning("thread is gone, writing to the chat", chat=delivery.chat.id)
            return await self._carry_once(Address(telegram_id=address.telegram_id), delivery, message)

    async def _carry_once(self, address: Address, delivery: Delivery, message: Message) -> int | None:
        if delivery.is_edit and delivery.message_id is not None:
            await self._notifier.edit(address, delivery.message_id, message)
            return None
        return await self._notifier.send(address, message)


def _log_delivery(delivery: Delivery, decision: SendDecision, error: str | None) -> None:
    facts = {"delivery": delivery.id, "chat": delivery.chat.id, "reason": decision.reason.value}
    match decision.state:
        case DeliveryState.SENT if error is None:
            log.info("delivered", **facts)
        case DeliveryState.FAILED:
            log.error("delivery failed; it is kept", **facts, error=error)
        case _:
            log.warning("delivery delayed", **facts, state=decision.state.value, error=error)
