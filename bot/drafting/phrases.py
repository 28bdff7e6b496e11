"""What articles are about: words and phrases that they use more than their language does."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import log2
from typing import Final

from bot.core.text import Token, fold
from bot.drafting.words import UNKNOWN, Sentence, rarity, stem_of, zipf

EVERYDAY: Final = 5.3  # Zipf; such a word begins and ends no phrase
MOST: Final = 16  # phrases of a language
_LONGEST: Final = 3  # words
_CAP: Final = 3.0  # of a word's rarity: that no list has it says little in a language of compounds
_LEAST_ONCE: Final = 1.5  # rarity of each word of a phrase that stands there once
_ADJECTIVE: Final = re.compile(r"[a-zäöüß]{3,}(?:e|en|er|es|em)")
_COMPOUNDING: Final = re.compile(r"([a-zäöüß]{3,}(?:är|al|iv))(?:e|en|er|es|em)")  # sekundär, regional


@dataclass(slots=True)
class Phrase:
    """A word or phrase in all the forms that the articles give it."""

    stems: tuple[str, ...]
    language: str
    forms: Counter[str] = field(default_factory=Counter)
    articles: set[int] = field(default_factory=set)
    rarities: tuple[float, ...] = ()
    total: int = 1  # words of the articles in this language
    compounds: tuple[str, ...] = ()  # further terms: words that German glues together from these

    @property
    def count(self) -> int:
        """Return how often it stands there."""
        return self.forms.total()

    @property
    def score(self) -> float:
        """Return how much the articles are about it; about 1 to 8."""
        length = len(self.stems)
        mean = sum(self.rarities) / length
        if self.count == 1:  # an adjective that classifies makes a term: sekundäre Zölle
            is_term = self.language == "de" and _COMPOUNDING.fullmatch(next(iter(self.forms)).split(" ")[0])
            mean = min(self.rarities) * (1.3 if is_term else 1.0)
        return mean * log2(1 + self.count) * (1.3 if length > 1 else 0.7)

    @property
    def text(self) -> str:
        """Return it as a term: the commonest form, German adjectives in the nominative."""
        best = max(self.forms, key=lambda form: (self.forms[form], -len(form), form))
        if self.language != "de":
            return best
        *before, noun = best.split(" ")
        plain = [*(_nominative_adjective(word) for word in before), noun]
        same_noun = {form.split(" ")[-1] for form in self.forms if form.split(" ")[:-1] == plain[:-1]}
        if noun not in same_noun or not before:
            plain[-1] = _nominative_plural(noun)
        is_same = tuple(stem_of(word, "de") for word in plain) == self.stems
        return " ".join(plain) if is_same else best

    @property
    def times_as_often(self) -> float | None:
        """Return how many times as often as usual its rarest word stands here; None: no list has the word."""
        words = self.text.split(" ")
        usual = min(zipf(word, self.language) for word in words)
        if usual <= UNKNOWN:
            return None
        return float(self.count / self.total / 10 ** (usual - 9))


def _nominative_adjective(word: str) -> str:
    return re.sub(r"(?:en|er|es|em)$", "e", word) if _ADJECTIVE.fullmatch(word.lower()) else word


def _nominative_plural(noun: str) -> str:
    """Return a German noun without the dative's -n: Metallen → Metalle."""
    is_dative = noun.endswith("en") and zipf(noun[:-1], "de") > zipf(noun, "de")
    return noun[:-1] if is_dative else noun


def phrases_of(sentences: Sequence[Sentence], names: Collection[str]) -> list[Phrase]:
    """Return the phrases of sentences in one language, best first, at most MOST.

    Args:
        names: Folded words that belong to people's names.
    """
    every: dict[tuple[str, ...], Phrase] = {}
    total = sum(len(sentence.words) for sentence in sentences)
    for sentence in sentences:
        for run in _runs(sentence, names):
            _note(every, run, sentence, total)
    good = [phrase for phrase in every.values() if _is_telling(phrase)]
    kept = sorted(_without_parts(good, every), key=lambda phrase: -phrase.score)[:MOST]
    words = {token.text for sentence in sentences for token in sentence.words}
    for phrase in kept:
        phrase.compounds = tuple(_compounds(phrase, words))
    return kept


