"""Whom a surname stands for in stored texts."""

from __future__ import annotations

import pytest

from bot.core.patterns import pattern_notes
from bot.core.terms import Name, NameNeedle, read_name
from bot.rules.surnames import bearers


def surname(text: str) -> NameNeedle:
    name = read_name(text)
    assert isinstance(name, Name)
    return name.words[-1]


def given_names(texts: list[str], name: str = "Dmitriev") -> tuple[str, ...]:
    needle = surname(name)
    found = bearers([needle], texts)
    return found[needle].given if needle in found else ()


def test_given_names_are_counted_by_the_texts_that_show_them() -> None:
    texts = ["Kirill Dmitriev in Washington", "Artyom Dmitriev wins", "Again Artyom Dmitriev"]

    assert given_names([*texts, "Artyom Dmitriev, Artyom Dmitriev"]) == ("Artyom", "Kirill")


def test_one_man_in_many_spellings_and_cases_is_one() -> None:
    assert given_names(["Kirill Dmitriev", "Kirill Dmitrijew", "визит Кирилла Дмитриева"]) == ()


@pytest.mark.parametrize(
    "texts",
    [
        ["Kirill Dmitriev", "Kremlin envoy Dmitriev", "Envoy Dmitriev arrives; the envoy left"],
        ["Kirill Dmitrijew", "Unterhändler Dmitrijew spricht", "Wer ist der Unterhändler?"],
        ["Kirill Dmitriev", "Putin Envoy Meets With Dmitriev In Florida, Says More Talks Planned"],
        ["Kirill Dmitriev", "Darja Dmitrieva wins gold"],
        ["Kirill Dmitriev", "USA Dmitriev", "K. Dmitriev"],
    ],
    ids=["in lower case elsewhere", "behind an article", "all in capitals", "a woman", "no given name"],
)
def test_callings_headlines_and_women_are_no_further_bearers(texts: list[str]) -> None:
    assert given_names(texts) == ()


def test_texts_are_left_unread_when_no_surname_asks() -> None:
    texts = iter(["Kirill Dmitriev"])

    assert bearers([], texts) == {}
    assert next(texts) == "Kirill Dmitriev"


@pytest.mark.parametrize(
    ("pattern", "ascii_parts", "is_rewritten"),
    [
        (r"\bgas\b", (), False),
        (r"gas\b price", (r"\b",), False),
        (r"gas\B\b price", (r"\B", r"\b"), False),
        (r"(?is)\bgas\b", (), False),
        (r"\w+", (), True),
        (r"[\w-]+", (), True),
        (r"[^\W]+", (r"\W",), False),
        (r"gas\\b price", (), False),
    ],
)
def test_what_is_to_say_about_a_pattern(
    pattern: str, ascii_parts: tuple[str, ...], is_rewritten: bool
) -> None:
    notes = pattern_notes(pattern)

    assert (notes.ascii_parts, notes.is_rewritten) == (ascii_parts, is_rewritten)
