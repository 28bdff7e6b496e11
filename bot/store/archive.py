"""The archive: every item that is kept, with what was matched at the time, read a page at a time.

Each page is a transaction of its own, so that a long reading holds up neither the daemon's writes nor the
checkpoints of SQLite's log.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Item, ItemId, ItemReason, Match, TopicId
from bot.store.engine import Database
from bot.store.news import item_from_row, match_from_row
from bot.store.schema import items, matches

PAGE = 500  # items


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredItem:
    """An item as the store keeps it."""

    id: ItemId
    item: Item  # its latest text
    seen_at: datetime  # when a poll first showed it
    reason: ItemReason  # NEW: it came as news; FIRST_POLL, BACKFILL: it was kept silently
    matches: tuple[Match, ...]  # stored when its text was last read, best first, topics of that time
    quiet: frozenset[TopicId] = frozenset()  # of these, what only a change of the rules found: never told

    @property
    def is_news(self) -> bool:
        """Whether its matches were told: what comes with a feed's first poll, or late, is kept silently."""
        return self.reason not in {ItemReason.FIRST_POLL, ItemReason.BACKFILL}

    @property
    def told_matches(self) -> tuple[Match, ...]:
        """Return the matches that are not quiet."""
        return tuple(match for match in self.matches if match.topic not in self.quiet)


class ArchiveRows:
    """Reads what is kept; nothing is written, and a running Topicwire is not disturbed."""

    _db: Database

    async def archive(
        self, since: datetime | None = None, until: datetime | None = None, *, page: int = PAGE
    ) -> AsyncIterator[StoredItem]:
        """Yield the items first seen at or after `since` and before `until`, in the order they came.

        A caller may stop at any item. Never more than a page is in memory.

        Args:
            since: None: from the first there is.
            until: None: to the last there is, those that come meanwhile included.

        Raises:
            StoreError: One of its branches.
        """
        place: tuple[datetime, ItemId] | None = None
        while True:
            async with self._db.reading() as connection:
                found = await _page(connection, since, until, place, page)
            for one in found:
                yield one
            if len(found) < page:
                return
            place = found[-1].seen_at, found[-1].id

    async def archive_size(self, since: datetime | None = None, until: datetime | None = None) -> int:
        """Return how many items `archive` gives."""
        query = sa.select(sa.func.count()).select_from(items).where(_within(since, until))
        async with self._db.reading() as connection:
            return int((await connection.execute(query)).scalar_one())


class StoredRows:
    """What a transaction reads of items that are kept."""

    _connection: AsyncConnection

    async def stored_items(self, numbers: Collection[ItemId]) -> list[StoredItem]:
        """Return these items in the order they came; unknown or pruned ones are left out."""
        query = sa.select(items).where(items.c.id.in_(numbers)).order_by(items.c.seen_at, items.c.id)
        return await _with_matches(self._connection, (await self._connection.execute(query)).mappings().all())


async def _page(
    connection: AsyncConnection,
    since: datetime | None,
    until: datetime | None,
    place: tuple[datetime, ItemId] | None,
    size: int,
) -> list[StoredItem]:
    """Return the items that follow a place in the archive."""
    query = sa.select(items).order_by(items.c.seen_at, items.c.id).limit(size)
    if place is not None:
        since, number = place  # the one bound below, so that the index leads to the place
        query = query.where(sa.or_(items.c.seen_at > since, items.c.id > number))
    query = query.where(_within(since, until))
    return await _with_matches(connection, (await connection.execute(query)).mappings().all())


def _within(since: datetime | None, until: datetime | None) -> sa.ColumnElement[bool]:
    bounds = [] if since is None else [items.c.seen_at >= since]
    bounds += [] if until is None else [items.c.seen_at < until]
    return sa.and_(sa.true(), *bounds)


async def _with_matches(connection: AsyncConnection, rows: Sequence[sa.RowMapping]) -> list[StoredItem]:
    found: dict[int, list[Match]] = {row["id"]: [] for row in rows}
    quiet: dict[int, set[TopicId]] = {row["id"]: set() for row in rows}
    known = await connection.execute(
        sa.select(matches)
        .where(matches.c.item_id.in_(found))
        .order_by(matches.c.score.desc(), matches.c.topic_id)
    )
    for row in known.mappings():
        match = match_from_row(row)
        found[row["item_id"]].append(match)
        if row["quiet"]:
            quiet[row["item_id"]].add(match.topic)
    return [
        StoredItem(
            id=ItemId(row["id"]),
            item=item_from_row(row),
            seen_at=row["seen_at"],
            reason=ItemReason(row["reason"]),
            matches=tuple(found[row["id"]]),
            quiet=frozenset(quiet[row["id"]]),
        )
        for row in rows
    ]
