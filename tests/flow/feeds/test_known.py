"""`feeds list`, `show`, `edit`, `pause`, `resume` and `remove`, over a real store."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot import cli_feeds
from bot.app import SystemClock
from bot.cli import app
from bot.config import read_config
from bot.core.schedule import NextPollReason
from bot.model import Feed, FeedId, PollReason, TroubleKind
from bot.store import open_store
from tests.clock import START, FakeClock
from tests.flow.feeds.desk import RULES, configure, feeds, happen, imported, listed, told, trouble

COMMANDS = ["", "add", "list", "show", "test", "edit", "pause", "resume", "remove", "import", "export"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_helps(command: str) -> None:
    result = feeds(*command.split(), "--help")

    assert "Usage" in result.stdout
    if command not in {"", "pause", "resume"}:
        assert f"topicwire feeds {command}" in result.stdout.partition("Usage")[2].partition("\n")[2]


# ---- list and show -----------------------------------------------------------------------------


def test_feeds_of_config_and_command_are_listed_together(place: Path) -> None:
    imported(place)
    configure(place, '\n[[feeds]]\nid = "harbour"\nurl = "https://harbour.example/feed"')

    found = listed()

    assert {feed["id"]: (feed["origin"], feed["place"]) for feed in found.values()} == {
        "hafen.example_rss": ("command", None),
        next(name for name in found if name.startswith("quay.example-feed-")): ("command", None),
        "harbour": ("config", "config.toml:9"),
    }
    assert found["harbour"]["state"] == "waits for the next start or reload"


def test_a_feed_of_the_list_names_its_line(place: Path) -> None:
    (place / "feeds.opml").write_text(
        '<opml><body>\n<outline xmlUrl="https://harbour.example/feed"/></body></opml>'
    )

    assert f"{place / 'feeds.opml'}:2" in feeds("show", "harbour").stdout


def test_feeds_of_the_environment_name_their_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOPICWIRE_FEEDS", '[{"id": "harbour", "url": "https://harbour.example/feed"}]')

    assert told("show", "harbour")["place"] == "the variable TOPICWIRE_FEEDS"


def test_feeds_in_one_line_name_their_file(place: Path) -> None:
    config = place / "config.toml"
    config.write_text(f'feeds = [{{id = "harbour", url = "https://harbour.example/"}}]\n{config.read_text()}')

    assert told("show", "harbour")["place"] == "config.toml"


def test_no_feeds_are_no_error() -> None:
    assert "no feeds; add one with" in feeds("list").stderr
    assert told("list") == {"feeds": []}
    assert not Path("topicwire.db").exists()


def test_show_tells_what_is_known_and_why(place: Path) -> None:
    imported(place)
    now = SystemClock().now()
    happen(
        "hafen.example_rss",
        {"etag": '"a"', "last_ok_at": now, "median_gap": timedelta(minutes=30), "last_new_at": now},
        {
            "reason": PollReason.RATE_LIMITED,
            "why": NextPollReason.RETRY_AFTER,
            "error": "https://hafen.example/rss answered 503",
            "failures": 1,
            "failing_since": now,
            "gap_at": now,
            "hurry": 1,
            "moved_to": "https://neu.example/rss",
            "moved_since": now,
            "moved_times": 3,
        },
    )

    text = feeds("show", "hafen").stdout
    data = told("show", "hafen", "-n", "1")

    for words in (
        "hafen.example_rss",
        "added by command",
        "Hafenblatt",
        "failing: the server wants fewer requests",
        "the server said when to come back",
        "hafen.example asked to be left in peace until",
        "ETag: only what changed is sent",
        "30 min",
        "polled 2 times as often since",
        "https://neu.example/rss (seen 3 times since",
        "half the usual time between items",
        "20.5 kB",
        "+15 min",
    ):
        assert words in text
    assert [
        (one["reason"], one["status"], one["bytes"], one["items"], one["new"]) for one in data["polls"]
    ] == [("rate_limited", 503, 20_480, 12, 3)]
    assert data["etag"] == '"a"'
    assert data["host_paused_until"] is not None


def test_failing_lists_only_what_fails(place: Path) -> None:
    imported(place)
    failing = {"reason": PollReason.REFUSED, "error": "answered 404", "failing_since": SystemClock().now()}
    happen("hafen.example_rss", failing)

    assert [feed["id"] for feed in told("list", "--failing")["feeds"]] == ["hafen.example_rss"]
    assert "2 feeds, 1 failing, 0 paused" in feeds("list").stderr


def test_show_tells_settings_but_no_secrets(place: Path) -> None:
    imported(place)
    (place / "login").write_text("ada:s3cret")
    settings = ("--header", "X-Key: s3cret", "--user-agent", "Reader/1", "--auth-file", "login")
    feeds("edit", "hafen", *settings, "--allow-private", "--interval", "10min", "--encoding", "koi8-r")
    feeds("pause", "hafen")

    text = feeds("show", "hafen").stdout

    for words in (
        "X-Key: ***",
        "Reader/1",
        "from /",
        "allowed",
        "10 min, set",
        "koi8-r, set",
        "feeds resume",
    ):
        assert words in text
    assert "s3cret" not in text


def test_a_feed_that_left_the_config_says_when_it_goes(place: Path) -> None:
    async def read_by_a_daemon() -> None:
        store, _ = await open_store(read_config(place / "config.toml").database_url, FakeClock())
        feed = Feed(id=FeedId("harbour"), url="https://harbour.example/feed")
        await store.sync_feeds([feed], [START], START)
        await store.close()

    asyncio.run(read_by_a_daemon())

    assert "no longer in the config; it goes at the next start or reload" in feeds("show", "harbour").stdout


def test_a_silent_feed_is_well_polled_and_yet_to_look_at(place: Path) -> None:
    imported(place)
    happen("hafen.example_rss", {})
    trouble(TroubleKind.SILENT, "hafen.example_rss")

    assert "silent: good polls, but nothing new" in feeds("show", "hafen").stdout
    assert [feed["id"] for feed in told("list", "--failing")["feeds"]] == ["hafen.example_rss"]
    assert told("show", "hafen")["troubles"][0]["kind"] == "silent"
    assert "2 feeds, 0 failing, 1 in other trouble, 0 paused" in feeds("list").stderr


def test_a_failing_feed_says_why_in_the_list_of_those(place: Path) -> None:
    imported(place)
    failing = {"reason": PollReason.REFUSED, "error": "answered 404", "failing_since": SystemClock().now()}
    happen("hafen.example_rss", failing)

    assert "failing: refused " in feeds("list").stdout
    assert "answered 404" not in feeds("list").stdout
    assert "answered 404" in feeds("list", "--failing").stdout


@pytest.mark.parametrize(("columns", "is_wide"), [("80", False), ("160", True)])
def test_a_narrow_terminal_is_shown_less(
    place: Path, monkeypatch: pytest.MonkeyPatch, columns: str, is_wide: bool
) -> None:
    imported(place)
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich then takes it for a terminal
    monkeypatch.setenv("TERM", "xterm")

    shown = CliRunner().invoke(app, ["feeds", "list"], env={"COLUMNS": columns}).stdout

    assert "hafen.example_rss" in shown
    assert ("Hafenblatt" in shown) == is_wide


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nowhere.example", "no feed has this id"),
        ("hafen.exmaple_rss", "did you mean hafen.example_rss?"),
        ("", "no feed has this id"),
        ("https://ada:s3cret@x.example/", "https://***@x.example/: no feed has this id"),
    ],
)
def test_an_unknown_id_is_told(place: Path, text: str, says: str) -> None:
    imported(place)

    assert says in feeds("show", text, exits=2).stderr


def test_an_id_may_be_shortened_while_it_names_one_feed(place: Path) -> None:
    (place / "feeds.opml").write_text(
        '<opml><body><outline xmlUrl="https://a.example/1"/><outline xmlUrl="https://a.example/12"/></body></opml>'
    )

    assert told("show", "a.example_12")["id"] == "a.example_12"
    assert told("show", "a.example_1")["id"] == "a.example_1"
    assert told("show", "http://www.a.example/12/")["id"] == "a.example_12"
    assert "several feeds begin so: a.example_1, a.example_12" in feeds("show", "a.ex", exits=2).stderr


# ---- edit, pause, resume, remove ---------------------------------------------------------------


def test_settings_change_one_by_one_and_empty_ones_go(place: Path) -> None:
    imported(place)

    told(
        "edit", "hafen", "--interval", "10min", "--header", "X-A: 1", "--header", "X-B: 2", "--allow-private"
    )
    after = told(
        "edit", "hafen", "--header", "x-a:", "--outlet", "", "--no-allow-private", "--encoding", "koi8-r"
    )

    assert (after["interval_s"], after["headers"], after["outlet"]) == (600, ["X-B"], None)
    assert (after["allow_private"], after["encoding"], after["language"]) == (False, "koi8-r", "de")
    assert told("edit", "hafen", "--header", "", "--interval", "")["headers"] == []


def test_a_log_in_is_set_and_taken_away(place: Path) -> None:
    imported(place)
    (place / "login").write_text("ada:s3cret")

    assert told("edit", "hafen", "--auth-file", "login")["auth_file"] == str(place / "login")
    (place / "login").unlink()
    assert told("edit", "hafen", "--outlet", "Blatt")["auth_file"] == str(place / "login")
    assert told("edit", "hafen", "--auth-file", "")["auth_file"] is None


def test_tables_of_another_version_are_told_with_the_cure(place: Path) -> None:
    imported(place)
    with closing(sqlite3.connect(place / "topicwire.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0002'")

    assert "topicwire db upgrade" in feeds("list", exits=1).stderr


def test_a_new_address_is_checked_and_known_ones_are_told(place: Path) -> None:
    imported(place)

    assert told("edit", "hafen", "--url", "neu.example/rss")["url"] == "https://neu.example/rss"
    assert "is known already: quay" in feeds("edit", "hafen", "--url", "quay.example/feed", exits=1).stderr
    assert "URL: " in feeds("edit", "hafen", "--url", "ftp://x.example", exits=2).stderr
    assert "nothing to change" in feeds("edit", "hafen", exits=2).stderr


@pytest.mark.parametrize(
    "command", [("edit", "harbour", "--interval", "5min"), ("remove", "harbour", "--yes")]
)
def test_the_configs_feeds_are_changed_in_their_file(place: Path, command: tuple[str, ...]) -> None:
    configure(place, '[[feeds]]\nid = "harbour"\nurl = "https://harbour.example/feed"')

    result = feeds(*command, exits=1)

    assert "harbour stands in config.toml:8" in result.stderr
    assert "feeds pause" in result.stderr


def test_a_feed_is_paused_and_resumed(place: Path) -> None:
    imported(place)

    feeds("pause", "hafen")
    paused = listed()["hafen.example_rss"]
    feeds("resume", "hafen")
    resumed = listed()["hafen.example_rss"]

    assert (paused["state"], paused["pause"], paused["next_poll_at"]) == (
        "paused by an operator",
        "operator",
        None,
    )
    assert (resumed["pause"], resumed["next_poll_why"]) == (None, "first")


def test_a_feed_that_nothing_has_read_yet_cannot_be_paused(place: Path) -> None:
    configure(place, '[[feeds]]\nid = "harbour"\nurl = "https://harbour.example/feed"')

    assert "waits for the next start or reload" in feeds("pause", "harbour", exits=1).stderr


def test_resuming_tells_of_a_host_at_rest(place: Path) -> None:
    imported(place)
    happen("hafen.example_rss", {"reason": PollReason.RATE_LIMITED, "error": "answered 503"})

    assert "hafen.example asked to be left in peace until" in feeds("resume", "hafen").stderr


def test_a_removed_feed_is_gone_from_the_list(place: Path) -> None:
    imported(place)

    assert "removed" in feeds("remove", "hafen", "--yes").stderr
    assert "hafen.example_rss" not in listed()


def test_on_a_terminal_a_removal_is_asked_for(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    imported(place)
    monkeypatch.setattr(cli_feeds, "is_asked", lambda: True)

    result = CliRunner().invoke(app, ["feeds", "remove", "hafen"], input="n\n")

    assert result.exit_code == 1
    assert "hafen.example_rss" in listed()


@pytest.mark.parametrize(
    ("url", "feed"),
    [
        ("http://intranet/", "intranet"),
        ("https://hafen.example/rss", "hafen.example_rss"),
        ("https://hafen.example/", "hafen.example"),
    ],
)
def test_a_feed_that_rules_name_is_not_removed(place: Path, url: str, feed: str) -> None:
    (place / "list.opml").write_text(f'<opml><body><outline xmlUrl="{url}"/></body></opml>')
    feeds("import", "list.opml")
    (place / "rules" / "rules.yaml").write_text(RULES.replace("SOURCE", feed))

    result = feeds("remove", feed, "--yes", exits=1)

    assert f"rules name {feed} in `sources`" in result.stderr
    assert "rules.yaml:5" in result.stderr
    assert feed in listed()


def test_where_nobody_can_be_asked_a_removal_must_be_said_twice(place: Path) -> None:
    imported(place)

    assert "--yes" in feeds("remove", "hafen", exits=2).stderr
    assert "hafen.example_rss" in listed()


def test_a_feed_that_is_no_more_is_missed_by_the_rules_that_name_it(place: Path) -> None:
    rules = place / "rules"
    (rules / "rules.yaml").write_text(RULES.replace("SOURCE", "hafen.example_rss"))

    result = CliRunner().invoke(app, ["rules", "check", str(rules), "--config", "config.toml"])

    assert result.exit_code == 1
    assert "E014 no feed has the id `hafen.example_rss`" in result.output


def test_rules_may_name_a_feed_that_was_added_by_command(place: Path) -> None:
    imported(place)
    rules = place / "rules"
    (rules / "rules.yaml").write_text(RULES.replace("SOURCE", "hafen.example_rss"))

    result = CliRunner().invoke(app, ["rules", "check", str(rules), "--config", "config.toml"])

    assert result.exit_code == 0, result.output
