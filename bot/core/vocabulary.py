"""All needles of a rule set, indexed: which of them a word of a text meets, and how well."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final, Generic, TypeVar

from bot.core.names import first_sound, name_forms
from bot.core.terms import (
    SHORTEST_TYPO,
    AffixNeedle,
    ExactNeedle,
    IsWord,
    NameNeedle,
    Needle,
    Word,
    WordNeedle,
    similarity,
    stem,
)
from bot.core.text import fold, script

Hit = tuple[Needle, float]

K = TypeVar("K")
V = TypeVar("V")

CACHE_SIZE: Final = 1_000_000


class Memo(Generic[K, V]):
    """A bounded memory in two generations: what is asked for again outlives what is not."""

    def __init__(self, size: int = CACHE_SIZE) -> None:
        self._half = max(1, size // 2)
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        """Return what was put, or None once it is forgotten."""
        value = self._young.get(key)
        if value is None:
            value = self._old.get(key)
            if value is not None:
                self.put(key, value)
        return value

    def put(self, key: K, value: V) -> None:
        """Remember the value until half the size of other keys has come."""
        if len(self._young) >= self._half:
            self._old = self._young
            self._young = {}
        self._young[key] = value

    def __len__(self) -> int:
        return len(self._young) + len(self._old)


class Vocabulary:
    """The needles of all terms. Immutable once made."""

    def __init__(self, needles: Iterable[Needle], is_real: IsWord) -> None:
        self._is_real = is_real
        self._exact: defaultdict[str, list[Needle]] = defaultdict(list)
        self._folds: defaultdict[str, list[Needle]] = defaultdict(list)
        self._stems: defaultdict[str, defaultdict[str, list[Needle]]] = defaultdict(lambda: defaultdict(list))
        self._heads: defaultdict[int, defaultdict[str, list[Needle]]] = defaultdict(lambda: defaultdict(list))
        self._tails: defaultdict[int, defaultdict[str, list[Needle]]] = defaultdict(lambda: defaultdict(list))
        self._languages: defaultdict[str, set[str]] = defaultdict(set)  # of the stems, by script
        self._names: defaultdict[str, list[Needle]] = defaultdict(list)
        self._name_sounds: set[str] = set()
        self._typos: defaultdict[str, list[Needle]] = defaultdict(list)  # by first letter
        self._name_typos: defaultdict[str, list[Needle]] = defaultdict(list)
        for needle in dict.fromkeys(needles):
            self._add(needle)

    def _add(self, needle: Needle) -> None:
        match needle:
            case ExactNeedle():
                self._exact[needle.text].append(needle)
            case AffixNeedle():
                side = self._tails if needle.at_end else self._heads
                for text in needle.folds:
                    side[len(text)][text].append(needle)
            case WordNeedle():
                self._add_word(needle)
            case NameNeedle():
                for key in needle.keys:
                    self._names[key].append(needle)
                    self._name_sounds.add(first_sound(key))
                if needle.fuzzy <= 100:
                    for first in {key[0] for key in needle.keys if len(key) >= SHORTEST_TYPO}:
                        self._name_typos[first].append(needle)

    def _add_word(self, needle: WordNeedle) -> None:
        for text in needle.folds:
            self._folds[text].append(needle)
        for text in needle.stems:
            self._stems[needle.language][text].append(needle)
            self._languages[needle.script].add(needle.language)
        if needle.fuzzy <= 100:
            typical = {t[0] for t in needle.folds | needle.stems if len(t) >= SHORTEST_TYPO}
            for first in typical:
                self._typos[first].append(needle)

    def hits(self, word: Word) -> tuple[Hit, ...]:
        """Return every needle that the word meets, with the similarity."""
        found = []
        for needle in dict.fromkeys(self._candidates(word)):
            score = similarity(needle, word, self._is_real)
            if score > 0:
                found.append((needle, score))
        return tuple(found)

    def _candidates(self, word: Word) -> Iterator[Needle]:
        folded = fold(word.text)
        yield from self._exact.get(word.text, ())
        yield from self._folds.get(folded, ())
        for size, heads in self._heads.items():
            yield from heads.get(folded[:size], ())
        for size, tails in self._tails.items():
            yield from tails.get(folded[-size:], ())
        stems = {language: stem(word.text, language) for language in self._languages_of(word)}
        for language, stemmed in stems.items():
            yield from self._stems[language].get(stemmed, ())
        is_name = first_sound(word.text) in self._name_sounds
        if is_name:
            for form in name_forms(word.text):
                yield from self._names.get(form.key, ())
        yield from self._typo_candidates(word, {folded, *stems.values()}, is_name)

    def _languages_of(self, word: Word) -> Iterable[str]:
        """Return the languages that have stems in the word's script."""
        own = script(word.text)
        return self._stems if own == "mixed" else self._languages.get(own, set()) | self._languages["mixed"]

    def _typo_candidates(self, word: Word, forms: set[str], is_name: bool) -> Iterator[Needle]:
        firsts = {form[0] for form in forms if form and form[0] in self._typos}
        names = name_forms(word.text) if is_name else ()
        if firsts or names:
            for first in firsts:
                yield from self._typos[first]
            if names:
                yield from self._name_typos.get(names[0].key[0], ())
