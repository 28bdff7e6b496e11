"""What the notifier makes of each answer of Telegram, over real HTTP."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

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
from bot.model import Address, Button, Message, SendReason
from bot.notify.telegram import TelegramAccess, TelegramNotifier, make_bot
from tests.botapi import (
    BadGateway,
    Blocked,
    BotApi,
    ChatNotFound,
    Dropped,
    Kicked,
    Migrated,
    Place,
    RateLimited,
    Refused,
    Silent,
    Unparsable,
)
from tests.botapi_world import Failure

ADA = Address(telegram_id=7)
HELLO = Message(html="<b>Hello</b> &amp; welcome", plain="Hello & welcome")
IMPATIENT = timedelta(milliseconds=200)


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with BotApi() as server:
        yield server


@pytest.fixture
async def notifier(api: BotApi) -> AsyncIterator[TelegramNotifier]:
    opened = TelegramNotifier(make_bot(TelegramAccess(token=api.token, base_url=api.base_url)))
    yield opened
    await opened.close()


async def test_a_message_arrives_with_its_marks_and_its_buttons(
    api: BotApi, notifier: TelegramNotifier
) -> None:
    buttons = ((Button(text="Read", url="https://a.example/x"),), (Button(text="Why", data="1:wy:1"),))

    message_id = await notifier.send(ADA, Message(html=HELLO.html, plain=HELLO.plain, buttons=buttons))

    [sent] = api.sent
    assert (sent.message_id, sent.text, sent.silent) == (message_id, "Hello & welcome", False)
    assert [entity.type for entity in sent.entities] == ["bold"]
    assert sent.buttons == {"Read": "https://a.example/x", "Why": "1:wy:1"}


async def test_a_silent_message_makes_no_sound(api: BotApi, notifier: TelegramNotifier) -> None:
    await notifier.send(ADA, Message(html="x", plain="x", silent=True))

    assert api.sent[0].silent


async def test_a_message_without_markup_is_sent_as_it_is(api: BotApi, notifier: TelegramNotifier) -> None:
    await notifier.send(ADA, Message(html="", plain="5 < 6 & <b>"))

    assert api.sent[0].text == "5 < 6 & <b>"


async def test_an_edit_replaces_text_and_buttons(api: BotApi, notifier: TelegramNotifier) -> None:
    message_id = await notifier.send(ADA, HELLO)

    await notifier.edit(ADA, message_id, Message(html="<i>New</i>", plain="New"))

    assert [(sent.text, sent.edits) for sent in api.sent] == [("New", 1)]


async def test_an_edit_that_changes_nothing_is_no_error(api: BotApi, notifier: TelegramNotifier) -> None:
    message_id = await notifier.send(ADA, HELLO)

    await notifier.edit(ADA, message_id, HELLO)

    assert [sent.edits for sent in api.sent] == [0]


async def test_the_edit_of_a_deleted_message_is_a_lost_message(
    api: BotApi, notifier: TelegramNotifier
) -> None:
    message_id = await notifier.send(ADA, HELLO)
    api.forget(api.sent[0])

    with pytest.raises(MessageLost):
        await notifier.edit(ADA, message_id, HELLO)


FORUM = Place(id=-100, kind="supergroup", is_forum=True, threads=frozenset({5, 9}), closed=frozenset({9}))


async def test_a_message_for_a_thread_goes_there(api: BotApi, notifier: TelegramNotifier) -> None:
    api.places[FORUM.id] = FORUM

    await notifier.send(Address(telegram_id=FORUM.id, thread_id=5), HELLO)

    assert api.sent[0].thread_id == 5


async def test_the_general_thread_is_never_named(api: BotApi, notifier: TelegramNotifier) -> None:
    api.places[FORUM.id] = FORUM

    await notifier.send(Address(telegram_id=FORUM.id, thread_id=1), HELLO)

    assert api.sent[0].thread_id is None


@pytest.mark.parametrize("thread", [9, 77], ids=["closed", "deleted"])
async def test_a_closed_or_missing_thread_is_a_lost_thread(
    api: BotApi, notifier: TelegramNotifier, thread: int
) -> None:
    api.places[FORUM.id] = FORUM

    with pytest.raises(ThreadLost):
        await notifier.send(Address(telegram_id=FORUM.id, thread_id=thread), HELLO)


OUTCOMES: list[tuple[str, Failure, type[NotifyError]]] = [
    ("blocked", Blocked(), ChatLost),
    ("kicked", Kicked(), ChatLost),
    ("chat not found", ChatNotFound(), ChatLost),
    ("deactivated", Refused(403, "Forbidden: user is deactivated"), ChatLost),
    ("unparsable", Unparsable(), MarkupRefused),
    ("no rights", Refused(400, "Bad Request: not enough rights to send text messages"), ChatLost),
    ("too long", Refused(400, "Bad Request: message is too long"), NotifyRefused),
    ("old edit", Refused(400, "Bad Request: message can't be edited"), MessageLost),
    ("wrong token", Refused(401, "Unauthorized"), TokenRefused),
    ("malformed token", Refused(404, "Not Found"), TokenRefused),
    ("429 without a time", Refused(429, "Too Many Requests: slow down"), NotifyLater),
    ("500", Refused(500, "Internal Server Error: restart"), NotifyUncertain),
    ("502, not accepted", BadGateway(), NotifyUncertain),
    ("502, accepted", BadGateway(accepted=True), NotifyUncertain),
    ("dropped, not accepted", Dropped(), NotifyUncertain),
    ("dropped, accepted", Dropped(accepted=True), NotifyUncertain),
]


@pytest.mark.parametrize(
    ("failure", "expected"), [row[1:] for row in OUTCOMES], ids=[row[0] for row in OUTCOMES]
)
async def test_each_failure_has_its_meaning(
    api: BotApi,
    notifier: TelegramNotifier,
    failure: Failure,
    expected: type[NotifyError],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    api.fail(ADA.telegram_id, failure)

    with pytest.raises(NotifyError) as caught:
        await notifier.send(ADA, HELLO)

    assert type(caught.value) is expected
    if expected is NotifyUncertain:
        outage = isinstance(failure, BadGateway | Refused)
        assert caught.value.reason is (SendReason.SERVER_ERROR if outage else SendReason.NO_ANSWER)
    else:
        assert caught.value.reason is expected.reason
    assert api.token not in "".join(traceback.format_exception(caught.value)) + caplog.text


async def test_a_failure_of_one_chat_leaves_the_others_alone(api: BotApi, notifier: TelegramNotifier) -> None:
    api.fail(ADA.telegram_id, Blocked(), times=None)

    await notifier.send(Address(telegram_id=8), HELLO)

    assert [sent.chat_id for sent in api.sent] == [8]


async def test_too_many_requests_tell_how_long_to_wait(api: BotApi, notifier: TelegramNotifier) -> None:
    api.fail(ADA.telegram_id, RateLimited(retry_after=17))

    with pytest.raises(NotifyLater) as caught:
        await notifier.send(ADA, HELLO)

    assert caught.value.retry_after == timedelta(seconds=17)


async def test_a_migrated_group_tells_its_new_id(api: BotApi, notifier: TelegramNotifier) -> None:
    api.fail(-5, Migrated(to=-1005))

    with pytest.raises(ChatMoved) as caught:
        await notifier.send(Address(telegram_id=-5), HELLO)

    assert caught.value.new_id == -1005


async def test_no_answer_in_time_is_uncertain(api: BotApi) -> None:
    access = TelegramAccess(token=api.token, base_url=api.base_url, read_timeout=IMPATIENT)
    notifier = TelegramNotifier(make_bot(access))
    api.fail(ADA.telegram_id, Silent())

    with pytest.raises(NotifyUncertain):
        await notifier.send(ADA, HELLO)

    assert len(api.sent) == 1
    await notifier.close()


async def test_a_refused_connection_was_certainly_not_sent() -> None:
    async with BotApi() as gone:
        access = TelegramAccess(token=gone.token, base_url=gone.base_url)
    notifier = TelegramNotifier(make_bot(access))

    with pytest.raises(NotifyNotSent):
        await notifier.send(ADA, HELLO)

    await notifier.close()


@pytest.mark.parametrize("base_url", ["ftp://127.0.0.1", "http://127.0.0.1:1", "http://bad host"])
async def test_a_wrong_base_url_was_certainly_not_sent(base_url: str) -> None:
    notifier = TelegramNotifier(make_bot(TelegramAccess(token="1:x", base_url=base_url)))

    with pytest.raises(NotifyNotSent):
        await notifier.send(ADA, HELLO)

    await notifier.close()


async def test_waiting_in_vain_for_a_free_connection_was_certainly_not_sent(api: BotApi) -> None:
    access = TelegramAccess(token=api.token, base_url=api.base_url, connect_timeout=IMPATIENT, connections=1)
    notifier = TelegramNotifier(make_bot(access))
    api.fail(ADA.telegram_id, Silent())
    first = asyncio.create_task(notifier.send(ADA, HELLO))
    await api.until(lambda: api.requests)

    with pytest.raises(NotifyNotSent):
        await notifier.send(Address(telegram_id=8), HELLO)

    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await notifier.close()


async def test_check_tells_the_name_of_the_bot(api: BotApi, notifier: TelegramNotifier) -> None:
    assert await notifier.check() == "topicwire_bot"


async def test_a_refused_token_is_named_by_its_cure_and_never_shown(
    api: BotApi, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = "99:a-secret-that-nobody-may-read"
    notifier = TelegramNotifier(make_bot(TelegramAccess(token=token, base_url=api.base_url)))

    with pytest.raises(TokenRefused, match="@BotFather") as caught:
        await notifier.check()

    shown = "".join(traceback.format_exception(caught.value)) + caplog.text
    assert token not in shown
    await notifier.close()
