"""What drivers are told of many rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from bot.store.bulk import Bulk
from bot.store.dialect import insert_by
from bot.store.schema import METADATA, Seconds, Utc

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
BERLIN = timezone(timedelta(hours=1))

things = sa.Table(
    "things",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", Utc),
    sa.Column("wait", Seconds),
    sa.Column("tags", sa.JSON),
)
ADD = Bulk(lambda _: sa.insert(things), ("id", "tags", "at", "wait"))
MOVE = Bulk(
    lambda _: (
        sa.update(things)
        .where(things.c.id == sa.bindparam("number"))
        .values(at=sa.bindparam("to"), wait=sa.bindparam("wait"))
    ),
    ("number", "wait", "to"),
)
SQLITE, POSTGRES, BY_NAME = (
    sa.make_url(f"{name}://").get_dialect()()
    for name in ("sqlite+aiosqlite", "postgresql+asyncpg", "postgresql+psycopg2")
)
ROW = (1, ("a", "б"), NOON, timedelta(minutes=1))


def test_no_rows_are_nothing_to_tell() -> None:
    assert ADD.told(SQLITE, [])[1] == []


def test_values_are_converted_by_the_types_of_their_columns() -> None:
    told = ADD.told(SQLITE, [ROW, (2, ("a",), NOON.astimezone(BERLIN), None)])

    noon = "2026-11-22 12:00:00.000000"
    assert told == (
        "INSERT INTO things (id, at, wait, tags) VALUES (?, ?, ?, ?)",
        [(1, noon, 60.0, '["a", "\\u0431"]'), (2, noon, None, '["a"]')],
    )


def test_rows_come_in_the_order_that_the_statement_has_its_parameters_in() -> None:
    sql, told = MOVE.told(SQLITE, [(7, timedelta(seconds=5), None)])

    assert (sql, told) == ("UPDATE things SET at=?, wait=? WHERE things.id = ?", [(None, 5.0, 7)])


@pytest.mark.parametrize(
    ("dialect", "parameters"),
    [
        (POSTGRES, [(1, NOON, 60.0, '["a", "\\u0431"]')]),
        (BY_NAME, [{"id": 1, "at": NOON, "wait": 60.0, "tags": '["a", "\\u0431"]'}]),
    ],
    ids=["by number", "by name"],
)
def test_a_driver_of_postgresql_is_told_in_its_own_way(dialect: Dialect, parameters: list[object]) -> None:
    sql, told = ADD.told(dialect, [ROW])

    assert told == parameters
    assert "RETURNING" not in sql


def test_a_time_without_a_zone_is_a_bug() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        ADD.told(SQLITE, [(1, (), datetime(2026, 11, 22), None)])  # noqa: DTZ001  # the case


def test_rows_of_different_lengths_are_a_bug() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ADD.told(SQLITE, [ROW, (2, ())])


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRES], ids=["sqlite", "postgresql"])
def test_what_is_known_already_may_be_passed_over(dialect: Dialect) -> None:
    keys = METADATA.tables["item_keys"]
    keep = Bulk(lambda one: insert_by(one, keys).on_conflict_do_nothing(), ("feed_id", "key"))

    assert "ON CONFLICT DO NOTHING" in keep.told(dialect, [("herald", "guid:1")])[0]
