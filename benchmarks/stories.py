"""Measure how well and how fast items are grouped into stories.

    python benchmarks/stories.py [--json] [--unrelated 600] [--mistakes]

Each half of tests/golden/stories.yaml is streamed in time order among unrelated items made here. The scores
are of the labelled items; an unrelated item in their story counts against precision. `swallowed` is the share
of events that opened no story of their own: lost alerts. Beside it: rapidfuzz token_set_ratio of title and
summary to the nearest member, at the threshold that is best on the tuned half.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rapidfuzz import fuzz
from ruamel.yaml import YAML

from bot.core.stories import StoryBook, StoryPolicy, StoryText

GOLDEN = Path(__file__).parent.parent / "tests" / "golden" / "stories.yaml"
WORLD = Path(__file__).parent / "unrelated.yaml"
HALVES = ("tuned", "heldout")


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """An item and the event it tells; unrelated items have an event of their own."""

    event: str
    kind: str
    text: StoryText
    unrelated: bool = False


Grouping = Callable[[Sequence[StoryText]], list[int]]


def labelled(half: str) -> list[Labelled]:
    """Return the golden items of a half, in time order."""
    golden = YAML(typ="safe").load(GOLDEN.read_text(encoding="utf-8"))
    items = [
        Labelled(event=event["id"], kind=item["kind"], text=_text(item, event["start"]))
        for event in golden["events"]
        if event["half"] == half
        for item in event["items"]
    ]
    return sorted(items, key=lambda item: item.text.at)


def _text(item: Mapping[str, str], start: datetime) -> StoryText:
    return StoryText(
        title=item["title"],
        summary=item["summary"],
        outlet=item["outlet"],
        url=None,
        language=item["lang"],
        at=start + timedelta(hours=float(item["h"])),
    )


# ---- unrelated items ---------------------------------------------------------------------------


def unrelated(count: int, start: datetime, end: datetime, seed: int = 7) -> list[Labelled]:
    """Return items that tell an event of their own each; the same for the same seed."""
    dice = random.Random(seed)  # noqa: S311  # repeatable test data
    world = YAML(typ="safe").load(WORLD.read_text(encoding="utf-8"))
    return [
        Labelled(
            event=f"unrelated-{number}",
            kind="unrelated",
            text=_made(world, dice, start + (end - start) * dice.random()),
            unrelated=True,
        )
        for number in range(count)
    ]


def _made(world: Mapping[str, Any], dice: random.Random, at: datetime) -> StoryText:
    language = dice.choice(sorted(world["languages"]))
    local = world["languages"][language]
    report = dice.choice(local["reports"])
    words = {
        "place": dice.choice(world["places"]),
        "person": f"{dice.choice('ABDEFGHJKLMNOPRSTV')}. {dice.choice(world['people'])}",
        "thing": dice.choice(local["things"]),
        "day": dice.choice(local["days"]),
        "n": dice.randrange(3, 900),
    }
    return StoryText(
        title=report["title"].format(**words),
        summary=report["summary"].format(**words),
        outlet=dice.choice(world["outlets"]),
        url=None,
        language=language,
        at=at,
    )


def stream(half: str, count: int) -> list[Labelled]:
    """Return a half's items among unrelated ones, in time order."""
    items = labelled(half)
    around = unrelated(count, items[0].text.at, items[-1].text.at)
    return sorted([*items, *around], key=lambda item: item.text.at)


# ---- ways to group -----------------------------------------------------------------------------


def by_book(policy: StoryPolicy) -> Grouping:
    """Return ours."""

    def group(texts: Sequence[StoryText]) -> list[int]:
        book = StoryBook(policy=policy)
        stories: list[int] = []
        for number, text in enumerate(texts):
            stories.append(book.add(str(number), text).story or 0)
        return stories

    return group


def by_token_set(threshold: float) -> Grouping:
    """Return the plain way: the story of the nearest item of the last 72 h, if near enough."""

    def group(texts: Sequence[StoryText]) -> list[int]:
        stories: list[int] = []
        plain = [f"{text.title} {text.summary}".casefold() for text in texts]
        for number, text in enumerate(texts):
            best, story = threshold, max(stories, default=0) + 1
            for earlier in range(number - 1, -1, -1):
                if text.at - texts[earlier].at > timedelta(hours=72):
                    break
                ratio = fuzz.token_set_ratio(plain[number], plain[earlier], score_cutoff=best)
                if ratio > best:
                    best, story = ratio, stories[earlier]
            stories.append(story)
        return stories

    return group


# ---- scores ------------------------------------------------------------------------------------


