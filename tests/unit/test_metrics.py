"""What is counted, under which names, and that it can be read over loopback."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.core.health_summary import Summary
from bot.errors import ConfigInvalid
from bot.metrics import Metrics, serve
from bot.model import (
    ItemReason,
    PollReason,
    SendReason,
    TopicId,
    Trouble,
    TroubleKind,
    TroubleScope,
)
from tests.clock import START, FakeClock


class Scraped:
    """Somebody who reads the numbers of a house over HTTP."""

    def __init__(self, metrics: Metrics, clock: FakeClock, port: int) -> None:
        self.metrics = metrics
        self.clock = clock
        self.port = port

    async def get(self, path: str, accept: str = "") -> tuple[int, str, str]:
        """Return status, content type and text."""
        url = f"http://127.0.0.1:{self.port}{path}"
        async with aiohttp.ClientSession() as session, session.get(url, headers={"Accept": accept}) as answer:
            return answer.status, answer.headers["Content-Type"], await answer.text()

    async def numbers(self) -> dict[str, float]:
        """Return the samples by name and labels."""
        _, _, text = await self.get("/metrics")
        return {
            sample.name + "".join(f",{value}" for value in sample.labels.values()): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }


@pytest.fixture
async def scraped() -> AsyncIterator[Scraped]:
    metrics, clock = Metrics(), FakeClock()
    async with serve(metrics, "127.0.0.1:0", clock.now) as port:
        assert port is not None
        yield Scraped(metrics, clock, port)


async def test_a_poll_is_counted_with_its_reason_bytes_and_items(scraped: Scraped) -> None:
    items = {ItemReason.NEW: 3, ItemReason.SEEN: 20}

    scraped.metrics.polled(PollReason.FETCHED, received=5000, items=items, alerts=2)
    scraped.metrics.took(timedelta(seconds=0.2))
    scraped.metrics.polled(PollReason.TEMPORARY)
    scraped.metrics.took(timedelta(seconds=30))

    found = await scraped.numbers()
    assert found["topicwire_polls_total,fetched"] == 1
    assert found["topicwire_polls_total,temporary"] == 1
    assert found["topicwire_polls_total,gone"] == 0
    assert found["topicwire_received_bytes_total"] == 5000
    assert (found["topicwire_items_total,new"], found["topicwire_items_total,seen"]) == (3, 20)
    assert found["topicwire_alerts_total"] == 2
    assert (found["topicwire_poll_seconds_count"], found["topicwire_poll_seconds_sum"]) == (2, 30.2)
    assert found["topicwire_poll_seconds_bucket,0.25"] == 1


async def test_matches_and_deliveries_are_counted(scraped: Scraped) -> None:
    scraped.metrics.matched([TopicId("gas"), TopicId("oil")])
    scraped.metrics.matched([TopicId("gas")])
    scraped.metrics.delivered(SendReason.SENT)

    found = await scraped.numbers()

    assert (found["topicwire_matches_total,gas"], found["topicwire_matches_total,oil"]) == (2, 1)
    assert found["topicwire_deliveries_total,sent"] == 1
    assert found["topicwire_deliveries_total,rate_limited"] == 0


async def test_how_the_house_fares_is_shown_as_it_was_last_seen(scraped: Scraped) -> None:
    sick = Trouble(scope=TroubleScope.FEED, key="a", kind=TroubleKind.SILENT, since=START)
    scraped.metrics.saw(Summary(live=1, troubles=(sick,), rules_refused=True), START)

    scraped.metrics.saw(
        Summary(
            live=9,
            failing=2,
            gone=1,
            resting=3,
            owed=4,
            dead=5,
            last_poll_at=START,
            due_since=START - timedelta(minutes=2),
        ),
        START,
    )

    found = await scraped.numbers()
    states = [found[f"topicwire_feeds,{state}"] for state in ("live", "failing", "paused", "gone")]
    assert states == [9, 2, 0, 1]
    assert found["topicwire_troubles,silent"] == 0
    assert found["topicwire_hosts_paused"] == 3
    assert found["topicwire_next_due_lag_seconds"] == 120
    assert (found["topicwire_deliveries_owed"], found["topicwire_deliveries_dead"]) == (4, 5)
    assert found["topicwire_rules_refused"] == 0
    assert found["topicwire_last_poll_timestamp_seconds"] == START.timestamp()


async def test_every_name_has_our_prefix_a_help_text_and_is_well_formed(scraped: Scraped) -> None:
    _, _, text = await scraped.get("/metrics")

    families = list(text_string_to_metric_families(text))
    assert len(families) > 10
    for family in families:
        assert re.fullmatch(r"(topicwire|process)_[a-z_]+", family.name)
        assert family.documentation or family.name.endswith("_created")


async def test_open_metrics_are_given_to_who_asks_for_them(scraped: Scraped) -> None:
    status, kind, text = await scraped.get("/metrics", accept="application/openmetrics-text; version=1.0.0")

    assert (status, kind.split(";")[0]) == (200, "application/openmetrics-text")
    assert text.endswith("# EOF\n")


async def test_the_house_is_well_while_it_ticks(scraped: Scraped) -> None:
    assert (await scraped.get("/healthz"))[::2] == (503, "not yet begun\n")
    scraped.metrics.ticked(scraped.clock.now())
    scraped.clock.advance(timedelta(seconds=30))
    assert (await scraped.get("/healthz"))[::2] == (200, "ok\n")

    scraped.clock.advance(timedelta(seconds=12))

    assert (await scraped.get("/healthz"))[::2] == (503, "no tick for 42 s\n")


async def test_there_is_nothing_else_to_be_had(scraped: Scraped) -> None:
    assert (await scraped.get("/"))[0] == 404


async def test_an_address_that_is_taken_is_told_with_its_setting(scraped: Scraped) -> None:
    taken = f"127.0.0.1:{scraped.port}"

    with pytest.raises(ConfigInvalid, match=f"metrics.listen: {taken} cannot be used"):
        async with serve(Metrics(), taken, scraped.clock.now):
            raise AssertionError("two listen at one address")


async def test_a_port_that_cannot_be_is_told_with_its_setting() -> None:
    with pytest.raises(ConfigInvalid, match=r"metrics.listen: 127.0.0.1:70000 cannot be used"):
        async with serve(Metrics(), "127.0.0.1:70000", FakeClock().now):
            raise AssertionError("there is no such port")


async def test_without_an_address_nothing_is_served() -> None:
    async with serve(Metrics(), "", FakeClock().now) as port:
        assert port is None


async def test_two_houses_count_apart(scraped: Scraped) -> None:
    Metrics().polled(PollReason.FETCHED)

    assert (await scraped.numbers())["topicwire_polls_total,fetched"] == 0
