"""`topicwire feeds list` and `topicwire feeds show`: what is polled, how it fares, and why."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.cli_feeds_shared import (
    IdArgument,
    KnownFeed,
    a_console,
    feed_json,
    named_feed,
    open_desk,
    say,
    why_next,
)
from bot.cli_shared import WRONG, ConfigOption, JsonOption, count, json_text, mistakes_told
from bot.core.identity import redact_url
from bot.core.pollwords import (
    pause_words,
    poll_words,
    size_words,
    span_words,
    time_words,
    trouble_words,
    why_words,
)
from bot.jsonlines import until_nobody_reads
from bot.model import FeedId
from bot.ports import PollRecord

NEW_SINCE: Final = timedelta(days=7)
WIDE: Final = 110  # columns of a terminal that has room for all of the list
_CLOCK: Final = "%Y-%m-%d %H:%M"


def list_command(
    *,
    failing: Annotated[
        bool, typer.Option("--failing", help="Only those to look at: failing, gone, silent, losing items.")
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the feeds: those of the config and those added by command, and how each fares.

    `new` counts the items of the last 7 days that came as news. A feed of the config that no `run` or `once`
    has read yet waits for the next start or reload (SIGHUP).

    Exits 0 when done, 1 when the database cannot be used, 2 when the config cannot.

    \b
    topicwire feeds list --failing
    topicwire feeds list --json | jq -r '.feeds[].url'
    """
    with mistakes_told(WRONG):
        known, new, now = asyncio.run(_listed(config))
    shown = [one for one in known if one.needs_look or not failing]
    with until_nobody_reads():
        if as_json:
            feeds = [{**feed_json(one), "new_7d": new.get(one.feed.id, 0)} for one in shown]
            typer.echo(json_text({"feeds": feeds}))
            return
        if shown:
            a_console().print(_list_table(shown, new, now, with_errors=failing))
        say(_summary(known))


async def _listed(config: Path | None) -> tuple[list[KnownFeed], Mapping[FeedId, int], datetime]:
    async with open_desk(config) as desk:
        new = await desk.store.new_items_since(desk.now - NEW_SINCE) if desk.has_store else {}
        return list((await desk.known()).values()), new, desk.now


def _summary(known: Sequence[KnownFeed]) -> str:
    if not known:
        return "no feeds; add one with: topicwire feeds add URL"
    failing = sum(one.is_failing for one in known)
    troubled = sum(bool(one.troubles) and not one.is_failing for one in known)
    paused = sum(one.status.pause is not None for one in known)
    others = f", {troubled} in other trouble" if troubled else ""
    return f"{count(len(known), 'feed')}, {failing} failing{others}, {paused} paused"


def _list_table(
    shown: Sequence[KnownFeed], new: Mapping[FeedId, int], now: datetime, *, with_errors: bool
) -> Table:
    is_wide = a_console().width >= WIDE
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("id", overflow="fold")
    if is_wide:
        table.add_column("outlet", overflow="ellipsis", no_wrap=True)
        table.add_column("lang", no_wrap=True)
        table.add_column("origin", no_wrap=True)
    table.add_column("state", no_wrap=not with_errors, overflow="fold")
    for heading in ("last poll", "next poll", "new"):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in shown:
        last = one.status.last_poll_at
        names = (Text(one.feed.outlet or "-"), one.feed.language or "-", one.status.origin.value)
        table.add_row(
            Text(one.feed.id),
            *(names if is_wide else ()),
            _styled_state(one, with_errors),
            time_words(last, now) if last else "never",
            _next_poll(one, now),
            str(new.get(one.feed.id, 0)),
        )
    return table


def _styled_state(one: KnownFeed, with_errors: bool) -> Text:
    quiet = one.status.pause or one.status.last_reason is None or one.troubles
    error = one.status.last_error if with_errors else None
    said = f"{one.state}: {error}" if error else one.state if with_errors else one.short_state
    return Text(said, style="red" if one.is_failing else "yellow" if quiet else "green")


