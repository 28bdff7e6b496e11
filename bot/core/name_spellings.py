"""All keys under which texts may write an operator's name.

Slavic names: from the operator's spelling, read by every convention that its letters allow, to Cyrillic, and
from there to the key of what each convention writes: Zelenskyy → Зеленский → Selenskyj, Zełenski. All
names in Latin letters: to what Russian, Ukrainian, Bulgarian and Serbian make of them: Trump → Трамп. All of
this happens when rules are read; a word of a text has its own key and no more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from bot.core.name_cyrillic import in_cyrillic, is_pinyin
from bot.core.name_given import is_east_slavic_given, same_given
from bot.core.names import (
    CYRILLIC_SOUNDS,
    cyrillic_key,
    is_cyrillic,
    name_key,
    name_keys,
    settled,
    softened,
    spellings,
)

_SLAVIC_SURNAME: Final = re.compile(  # of a key; the letters before are two or more
    r"..(?:[oe]va?|ski|skoi|[sz]ka?ia|enk[oa]|[iu]k|[cht]uk|ovih|evih|[iy]an)$|..[^aeou](?:in|ina)$"
)


def keys_of_name(words: Sequence[str]) -> list[frozenset[str]]:
    """Return the keys of each word of a name; its last word is the surname."""
    is_slavic = len(words) < 5 and any(map(_is_slavic, words)) and not any(map(_is_southern, words))
    found = [_keys(word, is_slavic) for word in words]
    if len(words) == 1:
        return found
    if not is_slavic:
        found = [keys | _french(word) for word, keys in zip(words, found, strict=True)]
    given = [keys | _given(word) for word, keys in zip(words[:-1], found[:-1], strict=True)]
    return [*given, found[-1]]


def may_have_typos(words: Sequence[str]) -> bool:
    """True: a letter less or more is a mistake; of Chinese syllables, most are other people's names."""
    return len(words) == 1 or not all(map(is_pinyin, words))


def _is_slavic(word: str) -> bool:
    key = name_key(word)
    return is_cyrillic(word) or _SLAVIC_SURNAME.search(key) is not None or is_east_slavic_given(key)


_SOUTHERN: Final = re.compile("[čćđğışçñãõőűäöüßèêâûôàąę]")


def _is_southern(word: str) -> bool:
    """True: letters that no romanisation of Russian has; the name is Latin at home."""
    return _SOUTHERN.search(word.casefold()) is not None


def _given(word: str) -> frozenset[str]:
    own = name_keys(word)
    return own.union(*map(same_given, own))


@lru_cache(maxsize=65_536)
def _keys(word: str, is_slavic: bool) -> frozenset[str]:
    own = name_keys(word)
    low = word.casefold()
    if is_slavic:
        own |= frozenset(filter(None, _renderings(_readings(low))))
    if is_cyrillic(low) or len(low) < 2:
        return own
    return own | _ascii_read(low) | frozenset(map(cyrillic_key, in_cyrillic(low)))


def _french(word: str) -> frozenset[str]:
    """Return the key of what French makes of a name from elsewhere: Bachar, Salmane."""
    written = word.casefold().replace("sh", "ch")
    return frozenset(
        {name_key(written), name_key(written + "e" if written.endswith("an") else written)} - {""}
    )


def _ascii_read(low: str) -> frozenset[str]:
    """Return the key of a South Slavic name that lost its hooks: Vucic is Vučić."""
    if not low.endswith("ic"):
        return frozenset()
    hooked = low.replace("c", "č")
    return frozenset({name_key(hooked), name_key(hooked.replace("s", "š"))})


# ---- Slavic names: from Latin letters to Cyrillic ----------------------------------------------

