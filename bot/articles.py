"""Reads articles that somebody names, from files and from the web, as items."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

from bot.errors import FetchError
from bot.feeds.http import ACCEPT_PAGES, FetchLimits, HttpFetcher
from bot.feeds.pages import MAX_BYTES, PageReader, is_url, unreadable
from bot.model import Feed, FeedId, Fetched, Item, PollState

LIMITS = FetchLimits(
    max_bytes=MAX_BYTES,
    host_interval=timedelta(seconds=1),
    longest_wait=timedelta(minutes=2),
    accept=ACCEPT_PAGES,
)


def article_item(url: str, *, allow_private: bool = False) -> Item:
    """Return the article at a URL: title, lead as summary, main text as content.

    Args:
        allow_private: True: the URL may lead to a private or loopback address.

    Raises:
        FetchError: It cannot be had, or is no page (FeedUnreadable); the text names URL and reason.
    """
    return asyncio.run(_only(url, allow_private))


async def _only(place: str, allow_private: bool) -> Item:
    async for _, answer in read_articles([place], allow_private=allow_private):
        if isinstance(answer, FetchError):
            raise answer
        return answer
    raise AssertionError("each place has its answer")


async def read_articles(
    places: Sequence[str], *, allow_private: bool = False, limits: FetchLimits = LIMITS
) -> AsyncIterator[tuple[str, Item | FetchError]]:
    """Return each place (a file's path or a URL) with its article, or with what is wrong, in their order."""
    async with AsyncExitStack() as stack:
        fetcher = await stack.enter_async_context(HttpFetcher(limits))
        reader = await stack.enter_async_context(PageReader())
        for place in places:
            try:
                if is_url(place):
                    yield place, await _from_web(place, fetcher, reader, allow_private)
                else:
                    yield place, await _from_file(place, reader)
            except FetchError as error:
                yield place, error


async def _from_web(url: str, fetcher: HttpFetcher, reader: PageReader, allow_private: bool) -> Item:
    page = Feed(id=FeedId(""), url=url, allow_private=allow_private)
    answer = await fetcher.fetch(page, PollState())
    if not isinstance(answer, Fetched):
        raise unreadable(url, "answered that nothing changed, to a first question")
    return await reader.read(answer.body, answer.content_type or "text/html", answer.final_url)


async def _from_file(name: str, reader: PageReader) -> Item:
    return await reader.read(await asyncio.to_thread(_file_bytes, name), None, name)


def _file_bytes(name: str) -> bytes:
    """Return a file's bytes, at most one more than the limit.

    Raises:
        FeedUnreadable: It is no file, or cannot be read.
    """
    path = Path(name)
    try:
        if not path.is_file():
            raise unreadable(name, "is no file" if path.exists() else "does not exist")
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise unreadable(name, f"cannot be read: {error.strerror}") from error
