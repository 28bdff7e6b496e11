"""Stems: what the inflections of a word have in common, by the Snowball stemmer of a language."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import Stemmer

from bot.core.text import fold, stemmable

STEMMERS: Final = {
    "ar": "arabic", "hy": "armenian", "eu": "basque", "ca": "catalan", "cs": "czech", "da": "danish",
    "nl": "dutch", "en": "english", "eo": "esperanto", "et": "estonian", "fi": "finnish", "fr": "french",
    "de": "german", "el": "greek", "hi": "hindi", "hu": "hungarian", "id": "indonesian", "ga": "irish",
    "it": "italian", "lt": "lithuanian", "ne": "nepali", "nb": "norwegian", "nn": "norwegian",
    "no": "norwegian", "fa": "persian", "pl": "polish", "pt": "portuguese", "ro": "romanian",
    "ru": "russian", "sr": "serbian", "st": "sesotho", "es": "spanish", "sv": "swedish", "ta": "tamil",
    "tr": "turkish", "yi": "yiddish",
}  # fmt: skip

# Ukrainian has no Snowball stemmer: the endings of its nouns and adjectives, longest first.
_UKRAINIAN: Final = re.compile(
    r"(?<=...)(?:ями|ами|ими|ого|ому|ові|еві|єві|ії|ій|ої|ою|ею|єю|их|им|ів|їв|ам|ям|ах|ях|ом|ем|єм"
    r"|ий|ий|ія|ію|а|я|о|е|є|и|і|ї|у|ю|ь)$"
)


@lru_cache(maxsize=64)
def _stemmer(language: str) -> Stemmer.Stemmer | None:
    if language not in STEMMERS or STEMMERS[language] not in Stemmer.algorithms():
        return None
    return Stemmer.Stemmer(STEMMERS[language], 0)  # the engine remembers; no cache of its own


def has_stemmer(language: str) -> bool:
    """True: words under that language key are found in all their inflections."""
    return language == "uk" or _stemmer(language) is not None


@lru_cache(maxsize=4_096)
def stem(text: str, language: str) -> str:
    """Return the folded stem of a word; without a stemmer for the language, its fold."""
    return stem_of_plain(stemmable(text), language) if has_stemmer(language) else fold(text)


def stem_of_plain(word: str, language: str) -> str:
    """Return the folded stem of what `stemmable` returned, in a language that has a stemmer."""
    stemmer = _stemmer(language)
    return fold(stemmer.stemWord(word) if stemmer else _UKRAINIAN.sub("", word))


# How many letters at the beginning of a word its stemmer leaves alone, counted over the hundred thousand
# commonest words of each language; 0 for those not named.
_KEPT: Final = {
    **dict.fromkeys(
        ("ca", "da", "es", "hi", "it", "nb", "nn", "no", "pl", "pt", "ro", "ru", "sv", "ta", "uk"), 4
    ),
    **dict.fromkeys(("cs", "el", "en", "fi", "fr", "hu"), 2),
    **dict.fromkeys(("de", "lt"), 1),
}


def kept_letters(language: str) -> int:
    """Return how many letters at its beginning a stem has in common with the word, unless it is shorter."""
    return _KEPT.get(language, 0)
