"""What polls heard, and what came of them: for logs, summaries and numbers."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import structlog

from bot.core.identity import Sorted, is_flood, redact_url
from bot.core.schedule import NextPollReason, PollDecision
from bot.errors import FetchError, FetchTemporary
from bot.model import FeedId, Fetched, ItemReason, NotModified, ParsedFeed, PollReason
from bot.ports import DueFeed
from bot.telling import Telling

log = structlog.get_logger()

BUG = "a bug of Topicwire's; the log has the traceback"
SILENT = (ItemReason.FIRST_POLL, ItemReason.BACKFILL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What one poll heard of its feed."""

    due: DueFeed
    answer: Fetched | NotModified | FetchError
    digest: str | None = None  # of the body
    parsed: ParsedFeed | None = None  # None: nothing changed, or it failed

    @property
    def is_broken(self) -> bool:
        """Return whether it met a bug of ours."""
        return isinstance(self.answer, FetchError) and self.answer.reason is PollReason.BROKEN


@dataclass(slots=True, kw_only=True)
class PollReport:
    """What came of one poll, for logs and summaries."""

    feed: FeedId
    reason: PollReason
    items: int = 0  # in the feed
    left_out: int = 0  # entries over the limit, which were not kept
    new: int = 0
    silent: int = 0  # unknown, but kept silently: a first poll, or old ones
    edited: int = 0
    matched: int = 0  # of all these
    stories: int = 0  # opened
    alerts: int = 0  # queued or held for a chat
    edits: int = 0  # of messages sent, now due
    is_flood: bool = False  # more news than is credible: told as a digest
    is_put_off: bool = False  # not asked at all: its host is busy, or asked for a pause
    error: str | None = None

    def count(self, told: Telling) -> None:
        """Add what came of telling one item."""
        self.stories += told.opened
        self.alerts += len(told.alerts)
        self.edits += told.edits


def broken(due: DueFeed) -> Heard:
    """Return what is kept of a poll that met a bug of ours: it backs off, and operators see it."""
    return Heard(due=due, answer=FetchTemporary(BUG, feed_url=due.feed.url, reason=PollReason.BROKEN))


def report_of(heard: Heard, decision: PollDecision, found: Sequence[Sorted]) -> PollReport:
    """Return what came of a poll, before its items are told."""
    answer, reasons = heard.answer, [one.reason for one in found]
    return PollReport(
        feed=heard.due.feed.id,
        reason=decision.reason,
        items=len(found),
        left_out=heard.parsed.left_out if heard.parsed else 0,
        new=reasons.count(ItemReason.NEW),
        silent=sum(map(reasons.count, SILENT)),
        edited=reasons.count(ItemReason.EDITED),
        is_flood=is_flood(found),
        is_put_off=decision.why is NextPollReason.HOST_BUSY,
        error=redact_url(str(answer)) if isinstance(answer, FetchError) else None,
    )


def lost_poll(due: DueFeed) -> PollReport:
    """Return the report of a poll that took longer than its lease."""
    said = "it took so long that somebody else polls this feed by now; this poll is not kept"
    log.error("poll not kept", feed=due.feed.id, error=said)
    return PollReport(feed=due.feed.id, reason=PollReason.TEMPORARY, error=said)


def log_polls(polls: Iterable[tuple[PollReport, PollDecision]]) -> None:
    """Say what came of polls. Of most there is nothing to say but to whoever asked for every detail."""
    is_detailed = logging.getLogger(__name__).isEnabledFor(logging.DEBUG)
    for report, decision in polls:
        is_news = report.new or report.edited or report.left_out
        is_remarkable = (report.error and not report.is_put_off) or is_news
        if is_remarkable or is_detailed:
            _log_poll(report, decision)


def _log_poll(report: PollReport, decision: PollDecision) -> None:
    facts = {
        "feed": report.feed,
        "reason": report.reason.value,
        "next_poll": decision.next_poll_at.isoformat(),
        "why": decision.why.value,
    }
    if report.left_out:
        longer = {"items": report.items, "left_out": report.left_out}
        log.info("feed has more items than max_items; the newest are read", feed=report.feed, **longer)
    if report.is_put_off:
        log.debug("poll put off", **facts)
    elif report.error:
        log.warning("poll failed", **facts, error=report.error, paused=decision.pause)
    elif report.is_flood:
        log.warning(
            "poll brought more news than is credible; it is told as a digest", **facts, new=report.new
        )
    elif report.new or report.edited:
        log.info("poll brought news", **facts, new=report.new, edited=report.edited, alerts=report.alerts)
    else:
        log.debug("poll brought nothing new", **facts, silent=report.silent)
