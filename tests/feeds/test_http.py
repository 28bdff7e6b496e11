"""The fetcher against a real server on loopback."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.errors import FetchError, FetchGone, FetchRefused, FetchTemporary
from bot.feeds.addresses import is_public
from bot.feeds.http import HttpFetcher
from bot.model import PollReason
from tests.feedserver import RSS, FeedServer, feed_server, zipped
from tests.fetching import LIMITS, Patience, a_fetcher, failure, fetched

if sys.version_info >= (3, 14):
    pass
else:
    pass

# ---- a good answer ---------------------------------------------------------------------------------


async def test_a_200_brings_the_body_and_what_is_said_of_it(fetcher: HttpFetcher, server: FeedServer) -> None:
    server.serve(headers={"ETag": 'W/"a-b"', "Last-Modified": "Sat, 21 Nov 2026 10:00:00 GMT"})

    answer = await fetched(fetcher, server.url())

    assert answer.body == RSS.encode()
    assert answer.etag == 'W/"a-b"'
    assert answer.last_modified == "Sat, 21 Nov 2026 10:00:00 GMT"
    assert answer.content_type == "application/rss+xml"
    assert (answer.moved_to, answer.status, answer.final_url) == (None, 200, server.url())


async def test_what_was_sent_is_counted_before_it_is_unpacked(
    fetcher: HttpFetcher, server: FeedServer
) -> None:
    server.serve(zipped(), headers={"Content-Encoding": "gzip"})

    assert (await fetched(fetcher, server.url())).received == len(zipped())


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Cache-Control": "max-age=300"}, timedelta(seconds=300)),
        ({"Cache-Control": "max-age=300", "Age": "100"}, timedelta(seconds=200)),
        ({"Cache-Control": "no-cache, max-age=300"}, None),
        (
            {"Expires": "Sun, 22 Nov 2026 12:05:00 GMT", "Date": "Sun, 22 Nov 2026 12:00:00 GMT"},
            timedelta(minutes=5),
        ),
        ({}, None),
    ],
)
async def test_an_answer_says_how_long_it_is_fresh(
    fetcher: HttpFetcher, server: FeedServer, headers: dict[str, str], expected: timedelta | None
) -> None:
    server.serve(headers=headers)

    assert (await fetched(fetcher, server.url())).max_age == expected


async def test_the_request_says_who_asks_and_what_for(fetcher: HttpFetcher, server: FeedServer) -> None:
    server.serve()

    await fetched(fetcher, server.url())

    assert "Topicwire" in server.last_headers["User-Agent"]
    assert "application/feed+json" in server.last_headers["Accept"]
    assert "If-None-Match" not in server.last_headers


# ---- redirects -----------------------------------------------------------------------------------


async def test_only_leading_permanent_redirects_are_learned(fetcher: HttpFetcher, server: FeedServer) -> None:
    server.redirect("/second", status=301)
    server.redirect(server.url("/third"), path="/second", status=308)
    server.redirect("/fourth", path="/third", status=302)
    server.redirect("/fifth#part", path="/fourth", status=301)
    server.serve(path="/fifth")

    answer = await fetched(fetcher, server.url())

    assert answer.moved_to == server.url("/third")
    assert answer.final_url == server.url("/fifth")


async def test_redirects_on_one_host_need_no_further_turn(
    fetcher: HttpFetcher, server: FeedServer, patience: Patience
) -> None:
    server.redirect("/second")
    server.serve(path="/second")

    await fetched(fetcher, server.url())

    assert patience.slept == []


async def test_a_redirect_to_another_host_takes_that_hosts_turn(
    fetcher: HttpFetcher, server: FeedServer, patience: Patience
) -> None:
    server.redirect(server.url("/second", host="localhost"))
    server.serve(path="/second")
    await fetched(fetcher, server.url("/second", host="localhost"))

    await fetched(fetcher, server.url())

    assert patience.slept == [2.0]


async def test_a_redirect_loop_is_refused(fetcher: HttpFetcher, server: FeedServer) -> None:
    server.redirect("/second")
    server.redirect("/feed", path="/second")

    error = await failure(fetcher, server.url())

    assert isinstance(error, FetchRefused)
    assert "in a circle" in str(error)
    assert server.paths == ["/feed", "/second"]


async def test_a_sixth_redirect_is_refused(fetcher: HttpFetcher, server: FeedServer) -> None:
    for number in range(9):
        server.redirect(f"/{number + 1}", path=f"/{number}")

    error = await failure(fetcher, server.url("/0"))

    assert "more than 5 times" in str(error)
    assert len(server.asked) == 6


@pytest.mark.parametrize(
    "target",
    [
        "ftp://harbour.example/",
        "file:///etc/passwd",
        "http://[broken/",
        "http:///",
        "javascript:1",
        "http://a..b/",
    ],
)
async def test_a_redirect_away_from_the_web_is_refused(
    fetcher: HttpFetcher, server: FeedServer, target: str
) -> None:
    server.redirect(target)

    error = await failure(fetcher, server.url())

    assert isinstance(error, FetchRefused)
    assert error.reason is PollReason.REFUSED


# ---- the address guard ---------------------------------------------------------------------------


async def test_an_address_written_oddly_leads_nowhere(fetcher: HttpFetcher, server: FeedServer) -> None:
    server.serve()

    error = await failure(fetcher, server.url(host="0x7f.1"), allow_private=False)

    assert isinstance(error, FetchRefused | FetchTemporary)
    assert server.asked == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
async def test_a_feed_on_this_machine_is_forbidden(
    fetcher: HttpFetcher, server: FeedServer, host: str
) -> None:
    server.serve()

    error = await failure(fetcher, server.url(host=host), allow_private=False)

    assert isinstance(error, FetchRefused)
    assert error.reason is PollReason.FORBIDDEN_ADDRESS
    assert "allow_private" in str(error)
    assert server.asked == []


async def test_a_kept_connection_of_an_allowed_feed_serves_no_other(
    fetcher: HttpFetcher, server: FeedServer
) -> None:
    server.serve()
    await fetched(fetcher, server.url())

    error = await failure(fetcher, server.url(), allow_private=False)

    assert error.reason is PollReason.FORBIDDEN_ADDRESS
    assert len(server.asked) == 1


async def test_another_spelling_of_loopback_is_not_even_asked(
    fetcher: HttpFetcher, server: FeedServer
) -> None:
    await failure(fetcher, server.url(host="2130706433"), allow_private=False)

    assert server.asked == []


@pytest.mark.parametrize(
    "target",
    ["http://169.254.169.254/latest/meta-data", "http://[::1]:1/", "http://10.0.0.1/", "http://[fd00::1]/"],
)
async def test_a_redirect_to_an_inner_address_is_forbidden(
    fetcher: HttpFetcher, server: FeedServer, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    monkeypatch.setattr(  # this server stands in for one on the public internet
        "bot.feeds.addresses.is_public", lambda address: address == "127.0.0.1" or is_public(address)
    )
    server.redirect(target)

    error = await failure(fetcher, server.url(), allow_private=False)

    assert error.reason is PollReason.FORBIDDEN_ADDRESS
    assert server.paths == ["/feed"]


@pytest.mark.parametrize("target", ["http://169.254.169.254/", "http://[fe80::1]/", "http://0.0.0.0:9/"])
async def test_a_feed_on_the_lan_still_leads_to_no_metadata_service(
    fetcher: HttpFetcher, server: FeedServer, target: str
) -> None:
    server.redirect(target)

    assert (await failure(fetcher, server.url())).reason is PollReason.FORBIDDEN_ADDRESS


# ---- what servers answer -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (401, FetchRefused, PollReason.REFUSED),
        (403, FetchRefused, PollReason.CHALLENGED),
        (404, FetchRefused, PollReason.REFUSED),
        (408, FetchTemporary, PollReason.TEMPORARY),
        (410, FetchGone, PollReason.GONE),
        (429, FetchTemporary, PollReason.RATE_LIMITED),
        (500, FetchTemporary, PollReason.TEMPORARY),
        (503, FetchTemporary, PollReason.TEMPORARY),
        (522, FetchTemporary, PollReason.TEMPORARY),
        (300, FetchRefused, PollReason.REFUSED),
    ],
)
async def test_each_status_has_its_branch_of_the_error_tree(
    fetcher: HttpFetcher, server: FeedServer, status: int, kind: type[FetchError], reason: PollReason
) -> None:
    server.serve(b"no", status=status)

    error = await failure(fetcher, server.url())

    assert type(error) is kind
    assert (error.reason, error.status) == (reason, status)
    assert str(status) in str(error)


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("120", timedelta(minutes=2)),
        ("Sun, 22 Nov 2026 12:05:00 GMT", timedelta(minutes=5)),
        ("Sun, 22 Nov 2026 11:00:00 GMT", timedelta(minutes=10)),
        ("0", timedelta(minutes=10)),
        ("20", timedelta(seconds=20)),
        ("99999999", timedelta(hours=24)),
        ("-5", timedelta(minutes=10)),
        ("soon", timedelta(minutes=10)),
        (None, timedelta(minutes=10)),
    ],
)
async def test_a_429_pauses_the_whole_host_for_as_long_as_it_asks(
    fetcher: HttpFetcher, server: FeedServer, header: str | None, wait: timedelta
) -> None:
    server.serve(b"", status=429, headers={"Retry-After": header} if header else None)
    server.serve(path="/other")

    error = await failure(fetcher, server.url())

    assert error.retry_after == wait
    if wait > LIMITS.longest_wait:
        neighbour = await failure(fetcher, server.url("/other"))
        assert (neighbour.reason, neighbour.status) == (PollReason.RATE_LIMITED, None)
        assert neighbour.retry_after == wait
        assert server.paths == ["/feed"]
    else:
        await fetched(fetcher, server.url("/other"))


async def test_a_503_with_retry_after_is_a_limit(fetcher: HttpFetcher, server: FeedServer) -> None:
    server.serve(b"", status=503, headers={"Retry-After": "30"})

    error = await failure(fetcher, server.url())

    assert (error.reason, error.retry_after) == (PollReason.RATE_LIMITED, timedelta(seconds=30))


async def test_a_server_that_drips_is_left_in_time(patience: Patience, server: FeedServer) -> None:
    server.drip()
    async with a_fetcher(patience, replace(LIMITS, total_timeout=timedelta(milliseconds=150))) as fetcher:
        error = await failure(fetcher, server.url())

    assert isinstance(error, FetchTemporary)
    assert "in time" in str(error)


@pytest.mark.parametrize(
    "sending",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n<rss>",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000,
    ],
    ids=["at once", "short body", "bad chunk", "not http", "endless header"],
)
async def test_a_dropped_or_broken_answer_is_worth_another_poll(
    fetcher: HttpFetcher, server: FeedServer, sending: bytes
) -> None:
    server.hang_up(sending=sending)

    error = await failure(fetcher, server.url().replace("/feed", "/feed?token=s3cret"))

    assert isinstance(error, FetchTemporary)
    assert "s3cret" not in str(error)


async def test_nobody_listening_is_worth_another_poll(fetcher: HttpFetcher, server: FeedServer) -> None:
    async with feed_server() as gone:
        url = gone.url()

    assert isinstance(await failure(fetcher, url), FetchTemporary)


async def test_a_host_without_an_address_is_worth_another_poll(fetcher: HttpFetcher) -> None:
    error = await failure(fetcher, "http://no-such-host.invalid/feed")

    assert isinstance(error, FetchTemporary)
    assert "no address" in str(error)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "feed.xml",
            "ftp://x.example/",
            "http://",
            "http://[::1",
            "http://x:99999/",
            "http://a..b.example/",
        ),
        *(
            "http://" + "a" * 64 + ".example/",
            "http://xn--.example/",
            "http://.example/",
            "http://\ud800.example/",
        ),
    ],
)
async def test_a_url_that_is_none_is_refused_without_asking(fetcher: HttpFetcher, url: str) -> None:
    assert isinstance(await failure(fetcher, url), FetchRefused)
