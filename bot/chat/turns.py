"""Work in the background: what belongs to one chat is done in turn, and no chat waits for another."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from datetime import timedelta
from functools import partial

import structlog

log = structlog.get_logger()

Job = Callable[[], Awaitable[None]]

MOST_WAITING = 20  # in one line; more is nobody in earnest, and memory ends somewhere


class Turns:
    """Lines of jobs. A job that fails is logged, and the next one in its line has its turn."""

    def __init__(self) -> None:
        self._lines: dict[Hashable, list[asyncio.Task[None]]] = {}

    def add(self, whose: Hashable, job: Job) -> None:
        """Let a job run after all that were added to its line before; where too many wait, it is dropped."""
        line = self._lines.setdefault(whose, [])
        if len(line) >= MOST_WAITING:
            log.warning("too many answers wait for one chat; the newest is dropped", chat=whose)
            return
        task = asyncio.create_task(_run_after(line[-1] if line else None, job), name=f"answer {whose}")
        line.append(task)
        task.add_done_callback(partial(self._done, whose))

    async def finished(self) -> None:
        """Return when nothing waits any more."""
        while tasks := self._tasks():
            await asyncio.wait(tasks)

    async def stop(self, within: timedelta) -> None:
        """Return when all is done, or cut off after that time."""
        tasks = self._tasks()
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=within.total_seconds())
        for task in late:
            task.cancel()
        if late:
            log.warning("answers were cut off", count=len(late))
            await asyncio.wait(late)

    def _tasks(self) -> list[asyncio.Task[None]]:
        return [task for line in self._lines.values() for task in line]

    def _done(self, whose: Hashable, task: asyncio.Task[None]) -> None:
        self._lines[whose].remove(task)
        if not self._lines[whose]:
            del self._lines[whose]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("an answer broke off", exc_info=error)


async def _run_after(before: asyncio.Task[None] | None, job: Job) -> None:
    if before is not None:
        await asyncio.wait({before})
    await job()
