"""Telegram's updates, by one long poll after the other; whatever becomes of a poll, another one follows.

The library's own `Updater` is left aside: the first 401 or 404, which a Bot API server of one's own answers
while it restarts, ends it for good and without a word.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import structlog
from telegram import Bot, Update
from telegram.constants import UpdateType
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError

from bot.notify.telegram import LONG_POLL
from bot.ports import Clock

log = structlog.get_logger()

# Edited messages are left out on purpose: a command counts once.
ALLOWED_UPDATES = (
    UpdateType.MESSAGE,
    UpdateType.CHANNEL_POST,
    UpdateType.CALLBACK_QUERY,
    UpdateType.MY_CHAT_MEMBER,
)

FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(seconds=60)
NO_WAIT = timedelta(0)
LATE_AFTER = timedelta(seconds=15)  # a poll that has not ended by itself by then is on a dead connection
FINISH_WITHIN = timedelta(seconds=1)  # for the update in hand, at a stop
CONFIRM_WITHIN = timedelta(seconds=1)


class Polling:
    """Asks for updates until stopped, and hands each over, in Telegram's order, once.

    Args of the constructor:
        handle: Awaited for one update before the next one is handed over. An update counts as handled when it
            returns or fails; one that a stop cuts off will be told again after the next start.
    """

    def __init__(self, bot: Bot, handle: Callable[[Update], Awaitable[None]], clock: Clock) -> None:
        self._bot = bot
        self._handle = handle
        self._clock = clock
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._has_updates = False  # some that were fetched and are not yet handled
        self._next: int | None = None  # the first update that was not handled; None: not known yet

    def start(self) -> None:
        """Begin to ask, in the background; nothing happens where that has begun already."""
        if self._task is None:
            self._stopping = self._has_updates = False
            self._task = asyncio.create_task(self._poll(), name="poll telegram")

    async def stop(self) -> None:
        """Ask no more; the update in hand has a second to be finished."""
        if self._task is None:
            return
        task, self._task = self._task, None
        self._stopping = True
        if self._has_updates:
            await asyncio.wait({task}, timeout=FINISH_WITHIN.total_seconds())
        task.cancel()
        await asyncio.wait({task})

    async def confirm(self) -> None:
        """Tell Telegram within a second what was handled, which it takes from the next update asked for."""
        if self._next is None or self._task is not None:
            return
        try:
            async with asyncio.timeout(CONFIRM_WITHIN.total_seconds()):
                await self._updates(NO_WAIT)
        except (TelegramError, TimeoutError) as error:
            log.debug("telegram was not told what was handled; it may come again", error=type(error).__name__)

    async def _poll(self) -> None:
        failures = 0
        while not self._stopping:
            pause = pause_after(failures)
            try:
                updates = await self._updates(LONG_POLL)
            except TelegramError as error:
                pause = max(pause, _told_wait(error))
                _log_trouble(error, pause)
            except Exception:  # this is the loop that a bug rises to, here one in reading an update
                log.exception("telegram's updates were not understood")
            else:
                if failures:
                    log.info("telegram answers again", failures=failures)
                failures = 0
                await self._hand_over(updates)
                continue
            failures += 1
            await self._clock.sleep(pause)

    async def _updates(self, wait: timedelta) -> Sequence[Update]:
        # The library adds the wait to the read timeout.
        return await self._bot.get_updates(
            offset=self._next,
            timeout=wait,
            allowed_updates=ALLOWED_UPDATES,
            read_timeout=LATE_AFTER.total_seconds(),
        )

    async def _hand_over(self, updates: Sequence[Update]) -> None:
        self._has_updates = bool(updates)
        for update in updates:
            if self._stopping:
                return
            try:
                await self._handle(update)
            except Exception:  # a bug in one update must not keep the others from being heard
                log.exception("an update was not handled", update=update.update_id)
            self._next = update.update_id + 1
        self._has_updates = False


def pause_after(failures: int) -> timedelta:
    """Return how long to wait before the next poll: 1 s, doubled for each failure before, up to 60 s."""
    return min(FIRST_PAUSE * 2.0 ** min(failures, 6), LONGEST_PAUSE)


def _told_wait(error: TelegramError) -> timedelta:
    """Return how long Telegram itself wants us to wait; nothing where it does not say."""
    wait = error.retry_after if isinstance(error, RetryAfter) else NO_WAIT
    return wait if isinstance(wait, timedelta) else timedelta(seconds=wait)


def _log_trouble(error: TelegramError, pause: timedelta) -> None:
    pause_s = pause.total_seconds()
    match error:
        case Conflict() if "webhook" in error.message.lower():
            log.error(
                "a webhook takes this bot's updates; remove it from the other program, then restart this one",
                pause_s=pause_s,
            )
        case Conflict():
            log.error("another program listens with this bot's token; stop one of the two", pause_s=pause_s)
        case InvalidToken():
            log.error(
                "telegram refuses the bot's token; commands are heard when it is valid again", pause_s=pause_s
            )
        case _:
            log.warning("telegram does not answer; trying again", error=str(error), pause_s=pause_s)
