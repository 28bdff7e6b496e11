"""Measure what polling costs, side by side with lemon24/reader, against a server on loopback.

    python benchmarks/polling.py [--quick] [--feeds 2000] [--only passes bombs crowd] [--who NAME …]
                                 [--dir DIR] [--json FILE]

Passes: all feeds are polled for the first time, then when nothing has changed, then when every twentieth has
a new item. Topicwire polls as `topicwire once` does, with its database on disk and one parse worker; once
without topics, since lemon24/reader matches nothing, and once with the shipped ones. lemon24/reader updates
with 10 threads. Each has a process of its own; processor time and memory are those of it and of all that it
started, and the time after a pass in which it gives its connections up counts, since feeds are polled minutes
apart.

Bombs: answers of some hundred kilobytes at most, which swell to 256 MiB. Crowd: polls that are answered 304,
and the claims of a tick, with many feeds in the store of which few are due.

Linux alone gives each feed a loopback address of its own, and tells what processes take.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from benchmarks.polling_feeds import SIZE
from benchmarks.polling_process import Watch
from benchmarks.polling_report import NEWS, PASSES, BombRow, CrowdRow, PassRow, Report, show
from benchmarks.polling_run import BOMB, CROWD, MATCHING, OURS, READER, Job, Took
from benchmarks.polling_server import BOMBS, Serving

HERE: Final = Path(__file__).resolve().parent
WHO: Final = {"reader": READER, "topicwire": OURS, "matching": MATCHING}
PARTS: Final = ("passes", "bombs", "crowd")
NEWS_EVERY: Final = 20  # feeds
POLL_PASSES: Final = 3  # of a crowd, of which the quickest counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How much is measured."""

    feeds: int = 2_000
    size: int = SIZE
    pause_s: float = 12.0  # longer than connections are kept alive
    host_interval_s: float = 2.0
    bomb_mib: int = 256
    crowds: tuple[int, ...] = (1_000, 10_000, 100_000)
    due: int = 500
    ticks: int = 300


QUICK: Final = Scale(feeds=40, pause_s=0.1, host_interval_s=0, bomb_mib=16, crowds=(200,), due=20, ticks=10)
Tell = Callable[[str], None]


class ChildFailed(Exception):
    """A process that measures has ended; the text holds its last words."""


class Child:
    """A process that answers a line with a line."""

    def __init__(self, process: subprocess.Popen[str], said: Path) -> None:
        self._process = process
        self._said = said
        self.pid = process.pid

    def read(self) -> str:
        """Return the next line.

        Raises:
            ChildFailed: There is none.
        """
        if (line := self._read()) is None:
            self._process.wait()
            raise ChildFailed("\n".join(self._said.read_text(errors="replace").splitlines()[-12:]))
        return line

    def ask(self, line: str) -> Any:
        """Return what the process answers to a line."""
        self._write(line)
        return json.loads(self.read())

    def _read(self) -> str | None:
        out = self._process.stdout
        return (out.readline() or None) if out else None

    def _write(self, line: str) -> None:
        if self._process.stdin:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()


