"""What texts are compared by: headlines without boilerplate, skeletons, numbers, weekdays, countries."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.core.concepts import concept, place
from bot.core.fingerprint import (
    StoryText,
    fingerprint,
    fold,
    headline,
    lead,
    numbers,
    skeleton,
    story_keys,
    url_key,
)


def a_text(title: str = "", summary: str = "", *, language: str | None = None) -> StoryText:
    return StoryText(
        title=title,
        summary=summary,
        outlet="A",
        url=None,
        language=language,
        at=datetime(2026, 3, 2, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("title", "bare"),
    [
        ("EILMELDUNG: Zug entgleist bei Ulm", "Zug entgleist bei Ulm"),
        ("UPDATE 1-Train derails near Ulm", "Train derails near Ulm"),
        ("UPDATE 12 - Train derails near Ulm", "Train derails near Ulm"),
        ("BREAKING: EXCLUSIVE: Train derails near Ulm", "Train derails near Ulm"),
        ("+++ Eil +++ Zug entgleist bei Ulm +++", "Zug entgleist bei Ulm"),
        ("СРОЧНО! Поезд сошёл с рельсов", "Поезд сошёл с рельсов"),
        ("Срочно: поезд сошёл с рельсов", "поезд сошёл с рельсов"),
        ("Última hora: Descarrila un tren", "Descarrila un tren"),
        ("PILNE: Pociąg się wykoleił", "Pociąg się wykoleił"),
        ("[Video] Train derails near Ulm", "Train derails near Ulm"),
        ("Train derails near Ulm - Reuters", "Train derails near Ulm"),
        ("Train derails near Ulm | The Daily Rail", "Train derails near Ulm"),
        ("Zug entgleist bei Ulm – DER BOTE", "Zug entgleist bei Ulm"),
        ("Ulm - a portrait", "Ulm - a portrait"),
        ("Update on the Ulm derailment", "Update on the Ulm derailment"),
        ("Live music returns to Ulm", "Live music returns to Ulm"),
        ("BREAKING:", "BREAKING:"),
        ("  Train\n derails   near Ulm ", "Train derails near Ulm"),
    ],
)
def test_a_headline_loses_what_editors_put_around_it(title: str, bare: str) -> None:
    assert headline(a_text(title)) == bare


@pytest.mark.parametrize(
    ("summary", "bare"),
    [
        ("Berlin (dpa) – Der Zug fuhr weiter.", "Der Zug fuhr weiter."),
        ("MOSCOW, Nov 3 (Reuters) - The train went on.", "The train went on."),
        ("The train (a freight train) went on.", "The train (a freight train) went on."),
    ],
)
def test_a_lead_loses_where_it_was_written(summary: str, bare: str) -> None:
    assert lead(a_text("x", summary)) == bare


@pytest.mark.parametrize(
    "spellings",
    [
        ("Dmitriev", "Dmitrijew", "Dmitriew", "Дмитриев", "Дмитриеву", "Дмитриевым"),
        ("Manturov", "Manturow", "Мантуров", "Мантурова"),
        ("Witkoff", "Уиткофф"),
        ("Kirill", "Кирилл", "Кириллом"),
        ("Shevchenko", "Schewtschenko", "Шевченко"),
        ("Berlin", "Берлин", "Берлине"),
    ],
    ids=lambda names: names[0],
)
def test_a_name_has_one_skeleton_in_every_script(spellings: tuple[str, ...]) -> None:
    skeletons = {skeleton(name) for name in spellings}

    assert len({one[:4] for one in skeletons}) == 1
    assert "" not in skeletons


def test_a_name_of_two_sounds_has_no_skeleton() -> None:
    assert skeleton("Rio") == ""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1.200 and 1,200 and 1 200 and 1’200", ["1200"] * 4),
        ("1,5 and 1.5", ["1.5", "1.5"]),
        ("150\u00a0000 homes, 7 dead", ["150000", "7"]),
        ("1.234,5 or 1,234.5", ["1234.5", "1234.5"]),
        ("4, 11, 19 und 27", ["4", "11", "19", "27"]),
        ("in 2026 and 1999", []),
        ("no numbers", []),
        ("٣ of 4", ["3", "4"]),
    ],
)
def test_numbers_are_read_in_the_spelling_of_every_country(text: str, found: list[str]) -> None:
    assert list(numbers(text)) == found


@pytest.mark.parametrize(
    ("words", "days"),
    [
        ("on Monday", {0}),
        ("am Mittwoch und Donnerstag", {2, 3}),
        ("в среду", {2}),
        ("в первой четверти", set()),
        ("vendredi soir", {4}),
        ("el sábado", {5}),
        ("we wtorek", {1}),
        ("cła wtórne", set()),
        ("środki", set()),
        ("у неділю", {6}),
        ("one Sunday", {6}),
    ],
)
def test_weekdays_are_known_in_many_languages(words: str, days: set[int]) -> None:
    assert fingerprint(a_text(words)).weekdays == days


@pytest.mark.parametrize(
    "words",
    ["12 dead", "zwei Tote", "drei Verletzte", "погибли 3", "quatre morts", "9 muertos", "6 rannych"],
)
def test_counting_people_harmed_is_noticed(words: str) -> None:
    assert fingerprint(a_text(words)).counts_people


@pytest.mark.parametrize(
    "words", ["die Preise", "mortgage rates", "eine tolle Sache", "total 7", "a dead-end"]
)
def test_other_counting_is_not_taken_for_it(words: str) -> None:
    assert fingerprint(a_text(words)).counts_people is (words == "a dead-end")


@pytest.mark.parametrize(
    ("words", "country"),
    [
        ("Germany Deutschland deutsche Allemagne alemán Niemcy германский Берлине", "germany"),
        ("Russia Russland russische России российский Rusia Rosji Kreml Москва", "russia"),
        ("China chinesisch Китай китайских Chine Chiny Beijing Peking Pékin", "china"),
        ("India Indien Индия Индии Inde Delhi Дели", "india"),
        ("Ukraine України Украина Kyiv Kiew", "ukraine"),
    ],
    ids=["germany", "russia", "china", "india", "ukraine"],
)
def test_countries_are_known_in_many_languages(words: str, country: str) -> None:
    assert {place(fold(word)) for word in words.split()} == {country}


@pytest.mark.parametrize("word", ["individual", "rusty", "Roman", "independent", "chin", "us", "un"])
def test_a_mere_beginning_makes_no_country(word: str) -> None:
    text = a_text(f"the {word} thing")

    assert fingerprint(text).places == set()


def test_acronyms_count_where_the_lower_case_word_does_not() -> None:
    assert fingerprint(a_text("US and UN agree")).places == {"usa", "un"}
    assert fingerprint(a_text("they told us that un is an article")).places == set()


@pytest.mark.parametrize(
    ("words", "meaning"),
    [
        ("earthquake Erdbeben землетрясение séisme terremoto", "quake"),
        ("tariffs Zölle Sekundärzölle пошлины aranceles douane", "tariff"),
        ("export Ausfuhr экспорт eksport", "export"),
        ("talks Verhandlungen переговоры rozmowy négociations", "talks"),
    ],
    ids=["quake", "tariff", "export", "talks"],
)
def test_common_words_mean_the_same_in_many_languages(words: str, meaning: str) -> None:
    assert {concept(fold(word)) for word in words.split()} == {meaning}


@pytest.mark.parametrize(
    ("title", "language"),
    [
        ("The talks between both sides will go on", "en"),
        ("Die Gespräche zwischen den Seiten werden nicht unterbrochen", "de"),
        ("Les discussions entre les deux parties vont continuer", "fr"),
        ("Переговоры между сторонами будут продолжены после перерыва", "ru"),
        ("Dmitriev", "latin"),
        ("Дмитриев", "cyrillic"),
    ],
)
def test_an_untold_language_is_guessed_by_its_small_words(title: str, language: str) -> None:
    assert fingerprint(a_text(title)).language == language


def test_a_told_language_is_believed_without_its_region() -> None:
    assert fingerprint(a_text("The talks will go on", language="de-AT")).language == "de"


def test_keys_start_with_the_rarest_looking_and_the_title() -> None:
    text = a_text("Witkoff in Tehran", "the talks about 1,250 centrifuges and gas were held on Monday")

    keys = story_keys(text)

    assert set(keys[:2]) == {"n:vtkf", "n:thrn"}
    assert "#:1250" in keys
    assert "w:centri" in keys
    assert not any(key in keys for key in ("w:monday", "w:about", "w:the"))


def test_texts_in_two_scripts_share_keys() -> None:
    latin = story_keys(a_text("Kirill Dmitriev and Steve Witkoff meet"))
    cyrillic = story_keys(a_text("Кирилл Дмитриев и Стив Уиткофф встретились"))

    assert len(set(latin) & set(cyrillic)) >= 3


def test_chinese_is_read_by_pairs_of_characters() -> None:
    assert len(set(story_keys(a_text("中国暂停稀土出口"))) & set(story_keys(a_text("稀土出口许可")))) >= 2


def test_the_address_is_the_first_key() -> None:
    text = StoryText(
        title="Dmitriev",
        summary="",
        outlet="",
        url="a.example/1?p=2",
        language=None,
        at=datetime(2026, 3, 2, tzinfo=UTC),
    )

    assert story_keys(text)[0] == url_key("a.example/1?p=2")
    assert url_key("a.example/?p=2") is not None
    assert url_key("a.example/") is None


def test_vectors_have_length_one() -> None:
    grams = fingerprint(a_text("Dockers in Hamburg walk out", "They want more.")).grams

    assert sum(weight * weight for weight in grams.values()) == pytest.approx(1.0)
