"""Which given names stand beside a surname in texts: a surname alone may mean several people."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from bot.core.name_gender import agrees, is_patronymic
from bot.core.names import first_sound, name_forms
from bot.core.terms import NameNeedle

LEAST_GIVEN: Final = 2  # different given names beside one surname
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_SHORTEST_GIVEN: Final = 3  # letters
_TITLE_CASE: Final = 0.8  # share of capitalised words from which capitals say nothing
_DETERMINERS: Final = frozenset(  # behind which no given name stands, but a calling does
    re.findall(
        r"\S+",
        "the a an der die das dem den des ein eine einem einer eines le la les un une il lo gli el los las o "
        "os as uno una his her their its our sein seine ihr ihre son sa ses su sus ",
    )
)


@dataclass(frozen=True, slots=True)
class Bearers:
    """Whom a surname stands for in texts."""

    given: tuple[str, ...]  # one spelling of each given name, the commonest first
    texts: int  # that show the surname beside one of them


@dataclass(slots=True)
class _Person:
    keys: set[str]
    spellings: Counter[str] = field(default_factory=Counter)
    texts: set[int] = field(default_factory=set)


def bearers(surnames: Iterable[NameNeedle], texts: Iterable[str]) -> Mapping[NameNeedle, Bearers]:
    """Return for each surname that several people bear in the texts who they are.

    A given name is a capitalised word right before the surname, in a text where capitals mean something,
    that no text has in lower case or behind an article: Präsident and Envoy are callings.
    """
    by_key = {key: needle for needle in surnames for key in needle.keys}
    if not by_key:
        return {}
    sounds = {first_sound(key) for key in by_key}
    people: dict[NameNeedle, list[_Person]] = {}
    common: set[str] = set()
    for number, text in enumerate(texts):
        words = _WORD.findall(text)
        _note_common(words, common)
        if not _is_title_case(words):
            for before, word in pairwise(words):
                if word[0].isupper() and first_sound(word) in sounds:
                    _note(by_key, people, before, word, number)
    return {needle: told for needle, some in people.items() if (told := _told(some, common)) is not None}


def _note_common(words: list[str], common: set[str]) -> None:
    for before, word in zip(["", *words], words, strict=False):
        if word[0].islower() or before.lower() in _DETERMINERS:
            common.add(word.casefold())


def _is_title_case(words: list[str]) -> bool:
    capitals = sum(word[0].isupper() for word in words)
    return len(words) > 4 and capitals >= _TITLE_CASE * len(words)


def _note(
    by_key: Mapping[str, NameNeedle],
    people: dict[NameNeedle, list[_Person]],
    before: str,
    word: str,
    number: int,
) -> None:
    """Take the word before a surname for a given name, if it may be one."""
    if len(before) < _SHORTEST_GIVEN or not before[0].isupper() or before.isupper() or is_patronymic(before):
        return
    given = name_forms(before)
    for form in name_forms(word):
        if form.key in by_key and any(agrees(g.ending, form.ending, before, word, form.key) for g in given):
            keys = {one.key for one in given}
            some = people.setdefault(by_key[form.key], [])
            person = next((person for person in some if person.keys & keys), None)
            if person is None:
                person = _Person(keys)
                some.append(person)
            person.keys |= keys
            person.spellings[before] += 1
            person.texts.add(number)
            return


def _told(people: list[_Person], common: set[str]) -> Bearers | None:
    real = [person for person in people if not any(text.casefold() in common for text in person.spellings)]
    if len(real) < LEAST_GIVEN:
        return None
    real.sort(key=lambda person: (-len(person.texts), min(person.spellings)))
    texts: set[int] = set().union(*(person.texts for person in real))
    return Bearers(tuple(person.spellings.most_common(1)[0][0] for person in real), len(texts))
