"""The commands around the daemon: init, demo, db."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from bot import __version__
from bot.app import read_setup
from bot.cli import app
from bot.demo import run_demo
from bot.errors import TopicwireError

runner = CliRunner()


def test_version() -> None:
    assert runner.invoke(app, ["--version"]).stdout.strip() == f"topicwire {__version__}"


@pytest.mark.parametrize("command", ["", "init", "run", "once", "demo", "db", "rules", "match", "stories"])
def test_every_command_helps(command: str) -> None:
    result = runner.invoke(app, [*command.split(), "--help"])

    assert result.exit_code == 0
    assert "Usage" in result.stdout


def test_init_writes_an_installation_that_can_be_read(tmp_path: Path) -> None:
    place = tmp_path / "desk"

    result = runner.invoke(app, ["init", str(place)], catch_exceptions=False)
    setup = read_setup(place / "config.toml")

    assert result.exit_code == 0
    assert {str(topic) for topic in setup.rules.topics} == {
        "rare-earths",
        "kirill-dmitriev",
        "denis-manturov",
        "secondary-tariffs",
    }
    assert len(setup.feeds) >= 40


def test_init_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("# mine")

    result = runner.invoke(app, ["init", str(tmp_path)])

    assert isinstance(result.exception, TopicwireError)
    assert "config.toml" in str(result.exception)
    assert (tmp_path / "config.toml").read_text() == "# mine"
    assert not (tmp_path / "rules").exists()


def test_db_upgrade_says_whether_it_did_something(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("")

    first = runner.invoke(app, ["db", "upgrade", "--config", str(config)], catch_exceptions=False)
    second = runner.invoke(app, ["db", "upgrade", "--config", str(config)], catch_exceptions=False)

    assert "brought up to date" in first.stdout
    assert "already up to date" in second.stdout


async def test_the_demo_shows_each_seed_topic_and_a_second_run_tells_nothing(tmp_path: Path) -> None:
    first, second = Console(record=True, width=100), Console(record=True, width=100)
    (tmp_path / "data").mkdir()

    reports = await run_demo(tmp_path / "data", first)
    again = await run_demo(tmp_path / "data", second)

    shown = first.export_text()
    for topic in ("Rare earths", "Kirill Dmitriev", "Denis Manturov", "Secondary tariffs"):
        assert topic in shown
    assert "3 sources" in shown
    assert "edited" in shown
    assert sum(report.summary()["sent"] for report in reports) >= 4
    assert all(not report.sick for report in reports)
    assert sum(report.summary()["sent"] + report.summary()["edited"] for report in again) == 0
    assert "Mute story" not in second.export_text()
