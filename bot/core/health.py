"""What is wrong with polling, and since when; when it counts as begun, and when as over.

A trouble is told once when it begins and once when it is over, so both are judged with patience: it must have
ripened, and it must have stayed away. What ripens within ten minutes of another is told together with it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto

from bot.core.schedule import SICK_AFTER
from bot.model import FeedId, PauseReason, PollReason, Trouble, TroubleKind, TroubleScope

GOOD_POLLS = frozenset({PollReason.FETCHED, PollReason.NOT_MODIFIED, PollReason.SAME_BODY})

TOGETHER = timedelta(minutes=10)  # what begins within this time of another trouble is told with it
CALM = timedelta(minutes=30)  # without a failed poll; then a feed or a host counts as well again
NETWORK_AFTER = timedelta(minutes=10)  # of nothing but failures, on all hosts
HOST_AFTER = timedelta(minutes=15)  # of nothing but failures, on one host
REFUSED_AFTER = timedelta(hours=1)  # so that a page "back in a minute" alarms nobody
REFUSED_TIMES = 2  # failed polls in a row
MISSED_FOR = timedelta(hours=24)  # after the last gap
FLOODED_FOR = timedelta(hours=24)  # after the last flood
MOVED_EVERY = timedelta(
    hours=24
)  # new addresses are no emergency: told at most once a day, and not on the first
SILENT_AFTER = timedelta(days=7)
SILENT_GAPS = 5  # of the usual time between two items
FEWEST = 3  # feeds that make a host's outage, and hosts that make our own

# What a feed's failure is called, where it will not get well by itself; all else is FAILING after a day.
_LASTING = {
    PollReason.REFUSED: TroubleKind.REFUSED,
    PollReason.FORBIDDEN_ADDRESS: TroubleKind.REFUSED,
    PollReason.CHALLENGED: TroubleKind.CHALLENGED,
    PollReason.UNREADABLE: TroubleKind.UNREADABLE,
    PollReason.BROKEN: TroubleKind.FAILING,
}
LASTING_REASONS = frozenset(_LASTING)
FAILURES = frozenset({*_LASTING.values(), TroubleKind.FAILING})  # kinds that are over with good polls


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedHealth:
    """What is known of a listed feed that may be in trouble."""

    id: FeedId
    host: str  # registrable domain
    outlet: str = ""
    added_at: datetime | None = None  # None: before this was kept
    pause: PauseReason | None = None
    reason: PollReason | None = None  # of the last poll; None: never polled
    error: str = ""  # of the last poll, without credentials
    failures: int = 0  # in a row
    failing_since: datetime | None = None
    last_ok_at: datetime | None = None
    news_at: datetime | None = None  # the last new item, or else the feed's first day; None: neither is known
    median_gap: timedelta | None = None
    gap_at: datetime | None = None  # the last poll that missed items
    gaps: int = 0  # such polls of late
    flood_at: datetime | None = None  # the last flood within FLOODED_FOR; only known where there is a trouble
    learned_url: str | None = None  # without credentials


@dataclass(frozen=True, slots=True, kw_only=True)
class HostHealth:
    """How the feeds of one host fare; paused and never polled ones do not count."""

    host: str
    feeds: int
    failing: int = 0  # asked since the host last answered any of them well, and failed
    since: datetime | None = None  # the first of these failures
    ok_at: datetime | None = None  # when any of them was last polled well
    error: str = ""  # of one of them


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseHealth:
    """How all hosts fare. A host is down when more than half of its feeds fail (`HostHealth.failing`)."""

    hosts: int = 0
    down: int = 0  # for at least NETWORK_AFTER
    down_since: datetime | None = None  # when the last of these went down
    polled: int = 0  # hosts asked of late: within CALM, and not before a lasting outage of all
    polled_down: int = 0  # of these, how many are down
    ok_at: datetime | None = None  # the last good poll of all
    in_vain: int = 0  # hosts that failed since then
    in_vain_since: datetime | None = None  # the first of these failures
    error: str = ""  # of one of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """All that is looked at in one check."""

    feeds: tuple[FeedHealth, ...] = ()  # that may be in trouble, or are
    hosts: tuple[HostHealth, ...] = ()  # those down with at least FEWEST feeds, and those in trouble
    house: HouseHealth = HouseHealth()
    restless: Mapping[FeedId, str] = field(
        default_factory=dict
    )  # feeds with a failed poll within CALM: their hosts


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What has changed, and what has not."""

    begun: tuple[Trouble, ...] = ()  # to be told
    ended: tuple[Trouble, ...] = ()  # to be told
    dropped: tuple[Trouble, ...] = ()  # over without a word: of no concern any more, or part of a worse one
    lasting: tuple[Trouble, ...] = ()  # what was there before and stays