def _next_poll(one: KnownFeed, now: datetime) -> str:
    if one.status.pause or not one.is_taken_up:
        return "-"
    return time_words(one.status.next_poll_at, now) if one.status.next_poll_at > now else "due"


# ---- show --------------------------------------------------------------------------------------


def show_command(
    feed: IdArgument,
    *,
    number: Annotated[
        int, typer.Option("--number", "-n", metavar="COUNT", min=0, max=10_000, help="Polls shown.")
    ] = 10,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show all that is known of a feed: its settings, how it is polled and why, and its last polls.

    Polls are kept for 30 days. Times are UTC; passwords and the values of headers are never shown.

    Exits 0 when done, 1 when the database cannot be used, 2 when there is no such feed.

    \b
    topicwire feeds show tagesschau
    topicwire feeds show tagesschau -n 50 --json
    """
    with mistakes_told(WRONG):
        shown = asyncio.run(_shown(feed, config, number))
    with until_nobody_reads():
        if as_json:
            typer.echo(json_text(shown.as_json()))
        else:
            shown.print(a_console())


async def _shown(text: str, config: Path | None, number: int) -> _Shown:
    async with open_desk(config) as desk:
        one = named_feed(text, await desk.known())
        feed, now = one.feed.id, desk.now
        if not desk.has_store:
            return _Shown(one, (), 0, None, now)
        polls = await desk.store.polls_of(feed, number)
        new = (await desk.store.new_items_since(now - NEW_SINCE)).get(feed, 0)
        pause = (await desk.store.host_pauses(now)).get(one.status.host)
        return _Shown(one, polls, new, pause, now)


class _Shown:
    """A feed as it is shown."""

    def __init__(
        self,
        one: KnownFeed,
        polls: Sequence[PollRecord],
        new: int,
        host_pause: datetime | None,
        now: datetime,
    ) -> None:
        self._one = one
        self._polls = polls
        self._new = new
        self._host_pause = host_pause
        self._now = now

    def as_json(self) -> dict[str, Any]:
        """Return all of it."""
        state = self._one.status.state
        return {
            **feed_json(self._one),
            "new_7d": self._new,
            "etag": state.etag,
            "last_modified": state.last_modified,
            "validators_since": _iso(state.validators_since),
            "server_wait_s": state.server_wait.total_seconds(),
            "median_gap_s": _seconds(state.median_gap),
            "window_s": _seconds(state.window),
            "last_new_at": _iso(state.last_new_at),
            "gap_at": _iso(state.gap_at),
            "halvings": state.hurry,
            "learned_url": redact_url(state.learned_url) if state.learned_url else None,
            "moved_to": redact_url(state.moved_to) if state.moved_to else None,
            "moved_since": _iso(state.moved_since),
            "moved_times": state.moved_times,
            "host_paused_until": _iso(self._host_pause),
            "polls": [_poll_json(poll) for poll in self._polls],
        }

    def print(self, console: Console) -> None:
        """Print the facts, then the polls."""
        facts = Table(show_header=False, box=None, pad_edge=False)
        facts.add_column(style="bold", no_wrap=True)
        facts.add_column(overflow="fold")
        for name, value in (*self._settings(), *self._polling(), *self._memory()):
            facts.add_row(name, Text(value))
        console.print(facts)
        if self._polls:
            console.print()
            console.print(self._poll_table())

    def _settings(self) -> Iterator[tuple[str, str]]:
        feed = self._one.feed
        yield "id", feed.id
        yield "address", redact_url(feed.url)
        yield "written in", self._one.where
        yield "outlet", feed.outlet or "as the feed calls itself"
        yield "language", feed.language or "as the feed says"
        yield "interval", f"{span_words(feed.interval)}, set" if feed.interval else "found out"
        yield "encoding", f"{feed.encoding}, set" if feed.encoding else "found out"
        yield "linked pages", "read where the feed matches nothing" if feed.fetch_content else "not read"
        if feed.user_agent:
            yield "user agent", feed.user_agent
        if feed.headers:
            yield "headers", ", ".join(f"{name}: ***" for name, _ in feed.headers)
        if feed.auth_file:
            yield "log-in", f"from {feed.auth_file}"
        if feed.allow_private:
            yield "private addresses", "allowed"

    def _polling(self) -> Iterator[tuple[str, str]]:
        status, state = self._one.status, self._one.status.state
        yield "state", self._one.state
        for trouble in self._one.troubles:
            detail = f": {trouble.detail}" if trouble.detail else ""
            yield "trouble", f"{trouble_words(trouble.kind)}, since {self._when(trouble.since)}{detail}"
        if status.added_at:
            yield "added", self._when(status.added_at)
        yield "last poll", self._when(status.last_poll_at) if status.last_poll_at else "never"
        if status.last_error:
            yield "it said", status.last_error
        if state.failing_since:
            since = self._when(state.failing_since)
            yield "failing since", f"{since}, {count(state.failures, 'poll')} in a row"
            yield "last good poll", self._when(state.last_ok_at) if state.last_ok_at else "never"
        if status.pause:
            yield "next poll", f"none: {pause_words(status.pause)}; `topicwire feeds resume` polls it again"
        elif self._one.is_taken_up:
            yield "next poll", f"{self._when(status.next_poll_at)}: {why_next(status.next_poll_why, state)}"
        if self._host_pause:
            yield "its host", f"{status.host} asked to be left in peace until {self._when(self._host_pause)}"

    def _memory(self) -> Iterator[tuple[str, str]]:
        state = self._one.status.state
        yield "news in 7 days", f"{self._new:,}"
        if state.last_new_at:
            yield "last new item", self._when(state.last_new_at)
        if state.median_gap is not None:
            yield "usual time between items", span_words(state.median_gap)
        if state.window is not None:
            yield "the feed reaches back", span_words(state.window)
        if state.server_wait:
            yield "it asks to wait", span_words(state.server_wait)
        if state.gap_at:
            halved = f"; polled {2**state.hurry} times as often since" if state.hurry else ""
            yield "items probably missed", f"{self._when(state.gap_at)}{halved}"
        yield "validators", _validators(state.etag, state.last_modified)
        if state.learned_url:
            yield "moved for good to", f"{redact_url(state.learned_url)}, which is polled"
        if state.moved_to and state.moved_since:
            seen = f"seen {count(state.moved_times, 'time')} since {state.moved_since:{_CLOCK}}"
            yield "moving to", f"{redact_url(state.moved_to)} ({seen}; not yet trusted)"

    def _when(self, at: datetime) -> str:
        return f"{at:{_CLOCK}} ({time_words(at, self._now)})"

    def _poll_table(self) -> Table:
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("polled", no_wrap=True)
        table.add_column("what came of it", overflow="fold")
        for heading in ("status", "bytes", "items", "new"):
            table.add_column(heading, justify="right", no_wrap=True)
        table.add_column("next", justify="right", no_wrap=True)
        table.add_column("because", overflow="fold")
        for poll in self._polls:
            came = poll_words(poll.reason) + (f" ({poll.error})" if poll.error else "")
            table.add_row(
                f"{poll.at:{_CLOCK}}",
                Text(came, style="red" if poll.error else ""),
                str(poll.status or "-"),
                size_words(poll.received),
                _number(poll.items),
                _number(poll.new),
                f"+{span_words(poll.next_poll_at - poll.at)}",
                why_words(poll.next_poll_why),
            )
        return table


def _poll_json(poll: PollRecord) -> dict[str, Any]:
    return {
        "at": poll.at.isoformat(),
        "reason": poll.reason.value,
        "says": poll_words(poll.reason),
        "status": poll.status,
        "bytes": poll.received,
        "items": poll.items,
        "new": poll.new,
        "error": poll.error,
        "next_poll_at": poll.next_poll_at.isoformat(),
        "next_poll_why": poll.next_poll_why.value,
    }


def _validators(etag: str | None, last_modified: str | None) -> str:
    told = [name for name, value in (("ETag", etag), ("Last-Modified", last_modified)) if value]
    return (
        f"{' and '.join(told)}: only what changed is sent" if told else "none: each poll gets the whole feed"
    )


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
