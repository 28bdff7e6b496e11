"""`topicwire rules backtest`: what a change of rules means for the items that are known."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.console import Console
from rich.progress import Progress

from bot.app import SystemClock, tell_policies
from bot.archive_view import Comparing, applied_json, backtest_json, show_applied, show_backtest
from bot.backtest import Applied, Older, Question, Rules, compare, from_archive, from_lines
from bot.cli_shared import (
    DEFAULT_CONFIG,
    DEFAULT_FOLDER,
    UNREADABLE,
    WRONG,
    ConfigOption,
    JsonOption,
    SinceOption,
    checked_rules,
    count,
    feed_ids,
    json_text,
    mistakes_told,
    stop,
    stop_if_unknown,
)
from bot.config import read_config
from bot.config_models import Config
from bot.core.backtest import Answer, Comparison
from bot.jsonlines import BadLine, until_nobody_reads
from bot.model import ItemId, TopicId
from bot.rules import RuleSet
from bot.store import SqlStore, open_beside
from bot.telling import Teller

Advance = Callable[[int], None]
SHOWN_EVERY = 200  # items between two looks of the progress bar


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """What the command line asks for."""

    since: timedelta
    folder: Path
    config: Path | None  # None: there is none, and none is needed
    against: Path | None
    topic: TopicId | None
    sample: int
    as_json: bool


def backtest_command(
    *,
    since: SinceOption = "30d",  # type: ignore[assignment]  # typer parses it
    rules: Annotated[
        Path | None,
        typer.Option("--rules", metavar="DIR", help="The rules to try; else the config's, else ./rules."),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option("--against", metavar="DIR", help="Compare with these rules, not with what is stored."),
    ] = None,
    items: Annotated[
        Path | None,
        typer.Option("--items", metavar="FILE", help="JSON Lines instead of the archive; - is stdin."),
    ] = None,
    topic: Annotated[str | None, typer.Option("--topic", metavar="ID", help="Only this topic.")] = None,
    sample: Annotated[int, typer.Option("--sample", min=0, max=1000, help="Titles shown of each kind.")] = 5,
    apply: Annotated[bool, typer.Option("--apply", help="Tell the newly found items.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Apply without asking.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Run the rules over the archive, and show which items they newly find and which no more.

    The archive is what the store of the config (--config, else ./config.toml) has kept since --since. Each
    item's answer is compared with the matches that are stored with it: what the rules of the time said, and
    was told. With --against the answers of another folder of rules take their place; for items of a file,
    where nothing is stored, everything counts as new without it. Nothing is written, and Topicwire may run.

    --apply tells the newly found items, exactly as new items are told: it writes their matches, forms
    stories, and queues what each chat is owed; a chat that would get more than 20 messages gets digests. What
    was told before is not told again. The rules must be in force: Topicwire takes over changed rules within
    seconds while it runs, else at its next start or `topicwire once`. Items published before --since, and
    those of topics that no chat follows, are left alone.

    Exits 0 when done, 1 when the rules have errors or are not in force, 2 when something cannot be read or a
    line of FILE is no item.

    \b
    topicwire rules backtest --since 7d
    topicwire rules backtest --rules draft/ --against rules/ --items items.jsonl --json
    topicwire rules backtest --topic rare-earths --since 2d --apply
    """
    if apply and (rules or against or items):
        raise stop("--apply tells what the config's rules find in its archive; leave out --rules, --against"
                   " and --items")  # fmt: skip
    if apply and not yes and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise stop("--apply asks before it queues anything, and nobody is here to answer; add --yes")
    with mistakes_told():
        place = _config_path(config, is_needed=items is None)
        folder = rules or (read_config(place).rules_dir if place else DEFAULT_FOLDER)
        wish = _Wish(
            since=since,
            folder=folder,
            config=place,
            against=against,
            topic=TopicId(topic) if topic else None,
            sample=sample,
            as_json=as_json,
        )
        live = checked_rules(folder, feed_ids(folder, config).ids)
        base = checked_rules(against) if against else None
        stop_if_unknown(topic, {*live.topics, *(base.topics if base else ())})
        if items is not None:
            _backtest_file(wish, live, base, items)
        else:
            asyncio.run(
                _backtest_archive(
                    wish, live, base, read_config(place or DEFAULT_CONFIG), apply=apply, is_asked=not yes
                )
            )


def _config_path(config: Path | None, *, is_needed: bool) -> Path | None:
    if config is not None or is_needed:
        return config or DEFAULT_CONFIG
    return DEFAULT_CONFIG if DEFAULT_CONFIG.is_file() else None


# ---- a file ------------------------------------------------------------------------------------


