"""Everything that is remembered: one contract, one code path for SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports import Clock
from bot.store.archive import ArchiveRows, StoredRows
from bot.store.chats import ChatRows
from bot.store.engine import Database
from bot.store.feedlist import FeedListRows
from bot.store.feeds import FeedRows, PollRows
from bot.store.feedsync import FeedSyncRows
from bot.store.firstpolls import FirstPollRows
from bot.store.migrate import check_tables, upgrade
from bot.store.news import NewsRows
from bot.store.notices import NoticeRows
from bot.store.outbox import AlertRows, DeliveryRows
from bot.store.pages import PageQueue, PageRows
from bot.store.rulesets import RuleSetRows
from bot.store.summary import SummaryRows
from bot.store.tallies import TallyRows
from bot.store.troubles import FloodRows, TroubleRows
from bot.store.upkeep import UpkeepRows


class SqlPoll(StoredRows, NewsRows, AlertRows, PollRows, PageRows, FloodRows):
    """One transaction for the end of some polls; answers `ports.PollTransaction`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection


class SqlStore(
    FeedRows,
    FeedSyncRows,
    FeedListRows,
    FirstPollRows,
    DeliveryRows,
    ChatRows,
    ArchiveRows,
    TallyRows,
    RuleSetRows,
    NoticeRows,
    UpkeepRows,
    PageQueue,
    TroubleRows,
    SummaryRows,
):
    """The store over SQLAlchemy Core; answers every store port."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    @asynccontextmanager
    async def polling(self) -> AsyncIterator[SqlPoll]:
        """Open a transaction for the end of some polls: all of it is written, or nothing."""
        async with self._db.writing() as connection:
            yield SqlPoll(connection)

    @property
    def place(self) -> str:
        """Return where the database is, fit to be shown."""
        return self._db.place

    async def close(self) -> None:
        """Close all connections."""
        await self._db.close()


async def open_store(
    url: str, clock: Clock, busy_timeout: timedelta = timedelta(seconds=5)
) -> tuple[SqlStore, bool]:
    """Return the store, its tables brought up to date, and whether that changed anything.

    Raises:
        StoreError: One of its branches; see errors.py.
    """
    async with AsyncExitStack() as on_trouble:
        db = Database(url, busy_timeout)
        on_trouble.push_async_callback(db.close)
        await db.probe()
        changed = await upgrade(db)
        on_trouble.pop_all()
    return SqlStore(db, clock), changed


async def open_beside(url: str, clock: Clock, busy_timeout: timedelta = timedelta(seconds=5)) -> SqlStore:
    """Return the store as it stands, for use beside a process that runs on it.

    Raises:
        StoreError: It is not there, of another version, or cannot be used.
    """
    async with AsyncExitStack() as on_trouble:
        db = Database(url, busy_timeout)
        on_trouble.push_async_callback(db.close)
        db.find()
        await check_tables(db)
        on_trouble.pop_all()
    return SqlStore(db, clock)
