"""What people ask: commands, their words and lengths of time, read out of chat messages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from bot.model import Address, ChatKind

LONGEST_MUTE = timedelta(days=365)

_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]{1,64}))?(?:\s+(.*))?", re.DOTALL)
_LENGTH = re.compile(r"([0-9]{1,5})(m|min|h|std|d|t|w)", re.IGNORECASE)
_UNITS = {
    "m": timedelta(minutes=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "std": timedelta(hours=1),
    "d": timedelta(days=1),
    "t": timedelta(days=1),
    "w": timedelta(weeks=1),
}
MOST_WORDS = 50  # of a command; what follows is not looked at
LONGEST_WORDS = 1000  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A command, or the press of a button, with all that the answer may depend on."""

    address: Address
    kind: ChatKind
    title: str  # of the chat
    language: str  # of the person, as Telegram tells it; empty: not told
    command: str = ""  # in small letters, without slash
    words: tuple[str, ...] = ()
    replied_to: int | None = None  # the message that the command replies to
    pressed_at: int | None = None  # the message whose button was pressed


def parse_command(text: str, bot_name: str) -> tuple[str, tuple[str, ...]] | None:
    """Return a command in small letters and its words; None: no command, or one for another bot."""
    found = _COMMAND.fullmatch(text)
    if found is None or (found[2] and found[2].lower() != bot_name.lower()):
        return None
    words = (found[3] or "")[:LONGEST_WORDS].split()
    return found[1].lower(), tuple(words[:MOST_WORDS])


def parse_length(word: str) -> timedelta | None:
    """Return a length of time such as `30m`, `8h`, `2d` or `1w`; None: it is none, or zero."""
    found = _LENGTH.fullmatch(word)
    if found is None:
        return None
    return int(found[1]) * _UNITS[found[2].lower()] or None
