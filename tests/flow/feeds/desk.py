"""What the tests of the `feeds` commands share: the commands, and a feed server in a thread beside them."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from bot.app import SystemClock
from bot.cli import app
from bot.config import read_config
from bot.core.schedule import NextPollReason, PollDecision
from bot.model import FeedId, HostPause, PollReason, Trouble, TroubleKind, TroubleScope
from bot.ports import PollOutcome
from bot.store import SqlStore, open_beside
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


async def poll(
    store: SqlStore, feed: str, *, reason: PollReason, why: NextPollReason, error: str | None, **state: Any
) -> None:
    """Let one poll of a feed end."""
    now = SystemClock().now()
    await store.resume_feed(FeedId(feed), now)  # so that it is due
    claimed = await store.claim_feeds(now, timedelta(0), 100)
    [due] = [due for due in claimed if due.feed.id == feed]
    pause = HostPause(host="hafen.example", until=now + timedelta(hours=1))
    decision = PollDecision(
        state=replace(due.state, **state),
        next_poll_at=now + timedelta(minutes=15, seconds=2),
        reason=reason,
        why=why,
        host_pause=pause if reason is PollReason.RATE_LIMITED else None,
    )
    status = 200 if error is None else 503
    outcome = PollOutcome(
        due=due, decision=decision, status=status, received=20_480, items=12, new=3, error=error
    )
    async with store.polling() as transaction:
        await transaction.save_polls([outcome], now)


def happen(feed: str, *polls: dict[str, Any]) -> None:
    """Let polls of a feed end one after the other."""

    async def end() -> None:
        settings = read_config(Path("config.toml"))
        store = await open_beside(settings.database_url, SystemClock())
        try:
            for one in polls:
                base = {"reason": PollReason.FETCHED, "why": NextPollReason.INTERVAL, "error": None}
                await poll(store, feed, **{**base, **one})
        finally:
            await store.close()

    asyncio.run(end())


def trouble(kind: TroubleKind, feed: str) -> None:
    """Let a check find something wrong with a feed."""
    now = SystemClock().now()
    found = Trouble(scope=TroubleScope.FEED, key=feed, kind=kind, since=now)

    async def note() -> None:
        store = await open_beside(read_config(Path("config.toml")).database_url, SystemClock())
        try:
            await store.replace_troubles([found], [], [], now)
        finally:
            await store.close()

    asyncio.run(note())
