"""When to poll a feed again: all arithmetic of intervals, back-off and the server's wishes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from statistics import median

from bot.core import moves
from bot.core.gaps import hurry_after, is_gap
from bot.core.identity import Sorted
from bot.errors import FetchError, FetchGone
from bot.model import (
    ZERO,
    Feed,
    Fetched,
    HostPause,
    Item,
    ItemReason,
    NotModified,
    ParsedFeed,
    PauseReason,
    PollReason,
    PollState,
)

SHORTEST_OVERRIDE = timedelta(minutes=1)
SHORTEST_RETRY = timedelta(minutes=1)
LONGEST_SERVER_WAIT = timedelta(hours=5)  # some servers send a max-age of a year for a feed of today's news
SICK_AFTER = timedelta(hours=24)
# Where a feed's first poll shows no date at all, what is dated longer before it is no news: an archive that
# comes after an empty body. Dates without a time, or of another zone, may be so far off.
NEWS_AT_FIRST = timedelta(hours=24)
GONE_TIMES = 3
GONE_PERIOD = timedelta(hours=48)
GONE_RETRY = timedelta(hours=24)  # so that three answers span the 48 hours
LATE_TIMES = 4  # a poll that comes so many intervals after the last one was held up by something else

_NEWS = (ItemReason.NEW, ItemReason.FIRST_POLL)
_LASTING = frozenset(
    {
        PollReason.REFUSED,
        PollReason.CHALLENGED,
        PollReason.GONE,
        PollReason.UNREADABLE,
        PollReason.FORBIDDEN_ADDRESS,
        PollReason.BROKEN,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PollPolicy:
    """How often feeds are polled where neither the operator nor the server says otherwise."""

    min_interval: timedelta = timedelta(minutes=5)
    max_interval: timedelta = timedelta(hours=4)
    default_interval: timedelta = timedelta(minutes=30)  # until the feed's rhythm is known
    jitter: float = 0.10  # 0 <= jitter < 1: the share by which an interval may differ
    backoff_base: timedelta = timedelta(minutes=5)  # doubled by each further failure in a row
    backoff_cap: timedelta = timedelta(hours=24)
    host_pause: timedelta = timedelta(minutes=10)  # after a 429 or 503 that does not say how long
    validators_max_age: timedelta = timedelta(days=8)  # of nothing but 304, then the whole feed is asked for
    first_spread: timedelta = timedelta(minutes=1)  # over which the first polls of new feeds spread


class NextPollReason(StrEnum):
    """Why the next poll is when it is."""

    FIRST = "first"  # never polled
    OPERATOR = "operator"  # the feed's own interval
    INTERVAL = "interval"  # half the median gap between items, or the default
    MISSED = "missed"  # halved, perhaps more than once: items were missed
    SERVER_ASKED = "server_asked"  # max-age, ttl or sy:updatePeriod asked for more
    BACKOFF = "backoff"  # failed
    RETRY_AFTER = "retry_after"  # failed, and the server said when to come back, or its host has a pause
    HOST_BUSY = "host_busy"  # not asked at all: other feeds of the host come first
    GONE = "gone"  # 410


@dataclass(frozen=True, slots=True, kw_only=True)
class PollDecision:
    """What a poll leaves behind."""

    state: PollState
    next_poll_at: datetime
    reason: PollReason
    why: NextPollReason
    pause: PauseReason | None = None  # set: the feed is polled no more until an operator resumes it
    host_pause: HostPause | None = None  # set: the host's feeds all wait


def first_poll_at(feed: Feed, now: datetime, policy: PollPolicy) -> datetime:
    """Return when to poll a new feed: soon, at a phase that its URL decides."""
    digest = hashlib.blake2b(feed.url.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return now + policy.first_spread * (int.from_bytes(digest, "big") / 2**64)


def after_success(
    feed: Feed,
    state: PollState,
    outcome: Fetched | NotModified,
    body_sha256: str | None,
    parsed: ParsedFeed | None,
    found: Sequence[Sorted] | None,
    *,
    now: datetime,
    dice: float,
    policy: PollPolicy,
) -> PollDecision:
    """Return what a good poll leaves behind.

    Args:
        body_sha256: Of the body; None after a 304.
        parsed: None after a 304, and where the body is that of last time.
        found: The items of `parsed`, sorted; None where it is.
        now: Aware UTC. The next poll is always later.
        dice: 0 <= dice < 1. Spreads feeds by the policy's jitter.
    """
    if any(one.reason is ItemReason.FIRST_POLL for one in found or ()):  # also of another feed in its place
        state = replace(state, last_ok_at=None, gap_at=None, hurry=0)
    if isinstance(outcome, NotModified):
        fresh = _after_304(state, outcome, now, policy)
    else:
        fresh = _after_200(state, outcome, body_sha256, parsed, now)
        if parsed is not None and parsed.items:
            fresh = _after_items(state, fresh, parsed, now)
        fresh = moves.after_answer(feed, state, fresh, outcome.moved_to, found, now)
    is_missed = is_gap(state, found, now) if found else False
    is_late = is_missed and _is_late(feed, state, now, policy)
    fresh = replace(
        fresh,
        failures=0,
        failing_since=None,
        gone_count=0,
        gone_since=None,
        last_ok_at=now,
        window_start=fresh.window_start or (now - NEWS_AT_FIRST if state.last_ok_at is None else None),
        last_new_at=now if any(one.reason in _NEWS for one in found or ()) else state.last_new_at,
        gap_at=now if is_missed else state.gap_at,
        is_new_address=state.is_new_address and parsed is None,
        hurry=hurry_after(state, now, is_missed=is_missed, is_late=is_late),
    )
    delay, why = _interval(feed, fresh, dice, policy)
    return PollDecision(
        state=fresh, next_poll_at=now + delay, reason=_success_reason(outcome, parsed), why=why
    )


def after_error(
    feed: Feed, state: PollState, error: FetchError, *, now: datetime, dice: float, policy: PollPolicy
) -> PollDecision:
    """Return what a failed poll leaves behind: back-off with full jitter.

    Only 410, three times over 48 hours, pauses a feed; nothing disables one for 403, 404 or 5xx. A wait that
    our own politeness imposed (rate limited, no status) is no failure. Validators and the body's hash stay
    those of the last good poll, so that a log-in page's ETag is never sent.

    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ for the full jitter.

    Args:
        now: Aware UTC. The next poll is always later.
        dice: 0 <= dice < 1.
    """
    if error.reason is PollReason.RATE_LIMITED and error.status is None:
        asked = min(max(error.retry_after or ZERO, timedelta(seconds=1)), policy.backoff_cap)
        delay = asked * (1 + policy.jitter * dice)
        return _failed(state, now + delay, error, NextPollReason.HOST_BUSY)
    failed = replace(state, failures=state.failures + 1, failing_since=state.failing_since or now)
    if isinstance(error, FetchGone) and state.learned_url is None:
        return _after_410(failed, error, now, dice, policy)
    if error.status is not None:
        failed = replace(failed, gone_count=0, gone_since=None)
    failed = moves.after_failure(failed, error, now)
    is_elsewhere = failed.learned_url != state.learned_url  # another URL: its back-off begins anew
    delay, why = _retry(feed, replace(failed, failures=1) if is_elsewhere else failed, error, dice, policy)
    pause = _host_pause(error, now, policy)
    return replace(_failed(failed, now + delay, error, why), host_pause=pause)


def needs_operator(
    reason: PollReason, failing_since: datetime | None, is_paused: bool, now: datetime
) -> bool:
    """Return whether somebody should look at a feed: it will not get well by itself, or has not for a day.

    Args:
        reason: Of the last poll.
        failing_since: None: the last poll was good.
    """
    if failing_since is None:
        return is_paused
    return is_paused or reason in _LASTING or now - failing_since >= SICK_AFTER


def median_gap(items: tuple[Item, ...]) -> timedelta | None:
    """Return the median time between one publication and the next; None below three different dates."""
    dates = sorted({item.published_at for item in items if item.published_at})
    if len(dates) < 3:
        return None
    return timedelta(seconds=median((later - earlier).total_seconds() for earlier, later in pairwise(dates)))


def _is_late(feed: Feed, state: PollState, now: datetime, policy: PollPolicy) -> bool:
    usual, _ = _interval(feed, state, 0.5, policy)
    return now - (state.last_ok_at or now) > LATE_TIMES * usual


def _after_304(state: PollState, answer: NotModified, now: datetime, policy: PollPolicy) -> PollState:
    """Return the state with the validators that a 304 brought, or without any where they are too old.

    RFC 9111, section 4.3.4, lets a 304 renew them. Some servers answer 304 for ever: those are asked anew.
    """
    since = state.validators_since or now
    wait = max(state.server_wait, _capped(answer.max_age))
    if now - since > policy.validators_max_age:
        return replace(state, etag=None, last_modified=None, validators_since=None, server_wait=wait)
    etag, last_modified = answer.etag or state.etag, answer.last_modified or state.last_modified
    if (etag, last_modified, since, wait) == (
        state.etag,
        state.last_modified,
        state.validators_since,
        state.server_wait,
    ):
        return state  # as nearly always
    return replace(state, etag=etag, last_modified=last_modified, validators_since=since, server_wait=wait)


def _after_200(
    state: PollState, answer: Fetched, body_sha256: str | None, parsed: ParsedFeed | None, now: datetime
) -> PollState:
    asked_by_body = state.server_wait if parsed is None else parsed.wait
    return replace(
        state,
        etag=answer.etag,
        last_modified=answer.last_modified,
        validators_since=now if answer.etag or answer.last_modified else None,
        body_sha256=body_sha256,
        server_wait=max(_capped(asked_by_body), _capped(answer.max_age)),
    )


def _after_items(before: PollState, state: PollState, parsed: ParsedFeed, now: datetime) -> PollState:
    """Return the state with what a body's dates tell; an empty body tells nothing."""
    dates = sorted(item.published_at for item in parsed.items if item.published_at)
    is_first = before.last_ok_at is None
    return replace(
        state,
        median_gap=median_gap(parsed.items),
        window=dates[-1] - dates[0] if len(dates) > 1 else None,
        window_start=_window_start(dates, now) if is_first else before.window_start,
    )


