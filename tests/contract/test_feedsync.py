"""What the config's feeds take over from others of their address, and what those give way to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa

from bot.core.feedsync import FeedChange, SyncReason
from bot.core.identity import item_keys
from bot.model import Feed, FeedId, FeedOrigin, Item, ItemReason, PauseReason
from bot.store import SqlStore
from bot.store.feedlist import command_feed_ids
from tests.clock import FakeClock
from tests.contract.feedlist import DAY, HERALD, HOUR, MINUTE, POST, add, claim, keep, poll, status

MINE = Feed(id=FeedId("mine"), url="http://www.herald.example/feed/")
RENAMED = replace(HERALD, id=FeedId("herald-2"))


async def sync(store: SqlStore, clock: FakeClock, *listed: Feed) -> Sequence[FeedChange]:
    return await store.sync_feeds(listed, [clock.now()] * len(listed), clock.now())


async def polled(store: SqlStore, clock: FakeClock, feed: Feed, *titles: str, **state: object) -> None:
    """Let a good poll of a feed end that showed these titles."""
    due = (await claim(store, clock))[feed.id]
    await keep(store, clock, feed, *titles, reason=ItemReason.NEW)
    told = {"last_ok_at": clock.now(), "window_start": clock.now() - DAY, "etag": '"e"'} | state
    assert await poll(store, clock, due, **told)  # type: ignore[arg-type]  # fields of a PollState


async def knows(store: SqlStore, feed: Feed, *titles: str) -> set[str]:
    """Return those titles that a feed is known to have shown."""
    keys = {title: item_keys(Item(feed_id=feed.id, title=title, guid=title)) for title in titles}
    known = await store.known_items({feed.id: [key for some in keys.values() for key in some]})
    return {title for title, some in keys.items() if any(key in known[feed.id] for key in some)}


# ---- a feed of the config is new at a known address --------------------------------------------


async def test_a_feed_of_the_config_goes_on_where_one_added_by_command_stood(
    store: SqlStore, clock: FakeClock
) -> None:
    await add(store, clock, MINE)
    await polled(store, clock, MINE, "Ferry returns", median_gap=HOUR)
    before = await status(store, MINE)

    await sync(store, clock, HERALD)

    after = await status(store, HERALD)
    assert (after.state.last_ok_at, after.state.window_start) == (clock.now(), clock.now() - DAY)
    assert (after.state.median_gap, after.next_poll_at) == (HOUR, before.next_poll_at)
    assert await knows(store, HERALD, "Ferry returns", "Bridge opens") == {"Ferry returns"}
    assert (await store.known_titles(HERALD.id, ["Ferry returns"])).keys() == {"Ferry returns"}


async def test_a_feed_added_by_command_rests_while_the_config_names_its_address(
    store: SqlStore, clock: FakeClock, url: str
) -> None:
    mine = replace(POST, url=MINE.url)
    await add(store, clock, mine)

    changes = await sync(store, clock, HERALD)
    again = await sync(store, clock, HERALD)

    resting = await status(store, mine)
    assert (resting.feed, resting.origin, resting.pause) == (mine, FeedOrigin.COMMAND, PauseReason.CONFIG)
    assert (await claim(store, clock)).keys() == {HERALD.id}
    assert command_feed_ids(url) == (mine.id,)
    assert [*changes] == [FeedChange(feed=mine.id, reason=SyncReason.RESTS, other=HERALD.id)]
    assert [*again] == []


async def test_a_feed_that_rested_comes_back_with_what_was_shown_meanwhile(
    store: SqlStore, clock: FakeClock
) -> None:
    await add(store, clock, MINE)
    await polled(store, clock, MINE, "Ferry returns")
    await sync(store, clock, HERALD)
    clock.advance(2 * HOUR)
    await polled(store, clock, HERALD, "Bridge opens")

    changes = await sync(store, clock)

    back = await status(store, MINE)
    assert (back.pause, back.state.last_ok_at, back.feed) == (None, clock.now(), MINE)
    assert await knows(store, MINE, "Ferry returns", "Bridge opens") == {"Ferry returns", "Bridge opens"}
    assert [*changes] == [FeedChange(feed=MINE.id, reason=SyncReason.RETURNS, other=HERALD.id)]
    clock.advance(HOUR)
    assert (await claim(store, clock)).keys() == {MINE.id}


async def test_a_feed_that_rested_comes_back_as_it_was_where_nobody_polled_meanwhile(
    store: SqlStore, clock: FakeClock
) -> None:
    await add(store, clock, MINE)
    await sync(store, clock, HERALD)

    changes = await sync(store, clock)

    assert (await claim(store, clock)).keys() == {MINE.id}
    assert [*changes] == [FeedChange(feed=MINE.id, reason=SyncReason.RETURNS, other=None)]


async def test_a_feed_goes_on_under_another_id_of_the_config(store: SqlStore, clock: FakeClock) -> None:
    await sync(store, clock, HERALD, POST)
    await polled(store, clock, HERALD, "Ferry returns")

    changes = await sync(store, clock, RENAMED, POST)

    after = await status(store, RENAMED)
    assert (after.state.last_ok_at, after.state.etag) == (clock.now(), '"e"')
    assert await knows(store, RENAMED, "Ferry returns") == {"Ferry returns"}
    assert [*changes] == [FeedChange(feed=RENAMED.id, reason=SyncReason.TAKES_OVER, other=HERALD.id)]
    assert await store.feed_status(HERALD.id) is None


async def test_feeds_may_swap_their_ids(store: SqlStore, clock: FakeClock) -> None:
    other = Feed(id=FeedId("globe"), url="https://globe.example/feed")
    await sync(store, clock, HERALD, other)
    await polled(store, clock, HERALD, "Ferry returns", median_gap=HOUR)
    clock.advance(HOUR)
    await polled(store, clock, other, "Bridge opens", median_gap=DAY)

    await sync(store, clock, replace(HERALD, url=other.url), replace(other, url=HERALD.url))

    assert (await status(store, HERALD)).state.median_gap == DAY
    assert (await status(store, other)).state.median_gap == HOUR
    assert await knows(store, HERALD, "Bridge opens") == {"Bridge opens"}
    assert await knows(store, other, "Ferry returns") == {"Ferry returns"}


async def test_a_feed_that_comes_back_takes_over_what_another_has_shown_since(
    store: SqlStore, clock: FakeClock
) -> None:
    await sync(store, clock, HERALD)
    await polled(store, clock, HERALD, "Ferry returns")
    await sync(store, clock)
    clock.advance(HOUR)
    await add(store, clock, MINE)
    await polled(store, clock, MINE, "Bridge opens")

    await sync(store, clock, HERALD)

    assert (await status(store, HERALD)).state.last_ok_at == clock.now()
    assert await knows(store, HERALD, "Ferry returns", "Bridge opens") == {"Ferry returns", "Bridge opens"}


async def test_an_address_that_redirects_taught_is_the_feeds_too(store: SqlStore, clock: FakeClock) -> None:
    there = Feed(id=FeedId("there"), url="https://new.example/rss")
    await add(store, clock, MINE)
    await polled(store, clock, MINE, "Ferry returns", learned_url=there.url)

    await sync(store, clock, there)

    after = await status(store, there)
    assert (after.state.last_ok_at, after.state.learned_url) == (clock.now(), None)
    assert (await status(store, MINE)).pause is PauseReason.CONFIG


async def test_what_was_given_up_long_ago_is_not_taken_over(store: SqlStore, clock: FakeClock) -> None:
    await add(store, clock, MINE)
    await polled(store, clock, MINE, "Ferry returns")
    await store.remove_feed(MINE.id)
    clock.advance(30 * DAY)

    await sync(store, clock, HERALD)

    assert (await status(store, HERALD)).state.last_ok_at is None


async def test_validators_are_taken_over_only_for_the_very_same_request(
    store: SqlStore, clock: FakeClock
) -> None:
    await sync(store, clock, HERALD)
    await polled(store, clock, HERALD)

    await sync(store, clock, replace(RENAMED, user_agent="Reader/2"))

    after = await status(store, RENAMED)
    assert (after.state.last_ok_at, after.state.etag) == (clock.now(), None)


async def test_a_poll_under_way_tells_nothing_that_its_heir_is_going_to_tell(
    store: SqlStore, clock: FakeClock
) -> None:
    await add(store, clock, MINE)
    await polled(store, clock, MINE, "Ferry returns")
    clock.advance(HOUR)
    due = (await claim(store, clock))[MINE.id]

    await sync(store, clock, HERALD)

    assert not await poll(store, clock, due)
    assert (await claim(store, clock)).keys() == {HERALD.id}


async def test_a_pause_goes_along_with_the_address(store: SqlStore, clock: FakeClock) -> None:
    await sync(store, clock, HERALD)
    await polled(store, clock, HERALD)
    await store.pause_feed(HERALD.id, PauseReason.OPERATOR)

    await sync(store, clock, RENAMED)

    assert (await status(store, RENAMED)).pause is PauseReason.OPERATOR


async def test_a_feed_at_rest_is_neither_paused_nor_resumed(store: SqlStore, clock: FakeClock) -> None:
    await add(store, clock, MINE)
    await sync(store, clock, HERALD)

    assert not await store.resume_feed(MINE.id, clock.now())
    assert not await store.pause_feed(MINE.id, PauseReason.OPERATOR)
    assert (await status(store, MINE)).pause is PauseReason.CONFIG


async def test_a_feed_at_rest_wakes_only_for_another_address(store: SqlStore, clock: FakeClock) -> None:
    await add(store, clock, MINE)
    await sync(store, clock, HERALD)

    await store.edit_feed(replace(MINE, url="https://herald.example/feed"), clock.now())
    still = await status(store, MINE)
    await store.edit_feed(replace(MINE, url="https://globe.example/feed"), clock.now())

    assert still.pause is PauseReason.CONFIG
    assert (await status(store, MINE)).pause is None


# ---- another address of the same feed ----------------------------------------------------------


async def test_a_change_of_address_by_the_config_is_kept_in_mind(store: SqlStore, clock: FakeClock) -> None:
    await sync(store, clock, HERALD)
    await polled(store, clock, HERALD)
    moved = replace(HERALD, url="https://elsewhere.example/feed")

    await sync(store, clock, moved)
    again = await sync(store, clock, moved)

    assert (await status(store, HERALD)).state.is_new_address
    assert [*again] == []


async def test_the_same_address_in_another_spelling_is_no_other(store: SqlStore, clock: FakeClock) -> None:
    await sync(store, clock, HERALD)
    await polled(store, clock, HERALD)

    await sync(store, clock, replace(HERALD, url="http://www.herald.example/feed"))

    after = await status(store, HERALD)
    assert (after.state.is_new_address, after.state.etag) == (False, None)


async def test_a_change_of_address_by_command_is_kept_in_mind(store: SqlStore, clock: FakeClock) -> None:
    await add(store, clock, MINE)
    await polled(store, clock, MINE)

    await store.edit_feed(replace(MINE, url="https://herald.example/feed"), clock.now())
    same = (await status(store, MINE)).state.is_new_address
    await store.edit_feed(replace(MINE, url="https://elsewhere.example/feed"), clock.now())

    assert not same
    assert (await status(store, MINE)).state.is_new_address


async def test_an_operators_pause_outlives_a_change_of_address(store: SqlStore, clock: FakeClock) -> None:
    globe = Feed(id=FeedId("globe"), url="https://globe.example/feed")
    await sync(store, clock, HERALD, globe)
    await store.pause_feed(HERALD.id, PauseReason.OPERATOR)
    await store.pause_feed(globe.id, PauseReason.GONE)

    await sync(
        store,
        clock,
        replace(HERALD, url="https://elsewhere.example/1"),
        replace(globe, url="https://elsewhere.example/2"),
    )

    assert (await status(store, HERALD)).pause is PauseReason.OPERATOR
    assert (await status(store, globe)).pause is None


async def test_a_poll_of_the_old_address_writes_nothing_over_the_new_one(
    store: SqlStore, clock: FakeClock
) -> None:
    await sync(store, clock, HERALD)
    due = (await claim(store, clock))[HERALD.id]

    await sync(store, clock, replace(HERALD, url="https://elsewhere.example/feed"))

    assert not await poll(store, clock, due)
    assert (await claim(store, clock)).keys() == {HERALD.id}


# ---- what it costs -----------------------------------------------------------------------------


async def test_feeds_that_did_not_change_are_not_written(store: SqlStore, clock: FakeClock) -> None:
    some = [Feed(id=FeedId(f"f{number}"), url=f"https://f{number}.example/") for number in range(1_200)]
    await store.sync_feeds(some, [clock.now()] * len(some), clock.now())
    await add(store, clock, MINE)
    clock.advance(MINUTE)
    said: list[str] = []

    def hear(_c: object, _k: object, statement: str, *_rest: object) -> None:
        said.append(statement.split(maxsplit=1)[0])

    engine = store._db._writer.sync_engine  # what is sent to the database is seen nowhere else
    sa.event.listen(engine, "before_cursor_execute", hear)
    await store.sync_feeds(some, [clock.now()] * len(some), clock.now())
    sa.event.remove(engine, "before_cursor_execute", hear)

    assert [word for word in said if word != "BEGIN"] == ["SELECT"]
