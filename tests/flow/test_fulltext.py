"""Linked pages through the whole house: what a summary does not say, the page may."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from aiohttp import web

from bot.core.fulltext import PagePolicy
from bot.errors import StoreBusy
from bot.fulltext import LEASE, FullText, FullTextReport
from bot.model import Item, Match
from bot.polled import BUG, PollReport
from bot.rules import RuleSet
from bot.store.schema import items, pages
from tests.clock import FakeClock
from tests.feedserver import Answer, FeedServer
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
FILLER = "<p>The two ministers met in the harbour town for talks that lasted until the evening. </p>" * 6
WORDS = (
    *(
        "Antwerp",
        "Bogota",
        "Cairo",
        "Dakar",
        "Essen",
        "Faro",
        "Genoa",
        "Havana",
        "Ipswich",
        "Jakarta",
        "Kabul",
    ),
    *("Lagos", "Madrid", "Nairobi", "Oslo", "Paris", "Quito", "Riga", "Sofia", "Tunis", "Utrecht", "Vienna"),
)


class FragileRules:
    """Rules with a bug that one word brings to light."""

    def __init__(self, rules: RuleSet) -> None:
        self._rules = rules
        self.topics = rules.topics
        self.page_topics = rules.page_topics

    def match(self, item: Item) -> tuple[Match, ...]:
        """Return what the item matches."""
        if "boom" in item.content:
            raise RuntimeError("boom")
        return self._rules.match(item)


def a_page(says: str) -> str:
    """Return an article that says this somewhere in its middle."""
    return (
        "<!doctype html><html lang='en'><head><title>A deal</title></head><body><nav>rare earth news</nav>"
        f"<article><h1>A deal</h1>{FILLER}<p>{says}</p>{FILLER}</article></body></html>"
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


@pytest.fixture
async def readers(tmp_path: Path) -> AsyncIterator[Readers]:
    async with a_home(tmp_path) as readers:
        yield readers


# ---- the alert comes ---------------------------------------------------------------------------


async def test_a_page_tells_what_the_summary_does_not(readers: Readers) -> None:
    readers.serve("/page", "Rare earths from the mine go to Oslo.")

    report = await readers.hear(readers.links_to("/page"))

    assert (report.read, report.matched, report.alerts) == (1, 1, 1)
    assert len(readers.told) == 1
    assert "A deal is signed" in readers.told[0]
    assert "Metals" in readers.told[0]
    assert "Matched “Rare earths”" in readers.told[0]
    [item] = [row for row in await readers.rows(items) if row["title"] == "A deal is signed"]
    assert "Rare earths from the mine" in item["content"]
    assert item["summary"] == "The parties were content."


async def test_a_menu_is_no_article(readers: Readers) -> None:
    readers.serve("/page", "Herring from the bay go to Oslo.")

    report = await readers.hear(readers.links_to("/page"))

    assert (report.read, report.matched, readers.told) == (1, 0, [])


async def test_an_item_that_matches_by_itself_is_told_at_once_and_its_page_left_alone(
    readers: Readers,
) -> None:
    readers.serve("/page", "Rare earths again.")

    await readers.hear(readers.links_to("/page", "Rare earth deal is signed"))

    assert len(readers.told) == 1
    assert readers.asked == []


async def test_a_page_that_brings_a_further_topic_changes_the_message_that_stands(readers: Readers) -> None:
    readers.serve("/page", "Rare earths again.")

    await readers.hear(readers.links_to("/page", "Oil price deal is signed"))

    assert len(readers.told) == 1
    assert "Metals" in readers.told[0]
    assert "Oil" in readers.told[0]


async def test_a_feed_may_ask_for_the_pages_of_what_matches_nothing(tmp_path: Path) -> None:
    rules = RULES.replace("    content: fetch\n", "")
    async with a_home(tmp_path, rules=rules, feed_fetches=True) as readers:
        readers.serve("/page/1", "Rare earths again.")
        readers.serve("/page/2", "Rare earths again.")

        await readers.hear(
            readers.links_to("/page/1"), readers.links_to("/page/2", "Oil price falls for a third week")
        )

        assert readers.asked == ["/page/1"]
        assert sorted("Metals" in text for text in readers.told) == [False, True]


async def test_where_nobody_asks_no_page_is_read(tmp_path: Path) -> None:
    async with a_home(tmp_path, rules=RULES.replace("    content: fetch\n", "")) as readers:
        readers.serve("/page", "Rare earths again.")

        await readers.hear(readers.links_to("/page"))

        assert (readers.asked, readers.told) == ([], [])


async def test_a_page_is_read_once_and_told_once(readers: Readers) -> None:
    readers.serve("/page", "Rare earths again.")
    await readers.hear(readers.links_to("/page"))

    for _ in range(3):
        await readers.go_on()

    assert readers.asked == ["/page"]
    assert len(readers.told) == 1


async def test_an_edit_of_the_item_does_not_lose_its_page(readers: Readers) -> None:
    readers.serve("/page", "Rare earths again.")
    entry = readers.links_to("/page")
    await readers.hear(entry)

    readers.home.replace(replace(entry, summary="The parties were content, and said so."))
    await readers.go_on()

    [item] = [row for row in await readers.rows(items) if row["title"] == "A deal is signed"]
    assert item["summary"].endswith("said so.")
    assert "Rare earths again." in item["content"]
    assert len(readers.told) == 1
    assert readers.asked == ["/page"]


async def test_a_feeds_first_poll_reads_no_pages(tmp_path: Path) -> None:
    async with a_home(tmp_path, before=lambda readers: [readers.links_to("/page")]) as readers:
        readers.serve("/page", "Rare earths again.")

        await readers.go_on()

        assert (await readers.rows(pages), readers.asked, readers.told) == ([], [], [])


async def test_a_page_read_for_one_feed_serves_another(readers: Readers) -> None:
    readers.serve("/page", "Rare earths again.")
    await readers.hear(readers.links_to("/page"))

    report = await readers.hear(
        replace(readers.links_to("/page", "Ministers content with their deal"), guid="tag:other"),
        outlet="post",
    )

    assert (report.reused, readers.asked) == (1, ["/page"])
    rows = await readers.rows(pages)
    assert [row["state"] for row in rows] == ["read", "read"]


async def test_a_teaser_leaves_the_feeds_own_text(readers: Readers) -> None:
    readers.server.serve(
        "<html><body><article><p>Subscribe for rare earths.</p></article></body></html>",
        path="/page",
        content_type="text/html",
    )
    summary = "The parties were content after a night of talks that nobody had expected to end so soon."

    report = await readers.hear(readers.links_to("/page", summary=summary))

    assert (report.short, report.read, readers.told) == (1, 0, [])
    [item] = [row for row in await readers.rows(items) if row["title"] == "A deal is signed"]
    assert item["content"] == ""


async def test_a_topic_that_the_rules_gained_meanwhile_is_told_only_where_the_page_brings_it(
    readers: Readers, tmp_path: Path
) -> None:
    for path in ("/page/1", "/page/2"):
        readers.server.serve(b"", path=path, status=500)
    await readers.hear(readers.links_to("/page/1"), readers.links_to("/page/2", "Cobalt town celebrates"))
    new = "  - {id: cobalt, title: Cobalt, match: {en: [cobalt]}}\n"
    rules = some_rules(tmp_path / "new", RULES + new)
    await readers.home.house.reload(replace(readers.home.house.setup, rules=rules))

    for path, says in (("/page/1", "Cobalt again."), ("/page/2", "Herring again.")):
        readers.serve(path, says)
    report = await readers.go_on()

    assert (report.read, len(readers.told)) == (2, 1)
    assert "A deal is signed" in readers.told[0]


async def test_what_pages_of_a_flood_tell_leaves_as_a_digest(tmp_path: Path) -> None:
    async with a_home(tmp_path, per_minute=600) as readers:
        for number, word in enumerate(WORDS):
            readers.serve(f"/page/{number}", f"Rare earths for {word}.")
        flood = [readers.links_to(f"/page/{n}", f"{word} in the news") for n, word in enumerate(WORDS)]

        report = await readers.hear(*flood)
        await readers.go_on()

        assert report.matched == len(WORDS)
        assert report.alerts > 3
        assert len(readers.told) < 3


# ---- manners -----------------------------------------------------------------------------------


async def test_what_robots_txt_disallows_is_not_asked_for(readers: Readers) -> None:
    readers.serve("/page", "Rare earths again.")
    readers.server.serve("User-agent: *\nDisallow: /page", path="/robots.txt", content_type="text/plain")

    report = await readers.hear(readers.links_to("/page"))

    assert (report.refused, readers.asked, readers.told) == (1, [], [])
    [row] = await readers.rows(pages)
    assert (row["state"], row["text"]) == ("disallowed", "")
    assert "robots.txt disallows it" in row["error"]


async def test_a_page_leads_to_nothing_that_robots_txt_disallows(readers: Readers) -> None:
    readers.serve("/secret", "Rare earths again.")
    readers.server.redirect("/secret", path="/page")
    readers.server.serve("User-agent: *\nDisallow: /secret", path="/robots.txt", content_type="text/plain")

    report = await readers.hear(readers.links_to("/page"))

    assert (report.refused, readers.told) == (1, [])


async def test_pages_are_asked_for_as_pages(readers: Readers) -> None:
    readers.serve("/page", "Rare earths again.")

    await readers.hear(readers.links_to("/page"))

    headers = next(headers for path, headers in readers.server.asked if path == "/page")
    assert headers["Accept"].startswith("text/html")
    assert headers["User-Agent"].startswith("Topicwire")
    assert "Authorization" not in headers


async def test_no_minute_sees_more_pages_than_its_budget(tmp_path: Path) -> None:
    async with a_home(tmp_path, per_minute=3) as readers:
        times: list[float] = []
        for number in range(10):
            path = f"/page/{number}"
            readers.serve(path, f"Rare earths, part {number}.")
            readers.server.answers[path] = _noting(readers, readers.server.answers[path], times)
        readers.home.publish(
            *(readers.links_to(f"/page/{n}", f"Deal number {n} is signed") for n in range(10))
        )

        while len(times) < 10:
            await readers.go_on(timedelta(seconds=1))

        assert times[-1] - times[0] < 300
        assert all(later - one >= 60 for one, later in zip(times, times[3:], strict=False))


def _noting(readers: Readers, answer: Answer, times: list[float]) -> Answer:
    async def noted(request: web.BaseRequest) -> web.StreamResponse:
        times.append(readers.home.clock.now().timestamp())
        return await answer(request)

    return noted


async def test_a_budget_of_nothing_reads_nothing(tmp_path: Path) -> None:
    async with a_home(tmp_path, per_minute=0) as readers:
        readers.serve("/page", "Rare earths again.")

        await readers.hear(readers.links_to("/page"))

        assert (readers.asked, readers.told) == ([], [])


# ---- trouble -----------------------------------------------------------------------------------


async def test_a_page_of_a_feed_on_the_lan_may_not_be_on_another_machine_there(readers: Readers) -> None:
    readers.serve("/page", "Rare earths again.")
    elsewhere = readers.server.url("/page", host="localhost")
    clouds = "http://169.254.169.254/latest/meta-data"

    report = await readers.hear(
        readers.links_to("", "A deal is signed", link=elsewhere),
        readers.links_to("", "Weather for the weekend", link=clouds),
    )

    assert (report.refused, readers.server.paths.count("/robots.txt")) == (2, 0)
    assert (readers.asked, readers.told) == ([], [])
    assert [row["state"] for row in await readers.rows(pages)] == ["refused", "refused"]


async def test_a_page_on_the_lan_leads_to_no_text_of_another_machine_there(readers: Readers) -> None:
    readers.serve("/page", "Rare earths again.")
    readers.server.redirect(readers.server.url("/page", host="localhost"), path="/door")

    report = await readers.hear(readers.links_to("/door"))

    assert (report.refused, readers.told) == (1, [])
    [row] = await readers.rows(pages)
    assert "no public address" in row["error"]
    assert row["text"] == ""


@pytest.mark.parametrize(
    ("content_type", "body"),
    [("application/pdf", b"%PDF-1.7 rare earth"), ("image/png", b"\x89PNG\0\0"), ("text/html", b"")],
    ids=["PDF", "image", "empty"],
)
async def test_what_is_no_page_is_not_asked_for_again(
    readers: Readers, content_type: str, body: bytes
) -> None:
    readers.server.serve(body, path="/page", content_type=content_type)

    await readers.hear(readers.links_to("/page"))
    await readers.go_on(timedelta(hours=2))

    assert (readers.asked, readers.told) == (["/page"], [])
    [row] = await readers.rows(pages)
    assert row["state"] == "refused"


async def test_bad_weather_is_waited_for(readers: Readers) -> None:
    readers.server.serve(b"", path="/page", status=500)
    first = await readers.hear(readers.links_to("/page"))
    readers.serve("/page", "Rare earths again.")

    second = await readers.go_on()

    assert (first.later, second.read, second.alerts) == (1, 1, 1)
    assert len(readers.told) == 1


async def test_a_page_that_stays_away_is_given_up_with_its_reason(readers: Readers) -> None:
    readers.server.serve(b"", path="/page", status=500)
    await readers.hear(readers.links_to("/page"))

    for _ in range(10):
        await readers.go_on(timedelta(hours=3))

    assert readers.asked == ["/page"] * 4
    [row] = await readers.rows(pages)
    assert row["state"] == "given_up"
    assert "500" in row["error"]


async def test_a_bomb_harms_nothing(readers: Readers) -> None:
    readers.server.bomb(gzip.compress(b" " * 50_000_000), "gzip", path="/page/bomb")
    readers.serve("/page/good", "Rare earths again.")

    report = await readers.hear(
        readers.links_to("/page/bomb", "A bomb goes off"), readers.links_to("/page/good")
    )

    assert (report.refused, report.matched) == (1, 1)
    assert len(readers.told) == 1


async def test_a_page_that_hangs_holds_up_no_other_host(tmp_path: Path) -> None:
    async with a_home(tmp_path, elsewhere="post") as readers:
        readers.server.drip("/page")
        slow_page = readers.server.url("/page", host="localhost")
        readers.home.publish(readers.links_to("", link=slow_page), outlet="post")
        [slow] = await readers.poll_alone("post")
        assert await readers.fulltext.start_due() == 1

        readers.home.publish(an_entry("Oil price falls for a third week"), outlet="herald")
        [quick] = await readers.poll_alone("herald")

        assert (slow.alerts, quick.alerts) == (0, 1)
        await readers.fulltext.stop()
        row = (await readers.rows(pages))[0]
        assert (row["url"], row["state"], row["tries"]) == (slow_page, "waiting", 0)


async def test_reading_goes_on_after_a_crash(readers: Readers) -> None:
    readers.serve("/page", "Rare earths again.")
    readers.home.publish(readers.links_to("/page"))
    await readers.poll_alone()
    store, clock = readers.home.house.store, readers.home.clock
    lost = await store.claim_pages(clock.now(), LEASE, 4, (), PagePolicy())  # by a process that died then

    report = await readers.go_on(LEASE)

    assert (len(lost), report.read, len(readers.told)) == (1, 1, 1)


async def test_a_bug_that_one_page_meets_harms_no_other(readers: Readers) -> None:
    house = readers.home.house
    house.setup = replace(house.setup, rules=FragileRules(house.setup.rules))  # type: ignore[arg-type]  # what a house asks of rules
    readers.serve("/page/bad", "boom")
    readers.serve("/page/good", "Rare earths again.")

    await readers.hear(readers.links_to("/page/bad", "A boom is heard"), readers.links_to("/page/good"))

    assert len(readers.told) == 1
    became = {
        row["url"].rpartition("/")[2]: (row["state"], row["error"]) for row in await readers.rows(pages)
    }
    assert became == {"bad": ("given_up", BUG), "good": ("read", None)}


@pytest.mark.parametrize("trouble", [StoreBusy("held"), RuntimeError("a bug")], ids=["busy", "bug"])
async def test_trouble_in_claiming_pages_ends_no_tick(
    readers: Readers, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    async def claim(*_: object) -> None:
        raise trouble

    readers.serve("/page", "Rare earths again.")
    readers.home.publish(readers.links_to("/page"))
    await readers.poll_alone()
    with monkeypatch.context() as patched:
        patched.setattr(readers.home.house.store, "claim_pages", claim)
        assert await readers.fulltext.start_due() == 0

    assert (await readers.go_on()).read == 1