def _window_start(dates: Sequence[datetime], now: datetime) -> datetime | None:
    """Return where a first poll's window begins: the oldest date but for a tenth, so that one old item that
    is pinned does not make the whole archive news. Three dates are the fewest that can spare one.
    """
    if not dates:
        return None
    spared = -(-len(dates) // 10) if len(dates) > 2 else 0
    return min(dates[spared], now)


def _interval(
    feed: Feed, state: PollState, dice: float, policy: PollPolicy
) -> tuple[timedelta, NextPollReason]:
    """Return the wait after a good poll.

    What the server asked for is only ever exceeded: neither the operator's interval nor hurry goes below.
    Hurry shortens the operator's interval too, since no number of his was meant to miss items.
    """
    if feed.interval is not None:
        base, least, why = feed.interval, SHORTEST_OVERRIDE, NextPollReason.OPERATOR
    else:
        wished = policy.default_interval if state.median_gap is None else state.median_gap / 2
        base, least, why = min(wished, policy.max_interval), policy.min_interval, NextPollReason.INTERVAL
    base = max(base, least)
    hurried = max(base / 2**state.hurry, least)
    if hurried < base:
        base, why = hurried, NextPollReason.MISSED
    spread = base * (1 + policy.jitter * (2 * dice - 1))
    if spread >= state.server_wait:
        return spread, why
    return state.server_wait * (1 + policy.jitter * dice), NextPollReason.SERVER_ASKED


def _after_410(
    failed: PollState, error: FetchError, now: datetime, dice: float, policy: PollPolicy
) -> PollDecision:
    since = failed.gone_since or now
    failed = replace(failed, gone_count=failed.gone_count + 1, gone_since=since)
    is_over = failed.gone_count >= GONE_TIMES and now - since >= GONE_PERIOD
    return replace(
        _failed(failed, now + GONE_RETRY * (1 + policy.jitter * dice), error, NextPollReason.GONE),
        pause=PauseReason.GONE if is_over else None,
    )


def _host_pause(error: FetchError, now: datetime, policy: PollPolicy) -> HostPause | None:
    """Return the pause that a 429 or 503 asks for all feeds of its host (RFC 6585, section 4)."""
    asked = _asked(error, policy)
    return HostPause(host=error.host, until=now + asked) if error.host and asked else None


def _asked(error: FetchError, policy: PollPolicy) -> timedelta:
    """Return how long an error asks to stay away, at most the back-off's cap; nothing: zero."""
    asked = error.retry_after
    if error.status in {429, 503}:
        asked = max(policy.host_pause if asked is None else asked, SHORTEST_RETRY)
    return min(max(asked or ZERO, ZERO), policy.backoff_cap)


def _retry(
    feed: Feed, state: PollState, error: FetchError, dice: float, policy: PollPolicy
) -> tuple[timedelta, NextPollReason]:
    """Return the wait after a failed poll; a feed that is polled more often than the base starts lower."""
    base = min(policy.backoff_base, max(feed.interval or policy.backoff_base, SHORTEST_RETRY))
    doublings = min(state.failures - 1, 30)  # 2**30 times any base is over the cap
    ceiling = min(base * 2**doublings, policy.backoff_cap)
    backoff = max(ceiling * dice, min(SHORTEST_RETRY, ceiling))
    asked = _asked(error, policy)
    if asked > backoff:
        return asked * (1 + policy.jitter * dice), NextPollReason.RETRY_AFTER
    return backoff, NextPollReason.BACKOFF


def _failed(state: PollState, at: datetime, error: FetchError, why: NextPollReason) -> PollDecision:
    return PollDecision(state=state, next_poll_at=at, reason=error.reason, why=why)


def _success_reason(outcome: Fetched | NotModified, parsed: ParsedFeed | None) -> PollReason:
    if isinstance(outcome, NotModified):
        return PollReason.NOT_MODIFIED
    return PollReason.SAME_BODY if parsed is None else PollReason.FETCHED


def _capped(wait: timedelta | None) -> timedelta:
    return min(max(wait or ZERO, ZERO), LONGEST_SERVER_WAIT)
