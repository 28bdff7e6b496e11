"""A fetcher and a server to ask, for the tests of this folder that want them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.feeds.http import HttpFetcher
from tests.feedserver import FeedServer, feed_server
from tests.fetching import Patience, a_fetcher


@pytest.fixture
async def server() -> AsyncIterator[FeedServer]:
    async with feed_server() as running:
        yield running


@pytest.fixture
def patience() -> Patience:
    return Patience()


@pytest.fixture
async def fetcher(patience: Patience) -> AsyncIterator[HttpFetcher]:
    async with a_fetcher(patience) as ready:
        yield ready
