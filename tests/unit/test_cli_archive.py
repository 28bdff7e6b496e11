"""`rules backtest` over a real store, as an operator meets it; telling older items is tests/flow's."""

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
from bot.model import Feed, FeedId, Item, ItemId, ItemReason
from bot.rules import read_rules
from bot.store import open_store

HERALD = Feed(id=FeedId("herald"), url="https://herald.example/feed")
DAY = timedelta(days=1)

OLD = """\
version: 1
topics:
  - id: gas
    title: Gas
    match: {en: [gas price, gas tanker]}
  - id: oil
    title: Oil
    match: {en: [oil price]}
"""
NEW = """\
version: 1
topics:
  - id: gas
    title: Gas
    match: {en: [gas price, gas pipeline]}
"""

pytestmark = pytest.mark.usefixtures("small_word_list")


@pytest.fixture
def small_word_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.rules.lazy_lexicon", lambda _: lambda word, _: False)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a config, its rules, and those that were before."""
    write(tmp_path / "rules", NEW)
    write(tmp_path / "old", OLD)
    config = (
        'rules_dir = "rules"\ndata_dir = "data"\n[[feeds]]\nid = "herald"\nurl = "https://herald.example/"\n'
    )
    (tmp_path / "config.toml").write_text(config, encoding="utf-8")
    (tmp_path / "feeds.opml").write_text("<opml version='2.0'><body/></opml>", encoding="utf-8")
    (tmp_path / "data").mkdir()
    monkeypatch.delenv("TOPICWIRE_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "rules.yaml").write_text(text, encoding="utf-8")


def test_check_warns_of_a_surname_that_the_archive_shows_with_several_given_names(place: Path) -> None:
    keep(
        place,
        "Kirill Dmitriev lands in Miami",
        "Artyom Dmitriev wins the cup",
        "Kirill Dmitriev leaves again",
    )
    write(place / "rules", NEW.replace("{en: [gas price, gas pipeline]}", "{name: Dmitriev}"))

    code, out, _ = run("check", "--strict")

    assert code == 1
    assert "W110" in out
    assert "Artyom" in out


def keep(
    place: Path, *titles: str, age: timedelta = timedelta(hours=1), reason: ItemReason = ItemReason.NEW
) -> Sequence[ItemId]:
    """Put items into the store, matched by the old rules, as a daemon of that time did."""
    return asyncio.run(_keep(place, titles, SystemClock().now() - age, reason))


async def _keep(place: Path, titles: Sequence[str], at: datetime, reason: ItemReason) -> Sequence[ItemId]:
    store, _ = await open_store(read_config(place / "config.toml").database_url, SystemClock())
    try:
        await store.sync_feeds([HERALD], [at], at)
        items = [Item(feed_id=HERALD.id, title=title, guid=title, outlet="Herald") for title in titles]
        kept = [
            Sorted(item=item, reason=reason, keys=item_keys(item), content_hash=content_hash(item))
            for item in items
        ]
        rules = read_rules(place / "old", is_real=lambda word, _: False)
        async with store.polling() as poll:
            numbers = await poll.add_items(kept, at)
            await poll.set_matches(
                {number: rules.match(item) for number, item in zip(numbers, items, strict=True)}
            )
        return numbers
    finally:
        await store.close()


def run(*words: object, stdin: str | bytes = "") -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["rules", *(str(word) for word in words)], input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def backtest(*words: object, stdin: str = "") -> dict[str, Any]:
    code, out, err = run("backtest", "--json", *words, stdin=stdin)
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)
    found["topics"] = {one["topic"]: one for one in found["topics"]}
    return found


def counts(found: dict[str, Any], topic: str) -> tuple[int, int, int, int]:
    one = found["topics"][topic]
    return one["now"], one["before"], one["new"], one["lost"]


def test_what_is_new_and_lost_is_told_against_the_stored_matches(place: Path) -> None:
    _, pipeline, tanker, oil = keep(
        place, "Gas prices rise", "A gas pipeline leaks", "A gas tanker sinks", "Oil prices fall"
    )

    found = backtest()

    assert (found["items"], found["against"]) == (4, "stored")
    assert counts(found, "gas") == (2, 2, 1, 1)
    assert counts(found, "oil") == (0, 1, 0, 1)
    (new,) = found["topics"]["gas"]["new_sample"]
    assert (new["id"], new["title"], new["source"]) == (pipeline, "A gas pipeline leaks", "Herald")
    assert new["terms"][0]["text"] == "gas pipeline"
    (lost,) = found["topics"]["gas"]["lost_sample"]
    assert (lost["id"], lost["why"]) == (tanker, "no term found")
    assert lost["terms"][0]["term"] == "gas tanker"
    (gone,) = found["topics"]["oil"]["lost_sample"]
    assert (gone["id"], gone["why"]) == (oil, "the rules have no such topic")


