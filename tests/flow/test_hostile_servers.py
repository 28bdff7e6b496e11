"""A bad day: every misdeed at once, through the whole house, and what came of it.

One day is lived through for all tests of this file; each looks at one thing that came of it.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256

import pytest
import pytest_asyncio

from bot.app import fetch_limits, make_parser
from bot.config_models import Config
from bot.daemon import PassReport
from bot.feeds.addresses import is_public
from bot.feeds.http import FetchLimits
from bot.model import Feed, FeedId, PollReason
from bot.ports import PollRecord
from tests.clock import FakeClock
from tests.flow import household
from tests.flow.household import Household, a_setup, an_entry, open_household, some_rules, world
from tests.hostileserver import MISDEEDS, Rogue, rogue_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

WHOLE_ANSWER = timedelta(seconds=3)  # real time: what the slow ones are waited for
_GOOD = frozenset({PollReason.FETCHED, PollReason.NOT_MODIFIED, PollReason.SAME_BODY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What came of it."""

    polls: Mapping[str, PollRecord]  # while they misbehaved, by misdeed
    bad: PassReport
    told_meanwhile: list[str]
    told: list[str]  # after all behaved again
    reasons_after: Mapping[str, PollReason]
    peak: int  # bytes of memory


def news(name: str) -> str:
    """Return a title that no other misdeed's resembles: six words of the name's own."""
    syllables = [
        f"{'bdfgklmnprstvwz'[byte % 15]}{'aeiou'[byte // 52]}" for byte in sha256(name.encode()).digest()
    ]
    return "Gas price " + " ".join("".join(syllables[start : start + 5]) for start in range(0, 30, 5))


def a_body(*titles: str) -> bytes:
    items = "".join(an_entry(title).as_rss() for title in titles)
    channel = f"<channel><title>Rogue</title>{items}</channel>"
    return f'<?xml version="1.0"?><rss version="2.0">{channel}</rss>'.encode()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def day(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Day]:
    clock, folder = FakeClock(), tmp_path_factory.mktemp("day")
    async with AsyncExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(household, "fetch_limits", _hasty)
        parser = make_parser(Config())
        stack.push_async_callback(parser.close)
        patch.setattr(household, "PlainParser", lambda: parser)
        patch.setattr("bot.feeds.addresses.is_public", _is_theirs_or_public)
        feeds, api = await stack.enter_async_context(world())
        rogues = {
            name: await stack.enter_async_context(rogue_server(misdeed, f"127.0.1.{number}"))
            for number, (name, misdeed) in enumerate(MISDEEDS.items(), 1)
        }
        setup = a_setup(feeds, api, folder, some_rules(folder / "rules"), outlets=["herald"])
        theirs = [Feed(id=FeedId(name), url=rogue.url(), outlet=name) for name, rogue in rogues.items()]
        setup = replace(setup, feeds=(*setup.feeds, *theirs))
        home = await stack.enter_async_context(open_household(setup, feeds, api, clock))
        yield await live_through(home, rogues)


async def live_through(home: Household, rogues: Mapping[str, Rogue]) -> Day:
    home.publish(an_entry("Old news of the herald"))
    for name, rogue in rogues.items():
        rogue.body = rogue.former = a_body(f"Old news of {name}")
    await home.pass_by()
    home.publish(an_entry("Gas price rises"))
    for name, rogue in rogues.items():
        rogue.body, rogue.is_good = a_body(f"Old news of {name}", news(name)), False
    tracemalloc.start()
    try:
        bad = await home.pass_by()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    meanwhile = [message.text for message in home.sent]
    polls = {name: (await home.house.store.polls_of(FeedId(name), 1))[0] for name in rogues}
    for rogue in rogues.values():
        rogue.is_good = True
    await home.pass_by(after=timedelta(hours=25))
    after = {name: (await home.house.store.polls_of(FeedId(name), 1))[0].reason for name in rogues}
    told = [message.text for message in home.sent]
    return Day(polls=polls, bad=bad, told_meanwhile=meanwhile, told=told, reasons_after=after, peak=peak)


def _hasty(config: Config) -> FetchLimits:
    return replace(fetch_limits(config), total_timeout=WHOLE_ANSWER)


def _is_theirs_or_public(address: str) -> bool:
    """Let the rogues stand in for servers on the public internet."""
    return address.startswith("127.0.1.") or is_public(address)


@pytest.mark.parametrize("name", MISDEEDS)
async def test_the_reason_is_kept_in_words_that_an_operator_understands(day: Day, name: str) -> None:
    poll, misdeed = day.polls[name], MISDEEDS[name]

    assert (poll.reason, poll.error) == (misdeed.reason, poll.error)
    assert misdeed.says in (poll.error or "")
    assert (poll.error is None) == (poll.reason in _GOOD)
    assert "Traceback" not in (poll.error or "")


@pytest.mark.parametrize("name", MISDEEDS)
async def test_what_came_meanwhile_is_told_once_the_server_behaves(day: Day, name: str) -> None:
    assert day.reasons_after[name] in _GOOD
    assert sum(news(name) in text for text in day.told) == 1


async def test_other_feeds_are_polled_and_told_in_the_same_pass(day: Day) -> None:
    [herald] = [poll for poll in day.bad.polls if poll.feed == "herald"]

    assert (herald.reason, herald.new) == (PollReason.FETCHED, 1)
    assert any("Gas price rises" in text for text in day.told_meanwhile)


async def test_all_of_it_together_takes_little_memory(day: Day) -> None:
    assert day.peak < 150e6


async def test_no_secret_file_is_told(day: Day) -> None:
    assert not any("root:" in text for text in day.told)
