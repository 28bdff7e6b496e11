"""Terms as operators write them, and topics made of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from bot.core.expressions import AnyOf, Leaf
from bot.core.match import DEFAULT_FIELDS, TopicRule
from bot.core.terms import Term, read_name, read_phrase
from bot.model import TopicId

PER_TOPIC: Final = 10  # terms


class Said(NamedTuple):
    """A term as an operator writes it."""

    text: str
    language: str  # empty: under no language key
    is_name: bool = False

    def read(self) -> Term:
        """Return what it means.

        Raises:
            TermInvalid: It can be no term.
        """
        return read_name(self.text) if self.is_name else read_phrase(self.text, self.language)


def rules(terms: Sequence[Term]) -> list[TopicRule]:
    """Return topics of PER_TOPIC of these terms each."""
    leaves = [Leaf(term, DEFAULT_FIELDS) for term in terms]
    return [
        TopicRule(id=TopicId(f"topic-{start}"), match=AnyOf(tuple(leaves[start : start + PER_TOPIC])))
        for start in range(0, len(leaves), PER_TOPIC)
    ]
