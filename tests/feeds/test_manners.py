"""Manners of the fetcher towards hosts, and what it tells of them."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from datetime import timedelta

import pytest
from aiohttp import web

from bot.errors import FetchError, FetchTemporary
from bot.feeds.http import HttpFetcher
from bot.model import PollReason, PollState
from tests.feedserver import FeedServer
from tests.fetching import LIMITS, Patience, a_feed, a_fetcher, failure, fetched


async def test_feeds_of_one_host_wait_for_each_other(
    fetcher: HttpFetcher, server: FeedServer, patience: Patience
) -> None:
    server.serve()

    await asyncio.gather(*(fetched(fetcher, server.url()) for _ in range(4)))

    assert patience.slept == [2.0, 2.0, 2.0]


async def test_a_turn_that_is_too_far_off_is_left_for_later(patience: Patience, server: FeedServer) -> None:
    server.serve()
    async with a_fetcher(patience, replace(LIMITS, longest_wait=timedelta(seconds=5))) as fetcher:
        answers = await asyncio.gather(
            *(fetcher.fetch(a_feed(server.url()), PollState()) for _ in range(5)), return_exceptions=True
        )

    late = [answer for answer in answers if isinstance(answer, FetchTemporary)]
    assert [(error.reason, error.status) for error in late] == [(PollReason.RATE_LIMITED, None)] * 2
    assert len(server.asked) == 3


async def a_crowd(fetcher: HttpFetcher, server: FeedServer) -> list[FetchError]:
    """Let 100 feeds of one host be polled at once; return what came of each."""
    polls = (fetcher.fetch(a_feed(server.url(f"/{number}")), PollState()) for number in range(100))
    answers = await asyncio.gather(*polls, return_exceptions=True)
    return [answer for answer in answers if isinstance(answer, FetchError)]


@pytest.mark.parametrize(
    ("retry_after", "window_s"), [("20", 20), ("59", 59), ("61", 61), ("3600", 3600), (None, 600)]
)
async def test_a_host_that_asks_for_a_pause_is_asked_once_in_it_by_100_feeds(
    patience: Patience, server: FeedServer, retry_after: str | None, window_s: float
) -> None:
    asked_at: list[float] = []

    async def limit(request: web.BaseRequest) -> web.StreamResponse:
        asked_at.append(patience.now_s)
        return web.Response(status=429, headers={"Retry-After": retry_after} if retry_after else None)

    server.answers = {f"/{number}": limit for number in range(100)}
    async with a_fetcher(patience) as fetcher:
        errors = await a_crowd(fetcher, server)
        errors += await a_crowd(fetcher, server)
        patience.now_s += 4000
        await a_crowd(fetcher, server)

    gaps = [later - earlier for earlier, later in itertools.pairwise(asked_at)]
    assert len(errors) == 200
    assert len(asked_at) >= 2
    assert min(gaps) >= window_s


async def test_the_host_that_asked_for_a_pause_is_the_one_that_gets_it(
    fetcher: HttpFetcher, server: FeedServer
) -> None:
    server.redirect(server.url("/second", host="localhost"))
    server.serve(b"", path="/second", status=429, headers={"Retry-After": "900"})
    server.serve(path="/third")

    error = await failure(fetcher, server.url())
    neighbour = await failure(fetcher, server.url("/third", host="localhost"))
    at_home = await fetched(fetcher, server.url("/third"))

    assert (error.host, error.retry_after) == ("localhost", timedelta(minutes=15))
    assert "leads to http://localhost" in str(error)
    assert (neighbour.reason, neighbour.host) == (PollReason.RATE_LIMITED, None)
    assert at_home.status == 200


async def test_a_challenge_says_what_an_operator_can_do(fetcher: HttpFetcher, server: FeedServer) -> None:
    server.serve(b"<html>Are you human?</html>", status=503, headers={"CF-Mitigated": "challenge"})

    error = await failure(fetcher, server.url())

    assert (error.reason, error.host) == (PollReason.CHALLENGED, None)
    assert "user_agent or headers" in str(error)


async def test_a_refusal_says_where_a_redirect_led(fetcher: HttpFetcher, server: FeedServer) -> None:
    server.redirect("/login?token=s3cret")

    error = await failure(fetcher, server.url())

    assert f"{server.url()} leads to {server.url('/login')}" in str(error)
    assert "s3cret" not in str(error)


async def test_a_servers_words_are_short_and_plain(fetcher: HttpFetcher, server: FeedServer) -> None:
    server.hang_up(sending=b"HTTP/1.1 500 \x1b[31m%s\r\nContent-Length: 0\r\n\r\n" % (b"x" * 5000))

    error = await failure(fetcher, server.url())

    assert str(error).isprintable()
    assert len(str(error)) < 400


async def test_credentials_are_in_no_error(fetcher: HttpFetcher, server: FeedServer) -> None:
    url = server.url("/feed?api_key=k3y").replace("://", "://reader:s3cret@")

    error = await failure(fetcher, url)

    told = f"{error} {error.feed_url} {error!r} {error.__cause__!r}"
    assert "s3cret" not in told
    assert "k3y" not in told
