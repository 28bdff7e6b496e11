"""Parsing in processes of its own: what breaks there breaks nothing here."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.errors import FeedUnreadable
from bot.feeds.parse import ProcessParser
from bot.model import Feed, FeedId, Fetched, ParsedFeed
from tests.feedserver import RSS

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
FEED = Feed(id=FeedId("harbour"), url="https://reader:s3cret@harbour.example/rss")
LATIN = RSS.replace("Ferry", "Fähre").encode("cp1252")  # makes the decoder ask for the content type


class Endless(str):
    """A content type over which the parser never finishes."""

    __slots__ = ()

    def __getitem__(self, key: object) -> str:
        while True:
            pass


class Deadly(str):
    """A content type over which the parser's process dies, as over a bug in a C library."""

    __slots__ = ()

    def __getitem__(self, key: object) -> str:
        os._exit(139)


class Greedy(str):
    """A content type over which the parser runs out of memory."""

    __slots__ = ()

    def __getitem__(self, key: object) -> str:
        return str(bytearray(2 << 30)[:1])


def a_body(body: bytes = RSS.encode(), content_type: str | None = None) -> Fetched:
    return Fetched(
        body=body,
        final_url="https://harbour.example/rss",
        content_type=content_type,
        etag=None,
        last_modified=None,
        max_age=None,
    )


@pytest.fixture
async def parser() -> AsyncIterator[ProcessParser]:
    async with ProcessParser(workers=1, timeout=timedelta(seconds=10)) as ready:
        yield ready


async def test_a_feed_comes_back_as_items(parser: ProcessParser) -> None:
    found = await parser.parse(FEED, a_body(), NOW)

    assert [item.guid for item in found.items] == ["ferry-1", "cranes-1"]
    assert found.title == "Harbour News"


async def test_what_is_no_feed_is_told_as_if_it_were_parsed_here(parser: ProcessParser) -> None:
    with pytest.raises(FeedUnreadable) as caught:
        await parser.parse(FEED, a_body(b"<html><title>Sign in</title>"), NOW)

    assert 'a web page titled "Sign in"' in str(caught.value)
    assert "s3cret" not in f"{caught.value} {caught.value.feed_url}"


async def test_a_feed_that_takes_too_long_is_given_up_and_the_next_one_is_read() -> None:
    async with ProcessParser(workers=1, timeout=timedelta(milliseconds=200)) as parser:
        with pytest.raises(FeedUnreadable, match=r"takes more than 0\.2 s"):
            await parser.parse(FEED, a_body(LATIN, Endless("text/xml")), NOW)

        assert len((await parser.parse(FEED, a_body(), NOW)).items) == 2


@pytest.mark.parametrize("content_type", [Deadly("text/xml"), Greedy("text/xml")], ids=["dies", "no memory"])
async def test_a_feed_that_breaks_its_process_harms_no_other(
    parser: ProcessParser, content_type: str
) -> None:
    with pytest.raises(FeedUnreadable, match="broke the process"):
        await parser.parse(FEED, a_body(LATIN, content_type), NOW)

    assert len((await parser.parse(FEED, a_body(), NOW)).items) == 2


async def test_a_bad_feed_does_not_spoil_those_that_are_sent_with_it() -> None:
    bad = [Endless("text/xml"), Deadly("text/xml"), Greedy("text/xml")]

    async with ProcessParser(workers=1, timeout=timedelta(seconds=1)) as parser:
        found = await asyncio.gather(
            *(parser.parse(FEED, a_body(LATIN, kind), NOW) for kind in (None, *bad, None, None)),
            return_exceptions=True,
        )

    told = [str(one) if isinstance(one, FeedUnreadable) else "" for one in found]
    assert [isinstance(one, ParsedFeed) for one in found] == [True, False, False, False, True, True]
    assert "takes more than 1 s" in told[1]
    assert "broke the process" in told[2]
    assert "broke the process" in told[3]


async def test_feeds_that_wait_are_answered_each_with_its_own(parser: ProcessParser) -> None:
    bodies = [RSS.replace("Harbour News", f"News {number}").encode() for number in range(40)]

    found = await asyncio.gather(*(parser.parse(FEED, a_body(body), NOW) for body in bodies))

    assert [one.title for one in found] == [f"News {number}" for number in range(40)]


async def test_those_who_wait_are_let_go_when_the_parser_closes() -> None:
    parser = ProcessParser(workers=1)
    await parser.parse(FEED, a_body(), NOW)
    waiting = [
        asyncio.create_task(parser.parse(FEED, a_body(LATIN, kind), NOW))
        for kind in (Endless("text/xml"), None)
    ]
    await asyncio.sleep(0)

    await parser.close()

    _, pending = await asyncio.wait(waiting, timeout=20)
    assert not pending


async def test_a_cancelled_feed_frees_its_process(parser: ProcessParser) -> None:
    endless = asyncio.create_task(parser.parse(FEED, a_body(LATIN, Endless("text/xml")), NOW))
    await asyncio.sleep(0)
    endless.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await endless

    assert len((await parser.parse(FEED, a_body(), NOW)).items) == 2


async def test_nothing_starts_before_the_first_feed_and_nothing_is_left_behind() -> None:
    before = set(multiprocessing.active_children())
    parser = ProcessParser(workers=2)
    assert set(multiprocessing.active_children()) == before

    await asyncio.gather(*(parser.parse(FEED, a_body(), NOW) for _ in range(4)))
    assert len(set(multiprocessing.active_children()) - before) == 2
    await parser.close()
    await parser.close()

    assert set(multiprocessing.active_children()) == before


def test_a_worker_does_not_import_the_program_it_belongs_to(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        """
print("imported")
if __name__ == "__main__":
    import asyncio
    from tests.feeds.test_process import FEED, NOW, ProcessParser, a_body

    async def main() -> None:
        async with ProcessParser(workers=1) as parser:
            print(len((await parser.parse(FEED, a_body(), NOW)).items))

    asyncio.run(main())
"""
    )
    root = Path(__file__).parents[2]

    ran = subprocess.run(
        [sys.executable, "-W", "error", str(program)],
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.split() == ["imported", "2"]


def test_the_daemon_loads_no_parser() -> None:
    told = "import sys, bot.app; print(*sys.modules)"

    loaded = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True).stdout

    assert "bot.feeds.parse" in loaded.split()
    assert not {"feedparser", "charset_normalizer", "bot.feeds.fastfeed"} & set(loaded.split())
