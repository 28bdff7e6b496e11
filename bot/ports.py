"""What the house asks of the world, as Protocols; `app.py` plugs in who answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Protocol

from bot.core.feedsync import FeedChange
from bot.core.identity import KnownItem
from bot.core.identity import Sorted as SortedItem
from bot.core.routing import AlertDecision, Listener, Told
from bot.core.schedule import NextPollReason, PollDecision
from bot.core.sending import SendDecision
from bot.core.stories import Candidate, StoryDecision, StoryPolicy, StoryText
from bot.model import (
    Address,
    Chat,
    ChatId,
    ChatKind,
    Delivery,
    Feed,
    FeedId,
    FeedOrigin,
    Fetched,
    Item,
    ItemId,
    ItemKey,
    Match,
    Message,
    NotModified,
    ParsedFeed,
    PauseReason,
    PollReason,
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

    async def sleep(self, wait: timedelta) -> None:
        """Return after that wait."""


class Fetcher(Protocol):
    """Reads feeds over HTTP."""

    async def fetch(self, feed: Feed, state: PollState, *, follow: bool = True) -> Fetched | NotModified:
        """Return the feed's bytes, or word that nothing changed.

        Args:
            follow: False: a redirect is the answer: its status, no body, and as `moved_to` where it leads.

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

    async def stop_chat(self, chat: ChatId, now: datetime) -> None:
        """Send no more to a chat that asked for it; its subscriptions stay."""

    async def suspend_chats(self, telegram_id: int, now: datetime) -> None:
        """Send no more to a Telegram chat, all its threads: it blocked or removed the bot."""

    async def resume_chats(self, telegram_id: int, now: datetime) -> None:
        """Take up again what was suspended; who said stop stays stopped. What is owed leaves as a digest."""

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

    async def alert_of_message(self, telegram_id: int, message_id: int) -> tuple[ChatId, StoryId] | None:
        """Return the chat that a message of ours was meant for, and its story; None: no alert of ours.

        It need not be the place where it stands: an alert for a thread that is gone stands in the group.
        """

    async def mute_story(self, chat: ChatId, story: StoryId, now: datetime) -> None:
        """Never edit or repeat this story in this chat."""

    async def mute(self, chat: ChatId, topic: TopicId | None, until: datetime | None, now: datetime) -> None:
        """Hold the alerts of a topic (None: all topics) until then; `until=None` ends the mute."""

    async def muted(self, chat: ChatId, now: datetime) -> dict[TopicId | None, datetime]:
        """Return the mutes in force and when each ends."""

    async def judge(self, chat: ChatId, story: StoryId, relevant: bool, now: datetime) -> None:
        """Remember what a chat says of an alert; the last word counts."""


# ---- polling: one transaction a poll ----------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class DueFeed:
    """A feed that is ours to poll until the lease ends."""

    feed: Feed
    state: PollState
    lease: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PollOutcome:
    """What one poll leaves behind."""

    due: DueFeed
    decision: PollDecision
    status: int | None = None  # HTTP; None: no answer came
    received: int = 0  # bytes of the body as sent
    items: int | None = None  # in the feed; None: its body was not read
    new: int | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SickFeed:
    """A feed that an operator should look at."""

    feed: FeedId
    reason: PollReason  # of the last poll
    error: str  # what was said then, without credentials


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedStatus:
    """A feed and how it fares."""

    feed: Feed
    origin: FeedOrigin
    host: str  # registrable domain of what is polled
    state: PollState
    pause: PauseReason | None
    added_at: datetime | None  # None: before this was kept
    last_poll_at: datetime | None  # None: never polled
    last_reason: PollReason | None
    last_error: str | None  # without credentials
    next_poll_at: datetime
    next_poll_why: NextPollReason


@dataclass(frozen=True, slots=True, kw_only=True)
class PollRecord:
    """One poll as it is remembered for 30 days."""

    feed: FeedId
    at: datetime
    reason: PollReason
    status: int | None
    received: int
    items: int | None
    new: int | None
    next_poll_at: datetime
    next_poll_why: NextPollReason
    error: str | None


