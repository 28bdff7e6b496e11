"""Each misdeed against the fetcher alone: it costs little, ends in time, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import gzip
import random
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.errors import FetchError
from bot.feeds.addresses import is_public
from bot.feeds.http import HttpFetcher
from bot.model import Fetched, PollReason, PollState
from tests.feedserver import RSS
from tests.fetching import LIMITS, Patience, a_feed, a_fetcher
from tests.hostileserver import IN_TIME, MISDEEDS, Misdeed, Rogue, bomb, rogue_server

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


FRAGMENTS = [
    *(
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.0 200\r\n",
        b"HTTP/1.1 304 x\r\n",
        b"HTTP/1.1 301 x\r\n",
        b"HTTP/2 200\r\n",
    ),
    *(
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: upgrade\r\n",
    ),
    *(b"HTTP/1.1 204 x\r\n", b"HTTP/1.1 407 x\r\n", b"HTTP/1.1 429 \r\n", b"HTTP/1.1 999 \xff\r\n"),
    *(b"Content-Length: 5\r\n", b"Content-Length: 50\r\n", b"Transfer-Encoding: chunked\r\n"),
    *(b"Transfer-Encoding: gzip, chunked\r\n", b"Connection: close\r\n", b"Set-Cookie: \xff=1; a\r\n"),
    *(b"Content-Encoding: %s\r\n" % name for name in (b"gzip", b"br", b"zstd", b"deflate", b"\xff")),
    *(
        b"Location: %s\r\n" % to
        for to in (b"/x", b"", b"//", b"http://[::1/", b"http://\xff/", b"http://a:99999/")
    ),
    *(
        b"Retry-After: 99999999999\r\n",
        b"Expires: Sun, 99 Nov 20260 12:05:00 +9999999999\r\n",
        b"Age: 1e999\r\n",
    ),
    *(b"Cache-Control: max-age=\xb2\r\n", b"ETag: \x01\r\n", b"Content-Type: \xff\r\n", b" folded: x\r\n"),
    *(
        b"\r\n",
        b"5\r\nhello\r\n",
        b"0\r\n\r\n",
        b"zz\r\n",
        b"-5\r\n",
        b"f" * 16 + b"\r\n",
        b"0\r\nTrailer: x\r\n\r\n",
    ),
    *(b"hello", b"\0" * 10, RSS.encode(), gzip.compress(RSS.encode()), gzip.compress(RSS.encode())[:40]),
]


async def sends_fragments(rogue: Rogue) -> None:
    """Send what looks like an answer here and there, in pieces; another one each time."""
    dice = random.Random(len(rogue.asked))
    head = [dice.choice(FRAGMENTS[:4])] if dice.random() < 0.8 else []
    for piece in head + dice.choices(FRAGMENTS, k=dice.randrange(9)):
        await rogue.send(piece)
        await asyncio.sleep(0)


async def test_whatever_a_server_sends_comes_of_it_an_answer_or_an_error_of_ours(patience: Patience) -> None:
    misdeed = Misdeed(does=sends_fragments, reason=PollReason.TEMPORARY)
    outcomes: list[object] = []
    async with rogue_server(misdeed, HOST) as rogue, a_fetcher(patience, HASTY) as fetcher:
        rogue.is_good = False
        for number in range(1_000):
            patience.now_s += timedelta(days=2).total_seconds()
            outcomes.append(await outcome(fetcher, rogue, PollState(etag='"a"' if number % 2 else None)))

    errors = [one for one in outcomes if isinstance(one, FetchError)]
    assert len({type(one) for one in outcomes}) >= 3
    assert all(str(error).isprintable() and len(str(error)) < 600 for error in errors)
