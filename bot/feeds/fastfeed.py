"""Ordinary RSS and Atom, read in a fraction of feedparser's time, exactly as feedparser reads it.

feedparser is a state machine over expat's events. This is the same machine over the same expat, reduced to
what we take from it, and to documents for which the reduction is exact: well-formed, without DOCTYPE, made of
elements that have a rule in fastrules.py or of which feedparser makes nothing. All others are left to
feedparser. (fastfeedparser is as fast, but does not tell types, sources and dates apart as feedparser does.)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple
from urllib.parse import urljoin
from xml.parsers import expat

from bot.feeds.draft import DraftFeed, Words, server_wait
from bot.feeds.fastentry import PLAIN, Entry, believed_kind, mended
from bot.feeds.fastnames import RDF, XML, Names, Unsure, is_inert, known_prefix, names

Attributes = Mapping[str, str]

_CONTROLS: Final = bytes(set(range(32)) - set(b"\t\n\r"))  # XML 1.0 forbids them, feeds have them
_DECLARATION: Final = re.compile(r"<\?xml[^>]*>")
_FIRST_ELEMENT: Final = re.compile(r"<\w")
_EXTRA_SLASHES: Final = re.compile(r"^([A-Za-z][A-Za-z0-9+-.]*://)(/*)(.*?)")
_BASE: Final = re.compile(r"https?://[\w.-]+(?::[0-9]+)?(?:/[\w-]+)*/?", re.ASCII)
_XLINK: Final = "http://www.w3.org/1999/xlink"
_VERSIONS: Final = {
    "http://purl.org/rss/1.0/": "rss10",
    "http://www.w3.org/2005/atom": "atom10",
}
# Attributes that mean something; in a foreign namespace feedparser takes them for ours.
_MEANT: Final = frozenset(
    names(
        "about base domain href ispermalink label lang lastmod mode rel scheme src term text type uri url "
        "version"
    )
)


class Part(NamedTuple):
    """What to do about an element. The context holds the rules for what stands inside; None: only text."""

    begin: Callable[[Reader, Attributes], None] | None = None
    inside: Context | None = None
    end: Callable[[Reader, str], None] | None = None  # takes the text, stripped


class Context:
    """What may stand inside of an element."""

    __slots__ = ("holds_no_text", "rules")

    def __init__(self, rules: Mapping[str, Part] | None = None, *, holds_no_text: bool = False) -> None:
        """Take the rules for the elements inside, by name.

        Args:
            holds_no_text: Text between the elements would count, so there must be none.
        """
        self.rules = dict(rules or {})
        self.holds_no_text = holds_no_text


INERT_INSIDE: Final = Context()
_INERT: Final = Part(inside=INERT_INSIDE)
_INERT_TEXTLESS: Final = Part(inside=None, end=lambda _reader, text: _refuse(text))
_NO_ATTRIBUTES: Final[Attributes] = {}


def read_plain_feed(text: str, root: Context) -> DraftFeed | None:
    """Return the feed as feedparser would have it; None where that is not certain.

    Args:
        text: From its first tag, declaration or comment on.
        root: The rules; see fastrules.py.
    """
    start = _FIRST_ELEMENT.search(text)
    if start is None or text.find("<!DOCTYPE", 0, start.start()) >= 0 or "<!ENTITY" in text[: start.start()]:
        return None
    reader = Reader(root)
    declaration = _DECLARATION.match(text)
    document = text[declaration.end() :] if declaration else text
    try:
        reader.read(document.encode("utf-8", "replace").translate(None, _CONTROLS))
    except (Unsure, expat.ExpatError):
        return None
    return reader.feed() if reader.version or reader.entries else None


class Reader:
    """The state between two events, feedparser's names in other words."""

    def __init__(self, root: Context) -> None:
        """Begin before the first element."""
        self.version = ""
        self.entries: list[Entry] = []
        self.facts: dict[str, str] = {}  # of the feed
        self.title_is_plain = False
        self.has_summary = False  # the feed itself
        self.has_content = False
        self.title_depth = -1  # of the last title that counts; -1: none
        self.kind = PLAIN  # of the text that is being read
        self.is_content = False  # the text is one of the entry's contents, whatever its element is called
        self.takes_text = True
        self.guid_is_link = False
        self.person: dict[str, str] = {}  # whose name is being read
        self.language: str | None = None
        self._names = Names()
        self._keys: dict[str, str] = {}  # attributes' names, as far as met
        self._base = ""
        self._context: Context | None = root
        self._known: dict[tuple[Context, str], Part] = {}  # what expat's names stand for, as far as met
        self._stack: list[tuple[Context, str | None, Callable[[Reader, str], None] | None]] = []
        self._pieces: list[str] = []

    def read(self, document: bytes) -> None:
        """Read the document.

        Raises:
            Unsure: It is not for this reader.
            ExpatError: It is not well-formed.
        """
        parser = expat.ParserCreate("utf-8", " ")
        parser.buffer_text = True
        parser.buffer_size = 1 << 16
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._pieces.append
        parser.StartNamespaceDeclHandler = self._bind
        parser.StartDoctypeDeclHandler = _doctype
        parser.Parse(document, True)

    def feed(self) -> DraftFeed:
        """Return what was read."""
        facts = self.facts
        return DraftFeed(
            drafts=tuple(entry.draft() for entry in self.entries),
            title=Words(facts.get("title", ""), is_plain=self.title_is_plain),
            language=facts.get("language", ""),
            wait=server_wait(facts.get("ttl", ""), facts.get("period", ""), facts.get("frequency", "")),
        )

    # ---- what the rules ask ----

    @property
    def entry(self) -> Entry:
        """The entry that is being read."""
        return self.entries[-1]

    @property
    def depth(self) -> int:
        """How many elements are open."""
        return len(self._stack)

    def believe(self, text: str) -> tuple[str, str]:
        """Return a text and its type, as feedparser takes them."""
        kind = believed_kind(self.kind, text, is_atom=self.version.startswith("atom"))
        return mended(text), kind

    def resolve(self, url: str) -> str:
        """Return a URL as feedparser makes it absolute, where the document has a base."""
        if ":///" in url:
            url = _EXTRA_SLASHES.sub(r"\1\3", url)
        if not self._base:
            return url
        try:
            return urljoin(self._base, url)
        except ValueError:
            return ""

    # ---- expat's events ----

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        context = self._context
        if context is None:
            raise Unsure("an element inside a text")
        if context.holds_no_text and "".join(self._pieces).strip():
            raise Unsure("text beside elements")
        part = self._known.get((context, name)) or self._meet(context, name)
        begin, self._context, end = part
        self._stack.append((context, self.language, end))
        self._pieces.clear()
        told = self._told(attributes) if attributes else _NO_ATTRIBUTES
        if begin is not None:
            begin(self, told)

    def _end(self, _name: str) -> None:
        context, language, end = self._stack[-1]
        if end is not None:
            end(self, "".join(self._pieces).strip())
        self._pieces.clear()
        self._stack.pop()
        self._context, self.language = context, language

    def _meet(self, context: Context, name: str) -> Part:
        tag = self._names.of(name)
        part = self._known[context, name] = context.rules.get(tag) or _other(tag, context)
        return part

    def _bind(self, prefix: str | None, uri: str | None) -> None:
        lower = (uri or "").lower()
        if lower == _XLINK and self._stack:
            raise Unsure("feedparser makes an attribute of it")
        self._names.bind(prefix, uri or "")
        if not self.version:
            is_rss090 = prefix is None and lower == "http://my.netscape.com/rdf/simple/0.9/"
            self.version = "rss090" if is_rss090 else _VERSIONS.get(lower, "")

    def _told(self, attributes: dict[str, str]) -> Attributes:
        """Return attributes by feedparser's names; languages and bases take effect."""
        told = {}
        for name, value in attributes.items():
            key = self._keys.get(name) or self._key(name)
            told[key] = value.lower() if key in {"rel", "type"} else value
        if len(told) < len(attributes):
            raise Unsure("attributes that differ in case")
        if "xml:base" in told or "base" in told:
            self._rebase(told.get("xml:base", told.get("base", "")))
        language = told.get("xml:lang", told.get("lang"))
        if language is not None:
            self.language = language or None
        return told

    def _key(self, name: str) -> str:
        key = self._keys[name] = name.lower() if " " not in name else _qualified(name)
        return key

    def _rebase(self, base: str) -> None:
        if len(self._stack) > 1 or not _BASE.fullmatch(base) or urljoin(base, base) != base:
            raise Unsure("a base that changes, or is none")
        self._base = base


def _qualified(name: str) -> str:
    """Return "prefix:local" of an attribute that has a namespace."""
    uri, _, local = name.rpartition(" ")
    prefix = "xml" if uri == XML else "rdf" if uri == RDF else known_prefix(uri)
    local = local.lower()
    if not prefix and local in _MEANT:
        raise Unsure("an attribute that feedparser takes for another")
    return f"{prefix or uri}:{local}"


def _other(tag: str, context: Context) -> Part:
    """Return the rule for an element for which the context has none."""
    if not is_inert(tag):
        raise Unsure(tag)
    return _INERT_TEXTLESS if context.holds_no_text else _INERT


def _refuse(text: str) -> None:
    if text:
        raise Unsure("text that feedparser adds to what stands around it")


def _doctype(*_: object) -> None:
    raise Unsure("a document type")
