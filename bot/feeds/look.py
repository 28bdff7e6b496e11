"""What a server's bytes are, in words for people: which kind of document, read in which encoding, and why."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import Final

from bot.feeds.decode import decode
from bot.feeds.xmlfeed import root_name

WEB_PAGE: Final = "web page"

_PROLOG = re.compile(rb"""<\?xml[^>]{0,200}?\sencoding\s{0,9}=\s{0,9}["']([A-Za-z][\w.:-]{0,40})["']""")
_CHARSET = re.compile(r"""charset\s{0,9}=\s{0,9}["']?([A-Za-z][\w.:-]{0,40})""", re.IGNORECASE)
_VERSION = re.compile(r"""<rss\b[^>]{0,2000}?\sversion\s{0,9}=\s{0,9}["']([\d.]{1,8})""", re.IGNORECASE)
_JSON_VERSION = re.compile(r"jsonfeed\.org\\?/version\\?/([\d.]{1,8})")
_MARKS: Final = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# What feeds are written in, where nothing tells it; the more usual first.
_COMMON: Final = (
    *(
        "windows-1251",
        "koi8-r",
        "windows-1252",
        "windows-1250",
        "iso-8859-2",
        "iso-8859-5",
        "koi8-u",
        "cp866",
    ),
    *("gb18030", "big5hkscs", "cp932", "euc_jp", "iso2022_jp_ext", "cp949", "utf-16-le", "utf-16-be"),
    *("utf-32-le", "utf-32-be", "windows-1253", "windows-1254", "windows-1255", "windows-1256", "cp874"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What bytes look like."""

    text: str
    kind: str  # "RSS 2.0", "Atom", "JSON Feed 1.1", "web page", "text"
    encoding: str
    why: str  # how the encoding was decided, a part of a sentence


def look_at(body: bytes, content_type: str | None, override: str | None = None) -> Look:
    """Return what the bytes are, decoded as a poll decodes them.

    Args:
        content_type: HTTP's; None: not told.
        override: The operator's encoding.

    Raises:
        LookupError: Nobody knows the override.
    """
    text = decode(body, content_type, override)
    encoding, why = (override, "as the settings say") if override else _encoding(body, content_type, text)
    return Look(text=text, kind=_kind(text), encoding=encoding, why=why)


def _kind(text: str) -> str:
    head = text.lstrip()[:20_000]
    if head[:1] == "{":
        version = _JSON_VERSION.search(head)
        return f"JSON Feed {version[1]}" if version else "JSON"
    root = root_name(text)
    if root == "rss":
        version = _VERSION.search(head)
        return f"RSS {version[1]}" if version else "RSS"
    if root == "html" or "<html" in head[:2_000].lower():
        return WEB_PAGE
    kinds = {"feed": "Atom", "rdf:rdf": "RSS 1.0", None: "text"}
    return kinds.get(root, f"XML of <{root}>")


def _encoding(body: bytes, content_type: str | None, text: str) -> tuple[str, str]:
    """Return the encoding that makes this text of these bytes, and what speaks for it."""
    prolog, header = _PROLOG.search(body[:1_000]), _CHARSET.search(content_type or "")
    labels = {
        "its prolog": prolog[1].decode("ascii") if prolog else None,
        "HTTP": header[1] if header else None,
    }
    said = "; ".join(f"{who} says {label}" for who, label in labels.items() if label)
    told = said or "nobody says which"
    if body.startswith(_MARKS):
        return ("utf-8" if body.startswith(codecs.BOM_UTF8) else "utf-16"), f"it begins with its mark; {told}"
    if _makes(body, "utf-8", text, errors="strict"):
        return "utf-8", f"all bytes are valid; {told}"
    if _makes(body, "utf-8", text):
        return "utf-8", f"nearly all bytes are valid; {told}"
    for who, label in labels.items():
        if label and _makes(body, label, text):
            return label.lower(), f"{who} says so"
    for name in _COMMON:
        if _makes(body, name, text):
            return name, f"by its letters; {told}"
    return "utf-8", f"nearly all bytes are valid, the others are mended; {told}"


def _makes(body: bytes, encoding: str, text: str, errors: str = "replace") -> bool:
    try:
        return body.decode(encoding, errors).replace("\ufeff", "") == text
    except (LookupError, UnicodeError):
        return False
