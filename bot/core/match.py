"""The matching engine: which topics an item belongs to, by what evidence, and why not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from bot.core.expressions import (
    AnyOf,
    AtLeast,
    Evidence,
    Expression,
    Likely,
    evaluate,
    every_child,
    identity,
    leaves,
    triggers,
)
from bot.core.finder import TITLE_FACTOR, Finder, Sight, strength
from bot.core.memory import ENTRIES, uncollected
from bot.core.shortcuts import Shortcuts
from bot.core.tags import language_code
from bot.core.terms import IsWord
from bot.model import Item, Match, TopicId

DEFAULT_FIELDS: Final = frozenset({"title", "summary", "content"})
DEFAULT_MIN_SCORE: Final = 60.0
DOUBT: Final = 0.25  # what one whole piece of evidence leaves of the doubt

DetectLanguage = Callable[[str], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicRule:
    """What the matcher knows of a topic."""

    id: TopicId
    match: Expression
    ignore: Expression | None = None
    unless: Expression | None = None
    min_score: float = DEFAULT_MIN_SCORE
    languages: frozenset[str] = frozenset()  # empty: all
    allow: frozenset[str] = frozenset()  # domains and feed ids; empty: all
    deny: frozenset[str] = frozenset()


def item_score(evidence: Evidence) -> float:
    """Return the score of a topic's evidence, 0 to 100.

    100 · (1 − 0.25^E), where E sums over the different terms: weight · similarity/100, times 1.25 where
    the term stands in the title; each term counts once, where it counts most. More evidence never lowers it.
    """
    strongest: dict[object, float] = {}
    for leaf, found in evidence.items():
        key = identity(leaf.term)
        strongest[key] = max(strongest.get(key, 0.0), *(strength(leaf, one) for one in found))
    return round(100 * (1 - DOUBT ** sum(strongest.values())), 2)


def best_possible_score(expression: Expression) -> float:
    """Return the score when every term of the expression is found as it is written, 0 to 100."""
    strongest: dict[object, float] = {}
    for leaf in leaves(expression, positive=True):
        key = identity(leaf.term)
        best = leaf.weight * (TITLE_FACTOR if "title" in leaf.fields else 1.0)
        strongest[key] = max(strongest.get(key, 0.0), best)
    return 100 * (1 - DOUBT ** sum(strongest.values()))


def spans(evidence: Evidence) -> dict[str, list[tuple[int, int]]]:
    """Return what the evidence covers, by field."""
    covered: dict[str, list[tuple[int, int]]] = {}
    for found in evidence.values():
        for one in found:
            covered.setdefault(one.field, []).append((one.start, one.end))
    return covered


class Matcher:
    """A compiled rule set. Safe to share between threads: what it remembers is only a memory."""

    @uncollected()
    def __init__(
        self,
        rules: Iterable[TopicRule],
        *,
        is_real: IsWord,
        detect_language: DetectLanguage | None = None,
        rules_hash: str = "",
        memory: int = ENTRIES,
    ) -> None:
        """Compile the rules.

        Args:
            memory: How many chunks of texts to remember, and how many words, at some 430 bytes for both.
        """
        self.rules = tuple(rules)
        self.is_real = is_real
        self._detect = detect_language
        self._hash = rules_hash
        expressions = [expression for rule in self.rules for expression in _expressions(rule)]
        every = [leaf for expression in expressions for leaf in leaves(expression)]
        self.wanted = frozenset(field for leaf in every for field in leaf.fields)
        self.finder = Finder((leaf.term for leaf in every), is_real, memory)
        self._shortcuts = Shortcuts(expressions, self.finder.number)
        self._rules_of: defaultdict[int, list[int]] = defaultdict(list)
        for number, rule in enumerate(self.rules):
            for term in {self.finder.number(term) for term in triggers(rule.match)}:
                self._rules_of[term].append(number)

    def match(self, item: Item) -> tuple[Match, ...]:
        """Return the topics that the item belongs to, highest score first, then in the rules' order."""
        sight = self.see(item)
        numbers = sorted({number for term in sight.possible for number in self._rules_of.get(term, ())})
        matches = [self._decide(self.rules[number], item, sight) for number in numbers]
        return tuple(sorted((m for m in matches if m is not None), key=lambda m: -m.score))

    def see(self, item: Item) -> Sight:
        """Return the item's fields and the terms in them."""
        return Sight(self.finder, item, self.wanted)

    def _decide(self, rule: TopicRule, item: Item, sight: Sight) -> Match | None:
        possible = sight.possible

        def likely(expression: AnyOf | AtLeast) -> Sequence[Expression]:
            return self._shortcuts.likely(expression, possible)

        covered = covered_spans(rule, sight, likely)
        evidence = evaluate(rule.match, lambda leaf: sight.find_uncovered(leaf, covered), likely)
        if not evidence:
            return None
        score = item_score(evidence)
        if score < rule.min_score or not is_heard(rule, item):
            return None
        if rule.unless is not None and evaluate(rule.unless, sight.find, likely) is not None:
            return None
        if not self.speaks(rule, item):
            return None
        return Match(topic=rule.id, score=score, terms=sight.term_matches(evidence), rules_hash=self._hash)

    def speaks(self, rule: TopicRule, item: Item) -> bool:
        """True: the item is in one of the topic's languages, or nobody can tell which it is in."""
        if not rule.languages:
            return True
        language = language_code(item.language)
        if language is None and self._detect is not None:
            language = language_code(self._detect(f"{item.title}\n{item.summary}"))
        return language is None or language in map(language_code, rule.languages)


def _expressions(rule: TopicRule) -> list[Expression]:
    return [one for one in (rule.match, rule.ignore, rule.unless) if one is not None]


def covered_spans(
    rule: TopicRule, sight: Sight, likely: Likely = every_child
) -> dict[str, list[tuple[int, int]]]:
    """Return what the topic's `ignore` covers up."""
    hidden = evaluate(rule.ignore, sight.find, likely) if rule.ignore is not None else None
    return spans(hidden or {})


def is_heard(rule: TopicRule, item: Item) -> bool:
    """True: the topic takes items from there; deny wins over allow."""
    if not rule.allow and not rule.deny:
        return True
    names = {str(item.feed_id).lower(), *_domains(item.url)}
    if names & rule.deny:
        return False
    return not rule.allow or bool(names & rule.allow)


def _domains(url: str | None) -> list[str]:
    """Return the host and every domain it belongs to: a.b.example → a.b.example, b.example, example."""
    try:
        host = urlsplit(url or "").hostname or ""
    except ValueError:  # a bracket that opens no IPv6 address
        return []
    labels = host.lower().rstrip(".").split(".")
    return [".".join(labels[index:]) for index in range(len(labels))] if host else []