class PollTransaction(Protocol):
    """What the end of some polls reads and writes; all of it or nothing."""

    async def held(self, due: Collection[DueFeed]) -> frozenset[FeedId]:
        """Return those feeds whose lease is still ours; of the others nothing may be written."""

    async def add_items(self, found: Sequence[SortedItem], now: datetime) -> Sequence[ItemId]:
        """Keep items with their keys; return their numbers in the same order."""

    async def update_items(self, found: Mapping[ItemId, SortedItem], now: datetime) -> None:
        """Keep the new text of edited items."""

    async def add_keys(self, found: Mapping[ItemId, SortedItem], now: datetime) -> None:
        """Keep those keys of known items that are new."""

    async def touch_keys(self, keys: Mapping[FeedId, Collection[ItemKey]], now: datetime) -> None:
        """Note that polls showed these keys again."""

    async def set_matches(
        self,
        matches: Mapping[ItemId, Sequence[Match]],
        quiet: Mapping[ItemId, Collection[TopicId]] = MappingProxyType({}),
    ) -> None:
        """Keep these matches; matches of these items on other topics are forgotten.

        Args:
            quiet: The topics that only a change of the rules made an item match: its story is not of them.
        """

    async def item_topics(self, items: Collection[ItemId]) -> Mapping[ItemId, frozenset[TopicId]]:
        """Return the topics that these items matched so far, other than quietly.

        Items without such a match are left out.
        """

    async def kept_items(self, items: Collection[ItemId]) -> Mapping[ItemId, Item]:
        """Return these items as they are kept; unknown ones are left out."""

    async def want_pages(
        self, wanted: Mapping[ItemId, Item], now: datetime, flooded: Collection[ItemId] = frozenset()
    ) -> None:
        """Have the pages that these items link to read; those without a web address are left out.

        Args:
            flooded: Those that came with more news than is credible: it leaves as a digest.
        """

    async def page_texts(self, items: Collection[ItemId]) -> Mapping[ItemId, str]:
        """Return the texts that pages added to these items; items without one are left out."""

    async def stories_of(self, items: Collection[ItemId]) -> Mapping[ItemId, StoryId]:
        """Return the stories that these items belong to; items without one are left out."""

    async def candidates(self, text: StoryText, policy: StoryPolicy, now: datetime) -> Sequence[Candidate]:
        """Return the open stories that share enough keys with the text, closest first."""

    async def add_report(
        self, item: ItemId, text: StoryText, decision: StoryDecision, now: datetime
    ) -> tuple[StoryId, bool]:
        """Return the story the item now belongs to, and whether its outlet is new there."""

    async def matched_topics(self, story: StoryId) -> frozenset[TopicId]:
        """Return the topics that any report of the story matched, other than quietly."""

    async def listeners(self, topics: Collection[TopicId], now: datetime) -> Sequence[Listener]:
        """Return the chats that follow any of the topics, whatever their state."""

    async def told(self, story: StoryId) -> Mapping[ChatId, Told]:
        """Return what chats have been told of the story, or will be."""

    async def apply(self, story: StoryId, decisions: Mapping[ChatId, AlertDecision], now: datetime) -> None:
        """Write what was decided about a story for each chat: the transactional outbox."""

    async def save_polls(self, outcomes: Sequence[PollOutcome], now: datetime) -> None:
        """Write what was decided about the feeds, and give their leases back; see `held`."""

    async def note_flood(self, feed: FeedId, new: int, items: int, now: datetime) -> None:
        """Note that a poll brought more news than is credible; the next check tells the operators once."""


