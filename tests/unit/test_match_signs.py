"""Signs and glue: exact terms with their signs, and phrases closed up or in hashtags."""

from __future__ import annotations

import time

import pytest

from bot.core.explain import explain
from bot.core.expressions import AnyOf, Expression, Leaf
from bot.core.match import DEFAULT_FIELDS, Matcher, TopicRule
from bot.core.terms import read_phrase
from bot.model import FeedId, Item, Match, TopicId


def term(text: str, language: str) -> Leaf:
    return Leaf(read_phrase(text, language), DEFAULT_FIELDS)


def match(expression: Expression, title: str) -> Match | None:
    rule = TopicRule(id=TopicId("t"), match=expression)
    found = Matcher([rule], is_real=lambda *_: False).match(Item(feed_id=FeedId("f"), title=title))
    return found[0] if found else None


@pytest.mark.parametrize(
    ("written", "text", "expected"),
    [
        ("=C++", "Learn C in a week", ""),
        ("=C++", "Why C++ is hard", "C++"),
        ("=C++", "C++: a history", "C++"),
        ("=C++", "C++11", ""),
        ("=.NET", "NET income", ""),
        ("=.NET", "Microsoft opens .NET to all", ".NET"),
        ("=.NET", "ASP.NET", ""),
        ("=Node.js", "Node.js 20 is out", "Node.js"),
        ("=Node.js", "Node js", ""),
        ("=F-16", "F‑16 für Kiew", "F‑16"),
        ("=F-16", "F 16", ""),
        ("=AT&T", "AT&T cuts jobs", "AT&T"),
        ("=AT&T", "at AT T", ""),
        ("=U.S. Steel", "Nippon buys U.S.  Steel", "U.S.  Steel"),
        ("=РЗМ", "добыча РЗМ", "РЗМ"),
    ],
)
def test_an_exact_term_is_found_with_its_signs_only(written: str, text: str, expected: str) -> None:
    found = match(term(written, ""), text)

    assert (found.terms[0].text if found else "") == expected


def test_an_exact_term_and_the_same_without_signs_are_two() -> None:
    found = match(AnyOf((term("=C++", ""), term("=C", ""))), "C and C++")

    assert found is not None
    assert {one.term for one in found.terms} == {"=C++", "=C"}


@pytest.mark.parametrize(
    ("written", "text", "expected"),
    [
        ("rare earth", "China's rareearth exports", 100),
        ("rare earth", "#RareEarths", 98),
        ("rare earth", "#rareearths", 98),
        ("rare earth", "#RareEarthsDeal", 98),
        ("rare earth", "rareeath", 0),
        ("rare earth", "#RareMetals", 0),
        ("rare earth element", "rareearthelements", 98),
        ("two word", "twoword", 0),
        ("in the end", "intheend", 100),
        ("this has four words", "thishasfourwords", 0),
        ("rare earth*", "rareearths", 0),
        ("=rare earth", "rareearth", 0),
    ],
)
def test_a_phrase_is_found_closed_up_and_in_hashtags(written: str, text: str, expected: float) -> None:
    found = match(term(written, "en"), text)

    assert (found.terms[0].score if found else 0) == pytest.approx(expected, abs=1.2)


def test_a_text_full_of_signs_costs_little() -> None:
    before = time.process_time()

    assert match(term("=C++", ""), "C+ " * 50_000) is None
    assert time.process_time() - before < 3


def test_near_misses_of_a_very_long_title_cost_little() -> None:
    terms = AnyOf(tuple(term(f"seltene erden{number}", "de") for number in range(200)))
    matcher = Matcher([TopicRule(id=TopicId("t"), match=terms)], is_real=lambda *_: False)
    title = " ".join(f"seltxne{number % 900}" for number in range(1_900))
    before = time.process_time()

    explain(matcher, matcher.rules[0], Item(feed_id=FeedId("f"), title=title))

    assert time.process_time() - before < 3
