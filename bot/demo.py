"""`topicwire demo`: sample feeds, served on loopback and taken the whole way, shown as messages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web
from rich.console import Console

from bot.app import House, Setup, open_house
from bot.config_models import ChatConfig, Config, DeliveryConfig, PollingConfig
from bot.daemon import PassReport, run_once
from bot.model import Feed
from bot.rules import read_rules
from bot.seeds import DemoScript, demo_script, starter_dir

DEMO_CHAT = 1


class DemoServer:
    """Serves one stage's feeds; the same paths at every stage, as an outlet would."""

    def __init__(self, script: DemoScript, now: datetime) -> None:
        self._types = {feed.path: feed.content_type for feed in script.feeds}
        self._ids = {feed.path: feed.id for feed in script.feeds}
        self._script = script
        self._now = now
        self.stage = 0

    async def answer(self, request: web.Request) -> web.Response:
        """Return the feed at that path."""
        path = request.match_info["path"]
        if path not in self._ids:
            raise web.HTTPNotFound
        body = self._script.bodies(self.stage, self._now)[self._ids[path]]
        return web.Response(body=body, headers={"Content-Type": self._types[path]})


@asynccontextmanager
async def serving(server: DemoServer) -> AsyncIterator[str]:
    """Serve on a free port of the loopback interface; give the base URL."""
    app = web.Application()
    app.router.add_get("/{path}", server.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


async def run_demo(data_dir: Path, console: Console) -> list[PassReport]:
    """Take the sample feeds through all their stages, showing each message; return what was done."""
    script = demo_script()
    server = DemoServer(script, datetime.now(UTC))
    reports = []
    async with serving(server) as base:
        setup = demo_setup(script, base, data_dir)
        console.print(
            f"[bold]Topicwire demo[/]: {len(setup.feeds)} sample feeds at {base}, "
            f"{len(setup.rules.topics)} topics, messages to the terminal instead of Telegram",
            highlight=False,
            soft_wrap=True,
        )
        async with open_house(setup, console=console) as house:
            for number, stage in enumerate(script.stages):
                server.stage = number
                console.rule(f"[bold]{stage.title}[/]")
                reports.append(await _pass(house, console))
    console.rule()
    console.print(_totals(reports), highlight=False, soft_wrap=True)
    return reports


async def _pass(house: House, console: Console) -> PassReport:
    report = await run_once(house, everything=True)
    totals = report.summary()
    console.print(
        "polled {polled} feeds: {items} items, {new} new, {silent} kept silently (first poll), "
        "{matched} matched → {sent} messages, {edited} edits".format(**totals),
        style="dim",
        highlight=False,
        soft_wrap=True,
    )
    for sick in report.sick:
        console.print(f"feed {sick.feed}: {sick.reason}: {sick.error}", style="yellow", markup=False)
    return report


def _totals(reports: list[PassReport]) -> str:
    def total(name: str) -> int:
        return sum(report.summary()[name] for report in reports)

    return (
        f"[bold]Totals[/]: {total('polled')} polls, {total('new') + total('silent')} new items "
        f"({total('silent')} of them silent), {total('matched')} matched, {total('stories')} stories, "
        f"{total('sent')} messages sent, {total('edited')} edited, {total('dead')} failed"
    )


def demo_setup(script: DemoScript, base: str, data_dir: Path) -> Setup:
    """Return the setup of the demo: the starter rules, the sample feeds, one chat, no waiting."""
    config = Config(
        data_dir=data_dir,
        rules_dir=starter_dir() / "rules",
        feeds_file=None,
        polling=PollingConfig(host_interval=timedelta(0)),
        delivery=DeliveryConfig(
            notifier="console", hold=timedelta(0), edit_every=timedelta(0), chat_interval=timedelta(0)
        ),
        chats=(ChatConfig(id=DEMO_CHAT, topics=("*",), title="You"),),
    )
    feeds = tuple(
        Feed(
            id=feed.id,
            url=f"{base}/{feed.path}",
            outlet=feed.outlet,
            language=feed.language,
            allow_private=True,  # the demo's own server, on loopback
        )
        for feed in script.feeds
    )
    return Setup(config=config, rules=read_rules(config.rules_dir), feeds=feeds)