def _note(every: dict[tuple[str, ...], Phrase], run: Sequence[Token], sentence: Sentence, total: int) -> None:
    language = sentence.language
    stems = tuple(stem_of(token.text, language) for token in run)
    phrase = every.get(stems)
    if phrase is None:
        rarities = tuple(min(rarity(token.text, language), _CAP) for token in run)
        phrase = every[stems] = Phrase(stems, language, rarities=rarities, total=total)
    phrase.forms[" ".join(token.text for token in run)] += 1
    phrase.articles.add(sentence.article)


def _runs(sentence: Sentence, names: Collection[str]) -> Iterator[Sequence[Token]]:
    """Return runs of one to three words side by side that begin and end with a word that says something."""
    words = sentence.words
    for length in range(1, _LONGEST + 1):
        for start in range(len(words) - length + 1):
            run = words[start : start + length]
            if any(sentence.text[a.end : b.start] != " " for a, b in pairwise(run)):
                continue
            if all(_says_something(token, sentence.language, names) for token in (run[0], run[-1])):
                yield run


def _says_something(token: Token, language: str, names: Collection[str]) -> bool:
    text = token.text
    return (
        len(text) > 2
        and text.isalpha()
        and zipf(text, language) < EVERYDAY
        and not any(fold(text).startswith(name) and len(fold(text)) - len(name) <= 2 for name in names)
    )


def _is_telling(phrase: Phrase) -> bool:
    """True: repeated, or made of rare words that belong together."""
    words = phrase.forms.most_common(1)[0][0].split(" ")
    is_german = phrase.language == "de"
    if is_german and not words[-1][0].isupper():
        return False  # nouns only
    if len(words) == 1:
        needed = 2.5 if phrase.count == 2 else 1.0
        return phrase.count >= 2 and phrase.rarities[0] >= needed
    if phrase.count > 1:
        return sum(phrase.rarities) / len(words) >= 0.5
    is_pair = len(words) == 2 and min(phrase.rarities) >= _LEAST_ONCE
    return is_pair and (not is_german or _ADJECTIVE.fullmatch(words[0]) is not None)


def _without_parts(good: Sequence[Phrase], every: dict[tuple[str, ...], Phrase]) -> Iterator[Phrase]:
    """Return the phrases that say more than the longer and shorter ones about them."""
    by_stems = {phrase.stems: phrase for phrase in good}
    longer: defaultdict[tuple[str, ...], int] = defaultdict(int)  # part → how often inside longer ones
    for phrase in good:
        for part in _parts(phrase.stems):
            longer[part] = max(longer[part], phrase.count)
    pairs = [phrase for phrase in good if len(phrase.stems) > 1]
    for phrase in good:
        if longer[phrase.stems] >= 0.6 * phrase.count:
            continue
        parts = [by_stems[part] for part in _parts(phrase.stems) if part in by_stems and len(part) > 1]
        if any(part.count * 0.6 > phrase.count for part in parts):
            continue
        is_cut_off = any(other.stems[0] == phrase.stems[-1] and other.count > phrase.count for other in pairs)
        if len(phrase.stems) > 1 and is_cut_off:
            continue  # "reserves of rare", of "rare earths"
        yield phrase


def _parts(stems: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for length in range(1, len(stems)):
        for start in range(len(stems) - length + 1):
            yield stems[start : start + length]


def _compounds(phrase: Phrase, words: Collection[str]) -> Iterator[str]:
    """Return what German makes of it in one word: Seltenerd* where one stands there, Sekundärzölle."""
    if phrase.language != "de" or len(phrase.stems) != 2:
        return
    first, last = phrase.stems
    glued = re.compile(rf"({re.escape(first)}[a-z]{{0,2}}{re.escape(last)})[a-z]{{3,}}")
    heads = {word[: found.end(1)] for word in words if (found := glued.match(fold(word)))}
    if heads and len(head := min(heads, key=len)) >= 6 and min(len(first), len(last)) >= 3:
        yield f"{head.capitalize()}*"
    adjective, noun = phrase.text.split(" ")
    if made := _COMPOUNDING.fullmatch(adjective.lower()):
        yield f"{made[1].capitalize()}{noun.lower()}"
