"""What tests of the fetcher share: a clock that only sleeping moves, feeds, and what came of asking."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import FetchError
from bot.feeds.http import FetchLimits, HttpFetcher
from bot.model import Feed, FeedId, Fetched, NotModified, PollState

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LIMITS = FetchLimits(total_timeout=timedelta(seconds=20))


class Patience:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        """Return the seconds of the clock."""
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        """Move the clock, and let others run."""
        self.slept.append(seconds)
        self.now_s += seconds
        await asyncio.sleep(0)


def a_fetcher(patience: Patience, limits: FetchLimits = LIMITS) -> HttpFetcher:
    """Return a fetcher that goes by that clock; use it as a context."""
    return HttpFetcher(limits, monotonic=patience.monotonic, sleep=patience.sleep, now=lambda: NOW)


def a_feed(
    url: str,
    *,
    allow_private: bool = True,
    user_agent: str | None = None,
    headers: tuple[tuple[str, str], ...] = (),
    auth_file: str | None = None,
) -> Feed:
    """Return a feed of that URL."""
    return Feed(
        id=FeedId("harbour"),
        url=url,
        allow_private=allow_private,
        user_agent=user_agent,
        headers=headers,
        auth_file=auth_file,
    )


async def polled(
    fetcher: HttpFetcher, feed: Feed | str, state: PollState | None = None
) -> Fetched | NotModified:
    """Return what a poll brings."""
    return await fetcher.fetch(a_feed(feed) if isinstance(feed, str) else feed, state or PollState())


async def fetched(fetcher: HttpFetcher, feed: Feed | str, state: PollState | None = None) -> Fetched:
    """Return the body that a poll brings."""
    answer = await polled(fetcher, feed, state)
    assert isinstance(answer, Fetched)
    return answer


async def failure(
    fetcher: HttpFetcher, feed: Feed | str, state: PollState | None = None, *, allow_private: bool = True
) -> FetchError:
    """Return the error that a poll ends in."""
    asked = a_feed(feed, allow_private=allow_private) if isinstance(feed, str) else feed
    with pytest.raises(FetchError) as caught:
        await fetcher.fetch(asked, state or PollState())
    return caught.value
