"""What the `feeds` commands share: the feeds as config and store know them, how they are named and shown."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rapidfuzz import process
from rich.console import Console

from bot.app import SystemClock, all_feeds, single_instance
from bot.cli_shared import DEFAULT_CONFIG, UNREADABLE, WRONG, stop
from bot.config import read_config
from bot.config_models import Config
from bot.core.feedsync import url_key
from bot.core.hosts import url_host_key
from bot.core.identity import redact_url
from bot.core.pollwords import pause_words, poll_words, trouble_words, why_words
from bot.core.schedule import NextPollReason
from bot.feeds.opml import feed_id_for, opml_lines
from bot.model import Feed, FeedId, FeedOrigin, PauseReason, PollState, Trouble, TroubleScope
from bot.ports import FeedStatus
from bot.store import SqlStore, open_beside, open_store

WIDTH: Final = 200  # of tables where there is no terminal
NAMED: Final = 8  # feeds named at most where an id fits several

_TABLE: Final = re.compile(r"\s*\[\[\s*feeds\s*\]\]")

IdArgument = Annotated[
    str, typer.Argument(metavar="ID", help="The feed's id, or as much of it as tells it from others.")
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFeed:
    """A feed as the commands know it."""

    status: FeedStatus
    place: str = ""  # file and line where the config has it; empty: it has it not
    troubles: tuple[Trouble, ...] = ()  # what is wrong with it at the moment
    is_taken_up: bool = True  # False: the config names it, but nothing has run with that config yet

    @property
    def feed(self) -> Feed:
        """Return the feed."""
        return self.status.feed

    @property
    def url_keys(self) -> frozenset[str]:
        """Return what tells its addresses from those of other feeds."""
        return frozenset(url_key(url) for url in (self.feed.url, self.status.state.learned_url) if url)

    @property
    def is_of_config(self) -> bool:
        """True: it is changed in a file, not by command."""
        return self.status.origin is FeedOrigin.CONFIG

    @property
    def where(self) -> str:
        """Return where it is written, for people."""
        if not self.is_of_config:
            return "added by command"
        return self.place or "no longer in the config; it goes at the next start or reload"

    @property
    def is_failing(self) -> bool:
        """True: it brings nothing, and not because an operator wants it so."""
        return self.status.state.failing_since is not None or self.status.pause is PauseReason.GONE

    @property
    def needs_look(self) -> bool:
        """True: an operator should look at it: it fails, is silent, or loses items."""
        return self.is_failing or bool(self.troubles)

    @property
    def short_state(self) -> str:
        """Return how it fares, in a word or two."""
        status = self.status
        if status.pause:
            return "gone" if status.pause is PauseReason.GONE else "paused"
        if not self.is_taken_up:
            return "not read yet"
        if status.last_reason is None:
            return "new"
        if status.state.failing_since is not None:
            return f"failing: {status.last_reason.value.replace('_', ' ')}"
        return ", ".join(trouble.kind.value for trouble in self.troubles) or "well"

    @property
    def state(self) -> str:
        """Return how it fares, in words."""
        status = self.status
        if status.pause:
            return pause_words(status.pause)
        if not self.is_taken_up:
            return "waits for the next start or reload"
        if status.last_reason is None:
            return "waits for its first poll"
        if status.state.failing_since is None:
            return "; ".join(trouble_words(trouble.kind) for trouble in self.troubles) or "well"
        return f"failing: {poll_words(status.last_reason)}"


class Desk:
    """The config, the store, and the feeds that they know."""

    def __init__(self, config: Config, file: Path, store: SqlStore | None) -> None:
        self.config = config
        self.file = file
        self._store = store
        self.clock = SystemClock()

    @property
    def now(self) -> datetime:
        """Return the present."""
        return self.clock.now()

    @property
    def has_store(self) -> bool:
        """False: nothing was ever kept."""
        return self._store is not None

    @property
    def store(self) -> SqlStore:
        """Return the store.

        Raises:
            RuntimeError: There is none; ask `has_store` before.
        """
        if self._store is None:
            raise RuntimeError("nothing was ever kept")
        return self._store

    async def known(self) -> dict[FeedId, KnownFeed]:
        """Return all feeds, those of the config that were not yet taken up included, by id."""
        listed = {feed.id: feed for feed in all_feeds(self.config, self.file)}
        places = _places(self.config, self.file)
        statuses = await self._store.feed_statuses() if self._store else ()
        troubles = _by_feed(await self._store.troubles()) if self._store else {}
        found = {
            one.feed.id: KnownFeed(
                status=one,
                place=places.get(one.feed.id, "") if one.origin is FeedOrigin.CONFIG else "",
                troubles=tuple(troubles.get(one.feed.id, ())),
            )
            for one in statuses
        }
        for feed in listed.values():
            if feed.id not in found:
                waiting = KnownFeed(status=_waiting(feed, self.now), place=places[feed.id], is_taken_up=False)
                found[feed.id] = waiting
        return dict(sorted(found.items()))


@asynccontextmanager
async def open_desk(path: Path | None, *, to_write: bool = False) -> AsyncIterator[Desk]:
    """Open the store beside whatever runs on it.

    Args:
        path: The config; None: ./config.toml.
        to_write: True: where there is no database yet, one is made. Else there is a desk without a store.

    Raises:
        ConfigInvalid: The config cannot be used.
        StoreError: The store cannot be used.
        AlreadyRunning: There is no database yet, and a process is about to make it.
    """
    file = path or DEFAULT_CONFIG
    config = read_config(file)
    is_there = config.database_file.is_file()
    if not is_there and not to_write:
        yield Desk(config, file, None)
        return
    url, clock, patience = config.database_url, SystemClock(), config.store.busy_timeout
    if not is_there:
        with single_instance(config):
            made, _ = await open_store(url, clock, patience)
            await made.close()
    store = await open_beside(url, clock, patience)
    try:
        yield Desk(config, file, store)
    finally:
        await store.close()


def named_feed(text: str, known: Mapping[FeedId, KnownFeed]) -> KnownFeed:
    """Return the feed of that id, or the only one whose id begins so, or that has that URL."""
    if (exact := known.get(FeedId(text))) is not None:
        return exact
    if "://" in text and (same := same_url(text, known.values())) is not None:
        return same
    fitting = [feed for feed in known if feed.startswith(text)] if text else []
    if len(fitting) == 1:
        return known[fitting[0]]
    if fitting:
        more = f" and {len(fitting) - NAMED} more" if len(fitting) > NAMED else ""
        raise stop(
            f"{text}: several feeds begin so: {', '.join(fitting[:NAMED])}{more}; write more of the id"
        )
    shown = redact_url(text)
    raise stop(f"{shown}: no feed has this id{did_you_mean(text, known)}; see `topicwire feeds list`")


def did_you_mean(text: str, known: Collection[str]) -> str:
    """Return the id that was probably meant, as the end of a sentence."""
    close = process.extractOne(text, list(known), score_cutoff=70)
    return f"; did you mean {close[0]}?" if close else ""


def same_url(url: str, known: Collection[KnownFeed]) -> KnownFeed | None:
    """Return the feed that is polled at this address, or has moved there; None: there is none."""
    key = url_key(url)
    return next((one for one in known if key in one.url_keys), None)


def free_id(url: str, taken: Collection[str]) -> FeedId:
    """Return an id for a URL that nobody else has."""
    first = feed_id_for(url)
    found, number = first, 2
    while found in taken:
        found, number = FeedId(f"{first[:75]}-{number}"), number + 1
    return found


def refuse_config_feed(one: KnownFeed, verb: str) -> typer.Exit:
    """Say that a feed is the config's, and where; return what to raise."""
    place = one.place or "a config that was read before"
    cure = "a command cannot; `topicwire feeds pause` stops its polls"
    return stop(f"{one.feed.id} stands in {place}; {verb} it there, {cure}", WRONG)


