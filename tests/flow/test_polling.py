"""Polling through the whole house: what is remembered of each poll, what is no news, and manners."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from bot.core.identity import sort_items
from bot.core.schedule import NextPollReason
from bot.model import FeedId, PollReason
from bot.ports import PollRecord
from tests.clock import FakeClock
from tests.flow.household import Entry, Household, a_setup, an_entry, open_household, some_rules, world

HERALD = FeedId("herald")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def last_poll(home: Household, feed: FeedId = HERALD) -> PollRecord:
    [record] = await home.house.store.polls_of(feed, 1)
    return record


def gas_news(count: int, *, host: str = "news.example", scheme: str = "http", first: int = 0) -> list[Entry]:
    """Return so many entries on gas, each another story, with guids that are their links."""
    towns = ["Aberg", "Bjelke", "Carlow", "Drammen", "Esbjerg", "Falster", "Gotland", "Hvidovre", "Ilulissat"]
    return [
        Entry(
            title=f"Gas pipeline {towns[nth % len(towns)]}hamn number {nth} {towns[nth % len(towns)]}",
            link=f"{scheme}://{host}/{nth}",
            guid=f"{scheme}://{host}/{nth}",
        )
        for nth in range(first, first + count)
    ]


def dated(entries: list[Entry], newest: datetime, apart: timedelta) -> list[Entry]:
    """Return the entries with dates, the first one the newest."""
    return [
        Entry(
            title=entry.title,
            link=entry.link,
            guid=entry.guid,
            date=format_datetime(newest - nth * apart),
        )
        for nth, entry in enumerate(entries)
    ]


# ---- each poll is remembered with its reason ---------------------------------------------------


async def test_a_poll_is_remembered_with_what_it_brought_and_why_the_next_is_when_it_is(
    home: Household,
) -> None:
    await home.hear(an_entry())

    record = await last_poll(home)
    assert (record.reason, record.status, record.items, record.new) == (PollReason.FETCHED, 200, 2, 1)
    assert record.received > 100
    assert record.next_poll_why is NextPollReason.INTERVAL
    assert record.next_poll_at == record.at + timedelta(minutes=15)


async def test_a_poll_of_an_unchanged_body_reads_no_items(home: Household) -> None:
    await home.pass_by()

    record = await last_poll(home)
    assert (record.reason, record.status, record.items, record.new) == (PollReason.SAME_BODY, 200, None, None)


async def test_a_304_is_remembered_as_such(home: Household) -> None:
    home.feeds.serve(
        "<rss version='2.0'><channel><item><title>A</title></item></channel></rss>",
        path="/herald",
        headers={"ETag": '"1"'},
    )
    await home.pass_by()
    await home.pass_by()

    record = await last_poll(home)
    assert (record.reason, record.status, record.received) == (PollReason.NOT_MODIFIED, 304, 0)


async def test_a_failed_poll_is_remembered_with_what_was_said(home: Household) -> None:
    home.feeds.serve("", path="/herald", status=500)
    await home.pass_by()

    record = await last_poll(home)
    assert (record.reason, record.status) == (PollReason.TEMPORARY, 500)
    assert record.error is not None
    assert "answered 500" in record.error
    assert record.next_poll_why is NextPollReason.BACKOFF


# ---- what is no news ---------------------------------------------------------------------------


@pytest.fixture
async def small(home: Household) -> Household:
    """Return the home with ten gas stories on the herald's feed, told."""
    await home.hear(*gas_news(10))
    assert len(home.sent) == 10
    return home


async def test_guids_that_change_their_scheme_are_no_news(small: Household) -> None:
    small.replace(*gas_news(10, scheme="https"))
    await small.pass_by()

    assert len(small.sent) == 10


async def test_guids_that_are_all_renewed_are_no_news(small: Household) -> None:
    renewed = [Entry(title=one.title, link=one.link, guid=f"new-{one.guid}") for one in gas_news(10)]
    small.replace(*renewed)
    await small.pass_by()

    assert len(small.sent) == 10


async def test_an_edit_after_guids_were_renewed_is_no_news(small: Household) -> None:
    renewed = [Entry(title=one.title, link=one.link, guid=f"new-{one.guid}") for one in gas_news(10)]
    small.replace(*renewed)
    await small.pass_by()
    small.replace(*(Entry(title=f"{one.title}!", link=one.link, guid=one.guid) for one in renewed))
    await small.pass_by()

    assert len(small.sent) == 10


async def test_a_feed_that_slides_back_and_forth_is_no_news(small: Household) -> None:
    small.replace(*gas_news(5, first=5))
    await small.pass_by()
    small.replace(*gas_news(10))
    await small.pass_by()

    assert len(small.sent) == 10


async def test_a_feed_that_moves_with_all_links_and_guids_to_another_domain_is_no_news(
    small: Household,
) -> None:
    small.feeds.redirect(small.feeds.url("/moved"), path="/herald", status=301)
    small.replace(*gas_news(10, host="www.other.example"), outlet="moved")
    await small.pass_by()

    assert len(small.sent) == 10


