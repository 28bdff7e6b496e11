"""The book of stories in memory: whom it compares, what it remembers, and a floor on the golden set."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bot.core.stories import MAX_CANDIDATES, StoryBook, StoryText
from bot.model import StoryReason

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
GOLDEN = Path(__file__).parent.parent / "golden" / "stories.yaml"

STRIKE = (
    "Dockers in Hamburg walk out over night shifts",
    "Some 2,300 dockers in Hamburg began a strike on Monday after talks about night shifts failed.",
)


def a_text(
    title: str = STRIKE[0],
    summary: str = STRIKE[1],
    *,
    outlet: str = "Elbe Wire",
    url: str | None = None,
    after: timedelta = timedelta(0),
) -> StoryText:
    return StoryText(title=title, summary=summary, outlet=outlet, url=url, language="en", at=NOON + after)


def test_the_same_item_again_is_seen_and_changes_nothing() -> None:
    book = StoryBook()
    book.add("a", a_text())

    decision = book.add("a", a_text())

    assert (decision.story, decision.reason) == (1, StoryReason.SEEN)
    assert len(book.candidates(a_text())[0].members) == 1


def test_one_shared_key_makes_no_candidate_unless_it_is_the_address() -> None:
    book = StoryBook()
    book.add("a", a_text("Ostrich races", "", url="a.example/1"))

    assert not book.candidates(a_text("ostrich feathers", ""))
    assert book.candidates(a_text("Ostrich races", ""))
    assert book.candidates(a_text("Nothing alike", "", url="a.example/1"))


def test_at_most_forty_stories_are_compared_those_with_most_shared_keys_first() -> None:
    book = StoryBook()
    for number in range(MAX_CANDIDATES + 10):
        book.add(str(number), a_text(f"Regatta Kiel heat A{number}", "", after=-HOUR))
    book.add("best", a_text("Regatta Kiel cancelled, harbour closed", "", outlet="Z"))

    found = book.candidates(a_text("Regatta Kiel cancelled as harbour closed", "", outlet="Y"))

    assert len(found) == MAX_CANDIDATES
    assert found[0].members[-1].title.startswith("Regatta Kiel cancelled")


def test_a_book_forgets_closed_stories_and_never_an_open_one() -> None:
    book = StoryBook()
    book.add("old", a_text(after=-timedelta(days=9)))
    book.add("open", a_text(after=-HOUR))
    for number in range(1100):
        book.add(str(number), a_text(f"Zeppelin {number}", f"Cabin {number} of {number * 7}", outlet="Z"))

    decision = book.add("copy", a_text(outlet="Copyist"))

    assert (decision.story, decision.reason) == (2, StoryReason.COPY)
    assert book.add("old", a_text(after=-timedelta(days=9))).reason is not StoryReason.SEEN


# ---- the golden set ----------------------------------------------------------------------------


def golden(half: str) -> list[tuple[str, StoryText]]:
    events = YAML(typ="safe").load(GOLDEN.read_text(encoding="utf-8"))["events"]
    items = [
        (event["id"], _golden_text(item, event["start"]))
        for event in events
        if event["half"] == half
        for item in event["items"]
    ]
    return sorted(items, key=lambda pair: pair[1].at)


def _golden_text(item: Mapping[str, Any], start: datetime) -> StoryText:
    return StoryText(
        title=item["title"],
        summary=item["summary"],
        outlet=item["outlet"],
        url=None,
        language=item["lang"],
        at=start + item["h"] * HOUR,
    )


def bcubed(pairs: list[tuple[str, int]]) -> tuple[float, float]:
    """Return BCubed precision and recall of (event, story) pairs."""
    both, events, stories = Counter(pairs), Counter(e for e, _ in pairs), Counter(s for _, s in pairs)
    precision = sum(count * count / stories[story] for (_, story), count in both.items())
    recall = sum(count * count / events[event] for (event, _), count in both.items())
    return precision / len(pairs), recall / len(pairs)


@pytest.mark.parametrize(("half", "floor"), [("tuned", 0.96), ("heldout", 0.94)])
def test_golden_reports_are_grouped_by_event(half: str, floor: float) -> None:
    book = StoryBook()
    pairs = [(event, int(book.add(str(n), text).story or 0)) for n, (event, text) in enumerate(golden(half))]

    precision, recall = bcubed(pairs)

    assert precision >= 0.98
    assert 2 * precision * recall / (precision + recall) >= floor


@pytest.mark.parametrize("half", ["tuned", "heldout"])
def test_no_more_than_one_golden_event_in_fifty_is_swallowed_by_another(half: str) -> None:
    book, opener, heard = StoryBook(), dict[int, str](), defaultdict[str, bool](bool)
    for number, (event, text) in enumerate(golden(half)):
        story = int(book.add(str(number), text).story or 0)
        heard[event] |= opener.setdefault(story, event) == event

    assert sum(not known for known in heard.values()) / len(heard) <= 0.02
