"""What an explanation says beyond yes and no: the score's arithmetic, and near misses worth reading."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.explain import MAX_APART, Explanation, explain
from bot.core.expressions import AllOf, AnyOf, Expression, Leaf
from bot.core.match import DEFAULT_FIELDS, DOUBT, Matcher, TopicRule
from bot.core.terms import read_name, read_phrase
from bot.model import FeedId, Item, TopicId


def term(text: str, weight: float = 1.0) -> Leaf:
    return Leaf(read_phrase(text, "en"), DEFAULT_FIELDS, weight)


def name(text: str) -> Leaf:
    return Leaf(read_name(text), DEFAULT_FIELDS)


def explained(match: Expression, title: str, summary: str = "", **rule: object) -> Explanation:
    topic = replace(TopicRule(id=TopicId("t"), match=match), **rule)  # type: ignore[arg-type]  # a builder
    matcher = Matcher([topic], is_real=lambda word, _: word == "earn")
    return explain(matcher, topic, Item(feed_id=FeedId("f"), title=title, summary=summary))


METALS = AnyOf((term("rare earth", 2.0), term("neodymium"), name("Kirill Dmitriev")))


@pytest.mark.parametrize(
    ("title", "summary"),
    [
        ("Rare earths", ""),
        ("Rare earths", "Rare earths and neodymium, says Dmitrijew, Kirill"),
        ("Neodymiun", "Кириллу Дмитриеву предложили neodymium"),
        ("Nothing", ""),
    ],
)
def test_the_shares_add_up_to_the_score(title: str, summary: str) -> None:
    found = explained(METALS, title, summary)

    assert found.evidence == sum(share.counts for share in found.shares)
    assert found.score == round(100 * (1 - DOUBT**found.evidence), 2)


def test_a_share_is_the_product_of_weight_similarity_and_field() -> None:
    (first, second) = explained(METALS, "Neodymium", "The rare earths").shares

    assert (first.term, first.field, first.text) == ("rare earth", "summary", "rare earths")
    assert (first.weight, first.field_factor) == (2.0, 1.0)
    assert first.counts == pytest.approx(2.0 * first.similarity / 100)
    assert (second.term, second.field_factor, second.counts) == ("neodymium", 1.25, 1.25)


def test_a_term_counts_once_where_it_counts_most() -> None:
    (share,) = explained(METALS, "Rare heavy earths", "Rare earth, rare earth").shares

    assert (share.field, share.text) == ("title", "Rare heavy earths")


def test_an_expression_that_does_not_hold_counts_nothing() -> None:
    found = explained(AllOf((term("rare earth"), term("magnet"))), "Rare earths")

    assert (found.shares, found.evidence, found.score) == ((), 0, 0)


@pytest.mark.parametrize(
    ("title", "text", "similarity", "cutoff"),
    [
        ("Some rare earn", "rare earn", 60.0, 80.0),
        ("neodimiom", "neodimiom", 77.8, 80.0),
    ],
)
def test_a_near_miss_names_the_cutoff(title: str, text: str, similarity: float, cutoff: float) -> None:
    miss = explained(METALS, title).near_misses[0]

    assert (miss.text, miss.similarity, miss.cutoff) == (text, similarity, cutoff)


def test_words_that_stand_far_apart_are_no_near_miss() -> None:
    between = " ".join(f"x{number}" for number in range(MAX_APART))

    assert explained(METALS, f"earths {between} rare").near_misses == ()


def test_the_words_of_a_near_miss_are_those_that_stand_closest() -> None:
    (miss,) = explained(METALS, "rare birds", "A rare bird, and on Earth rare").near_misses

    assert (miss.field, miss.text) == ("summary", "Earth rare")


def test_each_word_of_a_long_text_is_looked_at() -> None:
    words = " ".join(f"word{number}" for number in range(1_500))

    (miss,) = explained(METALS, "News", f"{words} neodimiom").near_misses

    assert miss.text == "neodimiom"