def test_people_get_a_table_with_titles_and_reasons(place: Path) -> None:
    keep(place, "A gas pipeline leaks", "A gas tanker sinks", "Oil prices fall")

    code, out, err = run("backtest")

    assert (code, err) == (0, "")
    assert [line.split() for line in out.splitlines()[1:3]] == [
        ["gas", "1", "1", "1", "1", "1.0", "1.0"],
        ["oil", "0", "1", "0", "1", "0.0", "1.0"],
    ]
    assert "gas: 1 new\n  +  82.3 A gas pipeline leaks [2" not in out
    assert "  +  82.3 A gas pipeline leaks [1; gas pipeline in title]" in out
    assert "  -  82.3 A gas tanker sinks [2; gas tanker in title]\n      no term found" in out
    assert "3 items of 1.0 days, compared with the stored matches" in out
    assert "\x1b" not in out


def test_a_deprecated_topic_loses_all_and_says_why(place: Path) -> None:
    keep(place, "Gas prices rise")
    write(place / "rules", NEW.replace("    title", "    status: deprecated\n    title"))

    (lost,) = backtest()["topics"]["gas"]["lost_sample"]

    assert lost["why"] == "the topic is deprecated"


def test_only_items_seen_since_then_are_asked(place: Path) -> None:
    keep(place, "A gas pipeline leaks", age=40 * DAY)
    keep(place, "Another gas pipeline", age=2 * DAY)

    assert backtest()["items"] == 1
    assert backtest("--since", "36h")["items"] == 0
    assert counts(backtest("--since", "41d"), "gas") == (2, 0, 2, 0)


def test_one_topic_may_be_asked_alone(place: Path) -> None:
    keep(place, "Gas prices rise", "Oil prices fall")

    assert list(backtest("--topic", "gas")["topics"]) == ["gas"]


def test_a_topic_that_nobody_knows_is_told(place: Path) -> None:
    keep(place, "x")

    code, _, err = run("backtest", "--topic", "moon")

    assert code == 2
    assert "no topic is called 'moon'; known: gas" in err


def test_a_rate_counts_stories_with_news_in_them(place: Path) -> None:
    keep(place, "Gas prices rise in Ruritania", age=4 * DAY)
    keep(place, "Ruritania: gas prices rise", "Gas pipeline leaks off Borduria", age=3 * DAY)
    keep(place, "Syldavia caps gas prices", reason=ItemReason.FIRST_POLL, age=2 * DAY)
    keep(place, "Nothing of note", age=timedelta(0))

    found = backtest()
    gas = found["topics"]["gas"]

    assert found["days"] == 4
    assert (gas["items_a_day"], gas["alerts_a_day"], gas["alerts_a_day_before"]) == (0.75, 0.5, 0.25)


def test_samples_are_of_the_size_asked_for_and_the_same_each_time(place: Path) -> None:
    keep(place, *(f"Gas pipeline number {number}" for number in range(40)))

    first, second = backtest("--sample", 3), backtest("--sample", 3)

    assert first["topics"] == second["topics"]
    assert len(first["topics"]["gas"]["new_sample"]) == 3
    assert first["topics"]["gas"]["new"] == 40
    assert backtest("--sample", 0)["topics"]["gas"]["new_sample"] == []


def test_what_only_a_change_of_the_rules_found_before_counts_as_new(place: Path) -> None:
    (number,) = keep(place, "Gas prices rise")

    async def quieten() -> None:
        store, _ = await open_store(read_config(place / "config.toml").database_url, SystemClock())
        rules = read_rules(place / "rules", is_real=lambda word, _: False)
        async with store.polling() as poll:
            (stored,) = await poll.stored_items([number])
            await poll.set_matches(
                {number: rules.match(stored.item)}, {number: {rules.match(stored.item)[0].topic}}
            )
        await store.close()

    asyncio.run(quieten())

    assert counts(backtest(), "gas") == (1, 0, 1, 0)


