"""robots.txt, from a real server: who is let in, who is not, and what is remembered."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.errors import FetchRefused, FetchTemporary
from bot.feeds import robots as module
from bot.feeds.http import FetchLimits, HttpFetcher
from bot.feeds.robots import (
    KEEP,
    KEEP_UNREACHABLE,
    LONGEST_DELAY,
    READ_BYTES,
    PageDisallowed,
    Robots,
    product_token,
    read_robots,
)
from bot.model import PollReason
from tests.clock import FakeClock
from tests.feedserver import FeedServer, feed_server

AGENT = "Topicwire (news feed reader)"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def server() -> AsyncIterator[FeedServer]:
    async with feed_server() as running:
        yield running


@pytest.fixture
async def robots(clock: FakeClock) -> AsyncIterator[Robots]:
    limits = FetchLimits(host_interval=timedelta(0), total_timeout=timedelta(seconds=5))
    async with HttpFetcher(limits) as fetcher:
        yield Robots(fetcher, clock, lambda: AGENT)


def say(server: FeedServer, text: str | bytes, status: int = 200, **headers: str) -> None:
    server.serve(text, path="/robots.txt", status=status, content_type="text/plain", headers=headers)


async def is_let_in(robots: Robots, url: str) -> bool:
    try:
        await robots.permit(url, allow_private=True)
    except PageDisallowed:
        return False
    return True


# ---- rules -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("User-agent: *\nDisallow: /private/", True),
        ("User-agent: *\nDisallow: /news", False),
        ("User-agent: *\nDisallow: /\n\nUser-agent: Topicwire\nAllow: /", True),
        ("User-agent: *\nAllow: /\n\nUser-agent: topicwire/2.0\nDisallow: /", False),
        ("User-agent: topic\nDisallow: /", True),
        ("User-agent: otherbot\nUser-agent: TOPICWIRE\nDisallow: /", False),
        ("User-agent: otherbot\nDisallow: /", True),
        ("User-agent: *\nDisallow: /news\nAllow: /news/open", True),
        ("User-agent: *\nDisallow: *.html$", True),
        ("User-agent: *\nDisallow: /*/one?", False),
        ("\ufeffUser-agent: *\nDisallow: /", False),
        ("User-agent: *\nDisallow: /n%65ws", False),
        ("<html><body>Not found, but politely</body></html>", True),
        ("", True),
    ],
    ids=[
        "another folder",
        "the folder",
        "we by name",
        "we by name and version",
        "a part of our name",
        "we in a group",
        "others",
        "the longer rule wins",
        "an anchor",
        "a wildcard and a query",
        "a byte order mark",
        "percent-encoded",
        "a web page",
        "empty",
    ],
)
async def test_the_rules_for_our_name_count(
    server: FeedServer, robots: Robots, text: str, allowed: bool
) -> None:
    say(server, text)

    assert await is_let_in(robots, server.url("/news/open/one?a=1")) is allowed


@pytest.mark.parametrize(
    ("agent", "token"),
    [("Topicwire (news feed reader)", "topicwire"), ("My-Bot/1.0 (+x)", "my-bot"), ("123", "topicwire")],
)
def test_a_user_agent_has_one_name(agent: str, token: str) -> None:
    assert product_token(agent) == token


async def test_what_was_disallowed_says_why_without_credentials(server: FeedServer, robots: Robots) -> None:
    say(server, "User-agent: *\nDisallow: /")

    with pytest.raises(PageDisallowed, match=r"robots\.txt disallows it") as told:
        await robots.permit(server.url("/a?token=geheim"), allow_private=True)

    assert "geheim" not in str(told.value)


# ---- answers that are none ---------------------------------------------------------------------


@pytest.mark.parametrize("status", [401, 403, 404, 410, 451])
async def test_where_there_is_no_robots_txt_all_is_allowed(
    server: FeedServer, robots: Robots, status: int
) -> None:
    say(server, "User-agent: *\nDisallow: /", status=status)

    assert await is_let_in(robots, server.url("/a"))


async def test_a_robots_txt_is_followed_to_where_it_moved(server: FeedServer, robots: Robots) -> None:
    server.redirect("/elsewhere.txt", path="/robots.txt", status=301)
    server.serve("User-agent: *\nDisallow: /", path="/elsewhere.txt", content_type="text/plain")

    assert not await is_let_in(robots, server.url("/a"))


async def test_a_robots_txt_that_leads_in_a_circle_is_none(server: FeedServer, robots: Robots) -> None:
    server.redirect("/robots.txt", path="/robots.txt")

    assert await is_let_in(robots, server.url("/a"))


@pytest.mark.parametrize("status", [500, 502, 503, 429])
async def test_while_a_host_is_unwell_nothing_is_allowed(
    server: FeedServer, robots: Robots, status: int
) -> None:
    say(server, "", status=status)

    for path in ("/a", "/b"):
        with pytest.raises(FetchTemporary, match=r"robots\.txt cannot be had"):
            await robots.permit(server.url(path), allow_private=True)

    assert server.paths == ["/robots.txt"]


async def test_a_host_that_was_unwell_is_asked_again(
    server: FeedServer, robots: Robots, clock: FakeClock
) -> None:
    say(server, "", status=500)
    with pytest.raises(FetchTemporary):
        await robots.permit(server.url("/a"), allow_private=True)
    say(server, "")
    clock.advance(KEEP_UNREACHABLE)

    assert await is_let_in(robots, server.url("/a"))


async def test_a_host_that_is_unwell_for_a_while_is_held_to_what_it_last_said(
    server: FeedServer, robots: Robots, clock: FakeClock
) -> None:
    say(server, "User-agent: *\nDisallow: /private")
    await robots.permit(server.url("/a"), allow_private=True)
    say(server, "", status=500)
    clock.advance(KEEP)

    assert await is_let_in(robots, server.url("/a"))
    assert not await is_let_in(robots, server.url("/private"))
    assert server.paths == ["/robots.txt"] * 2


async def test_the_address_guard_holds(server: FeedServer, robots: Robots) -> None:
    with pytest.raises(FetchRefused) as refused:
        await robots.permit(server.url("/a"), allow_private=False)

    assert refused.value.reason is PollReason.FORBIDDEN_ADDRESS
    assert server.paths == []


@pytest.mark.parametrize("url", ["mailto:a@b.example", "nonsense", "http://", "http://[::1", "http://a:b/"])
async def test_what_is_no_web_address_is_refused(robots: Robots, url: str) -> None:
    with pytest.raises(FetchRefused):
        await robots.permit(url, allow_private=True)


# ---- what is remembered ------------------------------------------------------------------------


async def test_a_host_is_asked_once_a_day(server: FeedServer, robots: Robots, clock: FakeClock) -> None:
    say(server, "")

    for path in ("/a", "/b"):
        await robots.permit(server.url(path), allow_private=True)
    assert server.paths == ["/robots.txt"]

    clock.advance(KEEP)
    await robots.permit(server.url("/a"), allow_private=True)
    assert server.paths == ["/robots.txt"] * 2


async def test_another_port_is_another_host(server: FeedServer, robots: Robots) -> None:
    say(server, "User-agent: *\nDisallow: /")
    async with feed_server() as other:
        say(other, "")

        assert not await is_let_in(robots, server.url("/a"))
        assert await is_let_in(robots, other.url("/a"))


async def test_what_is_remembered_is_bounded(
    server: FeedServer, robots: Robots, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_REMEMBERED", 2_000)
    say(server, "#" * 1_500)
    hosts = ("127.0.0.1", "localhost")

    for host in (*hosts, hosts[0], hosts[0]):
        await robots.permit(server.url("/a", host), allow_private=True)

    assert server.paths == ["/robots.txt"] * 3


# ---- Crawl-delay -------------------------------------------------------------------------------


async def test_a_crawl_delay_puts_the_next_page_off(
    server: FeedServer, robots: Robots, clock: FakeClock
) -> None:
    say(server, "User-agent: *\nCrawl-delay: 20")
    await robots.permit(server.url("/a"), allow_private=True)
    clock.advance(timedelta(seconds=5))

    with pytest.raises(FetchTemporary) as told:
        await robots.permit(server.url("/b"), allow_private=True)

    assert (told.value.status, told.value.reason) == (None, PollReason.RATE_LIMITED)
    assert told.value.retry_after == timedelta(seconds=15)
    await robots.permit(server.url("/where-a-leads"), allow_private=True, is_redirect=True)
    clock.advance(timedelta(seconds=15))
    assert await is_let_in(robots, server.url("/b"))


@pytest.mark.parametrize("delay", ["86400", "1e300"])
async def test_a_crawl_delay_has_a_bound(
    server: FeedServer, robots: Robots, clock: FakeClock, delay: str
) -> None:
    say(server, f"User-agent: *\nCrawl-delay: {delay}")
    await robots.permit(server.url("/a"), allow_private=True)
    clock.advance(LONGEST_DELAY)

    assert await is_let_in(robots, server.url("/b"))


# ---- hostile -----------------------------------------------------------------------------------


async def test_only_the_first_500_kib_count(server: FeedServer, robots: Robots) -> None:
    line = "Disallow: /private\n"
    head = f"User-agent: *\n{line * (READ_BYTES // len(line))}"
    say(server, f"{head}Disallow: /\n")

    assert await is_let_in(robots, server.url("/a"))
    assert not await is_let_in(robots, server.url("/private"))


async def test_a_robots_txt_beyond_all_limits_forbids(robots: Robots, server: FeedServer) -> None:
    say(server, b"#" * 6_000_000)

    with pytest.raises(FetchTemporary, match=r"robots\.txt cannot be had"):
        await robots.permit(server.url("/a"), allow_private=True)


def test_thousands_of_robots_with_thousands_of_rules_cost_little() -> None:
    names = "".join(f"User-agent: bot{number}\n" for number in range(12_000))
    rules = "".join(f"Disallow: /{number}\n" for number in range(15_000))
    text = (names + rules)[:READ_BYTES]
    tracemalloc.start()
    try:
        found = read_robots(text, "topicwire")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert found.can_fetch("https://a.example/7", "topicwire")
    assert peak < 60_000_000


def test_wildcards_cannot_be_made_to_take_long() -> None:
    text = "User-agent: *\n" + f"Disallow: /{'a*' * 200}b\n" * 1_000
    rules = read_robots(text, "topicwire")

    assert rules.can_fetch(f"https://a.example/{'a' * 2_000}", "topicwire")  # or it would not end


def test_no_text_breaks_the_reading() -> None:
    dice = random.Random(4)
    words = ["User-agent", ":", "*", "Disallow", " ", "\n", "\r", "/", "%", "%zz", "$", "Allow", "\x00", "ü"]
    words += ["Crawl-delay", "nan", "-1", "inf", "Request-rate", "1/0", "Visit-time", "\u2028", "topicwire"]

    for _ in range(2_000):
        rules = read_robots("".join(dice.choices(words, k=40)), "topicwire")
        rules.can_fetch("https://a.example/ü?%zz", "topicwire")
        delay = rules.crawl_delay("topicwire")
        assert delay is None or 0 <= delay < float("inf")
