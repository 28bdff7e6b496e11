"""What a feed's own settings make of its requests, and who hears of its secrets."""

from __future__ import annotations

import os
from base64 import b64decode
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.hosts import url_host_key
from bot.errors import FetchRefused
from bot.feeds.http import HttpFetcher
from bot.feeds.trips import NoPlace, OddAddress, start_trip, web_place
from bot.model import PollReason, PollState
from tests.feedserver import FeedServer, feed_server
from tests.fetching import LIMITS, Patience, a_feed, a_fetcher, failure, fetched

KEY = (("X-Api-Key", "k3y"),)


@pytest.fixture
async def elsewhere() -> AsyncIterator[FeedServer]:
    async with feed_server() as running:
        running.serve(path="/outside")
        yield running


@pytest.fixture
def login(tmp_path: Path) -> Path:
    file = tmp_path / "login"
    file.write_text("reader:s3cret:colon\n")
    return file


def write(file: Path, data: bytes) -> None:
    file.write_bytes(data)


def credentials(server: FeedServer, asked: int = -1) -> str | None:
    """Return who the server was told asks."""
    told = server.asked[asked][1].get("Authorization")
    return b64decode(told.removeprefix("Basic ")).decode() if told else None


# ---- headers and the user agent -----------------------------------------------------------------


async def test_a_feeds_own_headers_and_agent_take_the_place_of_ours(
    fetcher: HttpFetcher, server: FeedServer
) -> None:
    server.serve()

    await fetched(
        fetcher, a_feed(server.url(), user_agent="Reader/1", headers=(("accept", "text/xml"), *KEY))
    )

    told = server.last_headers
    assert (told.getall("User-Agent"), told.getall("Accept")) == (["Reader/1"], ["text/xml"])
    assert told["X-Api-Key"] == "k3y"
    assert told["Accept-Encoding"].startswith("gzip")


@pytest.mark.parametrize(
    ("headers", "agent", "says"),
    [
        ((("Host", "inner.example"),), None, "the header Host is set by Topicwire itself"),
        ((("Content-Length", "5"),), None, "Content-Length is set"),
        ((("authorization", "Basic eA=="),), None, "use auth_file"),
        ((("X", "a\r\nHost: inner.example"),), None, "one line of plain text"),
        ((), "Reader\r\nHost: inner.example", "user_agent has a value with line breaks"),
    ],
)
async def test_headers_that_would_smuggle_are_refused_before_asking(
    fetcher: HttpFetcher,
    server: FeedServer,
    headers: tuple[tuple[str, str], ...],
    agent: str | None,
    says: str,
) -> None:
    server.serve()

    error = await failure(fetcher, a_feed(server.url(), headers=headers, user_agent=agent))

    assert isinstance(error, FetchRefused)
    assert error.reason is PollReason.REFUSED
    assert says in str(error)
    assert server.asked == []


async def test_a_feeds_headers_stay_with_its_origin_and_its_agent_goes_along(
    fetcher: HttpFetcher, server: FeedServer, elsewhere: FeedServer
) -> None:
    server.redirect("/inside")
    server.redirect(elsewhere.url("/outside"), path="/inside")

    await fetched(fetcher, a_feed(server.url(), headers=KEY, user_agent="Reader/1"))

    assert [headers.get("X-Api-Key") for _, headers in server.asked] == ["k3y", "k3y"]
    assert "X-Api-Key" not in elsewhere.last_headers
    assert elsewhere.last_headers["User-Agent"] == "Reader/1"


async def test_once_away_from_home_secrets_stay_away(
    fetcher: HttpFetcher, server: FeedServer, elsewhere: FeedServer
) -> None:
    server.redirect(elsewhere.url("/back"))
    elsewhere.redirect(server.url("/chosen-by-others"), path="/back")
    server.serve(path="/chosen-by-others")

    await fetched(fetcher, a_feed(server.url(), headers=KEY))

    assert "X-Api-Key" not in server.last_headers


# ---- log-ins ------------------------------------------------------------------------------------


async def test_a_log_in_is_read_from_its_file_at_each_poll(
    fetcher: HttpFetcher, server: FeedServer, login: Path
) -> None:
    server.serve()
    feed = a_feed(server.url(), auth_file=str(login))

    await fetched(fetcher, feed)
    write(login, "reader:nëw\r\n".encode())
    await fetched(fetcher, feed)

    assert [credentials(server, 0), credentials(server, 1)] == ["reader:s3cret:colon", "reader:nëw"]


async def test_a_log_in_goes_to_the_feeds_own_origin_only(
    fetcher: HttpFetcher, server: FeedServer, elsewhere: FeedServer, login: Path
) -> None:
    server.redirect("/inside")
    server.redirect(elsewhere.url("/outside"), path="/inside")

    answer = await fetched(fetcher, a_feed(server.url(), auth_file=str(login)))

    assert [credentials(server, 0), credentials(server, 1)] == ["reader:s3cret:colon"] * 2
    assert credentials(elsewhere) is None
    assert "s3cret" not in repr(answer)


async def test_credentials_in_the_url_go_to_their_own_origin_only(
    fetcher: HttpFetcher, server: FeedServer, elsewhere: FeedServer
) -> None:
    server.redirect("/inside")
    server.redirect(elsewhere.url("/outside"), path="/inside")

    answer = await fetched(fetcher, server.url().replace("://", "://reader:s3cret@"))

    assert [credentials(server, 0), credentials(server, 1)] == ["reader:s3cret"] * 2
    assert credentials(elsewhere) is None
    assert "s3cret" not in answer.final_url


