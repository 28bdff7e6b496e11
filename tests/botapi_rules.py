"""What Telegram accepts: HTML, lengths, keyboards; for the Bot API server of the tests.

Sources: <https://core.telegram.org/bots/api#html-style>, `#sendmessage`, `#inlinekeyboardbutton`, and the
wording of the official server, <https://github.com/tdlib/telegram-bot-api>. In three places this is stricter,
where Telegram would quietly drop what is wrong: links without a web address, quotes in quotes, and entities
after the hundredth.
"""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

MAX_UNITS = 4096
MAX_ENTITIES = 100

_KINDS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "code": "code",
    "pre": "pre",
    "a": "text_link",
    "blockquote": "blockquote",
}
_TOKEN = re.compile(
    r"<(/?)([^\s>]*)([^>]*)(>?)|&(#[0-9]+|#x[0-9a-fA-F]+|lt|gt|amp|quot);|[^<&]+|.", re.DOTALL
)
_ATTRIBUTE = re.compile(r"""\s+([a-z-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")
_CALLED = re.compile(r"(?<!\w)(?:@\w{4,32}|[#$]\w*[^\W\d]\w*|(?<!/)/[A-Za-z]\w{0,31})|https?://\S+")


class BadRequest(Exception):
    """Telegram would answer 400 with this description."""


@dataclass(frozen=True)
class Entity:
    """A marked stretch of a text; offset and length in UTF-16 units."""

    type: str
    offset: int
    length: int
    url: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the entity as the Bot API writes it."""
        return {key: value for key, value in vars(self).items() if value is not None}


def units(text: str) -> int:
    """Return the length in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def parsed_text(raw: str, parse_mode: str | None) -> tuple[str, list[Entity]]:
    """Return a message's text and entities.

    Raises:
        BadRequest: Telegram would refuse it.
    """
    if parse_mode not in {None, "", "HTML"}:
        raise BadRequest("unsupported parse_mode")
    text, entities = parsed_html(raw) if parse_mode == "HTML" else (raw, [])
    if not text.strip():
        raise BadRequest("message text is empty")
    if units(text.strip()) > MAX_UNITS:
        raise BadRequest("message is too long")
    called = [Entity("called", units(text[: m.start()]), units(m[0])) for m in _CALLED.finditer(text)]
    if len(entities) + len(called) > MAX_ENTITIES:
        raise BadRequest("too many entities")
    return text.strip(), entities


def parsed_html(raw: str) -> tuple[str, list[Entity]]:
    """Return text and entities of Telegram's HTML.

    Raises:
        BadRequest: With the wording of the official server.
    """
    text = ""
    opened: list[tuple[str, int, str | None]] = []
    entities: list[Entity] = []
    for token in _TOKEN.finditer(raw):
        at = len(raw[: token.start()].encode())
        if token[5]:
            text += html.unescape(token[0])
        elif not token[0].startswith("<"):
            text += token[0]
        elif not token[4]:
            raise _unparsable(f"Unclosed start tag at byte offset {at}")
        elif token[1]:
            entities.append(_closed(opened, token[2].lower(), text, at))
        else:
            opened.append(_opened(token[2].lower(), token[3], text, at, opened))
    if opened:
        raise _unparsable(f'Can\'t find end tag corresponding to start tag "{opened[-1][0]}"')
    return text, sorted((e for e in entities if e.length), key=lambda e: (e.offset, -e.length))


def _opened(
    tag: str, attributes: str, text: str, at: int, opened: list[tuple[str, int, str | None]]
) -> tuple[str, int, str | None]:
    if tag not in _KINDS:
        raise _unparsable(f'Unsupported start tag "{tag}" at byte offset {at}')
    given = {m[1]: html.unescape(m[2] or m[3] or m[4] or "") for m in _ATTRIBUTE.finditer(attributes)}
    if _ATTRIBUTE.sub("", attributes).strip():
        raise _unparsable(f'Unexpected attributes in tag "{tag}" at byte offset {at}')
    if tag == "blockquote" and any(name == "blockquote" for name, _, _ in opened):
        raise _unparsable(f"Blockquote in a blockquote at byte offset {at}")
    if tag != "a":
        return tag, units(text), None
    url = given.get("href", "")
    if not _is_web_address(url):
        raise _unparsable(f"Link to {url!r} at byte offset {at}")
    return tag, units(text), url


def _closed(opened: list[tuple[str, int, str | None]], tag: str, text: str, at: int) -> Entity:
    if not opened:
        raise _unparsable(f"Unexpected end tag at byte offset {at}")
    name, offset, url = opened.pop()
    if tag != name:
        raise _unparsable(f'Unmatched end tag at byte offset {at}, expected "</{name}>", found "</{tag}>"')
    return Entity(_KINDS[name], offset, units(text) - offset, url)


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme.lower() in {"http", "https", "tg"} and bool(parts.hostname) and " " not in url


def _unparsable(reason: str) -> BadRequest:
    return BadRequest(f"can't parse entities: {reason}")


def checked_keyboard(raw: str | None) -> dict[str, Any] | None:
    """Return the reply markup; None when there is none.

    Raises:
        BadRequest: Telegram would refuse it.
    """
    if not raw:
        return None
    markup: dict[str, Any] = json.loads(raw)
    rows = markup.get("inline_keyboard")
    if rows is None:
        raise BadRequest("object expected as reply markup")
    if sum(len(row) for row in rows) > 100:
        raise BadRequest("REPLY_MARKUP_TOO_LONG")
    for button in (button for row in rows for button in row):
        _check_button(button)
    return markup if any(rows) else None


def _check_button(button: dict[str, Any]) -> None:
    if not str(button.get("text", "")).strip():
        raise BadRequest('can\'t parse inline keyboard button: Field "text" must be of type String')
    kinds = [key for key in ("url", "callback_data", "web_app", "switch_inline_query") if key in button]
    if len(kinds) != 1:
        raise BadRequest(
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
        )
    if "callback_data" in button and not 1 <= len(button["callback_data"].encode()) <= 64:
        raise BadRequest("BUTTON_DATA_INVALID")
    if "url" in button and not _is_button_url(button["url"]):
        raise BadRequest(f"inline keyboard button URL '{button['url']}' is invalid: Wrong HTTP URL")


def _is_button_url(url: str) -> bool:
    return _is_web_address(url) and "." in (urlsplit(url).hostname or "").strip(".")


def command_entities(text: str) -> list[dict[str, Any]]:
    """Return the commands in what a person writes, as Telegram marks them."""
    found = re.finditer(r"(?<![\w/])/[A-Za-z0-9_]{1,32}(?:@\w+)?", text)
    return [Entity("bot_command", units(text[: m.start()]), units(m[0])).as_json() for m in found]
