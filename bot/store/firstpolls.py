"""Feeds that were just added with their answer in hand: their first poll need not be asked for."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.core.schedule import NextPollReason
from bot.model import FeedId
from bot.ports import DueFeed
from bot.store.chunks import chunks
from bot.store.engine import Database
from bot.store.feeds import feed_from_row, state_from_row
from bot.store.schema import feeds


class FirstPollRows:
    """What adding a feed asks of the store. Each call is one transaction."""

    _db: Database

    async def claim_new_feeds(
        self, some: Collection[FeedId], now: datetime, lease_for: timedelta
    ) -> Sequence[DueFeed]:
        """Return those of these feeds that wait for their first poll, due or not, now ours for the lease.

        Left out are those that somebody else polls, or has polled by now.
        """
        lease = secrets.token_hex(8)
        is_free = sa.or_(feeds.c.lease_until.is_(None), feeds.c.lease_until <= now)
        waits = sa.and_(
            feeds.c.listed,
            feeds.c.pause_reason.is_(None),
            feeds.c.next_poll_why == NextPollReason.FIRST.value,
            is_free,
        )
        claimed: list[DueFeed] = []
        async with self._db.writing() as connection:
            for ids in chunks(some):
                rows = await connection.execute(
                    sa.update(feeds)
                    .where(feeds.c.id.in_(ids), waits)
                    .values(lease=lease, lease_until=now + lease_for)
                    .returning(*feeds.c)
                )
                claimed += [
                    DueFeed(feed=feed_from_row(row), state=state_from_row(row), lease=lease)
                    for row in rows.mappings()
                ]
        return claimed
