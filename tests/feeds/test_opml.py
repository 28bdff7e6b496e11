"""Feed lists as people have them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.feedsync import url_key
from bot.errors import ConfigInvalid
from bot.feeds.opml import feed_id_for, opml_lines, public_url, read_opml, write_opml
from bot.model import Feed, FeedId

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
STARTER = Path(__file__).parents[2] / "seeds" / "feeds.opml"


def read(tmp_path: Path, body: str | bytes) -> tuple[Feed, ...]:
    path = tmp_path / "feeds.opml"
    path.write_bytes(body.encode() if isinstance(body, str) else body)
    return read_opml(path)


def problems(tmp_path: Path, body: str | bytes) -> list[str]:
    with pytest.raises(ConfigInvalid) as caught:
        read(tmp_path, body)
    return [str(problem).removeprefix(f"{tmp_path}/") for problem in caught.value.problems]


def test_nested_outlines_give_their_feeds_in_order(tmp_path: Path) -> None:
    feeds = read(
        tmp_path,
        """<?xml version="1.0"?><opml version="2.0"><head><title>My list</title></head><body>
        <outline text="News"><outline text="Deep" xml:lang="de-AT">
          <outline type="rss" text="Hafenblatt" title="Das Hafenblatt" xmlUrl="https://hafen.example/rss"/>
          <outline text="Quay &amp;amp; Co" xmlURL="http://www.quay.example/Feed?a=1" language="en"/>
        </outline></outline>
        <outline text="A page, no feed" htmlUrl="https://page.example/"/>
        <outline xmlUrl="feed:https://plain.example/atom"/>
        </body></opml>""",
    )

    assert [(feed.url, feed.outlet, feed.language) for feed in feeds] == [
        ("https://hafen.example/rss", "Das Hafenblatt", "de"),
        ("http://www.quay.example/Feed?a=1", "Quay &amp; Co", "en"),
        ("https://plain.example/atom", None, None),
    ]


def test_a_feed_in_two_folders_comes_once(tmp_path: Path) -> None:
    feeds = read(
        tmp_path,
        """<opml><body><outline text="A" xmlUrl="http://a.example/rss"/>
        <outline text="B" xmlUrl="https://www.a.example/rss/"/></body></opml>""",
    )

    assert [feed.outlet for feed in feeds] == ["A"]


def test_another_encoding_is_read(tmp_path: Path) -> None:
    body = '<?xml version="1.0" encoding="windows-1251"?><opml><body><outline text="Вести" xmlUrl="http://v.example/"/></body></opml>'

    assert read(tmp_path, body.encode("cp1251"))[0].outlet == "Вести"


def test_each_wrong_outline_is_told_with_its_line(tmp_path: Path) -> None:
    told = problems(
        tmp_path,
        """<opml><body>
