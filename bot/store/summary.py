"""How the whole house fares, counted in a few statements."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.core.health_summary import Summary
from bot.model import DeliveryState, PauseReason, PollReason, TroubleScope
from bot.store.engine import Database
from bot.store.schema import deliveries, feeds, hosts, items, notices, polls, rule_sets, troubles
from bot.store.troubles import outlets_of, trouble_from_row

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MOST_POLLS = 200_000  # looked at for the last hour's counts, so that a huge house is not held up
_OWED = [
    state.value
    for state in (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.HELD, DeliveryState.UNCERTAIN)
]


class SummaryRows:
    """Answers `health.SummaryStore`."""

    _db: Database

    async def summary(self, now: datetime) -> Summary:
        """Return how the house fares, as one consistent view."""
        async with self._db.reading() as connection:
            counts = (await connection.execute(_counts(now))).mappings().one()
            reasons = await connection.execute(_POLLS, {"since": now - HOUR})
            rows = (await connection.execute(_TROUBLES)).mappings()
            found = tuple(trouble_from_row(row) for row in rows)
            ids = {one.key for one in found if one.scope is TroubleScope.FEED}
            return Summary(
                **counts,
                polls={PollReason(reason): count for reason, count in reasons},
                troubles=found,
                outlets=await outlets_of(connection, ids),
            )


_RECENT = sa.select(polls.c.at, polls.c.reason).order_by(polls.c.id.desc()).limit(MOST_POLLS).subquery()
_POLLS = (
    sa.select(_RECENT.c.reason, sa.func.count())
    .where(_RECENT.c.at > sa.bindparam("since", type_=polls.c.at.type))
    .group_by(_RECENT.c.reason)
)
_TROUBLES = sa.select(troubles).order_by(troubles.c.since)


def _counts(now: datetime) -> sa.Select[tuple[object, ...]]:
    live = sa.and_(feeds.c.listed, feeds.c.pause_reason.is_(None))
    is_due = sa.and_(live, feeds.c.next_poll_at <= now, feeds.c.host.not_in(_at_rest(now)))
    of_feeds = (
        sa.select(
            _number(live).label("live"),
            _number(sa.and_(live, feeds.c.failing_since.is_not(None))).label("failing"),
            _number(feeds.c.pause_reason == PauseReason.OPERATOR.value).label("paused"),
            _number(feeds.c.pause_reason == PauseReason.GONE.value).label("gone"),
            sa.func.max(feeds.c.last_poll_at).label("last_poll_at"),
            sa.func.min(sa.case((is_due, feeds.c.next_poll_at))).label("due_since"),
        )
        .where(feeds.c.listed)
        .subquery()
    )
    owed, dead = deliveries.c.state.in_(_OWED), deliveries.c.state == DeliveryState.FAILED.value
    return sa.select(
        of_feeds,
        _rows_of(hosts, hosts.c.paused_until > now).label("resting"),
        _rows_of(items, items.c.seen_at > now - DAY).label("items"),
        _rows_of(deliveries, sa.or_(owed, sa.and_(deliveries.c.dirty, ~dead))).label("owed"),
        _rows_of(deliveries, dead).label("dead"),
        sa.select(sa.func.max(rule_sets.c.since)).scalar_subquery().label("rules_since"),
        sa.exists().where(notices.c.subject == "rules", notices.c.state != "").label("rules_refused"),
    )


def _at_rest(now: datetime) -> sa.Select[tuple[str]]:
    return sa.select(hosts.c.host).where(hosts.c.paused_until > now)


def _number(which: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.count(sa.case((which, 1)))


def _rows_of(table: sa.Table, which: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    return sa.select(sa.func.count()).select_from(table).where(which).scalar_subquery()
