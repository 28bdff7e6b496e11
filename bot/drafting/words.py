"""An article's words, and how unusual each is, measured against frequency lists of its language."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from bot.core.stems import stem
from bot.core.text import Token, fold, is_spaceless, tokens_of
from bot.model import Item

UNKNOWN: Final = 1.0  # Zipf value given to words that no list has: once in a hundred million
LONGEST_SENTENCE: Final = 300  # characters; a longer one is no good as a test
_SENTENCE_ENDS: Final = re.compile(r"(?:(?<=[.!?…。])|(?<=[.!?…。][\"'»“”’)\]]))\s+(?=[^a-zß-ÿа-я])|\n+")
_ABBREVIATED: Final = re.compile(
    r"(?:\b[^\W\d_]|\b\d+|\b(?:Dr|Mr|Mrs|Ms|St|Nr|No|Prof|bzw|ca|vs|др|им|г))\.$"
)
_AROUND: Final = " \t–—-*•"


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of an article."""

    text: str
    language: str
    article: int  # which of the articles
    words: tuple[Token, ...]  # without the joined runs of hyphen chains


def sentences_of(item: Item, article: int, language: str) -> list[Sentence]:
    """Return the article's sentences, title first; lines that a page repeats (its furniture) are left out."""
    lines = [line for text in (item.title, item.summary, item.content) for line in text.split("\n")]
    seen: set[str] = set()
    found = []
    for line in lines:
        is_furniture = lines.count(line) > 1 and line not in {item.title, item.summary}
        for text in () if is_furniture else _split(line):
            words = tuple(token for token in tokens_of(text) if not token.is_joined)
            if words and text not in seen:
                seen.add(text)
                found.append(Sentence(text, language, article, words))
    return found


def _split(line: str) -> Iterator[str]:
    """Return the sentences of a line; a full stop behind an abbreviation or a number ends none."""
    pending = ""
    for piece in _SENTENCE_ENDS.split(line):
        pending = f"{pending} {piece}".strip()
        if not _ABBREVIATED.search(pending):
            yield pending.strip(_AROUND)
            pending = ""
    if pending:
        yield pending.strip(_AROUND)


# ---- frequencies -------------------------------------------------------------------------------

_ELSEWHERE: Final = (
    "en",
    "fr",
    "es",
    "it",
    "pl",
    "nl",
    "sv",
    "de",
)  # lists that show who is known everywhere
_KNOWN_ELSEWHERE: Final = 1.9  # Zipf
_LEAST_ELSEWHERE: Final = 4  # of those languages
_MOSTLY_ONES: Final = 1.7  # Zipf of one language above the others: a word of that language, not a name
_ZIPF: Final[dict[str, dict[str, float]]] = {}  # by language and casefolded word, of what was looked up


def look_up(sentences: Iterable[Sentence]) -> None:
    """Look all words of the sentences up at once, so that each list is read once and let go again."""
    words: defaultdict[str, set[str]] = defaultdict(set)
    for sentence in sentences:
        for token in sentence.words:
            word = token.text.casefold()  # so are the lists: ss for ß
            words[sentence.language] |= {word, word[:-1]}
            if token.text[0].isupper():
                forms = set(_latin_forms(word, sentence.language))
                for language in (sentence.language, *_ELSEWHERE):
                    words[language] |= forms
    for language, own in words.items():
        _remember(own, language)


def _remember(words: Collection[str], language: str) -> None:
    """Note how common words are; 0 for those that no list has."""
    from wordfreq import available_languages, get_frequency_list  # noqa: PLC0415 - heavy, seldom needed

    known = _ZIPF.setdefault(language, {})
    unknown = {word for word in words if word not in known}
    if not unknown:
        return
    known.update(dict.fromkeys(unknown, 0.0))
    if language not in available_languages("best"):
        return
    for centibels, members in enumerate(get_frequency_list(language, wordlist="best")):
        known.update(dict.fromkeys(unknown.intersection(members), 9 - centibels / 100))
    get_frequency_list.cache_clear()  # it would keep every language's lists, 400 MB


def zipf(word: str, language: str) -> float:
    """Return how common a word is: 7 is once in a hundred words, 3 once in a million; 0: in no list."""
    word = word.casefold()
    found = _ZIPF.get(language, {}).get(word)
    if found is None:
        _remember([word], language)
        found = _ZIPF[language][word]
    return found


def rarity(word: str, language: str) -> float:
    """Return how much a word tells of a text's matter: 0 for everyday words, up to 4."""
    return max(0.0, 5.0 - max(zipf(word, language), UNKNOWN))


@lru_cache(maxsize=65_536)
def is_name_like(word: str, language: str) -> bool:
    """True: many languages know the word, and none much better than the others, as names are known."""
    for latin in _latin_forms(word, language):
        elsewhere = sorted(
            (value for other in _ELSEWHERE if other != language and (value := zipf(latin, other))),
            reverse=True,
        )
        known = [value for value in elsewhere if value >= _KNOWN_ELSEWHERE]
        if len(known) >= _LEAST_ELSEWHERE:
            median = elsewhere[len(elsewhere) // 2]
            return max(zipf(latin, language), *elsewhere) - median < _MOSTLY_ONES
    return False


def _latin_forms(word: str, language: str) -> Iterable[str]:
    """Return the word in Latin letters; of a Cyrillic one also without endings of its cases."""
    latin = fold(word) if language in _CYRILLIC else word.casefold()
    yield latin
    if language in _CYRILLIC:
        yield re.sub(r"i[iy]$|y$", "y", latin)
        for length in (1, 2):
            if len(latin) - length >= 3 and latin[-length:] in {"a", "u", "e", "om", "em", "ya", "yu"}:
                yield latin[:-length]


_CYRILLIC: Final = frozenset({"ru", "uk", "bg", "sr", "mk", "be"})


def stem_of(word: str, language: str) -> str:
    """Return what all inflections of a word share."""
    return stem(word, language)


def can_be_read(text: str) -> bool:
    """True: the text is of words with spaces between, which can be counted."""
    return not is_spaceless(text.lstrip(_AROUND))
