"""What came of the topics: matches, alerts and judgements of a time, a page at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bot.model import DeliveryState, ItemId, StoryId, TopicId
from bot.store.engine import Database
from bot.store.schema import deliveries, items, judgements, matches, reports

PAGE = 1_000  # rows


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMatch:
    """A match as it is kept."""

    item: ItemId
    topic: TopicId
    story: StoryId | None  # None: the item is in no story
    terms: frozenset[str]  # as they were written then
    seen_at: datetime  # when the item came


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAlert:
    """A delivery as it stands, and what its chat thinks of it."""

    topics: tuple[TopicId, ...]
    state: DeliveryState
    relevant: bool | None  # None: the chat did not say


class TallyRows:
    """Reads what became of the topics; nothing is written."""

    _db: Database

    async def stored_matches(self, since: datetime, *, page: int = PAGE) -> AsyncIterator[StoredMatch]:
        """Yield the matches of items first seen since then, in the order of the items' numbers.

        Raises:
            StoreError: One of its branches.
        """
        joined = matches.join(items).outerjoin(reports, reports.c.item_id == matches.c.item_id)
        query = (
            sa.select(
                matches.c.item_id, matches.c.topic_id, matches.c.terms, items.c.seen_at, reports.c.story_id
            )
            .select_from(joined)
            .where(items.c.seen_at >= since)
            .order_by(matches.c.item_id, matches.c.topic_id)
            .limit(page)
        )
        place: sa.ColumnElement[bool] = sa.true()
        while True:
            async with self._db.reading() as connection:
                rows = (await connection.execute(query.where(place))).all()
            for row in rows:
                yield StoredMatch(
                    item=ItemId(row.item_id),
                    topic=TopicId(row.topic_id),
                    story=None if row.story_id is None else StoryId(row.story_id),
                    terms=frozenset(term["term"] for term in row.terms),
                    seen_at=row.seen_at,
                )
            if len(rows) < page:
                return
            place = sa.and_(
                matches.c.item_id >= rows[-1].item_id,
                sa.or_(matches.c.item_id > rows[-1].item_id, matches.c.topic_id > rows[-1].topic_id),
            )

    async def stored_alerts(self, since: datetime, *, page: int = PAGE) -> AsyncIterator[StoredAlert]:
        """Yield the deliveries owed since then, oldest first.

        Raises:
            StoreError: One of its branches.
        """
        judged = sa.and_(
            judgements.c.chat_id == deliveries.c.chat_id, judgements.c.story_id == deliveries.c.story_id
        )
        query = (
            sa.select(deliveries.c.id, deliveries.c.topics, deliveries.c.state, judgements.c.relevant)
            .select_from(deliveries.outerjoin(judgements, judged))
            .where(deliveries.c.created_at >= since)
            .order_by(deliveries.c.id)
            .limit(page)
        )
        last = 0
        while True:
            async with self._db.reading() as connection:
                rows = (await connection.execute(query.where(deliveries.c.id > last))).all()
            for row in rows:
                yield StoredAlert(
                    topics=tuple(map(TopicId, row.topics)),
                    state=DeliveryState(row.state),
                    relevant=row.relevant,
                )
            if len(rows) < page:
                return
            last = rows[-1].id
