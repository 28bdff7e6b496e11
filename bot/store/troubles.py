"""How polling fares: what may be in trouble, read in a few statements however many feeds there are."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.health import (
    CALM,
    FEWEST,
    FLOODED_FOR,
    GOOD_POLLS,
    LASTING_REASONS,
    MISSED_FOR,
    NETWORK_AFTER,
    REFUSED_AFTER,
    REFUSED_TIMES,
    SILENT_AFTER,
    SILENT_GAPS,
    TOGETHER,
    FeedHealth,
    HostHealth,
    HouseHealth,
    Sight,
    is_untold,
)
from bot.core.identity import FLOOD_ITEMS, redact_url
from bot.core.schedule import SICK_AFTER
from bot.model import FeedId, PauseReason, PollReason, Trouble, TroubleKind, TroubleScope
from bot.ports import Notice
from bot.store.chunks import chunks
from bot.store.dialect import insert
from bot.store.engine import Database
from bot.store.schema import feeds, notices, polls, troubles

_BREATH = 500  # rows read without letting others have a turn
PROBES = 3  # feeds asked at each check whether our own network is back
PROBED_EVERY = timedelta(minutes=10)  # at most, each of them
NOTICES_KEPT = timedelta(days=7)  # that cannot be delivered, because their operator said /stop
SUBJECT = "health "  # the subjects of notices about troubles begin so

_GOOD = [reason.value for reason in GOOD_POLLS]
_POLLED = sa.and_(feeds.c.listed, feeds.c.pause_reason.is_(None), feeds.c.last_poll_at.is_not(None))
_FAILING = sa.and_(_POLLED, feeds.c.failing_since.is_not(None))


class TroubleRows:
    """Answers `health.TroubleStore`."""

    _db: Database

    async def troubles(self) -> Sequence[Trouble]:
        """Return what was wrong at the last check, and the floods not yet told; oldest first."""
        query = sa.select(troubles).order_by(troubles.c.since, troubles.c.scope, troubles.c.key)
        async with self._db.reading() as connection:
            return [trouble_from_row(row) for row in (await connection.execute(query)).mappings()]

    async def sight(self, known: Collection[Trouble], now: datetime) -> Sight:
        """Return all that a check looks at, as one consistent view.

        Args:
            known: The troubles of the last check.
        """
        async with self._db.reading() as connection:
            return Sight(
                feeds=await _feeds(connection, known, now),
                hosts=await _hosts(connection, known),
                house=await _house(connection, known, now),
                restless=await _restless(connection, known, now),
            )

    async def outlets(self, ids: Collection[str]) -> Mapping[str, str]:
        """Return the outlets' names of these feeds; those without one are left out."""
        async with self._db.reading() as connection:
            return await outlets_of(connection, ids)

    async def replace_troubles(
        self, begun: Collection[Trouble], gone: Collection[Trouble], owed: Collection[Notice], now: datetime
    ) -> None:
        """Write which troubles began and which are gone, together with what operators are owed about it.

        Where an outage is gone, the feeds that it made fail are due at once, and begin to fail by themselves
        only now. A flood that began is told: it is kept without its detail, see `is_untold`.
        """
        async with self._db.writing() as connection:
            for one in gone:
                await connection.execute(sa.delete(troubles).where(_is(one)))
                if one.kind is TroubleKind.OUTAGE:
                    await _forgive(connection, one, now)
            if begun:
                await connection.execute(_keep(connection), _rows(_as_told(one) for one in begun))
            await _sweep(connection, now)
            if owed:
                await connection.execute(sa.insert(notices), [_notice_row(one, now) for one in owed])

    async def probe(self, now: datetime) -> None:
        """Make a few failing feeds due, so that no back-off sleeps through the end of an outage."""
        some = (
            sa.select(feeds.c.id)
            .where(_FAILING, feeds.c.last_poll_at <= now - PROBED_EVERY, feeds.c.next_poll_at > now)
            .order_by(feeds.c.last_poll_at)
            .limit(PROBES)
        )
        async with self._db.writing() as connection:
            among = feeds.c.id.in_(some.scalar_subquery())
            await connection.execute(sa.update(feeds).where(among).values(next_poll_at=now))


class FloodRows:
    """What a poll notes about itself, within its transaction."""

    _connection: AsyncConnection

    async def note_flood(self, feed: FeedId, new: int, items: int, now: datetime) -> None:
        """Note that a poll brought more news than is credible; a check tells the operators once.

        While a flood of the feed is known, another one changes nothing: its poll says all.

        Args:
            new: How many items nobody knew.
            items: How many the feed showed.
        """
        scope, kind = TroubleScope.FEED, TroubleKind.FLOOD
        flood = Trouble(scope=scope, key=feed, kind=kind, since=now, detail=f"{new}/{items}")
        statement = insert(self._connection, troubles).on_conflict_do_nothing()
        await self._connection.execute(statement, _rows([flood]))


