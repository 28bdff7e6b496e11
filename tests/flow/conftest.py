"""A household for each flow test, its feeds polled once, so that what follows is news."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.clock import FakeClock
from tests.flow.household import Household, a_setup, an_entry, open_household, some_rules, world


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Household]:
    clock = FakeClock()
    async with world() as (feeds, api):
        setup = a_setup(feeds, api, tmp_path, some_rules(tmp_path / "rules"))
        async with open_household(setup, feeds, api, clock) as home:
            for outlet in ("herald", "post", "globe"):
                home.publish(an_entry(f"Old news of the {outlet}"), outlet=outlet)
            await home.pass_by()
            yield home