class FeedStore(Protocol):
    """What polling asks of the store."""

    async def sync_feeds(
        self, feeds: Sequence[Feed], first_polls: Sequence[datetime], now: datetime
    ) -> Sequence[FeedChange]:
        """Make the config's feeds these; those left out keep their keys and are no longer polled.

        Feeds added by command stay as they are, but rest while the config names their address itself. Return
        which feeds rest, are polled again, or take over from others.
        """

    async def claim_feeds(
        self, now: datetime, lease_for: timedelta, limit: int, *, unpolled_since: datetime | None = None
    ) -> Sequence[DueFeed]:
        """Return feeds that are due, longest due first, now ours for the lease.

        Those on a host that asked for a pause wait until it is over, whatever is asked for.

        Args:
            unpolled_since: Feeds that were not polled since then count as due.
        """

    async def release_feeds(self, due: Sequence[DueFeed]) -> None:
        """Give feeds back unpolled."""

    async def sick_feeds(self, now: datetime) -> Sequence[SickFeed]:
        """Return the feeds that an operator should look at."""

    async def known_items(
        self, keys: Mapping[FeedId, Collection[ItemKey]], *, young: Collection[FeedId] = frozenset()
    ) -> Mapping[FeedId, Mapping[ItemKey, KnownItem]]:
        """Return what each feed is known to have shown under these keys; changes nothing.

        Args:
            young: Feeds that most likely have shown nothing yet, so that this is looked at first.
        """

    async def known_titles(self, feed: FeedId, titles: Collection[str]) -> Mapping[str, KnownItem]:
        """Return the newest item that the feed is known to have shown under each of these titles."""

    def polling(self) -> AbstractAsyncContextManager[PollTransaction]:
        """Return a transaction for the end of some polls."""


# ---- deliveries -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Deliveries of one chat that leave together: a single one, or those of a digest."""

    chat: Chat
    deliveries: tuple[Delivery, ...]  # at least one, most urgent and oldest first
    is_digest: bool = False


class DeliveryStore(Protocol):
    """What the sender asks of the store."""

    async def claim_batch(
        self, now: datetime, lease_for: timedelta, busy: Collection[int] = ()
    ) -> Batch | None:
        """Return what should leave first, marked as being sent; None: nothing is due.

        Urgent before normal, first messages before edits, oldest first. Chats with a Telegram id in `busy`,
        chats that must wait and chats that are not active are passed over.
        """

    async def settle(self, batch: Batch, decisions: Sequence[Settlement], now: datetime) -> None:
        """Write what came of each delivery of the batch."""

    async def expired_deliveries(self, now: datetime, *, all_leases: bool = False) -> Sequence[Delivery]:
        """Return deliveries whose lease ran out while they were being sent."""

    async def next_due(self, now: datetime) -> datetime | None:
        """Return when the next delivery is due; None: none is owed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What came of one delivery."""

    delivery: Delivery
    decision: SendDecision
    message_id: int | None = None  # Telegram's, when a message was sent
    error: str | None = None


# ---- rules and operators ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRules:
    """The texts of the last good rule set."""

    rules_hash: str
    files: Mapping[str, str]  # by name, in order
    since: datetime  # when a set of that hash came into force


class RulesStore(Protocol):
    """What starting and reloading ask of the store."""

    async def keep_rules(self, rules_hash: str, files: Mapping[str, str], now: datetime) -> None:
        """Keep the texts of a rule set that is in force, in place of the one before."""

    async def kept_rules(self) -> KeptRules | None:
        """Return the last good rule set; None: none was ever kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A word to one operator on how a subject stands; the latest word counts."""

    telegram_id: int  # of the operator, whose private chat has the same id
    subject: str  # "rules"
    state: str  # a fingerprint of how it stands, so that nothing is told twice; empty: well
    message: Message
    attempts: int = 0  # failed tries of this word


class NoticeStore(Protocol):
    """What telling operators asks of the store."""

    async def owe_notice(self, notice: Notice, due_at: datetime) -> bool:
        """Owe an operator this word; return False where that is what was last said or is owed."""

    async def due_notices(self, now: datetime) -> Sequence[Notice]:
        """Return what is owed to operators by now, oldest first."""

    async def next_notice_due(self) -> datetime | None:
        """Return when the next notice is due; None: none is owed."""

    async def settle_notice(
        self, notice: Notice, now: datetime, *, again_at: datetime | None = None, error: str | None = None
    ) -> None:
        """Write what came of sending a notice; a newer word on its subject stays owed.

        Args:
            again_at: When it shall be tried again; None: it was sent, or is given up.
            error: None: it was sent.
        """
