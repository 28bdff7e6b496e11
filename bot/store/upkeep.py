"""Upkeep: what has served its time goes, a little at a time, so that polling never waits for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.core.identity import key_keep_for
from bot.store.dialect import insert
from bot.store.engine import Database
from bot.store.schema import Utc, chores, feeds, hosts, item_keys, polls

POLLS_KEPT = timedelta(days=30)
EVERY = timedelta(days=1)
_CLOCK_DRIFT = timedelta(minutes=1)
_LONGEST_REST = timedelta(hours=25)  # no pause of a host, and no lease, is longer
_POLLS_AT_ONCE = 5_000
_FEEDS_AT_ONCE = 200
_CHORE = "tidy"
_OLD_KEYS = sa.delete(item_keys).where(
    item_keys.c.feed_id == sa.bindparam("feed"), item_keys.c.seen_at < sa.bindparam("before", type_=Utc)
)


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

        Polls go after 30 days, pauses of hosts when they are over, and keys of items that were last shown
        `key_keep_for` before their feed's newest one: long enough that an item which comes back is known.
        (Not before now: a feed that says nothing new for months still shows them.)
        """
        if not await self._is_due(now):
            return None
        return Tidied(
            polls=await self._prune_polls(now),
            keys=await self._prune_keys(),
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

    async def set_right(self, now: datetime) -> int:
        """Make due what was put off while the clock was ahead; return how many feeds that is.

        A poll in the future tells of that. Leases and pauses of hosts of that time end as well.
        """
        ahead, never = now + _CLOCK_DRIFT, now + _LONGEST_REST
        is_ahead = sa.or_(feeds.c.last_poll_at > ahead, feeds.c.lease_until > never)
        due = sa.update(feeds).where(is_ahead)
        async with self._db.writing() as connection:
            await connection.execute(sa.delete(hosts).where(hosts.c.paused_until > never))
            done = await connection.execute(
                due.values(next_poll_at=now, last_poll_at=now, lease=None, lease_until=None)
            )
            return done.rowcount

    async def _prune_polls(self, now: datetime) -> int:
        """Remove old polls from the low end of their numbers, which rise with time.

        Those of a time when the clock was ahead go as well.
        """
        too_old = sa.or_(polls.c.at < now - POLLS_KEPT, polls.c.at > now + EVERY)
        removed = 0
        oldest = sa.select(polls.c.id).order_by(polls.c.id).limit(_POLLS_AT_ONCE)
        while True:
            old = sa.delete(polls).where(polls.c.id.in_(oldest.scalar_subquery()), too_old)
            async with self._db.writing() as connection:
                gone = (await connection.execute(old)).rowcount
            removed += gone
            if gone < _POLLS_AT_ONCE:
                return removed

    async def _prune_keys(self) -> int:
        removed, after = 0, ""
        newest = sa.func.max(item_keys.c.seen_at, type_=Utc)
        shown = sa.select(feeds.c.id, feeds.c.window, newest.label("newest")).join_from(feeds, item_keys)
        while True:
            some = shown.where(feeds.c.id > after).group_by(feeds.c.id, feeds.c.window).order_by(feeds.c.id)
            async with self._db.writing() as connection:
                rows = (await connection.execute(some.limit(_FEEDS_AT_ONCE))).all()
                if not rows:
                    return removed
                old = [{"feed": row.id, "before": row.newest - key_keep_for(row.window)} for row in rows]
                removed += (await connection.execute(_OLD_KEYS, old)).rowcount
            after = rows[-1].id

    async def _prune_hosts(self, now: datetime) -> int:
        async with self._db.writing() as connection:
            gone = await connection.execute(sa.delete(hosts).where(hosts.c.paused_until <= now))
            return gone.rowcount