def _backtest_file(wish: _Wish, live: RuleSet, base: RuleSet | None, path: Path) -> None:
    bad: list[BadLine] = []

    def refuse(line: BadLine) -> None:
        bad.append(line)
        typer.echo(str(line), err=True)

    now = SystemClock().now()
    with _opened(path) as lines, _progress("items read", None) as advance:
        questions = from_lines(lines, refuse)
        comparison, _ = asyncio.run(_compared(wish, questions, live, base, now, advance))
    _say(wish, Comparing(rules=live, against=base, comparison=comparison, has_store=False))
    if bad:
        raise stop(f"{count(len(bad), 'line')} left out: no items", UNREADABLE)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    if str(path) == "-":
        yield sys.stdin.buffer
        return
    try:
        file = path.open("rb")
    except OSError as error:
        raise stop(f"{path}: cannot be read: {error.strerror}") from error
    with file:
        yield file


# ---- the archive -------------------------------------------------------------------------------


async def _backtest_archive(
    wish: _Wish, live: RuleSet, base: RuleSet | None, config: Config, *, apply: bool, is_asked: bool
) -> None:
    async with AsyncExitStack() as stack:
        store = await open_beside(config.database_url, SystemClock(), config.store.busy_timeout)
        stack.push_async_callback(store.close)
        if apply:
            await _stop_unless_in_force(store, live)
        now = SystemClock().now()
        size = await store.archive_size(now - wish.since)
        with _progress("items of the archive", size) as advance:
            questions = from_archive(store, now - wish.since)
            comparison, newly = await _compared(wish, questions, live, base, now, advance)
        comparing = Comparing(rules=live, against=base, comparison=comparison, since=now - wish.since)
        if not apply:
            _say(wish, comparing)
            return
        if not wish.as_json:
            _say(wish, comparing)
        teller = _teller(live, config)
        older = Older(store, live, teller, SystemClock(), only=wish.topic)
        applied = await _apply(older, newly, is_asked=is_asked)
        if wish.as_json:
            typer.echo(json_text({**backtest_json(comparing), "applied": applied_json(applied)}))
        else:
            show_applied(Console(highlight=False), applied)


async def _stop_unless_in_force(store: SqlStore, live: RuleSet) -> None:
    kept = await store.kept_rules()
    if kept is None or kept.rules_hash != live.rules_hash:
        raise stop(
            "these rules are not in force yet: while Topicwire runs it takes them over within seconds, else"
            " start it or run `topicwire once`; then apply",
            WRONG,
        )


def _teller(live: RuleSet, config: Config) -> Teller:
    return Teller(
        topics=lambda: live.topics,
        operators=lambda: frozenset(config.telegram.operators),
        policies=lambda: tell_policies(config),
    )


async def _apply(older: Older, newly: list[ItemId], *, is_asked: bool) -> Applied:
    """Return what was told, after asking whether it shall be."""
    owed = await older.rehearse(newly)
    if not owed.alerts and not owed.edits:
        return Applied()
    if is_asked:
        typer.confirm(_question(owed), err=True, abort=True)
    with _progress("items told", len(newly)) as advance:
        return await older.tell(newly, as_digest=owed.as_digest, on_told=advance)


def _question(owed: Applied) -> str:
    how = ", as digests" if owed.as_digest else ""
    edits = f" and {count(owed.edits, 'edit')} of messages sent" if owed.edits else ""
    most = "" if owed.is_exact else "at most "
    chats = count(len(owed.chats), "chat")
    return f"Queue {most}{count(owed.alerts, 'alert')} for {chats}{how}{edits}?"


# ---- both --------------------------------------------------------------------------------------


async def _compared(
    wish: _Wish,
    questions: AsyncIterator[Question],
    live: Rules,
    base: Rules | None,
    now: datetime,
    advance: Advance,
) -> tuple[Comparison, list[ItemId]]:
    """Return the comparison, and the numbers of the items that may be told, in the order they came."""
    known = {**live.topics, **(base.topics if base else {})}
    comparison = Comparison(list(known), only=wish.topic, sample=wish.sample)
    newly: list[tuple[datetime, ItemId]] = []
    since = now - wish.since

    def answered(answer: Answer) -> None:
        if comparison.items % SHOWN_EVERY == 0:
            advance(SHOWN_EVERY)
        new = answer.new if wish.topic is None else answer.new & {wish.topic}
        came = answer.item.published_at or answer.at
        if new and isinstance(answer.number, int) and came is not None and came >= since:
            newly.append((came, ItemId(answer.number)))

    await compare(questions, live, base, comparison, now=now, on_answer=answered)
    return comparison, [number for _, number in sorted(newly)]


def _say(wish: _Wish, comparing: Comparing) -> None:
    with until_nobody_reads():
        if wish.as_json:
            typer.echo(json_text(backtest_json(comparing)))
        else:
            show_backtest(Console(highlight=False), comparing)


@contextmanager
def _progress(what: str, total: int | None) -> Iterator[Advance]:
    """Show a progress bar on standard error while something works, if that is a terminal."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.advance(task, done)
