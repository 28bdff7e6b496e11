"""Which words are real: frequency lists of many languages as one small trie, kept on disk.

A word of a text that some language knows is no typo of a term. The lists are wordfreq's (CC BY-SA 4.0).
"""

from __future__ import annotations

import os
import tempfile
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Final

import marisa_trie
from platformdirs import user_cache_path

LANGUAGES: Final = (
    "ar", "bg", "ca", "cs", "da", "de", "el", "en", "es", "fi", "fr", "hu", "it", "nb", "nl", "pl", "pt",
    "ro", "ru", "sh", "sv", "tr", "uk",
)  # fmt: skip
LEAST_ZIPF: Final = 2.0  # once in ten million words; rarer words of the lists are often typos themselves
SHORTEST: Final = 4  # letters; shorter words are never taken for typos
_FORMAT: Final = 1  # of our file; raise when what goes in changes


class Lexicon:
    """A set of lower-case words; calling it tells whether a word is in it."""

    def __init__(self, trie: marisa_trie.Trie) -> None:
        self._trie = trie

    def __call__(self, word: str, language: str = "") -> bool:
        """Return True for a real word of some language; the word in lower case, NFKC."""
        return word in self._trie

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
        trie = marisa_trie.Trie(_real_words())
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


def _real_words() -> Iterator[str]:
    from wordfreq import cB_to_freq, freq_to_zipf, get_frequency_list  # noqa: PLC0415 - heavy, seldom needed

    for language in LANGUAGES:
        lists = get_frequency_list(language, wordlist="best")
        get_frequency_list.cache_clear()  # it would keep every language's lists, 400 MB
        for centibels, words in enumerate(lists):
            if freq_to_zipf(cB_to_freq(-centibels)) < LEAST_ZIPF:
                break
            for word in words:
                if len(word) >= SHORTEST and word.isalpha():
                    yield unicodedata.normalize("NFKC", word).casefold()
