"""`rules stats` over a real store: what became of the topics, and which terms are dead."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.app import SystemClock
from bot.cli import app
from bot.config import read_config
from bot.core.identity import Sorted, content_hash, item_keys
from bot.core.routing import AlertAction, AlertDecision
from bot.core.stories import StoryDecision, StoryText
from bot.model import (
    Address,
    AlertReason,
    ChatKind,
    Feed,
    FeedId,
    Item,
    ItemReason,
    Level,
    StoryReason,
    TopicId,
)
from bot.rules import RuleSet, read_rules
from bot.store import SqlStore, open_store

GAS, OIL = TopicId("gas"), TopicId("oil")
HERALD = Feed(id=FeedId("herald"), url="https://herald.example/feed")
RULES = """\
version: 1
topics:
  - id: oil
    title: Oil
    match: {en: [oil price]}
  - id: gas
    title: Gas
    match:
      any:
        - {en: [gas price, gas pipeline], de: [Gaspreis]}
        - {ru: [=LNG]}
        - {uk: [=LNG]}
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a config and rules."""
    monkeypatch.setattr("bot.rules.lazy_lexicon", lambda _: lambda word, _: False)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "rules.yaml").write_text(RULES, encoding="utf-8")
    (tmp_path / "config.toml").write_text('rules_dir = "rules"\ndata_dir = "."\n', encoding="utf-8")
    (tmp_path / "feeds.opml").write_text("<opml version='2.0'><body/></opml>", encoding="utf-8")
    monkeypatch.delenv("TOPICWIRE_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def happen(
    *stories: Sequence[str], judged: Sequence[bool | None] = (), age: timedelta = timedelta(1)
) -> None:
    """Let items come as stories, each told to one chat that says what it thinks of them."""
    clock, rules = SystemClock(), read_rules(Path("rules"), is_real=lambda word, _: False)
    store, _ = await open_store(read_config(Path("config.toml")).database_url, clock)
    try:
        await store.sync_feeds([HERALD], [clock.now()], clock.now())
        opinions = [*judged, *[None] * len(stories)]
        for titles, relevant in zip(stories, opinions, strict=False):
            await _happen(store, rules, titles, relevant, clock.now() - age)
    finally:
        await store.close()


async def _happen(
    store: SqlStore, rules: RuleSet, titles: Sequence[str], relevant: bool | None, at: datetime
) -> None:
    chat = await store.register_chat(
        Address(telegram_id=5), kind=ChatKind.PRIVATE, title="Ada", language="en", now=at
    )
    items = [Item(feed_id=HERALD.id, title=title, guid=title, outlet="Herald") for title in titles]
    matches = [rules.match(item) for item in items]
    kept = [
        Sorted(item=item, reason=ItemReason.NEW, keys=item_keys(item), content_hash=content_hash(item))
        for item in items
    ]
    story = None
    async with store.polling() as poll:
        numbers = await poll.add_items(kept, at)
        await poll.set_matches(dict(zip(numbers, matches, strict=True)))
        for number, item in zip(numbers, items, strict=True):
            text = StoryText(title=item.title, summary="", outlet="Herald", url=None, language="en", at=at)
            joins = StoryDecision(story=story, reason=StoryReason.REPORT, similarity=0.5)
            story, _ = await poll.add_report(number, text, joins, at)
        assert story is not None
        decision = AlertDecision(
            action=AlertAction.QUEUE,
            reason=AlertReason.NEW_STORY,
            topics=frozenset(match.topic for some in matches for match in some),
            level=Level.MEDIUM,
            due_at=at,
        )
        await poll.apply(story, {chat.id: decision}, at)
    if relevant is not None:
        await store.judge(chat.id, story, relevant, at)


def run(*words: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["rules", "stats", *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def stats(*words: str) -> list[dict[str, Any]]:
    code, out, err = run("--json", *words)
    assert code == 0, err
    topics: list[dict[str, Any]] = json.loads(out)["topics"]
    return topics


def test_what_became_of_the_topics_is_counted_busiest_first() -> None:
    asyncio.run(
        happen(
            ["Gas price rises", "Gas prices rise"],
            ["Gas pipeline leaks"],
            ["Oil price and gas price"],
            judged=[True, False, True],
        )
    )

    gas, oil = stats()

    assert (gas["topic"], gas["items"], gas["stories"], gas["alerts"]) == ("gas", 4, 3, 3)
    assert (gas["relevant"], gas["not_relevant"], gas["precision"]) == (2, 1, 0.6667)
    assert (oil["topic"], oil["items"], oil["alerts"], oil["precision"]) == ("oil", 1, 1, 1.0)
    assert gas["sent"] == 0
    assert gas["last_match"].startswith((SystemClock().now() - timedelta(1)).date().isoformat()[:7])


def test_each_term_has_its_items_and_those_without_are_dead() -> None:
    asyncio.run(happen(["Gas price rises"], ["Gas prices and a gas pipeline"], ["LNG comes"]))

    gas, oil = stats()

    assert gas["terms"] == {"gas price": 2, "gas pipeline": 1, "=LNG": 1, "Gaspreis": 0}
    assert gas["dead_terms"] == ["Gaspreis"]
    assert oil["dead_terms"] == ["oil price"]


def test_what_was_before_that_time_does_not_count() -> None:
    asyncio.run(happen(["Gas price rises"], judged=[True], age=timedelta(40)))
    asyncio.run(happen(["Gas pipeline leaks"]))

    first, _ = stats()
    longer, _ = stats("--since", "50d")

    assert (first["items"], first["alerts"], first["relevant"]) == (1, 1, 0)
    assert (longer["items"], longer["alerts"], longer["relevant"]) == (2, 2, 1)


def test_a_topic_that_is_gone_from_the_rules_is_still_counted(place: Path) -> None:
    asyncio.run(happen(["Oil price falls"]))
    rules = place / "rules" / "rules.yaml"
    rules.write_text(rules.read_text().replace("id: oil", "id: crude"))

    (oil,) = [one for one in stats() if one["topic"] == "oil"]
    _, out, _ = run()

    assert (oil["in_rules"], oil["items"], oil["terms"]) == (False, 1, {})
    assert "oil (gone)" in out


def test_people_get_a_table_and_the_dead_terms() -> None:
    asyncio.run(happen(["Gas price rises"], judged=[True]))

    code, out, err = run()

    assert (code, err) == (0, "")
    (line,) = [line for line in out.splitlines() if line.startswith("gas ")]
    assert line.split()[:8] == ["gas", "1", "1", "1", "1", "0", "100", "3/4"]
    assert "gas: no match by gas pipeline, Gaspreis, =LNG" in out


def test_one_topic_is_shown_with_all_its_terms() -> None:
    asyncio.run(happen(["Gas price rises"]))

    _, out, _ = run("gas")

    assert ["gas", "price", "1"] in [line.split() for line in out.splitlines()]
    assert ["Gaspreis", "0"] in [line.split() for line in out.splitlines()]
    assert "oil" not in out


def test_what_cannot_be_is_told() -> None:
    nothing = run()
    asyncio.run(happen(["Gas price rises"]))
    unknown = run("moon")
    Path("rules/rules.yaml").write_text("version: 3\n")
    broken = run()

    assert (nothing[0], unknown[0], broken[0]) == (2, 2, 1)
    assert "no database is there" in nothing[2]
    assert "no topic is called 'moon'; known: gas, oil" in unknown[2]
    assert "E001" in broken[2]
