"""Which story an item belongs to: a pure decision with its reason, and a book of stories in memory.

A wrongly merged story is a lost alert, so whatever is unsure becomes a story of its own.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from bot.core.fingerprint import StoryText, fingerprint, story_keys, url_key
from bot.core.similarity import Doubts, likeness, same_text, same_words
from bot.model import ItemId, StoryId, StoryReason

__all__ = [
    "MAX_CANDIDATES",
    "MAX_MEMBERS",
    "MIN_SHARED_KEYS",
    "Candidate",
    "StoryBook",
    "StoryDecision",
    "StoryPolicy",
    "StoryText",
    "decide_story",
    "keep_members",
    "story_keys",
]

MAX_CANDIDATES: Final = 40  # stories compared with one item
MAX_MEMBERS: Final = 8  # of a story, kept for comparison
MIN_SHARED_KEYS: Final = 2
FORGET_EVERY: Final = 1024  # items


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A story that an item may belong to."""

    story: StoryId
    members: tuple[StoryText, ...]  # at least one, at most MAX_MEMBERS
    last_report_at: datetime
    opened_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryPolicy:
    """When two texts tell one event. Similarities are 0 to 1."""

    window: timedelta = timedelta(hours=72)  # a member older than this is not compared
    closes_after: timedelta = timedelta(hours=48)  # since the last report
    lives: timedelta = timedelta(days=7)  # since the first report
    same_language: float = 0.46  # least mean similarity to members in the item's language
    cross_language: float = 0.40  # and to members in others
    copy: float = 0.90  # rapidfuzz token_set_ratio / 100, between different outlets
    doubts: Doubts = field(default_factory=Doubts)  # what is taken off a similarity


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryDecision:
    """Where an item belongs, and why."""

    story: StoryId | None  # None: a new story
    reason: StoryReason
    similarity: float  # 0 to 1, to the story joined, or to the nearest one that was not joined


_RANK: Final = {StoryReason.SAME_URL: 3, StoryReason.COPY: 2, StoryReason.REPORT: 1, StoryReason.NEW: 0}


def decide_story(new: StoryText, candidates: Sequence[Candidate], policy: StoryPolicy) -> StoryDecision:
    """Return the story that the item joins, or that it opens one; the candidates' order is of no account.

    The strongest reason wins (same URL, copy, report), then the greatest margin over the threshold, then the
    story with the lowest id.
    """
    best = StoryDecision(story=None, reason=StoryReason.NEW, similarity=0.0)
    best_rank: tuple[int, float, int] = (0, 0.0, 0)
    nearest = 0.0
    for candidate in candidates:
        if not is_open(candidate, new.at, policy):
            continue
        reason, similarity, margin = _compare(new, candidate, policy)
        nearest = max(nearest, similarity)
        rank = (_RANK[reason], margin, -candidate.story)
        if reason is not StoryReason.NEW and rank > (best_rank if best.story is not None else (0, 0.0, 0)):
            best = StoryDecision(story=candidate.story, reason=reason, similarity=similarity)
            best_rank = rank
    if best.story is None:
        return StoryDecision(story=None, reason=StoryReason.NEW, similarity=nearest)
    return best


def is_open(candidate: Candidate, at: datetime, policy: StoryPolicy) -> bool:
    """Whether a story still takes reports of that time; late arrivals count by their distance to it."""
    quiet = max(at - candidate.last_report_at, candidate.opened_at - at)
    return quiet <= policy.closes_after and at - candidate.opened_at <= policy.lives


def _compare(new: StoryText, candidate: Candidate, policy: StoryPolicy) -> tuple[StoryReason, float, float]:
    """Return the reason, the similarity and how far it lies above its threshold."""
    if any(_same_url(new, member) for member in candidate.members):
        return StoryReason.SAME_URL, 1.0, 1.0
    members = [member for member in candidate.members if abs(new.at - member.at) <= policy.window]
    if not members:
        return StoryReason.NEW, 0.0, -1.0
    pairs = [_compare_texts(new, member, policy) for member in members]
    copied = max(pair.copied for pair in pairs)
    if copied >= policy.copy:
        return StoryReason.COPY, copied, copied
    similarity = sum(pair.similarity for pair in pairs) / len(pairs)
    margin = similarity - sum(pair.threshold for pair in pairs) / len(pairs)
    reason = StoryReason.REPORT if margin >= 0 else StoryReason.NEW
    return reason, min(1.0, max(0.0, similarity)), margin


def _same_url(one: StoryText, two: StoryText) -> bool:
    return one.url is not None and one.url == two.url and url_key(one.url) is not None


