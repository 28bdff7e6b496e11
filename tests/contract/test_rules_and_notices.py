"""What every store promises of rules and of notices to operators; today SQLite, in a file of its own."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from alembic import command

from bot.core.identity import Sorted, content_hash, item_keys
from bot.core.stories import StoryDecision, StoryText
from bot.model import (
    Address,
    ChatKind,
    Feed,
    FeedId,
    FeedOrigin,
    Item,
    ItemId,
    ItemReason,
    Match,
    Message,
    PauseReason,
    StoryReason,
    TermMatch,
    TopicId,
)
from bot.ports import KeptRules, Notice
from bot.store import SqlStore, open_store
from bot.store.engine import Database
from bot.store.migrating import alembic_config
from tests.clock import START, FakeClock

GAS, OIL = TopicId("gas"), TopicId("oil")
OLGA, OTTO = 71, 72
HOUR = timedelta(hours=1)
WORD = Notice(telegram_id=OLGA, subject="rules", state="a", message=Message(html="<b>a</b>", plain="a"))
WELL = replace(WORD, state="", message=Message(html="well", plain="well"))


# ---- the last good rules ----------------------------------------------------------------------


async def test_there_are_no_rules_before_any_were_kept(store: SqlStore) -> None:
    assert await store.kept_rules() is None


async def test_the_last_rules_are_kept_with_their_files_in_order(store: SqlStore, clock: FakeClock) -> None:
    await store.keep_rules("1", {"a.yaml": "old"}, clock.now())
    files = {"b.yaml": "topics: [Öl, \U0001f6e2]\n", "a.yaml": ""}

    await store.keep_rules("2", files, clock.now() + HOUR)

    kept = await store.kept_rules()
    assert kept == KeptRules(rules_hash="2", files=files, since=START + HOUR)
    assert list(kept.files) == ["b.yaml", "a.yaml"]


async def test_rules_that_mean_the_same_keep_their_date_and_get_their_new_texts(
    store: SqlStore, clock: FakeClock
) -> None:
    await store.keep_rules("1", {"a.yaml": "x"}, clock.now())

    await store.keep_rules("1", {"a.yaml": "x # a comment"}, clock.now() + HOUR)

    kept = KeptRules(rules_hash="1", files={"a.yaml": "x # a comment"}, since=START)
    assert await store.kept_rules() == kept


# ---- notices ----------------------------------------------------------------------------------


async def owed(store: SqlStore) -> list[tuple[int, str]]:
    return [(notice.telegram_id, notice.message.plain) for notice in await store.due_notices(START)]


async def tell(store: SqlStore) -> None:
    for notice in await store.due_notices(START):
        await store.settle_notice(notice, START)


async def test_a_notice_is_owed_once_until_it_is_sent(store: SqlStore) -> None:
    first, again = await store.owe_notice(WORD, START), await store.owe_notice(WORD, START)

    assert (first, again) == (True, False)
    assert await store.due_notices(START) == [WORD]
    await tell(store)
    assert not await store.owe_notice(WORD, START)
    assert await owed(store) == []


async def test_well_is_no_news_to_who_heard_of_no_trouble(store: SqlStore) -> None:
    assert not await store.owe_notice(WELL, START)
    assert await owed(store) == []


async def test_trouble_that_ends_before_it_was_told_is_not_told(store: SqlStore) -> None:
    await store.owe_notice(WORD, START)

    assert not await store.owe_notice(WELL, START)

    assert await owed(store) == []
    assert await store.next_notice_due() is None


async def test_the_end_of_a_trouble_is_told_and_the_next_trouble_too(store: SqlStore) -> None:
    await store.owe_notice(WORD, START)
    await tell(store)
    await store.owe_notice(WELL, START)
    assert await owed(store) == [(OLGA, "well")]
    await tell(store)

    assert await store.owe_notice(WORD, START)

    assert await owed(store) == [(OLGA, "a")]


async def test_a_newer_word_takes_the_place_of_one_that_waits(store: SqlStore) -> None:
    await store.owe_notice(WORD, START)
    await tell(store)
    other = replace(WORD, state="b", message=Message(html="b", plain="b"))
    await store.owe_notice(other, START)
    assert await owed(store) == [(OLGA, "b")]

    await store.owe_notice(WORD, START)  # back to what is known

    assert await owed(store) == []


async def test_a_word_that_came_while_another_was_sent_is_owed_still(store: SqlStore) -> None:
    await store.owe_notice(WORD, START)
    [sending] = await store.due_notices(START)
    other = replace(WORD, state="b", message=Message(html="b", plain="b"))
    await store.owe_notice(other, START)

    await store.settle_notice(sending, START)

    assert await owed(store) == [(OLGA, "b")]


async def test_the_end_of_a_trouble_that_came_while_it_was_sent_is_owed_still(store: SqlStore) -> None:
    await store.owe_notice(WORD, START)
    [sending] = await store.due_notices(START)
    await store.owe_notice(WELL, START)

    await store.settle_notice(sending, START)

    assert await owed(store) == [(OLGA, "well")]


async def test_a_notice_that_failed_waits_and_counts_its_tries(store: SqlStore) -> None:
    await store.owe_notice(WORD, START)
    for number in (1, 2):
        [notice] = await store.due_notices(START + number * HOUR)
        await store.settle_notice(notice, START, again_at=START + number * HOUR + HOUR, error="no answer")

    assert await owed(store) == []
    assert await store.next_notice_due() == START + 3 * HOUR
    [notice] = await store.due_notices(START + 3 * HOUR)
    assert notice.attempts == 2


async def test_each_operator_and_each_subject_is_by_itself(store: SqlStore) -> None:
    for notice in (WORD, replace(WORD, telegram_id=OTTO), replace(WORD, subject="feeds")):
        assert await store.owe_notice(notice, START)

    assert len(await store.due_notices(START)) == 3


async def test_an_operator_whose_chat_is_stopped_hears_nothing_until_it_returns(store: SqlStore) -> None:
    told = {"kind": ChatKind.PRIVATE, "title": "Olga", "language": "en", "now": START}
    chat = await store.register_chat(Address(telegram_id=OLGA), **told)  # type: ignore[arg-type]  # facts of a chat
    await store.stop_chat(chat.id, START)
    await store.owe_notice(WORD, START)

    assert (await owed(store), await store.next_notice_due()) == ([], None)
    await store.register_chat(Address(telegram_id=OLGA), **told)  # type: ignore[arg-type]  # facts of a chat
    assert await owed(store) == [(OLGA, "a")]


# ---- quiet matches ----------------------------------------------------------------------------


def a_match(topic: TopicId) -> Match:
    term = TermMatch(term="gas", field="title", start=0, end=3, text="Gas", score=90)
    return Match(topic=topic, score=90, terms=(term,), rules_hash="abc")


async def an_item(store: SqlStore, **quiet: TopicId) -> ItemId:
    feed = Feed(id=FeedId("herald"), url="https://herald.example/feed")
    await store.sync_feeds([feed], [START], START)
    item = Item(feed_id=feed.id, title="Gas and oil", guid="1")
    kept = Sorted(item=item, keys=item_keys(item), content_hash=content_hash(item), reason=ItemReason.NEW)
    async with store.polling() as poll:
        [number] = await poll.add_items([kept], START)
        await poll.set_matches({number: [a_match(GAS), a_match(OIL)]}, {number: set(quiet.values())})
        text = StoryText(title=item.title, summary="", outlet="Herald", url=None, language=None, at=START)
        new = StoryDecision(story=None, reason=StoryReason.NEW, similarity=0)
        await poll.add_report(number, text, new, START)
    return number


async def test_a_quiet_match_is_kept_but_counts_for_nothing(store: SqlStore) -> None:
    number = await an_item(store, quiet=OIL)

    async with store.polling() as poll:
        assert await poll.item_topics([number]) == {number: {GAS}}
        story = (await poll.stories_of([number]))[number]
        assert await poll.matched_topics(story) == {GAS}
    assert len(await store.latest([OIL], 10)) == 1


async def test_a_quiet_match_is_a_match_as_others_once_it_is_written_so(store: SqlStore) -> None:
    number = await an_item(store, quiet=OIL)

    async with store.polling() as poll:
        await poll.set_matches({number: [a_match(OIL)]})
        assert await poll.item_topics([number]) == {number: {OIL}}


async def test_items_are_given_back_as_they_were_kept(store: SqlStore) -> None:
    number = await an_item(store)

    async with store.polling() as poll:
        found = await poll.kept_items([number, ItemId(number + 1)])
    assert found == {number: Item(feed_id=FeedId("herald"), title="Gas and oil", guid="1")}


# ---- the migration ----------------------------------------------------------------------------


async def test_matches_of_the_first_version_were_not_quiet(
    url: str, tmp_path: Path, store: SqlStore, clock: FakeClock
) -> None:
    number = await an_item(store, quiet=OIL)
    db = Database(url)
    async with db.writing() as connection:
        config = alembic_config()

        def back(sync: object) -> None:
            config.attributes["connection"] = sync
            command.downgrade(config, "0001")

        await connection.run_sync(back)
    await db.close()
    plain = sqlite3.connect(tmp_path / "topicwire.db")
    assert "quiet" not in {row[1] for row in plain.execute("PRAGMA table_info(matches)")}
    plain.close()

    upgraded, changed = await open_store(url, clock)

    async with upgraded.polling() as poll:
        assert await poll.item_topics([number]) == {number: {GAS, OIL}}
    await upgraded.close()
    assert changed


async def test_a_feed_of_the_second_version_keeps_its_pause_and_gets_its_host(
    url: str, store: SqlStore, clock: FakeClock
) -> None:
    await an_item(store)
    await store.pause_feed(FeedId("herald"), PauseReason.GONE)
    db = Database(url)
    async with db.writing() as connection:
        config = alembic_config()

        def back(sync: object) -> None:
            config.attributes["connection"] = sync
            command.downgrade(config, "0002")

        await connection.run_sync(back)
    await db.close()

    upgraded, _ = await open_store(url, clock)
    feed = Feed(id=FeedId("herald"), url="https://www.herald.example/feed")
    before = await upgraded.feed_status(feed.id)
    assert before is not None
    await upgraded.sync_feeds([before.feed], [clock.now()], clock.now())
    after = await upgraded.feed_status(feed.id)
    await upgraded.close()

    assert after is not None
    assert (after.pause, after.origin) == (PauseReason.GONE, FeedOrigin.CONFIG)
    assert after.host == "herald.example"
