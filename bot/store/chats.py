"""Chats, what they follow, mute and think of alerts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.routing import mutes_end
from bot.model import (
    Address,
    AlertReason,
    Chat,
    ChatId,
    ChatKind,
    ChatState,
    DeliveryState,
    Item,
    ItemId,
    Story,
    StoryId,
    TopicId,
)
from bot.store.dialect import insert
from bot.store.engine import Database
from bot.store.news import read_item, read_stories
from bot.store.schema import (
    chats,
    deliveries,
    judgements,
    matches,
    mutes,
    reports,
    stories,
    story_mutes,
    subscriptions,
)

_FROM_CONFIG = sa.select(subscriptions.c.chat_id, subscriptions.c.topic_id).where(subscriptions.c.from_config)
_WAITING = [DeliveryState.QUEUED.value, DeliveryState.HELD.value, DeliveryState.UNCERTAIN.value]


class ChatRows:
    """Answers `ports.ChatStore`."""

    _db: Database

    async def chat(self, address: Address) -> Chat | None:
        """Return the chat at that address; None: never heard of it."""
        async with self._db.reading() as connection:
            row = (await connection.execute(sa.select(chats).where(_at(address)))).mappings().first()
            return chat_from_row(row) if row else None

    async def register_chat(
        self, address: Address, *, kind: ChatKind, title: str, language: str, now: datetime
    ) -> Chat:
        """Return the chat, made or updated; a suspended or stopped one is active again.

        What was owed to it while it was away leaves as one digest, not as a flood.
        """
        told = {"kind": kind.value, "title": title, "language": language}
        active = {"state": ChatState.ACTIVE.value, "since": now}
        place = {"telegram_id": address.telegram_id, "thread_id": address.thread_id or 0}
        async with self._db.writing() as connection:
            before = (await connection.execute(sa.select(chats).where(_at(address)))).mappings().first()
            row = await connection.execute(
                insert(connection, chats)
                .values(**place, **told, **active)
                .on_conflict_do_update(index_elements=["telegram_id", "thread_id"], set_={**told, **active})
                .returning(chats)
            )
            chat = chat_from_row(row.mappings().one())
            if before and before["state"] != ChatState.ACTIVE.value:
                await _owe_together(connection, [chat.id])
            return chat

    async def stop_chat(self, chat: ChatId, now: datetime) -> None:
        """Send no more to a chat that asked for it; its subscriptions stay."""
        stopped = {"state": ChatState.STOPPED.value, "since": now}
        async with self._db.writing() as connection:
            await connection.execute(sa.update(chats).where(chats.c.id == chat).values(**stopped))

    async def suspend_chats(self, telegram_id: int, now: datetime) -> None:
        """Send no more to a Telegram chat, all its threads: it blocked or removed the bot."""
        async with self._db.writing() as connection:
            await suspend_chats(connection, telegram_id, now)

    async def resume_chats(self, telegram_id: int, now: datetime) -> None:
        """Take up again what was suspended; who said stop stays stopped. What is owed leaves as a digest."""
        mine = sa.and_(chats.c.telegram_id == telegram_id, chats.c.state == ChatState.SUSPENDED.value)
        async with self._db.writing() as connection:
            numbers = (await connection.execute(sa.select(chats.c.id).where(mine))).scalars().all()
            active = {"state": ChatState.ACTIVE.value, "since": now}
            await connection.execute(sa.update(chats).where(mine).values(**active))
            await _owe_together(connection, numbers)

    async def move_chat(self, old: int, new: int, now: datetime) -> None:
        """Rewrite a Telegram id in all chats of that id (a group became a supergroup)."""
        async with self._db.writing() as connection:
            await move_chat(connection, old, new, now)

    async def followed(self, chat: ChatId) -> frozenset[TopicId]:
        """Return the topics that the chat follows."""
        query = sa.select(subscriptions.c.topic_id).where(subscriptions.c.chat_id == chat)
        async with self._db.reading() as connection:
            return frozenset(TopicId(topic) for topic in (await connection.execute(query)).scalars())

    async def follow(self, chat: ChatId, topics: Collection[TopicId], now: datetime) -> None:
        """Subscribe; following twice is following once."""
        rows = [{"chat_id": chat, "topic_id": topic, "from_config": False, "since": now} for topic in topics]
        if not rows:
            return
        async with self._db.writing() as connection:
            await connection.execute(insert(connection, subscriptions).on_conflict_do_nothing(), rows)

    async def unfollow(self, chat: ChatId, topics: Collection[TopicId]) -> None:
        """Unsubscribe; what was not followed is no error."""
        mine = sa.and_(subscriptions.c.chat_id == chat, subscriptions.c.topic_id.in_(topics))
        async with self._db.writing() as connection:
            await connection.execute(sa.delete(subscriptions).where(mine))
            await _withdraw(connection, chat, topics)

    async def sync_config_chats(
        self,
        wanted: Mapping[Address, Collection[TopicId]],
        told: Mapping[Address, tuple[str, str]],
        now: datetime,
    ) -> None:
        """Make what the config subscribes to this; what chats chose themselves stays.

        Args:
            told: The title and language of each address.
        """
        async with self._db.writing() as connection:
            given = (await connection.execute(_FROM_CONFIG)).all()
            keep = set()
            for address, topics in wanted.items():
                chat = await _config_chat(connection, address, *told[address], now)
                keep |= {(chat, str(topic)) for topic in topics}
            for chat, topic in sorted({(row.chat_id, row.topic_id) for row in given} - keep):
                mine = sa.and_(subscriptions.c.chat_id == chat, subscriptions.c.topic_id == topic)
                await connection.execute(sa.delete(subscriptions).where(mine))
            rows = [
                {"chat_id": chat, "topic_id": topic, "from_config": True, "since": now}
                for chat, topic in sorted(keep)
            ]
            if rows:
                await connection.execute(insert(connection, subscriptions).on_conflict_do_nothing(), rows)

    async def lost_config_chats(self) -> Sequence[Address]:
        """Return the chats of the config that cannot be written to, for an operator to look at."""
        query = sa.select(chats.c.telegram_id, chats.c.thread_id).distinct().join_from(chats, subscriptions)
        lost = sa.and_(subscriptions.c.from_config, chats.c.state == ChatState.SUSPENDED.value)
        async with self._db.reading() as connection:
            rows = await connection.execute(
                query.where(lost).order_by(chats.c.telegram_id, chats.c.thread_id)
            )
            return [Address(telegram_id=row.telegram_id, thread_id=row.thread_id or None) for row in rows]

    async def latest(self, topics: Collection[TopicId], limit: int) -> Sequence[Story]:
        """Return the newest stories of these topics, newest first."""
        query = (
            sa.select(stories.c.id)
            .join(reports, reports.c.story_id == stories.c.id)
            .join(matches, matches.c.item_id == reports.c.item_id)
            .where(matches.c.topic_id.in_(topics))
            .group_by(stories.c.id, stories.c.last_report_at)
            .order_by(stories.c.last_report_at.desc(), stories.c.id.desc())
            .limit(limit)
        )
        async with self._db.reading() as connection:
            numbers = [StoryId(number) for number in (await connection.execute(query)).scalars()]
            return await read_stories(connection, numbers)

    async def item(self, number: ItemId) -> Item | None:
        """Return the item; None: unknown or pruned."""
        async with self._db.reading() as connection:
            return await read_item(connection, number)

    async def story(self, story: StoryId) -> Story | None:
        """Return the story; None: unknown or pruned."""
        return next(iter(await self.stories([story])), None)

    async def stories(self, numbers: Sequence[StoryId]) -> Sequence[Story]:
        """Return these stories in this order; unknown ones are left out."""
        async with self._db.reading() as connection:
            return await read_stories(connection, numbers)

    async def alert_of_message(self, telegram_id: int, message_id: int) -> tuple[ChatId, StoryId] | None:
        """Return the chat that a message of ours was meant for, and its story; None: no alert of ours.

        A digest tells of several stories, so it is none.
        """
        query = (
            sa.select(deliveries.c.chat_id, deliveries.c.story_id)
            .join_from(deliveries, chats)
            .where(
                chats.c.telegram_id == telegram_id,
                deliveries.c.message_id == message_id,
                ~deliveries.c.in_digest,
            )
        )
        async with self._db.reading() as connection:
            found = (await connection.execute(query)).first()
            return None if found is None else (ChatId(found.chat_id), StoryId(found.story_id))

    async def mute_story(self, chat: ChatId, story: StoryId, now: datetime) -> None:
        """Never edit or repeat this story in this chat."""
        async with self._db.writing() as connection:
            await connection.execute(
                insert(connection, story_mutes)
                .values(chat_id=chat, story_id=story, since=now)
                .on_conflict_do_nothing()
            )
            mine = sa.and_(deliveries.c.chat_id == chat, deliveries.c.story_id == story)
            await connection.execute(sa.update(deliveries).where(mine).values(dirty=False))

    async def mute(self, chat: ChatId, topic: TopicId | None, until: datetime | None, now: datetime) -> None:
        """Hold the alerts of a topic (None: all topics) until then; `until=None` ends the mute.

        What has not left yet, held or queued, waits for the end of the mutes now in force.
        """
        scope = {"chat_id": chat, "topic_id": topic or ""}
        async with self._db.writing() as connection:
            if until is None:
                mine = sa.and_(mutes.c.chat_id == chat, mutes.c.topic_id == (topic or ""))
                await connection.execute(sa.delete(mutes).where(mine))
            else:
                await connection.execute(
                    insert(connection, mutes)
                    .values(**scope, until=until)
                    .on_conflict_do_update(index_elements=["chat_id", "topic_id"], set_={"until": until})
                )
            await _hold_again(connection, chat, now)

    async def muted(self, chat: ChatId, now: datetime) -> dict[TopicId | None, datetime]:
        """Return the mutes in force and when each ends."""
        query = sa.select(mutes).where(mutes.c.chat_id == chat, mutes.c.until > now)
        async with self._db.reading() as connection:
            rows = (await connection.execute(query)).mappings()
            return {TopicId(row["topic_id"]) if row["topic_id"] else None: row["until"] for row in rows}

    async def judge(self, chat: ChatId, story: StoryId, relevant: bool, now: datetime) -> None:
        """Remember what a chat says of an alert; the last word counts."""
        said = {"relevant": relevant, "since": now}
        async with self._db.writing() as connection:
            await connection.execute(
                insert(connection, judgements)
                .values(chat_id=chat, story_id=story, **said)
                .on_conflict_do_update(index_elements=["chat_id", "story_id"], set_=said)
            )


def chat_from_row(row: sa.RowMapping | Mapping[str, Any]) -> Chat:
    """Return the chat of a row of the table `chats`."""
    return Chat(
        id=ChatId(row["id"]),
        address=Address(telegram_id=row["telegram_id"], thread_id=row["thread_id"] or None),
        kind=ChatKind(row["kind"]),
        title=row["title"],
        language=row["language"],
        state=ChatState(row["state"]),
    )


def _at(address: Address) -> sa.ColumnElement[bool]:
    return sa.and_(chats.c.telegram_id == address.telegram_id, chats.c.thread_id == (address.thread_id or 0))


async def suspend_chats(connection: AsyncConnection, telegram_id: int, now: datetime) -> None:
    """Send no more to a Telegram chat, all its threads; one that said stop stays stopped."""
    mine = sa.and_(chats.c.telegram_id == telegram_id, chats.c.state == ChatState.ACTIVE.value)
    suspended = {"state": ChatState.SUSPENDED.value, "since": now}
    await connection.execute(sa.update(chats).where(mine).values(**suspended))


async def _owe_together(connection: AsyncConnection, numbers: Sequence[int]) -> None:
    """Let what these chats are owed leave as a digest, not as a flood."""
    waiting = sa.and_(deliveries.c.chat_id.in_(numbers), deliveries.c.state.in_(_WAITING))
    await connection.execute(sa.update(deliveries).where(waiting).values(in_digest=True))


async def _config_chat(
    connection: AsyncConnection, address: Address, title: str, language: str, now: datetime
) -> int:
    """Return the number of a chat that the config names; one that stopped the bot stays stopped.

    One that could not be written to is tried again: an operator may have mended it, and cron hears nothing
    of Telegram.
    """
    found = await connection.execute(
        insert(connection, chats)
        .values(
            telegram_id=address.telegram_id,
            thread_id=address.thread_id or 0,
            kind=ChatKind.UNKNOWN.value,
            title=title,
            language=language,
            state=ChatState.ACTIVE.value,
            since=now,
        )
        .on_conflict_do_update(index_elements=["telegram_id", "thread_id"], set_={"language": language})
        .returning(chats.c.id, chats.c.state)
    )
    number, state = found.one()
    if state == ChatState.SUSPENDED.value:
        active = {"state": ChatState.ACTIVE.value, "since": now}
        await connection.execute(sa.update(chats).where(chats.c.id == number).values(**active))
        await _owe_together(connection, [number])
    return int(number)


async def move_chat(connection: AsyncConnection, old: int, new: int, now: datetime) -> None:
    """Rewrite a Telegram id; where the new one is known already, the old one's subscriptions join it."""
    olds = (await connection.execute(sa.select(chats).where(chats.c.telegram_id == old))).mappings().all()
    news = (await connection.execute(sa.select(chats).where(chats.c.telegram_id == new))).mappings().all()
    by_thread = {row["thread_id"]: row["id"] for row in news}
    for row in olds:
        target = by_thread.get(row["thread_id"])
        if target is None:
            values = {"telegram_id": new, "kind": ChatKind.SUPERGROUP.value, "wait_until": None}
            await connection.execute(sa.update(chats).where(chats.c.id == row["id"]).values(**values))
        else:
            await _join_chats(connection, row["id"], target)


