"""Warnings: rules that work, but perhaps not as their author thinks."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from bot.core.expressions import AnyOf, Expression, Leaf, evaluate
from bot.core.finder import Finder, Sight
from bot.core.match import TopicRule, item_score
from bot.core.places import Occurrence
from bot.core.stems import has_stemmer
from bot.core.terms import (
    EQUAL,
    INFLECTED,
    NO_TYPOS,
    AffixNeedle,
    ExactNeedle,
    Name,
    NameNeedle,
    Phrase,
    Term,
    WordNeedle,
    needles_of,
)
from bot.core.text import is_spaceless
from bot.errors import Problem
from bot.model import FeedId, Item, TopicId
from bot.rules.building import Built, Entry, Written
from bot.rules.inline import Coverage, Outcome
from bot.rules.models import LANGUAGES
from bot.rules.surnames import bearers

SHORTEST_WILDCARD: Final = 4
LONGEST_ABBREVIATION: Final = 4
MAX_TWINS: Final = 8  # of one term with other weights or fields that are compared
SPACELESS: Final = frozenset(("zh", "ja", "ko", "th", "lo", "km", "my"))  # no word borders, no endings
UNINFLECTED: Final = frozenset(("vi",))
WEAKLY_STEMMED: Final = frozenset(("ar", "ca", "et"))  # under half of tests/golden/inflections.yaml
_FORMS_UNKNOWN: Final = WEAKLY_STEMMED.union(
    code for code in LANGUAGES - SPACELESS - UNINFLECTED if not has_stemmer(code)
)
_WORD: Final = re.compile(r"[^\W\d_]+")


def lint(
    built: Built,
    coverage: Sequence[Coverage],
    outcomes: Sequence[Outcome],
    archive: Iterable[str] | None = None,
) -> Iterator[Problem]:
    """Return the warnings about a set that is otherwise right.

    Args:
        archive: Titles and summaries of stored items; None: not told, and W110 is not looked for.
    """
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
    yield from _without_stemmer(built.written)
    if archive is not None:
        yield from _bare_surnames(built, archive)


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
    first: dict[tuple[object, ...], int] = {}  # equals are compared with others once
    twins: dict[int, int] = {}
    for place, one in enumerate(group):
        leaf = one.leaf
        twin = first.setdefault((leaf.term, one.language, leaf.fields, leaf.weight), place)
        if twin != place:
            twins[place] = twin
    covering = _covering(group, list(first.values()))
    for place, one in enumerate(group):
        wider = [twins[place]] if place in twins else covering[place]
        real = sorted(other for other in wider if other < place or place not in covering[other])
        if real:
            message = f"`{one.text}` finds nothing that `{group[real[0]].text}` does not find"
            yield one.source.problem(one.path, "W104", message)


def _covering(group: Sequence[Written], places: Sequence[int]) -> dict[int, set[int]]:
    """Return which terms find what a term of the group finds; both by their place in it."""
    plain = {place: _without_typos(group[place].leaf) for place in places}
    finder = Finder((leaf.term for leaf in plain.values()), lambda *_: True)
    same: defaultdict[tuple[int, str], list[int]] = defaultdict(list)  # of a term under a language key
    for place, leaf in plain.items():
        same[finder.number(leaf.term), group[place].language].append(place)
    covering: dict[int, set[int]] = {}
    for place, leaf in plain.items():
        language = group[place].language
        sight = _own_words(finder, leaf.term)
        near = [other for number in sight.possible for other in same[number, language][:MAX_TWINS]]
        covering[place] = {other for other in near if other != place and _covers(sight, plain[other], leaf)}
    return covering


def _without_typos(leaf: Leaf) -> Leaf:
    """Return the leaf with a term that finds no typos, which are not asked for here and cost much."""
    term = leaf.term
    if not isinstance(term, Phrase):
        return leaf
    readings = tuple(
        tuple(
            replace(step, needle=replace(step.needle, fuzzy=NO_TYPOS))
            if isinstance(step.needle, WordNeedle)
            else step
            for step in reading
        )
        for reading in term.readings
    )
    return replace(leaf, term=replace(term, readings=readings))


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
    if _is_exact(wide.term) and not _is_exact(narrow.term):
        return False  # nor does an exact term find what differs in case or a sign
    if _has_wildcard(narrow.term) and not _has_wildcard(wide.term):
        return False  # a wildcard finds words that a term without one does not
    found = sight.find(Leaf(wide.term, frozenset({"title"})))
    return any(one.score >= INFLECTED for one in found)


def _is_exact(term: Term) -> bool:
    return isinstance(term, Phrase) and term.text.startswith("=")


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
    """Warn of terms that no test reaches; of a topic without `match` tests once."""
    untested = {entry.topic.id: entry for entry in built.entries if not entry.model.tests.match}
    for topic, entry in untested.items():
        message = f"`{topic}` has no `match` tests; add titles that it must find"
        yield entry.source.problem((*entry.path, "tests"), "W131", message, key=True)
    unreached = {(one.topic, one.term) for one in coverage if one.found == 0 and one.topic not in untested}
    for written in built.written:
        if (written.topic, written.leaf.term.text) in unreached:
            message = f"no `match` test of `{written.topic}` reaches `{written.text}`"
            yield written.source.problem(written.path, "W131", message)


# ---- languages ---------------------------------------------------------------------------------


def _without_stemmer(every: Iterable[Written]) -> Iterator[Problem]:
    """Warn once a topic and language of terms whose other forms are not found."""
    found: dict[tuple[str, str], list[Written]] = {}
    for one in every:
        if one.language in _FORMS_UNKNOWN and _inflects(one):
            found.setdefault((one.topic, one.language), []).append(one)
    for (_, language), terms in found.items():
        first = terms[0]
        others = f" and {len(terms) - 1} more" if len(terms) > 1 else ""
        lack = "has only a weak stemmer: many" if language in WEAKLY_STEMMED else "has no stemmer:"
        message = (
            f"`{language}` {lack} inflected forms of `{first.text}`{others} are not found; "
            "use wildcards or list the forms"
        )
        yield first.source.problem(first.path, "W109", message)


def _inflects(written: Written) -> bool:
    """True: the term is of words that have other forms, none of them with a wildcard."""
    term = written.leaf.term
    if not isinstance(term, Phrase):
        return False
    needles = list(needles_of(term))
    return any(isinstance(n, WordNeedle) for n in needles) and not _has_wildcard(term)


# ---- surnames ----------------------------------------------------------------------------------


def _bare_surnames(built: Built, archive: Iterable[str]) -> Iterator[Problem]:
    """Warn of surnames that are enough for a topic and that several people bear."""
    bare: list[tuple[Written, NameNeedle]] = []
    rules = {entry.topic.id: entry.rule for entry in built.entries}
    for one in built.written:
        term = one.leaf.term
        if isinstance(term, Name) and len(term.words) == 1 and one.topic in rules:
            rule = rules[TopicId(one.topic)]
            if _is_enough(rule, one.leaf):
                bare.append((one, term.words[0]))
    known = bearers((needle for _, needle in bare), archive)
    for written, needle in bare:
        if needle in known:
            told = known[needle]
            some = ", ".join(told.given[:3]) + (" and others" if len(told.given) > 3 else "")
            items = "1 stored item" if told.texts == 1 else f"{told.texts} stored items"
            message = (
                f"`{written.text}` stands beside {some} in {items}; add the given name or `near` context"
            )
            yield written.source.problem(written.path, "W110", message)


def _is_enough(rule: TopicRule, leaf: Leaf) -> bool:
    """True: the topic matches a title in which nothing but this term stands."""
    place = Occurrence("title", 0, 1, 0, 1, EQUAL)
    found = {leaf.term: [place]}
    evidence = evaluate(rule.match, lambda other: found.get(other.term, ()))
    return bool(evidence) and item_score(evidence or {}) >= rule.min_score
