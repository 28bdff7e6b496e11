"""Bringing the tables up to date, by Alembic."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from bot.errors import StoreBroken


def alembic_config() -> Config:
    """Return Alembic's configuration; the migrations live in this package."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def bring_up_to_date(connection: sa.Connection, before: str | None, place: str) -> None:
    """Apply the migrations that the tables lack, on this connection and in its transaction.

    Args:
        before: The migration that they are of; None: there are none.
        place: Where the database is, fit to be shown.

    Raises:
        StoreBroken: The database is of a newer Topicwire.
    """
    config = alembic_config()
    config.attributes["connection"] = connection
    known = {revision.revision for revision in ScriptDirectory.from_config(config).walk_revisions()}
    if before is not None and before not in known:
        raise StoreBroken(
            f"{place}: the database is of a newer Topicwire (revision {before}); install that version again"
        )
    command.upgrade(config, "head")
