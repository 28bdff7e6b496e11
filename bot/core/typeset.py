"""Text for Telegram: cleaned of tricks, cut to size, and escaped in this one place.

Telegram counts UTF-16 code units after parsing: <https://core.telegram.org/bots/api#sendmessage>.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from urllib.parse import SplitResult, urlsplit

MAX_UNITS = 4096  # of a message's text
MAX_URL = 2000

# Characters that show nothing but take room: blanks of all widths, control codes, Hangul and Braille fillers.
_BLANKS = re.compile(
    r"[\x00-\x20\x7f-\xa0\u115f\u1160\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u2800\u3000\u3164\uffa0]+"
)
# Characters that show nothing and play tricks: bidi controls (UAX #9), zero-width and soft hyphens, tags,
# annotation marks, noncharacters, and lone surrogates, which UTF-8 cannot even carry.
_UNSEEN = re.compile(
    r"[\xad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    r"\ufdd0-\ufdef\ufffe\uffff\U000e0000-\U000e0fff\ud800-\udfff]+"
)
# Joiners are needed inside Persian words and emoji, and nowhere else.
_STRAY_JOINERS = re.compile(
    r"(?<![^\s\u200c\u200d])[\u200c\u200d]+|[\u200c\u200d]+(?=\s|$)|(?<=[\u200c\u200d])[\u200c\u200d]+"
)
_MARKS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_MARK_FLOOD = re.compile(f"([{_MARKS}]{{3}})[{_MARKS}]+")
# Telegram would turn these into mentions, which call people, into tags beside ours, and into commands.
_CALLS = re.compile(r"(?<!\w)[@#$](?=\w)|(?<![\w/.:<])/(?=[A-Za-z])")
_WORD_JOINER = "\u2060"
_RTL = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")


def units(text: str) -> int:
    """Return the length in UTF-16 code units, as Telegram counts."""
    return len(text) + sum(char > "\uffff" for char in text)


def clean(text: str, limit: int) -> str:
    """Return the text on one line without invisible tricks, at most `limit` UTF-16 units.

    However long the text is, only its beginning is looked at.
    """
    seen = _UNSEEN.sub("", text[: 4 * limit + 100])
    line = _STRAY_JOINERS.sub("", _BLANKS.sub(" ", seen)).strip(" ")
    calm = _CALLS.sub(lambda call: call[0] + _WORD_JOINER, _MARK_FLOOD.sub(r"\1", line))
    return cut(calm, limit)


def cut(text: str, limit: int) -> str:
    """Return the text, or its beginning up to a word's end and an ellipsis; at most `limit` UTF-16 units."""
    if units(text) <= limit:
        return text
    head = _head(text, limit - 1)
    space = head.rfind(" ")
    if space > len(head) * 2 // 3:
        head = head[:space]
    return head.rstrip(" ,;:-–—…\u200c\u200d\u2060") + "…"


def isolated(text: str) -> str:
    """Return the text so that right-to-left letters leave their surroundings in order (UAX #9, FSI)."""
    return f"\u2068{text}\u2069" if _RTL.search(text) else text


def safe_url(url: str | None) -> str | None:
    """Return the URL if it is a plain link to a web page, else None: no other scheme, no credentials."""
    parts = _split(url)
    if url is None or parts is None or parts.scheme.lower() not in {"http", "https"}:
        return None
    if not parts.hostname or "@" in parts.netloc:
        return None
    return url


def button_url(url: str | None) -> str | None:
    """Return the URL if Telegram takes it under a button: the host must have a dot inside."""
    parts = _split(safe_url(url))
    return url if parts is not None and "." in (parts.hostname or "").strip(".") else None


def host(url: str | None) -> str:
    """Return the host of a link without `www.`; empty when there is none."""
    parts = _split(safe_url(url))
    return (parts.hostname or "").removeprefix("www.") if parts is not None else ""


@dataclass(frozen=True, slots=True)
class Marked:
    """A text in two forms, with Telegram's HTML and without; both show the same characters."""

    html: str
    plain: str


def text(plain: str) -> Marked:
    """Return a text without marks, escaped."""
    return Marked(escape(plain, quote=False), plain)


def bold(inner: Marked) -> Marked:
    """Return the text in bold."""
    return Marked(f"<b>{inner.html}</b>", inner.plain)


def italic(inner: Marked) -> Marked:
    """Return the text in italics."""
    return Marked(f"<i>{inner.html}</i>", inner.plain)


def code(inner: Marked) -> Marked:
    """Return the text as code, which a tap copies."""
    return Marked(f"<code>{inner.html}</code>", inner.plain)


def quote(inner: Marked) -> Marked:
    """Return the text as a quote that people may unfold."""
    return Marked(f"<blockquote expandable>{inner.html}</blockquote>", inner.plain)


def link(inner: Marked, url: str | None) -> Marked:
    """Return the text as a link; without a safe URL, as it is."""
    target = safe_url(url)
    return inner if target is None else Marked(f'<a href="{escape(target)}">{inner.html}</a>', inner.plain)


def fill(template: str, **parts: Marked) -> Marked:
    """Return a translated template with its `{names}` filled in."""
    return Marked(
        escape(template, quote=False).format(**{name: part.html for name, part in parts.items()}),
        template.format(**{name: part.plain for name, part in parts.items()}),
    )


def join(separator: str, parts: Iterable[Marked]) -> Marked:
    """Return the parts in a row with an unmarked separator between."""
    row = tuple(parts)
    return Marked(
        escape(separator, quote=False).join(part.html for part in row),
        separator.join(part.plain for part in row),
    )


def _head(text: str, limit: int) -> str:
    room = limit
    for at, char in enumerate(text[:limit]):
        room -= 2 if char > "\uffff" else 1
        if room < 0:
            return text[:at]
    return text[:limit]


def _split(url: str | None) -> SplitResult | None:
    if not url or len(url) > MAX_URL or " " in url or not url.isprintable():
        return None
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # raises when it is no number up to 65535
    except ValueError:
        return None
    return parts
