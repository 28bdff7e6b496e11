"""What each element of a feed means: feedparser's handlers, reduced to what we take; see fastfeed.py."""

from __future__ import annotations

import re
from functools import partial
from typing import Final

from bot.feeds.fastentry import HTML, PLAIN, Entry, mended, text_kind
from bot.feeds.fastfeed import INERT_INSIDE, Attributes, Context, Part, Reader
from bot.feeds.fastnames import Unsure, names

_QUERY_ENTITY: Final = re.compile("&([A-Za-z0-9_]+);")
_PAGE_TYPES: Final = frozenset({"text/html", "html", "application/xhtml+xml", "xhtml"})
_ITUNES: Final = "http://www.itunes.com/"


# ---- the feed itself -------------------------------------------------------------------------------


def _begin_rss(reader: Reader, told: Attributes) -> None:
    if not reader.version.startswith("rss"):
        reader.version = "rss"  # of whatever version: we tell RSS from Atom
    _begin_root(reader, told)


def _begin_feed(reader: Reader, told: Attributes) -> None:
    reader.version = reader.version or "atom"
    _begin_root(reader, told)


def _begin_root(reader: Reader, _told: Attributes) -> None:
    if reader.language:
        reader.facts["language"] = reader.language.replace("_", "-")


def _begin_channel(_reader: Reader, told: Attributes) -> None:
    if "lastmod" in told or "href" in told:
        raise Unsure("a channel of CDF")


def _end_feed_title(reader: Reader, text: str) -> None:
    text, kind = reader.believe(text)
    if not -1 < reader.title_depth <= reader.depth:
        reader.facts["title"] = text
        reader.title_is_plain = kind == PLAIN
    if text:
        reader.title_depth = reader.depth


def _begin_feed_summary(reader: Reader, _told: Attributes, *, is_summary: bool) -> None:
    """Take in that the feed has one: the next becomes a content, which changes how entries are read."""
    if reader.has_summary and not reader.has_content:
        reader.has_content = True
    elif is_summary:
        reader.has_summary = True


def _begin_bare(_reader: Reader, told: Attributes) -> None:
    if told:
        raise Unsure("attributes, of which feedparser would make the value")


def _end_fact(reader: Reader, text: str, *, name: str) -> None:
    reader.facts[name] = mended(text)


def _begin_image(reader: Reader, _told: Attributes) -> None:
    reader.title_depth = -1


def _end_image_title(reader: Reader, text: str) -> None:
    if text:
        reader.title_depth = reader.depth


# ---- entries ---------------------------------------------------------------------------------------


def _begin_entry(reader: Reader, told: Attributes) -> None:
    if "lastmod" in told or "href" in told:
        raise Unsure("an item of CDF")
    reader.title_depth = -1
    reader.entries.append(Entry(told.get("rdf:about", "")))


def _end_entry(reader: Reader, _text: str) -> None:
    reader.has_content = False


def _begin_text(reader: Reader, told: Attributes, *, default: str) -> None:
    reader.kind = text_kind(told, default)
    reader.is_content = False


def _end_title(reader: Reader, text: str) -> None:
    text, kind = reader.believe(text)
    if not -1 < reader.title_depth <= reader.depth:
        language = (reader.language or "").replace("_", "-")
        reader.entry.take_title(text, kind, language, reader.depth)
    if text:
        reader.title_depth = reader.depth


def _end_media_title(reader: Reader, text: str) -> None:
    before = reader.title_depth
    _end_title(reader, text)
    reader.title_depth = before


def _begin_summary(reader: Reader, told: Attributes, *, default: str) -> None:
    """Begin a summary; where there is one already, it is a content."""
    is_content = reader.entry.summary is not None and not reader.has_content
    _begin_text(reader, told, default=PLAIN if is_content else default)
    reader.is_content = is_content
    reader.has_content = reader.has_content or is_content


def _end_summary(reader: Reader, text: str) -> None:
    text, kind = reader.believe(text)
    if reader.is_content:
        reader.entry.take_content(text, kind)
    else:
        reader.entry.take_summary(text, kind, reader.depth)


def _begin_content(reader: Reader, told: Attributes, *, default: str) -> None:
    _begin_text(reader, told, default=default)
    reader.is_content = reader.has_content = True


def _begin_link(reader: Reader, told: Attributes) -> None:
    if "url" in told or "uri" in told:
        raise Unsure("a link with an address in another attribute")
    reader.takes_text = "href" not in told
    if reader.takes_text:
        return
    entry, url = reader.entry, reader.resolve(told["href"])
    relation = told.get("rel", "alternate")
    entry.take_link(url)
    if relation == "alternate" and told.get("type", "text/html") in _PAGE_TYPES:
        entry.link = url


def _end_link(reader: Reader, text: str) -> None:
    if not reader.takes_text:
        return
    url = mended(reader.resolve(text) if text else "")
    if "&" in url:
        url = _QUERY_ENTITY.sub(r"&\g<1>", url.replace("&amp;", "&"))
    reader.entry.link = url
    reader.entry.take_link(url)


