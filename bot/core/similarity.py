"""How alike two texts are: a weighted mean of what can be compared, less what speaks against one event."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from rapidfuzz import fuzz

from bot.core.fingerprint import Fingerprint

SERIES_COSINE = 0.5  # from here on two texts use the same words
SERIES_GAP = timedelta(hours=6)  # within it, other numbers may be an update
MIN_WORDS = 3  # fewer words of its own tell no event
MIN_COPIED_WORDS = 4
COPY_COSINE = 0.3  # below it no text is a copy, and the dearer comparison is spared


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What each kind of evidence counts; only their ratios matter."""

    grams: float  # character 4-grams
    names: float  # consonant skeletons of capitalised words
    numbers: float
    concepts: float  # words known in all languages
    places: float  # countries


SAME_LANGUAGE = Weights(grams=0.50, names=0.15, numbers=0.15, concepts=0.10, places=0.10)
CROSS_LANGUAGE = Weights(grams=0.15, names=0.25, numbers=0.20, concepts=0.25, places=0.15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubts:
    """What is taken off a similarity, 0 to 1."""

    per_day: float = 0.02  # for each day between two texts
    other_numbers: float = 0.10  # both count something, nothing the same, and no casualties
    other_days: float = 0.08  # both name weekdays, none the same
    other_places: float = 0.05  # both name countries, none the same
    other_codes: float = 0.15  # both name roads, flights, types, none the same: A4, A7
    threat_and_answer: float = 0.40  # one title tells a threat, the other that somebody defies it
    same_outlet: float = 0.06  # an outlet seldom tells one event twice under two addresses


def same_words(one: Fingerprint, two: Fingerprint) -> float:
    """Return the cosine of two texts' weighted character 4-grams, 0 to 1."""
    left, right = one.grams, two.grams
    return min(1.0, sum([left[gram] * right[gram] for gram in left.keys() & right.keys()]))


def same_text(one: Fingerprint, two: Fingerprint, cosine: float) -> float:
    """Return how nearly two texts have the same words in any order, 0 to 1.

    Words that only one of them has cost nothing, so that a shortened copy is a copy (rapidfuzz's
    token_set_ratio). 0 when either text has fewer than four words of its own, or when they name other days,
    codes, countries or numbers: two issues of a series look just like copies.
    """
    if cosine < COPY_COSINE or min(one.word_count, two.word_count) < MIN_COPIED_WORDS:
        return 0.0
    if other_days(one, two) or other_codes(one, two) or other_places(one, two) or other_numbers(one, two):
        return 0.0
    return float(fuzz.token_set_ratio(one.folded, two.folded)) / 100


def likeness(
    one: Fingerprint,
    two: Fingerprint,
    cosine: float,
    *,
    apart: timedelta,
    same_outlet: bool,
    doubts: Doubts,
) -> float:
    """Return how alike two texts are, at most 1; what only one of them tells is left out of the mean.

    0 when either says too little, or when both say other things in the same words.
    """
    if min(one.word_count, two.word_count) < MIN_WORDS or _is_series(one, two, cosine, apart, same_outlet):
        return 0.0
    weights = SAME_LANGUAGE if one.language == two.language else CROSS_LANGUAGE
    total, of = weights.grams * cosine, weights.grams
    for weight, value in _evidence(one, two, weights):
        total += weight * value
        of += weight
    return total / of - _doubt(one, two, apart, same_outlet, doubts)


def _doubt(one: Fingerprint, two: Fingerprint, apart: timedelta, same_outlet: bool, doubts: Doubts) -> float:
    return (
        doubts.per_day * (apart / timedelta(days=1))
        + doubts.other_numbers * other_numbers(one, two)
        + doubts.other_days * other_days(one, two)
        + doubts.other_places * other_places(one, two)
        + doubts.other_codes * other_codes(one, two)
        + doubts.threat_and_answer * threat_and_answer(one, two)
        + doubts.same_outlet * same_outlet
    )


def _evidence(one: Fingerprint, two: Fingerprint, weights: Weights) -> Iterator[tuple[float, float]]:
    pairs = (
        (weights.names, one.names, two.names),
        (weights.concepts, one.concepts, two.concepts),
        (weights.places, one.places, two.places),
    )
    for weight, left, right in pairs:
        if left and right:
            yield weight, _overlap(left, right)
    shared = _overlap(one.numbers, two.numbers)
    if shared or (one.numbers and two.numbers and not _counts_people(one, two)):
        yield weights.numbers, shared


def _is_series(
    one: Fingerprint, two: Fingerprint, cosine: float, apart: timedelta, same_outlet: bool
) -> bool:
    """Whether two texts say other things in the same words, as each day's prices and accidents do."""
    if cosine < SERIES_COSINE:
        return False
    if other_codes(one, two) or other_places(one, two):
        return True
    if _counts_people(one, two):
        return False
    if other_days(one, two):
        return True
    return other_numbers(one, two) and (same_outlet or apart >= SERIES_GAP or _swaps_names(one, two))


def _swaps_names(one: Fingerprint, two: Fingerprint) -> bool:
    """Whether each title has a name that the other text does not know."""
    return bool(one.title_stems - two.stems) and bool(two.title_stems - one.stems)


def other_days(one: Fingerprint, two: Fingerprint) -> bool:
    """Whether both name weekdays, and none the same."""
    return bool(one.weekdays and two.weekdays) and one.weekdays.isdisjoint(two.weekdays)


def other_places(one: Fingerprint, two: Fingerprint) -> bool:
    """Whether both name countries, and none the same."""
    return bool(one.places and two.places) and one.places.isdisjoint(two.places)


def other_codes(one: Fingerprint, two: Fingerprint) -> bool:
    """Whether both name codes, and none the same."""
    return bool(one.codes and two.codes) and one.codes.isdisjoint(two.codes)


def other_numbers(one: Fingerprint, two: Fingerprint) -> bool:
    """Whether both have numbers, none the same, and neither counts people harmed, whose number grows."""
    if not one.numbers or not two.numbers or _counts_people(one, two):
        return False
    return one.numbers.isdisjoint(two.numbers)


def threat_and_answer(one: Fingerprint, two: Fingerprint) -> bool:
    """Whether one title tells a threat, and the other that somebody answers no to it."""
    return (one.threatens and two.refuses) or (one.refuses and two.threatens)


def _counts_people(one: Fingerprint, two: Fingerprint) -> bool:
    return one.counts_people or two.counts_people


def _overlap(one: frozenset[str], two: frozenset[str]) -> float:
    """Return the shared part of two sets, 0 to 1 (Ochiai's coefficient)."""
    shared = len(one & two)
    return shared / math.sqrt(len(one) * len(two)) if shared else 0.0
