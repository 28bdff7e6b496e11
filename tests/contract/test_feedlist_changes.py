"""What every store promises of feeds that are changed, also while they are polled; today SQLite."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from bot.core.schedule import NextPollReason
from bot.model import (
    FeedOrigin,
    PauseReason,
    PollState,
)
from bot.store import SqlStore
from tests.clock import FakeClock
from tests.contract.feedlist import HERALD, HOUR, MINUTE, POST, add, claim, poll, status

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


async def test_a_permission_is_tried_at_once(store: SqlStore, clock: FakeClock) -> None:
    await add(store, clock, HERALD)
    due = await claim(store, clock)
    await poll(store, clock, due[HERALD.id], etag='"a"', failures=2)

    await store.edit_feed(replace(HERALD, allow_private=True), clock.now())

    now = await status(store, HERALD)
    assert (now.next_poll_at, now.state.etag) == (clock.now(), '"a"')


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
