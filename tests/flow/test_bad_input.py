"""Whatever a feed says, the outcome is clear, and nobody else pays for it."""

from __future__ import annotations

import pytest

from bot.app import feed_lease
from bot.model import PollReason
from tests.flow.household import Household, an_entry

NOT_FEEDS = {
    "a log-in page": ("<!doctype html><html><title>Log in</title></html>", "text/html"),
    "nothing": ("", "application/rss+xml"),
    "a picture": ("\x89PNG\r\n\x1a\n" + "\x00" * 500, "image/png"),
    "JSON that is no feed": ('{"error": "no such page"}', "application/json"),
}


@pytest.mark.parametrize("what", NOT_FEEDS)
async def test_what_is_no_feed_is_reported_and_others_are_read(home: Household, what: str) -> None:
    body, kind = NOT_FEEDS[what]
    home.feeds.serve(body, path="/post", content_type=kind)

    report = await home.hear(an_entry(), outlet="herald")

    [sick] = report.sick
    assert (sick.feed, sick.reason) == ("post", PollReason.UNREADABLE)
    assert len(home.sent) == 1


async def test_a_feed_that_comes_back_is_read_on_and_no_longer_sick(home: Household) -> None:
    home.feeds.serve("", path="/herald")
    await home.pass_by()

    report = await home.hear(an_entry())

    assert report.sick == []
    assert len(home.sent) == 1


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        pytest.param("Gas price <b>rises</b>", "Gas price rises", id="markup"),
        pytest.param("Gas price rises<script>alert(1)</script>", "Gas price rises", id="script"),
        pytest.param("Gas&nbsp;price rises &amp; falls", "Gas price rises & falls", id="entities"),
        pytest.param("Gas price \u202ereversed", "Gas price reversed", id="right-to-left override"),
        pytest.param("Gas\u00adpreis steigt", "preis steigt", id="soft hyphen"),
        pytest.param("Gas price <i>rises & </b>falls", "Gas price rises", id="broken markup"),
    ],
)
async def test_what_stands_in_titles_is_shown_as_text(home: Household, title: str, shown: str) -> None:
    await home.hear(an_entry(title))

    [message] = home.sent
    assert shown in message.text
    assert "script" not in message.text
    assert "\u202e" not in message.text
    assert home.api.rejected == []


async def test_a_title_of_a_megabyte_becomes_a_message_of_telegrams_size(home: Household) -> None:
    await home.hear(an_entry("Gas price rises " + "very " * 200_000, link="https://news.example/1", guid="1"))

    [message] = home.sent
    assert len(message.text) <= 4096
    assert home.api.rejected == []


async def test_an_item_without_guid_link_and_date_is_told_once(home: Household) -> None:
    bare = an_entry("Gas price rises", link="", guid="")
    await home.hear(bare)

    await home.hear(an_entry("Something else"))

    assert len(home.sent) == 1


async def test_a_link_that_is_no_web_address_is_not_linked(home: Household) -> None:
    await home.hear(an_entry("Gas price rises", link="javascript:alert(1)"))

    [message] = home.sent
    assert "javascript" not in message.raw


async def test_an_item_that_breaks_the_matcher_harms_no_other(
    home: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = home.house.setup.rules
    match = type(rules).match

    def breaks(self: object, item: object) -> object:
        if getattr(item, "title", "") == "Poison":
            raise RuntimeError("a bug")
        return match(self, item)  # type: ignore[arg-type]  # the same two

    monkeypatch.setattr(type(rules), "match", breaks)

    await home.hear(an_entry("Poison"), an_entry())

    assert len(home.sent) == 1


async def test_a_poll_that_meets_a_bug_backs_off_and_calls_the_operator(
    home: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*args: object, **facts: object) -> object:
        raise RuntimeError("a bug")

    monkeypatch.setattr("bot.telling.decide_alert", breaks)
    report = await home.hear(an_entry())
    monkeypatch.undo()

    assert [(sick.feed, sick.reason) for sick in report.sick] == [("herald", PollReason.BROKEN)]
    assert report.needs_operator

    await home.pass_by()
    assert len(home.sent) == 1  # nothing of the broken poll was kept, so the item is still new


async def test_a_disk_that_is_full_keeps_the_news_for_the_next_poll(home: Household) -> None:
    db = home.house.store._db
    async with db.writing() as connection:
        pages = (await connection.exec_driver_sql("PRAGMA page_count")).scalar_one()
        await connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    rest = [an_entry(f"Ferry number {number} is late", summary="word " * 900) for number in range(15)]

    report = await home.hear(an_entry(), *rest)
    async with db.writing() as connection:
        await connection.exec_driver_sql("PRAGMA max_page_count=1000000")

    [poll] = [poll for poll in report.polls if poll.feed == "herald"]
    assert "the disk is full" in str(poll.error)
    assert home.sent == []

    home.clock.advance(feed_lease(home.house.setup.config))
    await home.pass_by()
    assert len(home.sent) == 1
