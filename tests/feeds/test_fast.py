"""The fast reader and feedparser: one result, whatever lies before them."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random
from xml.parsers import expat

import feedparser
import pytest
from feedparser.api import StrictFeedParser
from feedparser.html import _cp1252
from feedparser.mixin import _FeedParserMixin
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.feeds.decode import decode
from bot.feeds.draft import DraftFeed
from bot.feeds.fastentry import HTML_ELEMENTS, looks_like_html, mended
from bot.feeds.fastnames import PLAIN, PREFIXES, is_inert
from bot.feeds.fastrules import ROOT
from bot.feeds.mending import made_whole, without_captions
from bot.feeds.xmlfeed import from_its_start, read_fast, read_slowly
from tests.fuzz.grammar import an_xml_feed

GOLDEN = Path(__file__).parent.parent / "golden" / "feeds"
FEEDS = sorted(path for path in GOLDEN.iterdir() if path.suffix == ".xml")


def document(body: bytes) -> str:
    return from_its_start(decode(body, None))


def is_well_formed(text: str) -> bool:
    try:
        expat.ParserCreate("utf-8", " ").Parse(re.sub(r"^<\?xml[^>]*>", "", text).encode(), True)
    except expat.ExpatError:
        return False
    return "<!DOCTYPE" not in text


def an_rss(inside: str, declared: str = "") -> str:
    return f'<rss version="2.0"{declared}><channel><title>t</title>{inside}</channel></rss>'


# ---- one result ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FEEDS, ids=[path.name for path in FEEDS])
def test_a_golden_feed_reads_alike(path: Path) -> None:
    text = document(path.read_bytes())

    for one in (text, made_whole(text), without_captions(made_whole(text))):
        assert read_fast(one) in {None, read_slowly(one)}


@settings(max_examples=300, deadline=None)
@given(st.randoms(use_true_random=False))
def test_a_made_up_feed_reads_alike(rng: Random) -> None:
    text = from_its_start(an_xml_feed(rng))

    assert read_fast(text) in {None, read_slowly(text)}


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(FEEDS), st.data())
def test_a_wounded_golden_feed_reads_alike(path: Path, data: st.DataObject) -> None:
    text = document(path.read_bytes())
    start = data.draw(st.integers(0, len(text)))
    wound = data.draw(
        st.sampled_from(["", "<title>t</title>", "&amp;", "\u0092", "\n", "</item><item>", "\ufeff"])
    )

    hurt = from_its_start(text[:start] + wound + text[start + data.draw(st.integers(0, 30)) :])

    assert read_fast(hurt) in {None, read_slowly(hurt)}


NAMESPACES = (
    ' xmlns:media="http://search.yahoo.com/mrss/" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    ' xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:a="http://www.w3.org/2005/Atom" xmlns:x="https://x.example/"'
)
DESCRIPTION = "<description>shallow</description>"
DEEP = (
    "<media:group><media:title>deep</media:title><media:description>deeper</media:description></media:group>"
)
ENCODED = "<content:encoded>all</content:encoded>"
AUTHOR = "<author><name>Ada</name><email>a@x.example</email></author>"


@pytest.mark.parametrize(
    "entry",
    [
        DEEP + DESCRIPTION,
        DESCRIPTION + DEEP,
        ENCODED + DEEP + DESCRIPTION,
        ENCODED + DESCRIPTION + DEEP,
        DESCRIPTION + ENCODED + DEEP,
        DESCRIPTION + "<description>again</description>",
        DESCRIPTION + "<itunes:summary>again &lt;b&gt;b&lt;/b&gt;</itunes:summary>" + DESCRIPTION,
        "<title>one</title><title>two</title>",
        "<title>one</title><source>S</source><title>two</title>",
        "<title>one</title><image>i</image><title>two</title>",
        "<title/><title>two</title>",
        "<title>one</title>" + DEEP,
        DEEP + "<title>one</title>",
        '<link>https://x.example/1</link><link/><a:link href="/2" rel="self"/>',
        '<a:link href="/2" rel="enclosure"/><enclosure url="/3"/><guid>4</guid>',
        '<guid>https://x.example/1</guid><link href="https://x.example/2" type="application/json"/>',
        '<guid isPermaLink="false">1</guid><comments>/c</comments>',
        "<category>a</category><category>a</category><category domain='d'/><category>b</category>",
        "<category term='t' label='l'>a</category><itunes:keywords>a, b,,a</itunes:keywords>",
        AUTHOR,
        "<dc:creator>Bob</dc:creator>" + AUTHOR.replace("<email>a@x.example</email>", ""),
        AUTHOR + "<author>Bob (b@x.example)</author>",
        "<author><name></name></author>",
        "<pubDate>soon</pubDate><dc:date>2026-11-21</dc:date>",
        "<pubDate>2026-11-20</pubDate><pubDate/><a:updated>2026-11-21</a:updated>",
        "<date>2026-11-21</date><x:date>2026-11-22</x:date>",
        "<title>caf\u00c3\u00a9 \u0092</title><description> \u00a0 a \u0085</description>",
        '<title xml:lang="de_AT" type="HTML">a &amp;amp; b</title>',
        "<x:wrap><x:title>no</x:title></x:wrap><title>yes</title>",
    ],
)
def test_words_that_vie_with_each_other_count_as_for_feedparser(entry: str) -> None:
    text = an_rss(f"<item>{entry}</item><item><title>next</title>{DESCRIPTION * 2}</item>", NAMESPACES)

    assert read_fast(text) == read_slowly(text)


@pytest.mark.parametrize(
    "facts",
    [
        "<image><title>i</title></image><title>late</title>",
        "<item><title>a</title></item><title>late</title>",
        "<itunes:summary>s</itunes:summary><description>d</description><item><description>a</description></item>",
        "<itunes:owner><itunes:name>n</itunes:name></itunes:owner><itunes:author>b</itunes:author>",
        "<language>de</language><dc:language>fr</dc:language><ttl>7</ttl>",
        "<skipHours><hour>1</hour></skipHours><cloud domain='d'/>",
    ],
)
def test_what_a_feed_says_of_itself_counts_as_for_feedparser(facts: str) -> None:
    text = an_rss(f"{facts}<item><description>a</description><description>b</description></item>", NAMESPACES)

    assert read_fast(text) == read_slowly(text)


# ---- what it takes ---------------------------------------------------------------------------------


def test_most_well_formed_golden_feeds_are_read_fast() -> None:
    texts = [text for path in FEEDS if is_well_formed(text := document(path.read_bytes()))]

    taken = [text for text in texts if read_fast(text)]

    assert len(taken) >= 0.8 * len(texts)


@pytest.mark.parametrize(
    "text",
    [
        an_rss("<item><title>a <b>b</b></title></item>"),
        an_rss('<item><title type="application/xml">a</title></item>'),
        an_rss('<item><description mode="base64">YQ==</description></item>'),
        an_rss("<item><title>a&nbsp;b</title></item>"),
        an_rss("<item><title>a & b</title></item>"),
        an_rss("<item><body>a</body></item>"),
        an_rss("<item><dc:date>2026-11-21</dc:date></item>", ' xmlns:dc="https://other.example/"'),
        an_rss(
            "<item><d:title>a</d:title></item>", ' xmlns:d="https://x.example/" xmlns:D="https://y.example/"'
        ),
        an_rss("<item><item><title>a</title></item></item>"),
        an_rss("<item/>").replace("<channel>", '<channel xml:base="https://x.example/">'),
        '<!DOCTYPE rss [<!ENTITY a "b">]>' + an_rss("<item><title>&a;</title></item>"),
        '<html xmlns="http://www.w3.org/1999/xhtml"/>',
        "<urlset/>",
        "",
    ],
)
def test_what_means_more_than_it_knows_is_left_to_feedparser(text: str) -> None:
    assert read_fast(text) is None


# ---- feedparser's tables ---------------------------------------------------------------------------

HANDLERS = sorted(
    {
        name.removeprefix(start)
        for name in dir(StrictFeedParser)
        for start in ("_start_", "_end_")
        if name.startswith(start)
    }
)


@pytest.mark.parametrize("handler", HANDLERS)
def test_whatever_feedparser_handles_is_not_taken_for_inert(handler: str) -> None:
    assert not is_inert(handler.lower())
    assert not is_inert(handler.lower().replace("_", ":", 1))


def test_the_namespaces_are_feedparsers() -> None:
    theirs = {uri.lower(): prefix.lower() for uri, prefix in _FeedParserMixin.namespaces.items() if uri}

    assert {**dict.fromkeys(PLAIN, ""), **PREFIXES} == theirs


def test_the_elements_of_html_are_feedparsers() -> None:
    theirs = feedparser.sanitizer._HTMLSanitizer.acceptable_elements

    assert theirs == HTML_ELEMENTS


@settings(deadline=None)
@given(st.text() | st.text("</>abpi&;#12 "))
def test_html_is_suspected_where_feedparser_suspects_it(text: str) -> None:
    assert looks_like_html(text) == _FeedParserMixin.looks_like_html(text)


def test_windows_letters_are_feedparsers() -> None:
    text = "я" + "".join(map(chr, range(0x80, 0xA0)))

    assert mended(text) == text.translate(_cp1252)


def test_the_rules_begin_at_the_three_roots() -> None:
    assert set(ROOT.rules) == {"rss", "feed", "rdf:rdf"}


def test_both_ways_give_drafts() -> None:
    text = an_rss("<item><title>a</title></item>")

    assert isinstance(read_fast(text), DraftFeed)
    assert read_fast(text) == read_slowly(text)
