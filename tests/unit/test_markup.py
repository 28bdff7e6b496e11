"""HTML to plain text."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.markup import _tame_text, _wild_texts, clean_text, looks_like_markup, plain_line, plain_text


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("plain", "plain"),
        ("<p>One</p><p>Two</p>", "One\nTwo"),
        ("One<br>Two<br/>Three", "One\nTwo\nThree"),
        ("<ul><li>a</li>\n\n<li>b</li></ul>", "a\nb"),
        ("a<b>b</b>c <i>d</i>", "abc d"),
        ("Fish &amp; chips &#8211; caf&eacute; &#x1F41F;", "Fish & chips – café 🐟"),
        ("a&nbsp;&nbsp;b\u00a0\t c", "a b c"),
        ("5 < 6 and 7 > 3", "5 < 6 and 7 > 3"),
        ("I <3 you", "I <3 you"),
        ("a &lt;b&gt; c", "a <b> c"),
        ("AT&T; R&D &unknown;", "AT&T; R&D &unknown;"),
        ("<a title=\"a > b\" href='x>y'>link</a>", "link"),
        ("<script>alert('<b>x</b>')</script>safe", "safe"),
        ("<SCRIPT SRC=x>bad</ScRiPt >safe", "safe"),
        ("<style>p{}</style>safe<script>never closed", "safe"),
        ("before<svg><text>x</text></svg>after<svg/>end", "beforeafterend"),
        ("a<!-- <p>hidden</p> -->b<!-- open", "ab"),
        ("<!DOCTYPE html><?php x ?>text", "text"),
        ('open quote <a href="x>text', "open quote text"),
        ("cut off <a href=", "cut off"),
        ('<p title="it\'s">quote</p>', "quote"),
        ("<>", "<>"),
        ("", ""),
    ],
)
def test_html_becomes_the_text_that_a_reader_sees(markup: str, expected: str) -> None:
    assert plain_text(markup, 1000) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\u202egnp.exe\u202c", "agnp.exe"),
        ("\u2067שלום\u2069", "שלום"),
        ("\u200fשלום\u200e", "שלום"),
        ("zero\u200bwidth\ufeff soft\u00adhyphen", "zerowidth softhyphen"),
        ("nul\0 bell\a esc\x1b[31m", "nul bell esc[31m"),
        ("half \ud83d pair", "half pair"),
        ("می\u200cخواهم 👩\u200d👧", "می\u200cخواهم 👩\u200d👧"),
        ("a \r\n\r\n b\u2028c", "a\nb\nc"),
    ],
)
def test_characters_that_do_harm_are_taken_out(text: str, expected: str) -> None:
    assert clean_text(text, 100) == expected


@pytest.mark.parametrize("entity", ["&#0;", "&#xD800;", "&#x202E;", "&#8238;", "&ZeroWidthSpace;"])
def test_harm_does_not_come_in_as_an_entity(entity: str) -> None:
    assert plain_text(f"a{entity}b", 100) in {"ab", "a\ufffdb"}


def test_a_line_has_no_line_ends() -> None:
    assert plain_line("<h1>One</h1>\n<p>Two</p>", 100) == "One Two"


def test_a_title_of_a_megabyte_is_cut() -> None:
    assert plain_line("<b>x</b> " * 120_000, 1000) == ("x " * 500).strip()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Fish &amp; chips", True),
        ("a <b>bold</b> claim", True),
        ("line<br>break", True),
        ("Fish & chips", False),
        ("5 < 6, a<b and c>d", False),
        ("List<String>", False),
    ],
)
def test_markup_in_plain_text_is_noticed(text: str, expected: bool) -> None:
    assert looks_like_markup(text) is expected


@pytest.mark.parametrize(
    "evil",
    [
        " ",
        "\u00a0\t",
        "x ",
        "\r",
        "<script",
        "<script>",
        '<a ">" ',
        "<!--",
        "<",
        "&",
        " \n",
        '<a "',
        "<a '",
        "<svg>",
        "<p ",
        "&#x",
        "<?",
        "<br " * 9,
    ],
)
def test_no_markup_takes_long(evil: str) -> None:
    markup = (evil * 1_000_000)[:1_000_000]
    started = time.process_time()

    plain_text(markup, 50_000)
    looks_like_markup(markup)

    assert time.process_time() - started < 5  # a square of the length would take minutes


MARKUP = st.sampled_from(
    [
        *(
            "a",
            " ",
            "<",
            ">",
            '"',
            "'",
            "/",
            "<p>",
            "</p>",
            "<br/>",
            "<b>",
            "</b >",
            "<i\n>",
            "<P class=x>",
            "</DIV>",
        ),
        *(
            '<a href="x>y">',
            "<a href='z'>",
            "<script>",
            "</script>",
            "<svg/>",
            "<!--",
            "-->",
            "<x-y>",
            "<3",
            "<İ>",
        ),
        *("<abcdefghijklmnopqrstuvw>", '<img alt="it\'s">', "<p ", "<h1/>", "<i\u2003x>"),
    ]
)


@settings(max_examples=500, deadline=None)
@given(st.lists(MARKUP, max_size=12).map("".join))
def test_tame_markup_reads_as_wild_markup_does(markup: str) -> None:
    assert _tame_text(markup) in {None, "".join(_wild_texts(markup))}


@settings(max_examples=500, deadline=None)
@given(st.text(" a\n\r\v\f\x1c\x1f\x85\u2028\xa0\u200b\u202e\t\u3000é"), st.integers(0, 20))
def test_spaces_and_line_ends_are_one_each(text: str, limit: int) -> None:
    kept = re.sub("[\u200b\u202e]", "", text)
    kept = re.sub(r"\s*[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]\s*", "\n", kept)

    assert clean_text(text, 1000) == re.sub(r"[^\S\n]+", " ", kept).strip()
    assert clean_text(text, limit) == clean_text(text, 1000)[:limit].rstrip()


@settings(deadline=None)
@given(st.text() | st.text("<>&;/!-\"' abscript\u202e\xa0\n"), st.integers(0, 50))
def test_text_is_never_over_the_limit_and_clean(markup: str, limit: int) -> None:
    text = plain_text(markup, limit)

    assert len(text) <= limit
    assert clean_text(text, limit) == text


@settings(deadline=None)
@given(st.text(), st.integers(0, 100))
def test_cleaning_twice_is_cleaning_once(text: str, limit: int) -> None:
    once = clean_text(text, limit)

    assert clean_text(once, limit) == once
    once.encode()


@pytest.mark.parametrize("number", ["9" * 5_000, "x" + "f" * 5_000, "0" * 5_000])
def test_a_reference_of_thousands_of_digits_is_no_character(number: str) -> None:
    assert plain_text(f"a&#{number};b", 100) == "a\ufffdb"
