"""A store of its own for each test, and a clock to move."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store import SqlStore, open_store
from tests.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path / 'topicwire.db'}"


@pytest.fixture(name="store")
async def empty_store(url: str, clock: FakeClock) -> AsyncIterator[SqlStore]:
    store, _ = await open_store(url, clock)
    yield store
    await store.close()
