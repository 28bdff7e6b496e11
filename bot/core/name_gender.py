"""Whose name it is: his, hers, or a patronymic, by endings, given names and the words beside it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from bot.core.names import Ending, is_cyrillic, name_forms, name_key
from bot.core.text import fold, plain

_IS_A_FEMALE_TWIN: Final = re.compile(r"(?:[oe][vw]|[iy]n)a$")  # of a folded spelling
_PATRONYMIC: Final = re.compile(r"(?:vi[ckthz]*|[oei]vna|ichna|vitch|vitsch|vics)$")
_PARTICLES: Final = "von van der den de da do dos das del della di du la le al el bin ibn ben abu zu af av"
_WOMEN: Final = (
    "анна дарья мария марья наталья наталия юлия елена ольга татьяна ирина светлана екатерина анастасия "
    "ксения виктория вера любовь надежда людмила галина лариса марина алина полина софья софия "
    "елизавета александра евгения валентина тамара нина зоя лидия оксана олеся инна алла яна диана "
    "кристина кира варвара маргарита антонина жанна эльвира ганна марія наталія юлія олена анастасія "
    "дар'я людміла"
)
_MEN: Final = (  # whose genitive in Latin letters is no woman's name
    "александр алексей андрей антон артем борис вадим валентин виктор владимир володимир вячеслав герман "
    "глеб григорий денис дмитрий егор иван игорь кирилл константин леонид максим михаил николай олег павел "
    "руслан семен сергей степан тимофей тимур федор юрий"
)
_INDECLINABLE: Final = ("и", "і", "у", "ю", "е", "э")  # Си Цзиньпина
_GERMAN: Final = re.compile(r"[äöüß]|\b(?:der|die|das|und|ist|im|zu|von|mit|frau)\b", re.IGNORECASE)


def is_other_gender(surname: str) -> bool:
    """True: the surname, read with the ending A, could be a woman's: Дмитриева, Putina, but not Witkoffa."""
    return _IS_A_FEMALE_TWIN.search(fold(surname)) is not None


def agrees(given: Ending, surname: Ending, given_text: str, surname_text: str, key: str) -> bool:
    """True: a given name and a surname in these cases are one person's name.

    A man's surname in -a needs a declined given name beside it: Дениса Мантурова, Władimira Putina; but
    Дарья Мантурова, Denis Manturova and Alexandra Galkina are other people. So does a name in -o that
    stands in -a: Marca Rubia, but neither Marca Rubio nor Marco Rubia.
    """
    if Ending.O in {given, surname} and Ending.PLAIN in {given, surname}:
        return False
    if surname is Ending.A and is_other_gender(surname_text):
        if is_cyrillic(surname_text):
            return given is not Ending.PLAIN or given_text.endswith(_INDECLINABLE)
        return given is Ending.A and not is_woman(given_text)
    if given is Ending.A and surname is Ending.PLAIN:
        return key[-1] in "aeiouh"  # Сергея Шойгу, Ивана Черных: not declined
    return True


def is_german(text: str) -> bool:
    """True: by its letters or small words; such a text declines no surname in -a."""
    return _GERMAN.search(text) is not None


def is_mans(before: str, surname: str, *, is_polish: bool, is_german: bool) -> bool:
    """True: a surname in -a, in Latin letters and without the man's given name, is his in the genitive.

    The word before tells: a man's name in the genitive (Denisa Manturova). Without it, Polish alone
    declines so: words in -owa by their spelling unless the text is German, words in -ina if it is Polish.
    """
    if any(form.ending is Ending.A and form.key in _men_keys() for form in name_forms(before)):
        return True
    low = surname.casefold()
    if low.endswith("wa"):
        return is_polish or not is_german
    return is_polish and low.endswith(("ina", "yna"))


def is_woman(given: str) -> bool:
    """True: a common Russian or Ukrainian woman's name, in the nominative and any romanisation."""
    return name_key(plain(given)) in _women_keys()


@lru_cache(maxsize=1)
def _women_keys() -> frozenset[str]:
    return frozenset(map(name_key, _WOMEN.split())) | {"ludmila", "lubov", "kseni", "aleksandra"}


@lru_cache(maxsize=1)
def _men_keys() -> frozenset[str]:
    return frozenset(map(name_key, _MEN.split()))


def is_her_verb(before: str, behind: str) -> bool:
    """True: the word behind a surname is a feminine past tense that no feminine noun before it explains.

    Дмитриева сняла, Режиссёр Дмитриева сняла; but Поездка Дмитриева прошла.
    """
    return plain(behind).endswith(("ла", "лась")) and not plain(before).endswith(("а", "я", "ь"))


def is_patronymic(text: str) -> bool:
    """True: a patronymic such as Александрович, Aleksandrowitsch or Сергеевна."""
    return len(text) > 5 and any(_PATRONYMIC.search(form.key) for form in name_forms(text))


def is_particle(text: str) -> bool:
    """True: a small word inside names, such as von or de."""
    return text in _particles()


@lru_cache(maxsize=1)
def _particles() -> frozenset[str]:
    return frozenset(_PARTICLES.split())
