"""Names of people and companies: one key for all romanisations, and case endings off.

Дмитриев, Dmitriev, Dmitrijew, Dmitriyev and Dmitriew share the key `dmitriev`; Дмитриевым yields it
with the word that it is declined. Dmitrieva, Dmitrievich and Dmitri have keys of their own. How a name
reads under conventions that write other letters (Selenskyj, Poutine, Трамп) is in `name_spellings`.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from typing import Final, NamedTuple

from bot.core.text import DIGRAPHS, UMLAUTS, fold, plain


class Ending(Enum):
    """What grammar did to a name."""

    PLAIN = "plain"
    A = "a"  # genitive of a man's name, or the nominative of a woman's
    O = "o"  # noqa: E741 - genitive in -a of a name in -o (Марко), or a woman's (Marco, Marca)
    DECLINED = "declined"  # any other case


class NameForm(NamedTuple):
    """A name that a word may be a form of.

    Keys in small letters are what all scripts share. A Cyrillic word has each key once more with a
    capital: so are written the keys of what a foreign name becomes in Cyrillic, which no Latin word has.
    """

    key: str
    ending: Ending


def spellings(pairs: str) -> dict[str, str]:
    """Return a table from pairs such as "sch-sh ь-": what is written, what is meant."""
    return {written: meant for written, _, meant in (pair.partition("-") for pair in pairs.split())}


# ---- keys --------------------------------------------------------------------------------------

# Spellings of one sound. Sources: BGN/PCGN, GOST 7.79, ISO 9, Duden's transcription, the French and Polish
# press conventions.
_BEFORE_FOLD: Final = str.maketrans(spellings("č-ch ć-ch š-sh ș-sh ş-sh ž-zh ż-zh ț-ts ţ-ts đ-dz ə-a"))
_CEDILLA: Final = re.compile(r"^ç|ç(?![aou])")  # Turkish or Albanian; the French one stands before a, o, u
_LATIN_SOUNDS: Final = spellings(
    "schtsch-sh shtsh-sh chtch-sh szcz-sh shch-sh tsch-h tch-h tsh-h cz-h kh-h ch-h sch-sh sz-sh zh-z ph-f "
    "th-t ck-k x-ks c-k q-k w-v ou-u j-i y-i"
)
_HAS_SOUND: Final = re.compile("[cqwxjyh]|sz|ou")  # no other word has any of them
_LATIN_SOUND: Final = re.compile("(^dj)|(c)(?=[ei])|" + "|".join(_LATIN_SOUNDS))
CYRILLIC_SOUNDS: Final = spellings(
    "а-a б-b в-v г-g ґ-g д-d е-e ё-e є-e ж-z з-z и-i і-i ї-i й-i ј-i к-k л-l м-m н-n о-o п-p р-r с-s т-t "
    "у-u ў-u ф-f х-h ц-ts ч-h ћ-h ш-sh щ-sh ъ- ы-i ь- э-e ю-iu я-ia ђ-dz џ-dz љ-li њ-ni"
)
_CYRILLIC_TABLE: Final = str.maketrans(CYRILLIC_SOUNDS)
_BULGARIAN_ER: Final = re.compile("ъ(?![еёюя])(?=.)")  # a vowel; the Russian sign stands before е, ё, ю, я
_SOFT: Final = re.compile("ь(?=[аеёєиіїоуэюя])")
_GLIDE: Final = re.compile("(?<=[aeou])i(?=[aeou])")
_DOUBLED: Final = re.compile(r"([^o])\1+")  # Moody is not Modi
_FIRST_SOUNDS: Final = str.maketrans("ckqhstxzwvyjepfou", "kkkkkkkkvviiiffoo")
_CYRILLIC_LETTER: Final = re.compile("[\u0400-\u04ff]")


@lru_cache(maxsize=65_536)
def name_key(name: str) -> str:
    """Return what all romanisations of a name have in common."""
    low = name.casefold()
    if low.isascii():
        key = low if low.isalnum() else fold(low)
    elif _CYRILLIC_LETTER.match(low):
        return settled(fold(softened(low).translate(_CYRILLIC_TABLE)))
    else:
        key = fold(_CEDILLA.sub("ch", low).translate(_BEFORE_FOLD))
    return settled(_LATIN_SOUND.sub(_latin_sound, key) if _HAS_SOUND.search(key) else key)


def _latin_sound(found: re.Match[str]) -> str:
    if found[1]:
        return "dz"  # Djokovic
    return "ts" if found[2] else _LATIN_SOUNDS[found[0]]


def softened(low: str) -> str:
    """Return a Cyrillic word whose signs that sound are vowels: Васильев is Vasilyev, Тръмп is Tramp."""
    return _BULGARIAN_ER.sub("а", _SOFT.sub("и", low))


def settled(key: str) -> str:
    """Return the key without what spellings differ in: doubled letters, glides, je and e, final f and v."""
    key = _DOUBLED.sub(r"\1", _GLIDE.sub("", _DOUBLED.sub(r"\1", key)))
    if key.startswith("ie"):
        key = key[1:]
    return key[:-1] + "v" if key[-2:] in {"of", "ef"} and len(key) > 3 else key


def cyrillic_key(key: str) -> str:
    """Return the key with a capital: what only a Cyrillic word can meet."""
    return key[:1].upper() + key[1:]


def first_sound(text: str) -> str:
    """Return a class of first letters that a word, its key and the keys of its forms share."""
    return _sound(text[:1]) or name_key(text)[:1].translate(_FIRST_SOUNDS)


@lru_cache(maxsize=4_096)
def _sound(letter: str) -> str:
    return fold(letter.casefold().translate(_BEFORE_FOLD))[:1].translate(_FIRST_SOUNDS)


def name_keys(name: str) -> frozenset[str]:
    """Return the keys of a name as an operator wrote it: Müller is also Mueller, and the reverse."""
    low = name.casefold()
    spellings = {low, fold(low), low.translate(UMLAUTS), DIGRAPHS.sub(r"\1", low)}
    return frozenset(filter(None, map(name_key, spellings)))


def is_another_consonant(left: str, right: str) -> bool:
    """True: in one key a consonant stands for another; that is seldom a mistake, but a neighbour's name."""
    bare_left, bare_right = _VOWELS.sub("", left), _VOWELS.sub("", right)
    return len(bare_left) == len(bare_right) and sorted(bare_left) != sorted(bare_right)


