"""Telegram in: commands, menus, callbacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from telegram.ext import ExtBot

from bot.chat.application import TelegramChat
from bot.chat.commands import Commands, CommandStore
from bot.model import Topic, TopicId
from bot.ports import Clock


def make_chat_room(
    bot: ExtBot[None],
    *,
    store: CommandStore,
    topics: Callable[[], Mapping[TopicId, Topic]],
    clock: Clock,
    operators: Callable[[], frozenset[int]],
) -> TelegramChat:
    """Return what hears Telegram: `start` it, and `stop` it before the bot is shut down."""
    commands = Commands(store=store, topics=topics, operators=operators, clock=clock)
    return TelegramChat(bot, commands, clock)
