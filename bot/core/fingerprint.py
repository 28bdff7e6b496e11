"""What two texts are compared by: folded words, character n-grams, names, numbers, weekdays.

Everything is computed from the text alone, so that two processes agree, and remembered per text.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b

from anyascii import anyascii

from bot.core.concepts import concept, is_refusal, place
from bot.core.storywords import (
    ALL_STOPWORDS,
    CASUALTY,
    DATELINE,
    STOPWORDS,
    TICKER,
    WEEKDAYS,
)

LEAD_CHARS = 400  # of the summary; the rest of an article tells background, which many events share
MAX_TITLE_CHARS = 300
MAX_GRAMS = 160  # heaviest n-grams kept per text
MAX_KEYS = 24
STEM_CHARS = 4  # enough to know a name again in another case
TITLE_WEIGHT = 2.0
TITLE_RARITY = 3.0  # how much rarer a key of the title counts
REMEMBERED = 4096  # texts; about 13 KB each

THREATS = frozenset({"threat", "warn"})

_WORD = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"\d{1,3}(?:[.,\u00a0\u202f ’']\d{3})+(?!\d)(?:[.,]\d+)?|\d+(?:[.,]\d+)?")
_THOUSANDS = re.compile(r"[.,\u00a0\u202f ’'](?=\d{3}(?!\d))")
_CODE = re.compile(r"\b[a-z]{1,3}-?\d{1,4}\b")
_SPACES = re.compile(r"\s+")
_TAIL = re.compile(r"\s+[-–—|·•:]+\s+(?P<tail>[^-–—|·•]{2,40})$")
_RUSSIAN_ENDING = re.compile(
    r"(?:ами|ями|ого|его|ому|ему|ыми|ими|ом|ем|ой|ей|ым|им|ых|их|ах|ях|ую|юю|ая|яя|а|я|у|ю|е|и|ы|о)$"
)
_NO_SPACES = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]")
_CYRILLIC = re.compile(r"[Ѐ-ӿ]")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryText:
    """What similarity is computed from; one per item."""

    title: str
    summary: str
    outlet: str
    url: str | None  # canonical; None: the item has none
    language: str | None  # ISO 639-1; None: nobody said
    at: datetime  # published, else first seen; aware UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """A text as the comparison sees it."""

    folded: str  # title and lead, words joined by one space
    word_count: int  # different words, without numbers, weekdays and function words
    grams: Mapping[str, float]  # weights; their squares sum to 1
    names: frozenset[str]  # consonant skeletons of capitalised words
    stems: frozenset[str]  # beginnings of all content words
    title_stems: frozenset[str]  # beginnings of the title's capitalised words
    numbers: frozenset[str]
    codes: frozenset[str]  # letters with digits: A4, MC-21
    weekdays: frozenset[int]  # Monday is 0
    places: frozenset[str]  # countries
    concepts: frozenset[str]  # what common words mean, whatever the language
    counts_people: bool  # speaks of dead, injured, missing, evacuated
    refuses: bool  # the title says that somebody answers no
    threatens: bool  # the title tells a threat, and no answer
    language: str  # told, else guessed; at least the script


@dataclass(frozen=True, slots=True)
class _Word:
    raw: str
    folded: str
    weight: float  # of its place: title or lead
    starts: bool  # first word of its sentence


def headline(text: StoryText) -> str:
    """Return the title without ticker prefixes and without an outlet's name at its end."""
    title = _SPACES.sub(" ", text.title[:MAX_TITLE_CHARS]).strip()
    bare = TICKER.sub("", title).strip(" +*") or title
    tail = _TAIL.search(bare)
    if tail and len(tail["tail"].split()) <= 4 and len(bare[: tail.start()].split()) >= 4:
        return bare[: tail.start()]
    return bare


def lead(text: StoryText) -> str:
    """Return the beginning of the summary, without the place and agency it was written at."""
    summary = _SPACES.sub(" ", text.summary[: 2 * LEAD_CHARS]).strip()
    return DATELINE.sub("", summary)[:LEAD_CHARS]


