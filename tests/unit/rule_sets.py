"""Small rule sets for tests, and what matches in them."""

from __future__ import annotations

from pathlib import Path

from bot.model import FeedId, Item
from bot.rules import RuleSet, RulesReport, check, read_rules

GOLDEN = Path(__file__).parents[1] / "golden" / "rules"
REAL = frozenset({"erde", "erden"})

SMALL = """\
version: 1
topics:
  - id: rare-earths
    title: {en: Rare earths, de: Seltene Erden}
    match:
      de: [Seltene Erden, Seltenerd*]
      en: [rare earth]
      ru: [редкоземельный металл, =РЗМ]
      zh: [稀土]
    tests:
      match: [Streit um Handel mit Seltenen Erden]
      no_match: [Seltene Erkrankung bei Kindern entdeckt]
"""


def is_real(word: str, language: str = "") -> bool:
    """Return whether the word is one of the few real words of these tests."""
    return word in REAL


def report_of(folder: Path, text: str, name: str = "a.yaml") -> RulesReport:
    """Return what is said about a folder after the file was written there."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return check(folder, is_real=is_real)


def rules_of(folder: Path, text: str, name: str = "a.yaml") -> RuleSet:
    """Return the set of a folder after the file was written there."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return read_rules(folder, is_real=is_real)


def rules_about(folder: Path, match: str) -> RuleSet:
    """Return a set of one topic `a` with this `match`."""
    return rules_of(folder, f"version: 1\ntopics: [{{id: a, title: A, match: {match}}}]\n")


def topics_in(rules: RuleSet, title: str) -> list[str]:
    """Return the topics of a title."""
    return [match.topic for match in rules.match(Item(feed_id=FeedId("f"), title=title))]
