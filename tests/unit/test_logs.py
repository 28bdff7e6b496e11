"""What the logs never hold."""

from __future__ import annotations

import json
import logging

import pytest
import structlog

from bot.logs import redacted, set_up_logs

TOKEN = "123456789:AAF-abcdefghijklmnopqrstuvwxyz_12345"  # of nobody


@pytest.mark.parametrize(
    "secret",
    [
        f"https://api.telegram.org/bot{TOKEN}/sendMessage",
        "https://ada:lovelace@news.example/feed",
        "https://news.example/feed?token=lovelace",
    ],
)
def test_no_secret_gets_into_a_log_line(secret: str, capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("debug", "json")

    structlog.get_logger().warning("poll failed", feed=secret, also=[secret], error={"why": secret})
    logging.getLogger("some.library").warning("calling %s", secret)

    said = capsys.readouterr().err
    assert TOKEN not in said
    assert "lovelace" not in said
    assert len(said.splitlines()) == 2


def test_a_traceback_is_redacted_too(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("debug", "json")

    structlog.get_logger().error("poll broke off", exc_info=RuntimeError(f"no answer from bot{TOKEN}"))

    said = json.loads(capsys.readouterr().err)
    assert "RuntimeError" in said["exception"]
    assert TOKEN not in said["exception"]


def test_other_facts_stay_as_they_are() -> None:
    assert redacted({"status": 503, "feed": "https://news.example/feed?page=2"}) == {
        "status": 503,
        "feed": "https://news.example/feed?page=2",
    }


def test_json_lines_keep_their_facts(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("info", "auto")  # captured output is no terminal

    structlog.get_logger().info("poll brought news", feed="herald", new=3)
    structlog.get_logger().debug("not told at this level")

    said = json.loads(capsys.readouterr().err)
    assert (said["event"], said["feed"], said["new"], said["level"]) == (
        "poll brought news",
        "herald",
        3,
        "info",
    )
