"""Long polling outlives whatever Telegram answers, and ends quickly when it shall."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from structlog.testing import capture_logs
from telegram import Update

from bot.chat.polling import Polling, pause_after
from bot.model import Address, Chat
from tests.botapi import BadGateway, RateLimited, Refused, Silent
from tests.chat.talk import ADA, BERND, Talk

UNAUTHORIZED = Refused(401, "Unauthorized")
NOT_FOUND = Refused(404, "Not Found")
CONFLICT = Refused(409, "Conflict: terminated by other getUpdates request")
WEBHOOK = Refused(409, "Conflict: can't use getUpdates method while webhook is active")


def seconds(*numbers: float) -> list[timedelta]:
    return [timedelta(seconds=number) for number in numbers]


@pytest.mark.parametrize("refused", [UNAUTHORIZED, NOT_FOUND], ids=["401", "404"])
async def test_commands_are_heard_again_after_one_refusal_of_the_token(talk: Talk, refused: Refused) -> None:
    talk.api.fail_polls(refused)

    with capture_logs() as logs:
        await talk.chat.start()
        talk.api.say(ADA.id, ADA, "/help")
        await talk.api.until(lambda: talk.api.sent)
        await talk.chat.stop()

    assert "/topics" in talk.last(ADA.id).text
    assert [(line["log_level"], line["event"].split(";")[0]) for line in logs] == [
        ("error", "telegram refuses the bot's token"),
        ("info", "telegram answers again"),
    ]
    assert talk.api.token not in str(logs)


async def test_each_failure_in_a_row_doubles_the_pause(talk: Talk) -> None:
    talk.api.fail_polls(UNAUTHORIZED, BadGateway(), NOT_FOUND, CONFLICT)

    await talk.chat.start()
    talk.api.say(ADA.id, ADA, "/help")
    await talk.api.until(lambda: talk.api.sent)
    talk.api.fail_polls(UNAUTHORIZED)
    talk.api.say(ADA.id, ADA, "/help")
    await talk.api.until(lambda: len(talk.api.sent) == 2)
    talk.api.say(ADA.id, ADA, "/help")
    await talk.api.until(lambda: len(talk.api.sent) == 3)
    await talk.chat.stop()

    assert talk.clock.slept == seconds(1, 2, 4, 8, 1)


def test_the_pause_ends_at_a_minute() -> None:
    pauses = [pause_after(failures) for failures in (0, 1, 5, 6, 7, 10**6)]

    assert pauses == seconds(1, 2, 32, 60, 60, 60)


async def test_a_longer_pause_that_telegram_wants_is_kept(talk: Talk) -> None:
    talk.api.fail_polls(RateLimited(retry_after=90))

    await talk.chat.start()
    talk.api.say(ADA.id, ADA, "/help")
    await talk.api.until(lambda: talk.api.sent)
    await talk.chat.stop()

    assert talk.clock.slept == seconds(90)


@pytest.mark.parametrize(
    ("refused", "cure"), [(CONFLICT, "stop one of the two"), (WEBHOOK, "remove it from the other program")]
)
async def test_the_log_says_what_to_do_about_a_competitor(talk: Talk, refused: Refused, cure: str) -> None:
    talk.api.fail_polls(refused)

    with capture_logs() as logs:
        await talk.chat.start()
        talk.api.say(ADA.id, ADA, "/help")
        await talk.api.until(lambda: talk.api.sent)
        await talk.chat.stop()

    assert cure in logs[0]["event"]


@pytest.mark.parametrize("refused", [UNAUTHORIZED, NOT_FOUND, CONFLICT], ids=["401", "404", "409"])
async def test_stopping_right_after_a_refusal_is_clean(talk: Talk, refused: Refused) -> None:
    talk.clock.may_wake.clear()
    talk.api.fail(None, refused, times=None, method="getUpdates")
    await talk.chat.start()
    await talk.api.until(lambda: talk.api.calls("getUpdates"))

    async with asyncio.timeout(3):
        await talk.chat.stop()

    assert "poll telegram" not in {task.get_name() for task in asyncio.all_tasks()}


@pytest.mark.parametrize("failure", [UNAUTHORIZED, BadGateway(), Silent(accepted=False)])
async def test_a_stop_does_not_mind_that_telegram_cannot_be_told_what_was_handled(
    talk: Talk, failure: Refused | BadGateway | Silent
) -> None:
    await talk.chat.start()
    talk.api.say(ADA.id, ADA, "/help")
    await talk.api.until(lambda: talk.api.sent and len(talk.api.calls("getUpdates")) > 1)
    talk.api.fail(None, failure, times=None, method="getUpdates")

    async with asyncio.timeout(3):
        await talk.chat.stop()

    assert talk.api.calls("getUpdates")[-1].params["timeout"] == "0"


async def test_a_silent_telegram_does_not_hold_up_a_stop(talk: Talk) -> None:
    talk.api.fail(ADA.id, Silent(accepted=False), times=None)
    talk.api.fail(None, Silent(accepted=False), times=None, method="getUpdates")
    talk.api.say(ADA.id, ADA, "/help")
    updates = talk.api.take_updates()
    await talk.chat.start()
    await talk.chat.application.process_update(Update.de_json(updates[0], talk.chat.application.bot))
    await talk.api.until(lambda: talk.api.calls("sendMessage") and talk.api.calls("getUpdates"))

    async with asyncio.timeout(3):
        await talk.chat.stop()

    assert talk.api.sent == []


async def test_an_update_that_a_stop_cuts_off_is_heard_after_the_next_start(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asyncio.Event()

    async def stuck(address: Address) -> Chat | None:
        asked.set()
        return await asyncio.Future[Chat]()

    with monkeypatch.context() as patch:
        patch.setattr(talk.store, "chat", stuck)
        await talk.chat.start()
        talk.api.say(ADA.id, ADA, "/start")
        await asked.wait()
        async with asyncio.timeout(3):
            await talk.chat.stop()

    await talk.chat.start()
    await talk.api.until(lambda: talk.api.sent)
    await talk.chat.stop()

    assert "Alerts are on." in talk.last(ADA.id).text
    assert talk.api.take_updates() == []


async def test_an_update_that_nobody_understands_does_not_end_the_listening(talk: Talk) -> None:
    talk.clock.may_wake.clear()
    talk.api.garble()
    with capture_logs() as logs:
        await talk.chat.start()
        async with asyncio.timeout(5):
            await talk.clock.asleep.wait()
        talk.api.take_updates()

        talk.api.say(ADA.id, ADA, "/help")
        talk.clock.may_wake.set()
        await talk.api.until(lambda: talk.api.sent)
        await talk.chat.stop()

    assert logs[0]["event"] == "telegram's updates were not understood"


async def test_a_bug_in_handling_one_update_leaves_the_others_heard(talk: Talk) -> None:
    heard = []

    async def handle(update: Update) -> None:
        heard.append(update.update_id)
        if len(heard) == 1:
            raise ZeroDivisionError

    polling = Polling(talk.chat.application.bot, handle, talk.clock)
    talk.api.say(ADA.id, ADA, "/help")
    talk.api.say(BERND.id, BERND, "/help")
    with capture_logs() as logs:
        polling.start()
        await talk.api.until(lambda: len(talk.api.calls("getUpdates")) > 1)
        await polling.stop()

    assert heard == [1, 2]
    assert [line["event"] for line in logs] == ["an update was not handled"]


async def test_starting_twice_listens_once(talk: Talk) -> None:
    await talk.chat.start()
    await talk.chat.start()
    talk.api.say(ADA.id, ADA, "/help")
    await talk.api.until(lambda: talk.api.sent)
    await talk.chat.stop()

    assert talk.clock.slept == []
    assert len(talk.api.sent) == 1
