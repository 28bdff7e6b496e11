"""Bytes to text, believing the bytes before what anybody says of them.

What stays wrong, because the bytes do not tell: mojibake that was saved as UTF-8 before it reached us, a feed
of two or three Chinese characters whose bytes happen to be UTF-8 too, labels that are wrong about a few
letters, and of unlabelled feeds the accents of those with fewer than about ten in all.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from bot.feeds.letters import best_reading, is_mistaken, sample_words

_UTF32_LE, _UTF32_BE, _UTF16_LE, _UTF16_BE = "utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be"
_WIDE_MARKS = (
    (codecs.BOM_UTF32_LE, _UTF32_LE),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, _UTF32_BE),
    (codecs.BOM_UTF16_LE, _UTF16_LE),
    (codecs.BOM_UTF16_BE, _UTF16_BE),
)
# Where the zeros stand among the first four bytes, which are ASCII in any feed: RFC 4627, section 3.
_ZEROS = {
    (False, True, True, True): _UTF32_LE,
    (True, True, True, False): _UTF32_BE,
    (False, True, False, True): _UTF16_LE,
    (True, False, True, False): _UTF16_BE,
}
_PROLOG = re.compile(rb"""<\?xml[^>]{0,200}?\sencoding\s{0,9}=\s{0,9}["']([A-Za-z][\w.:-]{0,40})["']""")
_META = re.compile(
    rb"""<meta\s[^>]{0,200}?charset\s{0,9}=\s{0,9}["']?([A-Za-z][\w.:-]{0,40})""", re.IGNORECASE
)
_CHARSET = re.compile(r"""charset\s{0,9}=\s{0,9}["']?([A-Za-z][\w.:-]{0,40})""", re.IGNORECASE)
_LANGUAGE = re.compile(
    rb"""(?:<(?:\w{1,20}:)?language>|\slang=["']|xml:lang=["']|"language"\s{0,9}:\s{0,9}")\s{0,9}([A-Za-z_-]{2,20})""",
    re.IGNORECASE,
)
_JIS = re.compile(rb"\x1b\$[@B]|\x1b\([IJ]|\x1b\$\(D")
_ASCII = bytes(range(128))
_MOST_BAD = 0.05  # of the bytes beyond ASCII
_GOOD_FOR_BAD = (
    3  # characters of UTF-8 that outweigh one bad byte, since chance makes them of hardly any others
)
_HEAD = 4_000  # where labels stand
_SAMPLE = 64 * 1024  # what the detector looks at
# What labels mean in practice: https://encoding.spec.whatwg.org/#names-and-labels
_WIDER = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
}
_ALIASES = {
    "x-sjis": "cp932",
    "x-gbk": "gb18030",
    "x-euc-jp": "euc_jp",
    "x-mac-cyrillic": "mac-cyrillic",
    "iso-8859-8-i": "iso8859-8",
    "logical": "iso8859-8",
}
_WINDOWS = re.compile(r"(?:x-)?(?:cp|win|windows|ansi)[-_]?(125[0-8]|874)", re.IGNORECASE)
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
        *(_UTF16_LE, _UTF16_BE, _UTF32_LE, _UTF32_BE),
    }
)


def decode(body: bytes, content_type: str | None, override: str | None = None) -> str:
    """Return the text of a feed, without byte order marks, wherever they stand.

    First of: the operator's override, a byte order mark, valid UTF-8, UTF-8 where at least 95 % of the bytes
    beyond ASCII are valid (or three characters for each that is not), the XML prolog, HTTP's charset, HTML's
    meta, the letters themselves, a detector. A label counts unless too many bytes have no meaning in it, or
    its text is far less likely in any language than another encoding's: KOI8-R called windows-1251, anything
    called ISO-8859-1. Bytes that then make no sense become U+FFFD.

    Raises:
        LookupError: Nobody knows the override.
    """
    if override is not None:
        text = body.decode(_named(override) or override, "replace")
    else:
        text = _as_wide(body) or _as_bytes_or_labels_tell(_bare(body), content_type)
    return text.replace("\ufeff", "") if "\ufeff" in text else text


