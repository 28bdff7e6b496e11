"""Measure how fast items are matched, what memory it takes, and how that compares with other ways to match.

    python benchmarks/matching.py [--full] [--terms 10 1000] [--items 24000] [--jsonl FILE] [--peers NAME …]
                                  [--json FILE] [--from FILE] [--markdown [FILE]]

Each row is measured in a process of its own, one after the other. Cold: the first 2,000 items of a fresh
matcher. Steady: 4,000 items that it has never seen, after all the others. Warm: the same again. A way that is
too slow for these gets as many items as its time allows, and the table says how many.

Without `--full` it takes a minute or two: fewer sizes, less time for slow ways, and no labelled texts.
`--full` takes about twenty; with `--markdown` it rewrites the section between the marks in docs/matching.md.
The peers come with `pip install 'topicwire[bench]'`; a row of one that is missing says so.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import Progress

from benchmarks.matching_hostile import cost_of_patterns, cost_of_texts
from benchmarks.matching_quality import Quality, best_of, own_quality, peer_quality
from benchmarks.matching_report import Report, as_markdown, read_report, rewrite, show
from benchmarks.matching_run import FLOORS, OURS, TIMES, Job, Row, write_world
from benchmarks.peers import MISSING, PEERS, Peer
from benchmarks.said import Said
from benchmarks.stream import said, stream
from benchmarks.topics import golden
from bot.jsonlines import BadLine, read_items
from bot.lexicon import open_lexicon
from bot.model import Item
from bot.rules import read_rules

ROOT: Final = Path(__file__).resolve().parent.parent
RUN: Final = Path(__file__).with_name("matching_run.py")
SIZES: Final = (10, 100, 1_000, 10_000, 100_000)
QUICK_SIZES: Final = (10, 10_000)
ITEMS: Final = 24_000
FULL_LIMITS: Final = (5.0, 120.0)  # seconds of the process: for a peer's phase, for compiling
QUICK_LIMITS: Final = (1.0, 20.0)
HOSTILE_TERMS: Final = 10_000


def items_of(file: Path | None, count: int) -> list[Item]:
    """Return so many items of a file of JSON lines, else of the made-up stream."""
    if file is None:
        return list(stream(count))
    with file.open("rb") as lines:
        return list(islice(_good(lines), count))


def _good(lines: Iterator[bytes]) -> Iterator[Item]:
    for one in read_items(lines):
        if isinstance(one, BadLine):
            sys.stderr.write(f"left out: {one}\n")
        else:
            yield one.as_item()


# ---- speed -------------------------------------------------------------------------------------


def jobs(
    sizes: Sequence[int], peers: Sequence[Peer], settings: dict[str, str], *, is_full: bool
) -> list[Job]:
    """Return what to measure; the floors, and the engine in a full run, at the end once more."""
    budget_s, limit_s = FULL_LIMITS if is_full else QUICK_LIMITS
    floors = [Job(who=floor, terms=0) for floor in FLOORS]
    ours = [Job(who=OURS, terms=size, budget_s=60.0) for size in sizes]
    others = [
        Job(
            who=peer.name, terms=size, setting=settings[peer.name], budget_s=budget_s, compile_limit_s=limit_s
        )
        for peer in peers
        for size in sizes
    ]
    return [*floors, *ours, *others, *floors, *(ours if is_full else ())]


def row_of(job: Job, folder: Path) -> Row:
    """Return what a process of its own measures."""
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, str(RUN), str(folder)],
        input=json.dumps(asdict(job)),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return Row(**json.loads(done.stdout))
    if done.returncode == -signal.SIGPROF:
        return _failed(job, f"does not compile in {job.compile_limit_s:.0f} s")
    why = done.stderr.strip().splitlines()
    return _failed(job, why[-1] if why else f"ended by signal {-done.returncode}")


def quickest(rows: Sequence[Row]) -> list[Row]:
    """Return one row for each way and number of terms, of two the lesser figures: the machine is shared."""
    best: dict[tuple[str, int], Row] = {}
    for row in rows:
        known = best.setdefault((row.who, row.terms), row)
        if not (row.failed or known.failed):
            figures = {name: min(getattr(row, name), getattr(known, name)) for name in TIMES}
            best[row.who, row.terms] = replace(known, **figures)
    return list(best.values())


def _failed(job: Job, why: str) -> Row:
    return Row(who=job.who, terms=job.terms, setting=job.setting, failed=why)


def measured(
    todo: Sequence[Job], items: Sequence[Item], terms: Sequence[Said], progress: Progress
) -> list[Row]:
    """Return a row for each job, in order."""
    missing = {peer.name for peer in PEERS if not peer.is_installed}
    with tempfile.TemporaryDirectory() as name:
        write_world(Path(name), items, terms)
        rows = []
        for job in progress.track(todo, description="speed"):
            row = _failed(job, MISSING) if job.who in missing else row_of(job, Path(name))
            rows.append(row)
            if progress.disable:  # no terminal: a line instead of the bar
                told = row.failed or f"{row.steady_us:,.0f} µs"
                sys.stderr.write(f"{len(rows)} of {len(todo)}: {job.who}, {job.terms} terms: {told}\n")
    return quickest(rows)


# ---- quality -----------------------------------------------------------------------------------


def qualities(peers: Sequence[Peer], progress: Progress) -> dict[str, list[Quality]]:
    """Return how the engine and each installed peer do on the labelled texts, at each setting."""
    matcher = read_rules(ROOT / "rules").matcher
    texts = golden()
    found = {OURS: [own_quality(matcher, texts)]}
    for peer in progress.track(peers, description="labelled texts"):
        if peer.is_installed:
            found[peer.name] = [peer_quality(peer, one, matcher, texts) for one in peer.settings]
    return found


def settings(peers: Sequence[Peer], known: dict[str, list[Quality]]) -> dict[str, str]:
    """Return at which setting each peer's speed is measured: of the usual ones that with the best F1."""
    chosen = {peer.name: peer.usual[0] for peer in peers}
    for peer in peers:
        if usual := [one for one in known.get(peer.name, ()) if one.setting in peer.usual]:
            chosen[peer.name] = best_of(usual).setting
    return chosen


