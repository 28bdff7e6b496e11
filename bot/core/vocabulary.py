"""All needles of a rule set, indexed: which of them a word of a text meets, and how well.

An index only proposes: `terms.similarity` is the definition and has the last word. What is proposed must
therefore hold all that it would accept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from bot.core.memory import ENTRIES, Memory
from bot.core.names import LONGEST_SHARED, first_sound, name_forms, name_key, shared_beginning
from bot.core.neighbours import Neighbours
from bot.core.stems import kept_letters, stem_of_plain
from bot.core.terms import (
    EQUAL,
    AffixNeedle,
    ExactNeedle,
    IsWord,
    NameNeedle,
    Needle,
    Word,
    WordNeedle,
    similarity,
)
from bot.core.text import Token, fold, plain, script, stemmable
from bot.core.typos import SHORTEST_TYPO, misspellable, most_edits, single

Hit = tuple[int, float]  # a needle's number, and the similarity

_Numbers = dict[str, tuple[int, ...]]  # of needles
_Affixes = tuple[_Numbers, set[int], bool]
_NAMES: Final = 0xF0000  # where code points are private
_EVERY: Final = ("latin", "cyrillic", "mixed", "")


class Vocabulary:
    """The needles of all terms, numbered from 0. Immutable once made, but for what it remembers."""

    def __init__(self, needles: Iterable[Needle], is_real: IsWord, entries: int = ENTRIES) -> None:
        """Take different needles."""
        self.needles = tuple(needles)
        self._is_real = is_real
        self._exact: _Numbers = {}
        self._folds: _Numbers = {}
        heads: _Affixes = ({}, set(), False)
        tails: _Affixes = ({}, set(), True)
        self._affixes = (heads, tails)  # texts, their sizes, whether at the end
        self._names: _Numbers = {}
        self._first_sounds: set[str] = set()
        self._name_beginnings: set[str] = set()
        self._stems = {name: _Stems() for name in _EVERY}  # by the script of the needles
        self._typos = _Misspelt()
        for number, needle in enumerate(self.needles):
            self._add(number, needle)
        self._typos.close()
        self._met: Memory[str, tuple[Hit, ...]] = Memory(entries)

    # ---- building ------------------------------------------------------------------------------

    def _add(self, number: int, needle: Needle) -> None:
        match needle:
            case ExactNeedle():
                _note(self._exact, needle.text, number)
            case AffixNeedle():
                for text in needle.folds:
                    affixes, sizes, _ = self._affixes[needle.at_end]
                    _note(affixes, text, number)
                    sizes.add(len(text))
            case WordNeedle():
                for text in needle.folds:
                    _note(self._folds, text, number)
                self._stems[needle.script].add(number, needle)
                self._typos.add(number, misspellable((*needle.folds, *needle.stems)), needle.fuzzy)
            case NameNeedle():
                for key in needle.keys:
                    _note(self._names, key, number)
                    self._first_sounds.add(first_sound(key))
                    low = key.lower()
                    self._name_beginnings.update([low[:size] for size in range(LONGEST_SHARED + 1)])
                self._typos.add(number, map(_as_name, needle.keys), needle.fuzzy)

    # ---- asking --------------------------------------------------------------------------------

    def hits(self, tokens: Iterable[Token]) -> dict[tuple[str, bool], tuple[Hit, ...]]:
        """Return for each word, and whether it is a joined run, the needles that it meets, in their order.

        Words are asked for together, for that costs less than one by one.
        """
        words = {(token.text, token.is_joined): None for token in tokens}
        low = {word: (word[0].casefold(), word[1]) for word in words}
        known = {key: self._met.get(_remembered(key)) for key in dict.fromkeys(low.values())}
        known |= self._meet([key for key, found in known.items() if found is None])
        return {word: self._with_exact(word, known[low[word]] or ()) for word in words}

    def _with_exact(self, word: tuple[str, bool], found: tuple[Hit, ...]) -> tuple[Hit, ...]:
        """Return also the needles that look at a word's case."""
        exact = self._exact.get(word[0])
        return tuple(sorted((*found, *self._scored(Word(*word), exact)))) if exact else found

    def _meet(self, words: Sequence[tuple[str, bool]]) -> dict[tuple[str, bool], tuple[Hit, ...]]:
        proposed: dict[tuple[str, bool], set[int]] = {}
        forms: dict[tuple[str, bool], set[str]] = {}
        for word in words:
            low, is_joined = word
            folded = fold(low)
            may_be_typo = not is_joined and len(folded) >= SHORTEST_TYPO - 1 and folded.isalpha()
            stems = [(one, one.of(low, folded, may_be_typo=may_be_typo)) for one in self._stems_beside(low)]
            key = name_key(plain(low)) if first_sound(low) in self._first_sounds else ""
            proposed[word] = self._alike(low, folded, stems, key)
            if may_be_typo and not self._typos.firsts.isdisjoint((folded[0], _as_name(key)[:1])):
                forms[word] = _typo_forms(folded, [stem for _, some in stems for stem in some.values()], key)
        near = self._typos.candidates({form for some in forms.values() for form in some}) if forms else {}
        if near:
            for word, some in forms.items():
                proposed[word].update(*(near[form] for form in some if form in near))
        found = {word: self._scored(Word(*word), numbers) for word, numbers in proposed.items()}
        for word, hits in found.items():
            self._met.put(_remembered(word), hits)
        return found

    def _scored(self, word: Word, numbers: Iterable[int]) -> tuple[Hit, ...]:
        scores = (
            (number, similarity(self.needles[number], word, self._is_real)) for number in sorted(numbers)
        )
        return tuple((number, score) for number, score in scores if score > 0)

    def _stems_beside(self, low: str) -> list[_Stems]:
        """Return the stems that words of the word's script may have."""
        own = script(low)
        return [
            self._stems[one] for one in (_EVERY if own == "mixed" else (own, "mixed")) if self._stems[one]
        ]

    def _alike(
        self, low: str, folded: str, stems: Iterable[tuple[_Stems, Mapping[str, str]]], key: str
    ) -> set[int]:
        """Return the needles that the word may meet without a typo."""
        found = {*self._folds.get(folded, ())}
        for affixes, sizes, at_end in self._affixes:
            for size in sizes:
                if some := affixes.get(folded[-size:] if at_end else folded[:size]):
                    found.update(some)
        for side, own in stems:
            found.update(side.alike(own))
        if key and shared_beginning(key) in self._name_beginnings:
            for form in name_forms(low):
                if some := self._names.get(form.key):
                    found.update(some)
        return found


