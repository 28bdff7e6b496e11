"""What became of the topics, counted: items, stories, alerts, judgements, and which terms did the work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.core.expressions import identity, leaves
from bot.core.match import TopicRule
from bot.model import StoryId, TopicId


@dataclass(frozen=True, slots=True, kw_only=True)
class TermCount:
    """A term of a topic, and how many items matched by it."""

    term: str
    items: int

    @property
    def is_dead(self) -> bool:
        """Whether no item did."""
        return self.items == 0


@dataclass(slots=True)
class Tally:
    """What became of one topic."""

    items: int = 0
    stories: set[StoryId] = field(default_factory=set)
    alerts: int = 0  # messages owed to chats
    sent: int = 0  # of these, those that left
    up: int = 0  # alerts that a chat found relevant
    down: int = 0
    last_match: datetime | None = None  # when the last item came
    by_term: Counter[str] = field(default_factory=Counter)  # items, by the term as it was written then

    @property
    def precision(self) -> float | None:
        """Return the share of relevant alerts among those judged, 0 to 1; None: none was."""
        judged = self.up + self.down
        return self.up / judged if judged else None


class Statistics:
    """Tallies of all topics."""

    def __init__(self, topics: Collection[TopicId]) -> None:
        self.tallies = {topic: Tally() for topic in topics}

    def matched(
        self, topic: TopicId, story: StoryId | None, terms: Collection[str], seen_at: datetime
    ) -> None:
        """Count an item that belongs to a topic."""
        tally = self._tally(topic)
        tally.items += 1
        tally.stories |= set() if story is None else {story}
        tally.by_term.update(terms)
        tally.last_match = max(tally.last_match or seen_at, seen_at)

    def alerted(self, topics: Iterable[TopicId], *, is_sent: bool, relevant: bool | None) -> None:
        """Count a message owed to a chat; a message on two topics counts for both."""
        for topic in topics:
            tally = self._tally(topic)
            tally.alerts += 1
            tally.sent += is_sent
            tally.up += relevant is True
            tally.down += relevant is False

    def _tally(self, topic: TopicId) -> Tally:
        return self.tallies.setdefault(topic, Tally())


def term_counts(rule: TopicRule, by_term: Mapping[str, int]) -> tuple[TermCount, ...]:
    """Return the terms of a topic as it is now, those that matched most first.

    Spellings of one term in several languages are alive together: evidence names one of them.
    """
    alike: dict[object, dict[str, None]] = {}
    for leaf in leaves(rule.match, positive=True):
        alike.setdefault(identity(leaf.term), {})[leaf.term.text] = None
    counts: dict[str, int] = {}
    for texts in alike.values():
        items = sum(by_term.get(text, 0) for text in texts)
        for text in texts:
            counts[text] = max(counts.get(text, 0), items)
    ordered = sorted(counts.items(), key=lambda one: -one[1])
    return tuple(TermCount(term=term, items=items) for term, items in ordered)
