"""What holds for every test."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

settings.register_profile("fuzz", deadline=None, derandomize=False, max_examples=20_000)  # make fuzz


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """Undo what a test, or a command under test, did to the logs."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()
