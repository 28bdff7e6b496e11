"""The tables, once, for SQLite and PostgreSQL alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

METADATA = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

BigId = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # SQLite numbers rows by INTEGER alone


class Utc(sa.types.TypeDecorator[datetime]):
    """An aware UTC datetime; SQLite, which knows no zones, gets it without."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return what the driver is given."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime without a zone came to the store")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return what a query gives."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Seconds(sa.types.TypeDecorator[timedelta]):
    """A timedelta, kept as seconds."""

    impl = sa.Float
    cache_ok = True

    def process_bind_param(self, value: timedelta | None, dialect: Dialect) -> float | None:
        """Return what the driver is given."""
        del dialect
        return None if value is None else value.total_seconds()

    def process_result_value(self, value: float | None, dialect: Dialect) -> timedelta | None:
        """Return what a query gives."""
        del dialect
        return None if value is None else timedelta(seconds=value)


feeds = sa.Table(
    "feeds",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("outlet", sa.Text),
    sa.Column("language", sa.Text),
    sa.Column("interval", Seconds),
    sa.Column("encoding", sa.Text),
    sa.Column("allow_private", sa.Boolean, nullable=False),
    sa.Column("user_agent", sa.Text),
    sa.Column("headers", sa.JSON, nullable=False),  # [name, value] each
    sa.Column("auth_file", sa.Text),
    sa.Column("fetch_content", sa.Boolean, nullable=False),
    sa.Column("origin", sa.Text, nullable=False),  # FeedOrigin
    sa.Column("host", sa.Text, nullable=False, index=True),  # registrable domain of what is polled
    sa.Column("listed", sa.Boolean, nullable=False),  # False: removed; kept for its keys
    sa.Column("added_at", Utc),  # None: before this was kept
    sa.Column("pause_reason", sa.Text),  # PauseReason; None: it is polled
    sa.Column("etag", sa.Text),
    sa.Column("last_modified", sa.Text),
    sa.Column("validators_since", Utc),
    sa.Column("body_sha256", sa.Text),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("gone_count", sa.Integer, nullable=False),
    sa.Column("gone_since", Utc),
    sa.Column("failing_since", Utc),
    sa.Column("last_ok_at", Utc),
    sa.Column("server_wait", Seconds, nullable=False),
    sa.Column("median_gap", Seconds),
    sa.Column("window", Seconds),
    sa.Column("window_start", Utc),
    sa.Column("last_new_at", Utc),
    sa.Column("gap_at", Utc),
    sa.Column("hurry", sa.Integer, nullable=False),
    sa.Column("learned_url", sa.Text),
    sa.Column("moved_to", sa.Text),
    sa.Column("moved_since", Utc),
    sa.Column("moved_times", sa.Integer, nullable=False),
    sa.Column("is_new_address", sa.Boolean, nullable=False),
    sa.Column("last_poll_at", Utc),
    sa.Column("last_reason", sa.Text),  # PollReason of the last poll
    sa.Column("last_error", sa.Text),
    sa.Column("next_poll_at", Utc, nullable=False),
    sa.Column("next_poll_why", sa.Text, nullable=False),  # NextPollReason
    sa.Column("lease", sa.Text),
    sa.Column("lease_until", Utc),
    sa.Index(None, "next_poll_at"),
)

polls = sa.Table(  # kept for 30 days
    "polls",
    METADATA,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("feed_id", sa.Text, sa.ForeignKey("feeds.id"), nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),  # PollReason
    sa.Column("status", sa.Integer),  # HTTP; None: no answer came
    sa.Column("received", sa.Integer, nullable=False),  # bytes of the body as sent
    sa.Column("items", sa.Integer),  # in the feed; None: its body was not read
    sa.Column("new", sa.Integer),
    sa.Column("next_poll_at", Utc, nullable=False),
    sa.Column("next_poll_why", sa.Text, nullable=False),  # NextPollReason
    sa.Column("error", sa.Text),
    sa.Index(None, "feed_id", "at"),
)

