"""Feeds and what is remembered of their polls."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.identity import redact_url
from bot.core.schedule import NextPollReason, PollDecision, needs_operator
from bot.errors import StoreBusy
from bot.model import Feed, FeedId, PollReason, PollState
from bot.ports import DueFeed, SickFeed
from bot.store.dialect import insert
from bot.store.engine import Database
from bot.store.schema import feeds

_FEED = ("id", "url", "outlet", "language", "interval", "encoding", "allow_private")
_STATE = tuple(PollState.__dataclass_fields__)


class FeedRows:
    """The feeds; answers `ports.FeedStore` but for `polling`."""

    _db: Database

    async def sync_feeds(
        self, listed: Sequence[Feed], first_polls: Sequence[datetime], now: datetime
    ) -> None:
        """Make the list of feeds this one; feeds left out keep their keys and are no longer polled.

        A feed whose URL changed is polled afresh: validators and back-off belong to the URL.
        """
        del now
        rows = [
            {**asdict(feed), **asdict(PollState()), "listed": True, "paused": False, "next_poll_at": first}
            | {"next_poll_why": NextPollReason.FIRST.value}
            for feed, first in zip(listed, first_polls, strict=True)
        ]
        async with self._db.writing() as connection:
            await connection.execute(sa.update(feeds).values(listed=False))
            if not rows:
                return
            upsert = insert(connection, feeds)
            new = upsert.excluded
            moved = feeds.c.url != new.url
            afresh = {
                "etag": None,
                "last_modified": None,
                "validators_since": None,
                "body_sha256": None,
                "failures": 0,
                "failing_since": None,
                "gone_count": 0,
                "gone_since": None,
                "paused": False,
                "next_poll_at": new.next_poll_at,
            }
            await connection.execute(
                upsert.on_conflict_do_update(
                    index_elements=[feeds.c.id],
                    set_={
                        **{name: new[name] for name in _FEED[1:]},
                        "listed": True,
                        **{
                            name: sa.case((moved, value), else_=feeds.c[name])
                            for name, value in afresh.items()
                        },
                    },
                ),
                rows,
            )

    async def claim_feeds(
        self, now: datetime, lease_for: timedelta, limit: int, *, everything: bool = False
    ) -> Sequence[DueFeed]:
        """Return feeds that are due (`everything`: or not yet due), longest due first, ours for the lease."""
        lease = secrets.token_hex(8)
        free = sa.or_(feeds.c.lease_until.is_(None), feeds.c.lease_until <= now)
        due = sa.select(feeds.c.id).where(feeds.c.listed, ~feeds.c.paused, free)
        if not everything:
            due = due.where(feeds.c.next_poll_at <= now)
        due = due.order_by(feeds.c.next_poll_at).limit(limit).with_for_update(skip_locked=True)
        async with self._db.writing() as connection:
            rows = await connection.execute(
                sa.update(feeds)
                .where(feeds.c.id.in_(due.scalar_subquery()))
                .values(lease=lease, lease_until=now + lease_for)
                .returning(feeds)
            )
            return [_due(row) for row in rows.mappings()]

    async def release_feeds(self, due: Sequence[DueFeed]) -> None:
        """Give feeds back unpolled."""
        async with self._db.writing() as connection:
            await connection.execute(
                sa.update(feeds)
                .where(
                    feeds.c.lease.in_({one.lease for one in due}),
                    feeds.c.id.in_([one.feed.id for one in due]),
                )
                .values(lease=None, lease_until=None)
            )

    async def release_all_feeds(self) -> None:
        """Give back what a former run held; only for the one who holds the data directory's lock."""
        async with self._db.writing() as connection:
            await connection.execute(sa.update(feeds).values(lease=None, lease_until=None))

    async def sick_feeds(self, now: datetime) -> Sequence[SickFeed]:
        """Return the feeds that an operator should look at."""
        failing = sa.and_(feeds.c.listed, sa.or_(feeds.c.paused, feeds.c.failing_since.is_not(None)))
        async with self._db.reading() as connection:
            rows = (await connection.execute(sa.select(feeds).where(failing).order_by(feeds.c.id))).all()
        return [
            SickFeed(feed=FeedId(row.id), reason=PollReason(row.last_reason), error=row.last_error or "")
            for row in rows
            if needs_operator(PollReason(row.last_reason), row.failing_since, row.paused, now)
        ]


async def save_poll(
    connection: AsyncConnection, due: DueFeed, decision: PollDecision, now: datetime, error: str | None
) -> None:
    """Write what was decided about a feed and give its lease back.

    Raises:
        StoreBusy: The lease ran out and somebody else polls the feed.
    """
    done = await connection.execute(
        sa.update(feeds)
        .where(feeds.c.id == due.feed.id, feeds.c.lease == due.lease)
        .values(
            **asdict(decision.state),
            paused=decision.paused,
            last_poll_at=now,
            last_reason=decision.reason.value,
            last_error=redact_url(error)[:500] if error else None,
            next_poll_at=decision.next_poll_at,
            next_poll_why=decision.why.value,
            lease=None,
            lease_until=None,
        )
    )
    if done.rowcount != 1:
        raise StoreBusy(f"{due.feed.id}: somebody else polls this feed by now; this poll is not kept")


def _due(row: sa.RowMapping) -> DueFeed:
    feed: dict[str, Any] = {name: row[name] for name in _FEED}
    state: dict[str, Any] = {name: row[name] for name in _STATE}
    return DueFeed(feed=Feed(**feed), state=PollState(**state), lease=row["lease"])
