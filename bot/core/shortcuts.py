"""Which children of a long expression are worth a look, given the terms that may stand in an item."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass
from typing import Final

from bot.core.expressions import AnyOf, AtLeast, Expression, branches, needed_terms
from bot.core.terms import Term

_SHORT: Final = 4  # children that are looked at one by one as fast


@dataclass(frozen=True, slots=True)
class _Children:
    always: frozenset[int]  # may hold without a term
    of_term: dict[int, list[int]]  # by the number of a term that one of them needs


class Shortcuts:
    """The children of expressions by the terms that they cannot do without. Immutable once made."""

    def __init__(self, expressions: Iterable[Expression], number: Callable[[Term], int]) -> None:
        """Index the expressions, which must live as long as this does.

        Args:
            number: Returns a term's number, as `likely` is given them.
        """
        self._kept = tuple(expressions)
        self._children = {
            id(branch): _indexed(branch, number)
            for expression in self._kept
            for branch in branches(expression)
            if len(branch.children) > _SHORT
        }

    def likely(self, expression: AnyOf | AtLeast, possible: Set[int]) -> Sequence[Expression]:
        """Return the children, in order, that may hold where only these terms may stand."""
        known = self._children.get(id(expression))
        if known is None:
            return expression.children
        fewer, more = sorted((possible, known.of_term.keys()), key=len)
        chosen = set(known.always)
        for term in fewer:
            if term in more:
                chosen.update(known.of_term[term])
        return [expression.children[index] for index in sorted(chosen)]


def _indexed(branch: AnyOf | AtLeast, number: Callable[[Term], int]) -> _Children:
    always: set[int] = set()
    of_term: defaultdict[int, list[int]] = defaultdict(list)
    for index, child in enumerate(branch.children):
        needed = needed_terms(child)
        if needed is None:
            always.add(index)
        for term in needed or ():
            of_term[number(term)].append(index)
    return _Children(frozenset(always), dict(of_term))
