"""Broken XML made whole in the plain cases, before any reader sees it.

What feedparser does with a document that is not well-formed costs letters: "AT&T" becomes "AT&T;", a link's
"&copy=3" becomes "©=3", and a title that nobody closes swallows the entries after it. These are mended in the
text; all other damage is left to feedparser.
"""

from __future__ import annotations

import html.entities
import re
from functools import partial
from typing import Final
from xml.parsers import expat

_CONTROLS: Final = bytes(set(range(32)) - set(b"\t\n\r"))
_FIRST_ELEMENT: Final = re.compile(r"<\w")
_ENTITY: Final = re.compile(r"""<!ENTITY\s+([A-Za-z_][\w.-]*)\s+(?:"([^"<]*)"|'([^'<]*)')\s*>""", re.ASCII)
_CHARACTER: Final = re.compile(r"&#(?:[0-9]{1,7}|[xX][0-9a-fA-F]{1,6});|[^&%<]", re.DOTALL)
# An ampersand with the name or number after it; CDATA, comments and instructions are stepped over.
_AMPERSAND: Final = re.compile(
    r"<(?:!\[CDATA\[.*?(?:\]\]>|\Z)|!--.*?(?:-->|\Z)|\?.*?(?:\?>|\Z))"
    r"|&(?:(#(?:[0-9]+|[xX][0-9a-fA-F]+))(;?)|([A-Za-z_][\w.-]*);|([A-Za-z]+[0-9]*)(?![\w=&]))?",
    re.DOTALL | re.ASCII,
)
_OF_XML: Final = frozenset({"amp", "lt", "gt", "quot", "apos"})
# Names that HTML's readers take without their semicolon.
_WITHOUT_SEMICOLON: Final = frozenset(name for name in html.entities.html5 if not name.endswith(";"))
# A title up to what can only come after it. What stands in CDATA and comments is stepped over, also so that
# each character is looked at but twice.
_UNCLOSED_TITLE: Final = re.compile(
    r"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)"
    r"|(<title(?:\s[^<>]*)?(?<!/)>(?:[^<]|<!\[CDATA\[(?>.*?\]\]>)"
    r"|<(?!!\[CDATA\[|/?(?:title|link|guid|description|summary|pubDate|id|item|entry|channel|feed|rss)[\s/>]))*+)"
    r"(?=</?(?:link|guid|description|summary|pubDate|id|item|entry|channel|feed|rss)[\s/>])",
    re.DOTALL,
)
_ENTRY_START: Final = re.compile(r"(?=<(?:item|entry)[\s>])")
_OWN_TEXT: Final = re.compile(
    r"<(?:description|summary|content|content:encoded)(?:\s[^<>]*)?(?<!/)>\s*+(?:<!\[CDATA\[\s*+(?!\]\]>)|[^<\s])"
)
_CAPTION: Final = re.compile(
    r"(<!\[CDATA\[.*?(?:\]\]>|\Z))"
    r"|<media:description(?:\s[^<>]*)?(?<!/)>(?:[^<]|<!\[CDATA\[(?>.*?\]\]>))*+</media:description\s*>",
    re.DOTALL,
)


def made_whole(text: str) -> str:
    """Return a document with what is plainly broken in it mended; doing so twice is doing it once."""
    mended = _with_references(text)
    return mended if _is_well_formed(mended) else _UNCLOSED_TITLE.sub(_closed, mended)


def _with_references(text: str) -> str:
    """Return a document whose ampersands all begin a reference that XML or its own DOCTYPE declares.

    A well-formed document without DOCTYPE is returned as it is. HTML's names become numbers, as do names that
    the DOCTYPE declares to be one character; other names that it declares stay; what is no reference becomes
    "&amp;" with what follows.
    """
    start = _FIRST_ELEMENT.search(text)
    if start is None or "&" not in text:
        return text
    head, body = text[: start.start()], text[start.start() :]
    declared = {name: first or second for name, first, second in _ENTITY.findall(head)}
    return head + _AMPERSAND.sub(partial(_reference, declared), body)


def _reference(declared: dict[str, str], found: re.Match[str]) -> str:
    """Return what stands for an ampersand and what follows it."""
    number, _, closed, loose = found.groups()
    if found[0][0] == "<":
        return found[0]
    if number:
        return f"&{number};"
    if closed and (closed in _OF_XML or closed in declared):
        value = declared.get(closed, "")
        return value if closed not in _OF_XML and _CHARACTER.fullmatch(value) else found[0]
    code = html.entities.name2codepoint.get(closed or loose or "")
    if code is not None and (closed or loose in _WITHOUT_SEMICOLON):
        return f"&#{code};"
    return f"&amp;{found[0][1:]}"


def _closed(title: re.Match[str]) -> str:
    return f"{title[0]}</title>" if title[1] else title[0]


def _is_well_formed(text: str) -> bool:
    """Tell whether a document is XML, but for the control characters that XML forbids and feeds have."""
    try:
        expat.ParserCreate("utf-8").Parse(text.encode("utf-8", "replace").translate(None, _CONTROLS), True)
    except expat.ExpatError:
        return False
    return True


def without_captions(text: str) -> str:
    """Return a document without what media:description says of pictures, where the entry has a text itself.

    feedparser takes whichever comes first for the entry's description. Where there is no other, as in feeds
    of videos, it is the description. Known by the prefix "media", which all feeds use for it.
    """
    if "<media:description" not in text:
        return text
    entries = _ENTRY_START.split(text)
    return "".join(_CAPTION.sub(r"\1", entry) if _OWN_TEXT.search(entry) else entry for entry in entries)
