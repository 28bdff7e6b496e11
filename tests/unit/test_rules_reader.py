"""The rule reader: what it takes, what it refuses and where, and what stays the same."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from bot.core.terms import has_stemmer
from bot.errors import RulesInvalid
from bot.model import FeedId, Item, Level, TopicId, TopicStatus
from bot.rules import RuleSet, check, json_schema, read_rules
from bot.rules.models import FORMS, LANGUAGES, InlineItem, RuleFile, TopicModel
from bot.rules.reading import Source, parse_source

GOLDEN = Path(__file__).parents[1] / "golden" / "rules"
REAL = frozenset({"erde", "erden"})


def rules_of(folder: Path, text: str, name: str = "a.yaml") -> RuleSet:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return read_rules(folder, is_real=lambda word, _: word in REAL)


def topics_in(rules: RuleSet, title: str) -> list[str]:
    return [match.topic for match in rules.match(Item(feed_id=FeedId("f"), title=title))]


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


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*.yaml")), ids=lambda file: file.stem)
def test_a_file_gets_exactly_these_errors_and_warnings(file: Path, tmp_path: Path) -> None:
    shutil.copy(file, tmp_path)

    report = check(tmp_path, is_real=lambda word, _: word in REAL, feeds={"tagesschau"})

    said = "".join(f"{problem}\n" for problem in (*report.problems, *report.warnings))
    assert said.replace(f"{tmp_path}/", "") == file.with_suffix(".txt").read_text(encoding="utf-8")
    assert (report.rules is None) == bool(report.problems)


@pytest.mark.parametrize("number", [1, 2, 10, 11, 12, 13, 14, 20, 30, 31, 32, 40])
def test_every_error_has_an_example(number: int) -> None:
    assert any(f" E{number:03} " in file.read_text(encoding="utf-8") for file in GOLDEN.glob("*.txt"))


@pytest.mark.parametrize("number", [101, 102, 103, 104, 105, 106, 107, 108, 120, 130, 131])
def test_every_warning_has_an_example(number: int) -> None:
    assert any(f" W{number} " in file.read_text(encoding="utf-8") for file in GOLDEN.glob("*.txt"))


def test_the_simplest_file_matches(tmp_path: Path) -> None:
    rules = rules_of(tmp_path, SMALL)

    assert topics_in(rules, "Handel mit Seltenerdmetallen") == ["rare-earths"]
    assert topics_in(rules, "цены на редкоземельные металлы") == ["rare-earths"]
    assert topics_in(rules, "中国限制稀土出口") == ["rare-earths"]
    assert topics_in(rules, "Seltene Vögel auf der Erde") == []


def test_a_topic_carries_what_the_house_needs(tmp_path: Path) -> None:
    keys = "level: critical\n    tags: [a, b]\n    status: experimental\n    cooldown: 1h30m\n    match:"

    rules = rules_of(tmp_path, SMALL.replace("match:", keys, 1))

    topic = rules.topics[TopicId("rare-earths")]
    assert topic.title("de") == "Seltene Erden"
    assert topic.level is Level.CRITICAL
    assert topic.tags == ("a", "b")
    assert topic.status is TopicStatus.EXPERIMENTAL
    assert topic.cooldown == timedelta(minutes=90)


def test_a_deprecated_topic_is_silent(tmp_path: Path) -> None:
    rules = rules_of(tmp_path, SMALL.replace("match:", "status: deprecated\n    match:", 1))

    assert topics_in(rules, "Seltene Erden") == []


def test_defaults_fill_in_and_a_topics_own_key_wins(tmp_path: Path) -> None:
    defaults = "version: 1\ndefaults: {level: high, tags: [x]}\n"

    rules = rules_of(
        tmp_path,
        SMALL.replace("version: 1\n", defaults).replace("    match:", "    level: low\n    match:", 1),
    )

    topic = rules.topics[TopicId("rare-earths")]
    assert (topic.level, topic.tags) == (Level.LOW, ("x",))


def test_a_list_serves_topics_of_other_files(tmp_path: Path) -> None:
    rules_of(tmp_path, "version: 1\nlists: {metals: {en: [neodymium]}}\n", "lists.yaml")

    rules = rules_of(
        tmp_path, "version: 1\ntopics: [{id: a, title: A, match: {use: metals}}]\n", "topics.yml"
    )

    assert topics_in(rules, "neodymium") == ["a"]


def test_one_bad_file_refuses_the_whole_set(tmp_path: Path) -> None:
    rules_of(tmp_path, SMALL)

    with pytest.raises(RulesInvalid) as caught:
        rules_of(tmp_path, "version: 9\n", "bad.yaml")

    assert [problem.code for problem in caught.value.problems] == ["E001"]


def test_a_topic_id_twice_names_both_places(tmp_path: Path) -> None:
    rules_of(tmp_path, SMALL)

    with pytest.raises(RulesInvalid, match=r"b\.yaml:3:9 E020 .*a\.yaml:3:9"):
        rules_of(tmp_path, SMALL, "b.yaml")


@pytest.mark.parametrize("missing", [True, False])
def test_a_folder_without_rules_cannot_be_read(tmp_path: Path, missing: bool) -> None:
    report = check(tmp_path / "none" if missing else tmp_path)

    assert report.is_unreadable
    assert report.rules is None


def test_the_hash_ignores_comments_and_layout_but_no_term(tmp_path: Path) -> None:
    plain = rules_of(tmp_path / "a", SMALL).rules_hash

    assert rules_of(tmp_path / "b", f"# a comment\n{SMALL}\n\n").rules_hash == plain
    assert rules_of(tmp_path / "c", SMALL.replace("[稀土]", "[稀土, 钕]")).rules_hash != plain


def test_a_match_carries_the_hash(tmp_path: Path) -> None:
    rules = rules_of(tmp_path, SMALL)

    (match,) = rules.match(Item(feed_id=FeedId("f"), title="rare earth"))

    assert match.rules_hash == rules.rules_hash


def test_languages_keep_items_in_them_and_those_that_nobody_can_tell(tmp_path: Path) -> None:
    rules = rules_of(tmp_path, SMALL.replace("match:", "languages: [de]\n    match:", 1))

    assert topics_in(rules, "Die Bundesregierung will weniger Seltene Erden aus China einführen") != []
    assert topics_in(rules, "Seltene Erden") != []
    assert topics_in(rules, "The government wants to import fewer rare earths from abroad this year") == []


def test_a_form_speaks_for_the_fields_it_names(tmp_path: Path) -> None:
    text = "version: 1\ntopics: [{id: a, title: A, match: {en: [rare earth], in: [summary]}}]\n"

    rules = rules_of(tmp_path, text)

    assert topics_in(rules, "rare earth") == []
    assert rules.match(Item(feed_id=FeedId("f"), summary="rare earth"))


def test_weight_fuzzy_and_slop_tune_one_term(tmp_path: Path) -> None:
    terms = "[{term: tariff, fuzzy: off}, {term: rare earth, slop: 0}, {term: metal, weight: 0.2}]"

    rules = rules_of(tmp_path, f"version: 1\ntopics: [{{id: a, title: A, match: {{en: {terms}}}}}]\n")

    assert topics_in(rules, "tariffs") == ["a"]
    assert topics_in(rules, "tarrifs") == []
    assert topics_in(rules, "rare red earth") == []
    assert topics_in(rules, "metal") == []


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5_000,
        "- " * 3_000,
        "{a: " * 2_000,
        "a: &a [*a]",
        "? [a]\n: b",
        "--- a\n--- b",
        "!!python/object:os.system x",
        "a: 0123\nb: 1e999\nc: 0o17",
        "\x00",
        "%YAML 9.9\n---\na",
        "version: 1\ntopics: 5",
        "version: 1\ntopics: [5]",
        "version: 1\nlists: []",
        "version: true",
        "version: 1\ndefaults: [x]\ntopics: [{}]",
        "[]",
        "x",
    ],
)
def test_nonsense_is_refused_with_a_place(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")

    report = check(tmp_path, is_real=lambda word, _: word in REAL)

    assert report.problems
    assert all(problem.line > 0 for problem in report.problems)


@given(st.text(max_size=80) | st.text("abc:-[]{}#&*!|>'\"?\n\t ", max_size=40))
def test_no_text_breaks_the_reader_and_every_problem_lies_in_the_text(text: str) -> None:
    source = Source("a.yaml")

    parse_source(source, text)

    last = len(text.splitlines()) + 1
    assert all(1 <= problem.line <= last and problem.col >= 1 for problem in source.problems)
    assert all(1 <= line <= last for line, _ in (*source.values.values(), *source.keys.values()))


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object:os.system [x]",
        "!!python/object:os.system {a: b}",
        "!!set {a}",
        "!x y: 1",
        "a: !!str [b]",
    ],
)
def test_a_tag_of_any_node_is_refused(text: str) -> None:
    source = Source("a.yaml")

    parse_source(source, text)

    assert any("the tag" in problem.message for problem in source.problems)


@pytest.mark.parametrize("written", ["99999999999w", "9" * 5_000 + "s", "3654d", "600w"])
def test_a_duration_over_ten_years_is_refused_with_its_place(tmp_path: Path, written: str) -> None:
    (tmp_path / "a.yaml").write_text(SMALL.replace("match:", f"cooldown: {written}\n    match:", 1))

    (problem,) = check(tmp_path, is_real=lambda word, _: word in REAL).problems

    assert (problem.code, problem.line) == ("E011", 5)
    assert "ten years" in problem.message


def test_lists_that_double_the_one_before_are_refused_at_once(tmp_path: Path) -> None:
    doubling = "".join(f"  l{n}: [{{use: l{n - 1}}}, {{use: l{n - 1}}}]\n" for n in range(1, 40))
    lists = f"version: 1\nlists:\n  l0: {{en: [rare earth]}}\n{doubling}"
    (tmp_path / "a.yaml").write_text(f"{lists}topics: [{{id: a, title: A, match: {{use: l39}}}}]\n")
    before = time.process_time()

    report = check(tmp_path, is_real=lambda word, _: word in REAL)

    assert {problem.code for problem in report.problems} == {"E011"}
    assert "20,000 terms" in report.problems[0].message
    assert time.process_time() - before < 5


def test_lists_that_double_the_one_before_are_read_while_there_is_room(tmp_path: Path) -> None:
    doubling = "".join(f"  l{n}: [{{use: l{n - 1}}}, {{use: l{n - 1}}}]\n" for n in range(1, 13))
    lists = f"version: 1\nlists:\n  l0: {{en: [rare earth]}}\n{doubling}"
    before = time.process_time()

    rules = rules_of(tmp_path, f"{lists}topics: [{{id: a, title: A, match: {{use: l12}}}}]\n")

    assert topics_in(rules, "rare earth") == ["a"]
    assert time.process_time() - before < 10


def test_a_chain_of_two_thousand_lists_is_refused(tmp_path: Path) -> None:
    chain = "".join(f"  l{n}: {{use: l{n - 1}}}\n" for n in range(1, 2_000))
    lists = f"version: 1\nlists:\n  l0: {{en: [rare earth]}}\n{chain}"
    (tmp_path / "a.yaml").write_text(f"{lists}topics: [{{id: a, title: A, match: {{use: l1999}}}}]\n")

    report = check(tmp_path, is_real=lambda word, _: word in REAL)

    assert {problem.code for problem in report.problems} == {"E013"}


def test_lists_nested_as_deep_as_allowed_are_no_stack_bomb(tmp_path: Path) -> None:
    opened, closed = "[{any: " * 17, "}]" * 17
    chain = "".join(f"  l{n}: {opened}{{use: l{n - 1}}}{closed}\n" for n in range(1, 40))
    lists = f"version: 1\nlists:\n  l0: {{en: [rare earth]}}\n{chain}"
    (tmp_path / "a.yaml").write_text(f"{lists}topics: [{{id: a, title: A, match: {{use: l39}}}}]\n")

    report = check(tmp_path, is_real=lambda word, _: word in REAL)

    assert {problem.code for problem in report.problems} == {"E013"}


def test_a_term_of_a_list_used_twice_does_not_cover_itself(tmp_path: Path) -> None:
    lists = "version: 1\nlists: {one: {en: [rare earth, neodymium]}}\n"
    text = f"{lists}topics: [{{id: a, title: A, match: [{{use: one}}, {{use: one}}]}}]\n"
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")

    report = check(tmp_path, is_real=lambda word, _: word in REAL)

    assert not [warning for warning in report.warnings if warning.code == "W104"]


def test_what_looks_like_a_rule_file_and_is_none_is_named(tmp_path: Path) -> None:
    rules_of(tmp_path, SMALL)
    (tmp_path / "dangling.yaml").symlink_to("nowhere.yaml")
    (tmp_path / "loop.yml").symlink_to("loop.yml")
    (tmp_path / "folder.yaml").mkdir()
    os.mkfifo(tmp_path / "pipe.YAML")
    (tmp_path / ".#hidden.yaml").symlink_to("an editor's lock")

    report = check(tmp_path, is_real=lambda word, _: word in REAL)

    named = [(Path(problem.file).name, problem.code) for problem in report.problems]
    names = ["dangling.yaml", "folder.yaml", "loop.yml", "pipe.YAML"]
    assert named == [(name, "E000") for name in names]
    assert report.is_unreadable


def test_a_file_in_capitals_is_read(tmp_path: Path) -> None:
    assert topics_in(rules_of(tmp_path, SMALL, "RARE.YAML"), "rare earth") == ["rare-earths"]


def test_one_language_alone_keeps_out_the_others(tmp_path: Path) -> None:
    text = "version: 1\ntopics: [{id: a, title: A, languages: [en], match: [lithium]}]\n"

    rules = rules_of(tmp_path, text)

    assert topics_in(rules, "Bolivien will sein Lithium endlich selbst abbauen und verarbeiten") == []
    assert topics_in(
        rules, "The government will build its own lithium mines in the north of the country"
    ) == ["a"]
    assert topics_in(rules, "Lithium") == ["a"]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("fuzzy: 20", "`fuzzy` is 20; use a number from 50 to 100, or off"),
        ("title: 5", "`title` is 5; put it in quotes to make it text"),
        ("cooldown: [1h]", "`cooldown` is a list, which is no duration; write 90m, 2h30m, 1d or 0"),
        ("sources: [a]", "`sources` is a list; use a map"),
        ("min_score: x", '`min_score` is "x"; use a number'),
        (
            "ignore: {en: [x], all: [y]}",
            "a language (`en`) and a form cannot share a map; make it a list of two",
        ),
        ("tests: {match: [{titel: x}]}", "unknown key `titel`; did you mean `title`?"),
        ("tests: {match: [5]}", "`match` is 5; put it in quotes to make it text"),
    ],
)
def test_a_mistake_is_told_once_and_in_the_operators_words(tmp_path: Path, keys: str, said: str) -> None:
    name = keys.split(":", maxsplit=1)[0]
    topic = {"id": "id: a", "title": "title: A", "match": "match: {en: [x y]}", name: keys}
    (tmp_path / "a.yaml").write_text(f"version: 1\ntopics: [{{{', '.join(topic.values())}}}]\n")

    report = check(tmp_path, is_real=lambda word, _: word in REAL)

    assert [problem.message for problem in report.problems] == [said]


def test_a_topic_that_is_no_map_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("version: 1\ntopics: [5]\n")

    assert [p.message for p in check(tmp_path).problems] == ["`topics` is 5; use a map"]


def test_a_mistake_in_the_defaults_is_shown_where_they_stand(tmp_path: Path) -> None:
    defaults = "version: 1\ndefaults:\n  unless: {use: nowhere}\n"
    (tmp_path / "a.yaml").write_text(SMALL.replace("version: 1\n", defaults))

    (problem,) = check(tmp_path, is_real=lambda word, _: word in REAL).problems

    assert (problem.code, problem.line, problem.col) == ("E012", 3, 17)


def test_long_defaults_of_many_topics_are_read_within_seconds(tmp_path: Path) -> None:
    words = ", ".join(f"word{number}" for number in range(300))
    topics = "".join(f"  - {{id: t{n}, title: T, match: {{en: [thing{n}]}}}}\n" for n in range(500))
    shared = f"version: 1\ndefaults: {{tags: [{words}], level: high}}\ntopics:\n{topics}"
    (tmp_path / "a.yaml").write_text(shared)
    before = time.process_time()

    assert check(tmp_path, is_real=lambda word, _: word in REAL).rules is not None
    assert time.process_time() - before < 10


def test_the_schema_is_json_and_knows_every_key() -> None:
    schema = json_schema()

    assert set(schema["properties"]) == {"version", "defaults", "lists", "topics"}
    assert {"match", "ignore", "unless", "min_score", "tests"} <= set(
        schema["$defs"]["TopicModel"]["properties"]
    )
    assert '"at_least"' in json.dumps(schema)


# ---- the operator's documents ------------------------------------------------------------------

DOCS = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")


def keys_of(*models: type[BaseModel]) -> set[str]:
    return {info.alias or name for model in models for name, info in model.model_fields.items()}


@pytest.mark.parametrize("key", sorted(keys_of(RuleFile, TopicModel, InlineItem, *FORMS.values())))
def test_the_documents_name_every_key(key: str) -> None:
    assert f"`{key}" in DOCS


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*.txt")), ids=lambda file: file.stem)
def test_the_documents_name_every_code(file: Path) -> None:
    for code in re.findall(r" ([EW]\d{3}) ", file.read_text(encoding="utf-8")):
        assert f"| {code} |" in DOCS


def test_the_documents_name_the_languages_whose_endings_are_known() -> None:
    listed = re.search(r"known under these keys: `([^`]*)`", DOCS)

    assert listed is not None
    assert listed[1].split() == sorted(code for code in LANGUAGES if has_stemmer(code))


def test_the_documents_example_is_what_comes_out(tmp_path: Path) -> None:
    title = "Two lithium mines open in Chile"
    terms = "version: 1\ntopics: [{id: lithium, title: Lithium, match: {en: [lithium mine]}}]\n"
    shown = next(json.loads(line) for line in DOCS.splitlines() if line.startswith('{"id": 1'))

    (match,) = rules_of(tmp_path, terms).match(Item(feed_id=FeedId("f"), title=title))

    assert shown["matches"] == [
        {"topic": match.topic, "score": match.score, "terms": [asdict(term) for term in match.terms]}
    ]


def test_four_thousand_terms_are_read_within_seconds(tmp_path: Path) -> None:
    topics = (f"  - {{id: t{n}, title: T, match: {{en: [word{n} thing, other{n}]}}}}\n" for n in range(1_000))
    (tmp_path / "a.yaml").write_text("version: 1\ntopics:\n" + "".join(topics), encoding="utf-8")
    words = ", ".join(f"word{n} thing" for n in range(3_000))
    one = f"version: 1\ntopics: [{{id: big, title: T, match: {{en: [{words}]}}}}]\n"
    (tmp_path / "b.yaml").write_text(one, encoding="utf-8")
    before = time.process_time()

    report = check(tmp_path, is_real=lambda word, _: word in REAL)

    assert report.rules is not None
    assert time.process_time() - before < 20
