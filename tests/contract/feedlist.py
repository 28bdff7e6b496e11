"""Feeds of a store under test, and what happens to them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.core.identity import Sorted, content_hash, item_keys
from bot.core.schedule import NextPollReason, PollDecision
from bot.model import Feed, FeedId, HostPause, Item, ItemReason, PollReason
from bot.ports import DueFeed, FeedStatus, PollOutcome
from bot.store import SqlStore
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
