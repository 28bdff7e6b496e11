"""The feeds and their polls; what is written of them elsewhere is put into rows here."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.hosts import url_host_key
from bot.core.identity import KnownItem, redact_url
from bot.core.schedule import NextPollReason, needs_operator
from bot.model import Feed, FeedId, FeedOrigin, ItemId, ItemKey, PauseReason, PollReason, PollState
from bot.ports import DueFeed, PollOutcome, SickFeed
from bot.store.bulk import Bulk, Row
from bot.store.chunks import chunks
from bot.store.dialect import each_pair, insert
from bot.store.engine import Database
from bot.store.schema import feeds, hosts, item_keys, items, polls

FEED_COLUMNS = tuple(one.name for one in fields(Feed))
_STATE = tuple(one.name for one in fields(PollState))
_state_facts = attrgetter(*_STATE)
_DUE = [feeds.c[name] for name in ("lease", *FEED_COLUMNS, *_STATE)]  # what `_due_feed` reads
_ERROR_LIMIT = 500

# What belongs to a feed's address, and so is forgotten when the operator changes it.
OF_ADDRESS: Final[Mapping[str, Any]] = {
    "etag": None,
    "last_modified": None,
    "validators_since": None,
    "body_sha256": None,
    "failures": 0,
    "failing_since": None,
    "gone_count": 0,
    "gone_since": None,
    "learned_url": None,
    "moved_to": None,
    "moved_since": None,
    "moved_times": 0,
    "pause_reason": None,
    "next_poll_why": NextPollReason.FIRST.value,
}
# What the server answers by, and we read by: where it changes, the last body must be read anew.
ASKED_BY: Final = ("encoding", "user_agent", "headers", "auth_file")
UNREAD: Final[Mapping[str, Any]] = {
    "etag": None,
    "last_modified": None,
    "validators_since": None,
    "body_sha256": None,
}
NO_LEASE: Final[Mapping[str, Any]] = {"lease": None, "lease_until": None}


class FeedRows:
    """What polling asks of the feeds; with `feedsync.py` it answers `ports.FeedStore` but for `polling`."""

    _db: Database

    async def claim_feeds(
        self, now: datetime, lease_for: timedelta, limit: int, *, unpolled_since: datetime | None = None
    ) -> Sequence[DueFeed]:
        """Return feeds that are due, longest due first, now ours for the lease.

        Those on a host that asked for a pause wait until it is over, whatever is asked for.

        Args:
            unpolled_since: Feeds that were not polled since then count as due.
        """
        lease = secrets.token_hex(8)
        free = sa.or_(feeds.c.lease_until.is_(None), feeds.c.lease_until <= now)
        at_rest = sa.select(hosts.c.host).where(hosts.c.paused_until > now)
        due = sa.select(feeds.c.id).where(
            feeds.c.listed, feeds.c.pause_reason.is_(None), free, feeds.c.host.not_in(at_rest)
        )
        is_due = feeds.c.next_poll_at <= now
        if unpolled_since is not None:
            is_due = sa.or_(is_due, feeds.c.last_poll_at.is_(None), feeds.c.last_poll_at < unpolled_since)
        due = due.where(is_due).order_by(feeds.c.next_poll_at).limit(limit).with_for_update(skip_locked=True)
        async with self._db.writing() as connection:
            rows = await connection.execute(
                sa.update(feeds)
                .where(feeds.c.id.in_(due.scalar_subquery()))
                .values(lease=lease, lease_until=now + lease_for)
                .returning(*_DUE)
            )
        return [_due_feed(row) for row in rows]

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
        gone = feeds.c.pause_reason == PauseReason.GONE.value
        failing = sa.and_(feeds.c.pause_reason.is_(None), feeds.c.failing_since.is_not(None))
        query = sa.select(feeds).where(feeds.c.listed, sa.or_(gone, failing)).order_by(feeds.c.id)
        async with self._db.reading() as connection:
            rows = (await connection.execute(query)).all()
        return [
            SickFeed(feed=FeedId(row.id), reason=PollReason(row.last_reason), error=row.last_error or "")
            for row in rows
            if needs_operator(
                PollReason(row.last_reason), row.failing_since, row.pause_reason is not None, now
            )
        ]

    async def known_items(
        self, keys: Mapping[FeedId, Collection[ItemKey]], *, young: Collection[FeedId] = frozenset()
    ) -> Mapping[FeedId, Mapping[ItemKey, KnownItem]]:
        """Return what each feed is known to have shown under these keys; changes nothing.

        Args:
            young: Feeds that most likely have shown nothing yet, so that this is looked at first.
        """
        known: dict[FeedId, dict[ItemKey, KnownItem]] = {feed: {} for feed in keys}
        async with self._db.reading() as connection:
            blank = set(young) - await _that_showed(connection, young)
            asked = [(feed, key) for feed, some in keys.items() if feed not in blank for key in some]
            if not asked:
                return known
            rows = await connection.execute(_known(connection.dialect), {"asked": asked})
        for feed, key, seen_at, number, digest in rows:
            known[feed][ItemKey(key)] = KnownItem(id=ItemId(number), content_hash=digest, seen_at=seen_at)
        return known

    async def known_titles(self, feed: FeedId, titles: Collection[str]) -> Mapping[str, KnownItem]:
        """Return the newest item that the feed is known to have shown under each of these titles."""
        known: dict[str, KnownItem] = {}
        query = sa.select(items.c.id, items.c.title, items.c.content_hash, items.c.seen_at)
        taken_over = sa.select(item_keys.c.item_id).where(item_keys.c.feed_id == feed)
        shown = sa.or_(items.c.feed_id == feed, items.c.id.in_(taken_over))
        async with self._db.reading() as connection:
            for some in chunks(titles):
                mine = query.where(shown, items.c.title.in_(some)).order_by(items.c.id)
                for number, title, digest, seen_at in await connection.execute(mine):
                    known[title] = KnownItem(id=ItemId(number), content_hash=digest, seen_at=seen_at)
        return known


class PollRows:
    """What the end of some polls writes of the feeds, within its transaction."""

    _connection: AsyncConnection

    async def held(self, due: Collection[DueFeed]) -> frozenset[FeedId]:
        """Return those feeds whose lease is still ours; of the others nothing may be written."""
        leases = {one.feed.id: one.lease for one in due}
        rows = await self._connection.execute(
            sa.select(feeds.c.id, feeds.c.lease).where(feeds.c.id.in_(list(leases))).with_for_update()
        )
        return frozenset(FeedId(row.id) for row in rows if row.lease == leases[FeedId(row.id)])

    async def save_polls(self, outcomes: Sequence[PollOutcome], now: datetime) -> None:
        """Write what was decided about the feeds, and give their leases back; see `held`."""
        asked = [one for one in outcomes if one.decision.why is not NextPollReason.HOST_BUSY]
        put_off = [one for one in outcomes if one.decision.why is NextPollReason.HOST_BUSY]
        if asked:
            await _SAVE.execute(self._connection, [_state_row(one, now) for one in asked])
            await _ADD_POLLS.execute(self._connection, [_poll_row(one, now) for one in asked])
        if moved := [one for one in asked if one.decision.state.learned_url != one.due.state.learned_url]:
            await self._connection.execute(_SET_HOST, [_host_row(one) for one in moved])
        if put_off:
            await self._connection.execute(_PUT_OFF, [_put_off_row(one) for one in put_off])
        pauses = {pause.host: pause for one in outcomes if (pause := one.decision.host_pause)}
        if pauses:
            rows = [{"host": pause.host, "paused_until": pause.until} for pause in pauses.values()]
            upsert = insert(self._connection, hosts)
            until = upsert.excluded.paused_until
            longer = sa.case((hosts.c.paused_until > until, hosts.c.paused_until), else_=until)
            await self._connection.execute(
                upsert.on_conflict_do_update(index_elements=[hosts.c.host], set_={"paused_until": longer}),
                rows,
            )


def new_feed_row(feed: Feed, origin: FeedOrigin, first_poll: datetime, now: datetime) -> dict[str, Any]:
    """Return the row of a feed that was never polled."""
    return {
        **asdict(feed),
        **asdict(PollState()),
        "headers": [list(pair) for pair in feed.headers],
        "origin": origin.value,
        "host": url_host_key(feed.url),
        "listed": True,
        "added_at": now,
        "pause_reason": None,
        "next_poll_at": first_poll,
        "next_poll_why": NextPollReason.FIRST.value,
    }


def feed_from_row(row: sa.RowMapping) -> Feed:
    """Return the feed of a row of the table `feeds`."""
    return _feed([row[name] for name in FEED_COLUMNS])


def state_from_row(row: sa.RowMapping) -> PollState:
    """Return the poll state of a row of the table `feeds`."""
    return PollState(**{name: row[name] for name in _STATE})


def _due_feed(row: sa.Row[Any]) -> DueFeed:
    feed, state = row[1 : 1 + len(FEED_COLUMNS)], row[1 + len(FEED_COLUMNS) :]
    return DueFeed(feed=_feed(feed), state=PollState(**dict(zip(_STATE, state, strict=True))), lease=row[0])


def _feed(values: Sequence[Any]) -> Feed:
    """Return the feed of these columns' values."""
    told = dict(zip(FEED_COLUMNS, values, strict=True))
    told["headers"] = tuple((name, value) for name, value in told["headers"])
    return Feed(**told)