@lru_cache(maxsize=65536)
def fold(word: str) -> str:
    """Return a word in lower-case Latin letters without accents, in any script."""
    return anyascii(word).casefold().replace("'", "")


@lru_cache(maxsize=65536)
def skeleton(word: str) -> str:
    """Return the consonants of a name, at most five, much the same in all scripts and romanisations.

    The empty string when fewer than three sounds remain: such names say too little.
    """
    bare = word.casefold()
    if _CYRILLIC.search(bare) and len(bare) >= 5:
        bare = _RUSSIAN_ENDING.sub("", re.sub(r"^у(?=[аеиоуэ])", "в", bare))  # Уиткофф is Witkoff
    latin = fold(bare)
    latin = _SOUND.sub(lambda found: _SOUNDS[found[0]], latin)
    latin = re.sub(r"[^a-z]", "", latin)
    latin = re.sub(r"(.)\1+", r"\1", latin)
    sounds = re.sub(r"^[aeiou]", "a", latin[:1]) + re.sub(r"[aeiou]", "", latin[1:])
    return sounds[:5] if len(sounds) >= 3 else ""


_SOUNDS = {
    **dict.fromkeys(("tsch", "shch", "sch", "tch", "sh", "zh", "ch", "cz", "sz", "rz", "ts", "tz", "z"), "s"),
    **{"kh": "h", "ph": "f", "th": "t", "ck": "k", "qu": "k", "q": "k", "c": "k", "x": "ks"},
    **{"w": "v", "y": "i", "j": "i"},
}
_SOUND = re.compile("|".join(sorted(_SOUNDS, key=len, reverse=True)))


@lru_cache(maxsize=REMEMBERED)
def fingerprint(text: StoryText) -> Fingerprint:
    """Return what the text is compared by."""
    words = list(_words(text))
    folded = [word.folded for word in words]
    joined = " ".join(folded)
    content = [word for word in words if not _says_nothing(word)]
    title = [word.folded for word in content if word.weight == TITLE_WEIGHT]
    refuses = any(map(is_refusal, title))
    weekdays = frozenset(day for word in folded if (day := _weekday(word)) is not None)
    return Fingerprint(
        folded=joined,
        word_count=len({word.folded for word in content if _is_telling(word.folded)}),
        grams=_grams(content),
        names=frozenset(_names(content)),
        stems=frozenset(word.folded[:STEM_CHARS] for word in content),
        title_stems=frozenset(
            word.folded[:STEM_CHARS]
            for word in content
            if word.weight == TITLE_WEIGHT and word.raw[0].isupper()
        ),
        numbers=frozenset(numbers(f"{headline(text)} . {lead(text)}")),
        codes=frozenset(
            found[0].casefold() for found in _CODE.finditer(fold(headline(text) + " " + lead(text)))
        ),
        weekdays=weekdays,
        places=frozenset(where for w in content if (where := place(w.folded)) is not None),
        concepts=frozenset(what for w in content if (what := concept(w.folded)) is not None),
        counts_people=CASUALTY.search(joined) is not None,
        refuses=refuses,
        threatens=not refuses and any(concept(word) in THREATS for word in title),
        language=_language(text, folded),
    )


def _is_telling(folded: str) -> bool:
    return not folded[0].isdigit() and _weekday(folded) is None


def _says_nothing(word: _Word) -> bool:
    """Whether a word is a function word or a lone letter; `US` and `UN` are neither."""
    acronym = word.raw.isupper() and len(word.raw) > 1
    return len(word.folded) == 1 or (word.folded in ALL_STOPWORDS and not acronym)


def _words(text: StoryText) -> Iterator[_Word]:
    for part, weight in ((headline(text), TITLE_WEIGHT), (lead(text), 1.0)):
        end = 0
        for found in _WORD.finditer(part):
            gap = part[end : found.start()]
            starts = end == 0 or any(mark in gap for mark in ".!?:")
            end = found.end()
            for raw in _spaced(found[0]):
                if folded := fold(raw):
                    yield _Word(raw, folded, weight, starts)


