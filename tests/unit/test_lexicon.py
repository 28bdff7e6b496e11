"""The word lists: built once, kept in one file, and never in the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot import lexicon


@pytest.fixture(autouse=True)
def _two_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lexicon, "LANGUAGES", ("da", "ca"))


def test_a_word_of_any_language_is_real_and_a_typo_is_not(tmp_path: Path) -> None:
    words = lexicon.open_lexicon(tmp_path)

    assert words("regering")
    assert words("govern")
    assert not words("regerring")
    assert not words("Regering"), "words are asked for in lower case"


def test_the_file_is_kept_and_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = lexicon.open_lexicon(tmp_path)
    monkeypatch.setattr(lexicon, "_keys", lambda: pytest.fail("built again"))

    kept = lexicon.open_lexicon(tmp_path)

    assert [file.name for file in tmp_path.iterdir()] == [lexicon.file_name()]
    assert len(kept) == len(built)
    assert kept("regering")


def test_a_broken_file_is_built_anew(tmp_path: Path) -> None:
    (tmp_path / lexicon.file_name()).write_bytes(b"half a file")

    assert lexicon.open_lexicon(tmp_path)("regering")


def test_a_folder_that_cannot_be_written_costs_only_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    assert lexicon.open_lexicon(tmp_path / "file" / "cache")("regering")


def test_nothing_is_opened_before_the_first_question(tmp_path: Path) -> None:
    is_real = lexicon.lazy_lexicon(tmp_path)
    assert not list(tmp_path.iterdir())

    assert is_real("regering", "en")
    assert list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("word", "language", "expected"),
    [
        ("regering", "da", True),
        ("regering", "ca", False),
        ("regering", "", True),
        ("regering", "en", True),
        ("governaríem", "ca", True),
        ("governaríem", "", False),
    ],
    ids=[
        "its own language",
        "another language",
        "any language",
        "no list for that language: any will do",
        "an inflection that no list has",
        "an inflection, asked for as it stands",
    ],
)
def test_a_language_knows_its_words_and_their_inflections(
    word: str, language: str, expected: bool, tmp_path: Path
) -> None:
    assert lexicon.open_lexicon(tmp_path)(word, language) is expected


def test_one_cedilla_is_as_good_as_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lexicon, "LANGUAGES", ("ro",))
    words = lexicon.open_lexicon(tmp_path)

    assert words("graniță")
    assert words("graniţă")


@pytest.mark.parametrize("slip", ["goverment", "governnment", "govenrment"])
def test_a_commoner_misspelling_in_a_list_is_no_real_word(slip: str) -> None:
    frequencies = {"government": 5.4, slip: 2.7}

    assert lexicon.misspellings(frequencies) == {slip}


@pytest.mark.parametrize(
    ("word", "zipf", "near"),
    [("marital", 3.4, "martial"), ("governments", 2.9, "government"), ("overnment", 2.0, "government")],
    ids=["frequent itself", "another ending", "another first letter"],
)
def test_a_word_that_is_only_like_another_stays_real(word: str, zipf: float, near: str) -> None:
    assert lexicon.misspellings({near: 5.4, word: zipf}) == set()