class _Fate(Enum):
    LASTS = auto()
    OVER = auto()
    DROPPED = auto()


def judge(sight: Sight, known: Collection[Trouble], now: datetime) -> Judgement:
    """Return what began, what is over, and what lasts.

    A flood is noted by its poll, and waits among the known until it is told.

    Args:
        known: The troubles as they were left by the last check.
        now: Aware UTC.
    """
    fates = _fates(known, sight, now)
    staying = [one for one in known if fates[one] is _Fate.LASTS]
    untold = [one for one in staying if is_untold(one)]
    lasting = [one for one in staying if not is_untold(one)]
    # What failed in an outage that is over just now has yet to show that it fails by itself.
    outages = [one for one in known if fates[one] is _Fate.OVER and one.kind is TroubleKind.OUTAGE]
    begun = _begun(sight, (*lasting, *outages), untold, now)
    return Judgement(
        begun=begun,
        ended=tuple(one for one in known if fates[one] is _Fate.OVER),
        dropped=tuple(one for one in known if fates[one] is _Fate.DROPPED),
        lasting=(*lasting, *(one for one in untold if one not in begun)),
    )


def is_untold(trouble: Trouble) -> bool:
    """Return whether a poll noted this trouble, a flood, and nobody was told of it.

    Until then its share of new items is its detail; the store takes that off when it is told.
    """
    return trouble.kind is TroubleKind.FLOOD and bool(trouble.detail)


def troubles_of(sight: Sight, lasting: Collection[Trouble], now: datetime) -> tuple[Trouble, ...]:
    """Return what has ripened into a trouble by then, known or not; worst first.

    What is part of something greater is left out: a host where all of them fail, a failing feed where its
    host does.
    """
    house = _house_outage(sight.house, now)
    is_all = house is not None or any(one.scope is TroubleScope.ALL for one in lasting)
    hosts = () if is_all else tuple(filter(None, (_host_outage(host, now) for host in sight.hosts)))
    down = {one.key for one in (*hosts, *lasting) if one.scope is TroubleScope.HOST}
    may_tell_moves = not any(
        one.kind is TroubleKind.MOVED and now - one.since < MOVED_EVERY for one in lasting
    )
    feeds = [
        trouble
        for feed in sight.feeds
        for trouble in _feed_troubles(feed, now)
        if (trouble.kind not in FAILURES or not (is_all or feed.host in down))
        and (trouble.kind is not TroubleKind.MOVED or may_tell_moves)
    ]
    return (*((house,) if house else ()), *hosts, *feeds)


def is_silent(feed: FeedHealth) -> bool:
    """Return whether good polls have brought nothing new for 7 days, and for five usual gaps.

    Judged by when the feed was last polled well, so that our own absence is not taken for its silence.
    """
    if feed.last_ok_at is None or feed.news_at is None:
        return False
    return feed.last_ok_at - feed.news_at >= silence_allowed(feed.median_gap)


def silence_allowed(median_gap: timedelta | None) -> timedelta:
    """Return how long a feed may bring nothing; None: its rhythm is not known."""
    return max(SILENT_AFTER, SILENT_GAPS * (median_gap or timedelta(0)))


# ---- what begins ------------------------------------------------------------------------------


def _begun(
    sight: Sight, lasting: Collection[Trouble], untold: Collection[Trouble], now: datetime
) -> tuple[Trouble, ...]:
    """Return what has ripened and is not known; with it, what would ripen soon."""
    known = {_identity(one) for one in lasting}
    ripe = [one for one in troubles_of(sight, lasting, now) if _identity(one) not in known]
    ripe += [one for one in untold if now - one.since >= TOGETHER]
    if not ripe:
        return ()
    known |= {_identity(one) for one in ripe}
    soon = troubles_of(sight, (*lasting, *ripe), now + TOGETHER)
    return (
        *ripe,
        *(one for one in soon if _identity(one) not in known and one.scope is not TroubleScope.ALL),
        *(one for one in untold if one not in ripe),
    )


def _house_outage(house: HouseHealth, now: datetime) -> Trouble | None:
    """Return our own outage: of late no poll at all was good, or more than half of the hosts are down."""
    since = None
    if house.in_vain >= FEWEST and house.in_vain_since and now - house.in_vain_since >= NETWORK_AFTER:
        since = house.in_vain_since
    elif house.down >= FEWEST and 2 * house.down > house.hosts and 2 * house.polled_down > house.polled:
        since = house.down_since
    if since is None:
        return None
    kind = TroubleKind.OUTAGE
    return Trouble(scope=TroubleScope.ALL, key="", kind=kind, since=since, detail=house.error)


def _host_outage(host: HostHealth, now: datetime) -> Trouble | None:
    is_down = host.feeds >= FEWEST and 2 * host.failing > host.feeds
    if not is_down or host.since is None or now - host.since < HOST_AFTER:
        return None
    kind = TroubleKind.OUTAGE
    return Trouble(scope=TroubleScope.HOST, key=host.host, kind=kind, since=host.since, detail=host.error)