_COMMON: Final = spellings(
    "shch-щ zh-ж kh-х ts-ц ch-ч sh-ш yu-ю ya-я yo-ё ye-е ia-я iu-ю ie-е ja-я ju-ю je-е jo-ё š-ш č-ч "
    "ž-ж x-кс ph-ф th-т ck-к a-а b-б c-к d-д e-е f-ф g-г h-х i-и j-й k-к l-л m-м n-н o-о p-п q-к r-р "
    "s-с t-т u-у v-в w-в y-и z-з ł-л ż-ж ě-е ï-и ö-е é-е á-а í-и ó-о ú-у ë-е ğ-г ş-ш ç-ч ı-ы"
)
_CONVENTIONS: Final = (  # what gives a convention away, and what it writes otherwise
    ("", ""),  # English, BGN/PCGN
    ("w|sch|sk[iy]j|[aeou]j|j[aeu]", "schtsch-щ tsch-ч sch-ш ch-х z-ц ss-с voiced-"),  # German, s for з
    ("w|sch|j", "schtsch-щ tsch-ч sch-ш ch-х z-ц"),  # German, s for с
    ("sch", "schtsch-щ tsch-ч sch-ж ch-х z-ц ss-с"),  # German, sch for ж
    ("ou|tch|ine$|ï|j|gu[eiéï]|ch", "chtch-щ tch-ч ch-ш ou-у j-ж gue-ге gui-ги guï-ги gué-ге"),  # French
    ("j|gu[eiéí]", "j-х gue-ге gui-ги gué-ге guí-ги"),  # Spanish
    ("w|sz|cz|rz|ż|ł|ie", "szcz-щ sz-ш cz-ч rz-р ch-х c-ц ie-е"),  # Polish
    ("[šžčj]|c(?!h)", "šč-щ ch-х c-ц"),  # ISO 9, Czech
)


_VOICED_S: Final = re.compile("(?<!s)s(?=[aeiouyäöübdgmn])")


class _Reader:
    """Reads Latin letters as one convention does."""

    def __init__(self, evidence: str, special: str) -> None:
        self._evidence = re.compile(evidence)
        own = spellings(special)
        self._s = "з" if own.pop("voiced", None) is not None else "s"  # before a voiced letter
        common = {pair: meant for pair, meant in _COMMON.items() if "j" not in own or pair[0] != "j"}
        self._table = {**common, **own}
        self._pattern = re.compile("|".join(sorted(self._table, key=len, reverse=True)))

    def may_be(self, low: str) -> bool:
        """True: the word's letters allow that it follows this convention."""
        return self._evidence.search(low) is not None

    def read(self, low: str) -> str:
        """Return the word in Cyrillic."""
        return self._pattern.sub(lambda found: self._table[found[0]], _VOICED_S.sub(self._s, low))


_READERS: Final = [_Reader(evidence, special) for evidence, special in _CONVENTIONS]


def _readings(low: str) -> set[str]:
    """Return a word in Cyrillic, as each convention that its letters allow reads it."""
    if is_cyrillic(low):
        return {low}
    return {reader.read(low) for reader in _READERS if reader.may_be(low)}


# ---- and from Cyrillic to what each convention writes, as keys --------------------------------

_WRITERS: Final = tuple(
    str.maketrans({**CYRILLIC_SOUNDS, **special})
    for special in (
        {},
        {"з": "s", "ц": "z", "ж": "sh"},  # German
        {"ж": "i", "ш": "h"},  # French
        {"ж": "i"},  # Turkish
        {"х": "i"},  # Spanish
        {"г": "h"},  # Ukrainian
        {"ц": "k"},  # ISO 9, Czech, Polish
        {"ё": "io"},  # Solovyov
    )
)


def _renderings(words: Iterable[str]) -> Iterable[str]:
    """Return the keys of a Cyrillic word in all conventions."""
    for word in words:
        for writer in _WRITERS:
            yield from _variants(settled(softened(word).translate(writer)))
        if "г" in word:  # French and Spanish before e and i
            yield settled(_SOFT_G.sub("gu", word).translate(_WRITERS[0]))


_SOFT_G: Final = re.compile("г(?=[еиіэ])")
_SOFTENED: Final = re.compile(r"(?<=[bvgdzkmnprstf])e(?=.)")
_HUSHED: Final = re.compile("(?<=h)([eo])(?=va?$)")


def _variants(key: str) -> Iterable[str]:
    yield key
    if key.endswith("in"):
        yield key + "e"  # Poutine
    if key.endswith("enko"):
        yield key[:-1] + "a"  # Lukashenka
    if "e" in key[1:]:
        yield _SOFTENED.sub("ie", key)  # Polish: Miedwiediew
    if _HUSHED.search(key):
        yield _HUSHED.sub(lambda found: "o" if found[1] == "e" else "e", key)  # Gorbachev, Gorbatschow