# ---- what a check reads -----------------------------------------------------------------------


async def _feeds(
    connection: AsyncConnection, known: Collection[Trouble], now: datetime
) -> tuple[FeedHealth, ...]:
    """Return the feeds that may be in trouble within TOGETHER from now, and those that are."""
    found: dict[str, FeedHealth] = {}
    suspects = (await connection.execute(_FEED.where(_suspect(now + TOGETHER)))).mappings()
    for some in suspects.partitions(_BREATH):
        found |= {row["id"]: _feed(row) for row in some}
        await asyncio.sleep(0)  # thousands of rows must not hold up what else is being done
    missing = {one.key for one in known if one.scope is TroubleScope.FEED} - found.keys()
    for ids in chunks(sorted(missing)):
        rows = await connection.execute(_FEED.where(feeds.c.listed, feeds.c.id.in_(ids)))
        found |= {row["id"]: _feed(row) for row in rows.mappings()}
        await asyncio.sleep(0)
    for feed, at in (await _floods(connection, known, now)).items():
        if feed in found:
            found[feed] = replace(found[feed], flood_at=at)
    return tuple(found[one] for one in sorted(found))


async def _floods(
    connection: AsyncConnection, known: Collection[Trouble], now: datetime
) -> dict[str, datetime]:
    """Return when the feeds whose flood is known were last flooded; the condition is that of `is_flood`."""
    is_flood = sa.and_(polls.c.new >= FLOOD_ITEMS, 2 * polls.c.new > polls.c["items"])
    last = (
        sa.select(polls.c.feed_id, sa.func.max(polls.c.at).label("at"))
        .where(polls.c.at > now - FLOODED_FOR, is_flood)
        .group_by(polls.c.feed_id)
    )
    found: dict[str, datetime] = {}
    for some in chunks(sorted({one.key for one in known if one.kind is TroubleKind.FLOOD})):
        rows = await connection.execute(last.where(polls.c.feed_id.in_(some)))
        found |= {row.feed_id: row.at for row in rows}
    return found


_FIRST_POLL = (  # for feeds from before `added_at` was kept
    sa.select(sa.func.min(polls.c.at)).where(polls.c.feed_id == feeds.c.id).scalar_subquery()
)
_NEWS_AT = sa.func.coalesce(feeds.c.last_new_at, feeds.c.added_at, _FIRST_POLL)
_FEED = sa.select(
    feeds.c.id,
    feeds.c.host,
    feeds.c.outlet,
    feeds.c.added_at,
    feeds.c.pause_reason,
    feeds.c.last_reason,
    feeds.c.last_error,
    feeds.c.failures,
    feeds.c.failing_since,
    feeds.c.last_ok_at,
    _NEWS_AT.label("news_at"),
    feeds.c.median_gap,
    feeds.c.gap_at,
    feeds.c.hurry,
    feeds.c.learned_url,
)


def _suspect(soon: datetime) -> sa.ColumnElement[bool]:
    """Return the condition for a listed feed that may be in trouble by then."""
    lasting = [reason.value for reason in LASTING_REASONS]
    failing = sa.or_(
        feeds.c.failing_since <= soon - SICK_AFTER,
        sa.and_(
            feeds.c.failing_since <= soon - REFUSED_AFTER,
            feeds.c.failures >= REFUSED_TIMES,
            feeds.c.last_reason.in_(lasting),
        ),
    )
    missed, moved = feeds.c.gap_at >= soon - MISSED_FOR, feeds.c.learned_url.is_not(None)
    polled = sa.and_(feeds.c.pause_reason.is_(None), sa.or_(failing, missed, moved, _silent(soon)))
    return sa.and_(feeds.c.listed, sa.or_(feeds.c.pause_reason == PauseReason.GONE.value, polled))


def _silent(soon: datetime) -> sa.ColumnElement[bool]:
    """Return the condition for a feed that may be silent; at most twice as many are found as are.

    Each step of the usual gap has a date of its own, since databases differ in how they reckon with dates.
    """
    least = SILENT_AFTER / SILENT_GAPS
    steps = [sa.or_(feeds.c.median_gap.is_(None), feeds.c.median_gap <= least)]
    steps += [feeds.c.median_gap.between(least * 2**step, least * 2 ** (step + 1)) for step in range(12)]
    dates = [soon - SILENT_AFTER, *(soon - SILENT_AFTER * 2**step for step in range(12))]
    slow = sa.or_(
        *(sa.and_(step, date >= _NEWS_AT) for step, date in zip(steps, dates, strict=True)),
    )
    return sa.and_(feeds.c.failing_since.is_(None), feeds.c.last_ok_at.is_not(None), slow)


