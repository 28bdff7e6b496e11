"""Telegram's side of the chat: updates in, answers out. What to say is decided in commands.py."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from telegram import CallbackQuery, Chat, ChatMember, InlineKeyboardMarkup, Message, Update, User
from telegram.constants import ChatMemberStatus, ChatType
from telegram.error import TelegramError
from telegram.ext import (
    Application,
    ApplicationBuilder,
    CallbackContext,
    CallbackQueryHandler,
    ChatMemberHandler,
    ExtBot,
    MessageHandler,
    filters,
)

from bot import model
from bot.chat.answers import command_list, plain_answer
from bot.chat.asked import Asked, parse_command
from bot.chat.commands import Commands, Pressed, command_needs_admin, press_needs_admin
from bot.chat.polling import Polling
from bot.chat.turns import Turns
from bot.errors import (
    ChatLost,
    ChatMoved,
    MarkupRefused,
    NotifyError,
    NotifyLater,
    StoreError,
    ThreadLost,
)
from bot.i18n import LANGUAGES, SOURCE, texts
from bot.model import Address, ChatKind
from bot.notify.telegram import TelegramNotifier, raise_ours
from bot.ports import Clock

log = structlog.get_logger()

ANSWERS_AT_ONCE = 8  # of the bot's connections, so that alerts always find a free one
LONGEST_WAIT = timedelta(seconds=30)  # when Telegram wants an answer to wait; after that nobody expects it
PRESS_TIMEOUT = timedelta(seconds=5)
FINISH_WITHIN = timedelta(seconds=1)  # for answers, at a stop

_ADMINS = frozenset({ChatMemberStatus.ADMINISTRATOR, ChatMemberStatus.OWNER})
_GONE = frozenset({ChatMemberStatus.LEFT, ChatMemberStatus.BANNED})
_KINDS: Mapping[str, ChatKind] = {
    ChatType.PRIVATE: ChatKind.PRIVATE,
    ChatType.GROUP: ChatKind.GROUP,
    ChatType.SUPERGROUP: ChatKind.SUPERGROUP,
    ChatType.CHANNEL: ChatKind.CHANNEL,
}

AnyApplication = Application[Any, Any, Any, Any, Any, Any]
AnyContext = CallbackContext[Any, Any, Any, Any]


class TelegramChat:
    """Hears Telegram and answers, by long polling, inside the loop of whoever starts it.

    What is heard is carried out in Telegram's order; answers leave in the background, those to one chat in
    their order, so that a chat that Telegram makes wait keeps nobody else waiting.
    """

    def __init__(self, bot: ExtBot[None], commands: Commands, clock: Clock) -> None:
        self._bot = bot
        self._commands = commands
        self._clock = clock
        self._notifier = TelegramNotifier(bot)
        self._turns = Turns()
        self._free = asyncio.Semaphore(ANSWERS_AT_ONCE)
        self.application: AnyApplication = ApplicationBuilder().bot(bot).updater(None).job_queue(None).build()
        wanted = filters.UpdateType.MESSAGE | filters.UpdateType.CHANNEL_POST
        self.application.add_handler(MessageHandler(wanted, self._on_message))
        self.application.add_handler(CallbackQueryHandler(self._on_press))
        self.application.add_handler(ChatMemberHandler(self._on_membership, ChatMemberHandler.MY_CHAT_MEMBER))
        self.application.add_error_handler(self._on_error)
        self._polling = Polling(bot, self.application.process_update, clock)

    # ---- life --------------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin to listen; may be called again after it failed.

        Raises:
            NotifyError: Telegram cannot be reached, or refuses the token; see errors.py. From then on neither
                ends the listening.
        """
        try:
            await self.application.initialize()
            await self._announce_commands()
            await self._bot.delete_webhook()  # with one, nothing could be polled
        except TelegramError as error:
            raise_ours(error)
        self._polling.start()

    async def stop(self) -> None:
        """Listen no more, and answer what was heard, within three seconds, whatever Telegram does.

        The bot's connections stay open for the sender.
        """
        await self._polling.stop()
        await asyncio.gather(self._polling.confirm(), self._turns.stop(FINISH_WITHIN))

    async def answered(self) -> None:
        """Return when all that was heard so far is answered."""
        await self._turns.finished()

    async def _announce_commands(self) -> None:
        """Tell Telegram the commands in each language; without them it works too, only less comfortably."""
        for language in LANGUAGES:
            code = None if language == SOURCE else language
            try:
                await self._bot.set_my_commands(command_list(texts(language)), language_code=code)
            except TelegramError as error:
                log.warning("the command menu was not set", language=language, error=str(error))

    # ---- updates -----------------------------------------------------------------------------

    async def _on_message(self, update: Update, context: AnyContext) -> None:
        message = update.effective_message
        if message is None:
            return
        if message.migrate_to_chat_id is not None:
            await self._commands.moved(message.chat.id, message.migrate_to_chat_id)
        elif message.text is not None:
            await self._on_text(message, message.text)

    async def _on_text(self, message: Message, text: str) -> None:
        asked = asked_by(message, message.from_user)
        parsed = parse_command(text, self._bot.username)
        if parsed is not None:
            asked = replace(asked, command=parsed[0], words=parsed[1])
        if asked.kind is not ChatKind.PRIVATE and not self._commands.knows(asked):
            return  # people talk to each other there
        try:
            if command_needs_admin(asked.command) and not await self._wrote_as_admin(message):
                words = await self._commands.texts(asked)
                answer = plain_answer(words.gettext("Only administrators change settings here."))
            else:
                answer = await self._commands.answer(asked)
        except StoreError as error:
            answer = plain_answer(_store_trouble(asked, error))
        self._say(asked, answer)

    async def _on_press(self, update: Update, context: AnyContext) -> None:
        query = update.callback_query
        if query is None or query.message is None:
            return
        # An old message comes without its text and thread; Telegram calls it inaccessible.
        message = query.message if isinstance(query.message, Message) else None
        asked = asked_by(message or query.message.chat, query.from_user)
        asked = replace(asked, pressed_at=query.message.message_id)
        try:
            pressed = await self._pressed(asked, query)
        except StoreError as error:
            pressed = Pressed(notice=_store_trouble(asked, error))
        self._notice(query, pressed.notice)
        chat = asked.address.telegram_id
        if pressed.edit is not None:
            self._turns.add(chat, partial(self._edit, asked, query.message.message_id, pressed.edit))
        if pressed.drop is not None and message is not None:
            self._turns.add(chat, partial(self._drop_button, message, pressed.drop))
        if pressed.reply is not None:
            self._say(asked, pressed.reply)

    async def _pressed(self, asked: Asked, query: CallbackQuery) -> Pressed:
        data = query.data or ""
        if press_needs_admin(data) and not await self._is_admin(asked, query.from_user.id):
            words = await self._commands.texts(asked)
            return Pressed(notice=words.gettext("Only administrators change settings here."))
        return await self._commands.press(asked, data)

    async def _on_membership(self, update: Update, context: AnyContext) -> None:
        changed = update.my_chat_member
        if changed is None:
            return
        asked = asked_by(changed.chat, changed.from_user)
        if _has_left(changed.new_chat_member):
            await self._commands.gone(asked)
        elif (greeting := await self._commands.returned(asked)) is not None:
            self._say(asked, greeting)

    async def _on_error(self, update: object, context: AnyContext) -> None:
        """Log what went wrong with one update, and go on to the next; a press is answered all the same."""
        number = update.update_id if isinstance(update, Update) else None
        log.error("an update was not answered", update=number, exc_info=context.error)
        if isinstance(update, Update) and update.callback_query is not None:
            self._notice(update.callback_query, "")

    # ---- rights ------------------------------------------------------------------------------

    async def _wrote_as_admin(self, message: Message) -> bool:
        if (
            message.sender_chat is not None
        ):  # an administrator who hides behind the group, or a channel's post
            return message.sender_chat.id == message.chat.id
        user = message.from_user
        asked = asked_by(message, user)
        return user is not None and await self._is_admin(asked, user.id)

    async def _is_admin(self, asked: Asked, user: int) -> bool:
        if asked.kind is ChatKind.PRIVATE:
            return True
        try:
            member = await self._bot.get_chat_member(asked.address.telegram_id, user)
        except TelegramError as error:
            log.warning("rights unknown, so refused", chat=asked.address.telegram_id, error=str(error))
            return False
        return member.status in _ADMINS

    # ---- answers -----------------------------------------------------------------------------

    def _say(self, asked: Asked, message: model.Message) -> None:
        self._turns.add(asked.address.telegram_id, partial(self._answer, asked, message))

    def _notice(self, query: CallbackQuery, notice: str) -> None:
        """Answer a press. Telegram gives it little time, so it does not wait for the chat's turn."""
        self._turns.add(query.id, partial(self._answer_press, query, notice))

    async def _answer(self, asked: Asked, message: model.Message) -> None:
        """Send an answer; if that fails, nobody else suffers."""
        try:
            await self._answer_or_raise(asked, message)
        except ChatLost:
            await self._commands.gone(asked)
        except NotifyError as error:
            log.warning("an answer was not sent", reason=error.reason.value, error=str(error))

    async def _answer_or_raise(self, asked: Asked, message: model.Message) -> None:
        """Send an answer; where Telegram tells another way, try that way, each once."""
        address, tried = asked.address, set[type[NotifyError]]()
        while True:
            try:
                async with self._free:
                    await self._notifier.send(address, message)
            except (NotifyLater, MarkupRefused, ThreadLost, ChatMoved) as error:
                if type(error) in tried:
                    raise
                tried.add(type(error))
                address, message = await self._other_way(error, address, message)
            else:
                return

    async def _other_way(
        self, error: NotifyError, address: Address, message: model.Message
    ) -> tuple[Address, model.Message]:
        """Return where and what to send instead, when the time for it has come."""
        match error:
            case NotifyLater():
                await self._wait(error)
            case MarkupRefused():
                log.error("telegram refused our markup", error=str(error))
                message = replace(message, html="")
            case ThreadLost():
                address = replace(address, thread_id=None)
            case ChatMoved():
                await self._commands.moved(address.telegram_id, error.new_id)
                address = replace(address, telegram_id=error.new_id)
        return address, message

    async def _wait(self, error: NotifyLater) -> None:
        """Return when Telegram will listen again; raise the error when that is too long."""
        if error.retry_after > LONGEST_WAIT:
            raise error
        log.info("an answer waits", wait_s=error.retry_after.total_seconds())
        await self._clock.sleep(error.retry_after)

    async def _edit(self, asked: Asked, message_id: int, message: model.Message) -> None:
        try:
            try:
                await self._edit_or_raise(asked, message_id, message)
            except NotifyLater as error:
                await self._wait(error)
                await self._edit_or_raise(asked, message_id, message)
        except NotifyError as error:
            log.warning("a menu was not updated", reason=error.reason.value, error=str(error))

    async def _edit_or_raise(self, asked: Asked, message_id: int, message: model.Message) -> None:
        async with self._free:
            await self._notifier.edit(asked.address, message_id, message)

    async def _drop_button(self, message: Message, data: str) -> None:
        """Take a button away that has done its work; if it stays, pressing it again does no harm."""
        if message.reply_markup is None:
            return
        rows = [
            [key for key in row if key.callback_data != data] for row in message.reply_markup.inline_keyboard
        ]
        try:
            async with self._free:
                await message.edit_reply_markup(InlineKeyboardMarkup([row for row in rows if row]))
        except TelegramError as error:
            log.info("a button stays", error=str(error))

    async def _answer_press(self, query: CallbackQuery, notice: str) -> None:
        try:
            async with self._free:
                await query.answer(notice or None, read_timeout=PRESS_TIMEOUT.total_seconds())
        except (
            TelegramError
        ) as error:  # pressed too long ago, or the connection is down: nothing waits for this
            log.info("a press was answered too late", error=str(error))


def asked_by(place: Message | Chat, user: User | None) -> Asked:
    """Return who asks and where: from a message with its thread, or from a bare chat."""
    chat = place.chat if isinstance(place, Message) else place
    thread, replied_to = None, None
    if isinstance(place, Message):
        thread = place.message_thread_id if place.is_topic_message else None
        replied_to = place.reply_to_message.message_id if place.reply_to_message else None
        if replied_to == thread:  # in a thread each message replies to the one that opened the thread
            replied_to = None
    return Asked(
        address=Address(telegram_id=chat.id, thread_id=thread),
        kind=_KINDS.get(chat.type, ChatKind.UNKNOWN),
        title=chat.effective_name or "",
        language=((user.language_code if user else None) or "").split("-")[0].lower(),
        replied_to=replied_to,
    )


def _has_left(member: ChatMember) -> bool:
    return member.status in _GONE or getattr(member, "is_member", True) is False  # restricted and outside


def _store_trouble(asked: Asked, error: StoreError) -> str:
    log.error("a chat got no answer from the database", error=str(error))
    return texts(asked.language).gettext("My database does not answer; please try again in a minute.")
