"""What every store promises of the list of feeds; today SQLite, in a file of its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command

from bot.core.identity import item_keys
from bot.core.schedule import NextPollReason
from bot.errors import StoreError
from bot.model import (
    Feed,
    FeedId,
    FeedOrigin,
    Item,
    ItemReason,
    PollReason,
    PollState,
)
from bot.ports import FeedStatus
from bot.store import SqlStore
from bot.store.engine import Database
from bot.store.feedlist import command_feed_ids
from bot.store.migrating import alembic_config
from tests.clock import FakeClock
from tests.contract.feedlist import DAY, HERALD, HOUR, POST, add, claim, keep, poll, status

# ---- listing -----------------------------------------------------------------------------------


async def test_an_empty_store_lists_nothing(store: SqlStore) -> None:
    assert list(await store.feed_statuses()) == []
    assert await store.feed_status(HERALD.id) is None
    assert list(await store.polls_of(HERALD.id, 5)) == []


async def test_a_feed_comes_back_with_every_setting(store: SqlStore, clock: FakeClock) -> None:
    await add(store, clock, POST)

    assert await status(store, POST) == FeedStatus(
        feed=POST,
        origin=FeedOrigin.COMMAND,
        host="post.example",
        state=PollState(),
        pause=None,
        added_at=clock.now(),
        last_poll_at=None,
        last_reason=None,
        last_error=None,
        next_poll_at=clock.now(),
        next_poll_why=NextPollReason.FIRST,
    )


async def test_feeds_of_both_origins_are_listed_by_id(store: SqlStore, clock: FakeClock) -> None:
    await store.sync_feeds([HERALD], [clock.now()], clock.now())
    await add(store, clock, POST, replace(POST, id=FeedId("a"), url="https://a.example/"))

    listed = [(one.feed.id, one.origin.value) for one in await store.feed_statuses()]

    assert listed == [("a", "command"), ("herald", "config"), ("post", "command")]


async def test_polls_come_newest_first_and_no_more_than_asked_for(store: SqlStore, clock: FakeClock) -> None:
    await add(store, clock, HERALD, POST)
    for nth in range(3):
        due = await claim(store, clock)
        await poll(store, clock, due[HERALD.id], wait=HOUR, error=f"error {nth}")
        await store.release_feeds([due[POST.id]])
        clock.advance(HOUR)

    told = await store.polls_of(HERALD.id, 2)

    assert [(one.error, one.at) for one in told] == [
        ("error 2", clock.now() - HOUR),
        ("error 1", clock.now() - 2 * HOUR),
    ]
    assert told[0].feed == HERALD.id
    assert (told[0].reason, told[0].status, told[0].received) == (PollReason.FETCHED, 200, 512)
    assert (told[0].items, told[0].new) == (3, 1)
    assert (told[0].next_poll_at, told[0].next_poll_why) == (clock.now(), NextPollReason.INTERVAL)
    assert list(await store.polls_of(POST.id, 5)) == []


async def test_only_news_of_the_time_are_counted_per_feed(store: SqlStore, clock: FakeClock) -> None:
    await add(store, clock, HERALD, POST)
    await keep(store, clock, HERALD, "long ago", reason=ItemReason.NEW)
    clock.advance(8 * DAY)
    since = clock.now() - 7 * DAY
    await keep(store, clock, HERALD, "a", "b", reason=ItemReason.NEW)
    await keep(store, clock, HERALD, "c", reason=ItemReason.BACKFILL)
    await keep(store, clock, POST, "d", reason=ItemReason.FIRST_POLL)

    assert await store.new_items_since(since) == {HERALD.id: 2}


async def test_hosts_that_asked_for_a_pause_are_named_until_it_is_over(
    store: SqlStore, clock: FakeClock
) -> None:
    await add(store, clock, HERALD)
    due = await claim(store, clock)
    await poll(store, clock, due[HERALD.id], reason=PollReason.RATE_LIMITED, wait=HOUR)
    until = clock.now() + HOUR

    assert await store.host_pauses(clock.now()) == {"herald.example": until}
    assert await store.host_pauses(until) == {}


# ---- adding and removing -----------------------------------------------------------------------


async def test_a_feed_that_was_added_is_due_at_once(store: SqlStore, clock: FakeClock) -> None:
    await add(store, clock, HERALD)

    due = await claim(store, clock)

    assert due[HERALD.id].feed == HERALD
    assert due[HERALD.id].state.last_ok_at is None


async def test_an_id_is_given_once(store: SqlStore, clock: FakeClock) -> None:
    await store.sync_feeds([HERALD], [clock.now()], clock.now())
    other = replace(HERALD, url="https://other.example/")

    assert not await store.add_feed(other, clock.now(), clock.now())
    assert await store.add_feeds([other, POST], [clock.now()] * 2, clock.now()) == {POST.id}
    assert (await status(store, HERALD)).feed == HERALD


async def test_a_removed_feed_is_neither_listed_nor_polled(store: SqlStore, clock: FakeClock) -> None:
    await add(store, clock, HERALD, POST)

    assert await store.remove_feed(HERALD.id)

    assert [one.feed.id for one in await store.feed_statuses()] == [POST.id]
    assert set(await claim(store, clock)) == {POST.id}
    assert not await store.remove_feed(HERALD.id)


async def test_a_feed_of_the_config_is_not_removed(store: SqlStore, clock: FakeClock) -> None:
    await store.sync_feeds([HERALD], [clock.now()], clock.now())

    assert not await store.remove_feed(HERALD.id)

    assert await store.feed_status(HERALD.id) is not None


async def test_a_feed_added_again_is_new_but_knows_its_items(store: SqlStore, clock: FakeClock) -> None:
    await add(store, clock, HERALD)
    due = await claim(store, clock)
    await poll(store, clock, due[HERALD.id], etag='"a"', last_ok_at=clock.now(), failures=3)
    await keep(store, clock, HERALD, "told", reason=ItemReason.NEW)
    await store.remove_feed(HERALD.id)

    await add(store, clock, replace(HERALD, outlet="Anew"))

    (key,) = item_keys(Item(feed_id=HERALD.id, title="told", guid="told"))[:1]
    assert (await status(store, HERALD)).state == PollState()
    assert (await status(store, HERALD)).feed.outlet == "Anew"
    assert key in (await store.known_items({HERALD.id: [key]}))[HERALD.id]


async def test_a_feed_that_the_config_gave_up_may_be_added_by_command(
    store: SqlStore, clock: FakeClock
) -> None:
    await store.sync_feeds([HERALD], [clock.now()], clock.now())
    await store.sync_feeds([], [], clock.now())

    await add(store, clock, HERALD)

    assert (await status(store, HERALD)).origin is FeedOrigin.COMMAND


async def test_a_thousand_feeds_are_added_in_as_many_statements_as_two(
    store: SqlStore, clock: FakeClock
) -> None:
    def some(number: int, name: str) -> list[Feed]:
        return [replace(HERALD, id=FeedId(f"{name}{nth}")) for nth in range(number)]

    few = await statements(store, lambda: add(store, clock, *some(2, "few")))
    many = await statements(store, lambda: add(store, clock, *some(1_000, "many")))

    assert few == many
    assert len(await store.feed_statuses()) == 1_002


async def statements(store: SqlStore, work: Callable[[], Awaitable[None]]) -> int:
    count = 0

    def counted(*_: object) -> None:
        nonlocal count
        count += 1

    engine = store._db._writer.sync_engine
    sa.event.listen(engine, "before_cursor_execute", counted)
    try:
        await work()
    finally:
        sa.event.remove(engine, "before_cursor_execute", counted)
    return count


# ---- for the rules -----------------------------------------------------------------------------


async def test_the_ids_of_feeds_added_by_command_are_read_beside_the_store(
    store: SqlStore, url: str, clock: FakeClock
) -> None:
    await store.sync_feeds([HERALD], [clock.now()], clock.now())
    await add(store, clock, POST, replace(POST, id=FeedId("a")), replace(POST, id=FeedId("gone")))
    await store.remove_feed(FeedId("gone"))

    assert command_feed_ids(url) == ("a", "post")


def test_without_a_database_no_feed_was_added_by_command(tmp_path: Path) -> None:
    assert command_feed_ids(f"sqlite+aiosqlite:///{tmp_path / 'none.db'}") == ()
    assert not (tmp_path / "none.db").exists()


async def test_an_older_database_knows_no_feeds_by_command(url: str, tmp_path: Path) -> None:
    db = Database(url)

    def first_tables(connection: sa.Connection) -> None:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")

    async with db.writing() as connection:
        await connection.run_sync(first_tables)
    await db.close()

    assert command_feed_ids(url) == ()


def test_an_empty_file_knows_no_feeds(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "topicwire.db").close()
    (tmp_path / "topicwire.db").touch()

    assert command_feed_ids(f"sqlite+aiosqlite:///{tmp_path / 'topicwire.db'}") == ()


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "topicwire.db").write_text("no database at all, but a text of some length " * 50)

    with pytest.raises(StoreError, match="this file is no database"):
        command_feed_ids(f"sqlite+aiosqlite:///{tmp_path / 'topicwire.db'}")
