"""How the database is opened: one writer, many readers, and its errors as ours."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.errors import StoreBroken, StoreBusy, StoreError

log = structlog.get_logger()

READERS = 4


class Database:
    """One database and its connections.

    SQLite takes one writer at a time, so there is one connection that writes, each transaction
    with BEGIN IMMEDIATE: a deferred one that upgrades itself fails at once when another writes.
    """

    def __init__(self, url: str, busy_timeout: timedelta = timedelta(seconds=5)) -> None:
        self.url = sa.make_url(url)
        self._busy_ms = int(busy_timeout.total_seconds() * 1000)
        if self.url.get_backend_name() == "sqlite":
            self._writer = self._sqlite(writes=True)
            self._reader = self._sqlite(writes=False)
        else:
            self._writer = self._reader = create_async_engine(self.url, pool_size=READERS + 1)

    @property
    def place(self) -> str:
        """Return where the database is, fit to be shown: no password in it."""
        return self.url.database or "" if self._is_sqlite else self.url.render_as_string(hide_password=True)

    @property
    def _is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    def _sqlite(self, *, writes: bool) -> AsyncEngine:
        engine = create_async_engine(
            self.url,
            pool_size=1 if writes else READERS,
            max_overflow=0,
            pool_timeout=self._busy_ms / 1000 * 6,
        )
        busy_ms = self._busy_ms

        @sa.event.listens_for(engine.sync_engine, "connect")
        def prepare(connection: Any, _record: object) -> None:
            connection.isolation_level = None  # BEGIN is ours to say, below
            cursor = connection.cursor()
            cursor.execute(f"PRAGMA busy_timeout={busy_ms}")
            cursor.execute("PRAGMA foreign_keys=ON")
            cursor.execute("PRAGMA synchronous=FULL")
            cursor.execute("PRAGMA journal_mode=WAL" if writes else "PRAGMA query_only=ON")
            cursor.close()

        @sa.event.listens_for(engine.sync_engine, "begin")
        def begin(connection: sa.Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

        return engine

    def find(self) -> None:
        """Find out whether the database is there, so that nobody makes one by looking into it.

        Raises:
            StoreBroken: It is not.
        """
        if self._is_sqlite and not Path(self.url.database or "").is_file():
            raise StoreBroken(f"{self.place}: no database is there; Topicwire makes it when it first runs")

    async def probe(self) -> None:
        """Find out whether the database can be opened at all, before the pools try; make it if need be.

        aiosqlite leaves a thread behind for each connection that fails to open. A new file is for its owner
        alone, since chats and credentials are in it; of one that strangers may read, the log speaks.

        Raises:
            StoreBroken: It cannot.
        """
        if self._is_sqlite:
            path = self.url.database or ":memory:"
            with translated(self.place):
                is_open = await asyncio.to_thread(_probe, path)
            if is_open:
                cure = f"chmod o-rwx {path}*"
                log.warning("anybody on this machine can read the database", file=path, cure=cure)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """Commit at the end, roll back on an exception.

        Raises:
            StoreError: One of its branches.
        """
        with translated(self.place):
            async with self._writer.begin() as connection:
                yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Give one consistent view.

        Raises:
            StoreError: One of its branches.
        """
        with translated(self.place):
            async with self._reader.begin() as connection:
                yield connection

    async def close(self) -> None:
        """Close all connections."""
        await self._reader.dispose()
        await self._writer.dispose()


def _probe(path: str) -> bool:
    """Open the database, made for its owner alone if need be; return whether strangers may read it.

    SQLite gives what it writes beside the file the file's own rights.
    """
    if path != ":memory:":
        with suppress(OSError):  # it is there; or it cannot be made, and SQLite says why
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA schema_version")
    return path != ":memory:" and _is_open_to_others(Path(path))


def _is_open_to_others(file: Path) -> bool:
    """Tell whether those who are neither a file's owner nor of its group can read it where it lies."""
    return bool(file.stat().st_mode & stat.S_IROTH and file.parent.stat().st_mode & stat.S_IXOTH)


@contextmanager
def translated(place: str) -> Iterator[None]:
    """Turn the driver's errors into ours, each with its cure; bugs pass as they are."""
    try:
        yield
    except (sa.exc.OperationalError, sa.exc.DatabaseError, sa.exc.TimeoutError, sqlite3.Error) as error:
        if isinstance(error, sa.exc.IntegrityError | sa.exc.ProgrammingError | sa.exc.DataError):
            raise
        raise _as_ours(place, error) from error


_CURES = {
    "is full": "the disk is full; make room, nothing is lost: polling goes on where it stood",
    "malformed": "the file is damaged; stop Topicwire and restore your backup of it",
    "not a database": "this file is no database; restore your backup, or move it away to start afresh",
    "readonly": "the file cannot be written; check its owner and rights",
    "unable to open": "cannot open it; check that the folder is there and may be written",
    "disk i/o": "the disk fails to read or write; check the disk and its free room",
}


def _as_ours(place: str, error: Exception) -> StoreError:
    said = str(getattr(error, "orig", None) or error)
    for sign, cure in _CURES.items():
        if sign in said.lower():
            return StoreBroken(f"{place}: {cure} ({said})")
    if isinstance(error, sa.exc.TimeoutError):
        return StoreBusy(f"{place}: our own work holds it for too long; it is tried again")
    if "locked" in said or "busy" in said:
        return StoreBusy(f"{place}: held by another program for too long; it is tried again")
    return StoreBroken(f"{place}: {said}")
