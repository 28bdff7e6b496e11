"""What the reasons of polls mean, in sentences for operators: the one place where they are put into words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from bot.core.feedsync import SyncReason
from bot.core.schedule import NextPollReason
from bot.model import PauseReason, PollReason, TroubleKind

_CAME: Final[Mapping[PollReason, str]] = {
    PollReason.FETCHED: "read",
    PollReason.NOT_MODIFIED: "nothing changed, says the server",
    PollReason.SAME_BODY: "nothing changed: the bytes of last time",
    PollReason.TEMPORARY: "no answer to use, perhaps for a while",
    PollReason.RATE_LIMITED: "the server wants fewer requests",
    PollReason.REFUSED: "the server refuses; look for the feed's new address or log-in",
    PollReason.CHALLENGED: "the server takes us for a robot that it does not want",
    PollReason.GONE: "the server says that the feed is gone for good",
    PollReason.UNREADABLE: "what came is no feed",
    PollReason.FORBIDDEN_ADDRESS: "it leads to an address that is not public",
    PollReason.BROKEN: "a mistake of Topicwire's; the log has the details",
}
_WHY: Final[Mapping[NextPollReason, str]] = {
    NextPollReason.FIRST: "it is new, or an operator changed or resumed it",
    NextPollReason.OPERATOR: "the interval that an operator set",
    NextPollReason.INTERVAL: "its rhythm: half the usual time between items (the default while unknown)",
    NextPollReason.MISSED: "sooner than usual, since items were probably missed between two polls",
    NextPollReason.SERVER_ASKED: "the feed or its server asks for no more",
    NextPollReason.BACKOFF: "it failed; the wait grows with each failure",
    NextPollReason.RETRY_AFTER: "the server said when to come back",
    NextPollReason.HOST_BUSY: "other feeds of the same host come first",
    NextPollReason.GONE: "it is gone; asked once more, to be sure",
}
_TROUBLES: Final[Mapping[TroubleKind, str]] = {
    TroubleKind.FAILING: "no good poll",
    TroubleKind.REFUSED: "refused",
    TroubleKind.CHALLENGED: "turned away as a robot",
    TroubleKind.UNREADABLE: "no feed there",
    TroubleKind.GONE: "gone for good",
    TroubleKind.SILENT: "silent: good polls, but nothing new for much longer than usual",
    TroubleKind.MISSED: "items were probably missed between two polls",
    TroubleKind.MOVED: "moved: the new address is polled; write it into the list of feeds",
    TroubleKind.FLOOD: "more news at once than is credible",
    TroubleKind.OUTAGE: "most feeds of its host fail together",
}
_PAUSED: Final[Mapping[PauseReason, str]] = {
    PauseReason.GONE: "paused: the server said three times over 48 hours that it is gone",
    PauseReason.OPERATOR: "paused by an operator",
    PauseReason.CONFIG: "rests: the config names its address itself",
}
_SYNCED: Final[Mapping[SyncReason, str]] = {
    SyncReason.TAKES_OVER: "feed goes on where another one of its address stood",
    SyncReason.RESTS: "feed rests, since the config names its address itself",
    SyncReason.RETURNS: "feed is polled again, since the config names its address no more",
}


def poll_words(reason: PollReason) -> str:
    """Return what came of a poll."""
    return _CAME[reason]


def why_words(why: NextPollReason) -> str:
    """Return why the next poll is when it is."""
    return _WHY[why]


def pause_words(pause: PauseReason) -> str:
    """Return why a feed is not polled."""
    return _PAUSED[pause]


def sync_words(reason: SyncReason) -> str:
    """Return what happened to a feed because of what the config names."""
    return _SYNCED[reason]


def trouble_words(kind: TroubleKind) -> str:
    """Return what is wrong with a feed."""
    return _TROUBLES[kind]


def span_words(span: timedelta) -> str:
    """Return a length of time in the unit that suits it: 90 s, 2.5 min, 15 min, 4 h, 3 d."""
    seconds = span.total_seconds()
    for unit, size, least in (("d", 86400, 172800), ("h", 3600, 7200), ("min", 60, 120)):
        if seconds >= least:
            number = seconds / size
            return f"{round(number, 1 if number < 9.95 else None):g} {unit}"
    return f"{round(seconds):g} s"


def time_words(at: datetime, now: datetime) -> str:
    """Return when something was or will be, seen from now: "5 min ago", "in 2 h", "now"."""
    span = at - now
    if abs(span) < timedelta(seconds=1):
        return "now"
    return f"in {span_words(span)}" if span > timedelta(0) else f"{span_words(-span)} ago"


def size_words(size: int) -> str:
    """Return a number of bytes in the unit that suits it: 999 B, 12 kB, 1.2 MB."""
    for unit, factor in (("MB", 1_000_000), ("kB", 1_000)):
        if size >= factor:
            return f"{size / factor:.3g} {unit}"
    return f"{size} B"
