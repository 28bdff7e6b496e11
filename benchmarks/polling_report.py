"""What `benchmarks/polling.py` measured, as tables, beside the figures that we hold ourselves to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from rich.console import Console
from rich.table import Table

from benchmarks.polling_run import OURS, READER, Took

FIRST: Final = "first"
UNCHANGED: Final = "all 304"
NEWS: Final = "5 % with news"
PASSES: Final = (FIRST, UNCHANGED, NEWS)
PASS_HEADS: Final = (
    "", "pass", "CPU s", "ms a feed", "÷ reader", "wall s", "peak MB", "requests", "304", "dialled", "MB in",
    "items stored", "matched", "failed",
)  # fmt: skip
CROWD_HEADS: Final = (
    "feeds in the store",
    "CPU ms a poll",
    "tick p50 ms",
    "tick p99 ms",
    "MB",
    "polls",
    "ticks",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PassRow:
    """What a pass over all feeds took a contender, its parse workers included."""

    who: str
    name: str  # of the pass
    took: Took
    peak_mb: float  # proportional set size of all its processes, looked at each 100 ms
    requests: int  # as the server counts
    unchanged: int
    connections: int
    received: int  # bytes of bodies, as sent


@dataclass(frozen=True, slots=True, kw_only=True)
class BombRow:
    """What a small answer that swells took."""

    kind: str
    mb: float  # the most resident memory, beyond what was in use before
    idle_mb: float  # in use before
    said: str  # what the poll came to


@dataclass(frozen=True, slots=True, kw_only=True)
class CrowdRow:
    """What polls and ticks take with so many feeds in the store."""

    feeds: int
    polls: int
    cpu_ms: float  # a poll, of the quickest pass
    ticks: int
    p50_ms: float  # wall
    p99_ms: float
    peak_mb: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All figures of a run."""

    feeds: int
    size: int  # bytes of each
    bomb_mib: int
    load: float  # of the machine at the start
    passes: list[PassRow] = field(default_factory=list)
    bombs: list[BombRow] = field(default_factory=list)
    crowds: list[CrowdRow] = field(default_factory=list)

    def row(self, who: str, name: str) -> PassRow | None:
        """Return what a pass took a contender; None: it was not measured."""
        return next((one for one in self.passes if (one.who, one.name) == (who, name)), None)

    def ratio(self, who: str, name: str) -> float | None:
        """Return a contender's CPU in a pass over lemon24/reader's; None: one was not measured."""
        ours, theirs = self.row(who, name), self.row(READER, name)
        return ours.took.cpu_s / theirs.took.cpu_s if ours and theirs and theirs.took.cpu_s else None


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure that we hold ourselves to."""

    name: str
    value: float
    limit: float
    unit: str = ""

    @property
    def is_met(self) -> bool:
        """True: the figure is not over the limit."""
        return self.value <= self.limit


def bars(told: Report) -> Iterator[Bar]:
    """Yield the bars that the figures of a run can tell about."""
    for name in (FIRST, UNCHANGED):
        if (ratio := told.ratio(OURS, name)) is not None:
            yield Bar(f"CPU ÷ lemon24/reader's, {name}", ratio, 0.1)
    if ours := [row.peak_mb for row in told.passes if row.who == OURS]:
        yield Bar("peak memory over all passes", max(ours), 150, " MB")
    if told.bombs:
        worst = max(told.bombs, key=lambda row: row.mb)
        yield Bar(f"a bomb of {told.bomb_mib} MiB ({worst.kind}), memory above idle", worst.mb, 60, " MB")
    if told.crowds and told.crowds[-1].feeds >= 100_000:
        yield Bar("tick with 100,000 feeds in the store, p99", told.crowds[-1].p99_ms, 50, " ms")


# ---- rows --------------------------------------------------------------------------------------


def pass_cells(told: Report) -> Iterator[list[str]]:
    """Yield a row's cells for each contender and pass."""
    for name in PASSES:
        for row in (row for row in told.passes if row.name == name):
            ratio = told.ratio(row.who, name)
            yield [
                row.who,
                name,
                f"{row.took.cpu_s:,.2f}",
                f"{row.took.cpu_s / max(row.took.polled, 1) * 1e3:,.2f}",
                "" if ratio is None or row.who == READER else f"{ratio:.3f}",
                f"{row.took.wall_s:,.1f}",
                f"{row.peak_mb:,.0f}",
                f"{row.requests:,}",
                f"{row.unchanged:,}",
                f"{row.connections:,}",
                f"{row.received / 1e6:,.1f}",
                f"{row.took.stored:,}",
                "" if row.who == READER else f"{row.took.matched:,}",
                f"{row.took.failed:,}",
            ]


def crowd_cells(told: Report) -> Iterator[list[str]]:
    """Yield a row's cells for each number of feeds."""
    for row in told.crowds:
        figures = (f"{one:,.2f}" for one in (row.cpu_ms, row.p50_ms, row.p99_ms))
        yield [f"{row.feeds:,}", *figures, f"{row.peak_mb:,.0f}", f"{row.polls:,}", f"{row.ticks:,}"]


def show(told: Report, console: Console) -> None:
    """Print the tables for people."""
    if told.passes:
        title = f"{told.feeds:,} feeds of {told.size / 1e3:g} KB, each on a host of its own"
        _print(console, title, PASS_HEADS, pass_cells(told), left=2)
    for row in told.passes:
        if row.took.failed:
            console.print(f"{row.who}, {row.name}: {row.took.failed} polls failed; one said: {row.took.said}")
    if told.bombs:
        cells = ([row.kind, f"{row.mb:,.1f}", f"{row.idle_mb:,.0f}", row.said] for row in told.bombs)
        heads = ("encoding", "MB above idle", "idle MB", "the poll said")
        _print(console, f"a bomb of {told.bomb_mib} MiB", heads, cells, left=1)
    if told.crowds:
        _print(console, "a crowd of feeds, all answering 304", CROWD_HEADS, crowd_cells(told), left=0)
    met = (
        [
            bar.name,
            f"{bar.value:,.3g}{bar.unit}",
            f"≤ {bar.limit:g}{bar.unit}",
            "met" if bar.is_met else "not met",
        ]
        for bar in bars(told)
    )
    _print(console, "bars", ("", "measured", "bar", ""), met, left=1)


def _print(
    console: Console, title: str, heads: Sequence[str], rows: Iterator[list[str]], *, left: int
) -> None:
    table = Table(title=title, title_justify="left")
    for number, head in enumerate(heads):
        table.add_column(head, justify="left" if number < left else "right", no_wrap=number < left)
    for cells in rows:
        table.add_row(*cells)
    console.print(table)
