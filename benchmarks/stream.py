"""A stream of made-up items in twelve languages, and any number of terms, for measuring speed.

Words are drawn by the frequencies of wordfreq's lists, so that an item has about as many words that were
seen before, and as many that were not, as real news has: heaps of common ones, a long tail, and of every
hundred words `_INVENTED` that no list knows (compounds, hyphen chains, misspellings, numbers).
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

from bot.core.expressions import AnyOf, Leaf
from bot.core.match import DEFAULT_FIELDS, TopicRule
from bot.core.terms import Term, TermInvalid, read_name, read_phrase
from bot.model import FeedId, Item, TopicId

LANGUAGES: Final = ("de", "en", "ru", "fr", "es", "it", "pl", "uk", "pt", "tr", "zh", "ja")
_SPACELESS: Final = {"zh", "ja"}
_INVENTED: Final = 2  # of a hundred words
_MARKS: Final = (*[""] * 40, ",", ",", ",", ".", ".", ":", "”", "?")
_TERM_ZIPF: Final = (2.0, 3.6)  # how common the words of terms are


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
    between = "" if language in _SPACELESS else " "
    drawn = (_spelled(words, language, dice) + dice.choice(_MARKS) for _ in range(count))
    return between.join(drawn).capitalize()


def _spelled(words: _Words, language: str, dice: random.Random) -> str:
    word = words.draw(dice)
    if language in _SPACELESS:
        return word
    if dice.randrange(100) < _INVENTED:
        word = _invented(word, words, dice)
    return word.capitalize() if dice.random() < 0.15 else word


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


def terms(count: int, seed: int = 2) -> list[tuple[Term, str]]:
    """Return that many different terms with their languages.

    Of a hundred, 30 are one word, 40 two words, 10 three, 15 names, 5 wildcards.
    """
    dice = random.Random(seed)  # noqa: S311 - the same terms each time
    spoken = [language for language in LANGUAGES if language not in _SPACELESS]
    found: dict[str, tuple[Term, str]] = {}
    while len(found) < count:
        language = dice.choice(spoken)
        text = _term_text(dice, _term_words(language))
        if text not in found:
            try:
                found[text] = (
                    (read_name(text[6:]), language)
                    if text.startswith("name: ")
                    else (
                        read_phrase(text, language),
                        language,
                    )
                )
            except TermInvalid:
                continue
    return list(found.values())


def _term_text(dice: random.Random, words: list[str]) -> str:
    kind = dice.randrange(100)
    if kind < 30:
        return dice.choice(words)
    if kind < 70:
        return " ".join(dice.choices(words, k=2))
    if kind < 80:
        return " ".join(dice.choices(words, k=3))
    if kind < 95:
        return "name: " + " ".join(word.capitalize() for word in dice.choices(words, k=2))
    return dice.choice(words)[:9] + "*"


@cache
def _term_words(language: str) -> list[str]:
    low, high = (10 ** (zipf - 9) for zipf in _TERM_ZIPF)
    return [
        word
        for word, frequency in get_frequency_dict(language, wordlist="best").items()
        if low <= frequency <= high and len(word) >= 5 and word.isalpha()
    ]


def topics(count: int, per_topic: int = 10) -> list[TopicRule]:
    """Return rules with that many terms in all, `per_topic` in each."""
    leaves = [Leaf(term, DEFAULT_FIELDS) for term, _ in terms(count)]
    return [
        TopicRule(id=TopicId(f"topic-{start}"), match=AnyOf(tuple(leaves[start : start + per_topic])))
        for start in range(0, count, per_topic)
    ]
