"""A household whose pages are read, for flow tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from bot.fulltext import FullText, FullTextReport
from bot.polled import PollReport
from tests.clock import FakeClock
from tests.feedserver import FeedServer
from tests.flow.household import Entry, Household, a_setup, an_entry, open_household, some_rules, world

RULES = """
version: 1
topics:
  - id: metals
    title: {en: Metals}
    content: fetch
    match: {en: [rare earth]}
  - id: oil
    title: {en: Oil}
    match: {en: [oil price]}
"""
BEFORE = "<p>The two ministers met in the harbour town for talks that lasted until the evening.</p>"
AFTER = "<p>A second round is planned for autumn, when the new quay will have been opened to ships.</p>"


def a_page(says: str) -> str:
    """Return an article that says this somewhere in its middle."""
    return (
        "<!doctype html><html lang='en'><head><title>A deal</title></head><body><nav>rare earth news</nav>"
        f"<article><h1>A deal</h1>{BEFORE}<p>{says}</p>{AFTER}</article></body></html>"
    )


@dataclass(slots=True)
class Readers:
    """A household whose pages are read."""

    home: Household

    @property
    def fulltext(self) -> FullText:
        """The house's reader of pages."""
        return self.home.house.full_text

    @property
    def server(self) -> FeedServer:
        """The server of the feeds and of their pages."""
        return self.home.feeds

    @property
    def asked(self) -> list[str]:
        """Return the pages asked for: neither feeds nor robots.txt."""
        return [path for path in self.server.paths if path.startswith("/page")]

    @property
    def told(self) -> list[str]:
        """Return what the chats were told."""
        return [message.text for message in self.home.sent]

    def serve(self, path: str, says: str) -> None:
        """Put a page onto the server."""
        self.server.serve(a_page(says), path=path, content_type="text/html; charset=utf-8")

    def links_to(self, path: str, title: str = "A deal is signed", **facts: str) -> Entry:
        """Return an entry that says nothing and links to a page."""
        base = {"link": self.server.url(path), "summary": "The parties were content."}
        return an_entry(title, **base | facts)

    async def hear(self, *entries: Entry, outlet: str = "herald") -> FullTextReport:
        """Publish, poll, read pages, and deliver."""
        return (await self.home.hear(*entries, outlet=outlet)).pages

    async def go_on(self, after: timedelta = timedelta(minutes=10)) -> FullTextReport:
        """Let time go by, poll, read pages, and deliver."""
        return (await self.home.pass_by(after=after)).pages

    async def poll_alone(self, outlet: str = "herald") -> list[PollReport]:
        """Poll one feed, and neither read pages nor deliver."""
        house, clock = self.home.house, self.home.clock
        clock.advance(timedelta(hours=5))
        due = await house.store.claim_feeds(clock.now(), timedelta(minutes=2), 10)
        mine = [one for one in due if one.feed.id == outlet]
        await house.store.release_feeds([one for one in due if one.feed.id != outlet])
        return await house.poller.poll_feeds(mine)

    async def rows(self, table: sa.Table) -> Sequence[sa.RowMapping]:
        """Return a table's rows, the oldest first."""
        async with self.home.house.store._db.reading() as connection:
            query = sa.select(table).order_by(*table.primary_key)
            return (await connection.execute(query)).mappings().all()


@asynccontextmanager
async def a_home(
    folder: Path,
    *,
    rules: str = RULES,
    feed_fetches: bool = False,
    per_minute: int = 30,
    before: Callable[[Readers], Sequence[Entry]] = lambda _: (),
    elsewhere: str = "",
) -> AsyncIterator[Readers]:
    """Open a household, its feeds polled once.

    Args:
        before: What the herald's feed holds at that first poll.
        elsewhere: The outlet that has a host of its own.
    """
    async with world() as (feeds, api):
        setup = a_setup(feeds, api, folder, some_rules(folder / "rules", rules))
        polling = setup.config.polling.model_copy(update={"pages_per_minute": per_minute})
        setup = replace(
            setup,
            config=setup.config.model_copy(update={"polling": polling}),
            feeds=tuple(
                replace(
                    feed,
                    fetch_content=feed_fetches,
                    url=feeds.url(f"/{feed.id}", "localhost" if feed.id == elsewhere else "127.0.0.1"),
                )
                for feed in setup.feeds
            ),
        )
        async with open_household(setup, feeds, api, FakeClock()) as home:
            readers = Readers(home)
            for outlet in ("herald", "post", "globe"):
                home.publish(an_entry(f"Old news of the {outlet}"), outlet=outlet)
            home.publish(*before(readers))
            await home.pass_by()
            yield readers
