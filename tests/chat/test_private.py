"""Conversations with one person."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.model import Address, ChatKind, ChatState, TopicId
from tests.botapi import Blocked, Person, Sent
from tests.chat.talk import ADA, BERND, OPERATOR, START, Talk, a_topic


async def test_start_turns_alerts_on_and_shows_the_topics(talk: Talk) -> None:
    answer = await talk.says(ADA, "/start")

    assert "Alerts are on." in answer
    assert list(talk.last(ADA.id).buttons) == ["Kirill Dmitriev", "Rare earths", "Secondary tariffs"]
    chat = await talk.chat_at(ADA.id)
    assert chat is not None
    assert (chat.kind, chat.state, chat.language) == (ChatKind.PRIVATE, ChatState.ACTIVE, "en")


async def test_start_speaks_the_persons_language(talk: Talk) -> None:
    answer = await talk.says(BERND, "/start")

    assert "Sie folgen 0 von 3 Themen" in answer
    assert "Sekundärzölle" in talk.last(BERND.id).buttons
    assert "Nichts ist stumm" in await talk.says(BERND, "/mute")


async def test_a_language_without_a_catalogue_is_answered_in_english(talk: Talk) -> None:
    assert "Alerts are on." in await talk.says(Person(5, "Chiara", "it-CH"), "/start")
    assert "Alerts are on." in await talk.says(Person(6, "Nobody", None), "/start")


async def test_a_deep_link_follows_its_topic(talk: Talk) -> None:
    answer = await talk.says(ADA, "/start rare-earths")

    assert "Following: Rare earths" in answer
    assert await talk.followed(ADA.id) == {"rare-earths"}


async def test_a_deep_link_to_an_unknown_topic_still_starts(talk: Talk) -> None:
    answer = await talk.says(ADA, "/start rare-earth")

    assert "I know no topic “rare-earth”. Did you mean Rare earths (rare-earths)" in answer
    assert await talk.chat_at(ADA.id) is not None


async def test_a_tap_follows_a_topic_and_another_leaves_it(talk: Talk) -> None:
    await talk.says(ADA, "/topics")
    menu = talk.last(ADA.id)

    assert await talk.presses(ADA, menu, "Rare earths") == "Following: Rare earths"
    assert await talk.followed(ADA.id) == {"rare-earths"}
    menu = talk.last(ADA.id)
    assert "You follow 1 of 3 topics." in menu.text
    assert "✓ Rare earths" in menu.buttons

    assert await talk.presses(ADA, menu, "✓ Rare earths") == "No longer following: Rare earths"
    assert await talk.followed(ADA.id) == set()
    assert "Rare earths" in talk.last(ADA.id).buttons


async def test_many_topics_come_in_pages_of_eight(talk: Talk) -> None:
    talk.topics.clear()
    talk.topics.update({TopicId(f"t{n:02}"): a_topic(f"t{n:02}", f"Topic {n:02}") for n in range(20)})
    await talk.says(ADA, "/topics")
    menu = talk.last(ADA.id)
    assert list(menu.buttons) == [*(f"Topic {n:02}" for n in range(8)), "‹", "1/3", "›"]

    await talk.presses(ADA, menu, "›")
    await talk.presses(ADA, talk.last(ADA.id), "›")
    menu = talk.last(ADA.id)
    assert list(menu.buttons) == [*(f"Topic {n}" for n in range(16, 20)), "‹", "3/3", "›"]

    await talk.presses(ADA, menu, "Topic 17")
    assert "✓ Topic 17" in talk.last(ADA.id).buttons
    assert await talk.followed(ADA.id) == {"t17"}


async def test_a_page_that_is_gone_shows_the_last_one(talk: Talk) -> None:
    await talk.says(ADA, "/topics")

    assert await talk.presses(ADA, talk.last(ADA.id), "1:pg:7") == ""
    assert talk.last(ADA.id).edits == 0


@pytest.mark.parametrize(
    "words", ["rare-earths", "Rare earths", "SELTENE ERDEN", "rare_earths", "#rare_earths"]
)
async def test_follow_knows_a_topic_by_its_id_its_titles_and_its_tag(talk: Talk, words: str) -> None:
    assert await talk.says(ADA, f"/follow {words}") == "Following: Rare earths"
    assert await talk.followed(ADA.id) == {"rare-earths"}


@pytest.mark.parametrize(
    "words", ["rare-earths tariffs", "Rare earths, tariffs", "tariffs rare-earths tariffs"]
)
async def test_follow_takes_several_topics(talk: Talk, words: str) -> None:
    await talk.says(ADA, f"/follow {words}")

    assert await talk.followed(ADA.id) == {"rare-earths", "tariffs"}


async def test_follow_without_a_topic_shows_all(talk: Talk) -> None:
    assert "You follow 0 of 3 topics." in await talk.says(ADA, "/follow")


async def test_an_unknown_topic_is_answered_by_what_it_might_mean(talk: Talk) -> None:
    answer = await talk.says(ADA, "/follow tarifs dmitriev")

    assert "“tarifs”. Did you mean Secondary tariffs (tariffs)" in answer
    assert "“dmitriev”. Did you mean Kirill Dmitriev (kirill-dmitriev)" in answer
    assert await talk.followed(ADA.id) == set()


async def test_unfollow_leaves_topics_even_those_that_are_no_longer_offered(talk: Talk) -> None:
    await talk.says(ADA, "/follow rare-earths, tariffs")
    del talk.topics[TopicId("tariffs")]

    assert await talk.says(ADA, "/unfollow tariffs") == "No longer following: tariffs"
    assert await talk.followed(ADA.id) == {"rare-earths"}
    assert "I know no topic “x”" in await talk.says(ADA, "/unfollow x")


@pytest.mark.parametrize("topic", ["trial", "old"])
async def test_experimental_and_deprecated_topics_are_not_offered(talk: Talk, topic: str) -> None:
    assert "I know no topic" in await talk.says(ADA, f"/follow {topic}")
    assert "I know no topic" in await talk.says(ADA, f"/latest {topic}")
    await talk.says(ADA, "/topics")
    assert talk.topics[TopicId(topic)].title("en") not in talk.last(ADA.id).buttons


async def test_operators_see_experimental_topics_but_no_deprecated_ones(talk: Talk) -> None:
    operator = Person(OPERATOR, "Op", "en")

    await talk.says(operator, "/topics")

    assert "Trial balloon" in talk.last(OPERATOR).buttons
    assert "Old hat" not in talk.last(OPERATOR).buttons


async def test_stop_silences_and_keeps_topics_until_start(talk: Talk) -> None:
    await talk.says(ADA, "/start rare-earths")

    assert "Alerts are off." in await talk.says(ADA, "/stop")
    await talk.publish("Mine reopens")
    assert "Mine reopens" not in talk.last(ADA.id).text

    await talk.says(ADA, "/start")
    await talk.publish("Mine closes again")
    assert await talk.followed(ADA.id) == {"rare-earths"}
    assert "Mine closes again" in talk.last(ADA.id).text


async def test_latest_shows_the_newest_stories_of_what_is_followed(talk: Talk) -> None:
    assert "You follow no topics yet." in await talk.says(ADA, "/latest")
    await talk.says(ADA, "/follow rare-earths")
    assert await talk.says(ADA, "/latest") == "No stories yet."
    for number in range(7):
        talk.clock.time += timedelta(minutes=10)
        await talk.publish(f"Story {number}")
    await talk.publish("Other news here", "tariffs")

    answer = await talk.says(ADA, "/latest")

    assert [line for line in answer.splitlines() if line.startswith("Story")] == [
        f"Story {number}" for number in (6, 5, 4, 3, 2)
    ]
    assert "Daily · just now" in answer
    assert "Other news here" in await talk.says(ADA, "/latest tariffs")


async def alert(talk: Talk, title: str = "Mine reopens") -> Sent:
    await talk.says(ADA, "/start rare-earths")
    await talk.publish(title)
    return talk.last(ADA.id)


async def test_the_alerts_buttons_tell_why_and_mute_the_story(talk: Talk) -> None:
    message = await alert(talk)
    assert list(message.buttons) == ["Read the article", "Mute story", "Why", "Not relevant"]

    assert await talk.presses(ADA, message, "Why") == ""
    assert "Rare earths: score 88 of 100" in talk.last(ADA.id).text

    assert "muted" in await talk.presses(ADA, message, "Mute story")
    assert list(talk.api.in_chat(ADA.id)[1].buttons) == ["Read the article", "Why", "Not relevant"]

    assert "Noted: not relevant." in await talk.presses(ADA, message, "Not relevant")
    assert list(talk.api.in_chat(ADA.id)[1].buttons) == ["Read the article", "Why"]


async def test_pressing_twice_does_no_harm(talk: Talk) -> None:
    message = await alert(talk)

    assert "muted" in await talk.presses(ADA, message, "Mute story")
    assert "muted" in await talk.presses(ADA, message, "Mute story")


async def test_a_press_does_not_turn_alerts_on_again(talk: Talk) -> None:
    message = await alert(talk)
    await talk.says(ADA, "/stop")

    await talk.presses(ADA, message, "Mute story")

    chat = await talk.chat_at(ADA.id)
    assert chat is not None
    assert chat.state is ChatState.STOPPED


@pytest.mark.parametrize("data", ["1:ms:999", "2:ms:1", "nonsense", "1:tt:0:0123456789abcdef", "😀"])
async def test_an_old_or_foreign_button_gets_a_clear_word(talk: Talk, data: str) -> None:
    message = await alert(talk)

    assert await talk.presses(ADA, message, data) in {
        "This button is out of date.",
        "This story is no longer stored.",
        "This topic no longer exists.",
    }


async def test_a_reply_tells_why_and_mutes_the_story(talk: Talk) -> None:
    message = await alert(talk)

    assert "score 88 of 100" in await talk.says(ADA, "/why", reply_to=message.message_id)
    assert "This story is muted here" in await talk.says(ADA, "/mute", reply_to=message.message_id)


async def test_a_reply_to_anything_else_is_no_alert(talk: Talk) -> None:
    await talk.says(ADA, "/start")

    assert "not an alert" in await talk.says(ADA, "/why", reply_to=1)
    assert "not an alert" in await talk.says(ADA, "/mute", reply_to=1)
    assert "Reply to an alert" in await talk.says(ADA, "/why")


@pytest.mark.parametrize(
    ("words", "topic", "length"),
    [
        ("8h", None, timedelta(hours=8)),
        ("30min", None, timedelta(minutes=30)),
        ("rare-earths 2d", "rare-earths", timedelta(days=2)),
        ("Rare earths 1w", "rare-earths", timedelta(weeks=1)),
        ("rare-earths", "rare-earths", timedelta(hours=8)),
    ],
)
async def test_mute_holds_alerts_for_a_time(
    talk: Talk, words: str, topic: str | None, length: timedelta
) -> None:
    await talk.says(ADA, "/start rare-earths")

    answer = await talk.says(ADA, f"/mute {words}")

    chat = await talk.chat_at(ADA.id)
    assert chat is not None
    expected = {TopicId(topic) if topic else None: START + length}
    assert await talk.store.muted(chat.id, talk.clock.now()) == expected
    assert "muted until Nov" in answer
    assert "muted until Nov" in await talk.says(ADA, "/mute")


async def test_mute_off_ends_every_mute(talk: Talk) -> None:
    await talk.says(ADA, "/mute 8h")
    await talk.says(ADA, "/mute rare-earths 2d")

    assert "The mute has ended" in await talk.says(ADA, "/mute off")
    assert "Nothing is muted." in await talk.says(ADA, "/mute")


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("99999d", "The longest mute is 365 days."),
        ("0h", "I know no topic “0h”."),
        ("-5h", "I know no topic “-5h”."),
        ("nonsense 8h", "I know no topic “nonsense”."),
    ],
)
async def test_a_mute_that_makes_no_sense_is_refused(talk: Talk, words: str, answer: str) -> None:
    assert answer in await talk.says(ADA, f"/mute {words}")
    assert "Nothing is muted." in await talk.says(ADA, "/mute")


async def test_help_fits_a_phone_screen(talk: Talk) -> None:
    answer = await talk.says(ADA, "/help")

    assert "/topics – choose topics from a list" in answer
    assert len(answer) < 900


async def test_what_is_no_command_is_answered_by_where_to_find_help(talk: Talk) -> None:
    texts = [
        "hello",
        "/nonsense",
        "/",
        "/<b>",
        "x" * 4096,
        "/" + "a" * 4000,
        "مرحبا",
        "😀",
        "/start@another_bot",
    ]

    answers = {await talk.says(ADA, text) for text in texts}

    assert answers == {"I only understand commands; /help shows them."}


STRANGE = (
    "<b>bold</b> &amp;",
    "y" * 10_000,
    "\u202ertl مرحبا",
    "😀 " * 500,
    "a,b," * 900,
    "\x00 \u200b",
    ",",
    "{x} %s",
)


@pytest.mark.parametrize(
    "command", ["follow", "unfollow", "latest", "mute", "start", "why", "topics", "stop"]
)
async def test_strange_words_get_an_answer_that_telegram_takes(talk: Talk, command: str) -> None:
    await talk.says(ADA, "/start rare-earths")

    answers = [await talk.says(ADA, f"/{command} {words}") for words in STRANGE]

    assert all(answers)
    assert talk.api.rejected == []


async def test_an_edited_command_does_nothing(talk: Talk) -> None:
    assert await talk.says(ADA, "/start", edited=True) == ""
    assert await talk.chat_at(ADA.id) is None


async def test_a_person_who_blocks_in_between_is_suspended_and_harms_nobody(talk: Talk) -> None:
    await talk.says(ADA, "/start rare-earths")
    talk.api.fail(ADA.id, Blocked())

    assert await talk.says(ADA, "/help") == ""

    chat = await talk.chat_at(ADA.id)
    assert chat is not None
    assert chat.state is ChatState.SUSPENDED
    assert "/topics" in await talk.says(BERND, "/help")


async def test_blocking_suspends_and_coming_back_resumes(talk: Talk) -> None:
    await talk.says(ADA, "/start rare-earths")

    talk.api.membership(ADA.id, ADA, "member", "kicked")
    await talk.hear()
    chat = await talk.chat_at(ADA.id)
    assert chat is not None
    assert chat.state is ChatState.SUSPENDED

    talk.api.membership(ADA.id, ADA, "kicked", "member")
    await talk.hear()
    chat = await talk.chat_at(ADA.id)
    assert chat is not None
    assert chat.state is ChatState.ACTIVE


async def test_who_said_stop_stays_stopped_after_blocking_and_coming_back(talk: Talk) -> None:
    await talk.says(ADA, "/start")
    await talk.says(ADA, "/stop")

    talk.api.membership(ADA.id, ADA, "member", "kicked")
    talk.api.membership(ADA.id, ADA, "kicked", "member")
    await talk.hear()

    chat = await talk.store.chat(Address(telegram_id=ADA.id))
    assert chat is not None
    assert chat.state is ChatState.STOPPED
