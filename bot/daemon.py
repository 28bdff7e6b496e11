"""One process that stays up: ticks poll, a loop sends, Telegram is heard. And one pass, for cron."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import aclosing, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.app import House, Setup, feed_lease
from bot.errors import NotifyError, Problem, StoreError, TokenRefused, TopicwireError
from bot.fulltext import FullTextReport
from bot.health import HealthReport
from bot.model import Address, DeliveryState, FeedId
from bot.polled import PollReport
from bot.ports import DueFeed, SickFeed
from bot.reload import Reloader, begin
from bot.sender import SendReport
from bot.watch import maybe_changed

log = structlog.get_logger()

POLLS_AT_ONCE = 200  # claimed and not yet done; connections are limited by the fetcher
FINISH_WITHIN_S = 4.0  # what is in flight at a stop, before it is given back
WRITE_WITHIN_S = 2.0  # what is being written then
IDLE_S = 1.0
LOOK_AT_CLOCK_S = 2.0
STORE_TROUBLE_S = 5.0
TOKEN_TROUBLE_S = 60.0


class ChatRoom(Protocol):
    """Telegram in: hears commands and presses until stopped."""

    async def start(self) -> None:
        """Begin to listen.

        Raises:
            NotifyError: Telegram cannot be reached, or refuses the token.
        """

    async def stop(self) -> None:
        """Listen no more."""


def sd_notify(state: str) -> None:
    """Tell systemd how the service fares; nothing happens where systemd did not ask (sd_notify(3))."""
    if address := os.environ.get("NOTIFY_SOCKET"):
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
                out.connect("\0" + address[1:] if address.startswith("@") else address)
                out.sendall(state.encode())
        except OSError as error:  # systemd's trouble shall not be ours
            log.debug("systemd was not told", state=state, error=str(error))


class Daemon:
    """The house, kept going until a signal says otherwise."""

    def __init__(
        self,
        house: House,
        *,
        reread: Callable[[], Setup],
        chat: ChatRoom | None = None,
        refused: Sequence[Problem] = (),
    ) -> None:
        """Take the house over.

        Args:
            reread: Reads all that operators edit.
            refused: What keeps the rule files out of force since the start.
        """
        self._house = house
        self._refused = refused
        self._reloader = Reloader(house, reread, refused)
        self._chat = chat
        self._stopping = asyncio.Event()
        self._news = asyncio.Event()  # a poll may have left something to send
        self.polls: dict[asyncio.Task[PollReport], DueFeed] = {}  # on their way
        self._reloads: set[asyncio.Task[None]] = set()

    def stop(self) -> None:
        """Begin to stop; `run` returns within ten seconds."""
        self._stopping.set()

    async def run(self) -> None:
        """Poll, send and listen until `stop`, SIGTERM or SIGINT; SIGHUP and changed rule files reload.

        Raises:
            TokenRefused: Telegram does not know the bot's token.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        loop.add_signal_handler(signal.SIGHUP, self._reload_soon)
        scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        )
        scheduler.add_job(self.tick, "interval", seconds=1, id="tick")
        scheduler.add_job(self.look_round, "interval", minutes=1, id="look round")
        scheduler.start()
        keeping_time = asyncio.create_task(_keep_time(scheduler), name="keep time")
        sending = asyncio.create_task(self._send(), name="send")
        listening = asyncio.create_task(self._listen(), name="listen")
        self._reload_by(self._begin())
        sd_notify("READY=1")
        log.info("running", feeds=len(self._house.setup.feeds), topics=len(self._house.topics()))
        waiting = asyncio.create_task(self._stopping.wait(), name="wait")
        try:
            # Only a refused token or a bug ends one of the others before the signal to stop.
            await asyncio.wait({waiting, sending, listening}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.stop()
            sd_notify("STOPPING=1")
            keeping_time.cancel()
            scheduler.shutdown(wait=False)
            waiting.cancel()
            await self._finish(sending, listening)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                loop.remove_signal_handler(number)

    async def tick(self) -> None:
        """Claim what is due and start polling it; a tick does not wait for its polls."""
        try:
            await self._start_due()
        except StoreError as error:
            log.error("cannot claim feeds; the next tick tries again", error=str(error))
        except Exception:  # a bug in one tick must not end those after it unsaid
            log.exception("tick broke off")

    async def _start_due(self) -> None:
        sd_notify("WATCHDOG=1")
        self._house.metrics.ticked(self._house.clock.now())
        if self._stopping.is_set():
            return
        await self._house.full_text.start_due()
        room = POLLS_AT_ONCE - len(self.polls)
        if room <= 0:
            return
        lease = feed_lease(self._house.setup.config)
        for one in await self._house.store.claim_feeds(self._house.clock.now(), lease, room):
            task = asyncio.create_task(self._house.poller.poll_feed(one), name=f"poll {one.feed.id}")
            self.polls[task] = one
            task.add_done_callback(self._polled)

    async def look_round(self) -> None:
        """Tell operators what began to be wrong and what is over, and tidy up."""
        try:
            now = self._house.clock.now()
            if put_right := await self._house.store.set_right(now):
                log.warning("the clock was ahead; feeds put off by that are due now", feeds=put_right)
            await self._house.health.check()
            tidied = await self._house.store.tidy(now)
        except StoreError as error:
            log.error("cannot look round; it is tried again in a minute", error=str(error))
            return
        except Exception:  # a bug in one look must not end those after it unsaid
            log.exception("looking round broke off")
            return
        self._news.set()
        if tidied:
            log.info("tidied up", **asdict(tidied))

    def _polled(self, task: asyncio.Task[PollReport]) -> None:
        self.polls.pop(task, None)
        self._news.set()

    async def _send(self) -> None:
        while not self._stopping.is_set():
            self._news.clear()
            pause = IDLE_S
            try:
                report = await self._house.sender.deliver_due()
                if report.token_refused:
                    log.error("telegram refuses the bot's token; deliveries are kept until it is mended")
                    pause = TOKEN_TROUBLE_S
            except StoreError as error:
                log.error("deliveries wait for the database", error=str(error))
                pause = STORE_TROUBLE_S
            except Exception:  # a bug in claiming must not end the sending of all that is owed
                log.exception("sending broke off; it goes on")
                pause = STORE_TROUBLE_S
            await self._pause(pause)

    async def _pause(self, seconds: float) -> None:
        """Return after that time, or at once when there is news or the end."""
        waits = [asyncio.create_task(event.wait()) for event in (self._news, self._stopping)]
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    async def _listen(self) -> None:
        """Listen to Telegram; while it cannot be reached, try again, ever more patiently."""
        tries = 0
        while self._chat and not self._stopping.is_set():
            try:
                await self._chat.start()
                break
            except TokenRefused:
                raise
            except NotifyError as error:
                pause = min(2.0**tries, 60.0)
                log.warning("telegram cannot be reached; trying again", error=str(error), pause_s=pause)
                tries += 1
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), pause)
        await self._stopping.wait()
        if self._chat:
            await self._chat.stop()

    async def _finish(self, sending: asyncio.Task[None], listening: asyncio.Task[None]) -> None:
        """Let what is in flight finish, then give back the rest."""
        self._house.sender.stop()
        polls = dict(self.polls)
        ending = asyncio.create_task(self._house.full_text.stop(), name="stop reading pages")
        rest = {sending, listening, ending, *polls, *self._reloads}
        _, late = await asyncio.wait(rest, timeout=FINISH_WITHIN_S)
        for task in late:
            task.cancel()
        # A write that is cut off keeps the database's lock, so it is waited for; but not where another
        # program holds the database. Whatever is left then, the next start gives back.
        ended, _ = await asyncio.wait(rest, timeout=WRITE_WITHIN_S)
        results = [task.exception() for task in ended if not task.cancelled()]
        given_back = [due for task, due in polls.items() if task in late]
        with suppress(StoreError, TimeoutError):
            async with asyncio.timeout(1):
                await self._house.store.release_feeds(given_back)
        log.info("stopped", polls_given_back=len(given_back), sends_cut_off=sending in late)
        for result in results:
            if isinstance(result, Exception):
                raise result

    def _reload_by(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, name="reload")
        self._reloads.add(task)
        task.add_done_callback(self._reloads.discard)

    def _reload_soon(self) -> None:
        self._reload_by(self._reload())

    async def _reload(self) -> None:
        sd_notify(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")
        try:
            await self._reloader.reload()
        except StoreError as error:
            log.error("reload broke off; send SIGHUP again", error=str(error))
        except Exception:  # a bug in reading must not end what runs
            log.exception("reload broke off")
        finally:
            self._news.set()
            sd_notify("READY=1")

    async def _begin(self) -> None:
        """Say with which rules the house starts, then take up changed ones until the end."""
        try:
            await begin(self._house, self._refused)
        except StoreError as error:
            log.error("operators are not told how the rules fare", error=str(error))
        watch = self._house.setup.config.rules.watch
        if watch == "off":
            return
        changes = maybe_changed(
            lambda: self._house.setup.config.rules_dir, self._stopping, is_notified=watch == "auto"
        )
        async with aclosing(changes):
            async for _ in changes:
                await self._take_up_rules()

    async def _take_up_rules(self) -> None:
        while not self._stopping.is_set():
            try:
                await self._reloader.reload_rules()
            except StoreError as error:
                log.error("reload broke off; it is tried again", error=str(error))
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), STORE_TROUBLE_S)
                continue
            except Exception:  # a bug with one set of rules must not end the watch for the next
                log.exception("reload broke off")
            self._news.set()  # to operators
            return


