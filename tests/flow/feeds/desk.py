"""What the tests of the `feeds` commands share: the commands, and a feed server in a thread beside them."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from bot.cli import app
from tests.feedserver import FeedServer, feed_server

CONFIG = """\
data_dir = "."
rules_dir = "rules"
[polling]
host_interval = "0s"
[delivery]
notifier = "console"
hold = "0s"
{more}
"""
RULES = """\
version: 1
topics:
  - id: ferries
    title: Ferries
    sources: {deny: [SOURCE]}
    match: {en: [ferry]}
    tests: {match: [The ferry returns], no_match: [Two new cranes]}
"""
OPML = """<opml version="2.0"><body>
<outline text="Deutsch" language="de">
  <outline text="Hafenblatt" xmlUrl="https://hafen.example/rss"/>
  <outline text="Hafenblatt, noch einmal" xmlUrl="http://www.hafen.example/rss/"/>
</outline>
<outline text="Quay" xmlUrl="https://ada:s3cret@quay.example/feed"/>
</body></opml>"""


@contextmanager
def served() -> Iterator[FeedServer]:
    """Run the feed server in a thread: the commands have loops of their own."""
    ready, stop = threading.Event(), threading.Event()
    running: list[FeedServer] = []

    async def serve() -> None:
        async with feed_server() as server:
            running.append(server)
            ready.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert ready.wait(30)
        yield running[0]
    finally:
        stop.set()
        thread.join()


def configure(place: Path, more: str = "") -> None:
    (place / "config.toml").write_text(CONFIG.format(more=more))


def feeds(*arguments: str, exits: int = 0) -> Result:
    result = CliRunner().invoke(app, ["feeds", *arguments], env={"COLUMNS": "200"})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == exits, result.output
    return result


def told(*arguments: str, exits: int = 0) -> Any:
    return json.loads(feeds(*arguments, "--json", exits=exits).stdout)


def listed() -> dict[str, dict[str, Any]]:
    return {feed["id"]: feed for feed in told("list")["feeds"]}


def imported(tmp_path: Path) -> None:
    """Have two feeds by command, hafen.example_rss and quay.example-feed-…, without asking anybody."""
    (tmp_path / "list.opml").write_text(OPML)
    feeds("import", "list.opml")


def page(server: FeedServer, inner: str) -> None:
    server.serve(f"<!doctype html><html>{inner}</html>", path="/", content_type="text/html")
