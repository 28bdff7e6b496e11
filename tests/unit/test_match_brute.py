"""The engine against a brute-force reader of the same definition: span for span, score for score.

`make test` draws 500 cases; `--hypothesis-profile=fuzz` draws 20,000.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import event, example, given, settings

from bot.core.match import Matcher
from bot.model import FeedId, Item, Match
from bot.rules import RuleSet
from bot.rules.building import build
from bot.rules.reading import Source
from tests.brute.reader import Reader
from tests.brute.samples import SAMPLES
from tests.brute.strategies import Case, Rules, cases, detect_language, is_real, items

HASH = "h"
CASES = max(500, settings().max_examples)  # the profile `fuzz` asks for more


def engine(files: Rules) -> RuleSet:
    """Return the rule set of these files; topics with a mistake are left out."""
    built = build([Source(f"{n}.yaml", data=deepcopy(data)) for n, data in enumerate(files)], None)
    rules = [entry.rule for entry in built.entries]
    matcher = Matcher(rules, is_real=is_real, detect_language=detect_language, rules_hash=HASH)
    topics = {entry.topic.id: entry.topic for entry in built.entries}
    return RuleSet(topics=topics, rules_hash=HASH, matcher=matcher)


def brute(case: Case, rules: RuleSet) -> list[tuple[Match, ...]]:
    """Return what each item belongs to by the definition, of the topics that have no mistake."""
    reader = Reader(case.files, is_real, detect_language, HASH)
    every = (reader.matches(item) for item in case.items)
    return [tuple(match for match in found if match.topic in rules.topics) for found in every]


def a_case(match: Any, *titles: str, **topic: Any) -> Case:
    """Return one topic, and items of these titles."""
    whole = {"id": "t", "title": "T", "match": match, "min_score": 0, **topic}
    items = [Item(feed_id=FeedId("f"), title=title) for title in titles]
    return Case([{"version": 1, "topics": [whole]}], items)


@settings(deadline=None, max_examples=CASES)
@example(a_case({"near": ["b", {"any": ["c d e", "c"]}, "d"], "ordered": True}, "b c d e"))
@example(a_case({"near": ["b", {"regex": "€"}], "within": 0}, "b €", "x b €", "x €"))
@example(a_case([{"near": ["b", "c"], "within": 0}, "b"], "c b b c"))
@example(a_case("rare earth metals", "rare x earth x metals", "rare x earth so to metals"))
@example(a_case("Sekundarzoll", "Sekundarzol", "Sekundar-Zol"))
@example(
    a_case(
        {"near": [{"en": "tariff"}, {"en": "petroleum"}], "within": 5}, "tariff on petroluem petroleum", "x"
    )
)
@example(a_case("=C++", "C++, c++ C++17 (C++)"))
@example(a_case("=F-16", "F-16\u00ads F-16", "x\u00ad\u200bF-16 F", "F-16\u00ad, F-16"))
@given(cases())
def test_the_engine_finds_what_brute_force_finds_whatever_it_remembers(case: Case) -> None:
    rules = engine(case.files)
    expected = brute(case, rules)

    assert [rules.match(item) for item in case.items] == expected
    assert [rules.match(item) for item in reversed(case.items)] == expected[::-1]

    event("an item matches" if any(expected) else "no item matches")


EVERYTHING: Rules = [
    {
        "version": 1,
        "topics": [
            {
                "id": f"t{n}",
                "title": "T",
                "match": {s.language: s.written} if s.language else s.written,
                "min_score": 0,
            }
            for n, s in enumerate(SAMPLES)
        ],
    }
]
LIVING = engine(EVERYTHING)
READING = Reader(EVERYTHING, is_real, detect_language, HASH)


@settings(deadline=None, max_examples=CASES // 5)
@given(items(SAMPLES))
def test_a_rule_set_that_has_seen_much_finds_what_brute_force_finds(item: Item) -> None:
    assert LIVING.match(item) == READING.matches(item)


@pytest.mark.parametrize("words", range(4_996, 5_003))
def test_as_many_words_are_read_as_brute_force_reads(words: int) -> None:
    item = Item(feed_id=FeedId("f"), title="x " * words + "rare earth", summary="x rare earth earth, earth")

    assert LIVING.match(item) == READING.matches(item)
