"""Every text has its translation, and every translation a use."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import bot
from bot.i18n import LANGUAGES, SOURCE, texts

CODE = Path(bot.__file__).parent
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TRANSLATED = [language for language in LANGUAGES if language != SOURCE]


def in_code() -> set[str | tuple[str, ...]]:
    found = extract_from_dir(CODE, method_map=[("**.py", "python")])
    return {message for _, _, message, _, _ in found}


def catalogue(language: str) -> Catalog:
    with (CODE / "i18n" / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


def entries(language: str) -> dict[str | tuple[str, ...], Message]:
    return {
        tuple(entry.id) if isinstance(entry.id, (list, tuple)) else entry.id: entry
        for entry in catalogue(language)
        if entry.id
    }


def placeholders(text: str) -> set[str | None]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_there_are_texts_to_translate() -> None:
    assert ("{count} source", "{count} sources") in in_code()


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_is_translated_and_every_translation_is_used(language: str) -> None:
    known = entries(language)

    assert in_code() - known.keys() == set(), "not translated"
    assert known.keys() - in_code() == set(), "not used"


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_translation_is_whole_and_keeps_its_names(language: str) -> None:
    for id_, entry in entries(language).items():
        originals = [id_] if isinstance(id_, str) else list(id_)
        forms = [entry.string] if isinstance(entry.string, str) else list(entry.string or ())
        assert forms and all(forms), f"{id_}: a form is empty"
        assert not entry.fuzzy, f"{id_}: not yet checked"
        for form in forms:
            assert placeholders(form) == placeholders(originals[-1]), id_


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_says_that_it_is_utf8_and_how_its_plurals_go(language: str) -> None:
    known = catalogue(language)

    assert known.charset == "utf-8"
    assert known.num_plurals == len(entries(language)["{count} source", "{count} sources"].string or ())


def test_an_unknown_language_is_english_and_a_regional_one_its_own() -> None:
    assert [texts(tag).language for tag in ("xx", "", "de-AT", "DE", "en_GB")] == [
        "en",
        "en",
        "de",
        "de",
        "en",
    ]


@pytest.mark.parametrize(
    ("ago", "english", "german"),
    [
        (timedelta(0), "just now", "gerade eben"),
        (timedelta(hours=-2), "just now", "gerade eben"),
        (timedelta(minutes=1), "1 minute ago", "vor 1 Minute"),
        (timedelta(minutes=59), "59 minutes ago", "vor 59 Minuten"),
        (timedelta(hours=3), "3 hours ago", "vor 3 Stunden"),
        (timedelta(days=2), "2 days ago", "vor 2 Tagen"),
        (timedelta(days=30), "Oct 23, 2026", "23.10.2026"),
    ],
)
def test_an_age_is_told_as_people_do(ago: timedelta, english: str, german: str) -> None:
    assert texts("en").age(NOW - ago, NOW) == english
    assert texts("de").age(NOW - ago, NOW) == german


def test_numbers_and_moments_are_written_as_the_language_does() -> None:
    assert [texts("en").number(1234.5), texts("de").number(1234.5)] == ["1,234.5", "1.234,5"]
    assert texts("de").moment(NOW) == "22.11.2026, 12:00 UTC"


@pytest.mark.parametrize(
    ("count", "german"), [(1, "{count} Quelle"), (0, "{count} Quellen"), (2, "{count} Quellen")]
)
def test_a_plural_goes_with_its_number(count: int, german: str) -> None:
    assert texts("de").ngettext("{count} source", "{count} sources", count) == german
