"""The whole house for flow tests: real rooms, a real feed server, a strict Bot API, a clock to move."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from html import escape
from pathlib import Path

from bot.app import House, Setup, fetch_limits, telegram_access
from bot.config_models import ChatConfig, Config, DeliveryConfig, PollingConfig, StoreConfig, TelegramConfig
from bot.daemon import PassReport, run_once
from bot.feeds.http import HttpFetcher
from bot.feeds.pages import read_page
from bot.feeds.parse import parse_feed
from bot.model import Feed, FeedId, Fetched, Item, ParsedFeed
from bot.notify.telegram import TelegramNotifier, make_bot
from bot.rules import RuleSet, read_rules
from bot.store import open_store
from tests.botapi import BotApi, Sent
from tests.clock import FakeClock
from tests.feedserver import FeedServer, feed_server

ADA = 5

RULES = """
version: 1
topics:
  - id: gas
    title: {en: Gas, de: Gas}
    match: {en: [gas price, gas pipeline], de: [Gaspreis]}
    tests: {match: [Gas price rises], no_match: [Oil price rises]}
  - id: oil
    title: {en: Oil, de: Öl}
    level: high
    match: {en: [oil price, oil tanker]}
    tests: {match: [Oil price rises], no_match: [Gas price rises]}
"""


class PlainParser:
    """Parses in the test's own process; `ports.Parser` without the pool."""

    async def parse(self, feed: Feed, fetched: Fetched, now: datetime) -> ParsedFeed:
        """Return the feed's items."""
        return parse_feed(fetched.body, fetched.content_type, feed, now, fetched.final_url)


class PlainPageReader:
    """Reads pages in the test's own process; `fulltext.Reader` without the pool."""

    async def read(
        self, body: bytes, content_type: str | None, place: str, *, is_article_only: bool = False
    ) -> Item:
        """Return the article of a page."""
        return read_page(body, content_type, place, is_article_only=is_article_only)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry of a feed, as a test tells it."""

    title: str
    summary: str = ""
    link: str | None = None
    guid: str | None = None
    date: str | None = None  # RFC 822; None: no date

    def as_rss(self) -> str:
        """Return the entry's XML."""
        parts = {"title": self.title, "description": self.summary, "pubDate": self.date}
        parts |= {"link": self.link, "guid": self.guid}
        inner = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in parts.items() if text)
        return f"<item>{inner}</item>"


def an_entry(title: str = "Gas price rises", **facts: str) -> Entry:
    """Return an entry with a link and a guid made of its title; name only what matters."""
    slug = "".join(letter if letter.isalnum() else "-" for letter in title.lower())[:60]
    base = Entry(title=title, link=f"https://news.example/{slug}", guid=f"tag:{slug}")
    return replace(base, **facts)


class Household:
    """A house, the world around it, and what came out of it."""

    def __init__(self, *, house: House, feeds: FeedServer, api: BotApi, clock: FakeClock) -> None:
        self.house = house
        self.feeds = feeds
        self.api = api
        self.clock = clock
        self._told: dict[str, list[Entry]] = {}

    @property
    def sent(self) -> list[Sent]:
        """Return the messages that the chats got, with their last text."""
        return self.api.sent

    def publish(self, *entries: Entry, outlet: str = "herald") -> None:
        """Put entries on top of an outlet's feed."""
        self._told.setdefault(outlet, [])[:0] = reversed(entries)
        self._serve(outlet)

    def replace(self, *entries: Entry, outlet: str = "herald") -> None:
        """Let an outlet's feed hold these entries alone."""
        self._told[outlet] = list(entries)
        self._serve(outlet)

    def _serve(self, outlet: str) -> None:
        inner = "".join(entry.as_rss() for entry in self._told[outlet])
        self.feeds.serve(
            f'<rss version="2.0"><channel><title>{outlet.title()}</title>{inner}</channel></rss>',
            path=f"/{outlet}",
        )

    async def pass_by(self, *, after: timedelta = timedelta(minutes=10)) -> PassReport:
        """Let time go by, then poll everything and deliver what is owed."""
        self.clock.advance(after)
        return await run_once(self.house, everything=True)

    async def hear(self, *entries: Entry, outlet: str = "herald") -> PassReport:
        """Publish, then poll and deliver."""
        self.publish(*entries, outlet=outlet)
        return await self.pass_by()


def a_setup(
    feeds: FeedServer,
    api: BotApi,
    folder: Path,
    rules: RuleSet,
    *,
    outlets: Sequence[str] = ("herald", "post", "globe"),
    chats: Mapping[int, Sequence[str]] | None = None,
    **delivery: object,
) -> Setup:
    """Return a setup with these outlets' feeds and these chats following these topics."""
    pace = {"hold": timedelta(0), "edit_every": timedelta(0), "chat_interval": timedelta(0), **delivery}
    following = {ADA: ("*",)} if chats is None else chats
    config = Config(
        data_dir=folder,
        feeds_file=None,
        store=StoreConfig(url=f"sqlite+aiosqlite:///{folder / 'topicwire.db'}"),
        polling=PollingConfig(host_interval=timedelta(0)),
        telegram=TelegramConfig(token=api.token, base_url=api.base_url, timeout=timedelta(seconds=1)),  # type: ignore[arg-type]  # pydantic turns texts into its types
        delivery=DeliveryConfig(**pace),  # type: ignore[arg-type]  # fields of the section
        chats=tuple(ChatConfig(id=chat, topics=tuple(topics)) for chat, topics in following.items()),
    )
    listed = tuple(
        Feed(id=FeedId(outlet), url=feeds.url(f"/{outlet}"), outlet=outlet.title(), allow_private=True)
        for outlet in outlets
    )
    return Setup(config=config, rules=rules, feeds=listed)


@asynccontextmanager
async def open_household(
    setup: Setup, feeds: FeedServer, api: BotApi, clock: FakeClock
) -> AsyncIterator[Household]:
    """Open a house as `app.open_house` does, but for the parser's own process and the clock."""
    async with AsyncExitStack() as stack:
        store, _ = await open_store(setup.config.database_url, clock)
        stack.push_async_callback(store.close)
        notifier = TelegramNotifier(make_bot(telegram_access(setup.config)))
        stack.push_async_callback(notifier.close)
        fetcher = await stack.enter_async_context(polite_fetcher(setup, clock))
        house = House(
            setup=setup,
            store=store,
            fetcher=fetcher,
            parser=PlainParser(),
            pages=PlainPageReader(),
            notifier=notifier,
            clock=clock,
        )
        await house.sender.recover(all_leases=True)
        stack.push_async_callback(house.finish)
        await house.settle_in(setup)
        yield Household(house=house, feeds=feeds, api=api, clock=clock)


def polite_fetcher(setup: Setup, clock: FakeClock) -> HttpFetcher:
    """Return a fetcher whose politeness goes by the test's clock."""
    return HttpFetcher(
        fetch_limits(setup.config),
        monotonic=lambda: clock.now().timestamp(),
        sleep=lambda seconds: clock.sleep(timedelta(seconds=seconds)),
        now=clock.now,
    )


@asynccontextmanager
async def world() -> AsyncIterator[tuple[FeedServer, BotApi]]:
    """Run the feed server and the Bot API."""
    async with feed_server() as feeds, BotApi() as api:
        yield feeds, api


def some_rules(folder: Path, text: str = RULES) -> RuleSet:
    """Return a rule set of that text, kept in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rules.yaml").write_text(text)
    return read_rules(folder)
