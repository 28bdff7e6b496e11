"""`topicwire feeds import` and `topicwire feeds export`: feed lists (OPML) in and out."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from bot.app import poll_policies
from bot.cli_feeds_asking import host_pauses, keep_pauses, open_rooms
from bot.cli_feeds_first import Answered, answered, first_poll_beside, keep_first, usable_rules
from bot.cli_feeds_shared import Desk, KnownFeed, a_console, free_id, open_desk, say
from bot.cli_shared import WRONG, ConfigOption, JsonOption, count, json_text, mistakes_told, stop
from bot.core.feedsync import url_key
from bot.core.hosts import url_host_key
from bot.core.identity import redact_url
from bot.core.schedule import first_poll_at
from bot.errors import FetchError, Problem
from bot.feeds.http import HttpFetcher
from bot.feeds.opml import opml_feeds, public_url, read_opml, write_opml
from bot.feeds.parse import ProcessParser
from bot.jsonlines import until_nobody_reads
from bot.model import Feed, FeedId, Fetched, PollReason, PollState
from bot.rules import RuleSet

BUSY: Final = "its host wants fewer requests; whether a feed is there was not found out"


class Fate(StrEnum):
    """What becomes of a feed of the list."""

    NEW = "new"
    KNOWN = "known"
    FAILED = "failed"  # looked at, and no feed answered


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A feed of the list."""

    feed: Feed
    fate: Fate
    says: str = ""  # what more there is to tell
    answered: Answered | None = None  # None: it was not asked, or no feed answered


