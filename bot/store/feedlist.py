"""The feeds as operators list, add, change, pause and remove them, beside a process that polls them.

Whatever changes how a feed is polled takes its lease away, so that a poll under way writes nothing of the
old ways over the new ones; the feed is polled again instead.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import sqlalchemy as sa

from bot.core.feedsync import url_key
from bot.core.hosts import url_host_key
from bot.core.schedule import NextPollReason
from bot.model import Feed, FeedId, FeedOrigin, ItemReason, PauseReason, PollReason
from bot.ports import FeedStatus, PollRecord
from bot.store.dialect import insert
from bot.store.engine import Database, translated
from bot.store.feeds import (
    ASKED_BY,
    NO_LEASE,
    OF_ADDRESS,
    UNREAD,
    feed_from_row,
    new_feed_row,
    state_from_row,
)
from bot.store.schema import feeds, hosts, items, polls

_WELL: Final[Mapping[str, Any]] = {
    "failures": 0,
    "failing_since": None,
    "gone_count": 0,
    "gone_since": None,
    "pause_reason": None,
}
_COMMAND_FEEDS: Final = "SELECT id FROM feeds WHERE listed AND origin = ? ORDER BY id"


class FeedListRows:
    """What the `feeds` commands ask of the store. Each call is one transaction."""

    _db: Database

    async def feed_statuses(self) -> Sequence[FeedStatus]:
        """Return the feeds that are listed, by id, and how each fares."""
        async with self._db.reading() as connection:
            rows = await connection.execute(sa.select(feeds).where(feeds.c.listed).order_by(feeds.c.id))
            return [_status(row) for row in rows.mappings()]

    async def feed_status(self, feed: FeedId) -> FeedStatus | None:
        """Return how a feed fares; None: no feed of that id is listed."""
        query = sa.select(feeds).where(feeds.c.id == feed, feeds.c.listed)
        async with self._db.reading() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else _status(row)

    async def polls_of(self, feed: FeedId, limit: int) -> Sequence[PollRecord]:
        """Return the last polls of a feed, newest first."""
        query = sa.select(polls).where(polls.c.feed_id == feed)
        query = query.order_by(polls.c.at.desc(), polls.c.id.desc()).limit(limit)
        async with self._db.reading() as connection:
            return [_poll(row) for row in (await connection.execute(query)).mappings()]

    async def new_items_since(self, since: datetime) -> Mapping[FeedId, int]:
        """Return how many items came as news on each feed since then; feeds without any are left out.

        What a first poll brought, and what came late, is no news.
        """
        query = (
            sa.select(items.c.feed_id, sa.func.count())
            .where(items.c.seen_at >= since, items.c.reason == ItemReason.NEW.value)
            .group_by(items.c.feed_id)
        )
        async with self._db.reading() as connection:
            return {FeedId(feed): number for feed, number in await connection.execute(query)}

    async def host_pauses(self, now: datetime) -> Mapping[str, datetime]:
        """Return the hosts that asked to be left in peace, by registrable domain, and until when."""
        query = sa.select(hosts).where(hosts.c.paused_until > now)
        async with self._db.reading() as connection:
            return {row.host: row.paused_until for row in await connection.execute(query)}

    async def add_feed(self, feed: Feed, first_poll: datetime, now: datetime) -> bool:
        """List a feed by command; see add_feeds. False: its id is taken."""
        return feed.id in await self.add_feeds([feed], [first_poll], now)

    async def add_feeds(
        self, added: Sequence[Feed], first_polls: Sequence[datetime], now: datetime
    ) -> frozenset[FeedId]:
        """List feeds by command; return the ids of those that were, not of those whose id is taken.

        The first good poll of each is silent. One that was removed is as new, but for the items that it is
        known to have shown.
        """
        rows = [
            {**new_feed_row(feed, FeedOrigin.COMMAND, first, now), **NO_LEASE}
            for feed, first in zip(added, first_polls, strict=True)
        ]
        async with self._db.writing() as connection:
            taken = set((await connection.execute(sa.select(feeds.c.id).where(feeds.c.listed))).scalars())
            free = [row for row in rows if row["id"] not in taken]
            if free:
                upsert = insert(connection, feeds)
                told = {name: upsert.excluded[name] for name in free[0] if name != "id"}
                await connection.execute(
                    upsert.on_conflict_do_update(
                        index_elements=[feeds.c.id], set_=told, where=~feeds.c.listed
                    ),
                    free,
                )
        return frozenset(FeedId(row["id"]) for row in free)

    async def edit_feed(self, feed: Feed, now: datetime) -> bool:
        """Give a feed that was added by command these settings. False: there is no such feed.

        With another URL it is polled afresh at once, as when the config names another; items known so far
        stay known. Where the server is asked, or the answer read, in another way, the whole feed is read
        again at once. A shorter interval counts from now. Otherwise the next poll stays when it is.
        """
        query = _by_command(feed.id)
        async with self._db.writing() as connection:
            found = await connection.execute(sa.select(feeds).where(query).with_for_update())
            row = found.mappings().one_or_none()
            if row is None:
                return False
            told = {**asdict(feed), "headers": [list(pair) for pair in feed.headers], **NO_LEASE}
            told |= _consequences(_status(row), feed, now)
            await connection.execute(sa.update(feeds).where(query).values(told))
        return True

    async def pause_feed(self, feed: FeedId, reason: PauseReason) -> bool:
        """Poll a feed no more until it is resumed.

        False: there is no such feed, or it rests, since the config names its address itself.
        """
        return await self._change(_awake(feed), {"pause_reason": reason.value, **NO_LEASE})

    async def resume_feed(self, feed: FeedId, now: datetime) -> bool:
        """Poll a feed again, and at once: pause, back-off and 410s are forgotten.

        False: there is no such feed, or it rests, since the config names its address itself.
        """
        at_once = {"next_poll_at": now, "next_poll_why": NextPollReason.FIRST.value}
        return await self._change(_awake(feed), {**_WELL, **at_once, **NO_LEASE})

    async def remove_feed(self, feed: FeedId) -> bool:
        """List a feed no more that was added by command; its items and keys stay. False: no such feed."""
        return await self._change(_by_command(feed), {"listed": False, **NO_LEASE})

    async def _change(self, which: sa.ColumnElement[bool], values: Mapping[str, Any]) -> bool:
        async with self._db.writing() as connection:
            done = await connection.execute(sa.update(feeds).where(which).values(values))
        return done.rowcount == 1


def command_feed_ids(database_url: str) -> tuple[str, ...]:
    """Return the ids of the feeds that were added by command, which `sources` of rules may name.

    None where there is no database yet, or one of a version that knew no such feeds. Reads a file of SQLite
    without waiting for anybody, so that it may be called from anywhere.

    Raises:
        StoreError: The database is there, but cannot be read.
    """
    file = Path(sa.make_url(database_url).database or "")
    if not file.is_file():
        return ()
    with translated(str(file)), closing(_opened(file)) as connection:
        columns = {row[1] for row in connection.execute("PRAGMA table_info(feeds)")}
        if "origin" not in columns:
            return ()
        return tuple(row[0] for row in connection.execute(_COMMAND_FEEDS, [FeedOrigin.COMMAND.value]))


def _opened(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)


def _listed(feed: FeedId) -> sa.ColumnElement[bool]:
    return sa.and_(feeds.c.id == feed, feeds.c.listed)


def _awake(feed: FeedId) -> sa.ColumnElement[bool]:
    return sa.and_(_listed(feed), feeds.c.pause_reason.is_distinct_from(PauseReason.CONFIG.value))


def _by_command(feed: FeedId) -> sa.ColumnElement[bool]:
    return sa.and_(_listed(feed), feeds.c.origin == FeedOrigin.COMMAND.value)


def _consequences(known: FeedStatus, after: Feed, now: datetime) -> dict[str, Any]:
    """Return what new settings change in what is remembered of a feed."""
    before, learned = known.feed, known.state.learned_url
    at_once = {"next_poll_at": now, "next_poll_why": NextPollReason.FIRST.value}
    if before.url != after.url:
        is_elsewhere = url_key(after.url) not in {url_key(url) for url in (before.url, learned) if url}
        is_resting = known.pause is PauseReason.CONFIG and not is_elsewhere
        stays = known.pause if known.pause is PauseReason.OPERATOR or is_resting else None
        return {
            **OF_ADDRESS,
            **at_once,
            "pause_reason": stays.value if stays else None,
            "host": url_host_key(after.url),
            "is_new_address": is_elsewhere or known.state.is_new_address,
        }
    if any(getattr(before, name) != getattr(after, name) for name in ASKED_BY):
        return {**UNREAD, **at_once}
    if before.allow_private != after.allow_private:
        return at_once
    if after.interval is not None and now + after.interval < known.next_poll_at:
        return {"next_poll_at": now + after.interval, "next_poll_why": NextPollReason.OPERATOR.value}
    return {}


def _status(row: sa.RowMapping) -> FeedStatus:
    return FeedStatus(
        feed=feed_from_row(row),
        origin=FeedOrigin(row["origin"]),
        host=row["host"],
        state=state_from_row(row),
        pause=PauseReason(row["pause_reason"]) if row["pause_reason"] else None,
        added_at=row["added_at"],
        last_poll_at=row["last_poll_at"],
        last_reason=PollReason(row["last_reason"]) if row["last_reason"] else None,
        last_error=row["last_error"],
        next_poll_at=row["next_poll_at"],
        next_poll_why=NextPollReason(row["next_poll_why"]),
    )


def _poll(row: sa.RowMapping) -> PollRecord:
    return PollRecord(
        feed=FeedId(row["feed_id"]),
        at=row["at"],
        reason=PollReason(row["reason"]),
        status=row["status"],
        received=row["received"],
        items=row["items"],
        new=row["new"],
        next_poll_at=row["next_poll_at"],
        next_poll_why=NextPollReason(row["next_poll_why"]),
        error=row["error"],
    )
