"""RSS and Atom of all versions, through feedparser."""

from __future__ import annotations

import io
import re
from typing import Any

from bot.feeds.dates import first_date
from bot.feeds.draft import Draft, DraftFeed, Words, best_link, server_wait
from bot.feeds.fastfeed import read_plain_feed
from bot.feeds.fastrules import ROOT
from bot.feeds.mending import made_whole, without_captions
from bot.feeds.surplus import without_surplus

# What feedparser raises on hostile bytes: numbers that are no characters, points that are no places, and the
# like. It has errors of its own too, but keeps those to itself.
_FEEDPARSER_ERRORS = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    OverflowError,
    RecursionError,
)
_REFERENCE = re.compile(r"&#(?:[xX]([0-9a-fA-F]+)|([0-9]+));?")
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r"))  # XML 1.0 forbids them, feeds have them
_ROOT = re.compile(r"(?:\s++|<\?.*?\?>|<!--.*?-->|<![^>\[]*+>)*+<([A-Za-z][\w:.-]{0,60})", re.DOTALL)
_NO_TEXT = re.compile(r"(?:image|audio|video|application)/(?!.*xml)", re.IGNORECASE)  # pictures in base64
_LATE_START = re.compile(r"<\?xml\b|<rss\b|<feed\b|<rdf:RDF\b", re.IGNORECASE)


def root_name(text: str) -> str | None:
    """Return the name of a document's first element, lower case; None where there is none in sight."""
    found = _ROOT.match(text[:20_000])
    return found[1].lower() if found else None


def read_xml_feed(text: str, max_items: int) -> DraftFeed | None:
    """Return the feed; None where feedparser finds none in the text.

    Broken XML is mended where that is plain, and else read as far as it goes, as feedparser does.
    Of thousands of entries the middle is not read.
    """
    shorter, unseen = without_surplus(from_its_start(text), max_items)
    document = without_captions(shorter)
    found = read_fast(document) or _read_mended(document)
    return found._replace(unseen=unseen) if found and unseen else found


def _read_mended(document: str) -> DraftFeed | None:
    whole = made_whole(document)
    fast = read_fast(whole) if whole != document else None
    return fast or read_slowly(whole)


def read_fast(document: str) -> DraftFeed | None:
    """Return the same in a fraction of the time, for ordinary feeds; None: left to feedparser."""
    return read_plain_feed(document, ROOT)


def read_slowly(document: str) -> DraftFeed | None:
    """Return the feed as feedparser reads it."""
    result = _parse(document)
    if result is None or not (_string(result, "version") or result["entries"]):
        return None
    facts = result["feed"]
    return DraftFeed(
        drafts=tuple(map(_draft, result["entries"])),
        title=_words(facts, "title"),
        language=_string(facts, "language"),
        wait=server_wait(*(_string(facts, key) for key in ("ttl", "sy_updateperiod", "sy_updatefrequency"))),
    )


def _parse(text: str) -> dict[str, Any] | None:
    """Return feedparser's reading; a second time without impossible characters, which one item may have."""
    try:
        return _feedparser(text)
    except _FEEDPARSER_ERRORS:
        possible = _REFERENCE.sub(_possible, text)
    try:
        return _feedparser(possible)
    except _FEEDPARSER_ERRORS:
        return None


def _feedparser(text: str) -> dict[str, Any]:
    import feedparser  # noqa: PLC0415 - ten megabytes that few feeds need

    body = text.encode("utf-8", "replace").translate(None, _CONTROLS)
    # No content-location: feedparser would make URLs of guids that are none, and other ones after a redirect.
    headers = {"content-type": "application/xml; charset=utf-8"}
    # As a stream: of bytes feedparser asks first whether they are the name of a file.
    result: dict[str, Any] = feedparser.parse(
        io.BytesIO(body), response_headers=headers, resolve_relative_uris=False, sanitize_html=False
    )
    return result


def _possible(reference: re.Match[str]) -> str:
    """Return a character reference as it is, or U+FFFD where no such character can be."""
    number = int(reference[1][:8], 16) if reference[1] else int(reference[2][:8])
    return reference[0] if number < 0xD800 or 0xDFFF < number <= 0x10FFFF else "\ufffd"


def from_its_start(text: str) -> str:
    """Return the document without what stands before it: blank lines, a server's warnings."""
    stripped = text.lstrip()
    if stripped.startswith(("<?xml", "<!")):
        return stripped
    start = _LATE_START.search(stripped[:20_000])
    return stripped[start.start() :] if start else stripped


def _draft(entry: dict[str, Any]) -> Draft:
    return Draft(
        title=_words(entry, "title"),
        summary=_words(entry, "summary"),
        content=_content(entry),
        url=_link(entry),
        guid=_string(entry, "id"),
        author=_string(entry, "author"),
        source=_words(_mapping(entry, "source"), "title").line(300),
        categories=tuple(_string(tag, "term") for tag in _mappings(entry, "tags")),
        language=_string(_mapping(entry, "title_detail"), "language"),
        published_at=first_date(*(_string(entry, key) for key in ("published", "updated", "created"))),
    )


def _words(holder: dict[str, Any], key: str) -> Words:
    kind = _string(_mapping(holder, f"{key}_detail"), "type")
    return Words(_string(holder, key), is_plain=kind == "text/plain")


def _content(entry: dict[str, Any]) -> Words:
    """Return the longest of an entry's contents that are texts."""
    contents = [
        Words(_string(part, "value"), is_plain=_string(part, "type") == "text/plain")
        for part in _mappings(entry, "content")
        if not _NO_TEXT.match(_string(part, "type"))
    ]
    return max(contents, key=lambda words: len(words.value), default=Words())


def _link(entry: dict[str, Any]) -> str:
    links = (_string(one, "href") for one in _mappings(entry, "links"))
    return best_link(
        _string(entry, "feedburner_origlink"), _string(entry, "link"), _string(entry, "id"), links
    )


def _string(holder: dict[str, Any], key: str) -> str:
    """Return a text by dict's own get: feedparser's is slow, knows old names for keys, and warns of some."""
    value = dict.get(holder, key)
    return value if isinstance(value, str) else ""


def _mapping(holder: dict[str, Any], key: str) -> dict[str, Any]:
    value = dict.get(holder, key)
    return value if isinstance(value, dict) else {}


def _mappings(holder: dict[str, Any], key: str) -> list[dict[str, Any]]:
    value = dict.get(holder, key)
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []
