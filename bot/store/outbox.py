"""Alerts decided and deliveries owed: the transactional outbox."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.routing import AlertAction, AlertDecision, Listener, Told
from bot.model import (
    ChatId,
    ChatState,
    Delivery,
    DeliveryId,
    DeliveryState,
    Level,
    StoryId,
    TopicId,
)
from bot.ports import Batch, Settlement
from bot.store.chats import chat_from_row, move_chat, suspend_chats
from bot.store.dialect import insert
from bot.store.engine import Database
from bot.store.schema import chats, deliveries, mutes, story_mutes, subscriptions

DIGEST_MOST = 30  # stories that leave in one digest; more make a further digest


class AlertRows:
    """What a poll reads and writes of alerts, within its transaction."""

    _connection: AsyncConnection

    async def listeners(self, topics: Collection[TopicId], now: datetime) -> Sequence[Listener]:
        """Return the chats that follow any of the topics, whatever their state."""
        rows = await self._connection.execute(
            sa.select(
                chats, subscriptions.c.topic_id, subscriptions.c.last_alert_at, subscriptions.c.from_config
            )
            .join_from(chats, subscriptions)
            .where(subscriptions.c.topic_id.in_(topics))
            .order_by(chats.c.id)
        )
        found: dict[int, Listener] = {}
        for row in rows.mappings():
            topic, last = TopicId(row["topic_id"]), row["last_alert_at"]
            listener = found.get(row["id"]) or Listener(chat=chat_from_row(row), follows=frozenset())
            found[row["id"]] = replace(
                listener,
                from_config=listener.from_config or row["from_config"],
                follows=listener.follows | {topic},
                last_alert={**listener.last_alert, **({topic: last} if last else {})},
            )
        muted = await self._connection.execute(
            sa.select(mutes).where(mutes.c.until > now, mutes.c.chat_id.in_(list(found)))
        )
        for row in muted.mappings():
            scope = TopicId(row["topic_id"]) if row["topic_id"] else None
            listener = found[row["chat_id"]]
            found[row["chat_id"]] = replace(listener, mutes={**listener.mutes, scope: row["until"]})
        return list(found.values())

    async def told(self, story: StoryId) -> Mapping[ChatId, Told]:
        """Return what chats have been told of the story, or will be."""
        muted = sa.and_(
            story_mutes.c.chat_id == deliveries.c.chat_id, story_mutes.c.story_id == deliveries.c.story_id
        )
        rows = await self._connection.execute(
            sa.select(deliveries, story_mutes.c.since.label("muted_since"))
            .outerjoin(story_mutes, muted)
            .where(deliveries.c.story_id == story)
        )
        return {ChatId(row["chat_id"]): _told(row) for row in rows.mappings()}

    async def apply(self, story: StoryId, decisions: Mapping[ChatId, AlertDecision], now: datetime) -> None:
        """Write what was decided about a story for each chat, in a few statements however many chats."""
        fresh, changed, spoken = [], [], []
        for chat, decision in decisions.items():
            row = _alert_row(chat, story, decision)
            match decision.action:
                case AlertAction.QUEUE | AlertAction.HOLD:
                    fresh.append(row | _fresh(decision, now))
                case AlertAction.EDIT | AlertAction.REFRESH:
                    changed.append(row | {"edit": decision.action is AlertAction.EDIT})
            if decision.action is AlertAction.QUEUE:
                spoken += [{"chat": chat, "topic": topic} for topic in decision.topics]
        if fresh:
            upsert = insert(self._connection, deliveries)
            renewed = {name: upsert.excluded[name] for name in fresh[0] if name not in _KEPT}
            await self._connection.execute(
                upsert.on_conflict_do_update(index_elements=["chat_id", "story_id"], set_=renewed), fresh
            )
        if changed:
            await self._connection.execute(_CHANGE, [_renamed(row) for row in changed])
        if spoken:
            await self._connection.execute(_SPOKEN.values(last_alert_at=now), spoken)


_KEPT = {"chat_id", "story_id", "created_at", "uncertain"}
_CHANGE = (
    sa.update(deliveries)
    .where(deliveries.c.chat_id == sa.bindparam("chat"), deliveries.c.story_id == sa.bindparam("story"))
    .values(
        reason=sa.bindparam("new_reason"),
        topics=sa.bindparam("new_topics"),
        level=sa.bindparam("new_level"),
        due_at=sa.bindparam("new_due_at"),
        dirty=sa.or_(deliveries.c.dirty, sa.bindparam("edit")),
    )
)
_SPOKEN = sa.update(subscriptions).where(
    subscriptions.c.chat_id == sa.bindparam("chat"), subscriptions.c.topic_id == sa.bindparam("topic")
)


def _alert_row(chat: ChatId, story: StoryId, decision: AlertDecision) -> dict[str, Any]:
    return {
        "chat_id": chat,
        "story_id": story,
        "reason": decision.reason.value,
        "topics": sorted(decision.topics),
        "level": int(decision.level),
        "due_at": decision.due_at,
    }


def _fresh(decision: AlertDecision, now: datetime) -> dict[str, Any]:
    """Return what a delivery begins with, also one that begins again."""
    is_held = decision.action is AlertAction.HOLD
    return {
        "created_at": now,
        "state": (DeliveryState.HELD if is_held else DeliveryState.QUEUED).value,
        "in_digest": is_held,
        "dirty": False,
        "attempts": 0,
        "uncertain": 0,
        "message_id": None,
    }


def _renamed(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row as `_CHANGE` wants it: bound names must differ from the columns' own."""
    new = {f"new_{name}": row[name] for name in ("reason", "topics", "level", "due_at")}
    return new | {"chat": row["chat_id"], "story": row["story_id"], "edit": row["edit"]}


