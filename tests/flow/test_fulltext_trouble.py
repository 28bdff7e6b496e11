"""Linked pages that lead astray, hang, swell or meet a bug: nothing is lost, and nobody else is held up."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.fulltext import PagePolicy
from bot.errors import StoreBusy
from bot.fulltext import LEASE
from bot.model import Item, Match
from bot.polled import BUG
from bot.rules import RuleSet
from bot.store.pages import KEPT
from bot.store.schema import pages
from tests.flow.household import an_entry
from tests.flow.readers import Readers, a_home


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


@pytest.fixture
async def readers(tmp_path: Path) -> AsyncIterator[Readers]:
    async with a_home(tmp_path) as readers:
        yield readers


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
    assert readers.asked == []


async def test_a_page_that_leads_in_a_circle_is_refused(readers: Readers) -> None:
    readers.server.redirect("/page/b", path="/page/a")
    readers.server.redirect("/page/a", path="/page/b")

    report = await readers.hear(readers.links_to("/page/a"))

    assert (report.refused, len(readers.asked)) == (1, 6)


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


async def test_pages_of_old_items_are_forgotten(readers: Readers) -> None:
    readers.serve("/page", "Rare earths again.")
    await readers.hear(readers.links_to("/page"))

    await readers.go_on(KEPT)

    assert await readers.rows(pages) == []


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
