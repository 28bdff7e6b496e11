"""Linked pages through the whole house: what a summary does not say, the page may."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web

from bot.store.schema import items, pages
from tests.feedserver import Answer
from tests.flow.household import some_rules
from tests.flow.readers import RULES, Readers, a_home

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
    assert "/secret" not in readers.server.paths


async def test_a_page_is_followed_to_where_it_moved(readers: Readers) -> None:
    readers.serve("/page", "Rare earths again.")
    for step in range(5):
        readers.server.redirect(f"/step/{step + 1}" if step < 4 else "/page", path=f"/step/{step}")

    report = await readers.hear(readers.links_to("/step/0"))

    assert (report.read, len(readers.told)) == (1, 1)


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
