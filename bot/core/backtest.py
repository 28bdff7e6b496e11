"""What a change of rules means for items that are known: counted, compared and sampled."""

from __future__ import annotations

import hashlib
from bisect import insort
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from bot.core.stories import StoryBook, StoryText
from bot.model import Item, Match, StoryId, TopicId

MOST_STORIES: Final = 5_000  # matched items that are put into stories; each costs milliseconds
LEAST_SPAN: Final = timedelta(days=1)  # what rates are of at least: an hour tells nothing of a day


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An item, and which topics it belongs to by two sets of rules."""

    number: int | str  # what the item is called
    item: Item
    text: StoryText
    now: Mapping[TopicId, Match]
    before: Mapping[TopicId, Match]
    is_news: bool = True  # False: it came silently, with a feed's first poll or long after its date
    at: datetime | None = None  # when it came; None: nobody said

    @property
    def new(self) -> frozenset[TopicId]:
        """Return the topics that it belongs to now and did not before."""
        return frozenset(self.now.keys() - self.before.keys())

    @property
    def lost(self) -> frozenset[TopicId]:
        """Return the topics that it belonged to before and does not now."""
        return frozenset(self.before.keys() - self.now.keys())


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """An item whose answer changed, and the match that is new or lost."""

    number: int | str
    item: Item
    match: Match


class Sampler:
    """A sample of some size, the same in whatever order things come."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: list[tuple[bytes, Sample]] = []  # those of the lowest hashes

    def add(self, one: Sample) -> None:
        """Keep it, or let it or another one go."""
        name = f"{type(one.number).__name__}:{one.number}"
        digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        insort(self._kept, (digest, one), key=lambda kept: kept[0])
        del self._kept[self._size :]

    def __iter__(self) -> Iterator[Sample]:
        """Return what is kept, the highest scores first."""
        return iter(sorted((one for _, one in self._kept), key=lambda one: -one.match.score))


@dataclass(slots=True)
class Change:
    """What becomes of a topic."""

    new_sample: Sampler
    lost_sample: Sampler
    now: int = 0  # items
    before: int = 0
    new: int = 0
    lost: int = 0
    news: int = 0  # of those now, the items that came as news
    stories: set[StoryId] = field(default_factory=set)  # with news in them, now
    stories_before: set[StoryId] = field(default_factory=set)


class Comparison:
    """Counts, topic by topic, what changes from one set of rules to another; keeps no items but samples."""

    def __init__(self, topics: Collection[TopicId], *, only: TopicId | None = None, sample: int = 5) -> None:
        self.items = 0
        self.first: datetime | None = None  # when the first item came; None: no item has a date
        self.last: datetime | None = None
        self.changes: dict[TopicId, Change] = {}
        self._only = only
        self._sample = sample
        self._book = StoryBook()
        self._matched = 0
        for topic in topics:
            if only in {None, topic}:
                self._change(topic)

    @property
    def has_stories(self) -> bool:
        """Whether stories were counted: more matched items than MOST_STORIES are not put into any."""
        return self._matched <= MOST_STORIES

    @property
    def span(self) -> timedelta | None:
        """Return the time that the items are of, at least LEAST_SPAN; None: nobody said when they came."""
        if self.first is None or self.last is None:
            return None
        return max(LEAST_SPAN, self.last - self.first)

    def add(self, answer: Answer) -> None:
        """Count one item."""
        self.items += 1
        if answer.at is not None:
            self.first = min(self.first or answer.at, answer.at)
            self.last = max(self.last or answer.at, answer.at)
        touched = [
            topic for topic in dict.fromkeys((*answer.now, *answer.before)) if self._only in {None, topic}
        ]
        if touched:
            story = self._story(answer)
            for topic in touched:
                self._count(self._change(topic), topic, answer, story)

    def _change(self, topic: TopicId) -> Change:
        if topic not in self.changes:
            self.changes[topic] = Change(Sampler(self._sample), Sampler(self._sample))
        return self.changes[topic]

    def _story(self, answer: Answer) -> StoryId | None:
        """Return the story of a matched item; None: there are too many of them."""
        self._matched += 1
        if not self.has_stories:
            return None
        return self._book.add(f"{type(answer.number).__name__}:{answer.number}", answer.text).story

    @staticmethod
    def _count(change: Change, topic: TopicId, answer: Answer, story: StoryId | None) -> None:
        now, before = answer.now.get(topic), answer.before.get(topic)
        change.now += now is not None
        change.before += before is not None
        change.news += now is not None and answer.is_news
        if story is not None and answer.is_news:
            for match, stories in ((now, change.stories), (before, change.stories_before)):
                if match is not None:
                    stories.add(story)
        if now is not None and before is None:
            change.new += 1
            change.new_sample.add(Sample(number=answer.number, item=answer.item, match=now))
        if before is not None and now is None:
            change.lost += 1
            change.lost_sample.add(Sample(number=answer.number, item=answer.item, match=before))


def a_day(count: int, span: timedelta | None) -> float | None:
    """Return how many of them came a day; None: nobody said in what time they came."""
    return None if span is None else count / (span / timedelta(days=1))
