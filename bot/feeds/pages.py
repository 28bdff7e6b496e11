"""A web page's bytes to the article on it: as a pure function, and in a process that a bad page can break."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from pathlib import PurePosixPath
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import unquote, urlsplit

from pebble import ProcessExpired, ProcessPool

from bot.core.identity import redact_url
from bot.core.markup import clean_text, plain_line, plain_text
from bot.errors import FeedUnreadable
from bot.feeds.decode import decode
from bot.feeds.draft import CONTENT_LIMIT, SUMMARY_LIMIT, TITLE_LIMIT, language_code
from bot.feeds.workers import WorkerContext, prepare_worker
from bot.model import FeedId, Item, PollReason

MAX_BYTES: Final = 5_000_000
_TIMEOUT: Final = timedelta(seconds=10)
_TASKS_A_WORKER: Final = 500  # then a fresh process: lxml and trafilatura keep what they saw
_LEAST_TEXT: Final = 200  # characters; where less is found, all of the page's text is taken
_LEAST_ARTICLE: Final = 100  # bytes; where less is found, there is no article
_LONGEST_TITLE: Final = 200  # of a text file's first line
_META: Final = "//meta[@property='{0}' or @name='{0}']/@content"
_MARKDOWN_FILES: Final = frozenset({".md", ".markdown"})
_LINKS: Final = re.compile(r"!?\[([^\]\n]*)\]\([^)\n]*\)")
_MARKDOWN: Final = re.compile(r"(?m)^[ \t]*(?:#{1,6}|>|[-*+])[ \t]+|[*_`]{1,3}(?=\S)|(?<=\S)[*_`]{1,3}")


def read_page(body: bytes, content_type: str | None, place: str, *, is_article_only: bool = False) -> Item:
    """Return the article of a page: title, lead as summary, main text as content, language where told.

    Navigation, comments and imprint are left out by trafilatura. A page it makes nothing of is read whole.

    Args:
        content_type: As HTTP tells it; None: a file.
        place: A URL or a file's name; its ending tells plain text from HTML where nothing else does.
        is_article_only: True: no page is read whole; the content is empty where there is no article.

    Raises:
        FeedUnreadable: This is neither HTML nor plain text, or it is empty.
    """
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind and not kind.startswith("text/") and kind not in {"application/xhtml+xml", "application/xml"}:
        raise unreadable(place, f"sends {clean_text(kind, 60)}, which is no page or text")
    if b"\0" in body[:1_000] and body[:2] not in {b"\xff\xfe", b"\xfe\xff"}:
        raise unreadable(place, "is neither a page nor a text")
    text = decode(body[:MAX_BYTES], content_type)
    if not text.strip():
        raise unreadable(place, "is empty")
    url = place if is_url(place) else None
    if _is_html(text, kind, place):
        item = _html_item(text, url, is_article_only=is_article_only)
    else:
        item = _text_item(_without_markdown(text) if _ending(place) in _MARKDOWN_FILES else text, url)
    if not (item.title or item.lead or is_article_only):
        raise unreadable(place, "holds no text")
    return item


def is_url(place: str) -> bool:
    """True: the place is to be fetched."""
    return place.lower().startswith(("http://", "https://"))


def _is_html(text: str, kind: str, place: str) -> bool:
    if kind in {"text/plain", "text/markdown"} or (not kind and _ending(place) in {".txt", *_MARKDOWN_FILES}):
        return False
    return bool(kind) or _ending(place) in {".html", ".htm", ".xhtml"} or "<html" in text[:2_000].lower()


def _ending(place: str) -> str:
    return PurePosixPath(unquote(urlsplit(place).path) if is_url(place) else place).suffix.lower()


def _html_item(text: str, url: str | None, *, is_article_only: bool) -> Item:
    import trafilatura  # noqa: PLC0415 - half a second, only where pages are read

    tree = trafilatura.load_html(text)
    if tree is None and is_article_only:
        return Item(feed_id=FeedId(""), url=url)
    if tree is None:
        return _text_item(plain_text(text, CONTENT_LIMIT), url)
    told: dict[str, str] = {
        "title": _first(tree, _META.format("og:title")) or _first(tree, "//title/text()"),
        "summary": _first(tree, _META.format("og:description")) or _first(tree, _META.format("description")),
        "language": _first(tree, "/html/@lang | /html/@xml:lang"),
    }
    found = trafilatura.bare_extraction(tree, include_comments=False, include_tables=False)
    main = str(getattr(found, "text", "") or "")
    if is_article_only:
        # Of such a page trafilatura takes all there is. Bytes, since a Chinese word is one or two characters.
        main = main if len(main.encode()) >= _LEAST_ARTICLE else ""
    elif len(main) < _LEAST_TEXT:
        main = max(main, plain_text(text, CONTENT_LIMIT), key=len)
    return Item(
        feed_id=FeedId(""),
        title=plain_line(told["title"], TITLE_LIMIT),
        summary=plain_text(told["summary"], SUMMARY_LIMIT),
        content=clean_text(main, CONTENT_LIMIT),
        url=url,
        language=language_code(told["language"]),
        outlet=(urlsplit(url or "").hostname or "").removeprefix("www."),
    )


def _first(tree: Any, path: str) -> str:
    found = tree.xpath(path)
    return str(found[0])[: TITLE_LIMIT + SUMMARY_LIMIT] if found else ""


def _text_item(text: str, url: str | None) -> Item:
    """Return a plain text as an item; a short first line that ends like no sentence is its title."""
    first, _, rest = clean_text(text, CONTENT_LIMIT).partition("\n")
    is_title = bool(rest) and len(first) <= _LONGEST_TITLE and not first.endswith((".", ":", ","))
    content = rest if is_title else f"{first}\n{rest}"
    return Item(feed_id=FeedId(""), title=first if is_title else "", content=content.strip(), url=url)


def _without_markdown(text: str) -> str:
    return _MARKDOWN.sub("", _LINKS.sub(r"\1", text))


# ---- in a process of its own -------------------------------------------------------------------


class PageReader:
    """Reads pages in a process that may be killed; use it as an async context manager."""

    def __init__(self, *, timeout: timedelta = _TIMEOUT) -> None:
        """Take the time that one page may need. Nothing starts before the first page."""
        self._timeout = timeout
        self._pool: ProcessPool | None = None
        self._starting = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Return the reader."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the reader."""
        await self.close()

    async def close(self) -> None:
        """Stop the process and wait for its end; closing twice is closing once."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.stop()  # type: ignore[no-untyped-call]  # pebble's hints leave it out
            await asyncio.to_thread(pool.join)

    async def read(
        self, body: bytes, content_type: str | None, place: str, *, is_article_only: bool = False
    ) -> Item:
        """Return the article of a page; see read_page.

        Raises:
            FeedUnreadable: It is no page, took too long, or broke its process.
        """
        if len(body) > MAX_BYTES:
            raise unreadable(place, f"is larger than {MAX_BYTES / 1e6:g} MB, the limit")
        pool = self._pool or await self._start()
        seconds = self._timeout.total_seconds()
        arguments = (body, content_type, place, is_article_only)
        task = pool.schedule(_page_task, args=arguments, timeout=seconds)
        try:
            answer = await asyncio.wrap_future(task)
        except TimeoutError as error:
            raise unreadable(place, f"takes more than {seconds:g} s to read") from error
        except (ProcessExpired, MemoryError) as error:
            raise unreadable(place, "broke the process that read it") from error
        if isinstance(answer, str):
            raise unreadable(place, answer)
        return answer

    async def _start(self) -> ProcessPool:
        """Return the pool; its process starts in a thread, since that takes a while."""
        async with self._starting:
            if self._pool is None:
                context = WorkerContext()  # clean: without the program's threads and main module
                pool = ProcessPool(
                    max_workers=1, max_tasks=_TASKS_A_WORKER, initializer=prepare_worker, context=context
                )
                await asyncio.to_thread(lambda: pool.active)
                self._pool = pool
            return self._pool


def _page_task(body: bytes, content_type: str | None, place: str, is_article_only: bool) -> Item | str:
    """Return the item, or what is wrong: exceptions with keywords do not pickle."""
    try:
        return read_page(body, content_type, place, is_article_only=is_article_only)
    except FeedUnreadable as error:
        return str(error).removeprefix(f"{error.feed_url} ")


def unreadable(place: str, says: str) -> FeedUnreadable:
    """Return the error for a page or file that is no article."""
    shown = redact_url(place) if is_url(place) else place
    return FeedUnreadable(f"{shown} {says}", feed_url=shown, reason=PollReason.UNREADABLE)
