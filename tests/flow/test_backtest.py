"""Older items after a change of the rules: `backtest` shows them, `--apply` tells them, once."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.model import Address, ChatKind, TopicId
from tests.flow.household import ADA, RULES, Household, an_entry, some_rules

WIND = RULES.replace("gas pipeline]", "gas pipeline, wind farm]")
HEAT = f"""{RULES}  - id: heat
    title: Heat
    match: {{en: [heat pump]}}
"""


@pytest.fixture(autouse=True)
def installation(home: Household, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The config of the house that runs, as a command reads it, and the house's clock."""
    (tmp_path / "config.toml").write_text(
        'data_dir = "."\nrules_dir = "rules"\n[delivery]\nhold = "0s"\nedit_every = "0s"\n'
    )
    (tmp_path / "feeds.opml").write_text("<opml version='2.0'><body/></opml>")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bot.cli_archive.SystemClock", lambda: home.clock)


async def change_rules(home: Household, text: str) -> None:
    setup = replace(home.house.setup, rules=some_rules(Path("rules"), text))
    await home.house.reload(setup)


async def backtest(*words: str) -> dict[str, Any]:
    arguments = ["rules", "backtest", "--json", *words]
    result = await asyncio.to_thread(CliRunner().invoke, app, arguments)
    assert result.exit_code == 0, (result.stderr, result.exception)
    found: dict[str, Any] = json.loads(result.stdout)
    return found


async def apply(*words: str) -> dict[str, Any]:
    applied: dict[str, Any] = (await backtest("--apply", "--yes", *words))["applied"]
    return applied


async def test_a_new_term_tells_an_older_item_once_and_only_when_applied(home: Household) -> None:
    await home.hear(an_entry("Rosenholm orders a wind farm"), an_entry("Gas price rises in Hasle"))
    await change_rules(home, WIND)
    await home.pass_by()
    assert [message.text for message in home.sent if "wind farm" in message.text] == []

    found = await backtest()
    applied = await apply()
    again = await apply()
    await home.pass_by()

    new = {topic["topic"]: topic["new"] for topic in found["topics"]}
    assert new == {"gas": 1, "oil": 0}
    assert applied == {"items": 1, "stories": 1, "alerts": 1, "chats": 1, "edits": 0, "as_digest": False}
    assert again["items"] == again["alerts"] == 0
    assert ["wind farm" in message.text for message in home.sent] == [False, True]
    await home.pass_by()
    assert len(home.sent) == 2


async def test_a_story_that_was_told_is_not_told_again_for_an_older_report(home: Household) -> None:
    await home.hear(an_entry("Gas pipeline to Rosenholm leaks near Hasle"))
    await home.hear(an_entry("Leak near Hasle in the line to Rosenholm"), outlet="post")
    assert len(home.sent) == 1
    await change_rules(home, RULES.replace("gas pipeline]", "gas pipeline, leak]"))

    applied = await apply()
    await home.pass_by()

    assert (applied["items"], applied["stories"], applied["alerts"]) == (1, 0, 0)
    assert len(home.sent) == 1


NAMES = [
    "Aberg",
    "Bjelke",
    "Carlow",
    "Drammen",
    "Esbjerg",
    "Falster",
    "Gotland",
    "Hvidovre",
    "Ilulissat",
    "Jelling",
    "Kolding",
    "Lolland",
    "Middelfart",
    "Nyborg",
    "Odense",
    "Præstø",
    "Quedlin",
    "Ribe",
    "Struer",
    "Tønder",
    "Uppsala",
    "Varberg",
    "Wismar",
    "Ystad",
    "Zingst",
    "Kemijärvi",
]


async def test_many_older_stories_leave_as_a_digest_each_once(home: Household) -> None:
    for names in (NAMES[:13], NAMES[13:]):
        await home.hear(*(an_entry(f"Wind farm {name} {name}hamn {name}sund") for name in names))
    await home.hear(an_entry("The wind farm Aberg Aberghamn Abergsund"), outlet="post")
    await change_rules(home, WIND)

    applied = await apply()
    await home.pass_by()

    assert (applied["items"], applied["as_digest"]) == (len(NAMES) + 1, True)
    assert 20 < applied["alerts"] == applied["stories"] <= len(NAMES)
    (digest,) = home.sent
    assert digest.text.count("Wind farm") == applied["alerts"]


async def test_items_of_a_topic_that_nobody_follows_wait_for_somebody(home: Household) -> None:
    await home.hear(an_entry("Rosenholm subsidises the heat pump"))
    await change_rules(home, HEAT)
    store, now = home.house.store, home.clock.now()
    chat = await store.register_chat(
        Address(telegram_id=ADA), kind=ChatKind.PRIVATE, title="Ada", language="en", now=now
    )
    await store.unfollow(chat.id, [TopicId("heat")])

    unheard = await apply()
    await store.follow(chat.id, [TopicId("heat")], now)
    heard = await apply()

    assert (unheard["items"], heard["items"], heard["alerts"]) == (0, 1, 1)


async def test_only_the_topic_that_is_asked_for_is_told(home: Household) -> None:
    await home.hear(an_entry("Wind farm gets a heat pump"))
    await change_rules(home, HEAT.replace("gas pipeline]", "gas pipeline, wind farm]"))

    heat = await apply("--topic", "heat")
    both = await backtest()

    assert heat["alerts"] == 1
    assert {topic["topic"]: topic["new"] for topic in both["topics"]} == {"gas": 1, "heat": 0, "oil": 0}


async def test_what_was_published_before_the_time_asked_for_is_left_alone(home: Household) -> None:
    await home.hear(an_entry("Rosenholm orders a wind farm", date="Sat, 21 Feb 2026 12:00:00 GMT"))
    await change_rules(home, WIND)

    assert (await apply("--since", "3d"))["items"] == 0
    assert (await apply("--since", "10d"))["items"] == 1


async def test_an_older_item_that_is_edited_later_is_told_no_second_time(home: Household) -> None:
    await home.hear(an_entry("Rosenholm orders a wind farm"))
    await change_rules(home, WIND)
    await apply()
    await home.pass_by(after=timedelta(minutes=1))

    await home.hear(an_entry("Rosenholm orders a wind farm", summary="A wind farm of ten turbines"))

    assert len(home.sent) == 1
