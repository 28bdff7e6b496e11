"""Whether items were missed between two polls, and how much sooner a feed is polled for that."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.core.identity import Sorted
from bot.model import ItemReason, PollState

FEW_ITEMS = 4  # a feed of fewer may well show none of last time's, and nothing is missing
MOST_HURRY = 4
CALM_PERIOD = timedelta(days=1)


def is_gap(state: PollState, found: Sequence[Sorted], now: datetime) -> bool:
    """Tell whether items were probably missed: a later poll shares none with what was known.

    Over half of the poll must be news since the last good one, undated or dated later; else it is the feed
    in another form, or its archive. A body whose items all bear one date is a list that is replaced as a
    whole, such as a daily one. A feed of three items or fewer has missed some only where all are dated since
    the last good poll and twice their window fits into the time between.

    Args:
        state: As it was before this poll.
        found: After `wants_titles` had its way.
    """
    if state.last_ok_at is None or any(one.known is not None for one in found):
        return False
    items = [one.item for one in found if one.reason is not ItemReason.SEEN]
    news = [
        one.item
        for one in found
        if one.reason is ItemReason.NEW
        and (one.item.published_at is None or one.item.published_at > state.last_ok_at)
    ]
    dates = [item.published_at for item in news if item.published_at]
    is_replaced = len(dates) == len(items) and len(set(dates)) <= 1
    if is_replaced or 2 * len(news) <= len(items):
        return False
    if len(items) >= FEW_ITEMS:
        return True
    return len(dates) == len(items) and 2 * (max(dates) - min(dates)) <= now - state.last_ok_at


def hurry_after(state: PollState, now: datetime, *, is_missed: bool, is_late: bool) -> int:
    """Return how often the interval is halved from now on, 0 to 4.

    Each gap adds one, unless the poll came so late (an outage, a busy host) that the interval is not to
    blame. It fades within four days without a gap, so that it lasts over a feed's daily rush hour.
    """
    calm = 0 if state.gap_at is None else (now - state.gap_at) // CALM_PERIOD
    hurry = max(0, min(state.hurry, MOST_HURRY - calm))
    return min(hurry + (is_missed and not is_late), MOST_HURRY)
