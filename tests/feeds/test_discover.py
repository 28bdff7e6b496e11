"""Finding feeds behind an address, with the real fetcher against a real server on loopback."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from bot.errors import FeedUnreadable, FetchRefused
from bot.feeds.discover import COMMON_PATHS, MOST_TRIED, Discovery, Via, discover, page_candidates
from bot.feeds.http import FetchLimits, HttpFetcher
from bot.feeds.look import look_at
from bot.model import Feed, FeedId
from tests.feedserver import RSS, FeedServer, feed_server
from tests.flow.household import PlainParser

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BASE = "https://harbour.example/news/"
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>Harbour, in Atom</title>
<entry><id>a</id><title>Lighthouse</title><updated>2026-11-20T10:00:00Z</updated></entry></feed>"""


@pytest.fixture
async def server() -> AsyncIterator[FeedServer]:
    async with feed_server() as running:
        yield running


async def find(server: FeedServer, path: str = "/", **settings: object) -> Discovery:
    feed = Feed(id=FeedId(""), url=server.url(path), allow_private=True, **settings)  # type: ignore[arg-type]  # of a Feed
    async with HttpFetcher(FetchLimits(host_interval=timedelta(0))) as fetcher:
        return await discover(feed, fetcher, PlainParser(), NOW)


def page(server: FeedServer, inner: str, path: str = "/") -> None:
    server.serve(f"<!doctype html><html>{inner}</html>", path=path, content_type="text/html; charset=utf-8")


# ---- what a page names -------------------------------------------------------------------------


def candidates(inner: str) -> list[str]:
    return [one.url for one in page_candidates(f"<html>{inner}</html>", BASE)]


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ('<link rel="alternate" type="application/rss+xml" href="/rss">', ["https://harbour.example/rss"]),
        (
            "<LINK REL='Alternate Nofollow' TYPE='application/atom+xml; charset=utf-8' HREF=atom.xml>",
            [f"{BASE}atom.xml"],
        ),
        ('<link rel=alternate type=application/feed+json href="//x.example/j">', ["https://x.example/j"]),
        ('<link rel="feed" href="hidden">', [f"{BASE}hidden"]),
        ('<a rel="feed" href="/f.php?id=1&amp;b=2">x</a>', ["https://harbour.example/f.php?id=1&b=2"]),
        ('<base href="https://cdn.example/a/"><link rel="feed" href="b">', ["https://cdn.example/a/b"]),
        ('<link rel="alternate" hreflang="en" href="/en/">', []),
        ('<link rel="stylesheet" type="text/css" href="/feed.css">', []),
        ('<link rel="alternate" type="application/rss+xml">', []),
        ('<link rel="alternate" type="application/rss+xml" href="javascript:alert(1)">', []),
        ('<!-- <link rel="feed" href="/old"> -->', []),
        ("<script>\"<link rel='feed' href='/no'>\"</script>", []),
        ('<a href="/export/rss.xml">all</a>', ["https://harbour.example/export/rss.xml"]),
        ('<a href="/news?format=feed">all</a>', ["https://harbour.example/news?format=feed"]),
        ('<a href="/abo/4711"><img alt=""><b>RSS</b></a>', ["https://harbour.example/abo/4711"]),
        ('<a href="https://rss.harbour.example/a">x</a>', ["https://rss.harbour.example/a"]),
        ('<a href="https://feeds.feedburner.com/harbour">x</a>', ["https://feeds.feedburner.com/harbour"]),
        ('<a href="https://reader.example/subscribe?feed=x">RSS</a>', []),
        ('<a href="/feedback">Say something</a>', []),
        ('<a href="/about">We feed the gulls of the harbour, and they are many this year</a>', []),
        ('<a href="mailto:rss@harbour.example">RSS</a>', []),
        ('<link rel="feed" href="http://harbour.example:99999/">', []),
        ('<link rel="feed" href="http://[::1/feed">', []),
        ('<base href="http://a:b/"><link rel="feed" href="/feed">', ["https://harbour.example/feed"]),
        ("", []),
    ],
)
def test_a_page_names_its_feeds_in_many_ways(inner: str, expected: list[str]) -> None:
    assert candidates(inner) == expected