def scores(items: Sequence[Labelled], stories: Sequence[int]) -> dict[str, float]:
    """Return BCubed and pairwise precision, recall and F1, and the share of events swallowed."""
    events, groups = Counter(item.event for item in items), Counter(stories)
    both = Counter(zip((item.event for item in items), stories, strict=True))
    known = [(item.event, story) for item, story in zip(items, stories, strict=True) if not item.unrelated]
    precision = sum(both[pair] / groups[pair[1]] for pair in known) / len(known)
    recall = sum(both[pair] / events[pair[0]] for pair in known) / len(known)
    right = sum(both[pair] - 1 for pair in known)
    joined = sum(groups[story] - 1 for _, story in known)
    due = sum(events[event] - 1 for event, _ in known)
    return {
        "bcubed_precision": precision,
        "bcubed_recall": recall,
        "bcubed_f1": _f1(precision, recall),
        "pairwise_precision": right / joined if joined else 1.0,
        "pairwise_recall": right / due,
        "pairwise_f1": _f1(right / joined if joined else 1.0, right / due),
        "swallowed": _swallowed(items, stories),
    }


def _f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _swallowed(items: Sequence[Labelled], stories: Sequence[int]) -> float:
    opened: dict[int, str] = {}
    told: dict[str, bool] = {}
    for item, story in zip(items, stories, strict=True):
        owner = opened.setdefault(story, item.event)
        if not item.unrelated:
            told[item.event] = told.get(item.event, False) or owner == item.event
    return sum(not heard for heard in told.values()) / len(told)


def mistakes(items: Sequence[Labelled], stories: Sequence[int]) -> list[str]:
    """Return a line for each event that is split or mixed, for a person to read."""
    events: defaultdict[str, list[int]] = defaultdict(list)
    members: defaultdict[int, set[str]] = defaultdict(set)
    for item, story in zip(items, stories, strict=True):
        events[item.event].append(story)
        members[story].add(item.event)
    lines = []
    for event in dict.fromkeys(item.event for item in items if not item.unrelated):
        mixed = sorted(set().union(*(members[story] for story in events[event])) - {event})
        if len(set(events[event])) > 1 or mixed:
            lines.append(f"{event}: stories {events[event]}" + (f", mixed with {mixed}" if mixed else ""))
    return lines


# ---- the report --------------------------------------------------------------------------------


def measure(grouping: Grouping, count: int, halves: Iterable[str] = HALVES) -> dict[str, dict[str, float]]:
    """Return the scores of each half, and items per CPU second of the whole stream."""
    result = {}
    for half in halves:
        items = stream(half, count)
        texts = [replace(item.text) for item in items]
        began = time.process_time()
        stories = grouping(texts)
        took = time.process_time() - began
        result[half] = {**scores(items, stories), "items_per_second": len(items) / took}
    return result


def best_token_set(count: int) -> int:
    """Return the threshold with the best BCubed F1 on the tuned half."""
    return max(
        range(30, 100, 4),
        key=lambda threshold: measure(by_token_set(threshold), count, ("tuned",))["tuned"]["bcubed_f1"],
    )


def main() -> int:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="machine-readable")
    parser.add_argument("--unrelated", type=int, default=600, metavar="N", help="unrelated items per half")
    parser.add_argument("--mistakes", action="store_true", help="list the events that are split or mixed")
    wanted = parser.parse_args()
    threshold = best_token_set(wanted.unrelated)
    report = {
        "stories": measure(by_book(StoryPolicy()), wanted.unrelated),
        f"token_set_ratio >= {threshold}": measure(by_token_set(threshold), wanted.unrelated),
    }
    out = sys.stdout
    if wanted.json:
        out.write(json.dumps(report, indent=2) + "\n")
        return 0
    _table(report)
    if wanted.mistakes:
        for half in HALVES:
            items = stream(half, wanted.unrelated)
            lines = mistakes(items, by_book(StoryPolicy())([item.text for item in items]))
            out.write("\n".join([f"\n{half}:", *lines]) + "\n")
    return 0


def _table(report: Mapping[str, Mapping[str, Mapping[str, float]]]) -> None:
    scored = ("bcubed_precision", "bcubed_recall", "bcubed_f1", "pairwise_f1", "swallowed")
    columns = (*scored, "items_per_second")
    sys.stdout.write(f"{'':32}" + "".join(f"{column.replace('_', ' '):>18}" for column in columns) + "\n")
    for name, halves in report.items():
        for half, row in halves.items():
            cells = "".join(
                f"{row[column]:>18.3f}" if column in scored else f"{row[column]:>18.0f}" for column in columns
            )
            sys.stdout.write(f"{name + ', ' + half:32}{cells}\n")


if __name__ == "__main__":
    sys.exit(main())