def _feed_troubles(feed: FeedHealth, now: datetime) -> Iterator[Trouble]:
    if feed.pause is PauseReason.GONE:
        yield _of(feed, TroubleKind.GONE, feed.failing_since or now, feed.error)
    if feed.pause is not None or feed.reason is None:
        return
    if feed.failing_since is not None:
        if kind := _failure(feed, feed.failing_since, now):
            yield _of(feed, kind, feed.failing_since, feed.error)
    elif feed.news_at and is_silent(feed):
        yield _of(feed, TroubleKind.SILENT, feed.news_at)
    if feed.gap_at and now - feed.gap_at < MISSED_FOR and (feed.gaps > 1 or now - feed.gap_at >= TOGETHER):
        yield _of(feed, TroubleKind.MISSED, feed.gap_at)
    if feed.learned_url and (feed.added_at is None or now - feed.added_at >= MOVED_EVERY):
        yield _of(feed, TroubleKind.MOVED, now, feed.learned_url)


def _failure(feed: FeedHealth, since: datetime, now: datetime) -> TroubleKind | None:
    """Return what a feed's failing since then has come to; None: nothing yet."""
    kind = _LASTING.get(feed.reason) if feed.reason else None
    if kind and feed.failures >= REFUSED_TIMES and now - since >= REFUSED_AFTER:
        return kind
    return TroubleKind.FAILING if now - since >= SICK_AFTER else None


def _of(feed: FeedHealth, kind: TroubleKind, since: datetime, detail: str = "") -> Trouble:
    return Trouble(scope=TroubleScope.FEED, key=feed.id, kind=kind, since=since, detail=detail)


# ---- what ends --------------------------------------------------------------------------------


def _fates(before: Collection[Trouble], sight: Sight, now: datetime) -> dict[Trouble, _Fate]:
    feeds = {str(feed.id): feed for feed in sight.feeds}
    hosts = {host.host: host for host in sight.hosts}
    on_their_own = {one.key for one in before if one.kind in FAILURES}
    restless = {host for feed, host in sight.restless.items() if feed not in on_their_own}
    fates = {}
    for one in before:
        if one.scope is TroubleScope.FEED:
            fates[one] = _feed_fate(one, feeds.get(one.key), one.key in sight.restless, now)
        elif one.scope is TroubleScope.HOST:
            fates[one] = _host_fate(one, hosts.get(one.key), one.key in restless)
        else:
            fates[one] = _house_fate(one, sight.house)
    return fates


def _feed_fate(trouble: Trouble, feed: FeedHealth | None, is_restless: bool, now: datetime) -> _Fate:
    """Return what became of a feed's trouble. Another kind of failure is the same trouble still."""
    if feed is None or feed.pause is PauseReason.OPERATOR:
        return _Fate.DROPPED
    if feed.pause is not None:
        return _Fate.LASTS if trouble.kind is TroubleKind.GONE else _Fate.DROPPED
    match trouble.kind:
        case TroubleKind.SILENT:
            lasts = is_silent(feed)
        case TroubleKind.MISSED:
            lasts = feed.gap_at is not None and now - feed.gap_at < MISSED_FOR
        case TroubleKind.FLOOD:
            is_recent = feed.flood_at is not None and now - feed.flood_at < FLOODED_FOR
            lasts = is_recent or is_untold(trouble)
        case TroubleKind.MOVED:
            lasts = feed.learned_url is not None
        case _:
            is_well = feed.reason in GOOD_POLLS and feed.failing_since is None
            lasts = is_restless or not is_well
    return _Fate.LASTS if lasts else _Fate.OVER


def _host_fate(trouble: Trouble, host: HostHealth | None, is_restless: bool) -> _Fate:
    if host is None or not host.feeds:
        return _Fate.DROPPED
    is_back = host.ok_at is not None and host.ok_at > trouble.since
    return _Fate.OVER if is_back and not is_restless else _Fate.LASTS


def _house_fate(trouble: Trouble, house: HouseHealth) -> _Fate:
    """Return what became of our own outage: it is over when of the hosts asked of late a quarter is down."""
    if not house.hosts:
        return _Fate.DROPPED
    is_back = house.ok_at is not None and house.ok_at > trouble.since
    return _Fate.OVER if is_back and 4 * house.polled_down <= house.polled else _Fate.LASTS


def _identity(trouble: Trouble) -> tuple[TroubleScope, str, TroubleKind | None]:
    """Return what makes two troubles one; all failures of a feed are one, whatever they are called."""
    kind = None if trouble.kind in FAILURES else trouble.kind
    return trouble.scope, trouble.key, kind
