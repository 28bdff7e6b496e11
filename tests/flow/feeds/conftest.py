"""A folder with a config, rules and a list of feeds, and a feed server beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.feedserver import FeedServer
from tests.flow.feeds.desk import RULES, configure, served


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with served() as running:
        yield running


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a config, rules and a list of feeds."""
    monkeypatch.setattr("bot.rules.lazy_lexicon", lambda _: lambda word, _: False)
    monkeypatch.delenv("TOPICWIRE_CONFIG", raising=False)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "rules.yaml").write_text(RULES.replace("SOURCE", "elsewhere.example"))
    (tmp_path / "feeds.opml").write_text("<opml version='2.0'><body/></opml>")
    configure(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path
