"""The nouns of the house, frozen, and the reasons that are kept with each decision.

All datetimes are aware and in UTC. Texts are plain (no markup) unless a name says `html`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import NewType

FeedId = NewType("FeedId", str)
ItemId = NewType("ItemId", int)
ItemKey = NewType("ItemKey", str)
TopicId = NewType("TopicId", str)
StoryId = NewType("StoryId", int)
ChatId = NewType("ChatId", int)  # our number for a (Telegram chat, thread); not Telegram's
DeliveryId = NewType("DeliveryId", int)

ZERO = timedelta(0)


# ---- feeds and polls ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A URL we read, as the operator set it up."""

    id: FeedId
    url: str
    outlet: str | None = None  # the name shown to people; None: the feed's own title, else its host
    language: str | None = None  # ISO 639-1; None: the feed's own word, if any
    interval: timedelta | None = None  # None: computed from how often items come
    encoding: str | None = None  # None: found out (see feeds/decode.py)
    allow_private: bool = False  # True: may live on a private or loopback address
    user_agent: str | None = None  # None: the installation's
    headers: tuple[tuple[str, str], ...] = ()  # further headers of a request: name, value
    auth_file: str | None = None  # a file that holds `user:password` for HTTP Basic; None: no log-in
    fetch_content: bool = False  # True: the linked pages are read where the feed itself matches nothing


class FeedOrigin(StrEnum):
    """Where a feed is written, and so who may change it."""

    CONFIG = "config"  # in config.toml or in the feed list it names
    COMMAND = "command"  # in the database alone, by `topicwire feeds add`


class PauseReason(StrEnum):
    """Why a feed is not polled."""

    GONE = "gone"  # 410, three times over 48 hours
    OPERATOR = "operator"  # by `topicwire feeds pause`
    CONFIG = "config"  # added by command, but the config names its address itself


@dataclass(frozen=True, slots=True, kw_only=True)
class PollState:
    """What is remembered of a feed between polls."""

    etag: str | None = None  # exactly as received
    last_modified: str | None = None  # exactly as received
    validators_since: datetime | None = None  # when a 200 last gave them
    body_sha256: str | None = None
    failures: int = 0  # failed polls in a row
    gone_count: int = 0  # 410 answers in a row
    gone_since: datetime | None = None
    failing_since: datetime | None = None
    last_ok_at: datetime | None = None  # None: never polled well; the next good poll is silent
    server_wait: timedelta = ZERO  # what the feed asked for: max-age, ttl, sy:updatePeriod
    median_gap: timedelta | None = None  # between the feed's items; None: too few to tell
    window: timedelta | None = None  # from the oldest to the newest date of the last body; None: no two dates
    window_start: datetime | None = None  # where the first good poll's window began; older items are archive
    last_new_at: datetime | None = None  # when a good poll last brought an item that nobody knew
    gap_at: datetime | None = None  # when a poll last shared no item with what was known: some were missed
    hurry: int = 0  # how often the interval is halved, because items were missed
    learned_url: str | None = None  # where permanent redirects led long enough; polled in place of the URL
    moved_to: str | None = None  # where permanent redirects lead, not yet trusted
    moved_since: datetime | None = None  # when they were first seen to lead there
    moved_times: int = 0  # how many polls saw it
    is_new_address: bool = False  # the operator changed the URL, and no good poll has read the new one yet


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPause:
    """A host that is left in peace for a while, because it asked for that."""

    host: str  # registrable domain
    until: datetime


class PollReason(StrEnum):
    """What came of a poll."""

    FETCHED = "fetched"
    NOT_MODIFIED = "not_modified"  # 304
    SAME_BODY = "same_body"  # 200 with the bytes of last time
    TEMPORARY = "temporary"  # timeout, DNS, 5xx: poll again later
    RATE_LIMITED = "rate_limited"  # 429, or 503 with Retry-After
    REFUSED = "refused"  # 401, 404 and the like: an operator should look
    CHALLENGED = "challenged"  # 403: the server takes us for a robot it does not want
    GONE = "gone"  # 410
    UNREADABLE = "unreadable"  # bytes came, no feed
    FORBIDDEN_ADDRESS = "forbidden_address"  # the SSRF guard said no
    BROKEN = "broken"  # a bug of ours; the log has the traceback


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A feed's new bytes."""

    body: bytes
    final_url: str
    content_type: str | None
    etag: str | None
    last_modified: str | None
    max_age: timedelta | None  # Cache-Control; None: not told by the server
    moved_to: str | None = None  # target of the leading permanent redirects, if any
    status: int = 200
    received: int = 0  # bytes of the body as sent, before decompression


