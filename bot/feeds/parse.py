"""A feed's bytes to items: as a pure function, and in processes that a bad feed can break without harm."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from pebble import ProcessExpired, ProcessPool

from bot.core.identity import redact_url
from bot.core.markup import clean_text, plain_line
from bot.errors import FeedUnreadable
from bot.feeds.decode import decode
from bot.feeds.draft import MOST_WAIT, NAME_LIMIT, DraftFeed, item_of, language_code
from bot.feeds.jsonfeed import read_json_feed
from bot.feeds.workers import WorkerContext, prepare_worker
from bot.feeds.xmlfeed import read_xml_feed, root_name
from bot.model import Feed, Fetched, ParsedFeed, PollReason

MAX_ITEMS = 500
_TASKS_A_WORKER = 2_000  # then a fresh process, in case a library leaks


def parse_feed(
    body: bytes,
    content_type: str | None,
    feed: Feed,
    now: datetime,
    final_url: str,
    max_items: int = MAX_ITEMS,
) -> ParsedFeed:
    """Return a feed's items in the feed's order.

    Args:
        now: Aware UTC; later dates become this.
        final_url: Where the body came from; relative links are relative to it.

    Raises:
        FeedUnreadable: This is no RSS, Atom or JSON Feed; the text says what it is instead.
    """
    if not body.strip():
        raise _unreadable(feed, "sent an empty answer")
    try:
        text = decode(body, content_type, feed.encoding)
    except (LookupError, UnicodeError) as error:
        raise _unreadable(
            feed, f"cannot be decoded as {feed.encoding!r}, its encoding in the settings"
        ) from error
    found = _read(text, max_items)
    if found is None:
        raise _unreadable(feed, f"sent {_what_came(text, content_type)}")
    return _parsed(found, feed, now, final_url)


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
        arguments = (fetched.body, fetched.content_type, feed, now, fetched.final_url, self._max_items)
        task = pool.schedule(_parse_task, args=arguments, timeout=self._timeout.total_seconds())
        try:
            answer = await asyncio.wrap_future(task)
        except TimeoutError as error:
            seconds = self._timeout.total_seconds()
            raise _unreadable(feed, f"takes more than {seconds:g} s to parse") from error
        except (ProcessExpired, MemoryError) as error:
            raise _unreadable(feed, "broke the process that parsed it") from error
        if isinstance(answer, _Unreadable):
            raise _unreadable(feed, answer.says)
        return answer

    async def _start(self) -> ProcessPool:
        """Return the pool; its processes start in a thread, since that takes a while."""
        async with self._starting:
            if self._pool is None:
                context = WorkerContext()
                context.set_forkserver_preload([__name__])
                pool = ProcessPool(
                    max_workers=self._workers,
                    max_tasks=_TASKS_A_WORKER,
                    initializer=prepare_worker,
                    context=context,
                )
                await asyncio.to_thread(lambda: pool.active)
                self._pool = pool
            return self._pool


@dataclass(frozen=True, slots=True)
class _Unreadable:
    """FeedUnreadable on its way between processes: exceptions with keywords do not pickle."""

    says: str


def _parse_task(
    body: bytes, content_type: str | None, feed: Feed, now: datetime, final_url: str, max_items: int
) -> ParsedFeed | _Unreadable:
    try:
        return parse_feed(body, content_type, feed, now, final_url, max_items)
    except FeedUnreadable as error:
        return _Unreadable(str(error).removeprefix(f"{error.feed_url} "))


def _read(text: str, max_items: int) -> DraftFeed | None:
    if text.lstrip()[:1] == "{":
        return read_json_feed(text, max_items)
    return None if root_name(text) == "html" else read_xml_feed(text, max_items)


def _parsed(found: DraftFeed, feed: Feed, now: datetime, final_url: str) -> ParsedFeed:
    title = found.title.line(NAME_LIMIT)
    language = language_code(found.language)
    outlet = feed.outlet or title or (urlsplit(final_url).hostname or "").removeprefix("www.")
    items = (
        item_of(draft, feed, outlet=outlet, language=language, base=final_url, now=now)
        for draft in found.drafts
    )
    return ParsedFeed(
        items=tuple(item for item in items if item is not None),
        title=title,
        language=feed.language or language,
        wait=min(found.wait, MOST_WAIT),
        left_out=found.left_out,
    )


def _what_came(text: str, content_type: str | None) -> str:
    """Return words for an operator: what it is that came instead of a feed."""
    head = text.lstrip()
    root = root_name(text)
    if root == "html" or "<html" in head[:2_000].lower():
        start = head.lower().find("<title")
        title = plain_line(head[start : start + 500].partition("</")[0], 80) if start >= 0 else ""
        named = f' titled "{title}"' if title else ""
        return f"a web page{named}, no feed (a log-in, a consent form, a check for robots, or a new address?)"
    if head[:1] in {"{", "["}:
        return "JSON that is no JSON Feed"
    if root in {"rss", "feed", "rdf:rdf"}:
        return "RSS or Atom that is broken beyond reading"
    if root is not None:
        return f"a document of <{root}> elements, no feed"
    kind = clean_text(content_type or "", 60) or "no content type"
    if "\0" in head[:1_000] or head[:1_000].count("\ufffd") > 50:
        return f"binary data ({kind}), no feed"
    return f'text ({kind}), no feed; it begins "{clean_text(head[:200], 40)}"'


def _unreadable(feed: Feed, says: str) -> FeedUnreadable:
    url = redact_url(feed.url)
    return FeedUnreadable(f"{url} {says}", feed_url=url, reason=PollReason.UNREADABLE)
