"""The reference of the rule format: its tables are made of the code, and its examples are real."""

from __future__ import annotations

import importlib.util
import json
import re
from dataclasses import asdict
from pathlib import Path
from types import ModuleType

import pytest
from pydantic import BaseModel

from bot.core.stems import STEMMERS, has_stemmer
from bot.model import FeedId, Item
from bot.rules.codes import CODES
from bot.rules.lint import WEAKLY_STEMMED
from bot.rules.models import FORMS, InlineItem, RuleFile, Sources, Spike, TopicModel
from tests.unit.rule_sets import rules_of

FOLDER = Path(__file__).parents[2] / "docs"
PAGE = (FOLDER / "rules.md").read_text(encoding="utf-8")


def tables() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_tables", FOLDER / "tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def keys_of(*models: type[BaseModel]) -> set[str]:
    return {info.alias or name for model in models for name, info in model.model_fields.items()}


def test_the_tables_are_those_of_the_code() -> None:
    assert tables().written_anew(PAGE) == PAGE, "write them anew: python docs/tables.py"


def test_every_table_stands_in_the_page_once() -> None:
    assert sorted(re.findall(r"<!-- table: ([\w ]+) -->", PAGE)) == sorted(tables().TABLES)


@pytest.mark.parametrize(
    "key", sorted(keys_of(RuleFile, TopicModel, InlineItem, Sources, Spike, *FORMS.values()))
)
def test_the_page_names_every_key(key: str) -> None:
    assert f"`{key}" in PAGE


@pytest.mark.parametrize("code", sorted(CODES))
def test_the_page_names_every_code(code: str) -> None:
    assert f"\n| {code} |" in PAGE


@pytest.mark.parametrize("model", [RuleFile, TopicModel, InlineItem, Sources, Spike, *FORMS.values()])
def test_every_key_is_described_to_editors_too(model: type[BaseModel]) -> None:
    assert all(info.description for info in model.model_fields.values())


def test_the_stemmers_that_are_called_weak_are_those_that_miss_most_forms() -> None:
    missed = {language for language, (same, every) in tables().found_forms().items() if same < every / 2}

    assert missed == WEAKLY_STEMMED


def test_every_stemmer_that_is_promised_is_installed() -> None:
    assert [language for language in STEMMERS if not has_stemmer(language)] == []


def test_the_pages_example_of_match_is_what_comes_out(tmp_path: Path) -> None:
    title = "Two lithium mines open in Chile"
    terms = "version: 1\ntopics: [{id: lithium, title: Lithium, match: {en: [lithium mine]}}]\n"
    shown = next(json.loads(line) for line in PAGE.splitlines() if line.startswith('{"id": 1'))

    (match,) = rules_of(tmp_path, terms).match(Item(feed_id=FeedId("f"), title=title))

    assert shown["matches"] == [
        {"topic": match.topic, "score": match.score, "terms": [asdict(term) for term in match.terms]}
    ]


def test_the_pages_simplest_file_is_without_fault(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(version: 1\n.*?)```", PAGE, re.DOTALL)

    assert rules_of(tmp_path, example).topics
