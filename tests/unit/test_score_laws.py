"""What holds for every rule set and item: the laws of the score."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from bot.core.expressions import AnyOf, Leaf, leaves
from bot.core.match import Matcher, TopicRule
from bot.model import FeedId, Item, Match, TopicId
from bot.rules import RuleSet
from bot.rules.building import build
from bot.rules.reading import Source
from tests.brute.samples import NAMES, SAMPLES, Sample
from tests.brute.strategies import Case, Rules, cases, detect_language, expressions, is_real, texts

WEIGHTS = st.sampled_from([0.2, 0.5, 1.0, 1.5, 3.0])


def rule_set(files: Rules) -> RuleSet:
    """Return the rule set of these files; topics with a mistake are left out."""
    built = build([Source(f"{n}.yaml", data=deepcopy(data)) for n, data in enumerate(files)], None)
    matcher = Matcher(
        [entry.rule for entry in built.entries], is_real=is_real, detect_language=detect_language
    )
    return RuleSet(
        topics={entry.topic.id: entry.topic for entry in built.entries}, rules_hash="", matcher=matcher
    )


def one_topic(match: Any, **keys: Any) -> RuleSet:
    """Return a rule set of one topic, which every score is enough for."""
    return rule_set(
        [{"version": 1, "topics": [{"id": "t", "title": "T", "match": match, "min_score": 0, **keys}]}]
    )


def score(rules: RuleSet, **texts: str) -> float:
    """Return the topic's score for an item of these texts; 0: it does not match."""
    found = rules.match(Item(feed_id=FeedId("f"), **texts))  # type: ignore[arg-type]  # texts only
    return found[0].score if found else 0.0


PATTERNS = [sample for sample in SAMPLES if isinstance(sample.written, dict) and "regex" in sample.written]
WORDS_AND_PATTERNS = [sample for sample in SAMPLES if sample not in NAMES]
WORDS = [sample for sample in WORDS_AND_PATTERNS if sample not in PATTERNS]


def pools(samples: list[Sample] = SAMPLES) -> st.SearchStrategy[list[Sample]]:
    """Return some terms and the forms that texts have them in."""
    return st.lists(st.sampled_from(samples), min_size=2, max_size=4, unique_by=id)


def says(sample: Sample) -> Any:
    """Return the term under its language key."""
    return {sample.language: sample.written} if sample.language else sample.written


@st.composite
def positives(draw: st.DrawFn, pool: list[Sample], depth: int = 2) -> Any:
    """Return an expression without `not`, so that more text can only mean more evidence."""
    if depth == 0:
        return says(draw(st.sampled_from(pool)))
    several = st.lists(positives(pool, depth - 1), min_size=1, max_size=3)
    form = draw(st.sampled_from(["term", "any", "all", "at_least", "near"]))
    if form == "term":
        return says(draw(st.sampled_from(pool)))
    if form == "near":
        terms = st.sampled_from(pool).map(says)
        return {"near": draw(st.lists(terms, min_size=2, max_size=3)), "ordered": draw(st.booleans())}
    if form == "at_least":
        return {"at_least": 1, "of": draw(several)}
    return {form: draw(several)}


@settings(deadline=None)
@given(cases())
def test_a_score_lies_between_its_minimum_and_100_and_is_told_best_first(case: Case) -> None:
    rules = rule_set(case.files)
    least = {rule.id: rule.min_score for rule in rules.matcher.rules}

    for item in case.items:
        found = rules.match(item)
        assert all(least[match.topic] <= match.score <= 100 for match in found)
        assert all(0 < term.score <= 100 for match in found for term in match.terms)
        assert all(match.terms for match in found)
        assert [match.score for match in found] == sorted((match.score for match in found), reverse=True)


@settings(deadline=None)
@given(cases())
def test_evidence_is_what_stands_at_its_span(case: Case) -> None:
    rules = rule_set(case.files)

    for item in case.items:
        texts = {"url": item.url or "", "source": item.outlet, "categories": ", ".join(item.categories)}
        for match in rules.match(item):
            for term in match.terms:
                text = texts[term.field] if term.field in texts else getattr(item, term.field)
                assert 0 <= term.start < term.end <= len(text)
                assert text[term.start : term.end] == term.text


