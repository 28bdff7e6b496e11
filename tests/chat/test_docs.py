"""The page for people names what the bot does."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.chat.answers import command_list
from bot.core.render import Action
from bot.i18n import texts

PAGE = Path(__file__).parents[2] / "docs" / "telegram.md"


@pytest.mark.parametrize("command", [name for name, _ in command_list(texts("en"))])
def test_every_command_is_described(command: str) -> None:
    assert f"| `/{command}" in PAGE.read_text()


def test_every_button_is_described() -> None:
    page = PAGE.read_text()

    assert [f"| {label} |" in page for label in ("Mute story", "Why", "Not relevant")] == [True] * len(Action)
