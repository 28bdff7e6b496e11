"""The end of a poll: what it brought is sorted, matched, kept and told, some polls to a transaction."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Protocol

import structlog

from bot.core.fulltext import wants_page, with_page
from bot.core.identity import KnownItem, Sorted, item_keys, sort_items, wants_titles
from bot.core.schedule import PollDecision, PollPolicy, after_error, after_success
from bot.errors import FetchError, StoreError
from bot.metrics import Metrics
from bot.model import (
    FeedId,
    Fetched,
    Item,
    ItemId,
    ItemKey,
    ItemReason,
    Match,
    NotModified,
    PollReason,
    Topic,
    TopicId,
)
from bot.polled import BUG, SILENT, Heard, PollReport, broken, log_polls, lost_poll, report_of
from bot.ports import Clock, FeedStore, PollOutcome, PollTransaction
from bot.telling import Teller, TellPolicies

log = structlog.get_logger()

MOST_AT_ONCE = 100  # polls in one transaction; others want to write, too
MOST_BODIES = 20  # of these: so many have items to be matched and kept...
MOST_ITEMS = 400  # ...and so many items in all, but for a feed that alone has more
FINISH_WITHIN_S = 2.0  # a write that takes longer at the end is taken back; the next start makes it again
_UNKEPT = ItemId(0)  # the number of an item that has none yet
TOUCH_EVERY = timedelta(days=1)  # a key lives for months, so a day more or less is nothing


class Rules(Protocol):
    """What keeping asks of a rule set."""

    @property
    def topics(self) -> Mapping[TopicId, Topic]:
        """Return the topics by id."""

    def match(self, item: Item) -> tuple[Match, ...]:
        """Return what the item matches, with the evidence."""

    def page_topics(self, item: Item) -> frozenset[TopicId]:
        """Return the topics that want linked pages read, and take items of such a source and language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PollPolicies:
    """The numbers that polling decides by."""

    polls: PollPolicy = field(default_factory=PollPolicy)
    telling: TellPolicies = field(default_factory=TellPolicies)


@dataclass(slots=True, kw_only=True)
class _Poll:
    """One poll on its way into the store."""

    heard: Heard
    report: PollReport
    decision: PollDecision
    found: Sequence[Sorted] = ()
    known: Mapping[ItemKey, datetime] = field(default_factory=dict)  # when each was last shown

    @property
    def outcome(self) -> PollOutcome:
        """Return what is written of the poll itself."""
        answer, parsed = self.heard.answer, self.heard.parsed
        return PollOutcome(
            due=self.heard.due,
            decision=self.decision,
            status=304 if isinstance(answer, NotModified) else answer.status,
            received=answer.received if isinstance(answer, Fetched) else 0,
            items=None if parsed is None else len(parsed.items),
            new=None if parsed is None else self.report.new,
            error=str(answer) if isinstance(answer, FetchError) else None,
        )


@dataclass(slots=True, kw_only=True)
class _Fresh:
    """An item that goes on to matching: an unknown or an edited one."""

    one: Sorted
    poll: _Poll
    matches: tuple[Match, ...] = ()
    number: ItemId = _UNKEPT
    before: frozenset[TopicId] = frozenset()  # that it matched so far
    quiet: frozenset[TopicId] = frozenset()  # that it matches only because the rules have changed

    @property
    def untold(self) -> frozenset[TopicId]:
        """Return the topics that it matches now, and did not so far."""
        return frozenset(match.topic for match in self.matches) - self.before

    @property
    def is_silent(self) -> bool:
        return self.one.reason in SILENT or self.untold == self.quiet


