"""Who may read what the house keeps, and the log-ins that it reads."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.app import single_instance
from bot.config_models import Config
from bot.feeds.trips import read_login
from bot.model import Feed, FeedId
from bot.store import SqlStore, open_store
from tests.clock import FakeClock

OPEN_DATABASE = "anybody on this machine can read the database"
OPEN_LOGIN = "others than its owner can read this auth_file"


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def rights_in(folder: Path) -> dict[str, int]:
    return {file.name: rights(file) for file in folder.iterdir()}


def give(path: Path, mode: int) -> None:
    path.chmod(mode)


async def opened(folder: Path, clock: FakeClock) -> SqlStore:
    store, _ = await open_store(f"sqlite+aiosqlite:///{folder / 'topicwire.db'}", clock)
    return store


async def test_a_new_database_is_for_its_owner_alone(tmp_path: Path, clock: FakeClock) -> None:
    with capture_logs() as said:
        store = await opened(tmp_path, clock)
    await store.add_feed(Feed(id=FeedId("a"), url="https://a.example/"), clock.now(), clock.now())

    found = rights_in(tmp_path)
    await store.close()

    assert found == {"topicwire.db": 0o600, "topicwire.db-wal": 0o600, "topicwire.db-shm": 0o600}
    assert OPEN_DATABASE not in [line["event"] for line in said]


@pytest.mark.parametrize(
    ("folder", "file", "is_said"), [(0o755, 0o644, True), (0o700, 0o644, False), (0o755, 0o640, False)]
)
async def test_a_database_that_anybody_can_read_is_left_as_it_is_and_told_of(
    tmp_path: Path, clock: FakeClock, folder: int, file: int, is_said: bool
) -> None:
    await (await opened(tmp_path, clock)).close()
    give(tmp_path / "topicwire.db", file)
    give(tmp_path, folder)

    with capture_logs() as said:
        await (await opened(tmp_path, clock)).close()

    assert (OPEN_DATABASE in [line["event"] for line in said]) is is_said
    assert rights(tmp_path / "topicwire.db") == file


def test_a_new_data_directory_is_for_its_owner_alone(tmp_path: Path) -> None:
    config = Config(data_dir=tmp_path / "data")

    with single_instance(config):
        made = rights(tmp_path / "data")

    assert made == 0o700


def test_a_data_directory_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)

    with single_instance(Config(data_dir=tmp_path)):
        assert rights(tmp_path) == 0o755


@pytest.mark.parametrize(("mode", "times"), [(0o600, 0), (0o640, 1), (0o604, 1)])
def test_a_log_in_that_others_can_read_is_told_of_once(tmp_path: Path, mode: int, times: int) -> None:
    file = tmp_path / "login"
    file.write_text("ada:secret\n")
    file.chmod(mode)

    with capture_logs() as said:
        logins = {read_login(str(file)) for _ in range(3)}

    assert [line["event"] for line in said] == [OPEN_LOGIN] * times
    assert "secret" not in str(said)
    assert logins == {"ada:secret"}
