"""What the fast reader keeps of one entry, under feedparser's rules of which word counts; see fastfeed.py."""

from __future__ import annotations

import html.entities
import re
from collections.abc import Mapping
from typing import Final

from bot.feeds.dates import first_date
from bot.feeds.draft import Draft, Words, best_link
from bot.feeds.fastnames import Unsure, names

PLAIN: Final = "text/plain"
HTML: Final = "text/html"
_KINDS: Final = {"text": PLAIN, "plain": PLAIN, PLAIN: PLAIN, "html": HTML, HTML: HTML}

_CLOSING_TAG: Final = re.compile(r"</(\w+)>")
_REFERENCE: Final = re.compile(r"&#?\w+;")
_TAG: Final = re.compile(r"</?(\w+)")
_NAMED: Final = re.compile(r"&(\w+);")
# feedparser's sanitizer.py: the elements it lets pass.
HTML_ELEMENTS: Final = frozenset(
    names(
        "a abbr acronym address area article aside audio b big blockquote br button canvas "
        "caption center cite code col colgroup command datagrid datalist dd del details dfn "
        "dialog dir div dl dt em event-source fieldset figcaption figure font footer form h1 h2 "
        "h3 h4 h5 h6 header hr i img input ins kbd keygen label legend li m map menu meter "
        "multicol nav nextid noscript ol optgroup option output p pre progress q s samp section "
        "select small sound source spacer span strike strong sub sup table tbody td textarea "
        "tfoot th thead time tr tt u ul var video"
    )
)
_C1: Final = re.compile(b"\xc2[\x80-\x9f]")  # in UTF-8, where it is looked for four times as fast
# What windows-1252 has where Unicode has control characters; the five it leaves free stay.
_CP1252: Final = {
    code: bytes([code]).decode("cp1252")
    for code in range(0x80, 0xA0)
    if code not in {0x81, 0x8D, 0x8F, 0x90, 0x9D}
}


def text_kind(attributes: Mapping[str, str], default: str) -> str:
    """Return the type that a text claims to have, plain or HTML.

    Raises:
        Unsure: XHTML, base64 and whatever else a text may claim to be.
    """
    kind = _KINDS.get(attributes.get("type", default))
    if kind is None or attributes.get("mode") == "base64":
        raise Unsure("a text of another type")
    return kind


def believed_kind(kind: str, text: str, *, is_atom: bool) -> str:
    """Return the type that feedparser believes in: outside of Atom, text that looks like HTML is HTML."""
    return HTML if kind == PLAIN and not is_atom and looks_like_html(text) else kind


def looks_like_html(text: str) -> bool:
    """Tell what feedparser's function of this name tells."""
    if "&" not in text and "</" not in text:
        return False
    if not (_CLOSING_TAG.search(text) or _REFERENCE.search(text)):
        return False
    if any(tag.lower() not in HTML_ELEMENTS for tag in _TAG.findall(text)):
        return False
    return all(name in html.entities.entitydefs for name in _NAMED.findall(text))


def mended(text: str) -> str:
    """Return a text with feedparser's cures: UTF-8 that was read as Latin-1, windows-1252 as well."""
    if text.isascii():
        return text
    text = _unmixed(text)
    has_c1 = _C1.search(text.encode("utf-8", "surrogatepass"))
    return text.translate(_CP1252) if has_c1 else text


def _unmixed(text: str) -> str:
    try:
        return text.encode("iso-8859-1").decode("utf-8")
    except UnicodeError:  # it was not mixed up
        return text


class Entry:
    """An entry as it is read, element by element."""

    __slots__ = (
        "_summary_depth",
        "_title_depth",
        "author",
        "contents",
        "created",
        "guid",
        "href",
        "language",
        "link",
        "origlink",
        "published",
        "source",
        "summary",
        "summary_is_plain",
        "tags",
        "title",
        "title_is_plain",
        "updated",
    )

    def __init__(self, guid: str) -> None:
        """Begin with what the entry's own tag says."""
        self.guid = guid
        self.author = self.created = self.href = self.language = self.origlink = self.published = ""
        self.source = self.title = self.updated = ""
        self.link: str | None = None  # None: not told, which is not the same as told to be empty
        self.summary: str | None = None
        self.title_is_plain = self.summary_is_plain = False
        self._title_depth = self._summary_depth = 1_000_000
        self.contents: list[Words] = []
        self.tags: list[list[str | None]] = []  # term, scheme, label

    def take_title(self, text: str, kind: str, language: str, depth: int) -> None:
        """Take a title in; one that stands deeper than another does not count, but its type does."""
        if depth <= self._title_depth:
            self._title_depth, self.title = depth, text
        self.title_is_plain, self.language = kind == PLAIN, language

    def take_summary(self, text: str, kind: str, depth: int) -> None:
        """Take a summary in; see take_title."""
        if depth <= self._summary_depth:
            self._summary_depth, self.summary = depth, text
        self.summary_is_plain = kind == PLAIN

    def take_content(self, text: str, kind: str) -> None:
        """Take a content in; it is the summary, too, where there is none."""
        self.contents.append(Words(text, is_plain=kind == PLAIN))
        if self.summary is None:
            self.summary = text

    def take_link(self, url: str) -> None:
        """Take in an address that is not the entry's own."""
        self.href = self.href or url

    def add_tag(self, term: str | None, scheme: str | None = None, label: str | None = None) -> None:
        """Add a category that has any of the three and that is not there yet."""
        tag = [term, scheme, label]
        if any(tag) and tag not in self.tags:
            self.tags.append(tag)

    def name_tag(self, term: str) -> None:
        """Name the last category where it has no name; else it is one more."""
        if self.tags and not self.tags[-1][0]:
            self.tags[-1][0] = term
        else:
            self.add_tag(term)

    def draft(self) -> Draft:
        """Return the entry as a draft."""
        return Draft(
            title=Words(self.title, is_plain=self.title_is_plain),
            summary=Words(self.summary or "", is_plain=self.summary_is_plain),
            content=max(self.contents, key=lambda words: len(words.value), default=Words()),
            url=best_link(self.origlink, self.link or "", self.guid, (self.href,)),
            guid=self.guid,
            author=self.author,
            source=self.source and Words(self.source).line(300),
            categories=tuple(tag[0] or "" for tag in self.tags),
            language=self.language,
            published_at=first_date(self.published, self.updated, self.created),
        )
