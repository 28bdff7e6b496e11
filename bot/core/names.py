"""Names of people and companies: one key for all romanisations, and case endings off.

Дмитриев, Dmitriev, Dmitrijew, Dmitriyev and Dmitriew share the key `dmitriev`; Дмитриевым yields it
with the word that it is declined. Dmitrieva, Dmitrievich and Dmitri have keys of their own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final

from bot.core.text import DIGRAPHS, UMLAUTS, fold, plain


class Ending(Enum):
    """What grammar did to a name."""

    PLAIN = "plain"
    A = "a"  # genitive of a man's name, or the nominative of a woman's
    DECLINED = "declined"  # any other case


@dataclass(frozen=True, slots=True)
class NameForm:
    """A name that a word may be a form of."""

    key: str
    ending: Ending


# Spellings of one sound, in this order. Sources: BGN/PCGN, GOST 7.79, ISO 9, Duden's transcription,
# the French and Polish press conventions.
_BEFORE_FOLD: Final = str.maketrans(
    {
        "č": "ch",
        "ć": "ch",
        "š": "sh",
        "ș": "sh",
        "ş": "sh",
        "ž": "zh",
        "ț": "ts",
        "ţ": "ts",
        "ё": "е",
        "đ": "d",
    }
)
_SOUNDS: Final = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"schtsch|shtsh|chtch|szcz|shch", "sh"),
        (r"tsch|tch|tsh|cz", "h"),
        (r"sch|sz", "sh"),
        (r"zh", "z"),
        (r"kh|ch", "h"),
        (r"ph", "f"),
        (r"th", "t"),
        (r"ck", "k"),
        (r"x", "ks"),
        (r"c(?=[ei])", "ts"),
        (r"[cq]", "k"),
        (r"w", "v"),
        (r"ou", "u"),
        (r"[jy]", "i"),
        (r"(?<=[aeou])i(?=[aeou])", ""),
        (r"(.)\1+", r"\1"),
        (r"^ie", "e"),
        (r"(?<=..[eo])f$", "v"),
    )
)
_FIRST_SOUNDS: Final = str.maketrans("ckqhstxzwvyjepfou", "kkkkkkkkvviiiffoo")

# Case ending → what the nominative has in its place, per script.
_CaseEndings = tuple[tuple[str, tuple[str, ...], Ending], ...]
_CYRILLIC: Final[_CaseEndings] = (
    ("а", ("",), Ending.A),
    ("я", ("й", "ь"), Ending.A),
    ("у", ("", "а"), Ending.DECLINED),
    ("ю", ("й", "ь", "я"), Ending.DECLINED),
    ("е", ("", "й", "а", "я"), Ending.DECLINED),
    ("і", ("", "й", "а", "я"), Ending.DECLINED),
    ("ы", ("а",), Ending.DECLINED),
    ("и", ("й", "а", "я"), Ending.DECLINED),
    ("ом", ("", "ий", "ый"), Ending.DECLINED),
    ("ем", ("", "й", "ь"), Ending.DECLINED),
    ("єм", ("й", "ь"), Ending.DECLINED),
    ("ым", ("", "ый"), Ending.DECLINED),
    ("им", ("", "ий"), Ending.DECLINED),
    ("ої", ("а",), Ending.DECLINED),
    ("ой", ("а", "ая"), Ending.DECLINED),
    ("ою", ("а",), Ending.DECLINED),
    ("ей", ("а", "я"), Ending.DECLINED),
    ("ею", ("а", "я"), Ending.DECLINED),
    ("ові", ("",), Ending.DECLINED),
    ("еві", ("", "й", "ь"), Ending.DECLINED),
    ("ого", ("ий", "ый", "ой"), Ending.DECLINED),
    ("ому", ("ий", "ый", "ой"), Ending.DECLINED),
)
_LATIN: Final[_CaseEndings] = (  # Polish, Czech, South Slavic cases; the German and Nordic genitive
    ("a", ("",), Ending.A),
    ("s", ("",), Ending.DECLINED),
    ("em", ("",), Ending.DECLINED),
    ("om", ("",), Ending.DECLINED),
    ("owi", ("",), Ending.DECLINED),
    ("ovi", ("",), Ending.DECLINED),
    ("ie", ("",), Ending.DECLINED),
    ("ego", ("i", "y"), Ending.DECLINED),
    ("emu", ("i", "y"), Ending.DECLINED),
    ("im", ("i",), Ending.DECLINED),
)
_CYRILLIC_LETTER: Final = re.compile("[\u0400-\u04ff]")
_LATIN_WORD: Final = re.compile("[a-z\u00df-\u024f\u1e00-\u1eff]+")
_IS_A_FEMALE_TWIN: Final = re.compile(r"(?:[oe][vw]|[iy]n)a$")  # of a folded spelling
_PATRONYMIC: Final = re.compile(r"(?:vi[ckthz]*|[oei]vna|ichna|vitch|vitsch|vics)$")
_PARTICLES: Final = frozenset(
    re.findall(
        r"\S+",
        "von van der den de da do dos das del della di du la le al el bin ibn ben abu zu af av ",
    )
)
_WOMEN: Final = frozenset(
    re.findall(
        r"\S+",
        "анна дарья мария марья наталья наталия юлия елена ольга татьяна ирина светлана екатерина анастасия "
        "ксения виктория вера любовь надежда людмила галина лариса марина алина полина софья софия "
        "елизавета александра евгения валентина тамара нина зоя лидия оксана олеся инна алла яна диана "
        "кристина кира варвара маргарита антонина жанна эльвира ганна марія наталія юлія олена анастасія "
        "дар'я людміла ",
    )
)
_MEN: Final = re.findall(  # whose genitive in Latin letters is no woman's name
    r"\S+",
    "александр алексей андрей антон артем борис вадим валентин виктор владимир володимир вячеслав герман "
    "глеб григорий денис дмитрий егор иван игорь кирилл константин леонид максим михаил николай олег павел "
    "руслан семен сергей степан тимофей тимур федор юрий ",
)


@lru_cache(maxsize=65_536)
def name_key(name: str) -> str:
    """Return what all romanisations of a name have in common."""
    key = fold(name.casefold().translate(_BEFORE_FOLD))
    for pattern, sound in _SOUNDS:
        key = pattern.sub(sound, key)
    return key


def first_sound(text: str) -> str:
    """Return a class of first letters that all forms and romanisations of a name share."""
    return fold(text)[:1].translate(_FIRST_SOUNDS)


def name_keys(name: str) -> frozenset[str]:
    """Return the keys of a name as an operator wrote it: Müller is also Mueller, and the reverse."""
    low = name.casefold()
    spellings = {low, low.translate(UMLAUTS), DIGRAPHS.sub(r"\1", low)}
    return frozenset(filter(None, map(name_key, spellings)))


@lru_cache(maxsize=65_536)
def name_forms(text: str) -> tuple[NameForm, ...]:
    """Return the names that a word of a text may be a form of, its own key first, each once."""
    low = plain(text)
    forms = {name_key(low): Ending.PLAIN}
    endings, shortest = _endings(low)
    for ending, nominatives, case in endings:
        if low.endswith(ending) and len(low) - len(ending) >= shortest:
            base = low[: -len(ending)]
            for nominative in nominatives:
                forms.setdefault(name_key(base + nominative), case)
    return tuple(NameForm(key, ending) for key, ending in forms.items() if key)


def _endings(low: str) -> tuple[_CaseEndings, int]:
    """Return the case endings of the word's script, and how many letters must stand before one."""
    if _CYRILLIC_LETTER.match(low):
        return _CYRILLIC, 3
    return (_LATIN, 4) if _LATIN_WORD.fullmatch(low) else ((), 0)


