"""Writes the golden feeds in odd encodings, since nobody can see or change those in an editor.

    python -m tests.golden.make_feeds

What is tested are the files in tests/golden/feeds; run this after changing a word here or in words.py.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path
from typing import Any

from tests.golden.words import WORDS, Words

FEEDS = Path(__file__).parent / "feeds"
RIGHT, NONE = "", "-"  # prologs
MARK = codecs.BOM_UTF8
CODECS = {"windows-874": "cp874"}  # what Python has no name for

# name of the format, language, encoding, what the prolog says
ENCODED = (
    *(
        ("rss", language, encoding, RIGHT)
        for language, encoding in (
            ("ru", "windows-1251"),
            ("ru", "koi8-r"),
            ("ru", "iso-8859-5"),
            ("ru", "cp866"),
            ("bg", "windows-1251"),
            ("be", "windows-1251"),
            ("de", "iso-8859-1"),
            ("fr", "iso-8859-15"),
            ("pt", "windows-1252"),
            ("hu", "iso-8859-2"),
            ("ro", "windows-1250"),
            ("zh", "gb2312"),
            ("zh-Hant", "big5"),
            ("ja", "shift_jis"),
            ("th", "windows-874"),
        )
    ),
    *(
        ("atom", language, encoding, RIGHT)
        for language, encoding in (
            ("uk", "koi8-u"),
            ("sr", "windows-1251"),
            ("cs", "windows-1250"),
            ("pl", "iso-8859-2"),
            ("tr", "windows-1254"),
            ("el", "iso-8859-7"),
            ("he", "iso-8859-8"),
            ("ar", "windows-1256"),
            ("zh", "gb18030"),
            ("ja", "euc-jp"),
            ("ja", "iso-2022-jp"),
            ("ko", "euc-kr"),
        )
    ),
    *(
        ("rdf", language, encoding, RIGHT)
        for language, encoding in (
            ("es", "iso-8859-1"),
            ("zh", "gbk"),
            ("el", "windows-1253"),
            ("ja", "utf-8"),
        )
    ),
    *(
        ("rss", language, encoding, NONE)
        for language, encoding in (
            ("ru", "koi8-r"),
            ("ru", "iso-8859-5"),
            ("uk", "windows-1251"),
            ("pl", "windows-1250"),
            ("tr", "iso-8859-9"),
            ("he", "windows-1255"),
            ("ar", "iso-8859-6"),
            ("zh", "gb18030"),
            ("zh-Hant", "big5"),
            ("ja", "shift_jis"),
            ("ja", "iso-2022-jp"),
            ("ko", "euc-kr"),
            ("fr", "windows-1252"),
        )
    ),
    ("rss", "ru", "koi8-r", "windows-1251"),
    ("rss", "ru", "windows-1251", "koi8-r"),
    ("rss", "ru", "windows-1251", "iso-8859-1"),
    ("rss", "uk", "koi8-u", "utf-8"),
    ("atom", "pl", "iso-8859-2", "windows-1252"),
    ("rss", "el", "iso-8859-7", "utf-8"),
    ("rss", "he", "iso-8859-8", "iso-8859-1"),
    ("rss", "ja", "shift_jis", "euc-jp"),
    ("rss", "ja", "euc-jp", "utf-8"),
    ("rss", "zh", "gbk", "big5"),
    ("rss", "zh-Hant", "big5", "gb2312"),
    ("atom", "ko", "euc-kr", "utf-8"),
    ("rss", "tr", "iso-8859-9", "iso-8859-1"),
    ("rss", "uk", "utf-8", "koi8-u"),
    ("rss", "zh", "utf-8", "gb2312"),
    ("atom", "ja", "utf-8", "shift_jis"),
    ("rss", "ru", "utf-8", "utf-16"),
    ("rss", "de", "utf-16-le", RIGHT),
    ("rss", "ko", "utf-16-be", "utf-8"),
    ("atom", "ru", "utf-16-le", NONE),
    ("rss", "ar", "utf-32-le", RIGHT),
    ("atom", "he", "utf-32-be", NONE),
)


def source(kind: str, words: Words, language: str, prolog: str) -> str:
    """Return a feed of one item; the prolog "" is no word of the encoding."""
    told = f' encoding="{prolog}"' if prolog else ""
    channel, title, summary = map(escape, words)
    if kind == "atom":
        inside = (
            f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{language}"><title>{channel}</title>\n'
            f"<entry><title>{title}</title><id>urn:harbour:1</id><updated>2026-11-21T09:30:00Z</updated>\n"
            f'<link href="https://harbour.example/1"/><summary>{summary}</summary></entry></feed>\n'
        )
    elif kind == "rdf":
        inside = (
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
            'xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">\n'
            f'<channel rdf:about="https://harbour.example/"><title>{channel}</title>'
            f"<dc:language>{language}</dc:language></channel>\n"
            f'<item rdf:about="urn:harbour:1"><title>{title}</title><link>https://harbour.example/1</link>\n'
            f"<description>{summary}</description><dc:date>2026-11-21T09:30:00Z</dc:date></item></rdf:RDF>\n"
        )
    else:
        inside = (
            f'<rss version="2.0"><channel><title>{channel}</title><language>{language}</language>\n'
            f"<item><title>{title}</title><link>https://harbour.example/1</link>\n"
            '<guid isPermaLink="false">urn:harbour:1</guid>'
            "<pubDate>Sat, 21 Nov 2026 09:30:00 GMT</pubDate>\n"
            f"<description>{summary}</description></item></channel></rss>\n"
        )
    return f'<?xml version="1.0"{told}?>\n{inside}'


def expected(words: Words, language: str) -> dict[str, Any]:
    """Return what a reader sees in it."""
    code = language.partition("-")[0]
    item = {
        "title": words.title,
        "summary": words.summary,
        "url": "https://harbour.example/1",
        "guid": "urn:harbour:1",
        "outlet": words.channel,
        "language": code,
        "published_at": "2026-11-21T09:30:00+00:00",
    }
    return {"items": [item], "title": words.channel, "language": code}


def encoded() -> Iterator[tuple[str, bytes, dict[str, Any]]]:
    """Yield name, bytes and expectation of each feed whose encoding is all that is odd."""
    for kind, language, encoding, told in ENCODED:
        prolog = {RIGHT: encoding, NONE: ""}.get(told, told)
        says = {RIGHT: "", NONE: "-no-label"}.get(told, f"-says-{told}")
        body = source(kind, WORDS[language], language, prolog).encode(
            CODECS.get(encoding, encoding), "xmlcharrefreplace"
        )
        yield f"{language}-{encoding}{says}.{kind}.xml".lower(), body, expected(WORDS[language], language)


def marked() -> Iterator[tuple[str, bytes, dict[str, Any]]]:
    """Yield feeds with byte order marks, in their places and out of them."""
    for language, encoding, mark in (
        ("uk", "utf-16-le", codecs.BOM_UTF16_LE),
        ("ja", "utf-16-be", codecs.BOM_UTF16_BE),
        ("zh", "utf-32-le", codecs.BOM_UTF32_LE),
        ("ru", "utf-32-be", codecs.BOM_UTF32_BE),
        ("tr", "utf-8", MARK),
        ("ko", "utf-8", MARK + MARK),
        ("cs", "windows-1250", MARK),
    ):
        body = source("rss", WORDS[language], language, encoding).encode(encoding)
        times = "-twice" if mark == MARK + MARK else ""
        yield (
            f"{language}-{encoding}-with-mark{times}.rss.xml",
            mark + body,
            expected(WORDS[language], language),
        )
    for language, encoding, place in (
        ("ru", "utf-8", b"<item>"),
        ("de", "utf-8", b"</title>"),
        ("ru", "windows-1251", b"<item>"),
        ("es", "iso-8859-1", b"<item>"),
    ):
        body = source("rss", WORDS[language], language, encoding).encode(encoding, "xmlcharrefreplace")
        joined = body.replace(place, MARK + place)
        where = place.strip(b"</>").decode()
        yield (
            f"{language}-{encoding}-mark-at-{where}.rss.xml",
            joined,
            expected(WORDS[language], language),
        )


def wounded() -> Iterator[tuple[str, bytes, dict[str, Any]]]:
    """Yield feeds with a few bytes that are wrong."""

    def wound(
        name: str, language: str, prolog: str, change: Callable[[bytes], bytes], title: str
    ) -> tuple[str, bytes, dict[str, Any]]:
        told = expected(WORDS[language], language)
        told["items"][0]["title"] = title
        return name, change(source("rss", WORDS[language], language, prolog).encode()), told

    def half_a_letter(body: bytes) -> bytes:
        return body.replace("северную".encode(), "сев".encode() + b"\xd0" + "рную".encode())

    yield wound(
        "one-bad-byte-says-windows-1251.rss.xml",
        "ru",
        "windows-1251",
        half_a_letter,
        "Паром «Чайка» вернулся на сев\ufffdрную линию",
    )
    yield wound(
        "one-overlong-letter.rss.xml",
        "es",
        "utf-8",
        lambda body: body.replace(b"El transbordador", b"El\xc0\xa0transbordador"),
        "El\ufffd\ufffdtransbordador vuelve a la línea del norte",
    )
    yield wound(
        "zero-bytes.rss.xml",
        "pl",
        "utf-8",
        lambda body: body + b"\0" * 9,
        WORDS["pl"].title,
    )


def feeds() -> Iterator[tuple[str, bytes, dict[str, Any]]]:
    """Yield name, bytes and expectation of each."""
    yield from encoded()
    yield from marked()
    yield from wounded()


def main() -> None:
    """Write them all."""
    for name, body, told in feeds():
        (FEEDS / name).write_bytes(body)
        text = json.dumps(told, ensure_ascii=False, indent=1)
        (FEEDS / f"{name}.expected.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
