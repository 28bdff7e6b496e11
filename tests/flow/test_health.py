"""Trouble with polling in a whole house: one word when it begins, one when it is over, never one a poll."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web

from bot.app import Setup
from bot.config_models import TelegramConfig
from bot.daemon import run_once
from bot.health import HealthReport, HealthWatch
from bot.metrics import Metrics
from bot.model import Address, ChatKind, FeedId, TroubleKind
from tests.botapi import BotApi
from tests.clock import FakeClock
from tests.feedserver import FeedServer
from tests.flow.household import Household, a_setup, an_entry, open_household, some_rules, world

OLGA, OTTO = 71, 72  # operators
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FIVE = ("one", "two", "three", "four", "five")


class Place:
    """A world that outlives the house in it."""

    def __init__(self, setup: Setup, feeds: FeedServer, api: BotApi) -> None:
        self.setup = setup
        self.feeds = feeds
        self.api = api
        self.clock = FakeClock()

    def house(self) -> AbstractAsyncContextManager[Household]:
        """Open the house, for the first time or again."""
        return open_household(self.setup, self.feeds, self.api, self.clock)

    def publish(self, *outlets: str) -> None:
        """Let these outlets' feeds be well."""
        for outlet in outlets or [feed.id for feed in self.setup.feeds]:
            entry = an_entry(f"Old news of the {outlet}").as_rss()
            self.feeds.serve(f'<rss version="2.0"><channel>{entry}</channel></rss>', path=f"/{outlet}")

    def fail(self, *outlets: str, status: int = 500) -> None:
        """Let these outlets' feeds fail."""
        for outlet in outlets or [feed.id for feed in self.setup.feeds]:
            self.feeds.serve(b"", path=f"/{outlet}", status=status)

    def told(self, operator: int = OLGA) -> list[str]:
        """Return what an operator was sent."""
        return [message.text for message in self.api.in_chat(operator)]


def with_operators(setup: Setup, operators: Sequence[int] = (OLGA,)) -> Setup:
    telegram = TelegramConfig(**{**dict(setup.config.telegram), "operators": tuple(operators)})
    return replace(setup, config=setup.config.model_copy(update={"telegram": telegram}))


@asynccontextmanager
async def a_place(
    tmp_path: Path, outlets: Sequence[str] = FIVE, operators: Sequence[int] = (OLGA,)
) -> AsyncIterator[Place]:
    async with world() as (feeds, api):
        setup = a_setup(feeds, api, tmp_path, some_rules(tmp_path / "rules"), outlets=outlets)
        place = Place(with_operators(setup, operators), feeds, api)
        place.publish()
        yield place


