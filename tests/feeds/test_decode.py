"""Bytes to text."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.feeds.decode import decode

RUSSIAN = "Паром вернулся на северную линию после долгого ремонта. " * 5
GERMAN = "Größere Fähren für die Küste. "


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (codecs.BOM_UTF8 + RUSSIAN.encode(), RUSSIAN),
        (codecs.BOM_UTF16_LE + RUSSIAN.encode("utf-16-le"), RUSSIAN),
        (codecs.BOM_UTF16_BE + RUSSIAN.encode("utf-16-be"), RUSSIAN),
        (codecs.BOM_UTF32_LE + RUSSIAN.encode("utf-32-le"), RUSSIAN),
        (codecs.BOM_UTF32_BE + RUSSIAN.encode("utf-32-be"), RUSSIAN),
        ("<a>Größe</a>".encode("utf-16-le"), "<a>Größe</a>"),
        ("<a>Größe</a>".encode("utf-16-be"), "<a>Größe</a>"),
        ("<a>日本語</a>".encode("iso2022_jp"), "<a>日本語</a>"),
        (b"plain ascii", "plain ascii"),
    ],
)
def test_the_bytes_themselves_tell(body: bytes, expected: str) -> None:
    assert decode(body, "text/xml; charset=iso-8859-5") == expected


@pytest.mark.parametrize("told", ["windows-1251", "koi8-r", "us-ascii", "utf-16", "klingon"])
def test_valid_utf8_goes_before_what_anybody_says(told: str) -> None:
    body = f'<?xml version="1.0" encoding="{told}"?>{RUSSIAN}'

    assert decode(body.encode(), f"text/xml; charset={told}") == body


def test_a_few_bad_bytes_do_not_spoil_utf8() -> None:
    body = RUSSIAN.encode().replace("о".encode(), b"\xd0", 3)

    text = decode(body, "text/xml; charset=windows-1251")

    assert text.count("\ufffd") == 3
    assert "северную линию" in text


def test_a_replacement_character_that_was_sent_is_no_bad_byte() -> None:
    body = ("\ufffd" * 50 + RUSSIAN).encode() + b"\xd0"

    assert decode(body, None) == "\ufffd" * 50 + RUSSIAN + "\ufffd"


@pytest.mark.parametrize(
    ("encoding", "label", "text"),
    [
        ("cp1251", "windows-1251", RUSSIAN),
        ("koi8-r", "KOI8-R", RUSSIAN),
        ("cp1252", "ISO-8859-1", GERMAN + "„Möwe“ – 5 €"),
        ("gb18030", "gb2312", "渡轮重返北线，乘客满意。鎔"),
        ("cp932", "Shift_JIS", "①フェリーが戻る"),
        ("euc-kr", "euc-kr", "여객선이 돌아왔다"),
        ("cp1254", "iso-8859-9", "Feribot kuzey hattına döndü, şimdi “her saat”"),
    ],
)
def test_the_prolog_or_else_http_names_the_encoding(encoding: str, label: str, text: str) -> None:
    body = f'<?xml version="1.0" encoding="{label}"?>{text}'

    assert decode(body.encode(encoding), None) == body
    assert decode(body.encode(encoding), "text/xml; charset=us-ascii") == body
    assert decode(text.encode(encoding), f"text/xml; charset={label}") == text


def test_the_wrong_word_of_the_prolog_gives_way_to_http() -> None:
    body = f'<?xml version="1.0" encoding="utf-8"?>{RUSSIAN}'

    assert decode(body.encode("cp1251"), "text/xml; charset=windows-1251") == body


@pytest.mark.parametrize(("encoding", "text"), [("cp1251", RUSSIAN * 3), ("cp1252", GERMAN * 8)])
def test_without_a_word_the_encoding_is_found_out(encoding: str, text: str) -> None:
    assert decode(text.encode(encoding), None) == text


@pytest.mark.parametrize(
    "label", ["hex", "rot13", "zlib", "idna", "punycode", "unicode_escape", "undefined", "utf-7"]
)
def test_a_codec_that_is_no_charset_is_not_believed(label: str) -> None:
    body = f'<?xml version="1.0" encoding="{label}"?>{GERMAN * 8}'

    assert decode(body.encode("cp1252"), f"text/xml; charset={label}") == body


def test_the_override_wins() -> None:
    assert decode(codecs.BOM_UTF8 + b"\xd0", None, "cp1251") == codecs.BOM_UTF8.decode("cp1251") + "Р"


@settings(deadline=None)
@given(st.binary(max_size=300), st.none() | st.text(max_size=40))
def test_any_bytes_become_a_text_that_can_be_stored(body: bytes, content_type: str | None) -> None:
    decode(body, content_type).encode()


@settings(deadline=None)
@given(st.text())
def test_what_was_utf8_comes_back(text: str) -> None:
    body = f"<t>{text}"

    assert "\x1b$B" in body or decode(body.encode(), None) == body
