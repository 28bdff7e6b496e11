"""What `benchmarks/matching.py` measured, as tables for people and for docs/matching.md."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from benchmarks.matching_quality import Quality, best_of
from benchmarks.matching_run import OURS, PLAIN, TEXT, Row

BEGIN: Final = "<!-- speed: written by python benchmarks/matching.py --full --markdown -->"
END: Final = "<!-- speed: end -->"
SPEED: Final = (
    "", "terms", "cold µs", "steady µs", "warm µs", "items/s", "÷ plain", "÷ text", "compile s", "MB",
    "MB, all seen", "found", "of items",
)  # fmt: skip
QUALITY: Final = ("", "setting", "precision", "recall", "F1")
BARS: Final = ("", "measured", "bar", "")
HOSTILE: Final = ("", "ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All figures of a run."""

    rows: list[Row]
    qualities: Mapping[str, list[Quality]] = field(default_factory=dict)
    texts: dict[str, float] = field(default_factory=dict)  # seconds that hostile ones cost
    patterns: dict[str, float] = field(default_factory=dict)
    items: int = 0
    is_made_up: bool = True

    def row(self, who: str, terms: int = 0) -> Row | None:
        """Return the row of a way to match at a number of terms; None: it has no figures."""
        return next((r for r in self.rows if r.who == who and r.terms == terms and not r.failed), None)


def read_report(path: Path) -> Report:
    """Return the report that `--json` wrote."""
    told = json.loads(path.read_text(encoding="utf-8"))
    rows = [Row(**row) for row in told.pop("rows")]
    qualities = {name: [Quality(**one) for one in some] for name, some in told.pop("qualities").items()}
    return Report(rows=rows, qualities=qualities, **told)


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure that we hold ourselves to."""

    name: str
    value: float
    limit: float
    unit: str = ""
    is_least: bool = False  # True: the figure shall be at least the limit, not at most

    @property
    def is_met(self) -> bool:
        """True: the figure is on the right side."""
        return self.value >= self.limit if self.is_least else self.value <= self.limit


# ---- bars --------------------------------------------------------------------------------------


def bars(told: Report) -> list[Bar]:
    """Return the bars that the rows of a run can tell about."""
    return [*_against_floors(told), *_against_peers(told), *_of_size(told), *_of_hostility(told)]


def _against_floors(told: Report) -> Iterator[Bar]:
    ours = told.row(OURS, 10_000)
    for name, floor in ((name, told.row(name)) for name in (PLAIN, TEXT)):
        if ours is not None and floor is not None:
            yield Bar(f"steady at 10,000 terms ÷ {name}", ours.steady_us / floor.steady_us, 8)
            yield Bar(f"warm at 10,000 terms ÷ {name}", ours.warm_us / floor.warm_us, 2)
    few, many = told.row(OURS, 10), told.row(OURS, 100_000)
    if few is not None and many is not None:
        yield Bar("steady at 100,000 terms ÷ at 10", many.steady_us / few.steady_us, 5)


def _against_peers(told: Report) -> Iterator[Bar]:
    for terms, limit in ((10, 1), (10_000, 200)):
        ours, loop = told.row(OURS, terms), told.row("partial_ratio", terms)
        if ours is not None and loop is not None:
            ratio = loop.steady_us / ours.steady_us
            yield Bar(f"partial_ratio loop ÷ ours, steady, at {terms:,} terms", ratio, limit, is_least=True)


def _of_size(told: Report) -> Iterator[Bar]:
    many = told.row(OURS, 100_000)
    if many is not None:
        yield Bar("100,000 terms read and compiled", many.read_s + many.compile_s, 10, " s")
        yield Bar("100,000 terms compiled, memory", many.compiled_mb, 300, " MB")


def _of_hostility(told: Report) -> Iterator[Bar]:
    for what, costs in (("text of 1 MB", told.texts), ("pattern", told.patterns)):
        if costs:
            worst = max(costs, key=lambda name: costs[name])
            shown = worst if what != "pattern" else f"`{worst}`"
            yield Bar(f"the worst {what}: {shown}", costs[worst], 1, " s")


def better_peers(told: Report) -> list[str]:
    """Return the peers that find more than the engine at its precision and are quicker at 1,000 terms."""
    own = best_of(told.qualities[OURS])
    ours = told.row(OURS, 1_000)
    found = []
    for name, some in told.qualities.items():
        row = told.row(name, 1_000)
        precise = [one.recall for one in some if one.precision >= own.precision]
        if name != OURS and ours is not None and row is not None and max(precise, default=0) > own.recall:
            found += [name] if row.steady_us < ours.steady_us else []
    return found


# ---- rows --------------------------------------------------------------------------------------


def speed_cells(told: Report) -> Iterator[list[str]]:
    """Yield a row's cells for each way to match and number of terms."""
    floors = [told.row(name) for name in (PLAIN, TEXT)]
    for row in told.rows:
        name = f"{row.who}, {row.setting}" if row.setting else row.who
        terms = f"{row.terms:,}" if row.terms else ""
        if row.failed:
            yield [name, terms, row.failed, *[""] * (len(SPEED) - 3)]
            continue
        yield [
            name,
            terms,
            *(_us(us) for us in (row.cold_us, row.steady_us, row.warm_us)),
            f"{1e6 / row.steady_us:,.0f}" if row.steady_us < 1e6 else f"{1e6 / row.steady_us:.2f}",
            *(f"{row.steady_us / floor.steady_us:,.1f}" if floor is not None else "" for floor in floors),
            f"{row.read_s + row.compile_s:.1f}",
            f"{row.compiled_mb:,.0f}",
            f"{row.after_mb:,.0f}",
            f"{row.found:.2f}",
            f"{row.items:,}",
        ]


