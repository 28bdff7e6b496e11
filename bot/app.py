"""Builds the house from the config: the one place where the rooms meet, with the only clock and dice."""

from __future__ import annotations

import asyncio
import fcntl
import os
import random
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from rich.console import Console

from bot.config import read_config
from bot.config_models import Config
from bot.core.fulltext import PagePolicy
from bot.core.pollwords import sync_words
from bot.core.routing import AlertPolicy
from bot.core.schedule import PollPolicy, first_poll_at
from bot.core.sending import SendPolicy
from bot.core.stories import StoryPolicy
from bot.errors import AlreadyRunning, ConfigInvalid, Problem, StoreBroken
from bot.feeds.http import FetchLimits, HttpFetcher
from bot.feeds.opml import feed_id_for, read_opml
from bot.feeds.pages import PageReader
from bot.feeds.parse import ProcessParser
from bot.feeds.robots import Robots
from bot.fulltext import FullText, FullTextPolicies
from bot.fulltext import Reader as PageReading
from bot.health import HealthWatch
from bot.keeping import PollPolicies
from bot.metrics import Metrics
from bot.model import Feed, Topic, TopicId
from bot.notify.console import ConsoleNotifier
from bot.pipeline import Poller
from bot.ports import Clock, Fetcher, Notifier, Parser
from bot.rules import RuleSet, read_rules
from bot.sender import Sender
from bot.store import SqlStore, open_store
from bot.store.feedlist import command_feed_ids
from bot.telling import TellPolicies

if TYPE_CHECKING:  # loaded where messages go to Telegram, and nowhere else: a third of a second and 12 MB
    from telegram.ext import ExtBot

    from bot.notify.telegram import TelegramAccess, TelegramNotifier

log = structlog.get_logger()

FEED_LEASE = timedelta(seconds=120)  # at least
LEAST_TO_WRITE = timedelta(seconds=20)
NEEDS_RESTART = ("data_dir", "store", "telegram", "polling", "log", "rules", "delivery.notifier")


class SystemClock:
    """The machine's clock and dice; answers `ports.Clock`."""

    def now(self) -> datetime:
        """Return the present, aware UTC."""
        return datetime.now(UTC)

    def dice(self) -> float:
        """Return a random number, 0 <= dice < 1."""
        return random.random()  # noqa: S311  # spreads polls; guards nothing

    async def sleep(self, wait: timedelta) -> None:
        """Return after that wait."""
        await asyncio.sleep(max(0.0, wait.total_seconds()))


@contextmanager
def single_instance(config: Config) -> Iterator[None]:
    """Hold the data directory, and the database where that lies elsewhere, for this process alone.

    Raises:
        AlreadyRunning: Another process holds one of them.
        StoreBroken: The directory cannot be made or written.
    """
    places = [config.data_dir / "topicwire.lock"]
    database = config.database_file
    if database.parent.resolve() != config.data_dir.resolve():
        places.append(database.with_name(f"{database.name}.lock"))
    with ExitStack() as stack:
        for place in places:
            stack.enter_context(_locked(place))
        yield


@contextmanager
def _locked(place: Path) -> Iterator[None]:
    """Hold a lock file. It stays: unlinking it would let two processes hold two files of one name."""
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreBroken(f"{place.parent}: nothing can be kept there: {error.strerror}") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = place.read_text().strip() or "unknown"
            said = f"{place.parent}: another Topicwire runs here (process {holder})"
            raise AlreadyRunning(f"{said}; stop it, or set another data_dir") from error
        os.truncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


@dataclass(frozen=True, slots=True)
class Setup:
    """What operators edit, read together: a reload swaps it as a whole or not at all."""

    config: Config
    rules: RuleSet
    feeds: tuple[Feed, ...]
    file: Path = Path("config")  # the config, as it is shown to people


def read_setup(config_path: Path, adjust: Mapping[str, object] | None = None) -> Setup:
    """Return the configuration, the rules and the feeds, checked.

    Args:
        adjust: Values of the config that the command line overrides.

    Raises:
        ConfigInvalid: The config or the feed list is wrong.
        RulesInvalid: A rule file is wrong.
    """
    return read_rules_of(*read_lists(config_path, adjust), config_path)


def read_lists(
    config_path: Path, adjust: Mapping[str, object] | None = None
) -> tuple[Config, tuple[Feed, ...]]:
    """Return the configuration and the feeds, checked; the arguments are those of read_setup.

    Raises:
        ConfigInvalid: The config or the feed list is wrong.
    """
    config = read_config(config_path)
    if adjust:
        config = config.model_copy(update=dict(adjust))
    return config, all_feeds(config, config_path)


def read_rules_of(
    config: Config, feeds: tuple[Feed, ...], config_path: Path, before: RuleSet | None = None
) -> Setup:
    """Return the setup of this config and these feeds, the rules read and checked.

    Args:
        before: The set in force, if any; what is in it need not be tested again.

    Raises:
        RulesInvalid: A rule file is wrong.
        ConfigInvalid: A chat of the config follows a topic that is not there.
    """
    known = [*(feed.id for feed in feeds), *command_feed_ids(config.database_url)]
    rules = read_rules(config.rules_dir, feeds=known, before=before)
    _check_chats(config, rules.topics, config_path)
    return Setup(config, rules, feeds, config_path)


