"""`topicwire health` over a real store: what it shows, and how it ends."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from bot.app import SystemClock
from bot.cli import app
from bot.cli_health import _print
from bot.config import read_config
from bot.core.health_summary import Summary, summary_message
from bot.i18n import texts
from bot.model import Feed, FeedId, Trouble, TroubleKind, TroubleScope
from bot.store import open_store

NOW = SystemClock().now()
MISSED = Trouble(scope=TroubleScope.FEED, key="herald", kind=TroubleKind.MISSED, since=NOW)
REFUSED = Trouble(
    scope=TroubleScope.FEED, key="herald", kind=TroubleKind.REFUSED, since=NOW, detail="HTTP 404 [red]"
)
ALL_DOWN = Trouble(scope=TroubleScope.ALL, key="", kind=TroubleKind.OUTAGE, since=NOW)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a config."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "config.toml").write_text('rules_dir = "rules"\ndata_dir = "."\n', encoding="utf-8")
    (tmp_path / "feeds.opml").write_text("<opml version='2.0'><body/></opml>", encoding="utf-8")
    monkeypatch.delenv("TOPICWIRE_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def happen(*troubles: Trouble) -> None:
    """Let a house with one feed be in these troubles."""

    async def write() -> None:
        store, _ = await open_store(read_config(Path("config.toml")).database_url, SystemClock())
        feed = Feed(id=FeedId("herald"), url="https://herald.example/feed", outlet="Herald")
        await store.sync_feeds([feed], [NOW - timedelta(hours=1)], NOW)
        await store.replace_troubles(troubles, [], [], NOW)
        await store.close()

    asyncio.run(write())


def health(*options: str) -> Result:
    """Run the command on a wide terminal."""
    return CliRunner(env={"COLUMNS": "160"}).invoke(app, ["health", *options])


def test_a_house_without_trouble_says_so_and_ends_well() -> None:
    happen()

    result = health()

    assert result.exit_code == 0, result.output
    assert "1 polled, 0 failing, 0 paused, 0 gone" in result.output
    assert "polling is behind by" in result.output
    assert "Nothing is wrong with any feed." in result.output


@pytest.mark.parametrize(
    ("failing", "says"),
    [
        (1, "1 feed fails, not for long enough to tell."),
        (3, "3 feeds fail, none for long enough to tell."),
    ],
)
def test_feeds_that_began_to_fail_are_not_called_well(failing: int, says: str) -> None:
    console = Console(width=160, record=True, file=StringIO())

    _print(Summary(live=5, failing=failing), NOW, console)

    shown = console.export_text()
    assert says in shown
    assert "Nothing is wrong" not in shown


def test_what_needs_an_operator_is_shown_as_it_is_and_ends_with_1() -> None:
    happen(REFUSED)

    result = health()

    assert result.exit_code == 1
    assert "refused" in result.output and "feed herald" in result.output
    assert "HTTP 404 [red]" in result.output


@pytest.mark.parametrize(
    ("trouble", "code"), [(MISSED, 0), (REFUSED, 1), (ALL_DOWN, 1)], ids=["missed", "refused", "network"]
)
def test_only_what_waiting_does_not_cure_needs_an_operator(trouble: Trouble, code: int) -> None:
    happen(trouble)

    assert health("--json").exit_code == code


def test_machines_get_json() -> None:
    happen(REFUSED)

    told = json.loads(health("--json").stdout)

    assert told["needs_operator"] is True
    assert told["feeds"] == {"live": 1, "failing": 0, "paused": 0, "gone": 0}
    assert told["troubles"] == [
        {
            "scope": "feed",
            "key": "herald",
            "kind": "refused",
            "since": NOW.isoformat(),
            "detail": "HTTP 404 [red]",
        }
    ]
    assert told["late_s"] >= 3600


def test_without_a_database_it_says_so_and_makes_none(place: Path) -> None:
    result = health()

    assert result.exit_code == 2
    assert "no database is there" in result.output
    assert not list(place.glob("*.db"))


@pytest.mark.parametrize(
    ("failing", "says"),
    [
        (0, "✅ Nothing is wrong with any feed."),
        (1, "1 feed fails, not for long enough to tell."),
        (3, "3 feeds fail, none for long enough to tell."),
    ],
)
def test_chats_hear_the_same_of_feeds_that_began_to_fail(failing: int, says: str) -> None:
    assert summary_message(Summary(live=5, failing=failing), texts("en"), NOW).plain.endswith(says)