@contextmanager
def child(script: str, first: object) -> Iterator[Child]:
    """Start a script with its first line of input; it ends with its input, at the end of the context."""
    proxies = {"http_proxy", "https_proxy", "all_proxy"}
    clean = {name: value for name, value in os.environ.items() if name.lower() not in proxies}
    with tempfile.TemporaryDirectory() as folder:
        said = Path(folder) / "stderr"
        with said.open("w") as stderr:
            process = subprocess.Popen(  # noqa: S603 - our own script
                [sys.executable, str(HERE / script)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                env=clean,
            )
        with process:  # at its end, input is closed and the process waited for
            if process.stdin:
                process.stdin.write(json.dumps(asdict(first)) + "\n")  # type: ignore[call-overload]  # a dataclass
                process.stdin.flush()
            yield Child(process, said)


@contextmanager
def contender(job: Job) -> Iterator[tuple[Child, Watch]]:
    """Start a contender, ready to be asked, and a watch on its memory."""
    with child("polling_run.py", job) as one:
        one.read()
        with Watch(one.pid) as memory:
            yield one, memory


# ---- the parts ---------------------------------------------------------------------------------


def passes(whose: Sequence[str], scale: Scale, folder: Path, tell: Tell) -> Iterator[PassRow]:
    """Yield a row for each contender and pass."""
    with child("polling_server.py", Serving(feeds=scale.feeds, size=scale.size)) as server:
        port = int(server.read())
        for who in whose:
            with contender(_job(who, scale, folder, port, scale.feeds)) as (runner, memory):
                for name in PASSES:
                    if name == NEWS:
                        server.ask(f"publish {NEWS_EVERY}")
                    yield _pass(who, name, runner, memory, server)
                    tell(f"{who}, {name}: done")


def _pass(who: str, name: str, runner: Child, memory: Watch, server: Child) -> PassRow:
    server.ask("counts")
    memory.take_peak_mb()
    took = Took(**runner.ask(name))
    counts = server.ask("counts")
    return PassRow(
        who=who,
        name=name,
        took=took,
        peak_mb=memory.take_peak_mb(),
        requests=counts.get("requests", 0),
        unchanged=counts.get("unchanged", 0),
        connections=counts.get("connections", 0),
        received=counts.get("bytes", 0),
    )


def bombs(scale: Scale, folder: Path, tell: Tell) -> Iterator[BombRow]:
    """Yield a row for each kind of bomb."""
    serving = Serving(feeds=1, size=scale.size, bomb_mib=scale.bomb_mib)
    with (
        child("polling_server.py", serving) as server,
        contender(_job(BOMB, scale, folder, int(server.read()), 1)) as (runner, _),
    ):
        for kind in BOMBS:
            yield BombRow(**runner.ask(kind))
            tell(f"bomb, {kind}")


def crowds(scale: Scale, folder: Path, tell: Tell) -> Iterator[CrowdRow]:
    """Yield a row for each number of feeds in the store."""
    with child("polling_server.py", Serving(feeds=1, size=scale.size)) as server:
        port = int(server.read())
        for feeds in scale.crowds:
            with contender(_job(CROWD, scale, folder, port, feeds)) as (runner, memory):
                runner.ask("polls")  # imports, caches, and the first statement of each kind
                memory.take_peak_mb()
                took = [Took(**runner.ask("polls")) for _ in range(POLL_PASSES)]
                if any(one.failed for one in took):
                    raise ChildFailed(f"polls of a crowd failed: {took[0].said or took[-1].said}")
                ticks = runner.ask("ticks")
                tell(f"{feeds} feeds in the store")
                yield CrowdRow(
                    feeds=feeds,
                    polls=sum(one.polled for one in took),
                    cpu_ms=min(one.cpu_s / max(one.polled, 1) * 1e3 for one in took),
                    ticks=len(ticks),
                    p50_ms=ticks[len(ticks) // 2],
                    p99_ms=ticks[int(len(ticks) * 0.99)],
                    peak_mb=memory.take_peak_mb(),
                )


def _job(who: str, scale: Scale, folder: Path, port: int, feeds: int) -> Job:
    place = folder / f"{who.replace('/', '-')}-{feeds}"
    place.mkdir()
    return Job(
        who=who,
        folder=str(place),
        port=port,
        feeds=feeds,
        pause_s=scale.pause_s,
        host_interval_s=scale.host_interval_s,
        due=scale.due,
        ticks=scale.ticks,
    )


# ---- the command -------------------------------------------------------------------------------


def measured(
    scale: Scale, parts: Sequence[str], whose: Sequence[str], tell: Tell, place: Path | None = None
) -> Report:
    """Return the figures of these parts.

    Args:
        place: Where the databases lie meanwhile; None: where the system keeps what is temporary.
    """
    report = Report(feeds=scale.feeds, size=scale.size, bomb_mib=scale.bomb_mib, load=os.getloadavg()[0])
    with tempfile.TemporaryDirectory(dir=place) as name:
        folder = Path(name)
        if "passes" in parts:
            report.passes.extend(passes(whose, scale, folder, tell))
        if "bombs" in parts:
            report.bombs.extend(bombs(scale, folder, tell))
        if "crowd" in parts:
            report.crowds.extend(crowds(scale, folder, tell))
    return report


def arguments_parser() -> argparse.ArgumentParser:
    """Return the reader of the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="little of everything, to see that it runs")
    parser.add_argument("--feeds", type=int, help="how many feeds are polled in the passes")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="these parts")
    parser.add_argument("--who", nargs="+", choices=list(WHO), help="these contenders in the passes")
    parser.add_argument("--dir", type=Path, help="where the databases lie meanwhile")
    parser.add_argument("--json", type=Path, help="write the figures there")
    return parser


def contenders(named: Sequence[str] | None, tell: Tell) -> list[str]:
    """Return who shall poll; lemon24/reader only where it is installed, which is told."""
    whose = [WHO[name] for name in named or WHO]
    if READER in whose and find_spec("reader") is None:
        tell("lemon24/reader is not installed: pip install 'topicwire[bench]'")
        whose.remove(READER)
    return whose


def main(arguments: Sequence[str]) -> int:
    """Print the tables; return 0, or 1 where something could not be measured."""
    options = arguments_parser().parse_args(arguments)
    console = Console() if sys.stdout.isatty() else Console(width=150)
    stderr = Console(stderr=True)
    scale = QUICK if options.quick else Scale()
    if options.feeds:
        scale = Scale(**asdict(scale) | {"feeds": options.feeds})
    console.print(f"load of the machine at the start: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    try:
        told = measured(scale, options.only, contenders(options.who, stderr.print), stderr.print, options.dir)
    except ChildFailed as error:
        stderr.print(f"could not be measured:\n{error}", markup=False)
        return 1
    show(told, console)
    if options.json:
        options.json.write_text(json.dumps(asdict(told), ensure_ascii=False, indent=2), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
