"""What every store promises of linked pages; today SQLite, in a file of its own."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.core.fulltext import DuePage, PageDecision, PagePolicy, PageState
from bot.core.identity import Sorted, content_hash, item_keys
from bot.model import Feed, FeedId, Item, ItemId, ItemReason
from bot.store import SqlStore, open_store
from bot.store.pages import KEPT
from bot.store.schema import pages
from tests.clock import FakeClock

HERALD = Feed(id=FeedId("herald"), url="https://herald.example/feed")
LAN = Feed(id=FeedId("lan"), url="http://nas.local/feed", allow_private=True)
MINUTE = timedelta(minutes=1)
LEASE = timedelta(minutes=5)
POLICY = PagePolicy(per_minute=100)


@pytest.fixture
async def store(store: SqlStore, clock: FakeClock) -> SqlStore:
    await store.sync_feeds([HERALD, LAN], [clock.now()] * 2, clock.now())
    return store


async def want(
    store: SqlStore, clock: FakeClock, *urls: str | None, feed: Feed = HERALD, flooded: bool = False
) -> list[ItemId]:
    """Keep an item for each URL, and want its page."""
    items = [Item(feed_id=feed.id, title=f"News of {url} {clock.now()}", url=url) for url in urls]
    kept = [
        Sorted(item=one, keys=item_keys(one), content_hash=content_hash(one), reason=ItemReason.NEW)
        for one in items
    ]
    async with store.polling() as transaction:
        numbers = list(await transaction.add_items(kept, clock.now()))
        wanted = dict(zip(numbers, items, strict=True))
        await transaction.want_pages(wanted, clock.now(), flooded=numbers if flooded else ())
    return numbers


async def claim(
    store: SqlStore,
    clock: FakeClock,
    room: int = 100,
    reading: Collection[DuePage] = (),
    policy: PagePolicy = POLICY,
) -> list[DuePage]:
    return list(await store.claim_pages(clock.now(), LEASE, room, reading, policy))


async def settle(
    store: SqlStore, clock: FakeClock, page: DuePage, state: PageState, text: str = "", **facts: object
) -> bool:
    base = PageDecision(state=state, tries=page.tries)
    decision = replace(base, **facts)  # type: ignore[arg-type]  # facts of a PageDecision
    async with store.polling() as transaction:
        return await transaction.settle_page(page, decision, clock.now(), text)


async def state_of(store: SqlStore, number: ItemId) -> tuple[str, str | None]:
    async with store._db.reading() as connection:
        row = (await connection.execute(sa.select(pages).where(pages.c.item_id == number))).one()
    return row.state, row.error


# ---- what is claimed ---------------------------------------------------------------------------


async def test_a_wanted_page_is_claimed_once(store: SqlStore, clock: FakeClock) -> None:
    [number] = await want(store, clock, "https://www.herald.example/a?utm_source=rss")

    [page] = await claim(store, clock)

    assert page == DuePage(
        item=number,
        url="https://www.herald.example/a?utm_source=rss",
        url_key="www.herald.example/a",
        host="herald.example",
        tries=1,
    )
    assert await claim(store, clock) == []


async def test_what_links_nowhere_is_not_wanted(store: SqlStore, clock: FakeClock) -> None:
    await want(store, clock, None, "mailto:a@b.example")

    assert await claim(store, clock) == []
    assert await store.next_page_due(clock.now(), 30) is None


async def test_wanting_twice_is_wanting_once(store: SqlStore, clock: FakeClock) -> None:
    [number] = await want(store, clock, "https://a.example/1")
    [page] = await claim(store, clock)
    await settle(store, clock, page, PageState.READ, "text")

    async with store.polling() as transaction:
        item = (await transaction.kept_items([number]))[number]
        await transaction.want_pages({number: item}, clock.now())

    assert await claim(store, clock) == []


async def test_the_longest_due_come_first_one_of_each_host(store: SqlStore, clock: FakeClock) -> None:
    first = await want(store, clock, "https://a.example/1", "https://www.a.example/2")
    clock.advance(MINUTE)
    second = await want(store, clock, "https://b.example/1", "https://c.example/1", "https://d.example/1")

    found = await claim(store, clock, room=2)
    rest = await claim(store, clock, reading=found)

    assert [page.item for page in found] == [first[0], second[0]]
    assert [page.item for page in rest] == second[1:]


async def test_a_host_that_asked_for_a_pause_is_passed_over(store: SqlStore, clock: FakeClock) -> None:
    await want(store, clock, "https://a.example/1")
    async with store.polling() as transaction:
        await transaction.rest_host("a.example", clock.now() + 10 * MINUTE)
        await transaction.rest_host("a.example", clock.now() + MINUTE)  # a later end stands

    clock.advance(2 * MINUTE)

    assert await claim(store, clock) == []
    assert await store.next_page_due(clock.now(), 30) == clock.now() + 8 * MINUTE
    clock.advance(8 * MINUTE)
    assert len(await claim(store, clock)) == 1


async def test_a_page_of_a_feed_on_the_lan_may_be_beside_it_alone(store: SqlStore, clock: FakeClock) -> None:
    await want(store, clock, "http://nas.local/1", "http://router.local/1", feed=LAN)

    found = {page.url: page.allow_private for page in await claim(store, clock)}

    assert found == {"http://nas.local/1": True, "http://router.local/1": False}


async def test_a_page_knows_that_its_item_came_in_a_flood(store: SqlStore, clock: FakeClock) -> None:
    await want(store, clock, "https://a.example/1", flooded=True)

    [page] = await claim(store, clock)

    assert page.is_flood


# ---- the budget of a minute --------------------------------------------------------------------


async def test_no_minute_sees_more_pages_than_its_budget(store: SqlStore, clock: FakeClock) -> None:
    await want(store, clock, *(f"https://h{number}.example/" for number in range(30)))
    policy = PagePolicy(per_minute=7)
    claimed: list[datetime] = []

    while len(claimed) < 30:
        for page in await claim(store, clock, room=3, policy=policy):
            claimed.append(clock.now())
            await settle(store, clock, page, PageState.SHORT)
        clock.advance(timedelta(seconds=5))

    assert clock.now() - claimed[0] < 5 * MINUTE
    assert all(later - one >= MINUTE for one, later in zip(claimed, claimed[7:], strict=False))


async def test_a_page_that_waits_for_its_hosts_turn_counts_as_long_as_it_waits(
    store: SqlStore, clock: FakeClock
) -> None:
    await want(store, clock, "https://a.example/1", "https://b.example/1")
    policy = PagePolicy(per_minute=1)
    reading = await claim(store, clock, policy=policy)
    clock.advance(2 * MINUTE)
    assert await claim(store, clock, reading=reading, policy=policy) == []

    await settle(store, clock, reading[0], PageState.SHORT)

    assert await claim(store, clock, policy=policy) == []
    clock.advance(MINUTE)
    assert len(await claim(store, clock, policy=policy)) == 1


async def test_a_restart_gives_no_new_budget(tmp_path: Path, store: SqlStore, clock: FakeClock) -> None:
    await want(store, clock, *(f"https://h{number}.example/" for number in range(5)))
    policy = PagePolicy(per_minute=3)
    await claim(store, clock, policy=policy)
    clock.advance(MINUTE / 2)

    after, _ = await open_store(f"sqlite+aiosqlite:///{tmp_path / 'topicwire.db'}", clock)
    try:
        assert await claim(after, clock, policy=policy) == []
        assert await after.next_page_due(clock.now(), 3) == clock.now() + MINUTE / 2
        clock.advance(MINUTE / 2)
        assert len(await claim(after, clock, policy=policy)) == 2
    finally:
        await after.close()


async def test_a_page_that_was_not_asked_for_costs_no_budget(store: SqlStore, clock: FakeClock) -> None:
    await want(store, clock, "https://a.example/1", "https://b.example/1")
    policy = PagePolicy(per_minute=1)
    [page] = await claim(store, clock, policy=policy)

    await settle(store, clock, page, PageState.DISALLOWED, was_asked=False)

    assert len(await claim(store, clock, policy=policy)) == 1


async def test_without_a_budget_nothing_is_due(store: SqlStore, clock: FakeClock) -> None:
    await want(store, clock, "https://a.example/1")

    assert await claim(store, clock, policy=PagePolicy(per_minute=0)) == []
    assert await store.next_page_due(clock.now(), 0) is None


# ---- leases and results ------------------------------------------------------------------------


async def test_a_page_is_due_again_when_its_lease_ends(store: SqlStore, clock: FakeClock) -> None:
    await want(store, clock, "https://a.example/1")
    [lost] = await claim(store, clock)

    clock.advance(LEASE)
    [page] = await claim(store, clock)

    assert page.tries == 2
    assert not await settle(store, clock, lost, PageState.READ, "late")
    assert await settle(store, clock, page, PageState.READ, "text")


async def test_a_page_is_settled_once(store: SqlStore, clock: FakeClock) -> None:
    [number] = await want(store, clock, "https://a.example/1")
    [page] = await claim(store, clock)

    assert await settle(store, clock, page, PageState.REFUSED, error="answered 404" + "!" * 1_000)
    assert not await settle(store, clock, page, PageState.READ)

    state, error = await state_of(store, number)
    assert state == "refused"
    assert error is not None
    assert error.startswith("answered 404")
    assert len(error) == 500


async def test_what_is_given_back_is_due_at_once_and_cost_no_try(store: SqlStore, clock: FakeClock) -> None:
    await want(store, clock, "https://a.example/1")
    await store.give_back_pages(await claim(store, clock), clock.now())

    [page] = await claim(store, clock)

    assert page.tries == 1


async def test_a_page_is_tried_again_when_it_is_due(store: SqlStore, clock: FakeClock) -> None:
    await want(store, clock, "https://a.example/1")
    [page] = await claim(store, clock)
    await settle(store, clock, page, PageState.WAITING, due_at=clock.now() + 5 * MINUTE)

    assert await store.next_page_due(clock.now(), 30) == clock.now() + 5 * MINUTE
    assert await claim(store, clock) == []
    clock.advance(5 * MINUTE)
    assert [page.tries for page in await claim(store, clock)] == [2]


# ---- texts -------------------------------------------------------------------------------------


async def test_only_pages_that_were_used_have_a_text(store: SqlStore, clock: FakeClock) -> None:
    read, short, waiting = await want(
        store, clock, "https://a.example/", "https://b.example/", "https://c.example/"
    )
    one, other, _ = await claim(store, clock)
    await settle(store, clock, one, PageState.READ, "the whole story")
    await settle(store, clock, other, PageState.SHORT, "log in")

    async with store.polling() as transaction:
        texts = await transaction.page_texts([read, short, waiting, ItemId(99)])

    assert texts == {read: "the whole story"}


@pytest.mark.parametrize("state", [PageState.READ, PageState.SHORT])
async def test_a_page_read_lately_is_known_under_all_its_addresses(
    store: SqlStore, clock: FakeClock, state: PageState
) -> None:
    await want(store, clock, "https://a.example/story?utm_source=rss")
    [page] = await claim(store, clock)
    assert page.known_text is None
    await settle(store, clock, page, state, "the text")
    clock.advance(POLICY.reuse)

    await want(store, clock, "http://a.example/story#top")
    [again] = await claim(store, clock)

    assert again.known_text == "the text"


async def test_a_page_read_long_ago_or_in_vain_is_not_known(store: SqlStore, clock: FakeClock) -> None:
    await want(store, clock, "https://a.example/old", "https://b.example/lost")
    old, lost = await claim(store, clock)
    await settle(store, clock, old, PageState.READ, "the text")
    clock.advance(POLICY.reuse + MINUTE)
    await settle(store, clock, lost, PageState.REFUSED)

    await want(store, clock, "https://a.example/old", "https://b.example/lost")

    assert [page.known_text for page in await claim(store, clock)] == [None, None]


async def test_content_is_kept_without_counting_as_an_edit(store: SqlStore, clock: FakeClock) -> None:
    [number] = await want(store, clock, "https://a.example/1")
    async with store.polling() as transaction:
        before = (await transaction.kept_items([number]))[number]
        await transaction.set_content(number, "the whole story")
        after = (await transaction.kept_items([number]))[number]

    assert after == replace(before, content="the whole story")
    known = await store.known_items({HERALD.id: item_keys(before)})
    assert {one.content_hash for one in known[HERALD.id].values()} == {content_hash(before)}


# ---- upkeep ------------------------------------------------------------------------------------


async def test_pages_of_old_items_and_the_oldest_of_too_many_are_given_up(
    store: SqlStore, clock: FakeClock
) -> None:
    policy = PagePolicy(most_waiting=2, oldest=timedelta(days=2))
    [stale] = await want(store, clock, "https://a.example/old")
    clock.advance(timedelta(days=2, seconds=1))
    dropped, *fresh = await want(store, clock, *(f"https://{name}.example/" for name in "bcd"))

    assert await store.trim_pages(clock.now(), policy) == (1, 1)
    assert await store.trim_pages(clock.now(), policy) == (0, 0)

    assert (await state_of(store, stale))[0] == "stale"
    assert (await state_of(store, dropped))[0] == "dropped"
    assert [page.item for page in await claim(store, clock)] == fresh


async def test_pages_are_forgotten_after_a_month(store: SqlStore, clock: FakeClock) -> None:
    [number] = await want(store, clock, "https://a.example/1")
    [page] = await claim(store, clock)
    await settle(store, clock, page, PageState.READ, "text")

    clock.advance(KEPT)
    assert await store.forget_pages(clock.now()) == 0
    clock.advance(MINUTE)
    assert await store.forget_pages(clock.now()) == 1

    async with store.polling() as transaction:
        assert await transaction.page_texts([number]) == {}
