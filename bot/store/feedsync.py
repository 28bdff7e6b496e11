"""The config's feeds, brought into the store beside those added by command."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.feedsync import FeedChange, StoredFeed, SyncPlan, sync_plan, url_key
from bot.core.hosts import url_host_key
from bot.model import Feed, FeedId, FeedOrigin, PauseReason
from bot.store.chunks import chunks
from bot.store.dialect import each_pair, insert
from bot.store.engine import Database
from bot.store.feeds import (
    ASKED_BY,
    FEED_COLUMNS,
    NO_LEASE,
    OF_ADDRESS,
    UNREAD,
    feed_from_row,
    new_feed_row,
    state_from_row,
)
from bot.store.schema import feeds, item_keys

_COMPARED: Final = (*FEED_COLUMNS, "origin", "listed", "host", "pause_reason", "last_ok_at", "learned_url")
_LAST: Final = ("last_poll_at", "last_reason", "last_error", "next_poll_at", "next_poll_why")
_STAYS: Final = frozenset({"id", "added_at"})


class FeedSyncRows:
    """Brings the config's feeds into the store."""

    _db: Database

    async def sync_feeds(
        self, listed: Sequence[Feed], first_polls: Sequence[datetime], now: datetime
    ) -> Sequence[FeedChange]:
        """Make the config's feeds these, and return what that meant for feeds of the same addresses.

        Those left out keep their keys and are no longer polled. Feeds added by command stay as they are, but
        rest while the config names their address. A feed that is new at an address takes over what another
        one has shown there. A feed whose URL changed is polled afresh: validators and back-off belong to it.
        """
        firsts = dict(zip((feed.id for feed in listed), first_polls, strict=True))
        async with self._db.writing() as connection:
            plan = sync_plan(listed, await _stored(connection), now)
            inherited = await _inherited(connection, plan, listed, firsts, now)
            await _release(connection, [*plan.heirs.values(), *plan.resting])
            await _set(connection, plan.left_out, {"listed": False})
            await _set(connection, plan.resting, {"pause_reason": PauseReason.CONFIG.value})
            await _set(connection, plan.returning, {"pause_reason": None})
            rows = [
                {
                    **new_feed_row(feed, FeedOrigin.CONFIG, firsts[feed.id], now),
                    "is_new_address": feed.id in plan.readdressed,
                }
                for feed in plan.written
                if feed.id not in plan.heirs
            ]
            if rows:
                await connection.execute(_upsert(connection), rows)
            if inherited:
                await connection.execute(_inherit(connection, inherited[0]), inherited)
                await connection.execute(_copy_keys(connection), {"pairs": [*map(list, plan.heirs.items())]})
        return plan.changes


async def _stored(connection: AsyncConnection) -> list[StoredFeed]:
    rows = await connection.execute(sa.select(*(feeds.c[name] for name in _COMPARED)))
    return [
        StoredFeed(
            feed=feed_from_row(row),
            origin=FeedOrigin(row["origin"]),
            is_listed=row["listed"],
            host=row["host"],
            pause=PauseReason(row["pause_reason"]) if row["pause_reason"] else None,
            last_ok_at=row["last_ok_at"],
            learned_url=row["learned_url"],
        )
        for row in rows.mappings()
    ]


async def _inherited(
    connection: AsyncConnection,
    plan: SyncPlan,
    listed: Sequence[Feed],
    firsts: Mapping[FeedId, datetime],
    now: datetime,
) -> list[dict[str, Any]]:
    """Return the rows of the feeds that take over from others, as they are to be."""
    if not plan.heirs:
        return []
    asked = dict.fromkeys([*plan.heirs, *plan.heirs.values()])
    before: dict[str, sa.RowMapping] = {}
    for some in chunks(asked):
        found = await connection.execute(sa.select(feeds).where(feeds.c.id.in_(some)))
        before |= {row["id"]: row for row in found.mappings()}
    config = {feed.id: feed for feed in listed}
    rows = []
    for heir, other in plan.heirs.items():
        own = before.get(heir)
        feed, origin = config.get(heir), FeedOrigin.CONFIG
        if feed is None:
            feed, origin = feed_from_row(before[heir]), FeedOrigin.COMMAND
        row = new_feed_row(feed, origin, firsts.get(heir, now), now)
        rows.append({**row, **_taken_over(feed, own, before[other])})
    return rows


