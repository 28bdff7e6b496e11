"""A feed's bytes to items, in processes that a bad feed can break without harm."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Final, Self

from pebble import ProcessExpired, ProcessPool

from bot.core.identity import redact_url
from bot.errors import FeedUnreadable
from bot.feeds.draft import MAX_ITEMS
from bot.feeds.workers import WorkerContext, prepare_worker
from bot.model import Feed, Fetched, ParsedFeed, PollReason

_TASKS_A_WORKER: Final = 500  # then a fresh process, in case a library leaks
# Feeds that wait are sent to a process together, since sending costs as much as parsing a small one.
_MOST_AT_ONCE: Final = 8
_MOST_BYTES_AT_ONCE: Final = 1_000_000
_PATIENCE: Final = timedelta(seconds=2)  # with several; then each has its own time


def parse_feed(
    body: bytes,
    content_type: str | None,
    feed: Feed,
    now: datetime,
    final_url: str,
    max_items: int = MAX_ITEMS,
) -> ParsedFeed:
    """Return a feed's items in the feed's order, read here and now; see read_feed.

    Raises:
        FeedUnreadable: This is no RSS, Atom or JSON Feed; the text says what it is instead.
    """
    from bot.feeds.reading import read_feed  # noqa: PLC0415 - memory: the daemon leaves reading to its processes

    return _readable(feed, read_feed(body, content_type, feed, now, final_url, max_items))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """What a process is told of one feed."""

    body: bytes
    content_type: str | None
    feed: Feed
    now: datetime
    final_url: str
    max_items: int


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """A feed that somebody waits for."""

    work: _Work
    answer: asyncio.Future[ParsedFeed | str]


class ProcessParser:
    """A ports.Parser in processes of its own; use it as an async context manager, or close it."""

    def __init__(
        self, *, workers: int = 2, timeout: timedelta = timedelta(seconds=10), max_items: int = MAX_ITEMS
    ) -> None:
        """Take the limits. Nothing starts before the first feed.

        Args:
            timeout: For one feed; the process that takes longer is killed.
        """
        self._workers = workers
        self._timeout = timeout
        self._max_items = max_items
        self._pool: ProcessPool | None = None
        self._starting = asyncio.Lock()
        self._waiting: deque[_Job] = deque()
        self._sent: set[_Job] = set()
        self._idle = workers
        self._senders: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Return the parser."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the parser."""
        await self.close()

    async def close(self) -> None:
        """Stop the processes and wait for their end; closing twice is closing once."""
        senders = [*self._senders]
        for sender in senders:
            sender.cancel()
        await asyncio.gather(*senders, return_exceptions=True)
        _give_up(self._waiting)
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.stop()  # type: ignore[no-untyped-call]  # pebble's hints leave it out
            await asyncio.to_thread(pool.join)

    async def parse(self, feed: Feed, fetched: Fetched, now: datetime) -> ParsedFeed:
        """Return the feed's items.

        Raises:
            FeedUnreadable: The bytes are no feed, parsing took too long, or broke its process.
        """
        pool = self._pool or await self._start()
        work = _Work(
            body=fetched.body,
            content_type=fetched.content_type,
            feed=feed,
            now=now,
            final_url=fetched.final_url,
            max_items=self._max_items,
        )
        job = _Job(work, asyncio.get_running_loop().create_future())
        self._waiting.append(job)
        if self._idle:
            self._idle -= 1
            sender = asyncio.create_task(self._send(pool))
            self._senders.add(sender)
            sender.add_done_callback(self._ended)
        return _readable(feed, await job.answer)

    async def _send(self, pool: ProcessPool) -> None:
        """Keep one process busy until nobody waits any more."""
        try:
            while jobs := self._next_jobs():
                self._sent.update(jobs)
                await self._answer(pool, jobs)
                self._sent.difference_update(jobs)
        finally:
            self._idle += 1  # at once: who comes next must not rely on a sender that has just ended

    def _ended(self, sender: asyncio.Task[None]) -> None:
        """Tell those who wait where a sender broke off."""
        self._senders.discard(sender)
        error = None if sender.cancelled() else sender.exception()
        if error is not None:
            for job in (*self._sent, *self._waiting):
                _settle(job, error)
            self._sent.clear()

    def _next_jobs(self) -> list[_Job]:
        """Take those who have waited longest, as many as go together; a large feed goes alone."""
        jobs: list[_Job] = []
        size = 0
        while self._waiting and len(jobs) < _MOST_AT_ONCE:
            if self._waiting[0].answer.done():  # nobody waits for it any more
                self._waiting.popleft()
                continue
            size += len(self._waiting[0].work.body)
            if jobs and size > _MOST_BYTES_AT_ONCE:
                break
            jobs.append(self._waiting.popleft())
        return jobs

    async def _answer(self, pool: ProcessPool, jobs: Sequence[_Job]) -> None:
        """Answer the jobs. Where one of several spoils it for all, each gets a process to itself."""
        done = self._schedule(pool, jobs)
        try:
            await asyncio.wait([done])
        finally:
            if not done.done():  # we are being stopped
                _give_up(jobs)
        if done.cancelled():  # nobody waits any more
            return
        error = done.exception()
        if error is None:
            for job, answer in zip(jobs, done.result(), strict=True):
                _settle(job, answer)
        elif len(jobs) == 1:
            _settle(jobs[0], self._reason(error))
        else:
            for job in jobs:
                if not job.answer.done():
                    await self._answer(pool, [job])

    def _schedule(self, pool: ProcessPool, jobs: Sequence[_Job]) -> asyncio.Future[list[ParsedFeed | str]]:
        """Return what will be the answers; the process is killed when nobody waits for them any more."""
        limit = min(self._timeout, _PATIENCE) if len(jobs) > 1 else self._timeout
        works = [job.work for job in jobs]
        task = pool.schedule(_read_feeds, args=(works,), timeout=limit.total_seconds())
        answers: asyncio.Future[list[ParsedFeed | str]] = asyncio.wrap_future(task)
        for job in jobs:
            job.answer.add_done_callback(
                lambda _: all(one.answer.done() for one in jobs) and answers.cancel()
            )
        return answers

    def _reason(self, error: BaseException) -> str | BaseException:
        """Return what is wrong with a feed whose reading ended so; a bug of ours is returned as it is."""
        if isinstance(error, TimeoutError):
            return f"takes more than {self._timeout.total_seconds():g} s to parse"
        if isinstance(error, ProcessExpired | MemoryError):
            return "broke the process that parsed it"
        return error

    async def _start(self) -> ProcessPool:
        """Return the pool; its processes start in a thread, since that takes a while."""
        async with self._starting:
            if self._pool is None:
                context = WorkerContext()
                context.set_forkserver_preload(["pebble", "bot.feeds.reading"])
                pool = ProcessPool(
                    max_workers=self._workers,
                    max_tasks=_TASKS_A_WORKER,
                    initializer=prepare_worker,
                    context=context,
                )
                await asyncio.to_thread(lambda: pool.active)
                self._pool = pool
            return self._pool


def _read_feeds(works: Sequence[_Work]) -> list[ParsedFeed | str]:
    """Return what read_feed returns of each; this runs in a process of its own."""
    from bot.feeds.reading import read_feed  # noqa: PLC0415 - memory, as above

    return [
        read_feed(work.body, work.content_type, work.feed, work.now, work.final_url, work.max_items)
        for work in works
    ]


def _give_up(jobs: Iterable[_Job]) -> None:
    for job in jobs:
        job.answer.cancel()


def _settle(job: _Job, answer: ParsedFeed | str | BaseException) -> None:
    if job.answer.done():  # cancelled meanwhile
        return
    if isinstance(answer, BaseException):
        job.answer.set_exception(answer)
    else:
        job.answer.set_result(answer)


def _readable(feed: Feed, answer: ParsedFeed | str) -> ParsedFeed:
    if isinstance(answer, ParsedFeed):
        return answer
    url = redact_url(feed.url)
    raise FeedUnreadable(f"{url} {answer}", feed_url=url, reason=PollReason.UNREADABLE)
