"""Files that nobody means well with: refused at once, with their place, or read in time."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules import check
from bot.rules.reading import Source, parse_source
from tests.unit.rule_sets import SMALL, is_real, rules_of, topics_in


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

    report = check(tmp_path, is_real=is_real)

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


def test_lists_that_double_the_one_before_are_refused_at_once(tmp_path: Path) -> None:
    doubling = "".join(f"  l{n}: [{{use: l{n - 1}}}, {{use: l{n - 1}}}]\n" for n in range(1, 40))
    lists = f"version: 1\nlists:\n  l0: {{en: [rare earth]}}\n{doubling}"
    (tmp_path / "a.yaml").write_text(f"{lists}topics: [{{id: a, title: A, match: {{use: l39}}}}]\n")
    before = time.process_time()

    report = check(tmp_path, is_real=is_real)

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

    report = check(tmp_path, is_real=is_real)

    assert {problem.code for problem in report.problems} == {"E013"}


def test_lists_nested_as_deep_as_allowed_are_no_stack_bomb(tmp_path: Path) -> None:
    opened, closed = "[{any: " * 17, "}]" * 17
    chain = "".join(f"  l{n}: {opened}{{use: l{n - 1}}}{closed}\n" for n in range(1, 40))
    lists = f"version: 1\nlists:\n  l0: {{en: [rare earth]}}\n{chain}"
    (tmp_path / "a.yaml").write_text(f"{lists}topics: [{{id: a, title: A, match: {{use: l39}}}}]\n")

    report = check(tmp_path, is_real=is_real)

    assert {problem.code for problem in report.problems} == {"E013"}


def test_what_looks_like_a_rule_file_and_is_none_is_named(tmp_path: Path) -> None:
    rules_of(tmp_path, SMALL)
    (tmp_path / "dangling.yaml").symlink_to("nowhere.yaml")
    (tmp_path / "loop.yml").symlink_to("loop.yml")
    (tmp_path / "folder.yaml").mkdir()
    os.mkfifo(tmp_path / "pipe.YAML")
    (tmp_path / ".#hidden.yaml").symlink_to("an editor's lock")

    report = check(tmp_path, is_real=is_real)

    named = [(Path(problem.file).name, problem.code) for problem in report.problems]
    names = ["dangling.yaml", "folder.yaml", "loop.yml", "pipe.YAML"]
    assert named == [(name, "E000") for name in names]
    assert report.is_unreadable


def test_long_defaults_of_many_topics_are_read_within_seconds(tmp_path: Path) -> None:
    words = ", ".join(f"word{number}" for number in range(300))
    topics = "".join(f"  - {{id: t{n}, title: T, match: {{en: [thing{n}]}}}}\n" for n in range(500))
    shared = f"version: 1\ndefaults: {{tags: [{words}], level: high}}\ntopics:\n{topics}"
    (tmp_path / "a.yaml").write_text(shared)
    before = time.process_time()

    assert check(tmp_path, is_real=is_real).rules is not None
    assert time.process_time() - before < 10


def test_four_thousand_terms_are_read_within_seconds(tmp_path: Path) -> None:
    topics = (f"  - {{id: t{n}, title: T, match: {{en: [word{n} thing, other{n}]}}}}\n" for n in range(1_000))
    (tmp_path / "a.yaml").write_text("version: 1\ntopics:\n" + "".join(topics), encoding="utf-8")
    words = ", ".join(f"word{n} thing" for n in range(3_000))
    one = f"version: 1\ntopics: [{{id: big, title: T, match: {{en: [{words}]}}}}]\n"
    (tmp_path / "b.yaml").write_text(one, encoding="utf-8")
    before = time.process_time()

    report = check(tmp_path, is_real=is_real)

    assert report.rules is not None
    assert time.process_time() - before < 20


def test_a_file_of_a_megabyte_that_means_nothing_is_refused_within_a_second(tmp_path: Path) -> None:
    head = "version: 1\ntopics:\n  - id: a\n    title: A\n    match:\n      en: "
    hostile = {
        "values": f"{head}[{'a,' * 480_000}]\n",
        "depth": f"{head}{'[' * 1_000_000}",
        "quote": f'{head}["{"a b " * 250_000}',
        "word": f"{head}[{'x' * 1_000_000}]\n",
        "digits": f"version: {'9' * 1_000_000}\n",
        "key": f"{head}\n        {'x' * 1_000_000}: [x]\n",
        "tests": f"{head}[x y]\n    tests:\n      match: [{'rare earth,' * 50_000}]\n",
    }
    for name, text in hostile.items():
        folder = tmp_path / name
        folder.mkdir()
        (folder / "a.yaml").write_text(text, encoding="utf-8")
        before = time.process_time()

        report = check(folder, is_real=is_real)

        assert time.process_time() - before < 5, name  # a second, with room for slow machines
        assert report.problems, name
        assert all(len(problem.message) < 300 for problem in report.problems), name


def test_of_countless_mistakes_some_are_told_and_the_rest_counted(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("version: 1\n" + "".join(f"k{n}: 1\n" for n in range(5_000)))

    problems = check(tmp_path, is_real=is_real).problems

    assert len(problems) == 201
    assert problems[-1].message == "and 4,800 mistakes more in this file"


def test_twenty_thousand_terms_that_cover_each_other_are_compared_in_seconds(tmp_path: Path) -> None:
    terms = ", ".join(["rare earth"] * 3_000 + [f"bastnas{'i' * (n % 30)}*" for n in range(3_000)])
    (tmp_path / "a.yaml").write_text(f"version: 1\ntopics: [{{id: a, title: A, match: {{en: [{terms}]}}}}]\n")
    before = time.process_time()

    report = check(tmp_path, is_real=is_real)

    assert sum(warning.code == "W104" for warning in report.warnings) == 5_998
    assert time.process_time() - before < 20
