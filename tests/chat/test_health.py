"""What operators are answered when they ask how the house fares; for all others there is no such command."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bot.chat.answers import operator_command_list
from bot.i18n import texts
from bot.model import Feed, FeedId, Trouble, TroubleKind, TroubleScope
from tests.botapi import Person
from tests.chat.talk import ADA, ADMIN, GROUP, OPERATOR, START, Talk

OLGA = Person(OPERATOR, "Olga", "en")
OLAF = Person(OPERATOR, "Olaf", "de")
PAGE = Path(__file__).parents[2] / "docs" / "telegram.md"
SICK = Trouble(
    scope=TroubleScope.FEED,
    key="daily",
    kind=TroubleKind.REFUSED,
    since=START - timedelta(hours=2),
    detail="HTTP 404 <b>",
)


async def with_trouble(talk: Talk, *troubles: Trouble) -> None:
    feed = Feed(id=FeedId("daily"), url="https://daily.example/feed", outlet="The <Daily>")
    await talk.store.sync_feeds([feed], [talk.clock.now()], talk.clock.now())
    await talk.store.replace_troubles(troubles, [], [], talk.clock.now())


async def test_an_operator_is_told_how_the_house_fares(talk: Talk) -> None:
    await talk.publish("Rare earths are rare")

    answer = await talk.says(OLGA, "/health")

    assert answer == (
        "Feeds: 1 polled, 0 failing, 0 paused, 0 gone\n"
        "Polls: none yet\n"
        "Deliveries: 0 owed, 0 refused for good\n"
        "Rules: none yet\n\n"
        "✅ Nothing is wrong with any feed."
    )


async def test_troubles_are_named_and_what_feeds_say_is_shown_as_it_is(talk: Talk) -> None:
    await with_trouble(talk, SICK)

    answer = await talk.says(OLGA, "/health")

    assert "Trouble with feeds\n• The <Daily> daily: Refused (since Nov 22, 2026, 10:00" in answer


async def test_ten_troubles_are_named_and_the_rest_counted(talk: Talk) -> None:
    hosts = [
        Trouble(scope=TroubleScope.HOST, key=f"h{n:02}.example", kind=TroubleKind.OUTAGE, since=START)
        for n in range(14)
    ]
    await with_trouble(talk, *hosts)

    answer = await talk.says(OLGA, "/health")

    assert answer.count("•") == 10
    assert answer.endswith("and 4 more")
    assert len(answer) < 1200  # a screen or two of a phone


async def test_polling_that_is_behind_is_told(talk: Talk) -> None:
    await with_trouble(talk)
    talk.clock.time += timedelta(minutes=30)

    assert "⚠️ Polling is behind: a feed was due 30 minutes ago" in await talk.says(OLGA, "/health")


async def test_an_operator_is_answered_in_their_language(talk: Talk) -> None:
    assert "Mit keinem Feed gibt es Ärger." in await talk.says(OLAF, "/health")


async def test_for_others_it_is_no_command(talk: Talk) -> None:
    assert await talk.says(ADA, "/health") == "I only understand commands; /help shows them."


@pytest.mark.parametrize("person", [ADA, ADMIN, OLGA], ids=lambda person: person.name)
async def test_in_groups_nobody_is_answered(talk: Talk, person: Person) -> None:
    assert await talk.says(person, "/health", GROUP) == ""


async def test_help_names_it_to_operators_alone(talk: Talk) -> None:
    assert "/health – " in await talk.says(OLGA, "/help")
    assert "/health" not in await talk.says(ADA, "/help")


@pytest.mark.parametrize("command", [name for name, _ in operator_command_list(texts("en"))])
def test_every_command_of_operators_is_described(command: str) -> None:
    assert f"| `/{command}" in PAGE.read_text()
