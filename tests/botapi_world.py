"""The world around the Bot API server of the tests: people, chats, what goes wrong, and the ledger."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.botapi_rules import Entity

ANONYMOUS_ADMIN = 1087968824  # Telegram's @GroupAnonymousBot

Json = dict[str, Any]


# ---- who and where -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Person:
    """Somebody who writes to the bot."""

    id: int
    name: str = "Ada"
    language: str | None = "en"

    def as_json(self) -> Json:
        """Return the person as the Bot API writes it."""
        known = {"language_code": self.language} if self.language else {}
        return {"id": self.id, "is_bot": False, "first_name": self.name, **known}


@dataclass(frozen=True)
class Place:
    """A chat. Only a forum has threads; the general one, 1, must never be named."""

    id: int
    kind: str = "private"
    title: str = ""
    threads: frozenset[int] = frozenset()
    closed: frozenset[int] = frozenset()
    is_forum: bool = False
    admins: frozenset[int] = frozenset()

    def as_json(self) -> Json:
        """Return the chat as the Bot API writes it."""
        name = (
            {"first_name": self.title or "Ada"} if self.kind == "private" else {"title": self.title or "Room"}
        )
        return {"id": self.id, "type": self.kind, **name, **({"is_forum": True} if self.is_forum else {})}


# ---- what goes wrong -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Refused:
    """An answer that is no success; nothing is done."""

    code: int
    description: str
    parameters: Json = field(default_factory=dict)


def RateLimited(retry_after: int = 3) -> Refused:
    """Return the answer to too many messages."""
    return Refused(429, f"Too Many Requests: retry after {retry_after}", {"retry_after": retry_after})


def Blocked() -> Refused:
    """Return the answer where the person blocked the bot."""
    return Refused(403, "Forbidden: bot was blocked by the user")


def Kicked() -> Refused:
    """Return the answer where the bot was thrown out."""
    return Refused(403, "Forbidden: bot was kicked from the supergroup chat")


def ChatNotFound() -> Refused:
    """Return the answer for a chat that the bot never met."""
    return Refused(400, "Bad Request: chat not found")


def Migrated(to: int) -> Refused:
    """Return the answer for a group that became a supergroup."""
    description = "Bad Request: group chat was upgraded to a supergroup chat"
    return Refused(400, description, {"migrate_to_chat_id": to})


def Unparsable() -> Refused:
    """Return the answer to markup that Telegram cannot read."""
    return Refused(400, 'Bad Request: can\'t parse entities: Unsupported start tag "x" at byte offset 0')


@dataclass(frozen=True)
class BadGateway:
    """A 502 of a proxy, in HTML; `accepted` tells whether the request was carried out all the same."""

    accepted: bool = False


@dataclass(frozen=True)
class Dropped:
    """The connection breaks without an answer; `accepted` tells whether the request was carried out."""

    accepted: bool = False


@dataclass(frozen=True)
class Silent:
    """The request is carried out, or not, but no answer comes until the server closes."""

    accepted: bool = True


Failure = Refused | BadGateway | Dropped | Silent


# ---- the ledger ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sent:
    """A message that was accepted, as it stands now: edits replace text and buttons."""

    chat_id: int
    message_id: int
    thread_id: int | None
    raw: str  # as it came, with markup
    text: str  # as people see it
    entities: tuple[Entity, ...]
    markup: Json | None
    silent: bool = False
    reply_to: int | None = None
    edits: int = 0

    @property
    def buttons(self) -> dict[str, str]:
        """Return the buttons' callback data or URLs by their texts."""
        rows = self.markup["inline_keyboard"] if self.markup else []
        return {b["text"]: b.get("callback_data") or b["url"] for row in rows for b in row}


@dataclass(frozen=True)
class Request:
    """A request as it came."""

    method: str
    params: Json


@dataclass(frozen=True)
class Rejected:
    """A request that was refused by the rules or by a scripted failure."""

    request: Request
    code: int
    description: str


@dataclass(frozen=True)
class Answer:
    """What a person saw after pressing a button; an empty text shows nothing."""

    query_id: str
    text: str
    is_alert: bool
