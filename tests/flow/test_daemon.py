"""The daemon as whoever runs it meets it: a process with signals, a lock, logs and exit codes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.app import poll_policies, read_setup, single_instance
from bot.config_models import Config
from bot.daemon import Daemon, sd_notify, wake_late_jobs
from bot.errors import AlreadyRunning
from bot.keeping import Keeper
from bot.polled import broken
from tests.botapi import BadGateway, BotApi, Person, Refused
from tests.clock import FakeClock
from tests.feedserver import FeedServer
from tests.flow.household import ADA, RULES, Household, an_entry, open_household, world

PATIENCE_S = 60  # for a process to start and say so, on a busy machine; nothing waits that long by design


class Run:
    """A `topicwire` process and its log."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.log: list[dict[str, Any]] = []

    async def until(self, happened: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the log line of which that is true, reading on until it comes."""
        assert self.process.stderr is not None
        async with asyncio.timeout(PATIENCE_S):
            while line := await self.process.stderr.readline():
                entry = json.loads(line) if line.startswith(b"{") else {"event": line.decode().rstrip()}
                self.log.append(entry)
                if happened(entry):
                    return entry
        raise AssertionError(f"it ended without: {self.log}")

    async def until_event(self, event: str) -> dict[str, Any]:
        """Return the log line of that event."""
        return await self.until(lambda entry: entry["event"] == event)

    async def end(self) -> int:
        """Return the exit code, all of the log read."""
        async with asyncio.timeout(PATIENCE_S):
            _, err = await self.process.communicate()
            self.log += [{"event": line} for line in err.decode().splitlines()]
            return await self.process.wait()


@asynccontextmanager
async def topicwire(*arguments: str, cwd: Path, **env: str) -> AsyncIterator[Run]:
    """Start the command line in a process of its own; kill it at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *arguments, cwd=cwd, env={**os.environ, **env}, stdout=PIPE, stderr=PIPE
    )
    try:
        yield Run(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def write_installation(folder: Path, feeds: FeedServer, api: BotApi) -> Path:
    """Write config and rules into a folder; return the config's path."""
    (folder / "rules").mkdir()
    (folder / "rules" / "rules.yaml").write_text(RULES)
    (folder / "token").write_text(api.token + "\n")
    config = folder / "config.toml"
    config.write_text(
        f"""
feeds_file = ""
[telegram]
token_file = "token"
base_url = "{api.base_url}"
timeout = "2s"
[delivery]
hold = "0s"
[polling]
host_interval = "0s"
[log]
format = "json"
[[feeds]]
id = "herald"
url = "{feeds.url("/herald")}"
allow_private = true
[[chats]]
id = {ADA}
"""
    )
    return config


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[tuple[Path, FeedServer, BotApi]]:
    async with world() as (feeds, api):
        yield write_installation(tmp_path, feeds, api), feeds, api


@asynccontextmanager
async def at_home(
    config: Path, feeds: FeedServer, api: BotApi, clock: FakeClock | None = None
) -> AsyncIterator[Household]:
    """Open the installation's house inside the test."""
    setup = read_setup(config)
    async with open_household(setup, feeds, api, clock or FakeClock()) as home:
        yield home


async def owe_an_alert(config: Path, feeds: FeedServer, api: BotApi) -> None:
    """Leave a delivery in the installation's outbox, as a run that found Telegram away."""
    (config.parent / "data").mkdir()
    async with at_home(config, feeds, api) as home:
        home.publish(an_entry("Old news"))
        await home.pass_by()
        api.fail(None, BadGateway(), times=None)
        await home.hear(an_entry("Gas price rises"))
        api.heal()
        assert home.sent == []


async def test_the_daemon_sends_what_is_owed_listens_and_stops_at_sigterm(
    place: tuple[Path, FeedServer, BotApi],
) -> None:
    config, feeds, api = place
    await owe_an_alert(config, feeds, api)

    async with topicwire("run", cwd=config.parent) as daemon:
        await daemon.until_event("running")
        await api.until(lambda: api.in_chat(ADA), PATIENCE_S)
        api.say(ADA, Person(id=ADA), "/help")
        await api.until(lambda: len(api.in_chat(ADA)) > 1, PATIENCE_S)
        daemon.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            code = await daemon.process.wait()
        await daemon.end()

    assert "Gas price rises" in api.in_chat(ADA)[0].text
    assert "/follow" in api.in_chat(ADA)[1].text
    assert code == 0


async def test_kill_9_loses_no_alert_and_repeats_at_most_the_one_in_flight(
    place: tuple[Path, FeedServer, BotApi],
) -> None:
    config, feeds, api = place
    config.write_text(config.read_text().replace("[delivery]", '[delivery]\nchat_interval = "0s"'))
    places = ["Aberg", "Bjelke", "Carlow", "Drammen", "Esbjerg", "Falster", "Gotland", "Hvidovre", "Inari"]
    (config.parent / "data").mkdir()
    async with at_home(config, feeds, api) as home:
        home.publish(an_entry("Old news"))
        await home.pass_by()
        api.fail(None, BadGateway(), times=None)
        await home.hear(*(an_entry(f"Gas pipeline {name} {name}hamn {name}sund") for name in places))
        api.heal()

    async def killed_after(received: int) -> None:
        async with topicwire("run", cwd=config.parent) as daemon:
            await api.until(lambda: len(api.in_chat(ADA)) >= received, PATIENCE_S)
            daemon.process.kill()
            await daemon.end()

    for received in (2, 5, 7):
        await killed_after(received)
    # What was in flight at a kill is sent again after half a minute, which the clock of this house is ahead.
    async with at_home(config, feeds, api, FakeClock(datetime.now(UTC) + timedelta(hours=1))) as home:
        await home.pass_by()

    told = [name for name in places for message in api.in_chat(ADA) if name in message.text]
    assert set(told) == set(places)
    assert len(told) <= len(places) + 3


async def test_a_second_one_is_refused_with_75_and_a_sentence(
    place: tuple[Path, FeedServer, BotApi],
) -> None:
    config, _, _ = place

    async with topicwire("run", cwd=config.parent) as daemon:
        await daemon.until_event("running")
        async with topicwire("run", cwd=config.parent) as second:
            second_code = await second.end()
        async with topicwire("once", cwd=config.parent) as cron:
            cron_code = await cron.end()
        daemon.process.send_signal(signal.SIGINT)
        first_code = await daemon.end()

    assert (first_code, second_code, cron_code) == (0, 75, 75)
    assert "another Topicwire runs here" in second.log[0]["event"]
    assert str(daemon.process.pid) in "".join(line["event"] for line in second.log)


async def test_sighup_reloads_and_a_broken_rule_file_is_refused_aloud(
    place: tuple[Path, FeedServer, BotApi],
) -> None:
    config, _, _ = place
    rules = config.parent / "rules" / "rules.yaml"

    async with topicwire("run", cwd=config.parent) as daemon:
        assert (await daemon.until_event("running"))["topics"] == 2
        rules.write_text(RULES + "  - id: coal\n    titel: Coal\n")
        daemon.process.send_signal(signal.SIGHUP)
        refused = await daemon.until(lambda line: line["event"].startswith("reload refused"))
        rules.write_text(RULES + "  - id: coal\n    title: Coal\n    match: {en: [coal mine]}\n")
        daemon.process.send_signal(signal.SIGHUP)
        reloaded = await daemon.until_event("reloaded")
        daemon.process.send_signal(signal.SIGTERM)
        code = await daemon.end()

    assert any("did you mean" in problem and "rules.yaml:" in problem for problem in refused["problems"])
    assert reloaded["topics"] == 3
    assert code == 0


async def test_a_token_that_telegram_refuses_ends_the_start_with_a_cure(
    place: tuple[Path, FeedServer, BotApi],
) -> None:
    config, _, _ = place
    (config.parent / "token").write_text("987654:WRONG-token_that_nobody_was_ever_given")

    async with topicwire("run", cwd=config.parent) as daemon:
        code = await daemon.end()

    said = "\n".join(str(line["event"]) for line in daemon.log)
    assert code == 1
    assert "BotFather" in said
    assert "WRONG-token" not in said


async def test_a_telegram_that_cannot_be_reached_is_tried_again_while_feeds_go_on(
    place: tuple[Path, FeedServer, BotApi],
) -> None:
    config, _, api = place
    api.fail(None, BadGateway(), times=2)

    async with topicwire("run", cwd=config.parent) as daemon:
        tried = await daemon.until(lambda line: line["event"].startswith("telegram cannot be reached"))
        await api.until(lambda: api.calls("getUpdates"), PATIENCE_S)
        daemon.process.send_signal(signal.SIGTERM)
        code = await daemon.end()

    assert tried["level"] == "warning"
    assert code == 0


async def test_no_log_line_ever_holds_the_token(place: tuple[Path, FeedServer, BotApi]) -> None:
    config, _, api = place
    api.fail(None, Refused(401, "Unauthorized"), times=None)

    async with topicwire("run", cwd=config.parent, TOPICWIRE_LOG__LEVEL="debug") as daemon:
        await daemon.end()

    assert daemon.log
    assert api.token not in json.dumps(daemon.log)


async def test_once_polls_all_tells_a_summary_as_json_and_exits_0(
    place: tuple[Path, FeedServer, BotApi],
) -> None:
    config, feeds, api = place
    await owe_an_alert(config, feeds, api)

    async with topicwire("once", "--all", "--json", cwd=config.parent) as cron:
        async with asyncio.timeout(PATIENCE_S):
            printed, _ = await cron.process.communicate()

    summary = json.loads(printed)
    assert cron.process.returncode == 0
    assert (summary["polled"], summary["sent"], summary["needs_operator"]) == (1, 1, False)
    assert len(api.in_chat(ADA)) == 1


async def test_once_exits_1_when_a_feed_needs_an_operator(place: tuple[Path, FeedServer, BotApi]) -> None:
    config, feeds, _ = place
    feeds.serve("<html><title>Log in</title></html>", path="/herald", content_type="text/html")

    async with topicwire("once", "--all", "--json", cwd=config.parent) as cron:
        async with asyncio.timeout(PATIENCE_S):
            printed, _ = await cron.process.communicate()

    [sick] = json.loads(printed)["sick_feeds"]
    assert cron.process.returncode == 1
    assert (sick["feed"], sick["reason"]) == ("herald", "unreadable")


async def test_a_wrong_config_exits_2_and_names_the_line(place: tuple[Path, FeedServer, BotApi]) -> None:
    config, _, _ = place
    config.write_text(config.read_text().replace("timeout", "timeuot"))

    async with topicwire("run", cwd=config.parent) as daemon:
        code = await daemon.end()

    said = "".join(str(line["event"]) for line in daemon.log)
    assert code == 2
    assert "config.toml:6: unknown key telegram.timeuot; did you mean timeout?" in said


# ---- inside the process -----------------------------------------------------------------------


async def test_a_tick_polls_what_is_due_and_nothing_twice(
    place: tuple[Path, FeedServer, BotApi],
) -> None:
    config, feeds, api = place
    (config.parent / "data").mkdir()
    async with at_home(config, feeds, api) as home:
        home.publish(an_entry("Old news"))
        daemon = Daemon(home.house, reread=lambda: home.house.setup)
        home.clock.advance(timedelta(minutes=2))

        await daemon.tick()
        await daemon.tick()
        await asyncio.gather(*daemon.polls)

        assert feeds.paths == ["/herald"]


async def test_a_stop_gives_back_what_it_cannot_finish(
    place: tuple[Path, FeedServer, BotApi], monkeypatch: pytest.MonkeyPatch
) -> None:
    config, feeds, api = place
    monkeypatch.setattr("bot.daemon.FINISH_WITHIN_S", 0.05)
    feeds.drip("/herald")
    (config.parent / "data").mkdir()
    async with at_home(config, feeds, api) as home:
        home.clock.advance(timedelta(minutes=2))
        daemon = Daemon(home.house, reread=lambda: home.house.setup)
        await daemon.tick()
        daemon.stop()

        await daemon.run()

        assert len(await home.house.store.claim_feeds(home.clock.now(), timedelta(minutes=2), 10)) == 1


async def test_a_lock_is_held_by_one(tmp_path: Path) -> None:
    with (
        single_instance(Config(data_dir=tmp_path)),
        pytest.raises(AlreadyRunning, match=str(os.getpid())),
        single_instance(Config(data_dir=tmp_path)),
    ):
        pass
    with single_instance(Config(data_dir=tmp_path)):
        assert (tmp_path / "topicwire.lock").read_text() == f"{os.getpid()}\n"


async def test_systemd_hears_how_the_service_fares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))

        sd_notify("READY=1")

        assert systemd.recv(100) == b"READY=1"


