"""The engine against a brute-force reader of the same definition: span for span, score for score."""

from __future__ import annotations

import re
from itertools import pairwise, product

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.core.expressions import AllOf, AnyOf, AtLeast, Expression, Leaf, Near, NoneOf, evaluate
from bot.core.match import DEFAULT_FIELDS, Matcher, TopicRule
from bot.core.places import overlaps
from bot.core.terms import (
    GAP_COST,
    Pattern,
    Phrase,
    Step,
    Term,
    Word,
    needles_of,
    read_name,
    read_phrase,
    similarity,
)
from bot.core.text import Token, tokens_of
from bot.core.vocabulary import Vocabulary
from bot.model import FeedId, Item, TopicId

REAL = frozenset({"tarif", "erde", "zoll", "rare"})


def is_real(word: str, _language: str) -> bool:
    return word in REAL


Found = dict[int, tuple[float, int]]  # start → score, end

TERMS = [
    ("Seltene Erden", "de"), ("Seltenerd*", "de"), ("rare earth", "en"), ("rare earth metals", "en"),
    ("Sekundär-Zölle", "de"), ("*zölle", "de"), ("secondary tariff", "en"), ("=US tariff*", "en"),
    ("稀土", "zh"), ("稀土 出口", "zh"), ("редкоземельный металл", "ru"), ("вторичный тариф", "ru"),
    ("рідкісноземельний метал", "uk"), ("ταρίφα χώρα", "el"), ("희토류 수출", "ko"), ("معادن نادرة", "ar"),
    ("earth earth", "en"), ("erde", ""),
]  # fmt: skip
WORDS = re.findall(
    r"\S+",
    """
    Seltene seltenen Erden Erdn Erde Seltenerdmetalle rare Rare earth earths erths earth's metals metal
    Sekundär Zölle Zoelle Zöllen Strafzölle Sekundär-Zölle secondary Secundary tariffs tarrifs tarif tariff
    US us 稀土 稀土出口 稀 土 出口 редкоземельный редкоземельных металлов метал металів рідкісноземельних
    вторичных тарифов вторичныe ταρίφες ταρίφα χώρες 희토류를 수출 المعادن النادرة معادن نادرة
    x und , . ! – the Sel\u00adtene
    """,
)
SEPARATORS = [" ", " ", " ", "-", ", ", ". ", "\n", " – ", "", "’"]


@st.composite
def texts(draw: st.DrawFn) -> str:
    words = draw(st.lists(st.sampled_from(WORDS), max_size=9))
    return "".join(word + draw(st.sampled_from(SEPARATORS)) for word in words)


def brute_phrase(phrase: Phrase, text: str, covered: list[tuple[int, int]]) -> Found:
    """Try every word of the text in every place of the phrase."""
    tokens = [token for token in tokens_of(text) if not overlaps(token.start, token.end, covered)]
    found: Found = {}
    for reading in phrase.readings:
        options = [[t for t in tokens if _similar(step, t) > 0] for step in reading]
        for chosen in product(*options):
            score = _score(reading, chosen, phrase.slop)
            if score > 0:
                start, end = chosen[0].start, chosen[-1].end
                best = found.get(start, (0.0, 0))
                found[start] = max(best, (score, end), key=lambda one: (one[0], -one[1]))
    return found


def _similar(step: Step, token: Token) -> float:
    return similarity(step.needle, Word(token.text, token.is_joined), is_real)


def _score(reading: tuple[Step, ...], chosen: tuple[Token, ...], slop: int) -> float:
    gaps = [right.at - left.to for left, right in pairwise(chosen)]
    if any(gap < 0 for gap in gaps) or sum(gaps) > slop:
        return 0.0
    if any(step.is_tight and gap for step, gap in zip(reading[1:], gaps, strict=True)):
        return 0.0
    if len({token.sentence for token in chosen}) > 1:
        return 0.0
    size = sum(step.needle.size for step in reading)
    alike = sum(step.needle.size * _similar(step, token) for step, token in zip(reading, chosen, strict=True))
    return max(0.0, round(alike / size - GAP_COST * sum(gaps), 2))