def _typo_forms(folded: str, stems: Iterable[str], key: str) -> set[str]:
    """Return what typos of the word are looked for by."""
    forms = {folded, *stems}
    if single(folded) == folded:  # no doubled letters, hence none in the stems that it begins with
        forms.update([single(form) for form in forms if not folded.startswith(form)])
    else:
        forms.update([single(form) for form in forms])
    forms.discard("")
    if key:
        forms.add(_as_name(key))
    return forms


def _remembered(word: tuple[str, bool]) -> str:
    """Return what a word is remembered under: a text, for a pair takes 70 bytes more; no word has a blank."""
    text, is_joined = word
    return f" {text}" if is_joined else text


def _note(index: _Numbers, text: str, number: int) -> None:
    """Add a needle's number; tuples, of one nearly always, take half the memory of lists."""
    index[text] = (*index.get(text, ()), number)


def _as_name(key: str) -> str:
    """Return the key with a first letter that no word has, so that names are compared with names alone."""
    return chr(_NAMES + ord(key[0])) + key[1:] if key else ""


class _Stems:
    """The needles of one script by their stems, and which stems a word may have."""

    def __init__(self) -> None:
        self._numbers: defaultdict[str, _Numbers] = defaultdict(dict)  # by language
        self._languages: defaultdict[str, dict[str, None]] = defaultdict(dict)  # by a stem's beginning
        self._sizes: set[int] = set()  # of the beginnings
        self._misspelt: defaultdict[str, dict[str, None]] = defaultdict(dict)  # languages, by first letters

    def __bool__(self) -> bool:
        return bool(self._numbers)

    def add(self, number: int, needle: WordNeedle) -> None:
        """Note a needle's stems."""
        for text in needle.stems:
            _note(self._numbers[needle.language], text, number)
            beginning = text[: kept_letters(needle.language)]
            self._languages[beginning][needle.language] = None
            self._sizes.add(len(beginning))
            if needle.fuzzy <= EQUAL and len(text) >= SHORTEST_TYPO:
                self._misspelt[beginning[:1]][needle.language] = None

    def of(self, low: str, folded: str, *, may_be_typo: bool) -> dict[str, str]:
        """Return the word's stem in each language in which it may be, or be a typo of, a needle's."""
        languages: dict[str, None] = {}
        if may_be_typo:
            languages |= self._misspelt.get("", {})
            languages |= self._misspelt.get(folded[:1], {})
        for size in self._sizes:
            if some := self._languages.get(folded[:size]):
                languages |= some
        word = stemmable(low)
        return {language: stem_of_plain(word, language) for language in languages}

    def alike(self, stems: Mapping[str, str]) -> Iterator[int]:
        """Return the needles that have one of these stems."""
        for language, text in stems.items():
            yield from self._numbers[language].get(text, ())


class _Misspelt:
    """The strings that a typo may be one of, with the needles they stand for."""

    def __init__(self) -> None:
        self._needles: _Numbers = {}
        self._edits: dict[str, int] = {}
        self._owners: list[tuple[int, ...]] = []  # by the strings' numbers
        self._neighbours = Neighbours((), ())
        self.firsts: frozenset[str] = frozenset()  # letters of the strings

    def add(self, number: int, strings: Iterable[str], fuzzy: float) -> None:
        """Note what a typo of a needle is compared with."""
        for text in strings:
            edits = most_edits(text, fuzzy)
            if edits > self._edits.get(text, 0):
                self._edits[text] = edits
            if edits:
                _note(self._needles, text, number)

    def close(self) -> None:
        """Index what was noted; nothing can be added afterwards."""
        self._neighbours = Neighbours(tuple(self._edits), tuple(self._edits.values()))
        self._owners = list(self._needles.values())
        self.firsts = frozenset(text[0] for text in self._edits)
        self._edits, self._needles = {}, {}

    def candidates(self, forms: Iterable[str]) -> dict[str, set[int]]:
        """Return for each form the needles that it may be a typo of; forms without any are left out."""
        if not self._neighbours:
            return {}
        near = self._neighbours.near(forms)
        return {form: {n for number in some for n in self._owners[number]} for form, some in near.items()}
