"""Manners: one request at a time to a host, a pause between two, and longer where the host asked for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

_FORGET_AT = 10_000  # hosts remembered before the idle ones are dropped


class HostBusy(Exception):
    """The host's turn would come too late to wait for it here."""

    def __init__(self, wait_s: float) -> None:
        self.wait_s = wait_s  # until a turn is likely: each who is sent away is told a place of its own
        super().__init__(f"the host is busy for {wait_s:.0f} s")


@dataclass(slots=True, eq=False)
class _Host:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    visitors: int = 0  # who waits or is inside
    free_at: float = 0.0  # on the monotonic clock: not asked again before
    promised_at: float = 0.0  # the last place that was told to somebody sent away


class HostTurns:
    """Gives each host's turns out in order of asking."""

    def __init__(
        self,
        interval_s: float,
        longest_wait_s: float,
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self.interval_s = interval_s
        self.longest_wait_s = longest_wait_s
        self.monotonic = monotonic
        self.sleep = sleep
        self._hosts: dict[str, _Host] = {}

    def turn(self, key: str) -> _Turn:
        """Return a context that waits for the host's turn, and holds it while inside.

        Entering raises HostBusy where that takes longer than the longest wait, counted from its start.
        """
        return _Turn(self, self._host(key))

    def pause(self, key: str, wait_s: float) -> None:
        """Give no more turns of this host for so long."""
        host = self._host(key)
        host.free_at = max(host.free_at, self.monotonic() + wait_s)

    def _host(self, key: str) -> _Host:
        host = self._hosts.get(key)
        if host is None:
            if len(self._hosts) >= _FORGET_AT:
                self._forget_idle()
            host = self._hosts[key] = _Host()
        return host

    def _forget_idle(self) -> None:
        now = self.monotonic()
        self._hosts = {key: host for key, host in self._hosts.items() if host.visitors or host.free_at > now}


class _Turn:
    """A host's turn, as a context; a class, since a generator costs each poll three times as much."""

    __slots__ = ("_host", "_turns")

    def __init__(self, turns: HostTurns, host: _Host) -> None:
        self._turns = turns
        self._host = host

    async def __aenter__(self) -> None:
        host, turns = self._host, self._turns
        began = turns.monotonic()
        self._wait_s(began, host.visitors)
        host.visitors += 1
        is_ours = False
        try:
            is_ours = await host.lock.acquire()
            if (wait_s := self._wait_s(began)) > 0:  # it may have asked for a pause in the meantime
                await turns.sleep(wait_s)
        except BaseException:
            self._leave(is_ours)
            raise

    async def __aexit__(self, *_: object) -> None:
        host, turns = self._host, self._turns
        host.free_at = max(host.free_at, turns.monotonic() + turns.interval_s)
        self._leave(is_ours=True)

    def _leave(self, is_ours: bool) -> None:
        self._host.visitors -= 1
        if is_ours:
            self._host.lock.release()

    def _wait_s(self, began: float, before: int = 0) -> float:
        """Return how long to wait yet, with so many before us.

        Raises:
            HostBusy: With what was waited so far, it is too long.
        """
        host, turns = self._host, self._turns
        now = turns.monotonic()
        wait_s = max(host.free_at - now, 0.0) + before * turns.interval_s
        if now - began + wait_s <= turns.longest_wait_s:
            return wait_s
        host.promised_at = max(host.promised_at + turns.interval_s, now + wait_s)
        raise HostBusy(host.promised_at - now)