class DeliveryRows:
    """The sender's side of the outbox; answers `ports.DeliveryStore`."""

    _db: Database

    async def claim_batch(
        self, now: datetime, lease_for: timedelta, busy: Collection[int] = ()
    ) -> Batch | None:
        """Return what should leave first, marked as being sent; None: nothing is due."""
        async with self._db.writing() as connection:
            first = await _most_urgent(connection, now, busy)
            if first is None:
                return None
            rows = [first]
            if first["in_digest"]:
                rows = await _digest_rows(connection, first["chat_id"], now)
            await _lease(connection, rows, now + lease_for)
        found = tuple(_delivery(row) for row in rows)
        return Batch(
            chat=found[0].chat, deliveries=found, is_digest=bool(first["in_digest"]) and len(found) > 1
        )

    async def settle(self, batch: Batch, decisions: Sequence[Settlement], now: datetime) -> None:
        """Write what came of each delivery of the batch."""
        async with self._db.writing() as connection:
            for settlement in decisions:
                await _settle(connection, settlement, now, in_digest=batch.is_digest)
            await _settle_chat(connection, batch.chat.id, decisions, now)

    async def expired_deliveries(self, now: datetime, *, all_leases: bool = False) -> Sequence[Delivery]:
        """Return deliveries whose lease ran out while they were being sent.

        Args:
            all_leases: Also those whose lease still runs: for the one who holds the data directory's lock.
        """
        query = _joined().where(deliveries.c.lease.is_not(None))
        if not all_leases:
            query = query.where(deliveries.c.lease_until <= now)
        async with self._db.reading() as connection:
            return [_delivery(row) for row in (await connection.execute(query)).mappings()]

    async def next_due(self, now: datetime) -> datetime | None:
        """Return when the next delivery is due; None: none is owed."""
        waits = sa.case(
            (chats.c.wait_until > deliveries.c.due_at, chats.c.wait_until), else_=deliveries.c.due_at
        )
        query = sa.select(sa.func.min(waits)).select_from(deliveries.join(chats)).where(_owed())
        async with self._db.reading() as connection:
            due: datetime | None = (await connection.execute(query)).scalar_one()
            return due

    async def highest_message_id(self) -> int:
        """Return the highest message id that is remembered; 0: none."""
        async with self._db.reading() as connection:
            highest = await connection.execute(sa.select(sa.func.max(deliveries.c.message_id)))
            return highest.scalar_one() or 0

    async def delivery_counts(self) -> Mapping[DeliveryState, int]:
        """Return how many deliveries stand where."""
        query = sa.select(deliveries.c.state, sa.func.count()).group_by(deliveries.c.state)
        async with self._db.reading() as connection:
            return {DeliveryState(state): count for state, count in await connection.execute(query)}


_WAITING = [DeliveryState.QUEUED.value, DeliveryState.UNCERTAIN.value, DeliveryState.HELD.value]


def _owed() -> sa.ColumnElement[bool]:
    """Return the condition for a delivery that still has something to send, and a chat that takes it."""
    edit = sa.and_(
        deliveries.c.state == DeliveryState.SENT.value,
        deliveries.c.dirty,
        deliveries.c.message_id.is_not(None),
    )
    return sa.and_(
        chats.c.state == ChatState.ACTIVE.value,
        deliveries.c.lease.is_(None),
        sa.or_(deliveries.c.state.in_(_WAITING), edit),
    )


def _joined() -> sa.Select[Any]:
    told = [column for column in chats.c if column.name not in {"id", "state"}]
    return sa.select(deliveries, chats.c.state.label("chat_state"), *told).join_from(deliveries, chats)


