"""Answers that Telegram does not take at once: they wait, in order, and keep nobody else waiting."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from bot.chat.turns import MOST_WAITING
from bot.errors import StoreBusy
from tests.botapi import Blocked, RateLimited, Unparsable
from tests.chat.talk import ADA, ADMIN, BERND, FORUM, Talk


async def test_an_answer_that_comes_too_fast_is_sent_after_the_wait(talk: Talk) -> None:
    talk.api.fail(ADA.id, RateLimited(retry_after=7))

    assert "/topics" in await talk.says(ADA, "/help")
    assert talk.clock.slept == [timedelta(seconds=7)]


async def test_an_answer_waits_only_once(talk: Talk) -> None:
    talk.api.fail(ADA.id, RateLimited(), times=2)

    assert await talk.says(ADA, "/help") == ""
    assert "/topics" in await talk.says(ADA, "/help")
    assert len(talk.clock.slept) == 1


@pytest.mark.parametrize(("wait_s", "waits"), [(30, 1), (31, 0)])
async def test_an_answer_that_would_come_too_late_is_dropped(talk: Talk, wait_s: int, waits: int) -> None:
    talk.api.fail(ADA.id, RateLimited(retry_after=wait_s))

    await talk.says(ADA, "/help")

    assert (len(talk.api.sent), len(talk.clock.slept)) == (waits, waits)


async def test_an_answer_may_need_patience_and_plain_text(talk: Talk) -> None:
    talk.api.fail(ADA.id, RateLimited())
    talk.api.fail(ADA.id, Unparsable())

    assert "/topics" in await talk.says(ADA, "/help")
    assert talk.last(ADA.id).entities == ()


async def test_a_waiting_answer_keeps_nobody_else_waiting_and_the_order_of_its_chat(talk: Talk) -> None:
    talk.clock.may_wake.clear()
    talk.api.fail(ADA.id, RateLimited(), method="sendMessage")
    await talk.chat.start()
    talk.api.say(ADA.id, ADA, "/start")
    talk.api.say(ADA.id, ADA, "/stop")
    talk.api.say(BERND.id, BERND, "/help")

    await talk.api.until(lambda: talk.api.in_chat(BERND.id))
    assert talk.api.in_chat(ADA.id) == []
    talk.clock.may_wake.set()
    await talk.api.until(lambda: len(talk.api.in_chat(ADA.id)) == 2)
    await talk.chat.stop()

    first, second = talk.api.in_chat(ADA.id)
    assert "Alerts are on." in first.text
    assert "Alerts are off." in second.text


async def test_a_press_is_answered_before_the_chats_turn(talk: Talk) -> None:
    await talk.says(ADA, "/topics")
    menu = talk.last(ADA.id)
    talk.clock.may_wake.clear()
    talk.api.fail(ADA.id, RateLimited(), method="sendMessage")
    await talk.chat.start()
    talk.api.say(ADA.id, ADA, "/help")
    talk.api.press(menu, ADA, menu.buttons["Rare earths"])

    await talk.api.until(lambda: talk.api.answers)
    assert talk.last(ADA.id).edits == 0
    talk.clock.may_wake.set()
    await talk.api.until(lambda: talk.api.in_chat(ADA.id)[0].edits)
    await talk.chat.stop()

    assert "Rare earths" in talk.api.answers[0].text


async def test_a_menu_that_changes_too_fast_is_changed_after_the_wait(talk: Talk) -> None:
    await talk.says(ADA, "/topics")
    talk.api.fail(ADA.id, RateLimited(retry_after=4), method="editMessageText")

    await talk.presses(ADA, talk.last(ADA.id), "Rare earths")

    assert "✓ Rare earths" in talk.last(ADA.id).buttons
    assert talk.clock.slept == [timedelta(seconds=4)]


async def test_a_stop_does_not_wait_for_what_telegram_makes_wait(talk: Talk) -> None:
    talk.clock.may_wake.clear()
    talk.api.fail(ADA.id, RateLimited(retry_after=30))
    await talk.chat.start()
    talk.api.say(ADA.id, ADA, "/start")
    talk.api.say(ADA.id, ADA, "/help")
    await talk.api.until(lambda: talk.api.rejected and len(talk.api.calls("getUpdates")) > 1)

    with capture_logs() as logs:
        async with asyncio.timeout(3):
            await talk.chat.stop()

    assert [(line["event"], line["count"]) for line in logs] == [("answers were cut off", 2)]
    assert await talk.chat_at(ADA.id) is not None
    assert talk.api.take_updates() == []


async def test_who_asks_without_end_is_answered_only_so_often(talk: Talk) -> None:
    talk.clock.may_wake.clear()
    talk.api.fail(ADA.id, RateLimited())
    await talk.chat.start()
    for _ in range(MOST_WAITING + 5):
        talk.api.say(ADA.id, ADA, "/help")
    talk.api.say(BERND.id, BERND, "/help")

    await talk.api.until(lambda: talk.api.in_chat(BERND.id))
    talk.clock.may_wake.set()
    await talk.chat.answered()
    await talk.chat.stop()

    assert len(talk.api.in_chat(ADA.id)) == MOST_WAITING


async def test_where_the_thread_was_closed_in_between_the_answer_comes_beside_it(talk: Talk) -> None:
    await talk.says(ADMIN, "/start", FORUM, thread=5)
    talk.api.places[FORUM.id] = replace(FORUM, closed=frozenset({5}))

    answer = await talk.says(ADMIN, "/help", FORUM, thread=5)

    assert "/topics" in answer
    assert talk.last(FORUM.id).thread_id is None


async def test_an_answer_that_breaks_off_is_logged_and_the_next_one_is_sent(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(*_: object) -> None:
        raise StoreBusy("the database is locked")

    monkeypatch.setattr(talk.store, "suspend_chats", busy)
    talk.api.fail(ADA.id, Blocked())

    with capture_logs() as logs:
        assert await talk.says(ADA, "/help") == ""

    assert [line["event"] for line in logs] == ["an answer broke off"]
    assert "/topics" in await talk.says(ADA, "/help")
