"""The engine: what matches, with which evidence and score, and why not."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.explain import WhyNot, explain
from bot.core.expressions import AllOf, AnyOf, AtLeast, Expression, Leaf, Near, NoneOf
from bot.core.finder import FIELDS
from bot.core.match import DEFAULT_FIELDS, Matcher, TopicRule, best_possible_score, item_score
from bot.core.memory import Memory
from bot.core.places import Occurrence
from bot.core.tags import language_code
from bot.core.terms import Pattern, read_name, read_phrase
from bot.model import FeedId, Item, Match, TopicId

REAL = frozenset({"erde", "erden", "quark"})


def term(text: str, language: str = "de", *, weight: float = 1.0, slop: int = 2, fields: str = "") -> Leaf:
    where = frozenset(fields.split()) or DEFAULT_FIELDS
    return Leaf(read_phrase(text, language, slop=slop), where, weight)


def rule(match: Expression, **other: object) -> TopicRule:
    return replace(TopicRule(id=TopicId("t"), match=match), **other)  # type: ignore[arg-type]  # a builder


def an_item(title: str = "", **other: object) -> Item:
    return replace(Item(feed_id=FeedId("f"), title=title), **other)  # type: ignore[arg-type]  # a builder


def matcher(*rules: TopicRule) -> Matcher:
    return Matcher(rules, is_real=lambda word, _: word in REAL, rules_hash="h")


def match(match: Expression, title: str = "", **other: object) -> Match | None:
    found = matcher(rule(match)).match(an_item(title, **other))
    return found[0] if found else None


EARTHS = term("Seltene Erden")


# ---- phrases -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("Seltene Erden", 100),
        ("SELTENE ERDEN!", 100),
        ("Seltene-Erden-Magnete", 100),
        ("Streit um seltene, doch begehrte Erden", 0),
        ("seltene schwere Erden", 95),
        ("seltene und schwere Erden", 90),
        ("seltene und sehr schwere Erden", 0),
        ("seltene. Erden", 0),
        ("Erden seltene", 0),
        ("immer seltener, Handwerk auf Erden", 0),
        ("Seltene Erkrankung", 0),
    ],
)
def test_a_phrase_is_found_in_order_and_close_together(text: str, score: float) -> None:
    found = match(EARTHS, text)

    assert (found.terms[0].score if found else 0) == score


def test_evidence_names_the_field_and_the_span() -> None:
    found = match(EARTHS, "Neues", summary="Handel mit Sel\u00adtenen Erden wächst")

    assert found is not None
    assert found.rules_hash == "h"
    (evidence,) = found.terms
    assert (evidence.term, evidence.field, evidence.start, evidence.end) == (
        "Seltene Erden",
        "summary",
        11,
        26,
    )
    assert evidence.text == "Sel\u00adtenen Erden"


def test_a_joined_run_is_found_by_a_term_in_one_word() -> None:
    found = match(term("Sekundärzölle"), "Trump droht mit Sekundär-Zöllen")

    assert found is not None
    assert found.terms[0].text == "Sekundär-Zöllen"


def test_a_script_without_spaces_is_found_anywhere() -> None:
    assert match(term("稀土", "zh"), "中国收紧稀土出口管制") is not None
    assert match(term("稀土", "zh"), "稀有的土地") is None


def test_gaps_are_bridged_only_as_far_as_slop_allows() -> None:
    assert match(term("Seltene Erden", slop=0), "seltene schwere Erden") is None


# ---- expressions -------------------------------------------------------------------------------

A, B, C = term("alpha"), term("beta"), term("gamma")


@pytest.mark.parametrize(
    ("expression", "text", "expected"),
    [
        (AnyOf((A, B)), "beta", True),
        (AllOf((A, B)), "alpha", False),
        (AllOf((A, B)), "beta alpha", True),
        (AllOf((A, NoneOf(B))), "alpha", True),
        (AllOf((A, NoneOf(B))), "alpha beta", False),
        (AtLeast(2, (A, B, C)), "alpha alpha", False),
        (AtLeast(2, (A, B, C)), "alpha gamma", True),
        (AtLeast(2, (AnyOf((A, B)), C)), "alpha beta", True),
        (Near((A, B), 1), "alpha x beta", True),
        (Near((A, B), 1), "beta x alpha", True),
        (Near((A, B), 1), "alpha x y beta", False),
        (Near((A, B), 1, ordered=True), "beta x alpha", False),
        (Near((A, B), 1, ordered=True), "alpha x beta", True),
        (Near((A, B, C), 3, ordered=True), "alpha beta x gamma", True),
        (Near((A, B, C), 3, ordered=True), "alpha gamma x beta", False),
        (Near((A, A), 3), "alpha", False),
        (Near((A, AnyOf((B, C))), 0), "alpha gamma", True),
    ],
)
def test_an_expression_holds(expression: Expression, text: str, expected: bool) -> None:
    assert (match(expression, text) is not None) is expected


def test_near_stays_in_one_field() -> None:
    assert match(Near((A, B), 5), "alpha", summary="beta") is None


def test_near_gives_only_what_is_near_as_evidence() -> None:
    found = match(Near((A, B), 1), "alpha x x x x x x x alpha beta")

    assert found is not None
    assert {evidence.start for evidence in found.terms} == {20, 26}


def test_a_term_is_found_only_in_its_fields() -> None:
    only_title = term("alpha", fields="title")

    assert match(only_title, "alpha") is not None
    assert match(only_title, "x", summary="alpha") is None


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_can_be_searched(field: str) -> None:
    values: dict[str, dict[str, object]] = {
        "source": {"outlet": "alpha"},
        "categories": {"categories": ("x", "alpha")},
        "url": {"url": "https://a.example/alpha"},
    }
    item = replace(an_item(), **values.get(field, {field: "alpha"}))  # type: ignore[arg-type]  # one of its fields

    (found,) = matcher(rule(term("alpha", fields=field))).match(item)

    assert found.terms[0].field == field
    assert found.terms[0].text == "alpha"


def test_a_pattern_is_evidence_like_a_term() -> None:
    found = match(Leaf(Pattern(r"\d+ Prozent"), DEFAULT_FIELDS), "Zoll von 100 Prozent")

    assert found is not None
    assert found.terms[0].text == "100 Prozent"


def test_a_pattern_may_stand_near_a_term() -> None:
    percent = Leaf(Pattern(r"\d+"), DEFAULT_FIELDS)

    assert match(Near((percent, A), 1), "100 x alpha") is not None
    assert match(Near((percent, A), 1), "100 x x x alpha") is None


# ---- ignore, unless, sources, languages --------------------------------------------------------


def test_what_ignore_covers_does_not_count_but_the_real_hit_beside_it_does() -> None:
    topic = rule(term("rare earth", "en"), ignore=term("rare Earth-sized", "en"))
    rules = matcher(topic)

    assert not rules.match(an_item("A rare Earth-sized planet"))
    (found,) = rules.match(an_item("A rare Earth-sized planet rich in rare earths"))
    assert [evidence.text for evidence in found.terms] == ["rare earths"]


def test_a_phrase_finds_another_way_when_its_first_is_covered() -> None:
    topic = rule(term("alpha beta"), ignore=term("beta gamma"))

    assert matcher(topic).match(an_item("alpha beta gamma beta"))
    assert not matcher(topic).match(an_item("alpha beta gamma"))


def test_unless_drops_the_whole_item() -> None:
    topic = rule(A, unless=B)

    assert matcher(topic).match(an_item("alpha"))
    assert not matcher(topic).match(an_item("alpha", summary="beta"))


@pytest.mark.parametrize(
    ("allow", "deny", "expected"),
    [
        ((), (), True),
        (("example.com",), (), True),
        (("news.example.com",), (), True),
        (("ample.com",), (), False),
        (("f",), (), True),
        (("other",), (), False),
        ((), ("example.com",), False),
        (("f",), ("example.com",), False),
    ],
)
def test_sources_are_domains_or_feeds_and_deny_wins(
    allow: tuple[str, ...], deny: tuple[str, ...], expected: bool
) -> None:
    topic = rule(A, allow=frozenset(allow), deny=frozenset(deny))

    found = matcher(topic).match(an_item("alpha", url="https://news.example.com/x"))

    assert bool(found) is expected


def test_an_address_that_is_none_comes_from_nowhere() -> None:
    topic = rule(A, allow=frozenset({"example.com"}))

    assert not matcher(topic).match(an_item("alpha", url="http://[bad"))


@pytest.mark.parametrize(
    ("language", "detected", "expected"),
    [
        ("de", "en", True),
        ("en", "de", False),
        ("DE-at", None, True),
        (None, "de", True),
        (None, "en", False),
        (None, None, True),
    ],
)
def test_only_items_in_the_topics_languages_are_kept(
    language: str | None, detected: str | None, expected: bool
) -> None:
    topic = rule(A, languages=frozenset({"de"}))
    rules = Matcher([topic], is_real=lambda word, _: word in REAL, detect_language=lambda _: detected)

    assert bool(rules.match(an_item("alpha", language=language))) is expected


# ---- scores ------------------------------------------------------------------------------------


def test_scores_are_those_of_the_documents() -> None:
    def score(expression: Expression, title: str, summary: str = "") -> float:
        found = match(expression, title, summary=summary)
        return found.score if found else 0.0

    assert score(A, "", "alpha") == 75
    assert score(A, "alpha") == 82.32
    assert score(AnyOf((A, B)), "", "alpha beta") == 93.75
    assert score(term("alpha", weight=2), "", "alpha") == 93.75
    assert score(term("alpha", weight=0.5), "", "alpha") == 0
    assert score(AnyOf((A, term("ALPHA", ""))), "", "alpha") == 75, "one term in two spellings is one"


OCCURRENCES = st.builds(
    Occurrence,
    field=st.sampled_from(["title", "summary"]),
    at=st.just(0),
    to=st.just(1),
    start=st.just(0),
    end=st.just(1),
    score=st.floats(1, 100),
)
EVIDENCE = st.dictionaries(
    st.builds(term, st.sampled_from(["alpha", "beta", "gamma"]), weight=st.sampled_from([0.5, 1.0, 3.0])),
    st.lists(OCCURRENCES, min_size=1, max_size=3),
    min_size=1,
)


@given(EVIDENCE, EVIDENCE)
def test_more_evidence_never_lowers_the_score(
    some: dict[Leaf, list[Occurrence]], more: dict[Leaf, list[Occurrence]]
) -> None:
    both = {leaf: some.get(leaf, []) + more.get(leaf, []) for leaf in {**some, **more}}

    assert 0 <= item_score(some) <= item_score(both) <= 100


def test_the_best_possible_score_is_reached_by_the_terms_themselves() -> None:
    expression = AnyOf((A, B))

    found = match(expression, "alpha beta")

    assert found is not None
    assert found.score == pytest.approx(best_possible_score(expression), abs=0.01)


def test_matches_come_best_first() -> None:
    one, two = rule(A, id=TopicId("one")), rule(AllOf((A, B)), id=TopicId("two"))

    assert [m.topic for m in matcher(one, two).match(an_item("alpha beta"))] == ["two", "one"]


# ---- explain -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("topic", "title", "why"),
    [
        (rule(A), "alpha", WhyNot.MATCHES),
        (rule(A), "omega", WhyNot.NO_TERM),
        (rule(A, ignore=term("alpha beta")), "alpha beta", WhyNot.COVERED),
        (rule(AllOf((A, B))), "alpha", WhyNot.INCOMPLETE),
        (rule(A, min_score=90), "alpha", WhyNot.BELOW_MIN_SCORE),
        (rule(A, unless=B), "alpha beta", WhyNot.UNLESS),
        (rule(A, deny=frozenset({"f"})), "alpha", WhyNot.SOURCE),
        (rule(A, languages=frozenset({"fr"})), "alpha", WhyNot.LANGUAGE),
    ],
)
def test_an_explanation_tells_why(topic: TopicRule, title: str, why: WhyNot) -> None:
    rules = matcher(topic)
    item = an_item(title, language="de")

    explanation = explain(rules, topic, item)

    assert explanation.why is why
    assert explanation.matched == bool(rules.match(item))


@pytest.mark.parametrize(
    ("leaf", "title", "reason"),
    [
        (term("Seltene Quargl"), "Seltene Quark", "similarity 67 is below 80"),
        (term("Seltene Quarg"), "seltene Quark", "a real word, and so no typo"),
        (EARTHS, "Erden seltene", "its words stand apart or in another order"),
        (
            Leaf(read_name("Denis Manturov"), DEFAULT_FIELDS),
            "Denis Manturova",
            "its words do not agree as one person's name, or stand apart",
        ),
    ],
)
def test_a_near_miss_tells_what_it_failed_by(leaf: Leaf, title: str, reason: str) -> None:
    topic = rule(leaf)

    explanation = explain(matcher(topic), topic, an_item(title))

    assert [miss.reason for miss in explanation.near_misses] == [reason]


# ---- memory and hostile input ------------------------------------------------------------------


def test_a_memory_forgets_what_is_not_asked_for_and_keeps_what_is() -> None:
    memo: Memory[int, str] = Memory(4)
    memo.put(0, "kept")
    for number in range(1, 50):
        memo.put(number, "passing")
        assert memo.get(0) == "kept"
    assert len(memo) <= 4
    assert memo.get(1) is None


def test_an_item_matches_the_same_the_second_time() -> None:
    rules = matcher(rule(AnyOf((EARTHS, A))))
    item = an_item("Seltene Erden alpha", summary="seltenen Erden")

    assert rules.match(item) == rules.match(item)


def least_time(rules: Matcher, item: Item) -> float:
    """Return the least of three times in seconds of CPU."""
    times = []
    for _ in range(3):
        before = time.process_time()
        rules.match(item)
        times.append(time.process_time() - before)
    return min(times)


@pytest.mark.parametrize(
    "piece",
    [
        "alpha ",
        "alpha-",
        "alpha",
        "alphabeta",
        "Kirill Dmitriev ",
        "稀土",
        "alpha beta ",
        "a.",
        "<b>",
        "\u00ad",
    ],
)
def test_ten_times_the_text_costs_about_ten_times_as_much(piece: str) -> None:
    name = Leaf(read_name("Kirill Dmitriev"), DEFAULT_FIELDS)
    pattern = Leaf(Pattern("(a+)+b$"), DEFAULT_FIELDS)
    near = Near((A, AnyOf((A, B)), term("alpha beta", slop=10)), 15)
    rules = matcher(
        rule(AnyOf((A, term("alpha beta alpha", slop=10), name, term("稀土", "zh"), pattern, near)))
    )

    small, large = (least_time(rules, an_item(piece * (size // len(piece)))) for size in (100_000, 1_000_000))

    assert large < 40 * small + 0.05  # a hundred times as much, if it were quadratic


# ---- languages ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("es", "es"),
        ("es-MX", "es"),
        ("es_MX", "es"),
        ("spa", "es"),
        ("SPA", "es"),
        ("est", "et"),
        ("deu", "de"),
        ("ger", "de"),
        ("cmn-Hans", "zh"),
        ("nb-NO", "no"),
        ("nno", "no"),
        ("und", None),
        ("mul", None),
        ("zxx", None),
        ("xx", None),
        ("english", None),
        ("", None),
        (None, None),
    ],
)
def test_a_language_tag_is_a_code_of_two_letters_or_none(tag: str | None, code: str | None) -> None:
    assert language_code(tag) == code


@pytest.mark.parametrize(
    ("tag", "is_heard"), [("es", True), ("spa", True), ("und", True), ("mul", True), ("est", False)]
)
def test_a_topic_reads_its_languages_and_what_nobody_can_tell(tag: str, is_heard: bool) -> None:
    only = matcher(rule(EARTHS, languages=frozenset({"es"})))

    assert bool(only.match(an_item("Seltene Erden", language=tag))) is is_heard


def test_a_nearer_but_weaker_neighbour_takes_nothing_from_a_better_one() -> None:
    near = Near((term("tariff", "en"), term("petroleum", "en")), within=5)

    alone, both = match(near, "tariff on petroleum"), match(near, "tariff on petroluem petroleum")

    assert alone is not None
    assert both is not None
    assert both.score >= alone.score


def test_a_word_that_mixes_alphabets_is_inflected_as_in_its_own() -> None:
    metal = term("рідкісноземельний метал", "uk")

    pure, mixed = match(metal, "рідкісноземельних металів"), match(metal, "рiдкiсноземельних металiв")

    assert pure is not None
    assert mixed is not None
    assert mixed.score == pure.score