async def test_a_clock_that_is_set_back_stops_no_job() -> None:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    scheduler = AsyncIOScheduler(timezone=UTC)
    scheduler.start(paused=True)
    job = scheduler.add_job(print, "interval", seconds=1, id="tick")
    job.modify(next_run_time=now + timedelta(hours=1))

    wake_late_jobs(scheduler, now)

    assert job.next_run_time == now
    scheduler.shutdown(wait=False)


async def test_a_job_that_is_due_soon_is_left_alone() -> None:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    scheduler = AsyncIOScheduler(timezone=UTC)
    scheduler.start(paused=True)
    job = scheduler.add_job(print, "interval", seconds=1, id="tick")
    job.modify(next_run_time=now + timedelta(seconds=1))

    wake_late_jobs(scheduler, now)

    assert job.next_run_time == now + timedelta(seconds=1)
    scheduler.shutdown(wait=False)


async def test_a_poll_that_cannot_be_written_at_the_end_is_given_up(home: Household) -> None:
    house = home.house
    home.clock.advance(timedelta(minutes=1))
    now = house.clock.now()
    [due] = await house.store.claim_feeds(now, timedelta(minutes=2), 1, unpolled_since=now)
    keeper = Keeper(
        store=house.store,
        clock=house.clock,
        rules=lambda: house.setup.rules,
        operators=house.operators,
        policies=lambda: poll_policies(house.setup.config),
        metrics=house.metrics,
    )
    before = list(await house.store.polls_of(due.feed.id, 1))
    async with house.store.polling():  # somebody else writes, and does not end
        keeping = asyncio.create_task(keeper.keep(broken(due)))
        await asyncio.sleep(0)  # it has begun

        async with asyncio.timeout(10):
            await keeper.finish()

    with pytest.raises(asyncio.CancelledError):
        await keeping
    assert list(await house.store.polls_of(due.feed.id, 1)) == before
