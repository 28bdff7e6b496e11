"""Feeds made up at random: mostly what servers send, with all that the formats allow and some more."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Final

Maker = Callable[[Random], str]

_NAMESPACES: Final = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "feedburner": "http://rssnamespace.org/feedburner/ext/1.0",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "media": "http://search.yahoo.com/mrss/",
    "slash": "http://purl.org/rss/1.0/modules/slash/",
    "sy": "http://purl.org/rss/1.0/modules/syndication/",
    "thr": "http://purl.org/syndication/thread/1.0",
    "georss": "http://www.georss.org/georss",
    "yandex": "http://news.yandex.ru",
    "x": "https://x.example/ns",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
}
_WORDS: Final = (
    "Ferry", "crane", "Größe", "Мантуров", "пошлины", "稀土", "caf\u00e9", "R&amp;D",
    "&lt;b&gt;bold&lt;/b&gt;", "&amp;nbsp;",
    "&#8220;quoted&#8221;", "&#160;", "Ã¶l", "\u0092s", "\u202eabc", "\ufeff", "<![CDATA[a <i>b</i> & c]]>",
    "<![CDATA[]]>",
    "&lt;p&gt;text&lt;br/&gt;more", "5 &lt; 6", "&amp;amp;", "&quot;", "\n", "\t ", "\u00a0", "<!-- c -->",
    "<?pi x?>", "https://x.example/",
    "someone@x.example (Some One)", "]]&gt;", "&amp;#x1F41F;", "\U0001f41f", "a, b,, c",
)  # fmt: skip
_URLS: Final = (
    "https://x.example/a", "https://x.example/a?b=1&amp;c=2", "/relative/path", "a b",
    "tag:x.example,2026:1", "urn:uuid:1",
    "http:///x.example/a", "javascript:alert(1)", "//x.example/b", "https://x.example/?a=1&amp;amp;b;=2",
    "", " https://x.example/c ",
    "http://[broken", "ftp://x.example/d", "https://пример.рф/é", "x.example", "123",
)  # fmt: skip
_DATES: Final = (
    "Sat, 21 Nov 2026 10:00:00 +0000", "Sat, 21 Nov 2026 10:00:00 GMT", "21 Nov 2026 10:00:00 -0500",
    "2026-11-21T10:00:00Z",
    "2026-11-21T10:00:00.123+01:00", "2026-11-21", "Sat, 31 Nov 2026 10:00:00 +0000",
    "Сб, 21 ноя 2026 10:00:00 MSK", "2126-01-01T00:00:00Z",
    "1795255200", "0000-00-00", "21.11.2026 10:00", "Sat, 21 Nov 2026 24:00:00 GMT",
    "9999-12-31T23:59:59-14:00", "soon", "", "12",
    "Sat, 21 Nov 2026 10:00:00 +9999", "0001-01-01T00:00:00+14:00", "99999999999", "-11", "2026-W47",
    "Nov 2026",
)  # fmt: skip
_TYPES: Final = (
    "text",
    "html",
    "text/html",
    "text/plain",
    "plain",
    "HTML",
    "xhtml",
    "application/xml",
    "image/png",
    "",
)


def a_text(rng: Random) -> str:
    """Return up to five words, escaped as XML wants them."""
    return " ".join(rng.choice(_WORDS) for _ in range(rng.randrange(6)))


def a_url(rng: Random) -> str:
    """Return what may stand where an address belongs."""
    return rng.choice(_URLS)


def a_date(rng: Random) -> str:
    """Return what may stand where a date belongs."""
    return rng.choice(_DATES)


def _attributes(rng: Random, **makers: Maker) -> str:
    told = []
    for name, maker in makers.items():
        if rng.random() < 0.4:
            value = maker(rng).replace("<", "&lt;").replace('"', "'")
            told.append(f' {name.replace("__", ":")}="{value}"')
    return "".join(told)


def _kind(rng: Random) -> str:
    return rng.choice(_TYPES[:5]) if rng.random() < 0.9 else rng.choice(_TYPES)


def _flag(rng: Random) -> str:
    return rng.choice(["true", "false", "True", ""])


def _relation(rng: Random) -> str:
    return rng.choice(["alternate", "self", "enclosure", "ALTERNATE", "replies", "via", ""])


def _language(rng: Random) -> str:
    return rng.choice(["en", "de_DE", "ru-RU", "", "zh-Hant"])


_ENTRY_ELEMENTS: Final[dict[str, tuple[Maker, dict[str, Maker]]]] = {
    **dict.fromkeys(["title"] * 1, (a_text, {"type": _kind, "xml__lang": _language, "mode": a_text})),
    "description": (a_text, {"type": _kind}),
    "link": (a_url, {"href": a_url, "rel": _relation, "type": _kind}),
    "guid": (a_url, {"isPermaLink": _flag}),
    "pubDate": (a_date, {}),
    "category": (a_text, {"term": a_text, "domain": a_url, "scheme": a_url, "label": a_text}),
    "author": (a_text, {}),
    "enclosure": (lambda rng: "", {"url": a_url, "href": a_url, "type": _kind}),
    "source": (a_text, {"url": a_url}),
    "comments": (a_url, {}),
    "id": (a_url, {}),
    "summary": (a_text, {"type": _kind}),
    "content": (a_text, {"type": _kind, "src": a_url}),
    "published": (a_date, {}),
    "updated": (a_date, {}),
    "issued": (a_date, {}),
    "modified": (a_date, {}),
    "created": (a_date, {}),
    "date": (a_date, {"x__y": a_text}),
    "image": (a_url, {}),
    "keywords": (a_text, {}),
    "abstract": (a_text, {}),
    "body": (a_text, {}),
    "fulltext": (a_text, {}),
    "full-text": (a_text, {"type": _kind}),
    "rights": (a_text, {"type": _kind}),
    "language": (_language, {}),
    "url": (a_url, {}),
    "TITLE": (a_text, {}),
    "content:encoded": (a_text, {"type": _kind}),
    "dc:title": (a_text, {}),
    "dc:creator": (a_text, {"x__role": a_text}),
    "dc:date": (a_date, {}),
    "dc:description": (a_text, {}),
    "dc:subject": (a_text, {}),
    "dc:language": (_language, {}),
    "dc:publisher": (a_text, {}),
    "dc:contributor": (a_text, {}),
    "dc:source": (a_text, {}),
    "dcterms:issued": (a_date, {}),
    "dcterms:modified": (a_date, {}),
    "dcterms:created": (a_date, {}),
    "dcterms:valid": (a_text, {}),
    "feedburner:origLink": (a_url, {"x__y": a_text}),
    "itunes:author": (a_text, {}),
    "itunes:summary": (a_text, {}),
    "itunes:subtitle": (a_text, {}),
    "itunes:keywords": (a_text, {"x__y": a_text}),
    "itunes:category": (a_text, {"text": a_text}),
    "itunes:image": (a_text, {"href": a_url}),
    "itunes:duration": (a_text, {}),
    "itunes:block": (a_text, {}),
    "itunes:explicit": (a_text, {}),
    "media:title": (a_text, {"type": _kind}),
    "media:description": (a_text, {"type": _kind}),
    "media:keywords": (a_text, {}),
    "media:category": (a_text, {"scheme": a_url, "label": a_text}),
    "media:thumbnail": (a_text, {"url": a_url}),
    "media:credit": (a_text, {"role": a_text}),
    "media:rating": (a_text, {}),
    "media:text": (a_text, {"type": _kind}),
    "slash:comments": (a_text, {}),
    "thr:total": (a_text, {}),
    "thr:in-reply-to": (a_text, {"ref": a_url, "href": a_url, "type": _kind}),
    "georss:point": (a_text, {}),
    "yandex:full-text": (a_text, {}),
    "yandex:genre": (a_text, {"x__type": _kind}),
    "atom:link": (lambda rng: "", {"href": a_url, "rel": _relation, "type": _kind}),
    "atom:updated": (a_date, {}),
    "x:title": (a_text, {"type": _kind, "href": a_url}),
    "cc:license": (a_url, {}),
}  # fmt: skip
_USUAL: Final = [
    "title",
    "link",
    "description",
    "guid",
    "pubDate",
    "category",
    "dc:creator",
    "content:encoded",
]
_ATOM: Final = ["title", "link", "summary", "id", "published", "updated", "category", "content"]
_ALL: Final = list(_ENTRY_ELEMENTS)
_FEED_ELEMENTS: Final[dict[str, tuple[Maker, dict[str, Maker]]]] = {
    "title": (a_text, {"type": _kind}),
    "link": (a_url, {"href": a_url, "rel": _relation}),
    "description": (a_text, {"type": _kind}),
    "language": (_language, {"x__y": a_text}),
    "ttl": (lambda rng: str(rng.choice([0, 15, -5, 10**7, "x", " 60\n"])), {"x__y": a_text}),
    "sy:updatePeriod": (lambda rng: rng.choice(["hourly", "daily", "Weekly ", "x", ""]), {}),
    "sy:updateFrequency": (lambda rng: rng.choice(["1", "2", "0", "x"]), {}),
    "pubDate": (a_date, {}),
    "lastBuildDate": (a_date, {}),
    "updated": (a_date, {}),
    "id": (a_url, {}),
    "subtitle": (a_text, {"type": _kind}),
    "generator": (a_text, {"uri": a_url}),
    "category": (a_text, {"term": a_text}),
    "copyright": (a_text, {}),
    "atom:link": (lambda rng: "", {"href": a_url, "rel": _relation}),
    "itunes:summary": (a_text, {}),
    "itunes:author": (a_text, {}),
    "itunes:explicit": (a_text, {}),
    "itunes:image": (lambda rng: "", {"href": a_url}),
    "media:thumbnail": (lambda rng: "", {"url": a_url}),
    "dc:language": (_language, {}),
    "dc:date": (a_date, {}),
    "cloud": (lambda rng: "", {"domain": a_text, "port": a_text}),
    "x:unknown": (a_text, {"type": _kind}),
    "icon": (a_url, {}),
}


def _element(rng: Random, name: str, table: dict[str, tuple[Maker, dict[str, Maker]]]) -> str:
    maker, attributes = table[name]
    inside = maker(rng) if rng.random() < 0.995 else "<b>odd</b>"
    told = _attributes(rng, **attributes) if attributes and rng.random() < 0.5 else ""
    return f"<{name}{told}>{inside}</{name}>" if inside or rng.random() < 0.5 else f"<{name}{told}/>"


def _container(rng: Random) -> str:
    """Return one of the elements that hold others."""
    some = [_element(rng, rng.choice(_ALL), _ENTRY_ELEMENTS) for _ in range(rng.randrange(4))]
    media = [_element(rng, rng.choice([name for name in _ALL if name.startswith("media")]), _ENTRY_ELEMENTS)]
    person = f"<name>{a_text(rng)}</name>" + rng.choice(["", "<email>a@x.example</email>", "<uri>/a</uri>"])
    return rng.choice(
        [
            f"<media:group>{''.join(media)}</media:group>",
            f'<media:content url="{rng.choice(_URLS)}">{"".join(media)}</media:content>',
            f"<author>{person}</author>",
            f"<author>\n  {person}\n</author>",
            f"<contributor>{person}</contributor>",
            f"<source>{''.join(some)}</source>",
            f"<x:y>{''.join(some)}</x:y>",
            "<image><url>/i.png</url><title>Image</title><link>/</link></image>",
            '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">'
            f"{a_text(rng)} <b>b</b></div></content>",
        ]
    )


def _entry(rng: Random, name: str, usual: list[str], wild: float) -> str:
    parts = []
    for element in usual if rng.random() < 0.7 else rng.sample(_ALL, 6):
        if rng.random() < 0.8:
            parts.append(_element(rng, element, _ENTRY_ELEMENTS))
        if rng.random() < wild:
            parts.append(
                _container(rng) if rng.random() < 0.4 else _element(rng, rng.choice(_ALL), _ENTRY_ELEMENTS)
            )
    if rng.random() < 0.3:
        rng.shuffle(parts)
    about = f' rdf:about="{a_url(rng)}"' if rng.random() < 0.1 else ""
    return f"<{name}{about}>{rng.choice(['', chr(10)]).join(parts)}</{name}>"


def _declared(rng: Random) -> str:
    chosen = [*_NAMESPACES.items()]
    if rng.random() < 0.1:
        rng.shuffle(chosen)
    if rng.random() < 0.03:
        chosen.append((rng.choice(["a", "dc2", "title"]), rng.choice([*_NAMESPACES.values()])))
    return "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in chosen)


def an_xml_feed(rng: Random) -> str:
    """Return RSS 2.0, RSS 1.0 or Atom; half of them as ordinary as can be."""
    wild = rng.choice([0.0, 0.0, 0.1, 0.4])
    shape = rng.choice(["rss", "rss", "atom", "rdf"])
    name, usual = ("entry", _ATOM) if shape == "atom" else ("item", _USUAL)
    facts = [_element(rng, rng.choice([*_FEED_ELEMENTS]), _FEED_ELEMENTS) for _ in range(rng.randrange(6))]
    if rng.random() < 0.02:
        facts.append("<textInput><title>Search</title><name>q</name></textInput>")
    entries = [_entry(rng, name, usual, wild) for _ in range(rng.randrange(4))]
    if rng.random() < 0.1:
        facts.append("<image><url>/i.png</url><title>Image</title><link>/</link></image>")
    if rng.random() < 0.1:
        facts.append("<author><name>Feed Author</name><email>f@x.example</email></author>")
    prolog = rng.choice(
        ['<?xml version="1.0" encoding="UTF-8"?>\n', "", '<?xml version="1.0"?>', "<?xml-stylesheet x?>"]
    )
    language = rng.choice(["", "", ' xml:lang="en-GB"', ' xml:base="https://base.example/x/"'])
    if shape == "rdf":
        inside = f'<channel rdf:about="/">{"".join(facts)}</channel>{"".join(entries)}'
        return (
            f'{prolog}<rdf:RDF xmlns="http://purl.org/rss/1.0/"{_declared(rng)}{language}>{inside}</rdf:RDF>'
        )
    body = [*facts, *entries]
    if rng.random() < 0.2:
        rng.shuffle(body)
    if shape == "atom":
        return f'{prolog}<feed xmlns="http://www.w3.org/2005/Atom"{_declared(rng)}{language}>{"".join(body)}</feed>'
    version = rng.choice([' version="2.0"', ' version="0.91"', ""])
    return f"{prolog}<rss{version}{_declared(rng)}{language}><channel>{''.join(body)}</channel></rss>"


def a_json_feed(rng: Random) -> str:
    """Return JSON Feed with values of any type in any place."""

    def anything() -> object:
        return rng.choice(
            [a_text(rng), a_url(rng), a_date(rng), 7, 1e308, None, True, [], {}, ["a", 1], {"name": "n"}]
        )

    keys = (
        *("id", "url", "external_url", "title", "summary", "content_html", "content_text", "date_published"),
        *("date_modified", "authors", "author", "tags", "language"),
    )
    items = [{key: anything() for key in keys if rng.random() < 0.6} for _ in range(rng.randrange(4))]
    document = {"version": "https://jsonfeed.org/version/1.1", "title": anything(), "items": items}
    if rng.random() < 0.1:
        document[rng.choice(["version", "items", "language"])] = anything()
    return json.dumps(document, ensure_ascii=rng.random() < 0.5)
