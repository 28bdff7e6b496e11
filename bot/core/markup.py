"""HTML, as feeds carry it, to plain text, in linear time however hostile the markup."""

from __future__ import annotations

import html
import re

# A tag begins where HTML's tokenizer says so: "5 < 6" and "<3" are text.
# https://html.spec.whatwg.org/multipage/parsing.html#tag-open-state
_TAG_OPEN = re.compile(r"<(?:(!--)|(/?)([A-Za-z][^\s/>]{0,63})|[!?/])")
# Attributes up to the closing bracket; a ">" in quotes closes nothing. Possessive, so it cannot backtrack.
_TAG_REST = re.compile(r"""[^"'>]*+(?:(?:"[^"]*+"|'[^']*+')[^"'>]*+)*+>""")

_WITHOUT_TEXT = frozenset({"script", "style", "template", "iframe", "object", "noembed", "svg", "math"})
_BLOCKS = frozenset(
    {
        "address",
        "article",
        "aside",
        "blockquote",
        "br",
        "center",
        "dd",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "option",
        "p",
        "pre",
        "section",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "title",
        "tr",
        "ul",
        "video",
    }
)


class _InPlaceOf(dict[str, str]):
    """What a tag leaves of itself, by its name; of those without text, a bracket, which shows them."""

    def __missing__(self, name: str) -> str:
        return self.get(name.lower(), "")


_IN_PLACE_OF = _InPlaceOf(
    {
        **dict.fromkeys(
            ("a", "abbr", "b", "em", "i", "img", "small", "span", "strong", "sub", "sup", "u"), ""
        ),
        **dict.fromkeys(_BLOCKS, "\n"),
        **dict.fromkeys(_WITHOUT_TEXT, "<"),
    }
)

# Control characters, byte order marks and soft hyphens; embeddings, overrides and isolates of writing
# direction, which could turn around the rest of a message (CVE-2021-42574); interlinear marks; tag
# characters; halves of surrogate pairs, which no database stores. Joiners stay: Persian and emoji need them.
_HARMFUL = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f\ud800-\udfff]"
)
# The tags of tame markup, as in most feeds: short names, quotes that close, no brackets in quotes.
_TAME_TAG = re.compile(
    r"""</?([A-Za-z][A-Za-z0-9]{0,15})(?=[\s/>])[^"'<>]*+(?:(?:"[^"<>]*+"|'[^'<>]*+')[^"'<>]*+)*+>"""
)
_MARKUP = re.compile(
    r"</[a-zA-Z]|<(?:br|img|p|hr)\b[^<>]{0,500}>|&(?:#\d{2,6}|#x[0-9a-fA-F]{2,5}|[a-zA-Z]{2,8});"
)
_ENDLESS = re.compile(r"&#[xX]?[0-9a-fA-F]{200,};?")  # no character; Python refuses to read such numbers


def plain_text(markup: str, limit: int) -> str:
    """Return the text of HTML: tags, comments and scripts out, entities resolved, at most `limit` characters.

    Blocks end lines; each other run of white space, no-break spaces among them, is one space; no line is
    empty. Only the first 20 · `limit` + 10,000 characters of markup are looked at.
    """
    head = markup[: 20 * limit + 10_000]
    text = _text_of(head) if "<" in head else head
    return clean_text(html.unescape(_ENDLESS.sub("\ufffd", text)) if "&" in text else text, limit)


def plain_line(markup: str, limit: int) -> str:
    """Return the text of HTML as one line; see plain_text."""
    return plain_text(markup, limit).replace("\n", " ")


def clean_text(text: str, limit: int) -> str:
    """Return text without characters that do harm, its white space made plain, at most `limit` characters.

    Cleaning twice is cleaning once.
    """
    head = text[: 20 * limit + 10_000].replace("\u00a0", " ")
    if head.isprintable() and "  " not in head:  # most names and titles: nothing to clean
        return head.strip(" ")[:limit].rstrip(" ")
    kept = _harmless(head)
    return kept if len(kept) <= limit else kept[:limit].rstrip()


def looks_like_markup(text: str) -> bool:
    """Tell whether a text that claims to be plain holds tags or entities after all."""
    return ("&" in text or "<" in text) and _MARKUP.search(text) is not None


def _harmless(text: str) -> str:
    """Return the text spaced, without characters that do harm: none is printable, nor is any white space."""
    if text.replace("\n", "").isprintable():  # its only white space is spaces and line ends
        kept = "\n".join(filter(None, [line.strip(" ") for line in text.split("\n")]))
        return _spaced(kept) if "  " in kept else kept
    kept = _spaced(text)
    return kept if kept.replace("\n", "").isprintable() else _spaced(_HARMFUL.sub("", text))


def _spaced(text: str) -> str:
    """Return the text with one space between words, and one line end between lines that hold any."""
    return "\n".join(filter(None, [" ".join(line.split()) for line in text.splitlines()]))


def _text_of(markup: str) -> str:
    """Return the text between tags, with line ends where blocks begin and end."""
    tame = _tame_text(markup)
    return "".join(_wild_texts(markup)) if tame is None else tame


def _tame_text(markup: str) -> str | None:
    """Return the same in one sweep; None where there is more to it than tags that stand where they should."""
    pieces = _TAME_TAG.split(markup)
    pieces[1::2] = map(_IN_PLACE_OF.__getitem__, pieces[1::2])
    text = "".join(pieces)
    return None if "<" in text else text


def _wild_texts(markup: str) -> list[str]:
    """Return the same of any markup, piece by piece, as a browser would."""
    pieces: list[str] = []
    position = 0
    quotes_close = True  # False after the first tag whose quotes never do: from then on any ">" ends a tag
    while opening := _TAG_OPEN.search(markup, position):
        pieces.append(markup[position : opening.start()])
        if opening[1]:
            position = _after(markup, "-->", opening.start() + 2)
            continue
        rest = _TAG_REST.match(markup, opening.end()) if quotes_close else None
        quotes_close = rest is not None
        position = rest.end() if rest else _after(markup, ">", opening.end())
        name = (opening[3] or "").lower()
        if name in _BLOCKS:
            pieces.append("\n")
        elif name in _WITHOUT_TEXT and not opening[2] and markup[position - 2 : position] != "/>":
            position = _after_element(markup, name, position)
    pieces.append(markup[position:])
    return pieces


def _after(markup: str, end: str, start: int) -> int:
    """Return the index after the next `end`, or the end of the text, as browsers do."""
    found = markup.find(end, start)
    return len(markup) if found < 0 else found + len(end)


def _after_element(markup: str, name: str, start: int) -> int:
    """Return the index of the element's closing tag; where there is none, the text ends inside it."""
    closing = re.compile(rf"</{name}(?=[\s/>]|$)", re.IGNORECASE).search(markup, start)
    return closing.start() if closing else len(markup)
