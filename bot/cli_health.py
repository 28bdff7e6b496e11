"""`topicwire health`: how feeds, deliveries and rules fare, for people, cron and scripts."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.app import SystemClock
from bot.cli_shared import DEFAULT_CONFIG, WRONG, ConfigOption, JsonOption, json_text, mistakes_told
from bot.config import read_config
from bot.config_models import Config
from bot.core.health_summary import LATE, Summary
from bot.jsonlines import until_nobody_reads
from bot.model import Trouble
from bot.store import open_beside


def health_command(*, as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Show how feeds, deliveries and rules fare, and what is wrong since when.

    Troubles are as the running Topicwire, or the last pass of `topicwire once`, found them; operators were
    told of each in Telegram.

    Exits 0 when nothing needs an operator, 1 when something does, 2 when something cannot be read.

    \b
    topicwire health
    topicwire health --json | jq .troubles
    """
    with mistakes_told():
        now = SystemClock().now()
        summary = asyncio.run(_summary(read_config(config or DEFAULT_CONFIG), now))
    with until_nobody_reads():
        if as_json:
            typer.echo(json_text(_as_json(summary, now)))
        else:
            _print(summary, now, Console(highlight=False))
    if summary.needs_operator:
        raise typer.Exit(WRONG)


async def _summary(config: Config, now: datetime) -> Summary:
    async with AsyncExitStack() as stack:
        store = await open_beside(config.database_url, SystemClock(), config.store.busy_timeout)
        stack.push_async_callback(store.close)
        return await store.summary(now)


def _as_json(summary: Summary, now: datetime) -> dict[str, Any]:
    return {
        "needs_operator": summary.needs_operator,
        "feeds": {
            "live": summary.live,
            "failing": summary.failing,
            "paused": summary.paused,
            "gone": summary.gone,
        },
        "polls_last_hour": {reason.value: count for reason, count in sorted(summary.polls.items())},
        "last_poll_at": _iso(summary.last_poll_at),
        "late_s": round(summary.lateness(now).total_seconds()),
        "hosts_at_rest": summary.resting,
        "new_items_24h": summary.items,
        "deliveries": {"owed": summary.owed, "refused_for_good": summary.dead},
        "rules": {"since": _iso(summary.rules_since), "refused": summary.rules_refused},
        "troubles": [
            {
                "scope": one.scope.value,
                "key": one.key,
                "kind": one.kind.value,
                "since": one.since.isoformat(),
                "detail": one.detail,
            }
            for one in summary.troubles
        ],
    }


def _print(summary: Summary, now: datetime, console: Console) -> None:
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in _rows(summary, now):
        table.add_row(name, Text(value))
    console.print(table)
    if not summary.troubles:
        console.print(f"\n{_no_trouble(summary.failing)}")
        return
    wrong = Table("trouble", "where", "since", "what was said", box=None, pad_edge=False, header_style="bold")
    for one in summary.troubles:
        wrong.add_row(one.kind.value, Text(_where(one)), _minute(one.since), Text(one.detail))
    console.print()
    console.print(wrong)


def _rows(summary: Summary, now: datetime) -> list[tuple[str, str]]:
    feeds = f"{summary.live} polled, {summary.failing} failing, {summary.paused} paused, {summary.gone} gone"
    polls = [f"{count} {reason.value}" for reason, count in sorted(summary.polls.items())]
    late = summary.lateness(now)
    rules = f"in force since {_minute(summary.rules_since)}" if summary.rules_since else "none yet"
    if summary.rules_refused:
        rules = f"refused; the last good ones are of {_minute(summary.rules_since)}"
    return [
        ("feeds", feeds),
        ("polls in the last hour", ", ".join(polls) or "none"),
        ("last poll", _minute(summary.last_poll_at)),
        *([("polling is behind by", str(late).partition(".")[0])] if late >= LATE else []),
        ("hosts at rest", str(summary.resting)),
        ("new items in 24 hours", str(summary.items)),
        ("deliveries", f"{summary.owed} owed, {summary.dead} refused for good"),
        ("rules", rules),
    ]


def _no_trouble(failing: int) -> str:
    if failing == 0:
        return "[green]Nothing is wrong with any feed.[/]"
    if failing == 1:
        return "1 feed fails, not for long enough to tell."
    return f"{failing} feeds fail, none for long enough to tell."


def _where(trouble: Trouble) -> str:
    return f"{trouble.scope.value} {trouble.key}".strip()


def _minute(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC") if moment else "never"


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