async def _most_urgent(
    connection: AsyncConnection, now: datetime, busy: Collection[int]
) -> sa.RowMapping | None:
    is_edit = sa.case((deliveries.c.state == DeliveryState.SENT.value, 1), else_=0)
    query = (
        _joined()
        .where(
            _owed(),
            deliveries.c.due_at <= now,
            sa.or_(chats.c.wait_until.is_(None), chats.c.wait_until <= now),
            chats.c.telegram_id.not_in(busy),
        )
        .order_by(
            is_edit, deliveries.c.in_digest, deliveries.c.level.desc(), deliveries.c.due_at, deliveries.c.id
        )
        .limit(1)
        .with_for_update(skip_locked=True, of=deliveries)
    )
    first: sa.RowMapping | None = (await connection.execute(query)).mappings().first()
    return first


async def _digest_rows(connection: AsyncConnection, chat: int, now: datetime) -> list[sa.RowMapping]:
    query = (
        _joined()
        .where(
            _owed(),
            deliveries.c.chat_id == chat,
            deliveries.c.in_digest,
            deliveries.c.state.in_(_WAITING),
            deliveries.c.due_at <= now,
        )
        .order_by(deliveries.c.level.desc(), deliveries.c.created_at, deliveries.c.id)
        .limit(DIGEST_MOST)
    )
    return list((await connection.execute(query)).mappings())


async def _lease(connection: AsyncConnection, rows: Sequence[sa.RowMapping], until: datetime) -> None:
    """Mark rows as being sent. An edit stays `sent`: its message stands whatever happens."""
    state = sa.case(
        (deliveries.c.state == DeliveryState.SENT.value, DeliveryState.SENT.value),
        else_=DeliveryState.SENDING.value,
    )
    await connection.execute(
        sa.update(deliveries)
        .where(deliveries.c.id.in_([row["id"] for row in rows]))
        .values(
            state=state,
            dirty=False,  # what is news from here on makes it dirty again
            attempts=deliveries.c.attempts + 1,
            lease=secrets.token_hex(8),
            lease_until=until,
        )
    )


async def _settle(
    connection: AsyncConnection, settlement: Settlement, now: datetime, *, in_digest: bool
) -> None:
    decision, delivery = settlement.decision, settlement.delivery
    sent = settlement.message_id is not None
    edit_waits = delivery.is_edit and decision.due_at > now
    values: dict[str, Any] = {
        "state": decision.state.value,
        "last_result": decision.reason.value,
        "last_error": settlement.error[:500] if settlement.error else None,
        "attempts": 0 if settlement.error is None else delivery.attempts + (1 if decision.counts else 0),
        "uncertain": delivery.uncertain + decision.uncertain,
        "lease": None,
        "lease_until": None,
    }
    if decision.state is not DeliveryState.SENT or edit_waits:
        values["due_at"] = decision.due_at
    if edit_waits or (delivery.is_edit and decision.moved_to is not None):
        values["dirty"] = True
    if decision.alone:
        values["in_digest"] = False
    if sent:
        values |= {"message_id": settlement.message_id, "sent_at": now, "in_digest": in_digest}
    if settlement.error is None:
        values["edited_at"] = now
    if decision.drop_message:
        values |= {"message_id": None, "dirty": False}
    await connection.execute(sa.update(deliveries).where(deliveries.c.id == delivery.id).values(**values))


async def _settle_chat(
    connection: AsyncConnection, chat: ChatId, settlements: Sequence[Settlement], now: datetime
) -> None:
    """Write what an outcome says of the chat itself, in all its threads."""
    query = sa.select(chats.c.telegram_id).where(chats.c.id == chat)
    telegram_id = (await connection.execute(query)).scalar_one()
    for decision in {settlement.decision for settlement in settlements}:
        if decision.chat_waits_until:
            everywhere = sa.update(chats).where(chats.c.telegram_id == telegram_id)
            await connection.execute(everywhere.values(wait_until=decision.chat_waits_until))
        if decision.chat_lost:
            await suspend_chats(connection, telegram_id, now)
        if decision.moved_to is not None:
            await move_chat(connection, telegram_id, decision.moved_to, now)


def _told(row: sa.RowMapping) -> Told:
    return Told(
        state=DeliveryState(row["state"]),
        topics=frozenset(TopicId(topic) for topic in row["topics"]),
        level=Level(row["level"]),
        due_at=row["due_at"],
        edited_at=row["edited_at"],
        in_digest=row["in_digest"],
        uncertain=row["uncertain"],
        message_lost=row["state"] == DeliveryState.SENT.value and row["message_id"] is None,
        story_muted=row["muted_since"] is not None,
    )


def _delivery(row: sa.RowMapping) -> Delivery:
    state = DeliveryState(row["state"])
    return Delivery(
        id=DeliveryId(row["id"]),
        chat=chat_from_row({**row, "id": row["chat_id"], "state": row["chat_state"]}),
        story_id=StoryId(row["story_id"]),
        state=state,
        topics=tuple(TopicId(topic) for topic in row["topics"]),
        level=Level(row["level"]),
        due_at=row["due_at"],
        attempts=row["attempts"],
        uncertain=row["uncertain"],
        message_id=row["message_id"],
        is_edit=state is DeliveryState.SENT,
    )