# ---- the command -------------------------------------------------------------------------------


def report(options: argparse.Namespace, progress: Progress) -> Report:
    """Return everything that the options ask for."""
    sizes = options.terms or (SIZES if options.full else QUICK_SIZES)
    peers = [peer for peer in PEERS if options.peers is None or peer.name in options.peers]
    known = qualities(peers, progress) if options.full else {}
    items = items_of(options.jsonl, options.items or ITEMS)
    terms = said(max(*sizes, HOSTILE_TERMS))
    todo = jobs(sizes, peers, settings(peers, known), is_full=options.full)
    rows = measured(todo, items, terms, progress)
    is_real = open_lexicon()
    return Report(
        rows=rows,
        qualities=known,
        texts=cost_of_texts(terms[:HOSTILE_TERMS], is_real),
        patterns=cost_of_patterns(is_real),
        items=len(items),
        is_made_up=options.jsonl is None,
    )


def arguments_parser() -> argparse.ArgumentParser:
    """Return the reader of the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--full", action="store_true", help="all sizes, more time for slow ways, and the labelled texts"
    )
    parser.add_argument("--terms", type=int, nargs="+", help="numbers of terms")
    parser.add_argument("--items", type=int, help="how many items")
    parser.add_argument("--jsonl", type=Path, help="items, one a line, as JSON, instead of made-up ones")
    parser.add_argument(
        "--peers", nargs="*", choices=[peer.name for peer in PEERS], help="only these; none named: none"
    )
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument(
        "--from", dest="known", type=Path, help="show figures that --json wrote; measure nothing"
    )
    parser.add_argument(
        "--markdown",
        type=Path,
        nargs="?",
        const=ROOT / "docs" / "matching.md",
        help="rewrite the section there",
    )
    return parser


def main(arguments: Sequence[str]) -> int:
    """Print the tables; return 0."""
    options = arguments_parser().parse_args(arguments)
    console = Console() if sys.stdout.isatty() else Console(width=150)
    told = read_report(options.known) if options.known else measured_now(options, console)
    show(told, console)
    if options.json:
        options.json.write_text(json.dumps(asdict(told), ensure_ascii=False, indent=2), encoding="utf-8")
    if options.markdown:
        rewrite(options.markdown, as_markdown(told))
    return 0


def measured_now(options: argparse.Namespace, console: Console) -> Report:
    """Return the report of a run, told how busy the machine is and how far it has come."""
    console.print(f"load of the machine at the start: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    stderr = Console(stderr=True)
    with Progress(console=stderr, transient=True, disable=not stderr.is_terminal) as progress:
        return report(options, progress)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
