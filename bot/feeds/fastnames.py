"""How feedparser names the elements of a feed, as far as the fast reader follows it; see fastfeed.py."""

from __future__ import annotations

from typing import Final


def names(text: str) -> list[str]:
    """Return the words of a text."""
    return text.split()


# feedparser's own table, lower case: elements of the first are plain RSS and Atom, of whatever version.
# https://github.com/kurtmckee/feedparser/blob/main/feedparser/mixin.py
PLAIN: Final = frozenset(
    {
        "http://backend.userland.com/rss",
        "http://blogs.law.harvard.edu/tech/rss",
        "http://purl.org/rss/1.0/",
        "http://my.netscape.com/rdf/simple/0.9/",
        "http://example.com/newformat#",
        "http://example.com/necho",
        "http://purl.org/echo/",
        "uri/of/echo/namespace#",
        "http://purl.org/pie/",
        "http://purl.org/atom/ns#",
        "http://www.w3.org/2005/atom",
        "http://purl.org/rss/1.0/modules/rss091#",
    }
)
PREFIXES: Final = {
    "http://webns.net/mvcb/": "admin",
    "http://purl.org/rss/1.0/modules/aggregation/": "ag",
    "http://purl.org/rss/1.0/modules/annotate/": "annotate",
    "http://media.tangent.org/rss/1.0/": "audio",
    "http://backend.userland.com/blogchannelmodule": "blogchannel",
    "http://creativecommons.org/ns#license": "cc",
    "http://web.resource.org/cc/": "cc",
    "http://cyber.law.harvard.edu/rss/creativecommonsrssmodule.html": "creativecommons",
    "http://backend.userland.com/creativecommonsrssmodule": "creativecommons",
    "http://purl.org/rss/1.0/modules/company": "co",
    "http://purl.org/rss/1.0/modules/content/": "content",
    "http://my.theinfo.org/changed/1.0/rss/": "cp",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
    "http://purl.org/rss/1.0/modules/email/": "email",
    "http://purl.org/rss/1.0/modules/event/": "ev",
    "http://rssnamespace.org/feedburner/ext/1.0": "feedburner",
    "http://freshmeat.net/rss/fm/": "fm",
    "http://xmlns.com/foaf/0.1/": "foaf",
    "http://www.w3.org/2003/01/geo/wgs84_pos#": "geo",
    "http://www.georss.org/georss": "georss",
    "http://www.opengis.net/gml": "gml",
    "http://postneo.com/icbm/": "icbm",
    "http://purl.org/rss/1.0/modules/image/": "image",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
    "http://example.com/dtds/podcast-1.0.dtd": "itunes",
    "http://purl.org/rss/1.0/modules/link/": "l",
    "http://search.yahoo.com/mrss": "media",
    "http://search.yahoo.com/mrss/": "media",
    "http://madskills.com/public/xml/rss/module/pingback/": "pingback",
    "http://prismstandard.org/namespaces/1.2/basic/": "prism",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf",
    "http://www.w3.org/2000/01/rdf-schema#": "rdfs",
    "http://purl.org/rss/1.0/modules/reference/": "ref",
    "http://purl.org/rss/1.0/modules/richequiv/": "reqv",
    "http://purl.org/rss/1.0/modules/search/": "search",
    "http://purl.org/rss/1.0/modules/slash/": "slash",
    "http://schemas.xmlsoap.org/soap/envelope/": "soap",
    "http://purl.org/rss/1.0/modules/servicestatus/": "ss",
    "http://hacks.benhammersley.com/rss/streaming/": "str",
    "http://purl.org/rss/1.0/modules/subscription/": "sub",
    "http://purl.org/rss/1.0/modules/syndication/": "sy",
    "http://schemas.pocketsoap.com/rss/mydescmodule/": "szf",
    "http://purl.org/rss/1.0/modules/taxonomy/": "taxo",
    "http://purl.org/rss/1.0/modules/threading/": "thr",
    "http://purl.org/rss/1.0/modules/textinput/": "ti",
    "http://madskills.com/public/xml/rss/module/trackback/": "trackback",
    "http://wellformedweb.org/commentapi/": "wfw",
    "http://purl.org/rss/1.0/modules/wiki/": "wiki",
    "http://www.w3.org/1999/xhtml": "xhtml",
    "http://www.w3.org/1999/xlink": "xlink",
    "http://www.w3.org/xml/1998/namespace": "xml",
    "http://podlove.org/simple-chapters": "psc",
}
XML: Final = "http://www.w3.org/XML/1998/namespace"
RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"