def _spaced(word: str) -> Iterator[str]:
    """Yield the word, or where Chinese and Japanese leave no spaces, each two neighbouring characters."""
    if len(word) <= 2 or not _NO_SPACES.search(word):
        yield word
        return
    for start in range(len(word) - 1):
        yield word[start : start + 2]


@lru_cache(maxsize=16384)
def _weekday(word: str) -> int | None:
    return next((day for day, names in enumerate(WEEKDAYS) if names.match(word)), None)


def _grams(words: list[_Word]) -> Mapping[str, float]:
    counts: defaultdict[str, float] = defaultdict(float)
    for word in words:
        padded = f" {word.folded} "
        for start in range(max(1, len(padded) - 3)):
            counts[padded[start : start + 4]] += word.weight
    weights = {gram: 1.0 + math.log(count) for gram, count in counts.items()}
    heaviest = sorted(weights.items(), key=lambda pair: (-pair[1], pair[0]))[:MAX_GRAMS]
    length = math.sqrt(sum(weight * weight for _, weight in heaviest)) or 1.0
    return {gram: weight / length for gram, weight in heaviest}


def _names(words: list[_Word]) -> Iterator[str]:
    for word in words:
        if word.raw[0].isupper() and (name := skeleton(word.raw)):
            yield name


def numbers(text: str) -> Iterator[str]:
    """Yield the numbers of a text, thousands joined and decimal commas as points; years are left out."""
    for found in _NUMBER.finditer(text):
        value = _THOUSANDS.sub("", fold(found[0])).replace(",", ".")
        if not re.fullmatch(r"(?:19|20)\d\d", value):
            yield value


def _language(text: StoryText, folded: list[str]) -> str:
    if text.language:
        return text.language.casefold().replace("_", "-").split("-")[0]
    hits = {language: sum(word in words for word in folded) for language, words in STOPWORDS.items()}
    best = max(hits, key=lambda language: hits[language])
    if hits[best] >= 2:
        return best
    return "cyrillic" if _CYRILLIC.search(text.title + text.summary) else "latin"


def url_key(url: str) -> str | None:
    """Return the key of a canonical URL; None for a site's front page, which is no article."""
    host, _, rest = url.partition("://")[2].partition("/") if "://" in url else url.partition("/")
    if not rest and "?" not in host:
        return None
    return "u:" + blake2b(url.encode(), digest_size=10).hexdigest()


@lru_cache(maxsize=REMEMBERED)
def story_keys(text: StoryText) -> tuple[str, ...]:
    """Return at most 24 keys of at most 40 characters, rarest-looking first.

    `u:` the canonical URL, `n:` consonant skeletons of capitalised words, `#:` numbers, `w:` the first six
    letters of other words. Two texts about one event share several, also across scripts.
    """
    keys: dict[str, float] = {}
    if text.url and (url := url_key(text.url)):
        keys[url] = 99.0
    for key, rarity in (*_word_keys(text), *_number_keys(text)):
        keys[key] = max(keys.get(key, 0.0), rarity)
    return tuple(sorted(keys, key=lambda key: -keys[key])[:MAX_KEYS])


def _number_keys(text: StoryText) -> Iterator[tuple[str, float]]:
    for part, bonus in ((headline(text), TITLE_RARITY), (lead(text), 0.0)):
        for number in numbers(part):
            if len(number) >= 2:
                yield f"#:{number[:20]}", bonus + 2 + len(number)


def _word_keys(text: StoryText) -> Iterator[tuple[str, float]]:
    for word in _words(text):
        place = TITLE_RARITY if word.weight == TITLE_WEIGHT else 0.0
        if _says_nothing(word) or not _is_telling(word.folded):
            continue
        if word.raw[0].isupper() and (name := skeleton(word.raw)):
            yield f"n:{name}", place + 2 + len(name) + (0 if word.starts else 2)
        if len(word.folded) >= 4:
            yield f"w:{word.folded[:6]}", place + min(len(word.folded), 9) / 2
