"""Conversations in groups, forums and channels: who may change what, and where answers go."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.model import ChatKind, ChatState
from tests.botapi import Kicked, Migrated, Place, Refused
from tests.chat.talk import ADA, ADMIN, CHANNEL, FORUM, GROUP, Talk

ONLY_ADMINS = "Only administrators change settings here."


async def test_an_administrator_sets_a_group_up(talk: Talk) -> None:
    await talk.says(ADMIN, "/start rare-earths", GROUP)

    chat = await talk.chat_at(GROUP.id)
    assert chat is not None
    assert (chat.kind, chat.title, chat.language) == (ChatKind.SUPERGROUP, "Readers", "de")
    assert await talk.followed(GROUP.id) == {"rare-earths"}


@pytest.mark.parametrize(
    "command", ["/start", "/follow tariffs", "/unfollow rare-earths", "/mute 8h", "/stop"]
)
async def test_nobody_else_changes_a_groups_settings(talk: Talk, command: str) -> None:
    await talk.says(ADMIN, "/start rare-earths", GROUP)

    answer = await talk.says(ADA, command, GROUP)

    assert answer == "Hier ändern nur Administratoren die Einstellungen."
    assert await talk.followed(GROUP.id) == {"rare-earths"}


@pytest.mark.parametrize("command", ["/help", "/topics", "/latest", "/why", "/latest@topicwire_bot"])
async def test_everybody_in_a_group_may_read(talk: Talk, command: str) -> None:
    answer = await talk.says(ADA, command, GROUP)

    assert answer
    assert answer != ONLY_ADMINS


async def test_an_administrator_who_hides_behind_the_group_is_one(talk: Talk) -> None:
    await talk.says(ADA, "/start rare-earths", GROUP, behind=GROUP)

    assert await talk.followed(GROUP.id) == {"rare-earths"}


async def test_somebody_who_hides_behind_a_channel_is_no_administrator(talk: Talk) -> None:
    assert await talk.says(ADMIN, "/start rare-earths", GROUP, behind=CHANNEL) == ONLY_ADMINS
    assert await talk.followed(GROUP.id) == set()


async def test_rights_that_cannot_be_checked_are_refused(talk: Talk) -> None:
    talk.api.fail(GROUP.id, Refused(400, "Bad Request: member list is inaccessible"), method="getChatMember")

    assert await talk.says(ADMIN, "/start", GROUP) == "Hier ändern nur Administratoren die Einstellungen."
    assert await talk.chat_at(GROUP.id) is None


@pytest.mark.parametrize("text", ["hello", "/nonsense", "/start@another_bot", "either/or"])
async def test_the_bot_keeps_out_of_what_people_say_to_each_other(talk: Talk, text: str) -> None:
    assert await talk.says(ADMIN, text, GROUP) == ""


async def test_only_administrators_press_what_changes_a_group(talk: Talk) -> None:
    await talk.says(ADMIN, "/start rare-earths", GROUP)
    await talk.publish("Mine reopens")
    message = talk.last(GROUP.id)

    refused = "Hier ändern nur Administratoren die Einstellungen."
    assert await talk.presses(ADA, message, "Stumm") == refused
    assert await talk.presses(ADA, message, "Unpassend") == refused
    assert await talk.presses(ADA, message, "Warum") == ""
    assert "Wertung 88 von 100" in talk.last(GROUP.id).text
    assert "stumm" in await talk.presses(ADMIN, message, "Stumm")


async def test_rights_are_asked_again_at_each_press(talk: Talk) -> None:
    await talk.says(ADMIN, "/topics", GROUP)
    menu = talk.last(GROUP.id)
    talk.api.places[GROUP.id] = replace(GROUP, admins=frozenset())

    assert "Administratoren" in await talk.presses(ADMIN, menu, "Kirill Dmitriev")
    assert await talk.followed(GROUP.id) == set()


async def test_everybody_may_turn_the_pages_of_the_menu(talk: Talk) -> None:
    await talk.says(ADA, "/topics", GROUP)

    assert await talk.presses(ADA, talk.last(GROUP.id), "1:pg:0") == ""


async def test_a_thread_of_a_forum_has_topics_of_its_own(talk: Talk) -> None:
    await talk.says(ADMIN, "/start rare-earths", FORUM, thread=5)
    await talk.publish("Mine reopens")

    assert await talk.followed(FORUM.id, 5) == {"rare-earths"}
    assert await talk.followed(FORUM.id) == set()
    assert {message.thread_id for message in talk.api.in_chat(FORUM.id)} == {5}

    await talk.presses(ADMIN, talk.last(FORUM.id), "Warum")
    assert talk.last(FORUM.id).thread_id == 5


async def test_in_a_thread_a_command_is_no_reply_to_what_opened_the_thread(talk: Talk) -> None:
    await talk.says(ADMIN, "/start", FORUM, thread=5)

    answer = await talk.says(ADMIN, "/mute", FORUM, thread=5, reply_to=5)

    assert "Nichts ist stumm." in answer


async def test_a_channel_is_set_up_by_a_post(talk: Talk) -> None:
    answer = await talk.posts(CHANNEL, "/start rare-earths")

    assert "Following: Rare earths" in answer
    chat = await talk.chat_at(CHANNEL.id)
    assert chat is not None
    assert chat.kind is ChatKind.CHANNEL
    assert await talk.posts(CHANNEL, "News of the day") == ""


async def test_readers_of_a_channel_press_only_why(talk: Talk) -> None:
    await talk.posts(CHANNEL, "/start rare-earths")
    await talk.publish("Mine reopens")
    message = talk.last(CHANNEL.id)

    assert await talk.presses(ADA, message, "Mute story") == ONLY_ADMINS
    assert "muted" in await talk.presses(ADMIN, message, "Mute story")


async def test_a_group_that_the_bot_joins_is_told_how_to_begin(talk: Talk) -> None:
    talk.api.membership(GROUP, ADMIN, "left", "member")
    await talk.hear()

    assert "/start" in talk.last(GROUP.id).text
    assert await talk.chat_at(GROUP.id) is None


async def test_a_channel_that_the_bot_joins_hears_nothing_unasked(talk: Talk) -> None:
    talk.api.membership(CHANNEL, ADMIN, "left", "administrator")
    await talk.hear()

    assert talk.api.sent == []


async def test_being_thrown_out_suspends_and_coming_back_resumes(talk: Talk) -> None:
    await talk.says(ADMIN, "/start rare-earths", GROUP)

    states = []
    for old, new in (("member", "kicked"), ("kicked", "member")):
        talk.api.membership(GROUP, ADMIN, old, new)
        await talk.hear()
        chat = await talk.chat_at(GROUP.id)
        assert chat is not None
        states.append(chat.state)

    assert states == [ChatState.SUSPENDED, ChatState.ACTIVE]


async def test_a_group_keeps_its_language_when_somebody_else_restarts_it(talk: Talk) -> None:
    await talk.says(ADMIN, "/start", GROUP)
    english = replace(ADMIN, language="en")

    assert "Meldungen sind an." in await talk.says(english, "/start", GROUP)


async def test_a_group_that_becomes_a_supergroup_keeps_its_topics(talk: Talk) -> None:
    group = Place(id=-5, kind="group", title="Small", admins=frozenset({ADMIN.id}))
    await talk.says(ADMIN, "/start rare-earths", group)

    talk.api.migrate(-5, -1005)
    await talk.hear()

    assert await talk.followed(-1005) == {"rare-earths"}
    assert await talk.chat_at(-5) is None


async def test_an_answer_follows_a_group_that_moved_in_between(talk: Talk) -> None:
    group = Place(id=-5, kind="group", title="Small", admins=frozenset({ADMIN.id}))
    await talk.says(ADMIN, "/start rare-earths", group)
    talk.api.fail(-5, Migrated(to=-1005), method="sendMessage")

    await talk.says(ADMIN, "/help", group)

    assert "/topics" in talk.last(-1005).text
    assert await talk.followed(-1005) == {"rare-earths"}


async def test_a_group_that_threw_the_bot_out_in_between_is_suspended(talk: Talk) -> None:
    await talk.says(ADMIN, "/start rare-earths", GROUP)
    talk.api.fail(GROUP.id, Kicked(), method="sendMessage")

    await talk.says(ADMIN, "/help", GROUP)

    chat = await talk.chat_at(GROUP.id)
    assert chat is not None
    assert chat.state is ChatState.SUSPENDED