def _us(us: float) -> str:
    return f"{us:,.0f}" if us >= 10 else f"{us:.1f}"


def quality_cells(told: Report) -> Iterator[list[str]]:
    """Yield a row's cells for each way to match and setting."""
    for name, some in told.qualities.items():
        best = best_of(some)
        for one in some:
            shares = (f"{share:.3f}" for share in (one.precision, one.recall, one.f1))
            yield [name, one.setting + " (best)" * (one is best and len(some) > 1), *shares]


def hostile_cells(told: Report) -> Iterator[list[str]]:
    """Yield a row's cells for each hostile text and pattern, the worst first."""
    costs = told.texts | {f"`{pattern}`": cost for pattern, cost in told.patterns.items()}
    for name, cost in sorted(costs.items(), key=lambda one: -one[1]):
        yield [name, f"{cost * 1_000:,.1f}"]


def bar_cells(told: Report) -> Iterator[list[str]]:
    """Yield a row's cells for each bar."""
    for bar in bars(told):
        sign = "≥" if bar.is_least else "≤"
        met = "met" if bar.is_met else "missed"
        yield [bar.name, f"{bar.value:,.2f}{bar.unit}", f"{sign} {bar.limit:g}{bar.unit}", met]
    if told.qualities:
        better = better_peers(told)
        met = "missed" if better else "met"
        yield [
            "peers with more recall at our precision and more speed",
            ", ".join(better) or "none",
            "none",
            met,
        ]


# ---- printing ----------------------------------------------------------------------------------


def show(told: Report, console: Console) -> None:
    """Print the tables for people."""
    _print(console, f"speed, {told.items:,} items", SPEED, list(speed_cells(told)), left=1)
    if told.qualities:
        _print(console, "labelled texts", QUALITY, list(quality_cells(told)), left=2)
    _print(console, "hostile texts of 1 MB, and patterns", HOSTILE, list(hostile_cells(told)), left=1)
    _print(console, "bars", BARS, list(bar_cells(told)), left=1)


def _print(console: Console, title: str, heads: Sequence[str], rows: list[list[str]], *, left: int) -> None:
    table = Table(title=title, title_justify="left")
    for number, head in enumerate(heads):
        table.add_column(head, justify="left" if number < left else "right", no_wrap=number < left)
    for cells in rows:
        table.add_row(*cells)
    console.print(table)


def as_markdown(told: Report) -> str:
    """Return the tables for docs/matching.md."""
    source = "of a made-up stream in twelve languages" if told.is_made_up else "of real feeds"
    parts = [
        f"{told.items:,} items {source}, 2 shared cores, Python 3.11. µs are of the process, for an item.",
        _markdown(SPEED, speed_cells(told), left=1),
    ]
    if told.qualities:
        parts += ["On the labelled texts, under the expressions of the shipped rules:"]
        parts += [_markdown(QUALITY, quality_cells(told), left=2)]
    parts += [
        "Hostile items of 1 MB with 10,000 terms, and hostile patterns:",
        _markdown(HOSTILE, hostile_cells(told), left=1),
    ]
    parts += ["What we hold ourselves to:", _markdown(BARS, bar_cells(told), left=1)]
    return "\n\n".join(parts)


def _markdown(heads: Sequence[str], rows: Iterator[list[str]], *, left: int) -> str:
    lines = [_line(heads), "|" + "---|" * left + "---:|" * (len(heads) - left)]
    return "\n".join([*lines, *map(_line, rows)])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def rewrite(path: Path, text: str) -> None:
    """Put the text between the marks of a page.

    Raises:
        ValueError: The page has no marks.
    """
    page = path.read_text(encoding="utf-8")
    before, after = page.index(BEGIN) + len(BEGIN), page.index(END)
    path.write_text(f"{page[:before]}\n\n{text}\n\n{page[after:]}", encoding="utf-8")
