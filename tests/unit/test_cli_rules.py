"""The operator's commands: exit codes, what they print, and that `match` loses nothing."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.config import read_config
from bot.core.identity import Sorted, content_hash, item_keys
from bot.model import Feed, FeedId, Item, ItemReason
from bot.store import open_store
from tests.clock import FakeClock

RULES = """\
version: 1
topics:
  - id: earths
    title: Rare earths
    match: {de: [Seltene Erden], en: [rare earth]}
    ignore: {en: [rare earth hour]}
    tests:
      match: [Seltene Erden, rare earths]
      no_match: [Erden, a rare earth hour]
"""


@pytest.fixture(autouse=True)
def _small_word_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.rules.lazy_lexicon", lambda _: lambda word, _: word in {"erde", "erden"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "earths.yaml").write_text(RULES, encoding="utf-8")
    return tmp_path


def run(*words: object, stdin: str | bytes = "") -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(word) for word in words], input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def break_test(folder: Path) -> None:
    file = folder / "earths.yaml"
    file.write_text(RULES.replace("[Seltene Erden, ", "[Seltene Vögel, "), encoding="utf-8")


def test_check_is_content_with_clean_rules(folder: Path) -> None:
    code, out, err = run("rules", "check", folder)

    assert (code, out) == (0, "")
    assert "1 file, 1 topic, 4 of 4 tests pass, 0 errors, 0 warnings" in err.replace("\n", " ")


CONFIG = """\
rules_dir = "rules"
[[feeds]]
id = "herald"
url = "https://herald.example/feed"
"""


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A config, and rules of which one names a feed."""
    (tmp_path / "rules").mkdir()
    rules = RULES.replace("    tests:", "    sources: {allow: [herold]}\n    tests:")
    (tmp_path / "rules" / "earths.yaml").write_text(rules, encoding="utf-8")
    (tmp_path / "config.toml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "feeds.opml").write_text("<opml version='2.0'><body/></opml>", encoding="utf-8")
    monkeypatch.delenv("TOPICWIRE_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_check_knows_the_feeds_of_the_config_that_stands_here(installation: Path) -> None:
    code, out, err = run("rules", "check")

    assert code == 1
    assert "E014 no feed has the id `herold`" in out
    assert "not checked" not in err


def test_check_knows_the_feeds_of_the_config_that_is_named(
    installation: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")

    code, out, _ = run("rules", "check", "--config", installation / "config.toml", installation / "rules")

    assert code == 1
    assert "E014" in out


@pytest.mark.parametrize(
    ("config", "why"),
    [
        (None, "no config; name it with --config"),
        ('rules_dir = "others"\n', "config.toml is of other rules"),
        ("rules_dir = [\n", "config.toml:"),
    ],
    ids=["none", "of other rules", "broken"],
)
def test_check_says_when_feed_ids_were_not_checked(installation: Path, config: str | None, why: str) -> None:
    (installation / "config.toml").unlink()
    if config:
        (installation / "config.toml").write_text(config, encoding="utf-8")

    _, out, err = run("rules", "check")
    _, said, _ = run("rules", "check", "--json")

    assert "E014" not in out
    assert f"feed ids in `sources` not checked: {why}" in err
    assert json.loads(said)["feed_ids_checked"] is False


def test_check_names_place_code_and_cure(folder: Path) -> None:
    break_test(folder)

    code, out, _ = run("rules", "check", folder)

    assert code == 1
    assert out.startswith(f"{folder}/earths.yaml:8:15 E040 `earths` should match: 'Seltene Vögel'")


def test_a_warning_fails_only_when_strict(folder: Path) -> None:
    (folder / "lists.yaml").write_text("version: 1\nlists: {unused: {en: [metal]}}\n", encoding="utf-8")

    assert run("rules", "check", folder)[0] == 0
    assert run("rules", "check", "--strict", folder)[0] == 1


def test_check_of_nothing_cannot_read(tmp_path: Path) -> None:
    code, out, _ = run("rules", "check", tmp_path / "none")

    assert code == 2
    assert "E000" in out


def test_check_speaks_json(folder: Path) -> None:
    break_test(folder)

    code, out, _ = run("rules", "check", "--json", folder)

    said = json.loads(out)
    assert code == 1
    assert said["tests"] == {"passed": 3, "failed": 1}
    assert [(error["code"], error["line"], error["col"]) for error in said["errors"]] == [("E040", 8, 15)]


def test_the_test_command_shows_passes_and_coverage(folder: Path) -> None:
    code, out, _ = run("rules", "test", "earths", "--rules", folder)

    assert code == 0
    assert "4 of 4 tests pass" in out
    assert "Coverage" in out


def test_the_test_command_fails_with_a_test(folder: Path) -> None:
    break_test(folder)

    code, out, _ = run("rules", "test", "--rules", folder)

    assert code == 1
    assert "FAIL" in out
    assert "3 of 4 tests pass" in out


def test_an_unknown_topic_is_told(folder: Path) -> None:
    code, _, err = run("rules", "test", "moon", "--rules", folder)

    assert code == 2
    assert "known: earths" in err


def test_explain_underlines_what_was_found_and_what_was_covered(folder: Path) -> None:
    text = "稀 rare earth hour for rare earths"

    code, out, _ = run("rules", "explain", "--text", text, "--rules", folder)

    lines = out.splitlines()
    assert code == 0
    assert lines[0] == "earths: matches"
    found = lines.index("  found: rare earth, score 98.9, in title")
    assert lines[found + 2] == "    " + " " * len("xx rare earth hour for ") + "~" * len("rare earths")
    assert "  covered up by ignore: rare earth, score 100.0, in title" in lines
    assert "\x1b" not in out


def test_explain_tells_a_near_miss(folder: Path) -> None:
    _, out, _ = run("rules", "explain", "earths", "--text", "earth rare", "--rules", folder)

    assert "near miss: rare earth: 'earth rare' in title: its words stand apart or in another order" in out


def test_explain_reads_standard_input_and_speaks_json(folder: Path) -> None:
    code, out, _ = run("rules", "explain", "--json", "--rules", folder, stdin="Seltene Erden\n")

    (said,) = json.loads(out)
    assert code == 0
    assert (said["matched"], said["why"], said["terms"][0]["end"]) == (True, "matches", 13)


def test_explain_works_while_a_test_fails(folder: Path) -> None:
    break_test(folder)

    assert run("rules", "explain", "--text", "x", "--rules", folder)[0] == 0


async def keep(database: Path, item: Item) -> int:
    """Write an item into a new database; return its number."""
    store, _ = await open_store(f"sqlite+aiosqlite:///{database}", FakeClock())
    try:
        feed = Feed(id=item.feed_id, url="https://herald.example/feed")
        now = FakeClock().now()
        await store.sync_feeds([feed], [now], now)
        async with store.polling() as poll:
            kept = Sorted(
                item=item, reason=ItemReason.NEW, keys=item_keys(item), content_hash=content_hash(item)
            )
            (number,) = await poll.add_items([kept], now)
        return number
    finally:
        await store.close()


def test_explain_takes_an_item_out_of_the_store(installation: Path) -> None:
    item = Item(feed_id=FeedId("herald"), title="Of metals", summary="More rare earths", outlet="Herald")
    (installation / "data").mkdir()
    config = CONFIG.replace("[[feeds]]", 'data_dir = "data"\n[[feeds]]')
    (installation / "config.toml").write_text(config, encoding="utf-8")
    number = asyncio.run(keep(read_config(Path("config.toml")).database_file, item))

    code, out, _ = run("rules", "explain", "--item", number)
    other, _, err = run("rules", "explain", "--item", number + 1)

    assert code == 0
    assert "found: rare earth, score 98.9, in summary" in out
    assert other == 2
    assert f"has no item {number + 1}" in err


def test_explain_says_where_no_database_is(installation: Path) -> None:
    code, _, err = run("rules", "explain", "--item", 1)

    assert code == 2
    assert "topicwire.db: no database is there" in err.replace("\n", "")


def test_the_schema_is_json() -> None:
    code, out, _ = run("rules", "schema")

    assert code == 0
    assert json.loads(out)["title"] == "Topicwire rules"


def test_match_answers_in_order_with_spans(folder: Path) -> None:
    items = [
        {"id": 7, "title": "Nichts", "published": "2026-01-01T00:00:00Z"},
        {"id": "b", "title": "Über Seltene Erden", "summary": None, "lang": "de", "source": "x.example"},
        {"id": "c", "title": "", "summary": "rare earths", "unknown": [1]},
    ]

    code, out, err = run(
        "match", "--rules", folder, "--json", stdin="\n".join(map(json.dumps, items)) + "\n\n"
    )

    answers = [json.loads(line) for line in out.splitlines()]
    assert (code, err) == (0, "")
    assert [answer["id"] for answer in answers] == [7, "b", "c"]
    assert answers[0]["matches"] == []
    assert answers[1]["matches"] == [
        {
            "topic": "earths",
            "score": 82.32,
            "terms": [
                {
                    "term": "Seltene Erden",
                    "field": "title",
                    "start": 5,
                    "end": 18,
                    "text": "Seltene Erden",
                    "score": 100.0,
                }
            ],
        }
    ]
    assert answers[2]["matches"][0]["terms"][0]["field"] == "summary"


def test_a_bad_line_is_named_and_costs_no_other(folder: Path) -> None:
    good = b'{"id": 1, "title": "rare earth"}'

    code, out, err = run(
        "match", "--rules", folder, "--json", stdin=b"\n".join([good, b"\xff\xfe", good, b""])
    )

    assert code == 2
    assert len(out.splitlines()) == 2
    assert err.splitlines() == ["<stdin>:2: not UTF-8 at byte 1", "1 line left out: no items"]


def test_match_writes_half_a_surrogate_pair_as_it_came(folder: Path) -> None:
    code, out, _ = run(
        "match", "--rules", folder, "--json", stdin='{"id": "\\ud800", "title": "rare \\ud800 earth"}\n'
    )

    assert code == 0
    assert json.loads(out)["id"] == "\ud800"


def test_match_for_people_is_a_line_an_item(folder: Path) -> None:
    _, out, _ = run("match", "--rules", folder, stdin='{"id": 1, "title": "rare earth"}\n')

    assert out == "1\tearths 82.3 (rare earth)\trare earth\n"


def test_match_with_bad_rules_says_so(folder: Path) -> None:
    (folder / "bad.yaml").write_text("version: 3\n", encoding="utf-8")

    code, out, err = run("match", "--rules", folder, "--json", stdin='{"id": 1, "title": "x"}\n')

    assert (code, out) == (1, "")
    assert "E001" in err
