"""What every store promises of its archive; today SQLite, in a file of its own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.core.identity import Sorted, content_hash, item_keys
from bot.errors import StoreBroken
from bot.model import Feed, FeedId, Item, ItemId, ItemReason, Match, TermMatch, TopicId
from bot.store import SqlStore, open_beside
from bot.store.archive import StoredItem
from bot.store.tallies import StoredMatch
from tests.clock import FakeClock

HERALD = Feed(id=FeedId("herald"), url="https://herald.example/feed")
GAS, OIL = TopicId("gas"), TopicId("oil")
HOUR = timedelta(hours=1)


@pytest.fixture
async def store(store: SqlStore, clock: FakeClock) -> SqlStore:
    await store.sync_feeds([HERALD], [clock.now()], clock.now())
    return store


def a_match(topic: TopicId, score: float = 90) -> Match:
    term = TermMatch(term="gas", field="title", start=0, end=3, text="Gas", score=score)
    return Match(topic=topic, score=score, terms=(term,), rules_hash="abc")


def an_item(title: str) -> Item:
    return Item(
        feed_id=HERALD.id, title=title, guid=title, outlet="Herald", categories=("a", "b"), language="en"
    )


async def keep(
    store: SqlStore, at: datetime, *titles: str, reason: ItemReason = ItemReason.NEW
) -> Sequence[ItemId]:
    kept = [
        Sorted(item=item, keys=item_keys(item), content_hash=content_hash(item), reason=reason)
        for item in map(an_item, titles)
    ]
    async with store.polling() as poll:
        return await poll.add_items(kept, at)


async def read(
    store: SqlStore, since: datetime | None = None, until: datetime | None = None, page: int = 500
) -> list[StoredItem]:
    return [one async for one in store.archive(since, until, page=page)]


async def test_an_empty_archive_gives_nothing(store: SqlStore) -> None:
    assert (await read(store), await store.archive_size()) == ([], 0)


async def test_the_archive_gives_each_item_with_its_matches_of_the_time_best_first(
    store: SqlStore, clock: FakeClock
) -> None:
    now = clock.now()
    matched, silent = await keep(store, now, "Gas and oil", "Weather", reason=ItemReason.FIRST_POLL)
    async with store.polling() as poll:
        await poll.set_matches({matched: [a_match(GAS, 70), a_match(OIL, 80)]})

    assert await read(store) == [
        StoredItem(
            id=matched,
            item=an_item("Gas and oil"),
            seen_at=now,
            reason=ItemReason.FIRST_POLL,
            matches=(a_match(OIL, 80), a_match(GAS, 70)),
        ),
        StoredItem(id=silent, item=an_item("Weather"), seen_at=now, reason=ItemReason.FIRST_POLL, matches=()),
    ]


@pytest.mark.parametrize("page", [1, 2, 3, 7, 500])
async def test_pages_of_any_size_give_each_item_once_in_the_order_they_came(
    store: SqlStore, clock: FakeClock, page: int
) -> None:
    now = clock.now()
    late = await keep(store, now + HOUR, "c", "d", "e")
    early = await keep(store, now, "a", "b")
    last = await keep(store, now + 2 * HOUR, "f")

    assert [one.id for one in await read(store, page=page)] == [*early, *late, *last]


async def test_the_archive_begins_with_since_and_ends_before_until(store: SqlStore, clock: FakeClock) -> None:
    now = clock.now()
    for hours in range(4):
        await keep(store, now + hours * HOUR, f"of hour {hours}")

    found = await read(store, now + HOUR, now + 3 * HOUR, page=1)

    assert [one.item.title for one in found] == ["of hour 1", "of hour 2"]
    assert await store.archive_size(now + HOUR, now + 3 * HOUR) == 2


async def test_a_poll_may_write_while_the_archive_is_read(store: SqlStore, clock: FakeClock) -> None:
    await keep(store, clock.now(), "a", "b")
    titles = []

    async for one in store.archive(page=1):
        titles.append(one.item.title)
        if one.item.title == "a":
            await keep(store, clock.now() + HOUR, "c")

    assert titles == ["a", "b", "c"]


async def test_reading_may_stop_at_any_item(store: SqlStore, clock: FakeClock) -> None:
    await keep(store, clock.now(), "a", "b", "c")

    async for one in store.archive(page=2):
        assert one.item.title == "a"
        break

    assert await keep(store, clock.now(), "d")


async def test_what_only_a_change_of_the_rules_found_is_told_apart(store: SqlStore, clock: FakeClock) -> None:
    (number,) = await keep(store, clock.now(), "Gas and oil")
    async with store.polling() as poll:
        await poll.set_matches({number: [a_match(GAS), a_match(OIL)]}, {number: {OIL}})

        (stored,) = await poll.stored_items([number, ItemId(number + 1)])

    assert stored.matches == (a_match(GAS), a_match(OIL))
    assert stored.told_matches == (a_match(GAS),)
    assert [stored] == await read(store)


async def test_a_store_that_is_not_there_is_not_made_by_looking(tmp_path: Path, clock: FakeClock) -> None:
    with pytest.raises(StoreBroken, match="no database is there"):
        await open_beside(f"sqlite+aiosqlite:///{tmp_path / 'other.db'}", clock)

    assert not (tmp_path / "other.db").exists()


async def test_tables_of_another_version_are_left_alone(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "empty.db").touch()

    with pytest.raises(StoreBroken, match="of another version of Topicwire"):
        await open_beside(f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}", clock)


async def test_a_store_is_read_beside_the_one_that_writes(
    store: SqlStore, clock: FakeClock, tmp_path: Path
) -> None:
    await keep(store, clock.now(), "a")
    beside = await open_beside(f"sqlite+aiosqlite:///{tmp_path / 'topicwire.db'}", clock)

    async with store.polling():
        found = await read(beside)
    await beside.close()

    assert [one.item.title for one in found] == ["a"]


@pytest.mark.parametrize("page", [1, 2, 3, 1_000])
async def test_matches_come_in_pages_of_any_size_each_once(
    store: SqlStore, clock: FakeClock, page: int
) -> None:
    now = clock.now()
    await keep(store, now - HOUR, "too old")
    old, first, second = (await keep(store, now - HOUR, "old"))[0], *await keep(store, now, "a", "b")
    async with store.polling() as poll:
        await poll.set_matches(
            {old: [a_match(GAS)], first: [a_match(OIL), a_match(GAS)], second: [a_match(GAS)]}
        )

    found = [one async for one in store.stored_matches(now, page=page)]

    assert [(one.item, one.topic) for one in found] == [(first, GAS), (first, OIL), (second, GAS)]
    assert found[0] == StoredMatch(item=first, topic=GAS, story=None, terms=frozenset({"gas"}), seen_at=now)
