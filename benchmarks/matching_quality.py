"""How well peers tell the shipped topics' news, when they find the terms and our expressions do the rest.

A topic is more than its terms: what must stand together, what is near, what is ignored. So each peer is asked
only where the terms of the rules stand, and the topic decides by that as it does by the engine's own finding.
Regular expressions of the rules stay what they are. The rules were written for the engine: a peer might do
better with rules of its own.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.peers import Peer, Search, Words, plain_term
from benchmarks.topics import Labelled
from bot.core.expressions import Evidence, Expression, Leaf, evaluate, leaves
from bot.core.finder import field_texts
from bot.core.match import Matcher, TopicRule, item_score
from bot.core.places import Occurrence, overlaps
from bot.core.terms import Pattern, Phrase, Term
from bot.core.text import Token, tokens_of
from bot.model import Item

FOUND: Final = 100.0  # what a peer's place counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """How often a way to match is right on the labelled texts."""

    setting: str
    hits: int
    false_alarms: int
    missed: int

    @property
    def precision(self) -> float:
        """Return the share of what was found that belongs there, 0 to 1; 1 when nothing was found."""
        found = self.hits + self.false_alarms
        return self.hits / found if found else 1.0

    @property
    def recall(self) -> float:
        """Return the share of what belongs there that was found, 0 to 1."""
        return self.hits / max(1, self.hits + self.missed)

    @property
    def f1(self) -> float:
        """Return the harmonic mean of the two, 0 to 1."""
        return 2 * self.hits / max(1, 2 * self.hits + self.false_alarms + self.missed)


def own_quality(matcher: Matcher, texts: Sequence[Labelled]) -> Quality:
    """Return how the engine does with these rules."""
    found = ({str(match.topic) for match in matcher.match(text.item())} for text in texts)
    return _quality("", texts, found)


def peer_quality(peer: Peer, setting: str, matcher: Matcher, texts: Sequence[Labelled]) -> Quality:
    """Return how a peer does under the same rules."""
    judge = _Judge(matcher, peer, setting)
    return _quality(setting, texts, (judge.topics(text.item()) for text in texts))


def best_of(some: Iterable[Quality]) -> Quality:
    """Return the one with the best F1, of equals the first."""
    return max(some, key=lambda one: one.f1)


def _quality(setting: str, texts: Sequence[Labelled], found: Iterable[set[str]]) -> Quality:
    hits = false_alarms = missed = 0
    for text, topics in zip(texts, found, strict=True):
        hits += len(topics & text.topics)
        false_alarms += len(topics - text.topics)
        missed += len(text.topics - topics)
    return Quality(setting=setting, hits=hits, false_alarms=false_alarms, missed=missed)


class _Judge:
    """The rules of a matcher, with a peer to find their terms."""

    def __init__(self, matcher: Matcher, peer: Peer, setting: str) -> None:
        self._matcher = matcher
        every = {leaf.term for rule in matcher.rules for part in _parts(rule) for leaf in leaves(part)}
        self._terms = [term for term in every if not isinstance(term, Pattern)]
        self._search = peer.compile([plain_term(term.text) for term in self._terms], setting)

    def topics(self, item: Item) -> set[str]:
        """Return the topics that the item belongs to."""
        seen = _Seen(self._matcher, item, self._terms, self._search)
        return {str(rule.id) for rule in self._matcher.rules if self._belongs(rule, item, seen)}

    def _belongs(self, rule: TopicRule, item: Item, seen: _Seen) -> bool:
        ignored = evaluate(rule.ignore, seen.find) if rule.ignore is not None else None
        covered = _covered(ignored or {})
        evidence = evaluate(rule.match, lambda leaf: seen.uncovered(leaf, covered))
        return (
            bool(evidence)
            and item_score(evidence or {}) >= rule.min_score
            and (rule.unless is None or evaluate(rule.unless, seen.find) is None)
            and self._matcher.speaks(rule, item)
        )


def _parts(rule: TopicRule) -> list[Expression]:
    return [part for part in (rule.match, rule.ignore, rule.unless) if part is not None]


def _covered(evidence: Evidence) -> Mapping[str, list[tuple[int, int]]]:
    covered: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for found in evidence.values():
        for one in found:
            covered[one.field].append((one.start, one.end))
    return covered


class _Seen:
    """An item, and where a peer finds terms in it."""

    def __init__(self, matcher: Matcher, item: Item, terms: Sequence[Term], search: Search) -> None:
        self._sight = matcher.see(item)  # for regular expressions
        self._found: defaultdict[Term, list[Occurrence]] = defaultdict(list)
        for name, text in field_texts(item).items():
            if name in matcher.wanted:
                words = Words(text)
                line = _Line(name, text)
                for place in search(words.text):
                    if (one := line.occurrence(terms[place.term], words.raw_span(place))) is not None:
                        self._found[terms[place.term]].append(one)

    def find(self, leaf: Leaf) -> list[Occurrence]:
        """Return where the leaf's term stands in the leaf's fields."""
        if isinstance(leaf.term, Pattern):
            return self._sight.find(leaf)
        return [one for one in self._found.get(leaf.term, ()) if one.field in leaf.fields]

    def uncovered(self, leaf: Leaf, covered: Mapping[str, list[tuple[int, int]]]) -> list[Occurrence]:
        """Return where it stands outside of what is ignored."""
        return [
            one for one in self.find(leaf) if not overlaps(one.start, one.end, covered.get(one.field, ()))
        ]


class _Line:
    """A field with the positions of its words, which `near` counts by."""

    def __init__(self, name: str, text: str) -> None:
        self._name = name
        self._text = text
        self._tokens = [token for token in tokens_of(text) if not token.is_joined]
        self._starts = [token.start for token in self._tokens]

    def occurrence(self, term: Term, span: tuple[int, int]) -> Occurrence | None:
        """Return the place as expressions know it; None: an exact term is written otherwise there."""
        start, end = span
        if not self._tokens or (_is_exact(term) and not self._is_written(term, start, end)):
            return None
        first, last = self._token(start), self._token(max(start, end - 1))
        return Occurrence(self._name, first.at, last.to, start, end, FOUND)

    def _token(self, offset: int) -> Token:
        return self._tokens[max(0, bisect_right(self._starts, offset) - 1)]

    def _is_written(self, term: Term, start: int, end: int) -> bool:
        wanted = [token.text for token in tokens_of(term.text[1:])]
        return [token.text for token in tokens_of(self._text[start:end])] == wanted


def _is_exact(term: Term) -> bool:
    return isinstance(term, Phrase) and term.text.startswith("=")
