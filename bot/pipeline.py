"""The main path, first half: feed → item → match → story → alert. `sender.py` is the second.

A poll hears what its feed has to say; `keeping.py` writes that, and what follows from it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace

import structlog

from bot.errors import FetchError
from bot.keeping import Keeper, PollPolicies, Rules
from bot.metrics import Metrics
from bot.model import NotModified
from bot.polled import Heard, PollReport, broken
from bot.ports import Clock, DueFeed, FeedStore, Fetcher, Parser

log = structlog.get_logger()


class Poller:
    """Polls feeds."""

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
        metrics: Metrics | None = None,
    ) -> None:
        self._fetcher = fetcher
        self._parser = parser
        self._clock = clock
        self._metrics = metrics or Metrics()
        self._keeper = Keeper(
            store=store,
            clock=clock,
            rules=rules,
            operators=operators,
            policies=policies,
            metrics=self._metrics,
        )

    async def finish(self) -> None:
        """Return when nothing is being written; for the end, when no more polls come."""
        await self._keeper.finish()

    async def poll_feeds(self, due: Sequence[DueFeed]) -> list[PollReport]:
        """Poll these feeds at the same time; trouble with one harms no other."""
        return list(await asyncio.gather(*(self.poll_feed(one) for one in due)))

    async def poll_feed(self, due: DueFeed) -> PollReport:
        """Poll one feed and write what follows from it."""
        began = self._clock.now()
        try:
            heard = await self._hear(due)
        except Exception:  # a bug in one feed is logged with it, and the others are polled on
            log.exception("poll broke off", feed=due.feed.id)
            heard = broken(due)
        report = await self._keeper.keep(heard)
        if not report.is_put_off:
            self._metrics.took(self._clock.now() - began)
        return report

    async def _hear(self, due: DueFeed) -> Heard:
        """Return the answer, the body's hash, and the items; no items: nothing changed since last time."""
        try:
            answer = await self._fetcher.fetch(due.feed, due.state)
            if isinstance(answer, NotModified):
                return Heard(due=due, answer=answer)
            digest = hashlib.sha256(answer.body).hexdigest()
            if digest == due.state.body_sha256:
                return Heard(due=due, answer=replace(answer, body=b""), digest=digest)
            parsed = await self._parser.parse(due.feed, answer, self._clock.now())
            return Heard(due=due, answer=replace(answer, body=b""), digest=digest, parsed=parsed)
        except FetchError as error:
            return Heard(due=due, answer=error)
