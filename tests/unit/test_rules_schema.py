"""The JSON Schema of rule files: made of the models, kept beside the shipped rules, and true."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from bot.rules import json_schema
from bot.rules.reading import Source, parse_source
from tests.unit.rule_sets import GOLDEN

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "rules").glob("*.yaml"))
VALIDATOR = Draft202012Validator(json_schema())
BLIND = {"E011-terms"}  # files whose mistakes a schema cannot see: meaning, not form


def data_of(file: Path) -> object:
    source = Source(file.name)
    parse_source(source, file.read_text(encoding="utf-8"))
    assert source.problems == []
    return source.data


def test_the_schema_is_json_and_knows_every_key() -> None:
    schema = json_schema()

    assert set(schema["properties"]) == {"version", "defaults", "lists", "topics"}
    assert {"match", "ignore", "unless", "min_score", "tests"} <= set(
        schema["$defs"]["TopicModel"]["properties"]
    )
    assert '"at_least"' in json.dumps(schema)


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(json_schema())


def test_the_schema_beside_the_shipped_rules_is_current() -> None:
    kept = (ROOT / "rules" / ".schema.json").read_text(encoding="utf-8")

    assert json.loads(kept) == json_schema(), "write it anew: topicwire rules schema > rules/.schema.json"


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_a_shipped_file_is_what_the_schema_wants(file: Path) -> None:
    assert list(VALIDATOR.iter_errors(data_of(file))) == []


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_a_shipped_file_names_its_schema(file: Path) -> None:
    first = file.read_text(encoding="utf-8").splitlines()[0]

    assert first == "# yaml-language-server: $schema=./.schema.json"


SEEN = sorted(
    file
    for code in ("E001", "E010", "E011")
    for file in GOLDEN.glob(f"{code}*.yaml")
    if file.stem not in BLIND
)


@pytest.mark.parametrize("file", SEEN, ids=lambda file: file.stem)
def test_an_editor_underlines_what_the_reader_refuses(file: Path) -> None:
    assert list(VALIDATOR.iter_errors(data_of(file)))


WARNED = sorted(file for file in GOLDEN.glob("W*.yaml"))


@pytest.mark.parametrize("file", WARNED, ids=lambda file: file.stem)
def test_what_is_only_warned_of_is_no_mistake_to_an_editor(file: Path) -> None:
    assert list(VALIDATOR.iter_errors(data_of(file))) == []
