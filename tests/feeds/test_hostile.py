"""Each misdeed against the fetcher alone: it costs little, ends in time, and leaves nothing behind."""

from __future__ import annotations

import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.errors import FetchError
from bot.feeds.addresses import is_public
from bot.feeds.http import HttpFetcher
from bot.model import Fetched, PollState
from tests.feedserver import RSS
from tests.fetching import LIMITS, Patience, a_feed, a_fetcher
from tests.hostileserver import IN_TIME, MISDEEDS, Rogue, bomb, rogue_server

HOST = "127.0.1.1"  # stands in for a server on the public internet
LITTLE = 30e6  # bytes
HASTY = replace(LIMITS, total_timeout=timedelta(milliseconds=300))


@asynccontextmanager
async def a_rogue(name: str) -> AsyncIterator[Rogue]:
    for encoding in ("gzip", "br", "zstd"):
        bomb(encoding)  # so that its making is not taken for the fetcher's
    async with rogue_server(MISDEEDS[name], HOST) as rogue:
        rogue.body = rogue.former = RSS.encode()
        yield rogue


@pytest.fixture(autouse=True)
def world(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "bot.feeds.addresses.is_public", lambda address: address == HOST or is_public(address)
    )


async def outcome(fetcher: HttpFetcher, rogue: Rogue, state: PollState) -> object:
    try:
        return await fetcher.fetch(a_feed(rogue.url(), allow_private=False), state)
    except FetchError as error:
        return error


@pytest.mark.parametrize("name", MISDEEDS)
async def test_a_misdeed_costs_little_and_the_next_answer_is_whole(patience: Patience, name: str) -> None:
    limits = HASTY if MISDEEDS[name].says == IN_TIME else LIMITS
    async with a_rogue(name) as rogue, a_fetcher(patience, limits) as fetcher:
        rogue.is_good = False
        tracemalloc.start()
        try:
            bad = await outcome(fetcher, rogue, PollState(etag='"before"'))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        rogue.is_good = True
        patience.now_s += timedelta(days=2).total_seconds()
        good = await outcome(fetcher, rogue, PollState())

    assert not isinstance(bad, FetchError) or bad.reason is MISDEEDS[name].reason
    assert peak < LITTLE
    assert isinstance(good, Fetched)
    assert (good.body, good.etag) == (RSS.encode(), rogue.etag)


async def test_an_answer_cut_short_by_its_length_hides_nothing_behind_its_etag(patience: Patience) -> None:
    async with a_rogue("length too small, and the rest later") as rogue, a_fetcher(patience) as fetcher:
        rogue.is_good = False
        cut = await outcome(fetcher, rogue, PollState())
        rogue.is_good = True
        assert isinstance(cut, Fetched)
        whole = await outcome(fetcher, rogue, PollState(etag=cut.etag, last_modified=cut.last_modified))

    assert isinstance(whole, Fetched)
    assert len(whole.body) > len(cut.body)