@settings(deadline=None)
@given(st.data())
def test_a_further_sentence_never_lowers_the_score(data: st.DataObject) -> None:
    pool = data.draw(pools(WORDS_AND_PATTERNS))  # a name in small letters is none where others have capitals
    rules = one_topic(data.draw(positives(pool)))
    before, further = data.draw(texts(pool, 5)), data.draw(texts(pool, 4))

    lower, higher = (score(rules, summary=text) for text in (f"{before} .\n", f"{before} .\n {further}"))

    event("the sentence adds to it" if higher > lower else "the sentence adds nothing")
    assert higher >= lower


@settings(deadline=None)
@given(st.data())
def test_a_further_field_never_lowers_the_score(data: st.DataObject) -> None:
    pool = data.draw(pools())
    rules = one_topic(data.draw(positives(pool)))
    title, content = data.draw(texts(pool, 5)), data.draw(texts(pool, 4))

    assert score(rules, title=title, content=content) >= score(rules, title=title)


@settings(deadline=None)
@given(st.data())
def test_a_further_term_never_lowers_the_score(data: st.DataObject) -> None:
    pool = data.draw(pools())
    text, match = data.draw(texts(pool, 6)), data.draw(expressions(pool))
    whole, more = (one_topic(form) for form in ([match], [match, says(data.draw(st.sampled_from(pool)))]))
    assume(whole.topics and more.topics)

    assert score(more, title=text) >= score(whole, title=text)


@settings(deadline=None)
@given(st.data())
def test_the_title_counts_at_least_as_much_as_the_summary(data: st.DataObject) -> None:
    pool = data.draw(pools())
    rules = one_topic(data.draw(positives(pool)))
    text = data.draw(texts(pool, 6))

    in_title, in_summary = score(rules, title=text), score(rules, summary=text)

    assert in_title > in_summary or in_title == in_summary == 0 or in_title == 100


@settings(deadline=None)
@given(st.data(), WEIGHTS, WEIGHTS)
def test_more_weight_never_lowers_the_score(data: st.DataObject, one: float, other: float) -> None:
    pool = data.draw(pools())
    text = data.draw(texts(pool, 6))
    fields = frozenset({"title"})
    terms = [leaf.term for leaf in leaves(one_topic([says(s) for s in pool]).matcher.rules[0].match)]

    def weighed(weight: float) -> Match | None:
        children = (Leaf(terms[0], fields, weight), *(Leaf(term, fields) for term in terms[1:]))
        rule = TopicRule(id=TopicId("t"), match=AnyOf(children), min_score=0)
        found = Matcher([rule], is_real=is_real).match(Item(feed_id=FeedId("f"), title=text))
        return found[0] if found else None

    light, heavy = weighed(min(one, other)), weighed(max(one, other))

    assert (light is None) == (heavy is None)
    assert light is None or heavy is None or light.score <= heavy.score


@settings(deadline=None)
@given(cases())
def test_the_order_of_the_files_changes_nothing_but_the_order_of_equals(case: Case) -> None:
    forwards, backwards = rule_set(case.files), rule_set(case.files[::-1])

    for item in case.items:
        found = [sorted(rules.match(item), key=lambda m: m.topic) for rules in (forwards, backwards)]
        assert found[0] == found[1]


@settings(deadline=None)
@given(cases(WORDS), st.sampled_from(["  ", " \n", "\t\u00a0", " \r\n "]))
def test_white_space_of_any_kind_and_length_is_one_blank(case: Case, blank: str) -> None:
    # A line that ends in a hyphen breaks a word: none here does, for a blank stands before each break.
    rules = rule_set(case.files)
    fields = ("title", "summary", "content")

    def said(item: Item) -> list[Any]:
        return [
            (m.topic, m.score, sorted((t.field, t.term, "".join(t.text.split()), t.score) for t in m.terms))
            for m in rules.match(item)
        ]

    for item in case.items:
        words = {field: getattr(item, field).split() for field in fields}
        wide, plain = (
            replace(item, **{field: by.join(words[field]) for field in fields})  # type: ignore[arg-type]  # texts only
            for by in (blank, " ")
        )
        assert said(wide) == said(plain)
