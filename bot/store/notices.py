"""What operators are told: for each of them and each subject, how it stands and what was last said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import ChatState, Message
from bot.ports import Notice
from bot.store.dialect import insert
from bot.store.engine import Database
from bot.store.schema import Utc, chats, notices


class NoticeRows:
    """Answers `ports.NoticeStore`."""

    _db: Database

    async def owe_notice(self, notice: Notice, due_at: datetime) -> bool:
        """Owe an operator this word on its subject; return False where that is what was last said or is owed.

        It takes the place of one that has not left: a trouble that is over before anybody heard of it is
        not told at all.
        """
        mine = sa.and_(notices.c.telegram_id == notice.telegram_id, notices.c.subject == notice.subject)
        async with self._db.writing() as connection:
            known = (await connection.execute(sa.select(notices).where(mine))).mappings().one_or_none()
            if notice.state == (known["state"] if known else ""):
                return False
            is_known_already = known is not None and notice.state == known["told"]
            row = {
                "state": notice.state,
                "html": notice.message.html,
                "plain": notice.message.plain,
                "due_at": None if is_known_already else due_at,
                "attempts": 0,
                "last_error": None,
            }
            key = {"telegram_id": notice.telegram_id, "subject": notice.subject, "told": ""}
            await connection.execute(
                insert(connection, notices)
                .values(**key, **row)
                .on_conflict_do_update(index_elements=["telegram_id", "subject"], set_=row)
            )
            return not is_known_already

    async def due_notices(self, now: datetime) -> Sequence[Notice]:
        """Return what is owed to operators by now, oldest first; those who said /stop are left in peace."""
        query = sa.select(notices).where(notices.c.due_at <= now, _may_be_told())
        async with self._db.reading() as connection:
            rows = await connection.execute(query.order_by(notices.c.due_at, notices.c.telegram_id))
            return [_notice(row) for row in rows.mappings()]

    async def next_notice_due(self) -> datetime | None:
        """Return when the next notice is due; None: none is owed."""
        query = sa.select(sa.func.min(notices.c.due_at)).where(_may_be_told())
        async with self._db.reading() as connection:
            due: datetime | None = (await connection.execute(query)).scalar_one()
            return due

    async def settle_notice(
        self, notice: Notice, now: datetime, *, again_at: datetime | None = None, error: str | None = None
    ) -> None:
        """Write what came of sending a notice; a newer word on its subject stays owed.

        Args:
            again_at: When it shall be tried again; None: it was sent, or is given up.
            error: None: it was sent.
        """
        mine = sa.and_(notices.c.telegram_id == notice.telegram_id, notices.c.subject == notice.subject)
        same, newer = notices.c.state == notice.state, notices.c.state != notice.state
        tries = 0 if error is None else notice.attempts + 1
        said = error[:500] if error else None
        async with self._db.writing() as connection:
            if error is None:  # a newer word that took the subject back to where it was is one to tell now
                waits = sa.func.coalesce(notices.c.due_at, sa.bindparam("now", now, type_=Utc))
                await _mark(connection, sa.and_(mine, newer), told=notice.state, due_at=waits)
                await _mark(connection, sa.and_(mine, same), told=notice.state)
            await _mark(connection, sa.and_(mine, same), due_at=again_at, attempts=tries, last_error=said)


async def _mark(connection: AsyncConnection, which: sa.ColumnElement[bool], **values: object) -> None:
    await connection.execute(sa.update(notices).where(which).values(**values))


def _may_be_told() -> sa.ColumnElement[bool]:
    """Return the condition for an operator whose private chat is active, or not known yet."""
    silent = (
        sa.select(sa.literal(1))
        .where(
            chats.c.telegram_id == notices.c.telegram_id,
            chats.c.thread_id == 0,
            chats.c.state != ChatState.ACTIVE.value,
        )
        .exists()
    )
    return sa.not_(silent)


def _notice(row: sa.RowMapping) -> Notice:
    return Notice(
        telegram_id=row["telegram_id"],
        subject=row["subject"],
        state=row["state"],
        message=Message(html=row["html"], plain=row["plain"]),
        attempts=row["attempts"],
    )
