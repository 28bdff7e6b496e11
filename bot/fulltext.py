"""Beside the main path: the page that an item links to → its text → match → alert.

Only for items whose feed or topics ask for it, a few at once and a few a minute, so that polling goes first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from bot.core.fulltext import (
    DuePage,
    PageDecision,
    PagePolicy,
    PageState,
    after_error,
    after_reading,
    is_put_off,
    may_be_private,
    with_page,
)
from bot.core.identity import redact_url
from bot.errors import FeedUnreadable, FetchError, FetchRefused, FetchTemporary, StoreError
from bot.feeds.http import ACCEPT_PAGES, REDIRECTS
from bot.feeds.robots import PageDisallowed, Robots
from bot.keeping import Rules
from bot.model import Feed, FeedId, Fetched, Item, ItemId, Match, PollReason, PollState, TopicId
from bot.polled import BUG
from bot.ports import Clock, Fetcher, PollTransaction
from bot.telling import Teller, Telling, TellPolicies

log = structlog.get_logger()

LEASE: Final = timedelta(minutes=5)  # longer than a page takes; a dead one's page is free again after it
MOST_REDIRECTS: Final = 5  # of a page; each host's robots.txt is asked first
PAGE_WITHIN_S: Final = 180.0  # robots.txt, redirects and the waiting for each host's turn included
TRIM_EVERY: Final = timedelta(minutes=1)
FORGET_EVERY: Final = timedelta(days=1)
FINISH_WITHIN_S: Final = 10.0  # what is in flight when the patience of a pass is over
LOOK_AGAIN: Final = timedelta(seconds=1)


class PageTransaction(PollTransaction, Protocol):
    """What the end of a page reads and writes; all of it or nothing."""

    async def settle_page(self, page: DuePage, decision: PageDecision, now: datetime, text: str = "") -> bool:
        """Write what came of a try; return False where somebody else took the page meanwhile."""

    async def set_content(self, number: ItemId, content: str) -> None:
        """Keep an item's content; what tells an edit of the feed's own text stays as it is."""

    async def rest_host(self, host: str, until: datetime) -> None:
        """Leave a host in peace until then, for polls as well; a later end stands."""


class PageStore(Protocol):
    """What the reading of pages asks of the store."""

    async def claim_pages(
        self, now: datetime, lease_for: timedelta, room: int, reading: Collection[DuePage], policy: PagePolicy
    ) -> Sequence[DuePage]:
        """Return pages that are due, one of each host, now ours for the lease."""

    async def next_page_due(self, now: datetime, per_minute: int) -> datetime | None:
        """Return when the next page may be claimed, which may be past; None: none waits."""

    async def give_back_pages(self, given: Sequence[DuePage], now: datetime) -> None:
        """Give pages back unread: they are due again."""

    async def trim_pages(self, now: datetime, policy: PagePolicy) -> tuple[int, int]:
        """Give up pages that are no news any more, and those beyond the most; return how many of each."""

    async def forget_pages(self, now: datetime) -> int:
        """Remove what is known of pages of old items; return how many."""

    def polling(self) -> AbstractAsyncContextManager[PageTransaction]:
        """Return a transaction for the end of a page."""


class Reader(Protocol):
    """Finds the article on a page, outside the event loop."""

    async def read(
        self, body: bytes, content_type: str | None, place: str, *, is_article_only: bool = False
    ) -> Item:
        """Return the article of a page.

        Raises:
            FeedUnreadable: It is no page, took too long, or broke its process.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class FullTextPolicies:
    """The numbers that the reading of pages decides by."""

    pages: PagePolicy = field(default_factory=PagePolicy)
    telling: TellPolicies = field(default_factory=TellPolicies)


