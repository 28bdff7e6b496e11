"""Where a term stands in a field: every way to put the field's words in the term's places is tried."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise, product

from bot.core.patterns import find_all
from bot.core.terms import Name, Needle, Pattern, Phrase, Step, Term
from bot.core.text import INVISIBLE, MAX_TEXT, Token, is_spaceless
from tests.brute.fields import Field, Place, Spans, best_of_each_beginning, covers
from tests.brute.people import names

GAP_COST = 5.0

Alike = Callable[[Needle, Token], float]  # a word of a term, a word of a text: 0 to 100


def places(term: Term, field: Field, hidden: Spans, alike: Alike) -> list[Place]:
    """Return where the term stands once what is hidden is taken out of the text."""
    match term:
        case Phrase() if term.literal:
            found: Iterable[Place] = _as_spans(literals(term.literal, field.text), field, hidden)
        case Phrase():
            found = phrases(term, field, hidden, alike)
        case Name():
            found = names(term, field, hidden, alike)
        case Pattern():
            found = _as_spans(find_all(term.text, field.text), field, hidden)
    return best_of_each_beginning(found)


def phrases(phrase: Phrase, field: Field, hidden: Spans, alike: Alike) -> Iterator[Place]:
    """Return every place of every reading. Hidden words are none of its words, but still stand between."""
    tokens = [token for token in field.tokens if not covers(hidden, token.start, token.end)]
    for reading in phrase.readings:
        options = [[token for token in tokens if alike(step.needle, token) > 0] for step in reading]
        for chosen in product(*options):
            score = phrase_score(reading, chosen, phrase.slop, alike)
            if score > 0:
                first, last = chosen[0], chosen[-1]
                yield Place(field.name, first.at, last.to, first.start, last.end, score)


def phrase_score(reading: tuple[Step, ...], chosen: tuple[Token, ...], slop: int, alike: Alike) -> float:
    """Return what these words, in this order, score as the phrase; 0: they are not it."""
    gaps = [right.at - left.to for left, right in pairwise(chosen)]
    in_order = all(gap >= 0 for gap in gaps) and sum(gaps) <= slop
    closed = all(gap == 0 for step, gap in zip(reading[1:], gaps, strict=True) if step.is_tight)
    if not in_order or not closed or len({token.sentence for token in chosen}) > 1:
        return 0.0
    size = sum(step.needle.size for step in reading)
    whole = sum(
        step.needle.size * alike(step.needle, token) for step, token in zip(reading, chosen, strict=True)
    )
    mean = whole / size - GAP_COST * sum(gaps)
    return round(mean, 2) if mean > 0 else 0.0


# ---- what is no word: signs and patterns -------------------------------------------------------


def literals(literal: str, text: str) -> Iterator[tuple[int, int]]:
    """Return where the text reads so, sign by sign, from left to right and without overlaps.

    Hyphens are alike, and apostrophes; a blank is any white space; soft hyphens and zero-width spaces are
    passed over. No letter or digit stands on either side, except where the script has no spaces.
    """
    start = 0
    while start < min(len(text), MAX_TEXT):
        end = _read_literal(literal, text, start)
        if end is None:
            start += 1
        else:
            yield start, end
            start = end


def _read_literal(literal: str, text: str, start: int) -> int | None:
    """Return where the literal ends that begins there."""
    if not is_spaceless(literal[0]) and INVISIBLE.sub("", text[:start])[-1:].isalnum():
        return None
    at = start
    for index, sign in enumerate(literal):
        if index and text[at : at + 1] in {"\u00ad", "\u200b"}:
            at += 1
        if at == len(text) or not _same_sign(sign, text[at]):
            return None
        at += 1
        while sign == " " and text[at : at + 1].isspace():
            at += 1
    if at > MAX_TEXT or (not is_spaceless(literal[-1]) and INVISIBLE.sub("", text[at:])[:1].isalnum()):
        return None
    return at


def _same_sign(sign: str, other: str) -> bool:
    alike = ("-\u2010\u2011", "'\u2019")
    return sign == other or (sign == " " and other.isspace()) or any(sign in a and other in a for a in alike)


def _as_spans(spans: Iterable[tuple[int, int]], field: Field, hidden: Spans) -> Iterator[Place]:
    """Return the spans that nothing hides, at the positions of the words that they touch.

    One that touches no word stands where the next word does, or behind the last.
    """
    words = field.words
    for start, end in spans:
        if not covers(hidden, start, end):
            touched = [word for word in words if word.start < end and start < word.end]
            behind = [word.at for word in words if word.start >= end]
            last = words[-1].to if words else 0
            at = touched[0].at if touched else (behind or [last])[0]
            to = touched[-1].to if touched else at + 1
            yield Place(field.name, at, to, start, end, 100.0)
