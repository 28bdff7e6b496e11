"""Where a feed lives: permanent redirects, learned slowly, and forgotten quickly when they turn out bad."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from yarl import URL

from bot.core.hosts import is_same_origin
from bot.core.identity import Sorted
from bot.errors import FetchError
from bot.model import Feed, PollReason, PollState

LEARN_AFTER = timedelta(days=7)
LEARN_TIMES = 5
FORGET_AFTER = 3  # failed polls of a learned URL in a row
FORGET_SILENT_AFTER = timedelta(hours=24)  # where no answer came at all: perhaps it is our own network

_NOT_ITS_FAULT = frozenset({PollReason.RATE_LIMITED, PollReason.BROKEN})


def polled_url(feed: Feed, state: PollState) -> str:
    """Return the URL that is asked for: where permanent redirects led long enough, else the operator's."""
    return state.learned_url or feed.url


def after_answer(
    feed: Feed,
    before: PollState,
    after: PollState,
    moved_to: str | None,
    found: Sequence[Sorted] | None,
    now: datetime,
) -> PollState:
    """Return `after` with what a good answer (200) says of where the feed lives.

    A permanent redirect (RFC 9110, sections 15.4.2 and 15.4.9) is learned after 7 days and 5 polls that saw
    the same target; http to https of the same host and path at once. Either only at a poll that shares an
    item with what is known. A target that had nothing of the feed when it was first seen is never trusted;
    `moved_times` stays 0 then. One that leads back to the operator's URL is learned by forgetting.

    Validators and the body's hash belong to the URL, so a new one begins without them.

    Args:
        before: As it was before this poll.
        moved_to: The target of the leading permanent redirects; None: there were none.
        found: The poll's items; None: the body is that of last time.
    """
    if before.learned_url and moved_to and _is_same(moved_to, feed.url):
        return _at(after, None)
    target = _learnable(feed, polled_url(feed, before), moved_to)
    if target is None:
        return replace(after, moved_to=None, moved_since=None, moved_times=0)
    if found is not None and not found:  # an empty feed neither speaks for a target nor against it
        return after
    is_feed = found is not None and any(one.known is not None for one in found)
    if is_feed and _is_upgrade(polled_url(feed, before), target):
        return _at(after, target)
    seen = _seen(before, after, target, is_feed or found is None or before.last_ok_at is None, now)
    since = seen.moved_since or now
    if is_feed and seen.moved_times >= LEARN_TIMES and now - since >= LEARN_AFTER:
        return _at(after, target)
    return seen


def after_failure(failed: PollState, error: FetchError, now: datetime) -> PollState:
    """Return the state with a learned URL forgotten where it has failed three polls in a row.

    Only answers count, and a day without any. A host that asks us to slow down says nothing against the URL.

    Args:
        failed: With this failure counted.
    """
    if failed.learned_url is None or failed.failures < FORGET_AFTER or error.reason in _NOT_ITS_FAULT:
        return failed
    is_answer = error.status is not None or error.reason is not PollReason.TEMPORARY
    if is_answer or now - (failed.failing_since or now) >= FORGET_SILENT_AFTER:
        return _at(failed, None)
    return failed


def _at(state: PollState, url: str | None) -> PollState:
    """Return the state of a feed that is polled elsewhere from now on; None: at the operator's URL."""
    return replace(
        state,
        learned_url=url,
        moved_to=None,
        moved_since=None,
        moved_times=0,
        etag=None,
        last_modified=None,
        validators_since=None,
        body_sha256=None,
    )


def _seen(before: PollState, after: PollState, target: str, is_trusted: bool, now: datetime) -> PollState:
    """Return the state with the target counted; trust is decided when it is first seen."""
    if target == before.moved_to:
        return replace(after, moved_times=before.moved_times + 1 if before.moved_times else 0)
    return replace(after, moved_to=target, moved_since=now, moved_times=1 if is_trusted else 0)


def _learnable(feed: Feed, polled: str, moved_to: str | None) -> str | None:
    """Return the target as it would be polled, without a user; None: there is none that may be learned.

    It is http or https, and never http where we polled https. What is secret (user and password, headers, a
    file with a log-in) goes along to the same place only, so a feed with secrets is never learned to live
    elsewhere; nor is a target that brings a user of its own.
    """
    if moved_to is None:
        return None
    try:
        target, here, home = URL(moved_to).with_fragment(None), URL(polled.strip()), URL(feed.url.strip())
        if target.scheme not in {"http", "https"} or not target.host or _is_same(moved_to, polled):
            return None
    except ValueError:  # yarl's word for what is no URL
        return None
    if here.scheme == "https" and target.scheme == "http":
        return None
    has_secrets = bool(home.user or target.user or feed.auth_file or feed.headers)
    if has_secrets and not is_same_origin(home, target):
        return None
    return str(target.with_user(None))


def _is_upgrade(polled: str, target: str) -> bool:
    """Tell whether the target is the same page by https."""
    here, there = URL(polled.strip()), URL(target)
    return (
        (here.scheme, there.scheme) == ("http", "https")
        and is_same_origin(here, there)
        and here.raw_path_qs == there.raw_path_qs
    )


def _is_same(one: str, other: str) -> bool:
    """Tell whether two URLs are the same request, whoever asks."""
    try:
        first, second = (URL(text.strip()).with_fragment(None) for text in (one, other))
        return first.with_user(None) == second.with_user(None)
    except ValueError:
        return False