def _feed(told: sa.RowMapping) -> FeedHealth:
    return FeedHealth(
        id=FeedId(told["id"]),
        host=told["host"],
        outlet=told["outlet"] or "",
        added_at=told["added_at"],
        pause=PauseReason(told["pause_reason"]) if told["pause_reason"] else None,
        reason=PollReason(told["last_reason"]) if told["last_reason"] else None,
        error=told["last_error"] or "",
        failures=told["failures"],
        failing_since=told["failing_since"],
        last_ok_at=told["last_ok_at"],
        news_at=told["news_at"],
        median_gap=told["median_gap"],
        gap_at=told["gap_at"],
        gaps=told["hurry"],
        learned_url=redact_url(told["learned_url"]) if told["learned_url"] else None,
    )


def _by_host(also: Collection[str] = ()) -> sa.Subquery:
    """Return for each host with a failing feed its live feeds, its last good poll, and the failures since.

    Args:
        also: Further hosts to return.
    """
    sick = feeds.c.host.in_(sa.select(feeds.c.host).where(_FAILING))
    wanted = sa.or_(sick, feeds.c.host.in_(also)) if also else sick
    one = (
        sa.select(
            feeds.c.host,
            sa.func.count().label("feeds"),
            sa.func.max(feeds.c.last_ok_at).label("ok_at"),
        )
        .where(_POLLED, wanted)
        .group_by(feeds.c.host)
        .subquery("one")
    )
    newly = sa.case(
        (sa.or_(one.c.ok_at.is_(None), feeds.c.failing_since > one.c.ok_at), feeds.c.failing_since)
    )
    since = sa.func.coalesce(sa.func.min(newly), sa.func.min(feeds.c.failing_since))
    bad = (
        sa.select(
            feeds.c.host,
            sa.func.count().label("failing"),
            since.label("since"),
            sa.func.max(feeds.c.last_poll_at).label("failed_at"),
            sa.func.max(feeds.c.last_error).label("error"),
        )
        .join(one, one.c.host == feeds.c.host)
        .where(_FAILING, sa.or_(one.c.ok_at.is_(None), feeds.c.last_poll_at > one.c.ok_at))
        .group_by(feeds.c.host)
        .subquery("bad")
    )
    failing = sa.func.coalesce(bad.c.failing, 0).label("failing")
    return (
        sa.select(one, failing, bad.c.since, bad.c.failed_at, bad.c.error)
        .outerjoin_from(one, bad, bad.c.host == one.c.host)
        .subquery("by_host")
    )


async def _hosts(connection: AsyncConnection, known: Collection[Trouble]) -> tuple[HostHealth, ...]:
    """Return the hosts that are down with FEWEST feeds or more, and those in trouble."""
    in_trouble = [one.key for one in known if one.scope is TroubleScope.HOST]
    host = _by_host(in_trouble)
    is_down = sa.and_(host.c.failing * 2 > host.c.feeds, host.c.feeds >= FEWEST)
    wanted = sa.or_(is_down, host.c.host.in_(in_trouble)) if in_trouble else is_down
    facts = (host.c.host, host.c.feeds, host.c.failing, host.c.since, host.c.ok_at, host.c.error)
    rows = (await connection.execute(sa.select(*facts).where(wanted).order_by(host.c.host))).mappings()
    return tuple(HostHealth(**{**row, "error": row["error"] or ""}) for row in rows)


async def _house(connection: AsyncConnection, known: Collection[Trouble], now: datetime) -> HouseHealth:
    lately = max([now - CALM, *(one.since for one in known if one.scope is TroubleScope.ALL)])
    polled_lately = sa.case((feeds.c.last_poll_at > lately, feeds.c.host))
    every = sa.select(
        sa.func.count(feeds.c.host.distinct()).label("hosts"),
        sa.func.count(polled_lately.distinct()).label("polled"),
        sa.func.max(feeds.c.last_ok_at).label("ok_at"),
    )
    of_all = (await connection.execute(every.where(_POLLED))).mappings().one()
    of_bad = (await connection.execute(_of_bad(of_all["ok_at"], lately, now))).mappings().one()
    return HouseHealth(**{**of_all, **of_bad, "error": of_bad["error"] or ""})