async def _keep_time(scheduler: AsyncIOScheduler) -> None:
    while True:
        await asyncio.sleep(LOOK_AT_CLOCK_S)
        wake_late_jobs(scheduler, datetime.now(UTC))


def wake_late_jobs(scheduler: AsyncIOScheduler, now: datetime) -> None:
    """Have jobs run now that wait for longer than their interval.

    So they do where the clock was set back: the scheduler sleeps until the old time comes again.
    """
    for job in scheduler.get_jobs():
        if job.next_run_time > now + 2 * job.trigger.interval:
            log.warning("the clock was set back; going on", job=job.id)
            job.modify(next_run_time=now)


# ---- one pass, for cron -----------------------------------------------------------------------


@dataclass(slots=True, kw_only=True)
class PassReport:
    """What one pass did."""

    polls: list[PollReport] = field(default_factory=list)
    pages: FullTextReport = field(default_factory=FullTextReport)
    health: HealthReport = field(default_factory=HealthReport)
    sends: list[SendReport] = field(default_factory=list)
    sick: list[SickFeed] = field(default_factory=list)
    lost_chats: list[Address] = field(default_factory=list)  # of the config: they cannot be written to
    refused: Sequence[Problem] = ()  # why the last good rules were taken, and not those of the folder
    waiting: int = 0  # deliveries that leave in a later pass
    dead: int = 0  # deliveries refused for good, in this pass and before

    @property
    def needs_operator(self) -> bool:
        """Return whether somebody should look."""
        refused = any(send.failed or send.token_refused for send in self.sends)
        return bool(self.sick or self.lost_chats or self.refused or refused)

    def summary(self) -> dict[str, int]:
        """Return the totals."""
        return {
            "polled": sum(not poll.is_put_off for poll in self.polls),
            "failed_polls": sum(poll.error is not None and not poll.is_put_off for poll in self.polls),
            "put_off_polls": sum(poll.is_put_off for poll in self.polls),
            "items": sum(poll.items for poll in self.polls),
            "new": sum(poll.new for poll in self.polls),
            "silent": sum(poll.silent for poll in self.polls),
            "matched": sum(poll.matched for poll in self.polls) + self.pages.matched,
            "pages": self.pages.read,
            "stories": sum(poll.stories for poll in self.polls) + self.pages.stories,
            "sent": sum(send.sent for send in self.sends),
            "edited": sum(send.edited for send in self.sends),
            "delayed": sum(send.delayed + send.uncertain for send in self.sends),
            "waiting": self.waiting,
            "dead": self.dead,
        }


