"""Terms: which words a written term meets, and how well."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.patterns import PatternInvalid, check_pattern, find_all
from bot.core.stems import has_stemmer
from bot.core.terms import Phrase, TermInvalid, Word, read_name, read_phrase, similarity
from bot.core.typos import edit_similarity

REAL = frozenset({"tarif", "kopie", "erde", "quark", "tariffs"})


def alike(term: str, text: str, language: str = "", fuzzy: float = 80.0) -> float:
    """Return how alike a term of one word and a word are."""
    needle = read_phrase(term, language, fuzzy=fuzzy).readings[0][0].needle
    return similarity(needle, Word(text), lambda word, _: word in REAL)


@pytest.mark.parametrize(
    ("language", "term", "text"),
    [
        ("de", "Seltene", "SELTENEN"),
        ("de", "Zoll", "Zölle"),
        ("de", "Sekundärzölle", "Sekundärzöllen"),
        ("en", "tariff", "tariffs"),
        ("en", "secondary", "secondaries"),
        ("ru", "редкоземельный", "редкоземельных"),
        ("ru", "тариф", "тарифами"),
        ("fr", "métal", "métaux"),
        ("es", "arancel", "aranceles"),
        ("pl", "rzadkie", "rzadkich"),
        ("uk", "рідкісноземельний", "рідкісноземельних"),
        ("uk", "метал", "металів"),
        ("tr", "vergi", "vergiler"),
        ("cs", "vzácné", "vzácných"),
    ],
)
def test_a_word_is_found_inflected_in_its_keys_language(language: str, term: str, text: str) -> None:
    assert has_stemmer(language)
    assert alike(term, text, language) == 98


def test_a_word_without_a_language_is_found_as_it_stands() -> None:
    assert alike("tariff", "TARIFF") == 100
    assert alike("tariff", "tariffs", fuzzy=101) == 0


@pytest.mark.parametrize("text", ["Zölle", "Zoelle", "ZOLLE", "zölle"])
@pytest.mark.parametrize("term", ["Zölle", "Zoelle"])
def test_an_umlaut_its_digraph_and_neither_are_alike_in_german(term: str, text: str) -> None:
    assert alike(term, text, "de") == 100


@pytest.mark.parametrize(
    ("term", "text", "expected"),
    [
        ("Seltenerd*", "Seltenerdmetalle", 99),
        ("Seltenerd*", "Seltenerd", 99),
        ("Seltenerd*", "Selten", 0),
        ("*zölle", "Strafzoelle", 99),
        ("*zölle", "Zöllner", 0),
        ("=РЗМ", "РЗМ", 100),
        ("=РЗМ", "рзм", 0),
        ("=US", "us", 0),
        ("稀土", "稀", 100),
    ],
)
def test_a_wildcard_and_an_exact_term_mean_what_they_say(term: str, text: str, expected: float) -> None:
    assert alike(term, text, "de") == expected


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("tariffs", "tarrifs"),
        ("tariff", "tarrifs"),
        ("secondary", "Secundary"),
        ("earth", "erths"),
        ("редкоземельный", "редкоземильный"),
        ("Sekundärzölle", "Sekundärzöle"),
    ],
)
def test_a_typo_is_found_and_scores_less(term: str, text: str) -> None:
    language = "ru" if term[0] > "z" else "en"

    assert 70 < alike(term, text, language) < 98


@pytest.mark.parametrize(
    ("term", "text", "why"),
    [
        ("tariff", "Tarif", "a real word of another language"),
        ("kopnie", "kopie", "a real word"),
        ("earth", "aerth", "another first letter"),
        ("rare", "raer", "a short word on its own"),
        ("tariffs", "taxxes", "too many edits"),
        ("agent47", "agent48", "digits"),
        ("мито", "mit", "another script"),
        ("stahl", "stal", "below the cutoff of 92"),
    ],
)
def test_no_typo_is(term: str, text: str, why: str) -> None:
    fuzzy = 92.0 if "92" in why else 80.0

    assert alike(term, text, "en", fuzzy) == 0, why


FRENCH: dict[str, set[str]] = {"fr": {"terre", "verre", "serrer"}, "pt": {"teres"}}


def is_french(word: str, language: str) -> bool:
    """True: a list of two languages knows the word; French also knows "serrerions", which no list has."""
    if language:
        return word in FRENCH.get(language, set()) or (language, word) == ("fr", "serrerions")
    return any(word in words for words in FRENCH.values())


def beside(phrase: str, text: str, language: str, fuzzy: float = 80.0) -> float:
    """Return how alike a word of a phrase and a word are."""
    needle = read_phrase(phrase, language, fuzzy=fuzzy).readings[0][0].needle
    return similarity(needle, Word(text), is_french)


def test_a_phrase_vouches_for_a_typo_that_is_a_word_of_another_language() -> None:
    assert beside("terres rares", "teres", "fr") > 80
    assert beside("terres", "teres", "fr") == 0
    assert beside("terres rares", "teres", "") == 0, "without a language any language counts"


def test_a_phrase_does_not_vouch_for_a_word_of_its_own_language() -> None:
    assert beside("verrue rares", "verre", "fr") == 0


def test_a_stem_that_is_nearly_the_terms_is_no_typo_if_the_language_knows_the_word_by_its_stem() -> None:
    assert beside("serrurions", "serrarions", "fr") > 0
    assert beside("serrurions", "serrerions", "fr") > 0, "its spelling is nearly the term's"
    assert beside("serrure", "serrerions", "fr") == 0
    assert beside("serrure", "serrarions", "fr") > 0


@pytest.mark.parametrize(
    ("phrase", "text", "expected"),
    [
        ("rare earth", "raer", 80),
        ("rare earth", "rrae", 80),
        ("rare earth", "rare", 100),
        ("rare earth", "arre", 0),
        ("rare earth", "rarr", 0),
        ("rare", "raer", 0),
        ("raw ore", "rwa", 0),
    ],
)
def test_a_word_of_four_letters_may_have_two_swapped_in_a_phrase(
    phrase: str, text: str, expected: float
) -> None:
    assert beside(phrase, text, "en") == expected


def test_a_swap_in_a_short_word_is_a_typo_like_another() -> None:
    assert beside("rare earth", "raer", "en", fuzzy=85) == 0
    assert beside("germ cell", "gemr", "fr") == 80
    assert beside("sera froid", "srea", "fr") == 80


def test_a_joined_run_carries_no_typo() -> None:
    needle = read_phrase("Seltenerden", "de").readings[0][0].needle

    assert similarity(needle, Word("Seltenerdon"), lambda word, _: word in REAL) > 0
    assert similarity(needle, Word("Seltenerdon", is_joined=True), lambda word, _: word in REAL) == 0


@given(st.text("abcdeé", max_size=8), st.text("abcdeé", max_size=8))
def test_edit_similarity_is_symmetric_and_within_its_scale(left: str, right: str) -> None:
    if left and right:
        assert edit_similarity(left, right) == edit_similarity(right, left)
        assert 0 <= edit_similarity(left, right) <= 100
        assert (edit_similarity(left, right) == 100) == (left == right)


def test_a_hyphenated_term_is_read_in_parts_and_as_one_word() -> None:
    assert [len(reading) for reading in read_phrase("Sekundär-Zölle gegen", "de").readings] == [3, 2]


@pytest.mark.parametrize("text", ["", "  ", "…", "=", "*", "a*b", "*a*", "x-y*", "a " * 13])
def test_a_term_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(TermInvalid):
        read_phrase(text)


@pytest.mark.parametrize("text", ["", "…", "a b c d e f g"])
def test_a_name_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(TermInvalid):
        read_name(text)


def test_a_name_in_a_script_without_spaces_is_a_phrase() -> None:
    assert isinstance(read_name("习近平"), Phrase)


# ---- patterns ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (r"Zoll\w+", "Zollämter und Zollstöcke", ["Zollämter", "Zollstöcke"]),
        (r"[\w-]+zölle", "US-Strafzölle", ["US-Strafzölle"]),
        (r"(?i)zölle", "ZÖLLE", ["ZÖLLE"]),
        (r"\bÖl\b", "Öl, Ölpreis, Schmieröl", ["Öl"]),
        (r"\d+ Prozent", "100 Prozent", ["100 Prozent"]),
        (r"rare", "\ud800rare", ["rare"]),
    ],
)
def test_a_pattern_finds(pattern: str, text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in find_all(pattern, text)] == expected


@pytest.mark.parametrize("pattern", ["(?=a)b", "(", "a*", r"(a)\1", "(?:a{1000}){1000}"])
def test_a_pattern_that_re2_cannot_serve_is_refused(pattern: str) -> None:
    with pytest.raises(PatternInvalid):
        check_pattern(pattern)


def test_a_border_inside_a_pattern_is_told() -> None:
    assert check_pattern(r"a\b|b")
    assert not check_pattern(r"\ba|b\b")