def gone_meanwhile(feed: FeedId) -> typer.Exit:
    """Say that a feed went while we looked; return what to raise."""
    return stop(f"{feed}: somebody removed it meanwhile; see `topicwire feeds list`", WRONG)


def a_console(*, stderr: bool = False) -> Console:
    """Return where people are told something: colours on a terminal alone, tables whole elsewhere."""
    console = Console(highlight=False, stderr=stderr)
    return console if console.is_terminal else Console(highlight=False, stderr=stderr, width=WIDTH)


def say(sentence: str) -> None:
    """Say something beside the result, on standard error: it may be a machine that reads the result."""
    typer.echo(sentence, err=True)


def usage(sentence: str) -> typer.Exit:
    """Say what is wrong with the arguments; return what to raise."""
    return stop(sentence, UNREADABLE)


def why_next(why: NextPollReason, state: PollState) -> str:
    """Return why a feed's next poll is when it is; of its rhythm, whether that is known."""
    if why is not NextPollReason.INTERVAL:
        return why_words(why)
    if state.median_gap is None:
        return "the default, as long as its rhythm is unknown"
    return "half the usual time between its items, within the config's bounds"


def feed_json(one: KnownFeed) -> dict[str, Any]:
    """Return all that is known of a feed, fit to be shown: no password, no header's value."""
    feed, status, state = one.feed, one.status, one.status.state
    return {
        "id": feed.id,
        "url": redact_url(feed.url),
        "outlet": feed.outlet,
        "language": feed.language,
        "interval_s": feed.interval.total_seconds() if feed.interval else None,
        "encoding": feed.encoding,
        "allow_private": feed.allow_private,
        "user_agent": feed.user_agent,
        "headers": [name for name, _ in feed.headers],
        "auth_file": feed.auth_file,
        "content": "fetch" if feed.fetch_content else "feed",
        "origin": status.origin.value,
        "place": one.place or None,
        "host": status.host,
        "state": one.state,
        "is_failing": one.is_failing,
        "troubles": [
            {"kind": trouble.kind.value, "since": trouble.since.isoformat(), "detail": trouble.detail}
            for trouble in one.troubles
        ],
        "is_taken_up": one.is_taken_up,
        "pause": status.pause.value if status.pause else None,
        "failures": state.failures,
        "failing_since": _iso(state.failing_since),
        "added_at": _iso(status.added_at),
        "last_poll_at": _iso(status.last_poll_at),
        "last_ok_at": _iso(state.last_ok_at),
        "last_reason": status.last_reason.value if status.last_reason else None,
        "last_error": status.last_error,
        "next_poll_at": _iso(status.next_poll_at) if one.is_taken_up and not status.pause else None,
        "next_poll_why": status.next_poll_why.value if one.is_taken_up and not status.pause else None,
    }


