"""The last good rule set, so that a wrong rule file does not keep the house from starting."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from bot.ports import KeptRules
from bot.store.engine import Database
from bot.store.schema import rule_sets


class RuleSetRows:
    """Answers `ports.RulesStore`."""

    _db: Database

    async def keep_rules(self, rules_hash: str, files: Mapping[str, str], now: datetime) -> None:
        """Keep the texts of a rule set that is in force, in place of the one before."""
        row = {"rules_hash": rules_hash, "files": [list(pair) for pair in files.items()]}
        mine = rule_sets.c.rules_hash == rules_hash
        async with self._db.writing() as connection:
            await connection.execute(sa.delete(rule_sets).where(sa.not_(mine)))
            renewed = await connection.execute(sa.update(rule_sets).where(mine).values(**row))
            if renewed.rowcount == 0:
                await connection.execute(sa.insert(rule_sets).values(**row, since=now))

    async def kept_rules(self) -> KeptRules | None:
        """Return the last good rule set; None: none was ever kept."""
        async with self._db.reading() as connection:
            row = (await connection.execute(sa.select(rule_sets))).mappings().one_or_none()
        if row is None:
            return None
        files = dict(row["files"])
        return KeptRules(rules_hash=row["rules_hash"], files=files, since=row["since"])