def _taken_over(feed: Feed, own: sa.RowMapping | None, other: sa.RowMapping) -> dict[str, Any]:
    """Return what a feed takes over: the poll state, and an operator's pause; no 410s.

    Validators are only those of the very same request.
    """
    state, before = state_from_row(other), feed_from_row(other)
    if state.learned_url and url_key(state.learned_url) == url_key(feed.url):
        state = replace(state, learned_url=None, moved_to=None, moved_since=None, moved_times=0)
        state = replace(state, **UNREAD)
    if before.url != feed.url or any(getattr(before, name) != getattr(feed, name) for name in ASKED_BY):
        state = replace(state, **UNREAD)
    pauses = {row["pause_reason"] for row in (own, other) if row is not None}
    is_paused = PauseReason.OPERATOR.value in pauses
    return {
        **asdict(replace(state, gone_count=0, gone_since=None)),
        **{name: other[name] for name in _LAST},
        **NO_LEASE,
        "host": url_host_key(state.learned_url or feed.url),
        "pause_reason": PauseReason.OPERATOR.value if is_paused else None,
    }


async def _set(connection: AsyncConnection, which: Collection[FeedId], values: Mapping[str, Any]) -> None:
    for some in chunks(which):
        await connection.execute(sa.update(feeds).where(feeds.c.id.in_(some)).values(**values))


async def _release(connection: AsyncConnection, which: Collection[FeedId]) -> None:
    """Take leases away, so that a poll under way tells nothing that another feed is going to tell."""
    await _set(connection, which, NO_LEASE)


def _upsert(connection: AsyncConnection) -> sa.Insert:
    statement = insert(connection, feeds)
    new = statement.excluded
    is_moved = feeds.c.url != new.url
    again = {name: sa.case((is_moved, value), else_=feeds.c[name]) for name, value in OF_ADDRESS.items()}
    is_paused = feeds.c.pause_reason == PauseReason.OPERATOR.value
    is_resting = feeds.c.pause_reason == PauseReason.CONFIG.value
    stays = sa.and_(~is_moved, ~is_resting)
    return statement.on_conflict_do_update(
        index_elements=[feeds.c.id],
        set_={
            **{name: new[name] for name in (*FEED_COLUMNS[1:], "origin", "listed")},
            **again,
            **{name: sa.case((is_moved, None), else_=feeds.c[name]) for name in NO_LEASE},
            "pause_reason": sa.case((sa.or_(is_paused, stays), feeds.c.pause_reason), else_=None),
            "is_new_address": sa.or_(feeds.c.is_new_address, new.is_new_address),
            "host": sa.case((sa.or_(is_moved, feeds.c.host == ""), new.host), else_=feeds.c.host),
            "next_poll_at": sa.case((is_moved, new.next_poll_at), else_=feeds.c.next_poll_at),
        },
    )


def _inherit(connection: AsyncConnection, row: Mapping[str, Any]) -> sa.Insert:
    statement = insert(connection, feeds)
    told = {name: statement.excluded[name] for name in row if name not in _STAYS}
    return statement.on_conflict_do_update(index_elements=[feeds.c.id], set_=told)


def _copy_keys(connection: AsyncConnection) -> sa.Insert:
    """Return what gives each feed of pairs the other's keys; where both have one, the one seen last counts.

    Afterwards each is on its own, so that the other may come back to what it knew.
    """
    pairs, heir, other = each_pair(connection.dialect, "pairs")
    columns = ("feed_id", "key", "item_id", "seen_at")
    theirs = (
        sa.select(heir, item_keys.c.key, item_keys.c.item_id, item_keys.c.seen_at)
        .select_from(pairs, item_keys)
        .where(item_keys.c.feed_id == other)
    )
    statement = insert(connection, item_keys).from_select(columns, theirs)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=[item_keys.c.feed_id, item_keys.c.key],
        set_={"item_id": new.item_id, "seen_at": new.seen_at},
        where=new.seen_at > item_keys.c.seen_at,
    )