class Keeper:
    """Writes what polls heard; those that end during a write go together in the next transaction."""

    def __init__(
        self,
        *,
        store: FeedStore,
        clock: Clock,
        rules: Callable[[], Rules],
        operators: Callable[[], frozenset[int]],
        policies: Callable[[], PollPolicies],
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._metrics = metrics
        self._clock = clock
        self._rules = rules
        self._policies = policies
        self._teller = Teller(
            topics=lambda: rules().topics, operators=operators, policies=lambda: policies().telling
        )
        self._waiting: list[tuple[Heard, asyncio.Future[PollReport]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._is_ending = False
        # A thread of its own: the loop's are shared with DNS, and a slow name server would hold up the rest.
        self._matching = ThreadPoolExecutor(max_workers=1, thread_name_prefix="match")

    async def keep(self, heard: Heard) -> PollReport:
        """Write one poll, and what follows from it; a caller that is cancelled does not cut the write off."""
        done: asyncio.Future[PollReport] = asyncio.get_running_loop().create_future()
        self._waiting.append((heard, done))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all(), name="write polls")
        return await done

    async def finish(self) -> None:
        """Return when nothing is being written, in a few seconds; what waits is given up.

        For the end. Polls that are not kept are made again at the next start.
        """
        self._is_ending = True
        if writing := self._writing:
            _, late = await asyncio.wait([writing], timeout=FINISH_WITHIN_S)
            if late:
                writing.cancel()
                await asyncio.wait([writing])
        self._matching.shutdown(wait=False, cancel_futures=True)

    async def _write_all(self) -> None:
        some: list[tuple[Heard, asyncio.Future[PollReport]]] = []
        try:
            while self._waiting and not self._is_ending:
                some = self._first_waiting()
                del self._waiting[: len(some)]
                reports = await self._safely([heard for heard, _ in some])
                for (_, done), report in zip(some, reports, strict=True):
                    if not done.done():  # cancelled meanwhile
                        done.set_result(report)
        finally:
            self._writing = None
            if self._is_ending:
                for _, done in (*some, *self._waiting):
                    done.cancel()

    def _first_waiting(self) -> list[tuple[Heard, asyncio.Future[PollReport]]]:
        """Return those that fit into one transaction, at least one."""
        some = self._waiting[:MOST_AT_ONCE]
        bodies = accumulate(heard.parsed is not None for heard, _ in some)
        items = accumulate(len(heard.parsed.items) if heard.parsed else 0 for heard, _ in some)
        room = (few <= MOST_BODIES and many <= MOST_ITEMS for few, many in zip(bodies, items, strict=True))
        return some[: max(sum(room), 1)]

    async def _safely(self, some: Sequence[Heard]) -> Sequence[PollReport]:
        """Write polls; where one meets a bug of ours, it alone suffers, backs off, and operators see it."""
        try:
            return await self._write(some)
        except StoreError as error:  # nothing was written, so the next polls find the same news
            feeds = [heard.due.feed.id for heard in some]
            log.error("polls not kept; they are made again", feeds=feeds, error=str(error))
            return [PollReport(feed=feed, reason=PollReason.TEMPORARY, error=str(error)) for feed in feeds]
        except Exception:  # a bug with one feed is logged with it, and the others are kept
            if len(some) > 1:
                return [report for heard in some for report in await self._safely([heard])]
            [heard] = some
            log.exception("poll broke off", feed=heard.due.feed.id)
            if heard.is_broken:  # even that cannot be written; the lease runs out, and the feed is due again
                return [PollReport(feed=heard.due.feed.id, reason=PollReason.BROKEN, error=BUG)]
            return await self._safely([broken(heard.due)])

    async def _write(self, some: Sequence[Heard]) -> Sequence[PollReport]:
        now = self._clock.now()
        rules = self._rules()  # one set for all of it, whatever is swapped in meanwhile
        polls = await self._sorted(some, now)
        fresh = [
            _Fresh(one=one, poll=poll)
            for poll in polls
            for one in poll.found
            if one.reason is not ItemReason.SEEN
        ]
        await self._match(rules, fresh)
        async with self._store.polling() as transaction:
            held = await transaction.held([poll.heard.due for poll in polls])
            polls = [poll for poll in polls if poll.report.feed in held]
            fresh = [one for one in fresh if one.poll.report.feed in held]
            await self._keep_items(transaction, rules, fresh, now)
            await _keep_keys(transaction, polls, now)
            await self._tell(transaction, rules, fresh, now)
            await _want_pages(transaction, rules, fresh, now)
            await transaction.save_polls([poll.outcome for poll in polls], now)
            for poll in polls:
                if poll.report.is_flood:
                    report = poll.report
                    await transaction.note_flood(report.feed, report.new, report.items, now)
        log_polls((poll.report, poll.decision) for poll in polls)
        self._count(polls, fresh)
        reports = {poll.report.feed: poll.report for poll in polls}
        return [reports.get(heard.due.feed.id) or lost_poll(heard.due) for heard in some]

    def _count(self, polls: Sequence[_Poll], fresh: Sequence[_Fresh]) -> None:
        for poll in polls:
            if not poll.report.is_put_off:
                items = Counter(one.reason for one in poll.found)
                received, alerts = poll.outcome.received, poll.report.alerts
                self._metrics.polled(poll.report.reason, received=received, items=items, alerts=alerts)
        for one in fresh:
            if one.matches:
                self._metrics.matched(one.untold)

    async def _sorted(self, some: Sequence[Heard], now: datetime) -> list[_Poll]:
        """Return the polls, their items sorted by what is known of them, and decided on."""
        named = {
            heard.due.feed.id: [item_keys(item) for item in heard.parsed.items]
            for heard in some
            if heard.parsed is not None
        }
        known = await self._known(some, named)
        policy = self._policies().polls
        polls = []
        for heard in some:
            feed, state = heard.due.feed, heard.due.state
            mine = known.get(feed.id, {})
            found: Sequence[Sorted] = ()
            if heard.parsed is not None:
                items, keys = heard.parsed.items, named[feed.id]
                found = sort_items(items, mine, state, now, keys=keys)
                if wants_titles(found, state):
                    titles = await self._store.known_titles(feed.id, {item.title for item in items})
                    found = sort_items(items, mine, state, now, keys=keys, titles=titles)
            decision = self._decision(heard, found, now, policy)
            polls.append(
                _Poll(
                    heard=heard,
                    decision=decision,
                    found=found,
                    known={key: one.seen_at for key, one in mine.items()},
                    report=report_of(heard, decision, found),
                )
            )
        return polls

    async def _known(
        self, some: Sequence[Heard], named: Mapping[FeedId, Sequence[tuple[ItemKey, ...]]]
    ) -> Mapping[FeedId, Mapping[ItemKey, KnownItem]]:
        """Return what is known under the keys of these polls' items."""
        asked = {feed: {key for keys in mine for key in keys} for feed, mine in named.items() if mine}
        young = {heard.due.feed.id for heard in some if heard.due.state.last_ok_at is None}
        return await self._store.known_items(asked, young=young & asked.keys()) if asked else {}

    def _decision(
        self, heard: Heard, found: Sequence[Sorted], now: datetime, policy: PollPolicy
    ) -> PollDecision:
        due, dice = heard.due, self._clock.dice()
        if isinstance(heard.answer, FetchError):
            return after_error(due.feed, due.state, heard.answer, now=now, dice=dice, policy=policy)
        return after_success(
            due.feed,
            due.state,
            heard.answer,
            heard.digest,
            heard.parsed,
            None if heard.parsed is None else found,
            now=now,
            dice=dice,
            policy=policy,
        )

    async def _match(self, rules: Rules, fresh: Sequence[_Fresh]) -> None:
        if fresh and rules.topics:
            matches = await self._match_all(rules, [one.one.item for one in fresh])
            for one, some in zip(fresh, matches, strict=True):
                one.matches = some

    async def _match_all(self, rules: Rules, items: Sequence[Item]) -> list[tuple[Match, ...]]:
        return await asyncio.get_running_loop().run_in_executor(self._matching, _match_each, rules, items)

    async def _keep_items(
        self, store: PollTransaction, rules: Rules, fresh: Sequence[_Fresh], now: datetime
    ) -> None:
        """Write new and edited items, and what they match."""
        added = [one for one in fresh if one.one.reason is not ItemReason.EDITED]
        for one, number in zip(added, await store.add_items([one.one for one in added], now), strict=True):
            one.number = number
        edited = [one for one in fresh if one.one.reason is ItemReason.EDITED]
        for one in edited:
            one.number = one.one.known.id if one.one.known else _UNKEPT
        before = await store.item_topics([one.number for one in edited])
        for one in edited:
            one.before = before.get(one.number, frozenset())
        await self._add_pages(store, rules, edited)
        await self._find_quiet(store, rules, [one for one in edited if one.untold])
        await store.update_items({one.number: one.one for one in edited}, now)
        await store.set_matches(
            {one.number: one.matches for one in fresh if one.matches or one in edited},
            {one.number: one.quiet for one in edited},
        )

    async def _add_pages(self, store: PollTransaction, rules: Rules, edited: Sequence[_Fresh]) -> None:
        """Match edited items anew with the texts of their pages, where these were read."""
        texts = await store.page_texts([one.number for one in edited])
        longer = [one for one in edited if one.number in texts]
        for one in longer:
            one.one = replace(one.one, item=with_page(one.one.item, texts[one.number]))
        await self._match(rules, longer)

    async def _find_quiet(self, store: PollTransaction, rules: Rules, edited: Sequence[_Fresh]) -> None:
        """Find the topics that edited items match only because the rules have changed.

        So it is where the text before the edit matches as well: under the rules of its time it did not.
        """
        if not edited:
            return
        former = await store.kept_items([one.number for one in edited])
        known = [one for one in edited if one.number in former]
        matches = await self._match_all(rules, [former[one.number] for one in known])
        for one, some in zip(known, matches, strict=True):
            one.quiet = one.untold.intersection(match.topic for match in some)

    async def _tell(
        self, store: PollTransaction, rules: Rules, fresh: Sequence[_Fresh], now: datetime
    ) -> None:
        """Put what newly matches into stories, oldest first, and queue what is owed for that."""
        news = [one for one in fresh if one.matches and one.untold]
        stories = await store.stories_of([one.number for one in news])
        for one in sorted(news, key=lambda one: (one.one.item.published_at or now, -one.number)):
            told = await self._teller.tell(
                store,
                one.number,
                one.one.item,
                now,
                story=stories.get(one.number),
                topics=rules.topics,
                is_silent=one.is_silent,
                is_flood=one.poll.report.is_flood,
            )
            one.poll.report.count(told)
        for one in fresh:
            one.poll.report.matched += bool(one.matches)


async def _want_pages(store: PollTransaction, rules: Rules, fresh: Sequence[_Fresh], now: datetime) -> None:
    """Have the pages read that news links to, where its feed or a topic wants that."""
    wanted = [
        one
        for one in fresh
        if one.one.reason is ItemReason.NEW
        and wants_page(
            one.one.item,
            feed_fetches=one.poll.heard.due.feed.fetch_content,
            matched={match.topic for match in one.matches},
            fetching=rules.page_topics(one.one.item),
        )
    ]
    if wanted:
        flooded = {one.number for one in wanted if one.poll.report.is_flood}
        await store.want_pages({one.number: one.one.item for one in wanted}, now, flooded)


async def _keep_keys(store: PollTransaction, polls: Sequence[_Poll], now: datetime) -> None:
    """Remember the names under which known items were shown, old and new ones."""
    seen = {
        one.known.id: one
        for poll in polls
        for one in poll.found
        if one.known is not None and not poll.known.keys() >= set(one.keys)
    }
    if seen:
        await store.add_keys(seen, now)
    stale = {
        poll.report.feed: [key for key, at in poll.known.items() if now - at >= TOUCH_EVERY] for poll in polls
    }
    if any(stale.values()):
        await store.touch_keys(stale, now)


def _match_each(rules: Rules, items: Sequence[Item]) -> list[tuple[Match, ...]]:
    return [_match(rules, item) for item in items]


def _match(rules: Rules, item: Item) -> tuple[Match, ...]:
    """Return an item's matches; an item that meets a bug of ours is kept without, and the feed goes on."""
    try:
        return rules.match(item)
    except Exception:  # a bug with one item is logged with it, and the rest of the feed goes on
        log.exception("item was not matched", feed=item.feed_id, guid=item.guid, title=item.title[:80])
        return ()
