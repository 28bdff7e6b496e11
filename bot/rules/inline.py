"""The tests that stand in rule files: which pass, and which terms they reach."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from bot.core.explain import Explanation, explain
from bot.core.expressions import leaves
from bot.errors import Problem
from bot.model import FeedId, Item, TopicId
from bot.rules.building import Entry
from bot.rules.models import InlineItem
from bot.rules.reading import Path_

if TYPE_CHECKING:
    from bot.rules import RuleSet


MAX_EXPLAINED: Final = 20  # failed tests of a topic with near misses, which cost much


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one inline test."""

    topic: TopicId
    text: str  # title, else the first text of the item
    wants_match: bool
    passed: bool
    detail: str  # what matched, or why nothing did
    explanation: Explanation


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How many `tests.match` of a topic find a term."""

    topic: TopicId
    term: str
    found: int


Results = tuple[tuple[Outcome, ...], tuple[Coverage, ...], tuple[Problem, ...]]


def run_tests(entries: Sequence[Entry], rules: RuleSet) -> Results:
    """Return the outcomes, each term's coverage, and an E040 for every test that fails."""
    outcomes: list[Outcome] = []
    coverage: list[Coverage] = []
    problems: list[Problem] = []
    for entry in entries:
        own: list[Outcome] = []
        before = len(problems)
        for path, test, wants in _tests(entry):
            is_explained = len(problems) - before < MAX_EXPLAINED
            outcome = _run(entry, rules, test, wants, with_near_misses=is_explained)
            own.append(outcome)
            if not outcome.passed:
                problems.append(entry.source.problem(path, "E040", _complaint(outcome)))
        outcomes += own
        coverage += _coverage(entry, own)
    return tuple(outcomes), tuple(coverage), tuple(problems)


def failed_tests(
    entries: Sequence[Entry], rules: RuleSet, passed: Mapping[TopicId, object] = MappingProxyType({})
) -> tuple[Problem, ...]:
    """Return the problems of run_tests, in a fraction of its time where all is well.

    Args:
        passed: Topics that passed before, by `definition`: where that is the same, they are not tried again.
    """
    problems: list[Problem] = []
    for entry in entries:
        # A topic that asks for languages depends on those of the others too: they are what is told apart.
        if not entry.rule.languages and passed.get(entry.topic.id) == definition(entry):
            continue
        before = len(problems)
        for path, test, wants in _tests(entry):
            found = any(m.topic == entry.topic.id for m in rules.matcher.match(inline_item(test)))
            if found == wants and (isinstance(test, str) or test.by is None):
                continue
            is_explained = len(problems) - before < MAX_EXPLAINED
            outcome = _run(entry, rules, test, wants, with_near_misses=is_explained)
            if not outcome.passed:
                problems.append(entry.source.problem(path, "E040", _complaint(outcome)))
    return tuple(problems)


def definition(entry: Entry) -> object:
    """Return all that decides whether a topic's inline tests pass, beside the word lists."""
    return entry.rule, entry.model.tests


def _tests(entry: Entry) -> Iterator[tuple[Path_, str | InlineItem, bool]]:
    """Yield a topic's inline tests with their place, and whether they want a match."""
    for wants, key in ((True, "match"), (False, "no_match")):
        for number, test in enumerate(getattr(entry.model.tests, key)):
            yield (*entry.path, "tests", key, number), test, wants


def inline_item(test: str | InlineItem) -> Item:
    """Return the item that an inline test describes."""
    if isinstance(test, str):
        return Item(feed_id=FeedId(""), title=test)
    return Item(
        feed_id=FeedId(test.source),
        outlet=test.source,
        title=test.title,
        summary=test.summary,
        content=test.content,
        url=test.url or (f"https://{test.source}/" if "." in test.source else None),
        language=test.lang,
    )


def _run(
    entry: Entry, rules: RuleSet, test: str | InlineItem, wants: bool, *, with_near_misses: bool = True
) -> Outcome:
    item = inline_item(test)
    explanation = explain(rules.matcher, entry.rule, item, with_near_misses=False)
    passed = explanation.matched == wants
    if not passed and with_near_misses:
        explanation = explain(rules.matcher, entry.rule, item)
    detail = describe(explanation)
    by = None if isinstance(test, str) else test.by
    if passed and wants and by is not None and by not in explanation.reached:
        passed, detail = False, f"{detail}; not by `{by}`"
    return Outcome(
        topic=entry.topic.id,
        text=item.title or item.summary or item.content,
        wants_match=wants,
        passed=passed,
        detail=detail,
        explanation=explanation,
    )


def _complaint(outcome: Outcome) -> str:
    wish = "should match" if outcome.wants_match else "should not match"
    return f"`{outcome.topic}` {wish}: {outcome.text!r}: {outcome.detail}"


def describe(explanation: Explanation) -> str:
    """Return in one line what a topic made of an item."""
    found = ", ".join(
        f"`{term.term}` as {term.text!r} in {term.field} ({term.score:.0f})" for term in explanation.terms
    )
    if explanation.matched:
        return f"score {explanation.score:.1f} by {found}"
    parts = [str(explanation.why)]
    if explanation.score:
        parts.append(f"score {explanation.score:.1f} of {explanation.min_score:g}")
    if found:
        parts.append(f"found {found}")
    parts += [f"near miss: `{m.term}` and {m.text!r}: {m.reason}" for m in explanation.near_misses[:2]]
    return "; ".join(parts)


def _coverage(entry: Entry, outcomes: Sequence[Outcome]) -> list[Coverage]:
    texts = dict.fromkeys(leaf.term.text for leaf in leaves(entry.rule.match, positive=True))
    found = Counter(
        text for outcome in outcomes if outcome.wants_match for text in outcome.explanation.reached
    )
    return [Coverage(topic=entry.topic.id, term=text, found=found[text]) for text in texts]
