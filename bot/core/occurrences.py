"""Where a term stands in a field, and how well, given where its needles were met."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from bot.core.patterns import find_all
from bot.core.people import find_names
from bot.core.places import FieldText, Occurrence, Spans, overlaps
from bot.core.terms import EQUAL, GAP_COST, Name, Pattern, Phrase, Step, Term
from bot.core.text import INVISIBLE, MAX_TEXT, Token, is_spaceless


def occurrences(term: Term, text: FieldText, covered: Spans = ()) -> list[Occurrence]:
    """Return where the term stands, in the text's order; words inside `covered` do not count."""
    match term:
        case Phrase():
            found = _phrases(term, text, covered)
        case Name():
            found = (one for one in find_names(term, text, ()) if not _is_hidden(one, text, covered))
        case Pattern():
            found = _patterns(term, text, covered)
    return sorted(_best_per_place(found), key=lambda one: one.start)


def _best_per_place(found: Iterable[Occurrence]) -> Iterable[Occurrence]:
    """Return one occurrence per beginning: the best, then the shortest, then the one of the first words."""
    best: dict[int, Occurrence] = {}
    for one in found:
        other = best.get(one.start)
        if other is None or _rank(one) < _rank(other):
            best[one.start] = one
    return best.values()


def _is_hidden(one: Occurrence, text: FieldText, covered: Spans) -> bool:
    """True: one of its words is covered; what is covered beside a name still tells whose it is."""
    if not covered:
        return False
    words = (text.words[at] for at in range(one.at, one.to) if at in text.words)
    return any(overlaps(word.start, word.end, covered) for word in words)


def _rank(one: Occurrence) -> tuple[float, int, int, int]:
    return -one.score, one.end, one.at, one.to


# ---- phrases -----------------------------------------------------------------------------------


def _phrases(phrase: Phrase, text: FieldText, covered: Spans) -> Iterable[Occurrence]:
    if phrase.literal:
        yield from _literals(phrase.literal, text, covered)
        return
    for reading in phrase.readings:
        if all(step.needle in text.hits for step in reading):
            for firsts in text.hits[reading[0].needle].values():
                for first, score in firsts:
                    if not overlaps(first.start, first.end, covered):
                        yield from _completions(reading, first, score, phrase.slop, text, covered)


def _completions(
    reading: tuple[Step, ...], first: Token, score: float, slop: int, text: FieldText, covered: Spans
) -> Iterable[Occurrence]:
    """Return the ways to go on from the first word.

    A state is (position reached, gaps used); it keeps the best sum of size times similarity.
    """
    total = sum(step.needle.size for step in reading)
    states = {(first.to, 0): (reading[0].needle.size * score, first.end)}
    for step in reading[1:]:
        following: dict[tuple[int, int], tuple[float, int]] = {}
        places = text.hits[step.needle]
        for (to, gaps), (reached, _) in states.items():
            room = 0 if step.is_tight else slop - gaps
            for gap in range(room + 1):
                for token, similar in places.get(to + gap, ()):
                    if token.sentence != first.sentence or overlaps(token.start, token.end, covered):
                        continue
                    value = (reached + step.needle.size * similar, token.end)
                    state = (token.to, gaps + gap)
                    if state not in following or value[0] > following[state][0]:
                        following[state] = value
        states = following
    for (to, gaps), (reached, end) in states.items():
        mean = reached / total - GAP_COST * gaps
        if mean > 0:
            yield Occurrence(text.name, first.at, to, first.start, end, round(mean, 2))


def _literals(literal: str, text: FieldText, covered: Spans) -> Iterable[Occurrence]:
    """Return where the text reads exactly so; hyphens and apostrophes of all kinds are alike."""
    places = (found.span() for found in _literal(literal).finditer(text.text, 0, MAX_TEXT))
    if not is_spaceless(literal[0]):
        places = (span for span in places if not _goes_on_before(text.text, span[0]))
    return _between(places, text, covered)


def _goes_on_before(text: str, at: int) -> bool:
    """True: a letter or digit stands there, perhaps with what nobody sees between."""
    while at and INVISIBLE.match(text[at - 1]):
        at -= 1
    return text[at - 1 : at].isalnum()


@lru_cache(maxsize=1_024)
def _literal(literal: str) -> re.Pattern[str]:
    letters = [_ALIKE.get(char, r"\s+" if char == " " else re.escape(char)) for char in literal]
    behind = "" if is_spaceless(literal[-1]) else rf"(?!(?:{INVISIBLE.pattern})?[^\W_])"
    return re.compile("[\u00ad\u200b]?".join(letters) + behind)


_ALIKE: Final = {"-": "[-\u2010\u2011]", "'": "['\u2019]", "\u2019": "['\u2019]"}


# ---- patterns ----------------------------------------------------------------------------------


def _patterns(pattern: Pattern, text: FieldText, covered: Spans) -> Iterable[Occurrence]:
    return _between(find_all(pattern.text, text.text), text, covered)


def _between(spans: Iterable[tuple[int, int]], text: FieldText, covered: Spans) -> Iterable[Occurrence]:
    """Return the spans as occurrences, with the positions of the words that they touch.

    One that touches no word stands where the next word does, or behind the last.
    """
    words = list(text.words.values())
    starts = [token.start for token in words]
    ends = [token.end for token in words]
    behind = words[-1].to if words else 0
    for start, end in spans:
        if not overlaps(start, end, covered):
            first, last = bisect_right(ends, start), bisect_left(starts, end) - 1
            at = words[first].at if first < len(words) else behind
            to = words[last].to if 0 <= last < len(words) else at + 1
            yield Occurrence(text.name, at, max(to, at + 1), start, end, EQUAL)