_VOWELS: Final = re.compile("[aeiou]+")


# ---- forms -------------------------------------------------------------------------------------

# Case ending → what the nominative has in its place, per script.
_CaseEndings = dict[str, tuple[tuple[str, Ending], ...]]


def _declined(table: str, **special: tuple[tuple[str, Ending], ...]) -> _CaseEndings:
    """Return a table of lines such as "ом: - ий ый", where - is nothing."""
    endings: _CaseEndings = dict(special)
    for line in table.strip().splitlines():
        ending, nominatives = line.split(":")
        found = tuple((one.strip("-"), Ending.DECLINED) for one in nominatives.split())
        endings[ending.strip()] = endings.get(ending.strip(), ()) + found
    return endings


# Russian, Ukrainian, Bulgarian (with its definite forms) and Serbian.
_CYRILLIC: Final = _declined(
    """
    у: - а о
    ю: й ь я
    е: - й а я о
    і: - й а я ь
    ї: я
    ы: а
    и: й а я ь
    ом: - ий ый ой и о
    ем: - й ь
    єм: й ь
    ым: - ый ой
    им: - ий и
    ої: а
    ой: а ая
    ою: а
    ей: а я
    ею: а я
    єю: я
    ую: ая
    ью: ь
    ові: - о
    еві: - й ь
    єві: й ь
    ого: ий ый ой
    ому: ий ый ой
    ог: и
    ија: и
    ију: и
    ијем: и
    ът: -
    ят: - й
    ата: а
    """,
    а=(("", Ending.A), ("о", Ending.O)),
    я=(("й", Ending.A), ("ь", Ending.A)),
)
# Polish, Czech, Slovak, South Slavic; the German, English and Nordic genitive.
_LATIN: Final = _declined(
    """
    s: -
    em: - o e
    iem: -
    om: - o i
    im: - i
    ym: - i
    ým: i
    ím: i
    owi: - o
    ovi: - o
    u: - a o
    ie: - a
    ego: i e
    emu: i e
    ého: i
    ému: i
    og: i
    y: a
    i: a
    e: a
    še: š
    če: č
    že: ž
    ę: a
    ą: a
    ii: ia
    ou: a
    ej: a
    ija: i
    """,
    a=(("", Ending.A), ("o", Ending.O)),
    je=(("j", Ending.A),),
)
_LONGEST_ENDING: Final = 3
_MOST_CHANGED: Final = 4  # letters at the end of a key that cases change
LONGEST_SHARED: Final = 5
SHORTEST_DECLINED: Final = 2  # letters of a nominative that endings are taken off
_LATIN_WORD: Final = re.compile("[a-z\u00df-\u024f\u1e00-\u1eff]+")


@lru_cache(maxsize=65_536)
def name_forms(text: str) -> tuple[NameForm, ...]:
    """Return the names that a word of a text may be a form of, its own key first, each once."""
    low = plain(text)
    forms = {name_key(low): Ending.PLAIN}
    endings = _endings(low)
    for size in range(1, min(_LONGEST_ENDING, len(low) - 1) + 1):
        base = low[:-size]
        for nominative, case in endings.get(low[-size:], ()):
            if len(base) + len(nominative) >= SHORTEST_DECLINED:
                forms.setdefault(name_key(base + nominative), case)
    own = shared_beginning(next(iter(forms)))
    found = tuple(NameForm(key, ending) for key, ending in forms.items() if key and key.startswith(own))
    if not is_cyrillic(low):
        return found
    return found + tuple(NameForm(cyrillic_key(form.key), form.ending) for form in found)


def shared_beginning(key: str) -> str:
    """Return the beginning that the key of a word shares with the keys of all its forms; it may be empty."""
    return key[: max(0, min(len(key) - _MOST_CHANGED, LONGEST_SHARED))]


def _endings(low: str) -> _CaseEndings:
    """Return the case endings of the word's script."""
    if _CYRILLIC_LETTER.match(low):
        return _CYRILLIC
    return _LATIN if _LATIN_WORD.fullmatch(low) else {}


def is_cyrillic(text: str) -> bool:
    """True: the word begins with a Cyrillic letter."""
    return _CYRILLIC_LETTER.match(text.casefold()) is not None