def _begin_enclosure(reader: Reader, told: Attributes) -> None:
    url = told.get("url", told.get("uri", told.get("href")))
    reader.entry.take_link(url or told.get("href", ""))


def _begin_guid(reader: Reader, told: Attributes) -> None:
    reader.guid_is_link = told.get("ispermalink", "true") == "true"


def _end_guid(reader: Reader, text: str) -> None:
    entry = reader.entry
    entry.guid = mended(reader.resolve(text) if text and reader.guid_is_link else text)
    if reader.guid_is_link and entry.link is None:
        entry.link = entry.guid


def _begin_source(reader: Reader, _told: Attributes) -> None:
    reader.title_depth = -1


def _end_word(reader: Reader, text: str, *, name: str) -> None:
    setattr(reader.entry, name, mended(text))


def _begin_category(reader: Reader, told: Attributes, *, scheme: str | None = None) -> None:
    told_scheme = told.get("scheme", scheme) if scheme else told.get("scheme", told.get("domain"))
    reader.entry.add_tag(told.get("term"), told_scheme, told.get("label"))


def _begin_itunes_category(reader: Reader, told: Attributes) -> None:
    reader.entry.add_tag(told.get("text"), _ITUNES)


def _end_category(reader: Reader, text: str) -> None:
    if text:
        reader.entry.name_tag(mended(text))


def _end_keywords(reader: Reader, text: str, *, scheme: str | None) -> None:
    for term in mended(text).split(","):
        if term.strip():
            reader.entry.add_tag(term.strip(), scheme)


# ---- people ----------------------------------------------------------------------------------------


def _begin_author(reader: Reader, _told: Attributes) -> None:
    reader.person.clear()


def _end_person(reader: Reader, text: str, *, key: str) -> None:
    reader.person[key] = text


def _end_author(reader: Reader, text: str) -> None:
    """Take in who wrote it: the element's text, or what stands inside of it.

    feedparser mixes persons up where the one before has what this one lacks.
    """
    person, entry = reader.person, reader.entry
    if not person:
        entry.author = mended(text)
        return
    name, address = person.get("name", ""), person.get("email", "")
    if text or (entry.author and (not name or "@" in entry.author)):
        raise Unsure("a person that feedparser may mix up with another")
    entry.author = f"{name} ({address})" if name and address else name or address


# ---- the rules -------------------------------------------------------------------------------------

_NOTHING: Final = Part()
_FEED_PERSON: Final = Part(inside=Context(dict.fromkeys(names("name email url uri homepage"), _NOTHING)))
_IMAGE: Final = Part(
    begin=_begin_image,
    inside=Context(
        {
            **dict.fromkeys(names("link url width height description"), _NOTHING),
            "title": Part(begin=partial(_begin_text, default=PLAIN), end=_end_image_title),
        }
    ),
)
_INSIDE_PERSON: Final = Context(
    {
        **dict.fromkeys(names("uri url homepage"), Part(end=partial(_end_person, key="uri"))),
        "name": Part(end=partial(_end_person, key="name")),
        "email": Part(end=partial(_end_person, key="email")),
    },
    holds_no_text=True,
)
_LEAF_AUTHOR: Final = Part(begin=_begin_author, end=_end_author)
_UNREAD_MEDIA: Final = dict.fromkeys(
    (f"media:{name}" for name in names("thumbnail rating credit restriction license player")), _NOTHING
)
_MEDIA: Final = Context(
    {
        **_UNREAD_MEDIA,
        "media:title": Part(begin=partial(_begin_text, default=PLAIN), end=_end_media_title),
        "media:description": Part(begin=partial(_begin_summary, default=HTML), end=_end_summary),
        "media:category": Part(
            begin=partial(_begin_category, scheme="http://search.yahoo.com/mrss/category_schema"),
            end=_end_category,
        ),
        "media:keywords": Part(begin=_begin_bare, end=partial(_end_keywords, scheme=None)),
    }
)
_MEDIA.rules["media:group"] = _MEDIA.rules["media:content"] = Part(inside=_MEDIA)

_TITLE: Final = Part(begin=partial(_begin_text, default=PLAIN), end=_end_title)
_DESCRIPTION: Final = Part(begin=partial(_begin_summary, default=HTML), end=_end_summary)
_SUMMARY: Final = Part(begin=partial(_begin_summary, default=PLAIN), end=_end_summary)
_ENCODED: Final = Part(begin=partial(_begin_content, default=HTML), end=_end_summary)
_GUID: Final = Part(begin=_begin_guid, end=_end_guid)
_PUBLISHED: Final = Part(end=partial(_end_word, name="published"))
_UPDATED: Final = Part(end=partial(_end_word, name="updated"))
_CREATED: Final = Part(end=partial(_end_word, name="created"))
_CATEGORY: Final = Part(begin=_begin_category, end=_end_category)

