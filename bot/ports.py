"""What the house asks of the world, as Protocols; `app.py` plugs in who answers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from bot.model import (
    Address,
    Chat,
    ChatId,
    ChatKind,
    ChatState,
    Feed,
    Fetched,
    Message,
    NotModified,
    ParsedFeed,
    PollState,
    Story,
    StoryId,
    TopicId,
)


class Clock(Protocol):
    """The only time and the only dice."""

    def now(self) -> datetime:
        """Return the present, aware UTC."""

    def dice(self) -> float:
        """Return a random number, 0 <= dice < 1."""


class Fetcher(Protocol):
    """Reads feeds over HTTP."""

    async def fetch(self, feed: Feed, state: PollState) -> Fetched | NotModified:
        """Return the feed's bytes, or word that nothing changed.

        Raises:
            FetchError: One of its branches; see errors.py.
        """


class Parser(Protocol):
    """Turns bytes into items, outside the event loop."""

    async def parse(self, feed: Feed, fetched: Fetched, now: datetime) -> ParsedFeed:
        """Return the feed's items.

        Raises:
            FeedUnreadable: The bytes are no feed, or parsing took too long.
        """


class Notifier(Protocol):
    """Carries one message to one chat."""

    async def send(self, address: Address, message: Message) -> int:
        """Return Telegram's id of the message now sent.

        Raises:
            NotifyError: One of its branches; see errors.py.
        """

    async def edit(self, address: Address, message_id: int, message: Message) -> None:
        """Replace the text and buttons of a message that was sent; same text is no error.

        Raises:
            NotifyError: One of its branches; see errors.py.
        """


class ChatStore(Protocol):
    """What the chat commands ask of the store. Each call is one transaction."""

    async def chat(self, address: Address) -> Chat | None:
        """Return the chat at that address; None: never heard of it."""

    async def register_chat(
        self, address: Address, *, kind: ChatKind, title: str, language: str, now: datetime
    ) -> Chat:
        """Return the chat, made or updated; a suspended or stopped one is active again."""

    async def set_chat_state(self, chat: ChatId, state: ChatState, now: datetime) -> None:
        """Stop, suspend or reactivate a chat; its subscriptions stay."""

    async def move_chat(self, old: int, new: int, now: datetime) -> None:
        """Rewrite a Telegram id in all chats of that id (a group became a supergroup)."""

    async def followed(self, chat: ChatId) -> frozenset[TopicId]:
        """Return the topics that the chat follows."""

    async def follow(self, chat: ChatId, topics: Collection[TopicId], now: datetime) -> None:
        """Subscribe; following twice is following once."""

    async def unfollow(self, chat: ChatId, topics: Collection[TopicId]) -> None:
        """Unsubscribe; what was not followed is no error."""

    async def latest(self, topics: Collection[TopicId], limit: int) -> Sequence[Story]:
        """Return the newest stories of these topics, newest first."""

    async def story(self, story: StoryId) -> Story | None:
        """Return the story; None: unknown or pruned."""

    async def story_of_message(self, address: Address, message_id: int) -> StoryId | None:
        """Return the story that a message of ours in that chat is about; None: no alert of ours."""

    async def mute_story(self, chat: ChatId, story: StoryId, now: datetime) -> None:
        """Never edit or repeat this story in this chat."""

    async def mute(self, chat: ChatId, topic: TopicId | None, until: datetime | None, now: datetime) -> None:
        """Hold the alerts of a topic (None: all topics) until then; `until=None` ends the mute."""

    async def muted(self, chat: ChatId, now: datetime) -> dict[TopicId | None, datetime]:
        """Return the mutes in force and when each ends."""

    async def judge(self, chat: ChatId, story: StoryId, relevant: bool, now: datetime) -> None:
        """Remember what a chat says of an alert; the last word counts."""
