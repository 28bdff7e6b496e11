"""The bot of the conversations."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.chat import make_chat_room
from bot.notify.telegram import TelegramAccess, make_bot
from bot.store import open_store
from tests.botapi import BotApi
from tests.chat.talk import OPERATOR, TOPICS, Talk, TestClock


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    clock = TestClock()
    store, _ = await open_store(f"sqlite+aiosqlite:///{tmp_path / 'talk.db'}", clock)
    async with BotApi() as api:
        bot = make_bot(TelegramAccess(token=api.token, base_url=api.base_url))
        topics = dict(TOPICS)
        chat = make_chat_room(
            bot,
            store=store,
            topics=lambda: topics,
            clock=clock,
            operators=lambda: frozenset({OPERATOR}),
        )
        await chat.application.initialize()
        yield Talk(api=api, chat=chat, store=store, clock=clock, topics=topics)
        await bot.shutdown()
    await store.close()