def _by_feed(troubles: Iterable[Trouble]) -> dict[str, list[Trouble]]:
    found: dict[str, list[Trouble]] = {}
    for one in troubles:
        if one.scope is TroubleScope.FEED:
            found.setdefault(one.key, []).append(one)
    return found


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _waiting(feed: Feed, now: datetime) -> FeedStatus:
    """Return how a feed of the config fares that no process has read yet."""
    return FeedStatus(
        feed=feed,
        origin=FeedOrigin.CONFIG,
        host=url_host_key(feed.url),
        state=PollState(),
        pause=None,
        added_at=None,
        last_poll_at=None,
        last_reason=None,
        last_error=None,
        next_poll_at=now,
        next_poll_why=NextPollReason.FIRST,
    )


def _places(config: Config, file: Path) -> dict[FeedId, str]:
    """Return for each feed of the config the file and line where it stands."""
    places = {}
    if config.feeds_file:
        places = {feed: f"{config.feeds_file}:{line}" for feed, line in opml_lines(config.feeds_file).items()}
    if any(name.upper() == "TOPICWIRE_FEEDS" for name in os.environ):
        own = ["the variable TOPICWIRE_FEEDS"] * len(config.feeds)
    else:
        own = _table_places(file, len(config.feeds))
    for feed, place in zip(config.config_feeds(), own, strict=True):
        places[feed.id or feed_id_for(feed.url)] = place
    return places


def _table_places(file: Path, number: int) -> list[str]:
    """Return where each of the config's feeds stands; the file alone where they are no [[feeds]] tables."""
    lines = file.read_text(encoding="utf-8").splitlines()
    heads = [nth for nth, line in enumerate(lines, start=1) if _TABLE.match(line)]
    return [f"{file}:{nth}" for nth in heads] if len(heads) == number else [str(file)] * number
