"""One contender of `benchmarks/polling.py`, in a process of its own.

    python benchmarks/polling_run.py < job.json and commands

The first line of standard input is the job; "ready" goes to standard output, and then for each further line,
the name of a pass, what it took, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import os
import random
import sqlite3
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import uvloop

from benchmarks.polling_process import cpu_s, forget_peak, peak_mb, resident_mb
from benchmarks.polling_server import BOMBS, etag
from bot.app import FEED_LEASE, House, Setup, open_house
from bot.config_models import Config, DeliveryConfig, PollingConfig
from bot.core.match import Matcher
from bot.daemon import POLLS_AT_ONCE, PassReport, run_once
from bot.lexicon import lazy_lexicon
from bot.logs import set_up_logs
from bot.model import Feed, FeedId
from bot.rules import RuleSet, read_rules

ROOT: Final = Path(__file__).resolve().parent.parent
READER: Final = "lemon24/reader"
OURS: Final = "topicwire"
MATCHING: Final = "topicwire, 4 topics"
CROWD: Final = "crowd"  # so many feeds in the store, few of them due
BOMB: Final = "bombs"
WORKERS: Final = 10  # threads, of lemon24/reader
BETWEEN_POLLS: Final = timedelta(minutes=30)  # of a feed, on average, where ticks are measured
_LONG_AGO: Final = "2000-01-01 00:00:00.000000"
_LATER: Final = "2999-01-01 00:00:00.000000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to measure."""

    who: str
    folder: str  # for databases
    port: int  # of the server
    feeds: int
    pause_s: float  # after a pass, for connections to be given up, as they are between polls in the wild
    host_interval_s: float = 2.0
    due: int = 500  # feeds of a crowd
    ticks: int = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """What a pass took, as seen from inside."""

    cpu_s: float
    wall_s: float
    polled: int = 0
    stored: int = 0  # items
    matched: int = 0
    failed: int = 0  # polls
    said: str = ""  # of a failed one


def address(number: int) -> str:
    """Return the loopback address that is a feed's own, from 127.1.0.1 on."""
    return f"127.{1 + number // 62_500}.{number // 250 % 250}.{1 + number % 250}"


def url(job: Job, number: int) -> str:
    """Return a feed's URL."""
    return f"http://{address(number)}:{job.port}/feed/{number}.xml"


class Stopwatch:
    """Tells what was used since it was made."""

    def __init__(self) -> None:
        self._cpu_s, self._wall_s = self._read()

    def took(self, **told: Any) -> Took:
        """Return what was used up to now."""
        cpu, wall = self._read()
        return Took(**{"cpu_s": cpu - self._cpu_s, "wall_s": wall - self._wall_s, **told})

    def _read(self) -> tuple[float, float]:
        return cpu_s(os.getpid()), time.monotonic()


def say(what: object) -> None:
    """Write a line to the process that asked."""
    sys.stdout.write((what if isinstance(what, str) else json.dumps(what)) + "\n")
    sys.stdout.flush()


# ---- lemon24/reader ----------------------------------------------------------------------------


def run_reader(job: Job) -> None:
    """Make a pass for each line of standard input."""
    logging.getLogger("reader").setLevel(logging.CRITICAL)
    reader = import_module("reader").make_reader(str(Path(job.folder) / "reader.sqlite"))
    with closing(reader):
        for number in range(job.feeds):
            reader.add_feed(url(job, number))
        say("ready")
        for _ in sys.stdin:
            before = reader.get_entry_counts().total
            watch = Stopwatch()
            results = [one.value for one in reader.update_feeds_iter(scheduled=False, workers=WORKERS)]
            wall_s = watch.took().wall_s
            time.sleep(job.pause_s)
            trouble = [str(one) for one in results if isinstance(one, Exception)]
            stored = reader.get_entry_counts().total - before
            facts = {"polled": len(results), "failed": len(trouble), "said": trouble[0] if trouble else ""}
            say(asdict(watch.took(wall_s=wall_s, stored=stored, **facts)))


# ---- Topicwire ---------------------------------------------------------------------------------


def setup_of(job: Job, feeds: Sequence[Feed]) -> Setup:
    """Return a setup as it is in production, but that messages would go to the terminal."""
    rules = (
        read_rules(ROOT / "rules")
        if job.who == MATCHING
        else RuleSet(topics={}, rules_hash="none", matcher=Matcher([], is_real=lazy_lexicon()))
    )
    config = Config(
        data_dir=Path(job.folder),
        feeds_file=None,
        delivery=DeliveryConfig(notifier="console"),
        polling=PollingConfig(host_interval=timedelta(seconds=job.host_interval_s)),
    )
    return Setup(config=config, rules=rules, feeds=tuple(feeds))


def feed_of(job: Job, number: int) -> Feed:
    """Return a feed of the server."""
    return Feed(id=FeedId(f"feed-{number}"), url=url(job, number), allow_private=True)


def _facts(report: PassReport) -> dict[str, Any]:
    said = [one.error for one in report.polls if one.error]
    told = report.summary()
    return {
        "polled": told["polled"],
        "stored": told["new"] + told["silent"],
        "matched": told["matched"],
        "failed": told["failed_polls"],
        "said": said[0] if said else "",
    }


