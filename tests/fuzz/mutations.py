"""Bodies as they come out of broken servers: feeds with wounds, spliced, cut off, in the wrong encoding."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Final

from tests.fuzz.grammar import a_json_feed, an_xml_feed

CORPUS: Final = Path(__file__).parent.parent / "golden" / "feeds"
_TAG: Final = re.compile(rb"<[^<>]{1,80}>")
_NUMBER: Final = re.compile(rb"[0-9]+")
_SPLINTERS: Final = (
    *(b"<![CDATA[", b"]]>", b"<!--", b"-->", b"<?xml "),
    *(b"?>", b"<item>", b"</item>", b"<entry>", b"</entry>", b"<title>"),
    *(b"</title>", b"</channel>", b"</rss>", b"<rss version='2.0'>"),
    *(b"<feed>", b"<link/>", b"<guid>", b"&amp;", b"&nbsp;"),
    *(b"&#0;", b"&#xD800;", b"&#1114112;", b"&#99999999999999999999;", b"&#x202e;"),
    *(b"&a;", b"&", b"<", b">", b'"', b"'"),
    *(b"\0", b"\xff", b"\xfe\xff", b"\xef\xbb\xbf", b"\xc2\x92"),
    *(b"\xe2\x80\xae", b"\xd0", b"\xed\xa0\xbd", b"\x1b$B", b"\x85"),
    *(b" xml:base='http://['", b" xml:lang='xx'", b" type='xhtml'"),
    *(b" type='base64'", b" mode='base64'", b" xmlns='urn:x'"),
    *(b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b"<svg>", b"<div>"),
    *(b"</div>", b"<gml:pos>a b</gml:pos>", b"<psc:chapter/>"),
)  # fmt: skip
_NUMBERS: Final = (
    b"0",
    b"-1",
    b"99999999999999999999",
    b"1e308",
    b"NaN",
    b"2147483648",
    b"1114112",
    b"9" * 5_000,
)
_ENCODINGS: Final = (
    *(
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "utf-32",
        "cp1251",
        "koi8-r",
        "cp1252",
        "iso8859-2",
        "gb18030",
        "shift_jis",
    ),
    *("euc-kr", "iso2022_jp", "cp866", "utf-7", "utf-8-sig"),
)
_CONTENT_TYPES: Final = (
    *(
        None,
        None,
        "text/xml",
        "application/rss+xml; charset=utf-8",
        "text/xml; charset=koi8-r",
        "text/html; charset=utf-16",
    ),
    *("application/json", "; charset=", "text/xml; charset=idna", "text/xml; charset=\0", "x" * 3_000),
)

Mutation = Callable[[Random, bytes, Sequence[bytes]], bytes]


def corpus() -> list[bytes]:
    """Return the golden feeds that are short enough to go through by the thousand."""
    paths = sorted(path for path in CORPUS.iterdir() if not path.name.endswith(".expected.json"))
    return [body for path in paths if len(body := path.read_bytes()) < 20_000]


def a_body(rng: Random, feeds: Sequence[bytes]) -> tuple[bytes, str | None]:
    """Return a body and the content type that comes with it."""
    kind = rng.random()
    if kind < 0.35:
        body = an_xml_feed(rng).encode("utf-8", "replace")
    elif kind < 0.42:
        body = a_json_feed(rng).encode("utf-8", "replace")
    elif kind < 0.44:
        body = rng.randbytes(rng.randrange(200))
    else:
        body = rng.choice(feeds)
    wounds = rng.choice([0, 0, 0, 1, 2, 4]) if kind < 0.42 else rng.choice([1, 1, 2, 3, 6])
    for _ in range(wounds):
        body = rng.choice(_MUTATIONS)(rng, body, feeds)
    return body, rng.choice(_CONTENT_TYPES)


def _flip(rng: Random, body: bytes, _feeds: Sequence[bytes]) -> bytes:
    data = bytearray(body)
    for _ in range(rng.randrange(1, 4)):
        if data:
            data[rng.randrange(len(data))] = rng.randrange(rng.choice([128, 128, 256]))
    return bytes(data)


def _splinter(rng: Random, body: bytes, _feeds: Sequence[bytes]) -> bytes:
    place = rng.randrange(len(body) + 1)
    return body[:place] + rng.choice(_SPLINTERS) + body[place:]


def _truncate(rng: Random, body: bytes, _feeds: Sequence[bytes]) -> bytes:
    cut = rng.randrange(len(body) + 1)
    return body[:cut] if rng.random() < 0.8 else body[cut:]


def _splice(rng: Random, body: bytes, feeds: Sequence[bytes]) -> bytes:
    other = rng.choice(feeds)
    start, end = sorted(rng.randrange(len(other) + 1) for _ in range(2))
    place = rng.randrange(len(body) + 1)
    return body[:place] + other[start : min(end, start + 2_000)] + body[place:]


def _repeat(rng: Random, body: bytes, _feeds: Sequence[bytes]) -> bytes:
    start = rng.randrange(len(body) + 1)
    piece = body[start : start + rng.randrange(1, 300)]
    return body[:start] + piece * rng.choice([2, 2, 3, 30]) + body[start + len(piece) :]


def _remove(rng: Random, body: bytes, _feeds: Sequence[bytes]) -> bytes:
    start = rng.randrange(len(body) + 1)
    return body[:start] + body[start + rng.randrange(1, 200) :]


def _tag(rng: Random, body: bytes, _feeds: Sequence[bytes]) -> bytes:
    """Remove, double, or exchange a tag."""
    tags = [*_TAG.finditer(body)]
    if not tags:
        return body
    one, other = rng.choice(tags), rng.choice(tags)
    return body[: one.start()] + rng.choice([b"", one[0] * 2, other[0], one[0].upper()]) + body[one.end() :]


def _number(rng: Random, body: bytes, _feeds: Sequence[bytes]) -> bytes:
    numbers = [*_NUMBER.finditer(body)]
    if not numbers:
        return body
    one = rng.choice(numbers)
    return body[: one.start()] + rng.choice(_NUMBERS) + body[one.end() :]


def _recode(rng: Random, body: bytes, _feeds: Sequence[bytes]) -> bytes:
    return body.decode("utf-8", "replace").encode(rng.choice(_ENCODINGS), "replace")


_MUTATIONS: Final[tuple[Mutation, ...]] = (
    *(
        _flip,
        _flip,
        _splinter,
        _splinter,
        _splinter,
        _truncate,
        _splice,
        _repeat,
        _remove,
        _tag,
        _tag,
        _tag,
        _number,
    ),
    _recode,
)