# Prefixes whose elements feedparser keeps under keys of their own, where nobody looks.
INERT_PREFIXES: Final = frozenset(
    names(
        "admin ag annotate audio blogchannel co cp email ev fm foaf geo icbm image l pingback "
        "prism rdfs ref reqv search slash soap ss str sub szf taxo thr ti trackback wfw wiki"
    )
)
# Prefixes to which feedparser gives a meaning, and words with which the keys begin under which it keeps what
# others read. A document that binds one of them to another namespace means other things than it is taken for.
RESERVED_PREFIXES: Final = frozenset(
    names(
        "cc content copyright created creativecommons date dc dcterms description expired "
        "feedburner georss gml guidislink issued itunes media modified psc published rdf "
        "summary sy tagline title updated validity xhtml xlink xml"
    )
)
# Elements that mean something to feedparser, or that it keeps where others look. The reader has rules for
# many of them and finds those first; a document with any of the others is feedparser's.
RESERVED_NAMES: Final = frozenset(
    names(
        "abstract author authors body category channel cloud content contributor contributors "
        "copyright created date description div email enclosure enclosures entries entry "
        "expirationdate feed fullitem generator geom georssgeom guid height homepage href id "
        "image info issued item items keywords language lastbuilddate link links managingeditor "
        "math modified name newlocation pubdate published publisher rights rss source subtitle "
        "summary svg tagline tags textinput title ttl updated uri url version webmaster where "
        "width content:encoded dc:author dc:contributor dc:creator dc:date dc:description "
        "dc:language dc:publisher dc:rights dc:subject dc:title dcterms:created dcterms:issued "
        "dcterms:modified dcterms:valid feedburner:browserfriendly feedburner:origlink "
        "itunes:author itunes:block itunes:category itunes:email itunes:explicit itunes:image "
        "itunes:keywords itunes:link itunes:name itunes:owner itunes:subtitle itunes:summary "
        "media:category media:content media:credit media:description media:group media:keywords "
        "media:license media:player media:rating media:restriction media:thumbnail media:title "
        "rdf:rdf"
    )
)
_HALF_INERT: Final = frozenset({"content", "dc", "dcterms", "feedburner", "itunes", "media", "rdf", "sy"})


class Unsure(Exception):
    """The document holds something of which the fast reader does not know for certain what it means."""


class Names:
    """What the elements of one document are called, given what it binds its prefixes to."""

    def __init__(self) -> None:
        """Begin before the first element."""
        self._uris: dict[str, str] = {}  # by prefix, lower case
        self._prefixes: dict[str, str] = {}  # of foreign namespaces
        self._names: dict[str, str] = {}

    def bind(self, prefix: str | None, uri: str) -> None:
        """Take in a namespace declaration.

        Raises:
            Unsure: feedparser may take the namespace for another.
        """
        known = known_prefix(uri)
        name = (prefix or "").lower()
        if self._uris.setdefault(name, uri) != uri:
            raise Unsure("a prefix of two namespaces")
        if known is None and name in RESERVED_PREFIXES | {""}:
            raise Unsure("a foreign namespace under a known prefix")
        if known is None and (not name.isascii() or "_" in name):
            raise Unsure("a prefix that may look like a name")
        if known is not None and name in RESERVED_PREFIXES | INERT_PREFIXES and name != known:
            raise Unsure("a known namespace under the prefix of another")
        if known is None:
            self._prefixes.setdefault(uri, name)

    def of(self, name: str) -> str:
        """Return an element's name as feedparser has it, "prefix:local", from expat's "uri local".

        Raises:
            Unsure: The name has letters beyond ASCII.
        """
        found = self._names.get(name)
        if found is None:
            found = self._names[name] = self._of(name)
        return found

    def _of(self, name: str) -> str:
        uri, _, local = name.rpartition(" ")
        if not local.isascii():
            raise Unsure("a name beyond ASCII")
        prefix = known_prefix(uri)
        if prefix is None:
            prefix = self._prefixes.get(uri)
        if prefix is None:  # of the namespace "xml", which nobody declares
            raise Unsure("an element of no declared namespace")
        return f"{prefix}:{local.lower()}" if prefix else local.lower()


def known_prefix(uri: str) -> str | None:
    """Return feedparser's prefix of a namespace, "" for RSS and Atom themselves; None: foreign."""
    lower = uri.lower()
    return "" if not uri or lower in PLAIN else PREFIXES.get(lower)


def is_inert(name: str) -> bool:
    """Tell whether feedparser makes nothing of an element, wherever it stands, that we would read."""
    if name in RESERVED_NAMES:
        return False
    prefix, colon, _ = name.rpartition(":")
    if not colon:
        return "_" not in name
    return prefix in INERT_PREFIXES or prefix in _HALF_INERT or prefix not in RESERVED_PREFIXES
