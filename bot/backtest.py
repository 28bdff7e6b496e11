"""Runs rules over items that are known, and tells those which a change of the rules newly found."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from bot.core.backtest import Answer, Comparison
from bot.jsonlines import BadLine, read_items
from bot.model import ChatId, Item, ItemId, Match, Topic, TopicId
from bot.ports import Clock
from bot.store import SqlPoll, SqlStore
from bot.store.archive import StoredItem
from bot.telling import Teller, Telling, story_text

IN_ONE_TRANSACTION = 50  # items told; a poll that waits for it meanwhile waits well under a second
REHEARSED_TOGETHER = 200  # items; their stories are known to each other
DIGEST_ABOVE = 20  # alerts for one chat; more leave as a digest


class Rules(Protocol):
    """What is asked of a rule set."""

    @property
    def topics(self) -> Mapping[TopicId, Topic]:
        """Return the topics by id."""

    def match(self, item: Item) -> tuple[Match, ...]:
        """Return what the item matches, with the evidence."""


# ---- comparing ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """An item that rules are run over."""

    number: int | str
    item: Item
    matches: tuple[Match, ...] = ()  # that are known of it
    is_news: bool = True
    at: datetime | None = None  # None: nobody said when it came


async def from_archive(store: SqlStore, since: datetime | None) -> AsyncIterator[Question]:
    """Yield the items of the archive in the order they came, to the last there is."""
    async for one in store.archive(since):
        yield Question(
            number=one.id, item=one.item, matches=one.told_matches, is_news=one.is_news, at=one.seen_at
        )


async def from_lines(lines: Iterable[bytes], refuse: Callable[[BadLine], None]) -> AsyncIterator[Question]:
    """Yield the items of JSON Lines; a line that is none is handed to `refuse`."""
    for line in read_items(lines):
        if isinstance(line, BadLine):
            refuse(line)
        else:
            yield Question(number=line.id, item=line.as_item(), at=line.published)


async def compare(
    questions: AsyncIterator[Question],
    rules: Rules,
    against: Rules | None,
    comparison: Comparison,
    *,
    now: datetime,
    on_answer: Callable[[Answer], None],
) -> None:
    """Count what the rules make of the items.

    Args:
        against: What they are compared with; None: with the matches that are known of each item.
        now: When an item without a time came.
        on_answer: Called with each item.
    """
    async for one in questions:
        before = one.matches if against is None else against.match(one.item)
        answer = Answer(
            number=one.number,
            item=one.item,
            text=story_text(one.item, one.at or now),
            now={match.topic: match for match in rules.match(one.item)},
            before={match.topic: match for match in before},
            is_news=one.is_news,
            at=one.at,
        )
        comparison.add(answer)
        on_answer(answer)


# ---- telling -----------------------------------------------------------------------------------


@dataclass(slots=True, kw_only=True)
class Applied:
    """What came of telling older items."""

    items: int = 0
    stories: int = 0  # opened
    edits: int = 0  # of messages sent
    chats: Counter[ChatId] = field(default_factory=Counter)  # messages queued or held for each
    as_digest: bool = False  # they leave together: a chat would get too many
    is_exact: bool = True  # False: rehearsed in parts, and so the most that it can be

    @property
    def alerts(self) -> int:
        """Return how many messages were queued or held."""
        return self.chats.total()

    def add(self, told: Telling) -> None:
        """Count one item."""
        self.items += 1
        self.stories += told.opened
        self.edits += told.edits
        self.chats.update(told.alerts)


class _Rehearsed(Exception):
    """Ends a transaction of which nothing shall be kept."""


class Older:
    """Tells older items that match by now, exactly as a poll tells new ones.

    Each item's matches, story and deliveries are one transaction, so that a run that breaks off is taken up
    by the next: what is written is no longer new. Every item is read and matched again within it, so that a
    daemon may run and poll meanwhile.
    """

    def __init__(
        self, store: SqlStore, rules: Rules, teller: Teller, clock: Clock, *, only: TopicId | None = None
    ) -> None:
        self._store = store
        self._rules = rules
        self._teller = teller
        self._clock = clock
        self._only = only

    async def rehearse(self, numbers: Sequence[ItemId]) -> Applied:
        """Return what `tell` would do; nothing is kept.

        More items than REHEARSED_TOGETHER are rehearsed apart, and then it is the most that `tell` would do.
        """
        total = Applied(is_exact=len(numbers) <= REHEARSED_TOGETHER)
        for some in _parts(numbers, REHEARSED_TOGETHER):
            part = Applied()
            with suppress(_Rehearsed):
                async with self._store.polling() as poll:
                    await self._tell(poll, some, part)
                    raise _Rehearsed
            total.items += part.items
            total.stories += part.stories
            total.edits += part.edits
            total.chats.update(part.chats)
        total.as_digest = max(total.chats.values(), default=0) > DIGEST_ABOVE
        return total

    async def tell(
        self,
        numbers: Sequence[ItemId],
        *,
        as_digest: bool = False,
        on_told: Callable[[int], None] = lambda count: None,
    ) -> Applied:
        """Write the items' new matches, form stories, and queue what each chat is owed.

        Args:
            on_told: Called with how many items are done, a transaction at a time.

        Raises:
            StoreError: What came before is written, and not told again.
        """
        total = Applied(as_digest=as_digest)
        for some in _parts(numbers, IN_ONE_TRANSACTION):
            async with self._store.polling() as poll:
                await self._tell(poll, some, total)
            on_told(len(some))
        return total

    async def _tell(self, poll: SqlPoll, numbers: Sequence[ItemId], total: Applied) -> None:
        now = self._clock.now()
        stored = await poll.stored_items(numbers)
        found = {one.id: self._new(one) for one in stored}
        heard = await self._heard(poll, {match.topic for some in found.values() for match in some}, now)
        new = {one.id: [match for match in found[one.id] if match.topic in heard] for one in stored}
        due = sorted((one for one in stored if new[one.id]), key=lambda one: (came_at(one), one.id))
        await _write_matches(poll, due, new)
        stories = await poll.stories_of([one.id for one in due])
        for one in due:
            item = replace(one.item, published_at=came_at(one))
            story = stories.get(one.id)
            told = await self._teller.tell(poll, one.id, item, now, story=story, is_flood=total.as_digest)
            total.add(told)

    def _new(self, one: StoredItem) -> list[Match]:
        """Return the matches that nobody was told of."""
        told = {match.topic for match in one.told_matches}
        matches = self._rules.match(one.item)
        return [m for m in matches if m.topic not in told and self._only in {None, m.topic}]

    @staticmethod
    async def _heard(poll: SqlPoll, topics: set[TopicId], now: datetime) -> frozenset[TopicId]:
        """Return the topics that a chat follows; matches of others stay new, for when one does."""
        return frozenset().union(*(one.follows for one in await poll.listeners(topics, now)))


async def _write_matches(
    poll: SqlPoll, due: Sequence[StoredItem], new: Mapping[ItemId, Sequence[Match]]
) -> None:
    topics = {number: {match.topic for match in some} for number, some in new.items()}
    matches = {
        one.id: (*(match for match in one.matches if match.topic not in topics[one.id]), *new[one.id])
        for one in due
    }
    await poll.set_matches(matches, {one.id: one.quiet - topics[one.id] for one in due})


def came_at(one: StoredItem) -> datetime:
    """Return when an item was published, else first seen."""
    return one.item.published_at or one.seen_at


def _parts(numbers: Sequence[ItemId], size: int) -> Iterable[Sequence[ItemId]]:
    return (numbers[start : start + size] for start in range(0, len(numbers), size))
