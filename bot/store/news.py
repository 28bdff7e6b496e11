"""Items, their matches and their stories."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from operator import attrgetter
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.identity import Sorted, canonical_url
from bot.core.stories import (
    MAX_CANDIDATES,
    MIN_SHARED_KEYS,
    Candidate,
    StoryDecision,
    StoryPolicy,
    StoryText,
    keep_members,
    story_keys,
)
from bot.model import (
    FeedId,
    Item,
    ItemId,
    ItemKey,
    Match,
    Report,
    Story,
    StoryId,
    StoryReason,
    TermMatch,
    TopicId,
)
from bot.store.bulk import Bulk
from bot.store.chunks import chunks
from bot.store.dialect import insert, insert_by, new_ids
from bot.store.schema import item_keys, items, matches, reports, stories
from bot.store.schema import story_keys as key_rows

_ITEM = ("title", "summary", "content", "url", "guid", "author", "outlet", "language", "published_at")
_item_facts = attrgetter(*_ITEM)

_ADD_ITEMS = Bulk(
    lambda _: sa.insert(items),
    ("id", "seen_at", "reason", "content_hash", "feed_id", "categories", *_ITEM),
)
_ADD_KEYS = Bulk(
    lambda dialect: insert_by(dialect, item_keys).on_conflict_do_nothing(),
    ("feed_id", "key", "item_id", "seen_at"),
)


class NewsRows:
    """What a poll reads and writes of items and stories, within its transaction."""

    _connection: AsyncConnection

    async def add_items(self, found: Sequence[Sorted], now: datetime) -> Sequence[ItemId]:
        """Keep items with their keys; return their numbers in the same order."""
        if not found:
            return []
        numbers = [ItemId(number) for number in await new_ids(self._connection, items, len(found))]
        rows = [
            (
                number,
                now,
                one.reason.value,
                one.content_hash,
                one.item.feed_id,
                one.item.categories,
                *_item_facts(one.item),
            )
            for number, one in zip(numbers, found, strict=True)
        ]
        await _ADD_ITEMS.execute(self._connection, rows)
        await self.add_keys(dict(zip(numbers, found, strict=True)), now)
        return numbers

    async def update_items(self, found: Mapping[ItemId, Sorted], now: datetime) -> None:
        """Keep the new text of edited items."""
        del now
        if found:
            await self._connection.execute(
                sa.update(items).where(items.c.id == sa.bindparam("number")),
                [_item_row(one) | {"number": number} for number, one in found.items()],
            )

    async def touch_keys(self, keys: Mapping[FeedId, Collection[ItemKey]], now: datetime) -> None:
        """Note that polls showed these keys again."""
        for some in chunks([(feed, key) for feed, mine in keys.items() for key in mine]):
            among = sa.tuple_(item_keys.c.feed_id, item_keys.c.key).in_(some)
            await self._connection.execute(sa.update(item_keys).where(among).values(seen_at=now))

    async def add_keys(self, found: Mapping[ItemId, Sorted], now: datetime) -> None:
        """Keep those keys of known items that are new."""
        rows = ((one.item.feed_id, key, number, now) for number, one in found.items() for key in one.keys)
        await _ADD_KEYS.execute(self._connection, rows)

    async def set_matches(
        self,
        found: Mapping[ItemId, Sequence[Match]],
        quiet: Mapping[ItemId, Collection[TopicId]] = MappingProxyType({}),
    ) -> None:
        """Keep these matches; matches of these items on other topics are forgotten.

        Args:
            quiet: The topics that only a change of the rules made an item match: its story is not of them.
        """
        for some in chunks(found):
            await self._connection.execute(sa.delete(matches).where(matches.c.item_id.in_(some)))
        rows = [
            {
                "item_id": number,
                "topic_id": match.topic,
                "score": match.score,
                "terms": [asdict(term) for term in match.terms],
                "rules_hash": match.rules_hash,
                "quiet": match.topic in quiet.get(number, ()),
            }
            for number, some_matches in found.items()
            for match in some_matches
        ]
        if rows:
            await self._connection.execute(sa.insert(matches), rows)

    async def item_topics(self, numbers: Collection[ItemId]) -> Mapping[ItemId, frozenset[TopicId]]:
        """Return the topics that these items matched so far, other than quietly.

        Items without such a match are left out.
        """
        found: dict[ItemId, frozenset[TopicId]] = {}
        for some in chunks(numbers):
            mine = sa.and_(matches.c.item_id.in_(some), sa.not_(matches.c.quiet))
            rows = await self._connection.execute(
                sa.select(matches.c.item_id, matches.c.topic_id).where(mine)
            )
            for number, topic in rows:
                found[number] = found.get(number, frozenset()) | {TopicId(topic)}
        return found

    async def kept_items(self, numbers: Collection[ItemId]) -> Mapping[ItemId, Item]:
        """Return these items as they are kept; unknown or pruned ones are left out."""
        found: dict[ItemId, Item] = {}
        for some in chunks(numbers):
            rows = await self._connection.execute(sa.select(items).where(items.c.id.in_(some)))
            found |= {ItemId(row["id"]): item_from_row(row) for row in rows.mappings()}
        return found

    async def stories_of(self, numbers: Collection[ItemId]) -> Mapping[ItemId, StoryId]:
        """Return the stories that these items belong to; items without one are left out."""
        found: dict[ItemId, StoryId] = {}
        for some in chunks(numbers):
            rows = await self._connection.execute(
                sa.select(reports.c.item_id, reports.c.story_id).where(reports.c.item_id.in_(some))
            )
            found |= {ItemId(row.item_id): StoryId(row.story_id) for row in rows}
        return found

    async def candidates(self, text: StoryText, policy: StoryPolicy, now: datetime) -> Sequence[Candidate]:
        """Return the open stories that share enough keys with the text, by the rule of `StoryBook`."""
        keys = story_keys(text)
        shared = sa.func.count().label("shared")
        same_url = sa.func.max(sa.case((key_rows.c.key.like("u:%"), 1), else_=0))
        since = min(text.at, now) - policy.closes_after
        nearest = (
            sa.select(key_rows.c.story_id, stories.c.opened_at, stories.c.last_report_at)
            .join_from(key_rows, stories)
            .where(key_rows.c.key.in_(keys), stories.c.last_report_at >= since)
            .group_by(key_rows.c.story_id, stories.c.opened_at, stories.c.last_report_at)
            .having(sa.or_(shared >= MIN_SHARED_KEYS, same_url == 1))
            .order_by(same_url.desc(), shared.desc(), stories.c.last_report_at.desc(), key_rows.c.story_id)
            .limit(MAX_CANDIDATES)
        )
        found = (await self._connection.execute(nearest)).all()
        members = await self._members([row.story_id for row in found])
        return [
            Candidate(
                story=StoryId(row.story_id),
                members=keep_members(members[row.story_id]),
                last_report_at=row.last_report_at,
                opened_at=row.opened_at,
            )
            for row in found
        ]

    async def _members(self, numbers: Sequence[int]) -> dict[int, list[StoryText]]:
        members: dict[int, list[StoryText]] = {number: [] for number in numbers}
        rows = await self._connection.execute(
            sa.select(reports.c.story_id, items)
            .join_from(reports, items)
            .where(reports.c.story_id.in_(numbers))
            .order_by(items.c.id)
        )
        for row in rows.mappings():
            members[row["story_id"]].append(_story_text(row))
        return members

    async def add_report(
        self, item: ItemId, text: StoryText, decision: StoryDecision, now: datetime
    ) -> tuple[StoryId, bool]:
        """Return the story the item now belongs to, and whether its outlet is new there."""
        at = min(text.at, now)
        if decision.story is None:
            opened = sa.insert(stories).values(opened_at=at, last_report_at=at).returning(stories.c.id)
            story = StoryId((await self._connection.execute(opened)).scalar_one())
            is_new_outlet = True
        else:
            story = decision.story
            is_new_outlet = await self._joins_as_new_outlet(story, text.outlet)
            later = sa.case((stories.c.last_report_at < at, at), else_=stories.c.last_report_at)
            await self._connection.execute(
                sa.update(stories).where(stories.c.id == story).values(last_report_at=later)
            )
        await self._connection.execute(
            sa.insert(reports).values(
                item_id=item, story_id=story, reason=decision.reason.value, similarity=decision.similarity
            )
        )
        keys = [{"key": key, "story_id": story} for key in story_keys(text)]
        if keys:
            await self._connection.execute(insert(self._connection, key_rows).on_conflict_do_nothing(), keys)
        return story, is_new_outlet

    async def _joins_as_new_outlet(self, story: StoryId, outlet: str) -> bool:
        query = (
            sa.select(sa.literal(1))
            .select_from(reports.join(items))
            .where(reports.c.story_id == story, items.c.outlet == outlet)
            .limit(1)
        )
        return (await self._connection.execute(query)).first() is None

    async def matched_topics(self, story: StoryId) -> frozenset[TopicId]:
        """Return the topics that any report of the story matched, other than quietly."""
        rows = await self._connection.execute(
            sa.select(matches.c.topic_id)
            .join(reports, reports.c.item_id == matches.c.item_id)
            .where(reports.c.story_id == story, sa.not_(matches.c.quiet))
            .distinct()
        )
        return frozenset(TopicId(topic) for topic in rows.scalars())


async def read_stories(connection: AsyncConnection, numbers: Sequence[StoryId]) -> list[Story]:
    """Return these stories in this order; unknown ones are left out."""
    told: dict[int, list[Report]] = {}
    query = sa.select(reports.c.story_id, reports.c.reason.label("why"), items).join_from(reports, items)
    rows = await connection.execute(query.where(reports.c.story_id.in_(numbers)).order_by(items.c.id))
    for row in rows.mappings():
        told.setdefault(row["story_id"], []).append(_report(row))
    best: dict[int, dict[str, Match]] = {}
    found = await connection.execute(
        sa.select(reports.c.story_id, matches)
        .join(reports, reports.c.item_id == matches.c.item_id)
        .where(reports.c.story_id.in_(numbers))
        .order_by(matches.c.score.desc(), matches.c.item_id)
    )
    for row in found.mappings():
        best.setdefault(row["story_id"], {}).setdefault(row["topic_id"], match_from_row(row))
    return [
        Story(id=number, reports=tuple(told[number]), matches=tuple(best.get(number, {}).values()))
        for number in numbers
        if number in told
    ]


async def read_item(connection: AsyncConnection, number: ItemId) -> Item | None:
    """Return the item; None: unknown or pruned."""
    row = (await connection.execute(sa.select(items).where(items.c.id == number))).mappings().one_or_none()
    return None if row is None else item_from_row(row)


def item_from_row(row: sa.RowMapping) -> Item:
    """Return the item of a row of the table `items`."""
    told = {name: row[name] for name in _ITEM}
    return Item(feed_id=FeedId(row["feed_id"]), categories=tuple(row["categories"]), **told)


def _item_row(one: Sorted) -> dict[str, Any]:
    item = one.item
    return {name: getattr(item, name) for name in _ITEM} | {
        "feed_id": item.feed_id,
        "categories": list(item.categories),
        "content_hash": one.content_hash,
    }


def _lead(row: sa.RowMapping) -> str:
    """Return what `Item.lead` returns."""
    return str(row["summary"] or row["content"])


def _story_text(row: sa.RowMapping) -> StoryText:
    return StoryText(
        title=row["title"],
        summary=_lead(row),
        outlet=row["outlet"],
        url=canonical_url(row["url"]) if row["url"] else None,
        language=row["language"],
        at=row["published_at"] or row["seen_at"],
    )


def _report(row: sa.RowMapping) -> Report:
    return Report(
        title=row["title"],
        url=row["url"],
        outlet=row["outlet"],
        summary=_lead(row),
        language=row["language"],
        published_at=row["published_at"],
        seen_at=row["seen_at"],
        reason=StoryReason(row["why"]),
    )


def match_from_row(row: sa.RowMapping) -> Match:
    """Return the match of a row of the table `matches`."""
    return Match(
        topic=TopicId(row["topic_id"]),
        score=row["score"],
        terms=tuple(TermMatch(**term) for term in row["terms"]),
        rules_hash=row["rules_hash"],
    )
