"""Expressions over terms: which hold for an item, and by what evidence."""

from __future__ import annotations

import sys
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bot.core.places import Occurrence
from bot.core.terms import Name, Pattern, Phrase, Term, WordNeedle


@dataclass(frozen=True, slots=True)
class Leaf:
    """A term where it may be found."""

    term: Term
    fields: frozenset[str]
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Holds when one of them does."""

    children: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """Holds when each of them does."""

    children: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class NoneOf:
    """Holds when it does not."""

    child: Expression


@dataclass(frozen=True, slots=True)
class AtLeast:
    """Holds when that many different terms are found."""

    count: int
    children: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Near:
    """Holds when each is found in one field, the last beginning at most `within` words after the first."""

    children: tuple[Expression, ...]  # of leaves and AnyOf
    within: int
    ordered: bool = False


Expression = Leaf | AnyOf | AllOf | NoneOf | AtLeast | Near
Evidence = dict[Leaf, list[Occurrence]]
Find = Callable[[Leaf], Sequence[Occurrence]]
Likely = Callable[["AnyOf | AtLeast"], Sequence[Expression]]


def every_child(expression: AnyOf | AtLeast) -> Sequence[Expression]:
    """Return all children: nothing is known of which may hold."""
    return expression.children


def evaluate(expression: Expression, find: Find, likely: Likely = every_child) -> Evidence | None:
    """Return the evidence that the expression holds; None: it does not. NoneOf gives no evidence.

    Args:
        likely: Returns, in order, the children that may hold; those it leaves out do not.
    """
    match expression:
        case Leaf():
            found = find(expression)
            return {expression: list(found)} if found else None
        case AnyOf():
            parts = _holding(expression, find, likely)
            return _united(parts) if parts else None
        case AllOf(children):
            return _all_of(children, find, likely)
        case NoneOf(child):
            return {} if evaluate(child, find, likely) is None else None
        case AtLeast(count):
            evidence = _united(_holding(expression, find, likely))
            different = {identity(leaf.term) for leaf in evidence}
            return evidence if len(different) >= count else None
        case Near():
            return _near(expression, find, likely) or None


def _holding(expression: AnyOf | AtLeast, find: Find, likely: Likely) -> list[Evidence]:
    parts = (evaluate(child, find, likely) for child in likely(expression))
    return [part for part in parts if part is not None]


def _all_of(children: Sequence[Expression], find: Find, likely: Likely) -> Evidence | None:
    parts = []
    for child in children:
        part = evaluate(child, find, likely)
        if part is None:
            return None
        parts.append(part)
    return _united(parts)


def _united(parts: Sequence[Evidence]) -> Evidence:
    """Return the evidence of all parts: leaves in the rule's order, places in the text's."""
    if len(parts) == 1:
        return parts[0]
    united: dict[Leaf, set[Occurrence]] = {}
    for part in parts:
        for leaf, found in part.items():
            united.setdefault(leaf, set()).update(found)
    return {leaf: sorted(found, key=_by_place) for leaf, found in united.items()}


def _by_place(one: Occurrence) -> tuple[str, int]:
    return one.field, one.start


# ---- near --------------------------------------------------------------------------------------

_Place = tuple[int, int, Leaf, Occurrence]  # at, to


def _near(near: Near, find: Find, likely: Likely) -> Evidence:
    children: list[Evidence] = []
    for child in near.children:
        part = evaluate(child, find, likely)
        if not part:
            return {}
        children.append(part)
    united: dict[Leaf, set[Occurrence]] = {leaf: set() for child in children for leaf in child}
    for field in {one.field for found in children[0].values() for one in found}:
        sides = [_places(child, field) for child in children]
        for group in _groups(sides, near.within, near.ordered):
            for _, _, leaf, one in group:
                united[leaf].add(one)
    return {leaf: sorted(found, key=_by_place) for leaf, found in united.items() if found}


def _places(side: Evidence, field: str) -> list[_Place]:
    """Return a child's places in the field, those that begin first, first."""
    found = ((one.at, one.to, leaf, one) for leaf, spots in side.items() for one in spots)
    return sorted((place for place in found if place[3].field == field), key=_begin)


def _begin(place: _Place) -> int:
    return place[0]


