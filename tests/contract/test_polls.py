"""What every store promises of polls: leases, hosts at rest, a record of each, and upkeep."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.core.identity import Sorted, content_hash, item_keys
from bot.core.schedule import NextPollReason, PollDecision
from bot.model import (
    Feed,
    FeedId,
    FeedOrigin,
    HostPause,
    Item,
    ItemId,
    ItemReason,
    PauseReason,
    PollReason,
    PollState,
)
from bot.ports import DueFeed, PollOutcome
from bot.store import SqlStore
from bot.store.schema import hosts, polls
from bot.store.schema import item_keys as key_rows
from bot.store.upkeep import Tidied
from tests.clock import FakeClock

HERALD = Feed(id=FeedId("herald"), url="https://herald.example/feed")
POST = Feed(id=FeedId("post"), url="https://www.herald.example/post")
GLOBE = Feed(id=FeedId("globe"), url="https://globe.example/feed")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LEASE = timedelta(seconds=120)


@pytest.fixture
async def store(store: SqlStore, clock: FakeClock) -> SqlStore:
    await store.sync_feeds([HERALD, POST, GLOBE], [clock.now()] * 3, clock.now())
    return store


def outcome(clock: FakeClock, due: DueFeed, **decided: object) -> PollOutcome:
    decision = PollDecision(
        state=PollState(last_ok_at=clock.now()),
        next_poll_at=clock.now() + 10 * MINUTE,
        reason=PollReason.FETCHED,
        why=NextPollReason.INTERVAL,
    )
    return PollOutcome(due=due, decision=replace(decision, **decided))  # type: ignore[arg-type]  # its fields


async def save(store: SqlStore, clock: FakeClock, *outcomes: PollOutcome) -> None:
    async with store.polling() as transaction:
        await transaction.save_polls(outcomes, clock.now())


async def due_ids(store: SqlStore, clock: FakeClock) -> set[str]:
    return {due.feed.id for due in await store.claim_feeds(clock.now(), LEASE, 10)}


async def count(store: SqlStore, table: sa.Table) -> int:
    async with store._db.reading() as connection:
        query = sa.select(sa.func.count()).select_from(table)
        return int((await connection.execute(query)).scalar_one())


# ---- leases ------------------------------------------------------------------------------------


async def test_of_several_feeds_those_whose_lease_was_lost_are_not_held(
    store: SqlStore, clock: FakeClock
) -> None:
    due = {one.feed.id: one for one in await store.claim_feeds(clock.now(), LEASE, 10)}
    await store.release_feeds([due[POST.id]])

    async with store.polling() as transaction:
        held = await transaction.held(list(due.values()))

    assert held == {HERALD.id, GLOBE.id}


# ---- hosts at rest -----------------------------------------------------------------------------


async def test_all_feeds_of_a_host_wait_for_the_end_of_its_pause(store: SqlStore, clock: FakeClock) -> None:
    due = {one.feed.id: one for one in await store.claim_feeds(clock.now(), LEASE, 10)}
    pause = HostPause(host="herald.example", until=clock.now() + HOUR)
    await save(store, clock, outcome(clock, due[HERALD.id], host_pause=pause))
    await store.release_feeds([due[POST.id], due[GLOBE.id]])

    at_once = await due_ids(store, clock)
    in_all = await store.claim_feeds(clock.now(), LEASE, 10, unpolled_since=clock.now() + DAY)
    clock.advance(HOUR)
    later = await due_ids(store, clock)

    assert at_once == {GLOBE.id}
    assert list(in_all) == []
    assert later == {HERALD.id, POST.id, GLOBE.id}


async def test_a_shorter_pause_does_not_end_a_longer_one(store: SqlStore, clock: FakeClock) -> None:
    due = {one.feed.id: one for one in await store.claim_feeds(clock.now(), LEASE, 10)}
    for feed, wait in ((HERALD, HOUR), (POST, MINUTE)):
        pause = HostPause(host="herald.example", until=clock.now() + wait)
        await save(store, clock, outcome(clock, due[feed.id], host_pause=pause))
    clock.advance(30 * MINUTE)

    assert await due_ids(store, clock) == {GLOBE.id}


async def test_a_feed_that_is_polled_elsewhere_rests_with_that_host(
    store: SqlStore, clock: FakeClock
) -> None:
    due = {one.feed.id: one for one in await store.claim_feeds(clock.now(), LEASE, 10)}
    learned = PollState(last_ok_at=clock.now(), learned_url="https://globe.example/moved")
    await save(store, clock, outcome(clock, due[HERALD.id], state=learned))
    pause = HostPause(host="globe.example", until=clock.now() + HOUR)
    await save(store, clock, outcome(clock, due[GLOBE.id], host_pause=pause))
    clock.advance(30 * MINUTE)

    assert await due_ids(store, clock) == {POST.id}


# ---- the record of polls -----------------------------------------------------------------------


async def test_each_poll_is_remembered_with_its_reason(store: SqlStore, clock: FakeClock) -> None:
    [due] = await store.claim_feeds(clock.now(), LEASE, 1)
    told = replace(outcome(clock, due), status=200, received=512, items=7, new=2)

    await save(store, clock, told)

    [record] = await store.polls_of(due.feed.id, 10)
    assert (record.at, record.reason, record.status) == (clock.now(), PollReason.FETCHED, 200)
    assert (record.received, record.items, record.new) == (512, 7, 2)
    assert (record.next_poll_at, record.next_poll_why) == (
        clock.now() + 10 * MINUTE,
        NextPollReason.INTERVAL,
    )


async def test_a_secret_in_an_error_is_remembered_nowhere(store: SqlStore, clock: FakeClock) -> None:
    [due] = await store.claim_feeds(clock.now(), LEASE, 1)

    await save(store, clock, replace(outcome(clock, due), error="https://ada:secret@herald.example failed"))

    [record] = await store.polls_of(due.feed.id, 10)
    assert record.error == "https://***@herald.example failed"


async def test_a_feed_that_was_put_off_was_not_polled(store: SqlStore, clock: FakeClock) -> None:
    [due] = await store.claim_feeds(clock.now(), LEASE, 1)
    later = clock.now() + 5 * MINUTE

    await save(
        store,
        clock,
        outcome(
            clock,
            due,
            why=NextPollReason.HOST_BUSY,
            reason=PollReason.RATE_LIMITED,
            next_poll_at=later,
            state=due.state,
        ),
    )

    status = await store.feed_status(due.feed.id)
    assert status is not None
    assert (status.last_poll_at, status.last_reason, status.next_poll_at) == (None, None, later)
    assert list(await store.polls_of(due.feed.id, 10)) == []


# ---- the config's feeds beside those added by command ------------------------------------------


async def test_a_reload_leaves_feeds_added_by_command_alone(store: SqlStore, clock: FakeClock) -> None:
    added = Feed(id=FeedId("mine"), url="https://mine.example/feed")
    await store.add_feed(added, clock.now(), clock.now())

    await store.sync_feeds([HERALD], [clock.now()], clock.now())

    assert await due_ids(store, clock) == {HERALD.id, added.id}


async def test_a_feed_that_the_config_names_too_is_polled_once(store: SqlStore, clock: FakeClock) -> None:
    added = Feed(id=FeedId("mine"), url="https://mine.example/feed")
    await store.add_feed(added, clock.now(), clock.now())
    named = replace(added, id=FeedId("by-config"))

    await store.sync_feeds([named], [clock.now()], clock.now())

    assert await due_ids(store, clock) == {named.id}


async def test_a_feed_added_by_command_becomes_the_configs_when_that_names_it(
    store: SqlStore, clock: FakeClock
) -> None:
    added = Feed(id=FeedId("mine"), url="https://mine.example/feed")
    await store.add_feed(added, clock.now(), clock.now())

    await store.sync_feeds([added], [clock.now()], clock.now())

    status = await store.feed_status(added.id)
    assert status is not None
    assert status.origin is FeedOrigin.CONFIG


async def test_what_an_operator_paused_stays_paused_over_a_reload(store: SqlStore, clock: FakeClock) -> None:
    await store.pause_feed(HERALD.id, PauseReason.OPERATOR)

    await store.sync_feeds([HERALD], [clock.now()], clock.now())

    status = await store.feed_status(HERALD.id)
    assert status is not None
    assert status.pause is PauseReason.OPERATOR
    assert await due_ids(store, clock) == set()


async def test_the_settings_of_a_feed_come_back_to_the_letter(store: SqlStore, clock: FakeClock) -> None:
    feed = replace(
        HERALD,
        headers=(("Accept-Language", "de"), ("X-Key", "1")),
        user_agent="Mozilla",
        auth_file="/etc/herald.auth",
        fetch_content=True,
        interval=5 * MINUTE,
    )

    await store.sync_feeds([feed], [clock.now()], clock.now())

    [due] = await store.claim_feeds(clock.now(), LEASE, 10)
    assert due.feed == feed


# ---- keys --------------------------------------------------------------------------------------


def found(title: str, **facts: object) -> Sorted:
    item = replace(Item(feed_id=HERALD.id, title=title, url="https://herald.example/1"), **facts)  # type: ignore[arg-type]  # facts of an Item
    return Sorted(
        item=item, keys=item_keys(item), content_hash=content_hash(item), reason=ItemReason.NEW, known=None
    )


async def test_a_known_item_gets_further_names(store: SqlStore, clock: FakeClock) -> None:
    before, after = found("Ferry returns", guid="1"), found("Ferry returns", guid="another")
    async with store.polling() as transaction:
        [number] = await transaction.add_items([before], clock.now())

    async with store.polling() as transaction:
        await transaction.add_keys({number: after}, clock.now())

    known = await store.known_items({HERALD.id: after.keys})
    assert {one.id for one in known[HERALD.id].values()} == {number}
    assert known[HERALD.id].keys() == set(after.keys)


async def test_an_item_is_known_by_its_title_the_newest_first(store: SqlStore, clock: FakeClock) -> None:
    async with store.polling() as transaction:
        numbers = await transaction.add_items(
            [found("Ferry returns", guid="1"), found("Ferry returns", guid="2")], clock.now()
        )

    known = await store.known_titles(HERALD.id, ["Ferry returns", "Nobody knows"])

    assert {title: one.id for title, one in known.items()} == {"Ferry returns": numbers[1]}
    assert await store.known_titles(GLOBE.id, ["Ferry returns"]) == {}


# ---- upkeep ------------------------------------------------------------------------------------


async def test_polls_go_after_thirty_days(store: SqlStore, clock: FakeClock) -> None:
    for _ in range(3):
        [due] = await store.claim_feeds(clock.now(), LEASE, 1)
        await save(store, clock, outcome(clock, due))
        clock.advance(20 * DAY)

    tidied = await store.tidy(clock.now())

    assert tidied == Tidied(polls=2)
    assert await count(store, polls) == 1


async def test_polls_of_a_time_when_the_clock_was_ahead_go_too(store: SqlStore, clock: FakeClock) -> None:
    [due] = await store.claim_feeds(clock.now(), LEASE, 1)
    clock.advance(400 * DAY)
    await save(store, clock, outcome(clock, due))
    clock.advance(-400 * DAY)

    assert await store.tidy(clock.now()) == Tidied(polls=1)


async def shown(store: SqlStore, clock: FakeClock, *items: Sorted) -> None:
    async with store.polling() as transaction:
        await transaction.touch_keys({HERALD.id: [key for one in items for key in one.keys]}, clock.now())


async def test_keys_go_when_their_feed_has_shown_others_for_ninety_days(
    store: SqlStore, clock: FakeClock
) -> None:
    old, kept = found("Old", guid="1"), found("Kept", guid="2")
    async with store.polling() as transaction:
        await transaction.add_items([old, kept], clock.now())
    clock.advance(91 * DAY)
    await shown(store, clock, kept)

    await store.tidy(clock.now())

    known = await store.known_items({HERALD.id: [*old.keys, *kept.keys]})
    assert known[HERALD.id].keys() == set(kept.keys)
    assert await count(store, key_rows) == 2


async def test_keys_of_a_feed_that_says_nothing_new_stay(store: SqlStore, clock: FakeClock) -> None:
    async with store.polling() as transaction:
        await transaction.add_items([found("Old", guid="1")], clock.now())
    clock.advance(400 * DAY)

    await store.tidy(clock.now())

    assert await count(store, key_rows) == 2


async def test_keys_of_a_slow_feed_live_four_times_its_window(store: SqlStore, clock: FakeClock) -> None:
    [due] = [one for one in await store.claim_feeds(clock.now(), LEASE, 10) if one.feed.id == HERALD.id]
    await save(store, clock, outcome(clock, due, state=PollState(window=100 * DAY)))
    slow, kept = found("Slow", guid="1"), found("Kept", guid="2")
    async with store.polling() as transaction:
        await transaction.add_items([slow, kept], clock.now())
    rows = []
    for days in (390, 20):
        clock.advance(days * DAY)
        await shown(store, clock, kept)
        await store.tidy(clock.now())
        rows.append(await count(store, key_rows))

    assert rows == [4, 2]


async def test_upkeep_is_done_once_a_day(store: SqlStore, clock: FakeClock) -> None:
    first = await store.tidy(clock.now())
    clock.advance(DAY - MINUTE)
    second = await store.tidy(clock.now())
    clock.advance(MINUTE)
    third = await store.tidy(clock.now())

    assert (first, second, third) == (Tidied(), None, Tidied())


async def test_a_pause_that_is_over_is_forgotten(store: SqlStore, clock: FakeClock) -> None:
    [due] = await store.claim_feeds(clock.now(), LEASE, 1)
    pause = HostPause(host="herald.example", until=clock.now() + HOUR)
    await save(store, clock, outcome(clock, due, host_pause=pause))
    clock.advance(HOUR)

    await store.tidy(clock.now())

    assert await count(store, hosts) == 0


async def test_numbers_of_items_rise_with_their_order(store: SqlStore, clock: FakeClock) -> None:
    async with store.polling() as transaction:
        numbers = await transaction.add_items(
            [found(f"News {n}", guid=str(n)) for n in range(50)], clock.now()
        )

    assert list(numbers) == sorted(numbers)
    assert len(set(numbers)) == 50
    assert ItemId(0) not in numbers


async def test_what_was_put_off_while_the_clock_was_ahead_is_due_at_once(
    store: SqlStore, clock: FakeClock
) -> None:
    due = {one.feed.id: one for one in await store.claim_feeds(clock.now(), LEASE, 10)}
    clock.advance(400 * DAY)
    pause = HostPause(host="herald.example", until=clock.now() + HOUR)
    await save(store, clock, outcome(clock, due[HERALD.id], host_pause=pause))
    await store.claim_feeds(clock.now(), LEASE, 10)
    clock.advance(-400 * DAY)
    before = await due_ids(store, clock)

    put_right = await store.set_right(clock.now())

    assert before == set()
    assert put_right == 2
    assert await due_ids(store, clock) == {HERALD.id, GLOBE.id}  # of the third the first lease still runs


async def test_a_clock_that_goes_right_puts_nothing_right(store: SqlStore, clock: FakeClock) -> None:
    [due] = await store.claim_feeds(clock.now(), LEASE, 1)
    await save(store, clock, outcome(clock, due))

    assert await store.set_right(clock.now()) == 0
