"""The one place where SQLite's and PostgreSQL's words are told apart."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import AsyncConnection


def insert(connection: AsyncConnection, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT that takes `on_conflict_do_update` and `on_conflict_do_nothing`."""
    return insert_by(connection.dialect, table)


def insert_by(dialect: Dialect, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """Return what `insert` returns."""
    return postgresql.insert(table) if dialect.name == "postgresql" else sqlite.insert(table)


def each_pair(
    dialect: Dialect, name: str
) -> tuple[sa.TableValuedAlias, sa.ColumnElement[str], sa.ColumnElement[str]]:
    """Return a table of pairs of texts, and its two columns; the parameter of that name is a list of them.

    One parameter for any number of pairs: a statement with thousands is compiled anew each time.
    """
    every = sa.func.json_array_elements if dialect.name == "postgresql" else sa.func.json_each
    pairs = every(sa.bindparam(name, type_=sa.JSON)).table_valued("value", name=name)
    first, second = (
        pairs.c.value.op("->>", return_type=sa.Text())(sa.literal_column(place)) for place in "01"
    )
    return pairs, first, second


async def new_ids(connection: AsyncConnection, table: sa.Table, count: int) -> range | list[int]:
    """Return numbers for that many new rows, rising; the caller's transaction must be one that writes.

    With numbers of its own a row needs no RETURNING, which costs several times as much as the insert.
    """
    if connection.dialect.name == "sqlite":  # one writer at a time, so nobody comes in between
        highest = (await connection.execute(sa.select(sa.func.max(table.c.id)))).scalar_one() or 0
        return range(highest + 1, highest + 1 + count)
    sequence = sa.func.pg_get_serial_sequence(table.name, "id")
    query = sa.select(sa.func.nextval(sequence)).select_from(sa.func.generate_series(1, count))
    return sorted((await connection.execute(query)).scalars())