def _of_bad(last_ok: datetime | None, lately: datetime, now: datetime) -> sa.Select[*tuple[Any, ...]]:
    """Return how many hosts are down, and how many failed since anything at all was good."""
    host = _by_host()
    is_down = host.c.failing * 2 > host.c.feeds
    down_long = sa.and_(is_down, host.c.since <= now - NETWORK_AFTER)
    in_vain = host.c.failed_at.is_not(None) if last_ok is None else host.c.failed_at > last_ok
    began_in_vain = host.c.since.is_not(None) if last_ok is None else host.c.since > last_ok
    return sa.select(
        _count(down_long).label("down"),
        sa.func.max(sa.case((down_long, host.c.since))).label("down_since"),
        _count(sa.and_(is_down, host.c.failed_at > lately)).label("polled_down"),
        _count(in_vain).label("in_vain"),
        sa.func.min(sa.case((began_in_vain, host.c.since))).label("in_vain_since"),
        sa.func.max(host.c.error).label("error"),
    )


def _count(which: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.count(sa.case((which, 1)))


async def _restless(
    connection: AsyncConnection, known: Collection[Trouble], now: datetime
) -> dict[FeedId, str]:
    """Return feeds in trouble, and those of hosts in trouble, that had a failed poll within CALM."""
    found: dict[FeedId, str] = {}
    bad = (
        sa.select(feeds.c.id, feeds.c.host)
        .join(polls, polls.c.feed_id == feeds.c.id)
        .where(polls.c.at > now - CALM, polls.c.reason.not_in(_GOOD))
        .distinct()
    )
    for scope, column in ((TroubleScope.FEED, feeds.c.id), (TroubleScope.HOST, feeds.c.host)):
        for some in chunks(sorted({one.key for one in known if one.scope is scope})):
            rows = await connection.execute(bad.where(column.in_(some)))
            found |= {FeedId(row.id): row.host for row in rows}
    return found


# ---- what a check writes ----------------------------------------------------------------------


async def _forgive(connection: AsyncConnection, outage: Trouble, now: datetime) -> None:
    """Let the feeds that failed with all others be asked again now, as if they had not failed before."""
    theirs = _FAILING if outage.scope is TroubleScope.ALL else sa.and_(_FAILING, feeds.c.host == outage.key)
    soon = sa.case((feeds.c.next_poll_at > now, now), else_=feeds.c.next_poll_at)
    values = {"failing_since": now, "failures": 0, "next_poll_at": soon}
    await connection.execute(sa.update(feeds).where(theirs).values(values))


async def _sweep(connection: AsyncConnection, now: datetime) -> None:
    """Forget what was told of troubles, and what could not be told for a week."""
    done = sa.or_(notices.c.due_at.is_(None), notices.c.due_at <= now - NOTICES_KEPT)
    await connection.execute(sa.delete(notices).where(notices.c.subject.startswith(SUBJECT), done))


def _is(trouble: Trouble) -> sa.ColumnElement[bool]:
    return sa.and_(
        troubles.c.scope == trouble.scope.value,
        troubles.c.key == trouble.key,
        troubles.c.kind == trouble.kind.value,
    )


def _keep(connection: AsyncConnection) -> sa.Insert:
    """Return the statement that writes troubles that are told."""
    new = insert(connection, troubles)
    return new.on_conflict_do_update(
        index_elements=["scope", "key", "kind"], set_={"detail": new.excluded.detail}
    )


def _as_told(trouble: Trouble) -> Trouble:
    return replace(trouble, detail="") if is_untold(trouble) else trouble


def _rows(some: Iterable[Trouble]) -> list[dict[str, object]]:
    return [
        {
            "scope": one.scope.value,
            "key": one.key,
            "kind": one.kind.value,
            "since": one.since,
            "detail": one.detail,
        }
        for one in some
    ]


def _notice_row(notice: Notice, now: datetime) -> dict[str, object]:
    return {
        "telegram_id": notice.telegram_id,
        "subject": notice.subject,
        "state": notice.state,
        "told": "",
        "html": notice.message.html,
        "plain": notice.message.plain,
        "due_at": now,
        "attempts": 0,
    }


async def outlets_of(connection: AsyncConnection, ids: Collection[str]) -> Mapping[str, str]:
    """Return the outlets' names of these feeds; those without one are left out."""
    named: dict[str, str] = {}
    for some in chunks(ids):
        query = sa.select(feeds.c.id, feeds.c.outlet).where(feeds.c.id.in_(some), feeds.c.outlet != "")
        named |= {row.id: row.outlet for row in await connection.execute(query)}
    return named


def trouble_from_row(told: sa.RowMapping) -> Trouble:
    """Return the trouble of a row of the table `troubles`."""
    return Trouble(
        scope=TroubleScope(told["scope"]),
        key=told["key"],
        kind=TroubleKind(told["kind"]),
        since=told["since"],
        detail=told["detail"],
    )
