"""Rule files as editors and deployments change them, as the system tells it; and whole processes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.watch import maybe_changed
from tests.botapi import BotApi
from tests.feedserver import FeedServer
from tests.flow.household import ADA, RULES, world
from tests.flow.test_daemon import PATIENCE_S, topicwire, write_installation

COAL = "  - id: coal\n    title: Coal\n    match: {en: [coal mine]}\n"
BROKEN = RULES + "  - id: coal\n    titel: Coal\n    match: {en: [coal mine]}\n"
OLGA = 71

Next = Callable[[], Awaitable[None]]


@asynccontextmanager
async def watching(folder: Path, *, is_notified: bool = True) -> AsyncIterator[Next]:
    """Watch a folder; give a way to wait for the next sign of a change, the first one had already."""
    stop = asyncio.Event()
    async with aclosing(maybe_changed(lambda: folder, stop, is_notified=is_notified)) as signs:

        async def sign() -> None:
            async with asyncio.timeout(PATIENCE_S):
                await anext(signs)

        await sign()
        yield sign
        stop.set()


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "a.yaml").write_text("one")
    return folder


def write_over(folder: Path) -> None:
    (folder / "a.yaml").write_text("other")


def rename_over(folder: Path) -> None:
    (folder / ".a.yaml.swp").write_text("other")
    (folder / ".a.yaml.swp").replace(folder / "a.yaml")


def add(folder: Path) -> None:
    (folder / "b.yml").write_text("more")


def remove(folder: Path) -> None:
    (folder / "a.yaml").unlink()


def replace_the_folder(folder: Path) -> None:
    fresh = folder.with_name("fresh")
    fresh.mkdir()
    (fresh / "a.yaml").write_text("other")
    folder.rename(folder.with_name("old"))
    fresh.rename(folder)


@pytest.mark.parametrize("is_notified", [True, False], ids=["notified", "looking"])
@pytest.mark.parametrize("change", [write_over, rename_over, add, remove, replace_the_folder])
async def test_a_change_is_noticed_however_it_is_made(
    rules: Path, change: Callable[[Path], None], is_notified: bool
) -> None:
    async with watching(rules, is_notified=is_notified) as sign:
        change(rules)

        await sign()


async def test_a_folder_that_was_replaced_is_watched_on(rules: Path) -> None:
    async with watching(rules) as sign:
        replace_the_folder(rules)
        await sign()
        write_over(rules)

        await sign()


async def test_a_folder_that_comes_late_is_noticed(tmp_path: Path) -> None:
    async with watching(tmp_path / "rules") as sign:
        (tmp_path / "rules").mkdir()
        (tmp_path / "rules" / "a.yaml").write_text("one")

        await sign()


@pytest.mark.parametrize("is_notified", [True, False], ids=["notified", "looking"])
async def test_a_link_that_is_turned_elsewhere_is_noticed_as_in_kubernetes(
    tmp_path: Path, is_notified: bool
) -> None:
    folder = tmp_path / "rules"
    for version in ("..1", "..2"):
        (folder / version).mkdir(parents=True)
        (folder / version / "a.yaml").write_text(version)
    (folder / "..data").symlink_to("..1")
    (folder / "a.yaml").symlink_to("..data/a.yaml")
    async with watching(folder, is_notified=is_notified) as sign:
        (folder / "..data_tmp").symlink_to("..2")
        (folder / "..data_tmp").replace(folder / "..data")

        await sign()

        assert (folder / "a.yaml").read_text() == "..2"


async def test_a_folder_that_is_a_link_itself_is_watched_where_it_leads(tmp_path: Path, rules: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(rules)
    async with watching(link) as sign:
        write_over(rules)
        await sign()
        (tmp_path / "v2").mkdir()
        (tmp_path / "v2" / "a.yaml").write_text("third")
        (tmp_path / "next").symlink_to("v2")
        (tmp_path / "next").replace(link)

        await sign()


async def test_where_the_system_cannot_tell_changes_they_are_looked_for(
    rules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_more_watches(*_: object, **__: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("bot.watch.awatch", no_more_watches)
    with capture_logs() as logs:
        async with watching(rules) as sign:
            write_over(rules)

            await sign()

    assert [log["error"] for log in logs] == ["no space left on device"]


# ---- whole processes --------------------------------------------------------------------------


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[tuple[Path, FeedServer, BotApi]]:
    async with world() as (feeds, api):
        config = write_installation(tmp_path, feeds, api)
        config.write_text(config.read_text().replace("[telegram]", f"[telegram]\noperators = [{OLGA}]"))
        yield config, feeds, api


def is_refusal(line: dict[str, object]) -> bool:
    return str(line["event"]).startswith("reload refused")


async def test_a_saved_rule_file_is_swapped_in_and_a_wrong_one_refused_and_told(
    place: tuple[Path, FeedServer, BotApi],
) -> None:
    config, _, api = place
    rules = config.parent / "rules" / "rules.yaml"

    async with topicwire("run", cwd=config.parent) as daemon:
        await daemon.until_event("running")
        rules.write_text(BROKEN)
        refused = await daemon.until(is_refusal)
        await api.until(lambda: api.in_chat(OLGA), PATIENCE_S)
        rules.write_text(RULES + COAL)
        reloaded = await daemon.until_event("rules reloaded")
        await api.until(lambda: len(api.in_chat(OLGA)) == 2, PATIENCE_S)
        daemon.process.send_signal(signal.SIGTERM)
        code = await daemon.end()

    assert any("did you mean" in problem and "rules.yaml:" in problem for problem in refused["problems"])
    assert (reloaded["added"], reloaded["removed"], reloaded["changed"]) == (["coal"], [], [])
    assert "E010" in api.in_chat(OLGA)[0].text
    assert "good again" in api.in_chat(OLGA)[1].text
    assert api.in_chat(ADA) == []
    assert code == 0


async def test_a_daemon_restarted_with_wrong_rules_runs_on_the_last_good_ones(
    place: tuple[Path, FeedServer, BotApi],
) -> None:
    config, _, api = place
    async with topicwire("run", cwd=config.parent) as daemon:
        await daemon.until_event("running")
        daemon.process.kill()
        await daemon.end()
    (config.parent / "rules" / "rules.yaml").write_text(BROKEN)

    async with topicwire("run", cwd=config.parent) as daemon:
        running = await daemon.until_event("running")
        wrong = await daemon.until_event("the rules are wrong; started with the last good ones")
        await api.until(lambda: api.in_chat(OLGA), PATIENCE_S)
        (config.parent / "rules" / "rules.yaml").write_text(RULES + COAL)
        await daemon.until_event("rules reloaded")
        await api.until(lambda: len(api.in_chat(OLGA)) == 2, PATIENCE_S)
        daemon.process.send_signal(signal.SIGTERM)
        code = await daemon.end()

    assert (running["topics"], code) == (2, 0)
    assert any("E010" in problem for problem in wrong["problems"])
    assert not any(map(is_refusal, daemon.log))  # it was said once, at the start


async def test_once_takes_the_last_good_rules_tells_the_operators_once_and_exits_1(
    place: tuple[Path, FeedServer, BotApi],
) -> None:
    config, feeds, api = place
    empty = b'<rss version="2.0"><channel><title>Herald</title></channel></rss>'
    feeds.serve(empty, path="/herald")  # a poll may fall due, and a feed that is gone is an operator's matter

    async def once() -> tuple[int | None, dict[str, object]]:
        async with topicwire("once", "--json", cwd=config.parent) as cron, asyncio.timeout(PATIENCE_S):
            printed, _ = await cron.process.communicate()
        return cron.process.returncode, json.loads(printed)

    first, _ = await once()
    (config.parent / "rules" / "rules.yaml").write_text(BROKEN)
    second, told = await once()
    third, _ = await once()
    (config.parent / "rules" / "rules.yaml").write_text(RULES)
    fourth, mended = await once()

    assert (first, second, third, fourth) == (0, 1, 1, 0)
    assert any("E010" in problem for problem in told["rules_refused"])  # type: ignore[attr-defined]  # a list
    assert mended["rules_refused"] == []
    assert [("refused" in m.text, "good again" in m.text) for m in api.in_chat(OLGA)] == [
        (True, False),
        (False, True),
    ]


async def test_a_first_start_with_wrong_rules_exits_2_and_names_the_place(
    place: tuple[Path, FeedServer, BotApi],
) -> None:
    config, _, _ = place
    (config.parent / "rules" / "rules.yaml").write_text(BROKEN)

    async with topicwire("run", cwd=config.parent) as daemon:
        code = await daemon.end()

    said = "".join(str(line["event"]) for line in daemon.log)
    assert code == 2
    assert "rules.yaml:" in said and "E010" in said


async def test_with_the_watch_off_only_a_signal_reloads(place: tuple[Path, FeedServer, BotApi]) -> None:
    config, _, _ = place
    rules = config.parent / "rules" / "rules.yaml"
    async with topicwire("run", cwd=config.parent, TOPICWIRE_RULES__WATCH="off") as daemon:
        await daemon.until_event("running")
        rules.write_text(RULES + COAL)
        os.kill(daemon.process.pid, signal.SIGHUP)
        await daemon.until_event("reloaded")
        daemon.process.send_signal(signal.SIGTERM)
        await daemon.end()

    assert [line["added"] for line in daemon.log if line["event"] == "rules reloaded"] == [["coal"]]
