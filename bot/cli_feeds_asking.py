"""How the `feeds` commands ask servers: with the fetcher, the limits and the parser of the daemon."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime

from bot.app import fetch_limits, make_parser, poll_policies
from bot.cli_feeds_shared import Desk, a_console, open_desk
from bot.cli_shared import WRONG, stop
from bot.config_models import Config
from bot.core.hosts import url_host_key
from bot.core.identity import redact_url
from bot.core.schedule import after_error
from bot.errors import FetchError
from bot.feeds.discover import Discovery, discover
from bot.feeds.http import HttpFetcher
from bot.feeds.parse import ProcessParser
from bot.model import Feed, FeedId, PollReason, PollState


@asynccontextmanager
async def open_rooms(config: Config) -> AsyncIterator[tuple[HttpFetcher, ProcessParser]]:
    """Open what polls: the fetcher with the config's limits, and the parser."""
    async with AsyncExitStack() as stack:
        fetcher = await stack.enter_async_context(HttpFetcher(fetch_limits(config)))
        parser = await stack.enter_async_context(make_parser(config))
        yield fetcher, parser


async def discovered(desk: Desk, feed: Feed) -> Discovery:
    """Return the feeds behind an address; where it does not answer well, the command ends."""
    await stop_if_at_rest(desk, feed)
    console = a_console(stderr=True)
    with console.status(f"asking {redact_url(feed.url)}"):
        async with open_rooms(desk.config) as (fetcher, parser):
            try:
                found = await discover(feed, fetcher, parser, desk.now)
            except FetchError as error:
                await keep_pauses(desk, [error])
                raise stop(f"{error}{cure_for(error)}", WRONG) from error
    await keep_pauses(desk, found.failed)
    return found


async def keep_pauses(desk: Desk, errors: Iterable[FetchError]) -> None:
    """Leave the hosts in peace that asked for it just now: polls and later commands keep to that, too."""
    policy = poll_policies(desk.config).polls
    pauses = {}
    for error in errors:
        nobody = Feed(id=FeedId(""), url=error.feed_url)
        decision = after_error(nobody, PollState(), error, now=desk.now, dice=0.0, policy=policy)
        if decision.host_pause is not None:
            pauses[decision.host_pause.host] = decision.host_pause.until
    if not pauses:
        return
    async with (
        open_desk(desk.file, to_write=True) as writing,
        writing.store.polling() as transaction,
    ):
        for host, until in pauses.items():
            await transaction.rest_host(host, until)


async def host_pauses(desk: Desk) -> Mapping[str, datetime]:
    """Return the hosts that asked to be left in peace, and until when; commands keep to that too."""
    return await desk.store.host_pauses(desk.now) if desk.has_store else {}


async def stop_if_at_rest(desk: Desk, feed: Feed) -> None:
    """End the command where the feed's host asked to be left in peace."""
    host = url_host_key(feed.url)
    if until := (await host_pauses(desk)).get(host):
        raise stop(
            f"{host} asked to be left in peace until {until:%Y-%m-%d %H:%M} UTC; try again then", WRONG
        )


def cure_for(error: FetchError) -> str:
    """Return what an operator can do about it on the command line, as the end of a sentence."""
    if error.reason is PollReason.FORBIDDEN_ADDRESS:
        return "; if it is yours, say so with --allow-private"
    return ""
