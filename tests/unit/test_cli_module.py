"""The ways to start the commands without the script `topicwire`."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bot import __version__


@pytest.mark.parametrize("module", ["bot", "bot.cli"])
def test_the_commands_are_started_as_a_module(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, "--version"], capture_output=True, text=True, check=False, timeout=60
    )

    assert (done.returncode, done.stdout.strip()) == (0, f"topicwire {__version__}")
