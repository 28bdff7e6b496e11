"""How the results of a backtest look: a table with samples for people, JSON for machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.backtest import Applied
from bot.core.backtest import MOST_STORIES, Change, Comparison, Sample, a_day
from bot.jsonlines import shown
from bot.model import TopicId, TopicStatus
from bot.rules import RuleSet
from bot.rules.inline import describe

LONGEST_WHY = 400  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparing:
    """What was compared, and what came of it."""

    rules: RuleSet
    against: RuleSet | None  # None: compared with the stored matches
    comparison: Comparison
    has_store: bool = True  # False: the items came from a file
    since: datetime | None = None

    @property
    def base(self) -> str:
        """Return what the answers are compared with: rules, stored or nothing."""
        if self.against is not None:
            return "rules"
        return "stored" if self.has_store else "nothing"

    @property
    def changes(self) -> Mapping[TopicId, Change]:
        """Return the topics' changes, those with most to look at first."""
        every = self.comparison.changes.items()
        return dict(sorted(every, key=lambda one: (-(one[1].new + one[1].lost), -one[1].now, one[0])))

    def alerts_a_day(self, change: Change, *, before: bool = False) -> float | None:
        """Return the stories with news in them a day; None: not known."""
        if not self.comparison.has_stories:
            return None
        return a_day(len(change.stories_before if before else change.stories), self.comparison.span)

    def why_lost(self, topic: TopicId, sample: Sample) -> str:
        """Return why an item belongs to a topic no more."""
        known = self.rules.topics.get(topic)
        if known is None:
            return "the rules have no such topic"
        if known.status is TopicStatus.DEPRECATED:
            return "the topic is deprecated"
        (explanation,) = self.rules.explain(sample.item, topic)
        return describe(explanation)


# ---- for machines ------------------------------------------------------------------------------


def backtest_json(one: Comparing) -> dict[str, Any]:
    """Return all that a backtest found."""
    span = one.comparison.span
    return {
        "items": one.comparison.items,
        "since": one.since.isoformat() if one.since else None,
        "days": round(span.total_seconds() / 86_400, 2) if span else None,
        "against": one.base,
        "rules_hash": one.rules.rules_hash,
        "topics": [_change_json(one, topic, change) for topic, change in one.changes.items()],
    }


def _change_json(one: Comparing, topic: TopicId, change: Change) -> dict[str, Any]:
    return {
        "topic": topic,
        "now": change.now,
        "before": change.before,
        "new": change.new,
        "lost": change.lost,
        "items_a_day": _rounded(a_day(change.news, one.comparison.span)),
        "alerts_a_day": _rounded(one.alerts_a_day(change)),
        "alerts_a_day_before": _rounded(one.alerts_a_day(change, before=True)),
        "new_sample": [_sample_json(sample) for sample in change.new_sample],
        "lost_sample": [
            {**_sample_json(sample), "why": one.why_lost(topic, sample)} for sample in change.lost_sample
        ],
    }


def _sample_json(sample: Sample) -> dict[str, Any]:
    return {
        "id": sample.number,
        "title": sample.item.title,
        "url": sample.item.url,
        "source": sample.item.outlet,
        "score": sample.match.score,
        "terms": [asdict(term) for term in sample.match.terms],
    }


def applied_json(applied: Applied) -> dict[str, Any]:
    """Return what was told."""
    return {
        "items": applied.items,
        "stories": applied.stories,
        "alerts": applied.alerts,
        "chats": len(applied.chats),
        "edits": applied.edits,
        "as_digest": applied.as_digest,
    }


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 2)


# ---- for people --------------------------------------------------------------------------------


def show_backtest(console: Console, one: Comparing) -> None:
    """Print a table of the topics, and titles of what is new and what is lost."""
    console.print(_table(one))
    for topic, change in one.changes.items():
        for line in _samples(one, topic, change):
            console.print(line, soft_wrap=True)
    console.print(_summary(one), soft_wrap=True)


def _table(one: Comparing) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("topic", no_wrap=True)
    for heading in ("now", "before", "new", "lost", "alerts a day", "before"):
        table.add_column(heading, justify="right")
    for topic, change in one.changes.items():
        is_known = one.base != "nothing"
        table.add_row(
            topic,
            f"{change.now:,}",
            f"{change.before:,}" if is_known else "-",
            Text(f"{change.new:,}", "green" if change.new else ""),
            Text(f"{change.lost:,}", "red" if change.lost else "") if is_known else "-",
            _rate(one.alerts_a_day(change)),
            _rate(one.alerts_a_day(change, before=True)) if is_known else "-",
        )
    return table


def _rate(rate: float | None) -> str:
    return "-" if rate is None else f"{rate:,.1f}"


def _samples(one: Comparing, topic: TopicId, change: Change) -> Iterator[Text]:
    for kind, number, samples in (
        ("new", change.new, list(change.new_sample)),
        ("lost", change.lost, list(change.lost_sample)),
    ):
        if samples:
            some = f", {len(samples)} of them" if len(samples) < number else ""
            yield Text(f"\n{topic}: {number:,} {kind}{some}", "bold")
        for sample in samples:
            yield _sample_line(sample, is_new=kind == "new")
            if kind == "lost":
                yield Text(f"      {shown(one.why_lost(topic, sample), LONGEST_WHY)}", "dim")


def _sample_line(sample: Sample, *, is_new: bool) -> Text:
    sign, style = ("+", "green") if is_new else ("-", "red")
    found = ", ".join(f"{term.term} in {term.field}" for term in sample.match.terms[:3])
    facts = f"[{sample.number}; {found}]"
    score = f"{sample.match.score:5.1f} "
    return Text.assemble((f"  {sign} ", style), score, shown(sample.item.title), (" " + shown(facts), "dim"))


def _summary(one: Comparing) -> str:
    comparison, span = one.comparison, one.comparison.span
    bases = {
        "rules": "compared with the other rules",
        "stored": "compared with the stored matches",
        "nothing": "compared with nothing, so all of it counts as new; name other rules with --against",
    }
    days = f" of {span.total_seconds() / 86_400:.1f} days" if span else ""
    noun = "item" if comparison.items == 1 else "items"
    said = f"\n{comparison.items:,} {noun}{days}, {bases[one.base]}"
    if span is None and comparison.items:
        said += "; no item has a date, so nothing is said of a day"
    if not comparison.has_stories:
        said += f"; over {MOST_STORIES:,} matched items, so they were not put into stories"
    return said


def show_applied(console: Console, applied: Applied) -> None:
    """Print what was told."""
    if not applied.items:
        console.print("nothing to tell: no chat would hear of anything new", soft_wrap=True)
        return
    how = " as digests" if applied.as_digest else ""
    console.print(
        f"alerts queued{how}: {applied.alerts:,}, for chats: {len(applied.chats):,},"
        f" of items: {applied.items:,},"
        f" in new stories: {applied.stories:,}; edits of messages sent: {applied.edits:,}",
        soft_wrap=True,
    )
