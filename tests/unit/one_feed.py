"""One feed that is polled over and over into a store of keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from bot.core.identity import KnownItem, Sorted, sort_items, wants_titles
from bot.core.schedule import PollPolicy, after_success
from bot.model import Feed, FeedId, Fetched, Item, ItemId, ItemKey, ItemReason, ParsedFeed, PollState

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FEED = Feed(id=FeedId("harbour"), url="https://harbour.example/rss")


@dataclass(slots=True)
class House:
    """A store of keys, and one feed that is polled into it."""

    state: PollState = field(default_factory=PollState)
    keys: dict[ItemKey, KnownItem] = field(default_factory=dict)
    titles: dict[str, KnownItem] = field(default_factory=dict)
    first_sights: dict[ItemId, datetime] = field(default_factory=dict)
    count: int = 0

    def poll(self, items: Sequence[Item], now: datetime) -> tuple[Sorted, ...]:
        found = sort_items(items, self.keys, self.state, now)
        if wants_titles(found, self.state):
            asked = {item.title for item in items}
            titles = {title: one for title, one in self.titles.items() if title in asked}
            found = sort_items(items, self.keys, self.state, now, titles=titles)
        for one in found:
            self._keep(one, now)
        self.state = after_success(
            FEED,
            self.state,
            Fetched(
                body=b"", final_url=FEED.url, content_type=None, etag=None, last_modified=None, max_age=None
            ),
            "hash",
            ParsedFeed(items=tuple(items)),
            found,
            now=now,
            dice=0.5,
            policy=PollPolicy(),
        ).state
        return found

    def _keep(self, one: Sorted, now: datetime) -> None:
        if one.reason is ItemReason.SEEN and one.known is None:
            return  # the double of an item that is kept already
        if one.known is None:
            self.count += 1
        number = one.known.id if one.known else ItemId(self.count)
        digest = one.known.content_hash if one.known else one.content_hash
        if one.reason is ItemReason.EDITED:
            digest = one.content_hash
            self.keys = {
                key: replace(it, content_hash=digest) if it.id == number else it
                for key, it in self.keys.items()
            }
        first_sight = self.first_sights.setdefault(number, now)
        it = KnownItem(id=number, content_hash=digest, seen_at=first_sight)
        if one.known is None or one.reason is ItemReason.EDITED:
            self.titles[one.item.title] = it
        for key in one.keys:
            self.keys.setdefault(key, it)


def told(found: Sequence[Sorted]) -> list[str]:
    return [one.item.title for one in found if one.reason is ItemReason.NEW]


def edited(found: Sequence[Sorted]) -> list[str]:
    return [one.item.title for one in found if one.reason is ItemReason.EDITED]


def an_item(number: int, *, is_dated: bool = True) -> Item:
    """Return an item of the feed: one comes each hour, and number 0 comes at noon."""
    return Item(
        feed_id=FEED.id,
        title=f"Ship {number} comes in",
        summary=f"It carries {number} bananas.",
        url=f"http://harbour.example/news/{number}",
        guid=f"http://harbour.example/?p={number}",
        published_at=NOW + number * HOUR - 5 * MINUTE if is_dated else None,
    )


def copy_of(hour: int, size: int, *, is_dated: bool = True) -> list[Item]:
    """Return the feed as it looks so many hours after noon, newest first."""
    return [an_item(number, is_dated=is_dated) for number in range(hour, hour - size, -1)]


def at(hour: int) -> datetime:
    return NOW + hour * HOUR


def a_polled_house(size: int, *, is_dated: bool = True, hours: int = 2) -> House:
    house = House()
    for hour in range(hours):
        house.poll(copy_of(hour, size, is_dated=is_dated), at(hour))
    return house