hosts = sa.Table(  # those that asked to be left in peace
    "hosts",
    METADATA,
    sa.Column("host", sa.Text, primary_key=True),  # registrable domain
    sa.Column("paused_until", Utc, nullable=False),
)

chores = sa.Table(  # upkeep that is done once a day
    "chores",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("done_at", Utc, nullable=False),
)

troubles = sa.Table(  # what is wrong with polling now; a row goes when it ends
    "troubles",
    METADATA,
    sa.Column("scope", sa.Text, primary_key=True),  # TroubleScope
    sa.Column("key", sa.Text, primary_key=True),  # a feed's id, a host, or empty
    sa.Column("kind", sa.Text, primary_key=True),  # TroubleKind
    sa.Column("since", Utc, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
)

items = sa.Table(
    "items",
    METADATA,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("feed_id", sa.Text, sa.ForeignKey("feeds.id"), nullable=False, index=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("summary", sa.Text, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("url", sa.Text),
    sa.Column("guid", sa.Text),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("outlet", sa.Text, nullable=False),
    sa.Column("categories", sa.JSON, nullable=False),
    sa.Column("language", sa.Text),
    sa.Column("published_at", Utc),
    sa.Column("seen_at", Utc, nullable=False, index=True),
    sa.Column("content_hash", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),  # ItemReason
)

item_keys = sa.Table(
    "item_keys",
    METADATA,
    sa.Column("feed_id", sa.Text, sa.ForeignKey("feeds.id"), primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("item_id", BigId, sa.ForeignKey("items.id"), nullable=False, index=True),
    sa.Column("seen_at", Utc, nullable=False),  # when a poll last showed it, to within a day
)

pages = sa.Table(  # the linked pages of items whose feed or topics want them read
    "pages",
    METADATA,
    sa.Column("item_id", BigId, sa.ForeignKey("items.id"), primary_key=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("url_key", sa.Text, nullable=False, index=True),  # canonical
    sa.Column("host", sa.Text, nullable=False),  # registrable domain
    sa.Column("is_flood", sa.Boolean, nullable=False),  # its item came with more news than is credible
    sa.Column("state", sa.Text, nullable=False),  # PageState
    sa.Column("due_at", Utc, index=True),  # None: nothing is left to do
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("fetched_at", Utc, index=True),  # when it was last asked for; None: never
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("error", sa.Text),
)

matches = sa.Table(
    "matches",
    METADATA,
    sa.Column("item_id", BigId, sa.ForeignKey("items.id"), primary_key=True),
    sa.Column("topic_id", sa.Text, primary_key=True),
    sa.Column("score", sa.Float, nullable=False),
    sa.Column("terms", sa.JSON, nullable=False),
    sa.Column("rules_hash", sa.Text, nullable=False),
    # Only a change of the rules made the item match, so it is not told.
    sa.Column("quiet", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Index(None, "topic_id", "item_id"),
)

stories = sa.Table(
    "stories",
    METADATA,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("opened_at", Utc, nullable=False),
    sa.Column("last_report_at", Utc, nullable=False, index=True),
)

reports = sa.Table(
    "reports",
    METADATA,
    sa.Column("item_id", BigId, sa.ForeignKey("items.id"), primary_key=True),
    sa.Column("story_id", BigId, sa.ForeignKey("stories.id"), nullable=False, index=True),
    sa.Column("reason", sa.Text, nullable=False),  # StoryReason
    sa.Column("similarity", sa.Float, nullable=False),
)

story_keys = sa.Table(
    "story_keys",
    METADATA,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("story_id", BigId, sa.ForeignKey("stories.id"), primary_key=True),
)

chats = sa.Table(
    "chats",
    METADATA,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("telegram_id", sa.BigInteger, nullable=False),
    sa.Column("thread_id", sa.BigInteger, nullable=False),  # 0: no thread
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("since", Utc, nullable=False),  # of that state
    sa.Column("wait_until", Utc),  # Telegram said 429
    sa.UniqueConstraint("telegram_id", "thread_id"),
)

subscriptions = sa.Table(
    "subscriptions",
    METADATA,
    sa.Column("chat_id", BigId, sa.ForeignKey("chats.id"), primary_key=True),
    sa.Column("topic_id", sa.Text, primary_key=True, index=True),
    sa.Column("from_config", sa.Boolean, nullable=False),
    sa.Column("since", Utc, nullable=False),
    sa.Column("last_alert_at", Utc),
)

mutes = sa.Table(
    "mutes",
    METADATA,
    sa.Column("chat_id", BigId, sa.ForeignKey("chats.id"), primary_key=True),
    sa.Column("topic_id", sa.Text, primary_key=True),  # "": all topics
    sa.Column("until", Utc, nullable=False),
)

story_mutes = sa.Table(
    "story_mutes",
    METADATA,
    sa.Column("chat_id", BigId, sa.ForeignKey("chats.id"), primary_key=True),
    sa.Column("story_id", BigId, sa.ForeignKey("stories.id"), primary_key=True),
    sa.Column("since", Utc, nullable=False),
)

judgements = sa.Table(
    "judgements",
    METADATA,
    sa.Column("chat_id", BigId, sa.ForeignKey("chats.id"), primary_key=True),
    sa.Column("story_id", BigId, sa.ForeignKey("stories.id"), primary_key=True),
    sa.Column("relevant", sa.Boolean, nullable=False),
    sa.Column("since", Utc, nullable=False),
)

deliveries = sa.Table(
    "deliveries",
    METADATA,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("chat_id", BigId, sa.ForeignKey("chats.id"), nullable=False),
    sa.Column("story_id", BigId, sa.ForeignKey("stories.id"), nullable=False, index=True),
    sa.Column("state", sa.Text, nullable=False),  # DeliveryState
    sa.Column("reason", sa.Text, nullable=False),  # AlertReason of the last alert decided
    sa.Column("topics", sa.JSON, nullable=False),
    sa.Column("level", sa.Integer, nullable=False),
    sa.Column("created_at", Utc, nullable=False),
    sa.Column("due_at", Utc, nullable=False),  # to send, to edit, or to release what is held
    sa.Column("dirty", sa.Boolean, nullable=False),  # sent, and the message shall be edited
    sa.Column("in_digest", sa.Boolean, nullable=False),  # held once: leaves, or left, with others
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("uncertain", sa.Integer, nullable=False),
    sa.Column("message_id", sa.BigInteger),
    sa.Column("sent_at", Utc),
    sa.Column("edited_at", Utc),
    sa.Column("last_result", sa.Text),  # SendReason
    sa.Column("last_error", sa.Text),
    sa.Column("lease", sa.Text),
    sa.Column("lease_until", Utc),
    sa.UniqueConstraint("chat_id", "story_id"),
    sa.Index(None, "state", "due_at"),
    sa.Index(None, "chat_id", "message_id"),
)

rule_sets = sa.Table(  # the last good one: a single row
    "rule_sets",
    METADATA,
    sa.Column("rules_hash", sa.Text, primary_key=True),
    sa.Column("files", sa.JSON, nullable=False),  # [name, text] each, in order
    sa.Column("since", Utc, nullable=False),  # when a set of that hash came into force
)

notices = sa.Table(  # what an operator was last told of a subject, or shall be
    "notices",
    METADATA,
    sa.Column("telegram_id", sa.BigInteger, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),  # a fingerprint of how the subject stands; "": well
    sa.Column(
        "told", sa.Text, nullable=False
    ),  # the state that a message last told; "": well, or nothing yet
    sa.Column("html", sa.Text, nullable=False),
    sa.Column("plain", sa.Text, nullable=False),
    sa.Column("due_at", Utc, index=True),  # None: nothing is owed
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("last_error", sa.Text),
)