class _Pair(NamedTuple):
    copied: float  # how nearly the texts of two outlets are the same
    similarity: float
    threshold: float  # what the languages of the two ask of the similarity


def _compare_texts(new: StoryText, member: StoryText, policy: StoryPolicy) -> _Pair:
    one, two = fingerprint(new), fingerprint(member)
    cosine = same_words(one, two)
    same_outlet = bool(new.outlet) and new.outlet.casefold() == member.outlet.casefold()
    return _Pair(
        copied=0.0 if same_outlet else same_text(one, two, cosine),
        similarity=likeness(
            one, two, cosine, apart=abs(new.at - member.at), same_outlet=same_outlet, doubts=policy.doubts
        ),
        threshold=policy.same_language if one.language == two.language else policy.cross_language,
    )


def keep_members(members: Sequence[StoryText]) -> tuple[StoryText, ...]:
    """Return the members kept for comparison: the first and the latest, at most MAX_MEMBERS."""
    if len(members) <= MAX_MEMBERS:
        return tuple(members)
    return (members[0], *members[1 - MAX_MEMBERS :])


@dataclass(slots=True)
class StoryBook:
    """Stories in memory, numbered from 1 in the order they open.

    Candidates are chosen by the rule that every store follows: of the open stories that share at least
    MIN_SHARED_KEYS keys with the item (keys of all their items count, each once), or its `u:` key, the
    MAX_CANDIDATES with the most shared keys; then the latest report, then the lowest id goes first.
    """

    policy: StoryPolicy = field(default_factory=StoryPolicy)
    _stories: dict[StoryId, Candidate] = field(default_factory=dict)
    _seen: dict[ItemId | str, tuple[StoryText, StoryId]] = field(default_factory=dict)
    _by_key: defaultdict[str, set[StoryId]] = field(default_factory=lambda: defaultdict(set))
    _opened: int = 0
    _added: int = 0

    def add(self, item_id: ItemId | str, text: StoryText) -> StoryDecision:
        """Return the decision, with the story's number also when it is new, and remember the item.

        The same item with the same text again is SEEN, and changes nothing.
        """
        known = self._seen.get(item_id)
        if known is not None and known[0] == text:
            return StoryDecision(story=known[1], reason=StoryReason.SEEN, similarity=1.0)
        decision = decide_story(text, self.candidates(text), self.policy)
        story = self._open(text) if decision.story is None else self._join(decision.story, text)
        for key in story_keys(text):
            self._by_key[key].add(story)
        self._seen[item_id] = (text, story)
        self._added += 1
        if self._added % FORGET_EVERY == 0:
            self._forget(text.at)
        return replace(decision, story=story)

    def _open(self, text: StoryText) -> StoryId:
        self._opened += 1
        story = StoryId(self._opened)
        self._stories[story] = Candidate(
            story=story, members=(text,), last_report_at=text.at, opened_at=text.at
        )
        return story

    def _join(self, story: StoryId, text: StoryText) -> StoryId:
        before = self._stories[story]
        self._stories[story] = replace(
            before,
            members=keep_members((*before.members, text)),
            last_report_at=max(before.last_report_at, text.at),
            opened_at=min(before.opened_at, text.at),
        )
        return story

    def _forget(self, at: datetime) -> None:
        """Drop what closed long ago; late arrivals get twice the usual time."""
        since = at - 2 * self.policy.closes_after
        self._stories = {key: one for key, one in self._stories.items() if one.last_report_at >= since}
        self._seen = {key: one for key, one in self._seen.items() if one[1] in self._stories}
        for key in list(self._by_key):
            self._by_key[key] &= self._stories.keys()
            if not self._by_key[key]:
                del self._by_key[key]

    def candidates(self, text: StoryText) -> tuple[Candidate, ...]:
        """Return the stories worth comparing, most shared keys first."""
        shared: Counter[StoryId] = Counter()
        same_url: set[StoryId] = set()
        for key in story_keys(text):
            shared.update(self._by_key.get(key, ()))
            if key.startswith("u:"):
                same_url.update(self._by_key.get(key, ()))
        stories = [
            self._stories[story]
            for story, count in shared.items()
            if (count >= MIN_SHARED_KEYS or story in same_url)
            and is_open(self._stories[story], text.at, self.policy)
        ]
        stories.sort(
            key=lambda one: (
                one.story not in same_url,
                -shared[one.story],
                -one.last_report_at.timestamp(),
                one.story,
            )
        )
        return tuple(stories[:MAX_CANDIDATES])