def _as_wide(body: bytes) -> str | None:
    """Return the text where each character has two or four bytes, which only zeros betray."""
    if 0 not in body[:_HEAD]:  # also with a mark: markup is ASCII, so half of it would be zeros
        return None
    for mark, encoding in _WIDE_MARKS:
        if body.startswith(mark):
            return body.decode(encoding, "replace")
    zeros = tuple(byte == 0 for byte in body[:4])
    encoding_found = _ZEROS.get(zeros) if len(zeros) == 4 else None
    return body.decode(encoding_found, "replace") if encoding_found else None


def _bare(body: bytes) -> bytes:
    """Return the body without the mark that some server puts before texts of any encoding."""
    for mark in (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        body = body.removeprefix(mark)
    return body


def _as_bytes_or_labels_tell(body: bytes, content_type: str | None) -> str:
    return _as_utf8(body) or _as_told_or_found(body, content_type)


def _as_utf8(body: bytes) -> str | None:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return _as_mended_utf8(body)
    if "\x1b" in text and body.isascii() and _JIS.search(body[:_SAMPLE]):
        return body.decode("iso2022_jp_ext", "replace")
    return text


def _as_mended_utf8(body: bytes) -> str | None:
    text = body.decode("utf-8", "replace")
    bad = text.count("\ufffd") - body.count(b"\xef\xbf\xbd")
    beyond = _beyond_ascii(body)
    if bad <= _MOST_BAD * beyond:
        return text
    good = len(text) - (len(body) - beyond) - bad
    return text if good >= _GOOD_FOR_BAD * bad else None


def _as_told_or_found(body: bytes, content_type: str | None) -> str:
    """Return the text by the first label that fits the bytes, else by what the bytes are likeliest to be."""
    sample, language = sample_words(body), _language(body)
    for encoding in _told(body, content_type):
        text = body.decode(encoding, "replace")
        fits = text.count("\ufffd") <= _MOST_BAD * _beyond_ascii(body)
        if fits and not is_mistaken(sample, encoding, language):
            return _without_marks(text, encoding)
    found = best_reading(sample, language)
    encoding = found.encoding if found is not None else _detected(body)
    return _without_marks(body.decode(encoding, "replace"), encoding)


def _told(body: bytes, content_type: str | None) -> Iterator[str]:
    """Yield Python's names of the encodings that the prolog, HTTP and HTML tell, as far as it knows them."""
    head = body[:_HEAD]
    labels = (
        _PROLOG.search(head),
        _CHARSET.search((content_type or "")[:500]),
        _META.search(head),
    )
    for label in labels:
        if label is not None:
            word = label[1]
            name = _named(word.decode("ascii") if isinstance(word, bytes) else word)
            if name is not None:
                yield name


def _named(label: str) -> str | None:
    """Return Python's codec for a label; None: unknown, no text, or Unicode, which the bytes tell."""
    windows = _WINDOWS.fullmatch(label)
    alias = f"cp{windows[1]}" if windows else _ALIASES.get(label.lower(), label)
    try:
        name = codecs.lookup(alias).name
        b"a".decode(name)
    except (LookupError, UnicodeError):
        return None
    return None if name in _NO_CHARSETS else _WIDER.get(name, name)


def _language(body: bytes) -> str:
    """Return the language that a feed or page claims; "" where none is in sight."""
    found = _LANGUAGE.search(body[:_HEAD])
    return found[1].decode("ascii") if found else ""


def _detected(body: bytes) -> str:
    from charset_normalizer import from_bytes  # noqa: PLC0415 - memory, for few feeds

    best = from_bytes(body[:_SAMPLE]).best()
    return (_named(best.encoding) if best is not None else None) or "cp1252"


def _without_marks(text: str, encoding: str) -> str:
    """Return the text without UTF-8's mark of a file that was joined on, read as three characters."""
    mark = codecs.BOM_UTF8.decode(encoding, "replace")
    return text.replace(mark, "") if len(mark) == 3 else text


def _beyond_ascii(body: bytes) -> int:
    return len(body.translate(None, _ASCII))