@dataclass(frozen=True, slots=True, kw_only=True)
class NotModified:
    """The server's word (304) that nothing changed."""

    etag: str | None
    last_modified: str | None
    max_age: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One piece of news, normalised: what an entry of a feed becomes."""

    feed_id: FeedId
    title: str = ""
    summary: str = ""
    content: str = ""
    url: str | None = None  # absolute http(s); None: the entry had none
    guid: str | None = None  # None: the entry had none
    author: str = ""
    outlet: str = ""  # who published it, for people
    categories: tuple[str, ...] = ()
    language: str | None = None  # ISO 639-1; None: nobody said
    published_at: datetime | None = None  # never in the future; None: the entry had no date we can read

    @property
    def lead(self) -> str:
        """Return what the story begins with: the summary, or the content where there is none."""
        return self.summary or self.content


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFeed:
    """What the parser made of a feed's bytes."""

    items: tuple[Item, ...]  # in the feed's order
    title: str = ""
    language: str | None = None
    wait: timedelta = ZERO  # ttl or sy:updatePeriod, capped at 5 h
    left_out: int = 0  # entries over the limit


class ItemReason(StrEnum):
    """Why an item of a poll goes on to matching, or not."""

    NEW = "new"
    EDITED = "edited"  # known, but its text changed: matched again
    SEEN = "seen"
    FIRST_POLL = "first_poll"  # kept silently
    BACKFILL = "backfill"  # unknown, but dated long before the last good poll: kept silently


class TroubleScope(StrEnum):
    """What is in trouble."""

    FEED = "feed"
    HOST = "host"
    ALL = "all"  # polling as a whole


class TroubleKind(StrEnum):
    """What is wrong with polling, for operators: told once when it starts, and once when it ends."""

    FAILING = "failing"  # no good poll for 24 hours
    REFUSED = "refused"  # 401, 404, a forbidden address: it will not get well by itself
    CHALLENGED = "challenged"  # 403
    UNREADABLE = "unreadable"  # bytes came, no feed
    GONE = "gone"  # 410 three times over 48 hours: paused
    SILENT = "silent"  # polls are good, but no new item for 7 days or five usual gaps
    MISSED = "missed"  # no overlap with the last poll: items were probably missed
    MOVED = "moved"  # permanent redirects were learned: the operator's list should say the new address
    FLOOD = "flood"  # more news at once than is credible, told as a digest
    OUTAGE = "outage"  # more than half of a host's feeds, or of all hosts, fail together


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something that is wrong with polling at the moment."""

    scope: TroubleScope
    key: str  # the feed's id, the host, or empty
    kind: TroubleKind
    since: datetime
    detail: str = ""  # the error, the new address: plain text, without credentials


# ---- topics and matches ------------------------------------------------------------------------


class Level(IntEnum):
    """Severity of a topic, lowest first."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4


class TopicStatus(StrEnum):
    """Who hears of a topic."""

    STABLE = "stable"
    EXPERIMENTAL = "experimental"  # only operators
    DEPRECATED = "deprecated"  # nobody


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """An operator's interest: what the house knows of it outside the matcher."""

    id: TopicId
    titles: Mapping[str, str]  # by language; key "" holds a title for all
    description: str = ""
    level: Level = Level.MEDIUM
    tags: tuple[str, ...] = ()
    status: TopicStatus = TopicStatus.STABLE
    cooldown: timedelta = ZERO
    fetch_content: bool = False  # True: linked pages are read where title and summary do not match

    def title(self, language: str) -> str:
        """Return the title in that language, else in English, else the first there is."""
        for key in (language, "", "en"):
            if key in self.titles:
                return self.titles[key]
        return next(iter(self.titles.values()), str(self.id))


@dataclass(frozen=True, slots=True, kw_only=True)
class TermMatch:
    """Where one term of a topic was found."""

    term: str  # as the operator wrote it
    field: str  # title, summary, content, author, url, source or categories
    start: int  # index into that field's text, in code points
    end: int  # exclusive
    text: str  # field[start:end]
    score: float  # 0 to 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Why an item belongs to a topic."""

    topic: TopicId
    score: float  # 0 to 100
    terms: tuple[TermMatch, ...]  # best first, at least one
    rules_hash: str = ""  # of the rule set that decided


# ---- stories -----------------------------------------------------------------------------------


