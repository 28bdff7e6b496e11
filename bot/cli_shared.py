"""What the operator's commands share: options, exit codes, and how mistakes are told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.app import SystemClock, all_feeds
from bot.config import read_config
from bot.config_models import Config, parse_duration
from bot.errors import ConfigInvalid, RulesInvalid, StoreError
from bot.rules import RuleSet, RulesReport, check
from bot.store import open_beside
from bot.store.feedlist import command_feed_ids

OK, WRONG, UNREADABLE = 0, 1, 2

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of rule files.")]
RulesOption = Annotated[Path, typer.Option("--rules", metavar="DIR", help="The folder of rule files.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON.")]
TopicArgument = Annotated[str | None, typer.Argument(metavar="TOPIC", help="Only this topic.")]
ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", envvar="TOPICWIRE_CONFIG", dir_okay=False, help="The configuration."),
]
DEFAULT_FOLDER = Path("rules")
DEFAULT_CONFIG = Path("config.toml")
ARCHIVE_LOOKED_AT = timedelta(days=30)


def a_time(text: str) -> timedelta:
    """Return what `--since` says."""
    try:
        found = parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    if not isinstance(found, timedelta) or found <= timedelta(0):
        raise typer.BadParameter('give a time such as "30d" or "12h"')
    return found


SinceOption = Annotated[
    timedelta,
    typer.Option("--since", parser=a_time, metavar="TIME", help="How far back, such as 30d or 12h."),
]


def exit_code(report: RulesReport, *, strict: bool = False) -> int:
    """Return how a command ends over that report."""
    if report.is_unreadable:
        return UNREADABLE
    return WRONG if report.problems or (strict and report.warnings) else OK


def count(number: int, what: str) -> str:
    """Return `1 item`, `2 items`; a noun that ends in y is said in full by the caller."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def json_text(value: Any) -> str:
    """Return the value as one line of JSON, readable in any script."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair: legal in JSON as an escape, not in UTF-8
        return json.dumps(value)
    return text


def stop(message: str, code: int = UNREADABLE) -> typer.Exit:
    """Say on standard error why the command ends; return what to raise."""
    typer.echo(message, err=True)
    return typer.Exit(code)


@contextmanager
def mistakes_told(store_trouble: int = UNREADABLE) -> Iterator[None]:
    """End the command with a sentence where config, rules or store cannot be used.

    Args:
        store_trouble: The exit code for a store that cannot be used.
    """
    try:
        yield
    except RulesInvalid as error:
        raise stop(str(error), WRONG) from error
    except ConfigInvalid as error:
        raise stop(str(error)) from error
    except StoreError as error:
        raise stop(str(error), store_trouble) from error


def checked_rules(folder: Path, feeds: Collection[str] | None = None) -> RuleSet:
    """Return the rules of a folder; mistakes in them end the command."""
    report = check(folder, feeds=feeds)
    if report.rules is None:
        raise stop("\n".join(map(str, report.problems)), exit_code(report))
    return report.rules


def tested_rules(report: RulesReport) -> RuleSet:
    """Return the rules of a report, also when a test of theirs fails; other mistakes end the command."""
    if report.trial is None:
        raise stop("\n".join(map(str, report.problems)), exit_code(report))
    return report.trial


def stop_if_unknown(topic: str | None, known: Collection[str]) -> None:
    """End the command when there is no such topic; None is all topics."""
    if topic is not None and topic not in known:
        raise stop(f"no topic is called {topic!r}; known: {', '.join(sorted(known)) or 'none'}")


@dataclass(frozen=True, slots=True)
class FeedIds:
    """The feeds that `sources` may name."""

    ids: frozenset[str] | None  # None: no config told them
    unknown_because: str = ""  # for people, when there are none
    config: Config | None = None  # that told them


def feed_ids(folder: Path, config: Path | None) -> FeedIds:
    """Return the ids of the feeds of the config, if that is the one of this folder.

    Raises:
        ConfigInvalid: The config that was named is wrong; one that merely stands here may be.
    """
    if config is not None:
        settings = read_config(config)
        return FeedIds(_ids_of(settings, config), config=settings)
    if not DEFAULT_CONFIG.is_file():
        return FeedIds(None, "no config; name it with --config")
    try:
        settings = read_config(DEFAULT_CONFIG)
        if settings.rules_dir.resolve() != folder.resolve():
            return FeedIds(None, f"{DEFAULT_CONFIG} is of other rules; name a config with --config")
        return FeedIds(_ids_of(settings, DEFAULT_CONFIG), config=settings)
    except ConfigInvalid as error:
        return FeedIds(None, str(error.problems[0]))


def archived_texts(config: Config | None) -> Iterator[str]:
    """Return titles and summaries of the archive, the last thirty days; none without a config or database.

    The store is read when the first of them is asked for.

    Raises:
        StoreError: The database is there, but cannot be read.
    """
    if config is not None and config.database_file.exists():
        yield from asyncio.run(_texts_of(config))


async def _texts_of(config: Config) -> list[str]:
    clock = SystemClock()
    store = await open_beside(config.database_url, clock, config.store.busy_timeout)
    try:
        archive = store.archive(clock.now() - ARCHIVE_LOOKED_AT)
        return [f"{one.item.title}. {one.item.summary}" async for one in archive]
    finally:
        await store.close()


def _ids_of(config: Config, path: Path) -> frozenset[str]:
    own = (feed.id for feed in all_feeds(config, path))
    return frozenset((*own, *command_feed_ids(config.database_url)))
