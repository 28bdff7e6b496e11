"""One statement for many rows, handed to the driver as tuples."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import AsyncConnection

Statement = sa.Insert | sa.Update
Row = tuple[Hashable, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    """A statement in the words of one driver."""

    sql: str
    converters: tuple[tuple[int, Callable[[Any], Any]], ...]  # by the place of their column in a row
    order: tuple[int, ...]  # which places of a row the driver wants, in its order; some twice
    names: tuple[str, ...] | None  # of the parameters, where the driver wants them named


class Bulk:
    """An INSERT or UPDATE that is compiled once, and writes rows by the hundred.

    SQLAlchemy's own way makes a dict of each row and converts it value by value, which costs three times what
    the database takes for the rest. Here equal values of a column (a time that stands in each row) are
    converted once, by what the column's type itself converts with.
    """

    def __init__(self, make: Callable[[Dialect], Statement], names: Sequence[str]) -> None:
        """Take a statement and the names of its parameters, in the order in which rows have their values.

        Args:
            make: Returns the statement for a dialect; for an INSERT, its parameters are columns.
        """
        self._make = make
        self._names = tuple(names)
        self._ready: dict[tuple[str, str], _Ready] = {}  # by dialect and driver

    async def execute(self, connection: AsyncConnection, rows: Iterable[Row]) -> None:
        """Write the rows; none: nothing is done."""
        sql, told = self.told(connection.dialect, rows)
        if told:
            await connection.exec_driver_sql(sql, told)

    def told(self, dialect: Dialect, rows: Iterable[Row]) -> tuple[str, list[Any]]:
        """Return what a driver is told: the statement, and the parameters of each row."""
        key = dialect.name, dialect.driver
        if key not in self._ready:
            self._ready[key] = self._compiled(dialect)
        ready = self._ready[key]
        columns: list[Sequence[Any]] = [*zip(*rows, strict=True)]
        if not columns:
            return ready.sql, []
        for place, convert in ready.converters:
            known = {value: convert(value) for value in set(columns[place])}
            columns[place] = [known[value] for value in columns[place]]
        told = zip(*[columns[place] for place in ready.order], strict=True)
        if ready.names is None:
            return ready.sql, [*told]
        return ready.sql, [dict(zip(ready.names, row, strict=True)) for row in told]

    def _compiled(self, dialect: Dialect) -> _Ready:
        compiled = self._make(dialect).inline().compile(dialect=dialect, column_keys=self._names)
        types = [compiled.binds[name].type.dialect_impl(dialect) for name in self._names]
        converters = [(place, one.bind_processor(dialect)) for place, one in enumerate(types)]
        names = tuple(compiled.positiontup or self._names)
        return _Ready(
            sql=str(compiled),
            converters=tuple((place, convert) for place, convert in converters if convert is not None),
            order=tuple(self._names.index(name) for name in names),
            names=None if compiled.positional else names,
        )
