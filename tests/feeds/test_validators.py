"""Conditional requests: news is never hidden behind a 304, and nothing is sent again without need."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from hashlib import sha256

import pytest

from bot.errors import FetchTemporary
from bot.feeds.http import HttpFetcher
from bot.model import NotModified, PollState
from tests.feedserver import RSS, FeedServer, feed_server
from tests.fetching import Patience, failure, fetched, polled

MODIFIED = "Sat, 21 Nov 2026 10:00:00 GMT"
KEPT = PollState(body_sha256=sha256(RSS.encode()).hexdigest())  # RSS was read well, from behind a redirect


@pytest.fixture
async def elsewhere() -> AsyncIterator[FeedServer]:
    async with feed_server() as running:
        yield running


@pytest.mark.parametrize("etag", ['"a"', 'W/"a-b"', "no-quotes", '"a", "b"', '"not,quite; standard\'--gzip"'])
async def test_validators_go_back_byte_by_byte_and_a_304_is_no_error(
    fetcher: HttpFetcher, server: FeedServer, etag: str
) -> None:
    server.serve(
        headers={"ETag": etag, "Last-Modified": "yesterday, roughly", "Cache-Control": "max-age=900"}
    )

    first = await fetched(fetcher, server.url())
    answer = await polled(
        fetcher, server.url(), PollState(etag=first.etag, last_modified=first.last_modified)
    )

    assert answer == NotModified(etag=etag, last_modified="yesterday, roughly", max_age=timedelta(minutes=15))
    assert server.last_headers["If-None-Match"] == etag
    assert server.last_headers["If-Modified-Since"] == "yesterday, roughly"


@pytest.mark.parametrize(
    "head",
    [
        b'ETag: "caf\xe9"\r\nLast-Modified: \r\n',
        b"ETag: *\r\n",
        b"Last-Modified: Fri, 01 Mar 2036 12:00:00 GMT\r\n",
    ],
    ids=["bytes", "star", "future"],
)
async def test_validators_that_cannot_be_trusted_are_not_kept(
    fetcher: HttpFetcher, server: FeedServer, head: bytes
) -> None:
    server.hang_up(sending=b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n%s\r\n<rss></rss>" % head)

    answer = await fetched(fetcher, server.url())

    assert (answer.etag, answer.last_modified) == (None, None)


async def test_a_body_that_is_cut_off_brings_no_validators(fetcher: HttpFetcher, server: FeedServer) -> None:
    server.serve(RSS[:300], headers={"ETag": '"whole"', "Last-Modified": MODIFIED})

    answer = await fetched(fetcher, server.url())

    assert (answer.etag, answer.last_modified) == (None, None)


async def test_a_304_that_nobody_asked_for_is_an_error(fetcher: HttpFetcher, server: FeedServer) -> None:
    server.serve(b"", status=304)

    error = await failure(fetcher, server.url())

    assert isinstance(error, FetchTemporary)
    assert error.status == 304
    assert "without conditions" in str(error)


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        pytest.param({}, None, id="none"),
        pytest.param({"ETag": 'W/"a"', "Last-Modified": MODIFIED}, 'W/"a"', id="the same, now weak"),
        pytest.param({"ETag": '"b"', "Last-Modified": MODIFIED}, None, id="of another body"),
    ],
)
async def test_a_304_renews_the_validators_of_our_body_alone(
    fetcher: HttpFetcher, server: FeedServer, told: dict[str, str], kept: str | None
) -> None:
    server.serve(b"", status=304, headers=told)

    answer = await polled(fetcher, server.url(), PollState(etag='"a"', last_modified="before"))

    assert isinstance(answer, NotModified)
    assert (answer.etag, answer.last_modified) == (kept, MODIFIED if kept else None)


# ---- behind redirects ------------------------------------------------------------------------------


async def test_validators_of_the_first_url_are_not_sent_to_another(
    fetcher: HttpFetcher, server: FeedServer
) -> None:
    server.redirect("/new")
    server.serve(path="/new", headers={"ETag": '"a"', "Last-Modified": MODIFIED})

    await fetched(fetcher, server.url(), PollState(etag='"a"', last_modified=MODIFIED))

    assert "If-None-Match" in server.asked[0][1]
    assert "If-None-Match" not in server.asked[1][1]
    assert "If-Modified-Since" not in server.asked[1][1]


async def test_validators_from_behind_a_redirect_are_sent_there_and_not_to_the_first_url(
    fetcher: HttpFetcher, server: FeedServer, elsewhere: FeedServer
) -> None:
    server.redirect(elsewhere.url("/new"))
    elsewhere.serve(path="/new", headers={"ETag": '"a"', "Last-Modified": MODIFIED})

    first = await fetched(fetcher, server.url())
    second = await polled(fetcher, server.url(), KEPT)

    assert (first.etag, first.last_modified) == (None, None)
    assert isinstance(second, NotModified)
    assert (second.etag, second.last_modified) == (None, None)
    assert "If-None-Match" not in server.last_headers
    assert elsewhere.last_headers["If-None-Match"] == '"a"'


async def test_a_body_that_was_not_kept_is_asked_for_again(fetcher: HttpFetcher, server: FeedServer) -> None:
    server.redirect("/new")
    server.serve(path="/new", headers={"ETag": '"a"'})
    await fetched(fetcher, server.url())

    await fetched(fetcher, server.url(), PollState(body_sha256="of another body"))


async def test_after_a_day_the_end_of_a_redirect_is_asked_in_full(
    fetcher: HttpFetcher, server: FeedServer, patience: Patience
) -> None:
    server.redirect("/new", status=301)
    server.serve(path="/new", headers={"ETag": '"a"'})
    await fetched(fetcher, server.url())
    patience.now_s += timedelta(days=1).total_seconds()

    answer = await fetched(fetcher, server.url(), KEPT)

    assert answer.moved_to == server.url("/new")


async def test_a_redirect_that_leads_elsewhere_now_is_asked_in_full(
    fetcher: HttpFetcher, server: FeedServer
) -> None:
    server.redirect("/new")
    server.serve(path="/new", headers={"ETag": '"1"'})
    await fetched(fetcher, server.url())
    server.redirect("/newer")
    server.serve(path="/newer", headers={"ETag": '"1"'})

    await fetched(fetcher, server.url(), KEPT)


async def test_a_feed_that_serves_itself_again_is_asked_in_full(
    fetcher: HttpFetcher, server: FeedServer
) -> None:
    server.redirect("/new")
    server.serve(path="/new", headers={"ETag": '"1"', "Last-Modified": MODIFIED})
    await fetched(fetcher, server.url())
    server.serve(headers={"ETag": '"1"', "Last-Modified": MODIFIED})

    answer = await fetched(fetcher, server.url(), KEPT)

    assert answer.etag == '"1"'
