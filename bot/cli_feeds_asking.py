"""How the `feeds` commands ask servers: with the fetcher, the limits and the parser of the daemon."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from bot.app import fetch_limits, make_parser
from bot.cli_feeds_shared import Desk, a_console
from bot.cli_shared import WRONG, stop
from bot.config_models import Config
from bot.core.identity import redact_url
from bot.errors import FetchError
from bot.feeds.discover import Discovery, discover
from bot.feeds.http import HttpFetcher
from bot.feeds.parse import ProcessParser
from bot.model import Feed, PollReason


@asynccontextmanager
async def open_rooms(config: Config) -> AsyncIterator[tuple[HttpFetcher, ProcessParser]]:
    """Open what polls: the fetcher with the config's limits, and the parser."""
    async with AsyncExitStack() as stack:
        fetcher = await stack.enter_async_context(HttpFetcher(fetch_limits(config)))
        parser = await stack.enter_async_context(make_parser(config))
        yield fetcher, parser


async def discovered(desk: Desk, feed: Feed) -> Discovery:
    """Return the feeds behind an address; where it does not answer well, the command ends."""
    console = a_console(stderr=True)
    with console.status(f"asking {redact_url(feed.url)}"):
        async with open_rooms(desk.config) as (fetcher, parser):
            try:
                return await discover(feed, fetcher, parser, desk.now)
            except FetchError as error:
                raise stop(f"{error}{cure_for(error)}", WRONG) from error


def cure_for(error: FetchError) -> str:
    """Return what an operator can do about it on the command line, as the end of a sentence."""
    if error.reason is PollReason.FORBIDDEN_ADDRESS:
        return "; if it is yours, say so with --allow-private"
    return ""
