"""Conversations as scripts: people speak, the commands answer over the strict Bot API, on a real store."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from telegram import Update

from bot.chat.application import TelegramChat
from bot.core.identity import Sorted
from bot.core.routing import AlertPolicy, News, decide_alert
from bot.core.sending import SendPolicy
from bot.core.stories import StoryDecision
from bot.model import (
    Address,
    Chat,
    Feed,
    FeedId,
    Item,
    ItemKey,
    ItemReason,
    Level,
    Match,
    StoryId,
    StoryReason,
    TermMatch,
    Topic,
    TopicId,
    TopicStatus,
)
from bot.notify.telegram import TelegramNotifier
from bot.sender import Sender
from bot.store import SqlStore
from bot.telling import story_text
from tests.botapi import BotApi, Person, Place, Sent

START = datetime(2026, 11, 22, 12, tzinfo=UTC)
OPERATOR = 99

ADA = Person(1, "Ada", "en")
BERND = Person(2, "Bernd", "de")
ADMIN = Person(3, "Admin", "de")
GROUP = Place(id=-100, kind="supergroup", title="Readers", admins=frozenset({ADMIN.id}))
FORUM = Place(
    id=-200,
    kind="supergroup",
    title="Forum",
    is_forum=True,
    threads=frozenset({5}),
    admins=frozenset({ADMIN.id}),
)
CHANNEL = Place(id=-300, kind="channel", title="News", admins=frozenset({ADMIN.id}))


def a_topic(id_: str, title: str, german: str = "", status: TopicStatus = TopicStatus.STABLE) -> Topic:
    titles = {"en": title, **({"de": german} if german else {})}
    return Topic(id=TopicId(id_), titles=titles, status=status, level=Level.CRITICAL)


TOPICS = {
    topic.id: topic
    for topic in (
        a_topic("rare-earths", "Rare earths", "Seltene Erden"),
        a_topic("kirill-dmitriev", "Kirill Dmitriev"),
        a_topic("tariffs", "Secondary tariffs", "Sekundärzölle"),
        a_topic("trial", "Trial balloon", status=TopicStatus.EXPERIMENTAL),
        a_topic("old", "Old hat", status=TopicStatus.DEPRECATED),
    )
}


class TestClock:
    """A clock that tests turn; who sleeps wakes at once, or when `may_wake` is set."""

    __test__ = False

    def __init__(self) -> None:
        self.time = START
        self.slept: list[timedelta] = []
        self.asleep = asyncio.Event()  # somebody slept, or does
        self.may_wake = asyncio.Event()
        self.may_wake.set()

    def now(self) -> datetime:
        return self.time

    def dice(self) -> float:
        return 0.5

    async def sleep(self, wait: timedelta) -> None:
        self.slept.append(wait)
        self.asleep.set()
        await self.may_wake.wait()
        self.time += wait


@dataclass
class Talk:
    """A bot in conversation. Each method returns what the bot said to it, as it stands then."""

    api: BotApi
    chat: TelegramChat
    store: SqlStore
    clock: TestClock
    topics: dict[TopicId, Topic] = field(default_factory=lambda: dict(TOPICS))

    async def says(self, person: Person, text: str, place: Place | int | None = None, **details: Any) -> str:
        """Let a person write, in private unless a place is named; return the bot's answer, or nothing."""
        before = len(self.api.sent)
        self.api.say(place if place is not None else person.id, person, text, **details)
        await self.hear()
        return "\n\n".join(sent.text for sent in self.api.sent[before:])

    async def posts(self, place: Place, text: str) -> str:
        """Let a channel's administrator post; return the bot's answer, or nothing."""
        before = len(self.api.sent)
        self.api.post(place, text)
        await self.hear()
        return "\n\n".join(sent.text for sent in self.api.sent[before:])

    async def presses(self, person: Person, message: Sent, button: str) -> str:
        """Let a person press a button by its text, or by raw callback data; return the notice."""
        query = self.api.press(message, person, message.buttons.get(button, button))
        await self.hear()
        [answer] = [answer for answer in self.api.answers if answer.query_id == query]
        return answer.text

    async def hear(self) -> None:
        """Let the bot handle all updates that wait."""
        for update in self.api.take_updates():
            known = Update.de_json(update, self.chat.application.bot)
            await self.chat.application.process_update(known)
            await self.chat.answered()

    async def chat_at(self, telegram_id: int, thread: int | None = None) -> Chat | None:
        return await self.store.chat(Address(telegram_id=telegram_id, thread_id=thread))

    async def followed(self, telegram_id: int, thread: int | None = None) -> set[str]:
        chat = await self.chat_at(telegram_id, thread)
        return set() if chat is None else {str(topic) for topic in await self.store.followed(chat.id)}

    def last(self, chat_id: int) -> Sent:
        return self.api.in_chat(chat_id)[-1]

    async def publish(self, title: str, topic: str = "rare-earths") -> StoryId:
        """Let news of a topic come in, and alerts go out; return the story."""
        now = self.clock.now()
        feed = FeedId("daily")
        await self.store.sync_feeds([Feed(id=feed, url="https://daily.example/feed")], [now], now)
        item = Item(feed_id=feed, title=title, url=f"https://daily.example/{len(title)}", outlet="Daily")
        term = TermMatch(term="x", field="title", start=0, end=4, text=title[:4], score=95)
        match = Match(topic=TopicId(topic), score=88, terms=(term,))
        found = Sorted(item=item, keys=(ItemKey(title),), content_hash=title, reason=ItemReason.NEW)
        async with self.store.polling() as transaction:
            [number] = await transaction.add_items([found], now)
            await transaction.set_matches({number: [match]})
            new = StoryDecision(story=None, reason=StoryReason.NEW, similarity=0)
            story, _ = await transaction.add_report(number, story_text(item, now), new, now)
            known = {match.topic: self.topics[match.topic]}
            for listener in await transaction.listeners(known, now):
                told = replace(listener, is_operator=listener.chat.address.telegram_id == OPERATOR)
                news = News(story=story, topics=known)
                decision = decide_alert(told, news, None, now, AlertPolicy(hold=timedelta(0)))
                await transaction.apply(story, {listener.chat.id: decision}, now)
        await self._deliver()
        return story

    async def _deliver(self) -> None:
        sender = Sender(
            store=self.store,
            notifier=TelegramNotifier(self.chat.application.bot),
            clock=self.clock,
            topics=lambda: self.topics,
            policy=SendPolicy,
        )
        await sender.deliver_due()
