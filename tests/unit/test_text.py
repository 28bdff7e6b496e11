"""Tokens and folds: where words begin and end, and which spellings are alike."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.text import (
    MAX_TOKENS,
    MAX_WORD,
    chunk_spans,
    chunks_of,
    clean,
    fold,
    plain,
    script,
    tokens_of,
)


def words(text: str) -> list[str]:
    return [token.text for token in tokens_of(text) if not token.is_joined]


def runs(text: str) -> list[str]:
    return [token.text for token in tokens_of(text) if token.is_joined]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        pytest.param("ZÖLLE", "zolle", id="case and umlaut"),
        pytest.param("Straße", "STRASSE", id="sharp s"),
        pytest.param("Élysée", "elysee", id="accents"),
        pytest.param("e\u0301", "é", id="a combining accent"),
        pytest.param("Łódź", "lodz", id="Polish"),
        pytest.param("тариф", "tarif", id="Cyrillic is romanised"),
        pytest.param("Дми\u0301триев", "Дмитриев", id="a stress mark"),
        pytest.param("ёлка", "елка", id="yo"),
        pytest.param("rаre", "rare", id="a Cyrillic a among Latin letters"),
        pytest.param("أحمد", "احمد", id="Arabic alef"),
    ],
)
def test_spellings_that_are_alike_have_one_fold(left: str, right: str) -> None:
    assert fold(left) == fold(right)


@pytest.mark.parametrize("pair", [("稀", "希"), ("rare", "rear"), ("كتب", "كتاب"), ("की", "का")])
def test_different_words_have_different_folds(pair: tuple[str, str]) -> None:
    assert fold(pair[0]) != fold(pair[1])


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_a_hyphen_chain_gives_its_parts_and_every_joined_run() -> None:
    assert words("Seltene-Erden-Magnete") == ["Seltene", "Erden", "Magnete"]
    assert set(runs("Seltene-Erden-Magnete")) == {"SelteneErden", "ErdenMagnete", "SelteneErdenMagnete"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("l’Ukraine's", ["l", "Ukraine", "s"]),
        ("Sel\u00adtene\u200b Er\u200fden", ["Seltene", "Erden"]),
        ("中国稀土Trump说", ["中", "国", "稀", "土", "Trump", "说"]),
        ("희토류를", ["희", "토", "류", "를"]),
        ("レアアース", ["レ", "ア", "ア", "ー", "ス"]),
        ("ﬁnanz ①", ["finanz", "1"]),
        ("пʼять", ["п", "ять"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("#SelteneErden @x_y", ["Seltene", "Erden", "x", "y"]),
        ("#USTariffs @G7Summit #ЕвроСоюз", ["US", "Tariffs", "G7", "Summit", "Евро", "Союз"]),
        ("SelteneErden McDonald #MAGA", ["SelteneErden", "McDonald", "MAGA"]),
    ],
)
def test_words_are_what_a_reader_calls_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_hangul_in_pieces_is_put_together() -> None:
    apart = "\u1112\u1174\u1110\u1169\u1105\u1172"

    tokens = tokens_of(apart)

    assert [token.text for token in tokens] == ["희", "토", "류"]
    assert [(token.start, token.end) for token in tokens] == [(0, 2), (2, 4), (4, 6)]


@pytest.mark.parametrize(
    ("text", "gap"),
    [
        ("rare earth", 0),
        ('"rare" earth', 0),
        ("rare-earth", 0),
        ("rare, earth", 1),
        ("rare – earth", 1),
        ("rare (earth)", 1),
        ("rare. earth", 2),
        ("rare! earth", 2),
        ("rare。earth", 2),
        ("St. Petersburg", 0),
        ("K. Dmitriev", 0),
        ("am 3. April", 0),
    ],
)
def test_punctuation_makes_room_between_words(text: str, gap: int) -> None:
    *_, left, right = [token for token in tokens_of(text) if not token.is_joined]

    assert right.at - left.to == gap
    assert (right.sentence > left.sentence) == (gap == 2)


@given(st.text(max_size=60))
def test_a_token_is_the_cleaned_text_of_its_span(text: str) -> None:
    for token in tokens_of(text):
        assert 0 <= token.start < token.end <= len(text)
        if not token.is_joined:
            assert token.text in clean(text[token.start : token.end])


@given(st.text())
def test_chunks_stand_where_their_spans_say(text: str) -> None:
    assert chunks_of(text) == [text[start:end] for start, end in chunk_spans(text)]


def test_a_word_over_the_limit_is_no_token_but_takes_a_place() -> None:
    tokens = tokens_of(f"rare {'x' * (MAX_WORD + 1)} earth")

    assert [(token.text, token.at) for token in tokens] == [("rare", 0), ("earth", 2)]


@pytest.mark.parametrize("piece", ["a", "a ", "稀", "a-", "-", "\u200b", "e\u0301", "?! ", "稀 "])
def test_a_megabyte_of_anything_is_read_in_a_moment(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    before = time.process_time()

    tokens = tokens_of(text)

    assert time.process_time() - before < 1
    assert sum(not token.is_joined for token in tokens) <= MAX_TOKENS


@pytest.mark.parametrize(
    ("text", "expected"), [("Öl", "latin"), ("мито", "cyrillic"), ("mитo", "mixed"), ("稀", ""), ("42", "")]
)
def test_a_word_has_a_script(text: str, expected: str) -> None:
    assert script(text) == expected


def test_a_stemmer_gets_no_stress_marks() -> None:
    assert plain("Дми\u0301триев") == "дмитриев"
    assert plain("Ёлка") == "елка"
