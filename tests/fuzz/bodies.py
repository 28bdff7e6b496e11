"""Bodies by the million through the parser: python -m tests.fuzz.bodies --count 1000000 --seed 1 --jobs 2."""

from __future__ import annotations

import argparse
import multiprocessing
import signal
import sys
import time
import traceback
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from types import FrameType
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.fuzz.laws import check, check_alike
from tests.fuzz.mutations import a_body, corpus

_CHUNK: Final = 500
_SECONDS_A_BODY: Final = 20  # twice what the daemon gives a feed, for it is read twice


class TooSlow(BaseException):
    """A body took longer than the daemon would wait; no handler of a library may catch it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A body that breaks a law."""

    name: str  # "seed-number": makes the same body again
    body: bytes
    content_type: str | None
    says: str


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of some bodies."""

    bodies: int
    feeds: int
    fast: int
    compared: int
    failures: tuple[Failure, ...]


@cache
def _corpus() -> list[bytes]:
    return corpus()


def body_of(seed: int, number: int) -> tuple[bytes, str | None, int, bool]:
    """Return a body, its content type, the limit of items, and whether both readers are compared on it."""
    rng = Random(f"{seed}-{number}")
    body, content_type = a_body(rng, _corpus())
    return body, content_type, rng.choice([500, 500, 500, 1]), rng.random() < 0.25


def run(seed: int, start: int, count: int, *, compare_all: bool = False, seconds: float = 0) -> Tally:
    """Return what became of so many bodies of a seed.

    Args:
        seconds: After which SIGALRM is sent to a body; 0: never.
    """
    feeds = fast = compared = 0
    failures: list[Failure] = []
    for number in range(start, start + count):
        body, content_type, max_items, is_compared = body_of(seed, number)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            feeds += check(body, content_type, max_items)
            if is_compared or compare_all:
                compared += 1
                fast += check_alike(body, max_items)
        except (Exception, TooSlow):  # noqa: BLE001 - whatever escapes is what a fuzzer is after
            failures.append(Failure(f"{seed}-{number}", body, content_type, traceback.format_exc(limit=-6)))
    return Tally(count, feeds, fast, compared, tuple(failures))


def _chunk(place: tuple[int, int, int]) -> Tally:
    """Run some bodies in a process of their own, each against the clock."""
    signal.signal(signal.SIGALRM, _too_slow)
    try:
        return run(*place, seconds=_SECONDS_A_BODY)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _too_slow(_signal: int, _frame: FrameType | None) -> None:
    raise TooSlow


def _write(failure: Failure, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{failure.name}.body").write_bytes(failure.body)
    (folder / f"{failure.name}.txt").write_text(f"content type: {failure.content_type!r}\n\n{failure.says}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.bodies", description=__doc__)
    parser.add_argument("--count", type=int, default=100_000, help="how many bodies")
    parser.add_argument("--seed", type=int, default=0, help="the same seed makes the same bodies")
    parser.add_argument(
        "--start", type=int, default=0, help="the number of the first body, to go on or to replay"
    )
    parser.add_argument("--jobs", type=int, default=multiprocessing.cpu_count(), help="processes")
    parser.add_argument(
        "--failures", type=Path, default=Path("fuzz-failures"), help="where bad bodies are written"
    )
    return parser.parse_args()


def main() -> int:
    """Return 0 where every law held, else 1."""
    told = _arguments()
    end = told.start + told.count
    places = [(told.seed, start, min(_CHUNK, end - start)) for start in range(told.start, end, _CHUNK)]
    console = Console(stderr=True)
    started = time.monotonic()
    tallies: list[Tally] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    context = multiprocessing.get_context("spawn")
    with Progress(*columns, console=console) as progress, context.Pool(told.jobs) as pool:
        bar = progress.add_task("bodies", total=told.count)
        for tally in pool.imap_unordered(_chunk, places):
            tallies.append(tally)
            for failure in tally.failures:
                _write(failure, told.failures)
                console.print(
                    f"{failure.name} breaks a law: see {told.failures / failure.name}.txt", style="red"
                )
            progress.advance(bar, tally.bodies)
    return _report(tallies, time.monotonic() - started, console)


def _report(tallies: list[Tally], seconds: float, console: Console) -> int:
    bodies = sum(tally.bodies for tally in tallies)
    failed = sum(len(tally.failures) for tally in tallies)
    feeds, compared, fast = (
        sum(getattr(tally, name) for tally in tallies) for name in ("feeds", "compared", "fast")
    )
    console.print(
        f"{bodies:,} bodies in {seconds:.0f} s ({bodies / max(seconds, 1):.0f} a second): {feeds:,} feeds. "
        f"Of {compared:,} the fast reader took {fast:,}, as feedparser reads them. {failed} broke a law.",
        highlight=False,
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
