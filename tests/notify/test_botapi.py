"""The strict server of the tests is as strict as Telegram: otherwise the other tests would prove nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from telegram import InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import BadRequest
from telegram.ext import ExtBot

from bot.notify.telegram import TelegramAccess, make_bot
from tests.botapi import BotApi, Person

ADA = Person(7)


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with BotApi() as server:
        yield server


@pytest.fixture
async def bot(api: BotApi) -> AsyncIterator[ExtBot[None]]:
    made = make_bot(TelegramAccess(token=api.token, base_url=api.base_url))
    await made.initialize()
    yield made
    await made.shutdown()


@pytest.mark.parametrize(
    ("html", "complaint"),
    [
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("ü<b><i>x</b></i>", 'Unmatched end tag at byte offset 9, expected "</i>", found "</b>"'),
        ("<script>x</script>", 'Unsupported start tag "script" at byte offset 0'),
        ("a <b", "Unclosed start tag at byte offset 2"),
        ("<blockquote>a<blockquote>b</blockquote></blockquote>", "Blockquote in a blockquote"),
        ('<a href="javascript:x">x</a>', "Link to 'javascript:x'"),
    ],
)
async def test_bad_html_is_refused(bot: ExtBot[None], html: str, complaint: str) -> None:
    with pytest.raises(BadRequest, match="parse entities") as caught:
        await bot.send_message(ADA.id, html, parse_mode="HTML")

    assert complaint.lower() in caught.value.message.lower()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "text is empty"),
        (" \n ", "text is empty"),
        ("<b></b>", "text is empty"),
        ("x" * 4097, "too long"),
        ("😀" * 2049, "too long"),
        ("<i>x</i> " * 101, "too many entities"),
        ("#tag " * 101, "too many entities"),
    ],
    ids=range(7),
)
async def test_texts_that_do_not_fit_are_refused(bot: ExtBot[None], text: str, complaint: str) -> None:
    with pytest.raises(BadRequest) as caught:
        await bot.send_message(ADA.id, text, parse_mode="HTML")

    assert complaint in caught.value.message.lower()


@pytest.mark.parametrize(
    "text", ["x" * 4096, "😀" * 2048, "&amp;" * 4096, "a & b > c &nbsp; &#128512;"], ids=range(4)
)
async def test_texts_that_just_fit_are_taken(api: BotApi, bot: ExtBot[None], text: str) -> None:
    await bot.send_message(ADA.id, text, parse_mode="HTML")

    assert len(api.sent) == 1


@pytest.mark.parametrize(
    ("button", "complaint"),
    [
        ({"callback_data": "x" * 65}, "button_data_invalid"),
        ({"callback_data": "ü" * 33}, "button_data_invalid"),
        ({"url": "http://localhost/x"}, "wrong http url"),
        ({"url": "javascript:alert(1)"}, "wrong http url"),
        ({}, "text buttons are unallowed"),
    ],
    ids=range(5),
)
async def test_bad_buttons_are_refused(bot: ExtBot[None], button: dict[str, Any], complaint: str) -> None:
    markup = InlineKeyboardMarkup([[InlineKeyboardButton("x", **button)]])

    with pytest.raises(BadRequest) as caught:
        await bot.send_message(ADA.id, "x", reply_markup=markup)

    assert complaint in caught.value.message.lower()


async def test_an_edit_that_changes_nothing_is_refused(bot: ExtBot[None]) -> None:
    sent = await bot.send_message(ADA.id, "<b>x</b>", parse_mode="HTML")

    with pytest.raises(BadRequest, match="is not modified"):
        await bot.edit_message_text("<b>x</b>", ADA.id, sent.message_id, parse_mode="HTML")

    await bot.edit_message_text("x", ADA.id, sent.message_id)


async def test_a_press_is_answered_once(api: BotApi, bot: ExtBot[None]) -> None:
    await bot.send_message(ADA.id, "x")
    query = api.press(api.sent[0], ADA, "data")

    await bot.answer_callback_query(query, "done")

    with pytest.raises(BadRequest, match="too old"):
        await bot.answer_callback_query(query, "done")


async def test_a_confirmed_update_is_not_handed_out_again(api: BotApi, bot: ExtBot[None]) -> None:
    for text in ("one", "two"):
        api.say(ADA.id, ADA, text)

    first = await bot.get_updates(limit=1, timeout=0)
    again = await bot.get_updates(timeout=0)
    rest = await bot.get_updates(offset=first[0].update_id + 1, timeout=0)

    assert [update.message.text for update in again if update.message] == ["one", "two"]
    assert [update.message.text for update in rest if update.message] == ["two"]
