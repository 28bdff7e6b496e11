"""What Cyrillic makes of a foreign name, as keys: Scholz is Шольц, Trump is Трамп, Jinping is Цзиньпин.

Russian, Ukrainian, Bulgarian and Serbian write foreign names by sound. The rules follow the practical
transcription (R. S. Gilyarevskij, B. A. Starostin); for Chinese Palladius, for Japanese Polivanov. A name
does not tell its language, so it is read as each of them, and what does not exist is never met in a text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from bot.core.names import settled, spellings
from bot.core.text import fold

_Rules = dict[str, str]


def in_cyrillic(low: str) -> frozenset[str]:
    """Return keys of what a word in small Latin letters becomes in Cyrillic."""
    return frozenset(filter(None, map(settled, set(_all(low)))))


def is_pinyin(word: str) -> bool:
    """True: up to three Chinese syllables in Latin letters, as far as their shape tells."""
    return _PINYIN.fullmatch(word) is not None


def _all(low: str) -> Iterator[str]:
    paired = _PAIRS.sub(lambda found: _PAIR_SOUNDS[found[0]], low)
    for evidence, read in _LANGUAGES:
        if evidence.search(paired):
            yield read(paired)
    yield _SLAVIC_READER(low)  # ck is цк: Nawrocki
    flat = fold(low)
    if is_pinyin(flat):
        for syllables in _CHINESE:
            yield syllables(flat)
    if _JAPANESE_WORD.fullmatch(flat) is not None:
        yield _JAPANESE(flat)


# Rules are tried at each letter in their order, the first that fits wins. Before and behind a letter, ^ $ and
# look-around mean what they mean in regular expressions. Results are in the letters of keys (names.name_key).
_LETTERS: Final = spellings(
    "á-a à-a â-a ã-a ä-e å-o ą-on ă-a ə-a é-e è-e ê-e ë-e ę-en ě-e ė-e í-i î-i ï-i ı-i ó-o ò-o ô-o "
    "õ-o ö-e ő-e ø-e ú-u ù-u û-iu ü-iu ű-iu ý-i ÿ-i ç-s č-h ć-h š-sh ş-sh ș-sh ś-s ž-z ż-z ź-z ğ-g "
    "ł-l ñ-ni ń-n ň-n ř-rz ß-s ţ-ts ț-ts đ-dz æ-e œ-e ð-d þ-t x-ks c-k q-k w-v j-i y-i"
)
_LETTER_TABLE: Final = str.maketrans(_LETTERS)
_PAIRS: Final = re.compile("ph|th|ck|rh")
_PAIR_SOUNDS: Final = spellings("ph-f th-t ck-k rh-r")
_GERMAN: Final = spellings(
    "tzsch-h tsch-h schw-shv sch-sh chs-ks ch-h ^sp-shp ^st-sht tz-ts z-ts eu-oi äu-oi ei-ai ey-ai "
    "ay-ai ie-i ae-e oe-e ue(?=.)-iu ü-iu y-iu v-f (?<=[aeiouäöü])h(?![aeiouäöü])- dt$-t"
)
_GERMAN_Z: Final = {
    **spellings("(?<=l)(?:ei|ey|ai|ay)-iai"),
    **_GERMAN,
    **spellings("(?<!s)s(?=[aeiouäöü])-z"),
}
_GERMAN_OLD: Final = {
    **_GERMAN,
    **spellings("ei-ei ey-ei eu-ei y-i w-v"),
}
_ENGLISH: Final = spellings(
    "tch-h ch-h igh-ai gh(?=t)- wh-u wr-r kn-n ee-i ea-i oo-u ou-au ow-au ey$-i ay-ei ai-ei au-o aw-o "
    "ew-iu ie$-i oe$-o ei-i w(?=[aeiou])-u j-dz ge$-dz c(?=[eiy])-s qu-ku (?<=o)h(?=[nrm])- "
    "i(?=[bcdfgklmnprstvz]e)-ai a(?=[bcdfgklmnprstvz]es?$)-ei e(?=[bcdfgklmnprstvz]e$)-i "
    "(?<=[bcdfgklmnprstvz])e$- (?<=[bcdfgklmnprtv])es$-s u(?=[bcdfgklmnpstvz](?:[^aeiour]|$))-a"
)
_ENGLISH_E: Final = {
    **_ENGLISH,
    **spellings(
        "a(?=[bcdfgklmnpstvz](?:[^aeiou]|$|[ei]))-e ^e(?=[bcdfgklmnprstvz][aeiou])-i "
        "(?<=^[bcdfgklmnprstvz])e(?=[bcdfgklmnprstvz][aeiou])-i y(?=[bcdfgklmnprstvz][aeiou])-ai"
    ),
}
_FRENCH: Final = spellings(
    "eaux?-o aux?$-o au-o ou-u oi-ua ai-e ei-e eu-e œu-e sch-sh ch-sh gn-ni ge(?=[ao])-z "
    "g(?=[eiéè])-z j-z c(?=[eiéè])-s qu-k gu(?=[eiéè])-g (?<![cpst])h- en(?=[tdc])-an u-iu "
    "(?<=[bcdfglmnpqrstvz])e$- (?<=[aeiouéern])[td]$- (?<=[eiou])s$-"
)
_ITALIAN: Final = spellings(
    "sc(?=[ei])-sh ci(?=[aou])-h gi(?=[aou])-dz c(?=[ei])-h g(?=[ei])-dz ch-k gh-g gli-li gn-ni zz-ts "
    "z-ts qu-ku"
)
_SPANISH: Final = spellings(
    "ch-h ll-li j-h g(?=[eiéí])-h gu(?=[eiéí])-g qu-k c(?=[eiéí])-s z(?=[aeiou])-s "
    "(?<=[aeiouáéíóú])z-s (?<![cpst])h-"
)
_PORTUGUESE: Final = spellings(
    "ch-sh nh-ni lh-li ão-an c(?=[eiéí])-s qu-k j-z g(?=[eiéí])-z z$-s o$-u os$-us ou-ou"
)
_DUTCH: Final = spellings("ij-ei oe-u uy-ei ui-ei sch-sh ch-h u-iu v-v")
_TURKISH: Final = spellings("c-dz ç-h j-z")
_SLAVIC: Final = spellings(
    "sz-sh cz-h rz(?=[aeiouy])-z (?<=[^aeiou])rz-z ch-h dj-dz c-ts ó-u (?<=[^aeiou])ie(?=.)-e"
)
_HUNGARIAN: Final = spellings("cs-h sz-s zs-z gy-di ny-ni ly-i s-sh c-ts ty-ti")
_UKRAINIAN: Final = spellings("ch-h sh-sh kh-h zh-z ou-u h-g")
_PLAIN: Final = spellings("sch-sh sh-sh ch-h kh-h zh-z ou-u")


def _reader(special: _Rules) -> Callable[[str], str]:
    """Return a function that reads a word by these rules, in one pass."""
    pattern = re.compile("|".join(f"({rule})" for rule in special))
    sounds = ["", *special.values()]

    def read(low: str) -> str:
        return pattern.sub(lambda found: sounds[found.lastindex or 0], low).translate(_LETTER_TABLE)

    return read


# What a word must hold that a language reads in its own way; a word without it is read plainly.
_LANGUAGES: Final = tuple(
    (re.compile(evidence), _reader(rules))
    for evidence, rules in (
        ("", _PLAIN),
        ("[cszvhyäü]|e[iu]|ie|[aou]e|ay", _GERMAN),
        ("s[aeiouäöü]|l[ea][iy]", _GERMAN_Z),
        ("e[iyu]|[yw]", _GERMAN_OLD),
        ("[acegijnoquwt]", _ENGLISH),
        ("a|^.?e|y.", _ENGLISH_E),
        ("[ghjutds]|ai|ei|eu|oi|œ|qu|e$|c[eiéè]|en", _FRENCH),
        ("[cgz]|qu", _ITALIAN),
        ("[chjz]|ll|g[eiéí]|gu|qu", _SPANISH),
        ("[chjz]|ão|g[eiéí]|qu|os?$", _PORTUGUESE),
        ("u|ij|oe|ch", _DUTCH),
        ("[cçj]", _TURKISH),
        ("[cs]|zs|gy|ny|ly|ty", _HUNGARIAN),
        ("h|ou", _UKRAINIAN),
    )
)
_SLAVIC_READER: Final = _reader(_SLAVIC)

# ---- Chinese and Japanese: by syllables --------------------------------------------------------

_SYLLABLE: Final = re.compile(
    r"(zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw])?(i?ang|i?ong|uang|[ei]ng|i?an|uan|[eiu]n|iao|uai|a[io]|ei|ou|i[aeu]|u[aeio]"
    r"|er(?![aeiou])|[aeiou])(?<![aeiou]r)(?:(?<=ng)(?![aeiou])|(?<=[^g]n)(?![aeiou])|(?<![gn]))"
)
_PINYIN: Final = re.compile(rf"(?:{re.sub(r'[(](?![?])', '(?:', _SYLLABLE.pattern)}){{1,3}}", re.IGNORECASE)
_PALLADIUS: Final = spellings("j-tsz q-ts x-s zh-hz ch-h sh-sh r-z z-tsz c-ts w-v y-")
_BULGARIAN: Final = {
    **_PALLADIUS,
    **spellings("j-dz zh-dz q-h z-dz"),
}
_FINALS: Final = spellings("ong-un iong-iun ie-e uo-o ue-iue")
_AFTER_Y: Final = spellings("a-ia an-ian ang-iang ao-iao e-e ou-iu ong-iun u-iui uan-iuan ue-iue un-iun")
_AFTER_J: Final = spellings("u-iui uan-iuan ue-iue un-iun ie-e iong-iun")


def _chinese(initials: _Rules, *, keeps_ng: bool) -> Callable[[str], str]:
    """Return a function that reads Hanyu Pinyin."""

    def sound(found: re.Match[str]) -> str:
        first, last = found[1] or "", found[2]
        if first == "w" and last == "u":
            return "u"
        table = _AFTER_Y if first == "y" else _AFTER_J if first in {"j", "q", "x"} else _FINALS
        ending = table.get(last, last)
        if not keeps_ng and ending.endswith("ng"):
            ending = ending[:-1]
        return initials.get(first, first) + ending

    return lambda flat: _SYLLABLE.sub(sound, flat)


_CHINESE: Final = (
    _chinese(_PALLADIUS, keeps_ng=False),
    _chinese(_BULGARIAN, keeps_ng=False),
    _chinese(_BULGARIAN, keeps_ng=True),
)
_JAPANESE_WORD: Final = re.compile(
    r"(?:(?:[kgnhbpmr]y|sh|ch|ts|tch|[kgsztdnhbpmyrwjf])?[aiueo]|n(?![aeiouy])|([kpst])(?=\1))+"
)
_POLIVANOV: Final = spellings(
    "sh(?=i)-s sh-si t?ch(?=i)-t ch-ti j(?=i)-dz j-dzi z-dz n(?=[bpm])-m yo-e ts-ts ou-o"
)
_JAPANESE: Final = _reader(_POLIVANOV)
