"""Listening by long polling: starting, stopping, and what goes wrong in between."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest

from bot.chat import make_chat_room
from bot.errors import NotifyLater, NotifyNotSent, NotifyUncertain, StoreBusy, TokenRefused
from bot.model import Address, Chat
from bot.notify.telegram import TelegramAccess, make_bot
from tests.botapi import BadGateway, BotApi, Dropped, RateLimited, Refused, Unparsable
from tests.chat.talk import ADA, BERND, Talk


async def test_commands_are_heard_by_polling_and_each_only_once(talk: Talk) -> None:
    await talk.chat.start()
    talk.api.say(ADA.id, ADA, "/start")
    talk.api.say(BERND.id, BERND, "/help")
    await talk.api.until(lambda: len(talk.api.sent) == 2)
    await talk.chat.stop()

    assert len(talk.api.in_chat(ADA.id)) == 1
    assert talk.api.take_updates() == []


async def test_the_command_menu_is_set_in_each_language(talk: Talk) -> None:
    await talk.chat.start()
    await talk.chat.stop()

    assert {language for _, language in talk.api.commands} == {"", "de"}
    assert {"command": "stop", "description": "Meldungen ausschalten"} in talk.api.commands["", "de"]


async def test_listening_goes_on_without_a_command_menu(talk: Talk) -> None:
    talk.api.fail(None, RateLimited(), times=None, method="setMyCommands")

    await talk.chat.start()
    talk.api.say(ADA.id, ADA, "/help")
    await talk.api.until(lambda: talk.api.sent)

    await talk.chat.stop()


async def test_the_sender_may_go_on_after_listening_has_stopped(talk: Talk) -> None:
    await talk.says(ADA, "/start rare-earths")
    await talk.chat.start()
    await talk.chat.stop()

    await talk.publish("Mine reopens")

    assert "Mine reopens" in talk.last(ADA.id).text


async def test_stopping_without_having_started_does_nothing(talk: Talk) -> None:
    await talk.chat.stop()

    assert talk.api.calls("getUpdates") == []


async def test_a_server_that_stumbles_while_polling_is_asked_again(talk: Talk) -> None:
    talk.api.fail_polls(
        BadGateway(), Dropped(), Refused(409, "Conflict: terminated by other getUpdates request")
    )

    await talk.chat.start()
    talk.api.say(ADA.id, ADA, "/help")
    await talk.api.until(lambda: talk.api.sent, timeout_s=15)

    await talk.chat.stop()


def a_room(talk: Talk, **access: Any) -> Any:
    known = TelegramAccess(token=talk.api.token, base_url=talk.api.base_url)
    bot = make_bot(replace(known, **access))
    room = make_chat_room(
        bot,
        store=talk.store,
        topics=lambda: talk.topics,
        clock=talk.clock,
        operators=frozenset,
    )
    return bot, room


async def test_a_refused_token_ends_the_start_without_showing_it(
    talk: Talk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    bot, room = a_room(talk, token="77:some-secret-token")

    with pytest.raises(TokenRefused) as caught:
        await room.start()

    assert "some-secret-token" not in str(caught.value) + caplog.text
    await bot.shutdown()


async def test_an_unreachable_server_ends_the_start_and_it_may_be_tried_again(talk: Talk) -> None:
    async with BotApi() as gone:
        pass
    bot, room = a_room(talk, base_url=gone.base_url)

    for _ in range(2):
        with pytest.raises(NotifyNotSent):
            await room.start()

    await room.stop()
    await bot.shutdown()


async def test_a_start_that_failed_halfway_may_be_tried_again(talk: Talk) -> None:
    bot, room = a_room(talk)
    talk.api.fail(None, RateLimited(), method="getMe")
    with pytest.raises(NotifyLater):
        await room.start()
    talk.api.fail(None, BadGateway(), method="deleteWebhook")
    with pytest.raises(NotifyUncertain):
        await room.start()

    await room.start()
    talk.api.say(ADA.id, ADA, "/help")
    await talk.api.until(lambda: talk.api.sent)

    await room.stop()
    await bot.shutdown()


async def test_a_busy_database_is_said_in_the_persons_language(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await talk.says(ADA, "/topics")
    menu = talk.last(ADA.id)

    async def busy(address: Address) -> Chat | None:
        raise StoreBusy("the database is locked")

    monkeypatch.setattr(talk.store, "chat", busy)

    assert "Meine Datenbank antwortet nicht" in await talk.says(BERND, "/start")
    assert "My database does not answer" in await talk.presses(ADA, menu, "Rare earths")


async def test_a_bug_in_one_update_is_logged_its_press_answered_and_the_next_one_heard(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await talk.says(ADA, "/topics")
    menu = talk.last(ADA.id)

    async def broken(address: Address) -> Chat | None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(talk.store, "chat", broken)
        assert await talk.presses(ADA, menu, "Rare earths") == ""

    assert await talk.says(ADA, "/help")


async def test_refused_markup_is_sent_once_more_without(talk: Talk) -> None:
    talk.api.fail(ADA.id, Unparsable())

    assert "/topics" in await talk.says(ADA, "/help")
    assert talk.last(ADA.id).entities == ()


async def test_a_press_that_telegram_forgot_does_no_harm(talk: Talk) -> None:
    await talk.says(ADA, "/topics")
    talk.api.press(talk.last(ADA.id), ADA, talk.last(ADA.id).buttons["Rare earths"])
    talk.api.open_queries.clear()

    await talk.hear()

    assert await talk.followed(ADA.id) == {"rare-earths"}
