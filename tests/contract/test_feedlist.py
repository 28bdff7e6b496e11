"""What every store promises of the list of feeds; today SQLite, in a file of its own."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command

from bot.core.identity import Sorted, content_hash, item_keys
from bot.core.schedule import NextPollReason, PollDecision
from bot.errors import StoreError
from bot.model import (
    Feed,
    FeedId,
    FeedOrigin,
    HostPause,
    Item,
    ItemReason,
    PauseReason,
    PollReason,
    PollState,
)
from bot.ports import DueFeed, FeedStatus, PollOutcome
from bot.store import SqlStore, open_store
from bot.store.engine import Database
from bot.store.feedlist import command_feed_ids
from bot.store.migrating import alembic_config
from tests.clock import FakeClock

HERALD = Feed(id=FeedId("herald"), url="https://herald.example/feed")
POST = Feed(
    id=FeedId("post"),
    url="https://news.post.example/rss",
    outlet="The Post",
    language="en",
    interval=timedelta(minutes=10),
    encoding="cp1251",
    allow_private=True,
    user_agent="Reader/1",
    headers=(("X-Key", "a"), ("X-Key", "b")),
    auth_file="/etc/post",
    fetch_content=True,
)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LEASE = timedelta(seconds=120)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path / 'topicwire.db'}"


@pytest.fixture
async def store(url: str, clock: FakeClock) -> AsyncIterator[SqlStore]:
    store, _ = await open_store(url, clock)
    yield store
    await store.close()


async def add(store: SqlStore, clock: FakeClock, *feeds: Feed) -> None:
    assert len(await store.add_feeds(feeds, [clock.now()] * len(feeds), clock.now())) == len(feeds)


async def claim(store: SqlStore, clock: FakeClock) -> dict[FeedId, DueFeed]:
    return {due.feed.id: due for due in await store.claim_feeds(clock.now(), LEASE, 100)}


async def status(store: SqlStore, feed: Feed) -> FeedStatus:
    found = await store.feed_status(feed.id)
    assert found is not None
    return found


async def poll(
    store: SqlStore,
    clock: FakeClock,
    due: DueFeed,
    *,
    reason: PollReason = PollReason.FETCHED,
    why: NextPollReason = NextPollReason.INTERVAL,
    wait: timedelta = HOUR,
    error: str | None = None,
    **state: object,
) -> bool:
    """Let a poll end; False: its lease was gone."""
    decision = PollDecision(
        state=replace(due.state, **state),  # type: ignore[arg-type]  # fields of a PollState
        next_poll_at=clock.now() + wait,
        reason=reason,
        why=why,
        host_pause=HostPause(host="herald.example", until=clock.now() + wait)
        if reason is PollReason.RATE_LIMITED
        else None,
    )
    outcome = PollOutcome(due=due, decision=decision, status=200, received=512, items=3, new=1, error=error)
    async with store.polling() as transaction:
        if due.feed.id not in await transaction.held([due]):
            return False
        await transaction.save_polls([outcome], clock.now())
    return True


async def keep(store: SqlStore, clock: FakeClock, feed: Feed, *titles: str, reason: ItemReason) -> None:
    items = [Item(feed_id=feed.id, title=title, guid=title) for title in titles]
    kept = [
        Sorted(item=item, keys=item_keys(item), content_hash=content_hash(item), reason=reason)
        for item in items
    ]
    async with store.polling() as transaction:
        await transaction.add_items(kept, clock.now())


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


# ---- changing ----------------------------------------------------------------------------------


async def test_every_setting_can_be_changed(store: SqlStore, clock: FakeClock) -> None:
    await add(store, clock, HERALD)

    assert await store.edit_feed(replace(POST, id=HERALD.id), clock.now())

    assert (await status(store, HERALD)).feed == replace(POST, id=HERALD.id)
    assert (await status(store, HERALD)).host == "post.example"


async def test_a_feed_of_the_config_is_not_changed(store: SqlStore, clock: FakeClock) -> None:
    await store.sync_feeds([HERALD], [clock.now()], clock.now())

    assert not await store.edit_feed(replace(HERALD, outlet="X"), clock.now())

    assert (await status(store, HERALD)).feed.outlet is None


async def test_another_url_forgets_what_belongs_to_the_old_one(store: SqlStore, clock: FakeClock) -> None:
    await add(store, clock, HERALD)
    due = await claim(store, clock)
    await poll(
        store,
        clock,
        due[HERALD.id],
        etag='"a"',
        failures=4,
        learned_url="https://x.example/",
        last_ok_at=clock.now(),
    )

    await store.edit_feed(replace(HERALD, url="https://new.example/feed"), clock.now())

    now = await status(store, HERALD)
    assert (now.state.etag, now.state.failures, now.state.learned_url) == (None, 0, None)
    assert now.state.last_ok_at == clock.now()
    assert (now.next_poll_at, now.next_poll_why) == (clock.now(), NextPollReason.FIRST)


@pytest.mark.parametrize(
    "change", [{"encoding": "koi8-r"}, {"user_agent": "X"}, {"headers": (("A", "b"),)}, {"auth_file": "/f"}]
)
async def test_another_way_of_asking_or_reading_reads_the_whole_feed_again(
    store: SqlStore, clock: FakeClock, change: dict[str, object]
) -> None:
    await add(store, clock, HERALD)
    due = await claim(store, clock)
    await poll(store, clock, due[HERALD.id], etag='"a"', last_modified="x", body_sha256="b", failures=2)

    await store.edit_feed(replace(HERALD, **change), clock.now())  # type: ignore[arg-type]  # fields of a Feed

    now = await status(store, HERALD)
    assert (now.state.etag, now.state.last_modified, now.state.body_sha256) == (None, None, None)
    assert now.state.failures == 2
    assert now.next_poll_at == clock.now()


async def test_a_shorter_interval_counts_from_now_and_a_longer_one_after_the_next_poll(
    store: SqlStore, clock: FakeClock
) -> None:
    await add(store, clock, HERALD)
    due = await claim(store, clock)
    await poll(store, clock, due[HERALD.id], wait=HOUR)

    await store.edit_feed(replace(HERALD, interval=2 * HOUR), clock.now())
    longer = await status(store, HERALD)
    await store.edit_feed(replace(HERALD, interval=5 * MINUTE), clock.now())
    shorter = await status(store, HERALD)

    assert longer.next_poll_at == clock.now() + HOUR
    assert (shorter.next_poll_at, shorter.next_poll_why) == (
        clock.now() + 5 * MINUTE,
        NextPollReason.OPERATOR,
    )


async def test_a_name_changes_nothing_about_polling(store: SqlStore, clock: FakeClock) -> None:
    await add(store, clock, HERALD)
    due = await claim(store, clock)
    await poll(store, clock, due[HERALD.id], etag='"a"')
    before = await status(store, HERALD)

    await store.edit_feed(replace(HERALD, outlet="The Herald"), clock.now())

    assert await status(store, HERALD) == replace(before, feed=replace(HERALD, outlet="The Herald"))


# ---- pausing -----------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", list(FeedOrigin))
async def test_feeds_of_both_origins_can_be_paused_and_resumed(
    store: SqlStore, clock: FakeClock, origin: FeedOrigin
) -> None:
    if origin is FeedOrigin.CONFIG:
        await store.sync_feeds([HERALD], [clock.now()], clock.now())
    else:
        await add(store, clock, HERALD)

    assert await store.pause_feed(HERALD.id, PauseReason.OPERATOR)
    paused = await status(store, HERALD)
    due = await claim(store, clock)
    assert await store.resume_feed(HERALD.id, clock.now())

    assert (paused.pause, due) == (PauseReason.OPERATOR, {})
    assert (await status(store, HERALD)).pause is None
    assert set(await claim(store, clock)) == {HERALD.id}


async def test_resuming_forgets_failures_and_polls_at_once(store: SqlStore, clock: FakeClock) -> None:
    await add(store, clock, HERALD)
    due = await claim(store, clock)
    now = clock.now()
    await poll(
        store, clock, due[HERALD.id], etag='"a"', failures=9, failing_since=now, gone_count=3, gone_since=now
    )

    await store.resume_feed(HERALD.id, clock.now())

    found = await status(store, HERALD)
    assert found.state == PollState(etag='"a"')
    assert found.next_poll_at == now


async def test_a_pause_by_an_operator_outlives_a_new_url(store: SqlStore, clock: FakeClock) -> None:
    await add(store, clock, HERALD, POST)
    await store.pause_feed(HERALD.id, PauseReason.OPERATOR)
    await store.pause_feed(POST.id, PauseReason.GONE)

    for feed in (HERALD, POST):
        await store.edit_feed(replace(feed, url="https://new.example/feed"), clock.now())

    assert (await status(store, HERALD)).pause is PauseReason.OPERATOR
    assert (await status(store, POST)).pause is None


async def test_nobody_pauses_or_resumes_what_is_not_listed(store: SqlStore, clock: FakeClock) -> None:
    assert not await store.pause_feed(HERALD.id, PauseReason.OPERATOR)
    assert not await store.resume_feed(HERALD.id, clock.now())


# ---- beside a poll under way -------------------------------------------------------------------

CHANGES: dict[str, Callable[[SqlStore, FakeClock], Awaitable[bool]]] = {
    "pause": lambda store, clock: store.pause_feed(HERALD.id, PauseReason.OPERATOR),
    "resume": lambda store, clock: store.resume_feed(HERALD.id, clock.now()),
    "edit": lambda store, clock: store.edit_feed(replace(HERALD, url="https://b.example/"), clock.now()),
    "remove": lambda store, clock: store.remove_feed(HERALD.id),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_poll_under_way_writes_nothing_over_a_change(
    store: SqlStore, clock: FakeClock, change: str
) -> None:
    await add(store, clock, HERALD)
    due = await claim(store, clock)

    assert await CHANGES[change](store, clock)

    assert not await poll(store, clock, due[HERALD.id], etag='"old"')


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
