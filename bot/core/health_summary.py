"""How the whole house fares, on one screen of a phone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.core.health import GOOD_POLLS
from bot.core.health_notices import troubles_list
from bot.core.render import Texts
from bot.core.typeset import Marked, bold, fill, join, text
from bot.model import Message, PollReason, Trouble, TroubleKind, TroubleScope

LATE = timedelta(minutes=10)  # by which a feed that is due may wait for its poll without a word

# What does not get well by waiting.
_ASKS = frozenset(
    {
        TroubleKind.FAILING,
        TroubleKind.REFUSED,
        TroubleKind.CHALLENGED,
        TroubleKind.UNREADABLE,
        TroubleKind.GONE,
        TroubleKind.SILENT,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Counts of all that matters to an operator, and what is wrong."""

    live: int = 0  # feeds that are polled
    failing: int = 0  # of these
    paused: int = 0  # by an operator
    gone: int = 0  # paused, because the server says so
    resting: int = 0  # hosts that asked for a pause
    polls: Mapping[PollReason, int] = field(default_factory=dict)  # within the last hour
    last_poll_at: datetime | None = None  # None: there was none
    due_since: datetime | None = None  # of the feed that is due longest; None: nothing is due
    items: int = 0  # first seen within 24 hours
    owed: int = 0  # deliveries on their way, or held
    dead: int = 0  # deliveries refused for good
    rules_since: datetime | None = None  # None: no rules were ever in force
    rules_refused: bool = False  # the folder's rules are wrong, and these are the last good ones
    troubles: tuple[Trouble, ...] = ()  # as of the last check
    outlets: Mapping[str, str] = field(default_factory=dict)  # by the ids of feeds in trouble

    @property
    def needs_operator(self) -> bool:
        """Return whether somebody should do something: waiting will not help."""
        return self.rules_refused or any(
            one.kind in _ASKS or one.scope is TroubleScope.ALL for one in self.troubles
        )

    @property
    def good_polls(self) -> int:
        """Return how many polls of the last hour were good."""
        return sum(count for reason, count in self.polls.items() if reason in GOOD_POLLS)

    @property
    def failed_polls(self) -> int:
        """Return how many polls of the last hour failed."""
        return sum(self.polls.values()) - self.good_polls

    def lateness(self, now: datetime) -> timedelta:
        """Return how long the feed that is due longest has waited for its poll."""
        return max(timedelta(0), now - self.due_since) if self.due_since else timedelta(0)


def summary_message(summary: Summary, texts: Texts, now: datetime) -> Message:
    """Return the answer to /health."""
    counts = [_feeds(summary, texts), _polls(summary, texts, now), *_late(summary, texts, now)]
    counts += [_deliveries(summary, texts), _rules(summary, texts)]
    if summary.troubles:
        heading = bold(text(texts.gettext("Trouble with feeds")))
        wrong = join("\n", [heading, *troubles_list(summary.troubles, summary.outlets, texts)])
    else:
        wrong = _no_trouble(summary.failing, texts)
    body = join("\n\n", (join("\n", counts), wrong))
    return Message(html=body.html, plain=body.plain)


def _no_trouble(failing: int, texts: Texts) -> Marked:
    if failing == 0:
        return join(" ", (text("✅"), text(texts.gettext("Nothing is wrong with any feed."))))
    template = texts.ngettext(
        "{count} feed fails, not for long enough to tell.",
        "{count} feeds fail, none for long enough to tell.",
        failing,
    )
    return _filled(template, texts, count=failing)


def _feeds(summary: Summary, texts: Texts) -> Marked:
    return _filled(
        texts.gettext("Feeds: {live} polled, {failing} failing, {paused} paused, {gone} gone"),
        texts,
        live=summary.live,
        failing=summary.failing,
        paused=summary.paused,
        gone=summary.gone,
    )


def _polls(summary: Summary, texts: Texts, now: datetime) -> Marked:
    if summary.last_poll_at is None:
        return text(texts.gettext("Polls: none yet"))
    counts = _filled(
        texts.gettext("Polls in the last hour: {good} good, {failed} failed; hosts at rest: {resting}"),
        texts,
        good=summary.good_polls,
        failed=summary.failed_polls,
        resting=summary.resting,
    )
    last = fill(
        texts.gettext("Last poll: {age}; new items in 24 hours: {items}"),
        age=text(texts.age(summary.last_poll_at, now)),
        items=text(texts.number(summary.items)),
    )
    return join("\n", (counts, last))


def _late(summary: Summary, texts: Texts, now: datetime) -> list[Marked]:
    if summary.due_since is None or summary.lateness(now) < LATE:
        return []
    age = text(texts.age(summary.due_since, now))
    return [fill(texts.gettext("⚠️ Polling is behind: a feed was due {age}"), age=age)]


def _deliveries(summary: Summary, texts: Texts) -> Marked:
    return _filled(
        texts.gettext("Deliveries: {owed} owed, {dead} refused for good"),
        texts,
        owed=summary.owed,
        dead=summary.dead,
    )


def _rules(summary: Summary, texts: Texts) -> Marked:
    if summary.rules_since is None:
        return text(texts.gettext("Rules: none yet"))
    if summary.rules_refused:
        template = texts.gettext("⚠️ Rules: the folder's are refused; the last good ones are of {time}")
    else:
        template = texts.gettext("Rules: in force since {time}")
    return fill(template, time=text(texts.moment(summary.rules_since)))


def _filled(template: str, texts: Texts, **counts: int) -> Marked:
    return fill(template, **{name: text(texts.number(count)) for name, count in counts.items()})
