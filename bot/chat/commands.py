"""Answers commands and presses, by way of the store and the pure parts beside it; not by way of Telegram."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from bot.chat.answers import (
    as_message,
    following_answer,
    help_answer,
    latest_answer,
    left_answer,
    menu_answer,
    muted_answer,
    mutes_answer,
    plain_answer,
    unknown_answer,
    welcome,
)
from bot.chat.asked import LONGEST_MUTE, Asked, parse_length
from bot.chat.topics import MenuPress, named_topics, parse_menu_press, topic_key, visible_topics
from bot.core.health_summary import summary_message
from bot.core.render import Action, Press, Texts, parse_press, press_data, why_message
from bot.core.typeset import Marked, join
from bot.health import SummaryStore
from bot.i18n import texts as texts_of
from bot.model import Chat, ChatId, ChatKind, ChatState, Message, Story, Topic, TopicId
from bot.ports import ChatStore, Clock

USUAL_MUTE = timedelta(hours=8)
LATEST = 5

READING = frozenset({"help", "latest", "why", "topics"})  # what everybody in a group may ask for
FOR_OPERATORS = frozenset({"health"})  # in their private chats; for others these are no commands


class CommandStore(ChatStore, SummaryStore, Protocol):
    """What the commands ask of the store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """What follows from a press: a notice for who pressed, perhaps a message, perhaps a changed old one."""

    notice: str = ""  # at most 200 characters
    reply: Message | None = None
    edit: Message | None = None  # replaces the message that the button is under
    drop: str | None = None  # callback data of a button that has done its work


