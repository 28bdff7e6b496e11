"""Who is named in articles: a given name that many languages know, and a surname behind it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import log2
from typing import Final

from bot.core.names import name_forms
from bot.core.text import Token, fold
from bot.drafting.words import Sentence, is_name_like, rarity, zipf

COMMON: Final = 4.0  # Zipf; a German word that is so common, and in German alone, is a noun
_PARTICLES: Final = frozenset(
    {"von", "van", "de", "del", "della", "der", "den", "di", "da", "dos", "bin", "al", "el"}
)
_MOST_PARTICLES: Final = 3  # Maria de la O; a name has six words at most
_TITLES: Final = frozenset(
    re.findall(
        r"\S+",
        "president präsident président presidente prezydent президент minister ministre ministro министр "
        "premier премьер kanzler chancellor senator sénateur senador сенатор general doctor doktor dr prof "
        "professor king queen prince princess pope mr mrs ms sir lord lady herr frau monsieur madame señor "
        "señora signor pan pani господин директор глава ceo chef boss new saint st san santa north "
        "south east west reuters interview telegraph",
    )
)
# Case endings of Russian surnames, off: Мантуровым → Мантуров, Песковский keeps its own.
_OBLIQUE: Final = (
    (re.compile(r"(?<=[оеё]в|ин|ын)(?:а|у|ым|е)$"), ""),
    (re.compile(r"(?<=[сц]к)(?:ого|ому|им|ом)$"), "ий"),
)


@dataclass(slots=True)
class Person:
    """Somebody whom the articles name."""

    keys: set[str]  # of the surname, see bot.core.names
    spellings: Counter[tuple[str, str]] = field(default_factory=Counter)  # given name(s) and surname
    alone: Counter[str] = field(default_factory=Counter)  # the surname without a given name
    words: set[str] = field(default_factory=set)  # folded, of all mentions

    @property
    def count(self) -> int:
        """Return how often they are named."""
        return self.spellings.total() + self.alone.total()

    @property
    def name(self) -> str:
        """Return the name as a rule would have it: the commonest spelling, in the nominative."""
        shortest = min(len(surname) for _, surname in self.spellings)
        plain = {pair: n for pair, n in self.spellings.items() if len(pair[1]) == shortest}
        given, surname = max(plain, key=lambda pair: plain[pair])
        for pattern, ending in _OBLIQUE:
            if pattern.search(surname):
                surname = pattern.sub(ending, surname)
                given = re.sub(r"(?<=[^аеиоуыюя])(?:ом|ем|а|у|е)$", "", given)
        return f"{given} {surname}"

    @property
    def surname(self) -> str:
        """Return the surname of that name."""
        return self.name.rsplit(" ", 1)[-1]

    def salience(self, language: str) -> float:
        """Return how much the articles are about them: often named, and seldom heard of elsewhere."""
        return log2(1 + self.count) * min(3.0, rarity(self.surname, language)) + 1.0


def people_of(sentences: Sequence[Sentence]) -> list[Person]:
    """Return who is named with given name and surname; spellings of one surname are one person."""
    people: list[Person] = []
    for sentence in sentences:
        for given, surname in _full_names(sentence):
            keys = _keys(surname.text)
            person = next((one for one in people if one.keys & keys), None)
            if person is None:
                person = Person(set(keys))
                people.append(person)
            person.keys |= keys if len(person.keys) > len(keys) else set()
            person.spellings[" ".join(token.text for token in given), surname.text] += 1
            person.words |= {fold(token.text) for token in (*given, surname)}
    for sentence in sentences:
        _count_alone(sentence, people)
    return people


def _full_names(sentence: Sentence) -> Iterator[tuple[list[Token], Token]]:
    words = sentence.words
    for number, token in enumerate(words[:-1]):
        if not _is_given(token, sentence.language):
            continue
        given, at = [token], number + 1
        while at < min(len(words) - 1, number + 1 + _MOST_PARTICLES) and words[at].text in _PARTICLES:
            given.append(words[at])
            at += 1
        surname = words[at]
        is_noble = len(given) > 1
        is_next = sentence.text[given[-1].end : surname.start] == " "
        if is_next and _is_surname(surname, sentence.language, is_noble=is_noble):
            yield given, surname


def _is_given(token: Token, language: str) -> bool:
    text = token.text
    return _is_proper(text) and text.lower() not in _TITLES and is_name_like(text, language)


def _is_surname(token: Token, language: str, *, is_noble: bool) -> bool:
    text = token.text
    if not _is_proper(text) or text.lower() in _TITLES:
        return False
    return is_noble or language != "de" or zipf(text, "de") < COMMON or is_name_like(text, "de")


def _is_proper(text: str) -> bool:
    return len(text) > 2 and text.isalpha() and text[0].isupper() and text[1:].islower()


def _keys(surname: str) -> set[str]:
    return {form.key for form in name_forms(surname)}


def _count_alone(sentence: Sentence, people: Sequence[Person]) -> None:
    """Count surnames whose given name does not stand before them, in any spelling."""
    named = {id(surname) for _, surname in _full_names(sentence)}
    for token in sentence.words:
        if id(token) in named or not _is_proper(token.text):
            continue
        keys = _keys(token.text)
        person = next((one for one in people if one.keys & keys), None)
        if person is not None:
            person.alone[token.text] += 1
            person.words.add(fold(token.text))