class StoryReason(StrEnum):
    """Why an item belongs to a story."""

    SEEN = "seen"  # the item itself is known
    SAME_URL = "same_url"  # a copy: same canonical URL
    COPY = "copy"  # a copy: nearly the same text
    REPORT = "report"  # another report of the same event
    NEW = "new"  # opens a story


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """An item as a member of a story, as people are shown it."""

    title: str
    url: str | None
    outlet: str
    summary: str
    language: str | None
    published_at: datetime | None
    seen_at: datetime
    reason: StoryReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """The items that tell one event, and why they were told."""

    id: StoryId
    reports: tuple[Report, ...]  # oldest first, at least one
    matches: tuple[Match, ...]  # best per topic, highest score first

    @property
    def outlets(self) -> tuple[str, ...]:
        """Names of those who reported it, in order of appearance, each once."""
        return tuple(dict.fromkeys(report.outlet for report in self.reports))


# ---- chats, alerts, deliveries -----------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where Telegram delivers: a chat, and in a forum one of its threads."""

    telegram_id: int
    thread_id: int | None = None


class ChatKind(StrEnum):
    """Telegram's kinds of chat, and ours for a chat that only the config names."""

    PRIVATE = "private"
    GROUP = "group"
    SUPERGROUP = "supergroup"
    CHANNEL = "channel"
    UNKNOWN = "unknown"


class ChatState(StrEnum):
    """Whether a chat may be written to."""

    ACTIVE = "active"
    STOPPED = "stopped"  # the chat said /stop
    SUSPENDED = "suspended"  # Telegram said 403; active again when the chat returns


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """A Telegram destination that we know."""

    id: ChatId
    address: Address
    kind: ChatKind = ChatKind.UNKNOWN
    title: str = ""
    language: str = "en"
    state: ChatState = ChatState.ACTIVE


class AlertReason(StrEnum):
    """Why a chat is told of a story, or not."""

    NEW_STORY = "new_story"  # tell
    SOURCE_JOINED = "source_joined"  # edit the message that was sent
    NEW_TOPIC = "new_topic"  # a further topic of the chat matched: edit
    NOTHING_NEW = "nothing_new"
    STORY_MUTED = "story_muted"  # this chat wants no more of this story
    MUTED = "muted"  # hold until the mute ends
    COOLDOWN = "cooldown"  # hold: the topic spoke a short while ago
    FLOOD = "flood"  # hold: the feed brought more news at once than is credible; tell it as a digest
    NOT_OPERATOR = "not_operator"  # experimental topics are for operators' chats
    CHAT_INACTIVE = "chat_inactive"


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    HELD = "held"
    FAILED = "failed"  # a dead letter: an operator may retry it
    UNCERTAIN = "uncertain"  # perhaps sent: one delayed retry, counted


class SendReason(StrEnum):
    """What came of an attempt to send or edit."""

    SENT = "sent"
    EDITED = "edited"
    RATE_LIMITED = "rate_limited"  # 429
    NOT_CONNECTED = "not_connected"  # certainly not sent
    NO_ANSWER = "no_answer"  # the connection broke or timed out: perhaps sent
    SERVER_ERROR = "server_error"  # 5xx: an outage, most likely not sent
    CHAT_LOST = "chat_lost"  # blocked, kicked, deleted, or no right to write there
    CHAT_MOVED = "chat_moved"  # migrated to a supergroup
    THREAD_LOST = "thread_lost"  # the forum thread is closed or gone
    BAD_MARKUP = "bad_markup"  # Telegram could not parse our HTML: sent as plain text
    MESSAGE_LOST = "message_lost"  # the message to edit is gone
    REFUSED = "refused"  # anything else that trying again does not cure
    TOKEN_REFUSED = "token_refused"  # noqa: S105  # 401: a name of an outcome, no secret
    CRASHED = "crashed"  # a lease ran out while sending: perhaps sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A button under a message: opens a URL or calls back with data."""

    text: str
    data: str | None = None  # at most 64 bytes of UTF-8
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Rendered text, ready for Telegram."""

    html: str  # Telegram's HTML; at most 4096 UTF-16 units after parsing
    plain: str  # the same without markup, for when Telegram refuses ours
    buttons: tuple[tuple[Button, ...], ...] = ()  # rows
    silent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message owed to one chat about one story."""

    id: DeliveryId
    chat: Chat
    story_id: StoryId
    state: DeliveryState
    topics: tuple[TopicId, ...]  # those the chat follows and the story matched
    level: Level
    due_at: datetime
    attempts: int = 0
    uncertain: int = 0  # how often it was perhaps sent
    message_id: int | None = None  # Telegram's; None: not sent yet
    is_edit: bool = False  # True: the message stands and shall be edited
    lease: str = field(default="", repr=False)