class Commands:
    """The chat commands and the buttons.

    Args of the constructor:
        topics: The live rule set's topics; asked anew each time.
        operators: Telegram ids of the chats that may follow experimental topics and ask how the house fares;
            asked anew each time.
    """

    def __init__(
        self,
        *,
        store: CommandStore,
        topics: Callable[[], Mapping[TopicId, Topic]],
        operators: Callable[[], frozenset[int]],
        clock: Clock,
    ) -> None:
        self._store = store
        self._topics = topics
        self._operators = operators
        self._clock = clock
        self._commands: dict[str, Callable[[Asked, Texts], Awaitable[Message]]] = {
            "start": self._start,
            "topics": self._menu,
            "follow": self._follow,
            "unfollow": self._unfollow,
            "latest": self._latest,
            "mute": self._mute,
            "why": self._why,
            "help": self._help,
            "stop": self._stop,
            "health": self._health,
        }

    def knows(self, asked: Asked) -> bool:
        """Return whether there is such a command for who asks."""
        if asked.command in FOR_OPERATORS and not self._is_operator(asked):
            return False
        return asked.command in self._commands

    async def answer(self, asked: Asked) -> Message:
        """Return the answer to a command; to words that are none, where to find help."""
        texts = await self.texts(asked)
        if not self.knows(asked):
            return plain_answer(texts.gettext("I only understand commands; /help shows them."))
        return await self._commands[asked.command](asked, texts)

    async def texts(self, asked: Asked) -> Texts:
        """Return the words of the chat's language; of the person's, when we do not know the chat."""
        chat = await self._store.chat(asked.address)
        return texts_of(chat.language if chat is not None else asked.language)

    # ---- commands ----------------------------------------------------------------------------

    async def _start(self, asked: Asked, texts: Texts) -> Message:
        chat = await self._register(asked)
        texts = texts_of(chat.language)
        heading = [welcome(texts)]
        if asked.words:
            heading.append(await self._follow_named(chat, asked, texts))
        return await self._menu_under(join("\n\n", heading), asked, texts)

    async def _menu(self, asked: Asked, texts: Texts) -> Message:
        return await self._menu_under(None, asked, texts)

    async def _follow(self, asked: Asked, texts: Texts) -> Message:
        if not asked.words:
            return await self._menu(asked, texts)
        return as_message(await self._follow_named(await self._active(asked), asked, texts))

    async def _unfollow(self, asked: Asked, texts: Texts) -> Message:
        chat = await self._store.chat(asked.address)
        if chat is None or not asked.words:
            return await self._menu(asked, texts)
        followed = await self._store.followed(chat.id)
        known = [self._topics().get(topic) or Topic(id=topic, titles={}) for topic in sorted(followed)]
        named = named_topics(asked.words, known)
        await self._store.unfollow(chat.id, [topic.id for topic in named.topics])
        parts = [left_answer(named.topics, texts)] if named.topics else []
        if named.unknown:
            parts.append(unknown_answer(named.unknown, known, texts))
        return as_message(join("\n", parts))

    async def _latest(self, asked: Asked, texts: Texts) -> Message:
        visible = self._visible(asked, texts)
        if asked.words:
            named = named_topics(asked.words, visible)
            if not named.topics:
                return as_message(unknown_answer(named.unknown, visible, texts))
            wanted = [topic.id for topic in named.topics]
        else:
            followed = await self._followed(asked)
            wanted = [topic.id for topic in visible if topic.id in followed]
            if not wanted:
                return plain_answer(texts.gettext("You follow no topics yet. /topics shows what there is."))
        return latest_answer(await self._store.latest(wanted, LATEST), texts, self._clock.now())

    async def _mute(self, asked: Asked, texts: Texts) -> Message:
        if asked.replied_to is not None and not asked.words:
            alert = await self._store.alert_of_message(asked.address.telegram_id, asked.replied_to)
            if alert is None:
                return _no_alert(texts)
            await self._store.mute_story(*alert, self._clock.now())
            return plain_answer(_story_muted(texts))
        chat = await self._known(asked)
        if not asked.words:
            return await self._mutes(chat, asked, texts)
        return await self._mute_topics(chat, asked, texts)

    async def _mute_topics(self, chat: Chat, asked: Asked, texts: Texts) -> Message:
        *names, last = asked.words
        length = parse_length(last)
        is_end = last.casefold() in {"off", "aus"}
        if length is None and not is_end:
            names, length = [*names, last], USUAL_MUTE
        if length is not None and length > LONGEST_MUTE:
            return plain_answer(texts.gettext("The longest mute is 365 days."))
        visible = self._visible(asked, texts)
        named = named_topics(names, visible)
        if named.unknown:
            return as_message(unknown_answer(named.unknown, visible, texts))
        if is_end:
            return await self._unmute(chat, named.topics, texts)
        now = self._clock.now()
        until = now + (length or USUAL_MUTE)
        for topic in named.topics or (None,):
            await self._store.mute(chat.id, topic.id if topic else None, until, now)
        return muted_answer(named.topics, until, texts)

    async def _unmute(self, chat: Chat, topics: Sequence[Topic], texts: Texts) -> Message:
        now = self._clock.now()
        ended: list[TopicId | None] = [topic.id for topic in topics]
        ended = ended or list(await self._store.muted(chat.id, now))
        for topic in ended:
            await self._store.mute(chat.id, topic, None, now)
        return plain_answer(texts.gettext("The mute has ended; what was kept is on its way."))

    async def _mutes(self, chat: Chat, asked: Asked, texts: Texts) -> Message:
        visible = {topic.id: topic for topic in self._visible(asked, texts)}
        muted = await self._store.muted(chat.id, self._clock.now())
        shown = {topic: visible.get(topic) or Topic(id=topic, titles={}) for topic in muted if topic}
        return mutes_answer([(shown[topic] if topic else None, muted[topic]) for topic in muted], texts)

    async def _why(self, asked: Asked, texts: Texts) -> Message:
        if asked.replied_to is None:
            return plain_answer(texts.gettext("Reply to an alert with /why, or press its button “Why”."))
        alert = await self._store.alert_of_message(asked.address.telegram_id, asked.replied_to)
        story = await self._store.story(alert[1]) if alert else None
        return why_message(story, self._visible(asked, texts), texts) if story else _no_alert(texts)

    async def _help(self, asked: Asked, texts: Texts) -> Message:
        return help_answer(texts, for_operator=self._is_operator(asked))

    async def _health(self, asked: Asked, texts: Texts) -> Message:
        now = self._clock.now()
        return summary_message(await self._store.summary(now), texts, now)

    async def _stop(self, asked: Asked, texts: Texts) -> Message:
        chat = await self._store.chat(asked.address)
        if chat is not None:
            await self._store.stop_chat(chat.id, self._clock.now())
        return plain_answer(
            texts.gettext("Alerts are off. Your topics are kept; /start turns them on again.")
        )

    # ---- presses -----------------------------------------------------------------------------

    async def press(self, asked: Asked, data: str) -> Pressed:
        """Return what follows from the press of a button; old and foreign buttons get a clear word too."""
        texts = await self.texts(asked)
        if (menu := parse_menu_press(data)) is not None:
            return await self._press_menu(asked, menu, texts)
        press = parse_press(data)
        if press is None:
            return Pressed(notice=texts.gettext("This button is out of date."))
        story = await self._store.story(press.story)
        if story is None:
            return Pressed(notice=texts.gettext("This story is no longer stored."))
        return await self._press_alert(asked, press, story, texts)

    async def _press_alert(self, asked: Asked, press: Press, story: Story, texts: Texts) -> Pressed:
        if press.action is Action.WHY:
            return Pressed(reply=why_message(story, self._visible(asked, texts), texts))
        chat = await self._told(asked)
        if press.action is Action.MUTE_STORY:
            await self._store.mute_story(chat, story.id, self._clock.now())
            return Pressed(notice=_story_muted(texts), drop=press_data(press))
        await self._store.judge(chat, story.id, False, self._clock.now())
        notice = texts.gettext("Noted: not relevant. The operators see this when they tune the topic.")
        return Pressed(notice=notice, drop=press_data(press))

    async def _press_menu(self, asked: Asked, menu: MenuPress, texts: Texts) -> Pressed:
        notice = ""
        if menu.topic_key is not None:
            notice = await self._toggle(asked, menu.topic_key, texts)
        return Pressed(notice=notice, edit=await self._menu_under(None, asked, texts, menu.page))

    async def _toggle(self, asked: Asked, key: str, texts: Texts) -> str:
        topic = next((one for one in self._visible(asked, texts) if topic_key(one.id) == key), None)
        if topic is None:
            return texts.gettext("This topic no longer exists.")
        if topic.id in await self._followed(asked):
            await self._store.unfollow((await self._known(asked)).id, [topic.id])
            return left_answer([topic], texts).plain
        chat = await self._active(asked)
        await self._store.follow(chat.id, [topic.id], self._clock.now())
        return following_answer([topic], texts).plain

    # ---- what happens to the chat itself -------------------------------------------------------

    async def gone(self, asked: Asked) -> None:
        """Suspend the chat, all its threads: it blocked or removed the bot."""
        await self._store.suspend_chats(asked.address.telegram_id, self._clock.now())

    async def returned(self, asked: Asked) -> Message | None:
        """Take the chat up again; returns a greeting for a group that is new to us, else None."""
        await self._store.resume_chats(asked.address.telegram_id, self._clock.now())
        chat = await self._store.chat(asked.address)
        if chat is not None or asked.kind not in {ChatKind.GROUP, ChatKind.SUPERGROUP}:
            return None
        texts = texts_of(asked.language)
        return plain_answer(
            texts.gettext("Hello! An administrator chooses topics for this group with /start.")
        )

    async def moved(self, old: int, new: int) -> None:
        """Follow a group that became a supergroup."""
        await self._store.move_chat(old, new, self._clock.now())

    # ---- parts -------------------------------------------------------------------------------

    async def _register(self, asked: Asked) -> Chat:
        known = await self._store.chat(asked.address)
        language = asked.language or "en"
        if known is not None and asked.kind is not ChatKind.PRIVATE:
            language = known.language  # a group's language is not that of whoever speaks
        return await self._store.register_chat(
            asked.address, kind=asked.kind, title=asked.title, language=language, now=self._clock.now()
        )

    async def _known(self, asked: Asked) -> Chat:
        """Return the chat, registered at need."""
        return await self._store.chat(asked.address) or await self._register(asked)

    async def _told(self, asked: Asked) -> ChatId:
        """Return the chat that the pressed message was meant for."""
        alert = None
        if asked.pressed_at is not None:
            alert = await self._store.alert_of_message(asked.address.telegram_id, asked.pressed_at)
        return alert[0] if alert else (await self._known(asked)).id

    async def _active(self, asked: Asked) -> Chat:
        """Return the chat, registered at need and not silent: who follows a topic wants to hear of it."""
        chat = await self._store.chat(asked.address)
        return chat if chat is not None and chat.state is ChatState.ACTIVE else await self._register(asked)

    async def _followed(self, asked: Asked) -> frozenset[TopicId]:
        chat = await self._store.chat(asked.address)
        return await self._store.followed(chat.id) if chat is not None else frozenset()

    async def _follow_named(self, chat: Chat, asked: Asked, texts: Texts) -> Marked:
        visible = self._visible(asked, texts)
        named = named_topics(asked.words, visible)
        await self._store.follow(chat.id, [topic.id for topic in named.topics], self._clock.now())
        parts = [following_answer(named.topics, texts)] if named.topics else []
        if named.unknown:
            parts.append(unknown_answer(named.unknown, visible, texts))
        return join("\n", parts)

    async def _menu_under(self, heading: Marked | None, asked: Asked, texts: Texts, page: int = 0) -> Message:
        return menu_answer(
            self._visible(asked, texts), await self._followed(asked), page, texts, heading=heading
        )

    def _visible(self, asked: Asked, texts: Texts) -> list[Topic]:
        return visible_topics(self._topics(), self._is_operator(asked), texts)

    def _is_operator(self, asked: Asked) -> bool:
        return asked.address.telegram_id in self._operators()


def command_needs_admin(command: str) -> bool:
    """Return whether only administrators of a group may give this command."""
    return command not in READING


def press_needs_admin(data: str) -> bool:
    """Return whether only administrators of a group may press this button."""
    menu, press = parse_menu_press(data), parse_press(data)
    if menu is not None:
        return menu.topic_key is not None
    return press is not None and press.action is not Action.WHY


def _no_alert(texts: Texts) -> Message:
    return plain_answer(texts.gettext("That message is not an alert about one story that I remember."))


def _story_muted(texts: Texts) -> str:
    return texts.gettext("This story is muted here; you will hear no more of it.")