@dataclass(slots=True, kw_only=True)
class FullTextReport:
    """What came of reading pages, for logs and summaries."""

    read: int = 0  # their texts are part of their items
    reused: int = 0  # of these, without a request
    short: int = 0  # nothing that the feed does not tell
    refused: int = 0  # disallowed, refused, or given up
    later: int = 0  # put off, or tried again
    matched: int = 0  # items that match a topic by their page
    stories: int = 0  # opened by these
    alerts: int = 0  # queued or held for a chat


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What a try brought: a text or an error."""

    text: str = ""
    error: FetchError | None = None
    was_asked: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """What was written of a page."""

    decision: PageDecision
    topics: frozenset[TopicId] = frozenset()  # that the item matches by its page
    told: Telling = field(default_factory=Telling)


class FullText:
    """Reads the pages that wait."""

    def __init__(
        self,
        *,
        fetcher: Fetcher,
        robots: Robots,
        reader: Reader,
        store: PageStore,
        clock: Clock,
        rules: Callable[[], Rules],
        operators: Callable[[], frozenset[int]],
        policies: Callable[[], FullTextPolicies],
    ) -> None:
        """Take the rooms.

        Args:
            fetcher: The one that polls feeds, so that a host has one visitor at a time, whatever he reads.
        """
        self._fetcher = fetcher
        self._robots = robots
        self._reader = reader
        self._store = store
        self._clock = clock
        self._rules = rules
        self._policies = policies
        self._teller = Teller(
            topics=lambda: rules().topics, operators=operators, policies=lambda: policies().telling
        )
        self._matching = ThreadPoolExecutor(max_workers=1, thread_name_prefix="match pages")
        self._reading: dict[asyncio.Task[None], DuePage] = {}
        self._trim_at: datetime | None = None
        self._forget_at: datetime | None = None
        self._report = FullTextReport()

    async def start_due(self) -> int:
        """Begin to read what is due and has room, and return how many; nothing is waited for."""
        now, policy = self._clock.now(), self._policies().pages
        room = policy.at_once - len(self._reading)
        if room <= 0 or policy.per_minute <= 0:
            return 0
        try:
            await self._trim(now, policy)
            due = await self._store.claim_pages(now, LEASE, room, self._reading.values(), policy)
        except StoreError as error:
            log.error("cannot claim pages; the next tick tries again", error=str(error))
            return 0
        except Exception:  # a bug in claiming pages must not end the tick that polls
            log.exception("cannot claim pages; the next tick tries again")
            return 0
        for page in due:
            task = asyncio.create_task(self._read_safely(page), name=f"read page of item {page.item}")
            self._reading[task] = page
            task.add_done_callback(lambda done: self._reading.pop(done, None))
        return len(due)

    async def read_due(self, patience: timedelta) -> FullTextReport:
        """Read until nothing is due within the patience, and return what came of it."""
        self._report = FullTextReport()
        until = self._clock.now() + patience
        while self._clock.now() < until:
            await self.start_due()
            if self._reading:
                seconds = (until - self._clock.now()).total_seconds()
                done, _ = await asyncio.wait(
                    self._reading, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
                )
                if not done:
                    break
                continue
            now = self._clock.now()
            due = await self._store.next_page_due(now, self._policies().pages.per_minute)
            if due is None or due >= until:
                break
            await self._clock.sleep(max(due - now, LOOK_AGAIN))
        if self._reading:
            await asyncio.wait(self._reading, timeout=FINISH_WITHIN_S)
        await self.stop()
        return self._report

    async def stop(self) -> None:
        """Break off what is being read, once what is being written is written, and give it back."""
        reading = dict(self._reading)
        for task in reading:
            task.cancel()
        if not reading:
            return
        await asyncio.wait(reading)
        given_back = [page for task, page in reading.items() if task.cancelled()]
        try:
            await self._store.give_back_pages(given_back, self._clock.now())
        except StoreError as error:
            log.error("pages are not given back; they are due again when their leases end", error=str(error))

    async def close(self) -> None:
        """Stop, and read no more."""
        await self.stop()
        self._matching.shutdown(wait=False, cancel_futures=True)

    async def _trim(self, now: datetime, policy: PagePolicy) -> None:
        if self._trim_at is not None and self._trim_at - TRIM_EVERY <= now < self._trim_at:
            return
        self._trim_at = now + TRIM_EVERY
        stale, dropped = await self._store.trim_pages(now, policy)
        if stale:
            log.info("pages are not read, since their items are no news any more", pages=stale)
        if dropped:
            log.warning(
                "too many pages wait; the oldest are not read", dropped=dropped, most=policy.most_waiting
            )
        if self._forget_at is None or now >= self._forget_at:
            self._forget_at = now + FORGET_EVERY
            forgotten = await self._store.forget_pages(now)
            log.debug("pages of old items are forgotten", pages=forgotten)

    # ---- one page ------------------------------------------------------------------------------

    async def _read_safely(self, page: DuePage) -> None:
        """Read a page and write what follows; trouble with one harms no other."""
        try:
            await self._shielded(self._keep(page, await self._find(page)))
        except StoreError as error:  # nothing was written, so that the page is due again after its lease
            log.error("page not kept; it is read again", item=page.item, error=str(error))
        except Exception:  # a bug with one page is logged with it, and the others are read on
            log.exception("page broke off", item=page.item, host=page.host)
            await self._give_up(page)

    async def _give_up(self, page: DuePage) -> None:
        decision = PageDecision(state=PageState.GIVEN_UP, tries=page.tries, error=BUG)
        try:
            async with self._store.polling() as transaction:
                await transaction.settle_page(page, decision, self._clock.now())
        except StoreError as error:
            log.error("page not kept; it is read again", item=page.item, error=str(error))

    async def _shielded(self, writing: Coroutine[None, None, None]) -> None:
        """Finish a transaction even when the reading is cancelled: one cut off would keep its lock."""
        task = asyncio.create_task(writing)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait([task])
            raise

    async def _find(self, page: DuePage) -> _Found:
        """Return the page's text, or why there is none."""
        if page.known_text is not None:
            return _Found(text=page.known_text, was_asked=False)
        try:
            async with asyncio.timeout(PAGE_WITHIN_S):
                return _Found(text=await self._text(page))
        except FetchError as error:
            return _Found(error=error)
        except TimeoutError:
            said = f"the page and what leads to it took more than {PAGE_WITHIN_S:g} s"
            return _Found(error=FetchTemporary(said, feed_url=page.url, reason=PollReason.TEMPORARY))

    async def _text(self, page: DuePage) -> str:
        """Return the article's text.

        Raises:
            FetchError: It cannot be had, or may not be read (PageDisallowed).
        """
        answer = await self._ask(page.url, page.allow_private)
        for _ in range(MOST_REDIRECTS):
            if answer.status not in REDIRECTS or not answer.moved_to:
                break
            # Never further into the LAN than its feed, whatever a page leads to.
            private = may_be_private(answer.moved_to, page.url, allow_private=page.allow_private)
            answer = await self._ask(answer.moved_to, private, is_redirect=True)
        if answer.status in REDIRECTS:
            said = f"{redact_url(page.url)} redirects more than {MOST_REDIRECTS} times"
            raise FetchRefused(said, feed_url=redact_url(page.url), reason=PollReason.REFUSED)
        kind = answer.content_type or "text/html"
        article = await self._reader.read(answer.body, kind, answer.final_url, is_article_only=True)
        return article.content

    async def _ask(self, url: str, allow_private: bool, *, is_redirect: bool = False) -> Fetched:
        """Return what is at an address, where robots.txt lets us ask; it comes as any visitor would get it.

        Raises:
            FetchError: It cannot be had, or may not be asked for (PageDisallowed).
        """
        await self._robots.permit(url, allow_private=allow_private, is_redirect=is_redirect)
        place = Feed(id=FeedId(""), url=url, allow_private=allow_private, headers=(("Accept", ACCEPT_PAGES),))
        try:
            answer = await self._fetcher.fetch(place, PollState(), follow=False)
        except FetchTemporary as error:
            if is_redirect and is_put_off(error):  # the page that led here was asked for, so this is a try
                said, wait = str(error), error.retry_after
                raise FetchTemporary(
                    said, feed_url=url, reason=PollReason.TEMPORARY, retry_after=wait
                ) from error
            raise
        if isinstance(answer, Fetched):
            return answer
        said = "the server says that nothing changed, to a first question"
        raise FeedUnreadable(said, feed_url=url, reason=PollReason.UNREADABLE)

    async def _keep(self, page: DuePage, found: _Found) -> None:
        """Write what came of a try, and what follows from it, in one transaction."""
        now = self._clock.now()
        async with self._store.polling() as transaction:
            item = (await transaction.kept_items([page.item])).get(page.item)
            if item is None:  # removed meanwhile, and its page with it
                return
            kept = _Kept(decision=self._decide(page, found, item, now))
            if not await transaction.settle_page(page, kept.decision, now, found.text):
                return
            if found.error is not None and found.error.host and found.error.retry_after:
                await transaction.rest_host(found.error.host, now + found.error.retry_after)
            if kept.decision.state is PageState.READ:
                kept = await self._match_again(transaction, page, item, found.text, kept.decision, now)
        self._count(page, kept)

    def _decide(self, page: DuePage, found: _Found, item: Item, now: datetime) -> PageDecision:
        if found.error is None:
            return after_reading(item, found.text, page.tries, was_asked=found.was_asked)
        if isinstance(found.error, PageDisallowed):
            return PageDecision(
                state=PageState.DISALLOWED, tries=page.tries, error=str(found.error), was_asked=False
            )
        policy = self._policies().pages
        return after_error(found.error, page.tries, now=now, dice=self._clock.dice(), policy=policy)

    async def _match_again(
        self,
        store: PageTransaction,
        page: DuePage,
        item: Item,
        text: str,
        decision: PageDecision,
        now: datetime,
    ) -> _Kept:
        """Keep the item with its page's text, and tell what it newly matches.

        A topic that its own words match by now, and did not, is one that only a change of the rules brought:
        as with an edited item, that is kept quietly.
        """
        rules, number = self._rules(), page.item  # one set, whatever is swapped in meanwhile
        whole = with_page(item, text)
        matches, former = await asyncio.get_running_loop().run_in_executor(
            self._matching, _match_both, rules, whole, item
        )
        before = (await store.item_topics([number])).get(number, frozenset())
        untold = _topics(matches) - before
        quiet = untold & _topics(former)
        await store.set_content(number, whole.content)
        await store.set_matches({number: matches}, {number: quiet})
        if not untold:
            return _Kept(decision=decision)
        told = await self._teller.tell(
            store,
            number,
            whole,
            now,
            story=(await store.stories_of([number])).get(number),
            topics=rules.topics,
            is_silent=untold == quiet,
            is_flood=page.is_flood,
        )
        return _Kept(decision=decision, topics=untold - quiet, told=told)

    def _count(self, page: DuePage, kept: _Kept) -> None:
        decision, report = kept.decision, self._report
        facts = {"item": page.item, "host": page.host, "state": decision.state.value}
        match decision.state:
            case PageState.READ:
                report.read += 1
                report.reused += not decision.was_asked
                report.matched += bool(kept.topics)
                report.stories += kept.told.opened
                report.alerts += len(kept.told.alerts)
                log.info("page read", **facts, topics=sorted(kept.topics), alerts=len(kept.told.alerts))
            case PageState.SHORT:
                report.short += 1
                log.info("page tells no more than its feed", **facts)
            case PageState.WAITING:
                report.later += 1
                again_at = decision.due_at.isoformat() if decision.due_at else None
                log.info("page not read yet", **facts, error=decision.error, again_at=again_at)
            case _:
                report.refused += 1
                log.info("page not read", **facts, error=decision.error)


def _match_both(rules: Rules, whole: Item, item: Item) -> tuple[tuple[Match, ...], tuple[Match, ...]]:
    return rules.match(whole), rules.match(item)


def _topics(matches: Sequence[Match]) -> frozenset[TopicId]:
    return frozenset(match.topic for match in matches)