def _check_chats(config: Config, known: Mapping[TopicId, Topic], config_path: Path) -> None:
    problems = [
        Problem(
            file=str(config_path),
            message=f"chats: chat {chat.id} follows {topic!r}, but no rule file has such a topic; there are: "
            + ", ".join(known),
        )
        for chat in config.chats
        for topic in chat.topics
        if topic != "*" and topic not in known
    ]
    if problems:
        raise ConfigInvalid(tuple(problems))


def all_feeds(config: Config, config_path: Path) -> tuple[Feed, ...]:
    """Return the feeds of the config and of the feed list, each with an id that nobody else has.

    Raises:
        ConfigInvalid: The feed list is wrong, or two feeds have one id.
    """
    listed = read_opml(config.feeds_file) if config.feeds_file else ()
    own = tuple(replace(feed, id=feed.id or feed_id_for(feed.url)) for feed in config.config_feeds())
    urls = {feed.url for feed in own}
    feeds = (*own, *(feed for feed in listed if feed.url not in urls))  # the config's say counts
    ids = [feed.id for feed in feeds]
    if twice := sorted({one for one in ids if ids.count(one) > 1}):
        message = f"feeds: the id {twice[0]!r} stands for two feeds; give one of them another id"
        raise ConfigInvalid((Problem(file=str(config_path), message=message),))
    return feeds


class House:
    """The rooms, connected."""

    def __init__(
        self,
        *,
        setup: Setup,
        store: SqlStore,
        fetcher: Fetcher,
        parser: Parser,
        pages: PageReading,
        notifier: Notifier,
        clock: Clock,
        bot: ExtBot[None] | None = None,
    ) -> None:
        self.setup = setup
        self.store = store
        self.clock = clock
        self.bot = bot  # None: messages do not go to Telegram
        self.metrics = Metrics()
        self.poller = Poller(
            fetcher=fetcher,
            parser=parser,
            store=store,
            clock=clock,
            rules=lambda: self.setup.rules,
            operators=self.operators,
            policies=lambda: poll_policies(self.setup.config),
            metrics=self.metrics,
        )
        self.full_text = FullText(
            fetcher=fetcher,
            robots=Robots(fetcher, clock, lambda: self.setup.config.polling.user_agent),
            reader=pages,
            store=store,
            clock=clock,
            rules=lambda: self.setup.rules,
            operators=self.operators,
            policies=lambda: full_text_policies(self.setup.config),
        )
        self.health = HealthWatch(store=store, clock=clock, operators=self.operators, metrics=self.metrics)
        self.sender = Sender(
            store=store,
            notifier=notifier,
            clock=clock,
            topics=self.topics,
            policy=lambda: send_policy(self.setup.config),
            in_flight=lambda: self.setup.config.delivery.in_flight,
            metrics=self.metrics,
        )

    def topics(self) -> Mapping[TopicId, Topic]:
        """Return the live topics."""
        return self.setup.rules.topics

    async def finish(self) -> None:
        """Return when nothing is being read or written any more."""
        await self.full_text.close()
        await self.poller.finish()

    def operators(self) -> frozenset[int]:
        """Return the Telegram ids of those who run the installation."""
        return frozenset(self.setup.config.telegram.operators)

    async def settle_in(self, setup: Setup) -> None:
        """Bring the store's feeds, chats and rules in line with what operators wrote."""
        config, now = setup.config, self.clock.now()
        policy = poll_policies(config).polls
        firsts = [first_poll_at(feed, now, policy) for feed in setup.feeds]
        for change in await self.store.sync_feeds(setup.feeds, firsts, now):
            log.warning(sync_words(change.reason), feed=change.feed, other=change.other)
        topics = {chat.address: expand_topics(chat.topics, setup.rules.topics) for chat in config.chats}
        told = {chat.address: (chat.title, chat.language) for chat in config.chats}
        await self.store.sync_config_chats(topics, told, now)
        await self.store.keep_rules(setup.rules.rules_hash, setup.rules.texts, now)

    async def reload(self, setup: Setup) -> None:
        """Swap in what operators edited; what a running process cannot change is said in the log."""
        await self.settle_in(setup)
        before, self.setup = self.setup, setup
        for name in NEEDS_RESTART:
            if attrgetter(name)(before.config) != attrgetter(name)(setup.config):
                log.warning("this setting takes effect at the next start", setting=name)