async def run_passes(job: Job) -> None:
    """Make a pass for each line of standard input."""
    async with open_house(setup_of(job, [feed_of(job, number) for number in range(job.feeds)])) as house:
        say("ready")
        while await asyncio.to_thread(sys.stdin.readline):
            watch = Stopwatch()
            report = await run_once(house, everything=True)  # what `topicwire once` does
            wall_s = watch.took().wall_s
            await asyncio.sleep(job.pause_s)
            say(asdict(watch.took(wall_s=wall_s, **_facts(report))))


async def run_bombs(job: Job) -> None:
    """Poll a feed, then each bomb, and say how much memory each took beyond what was in use before."""
    feeds = [feed_of(job, 0)]
    for nth, kind in enumerate(BOMBS, 1):
        place = f"http://{address(nth)}:{job.port}/bomb/{kind}.xml"
        feeds.append(Feed(id=FeedId(kind), url=place, allow_private=True))
    async with open_house(setup_of(job, feeds)) as house:
        due = await house.store.claim_feeds(
            house.clock.now(), FEED_LEASE, len(feeds), unpolled_since=house.clock.now()
        )
        by_id = {one.feed.id: one for one in due}
        await house.poller.poll_feeds([by_id[feeds[0].id]])
        say("ready")
        for kind in BOMBS:
            await asyncio.to_thread(sys.stdin.readline)
            forget_peak(os.getpid())
            idle_mb = resident_mb(os.getpid())
            [report] = await house.poller.poll_feeds([by_id[FeedId(kind)]])
            say(
                {"kind": kind, "mb": peak_mb(os.getpid()) - idle_mb, "idle_mb": idle_mb, "said": report.error}
            )


# ---- a crowd of feeds --------------------------------------------------------------------------


class Crowd:
    """Many feeds in a store, all polled well before; a second connection says which of them are due."""

    def __init__(self, beside: sqlite3.Connection, feeds: int) -> None:
        """Let no feed be due."""
        self._beside = beside
        self._feeds = feeds
        self._dice = random.Random(1)  # noqa: S311 - the same feeds each time
        self._due: list[tuple[str]] = []
        rows = ((etag(number), f"feed-{number}") for number in range(feeds))
        beside.execute("BEGIN IMMEDIATE")
        beside.execute(
            "UPDATE feeds SET last_ok_at = ?, last_poll_at = ?, body_sha256 = ?, next_poll_at = ?",
            (_LONG_AGO, _LONG_AGO, "0" * 64, _LATER),
        )
        beside.executemany("UPDATE feeds SET etag = ? WHERE id = ?", rows)
        beside.execute("COMMIT")

    def make_due(self, count: int) -> None:
        """Let so many feeds be due, anywhere in the table, and no other."""
        before, numbers = self._due, self._dice.sample(range(self._feeds), min(count, self._feeds))
        self._due = [(f"feed-{number}",) for number in numbers]
        self._beside.execute("BEGIN IMMEDIATE")
        for at, ids in ((_LATER, before), (_LONG_AGO, self._due)):
            statement = f"UPDATE feeds SET next_poll_at = '{at}', lease_until = NULL WHERE id = ?"  # noqa: S608 - ours
            self._beside.executemany(statement, ids)
        self._beside.execute("COMMIT")


async def run_crowd(job: Job) -> None:
    """Measure polls and ticks with many feeds in the store; a line of standard input begins each."""
    async with open_house(setup_of(job, [feed_of(job, number) for number in range(job.feeds)])) as house:
        with closing(sqlite3.connect(house.setup.config.database_file, isolation_level=None)) as beside:
            crowd = Crowd(beside, job.feeds)
            say("ready")
            while line := (await asyncio.to_thread(sys.stdin.readline)).strip():
                say(await (_polls if line == "polls" else _ticks)(house, crowd, job))


async def _polls(house: House, crowd: Crowd, job: Job) -> object:
    """Return what a pass over the feeds that are due took."""
    crowd.make_due(job.due)
    watch = Stopwatch()
    due = await house.store.claim_feeds(house.clock.now(), FEED_LEASE, job.due)
    report = PassReport(polls=await house.poller.poll_feeds(due))
    wall_s = watch.took().wall_s
    await asyncio.sleep(job.pause_s)
    return asdict(watch.took(wall_s=wall_s, **_facts(report)))


async def _ticks(house: House, crowd: Crowd, job: Job) -> object:
    """Return how long each claim took, in ms, where the feeds that come due in a second are due."""
    took: list[float] = []
    for _ in range(job.ticks):
        crowd.make_due(math.ceil(job.feeds / BETWEEN_POLLS.total_seconds()))
        begun = time.perf_counter()
        await house.store.claim_feeds(house.clock.now(), FEED_LEASE, POLLS_AT_ONCE)
        took.append((time.perf_counter() - begun) * 1e3)
    return sorted(took)


RUNS: Final[dict[str, Callable[[Job], Coroutine[None, None, None]]]] = {
    OURS: run_passes,
    MATCHING: run_passes,
    CROWD: run_crowd,
    BOMB: run_bombs,
}


def main() -> int:
    """Do the job on standard input; return 0."""
    job = Job(**json.loads(sys.stdin.readline()))
    if job.who == READER:
        run_reader(job)
    else:
        set_up_logs("info", "json")
        uvloop.run(RUNS[job.who](job))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
