"""Many feeds of one host: it is asked gently, and left alone when it says so, by all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.model import FeedId, PollReason
from tests.clock import FakeClock
from tests.flow.household import Household, a_setup, an_entry, open_household, some_rules, world

FEEDS = [f"section-{number}" for number in range(100)]


@pytest.fixture
async def crowd(tmp_path: Path) -> AsyncIterator[Household]:
    clock = FakeClock()
    async with world() as (feeds, api):
        setup = a_setup(feeds, api, tmp_path, some_rules(tmp_path / "rules"), outlets=FEEDS)
        async with open_household(setup, feeds, api, clock) as home:
            for outlet in FEEDS:
                home.publish(an_entry(f"Old news of {outlet}"), outlet=outlet)
            await home.pass_by()
            home.feeds.asked.clear()
            yield home


async def test_a_host_that_asks_for_an_hour_is_asked_once_an_hour(crowd: Household) -> None:
    for outlet in FEEDS:
        crowd.feeds.serve(b"", path=f"/{outlet}", status=429, headers={"Retry-After": "3600"})
    asked = []

    for _ in range(14):  # of ten minutes each: the pauses begin at 0:10 and 1:10, and the last ends at 2:10
        await crowd.pass_by()
        asked.append(len(crowd.feeds.asked))

    assert asked == [1] * 6 + [2] * 6 + [3] * 2


async def test_after_its_pause_all_its_feeds_are_read(crowd: Household) -> None:
    for outlet in FEEDS:
        crowd.feeds.serve(b"", path=f"/{outlet}", status=429, headers={"Retry-After": "1800"})
    await crowd.pass_by()
    for outlet in FEEDS:
        crowd.publish(an_entry(f"Ferries of {outlet} are late"), outlet=outlet)

    report = await crowd.pass_by(after=timedelta(hours=2))

    assert report.summary()["new"] == len(FEEDS)
    polls = {outlet: await crowd.house.store.polls_of(FeedId(outlet), 1) for outlet in FEEDS}
    assert {poll.reason for [poll] in polls.values()} == {PollReason.FETCHED}