@asynccontextmanager
async def further_hosts(place: Place, hosts: Mapping[str, Sequence[str]]) -> AsyncIterator[None]:
    """Give the place feeds on further hosts of loopback, instead of those that it has."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        return await place.feeds.answers[request.path](request)

    listed = []
    async with AsyncExitStack() as stack:
        for host, outlets in hosts.items():
            listener = stack.enter_context(socket.create_server((host, 0)))
            runner = web.ServerRunner(web.Server(handle), shutdown_timeout=0.1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.SockSite(runner, listener).start()
            port = listener.getsockname()[1]
            for outlet in outlets:
                url = f"http://{host}:{port}/{outlet}"
                listed.append(replace(place.setup.feeds[0], id=FeedId(outlet), url=url, outlet=outlet))
        place.setup = replace(place.setup, feeds=tuple(listed))
        place.publish()
        yield


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with a_place(tmp_path) as place:
        yield place


async def live(home: Household, times: int, *, every: timedelta = 10 * MINUTE) -> list[HealthReport]:
    """Let that many passes go by."""
    return [(await home.pass_by(after=every)).health for _ in range(times)]


async def due_only(home: Household, times: int) -> list[HealthReport]:
    """Let passes go by, ten minutes apart, that poll only what is due."""
    reports = []
    for _ in range(times):
        home.clock.advance(10 * MINUTE)
        reports.append((await run_once(home.house)).health)
    return reports


# ---- hosts ------------------------------------------------------------------------------------


async def test_the_outage_of_a_host_is_told_once_at_its_start_and_once_at_its_end(place: Place) -> None:
    async with place.house() as home:
        await live(home, 2)
        place.fail()
        await live(home, 2)
        assert place.told() == []
        await live(home, 9)
        [start] = place.told()

        place.publish()
        await live(home, 2)
        assert place.told() == [start]
        await live(home, 9)

        [_, end] = place.told()
    assert "Host is down" in start and "127.0.0.1" in start and "500" in start
    assert start.count("•") == 1
    assert end.startswith("✅ Over") and "127.0.0.1" in end


async def test_a_feed_that_still_fails_after_its_hosts_outage_is_told_by_itself(place: Place) -> None:
    async with place.house() as home:
        await live(home, 2)
        place.fail()
        await live(home, 4)

        place.publish(*FIVE[1:])
        place.fail("one", status=404)
        await home.pass_by()
        await due_only(home, 30)

    [start, end, own] = place.told()
    assert "Host is down" in start and start.count("•") == 1
    assert "Host is down" in end and end.count("•") == 1
    assert "Refused" in own and "One one" in own and own.count("•") == 1


async def test_a_host_that_answers_every_other_time_alarms_nobody(place: Place) -> None:
    async with place.house() as home:
        for _ in range(12):
            place.fail()
            await live(home, 1)
            place.publish()
            await live(home, 1)

    assert place.told() == []


# ---- feeds ------------------------------------------------------------------------------------


async def test_a_feed_that_fails_for_a_day_is_told_once_and_its_end_once(place: Place) -> None:
    async with place.house() as home:
        await live(home, 1)
        place.fail("two")
        await live(home, 4, every=6 * HOUR)
        assert place.told() == []
        await live(home, 6, every=6 * HOUR)
        [start] = place.told()

        place.publish("two")
        await live(home, 4, every=6 * HOUR)

    assert "No good poll" in start and "Two two" in start and "500" in start
    assert [text.splitlines()[0] for text in place.told()] == ["⚠️ Trouble with feeds", "✅ Over"]


async def test_of_sixty_new_feeds_the_five_dead_ones_are_told_in_one_message(tmp_path: Path) -> None:
    outlets = [f"outlet{number}" for number in range(60)]
    async with a_place(tmp_path, outlets) as place:
        place.fail(*outlets[:5], status=404)
        async with place.house() as home:
            await live(home, 6, every=20 * MINUTE)

    [start] = place.told()
    assert start.count("•") == 5
    assert start.count("Refused") == 1


async def test_a_page_that_asks_to_come_back_in_a_minute_alarms_nobody(place: Place) -> None:
    async with place.house() as home:
        await live(home, 1)
        place.feeds.serve("<html>Back in a minute</html>", path="/two", content_type="text/html")
        await live(home, 4)
        place.publish("two")
        await live(home, 8)

    assert place.told() == []


async def test_missed_items_are_told_once_and_their_end_after_a_day(place: Place) -> None:
    async with place.house() as home:

        def show(number: int) -> None:
            home.replace(*(an_entry(f"News {number} {letter}") for letter in "abcdef"), outlet="two")

        show(0)
        await live(home, 1)
        for number in range(1, 5):
            show(number)
            await live(home, 1)
        [start] = place.told()
        await live(home, 6, every=6 * HOUR)

    assert "Items missed" in start
    assert [text.splitlines()[0] for text in place.told()] == ["⚠️ Trouble with feeds", "✅ Over"]


async def test_a_silent_feed_is_told_once_and_speaks_again(place: Place) -> None:
    async with place.house() as home:
        await live(home, 1)
        for _ in range(9):
            others = [outlet for outlet in FIVE if outlet != "two"]
            for outlet in others:
                home.publish(an_entry(f"News at {place.clock.now()} {outlet}"), outlet=outlet)
            await live(home, 1, every=DAY)
        [start] = place.told()

        await home.hear(an_entry("It speaks"), an_entry("Old news of the two"), outlet="two")

    assert "Silent" in start and "Two two" in start and start.count("•") == 1
    assert [text.splitlines()[0] for text in place.told()] == ["⚠️ Trouble with feeds", "✅ Over"]


async def test_what_becomes_of_a_removed_feed_is_told_to_nobody(place: Place) -> None:
    async with place.house() as home:
        place.fail("two", status=404)
        await live(home, 8)
        assert len(place.told()) == 1

        fewer = tuple(feed for feed in place.setup.feeds if feed.id != "two")
        await home.house.settle_in(replace(place.setup, feeds=fewer))
        [report] = await live(home, 1)

    assert (report.lasting, report.ended, len(place.told())) == ((), (), 1)


# ---- the network ------------------------------------------------------------------------------

HOSTS = {
    "127.0.0.2": ("two-a", "two-b", "two-c"),
    "127.0.0.3": ("three",),
    "127.0.0.4": ("four",),
    "127.0.0.5": ("five",),
}


async def test_when_our_own_network_is_down_that_is_told_in_one_message(place: Place) -> None:
    async with further_hosts(place, HOSTS), place.house() as home:
        await live(home, 2)
        place.fail()
        await live(home, 12)
        [start] = place.told()

        place.publish()
        await live(home, 12)

    assert "Hardly any host answers" in start and "Host is down" not in start
    assert [text.splitlines()[0] for text in place.told()] == ["⚠️ Trouble with feeds", "✅ Over"]


async def test_feeds_that_were_not_yet_asked_again_after_a_day_without_network_are_not_told(
    place: Place,
) -> None:
    async with further_hosts(place, HOSTS), place.house() as home:
        await live(home, 1)
        place.fail()
        await live(home, 10, every=4 * HOUR)
        place.publish()
        for _ in range(48):  # by now the feeds are asked hours apart
            await due_only(home, 1)

    assert [text.splitlines()[0] for text in place.told()] == ["⚠️ Trouble with feeds", "✅ Over"]


async def test_one_host_of_four_is_not_taken_for_the_network(place: Place) -> None:
    async with further_hosts(place, HOSTS), place.house() as home:
        await live(home, 1)
        place.fail("two-a", "two-b", "two-c")
        await live(home, 5)

    [start] = place.told()
    assert "127.0.0.2" in start and "Host is down" in start


# ---- restarts, languages, operators -----------------------------------------------------------


async def test_a_restart_in_the_middle_repeats_and_loses_nothing(place: Place) -> None:
    async with place.house() as home:
        await live(home, 1)
        place.fail()
        await live(home, 2)
    async with place.house() as home:
        await live(home, 3)
        assert len(place.told()) == 1
    async with place.house() as home:
        await live(home, 3)
        place.publish()
        await live(home, 2)
    async with place.house() as home:
        await live(home, 6)

    assert [text.splitlines()[0] for text in place.told()] == ["⚠️ Trouble with feeds", "✅ Over"]


async def test_a_word_that_is_owed_when_the_house_falls_leaves_after_the_next_start(place: Place) -> None:
    async with place.house() as home:
        await live(home, 1)
        place.fail()
        await live(home, 2)
        place.clock.advance(10 * MINUTE)
        report = await home.house.health.check()
        assert [one.kind for one in report.begun] == [TroubleKind.OUTAGE]
        assert place.told() == []

    async with place.house() as home:
        await live(home, 3)

    assert len(place.told()) == 1


async def test_each_operator_is_told_in_their_language(tmp_path: Path) -> None:
    async with a_place(tmp_path, operators=(OLGA, OTTO)) as place, place.house() as home:
        await home.house.store.register_chat(
            Address(telegram_id=OTTO),
            kind=ChatKind.PRIVATE,
            title="Otto",
            language="de",
            now=place.clock.now(),
        )
        place.fail("two", status=404)
        await live(home, 8)

        assert ["Refused" in text for text in place.told(OLGA)] == [True]
        assert ["Abgelehnt" in text for text in place.told(OTTO)] == [True]


async def test_troubles_are_known_also_where_nobody_is_told(tmp_path: Path) -> None:
    async with a_place(tmp_path, operators=()) as place, place.house() as home:
        place.fail("two", status=404)
        reports = await live(home, 8)

    assert [one.kind for one in reports[-1].lasting] == [TroubleKind.REFUSED]


async def test_a_feed_that_floods_at_each_poll_is_told_once_and_its_end_once(place: Place) -> None:
    async with place.house() as home:
        await live(home, 1)
        reports = []
        for hour in range(6):
            home.replace(*(an_entry(f"Event {hour} of {number}") for number in range(25)), outlet="two")
            reports += await live(home, 1, every=HOUR)
        reports += await live(home, 1)
        [start] = [text for text in place.told() if "More news at once" in text]
        in_health = await home.house.store.summary(place.clock.now())
        await live(home, 23, every=HOUR)
        assert sum("More news at once" in text for text in place.told()) == 1
        await live(home, 3, every=HOUR)

    floods = [one for report in reports for one in report.begun if one.kind is TroubleKind.FLOOD]
    assert [(one.key, one.detail) for one in floods] == [("two", "25/25")]
    assert TroubleKind.FLOOD in {one.kind for one in reports[-1].lasting}
    assert TroubleKind.FLOOD in {one.kind for one in in_health.troubles}
    assert "25/25" in start
    [_, end] = [text for text in place.told() if "More news at once" in text]
    assert end.startswith("✅ Over")


async def test_numbers_show_how_the_house_fared_at_the_last_check(place: Place) -> None:
    async with place.house() as home:
        place.fail("two", status=404)
        metrics = Metrics()
        watch = HealthWatch(
            store=home.house.store, clock=place.clock, operators=home.house.operators, metrics=metrics
        )
        await live(home, 8)

        await watch.check()

    def number(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(name, labels)

    assert number("topicwire_feeds", state="live") == 5
    assert number("topicwire_feeds", state="failing") == 1
    assert number("topicwire_troubles", kind="refused") == 1
    assert number("topicwire_last_poll_timestamp_seconds") == place.clock.now().timestamp()


async def test_polls_items_matches_and_deliveries_of_a_house_are_counted(place: Place) -> None:
    async with place.house() as home:
        await live(home, 1)
        home.publish(an_entry("Gas price rises"), outlet="two")
        place.fail("one")
        await live(home, 1)

        registry = home.house.metrics.registry

    def number(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, labels)

    assert number("topicwire_polls_total", reason="fetched") == 6
    assert number("topicwire_polls_total", reason="temporary") == 1
    assert number("topicwire_polls_total", reason="same_body") == 3
    assert number("topicwire_items_total", reason="new") == 1
    assert (number("topicwire_received_bytes_total") or 0) > 1000
    assert number("topicwire_matches_total", topic="gas") == 1
    assert number("topicwire_alerts_total") == 1
    assert number("topicwire_deliveries_total", result="sent") == 1
    assert number("topicwire_poll_seconds_count") == 10
