"""Broken XML, made whole where it is plain what was meant."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.feeds.mending import made_whole, without_captions


def an_rss(inside: str, head: str = "") -> str:
    return f"{head}<rss><channel>{inside}</channel></rss>"


SUBSET = '<!DOCTYPE rss [<!ENTITY eacute "&#233;"><!ENTITY nbsp \'&#xA0;\'><!ENTITY pub "The Pub">]>'


@pytest.mark.parametrize(
    ("broken", "whole"),
    [
        ("AT&T and R&D", "AT&amp;T and R&amp;D"),
        ("?a=1&b=2&copy=3", "?a=1&amp;b=2&amp;copy=3"),
        ("?reg&copy&lt=1", "?reg&amp;copy&amp;lt=1"),
        ("Fish & chips &", "Fish &amp; chips &amp;"),
        ("caf&eacute; au&nbsp;lait", "caf&#233; au&#160;lait"),
        ("caf&eacute au lait", "caf&#233; au lait"),
        ("&copyright &unknown; &b;", "&amp;copyright &amp;unknown; &amp;b;"),
        ("&#233 &#xE9; &#233;", "&#233; &#xE9; &#233;"),
        ("&amp; &lt; &gt; &quot; &apos;", "&amp; &lt; &gt; &quot; &apos;"),
        ("<a b='?c&d'/>", "<a b='?c&amp;d'/>"),
        ("<![CDATA[a & b &eacute;]]> & <!-- & --> & <?p & ?>", None),
    ],
)
def test_an_ampersand_begins_a_reference_or_is_one(broken: str, whole: str | None) -> None:
    wanted = whole or broken.replace("> & <", "> &amp; <")

    assert made_whole(an_rss(broken)) == an_rss(wanted)


def test_the_documents_own_names_for_characters_count() -> None:
    told = an_rss("D&eacute;j&agrave;&nbsp;vu in &pub;", SUBSET)

    assert made_whole(told) == an_rss("D&#233;j&#224;&#xA0;vu in &pub;", SUBSET)


@pytest.mark.parametrize("value", ["&other;", "%other;", "<b>", "&#60;b>", "ab"])
def test_names_of_anything_else_are_left_to_the_parser(value: str) -> None:
    told = an_rss("a &bomb; c", f'<!DOCTYPE rss [<!ENTITY bomb "{value}">]>')

    assert made_whole(told) in {told, told.replace("a &bomb;", "a &amp;bomb;")}


@pytest.mark.parametrize(
    ("broken", "whole"),
    [
        ("<item><title>a<link>b</link></item>", "<item><title>a</title><link>b</link></item>"),
        ("<item><title>a</item><item>", "<item><title>a</title></item><item>"),
        ("<title>a <b>b</b><guid>", "<title>a <b>b</b></title><guid>"),
        ("<title><![CDATA[a <link> b]]><guid>", "<title><![CDATA[a <link> b]]></title><guid>"),
        ("<title/><link>", "<title/><link>"),
        ("<title>a</title><link>", "<title>a</title><link>"),
        ("<!-- <title> --><link>", "<!-- <title> --><link>"),
        ("<![CDATA[<title>]]><link>", "<![CDATA[<title>]]><link>"),
        ("<titles>a<link>", "<titles>a<link>"),
    ],
)
def test_a_title_ends_where_the_next_element_of_an_entry_begins(broken: str, whole: str) -> None:
    assert made_whole(an_rss(broken)) == an_rss(whole)


@pytest.mark.parametrize(
    "told",
    [
        an_rss("<item><title>a<link>b</link></title></item>"),
        an_rss("<title>a &amp; b</title>", '<?xml version="1.0" encoding="windows-1251"?>'),
        an_rss("<title>\x0b&#1087;</title><x><title>a<id/></title></x>"),
    ],
)
def test_well_formed_documents_stay_as_they_are(told: str) -> None:
    assert made_whole(told) == told


CAPTION = '<media:content><media:description type="plain">a crane</media:description></media:content>'


@pytest.mark.parametrize("own", ["<description>d</description>", "<summary> <![CDATA[d]]></summary>"])
def test_a_caption_is_no_text_of_an_entry_that_has_one(own: str) -> None:
    told = an_rss(f"<item>{CAPTION}{own}</item><item>{CAPTION}</item>")

    kept = without_captions(told)

    assert kept == an_rss(f"<item><media:content></media:content>{own}</item><item>{CAPTION}</item>")


@pytest.mark.parametrize("own", ["", "<description/>", "<description> </description>", "<title>t</title>"])
def test_where_an_entry_has_no_text_the_caption_is_it(own: str) -> None:
    told = an_rss(f"<description>of the feed</description><item>{own}{CAPTION}</item>")

    assert without_captions(told) == told


@pytest.mark.parametrize(
    "unit",
    [
        *("<title>", "<title><![CDATA[", "<title><b>", "<title ", "<!--", "<![CDATA[", "<?"),
        *(
            "<item><description>d<media:description><![CDATA[",
            "<media:description>",
            "&a.b-",
            "<description> ",
        ),
    ],
)
def test_hostile_documents_take_linear_time(unit: str) -> None:
    told = "<rss>" + unit * (1_000_000 // len(unit))
    started = time.process_time()

    made_whole(without_captions(told))

    assert time.process_time() - started < 5  # what is quadratic takes hours


PARTS = st.sampled_from(
    [
        *("<title>", "</title>", "<link>", "</link>", "<item>", "<![CDATA[", "]]>", "<!--", "-->"),
        *("&", "&amp;", "&nbsp;", "&#1", "a", "b="),
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PARTS, max_size=20).map("".join))
def test_mending_twice_is_mending_once(inside: str) -> None:
    once = made_whole(an_rss(inside))

    assert made_whole(once) == once
