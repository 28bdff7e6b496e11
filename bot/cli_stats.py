"""`topicwire rules stats`: what became of the topics, and which terms did the work."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.app import SystemClock
from bot.cli_shared import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    SinceOption,
    TopicArgument,
    json_text,
    mistakes_told,
    stop_if_unknown,
    tested_rules,
)
from bot.config import read_config
from bot.config_models import Config
from bot.core.statistics import Statistics, Tally, TermCount, term_counts
from bot.jsonlines import until_nobody_reads
from bot.model import DeliveryState, TopicId
from bot.rules import RuleSet, check
from bot.store import open_beside

DEAD_SHOWN = 10  # terms without a match named for each topic, unless one topic is asked for


def stats_command(
    topic: TopicArgument = None,
    *,
    since: SinceOption = "30d",  # type: ignore[assignment]  # typer parses it
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show what became of the topics: items, stories, alerts, judgements, and terms that found nothing.

    Items are those first seen since then that are stored as matching, stories those that they are in, alerts
    the messages owed to chats since then, 👍 and 👎 what chats said of them, and 👍 % the share of 👍 (the
    precision). A dead term is one of the rules as they are now that no stored match of the time shows.

    With TOPIC, every term of it is listed with the items that it was found in.

    Exits 0 when done, 1 when the rules have errors (failing tests are none here), 2 when something cannot be
    read or there is no such topic.

    \b
    topicwire rules stats --since 7d
    topicwire rules stats rare-earths --json
    """
    with mistakes_told():
        settings = read_config(config or DEFAULT_CONFIG)
        live = tested_rules(check(settings.rules_dir))
        statistics = asyncio.run(_statistics(settings, live, since))
        stop_if_unknown(topic, statistics.tallies.keys())
    shown = _Shown(live, statistics, TopicId(topic) if topic else None)
    with until_nobody_reads():
        if as_json:
            typer.echo(json_text({"days": since / timedelta(days=1), "topics": shown.as_json()}))
        else:
            shown.print(Console(highlight=False))


async def _statistics(config: Config, live: RuleSet, since: timedelta) -> Statistics:
    statistics = Statistics(list(live.topics))
    clock = SystemClock()
    start = clock.now() - since
    async with AsyncExitStack() as stack:
        store = await open_beside(config.database_url, clock, config.store.busy_timeout)
        stack.push_async_callback(store.close)
        async for match in store.stored_matches(start):
            statistics.matched(match.topic, match.story, match.terms, match.seen_at)
        async for alert in store.stored_alerts(start):
            is_sent = alert.state is DeliveryState.SENT
            statistics.alerted(alert.topics, is_sent=is_sent, relevant=alert.relevant)
    return statistics


class _Shown:
    """Statistics as they are shown, busiest topics first."""

    def __init__(self, live: RuleSet, statistics: Statistics, only: TopicId | None) -> None:
        rules = {rule.id: rule for rule in live.matcher.rules}
        every = sorted(statistics.tallies.items(), key=lambda one: (-one[1].items, -one[1].alerts, one[0]))
        self._tallies = {topic: tally for topic, tally in every if only in {None, topic}}
        self._terms: Mapping[TopicId, tuple[TermCount, ...]] = {
            topic: term_counts(rules[topic], tally.by_term)
            for topic, tally in self._tallies.items()
            if topic in rules
        }
        self._is_one = only is not None

    def as_json(self) -> list[dict[str, Any]]:
        """Return all of it."""
        return [
            {
                "topic": topic,
                "in_rules": topic in self._terms,
                "items": tally.items,
                "stories": len(tally.stories),
                "alerts": tally.alerts,
                "sent": tally.sent,
                "relevant": tally.up,
                "not_relevant": tally.down,
                "precision": None if tally.precision is None else round(tally.precision, 4),
                "last_match": tally.last_match.isoformat() if tally.last_match else None,
                "terms": {one.term: one.items for one in self._terms.get(topic, ())},
                "dead_terms": self._dead(topic),
            }
            for topic, tally in self._tallies.items()
        ]

    def print(self, console: Console) -> None:
        """Print a table, then the dead terms of all topics, or every term of the one."""
        console.print(self._table())
        if self._is_one:
            for terms in self._terms.values():
                console.print(_term_table(terms))
            return
        for topic in self._terms:
            if dead := self._dead(topic):
                more = f" and {len(dead) - DEAD_SHOWN} more" if len(dead) > DEAD_SHOWN else ""
                said = f"{topic}: no match by {', '.join(dead[:DEAD_SHOWN])}{more}"
                console.print(Text(said, "yellow"), soft_wrap=True)

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("topic", no_wrap=True)
        for heading in ("items", "stories", "alerts", "👍", "👎", "👍 %", "dead"):
            table.add_column(heading, justify="right", no_wrap=True)
        table.add_column("last match", no_wrap=True)
        for topic, tally in self._tallies.items():
            table.add_row(topic if topic in self._terms else f"{topic} (gone)", *self._cells(topic, tally))
        return table

    def _cells(self, topic: TopicId, tally: Tally) -> tuple[str, ...]:
        counts = (tally.items, len(tally.stories), tally.alerts, tally.up, tally.down)
        terms = self._terms.get(topic, ())
        return (
            *(f"{count:,}" for count in counts),
            "-" if tally.precision is None else f"{100 * tally.precision:.0f}",
            f"{len(self._dead(topic))}/{len(terms)}" if terms else "-",
            tally.last_match.strftime("%Y-%m-%d") if tally.last_match else "-",
        )

    def _dead(self, topic: TopicId) -> list[str]:
        return [one.term for one in self._terms.get(topic, ()) if one.is_dead]


def _term_table(terms: tuple[TermCount, ...]) -> Table:
    table = Table("term", box=None, pad_edge=False, header_style="bold")
    table.add_column("items", justify="right")
    for one in terms:
        table.add_row(Text(one.term), Text(f"{one.items:,}", "yellow" if one.is_dead else ""))
    return table
