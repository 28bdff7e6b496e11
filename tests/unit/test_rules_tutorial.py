"""The tutorial: its files and commands, played from an empty folder, print what it shows."""

from __future__ import annotations

import importlib.util
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "docs"


def test_the_tutorial_prints_what_it_shows(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("docs_play", FOLDER / "play.py")
    assert spec is not None
    assert spec.loader is not None
    player = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(player)
    page = (FOLDER / "tutorial.md").read_text(encoding="utf-8")

    assert player.played(page, tmp_path) == page, "write it anew: python docs/play.py"
