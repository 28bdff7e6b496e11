"""Bringing the tables up to date."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from bot.errors import StoreBroken
from bot.store.engine import Database


def alembic_config() -> Config:
    """Return Alembic's configuration; the migrations live in this package."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


async def upgrade(db: Database) -> bool:
    """Bring the tables up to date in one transaction; return whether that changed anything.

    Raises:
        StoreBroken: The database is of a newer Topicwire, or cannot be used.
    """
    async with db.writing() as connection:
        return await connection.run_sync(_upgrade, db.place)


async def check_tables(db: Database) -> None:
    """Find out whether the tables are of this version, changing nothing.

    Raises:
        StoreBroken: They are of an older or a newer one, or the database cannot be used.
    """
    async with db.reading() as connection:
        revision = await connection.run_sync(_revision)
    if revision != ScriptDirectory.from_config(alembic_config()).get_current_head():
        raise StoreBroken(
            f"{db.place}: its tables are of another version of Topicwire; stop what runs on it, and start"
            " this version once, or run `topicwire db upgrade`"
        )


def _revision(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _upgrade(connection: sa.Connection, place: str) -> bool:
    config = alembic_config()
    config.attributes["connection"] = connection
    script = ScriptDirectory.from_config(config)
    before = MigrationContext.configure(connection).get_current_revision()
    if before == script.get_current_head():
        return False
    known = {revision.revision for revision in script.walk_revisions()}
    if before is not None and before not in known:
        raise StoreBroken(
            f"{place}: the database is of a newer Topicwire (revision {before}); install that version again"
        )
    command.upgrade(config, "head")
    return True
