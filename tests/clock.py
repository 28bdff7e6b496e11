"""A clock that stands still until a test moves it; sleeping moves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class FakeClock:
    """Answers `ports.Clock`."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start

    def now(self) -> datetime:
        """Return the time that the test has set."""
        return self._now

    def dice(self) -> float:
        """Return the middle: no jitter either way."""
        return 0.5

    async def sleep(self, wait: timedelta) -> None:
        """Return at once, that much later."""
        self.advance(max(wait, timedelta(0)))

    def advance(self, wait: timedelta) -> None:
        """Let that much time go by."""
        self._now += wait
