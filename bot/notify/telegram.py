"""Messages to Telegram through its Bot API; the library's errors become ours, by what their cause tells.

The traps of python-telegram-bot 22 that this module knows: `BadRequest` and `TimedOut` are `NetworkError`s;
the prefix "Bad Request: " is cut off and the rest capitalised, so texts are compared in small letters;
a status it does not know becomes a plain `NetworkError`; and the token stands in URLs, which httpx logs,
and in the text of the error that says it was refused.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NoReturn

import httpx
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions
from telegram.constants import ParseMode
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from telegram.ext import ExtBot
from telegram.request import HTTPXRequest

from bot.errors import (
    ChatLost,
    ChatMoved,
    MarkupRefused,
    MessageLost,
    NotifyError,
    NotifyLater,
    NotifyNotSent,
    NotifyRefused,
    NotifyUncertain,
    ThreadLost,
    TokenRefused,
)
from bot.model import Address, Button, Message

# The library reads this at each use; without it `RetryAfter` warns and counts in whole seconds.
os.environ["PTB_TIMEDELTA"] = "1"

GENERAL_THREAD = 1  # a forum's first thread; Telegram refuses it as `message_thread_id`
LONG_POLL = timedelta(seconds=30)

_NEVER_SENT: tuple[type[Exception], ...] = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpx.InvalidURL,
)

# What Telegram says, in small letters, and what it means for a delivery. The first that fits counts.
_MEANINGS: tuple[tuple[str, type[NotifyError]], ...] = (
    ("can't parse", MarkupRefused),
    ("message thread not found", ThreadLost),
    ("topic_closed", ThreadLost),
    ("topic_deleted", ThreadLost),
    ("message to edit not found", MessageLost),
    ("message can't be edited", MessageLost),
    ("message_id_invalid", MessageLost),
    ("chat not found", ChatLost),
    ("peer_id_invalid", ChatLost),
    ("group chat was deactivated", ChatLost),
    ("not enough rights", ChatLost),
    ("need administrator rights", ChatLost),
    ("have no rights to send", ChatLost),
    ("chat_write_forbidden", ChatLost),
    ("chat_restricted", ChatLost),
)
_UNCHANGED = "message is not modified"
_TOO_MANY = "too many requests"


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramAccess:
    """How to reach the Bot API."""

    token: str = field(repr=False)
    base_url: str = "https://api.telegram.org"  # or a Bot API server of one's own
    connect_timeout: timedelta = timedelta(seconds=10)  # also the wait for a free connection
    read_timeout: timedelta = timedelta(
        seconds=20
    )  # the library's 5 s would doubt many a message that was sent
    connections: int = 16


class _NoTokens(logging.Filter):
    """Takes bots' tokens out of log lines."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return True: every line stays, without its tokens."""
        line = record.getMessage()
        for token in self.tokens:
            if token in line:
                line = line.replace(token, "***")
                record.msg, record.args = line, None
        return True


_no_tokens = _NoTokens()


def make_bot(access: TelegramAccess) -> ExtBot[None]:
    """Return the library's bot, with timeouts of its own for sending and for long polling.

    It is meant to be shared by the notifier and the chat commands. From now on the libraries log the token
    as `***`, and httpx no longer logs every request.
    """
    _no_tokens.tokens.add(access.token)
    for name in ("httpx", "telegram.Bot", "telegram.ext.ExtBot"):
        logging.getLogger(name).addFilter(_no_tokens)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    return ExtBot(
        token=access.token,
        base_url=f"{access.base_url.rstrip('/')}/bot",
        base_file_url=f"{access.base_url.rstrip('/')}/file/bot",
        request=_request(access, access.connections, access.read_timeout),
        get_updates_request=_request(access, 1, LONG_POLL + access.read_timeout),
    )


def _request(access: TelegramAccess, connections: int, read_timeout: timedelta) -> HTTPXRequest:
    return HTTPXRequest(
        connection_pool_size=connections,
        connect_timeout=access.connect_timeout.total_seconds(),
        read_timeout=read_timeout.total_seconds(),
        write_timeout=access.read_timeout.total_seconds(),
        pool_timeout=access.connect_timeout.total_seconds(),
    )


