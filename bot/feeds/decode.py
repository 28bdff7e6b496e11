"""Bytes to text, believing the bytes before what anybody says of them."""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_PROLOG = re.compile(
    rb"""\s{0,100}<\?xml[^>]{0,200}?\sencoding\s{0,9}=\s{0,9}["']([A-Za-z][\w.:-]{0,40})["']"""
)
_CHARSET = re.compile(r"""charset\s{0,9}=\s{0,9}["']?([A-Za-z][\w.:-]{0,40})""", re.IGNORECASE)
_ASCII = bytes(range(128))
_MOST_BAD = 0.05  # of the bytes beyond ASCII
_SAMPLE = 64 * 1024  # what the detector looks at
# What labels mean in practice: https://encoding.spec.whatwg.org/#names-and-labels
_WIDER = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
}
_NO_CHARSETS = frozenset(
    {
        "idna",
        "punycode",
        "unicode-escape",
        "raw-unicode-escape",
        "undefined",
        "utf-7",
        "utf-8",
        "utf-16",
        "utf-32",
    }
)


def decode(body: bytes, content_type: str | None, override: str | None = None) -> str:
    """Return the text of a feed, without its byte order mark.

    First of: the operator's override, the byte order mark, valid UTF-8, UTF-8 where at least 95 % of the
    bytes beyond ASCII are valid, the XML prolog, HTTP's charset, a detector. Bytes that then make no sense
    become U+FFFD.

    Raises:
        LookupError: Nobody knows the override.
    """
    if override is not None:
        return body.decode(override, "replace").removeprefix("\ufeff")
    marked = _by_mark(body)
    if marked is not None:
        return marked
    return _as_utf8(body) or _as_told(body, content_type) or _as_detected(body)


def _by_mark(body: bytes) -> str | None:
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace")
    for start, encoding in ((b"<\0", "utf-16-le"), (b"\0<", "utf-16-be")):  # UTF-16 whose mark was lost
        if body.startswith(start):
            return body.decode(encoding, "replace")
    return body.decode("iso2022_jp", "replace") if b"\x1b$B" in body[:_SAMPLE] else None


def _as_utf8(body: bytes) -> str | None:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        text = body.decode("utf-8", "replace")
    bad = text.count("\ufffd") - body.count(b"\xef\xbf\xbd")
    return text if bad <= _MOST_BAD * _beyond_ascii(body) else None


def _as_told(body: bytes, content_type: str | None) -> str | None:
    """Return the text by the prolog's or HTTP's charset, where it fits the bytes."""
    told = []
    if prolog := _PROLOG.match(body[:1000]):
        told.append(prolog[1].decode("ascii"))
    if header := _CHARSET.search((content_type or "")[:500]):
        told.append(header[1])
    for label in told:
        encoding = _codec(label)
        if encoding is None:
            continue
        text = body.decode(encoding, "replace")
        if text.count("\ufffd") <= _MOST_BAD * _beyond_ascii(body):
            return text
    return None


def _codec(label: str) -> str | None:
    """Return Python's codec for a label; None: unknown, no text encoding, or UTF-8, which was ruled out."""
    try:
        name = codecs.lookup(label).name
        b"a".decode(name)
    except (LookupError, UnicodeError):
        return None
    return None if name in _NO_CHARSETS else _WIDER.get(name, name)


def _as_detected(body: bytes) -> str:
    best = from_bytes(body[:_SAMPLE]).best()
    encoding = _codec(best.encoding) if best is not None else None
    return body.decode(encoding or "cp1252", "replace")


def _beyond_ascii(body: bytes) -> int:
    return len(body.translate(None, _ASCII))
