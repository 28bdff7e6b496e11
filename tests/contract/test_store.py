"""What every store promises; today SQLite, in a file of its own."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from bot.core.identity import KnownItem, Sorted, content_hash, item_keys
from bot.core.routing import AlertAction, AlertDecision
from bot.core.schedule import NextPollReason, PollDecision
from bot.core.sending import SendDecision, SendPolicy, after_error, after_success
from bot.core.stories import StoryDecision, StoryPolicy, StoryText
from bot.errors import ChatLost, ChatMoved, NotifyError, NotifyLater, StoreBroken, StoreBusy
from bot.model import (
    Address,
    AlertReason,
    Chat,
    ChatKind,
    ChatState,
    DeliveryState,
    Feed,
    FeedId,
    Item,
    ItemId,
    ItemKey,
    ItemReason,
    Level,
    Match,
    PollReason,
    PollState,
    StoryId,
    StoryReason,
    TermMatch,
    TopicId,
)
from bot.ports import Batch, DueFeed, PollOutcome, Settlement
from bot.store import SqlStore, open_store
from bot.store.engine import Database
from bot.store.migrate import HEAD
from bot.store.migrating import alembic_config
from bot.store.schema import METADATA
from tests.clock import FakeClock

FEED = Feed(id=FeedId("herald"), url="https://herald.example/feed")
OTHER = Feed(id=FeedId("post"), url="https://post.example/feed")
GAS, OIL = TopicId("gas"), TopicId("oil")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LEASE = timedelta(seconds=120)


# ---- builders: name only what matters ---------------------------------------------------------


def an_item(title: str = "Gas price rises", **facts: object) -> Item:
    base = Item(feed_id=FEED.id, title=title, outlet="Herald", url=f"https://herald.example/{len(title)}")
    return replace(base, **facts)  # type: ignore[arg-type]  # facts of an Item


def found(item: Item, reason: ItemReason = ItemReason.NEW) -> Sorted:
    return Sorted(item=item, keys=item_keys(item), content_hash=content_hash(item), reason=reason)


def a_match(topic: TopicId = GAS, score: float = 90) -> Match:
    term = TermMatch(term="gas", field="title", start=0, end=3, text="Gas", score=score)
    return Match(topic=topic, score=score, terms=(term,), rules_hash="abc")


async def claimed(store: SqlStore, clock: FakeClock, feed: Feed = FEED) -> DueFeed:
    await store.sync_feeds([feed], [clock.now()], clock.now())
    [due] = await store.claim_feeds(clock.now(), LEASE, 10)
    return due


def polled(clock: FakeClock, **state: object) -> PollDecision:
    return PollDecision(
        state=replace(PollState(), **state),  # type: ignore[arg-type]  # fields of a PollState
        next_poll_at=clock.now() + 10 * MINUTE,
        reason=PollReason.FETCHED,
        why=NextPollReason.INTERVAL,
    )


async def known(store: SqlStore, *items: Item) -> Mapping[ItemKey, KnownItem]:
    asked = await store.known_items({FEED.id: {key for item in items for key in item_keys(item)}})
    return asked[FEED.id]


def a_text(item: Item, now: datetime) -> StoryText:
    return StoryText(
        title=item.title, summary=item.summary, outlet=item.outlet, url=None, language="en", at=now
    )


async def a_story(store: SqlStore, clock: FakeClock, *items: Item, topic: TopicId = GAS) -> StoryId:
    """Keep items as one story, each with a match."""
    known = {feed.id for feed in (FEED, OTHER)}
    await store.sync_feeds([FEED, OTHER], [clock.now()] * 2, clock.now())
    async with store.polling() as poll:
        numbers = await poll.add_items([found(item) for item in items], clock.now())
        await poll.set_matches({number: [a_match(topic)] for number in numbers})
        story: StoryId | None = None
        for number, item in zip(numbers, items, strict=True):
            assert item.feed_id in known
            reason = StoryReason.NEW if story is None else StoryReason.REPORT
            decision = StoryDecision(story=story, reason=reason, similarity=0.5)
            story, _ = await poll.add_report(number, a_text(item, clock.now()), decision, clock.now())
    assert story is not None
    return story


async def a_chat(store: SqlStore, clock: FakeClock, telegram_id: int = 5, thread: int | None = None) -> Chat:
    kind = ChatKind.PRIVATE if telegram_id > 0 else ChatKind.SUPERGROUP
    return await store.register_chat(
        Address(telegram_id=telegram_id, thread_id=thread),
        kind=kind,
        title="Ada",
        language="de",
        now=clock.now(),
    )


async def owed(store: SqlStore, clock: FakeClock, chat: Chat, story: StoryId, **facts: object) -> None:
    decision = AlertDecision(
        action=AlertAction.QUEUE,
        reason=AlertReason.NEW_STORY,
        topics=frozenset({GAS}),
        level=Level.MEDIUM,
        due_at=clock.now(),
    )
    async with store.polling() as poll:
        await poll.apply(story, {chat.id: replace(decision, **facts)}, clock.now())  # type: ignore[arg-type]


async def take(store: SqlStore, clock: FakeClock) -> Batch:
    batch = await store.claim_batch(clock.now(), LEASE)
    assert batch is not None
    return batch


async def sent(store: SqlStore, clock: FakeClock, batch: Batch, message_id: int = 77) -> None:
    settlements = [
        Settlement(delivery=one, decision=after_success(one, clock.now()), message_id=message_id)
        for one in batch.deliveries
    ]
    await store.settle(batch, settlements, clock.now())


async def refused(store: SqlStore, clock: FakeClock, batch: Batch, error: NotifyError) -> SendDecision:
    [delivery] = batch.deliveries
    decision = after_error(delivery, error, clock.now(), SendPolicy())
    await store.settle(batch, [Settlement(delivery=delivery, decision=decision, error="x")], clock.now())
    return decision


# ---- tables ------------------------------------------------------------------------------------


async def test_the_migrations_make_exactly_the_tables_of_the_schema(url: str, clock: FakeClock) -> None:
    store, changed = await open_store(url, clock)
    await store.close()
    db = Database(url)

    async with db.reading() as connection:
        differences = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync), METADATA)
        )
    await db.close()

    assert changed
    assert differences == []


async def test_opening_twice_changes_nothing(url: str, clock: FakeClock) -> None:
    first, _ = await open_store(url, clock)
    await first.close()

    second, changed = await open_store(url, clock)
    await second.close()

    assert not changed


def test_the_newest_migration_is_the_one_that_the_store_asks_for() -> None:
    assert ScriptDirectory.from_config(alembic_config()).get_current_head() == HEAD


async def test_a_database_of_a_newer_version_is_refused(url: str, clock: FakeClock, tmp_path: Path) -> None:
    store, _ = await open_store(url, clock)
    await store.close()
    with sqlite3.connect(tmp_path / "topicwire.db") as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()

    with pytest.raises(StoreBroken, match="newer Topicwire"):
        await open_store(url, clock)


async def test_a_file_that_is_no_database_is_refused_with_a_cure(
    url: str, clock: FakeClock, tmp_path: Path
) -> None:
    (tmp_path / "topicwire.db").write_bytes(b"this was once a database" * 500)

    with pytest.raises(StoreBroken, match="restore your backup"):
        await open_store(url, clock)


async def test_a_folder_that_is_not_there_is_named(clock: FakeClock, tmp_path: Path) -> None:
    with pytest.raises(StoreBroken, match="check that the folder is there"):
        await open_store(f"sqlite+aiosqlite:///{tmp_path / 'nowhere' / 'x.db'}", clock)


async def test_a_full_disk_loses_nothing_and_says_so(store: SqlStore, clock: FakeClock) -> None:
    due = await claimed(store, clock)
    async with store._db.writing() as connection:
        pages = (await connection.exec_driver_sql("PRAGMA page_count")).scalar_one()
        await connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 2}")

    with pytest.raises(StoreBroken, match="the disk is full"):
        async with store.polling() as poll:
            await poll.add_items([found(an_item(summary="x" * 100_000))], clock.now())
            await poll.save_polls([PollOutcome(due=due, decision=polled(clock, etag="new"))], clock.now())

    assert await known(store, an_item()) == {}
    async with store.polling() as poll:
        await poll.save_polls(
            [PollOutcome(due=due, decision=polled(clock))], clock.now()
        )  # the lease is still ours


async def test_a_database_held_by_another_program_is_busy_not_broken(
    url: str, clock: FakeClock, tmp_path: Path
) -> None:
    store, _ = await open_store(url, clock, busy_timeout=timedelta(milliseconds=20))
    with sqlite3.connect(tmp_path / "topicwire.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(StoreBusy, match="held by another program"):
            await store.sync_feeds([FEED], [clock.now()], clock.now())

        other.execute("ROLLBACK")
    other.close()
    await store.close()


# ---- feeds -------------------------------------------------------------------------------------


async def test_a_due_feed_is_claimed_once(store: SqlStore, clock: FakeClock) -> None:
    await store.sync_feeds([FEED, OTHER], [clock.now(), clock.now() + HOUR], clock.now())

    first = await store.claim_feeds(clock.now(), LEASE, 10)
    second = await store.claim_feeds(clock.now(), LEASE, 10)

    assert [due.feed for due in first] == [FEED]
    assert list(second) == []


async def test_everything_is_also_what_is_not_due(store: SqlStore, clock: FakeClock) -> None:
    await store.sync_feeds([FEED, OTHER], [clock.now(), clock.now() + HOUR], clock.now())

    due = await store.claim_feeds(clock.now(), LEASE, 10, unpolled_since=clock.now())

    assert {one.feed.id for one in due} == {FEED.id, OTHER.id}


async def test_the_feed_of_a_dead_worker_is_polled_again_after_the_lease(
    store: SqlStore, clock: FakeClock
) -> None:
    await claimed(store, clock)
    clock.advance(LEASE)

    assert len(await store.claim_feeds(clock.now(), LEASE, 10)) == 1


async def test_a_feed_given_back_is_due_at_once(store: SqlStore, clock: FakeClock) -> None:
    due = await claimed(store, clock)

    await store.release_feeds([due])

    assert len(await store.claim_feeds(clock.now(), LEASE, 10)) == 1


async def test_a_poll_whose_lease_was_lost_is_not_held(store: SqlStore, clock: FakeClock) -> None:
    due = await claimed(store, clock)
    clock.advance(LEASE)
    await store.claim_feeds(clock.now(), LEASE, 10)

    async with store.polling() as poll:
        assert await poll.held([due]) == frozenset()


async def test_what_a_poll_leaves_behind_comes_back_to_the_letter(store: SqlStore, clock: FakeClock) -> None:
    due = await claimed(store, clock)
    decision = polled(
        clock,
        etag='W/"ä-1"',
        last_modified="yesterday",
        failures=2,
        failing_since=clock.now(),
        server_wait=HOUR,
    )

    async with store.polling() as poll:
        await poll.save_polls([PollOutcome(due=due, decision=decision)], clock.now())
    clock.advance(HOUR)
    [again] = await store.claim_feeds(clock.now(), LEASE, 10)

    assert again.state == decision.state


async def test_a_feed_is_sick_when_it_failed_for_a_day_and_its_secrets_are_not_told(
    store: SqlStore, clock: FakeClock
) -> None:
    due = await claimed(store, clock)
    decision = replace(polled(clock, failing_since=clock.now()), reason=PollReason.TEMPORARY)
    async with store.polling() as poll:
        error = "https://ada:secret@herald.example failed"
        await poll.save_polls([PollOutcome(due=due, decision=decision, error=error)], clock.now())

    at_once = await store.sick_feeds(clock.now())
    clock.advance(24 * HOUR)
    [after_a_day] = await store.sick_feeds(clock.now())

    assert list(at_once) == []
    assert after_a_day.error == "https://***@herald.example failed"


async def test_a_feed_taken_off_the_list_is_polled_no_more_and_back_on_it_keeps_its_memory(
    store: SqlStore, clock: FakeClock
) -> None:
    due = await claimed(store, clock)
    async with store.polling() as poll:
        await poll.save_polls(
            [PollOutcome(due=due, decision=polled(clock, last_ok_at=clock.now(), etag="e"))], clock.now()
        )
    clock.advance(HOUR)

    await store.sync_feeds([], [], clock.now())
    gone = await store.claim_feeds(clock.now(), LEASE, 10)
    await store.sync_feeds([FEED], [clock.now() + HOUR], clock.now())
    [back] = await store.claim_feeds(clock.now(), LEASE, 10)

    assert list(gone) == []
    assert back.state.etag == "e"


async def test_a_feed_that_moved_forgets_validators_but_not_that_it_was_read(
    store: SqlStore, clock: FakeClock
) -> None:
    due = await claimed(store, clock)
    async with store.polling() as poll:
        state = {"last_ok_at": clock.now(), "etag": "e", "body_sha256": "h", "failures": 3}
        await poll.save_polls([PollOutcome(due=due, decision=polled(clock, **state))], clock.now())

    await store.sync_feeds([replace(FEED, url="https://new.example/feed")], [clock.now()], clock.now())
    [again] = await store.claim_feeds(clock.now(), LEASE, 10)

    assert (again.state.etag, again.state.body_sha256, again.state.failures) == (None, None, 0)
    assert again.state.last_ok_at is not None


# ---- items and stories -------------------------------------------------------------------------


async def test_an_item_is_known_by_each_of_its_keys(store: SqlStore, clock: FakeClock) -> None:
    await claimed(store, clock)
    item = an_item(guid="g-1")
    async with store.polling() as poll:
        [number] = await poll.add_items([found(item)], clock.now())

    asked = await store.known_items({FEED.id: item_keys(item), OTHER.id: item_keys(item)})

    assert {one.id for one in asked[FEED.id].values()} == {number}
    assert asked[FEED.id].keys() == set(item_keys(item))
    assert asked[OTHER.id] == {}


async def test_a_feed_may_have_shown_items_though_nobody_thinks_so(store: SqlStore, clock: FakeClock) -> None:
    await store.sync_feeds([FEED, OTHER], [clock.now()] * 2, clock.now())
    item = an_item(guid="g-1")
    async with store.polling() as poll:
        [number] = await poll.add_items([found(item)], clock.now())

    asked = await store.known_items(
        {FEED.id: item_keys(item), OTHER.id: item_keys(item)}, young={FEED.id, OTHER.id}
    )

    assert {one.id for one in asked[FEED.id].values()} == {number}
    assert asked[OTHER.id] == {}


async def test_many_items_are_numbered_in_their_order(store: SqlStore, clock: FakeClock) -> None:
    await claimed(store, clock)
    items = [an_item(title=f"News {number}", url=None, guid=str(number)) for number in range(700)]

    async with store.polling() as poll:
        numbers = await poll.add_items([found(item) for item in items], clock.now())

    kept = await known(store, *items)
    assert [kept[item_keys(item)[0]].id for item in items] == numbers


async def test_an_error_halfway_leaves_nothing_behind(store: SqlStore, clock: FakeClock) -> None:
    due = await claimed(store, clock)

    with pytest.raises(RuntimeError, match="halfway"):
        async with store.polling() as poll:
            await poll.add_items([found(an_item())], clock.now())
            await poll.save_polls([PollOutcome(due=due, decision=polled(clock))], clock.now())
            raise RuntimeError("halfway")

    assert await known(store, an_item()) == {}


async def test_a_story_comes_back_with_its_reports_and_its_best_match_a_topic(
    store: SqlStore, clock: FakeClock
) -> None:
    first, second = (
        an_item(summary="As it was told."),
        an_item("Gas prices rise", feed_id=OTHER.id, outlet="Post"),
    )
    story = await a_story(store, clock, first, second)

    told = await store.story(story)

    assert told is not None
    assert told.outlets == ("Herald", "Post")
    assert [report.reason for report in told.reports] == [StoryReason.NEW, StoryReason.REPORT]
    assert told.matches == (a_match(),)


async def test_an_item_comes_back_to_the_letter_by_its_number(store: SqlStore, clock: FakeClock) -> None:
    due = await claimed(store, clock)
    item = an_item(
        summary="As it was told.",
        guid="g",
        author="A. Writer",
        categories=("gas", "prices"),
        language="en",
        published_at=clock.now(),
    )
    async with store.polling() as poll:
        (number,) = await poll.add_items([found(item)], clock.now())
        await poll.save_polls([PollOutcome(due=due, decision=polled(clock))], clock.now())

    assert await store.item(number) == item
    assert await store.item(ItemId(number + 1)) is None


async def test_stories_that_share_keys_are_candidates_and_closed_ones_are_not(
    store: SqlStore, clock: FakeClock
) -> None:
    item = an_item("Ferry to Rosenholm runs aground near Hasle", feed_id=FEED.id)
    story = await a_story(store, clock, item)
    policy = StoryPolicy()

    async with store.polling() as poll:
        near = await poll.candidates(a_text(item, clock.now()), policy, clock.now())
        far = await poll.candidates(
            a_text(an_item("Quite another matter in Timbuktu"), clock.now()), policy, clock.now()
        )
        clock.advance(policy.closes_after + HOUR)
        late = await poll.candidates(a_text(item, clock.now()), policy, clock.now())

    assert [candidate.story for candidate in near] == [story]
    assert [member.title for member in near[0].members] == [item.title]
    assert list(far) == []
    assert list(late) == []


async def test_latest_is_newest_first_and_of_the_topics_asked_for(store: SqlStore, clock: FakeClock) -> None:
    old = await a_story(store, clock, an_item("Gas one"))
    clock.advance(HOUR)
    new = await a_story(store, clock, an_item("Gas number two"))
    await a_story(store, clock, an_item("Oil is another topic"), topic=OIL)

    assert [story.id for story in await store.latest([GAS], 10)] == [new, old]
    assert [story.id for story in await store.latest([GAS], 1)] == [new]


# ---- chats -------------------------------------------------------------------------------------


async def test_following_twice_is_following_once_and_unfollowing_ends_it(
    store: SqlStore, clock: FakeClock
) -> None:
    chat = await a_chat(store, clock)

    await store.follow(chat.id, [GAS, OIL], clock.now())
    await store.follow(chat.id, [GAS], clock.now())
    assert await store.followed(chat.id) == {GAS, OIL}

    await store.unfollow(chat.id, [GAS, TopicId("never followed")])
    assert await store.followed(chat.id) == {OIL}


async def test_listeners_come_with_mutes_and_last_alerts(store: SqlStore, clock: FakeClock) -> None:
    chat = await a_chat(store, clock)
    await store.follow(chat.id, [GAS, OIL], clock.now())
    await store.mute(chat.id, OIL, clock.now() + HOUR, clock.now())
    story = await a_story(store, clock, an_item())
    await owed(store, clock, chat, story)

    async with store.polling() as poll:
        [listener] = await poll.listeners([GAS, OIL], clock.now())
        others = await poll.listeners([TopicId("else")], clock.now())

    assert listener.follows == {GAS, OIL}
    assert listener.mutes == {OIL: clock.now() + HOUR}
    assert listener.last_alert == {GAS: clock.now()}
    assert list(others) == []


async def test_the_config_takes_back_what_it_gave_and_nothing_else(store: SqlStore, clock: FakeClock) -> None:
    chat = await a_chat(store, clock)
    await store.follow(chat.id, [OIL], clock.now())
    told = {chat.address: ("Desk", "en")}

    await store.sync_config_chats({chat.address: [GAS]}, told, clock.now())
    assert await store.followed(chat.id) == {GAS, OIL}

    await store.sync_config_chats({}, {}, clock.now())
    assert await store.followed(chat.id) == {OIL}


async def test_a_cooldown_outlives_a_reload(store: SqlStore, clock: FakeClock) -> None:
    address, told = Address(telegram_id=5), {Address(telegram_id=5): ("Desk", "en")}
    await store.sync_config_chats({address: [GAS]}, told, clock.now())
    chat = await store.chat(address)
    assert chat is not None
    await owed(store, clock, chat, await a_story(store, clock, an_item()))

    await store.sync_config_chats({address: [GAS]}, told, clock.now())

    async with store.polling() as poll:
        [listener] = await poll.listeners([GAS], clock.now())
    assert listener.last_alert == {GAS: clock.now()}


async def test_the_end_of_one_mute_does_not_end_another(store: SqlStore, clock: FakeClock) -> None:
    chat, story = await a_chat(store, clock), await a_story(store, clock, an_item())
    await store.mute(chat.id, None, clock.now() + 8 * HOUR, clock.now())
    await store.mute(chat.id, GAS, clock.now() + HOUR, clock.now())
    held = {"action": AlertAction.HOLD, "reason": AlertReason.MUTED, "due_at": clock.now() + 8 * HOUR}
    await owed(store, clock, chat, story, **held)

    await store.mute(chat.id, GAS, None, clock.now())

    assert await store.next_due(clock.now()) == clock.now() + 8 * HOUR


async def test_a_story_that_is_muted_is_edited_no_more(store: SqlStore, clock: FakeClock) -> None:
    chat, story = await a_chat(store, clock), await a_story(store, clock, an_item())
    await owed(store, clock, chat, story)
    await sent(store, clock, await take(store, clock))
    await owed(store, clock, chat, story, action=AlertAction.EDIT, reason=AlertReason.SOURCE_JOINED)

    await store.mute_story(chat.id, story, clock.now())

    assert await store.claim_batch(clock.now(), LEASE) is None


async def test_a_group_that_became_a_supergroup_keeps_everything(store: SqlStore, clock: FakeClock) -> None:
    group = await a_chat(store, clock, -5)
    await store.follow(group.id, [GAS], clock.now())

    await store.move_chat(-5, -1005, clock.now())

    moved = await store.chat(Address(telegram_id=-1005))
    assert moved is not None
    assert await store.followed(moved.id) == {GAS}
    assert await store.chat(Address(telegram_id=-5)) is None


async def test_a_move_to_a_chat_that_is_known_joins_the_two(store: SqlStore, clock: FakeClock) -> None:
    old, new = await a_chat(store, clock, -5), await a_chat(store, clock, -1005)
    await store.follow(old.id, [GAS], clock.now())
    await store.follow(new.id, [GAS, OIL], clock.now())
    story = await a_story(store, clock, an_item())
    await owed(store, clock, old, story)

    await store.move_chat(-5, -1005, clock.now())

    assert await store.followed(new.id) == {GAS, OIL}
    assert (await take(store, clock)).chat.id == new.id


# ---- deliveries --------------------------------------------------------------------------------


async def test_a_delivery_is_claimed_once_and_known_by_its_message(store: SqlStore, clock: FakeClock) -> None:
    chat, story = await a_chat(store, clock), await a_story(store, clock, an_item())
    await owed(store, clock, chat, story)

    batch = await take(store, clock)
    again = await store.claim_batch(clock.now(), LEASE)
    await sent(store, clock, batch, message_id=42)

    assert batch.deliveries[0].story_id == story
    assert again is None
    assert await store.alert_of_message(chat.address.telegram_id, 42) == (chat.id, story)
    assert await store.delivery_counts() == {DeliveryState.SENT: 1}
    assert await store.next_due(clock.now()) is None


async def test_a_chat_and_a_story_have_one_delivery(store: SqlStore, clock: FakeClock) -> None:
    chat, story = await a_chat(store, clock), await a_story(store, clock, an_item())

    await owed(store, clock, chat, story)
    await owed(store, clock, chat, story)

    assert await store.delivery_counts() == {DeliveryState.QUEUED: 1}


async def test_the_urgent_leave_first_and_edits_last(store: SqlStore, clock: FakeClock) -> None:
    chat = await a_chat(store, clock)
    stories = [await a_story(store, clock, an_item(f"Gas story number {'x' * n}")) for n in range(4)]
    await owed(store, clock, chat, stories[0])
    await sent(store, clock, await take(store, clock))
    await owed(store, clock, chat, stories[0], action=AlertAction.EDIT, reason=AlertReason.SOURCE_JOINED)
    await owed(store, clock, chat, stories[1])
    clock.advance(MINUTE)
    await owed(store, clock, chat, stories[2])
    await owed(store, clock, chat, stories[3], level=Level.HIGH)

    order = [(await take(store, clock)).deliveries[0] for _ in range(4)]

    assert [one.story_id for one in order] == [stories[3], stories[1], stories[2], stories[0]]
    assert [one.is_edit for one in order] == [False, False, False, True]


async def test_chats_that_are_busy_waiting_or_away_are_passed_over(store: SqlStore, clock: FakeClock) -> None:
    story = await a_story(store, clock, an_item())
    busy, waiting, away = [await a_chat(store, clock, number) for number in (1, 2, 3)]
    await owed(store, clock, waiting, story)
    await refused(store, clock, await take(store, clock), NotifyLater("", retry_after=HOUR))
    await owed(store, clock, away, story)
    await refused(store, clock, await take(store, clock), ChatLost(""))
    await owed(store, clock, busy, story)

    nothing = await store.claim_batch(clock.now(), LEASE, busy={1})

    assert nothing is None
    assert (await take(store, clock)).chat.id == busy.id
    assert await store.next_due(clock.now()) == clock.now() + HOUR


async def test_a_429_holds_all_threads_of_the_chat(store: SqlStore, clock: FakeClock) -> None:
    story = await a_story(store, clock, an_item())
    one, two = await a_chat(store, clock, -1005, 7), await a_chat(store, clock, -1005, 8)
    await owed(store, clock, one, story)
    await refused(store, clock, await take(store, clock), NotifyLater("", retry_after=HOUR))

    await owed(store, clock, two, story)

    assert await store.claim_batch(clock.now(), LEASE) is None


async def test_a_chat_that_moved_gets_the_same_delivery_at_its_new_place(
    store: SqlStore, clock: FakeClock
) -> None:
    chat, story = await a_chat(store, clock, -5), await a_story(store, clock, an_item())
    await owed(store, clock, chat, story)

    await refused(store, clock, await take(store, clock), ChatMoved("", new_id=-1005))
    batch = await take(store, clock)

    assert batch.chat.address.telegram_id == -1005
    assert batch.deliveries[0].story_id == story


async def test_what_was_in_flight_at_a_crash_is_found_by_its_lease(store: SqlStore, clock: FakeClock) -> None:
    chat, story = await a_chat(store, clock), await a_story(store, clock, an_item())
    await owed(store, clock, chat, story)
    await take(store, clock)

    early = await store.expired_deliveries(clock.now())
    at_start = await store.expired_deliveries(clock.now(), all_leases=True)
    clock.advance(LEASE)
    late = await store.expired_deliveries(clock.now())

    assert list(early) == []
    assert [one.state for one in at_start] == [DeliveryState.SENDING]
    assert [one.id for one in late] == [at_start[0].id]


async def test_news_that_comes_while_a_message_is_edited_is_not_forgotten(
    store: SqlStore, clock: FakeClock
) -> None:
    chat, story = await a_chat(store, clock), await a_story(store, clock, an_item())
    edit = {"action": AlertAction.EDIT, "reason": AlertReason.SOURCE_JOINED}
    await owed(store, clock, chat, story)
    await sent(store, clock, await take(store, clock))
    await owed(store, clock, chat, story, **edit)
    in_flight = await take(store, clock)

    await owed(store, clock, chat, story, **edit)
    await store.settle(
        in_flight,
        [Settlement(delivery=one, decision=after_success(one, clock.now())) for one in in_flight.deliveries],
        clock.now(),
    )

    assert (await take(store, clock)).deliveries[0].is_edit


async def test_what_was_held_leaves_together_when_the_mute_ends(store: SqlStore, clock: FakeClock) -> None:
    chat = await a_chat(store, clock)
    await store.mute(chat.id, None, clock.now() + HOUR, clock.now())
    held = {"action": AlertAction.HOLD, "reason": AlertReason.MUTED, "due_at": clock.now() + HOUR}
    stories = [await a_story(store, clock, an_item(f"Gas story number {'x' * n}")) for n in range(3)]
    for story in stories:
        await owed(store, clock, chat, story, **held)

    before = await store.claim_batch(clock.now(), LEASE)
    await store.mute(chat.id, None, None, clock.now())
    batch = await take(store, clock)

    assert before is None
    assert batch.is_digest
    assert [one.story_id for one in batch.deliveries] == stories


async def test_a_longer_mute_holds_longer(store: SqlStore, clock: FakeClock) -> None:
    chat, story = await a_chat(store, clock), await a_story(store, clock, an_item())
    await store.mute(chat.id, GAS, clock.now() + HOUR, clock.now())
    await owed(
        store,
        clock,
        chat,
        story,
        action=AlertAction.HOLD,
        reason=AlertReason.MUTED,
        due_at=clock.now() + HOUR,
    )

    await store.mute(chat.id, GAS, clock.now() + 3 * HOUR, clock.now())

    assert await store.next_due(clock.now()) == clock.now() + 3 * HOUR
    assert await store.muted(chat.id, clock.now()) == {GAS: clock.now() + 3 * HOUR}


async def test_a_chat_that_returns_gets_one_digest(store: SqlStore, clock: FakeClock) -> None:
    chat = await a_chat(store, clock)
    stories = [await a_story(store, clock, an_item(f"Gas story number {'x' * n}")) for n in range(2)]
    for story in stories:
        await owed(store, clock, chat, story)
    await store.suspend_chats(5, clock.now())
    assert await store.claim_batch(clock.now(), LEASE) is None

    await store.resume_chats(5, clock.now())

    assert (await take(store, clock)).is_digest


async def test_a_suspension_is_of_all_threads_and_who_said_stop_stays_stopped(
    store: SqlStore, clock: FakeClock
) -> None:
    one, two = await a_chat(store, clock, -1005, 7), await a_chat(store, clock, -1005, 8)
    await store.stop_chat(two.id, clock.now())

    async def states() -> list[ChatState | None]:
        found = [await store.chat(chat.address) for chat in (one, two)]
        return [chat.state if chat else None for chat in found]

    await store.suspend_chats(-1005, clock.now())
    assert await states() == [ChatState.SUSPENDED, ChatState.STOPPED]

    await store.resume_chats(-1005, clock.now())
    assert await states() == [ChatState.ACTIVE, ChatState.STOPPED]


async def test_a_muted_story_is_told_to_the_decision(store: SqlStore, clock: FakeClock) -> None:
    chat, story = await a_chat(store, clock), await a_story(store, clock, an_item())
    await owed(store, clock, chat, story)

    await store.mute_story(chat.id, story, clock.now())

    async with store.polling() as poll:
        told = await poll.told(story)
    assert told[chat.id].story_muted


async def test_readers_do_not_wait_for_a_writer(store: SqlStore, clock: FakeClock) -> None:
    await a_chat(store, clock)

    async with store.polling() as poll:
        await poll.stories_of([])
        seen = await asyncio.wait_for(store.chat(Address(telegram_id=5)), timeout=5)

    assert seen is not None


async def test_a_datetime_without_a_zone_never_gets_in(store: SqlStore, clock: FakeClock) -> None:
    with pytest.raises(sa.exc.StatementError, match="without a zone"):
        await store.sync_feeds([FEED], [clock.now().replace(tzinfo=None)], clock.now())
