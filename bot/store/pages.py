"""Linked pages that are to be read, and what was read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.fulltext import DuePage, PageDecision, PagePolicy, PageState, may_be_private
from bot.core.hosts import url_host_key
from bot.core.identity import canonical_url
from bot.model import Item, ItemId
from bot.store.chunks import chunks
from bot.store.dialect import insert
from bot.store.engine import Database
from bot.store.schema import feeds, hosts, items, pages

KEPT = timedelta(days=30)  # so long an edit of the item finds its page's text
_BUDGET = timedelta(seconds=60)
_ERROR_LIMIT = 500
_HAVE_TEXT = (PageState.READ.value, PageState.SHORT.value)


class PageRows:
    """What a transaction reads and writes of pages."""

    _connection: AsyncConnection

    async def want_pages(
        self, wanted: Mapping[ItemId, Item], now: datetime, flooded: Collection[ItemId] = frozenset()
    ) -> None:
        """Have the pages that these items link to read; those without a web address are left out.

        Args:
            flooded: Those that came with more news than is credible: it leaves as a digest.
        """
        rows = [
            {
                "item_id": number,
                "url": item.url,
                "url_key": key,
                "host": url_host_key(item.url),
                "is_flood": number in flooded,
                "state": PageState.WAITING.value,
                "due_at": now,
                "tries": 0,
                "text": "",
            }
            for number, item in wanted.items()
            if item.url and (key := canonical_url(item.url))
        ]
        if rows:
            await self._connection.execute(insert(self._connection, pages).on_conflict_do_nothing(), rows)

    async def page_texts(self, numbers: Collection[ItemId]) -> Mapping[ItemId, str]:
        """Return the texts that pages added to these items; items without one are left out."""
        found: dict[ItemId, str] = {}
        for some in chunks(numbers):
            read = sa.and_(pages.c.item_id.in_(some), pages.c.state == PageState.READ.value)
            rows = await self._connection.execute(sa.select(pages.c.item_id, pages.c.text).where(read))
            found |= {ItemId(number): text for number, text in rows}
        return found

    async def settle_page(self, page: DuePage, decision: PageDecision, now: datetime, text: str = "") -> bool:
        """Write what came of a try; return False where somebody else took the page meanwhile.

        Args:
            text: Of the page, also where it is not used: other items may link to it.
        """
        still_ours = sa.and_(
            pages.c.item_id == page.item,
            pages.c.state == PageState.WAITING.value,
            pages.c.tries == page.tries,
        )
        done = await self._connection.execute(
            sa.update(pages)
            .where(still_ours)
            .values(
                state=decision.state.value,
                tries=decision.tries,
                due_at=decision.due_at,
                fetched_at=now if decision.was_asked else None,
                text=text,
                error=decision.error[:_ERROR_LIMIT] if decision.error else None,
            )
        )
        return done.rowcount == 1

    async def set_content(self, number: ItemId, content: str) -> None:
        """Keep an item's content; what tells an edit of the feed's own text stays as it is."""
        await self._connection.execute(sa.update(items).where(items.c.id == number).values(content=content))

    async def rest_host(self, host: str, until: datetime) -> None:
        """Leave a host in peace until then, for polls as well; a later end stands."""
        upsert = insert(self._connection, hosts).values(host=host, paused_until=until)
        longer = sa.case((hosts.c.paused_until > until, hosts.c.paused_until), else_=until)
        await self._connection.execute(
            upsert.on_conflict_do_update(index_elements=[hosts.c.host], set_={"paused_until": longer})
        )


class PageQueue:
    """The pages that wait to be read. Each call is one transaction."""

    _db: Database

    async def claim_pages(
        self, now: datetime, lease_for: timedelta, room: int, reading: Collection[DuePage], policy: PagePolicy
    ) -> Sequence[DuePage]:
        """Return pages that are due, longest due first, one of each host, now ours for the lease.

        Never so many that more than the policy's `per_minute` would be asked for within 60 seconds, those of
        former runs included. Hosts that asked for a pause are passed over.

        Args:
            room: How many at most.
            reading: Those on their way: their hosts are passed over, and each counts as asked for just now,
                since nobody knows when its host's turn comes.
        """
        if not await self._has_due(now):
            return []
        async with self._db.writing() as connection:
            lately = sa.select(sa.func.count()).where(
                pages.c.fetched_at > now - _BUDGET, pages.c.item_id.not_in([page.item for page in reading])
            )
            asked = len(reading) + int((await connection.execute(lately)).scalar_one())
            left = min(room, policy.per_minute - asked)
            if left <= 0:
                return []
            rows = await connection.execute(
                sa.update(pages)
                .where(
                    pages.c.item_id.in_(_next(now, {page.host for page in reading}, left).scalar_subquery()),
                    pages.c.due_at <= now,
                )
                .values(tries=pages.c.tries + 1, due_at=now + lease_for, fetched_at=now)
                .returning(pages.c.item_id)
            )
            numbers = [ItemId(number) for number in rows.scalars()]
            return [
                replace(page, known_text=await _known_text(connection, page.url_key, now - policy.reuse))
                for page in await _due_pages(connection, numbers)
            ]

    async def _has_due(self, now: datetime) -> bool:
        due = sa.select(sa.literal(1)).where(pages.c.due_at <= now).limit(1)
        async with self._db.reading() as connection:
            return (await connection.execute(due)).first() is not None

    async def next_page_due(self, now: datetime, per_minute: int) -> datetime | None:
        """Return when the next page may be claimed, which may be past; None: none waits."""
        if per_minute <= 0:
            return None
        until = sa.case((hosts.c.paused_until > pages.c.due_at, hosts.c.paused_until), else_=pages.c.due_at)
        first = sa.select(sa.func.min(until, type_=pages.c.due_at.type)).select_from(
            pages.outerjoin(hosts, hosts.c.host == pages.c.host)
        )
        # Of the pages that fill the minute, the one asked for first.
        spent = (
            sa.select(pages.c.fetched_at)
            .where(pages.c.fetched_at > now - _BUDGET)
            .order_by(pages.c.fetched_at.desc())
            .offset(per_minute - 1)
            .limit(1)
        )
        async with self._db.reading() as connection:
            due: datetime | None = (await connection.execute(first)).scalar_one_or_none()
            asked: datetime | None = (await connection.execute(spent)).scalar_one_or_none()
        return due if due is None or asked is None else max(due, asked + _BUDGET)

    async def give_back_pages(self, given: Sequence[DuePage], now: datetime) -> None:
        """Give pages back unread: they are due again."""
        async with self._db.writing() as connection:
            for page in given:
                await connection.execute(
                    sa.update(pages)
                    .where(
                        pages.c.item_id == page.item,
                        pages.c.state == PageState.WAITING.value,
                        pages.c.tries == page.tries,
                    )
                    .values(due_at=now, tries=page.tries - 1)
                )

    async def trim_pages(self, now: datetime, policy: PagePolicy) -> tuple[int, int]:
        """Give up pages of items that are no news any more, and the oldest beyond the most that may wait.

        Returns how many of each.
        """
        waiting = pages.c.due_at.is_not(None)
        old = (
            sa.select(pages.c.item_id)
            .join_from(pages, items)
            .where(waiting, items.c.seen_at < now - policy.oldest)
        )
        rest = (
            sa.select(pages.c.item_id)
            .where(waiting)
            .order_by(pages.c.item_id.desc())
            .offset(policy.most_waiting)
        )
        async with self._db.writing() as connection:
            stale = await _give_up(connection, old, PageState.STALE)
            return stale, await _give_up(connection, rest, PageState.DROPPED)

    async def forget_pages(self, now: datetime) -> int:
        """Remove what is known of pages of items seen over 30 days ago; return how many."""
        old = sa.select(pages.c.item_id).join_from(pages, items).where(items.c.seen_at < now - KEPT)
        async with self._db.writing() as connection:
            return (await connection.execute(sa.delete(pages).where(pages.c.item_id.in_(old)))).rowcount


def _next(now: datetime, busy: Collection[str], limit: int) -> sa.Select[tuple[int]]:
    """Return the query for the pages that are read next."""
    at_rest = sa.select(hosts.c.host).where(hosts.c.paused_until > now)
    rank = sa.func.row_number().over(partition_by=pages.c.host, order_by=(pages.c.due_at, pages.c.item_id))
    due = (
        sa.select(pages.c.item_id, pages.c.due_at, rank.label("rank"))
        .where(pages.c.due_at <= now, pages.c.host.not_in(busy), pages.c.host.not_in(at_rest))
        .subquery()
    )
    first = sa.select(due.c.item_id).where(due.c.rank == 1).order_by(due.c.due_at, due.c.item_id)
    return first.limit(limit)


async def _due_pages(connection: AsyncConnection, numbers: Collection[ItemId]) -> list[DuePage]:
    query = (
        sa.select(pages, feeds.c.url.label("feed_url"), feeds.c.allow_private)
        .join_from(pages, items)
        .join(feeds)
        .where(pages.c.item_id.in_(numbers))
        .order_by(pages.c.item_id)
    )
    return [
        DuePage(
            item=ItemId(row["item_id"]),
            url=row["url"],
            url_key=row["url_key"],
            host=row["host"],
            tries=row["tries"],
            allow_private=may_be_private(row["url"], row["feed_url"], allow_private=row["allow_private"]),
            is_flood=row["is_flood"],
        )
        for row in (await connection.execute(query)).mappings()
    ]


async def _known_text(connection: AsyncConnection, url_key: str, since: datetime) -> str | None:
    """Return the text of a page that was read since then, for whatever item; None: it was not."""
    query = (
        sa.select(pages.c.text)
        .where(pages.c.url_key == url_key, pages.c.state.in_(_HAVE_TEXT), pages.c.fetched_at >= since)
        .order_by(pages.c.fetched_at.desc())
        .limit(1)
    )
    return (await connection.execute(query)).scalar_one_or_none()


async def _give_up(connection: AsyncConnection, some: sa.Select[tuple[int]], state: PageState) -> int:
    given_up = sa.update(pages).where(pages.c.item_id.in_(some.scalar_subquery()))
    return (await connection.execute(given_up.values(state=state.value, due_at=None))).rowcount