def is_other_gender(surname: str) -> bool:
    """True: the surname, read with the ending A, could be a woman's: Дмитриева, Putina, but not Witkoffa."""
    return _IS_A_FEMALE_TWIN.search(fold(surname)) is not None


def agrees(given: Ending, surname: Ending, given_text: str, surname_text: str, key: str) -> bool:
    """True: a given name and a surname in these cases are one person's name.

    A man's surname in -a needs a declined given name beside it: Дениса Мантурова, Władimira Putina; but
    Дарья Мантурова, Denis Manturova and Alexandra Galkina are other people.
    """
    if surname is Ending.A and is_other_gender(surname_text):
        if is_cyrillic(surname_text):
            return given is not Ending.PLAIN
        return given is Ending.A and not is_woman(given_text)
    if given is Ending.A and surname is Ending.PLAIN:
        return key[-1] in "aeiouh"  # Сергея Шойгу, Ивана Черных: not declined
    return True


def is_mans(before: str, surname: str, *, is_polish: bool) -> bool:
    """True: a surname in -a, in Latin letters and without the man's given name, is his in the genitive.

    The word before tells: a man's name in the genitive (Denisa Manturova). Without it, Polish alone
    declines so: words in -owa by their spelling, words in -ina if the text is Polish.
    """
    if any(form.ending is Ending.A and form.key in _men_keys() for form in name_forms(before)):
        return True
    low = surname.casefold()
    return low.endswith("wa") or (is_polish and low.endswith(("ina", "yna")))


def is_cyrillic(text: str) -> bool:
    """True: the word begins with a Cyrillic letter."""
    return _CYRILLIC_LETTER.match(text.casefold()) is not None


def is_woman(given: str) -> bool:
    """True: a common Russian or Ukrainian woman's name, in the nominative and any romanisation."""
    return name_key(plain(given)) in _women_keys()


@lru_cache(maxsize=1)
def _women_keys() -> frozenset[str]:
    return frozenset(map(name_key, _WOMEN)) | {"ludmila", "lubov", "kseni", "aleksandra"}


@lru_cache(maxsize=1)
def _men_keys() -> frozenset[str]:
    return frozenset(map(name_key, _MEN))


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
    return text in _PARTICLES