def _groups(sides: list[list[_Place]], within: int, ordered: bool) -> Iterator[list[_Place]]:
    """Return, for each place that may be the first, all that stand with it: it, and those of the others.

    That each counts, and not the nearest alone, is why more evidence never lowers the score.
    """
    for index in [0] if ordered else range(len(sides)):
        others = sides[:index] + sides[index + 1 :]
        for first in sides[index]:
            close = [_beginning(other, first[1], first[1] + within) for other in others]
            if ordered:
                close = _in_order(close, first[1])
            if all(close):
                yield [first, *(place for some in close for place in some)]


def _beginning(places: list[_Place], least: int, most: int) -> list[_Place]:
    """Return those that begin there, both positions included."""
    return places[bisect_left(places, least, key=_begin) : bisect_right(places, most, key=_begin)]


def _in_order(sides: list[list[_Place]], border: int) -> list[list[_Place]]:
    """Return of each side the places that are part of a row, one of each side, none beginning in another."""
    reached = []
    for side in sides:  # from the first on: which can be reached
        reached.append([place for place in side if place[0] >= border])
        border = min((place[1] for place in reached[-1]), default=sys.maxsize)
    kept: list[list[_Place]] = []
    border = sys.maxsize
    for side in reversed(reached):  # and from the last back: from which the end is reached
        kept.insert(0, [place for place in side if place[1] <= border])
        border = max((place[0] for place in kept[0]), default=-1)
    return kept


# ---- questions about expressions ---------------------------------------------------------------


def identity(term: Term) -> object:
    """Return what makes a term different from others: spellings in several languages may be one term."""
    match term:
        case Phrase():
            readings = tuple(
                tuple(n.folds if isinstance(n := step.needle, WordNeedle) else n for step in reading)
                for reading in term.readings
            )
            return readings, term.literal
        case Name():
            return tuple(needle.keys for needle in term.words)
        case Pattern():
            return term.text


def leaves(expression: Expression, *, positive: bool = False) -> Iterator[Leaf]:
    """Return the leaves in order; `positive`: only those that can be evidence."""
    match expression:
        case Leaf():
            yield expression
        case NoneOf(child):
            if not positive:
                yield from leaves(child)
        case AnyOf(children) | AllOf(children) | AtLeast(_, children) | Near(children):
            for child in children:
                yield from leaves(child, positive=positive)


def needs_evidence(expression: Expression) -> bool:
    """True: the expression can hold only where some term is found."""
    match expression:
        case Leaf() | Near():
            return True
        case NoneOf():
            return False
        case AnyOf(children):
            return bool(children) and all(map(needs_evidence, children))
        case AllOf(children):
            return any(map(needs_evidence, children))
        case AtLeast(count):
            return count > 0


def branches(expression: Expression) -> Iterator[AnyOf | AtLeast]:
    """Return the expressions of several children inside it, itself included, of which some may hold."""
    match expression:
        case NoneOf(child):
            yield from branches(child)
        case AnyOf(children) | AllOf(children) | AtLeast(_, children) | Near(children):
            if isinstance(expression, AnyOf | AtLeast):
                yield expression
            for child in children:
                yield from branches(child)
        case Leaf():
            return


def needed_terms(expression: Expression) -> tuple[Term, ...] | None:
    """Return terms of which at least one is found wherever the expression holds; None: it may without any."""
    return _triggers(expression)


def triggers(expression: Expression) -> tuple[Term, ...]:
    """Return terms of which at least one is found wherever the expression holds by evidence.

    Of the children of `all` and `near` the seldomest is enough, so that a topic is not looked at for a
    common word alone.
    """
    found = _triggers(expression)
    return found if found is not None else tuple(leaf.term for leaf in leaves(expression, positive=True))


def _triggers(expression: Expression) -> tuple[Term, ...] | None:
    """Return the triggers; None: the expression may hold without any term."""
    match expression:
        case Leaf():
            return (expression.term,)
        case NoneOf():
            return None
        case AllOf(children) | Near(children):
            options = [option for child in children if (option := _triggers(child)) is not None]
            return min(options, key=lambda terms: sum(map(_commonness, terms)), default=None)
        case AnyOf(children) | AtLeast(_, children):
            parts = [_triggers(child) for child in children]
            whole = [part for part in parts if part is not None]
            return tuple(term for part in whole for term in part) if len(whole) == len(parts) else None


def _commonness(term: Term) -> float:
    """Return a guess how common a term is: long ones and those of several words are seldom."""
    match term:
        case Phrase():
            return float(1 / max(1, len(term.text)) ** len(term.readings[0]))
        case Name():
            return 0.01
        case Pattern():
            return 1.0
