"""Whether the tables are up to date, asked without Alembic; `migrating.py` brings them there."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from bot.errors import StoreBroken
from bot.store.engine import Database

HEAD: Final = "0003"  # the newest migration; a test holds it to the folder
_VERSION = sa.table("alembic_version", sa.column("version_num", sa.Text))


async def upgrade(db: Database) -> bool:
    """Bring the tables up to date in one transaction; return whether that changed anything.

    Raises:
        StoreBroken: The database is of a newer Topicwire, or cannot be used.
    """
    async with db.writing() as connection:
        before = await connection.run_sync(_revision)
        if before == HEAD:
            return False
        # Half a second and 10 MB, once per version.
        from bot.store.migrating import bring_up_to_date  # noqa: PLC0415 - see above

        await connection.run_sync(bring_up_to_date, before, db.place)
        return True


async def check_tables(db: Database) -> None:
    """Find out whether the tables are of this version, changing nothing.

    Raises:
        StoreBroken: They are of an older or a newer one, or the database cannot be used.
    """
    async with db.reading() as connection:
        revision = await connection.run_sync(_revision)
    if revision != HEAD:
        raise StoreBroken(
            f"{db.place}: its tables are of another version of Topicwire; stop what runs on it, and start"
            " this version once, or run `topicwire db upgrade`"
        )


def _revision(connection: sa.Connection) -> str | None:
    """Return the migration that the tables are of; None: there are none yet."""
    if not sa.inspect(connection).has_table(_VERSION.name):
        return None
    found: str | None = connection.execute(sa.select(_VERSION.c.version_num)).scalar_one_or_none()
    return found
