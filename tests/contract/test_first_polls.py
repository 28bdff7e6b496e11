"""First polls of feeds that were added with their answer in hand, beside a daemon."""

from __future__ import annotations

from datetime import timedelta

from bot.model import PauseReason
from bot.store import SqlStore
from tests.clock import FakeClock
from tests.contract.feedlist import HERALD, LEASE, POST, claim


async def test_a_new_feed_is_claimed_before_it_is_due_and_by_nobody_else(
    store: SqlStore, clock: FakeClock
) -> None:
    later = clock.now() + timedelta(minutes=1)
    await store.add_feeds([HERALD, POST], [later, later], clock.now())

    first = await store.claim_new_feeds([HERALD.id], clock.now(), LEASE)
    second = await store.claim_new_feeds([HERALD.id, POST.id], clock.now(), LEASE)
    clock.advance(timedelta(minutes=1))

    assert [due.feed for due in first] == [HERALD]
    assert [due.feed for due in second] == [POST]
    assert await claim(store, clock) == {}
    async with store.polling() as transaction:
        assert await transaction.held(first) == {HERALD.id}


async def test_a_feed_that_somebody_polls_is_left_to_them(store: SqlStore, clock: FakeClock) -> None:
    await store.add_feed(HERALD, clock.now(), clock.now())
    await claim(store, clock)

    assert await store.claim_new_feeds([HERALD.id], clock.now(), LEASE) == []


async def test_a_feed_that_is_paused_or_removed_meanwhile_is_not_claimed(
    store: SqlStore, clock: FakeClock
) -> None:
    await store.add_feeds([HERALD, POST], [clock.now()] * 2, clock.now())
    await store.pause_feed(HERALD.id, PauseReason.OPERATOR)
    await store.remove_feed(POST.id)

    assert await store.claim_new_feeds([HERALD.id, POST.id], clock.now(), LEASE) == []