async def _join_chats(connection: AsyncConnection, old: int, new: int) -> None:
    """Hand all that one chat has over to another; where both have it, the other's stays."""
    for table, key in (
        (subscriptions, "topic_id"),
        (mutes, "topic_id"),
        (story_mutes, "story_id"),
        (judgements, "story_id"),
        (deliveries, "story_id"),
    ):
        there = sa.select(table.c[key]).where(table.c.chat_id == new)
        mine = table.c.chat_id == old
        await connection.execute(sa.update(table).where(mine, table.c[key].not_in(there)).values(chat_id=new))
        await connection.execute(sa.delete(table).where(mine))
    await connection.execute(sa.delete(chats).where(chats.c.id == old))


async def _hold_again(connection: AsyncConnection, chat: ChatId, now: datetime) -> None:
    """Let what has not left wait for the mutes in force: until the first of its topics may speak."""
    in_force = sa.select(mutes).where(mutes.c.chat_id == chat, mutes.c.until > now)
    until = {TopicId(row.topic_id) or None: row.until for row in await connection.execute(in_force)}
    mine = sa.and_(deliveries.c.chat_id == chat, deliveries.c.state.in_(_WAITING))
    for row in (await connection.execute(sa.select(deliveries).where(mine))).all():
        free_at = mutes_end(row.topics, until, now)
        is_muted = row.state == DeliveryState.HELD.value and row.reason == AlertReason.MUTED.value
        values: dict[str, Any] = {"due_at": free_at if is_muted else max(row.due_at, free_at)}
        if free_at > now and row.state == DeliveryState.QUEUED.value:
            held = {"state": DeliveryState.HELD.value, "reason": AlertReason.MUTED.value, "in_digest": True}
            values |= held
        await connection.execute(sa.update(deliveries).where(deliveries.c.id == row.id).values(**values))


async def _withdraw(connection: AsyncConnection, chat: ChatId, topics: Collection[TopicId]) -> None:
    """Take topics off what has not left yet; what has no topic left is owed no more."""
    waiting = sa.and_(deliveries.c.chat_id == chat, deliveries.c.state.in_(_WAITING))
    rows = await connection.execute(sa.select(deliveries.c.id, deliveries.c.topics).where(waiting))
    for row in rows.all():
        rest = [topic for topic in row.topics if topic not in topics]
        mine = deliveries.c.id == row.id
        if not rest:
            await connection.execute(sa.delete(deliveries).where(mine))
        elif rest != row.topics:
            await connection.execute(sa.update(deliveries).where(mine).values(topics=rest))