def test_other_rules_may_be_the_base(place: Path) -> None:
    keep(place, "Gas prices rise", "A gas pipeline leaks", "A gas tanker sinks")

    found = backtest("--against", "rules", "--rules", "old")

    assert found["against"] == "rules"
    assert counts(found, "gas") == (2, 2, 1, 1)
    assert found["topics"]["gas"]["new_sample"][0]["title"] == "A gas tanker sinks"


# ---- items of a file ---------------------------------------------------------------------------

LINES = [
    {"id": "a", "title": "Gas prices rise", "published": "2026-01-01T00:00:00Z"},
    {"id": "b", "title": "A gas tanker sinks", "published": "2026-01-05T00:00:00Z"},
    {"id": "c", "title": "Weather"},
]
JSONL = "\n".join(map(json.dumps, LINES))


def test_items_of_a_file_all_count_as_new(place: Path) -> None:
    (place / "items.jsonl").write_text(JSONL, encoding="utf-8")

    found = backtest("--items", "items.jsonl")
    _, out, _ = run("backtest", "--items", "items.jsonl")

    assert (found["items"], found["against"], found["days"]) == (3, "nothing", 4)
    assert counts(found, "gas") == (1, 0, 1, 0)
    assert found["topics"]["gas"]["alerts_a_day"] == 0.25
    assert "compared with nothing, so all of it counts as new" in out


def test_items_of_standard_input_are_compared_with_other_rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "new", NEW)
    write(tmp_path / "old", OLD)

    found = backtest("--items", "-", "--rules", "new", "--against", "old", stdin=JSONL)

    assert counts(found, "gas") == (1, 2, 0, 1)
    assert found["topics"]["gas"]["lost_sample"][0]["id"] == "b"


def test_items_without_dates_say_nothing_of_a_day(place: Path) -> None:
    line = json.dumps({"id": 1, "title": "Gas prices rise"})

    found = backtest("--items", "-", stdin=line)
    _, out, _ = run("backtest", "--items", "-", stdin=line)

    assert (found["days"], found["topics"]["gas"]["alerts_a_day"]) == (None, None)
    assert "no item has a date" in out


def test_a_line_that_is_no_item_is_named_and_costs_no_other(place: Path) -> None:
    code, out, err = run("backtest", "--json", "--items", "-", stdin=f"nonsense\n{JSONL}")

    assert code == 2
    assert json.loads(out)["items"] == 3
    assert err.startswith("<stdin>:1: not JSON")


# ---- what goes wrong ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--items", "none.jsonl"], "none.jsonl: cannot be read: No such file"),
        (["--rules", "none"], "none E000"),
        (["--config", "none.toml"], "none.toml"),
        (["--since", "soon"], "not a duration"),
        (["--since", "0s"], 'give a time such as "30d"'),
        ([], "no database is there"),
        (["--apply", "--items", "x"], "--apply tells what the config's rules find in its archive"),
        (["--apply", "--rules", "x"], "leave out --rules, --against"),
        (["--apply"], "nobody is here to answer; add --yes"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_is_told_with_its_cure(place: Path, words: list[str], said: str) -> None:
    code, out, err = run("backtest", *words)

    assert (code, out) == (2, "")
    assert said in " ".join(err.replace("│", " ").split())


def test_rules_with_errors_are_not_tried(place: Path) -> None:
    keep(place, "x")
    write(place / "rules", "version: 3\n")

    code, out, err = run("backtest")

    assert (code, out) == (1, "")
    assert "rules/rules.yaml:1:10 E001" in err


def test_rules_that_are_not_in_force_tell_nobody(place: Path) -> None:
    keep(place, "A gas pipeline leaks")

    code, _, err = run("backtest", "--apply", "--yes")

    assert code == 1
    assert "not in force yet" in err


def test_nothing_is_written(place: Path) -> None:
    keep(place, "A gas pipeline leaks")
    database = place / "data" / "topicwire.db"
    before = database.read_bytes()

    backtest()

    assert database.read_bytes() == before
    assert counts(backtest(), "gas") == (1, 0, 1, 0)


def test_titles_give_the_terminal_no_commands(place: Path) -> None:
    keep(place, "\x1b[31m A gas pipeline\nleaks")

    _, out, _ = run("backtest")

    assert "[31m A gas pipeline leaks" in out
    assert "\x1b" not in out
