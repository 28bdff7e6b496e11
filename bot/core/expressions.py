"""Expressions over terms: which hold for an item, and by what evidence."""

from __future__ import annotations

from bisect import bisect_left
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


def evaluate(expression: Expression, find: Find) -> Evidence | None:
    """Return the evidence that the expression holds; None: it does not. NoneOf gives no evidence."""
    match expression:
        case Leaf():
            found = find(expression)
            return {expression: list(found)} if found else None
        case AnyOf(children):
            parts = [part for part in (evaluate(child, find) for child in children) if part is not None]
            return _united(parts) if parts else None
        case AllOf(children):
            return _all_of(children, find)
        case NoneOf(child):
            return {} if evaluate(child, find) is None else None
        case AtLeast(count, children):
            parts = [part for part in (evaluate(child, find) for child in children) if part is not None]
            evidence = _united(parts)
            different = {identity(leaf.term) for leaf in evidence}
            return evidence if len(different) >= count else None
        case Near():
            return _near(expression, find) or None


def _all_of(children: Sequence[Expression], find: Find) -> Evidence | None:
    parts = []
    for child in children:
        part = evaluate(child, find)
        if part is None:
            return None
        parts.append(part)
    return _united(parts)


def _united(parts: Sequence[Evidence]) -> Evidence:
    united: dict[Leaf, dict[Occurrence, None]] = {}
    for part in parts:
        for leaf, found in part.items():
            united.setdefault(leaf, {}).update(dict.fromkeys(found))
    return {leaf: list(found) for leaf, found in united.items()}


# ---- near --------------------------------------------------------------------------------------

_Place = tuple[int, int, Leaf, Occurrence]  # at, to


def _near(near: Near, find: Find) -> Evidence:
    sides = [evaluate(child, find) or {} for child in near.children]
    fields = {one.field for found in sides[0].values() for one in found}
    evidence: dict[Leaf, dict[Occurrence, None]] = {}
    for field in sorted(fields):
        lists = [_places(side, field) for side in sides]
        if all(lists):
            for window in _windows(lists, near.within, near.ordered):
                for _, _, leaf, one in window:
                    evidence.setdefault(leaf, {})[one] = None
    return {leaf: list(found) for leaf, found in evidence.items()}


def _places(side: Evidence, field: str) -> list[_Place]:
    return sorted(
        ((one.at, one.to, leaf, one) for leaf, found in side.items() for one in found if one.field == field),
        key=lambda place: place[:2],
    )


def _windows(lists: list[list[_Place]], within: int, ordered: bool) -> Iterator[list[_Place]]:
    """Return, for each place that may be the first, the window of the earliest places of the others.

    Each of the others begins behind the first (behind its forerunner, if ordered).
    """
    for index in [0] if ordered else range(len(lists)):
        others = lists[:index] + lists[index + 1 :]
        for first in lists[index]:
            window = [first]
            border = first[1]
            for other in others:
                place = _earliest(other, border)
                if place is None or place[0] - first[1] > within:
                    break
                window.append(place)
                border = place[1] if ordered else border
            else:
                yield window


def _earliest(places: list[_Place], border: int) -> _Place | None:
    index = bisect_left(places, border, key=lambda place: place[0])
    return places[index] if index < len(places) else None


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
