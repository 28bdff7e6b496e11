"""Reads and writes feed lists in OPML 2.0 (http://opml.org/spec2.opml), as feed readers exchange them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from email.utils import format_datetime
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat
from xml.parsers.expat import errors
from xml.sax.saxutils import quoteattr

from babel import Locale, UnknownLocaleError
from yarl import URL

from bot.core.identity import redact_url
from bot.core.markup import clean_text
from bot.errors import ConfigInvalid, Problem
from bot.model import Feed, FeedId

_READABLE = re.compile(r"[a-z0-9][a-z0-9./-]{0,69}")
_LANGUAGE = re.compile(r"([a-z]{2})(?:[-_][a-z0-9]+)*", re.IGNORECASE)
_NAME_LIMIT = 200
_EXPAT = {
    errors.codes[errors.XML_ERROR_NO_ELEMENTS]: "the file ends too early: a feed list is one whole <opml>",
    errors.codes[errors.XML_ERROR_UNCLOSED_TOKEN]: "the file ends too early: inside a tag",
}
_FEED_SCHEME = re.compile(r"^feed:(?://)?(?=https?:)|^feed:(?=//)", re.IGNORECASE)
_PARAMETER = r"[^?&;#=/]+=\*\*\*"  # one whose value redact_url blanked
_BLANKED = re.compile(rf"(?<=\?)(?:{_PARAMETER}(?:[&;]|(?=#|$)))+|[&;]{_PARAMETER}")
_NO_QUERY = re.compile(r"\?(?=#|$)")


def read_opml(path: Path) -> tuple[Feed, ...]:
    """Return the feeds of an OPML file in its order; a feed that stands in several folders comes once.

    An outline with `xmlUrl` is a feed, at any depth; `title` or `text` names its outlet. `language` or
    `xml:lang` hold for the outline and those inside it. Other attributes are left alone.

    Raises:
        ConfigInvalid: The file cannot be read, is no OPML, or holds URLs that are none; each with its line.
    """
    return tuple(_read(path).feeds.values())


def opml_feeds(data: bytes, name: str) -> tuple[Feed, ...]:
    """Return the feeds of a list that does not come from a file, as read_opml does.

    Args:
        name: What the list is called, to people.

    Raises:
        ConfigInvalid: As in read_opml.
    """
    return tuple(_parsed(data, name).feeds.values())


def opml_lines(path: Path) -> Mapping[FeedId, int]:
    """Return for each feed of an OPML file the line on which it stands, from 1.

    Raises:
        ConfigInvalid: As in read_opml.
    """
    return _read(path).lines


def write_opml(feeds: Iterable[Feed], now: datetime) -> str:
    """Return a feed list of these feeds, grouped by language; read_opml gives name, URL and language back.

    It is meant for other eyes: whatever looks like a credential is taken out of the URLs.

    Args:
        now: Aware; the list's date.
    """
    groups: dict[str, list[Feed]] = {}
    for feed in sorted(feeds, key=lambda feed: (feed.language is None, feed.language or "", feed.id)):
        groups.setdefault(feed.language or "", []).append(feed)
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<opml version="2.0">',
        "  <head>",
        "    <title>Topicwire feeds</title>",
        f"    <dateCreated>{format_datetime(now)}</dateCreated>",
        "  </head>",
        "  <body>",
    ]
    for language, group in groups.items():
        lines.append(f"    <outline text={quoteattr(_language_name(language))}>")
        lines += [f"      {_outline(feed)}" for feed in group]
        lines.append("    </outline>")
    return "\n".join([*lines, "  </body>", "</opml>", ""])


def public_url(url: str) -> str:
    """Return the URL without what looks like a credential; the same where there is none.

    User, password and secret parameters are left out. A secret that is a step of the path becomes ***, which
    read_opml refuses.
    """
    bare = redact_url(url).replace("://***@", "://")
    return bare if bare == url else _NO_QUERY.sub("", _BLANKED.sub("", bare))


def plain_address(text: str) -> str:
    """Return the address that somebody copied, without the scheme "feed:" that feed readers put before it."""
    url = _FEED_SCHEME.sub("", text.strip())
    return f"https:{url}" if url.startswith("//") else url


def feed_id_for(url: str) -> FeedId:
    """Return the id of a feed that was given none: always the same for the same URL.

    Host and path, where these say it all, else with six digits of a hash. URLs that differ only in http or
    https, a leading "www." or a last slash are one feed. Credentials never show.
    """
    bare = re.sub(r"^https?://(?:www\.)?", "", url.strip(), flags=re.IGNORECASE).rstrip("/")
    if _READABLE.fullmatch(bare):
        return FeedId(bare.replace("/", "_"))
    open_part = re.split(r"[?#]", bare, maxsplit=1)[0].rpartition("@")[2]
    head = re.sub(r"[^a-z0-9.]+", "-", open_part.lower()).strip(".-")[:60].rstrip(".-")
    digest = hashlib.sha256(bare.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return FeedId(f"{head or 'feed'}-{digest}")


def _read(path: Path) -> _Reader:
    try:
        data = path.read_bytes()
    except OSError as error:
        problem = Problem(file=str(path), message=f"cannot be read: {error.strerror or error}")
        raise ConfigInvalid((problem,)) from error
    return _parsed(data, str(path))


def _parsed(data: bytes, name: str) -> _Reader:
    reader = _Reader(name)
    reader.read(data)
    if reader.problems:
        raise ConfigInvalid(tuple(reader.problems))
    return reader


def _language_name(code: str) -> str:
    """Return what a language calls itself; the code where nobody knows it."""
    if not code:
        return "Other"
    try:
        name = Locale(code).get_language_name()
    except UnknownLocaleError:
        return code
    return name[:1].upper() + name[1:] if name else code


def _outline(feed: Feed) -> str:
    name = clean_text(feed.outlet or feed.id, _NAME_LIMIT).replace("\n", " ")
    told = {"type": "rss", "text": name, "title": name, "xmlUrl": public_url(feed.url)}
    if feed.language:
        told["language"] = feed.language
    return f"<outline {' '.join(f'{key}={quoteattr(value)}' for key, value in told.items())}/>"


class _Reader:
    """Walks through one file.

    No entity may be declared, which ends every trick with them; expat opens no other files by itself.
    """

    def __init__(self, file: str) -> None:
        self.feeds: dict[FeedId, Feed] = {}
        self.lines: dict[FeedId, int] = {}
        self.problems: list[Problem] = []
        self._file = file
        self._languages: list[str | None] = []  # of the open elements, outermost first
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.EntityDeclHandler = self._refuse_entity

    def read(self, data: bytes) -> None:
        try:
            self._parser.Parse(data, True)
        except expat.ExpatError as error:
            says = _EXPAT.get(error.code, f"is no well-formed XML: {expat.ErrorString(error.code)}")
            self._report(says, error.lineno, error.offset + 1)
        except (
            LookupError,
            ValueError,
        ) as error:  # an encoding that Python does not have, or a broken text in it
            self._report(f"cannot be decoded: {error}; save it as UTF-8", 1)
        except _Refused:
            self._report("declares an entity, which no feed list needs; remove the DOCTYPE", self._line)

    @property
    def _line(self) -> int:
        return self._parser.CurrentLineNumber

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        told = {key.lower(): value for key, value in attributes.items()}
        if not self._languages and name.lower() != "opml":
            self._report(f"begins with <{name[:40]}>; a feed list begins with <opml>", self._line)
        language = self._language(told.get("language") or told.get("xml:lang") or "")
        inherited = self._languages[-1] if self._languages else None
        self._languages.append(language or inherited)
        if name.lower() == "outline" and told.get("xmlurl", "").strip():
            self._feed(told, language or inherited)

    def _end(self, name: str) -> None:
        self._languages.pop()

    def _feed(self, told: dict[str, str], language: str | None) -> None:
        url = plain_address(told["xmlurl"])
        if not _is_web_address(url):
            self._report(
                f"xmlUrl is {redact_url(url)[:100]!r}; write a whole http:// or https:// address", self._line
            )
            return
        if "***" in url:
            says = "xmlUrl holds ***, where a password or token was taken out"
            self._report(f"{says}; write it there, or remove the feed", self._line)
            return
        outlet = clean_text(told.get("title") or told.get("text") or "", _NAME_LIMIT).replace("\n", " ")
        feed = Feed(id=feed_id_for(url), url=url, outlet=outlet or None, language=language)
        self.feeds.setdefault(feed.id, feed)
        self.lines.setdefault(feed.id, self._line)

    def _language(self, tag: str) -> str | None:
        if not tag.strip():
            return None
        found = _LANGUAGE.fullmatch(tag.strip())
        if found is None:
            self._report(f"language is {tag[:40]!r}; write two letters, such as de", self._line)
            return None
        return found[1].lower()

    def _refuse_entity(self, *declared: object) -> NoReturn:
        raise _Refused

    def _report(self, message: str, line: int, col: int = 0) -> None:
        self.problems.append(Problem(file=self._file, line=line, col=col, message=message))


class _Refused(Exception):
    """An entity was declared."""


def _is_web_address(url: str) -> bool:
    try:
        parsed = URL(url)
        return parsed.scheme in {"http", "https"} and bool(parsed.host)
    except ValueError:
        return False