<outline xmlUrl="hafen.example/rss"/>
<outline xmlUrl="ftp://reader:s3cret@hafen.example/rss"/>
<outline xmlUrl="https://ok.example/" language="deutsch"/>
</body></opml>""",
    )

    assert [line.split(":")[1] for line in told] == ["2", "3", "4"]
    assert "whole http:// or https:// address" in told[0]
    assert "s3cret" not in told[1]
    assert "two letters" in told[2]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("", "the file ends too early"),
        ("<opml><body>", "feeds.opml:1:13: the file ends too early"),
        ("<rss/>", "begins with <rss>"),
        ("\n<opml>\n<a & b></opml>", "feeds.opml:3"),
        ('<?xml version="1.0" encoding="klingon"?><opml/>', "encoding"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><opml>&a;</opml>', "declares an entity"),
        ('<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><opml>&a;</opml>', "declares an entity"),
        ('<!DOCTYPE x [<!ENTITY % a SYSTEM "http://x.example/">%a;]><opml/>', "declares an entity"),
    ],
)
def test_what_is_no_feed_list_is_refused_with_its_place(tmp_path: Path, body: str, says: str) -> None:
    assert says in problems(tmp_path, body)[0]


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match=r"nowhere\.opml: cannot be read: No such file"):
        read_opml(tmp_path / "nowhere.opml")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://www.hafen.example/news/rss.xml", "hafen.example_news_rss.xml"),
        ("http://hafen.example/", "hafen.example"),
        ("https://hafen.example/a-b", "hafen.example_a-b"),
    ],
)
def test_a_plain_url_is_its_own_id(url: str, expected: str) -> None:
    assert feed_id_for(url) == expected


def test_urls_that_only_look_alike_have_ids_of_their_own() -> None:
    urls = [
        "https://x.example/a/b",
        "https://x.example/a_b",
        "https://x.example/A/b",
        "https://x.example/a?b",
        "",
    ]

    assert len({feed_id_for(url) for url in urls}) == len(urls)


def test_an_id_shows_no_credentials() -> None:
    found = feed_id_for("https://reader:s3cret@x.example/rss?token=t0ken")

    assert found.startswith("x.example-rss-")


def test_each_feed_has_its_line(tmp_path: Path) -> None:
    path = tmp_path / "feeds.opml"
    path.write_text(
        '<opml><body>\n<outline xmlUrl="https://a.example/"/>\n\n<outline text="B"\n xmlUrl="https://b.example/"/>'
        '\n<outline xmlUrl="https://a.example/"/></body></opml>'
    )

    assert opml_lines(path) == {"a.example": 2, "b.example": 4}


# ---- which URLs are one feed -------------------------------------------------------------------


@pytest.mark.parametrize(
    "other",
    [
        "http://a.example/rss",
        "https://www.a.example/rss/",
        "HTTPS://A.Example:443/rss#top",
        " https://ada:pw@a.example/rss ",
    ],
)
def test_spellings_of_one_address_are_one_feed(other: str) -> None:
    assert url_key(other) == url_key("https://a.example/rss")


@pytest.mark.parametrize(
    "other",
    [
        "https://b.example/rss",
        "https://a.example/RSS",
        "https://a.example:8080/rss",
        "https://a.example/rss?x=1",
        "https://a.example",
        "https://a.example:port/",
        "",
    ],
)
def test_other_addresses_are_other_feeds(other: str) -> None:
    assert url_key(other) != url_key("https://a.example/rss")


# ---- writing -----------------------------------------------------------------------------------


def a_feed(url: str, outlet: str | None = None, language: str | None = None) -> Feed:
    return Feed(id=feed_id_for(url), url=url, outlet=outlet, language=language)


def test_a_list_groups_feeds_by_language_in_the_languages_own_words() -> None:
    text = write_opml(
        [
            a_feed("https://n.example/"),
            a_feed("https://r.example/", "Вести", "ru"),
            a_feed("https://d.example/", "Blatt", "de"),
            a_feed("https://x.example/", "Qo'noS", "tlh"),
        ],
        NOW,
    )

    body = ET.fromstring(text).find("body")
    assert body is not None
    told = [(folder.get("text"), [feed.get("text") for feed in folder]) for folder in body]
    assert told == [
        ("Deutsch", ["Blatt"]),
        ("Русский", ["Вести"]),
        ("tlh", ["Qo'noS"]),
        ("Other", ["n.example"]),
    ]
    assert "<dateCreated>Sun, 01 Mar 2026 12:00:00 +0000</dateCreated>" in text


def test_no_feed_makes_an_empty_list(tmp_path: Path) -> None:
    assert read(tmp_path, write_opml([], NOW)) == ()


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=20)


@given(names=st.lists(st.tuples(NAMES, st.sampled_from([None, "de", "ru", "zh"])), max_size=5))
def test_what_was_written_reads_as_it_was(
    names: list[tuple[str, str | None]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    feeds = [
        a_feed(f"https://a.example/{nth}?q='\"&x=<1>", name, language)
        for nth, (name, language) in enumerate(names)
    ]

    found = read(tmp_path_factory.mktemp("opml"), write_opml(feeds, NOW))

    assert sorted(found, key=lambda feed: feed.url) == feeds


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://ada:s3cret@a.example/rss", "https://a.example/rss"),
        ("https://a.example/rss?token=s3cret&n=1", "https://a.example/rss?n=1"),
        ("https://a.example/rss?n=1", "https://a.example/rss?n=1"),
        ("https://a.example/rss?n=1&api_key=s3cret&m=2#top", "https://a.example/rss?n=1&m=2#top"),
        ("https://a.example/rss?token=s3cret&key=s3cret;n=1", "https://a.example/rss?n=1"),
        ("https://a.example/rss?token=s3cret", "https://a.example/rss"),
        ("https://a.example/rss?token=s3cret#top", "https://a.example/rss#top"),
        ("https://a.example/rss;sig=s3cret", "https://a.example/rss"),
        ("https://a.example/rss?", "https://a.example/rss?"),
    ],
)
def test_a_list_tells_no_credentials(url: str, expected: str) -> None:
    assert public_url(url) == expected
    assert "s3cret" not in write_opml([Feed(id=FeedId("a"), url=url, auth_file="/etc/s3cret")], NOW)


@pytest.mark.parametrize(
    "url", ["https://a.example/rss?token=***", "https://***@a.example/rss", "https://t.example/bot***/rss"]
)
def test_an_address_without_its_secret_is_refused_with_its_line(tmp_path: Path, url: str) -> None:
    said = problems(tmp_path, f'<opml><body>\n<outline xmlUrl="{url}"/></body></opml>')

    assert said == [
        "feeds.opml:2: xmlUrl holds ***, where a password or token was taken out; write it there, or remove"
        " the feed"
    ]


@pytest.mark.parametrize(
    ("body", "place"),
    [("", "feeds.opml:1:1"), ("<opml><body>", "feeds.opml:1:13"), ("<opml><body><outl", "feeds.opml:1:13")],
    ids=["empty", "open", "inside a tag"],
)
def test_a_list_that_broke_off_is_told_so(tmp_path: Path, body: str, place: str) -> None:
    [said] = problems(tmp_path, body)

    assert said.startswith(f"{place}: the file ends too early")


# ---- the starter list --------------------------------------------------------------------------


def test_the_starter_list_is_read_whole_each_feed_with_its_own_id_and_language() -> None:
    feeds = read_opml(STARTER)

    outlines = [outline for outline in ET.parse(STARTER).iter("outline") if outline.get("xmlUrl")]
    assert len(feeds) == len(outlines) >= 40
    assert {feed.language for feed in feeds} == {"de", "en", "ru", "fr", "es", "pl", "uk", "zh"}
    assert all(feed.outlet for feed in feeds)
    assert len({url_key(feed.url) for feed in feeds}) == len(feeds)


def test_each_feed_of_the_starter_list_stands_below_a_comment_on_when_it_was_last_known() -> None:
    comment = ""
    seen = []
    for line in STARTER.read_text(encoding="utf-8").splitlines():
        if found := re.fullmatch(r"\s*<!-- (.*) -->", line):
            comment = found[1]
        elif "<outline text=" in line:
            comment = ""  # a folder begins: its feeds need a word of their own
        elif "xmlUrl" in line:
            seen.append(comment)

    assert len(seen) >= 40
    assert all(re.fullmatch(r"answered \d{4}-\d\d-\d\d|unchecked", comment) for comment in seen)
    assert sum(comment.startswith("answered") for comment in seen) >= 40