def test_declared_feeds_come_first_and_comments_last_each_once() -> None:
    found = page_candidates(
        """<html><a href="/rss">RSS</a><a href="/politics.rss">Politics</a>
        <link rel="alternate" type="application/rss+xml" title="Comments" href="/comments/feed">
        <link rel="alternate" type="application/rss+xml" title="All" href="https://www.harbour.example/rss/">
        <a href="/rss">again</a></html>""",
        BASE,
    )

    assert [(one.url, one.via, one.title) for one in found] == [
        ("https://www.harbour.example/rss/", Via.LINK, "All"),
        ("https://harbour.example/politics.rss", Via.ANCHOR, "Politics"),
        ("https://harbour.example/comments/feed", Via.LINK, "Comments"),
    ]


def test_a_page_of_links_is_not_asked_through() -> None:
    assert len(candidates("".join(f'<a href="/{nth}.rss">x</a>' for nth in range(500)))) == MOST_TRIED


@pytest.mark.parametrize(
    "html",
    ["", "\0", "<", "<html", "<a href='" * 5, '<?xml version="1.0" encoding="utf-16"?><html/>', "\ud800<a>"],
)
def test_what_is_hardly_a_page_names_nothing(html: str) -> None:
    assert page_candidates(html, BASE) == ()


SCRAPS = st.sampled_from(
    [
        "<link rel=feed href='",
        "<a href=",
        "<base href='",
        "'>",
        ">",
        "http://",
        "//",
        "[",
        ":99999",
        "/rss",
        "\0",
        "RSS",
    ]
)


@given(scraps=st.lists(SCRAPS | st.text(max_size=8), max_size=12))
def test_whatever_a_page_holds_only_web_addresses_come_of_it(scraps: list[str]) -> None:
    found = page_candidates("".join(scraps), BASE)

    assert all(URL(one.url).scheme in {"http", "https"} and URL(one.url).host for one in found)


