"""Warnings: rules that work, but perhaps not as their author thinks."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from bot.core.expressions import AnyOf, Expression, Leaf
from bot.core.finder import Finder, Sight
from bot.core.terms import INFLECTED, AffixNeedle, ExactNeedle, Name, Phrase, Term, WordNeedle, needles_of
from bot.core.text import is_spaceless
from bot.errors import Problem
from bot.model import FeedId, Item, TopicId
from bot.rules.building import Built, Entry, Written
from bot.rules.inline import Coverage, Outcome

SHORTEST_WILDCARD: Final = 4
LONGEST_ABBREVIATION: Final = 4
_WORD: Final = re.compile(r"[^\W\d_]+")


def lint(built: Built, coverage: Sequence[Coverage], outcomes: Sequence[Outcome]) -> Iterator[Problem]:
    """Return the warnings about a set that is otherwise right."""
    for one in built.written:
        if isinstance(one.leaf.term, Phrase | Name):
            yield from _about_term(one)
    by_leaf = {id(one.leaf): one for one in built.written}
    by_topic: defaultdict[TopicId, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_topic[outcome.topic].append(outcome)
    for entry in built.entries:
        yield from _about_tests(entry, by_topic[entry.topic.id])
        for group in _groups(entry.rule.match):
            written = [by_leaf[id(leaf)] for leaf in group if id(leaf) in by_leaf]
            places = {_place(one): one for one in written if isinstance(one.leaf.term, Phrase)}
            yield from _covered_terms(list(places.values()))
    yield from _unreached(built, coverage)


def _place(one: Written) -> tuple[object, ...]:
    """Return what tells a written term; a list that is used twice holds each of its terms once."""
    return one.source.file, one.path, one.language, one.leaf.fields


# ---- one term ----------------------------------------------------------------------------------


def _about_term(written: Written) -> Iterator[Problem]:
    def warn(code: str, message: str) -> Problem:
        return written.source.problem(written.path, code, message)

    text = written.text
    for word in _WORD.findall(text):
        scripts = _scripts(word)
        if len(scripts) > 1:
            yield warn("W105", f"`{word}` mixes {' and '.join(scripts)} letters; retype it in one script")
    if not isinstance(written.leaf.term, Phrase):
        return
    needles = [step.needle for step in written.leaf.term.readings[0]]
    if any(isinstance(n, AffixNeedle) and n.size < SHORTEST_WILDCARD for n in needles):
        yield warn("W102", f"the wildcard `{text}` has under {SHORTEST_WILDCARD} letters and finds too much")
    if not written.language and any(isinstance(n, WordNeedle) for n in needles):
        message = f"`{text}` has no language key, so only this form is found; put it under one such as `en:`"
        yield warn("W106", message)
    if _is_abbreviation(text):
        yield warn("W107", f"`{text}` is short and finds other words in lower case; write `={text}`")


def _scripts(word: str) -> list[str]:
    """Return the alphabets in the word that have letters of the same look."""
    names = {unicodedata.name(char, "").split(" ")[0] for char in word}
    return sorted(name.capitalize() for name in names & {"LATIN", "CYRILLIC", "GREEK"})


def _is_abbreviation(text: str) -> bool:
    return (
        2 <= len(text) <= LONGEST_ABBREVIATION
        and text.isalpha()
        and text.isupper()
        and not is_spaceless(text)
    )


# ---- terms of one topic among themselves -------------------------------------------------------


def _covered_terms(group: Sequence[Written]) -> Iterator[Problem]:
    """Warn of a term whose every find is another's find too, in the same `any`."""
    finder = Finder((one.leaf.term for one in group), lambda *_: True)
    places: defaultdict[tuple[int, str], list[int]] = defaultdict(list)  # of a term under a language key
    for place, one in enumerate(group):
        places[finder.number(one.leaf.term), one.language].append(place)
    covering: dict[int, set[int]] = {}
    for place, one in enumerate(group):
        sight = _own_words(finder, one.leaf.term)
        near = [other for number in sight.possible() for other in places.get((number, one.language), ())]
        covering[place] = {
            other for other in near if other != place and _covers(sight, group[other].leaf, one.leaf)
        }
    for place, one in enumerate(group):
        wider = sorted(other for other in covering[place] if other < place or place not in covering[other])
        if wider:
            message = f"`{one.text}` finds nothing that `{group[wider[0]].text}` does not find"
            yield one.source.problem(one.path, "W104", message)


def _own_words(finder: Finder, term: Term) -> Sight:
    """Return how the other terms see a term as if it were a title."""
    is_comparable = isinstance(term, Phrase) and (
        is_spaceless(term.text) or not any(isinstance(n, ExactNeedle) for n in needles_of(term))
    )
    text = term.text.replace("*", "") if is_comparable else ""
    return Sight(finder, Item(feed_id=FeedId(""), title=text), frozenset({"title"}))


def _groups(expression: Expression) -> Iterator[list[Leaf]]:
    """Return the leaves that stand in one `any`, language maps opened."""
    match expression:
        case AnyOf():
            yield list(_alternatives(expression))
        case Leaf():
            return
        case _:
            children = getattr(expression, "children", ())
            for child in children:
                yield from _groups(child)


def _alternatives(expression: Expression) -> Iterator[Leaf]:
    match expression:
        case Leaf():
            yield expression
        case AnyOf(children):
            for child in children:
                yield from _alternatives(child)
        case _:
            return


def _covers(sight: Sight, wide: Leaf, narrow: Leaf) -> bool:
    """True: the wide term is found in the narrow one's own words, and with no less weight or room."""
    if wide.weight < narrow.weight or not narrow.fields <= wide.fields:
        return False
    if _has_wildcard(narrow.term) and not _has_wildcard(wide.term):
        return False  # a wildcard finds words that a term without one does not
    found = sight.find(Leaf(wide.term, frozenset({"title"})))
    return any(one.score >= INFLECTED for one in found)


def _has_wildcard(term: Term) -> bool:
    return any(isinstance(needle, AffixNeedle) for needle in needles_of(term))


# ---- tests -------------------------------------------------------------------------------------


def _about_tests(entry: Entry, outcomes: Sequence[Outcome]) -> Iterator[Problem]:
    source, path = entry.source, entry.path
    negatives = [outcome for outcome in outcomes if not outcome.wants_match]
    if not negatives:
        message = f"`{entry.topic.id}` has no `no_match` tests; add titles that it must not find"
        yield source.problem((*path, "tests"), "W130", message, key=True)
    if entry.rule.ignore is not None and not any(o.explanation.ignored for o in outcomes):
        yield source.problem((*path, "ignore"), "W120", "no test of the topic uses `ignore`", key=True)
    if entry.rule.unless is not None and not any(o.explanation.unless for o in negatives):
        yield source.problem((*path, "unless"), "W120", "no test of the topic uses `unless`", key=True)


def _unreached(built: Built, coverage: Sequence[Coverage]) -> Iterator[Problem]:
    unreached = {(one.topic, one.term) for one in coverage if one.found == 0}
    for written in built.written:
        if (written.topic, written.leaf.term.text) in unreached:
            message = f"no `match` test of `{written.topic}` reaches `{written.text}`"
            yield written.source.problem(written.path, "W131", message)
