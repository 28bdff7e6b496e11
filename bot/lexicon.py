"""Which words are real: frequency lists of many languages as one small trie, kept on disk.

A word of a text that some language knows is no typo of a term. The trie holds two kinds of keys: each word
with each of its languages ("kopie pl"), and each stem with its languages ("seltenheit- de"), by which a
language also knows the inflections that no list has. The lists are wordfreq's (CC BY-SA 4.0).
"""

from __future__ import annotations

import os
import tempfile
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Final

import marisa_trie
from platformdirs import user_cache_path

from bot.core.stems import stem

LANGUAGES: Final = (
    "ar", "bg", "ca", "cs", "da", "de", "el", "en", "es", "fi", "fr", "hu", "it", "nb", "nl", "pl", "pt",
    "ro", "ru", "sh", "sv", "tr", "uk",
)  # fmt: skip
LEAST_ZIPF: Final = 2.0  # once in ten million words; rarer words of the lists are often typos themselves
SHORTEST: Final = 4  # letters; shorter words are never taken for typos
_SHORTEST_STEM: Final = 5  # letters; French teres and terre are both ter
_FORMAT: Final = 4  # of our file; raise when what goes in changes

# What the lists know of commoner misspellings (goverment): a long word that is rarer than once in a million
# and one slip away from a word at least 160 times as frequent is taken for one, and is not real.
_RARE_ZIPF: Final = 3.0
_COMMON_ZIPF: Final = 4.3
_SLIP_ZIPF: Final = 2.2  # log10 of 160
_LONG: Final = 8  # letters

# Languages that share a list; Serbian's stemmer serves the list of all Serbo-Croatian.
_LIST_OF: Final[Mapping[str, str]] = {"no": "nb", "nn": "nb", "sr": "sh"}
_STEMMED_AS: Final[Mapping[str, str]] = {"sh": "sr"}
_ONE_CEDILLA: Final = str.maketrans("șț", "şţ")  # Romanian is written with either


class Lexicon:
    """Sets of lower-case words; calling it tells whether a word is in one."""

    def __init__(self, trie: marisa_trie.Trie) -> None:
        self._trie = trie

    def __call__(self, word: str, language: str = "") -> bool:
        """Return True for a word of the language, or an inflection of one; the word in lower case, NFKC.

        Without a language, or with one that has no list: for a word that some list has as it stands.
        """
        word = word.translate(_ONE_CEDILLA)
        listed = _LIST_OF.get(language, language)
        if listed not in LANGUAGES:
            return any(True for _ in self._trie.iterkeys(f"{word} "))
        return f"{word} {listed}" in self._trie or _stem_key(word, listed) in self._trie

    def __len__(self) -> int:
        return len(self._trie)


def open_lexicon(folder: Path | None = None) -> Lexicon:
    """Return the word lists, from the folder's file or built anew (seconds) and kept there.

    Args:
        folder: Where the file lives; None: the user's cache folder. When it cannot be written, the lists
            are built again the next time.
    """
    path = (folder or user_cache_path("topicwire")) / file_name()
    trie = _loaded(path)
    if trie is None:
        trie = marisa_trie.Trie(_keys())
        with suppress(OSError):  # a read-only home costs seconds at the next start, nothing else
            _save(trie, path)
    return Lexicon(trie)


def lazy_lexicon(folder: Path | None = None) -> Callable[[str, str], bool]:
    """Return the word lists as a function that opens them with its first question."""
    opened: list[Lexicon] = []

    def is_real(word: str, language: str = "") -> bool:
        if not opened:
            opened.append(open_lexicon(folder))
        return opened[0](word, language)

    return is_real


def file_name() -> str:
    """Return the name of the file, which tells the lists' version and what was taken from them."""
    return f"words-{_FORMAT}-{version('wordfreq')}-{len(LANGUAGES)}-{LEAST_ZIPF}.marisa"


def _loaded(path: Path) -> marisa_trie.Trie | None:
    trie = marisa_trie.Trie()
    try:
        trie.mmap(str(path))
    except (OSError, RuntimeError):  # missing; or not a trie: it is built anew
        return None
    return trie


def _save(trie: marisa_trie.Trie, path: Path) -> None:
    """Write the file in one step, so that no other process ever reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    os.close(handle)
    try:
        trie.save(name)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def _stem_key(word: str, language: str) -> str:
    """Return the key under which a language knows the word by its stem; empty: the stem says too little."""
    stemmed = stem(word, _STEMMED_AS.get(language, language))
    return f"{stemmed}- {language}" if _SHORTEST_STEM <= len(stemmed) < len(word) else ""


def _keys() -> Iterator[str]:
    """Return the words of all lists and their stems, each with its language; some stems several times."""
    for language in LANGUAGES:
        frequencies = word_frequencies(language)
        misspelt = misspellings(frequencies)
        words = [word.translate(_ONE_CEDILLA) for word in frequencies if word not in misspelt]
        yield from (f"{word} {language}" for word in words)
        yield from filter(None, {_stem_key(word, language) for word in words})


def word_frequencies(language: str, least_zipf: float = LEAST_ZIPF) -> dict[str, float]:
    """Return a list's lower-case words of letters and how frequent they are.

    The unit is Zipf's: log10 of how often a word comes in a billion words, hence 3 for once in a million
    (van Heuven et al. 2014, https://doi.org/10.1080/17470218.2013.850521).
    """
    from wordfreq import cB_to_freq, freq_to_zipf, get_frequency_list  # noqa: PLC0415 - heavy, seldom needed

    lists = get_frequency_list(language, wordlist="best")
    get_frequency_list.cache_clear()  # it would keep every language's lists, 400 MB
    found: dict[str, float] = {}
    for centibels, words in enumerate(lists):
        zipf = freq_to_zipf(cB_to_freq(-centibels))
        if zipf < least_zipf:
            break
        for word in words:
            if len(word) >= SHORTEST and word.isalpha():
                found.setdefault(unicodedata.normalize("NFKC", word).casefold(), zipf)
    return found


def misspellings(frequencies: Mapping[str, float]) -> set[str]:
    """Return those words of a list that are probably a much commoner word, mistyped."""
    found: set[str] = set()
    for word, zipf in frequencies.items():
        if zipf >= _COMMON_ZIPF and len(word) >= _LONG:
            most = min(_RARE_ZIPF, zipf - _SLIP_ZIPF)
            found.update(slip for slip in _slips(word) if frequencies.get(slip, most) < most)
    return found


def _slips(word: str) -> Iterator[str]:
    """Return the word with an inner letter left out or doubled, or with two inner neighbours swapped."""
    for at in range(1, len(word) - 1):
        before, letter, after = word[:at], word[at], word[at + 1 :]
        yield before + after
        yield before + letter + letter + after
        yield before + after[0] + letter + after[1:]
