"""The main path, first half: feed → item → match → story → alert. `sender.py` is the second.

Each step asks the store, lets the core decide, and writes what was decided.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import structlog

from bot.core.identity import Sorted, is_flood, item_keys, redact_url, sort_items
from bot.core.schedule import PollDecision, PollPolicy, after_error, after_success
from bot.errors import FetchError, FetchTemporary, StoreError
from bot.model import (
    FeedId,
    Fetched,
    Item,
    ItemId,
    ItemReason,
    Match,
    NotModified,
    ParsedFeed,
    PollReason,
    Topic,
    TopicId,
)
from bot.ports import Clock, DueFeed, FeedStore, Fetcher, Parser, PollTransaction
from bot.telling import Teller, Telling, TellPolicies

log = structlog.get_logger()

_SILENT = frozenset({ItemReason.FIRST_POLL, ItemReason.BACKFILL})


class Rules(Protocol):
    """What the pipeline asks of a rule set."""

    @property
    def topics(self) -> Mapping[TopicId, Topic]:
        """Return the topics by id."""

    def match(self, item: Item) -> tuple[Match, ...]:
        """Return what the item matches, with the evidence."""


@dataclass(slots=True, kw_only=True)
class PollReport:
    """What came of one poll, for logs and summaries."""

    feed: FeedId
    reason: PollReason
    items: int = 0  # in the feed
    new: int = 0
    silent: int = 0  # unknown, but kept silently: a first poll, or old ones
    edited: int = 0
    matched: int = 0  # of all these
    stories: int = 0  # opened
    alerts: int = 0  # queued or held for a chat
    edits: int = 0  # of messages sent, now due
    is_flood: bool = False  # more news than is credible: told as a digest
    error: str | None = None

    def count(self, told: Telling) -> None:
        """Add what came of telling one item."""
        self.stories += told.opened
        self.alerts += len(told.alerts)
        self.edits += told.edits


@dataclass(frozen=True, slots=True, kw_only=True)
class PollPolicies:
    """The numbers that polling decides by."""

    polls: PollPolicy = field(default_factory=PollPolicy)
    telling: TellPolicies = field(default_factory=TellPolicies)


class Poller:
    """Polls feeds; all that one poll finds is written in one transaction."""

    def __init__(
        self,
        *,
        fetcher: Fetcher,
        parser: Parser,
        store: FeedStore,
        clock: Clock,
        rules: Callable[[], Rules],
        operators: Callable[[], frozenset[int]],
        policies: Callable[[], PollPolicies],
    ) -> None:
        self._fetcher = fetcher
        self._parser = parser
        self._store = store
        self._clock = clock
        self._rules = rules
        self._policies = policies
        self._teller = Teller(
            topics=lambda: rules().topics, operators=operators, policies=lambda: policies().telling
        )
        # A thread of its own: the loop's are shared with DNS, and a slow name server would hold the database.
        self._matching = ThreadPoolExecutor(max_workers=1, thread_name_prefix="match")

    def close(self) -> None:
        """Match no more."""
        self._matching.shutdown(wait=False, cancel_futures=True)

    async def poll_feeds(self, due: Sequence[DueFeed]) -> list[PollReport]:
        """Poll these feeds at the same time; trouble with one harms no other."""
        return list(await asyncio.gather(*(self._poll_safely(one) for one in due)))

    async def _poll_safely(self, due: DueFeed) -> PollReport:
        try:
            return await self.poll_feed(due)
        except StoreError as error:  # nothing was written, so the next poll finds the same news
            log.error("poll not kept; it is made again", feed=due.feed.id, error=str(error))
            return PollReport(feed=due.feed.id, reason=PollReason.TEMPORARY, error=str(error))
        except Exception:  # a bug in one feed is logged with it, and the others are polled on
            log.exception("poll broke off", feed=due.feed.id)
            return await self._broken(due)

    async def _broken(self, due: DueFeed) -> PollReport:
        """Let a feed that meets a bug of ours back off, where operators see it."""
        said = "a bug of Topicwire's; the log has the traceback"
        error = FetchTemporary(said, feed_url=due.feed.url, reason=PollReason.BROKEN)
        try:
            return await self._failed(due, error)
        except StoreError as trouble:
            return PollReport(feed=due.feed.id, reason=PollReason.BROKEN, error=f"{said}; {trouble}")

    async def poll_feed(self, due: DueFeed) -> PollReport:
        """Poll one feed and write what follows from it."""
        try:
            answer, digest, parsed = await self._read(due)
        except FetchError as error:
            return await self._failed(due, error)
        return await self._shielded(due, self._write(due, answer, digest, parsed))

    async def _shielded(self, due: DueFeed, writing: Coroutine[None, None, PollReport]) -> PollReport:
        """Finish a transaction even when the poll is cancelled: one cut off would keep its lock."""
        task = asyncio.create_task(writing, name=f"write {due.feed.id}")
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait([task])
            raise

    async def _write(
        self, due: DueFeed, answer: Fetched | NotModified, digest: str | None, parsed: ParsedFeed | None
    ) -> PollReport:
        now = self._clock.now()
        decision = after_success(
            due.feed,
            due.state,
            answer,
            digest,
            parsed,
            now=now,
            dice=self._clock.dice(),
            policy=self._policies().polls,
        )
        report = PollReport(feed=due.feed.id, reason=decision.reason)
        async with self._store.polling() as transaction:
            if parsed is not None:
                await self._keep(transaction, due, parsed, report, now)
            await transaction.save_poll(due, decision, now, None)
        _log_poll(report, decision)
        return report

    async def _read(self, due: DueFeed) -> tuple[Fetched | NotModified, str | None, ParsedFeed | None]:
        """Return the answer, the body's hash, and the items; no items: nothing changed since last time."""
        answer = await self._fetcher.fetch(due.feed, due.state)
        if isinstance(answer, NotModified):
            return answer, None, None
        digest = hashlib.sha256(answer.body).hexdigest()
        if digest == due.state.body_sha256:
            return answer, digest, None
        return answer, digest, await self._parser.parse(due.feed, answer, self._clock.now())

    async def _failed(self, due: DueFeed, error: FetchError) -> PollReport:
        now = self._clock.now()
        policy = self._policies().polls
        decision = after_error(due.feed, due.state, error, now=now, dice=self._clock.dice(), policy=policy)
        async with self._store.polling() as transaction:
            await transaction.save_poll(due, decision, now, str(error))
        report = PollReport(feed=due.feed.id, reason=error.reason, error=redact_url(str(error)))
        _log_poll(report, decision)
        return report

    async def _keep(
        self, store: PollTransaction, due: DueFeed, parsed: ParsedFeed, report: PollReport, now: datetime
    ) -> None:
        """Write a poll's items, and what follows from those that are new or edited."""
        rules = self._rules()  # one set for the whole poll, whatever is swapped in meanwhile
        found, edited = await self._sorted(store, due, parsed, now)
        added = [one for one in found if one.reason not in {ItemReason.SEEN, ItemReason.EDITED}]
        before = await store.item_topics(edited)
        fresh = dict(zip(await store.add_items(added, now), added, strict=True)) | dict(edited)
        matches = await self._match_all(rules, {number: one.item for number, one in fresh.items()})
        untold = {
            number: frozenset(match.topic for match in some) - before.get(number, frozenset())
            for number, some in matches.items()
        }
        quiet = await self._quiet(store, rules, {number: untold[number] for number in edited})
        await store.update_items(edited, now)
        await store.set_matches(matches, quiet)
        report.items, report.edited = len(parsed.items), len(edited)
        report.new = sum(one.reason is ItemReason.NEW for one in added)
        report.silent = len(added) - report.new
        report.matched = sum(bool(some) for some in matches.values())
        report.is_flood = is_flood(found)
        news = [number for number, some in untold.items() if some]
        stories = await store.stories_of(news)
        for number in sorted(news, key=lambda number: (fresh[number].item.published_at or now, -number)):
            told = await self._teller.tell(
                store,
                number,
                fresh[number].item,
                now,
                story=stories.get(number),
                topics=rules.topics,
                is_silent=fresh[number].reason in _SILENT or untold[number] == quiet.get(number),
                is_flood=report.is_flood,
            )
            report.count(told)

    async def _quiet(
        self, store: PollTransaction, rules: Rules, untold: Mapping[ItemId, frozenset[TopicId]]
    ) -> dict[ItemId, frozenset[TopicId]]:
        """Return for edited items the topics that they match only because the rules have changed.

        So it is where the text before the edit matches as well: under the rules of its time it did not.

        Args:
            untold: The topics that the edited items match now, and did not so far.
        """
        former = await store.kept_items([number for number, topics in untold.items() if topics])
        matches = await self._match_all(rules, former)
        return {
            number: untold[number].intersection(match.topic for match in some)
            for number, some in matches.items()
        }

    async def _match_all(self, rules: Rules, items: Mapping[ItemId, Item]) -> dict[ItemId, tuple[Match, ...]]:
        if not items:
            return {}
        return await asyncio.get_running_loop().run_in_executor(self._matching, _match_all, rules, items)

    async def _sorted(
        self, store: PollTransaction, due: DueFeed, parsed: ParsedFeed, now: datetime
    ) -> tuple[Sequence[Sorted], Mapping[ItemId, Sorted]]:
        """Return the poll's items, each with its reason, and the edited ones by their number."""
        known = await store.known_items(
            due.feed.id, {key for item in parsed.items for key in item_keys(item)}
        )
        hashes = {key: item.content_hash for key, item in known.items()}
        found = sort_items(parsed.items, hashes, due.state, now)
        edited = {
            next(known[key].id for key in one.keys if key in known): one
            for one in found
            if one.reason is ItemReason.EDITED
        }
        return found, edited


def _match_all(rules: Rules, items: Mapping[ItemId, Item]) -> dict[ItemId, tuple[Match, ...]]:
    return {number: _match(rules, item) for number, item in items.items()}


def _match(rules: Rules, item: Item) -> tuple[Match, ...]:
    """Return an item's matches; an item that meets a bug of ours is kept without, and the feed goes on."""
    try:
        return rules.match(item)
    except Exception:  # a bug with one item is logged with it, and the rest of the feed goes on
        log.exception("item was not matched", feed=item.feed_id, guid=item.guid, title=item.title[:80])
        return ()


def _log_poll(report: PollReport, decision: PollDecision) -> None:
    facts = {
        "feed": report.feed,
        "reason": report.reason.value,
        "next_poll": decision.next_poll_at.isoformat(),
    }
    if report.error:
        log.warning(
            "poll failed", **facts, why=decision.why.value, error=report.error, paused=decision.paused
        )
    elif report.is_flood:
        log.warning(
            "poll brought more news than is credible; it is told as a digest", **facts, new=report.new
        )
    elif report.new or report.edited:
        log.info("poll brought news", **facts, new=report.new, edited=report.edited, alerts=report.alerts)
    else:
        log.debug("poll brought nothing new", **facts, silent=report.silent)
