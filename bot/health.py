"""Watching over polling: what begins to be wrong and what is over is told to the operators, once each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from bot.core.health import Sight, judge
from bot.core.health_notices import begun_message, ended_message, troubles_state
from bot.core.health_summary import Summary
from bot.core.render import Texts
from bot.i18n import texts
from bot.metrics import Metrics
from bot.model import Address, Chat, Message, Trouble, TroubleScope
from bot.ports import Clock, Notice

log = structlog.get_logger()

BEGUN, ENDED = "begun", "ended"


class TroubleStore(Protocol):
    """What watching asks of the store."""

    async def troubles(self) -> Sequence[Trouble]:
        """Return what was wrong at the last check, and the floods not yet told; oldest first."""

    async def sight(self, known: Collection[Trouble], now: datetime) -> Sight:
        """Return all that a check looks at, as one consistent view."""

    async def outlets(self, ids: Collection[str]) -> Mapping[str, str]:
        """Return the outlets' names of these feeds; those without one are left out."""

    async def replace_troubles(
        self, begun: Collection[Trouble], gone: Collection[Trouble], owed: Collection[Notice], now: datetime
    ) -> None:
        """Write which troubles began and which are gone, together with what operators are owed about it.

        A flood that began is told: it is kept without its detail, see `is_untold`.
        """

    async def probe(self, now: datetime) -> None:
        """Make a few failing feeds due, so that no back-off sleeps through the end of an outage."""

    async def chat(self, address: Address) -> Chat | None:
        """Return the chat at that address; None: never heard of it."""


class SummaryStore(Protocol):
    """What a look at the whole house asks of the store."""

    async def summary(self, now: datetime) -> Summary:
        """Return how the house fares, as one consistent view."""


class WatchStore(TroubleStore, SummaryStore, Protocol):
    """What the watch asks of the store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    """What one check found."""

    begun: tuple[Trouble, ...] = ()
    ended: tuple[Trouble, ...] = ()
    lasting: tuple[Trouble, ...] = ()  # those begun now among them


class HealthWatch:
    """Looks how polling fares, and owes the operators a word where that changes."""

    def __init__(
        self,
        *,
        store: WatchStore,
        clock: Clock,
        operators: Callable[[], Collection[int]],
        metrics: Metrics | None = None,
    ) -> None:
        """Take up the watch.

        Args:
            operators: Telegram ids of those who run the installation; asked anew each time.
            metrics: Is shown at each check how the house fares; None: nobody reads it.
        """
        self._store = store
        self._clock = clock
        self._operators = operators
        self._metrics = metrics

    async def check(self) -> HealthReport:
        """Return what began and what is over since the last check; the sender carries the word of it.

        What is found and what is owed is written in one transaction, so that a crash neither loses a word nor
        repeats it.

        Raises:
            StoreError: Nothing was written; the next check finds the same.
        """
        now = self._clock.now()
        known = await self._store.troubles()
        sight = await self._store.sight(known, now)
        # In a thread: with thousands of feeds in trouble this takes longer than sending should wait.
        found = await asyncio.to_thread(judge, sight, known, now)
        if found.begun or found.ended or found.dropped:
            owed = await self._notices(found.begun, found.ended, now)
            await self._store.replace_troubles(found.begun, (*found.ended, *found.dropped), owed, now)
            _log("trouble with polling", found.begun)
            _log("trouble with polling is over", found.ended)
        if any(one.scope is TroubleScope.ALL for one in found.lasting):
            await self._store.probe(now)
        if self._metrics is not None:
            self._metrics.saw(await self._store.summary(now), now)
        return HealthReport(begun=found.begun, ended=found.ended, lasting=(*found.lasting, *found.begun))

    async def _notices(
        self, begun: Sequence[Trouble], ended: Sequence[Trouble], now: datetime
    ) -> list[Notice]:
        """Return the words for each operator, in their language: one on what began, one on what is over."""
        outlets = await self._store.outlets(
            {one.key for one in (*begun, *ended) if one.scope is TroubleScope.FEED}
        )
        owed = []
        for operator in sorted(self._operators()):
            chat = await self._store.chat(Address(telegram_id=operator))
            words: Texts = texts(chat.language if chat else "")
            if begun:
                message = begun_message(begun, outlets, words)
                owed.append(_notice(operator, BEGUN, begun, message, now))
            if ended:
                message = ended_message(ended, outlets, words)
                owed.append(_notice(operator, ENDED, ended, message, now))
        return owed


def _notice(operator: int, what: str, troubles: Sequence[Trouble], message: Message, now: datetime) -> Notice:
    """Return a notice whose subject is this check alone, so that no other word takes its place."""
    state = troubles_state(troubles)
    subject = f"health {what} {now.isoformat()} {state}"
    return Notice(telegram_id=operator, subject=subject, state=state, message=message)


def _log(event: str, troubles: Sequence[Trouble]) -> None:
    for one in troubles:
        log.warning(
            event,
            scope=one.scope.value,
            key=one.key,
            kind=one.kind.value,
            since=one.since.isoformat(),
            detail=one.detail,
        )