async def _that_showed(connection: AsyncConnection, some: Collection[FeedId]) -> frozenset[FeedId]:
    """Return those feeds that have shown any item."""
    if not some:
        return frozenset()
    any_key = sa.exists().where(item_keys.c.feed_id == feeds.c.id)
    rows = await connection.execute(sa.select(feeds.c.id).where(feeds.c.id.in_(some), any_key))
    return frozenset(FeedId(feed) for feed in rows.scalars())


def _known(dialect: Dialect) -> sa.Select[Any]:
    asked, feed, key = each_pair(dialect, "asked")
    facts = (item_keys.c.feed_id, item_keys.c.key, item_keys.c.seen_at, items.c.id, items.c.content_hash)
    mine = sa.and_(item_keys.c.feed_id == feed, item_keys.c.key == key)
    return sa.select(*facts).select_from(asked.join(item_keys, mine).join(items))


_SAVED = (
    "pause_reason",
    "last_poll_at",
    "last_reason",
    "last_error",
    "next_poll_at",
    "next_poll_why",
    "lease",
    "lease_until",
    *_STATE,
)
_SAVE = Bulk(
    lambda _: (
        sa.update(feeds)
        .where(feeds.c.id == sa.bindparam("feed"))
        .values({name: sa.bindparam(f"to_{name}", type_=feeds.c[name].type) for name in _SAVED})
    ),
    ("feed", *(f"to_{name}" for name in _SAVED)),
)
_POLL = (
    "feed_id",
    "at",
    "reason",
    "status",
    "received",
    "items",
    "new",
    "next_poll_at",
    "next_poll_why",
    "error",
)
_ADD_POLLS = Bulk(lambda _: sa.insert(polls), _POLL)
# Apart from the rest, since it hardly ever changes, and an index over it would be written each time.
_SET_HOST = sa.update(feeds).where(feeds.c.id == sa.bindparam("feed")).values(host=sa.bindparam("to_host"))
_PUT_OFF = (
    sa.update(feeds)
    .where(feeds.c.id == sa.bindparam("feed"))
    .values(
        next_poll_at=sa.bindparam("to_next_poll_at"),
        next_poll_why=sa.bindparam("to_next_poll_why"),
        lease=None,
        lease_until=None,
    )
)


def _state_row(one: PollOutcome, now: datetime) -> Row:
    state, decision = one.decision.state, one.decision
    return (
        one.due.feed.id,
        decision.pause.value if decision.pause else None,
        now,
        decision.reason.value,
        _shown(one.error),
        decision.next_poll_at,
        decision.why.value,
        None,
        None,
        *_state_facts(state),
    )


def _poll_row(one: PollOutcome, now: datetime) -> Row:
    decision = one.decision
    return (
        one.due.feed.id,
        now,
        decision.reason.value,
        one.status,
        one.received,
        one.items,
        one.new,
        decision.next_poll_at,
        decision.why.value,
        _shown(one.error),
    )


def _host_row(one: PollOutcome) -> dict[str, Any]:
    url = one.decision.state.learned_url or one.due.feed.url
    return {"feed": one.due.feed.id, "to_host": url_host_key(url)}


def _put_off_row(one: PollOutcome) -> dict[str, Any]:
    return {
        "feed": one.due.feed.id,
        "to_next_poll_at": one.decision.next_poll_at,
        "to_next_poll_why": one.decision.why.value,
    }


def _shown(error: str | None) -> str | None:
    return redact_url(error)[:_ERROR_LIMIT] if error else None