async def test_news_behind_a_permanent_redirect_is_told(small: Household) -> None:
    small.feeds.redirect(small.feeds.url("/moved"), path="/herald", status=301)
    small.replace(an_entry("Gas price rises"), *gas_news(10, host="www.other.example"), outlet="moved")
    await small.pass_by()

    assert len(small.sent) == 11


async def test_an_archive_that_is_replayed_is_no_news(home: Household) -> None:
    now = home.clock.now()
    home.replace(*dated(gas_news(10, first=100), now, HOUR))
    await home.pass_by()
    told = len(home.sent)

    home.replace(
        *dated(gas_news(10, first=100), now, HOUR),
        *dated(gas_news(60, first=200), now - 31 * DAY, DAY),
    )
    await home.pass_by()

    assert len(home.sent) == told


async def test_a_window_that_grows_backwards_is_no_news(tmp_path: Path) -> None:
    async with fresh_home(tmp_path, ("herald",)) as home:
        now = home.clock.now()
        home.replace(*dated(gas_news(10), now, HOUR))
        await home.pass_by()

        home.replace(*dated(gas_news(15), now, HOUR))
        await home.pass_by()

        assert home.sent == []


async def test_permanent_redirects_are_learned_after_a_week_and_then_asked_directly(
    small: Household,
) -> None:
    small.feeds.redirect(small.feeds.url("/moved"), path="/herald", status=301)
    for day in range(8):
        small.replace(*gas_news(10 + day), outlet="moved")
        await small.pass_by(after=DAY)
    small.feeds.asked.clear()

    await small.pass_by(after=DAY)

    asked = [path for path in small.feeds.paths if path in {"/herald", "/moved"}]
    assert asked == ["/moved"]
    assert len(small.sent) == 17


# ---- manners -----------------------------------------------------------------------------------


@asynccontextmanager
async def fresh_home(folder: Path, outlets: tuple[str, ...]) -> AsyncIterator[Household]:
    """Yield a house whose feeds were never polled."""
    async with world() as (feeds, api):
        setup = a_setup(feeds, api, folder, some_rules(folder / "rules"), outlets=outlets)
        async with open_household(setup, feeds, api, FakeClock()) as home:
            yield home


async def test_of_a_hundred_feeds_on_a_host_that_answers_429_one_asks_in_each_window(tmp_path: Path) -> None:
    outlets = tuple(f"outlet{nth}" for nth in range(100))
    async with world() as (feeds, api):
        setup = a_setup(feeds, api, tmp_path, some_rules(tmp_path / "rules"), outlets=outlets)
        for outlet in outlets:
            feeds.serve("", path=f"/{outlet}", status=429, headers={"Retry-After": "600"})
        clock = FakeClock()
        requests = []
        for _ in range(6):  # as from cron: each pass is a process of its own
            async with open_household(setup, feeds, api, clock) as home:
                before = len(feeds.asked)
                await home.pass_by(after=timedelta(minutes=5))
                requests.append(len(feeds.asked) - before)

    assert max(requests) == 1
    assert sum(requests) == 3  # half an hour holds three windows of ten minutes


async def test_after_a_429_every_feed_of_the_host_is_read(tmp_path: Path) -> None:
    async with fresh_home(tmp_path, tuple(f"outlet{nth}" for nth in range(20))) as home:
        for nth in range(20):
            home.feeds.serve("", path=f"/outlet{nth}", status=429, headers={"Retry-After": "600"})
        await home.pass_by()
        for nth in range(20):
            home.publish(an_entry(f"Harbour news {nth}"), outlet=f"outlet{nth}")

        report = await home.pass_by(after=timedelta(minutes=11))

    assert report.summary()["items"] == 20
    assert report.summary()["failed_polls"] == 0


# ---- many polls, one transaction ---------------------------------------------------------------


async def test_a_bug_with_one_feed_harms_none_that_is_written_with_it(
    home: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(items: object, *args: object, **more: object) -> object:
        found = sort_items(items, *args, **more)  # type: ignore[arg-type]  # handed through
        if any("poison" in one.item.title for one in found):
            raise ZeroDivisionError
        return found

    monkeypatch.setattr("bot.keeping.sort_items", broken)
    home.publish(an_entry("poison"), outlet="post")
    home.publish(an_entry("Gas price rises"), outlet="herald")
    home.publish(an_entry("Oil tanker burns off Lolland"), outlet="globe")

    report = await home.pass_by()

    assert {poll.feed: poll.reason for poll in report.polls} == {
        "herald": PollReason.FETCHED,
        "post": PollReason.BROKEN,
        "globe": PollReason.FETCHED,
    }
    assert len(home.sent) == 2
    assert (await last_poll(home, FeedId("post"))).reason is PollReason.BROKEN


async def test_a_feed_over_the_limit_that_lists_the_oldest_first_tells_its_news(home: Household) -> None:
    now = home.clock.now()
    old = dated(gas_news(600), now - HOUR, timedelta(minutes=1))
    home.replace(*reversed(old))
    await home.pass_by()
    told = len(home.sent)

    home.replace(*reversed(old), *dated([an_entry("Oil tanker burns off Lolland")], now, HOUR))
    await home.pass_by()

    assert len(home.sent) == told + 1