def engine_phrase(term: Term, matcher: Matcher, text: str, covered: list[tuple[int, int]]) -> Found:
    sight = matcher.see(Item(feed_id=FeedId("f"), title=text))
    spots = sight.find_uncovered(Leaf(term, DEFAULT_FIELDS), {"title": covered})
    return {one.start: (one.score, one.end) for one in spots}


PHRASES = [read_phrase(text, language, slop=slop) for text, language in TERMS for slop in (0, 2)]
MATCHER = Matcher(
    [
        TopicRule(id=TopicId(str(number)), match=Leaf(phrase, DEFAULT_FIELDS))
        for number, phrase in enumerate(PHRASES)
    ],
    is_real=is_real,
)


@settings(max_examples=250, deadline=None)
@example("Seltene Seltene x Erden Erden", None)
@example("rare earth rare earth-metals", (0, 4))
@given(texts(), st.none() | st.tuples(st.integers(0, 30), st.integers(0, 30)))
def test_the_engine_finds_what_brute_force_finds(text: str, span: tuple[int, int] | None) -> None:
    covered = [(min(span), max(span))] if span and span[0] != span[1] else []

    for phrase in PHRASES:
        assert engine_phrase(phrase, MATCHER, text, covered) == brute_phrase(phrase, text, covered), phrase


NEEDLES = list(
    dict.fromkeys(
        needle
        for term in (*PHRASES, *map(read_name, ("Kirill Dmitriev", "Мантуров", "Müller")))
        for needle in needles_of(term)
    )
)
VOCABULARY = Vocabulary(NEEDLES, is_real)
NAMES = ["Дмитриевым", "Dmitrijew", "Dmirtiev", "Manturow", "Мантурова", "Mueller", "Müllers", "Кириллом"]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(WORDS + NAMES), st.data(), st.booleans())
def test_a_word_meets_exactly_the_needles_it_is_similar_to(
    word: str, data: st.DataObject, joined: bool
) -> None:
    index = data.draw(st.integers(0, len(word)))
    edited = word[:index] + data.draw(st.sampled_from(["", "x", "e", "е", "Z", "土"])) + word[index + 1 :]
    if not edited:
        return
    one = Word(edited, joined)

    expected = {needle: similarity(needle, one, is_real) for needle in NEEDLES}

    assert dict(VOCABULARY.hits(one)) == {needle: score for needle, score in expected.items() if score > 0}


LEAVES = [
    Leaf(term, DEFAULT_FIELDS)
    for term in (
        read_phrase("alpha", "en"),
        read_phrase("beta gamma", "en"),
        read_phrase("delta*", "en"),
        read_name("Kirill Dmitriev"),
        Pattern(r"\d+ beta"),
    )
]
EXPRESSIONS: st.SearchStrategy[Expression] = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: (
        st.builds(AnyOf, st.lists(inner, min_size=1, max_size=3).map(tuple))
        | st.builds(AllOf, st.lists(inner, min_size=1, max_size=3).map(tuple))
        | st.builds(NoneOf, inner)
        | st.builds(AtLeast, st.integers(1, 3), st.lists(inner, min_size=1, max_size=3).map(tuple))
        | st.builds(
            Near, st.lists(st.sampled_from(LEAVES), min_size=2, max_size=3).map(tuple), st.integers(0, 3)
        )
    ),
    max_leaves=8,
)
PIECES = ["alpha", "beta", "gamma", "deltas", "Kirill", "Dmitriev", "7 beta", "x", ". "]


@settings(max_examples=400, deadline=None)
@given(EXPRESSIONS, st.lists(st.sampled_from(PIECES), max_size=8).map(" ".join))
def test_a_topic_that_is_looked_at_only_for_its_triggers_loses_nothing(
    expression: Expression, text: str
) -> None:
    matcher = Matcher([TopicRule(id=TopicId("t"), match=expression, min_score=0)], is_real=is_real)
    item = Item(feed_id=FeedId("f"), title=text)

    expected = evaluate(expression, matcher.see(item).find)

    assert bool(matcher.match(item)) == bool(expected)