class TelegramNotifier:
    """Carries one message to one chat; implements `ports.Notifier`."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    async def check(self) -> str:
        """Return the bot's name, without `@`, after asking Telegram whether the token holds.

        Raises:
            TokenRefused: Telegram does not know the token.
            NotifyError: Telegram was not reached; see errors.py.
        """
        try:
            await self._bot.initialize()
        except TelegramError as error:
            raise_ours(error)
        return self._bot.username

    async def close(self) -> None:
        """Close the connections."""
        await self._bot.shutdown()
        await self._bot.request.shutdown()  # opened without `check`, the library would leave them open

    async def send(self, address: Address, message: Message) -> int:
        """Return Telegram's id of the message now sent.

        Raises:
            NotifyError: One of its branches; see errors.py.
        """
        try:
            sent = await self._bot.send_message(
                chat_id=address.telegram_id,
                message_thread_id=None if address.thread_id == GENERAL_THREAD else address.thread_id,
                text=message.html or message.plain,
                parse_mode=ParseMode.HTML if message.html else None,
                disable_notification=message.silent,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
                reply_markup=keyboard(message.buttons),
            )
        except TelegramError as error:
            raise_ours(error)
        return sent.message_id

    async def edit(self, address: Address, message_id: int, message: Message) -> None:
        """Replace the text and buttons of a message that was sent; same text is no error.

        Raises:
            NotifyError: One of its branches; see errors.py.
        """
        try:
            await self._bot.edit_message_text(
                chat_id=address.telegram_id,
                message_id=message_id,
                text=message.html or message.plain,
                parse_mode=ParseMode.HTML if message.html else None,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
                reply_markup=keyboard(message.buttons),
            )
        except BadRequest as error:
            if _UNCHANGED not in error.message.lower():
                raise_ours(error)
        except TelegramError as error:
            raise_ours(error)


def keyboard(rows: tuple[tuple[Button, ...], ...]) -> InlineKeyboardMarkup | None:
    """Return the buttons as Telegram wants them; None: no buttons."""
    if not rows:
        return None
    return InlineKeyboardMarkup(
        [
            [InlineKeyboardButton(button.text, url=button.url, callback_data=button.data) for button in row]
            for row in rows
        ]
    )


def raise_ours(error: TelegramError) -> NoReturn:
    """Raise the error of ours that says what the library's error means for a delivery.

    Raises:
        NotifyError: Always one of its branches; see errors.py.
    """
    if isinstance(error, InvalidToken):
        raise TokenRefused(
            "Telegram does not know this bot token; compare it with the one that @BotFather shows"
        ) from None  # the library's text holds the token
    raise _ours(error) from error


def _ours(error: TelegramError) -> NotifyError:
    match error:
        case RetryAfter():
            return NotifyLater(str(error), retry_after=_wait(error))
        case ChatMigrated():
            return ChatMoved(str(error), new_id=error.new_chat_id)
        case Forbidden():
            return ChatLost(str(error))
        case BadRequest():
            return _meaning(error.message)
        case TimedOut() | NetworkError():
            return _network(error)
        case _:  # "Invalid server response": an answer that is no JSON, so perhaps from a proxy on the way
            return NotifyUncertain(str(error), is_outage=True)


def _wait(error: RetryAfter) -> timedelta:
    wait = error.retry_after
    return wait if isinstance(wait, timedelta) else timedelta(seconds=wait)


def _meaning(message: str) -> NotifyError:
    said = message.lower()
    return next((ours(message) for words, ours in _MEANINGS if words in said), NotifyRefused(message))


def _network(error: NetworkError) -> NotifyError:
    if isinstance(error.__cause__, _NEVER_SENT):
        return NotifyNotSent(str(error))
    if _TOO_MANY in error.message.lower():  # a 429 without `retry_after`
        return NotifyLater(str(error), retry_after=timedelta(seconds=1))
    answered = not isinstance(error.__cause__, httpx.HTTPError)  # with a 5xx, that is
    return NotifyUncertain(str(error), is_outage=answered)