_ENTRY: Final = Context(
    {
        **_MEDIA.rules,
        **dict.fromkeys(
            names(
                "comments copyright dc:contributor dc:language dc:publisher dc:rights dcterms:valid "
                "expirationdate generator homepage info itunes:block itunes:explicit itunes:image "
                "itunes:subtitle language rights subtitle tagline uri url webmaster"
            ),
            _NOTHING,
        ),
        **dict.fromkeys(("title", "dc:title"), _TITLE),
        **dict.fromkeys(("description", "dc:description"), _DESCRIPTION),
        **dict.fromkeys(("summary", "itunes:summary"), _SUMMARY),
        **dict.fromkeys(("content:encoded", "fullitem"), _ENCODED),
        "content": Part(begin=partial(_begin_content, default=PLAIN), end=_end_summary),
        "link": Part(begin=_begin_link, end=_end_link),
        **dict.fromkeys(("guid", "id"), _GUID),
        "enclosure": Part(begin=_begin_enclosure),
        "source": Part(begin=_begin_source, end=partial(_end_word, name="source")),
        "feedburner:origlink": Part(begin=_begin_bare, end=partial(_end_word, name="origlink")),
        **dict.fromkeys(("published", "issued", "pubdate", "dcterms:issued"), _PUBLISHED),
        **dict.fromkeys(("updated", "modified", "lastbuilddate", "dc:date", "dcterms:modified"), _UPDATED),
        "date": Part(begin=_begin_bare, end=partial(_end_word, name="updated")),
        **dict.fromkeys(("created", "dcterms:created"), _CREATED),
        **dict.fromkeys(("category", "keywords", "dc:subject"), _CATEGORY),
        "itunes:category": Part(begin=_begin_itunes_category, end=_end_category),
        "itunes:keywords": Part(begin=_begin_bare, end=partial(_end_keywords, scheme=_ITUNES)),
        **dict.fromkeys(("author", "managingeditor"), _LEAF_AUTHOR._replace(inside=_INSIDE_PERSON)),
        **dict.fromkeys(("dc:creator", "dc:author", "itunes:author"), _LEAF_AUTHOR),
        "contributor": _FEED_PERSON,
        "image": Part(begin=_begin_image),
    }
)
_ITEM: Final = Part(begin=_begin_entry, inside=_ENTRY, end=_end_entry)
_ITUNES_CATEGORY: Final = Part(inside=Context({"itunes:category": _NOTHING}))
_FEED: Final = Context(
    {
        **_UNREAD_MEDIA,
        **dict.fromkeys(
            names(
                "category cloud copyright created dc:author dc:contributor dc:creator dc:date "
                "dc:publisher dc:rights dc:subject dcterms:created dcterms:issued dcterms:modified "
                "dcterms:valid expirationdate generator guid id info issued itunes:author itunes:block "
                "itunes:explicit itunes:image itunes:keywords itunes:link itunes:subtitle keywords "
                "lastbuilddate link media:category media:keywords modified pubdate published rights "
                "subtitle tagline updated webmaster"
            ),
            _NOTHING,
        ),
        **dict.fromkeys(names("items skiphours skipdays"), Part(inside=INERT_INSIDE)),
        **dict.fromkeys(names("author managingeditor contributor"), _FEED_PERSON),
        "itunes:owner": Part(inside=Context({"itunes:name": _NOTHING, "itunes:email": _NOTHING})),
        "itunes:category": _ITUNES_CATEGORY,
        **dict.fromkeys(("item", "entry"), _ITEM),
        "title": Part(begin=partial(_begin_text, default=PLAIN), end=_end_feed_title),
        **dict.fromkeys(
            ("description", "dc:description"), Part(begin=partial(_begin_feed_summary, is_summary=False))
        ),
        **dict.fromkeys(
            ("summary", "itunes:summary"), Part(begin=partial(_begin_feed_summary, is_summary=True))
        ),
        **dict.fromkeys(("language", "dc:language"), Part(end=partial(_end_fact, name="language"))),
        "ttl": Part(begin=_begin_bare, end=partial(_end_fact, name="ttl")),
        "sy:updateperiod": Part(begin=_begin_bare, end=partial(_end_fact, name="period")),
        "sy:updatefrequency": Part(begin=_begin_bare, end=partial(_end_fact, name="frequency")),
        "image": _IMAGE,
    }
)
_CHANNEL: Final = Part(begin=_begin_channel, inside=_FEED)
_BESIDE_CHANNEL: Final = Context({"channel": _CHANNEL, "item": _ITEM, "image": _IMAGE})
ROOT: Final = Context(
    {
        "rss": Part(begin=_begin_rss, inside=_BESIDE_CHANNEL),
        "rdf:rdf": Part(inside=_BESIDE_CHANNEL),
        "feed": Part(begin=_begin_feed, inside=_FEED),
    }
)
