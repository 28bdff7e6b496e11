"""Upkeep: what has served its time goes, a little at a time, so that polling never waits for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.core.identity import key_keep_for
from bot.store.dialect import insert
from bot.store.engine import Database
from bot.store.schema import chores, feeds, hosts, item_keys, polls

POLLS_KEPT = timedelta(days=30)
EVERY = timedelta(days=1)
_POLLS_AT_ONCE = 5_000
_FEEDS_AT_ONCE = 200
_CHORE = "tidy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tidied:
    """How many rows an upkeep removed."""

    polls: int = 0
    keys: int = 0
    hosts: int = 0


class UpkeepRows:
    """The store's upkeep."""

    _db: Database

    async def tidy(self, now: datetime) -> Tidied | None:
        """Remove what is too old, if that was not done today; return how much, or None.

        Polls go after 30 days, pauses of hosts when they are over, and keys of items when no poll has shown
        them for `key_keep_for`: long enough that an item which comes back is known.
        """
        if not await self._is_due(now):
            return None
        return Tidied(
            polls=await self._prune_polls(now - POLLS_KEPT),
            keys=await self._prune_keys(now),
            hosts=await self._prune_hosts(now),
        )

    async def _is_due(self, now: datetime) -> bool:
        """Return whether the chore is due, and note that it is done now."""
        async with self._db.writing() as connection:
            query = sa.select(chores.c.done_at).where(chores.c.name == _CHORE)
            done_at: datetime | None = (await connection.execute(query)).scalar_one_or_none()
            if done_at is not None and done_at <= now < done_at + EVERY:
                return False
            note = insert(connection, chores).values(name=_CHORE, done_at=now)
            await connection.execute(
                note.on_conflict_do_update(index_elements=[chores.c.name], set_={"done_at": now})
            )
        return True

    async def _prune_polls(self, before: datetime) -> int:
        """Remove old polls from the low end of their numbers, which rise with time."""
        removed = 0
        oldest = sa.select(polls.c.id).order_by(polls.c.id).limit(_POLLS_AT_ONCE)
        while True:
            old = sa.delete(polls).where(polls.c.id.in_(oldest.scalar_subquery()), polls.c.at < before)
            async with self._db.writing() as connection:
                gone = (await connection.execute(old)).rowcount
            removed += gone
            if gone < _POLLS_AT_ONCE:
                return removed

    async def _prune_keys(self, now: datetime) -> int:
        removed, after = 0, ""
        while True:
            query = sa.select(feeds.c.id, feeds.c.window).where(feeds.c.id > after).order_by(feeds.c.id)
            async with self._db.writing() as connection:
                some = (await connection.execute(query.limit(_FEEDS_AT_ONCE))).all()
                by_age: dict[timedelta, list[str]] = {}
                for row in some:
                    by_age.setdefault(key_keep_for(row.window), []).append(row.id)
                for age, mine in by_age.items():
                    old = sa.delete(item_keys).where(
                        item_keys.c.feed_id.in_(mine), item_keys.c.seen_at < now - age
                    )
                    removed += (await connection.execute(old)).rowcount
            if len(some) < _FEEDS_AT_ONCE:
                return removed
            after = some[-1].id

    async def _prune_hosts(self, now: datetime) -> int:
        async with self._db.writing() as connection:
            gone = await connection.execute(sa.delete(hosts).where(hosts.c.paused_until <= now))
            return gone.rowcount
