"""The table of names: every row of tests/golden/names.yaml, and how well all of them are told apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from bot.core.expressions import Leaf
from bot.core.match import DEFAULT_FIELDS, Matcher, TopicRule
from bot.core.terms import read_name
from bot.lexicon import Lexicon, open_lexicon
from bot.model import FeedId, Item, TopicId

TABLE = Path(__file__).resolve().parents[1] / "golden" / "names.yaml"
# Precision and recall as measured, the rows that are known to go wrong among them; they may rise, never fall.
FLOORS = {"tuned": (0.975, 0.98), "heldout": (0.97, 0.965), "fresh": (0.98, 0.965)}
MOST_KNOWN = 0.05  # the share of rows that may be known to go wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A text, and whether the name stands in it."""

    name: str
    half: str  # one of FLOORS
    country: str
    language: str
    source: str
    text: str
    is_match: bool
    known: str  # why the row goes wrong; empty: it holds

    @property
    def id(self) -> str:
        """Return what pytest shows."""
        return f"{self.name} {'=' if self.is_match else '≠'} {self.text}"


def _rows() -> Iterator[Row]:
    for one in YAML(typ="safe").load(TABLE.read_text(encoding="utf-8"))["names"]:
        for kind in ("match", "no_match"):
            for language, source, text, *known in one[kind]:
                yield Row(
                    name=one["name"],
                    half=one["half"],
                    country=one["country"],
                    language=language,
                    source=source,
                    text=text,
                    is_match=kind == "match",
                    known="".join(known),
                )


ROWS = tuple(_rows())


@lru_cache(maxsize=1)
def words() -> Lexicon:
    """Return the real word lists."""
    return open_lexicon()


@lru_cache(maxsize=256)
def _matcher(name: str) -> Matcher:
    leaf = Leaf(read_name(name), DEFAULT_FIELDS)
    return Matcher([TopicRule(id=TopicId("t"), match=leaf, min_score=0)], is_real=words())


def is_found(row: Row) -> bool:
    """True: the row's name is found in its text."""
    return bool(_matcher(row.name).match(Item(feed_id=FeedId("f"), title=row.text)))


def precision_and_recall(rows: Iterable[Row]) -> tuple[float, float]:
    """Return both, 0 to 1, over rows that hold and rows that are known not to."""
    tally = Counter((row.is_match, is_found(row)) for row in rows)
    right = tally[True, True]
    return right / (right + tally[False, True]), right / (right + tally[True, False])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_a_name_is_found_where_it_stands_and_nowhere_else(row: Row) -> None:
    is_right = is_found(row) is row.is_match

    if row.known:
        assert not is_right, f"it holds now; take the reason out of the table: {row.known}"
    else:
        assert is_right


@pytest.mark.parametrize(("half", "floors"), FLOORS.items())
def test_names_are_told_apart_as_well_as_measured(half: str, floors: tuple[float, float]) -> None:
    precision, recall = precision_and_recall(row for row in ROWS if row.half == half)

    assert precision >= floors[0]
    assert recall >= floors[1]


def test_the_table_is_large_and_half_of_it_are_others() -> None:
    others = sum(not row.is_match for row in ROWS)

    assert len(ROWS) >= 400
    assert others / len(ROWS) >= 0.5
    assert len({row.name for row in ROWS}) >= 40
    assert len({row.country for row in ROWS}) >= 15
    assert all(any(row.half == half for row in ROWS) for half in FLOORS)
    assert max(Counter((row.name, row.language, row.text) for row in ROWS).values()) == 1


def test_few_rows_are_known_to_go_wrong() -> None:
    assert sum(bool(row.known) for row in ROWS) <= MOST_KNOWN * len(ROWS)


def test_every_row_names_a_source_of_the_table_and_every_source_is_used() -> None:
    sources = YAML(typ="safe").load(TABLE.read_text(encoding="utf-8"))["sources"]

    assert {row.source for row in ROWS} == set(sources)
