"""A stream of made-up items in twelve languages, and any number of terms, for measuring speed.

Words are drawn by the frequencies of wordfreq's lists: heaps of common ones, a long tail, and of every
hundred words two that no list knows (compounds, hyphen chains, misspellings, numbers). Held against
20,000 items of real feeds, where a fifth of the chunks of an item and an eighth of its words are new after
20,000 others: so they are here, and an engine that remembers gains as much from this stream as from real
news.

Terms of any number are drawn alike, so that growth shows the engine and not the terms: what ten of a hundred
thousand are like, ten are like.
"""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Final

from wordfreq import get_frequency_dict

from benchmarks.said import Said, rules
from bot.core.match import TopicRule
from bot.core.stems import stem
from bot.core.terms import Term
from bot.core.text import fold
from bot.model import FeedId, Item

LANGUAGES: Final = ("de", "en", "ru", "fr", "es", "it", "pl", "uk", "pt", "tr", "zh", "ja")
_SPACELESS: Final = {"zh", "ja"}
_INVENTED: Final = 0.02  # of words
_CAPITAL: Final = 0.15
_MARKS: Final = (*[""] * 40, ",", ",", ",", ".", ".", ":", "”", "?")
_TERM_ZIPF: Final = (2.0, 3.6)  # how common the words of terms are
_COMMON_ZIPF: Final = 3.3  # what is more common is no term of its own
_WILDCARD: Final = 9  # letters before the *


@dataclass(frozen=True, slots=True)
class _Words:
    """A language's words with their accumulated frequencies."""

    words: list[str]
    weights: list[float]

    def draw(self, dice: random.Random) -> str:
        return self.words[bisect(self.weights, dice.random() * self.weights[-1])]


@cache
def _words(language: str) -> _Words:
    frequencies = get_frequency_dict(language, wordlist="best")
    return _Words(list(frequencies), list(accumulate(frequencies.values())))


# ---- items -------------------------------------------------------------------------------------


def stream(count: int, seed: int = 1) -> Iterator[Item]:
    """Return that many items: a title of 6 to 14 words, a summary of 15 to 50."""
    dice = random.Random(seed)  # noqa: S311 - the same stream each time
    for number in range(count):
        language = LANGUAGES[number % len(LANGUAGES)]
        yield Item(
            feed_id=FeedId("stream"),
            title=_text(language, dice, dice.randint(6, 14)),
            summary=_text(language, dice, dice.randint(15, 50)),
            language=language,
        )


def _text(language: str, dice: random.Random, count: int) -> str:
    words = _words(language)
    drawn = dice.choices(words.words, cum_weights=words.weights, k=count)
    marks = dice.choices(_MARKS, k=count)
    if language in _SPACELESS:
        return "".join(map(str.__add__, drawn, marks))
    spelled = (_spelled(word, words, dice) for word in drawn)
    return " ".join(map(str.__add__, spelled, marks)).capitalize()


def _spelled(word: str, words: _Words, dice: random.Random) -> str:
    chance = dice.random()
    if chance < _INVENTED:
        word = _invented(word, words, dice)
    return word.capitalize() if chance > 1 - _CAPITAL else word


def _invented(word: str, words: _Words, dice: random.Random) -> str:
    match dice.randrange(4):
        case 0:
            return word + words.draw(dice)
        case 1:
            return f"{word}-{words.draw(dice).capitalize()}"
        case 2:
            at = dice.randrange(len(word))
            return word[:at] + dice.choice(word) + word[at + 1 :]
        case _:
            return str(dice.randrange(10, 90_000))


# ---- terms -------------------------------------------------------------------------------------


def said(count: int, seed: int = 2) -> list[Said]:
    """Return that many different terms.

    Of a hundred, 30 are one word, 40 two words, 10 three, 15 names, 5 wildcards. A term of one word is no
    common word of any language, nor inflects one: nobody asks to be told of each item that says "will".
    """
    dice = random.Random(seed)  # noqa: S311 - the same terms each time
    spoken = [language for language in LANGUAGES if language not in _SPACELESS]
    found: dict[str, Said] = {}
    while len(found) < count:
        one = _said(dice, dice.choice(spoken))
        found.setdefault(one.text, one)
    return list(found.values())


def _said(dice: random.Random, language: str) -> Said:
    words = _term_words(language)
    kind = dice.randrange(100)
    if kind < 30:
        return Said(_telling(dice, language), language)
    if kind < 70:
        return Said(" ".join(dice.choices(words, k=2)), language)
    if kind < 80:
        return Said(" ".join(dice.choices(words, k=3)), language)
    if kind < 95:
        return Said(" ".join(map(str.capitalize, dice.choices(words, k=2))), language, is_name=True)
    return Said(_telling(dice, language, _WILDCARD + 1)[:_WILDCARD] + "*", language)


def _telling(dice: random.Random, language: str, least: int = 5) -> str:
    """Return a word of at least so many letters that says something by itself."""
    words = _term_words(language)
    while True:
        word = dice.choice(words)
        if len(word) >= least and _common().isdisjoint({fold(word), fold(stem(word, language))}):
            return word


@cache
def _term_words(language: str) -> list[str]:
    low, high = (10 ** (zipf - 9) for zipf in _TERM_ZIPF)
    return [
        word
        for word, frequency in get_frequency_dict(language, wordlist="best").items()
        if low <= frequency <= high and len(word) >= 5 and word.isalpha()
    ]


@cache
def _common() -> frozenset[str]:
    """Return the common words of all languages, folded, and their stems."""
    found: set[str] = set()
    for language in LANGUAGES:
        for word, frequency in get_frequency_dict(language, wordlist="best").items():
            if frequency >= 10 ** (_COMMON_ZIPF - 9):
                found.update((fold(word), fold(stem(word, language))))
    return frozenset(found)


def terms(count: int, seed: int = 2) -> list[tuple[Term, str]]:
    """Return the terms with their languages, as the engine reads them."""
    return [(one.read(), one.language) for one in said(count, seed)]


def topics(count: int) -> list[TopicRule]:
    """Return rules with that many terms in all."""
    return rules([term for term, _ in terms(count)])