async def test_a_user_that_a_redirect_names_logs_in_nowhere(
    fetcher: HttpFetcher, server: FeedServer, elsewhere: FeedServer
) -> None:
    server.redirect(elsewhere.url("/outside").replace("://", "://planted:by-them@"), status=301)

    answer = await fetched(fetcher, server.url())

    assert credentials(elsewhere) is None
    assert answer.moved_to == elsewhere.url("/outside")


@pytest.mark.parametrize(
    ("url", "place", "is_told"),
    [
        ("http://a.example/feed", "http://a.example/other", True),
        ("http://a.example/feed", "https://a.example/feed", True),
        ("https://a.example/feed", "http://a.example/feed", False),
        ("http://a.example/feed", "http://a.example:8080/feed", False),
        ("http://a.example:8080/feed", "https://a.example/feed", False),
        ("http://a.example/feed", "https://www.a.example/feed", False),
        ("http://a.example/feed", "http://a.example.evil.example/", False),
    ],
)
def test_secrets_follow_to_the_same_origin_or_its_https(
    login: Path, url: str, place: str, is_told: bool
) -> None:
    feed = a_feed(url, auth_file=str(login), headers=KEY)

    learned = start_trip(feed, PollState(learned_url=place), 30)
    followed = start_trip(feed, PollState(), 30)
    followed.follow(301, place)

    for trip in (learned, followed):
        assert ("Authorization" in trip.own_headers, "X-Api-Key" in trip.own_headers) == (is_told, is_told)


def test_secrets_do_not_come_back_from_https_to_http(login: Path) -> None:
    feed = a_feed("http://a.example/feed", auth_file=str(login))

    trip = start_trip(feed, PollState(learned_url="https://a.example/feed"), 30)
    trip.follow(302, "http://a.example/feed")

    assert "Authorization" not in trip.own_headers


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(None, "No such file", id="missing"),
        pytest.param(b"", "one line, user:password", id="empty"),
        pytest.param(b"s3cret", "one line, user:password", id="no colon"),
        pytest.param(b"reader:s3cret\nmore\n", "one line, user:password", id="two lines"),
        pytest.param(b"reader:s3cret\0", "one line, user:password", id="zero byte"),
        pytest.param(b"reader:s3cret" * 100, "at most 1024 bytes", id="too long"),
        pytest.param(b"reader:s3cret\xe9", "not UTF-8", id="not UTF-8"),
    ],
)
async def test_a_log_in_that_cannot_be_used_is_refused_with_the_file_and_the_cure(
    fetcher: HttpFetcher, server: FeedServer, tmp_path: Path, content: bytes | None, says: str
) -> None:
    file = tmp_path / "login"
    if content is not None:
        write(file, content)

    error = await failure(fetcher, a_feed(server.url(), auth_file=str(file)))

    assert isinstance(error, FetchRefused)
    assert str(file) in str(error)
    assert says in str(error)
    assert "user:password" in str(error)
    assert "s3cret" not in f"{error!r} {error.__cause__!r}"
    assert server.asked == []


async def test_a_pipe_for_a_log_in_keeps_nobody_waiting(
    fetcher: HttpFetcher, server: FeedServer, tmp_path: Path
) -> None:
    pipe = tmp_path / "login"
    os.mkfifo(pipe)

    error = await failure(fetcher, a_feed(server.url(), auth_file=str(pipe)))

    assert "no plain file" in str(error)


# ---- where it asks ------------------------------------------------------------------------------


async def test_the_learned_url_is_asked_in_place_of_the_feeds(
    fetcher: HttpFetcher, server: FeedServer
) -> None:
    server.serve(path="/new")

    answer = await fetched(fetcher, server.url(), PollState(learned_url=server.url("/new")))

    assert server.paths == ["/new"]
    assert answer.final_url == server.url("/new")


async def test_each_session_asks_as_the_installation_says(server: FeedServer) -> None:
    server.serve()
    async with a_fetcher(Patience(), replace(LIMITS, user_agent="Ours/2")) as fetcher:
        await fetched(fetcher, server.url())

    assert server.last_headers["User-Agent"] == "Ours/2"


@pytest.mark.parametrize(
    "host", ["0x7f.1", "2130706433", "127.1", "0177.0.0.1", "127.0.0.01", "1.2.3.4.5", "a.0x7f", "256.1.1.1"]
)
def test_a_number_that_is_no_plain_address_is_odd(host: str) -> None:
    with pytest.raises(OddAddress):
        web_place(f"http://{host}/")


@pytest.mark.parametrize("host", ["127.0.0.1", "a1.example", "1.example", "[::1]", "xn--9n2bp8q"])
def test_a_plain_address_or_name_is_a_place(host: str) -> None:
    assert web_place(f"http://{host}/").url.raw_host


@pytest.mark.parametrize(
    "url",
    ["", "feed", "ftp://a.example/", "http://", "http:///x", "http://a..b/", "http://a b/", "http://%00/"],
)
def test_what_leads_nowhere_is_no_place(url: str) -> None:
    with pytest.raises(NoPlace):
        web_place(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://feeds.bbci.co.uk/news/rss.xml",
        "HTTP://WWW.Example.COM.:8080/feed",
        "https://bücher.example/feed",
        "https://reader:pw@a.b.example.org/",
        "http://[2001:db8::1]/feed",
        " https://example.org/ ",
    ],
)
def test_the_store_and_the_fetcher_know_a_host_by_one_name(url: str) -> None:
    assert url_host_key(url) == web_place(url).key