@asynccontextmanager
async def open_house(
    setup: Setup, *, clock: Clock | None = None, console: Console | None = None
) -> AsyncIterator[House]:
    """Open the store and connect the rooms; close all at the end.

    The caller holds `single_instance`, so whatever a former run had leased is free again.

    Args:
        console: Where messages are shown when they do not go to Telegram.

    Raises:
        StoreError: The database cannot be used.
        ConfigInvalid: Messages are to go to Telegram, but there is no token.
    """
    clock, config = clock or SystemClock(), setup.config
    telegram = _telegram(config) if config.delivery.notifier == "telegram" else None
    async with AsyncExitStack() as stack:
        store, changed = await open_store(config.database_url, clock, config.store.busy_timeout)
        stack.push_async_callback(store.close)
        if changed:
            log.info("database brought up to date", place=store.place)
        notifier: Notifier
        if telegram:
            notifier = telegram[1]
            stack.push_async_callback(telegram[1].close)
        else:
            first_id = await store.highest_message_id() + 1
            notifier = ConsoleNotifier(console or Console(), first_id=first_id)
        fetcher = await stack.enter_async_context(HttpFetcher(fetch_limits(config)))
        parser = make_parser(config)
        stack.push_async_callback(parser.close)
        house = House(
            setup=setup,
            store=store,
            fetcher=fetcher,
            parser=parser,
            pages=await stack.enter_async_context(PageReader(timeout=config.polling.parse_timeout)),
            notifier=notifier,
            clock=clock,
            bot=telegram[0] if telegram else None,
        )
        stack.push_async_callback(house.finish)
        await store.release_all_feeds()
        await house.sender.recover(all_leases=True)
        await house.settle_in(setup)
        yield house


# ---- the config's sections as the rooms' own values -------------------------------------------


def _telegram(config: Config) -> tuple[ExtBot[None], TelegramNotifier]:
    """Return the bot and what carries messages by it; nothing is asked yet.

    Raises:
        ConfigInvalid: There is no token, or its file cannot be read.
    """
    from bot.notify.telegram import TelegramNotifier, make_bot  # noqa: PLC0415 - 12 MB, for those who use it

    bot = make_bot(telegram_access(config))
    return bot, TelegramNotifier(bot)


def telegram_access(config: Config) -> TelegramAccess:
    """Return how to reach Telegram.

    Raises:
        ConfigInvalid: There is no token, or its file cannot be read.
    """
    if not config.token:
        message = (
            "telegram: there is no bot token; get one from @BotFather and put it into token_file or into"
            ' TOPICWIRE_TELEGRAM__TOKEN (or set delivery.notifier = "console" to see messages here)'
        )
        raise ConfigInvalid((Problem(file="config", message=message),))
    from bot.notify.telegram import TelegramAccess  # noqa: PLC0415 - 12 MB, for those who use it

    return TelegramAccess(
        token=config.token, base_url=str(config.telegram.base_url), read_timeout=config.telegram.timeout
    )


def fetch_limits(config: Config) -> FetchLimits:
    """Return the limits of a poll."""
    polling = config.polling
    return FetchLimits(
        connect_timeout=polling.connect_timeout,
        total_timeout=polling.timeout,
        max_bytes=polling.max_bytes,
        max_redirects=polling.max_redirects,
        connections=polling.connections,
        host_interval=polling.host_interval,
        user_agent=polling.user_agent,
    )


def feed_lease(config: Config) -> timedelta:
    """Return how long a claimed feed is ours: longer than its poll takes, with two hosts to be waited for.

    The feed of a process that died is polled again after it.
    """
    polling, longest_wait = config.polling, fetch_limits(config).longest_wait
    return max(FEED_LEASE, 2 * longest_wait + polling.timeout + 2 * polling.parse_timeout + LEAST_TO_WRITE)


def make_parser(config: Config) -> ProcessParser:
    """Return the parser, its processes not yet started."""
    polling = config.polling
    return ProcessParser(
        workers=polling.parse_workers, timeout=polling.parse_timeout, max_items=polling.max_items
    )


def poll_policies(config: Config) -> PollPolicies:
    """Return the numbers that polling decides by."""
    polling = config.polling
    return PollPolicies(
        polls=PollPolicy(
            min_interval=polling.min_interval,
            max_interval=polling.max_interval,
            default_interval=polling.default_interval,
        ),
        telling=tell_policies(config),
    )


def full_text_policies(config: Config) -> FullTextPolicies:
    """Return the numbers that reading linked pages decides by."""
    pages = PagePolicy(per_minute=config.polling.pages_per_minute)
    return FullTextPolicies(pages=pages, telling=tell_policies(config))


def tell_policies(config: Config) -> TellPolicies:
    """Return the numbers that telling decides by."""
    stories, delivery = config.stories, config.delivery
    return TellPolicies(
        stories=StoryPolicy(window=stories.window, closes_after=stories.closes_after, lives=stories.lives),
        alerts=AlertPolicy(hold=delivery.hold, edit_every=delivery.edit_every),
    )


def send_policy(config: Config) -> SendPolicy:
    """Return the pace of sending. A lease outlives the longest send: two tries and their timeouts."""
    delivery = config.delivery
    return SendPolicy(
        per_second=delivery.per_second,
        chat_interval=delivery.chat_interval,
        group_per_minute=delivery.group_per_minute,
        retry_uncertain_after=delivery.retry_uncertain_after,
        lease=max(timedelta(seconds=120), config.telegram.timeout * 5),
    )


def expand_topics(named: Collection[str], known: Mapping[TopicId, Topic]) -> list[TopicId]:
    """Return the topics that a chat of the config follows; `*` stands for all."""
    return [topic for topic in known if "*" in named or topic in named]