@pytest.mark.parametrize("piece", ["<a ", "<div>", "<!--", "<a href='", "<![CDATA[", "&", '<link rel="feed'])
def test_a_hostile_page_takes_no_time(piece: str) -> None:
    started = time.process_time()

    page_candidates(piece * (2_000_000 // len(piece)), BASE)

    assert time.process_time() - started < 5


# ---- what is found -----------------------------------------------------------------------------


async def test_the_address_of_a_feed_is_that_feed(server: FeedServer) -> None:
    server.serve()

    [found] = (await find(server, "/feed")).found

    assert (found.feed.url, found.via, found.title) == (server.url(), Via.ITSELF, "Harbour News")
    assert (found.look.kind, len(found.parsed.items)) == ("RSS 2.0", 2)
    assert found.newest == datetime(2026, 11, 21, 10, tzinfo=UTC)
    assert server.paths == ["/feed"]


async def test_a_page_leads_to_the_feeds_that_it_names_and_that_are_some(server: FeedServer) -> None:
    page(server, '<link rel="feed" href="/feed"><link rel="feed" href="/gone"><a href="/atom.xml">Atom</a>')
    server.serve()
    server.serve(ATOM, path="/atom.xml", content_type="application/atom+xml")

    result = await find(server)

    assert [(one.feed.url, one.via, one.title) for one in result.found] == [
        (server.url("/feed"), Via.LINK, "Harbour News"),
        (server.url("/atom.xml"), Via.ANCHOR, "Harbour, in Atom"),
    ]
    assert ["404" in str(error) for error in result.failed] == [True]
    assert not set(server.paths) & (set(COMMON_PATHS) - {"/feed", "/atom.xml"})


async def test_where_a_page_names_none_the_usual_places_are_tried(server: FeedServer) -> None:
    page(server, "Welcome", path="/start")
    server.serve(path="/rss.xml")

    result = await find(server, "/start")

    assert [(one.feed.url, one.via) for one in result.found] == [(server.url("/rss.xml"), Via.GUESS)]
    assert sorted(server.paths) == sorted(["/start", *COMMON_PATHS])


async def test_a_page_without_feeds_says_what_was_tried(server: FeedServer) -> None:
    page(server, "Welcome")

    result = await find(server)

    assert result.found == ()
    assert len(result.failed) == len(COMMON_PATHS)


async def test_two_addresses_that_lead_to_one_feed_are_one(server: FeedServer) -> None:
    page(server, '<link rel="feed" href="/a"><link rel="feed" href="/feed">')
    server.redirect("/feed", path="/a", status=302)
    server.serve()

    assert len((await find(server)).found) == 1


async def test_a_permanent_redirect_is_where_the_feed_lives(server: FeedServer) -> None:
    server.redirect("/feed", path="/old", status=301)
    server.serve()

    [found] = (await find(server, "/old")).found

    assert found.feed.url == server.url("/feed")


async def test_a_temporary_redirect_is_not_where_the_feed_lives(server: FeedServer) -> None:
    server.redirect("/feed", path="/today", status=302)
    server.serve()

    [found] = (await find(server, "/today")).found

    assert found.feed.url == server.url("/today")


async def test_what_is_neither_feed_nor_page_is_told(server: FeedServer) -> None:
    server.serve('{"a": 1}', content_type="application/json")

    with pytest.raises(FeedUnreadable, match="JSON that is no JSON Feed"):
        await find(server, "/feed")


async def test_an_address_that_answers_not_is_told(server: FeedServer) -> None:
    with pytest.raises(FetchRefused, match="404"):
        await find(server, "/nowhere")


async def test_another_host_that_a_page_names_gets_nothing_private(server: FeedServer) -> None:
    page(server, f'<link rel="feed" href="{server.url("/feed", host="localhost")}">')
    server.serve()

    result = await find(server, headers=(("X-Key", "s3cret"),))

    assert result.found == ()  # "localhost" is no public address, and the permission was for 127.0.0.1
    assert "no public address" in str(result.failed[0])


async def test_the_same_host_gets_the_log_in_that_was_typed(server: FeedServer) -> None:
    page(server, '<link rel="feed" href="/feed">')
    server.serve()
    feed = Feed(
        id=FeedId(""),
        url=server.url("/").replace("//", "//ada:pw@", 1),
        allow_private=True,
        headers=(("X-Key", "k"),),
    )

    async with HttpFetcher(FetchLimits(host_interval=timedelta(0))) as fetcher:
        [found] = (await discover(feed, fetcher, PlainParser(), NOW)).found

    assert found.feed.url == server.url("/feed").replace("//", "//ada:pw@", 1)
    assert found.feed.headers == (("X-Key", "k"),)
    assert server.last_headers["Authorization"].startswith("Basic ")


# ---- what bytes are ----------------------------------------------------------------------------

RUSSIAN = "<?xml version='1.0' encoding='{}'?><rss version='2.0'><channel><title>{}</title></channel></rss>"
TITLE = "Порт снова открыт для больших судов, сообщила администрация города"


CP1251, KOI8 = "windows-1251", "koi8-r"


def russian(label: str, encoding: str) -> bytes:
    return RUSSIAN.format(label, TITLE).encode(encoding)


@pytest.mark.parametrize(
    ("body", "charset", "override", "encoding", "why"),
    [
        (RSS.encode(), KOI8, None, "utf-8", "all bytes are valid; its prolog says utf-8; HTTP says koi8-r"),
        (b"\xef\xbb\xbf<rss/>", None, None, "utf-8", "it begins with its mark; nobody says which"),
        ("\ufeff<rss/>".encode("utf-16-le"), None, None, "utf-16", "it begins with its mark"),
        (russian(CP1251, CP1251), None, None, CP1251, "its prolog says so"),
        (russian("utf-8", CP1251), CP1251, None, CP1251, "HTTP says so"),
        (russian("utf-8", KOI8), None, None, KOI8, "by its letters; its prolog says utf-8"),
        (russian("utf-8", CP1251), None, KOI8, KOI8, "as the settings say"),
        (russian("utf-8", "utf-8") + b"<!-- \xff -->", None, None, "utf-8", "nearly all bytes are valid"),
    ],
)
def test_the_encoding_and_what_speaks_for_it_are_told(
    body: bytes, charset: str | None, override: str | None, encoding: str, why: str
) -> None:
    look = look_at(body, f"text/xml; charset={charset}" if charset else None, override)

    assert look.encoding == encoding
    assert look.why.startswith(why)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (RSS, "RSS 2.0"),
        ("<rss><channel/></rss>", "RSS"),
        (ATOM, "Atom"),
        ('<rdf:RDF xmlns="http://purl.org/rss/1.0/"/>', "RSS 1.0"),
        ('{"version": "https://jsonfeed.org/version/1.1"}', "JSON Feed 1.1"),
        ('{"a": 1}', "JSON"),
        ("<!doctype html><HTML>", "web page"),
        ("<opml/>", "XML of <opml>"),
        ("hello", "text"),
    ],
)
def test_the_kind_of_a_document_is_told(text: str, kind: str) -> None:
    assert look_at(text.encode(), None).kind == kind
