"""Feed lists as people have them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import ConfigInvalid
from bot.feeds.opml import feed_id_for, read_opml
from bot.model import Feed


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
        ("", "no element found"),
        ("<opml><body>", "feeds.opml:1:13: is no well-formed XML"),
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
