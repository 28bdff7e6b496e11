"""What becomes of the feeds that the store knows when the config names these: decided by their addresses."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from yarl import URL

from bot.core.identity import BACKFILL_AGE
from bot.model import Feed, FeedId, FeedOrigin, PauseReason


class SyncReason(StrEnum):
    """What happened to a feed because of what the config names."""

    TAKES_OVER = "takes_over"  # goes on where another feed of its address stood
    RESTS = "rests"  # was added by command, and the config names its address itself
    RETURNS = "returns"  # rested, and the config names its address no more


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedChange:
    """What happened to one feed, for the log."""

    feed: FeedId
    reason: SyncReason
    other: FeedId | None  # whose address it is, too; None: no feed has polled it meanwhile


@dataclass(frozen=True, kw_only=True)
class StoredFeed:
    """A feed of the store, as far as the config's are compared with it."""

    feed: Feed
    origin: FeedOrigin
    is_listed: bool
    host: str  # empty: of a version that kept none
    pause: PauseReason | None
    last_ok_at: datetime | None
    learned_url: str | None

    @cached_property
    def addresses(self) -> frozenset[str]:
        """Return the keys of its own URL and of the one that redirects taught."""
        return frozenset(url_key(url) for url in (self.feed.url, self.learned_url) if url)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncPlan:
    """What is to be written so that the store has the config's feeds."""

    written: tuple[Feed, ...]  # of the config: new ones, and those of which anything changed
    readdressed: frozenset[FeedId]  # of these: known ones that were never polled where they are now
    left_out: tuple[FeedId, ...]  # the config's no more
    heirs: Mapping[FeedId, FeedId]  # a feed → the one whose poll state and keys it takes over
    resting: Mapping[FeedId, FeedId]  # a feed added by command that now rests → the config's
    returning: tuple[FeedId, ...]  # feeds added by command that rested, and are polled again

    @property
    def changes(self) -> tuple[FeedChange, ...]:
        """Return what an operator may want to read of it."""
        takes = [
            FeedChange(feed=feed, reason=SyncReason.TAKES_OVER, other=other)
            for feed, other in self.heirs.items()
            if feed not in self.returning
        ]
        rests = [
            FeedChange(feed=feed, reason=SyncReason.RESTS, other=other)
            for feed, other in self.resting.items()
        ]
        returns = [
            FeedChange(feed=feed, reason=SyncReason.RETURNS, other=self.heirs.get(feed))
            for feed in self.returning
        ]
        return (*takes, *rests, *returns)


def sync_plan(listed: Sequence[Feed], stored: Collection[StoredFeed], now: datetime) -> SyncPlan:
    """Return what is to be done so that the config's feeds are these.

    A feed that is new, or new at its address, takes over what another feed has shown there, so that nothing
    is told twice and nothing goes untold. One that was added by command rests while the config names its
    address, and afterwards takes over in its turn. Addresses are only compared where that may matter.
    """
    before = {one.feed.id: one for one in stored}
    mine = {feed.id for feed in listed}
    commands = [
        one
        for one in stored
        if one.is_listed and one.origin is FeedOrigin.COMMAND and one.feed.id not in mine
    ]
    named = {url_key(feed.url): feed.id for feed in reversed(listed)} if commands else {}
    rivals = {
        one.feed.id: named[address] for one in commands for address in one.addresses if address in named
    }
    at_rest = [one for one in commands if one.pause is PauseReason.CONFIG]
    returning = [one for one in at_rest if one.feed.id not in rivals]
    resting = rivals.keys() - {one.feed.id for one in at_rest}
    newcomers = [feed for feed in listed if _is_newcomer(feed, before.get(feed.id))]
    heirs = _heirs([*newcomers, *(one.feed for one in returning)], before, now)
    return SyncPlan(
        written=tuple(feed for feed in listed if _is_changed(feed, before.get(feed.id))),
        readdressed=frozenset(
            feed.id for feed in newcomers if feed.id in before and not _is_at_home(feed, before[feed.id])
        ),
        left_out=tuple(
            one.feed.id
            for one in stored
            if one.is_listed and one.origin is FeedOrigin.CONFIG and one.feed.id not in mine
        ),
        heirs=heirs,
        resting={feed: rivals[feed] for feed in sorted(resting)},
        returning=tuple(one.feed.id for one in returning),
    )


def url_key(url: str) -> str:
    """Return what tells one feed's URL from another's.

    http or https, a leading "www.", a last slash, a fragment and credentials make no difference.
    """
    try:
        parsed = URL(url.strip())
        host = (parsed.raw_host or "").removeprefix("www.")
        port = "" if parsed.port in {80, 443, None} else f":{parsed.port}"
        return f"{host}{port}{parsed.raw_path.rstrip('/')}?{parsed.raw_query_string}"
    except ValueError:  # yarl's word for a host or port that cannot be
        return url.strip()


def _is_changed(feed: Feed, before: StoredFeed | None) -> bool:
    return (
        before is None
        or before.feed != feed
        or before.origin is not FeedOrigin.CONFIG
        or not before.is_listed
        or not before.host
        or before.pause is PauseReason.CONFIG
    )


def _is_newcomer(feed: Feed, before: StoredFeed | None) -> bool:
    """Tell whether a feed was not polled at its address until now."""
    is_polled = before is not None and before.is_listed and before.pause is not PauseReason.CONFIG
    return not is_polled or before is None or not _is_at_home(feed, before)


def _is_at_home(feed: Feed, before: StoredFeed) -> bool:
    """Tell whether a feed is where it was, or where redirects had led it."""
    return before.feed.url == feed.url or url_key(feed.url) in before.addresses


def _heirs(
    newcomers: Iterable[Feed], before: Mapping[FeedId, StoredFeed], now: datetime
) -> Mapping[FeedId, FeedId]:
    """Return for each of these feeds the other one that was last polled well at its address, if any.

    What a feed knows that was given up 30 days ago or more says little of what is news.
    """
    newcomers = [*newcomers]
    if not newcomers:
        return {}
    polled: dict[str, list[StoredFeed]] = {}
    for one in before.values():
        if one.last_ok_at is not None and (one.is_listed or now - one.last_ok_at < BACKFILL_AGE):
            for address in one.addresses:
                polled.setdefault(address, []).append(one)
    heirs = {}
    for feed in newcomers:
        own = before.get(feed.id)
        others = [one for one in polled.get(url_key(feed.url), ()) if one.feed.id != feed.id]
        latest = max(others, key=_last_ok, default=None)
        if latest and not (own and _is_at_home(feed, own) and _last_ok(own) >= _last_ok(latest)):
            heirs[feed.id] = latest.feed.id
    return heirs


def _last_ok(one: StoredFeed) -> float:
    return one.last_ok_at.timestamp() if one.last_ok_at else 0.0