async def run_pass(house: House, *, everything: bool = False, refused: Sequence[Problem] = ()) -> PassReport:
    """Make one pass; SIGTERM and SIGINT end it early, with what is in flight finished.

    Args:
        refused: What keeps the rule files out of force.
    """
    await begin(house, refused)
    loop, work = asyncio.get_running_loop(), asyncio.create_task(run_once(house, everything=everything))

    def stop() -> None:
        house.sender.stop()
        loop.call_later(FINISH_WITHIN_S, work.cancel)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    try:
        report = await work
    except asyncio.CancelledError as error:
        said = "stopped before the pass was done; what is left is taken up by the next one"
        raise TopicwireError(said) from error
    report.refused = refused
    return report


async def run_once(
    house: House, *, everything: bool = False, patience: timedelta = timedelta(seconds=30)
) -> PassReport:
    """Poll what is due, deliver what is owed, and tell what needs an operator.

    Args:
        everything: Poll all feeds, due or not.
        patience: How long to send, and to wait for chats that Telegram makes wait; the rest leaves in a
            later pass.
    """
    report = PassReport()
    report.polls = await _poll_all(house, everything=everything)
    report.pages = await house.full_text.read_due(patience)
    report.health = await house.health.check()
    report.sends = await deliver_all(house, patience)
    report.lost_chats = list(await house.store.lost_config_chats())
    report.sick = list(await house.store.sick_feeds(house.clock.now()))
    counts = await house.store.delivery_counts()
    waiting = (DeliveryState.QUEUED, DeliveryState.HELD, DeliveryState.UNCERTAIN)
    report.waiting = sum(counts.get(state, 0) for state in waiting)
    report.dead = counts.get(DeliveryState.FAILED, 0)
    await house.store.tidy(house.clock.now())
    return report


async def _poll_all(house: House, *, everything: bool) -> list[PollReport]:
    """Poll what is due, some feeds at a time; what a busy host puts off is left to a later pass."""
    started, reports = house.clock.now(), dict[FeedId, PollReport]()
    await house.store.set_right(started)
    while not house.sender.is_stopped:
        due = await house.store.claim_feeds(
            house.clock.now(),
            feed_lease(house.setup.config),
            POLLS_AT_ONCE + sum(report.is_put_off for report in reports.values()),
            unpolled_since=started if everything else None,
        )
        fresh = [one for one in due if one.feed.id not in reports]
        await house.store.release_feeds([one for one in due if one.feed.id in reports])
        if not fresh:
            break
        reports |= {report.feed: report for report in await house.poller.poll_feeds(fresh)}
    return list(reports.values())


async def deliver_all(house: House, patience: timedelta) -> list[SendReport]:
    """Send until nothing is owed that could leave within the patience."""
    until = house.clock.now() + patience
    reports = [await house.sender.deliver_due(until)]
    while not reports[-1].token_refused and not house.sender.is_stopped:
        due = await house.sender.next_due()
        if due is None or max(due, house.clock.now()) >= until:
            break
        await house.sender.pause(due - house.clock.now())
        reports.append(await house.sender.deliver_due(until))
    return reports
