"""Manners: one request at a time to a host, a pause between two, and longer where the host asked for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

_FORGET_AT = 10_000  # hosts remembered before the idle ones are dropped


class HostBusy(Exception):
    """The host's turn would come too late to wait for it here."""

    def __init__(self, wait_s: float) -> None:
        self.wait_s = wait_s
        super().__init__(f"the host is busy for {wait_s:.0f} s")


@dataclass(slots=True)
class _Host:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0
    free_at: float = 0.0  # on the monotonic clock: not asked again before


class HostTurns:
    """Gives each host's turns out in order of asking."""

    def __init__(
        self,
        interval_s: float,
        longest_wait_s: float,
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._interval_s = interval_s
        self._longest_wait_s = longest_wait_s
        self._monotonic = monotonic
        self._sleep = sleep
        self._hosts: dict[str, _Host] = {}

    @asynccontextmanager
    async def turn(self, key: str) -> AsyncIterator[None]:
        """Wait for the host's turn, and hold it while inside.

        Raises:
            HostBusy: It would take longer than the longest wait.
        """
        host = self._host(key)
        self._refuse_long_wait(host, host.waiting)
        host.waiting += 1
        try:
            async with host.lock:
                self._refuse_long_wait(host, 0)  # it may have asked for a pause in the meantime
                if (wait_s := host.free_at - self._monotonic()) > 0:
                    await self._sleep(wait_s)
                try:
                    yield
                finally:
                    host.free_at = max(host.free_at, self._monotonic() + self._interval_s)
        finally:
            host.waiting -= 1

    def pause(self, key: str, wait_s: float) -> None:
        """Give no more turns of this host for so long."""
        host = self._host(key)
        host.free_at = max(host.free_at, self._monotonic() + wait_s)

    def _refuse_long_wait(self, host: _Host, before: int) -> None:
        wait_s = max(host.free_at - self._monotonic(), 0.0) + before * self._interval_s
        if wait_s > self._longest_wait_s:
            raise HostBusy(wait_s)

    def _host(self, key: str) -> _Host:
        if key not in self._hosts and len(self._hosts) >= _FORGET_AT:
            now = self._monotonic()
            self._hosts = {
                name: host for name, host in self._hosts.items() if host.waiting or host.free_at > now
            }
        return self._hosts.setdefault(key, _Host())
