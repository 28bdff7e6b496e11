"""Feeds as the world sends them, and what is no feed."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import FeedUnreadable
from bot.feeds.draft import _PLAIN_URL, _joined, web_url
from bot.feeds.parse import parse_feed
from bot.model import ZERO, Feed, FeedId, Item, ParsedFeed, PollReason
from tests.feedserver import RSS

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
GOLDEN = Path(__file__).parent.parent / "golden" / "feeds"
FEED = Feed(id=FeedId("golden"), url="https://golden.example/feeds/all")


def parse(body: bytes | str, content_type: str | None = None, feed: Feed = FEED, **more: Any) -> ParsedFeed:
    data = body.encode() if isinstance(body, str) else body
    return parse_feed(data, content_type, feed, NOW, feed.url, **more)


def an_rss(*items: str, channel: str = "<title>Harbour</title>") -> str:
    inside = "".join(f"<item>{item}</item>" for item in items)
    return f'<?xml version="1.0"?><rss version="2.0"><channel>{channel}{inside}</channel></rss>'


def refusal(body: bytes | str, content_type: str | None = None, feed: Feed = FEED) -> str:
    with pytest.raises(FeedUnreadable) as caught:
        parse(body, content_type, feed)
    assert caught.value.reason is PollReason.UNREADABLE
    return str(caught.value).removeprefix(f"{FEED.url} ")


# ---- wild feeds beside what we expect of them ------------------------------------------------------


def expected(path: Path) -> ParsedFeed:
    told = json.loads(path.with_name(path.name + ".expected.json").read_text())
    items = []
    for item in told.pop("items"):
        date = item.pop("published_at", None)
        categories = tuple(item.pop("categories", ()))
        items.append(
            Item(
                feed_id=FEED.id,
                categories=categories,
                published_at=datetime.fromisoformat(date) if date else None,
                **item,
            )
        )
    return ParsedFeed(items=tuple(items), wait=timedelta(seconds=told.pop("wait", 0)), **told)


WILD = sorted(path for path in GOLDEN.iterdir() if not path.name.endswith(".expected.json"))


@pytest.mark.parametrize("path", WILD, ids=[path.name for path in WILD])
def test_a_wild_feed_gives_the_items_that_stand_in_it(path: Path) -> None:
    found, wanted = parse(path.read_bytes()), expected(path)

    assert found.items == wanted.items
    assert found == wanted


# ---- what is no feed -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "content_type", "says"),
    [
        (b"", None, "sent an empty answer"),
        (b" \r\n\t", "text/xml", "sent an empty answer"),
        (
            "<!DOCTYPE html><html><head><title>Sign in &ndash; Club</title>",
            "text/html",
            'titled "Sign in – Club"',
        ),
        ("<!-- x --><HTML><body>hello</body></HTML>", "application/rss+xml", "a web page, no feed (a log-in"),
        ('<?xml version="1.0"?><!DOCTYPE html><html xmlns="x"><title>XHTML</title></html>', None, '"XHTML"'),
        ('{"error": "not found"}', "application/json", "JSON that is no JSON Feed"),
        ("[1, 2]", None, "JSON that is no JSON Feed"),
        ('call({"version": "https://jsonfeed.org/version/1.1"});', None, 'no feed; it begins "call({'),
        ("{" * 100_000, None, "JSON that is no JSON Feed"),
        ('{"version": "https://jsonfeed.org/version/1", "items": ' + "[" * 100_000, None, "JSON that is no"),
        (
            "<urlset><url><loc>https://x.example/</loc></url></urlset>",
            None,
            "a document of <urlset> elements",
        ),
        (b"%PDF-1.7\n\0\0\0\0\xff\xfe", "application/pdf", "binary data (application/pdf)"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png", "binary data (image/png)"),
        (
            "Too many connections",
            "text/plain",
            'text (text/plain), no feed; it begins "Too many connections"',
        ),
    ],
)
def test_what_came_instead_of_a_feed_is_told(body: bytes | str, content_type: str | None, says: str) -> None:
    assert says in refusal(body, content_type)


def test_credentials_are_in_no_refusal() -> None:
    secret = replace(FEED, url="https://reader:s3cret@golden.example/?token=t0ken")

    with pytest.raises(FeedUnreadable) as caught:
        parse(b"", feed=secret)

    assert "s3cret" not in f"{caught.value} {caught.value.feed_url}"
    assert "t0ken" not in f"{caught.value} {caught.value.feed_url}"


def test_an_unknown_encoding_in_the_settings_is_told() -> None:
    assert "'klingon'" in refusal(RSS, feed=replace(FEED, encoding="klingon"))


@pytest.mark.parametrize(
    "body", ['<rss version="2.0"><channel/></rss>', '<feed xmlns="http://www.w3.org/2005/Atom"/>']
)
def test_a_feed_without_entries_is_a_feed(body: str) -> None:
    assert parse(body).items == ()


@pytest.mark.parametrize("reference", ["&#1114112;", "&#xD800;", "&#99999999999999999999;", "&#0;"])
def test_an_impossible_character_costs_one_character(reference: str) -> None:
    found = parse(an_rss(f"<title>Fish & ch{reference}ps</title>", "<title>Crane</title>"))

    assert [item.title for item in found.items][1:] == ["Crane"]
    assert found.items[0].title in {"Fish & ch\ufffdps", "Fish & chps"}


def test_a_feed_on_which_the_library_breaks_is_told() -> None:
    point = '<rss version="2.0" xmlns:gml="http://www.opengis.net/gml"><channel><item><gml:pos>a b</gml:pos>'

    assert "broken beyond reading" in refusal(point)


# ---- limits ----------------------------------------------------------------------------------------


def test_a_title_of_a_megabyte_is_cut_and_costs_the_others_nothing() -> None:
    found = parse(an_rss(f"<title>{'Ferry ' * 170_000}</title>", "<title>Crane</title>"))

    assert [len(item.title) for item in found.items] == [1000, 5]


def test_texts_are_cut_to_their_limits() -> None:
    long = "wave " * 50_000
    (item,) = parse(
        an_rss(
            f"<description>{long}</description><content:encoded>{long}&lt;b&gt;</content:encoded>"
            f"<author>{long}</author><guid>{long}</guid>" + "<category>c</category>" * 3
        ).replace("<rss ", '<rss xmlns:content="http://purl.org/rss/1.0/modules/content/" ')
    ).items

    assert 4_990 < len(item.summary) <= 5_000
    assert 39_990 < len(item.content) <= 40_000
    assert len(item.author) <= 200
    assert len(item.guid or "") <= 2_000
    assert item.categories == ("c",)


def test_a_body_that_names_a_file_is_not_that_file(tmp_path: Path) -> None:
    file = tmp_path / "rss.xml"
    file.write_text(RSS)

    assert "no feed" in refusal(str(file))


# ---- names, links, waits ---------------------------------------------------------------------------


def test_the_operators_words_go_before_the_feeds() -> None:
    feed = replace(FEED, outlet="Our Harbour", language="nl")

    found = parse(
        an_rss("<title>t</title>", channel="<title>Theirs</title><language>en</language>"), feed=feed
    )

    assert (found.items[0].outlet, found.items[0].language) == ("Our Harbour", "nl")
    assert (found.title, found.language) == ("Theirs", "nl")


def test_without_any_name_the_host_is_the_outlet() -> None:
    feed = replace(FEED, url="https://www.golden.example/rss")

    assert parse(an_rss("<title>t</title>", channel=""), feed=feed).items[0].outlet == "golden.example"


@pytest.mark.parametrize(
    ("url", "absolute"),
    [
        ("https://x.example/a", "https://x.example/a"),
        ("/a?b=1", "https://golden.example/a?b=1"),
        ("a b", "https://golden.example/feeds/a%20b"),
        ("//x.example/a", "https://x.example/a"),
        ("  https://x.example/a\n", "https://x.example/a"),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("tg://resolve?domain=x", None),
        ("https://", None),
        ("http://[broken", None),
        ("https://x.example/" + "a" * 2_000, None),
        ("", None),
    ],
)
def test_links_are_absolute_web_addresses_or_none(url: str, absolute: str | None) -> None:
    assert web_url(url, FEED.url) == absolute


@settings(max_examples=500, deadline=None)
@given(
    st.from_regex(_PLAIN_URL, fullmatch=True),
    st.sampled_from(["https://x.example/a/b?c", "http://x.example"]),
)
def test_a_plain_address_is_what_joining_makes_of_it(url: str, base: str) -> None:
    assert _joined(url, base) == url


@pytest.mark.parametrize(
    ("channel", "wait"),
    [
        ("", ZERO),
        ("<ttl>15</ttl>", timedelta(minutes=15)),
        ("<ttl>99999</ttl>", timedelta(hours=5)),
        ("<ttl>-5</ttl>", ZERO),
        ("<ttl>soon</ttl>", ZERO),
        ("<sy:updatePeriod>hourly</sy:updatePeriod>", timedelta(hours=1)),
        (
            "<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>8</sy:updateFrequency>",
            timedelta(hours=3),
        ),
        (
            "<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>0</sy:updateFrequency>",
            timedelta(hours=5),
        ),
        ("<sy:updatePeriod>now and then</sy:updatePeriod>", ZERO),
    ],
)
def test_what_a_feed_asks_to_wait_is_read_and_capped(channel: str, wait: timedelta) -> None:
    body = an_rss(channel=channel).replace(
        "<rss ", '<rss xmlns:sy="http://purl.org/rss/1.0/modules/syndication/" '
    )

    assert parse(body).wait == wait


def test_the_encoding_of_the_settings_goes_before_everything() -> None:
    body = an_rss("<title>Größe</title>").encode()

    assert parse(body, feed=replace(FEED, encoding="cp1252")).items[0].title == "GrÃ¶ÃŸe"


# ---- laws ------------------------------------------------------------------------------------------

PARTS = [
    *(
        b"<rss version='2.0'>",
        b"<channel>",
        b"<item>",
        b"<title>",
        b"</title>",
        b"</item>",
        b"<feed>",
        b"<entry>",
    ),
    *(
        b"<![CDATA[",
        b"]]>",
        b"<!--",
        b"<!DOCTYPE x [<!ENTITY a 'b'>]>",
        b"&a;",
        b"&#xD800;",
        b"&#1114112;",
        b"<?xml ",
    ),
    *(
        b"<guid>",
        b"<link/>",
        b"<pubDate>",
        b"9999-99-99T99:99",
        b"\xff\xfe",
        b"\0",
        b"\xd0",
        b"xml:base='http://['",
    ),
    *(
        b"<content type='xhtml'>",
        b"<div>",
        b'{"version":"https://jsonfeed.org/version/1","items":[',
        b"{",
        b"}",
        b"]",
    ),
]
hostile = st.binary(max_size=200) | st.lists(st.sampled_from(PARTS) | st.binary(max_size=4), max_size=30).map(
    b"".join
)


@settings(max_examples=300, deadline=None)
@given(hostile, st.none() | st.text(max_size=30))
def test_any_bytes_are_a_feed_or_unreadable(body: bytes, content_type: str | None) -> None:
    try:
        found = parse(body, content_type)
    except FeedUnreadable as error:
        assert str(error)
        return
    for item in found.items:
        texts = [getattr(item, each.name) for each in fields(item)]
        assert any([item.title, item.summary, item.content, item.url, item.guid])
        "".join(text for text in texts if isinstance(text, str)).encode()  # no half surrogate pairs


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(RSS.encode())), st.integers(0, 40), st.binary(max_size=8))
def test_a_feed_with_any_wound_is_a_feed_or_unreadable(start: int, length: int, wound: bytes) -> None:
    body = RSS.encode()

    try:
        found = parse(body[:start] + wound + body[start + length :])
    except FeedUnreadable:
        return
    assert len(found.items) <= 3
