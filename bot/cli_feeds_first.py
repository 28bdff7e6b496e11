"""The first poll of a feed that is being added: it has answered already, so that is kept at once.

What the feed holds then is known, and told to nobody; so whatever it shows next is news, however long the
next poll takes to come.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from bot.app import FEED_LEASE, poll_policies
from bot.cli_feeds_shared import Desk
from bot.errors import Problem
from bot.keeping import Keeper
from bot.metrics import Metrics
from bot.model import Feed, FeedId, Fetched, ParsedFeed
from bot.polled import Heard, PollReport
from bot.rules import RuleSet, check

AT_ONCE: Final = 20  # feeds claimed together: they are kept long before their lease ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a feed answered that is about to be added."""

    feed: Feed
    answer: Fetched  # without its body
    digest: str  # of that
    parsed: ParsedFeed


def answered(feed: Feed, answer: Fetched, parsed: ParsedFeed) -> Answered:
    """Return an answer as the poll of the feed would have it, whatever it was asked as."""
    return Answered(
        feed=feed,
        answer=replace(answer, body=b"", moved_to=None if answer.moved_to == feed.url else answer.moved_to),
        digest=hashlib.sha256(answer.body).hexdigest(),
        parsed=replace(parsed, items=tuple(replace(item, feed_id=feed.id) for item in parsed.items)),
    )


async def usable_rules(desk: Desk, new: Collection[FeedId]) -> RuleSet | Problem:
    """Return the rules of the config, or what is wrong with them; they may name the new feeds already."""
    report = check(desk.config.rules_dir, feeds={*await desk.known(), *new})
    return report.trial or report.problems[0]


def first_poll_beside(now: datetime) -> datetime:
    """Return when others may make the first poll of a feed whose answer we are about to keep."""
    return now + FEED_LEASE


async def keep_first(desk: Desk, rules: RuleSet, some: Sequence[Answered]) -> Mapping[FeedId, PollReport]:
    """Make the answers of these feeds, which were just added, their silent first polls.

    A feed that somebody else polls meanwhile is left out; a report with an error says why nothing was kept.
    """
    config = desk.config
    keeper = Keeper(
        store=desk.store,
        clock=desk.clock,
        rules=lambda: rules,
        operators=lambda: frozenset(config.telegram.operators),
        policies=lambda: poll_policies(config),
        metrics=Metrics(),
    )
    reports: dict[FeedId, PollReport] = {}
    try:
        for start in range(0, len(some), AT_ONCE):
            heard = await _claimed(desk, some[start : start + AT_ONCE])
            kept = await asyncio.gather(*map(keeper.keep, heard))
            reports |= {report.feed: report for report in kept}
    finally:
        await keeper.finish()
    return reports


async def _claimed(desk: Desk, some: Sequence[Answered]) -> list[Heard]:
    by_feed = {one.feed.id: one for one in some}
    due = await desk.store.claim_new_feeds(by_feed, desk.now, FEED_LEASE)
    told = ((one, by_feed[one.feed.id]) for one in due)
    return [Heard(due=one, answer=said.answer, digest=said.digest, parsed=said.parsed) for one, said in told]