def import_command(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A feed list in OPML; - reads standard input.", dir_okay=False),
    ],
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Ask each new feed first; leave out those that do not answer.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Add nothing; only say what would be.")] = False,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="They may lead into your own network.")
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add the feeds of a list (OPML), as feed readers export it; what is known already stays as it is.

    The language of a folder is that of the feeds in it, where they name none of their own. The first polls
    are silent, and spread over a minute.

    Exits 0 when done; 1 when --check found feeds that do not answer; 2 when the list cannot be read: then
    nothing is added.

    \b
    topicwire feeds import subscriptions.opml --dry-run
    topicwire feeds import subscriptions.opml --check
    """
    with mistakes_told(WRONG):
        listed = asyncio.run(_import(file, config, check, dry_run, allow_private))
    with until_nobody_reads():
        if as_json:
            typer.echo(json_text({"dry_run": dry_run, "feeds": [_json(one) for one in listed]}))
        else:
            if listed:
                a_console().print(_table(listed))
            say(_summary(listed, dry_run))
    if any(one.fate is Fate.FAILED for one in listed):
        raise typer.Exit(WRONG)


async def _import(
    file: Path, config: Path | None, check: bool, dry_run: bool, allow_private: bool
) -> list[Listed]:
    found = [replace(feed, allow_private=allow_private) for feed in _read(file)]
    async with open_desk(config) as desk:
        listed = _sorted(found, await desk.known())
        if check:
            listed = await _checked(desk, listed)
    if not dry_run and any(one.fate is Fate.NEW for one in listed):
        async with open_desk(config, to_write=True) as desk:
            await _add(desk, [one for one in listed if one.fate is Fate.NEW])
    return listed


def _read(file: Path) -> Sequence[Feed]:
    if file == Path("-"):
        return opml_feeds(sys.stdin.buffer.read(), "standard input")
    return read_opml(file)


async def _add(desk: Desk, new: Sequence[Listed]) -> None:
    """Add these feeds; those that were asked have made their first polls by that."""
    in_hand = [one.answered for one in new if one.answered is not None]
    rules = await usable_rules(desk, [one.feed.id for one in new]) if in_hand else None
    if isinstance(rules, Problem):
        say(
            f"What the feeds hold is remembered at their first polls, since the rules cannot be used: {rules}"
        )
    is_usable = isinstance(rules, RuleSet)
    now, policy = desk.now, poll_policies(desk.config).polls
    beside = first_poll_beside(now)
    firsts = [beside if is_usable and one.answered else first_poll_at(one.feed, now, policy) for one in new]
    added = await desk.store.add_feeds([one.feed for one in new], firsts, now)
    if isinstance(rules, RuleSet):
        await keep_first(desk, rules, [one for one in in_hand if one.feed.id in added])
    if missing := {one.feed.id for one in new} - added:
        raise stop(f"{', '.join(sorted(missing))}: somebody gave these ids meanwhile; run it again", WRONG)


def _sorted(found: Iterable[Feed], known: Mapping[FeedId, KnownFeed]) -> list[Listed]:
    """Return the feeds with what becomes of each; two spellings of one address are one feed."""
    taken = set(known)
    by_url = {key: one for one in known.values() for key in one.url_keys}
    met: dict[str, FeedId] = {}
    listed = []
    for feed in found:
        key = url_key(feed.url)
        if key in by_url:
            one = by_url[key]
            listed.append(Listed(feed=replace(feed, id=one.feed.id), fate=Fate.KNOWN, says=one.where))
        elif key in met:
            listed.append(Listed(feed=replace(feed, id=met[key]), fate=Fate.KNOWN, says="twice in the list"))
        else:
            own = replace(feed, id=free_id(feed.url, taken))
            taken.add(own.id)
            met[key] = own.id
            listed.append(Listed(feed=own, fate=Fate.NEW))
    return listed


async def _checked(desk: Desk, listed: Sequence[Listed]) -> list[Listed]:
    """Return the list after asking every new feed, with a progress bar where somebody watches."""
    pauses = await host_pauses(desk)
    listed = [_resting(one, pauses) for one in listed]
    new = [one for one in listed if one.fate is Fate.NEW and one.says != BUSY]
    failed: list[FetchError] = []
    columns = (TextColumn("asking"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = a_console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("feeds", total=len(new))
        async with open_rooms(desk.config) as (fetcher, parser):

            async def ask(one: Listed) -> Listed:
                answer = await _asked(one, fetcher, parser, desk, failed)
                progress.advance(task)
                return answer

            answers = dict(
                zip((one.feed.id for one in new), await asyncio.gather(*map(ask, new)), strict=True)
            )
    await keep_pauses(desk, failed)
    return [answers.get(one.feed.id, one) if one.fate is Fate.NEW else one for one in listed]


def _resting(one: Listed, pauses: Mapping[str, datetime]) -> Listed:
    is_resting = one.fate is Fate.NEW and url_host_key(one.feed.url) in pauses
    return replace(one, says=BUSY) if is_resting else one


async def _asked(
    one: Listed, fetcher: HttpFetcher, parser: ProcessParser, desk: Desk, failed: list[FetchError]
) -> Listed:
    try:
        answer = await fetcher.fetch(one.feed, PollState())
        if not isinstance(answer, Fetched):
            return replace(one, fate=Fate.FAILED, says="answered that nothing changed, to a first question")
        parsed = await parser.parse(one.feed, answer, desk.now)
    except FetchError as error:
        failed.append(error)
        if error.reason is PollReason.RATE_LIMITED:  # no word on whether a feed is there
            return replace(one, says=BUSY)
        return replace(one, fate=Fate.FAILED, says=str(error).removeprefix(f"{error.feed_url} "))
    says = f"answers with {count(len(parsed.items), 'item')}"
    return replace(one, says=says, answered=answered(one.feed, answer, parsed))


def _summary(listed: Sequence[Listed], dry_run: bool) -> str:
    number = {fate: sum(one.fate is fate for one in listed) for fate in Fate}
    verb = "would be added" if dry_run else "added; their first polls are silent"
    failed = f", {number[Fate.FAILED]} left out" if number[Fate.FAILED] else ""
    return f"{count(len(listed), 'feed')}: {number[Fate.NEW]} {verb}, {number[Fate.KNOWN]} known{failed}"


def _table(listed: Sequence[Listed]) -> Table:
    styles = {Fate.NEW: "green", Fate.KNOWN: "dim", Fate.FAILED: "red"}
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("", "id", "outlet", "lang", "address", ""):
        table.add_column(heading, overflow="fold")
    for one in listed:
        feed = one.feed
        table.add_row(
            Text(one.fate.value, style=styles[one.fate]),
            Text(feed.id),
            Text(feed.outlet or "-"),
            feed.language or "-",
            Text(redact_url(feed.url)),
            Text(one.says),
        )
    return table


def _json(one: Listed) -> dict[str, Any]:
    return {
        "id": one.feed.id,
        "url": redact_url(one.feed.url),
        "outlet": one.feed.outlet,
        "language": one.feed.language,
        "fate": one.fate.value,
        "says": one.says,
    }


# ---- export ------------------------------------------------------------------------------------


def export_command(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Where to write; else standard output.")
    ] = None,
    *,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    config: ConfigOption = None,
) -> None:
    """Write all feeds, those of the config and those added by command, as a feed list (OPML).

    Names, addresses and languages are in it, which `feeds import` and other feed readers take; no other
    settings, and nothing secret: passwords and tokens are taken out of the addresses, with a warning.

    Exits 0 when done, 1 when the file is there already, 2 when the config cannot be read.

    \b
    topicwire feeds export feeds.opml
    """
    with mistakes_told(WRONG):
        feeds, text = asyncio.run(_export(config))
    _write(file, text, force)
    for feed in feeds:
        if public_url(feed.url) != feed.url:
            say(f"{feed.id}: a password or token was taken out of its address; it may not answer without")
    if file is not None:
        say(f"{file}: {count(len(feeds), 'feed')}")


async def _export(config: Path | None) -> tuple[list[Feed], str]:
    async with open_desk(config) as desk:
        feeds = [one.feed for one in (await desk.known()).values()]
        return feeds, write_opml(feeds, desk.now)


def _write(file: Path | None, text: str, force: bool) -> None:
    if file is None:
        with until_nobody_reads():
            typer.echo(text, nl=False)
        return
    try:
        with file.open("w" if force else "x", encoding="utf-8") as opened:
            opened.write(text)
    except FileExistsError as error:
        says = f"{file} is there already; name another file, or overwrite it with --force"
        raise stop(says, WRONG) from error
    except OSError as error:
        raise stop(f"{file}: cannot be written: {error.strerror}") from error
