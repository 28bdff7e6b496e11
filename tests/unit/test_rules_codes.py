"""Errors and warnings: every code has an example, and each is told to the letter, with its place."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import bot.core.patterns
import bot.rules
from bot.rules import check
from bot.rules.codes import CODES
from tests.unit.rule_sets import GOLDEN, SMALL, is_real, report_of

EXAMPLES = {
    file: file.with_suffix(".txt").read_text(encoding="utf-8") for file in sorted(GOLDEN.glob("*.yaml"))
}


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_a_file_gets_exactly_these_errors_and_warnings(file: Path, tmp_path: Path) -> None:
    shutil.copy(file, tmp_path)
    stored = file.with_suffix(".archive")
    archive = stored.read_text(encoding="utf-8").splitlines() if stored.exists() else None

    report = check(tmp_path, is_real=is_real, feeds={"tagesschau"}, archive=archive)

    said = "".join(f"{problem}\n" for problem in (*report.problems, *report.warnings))
    assert said.replace(f"{tmp_path}/", "") == EXAMPLES[file]
    assert (report.rules is None) == bool(report.problems)


@pytest.mark.parametrize("code", sorted(CODES.keys() - {"E000"}))
def test_every_code_has_an_example(code: str) -> None:
    assert any(f" {code} " in said for said in EXAMPLES.values())


def test_the_register_holds_just_the_codes_that_are_told() -> None:
    sources = [file for file in Path(bot.rules.__file__).parent.glob("*.py") if file.name != "codes.py"]
    told = {
        code for file in sources for code in re.findall(r'"([EW]\d{3})"', file.read_text(encoding="utf-8"))
    }

    assert told == CODES.keys()


@pytest.mark.parametrize("code", CODES.values(), ids=lambda code: code.code)
def test_a_code_has_a_meaning_and_a_cure(code: bot.rules.codes.Code) -> None:
    assert code.meaning
    assert code.cure
    assert code.is_error == code.code.startswith("E")


def test_without_an_archive_nobody_asks_who_bears_a_surname(tmp_path: Path) -> None:
    shutil.copy(GOLDEN / "W110.yaml", tmp_path)

    report = check(tmp_path, is_real=is_real)

    assert "W110" not in {warning.code for warning in report.warnings}


def test_a_warning_is_silenced_on_its_line_only(tmp_path: Path) -> None:
    terms = "    match:\n      - Seltene Erden  # lint: allow W106\n      - Seltenerdmetall\n"
    text = f"version: 1\ntopics:\n  - id: a\n    title: A\n{terms}"

    report = report_of(tmp_path, text)

    assert [warning.line for warning in report.warnings if warning.code == "W106"] == [7]


def test_several_warnings_are_silenced_with_one_remark(tmp_path: Path) -> None:
    text = "version: 1\ntopics:\n  - {id: a, title: A, match: [rare earth]}  # lint: allow W106, W130 W131\n"

    assert report_of(tmp_path, text).warnings == ()


def test_an_error_cannot_be_silenced(tmp_path: Path) -> None:
    text = SMALL.replace("id: rare-earths", "id: Rare  # lint: allow E011 W130")

    assert [problem.code for problem in report_of(tmp_path, text).problems] == ["E011"]


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

    report = check(tmp_path, is_real=is_real)

    assert [problem.message for problem in report.problems] == [said]


def test_a_topic_that_is_no_map_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("version: 1\ntopics: [5]\n")

    assert [p.message for p in check(tmp_path).problems] == ["`topics` is 5; use a map"]


def test_a_mistake_in_the_defaults_is_shown_where_they_stand(tmp_path: Path) -> None:
    defaults = "version: 1\ndefaults:\n  unless: {use: nowhere}\n"
    (tmp_path / "a.yaml").write_text(SMALL.replace("version: 1\n", defaults))

    (problem,) = check(tmp_path, is_real=is_real).problems

    assert (problem.code, problem.line, problem.col) == ("E012", 3, 17)


@pytest.mark.parametrize("written", ["99999999999w", "9" * 5_000 + "s", "3654d", "600w"])
def test_a_duration_over_ten_years_is_refused_with_its_place(tmp_path: Path, written: str) -> None:
    (tmp_path / "a.yaml").write_text(SMALL.replace("match:", f"cooldown: {written}\n    match:", 1))

    (problem,) = check(tmp_path, is_real=is_real).problems

    assert (problem.code, problem.line) == ("E011", 5)
    assert "ten years" in problem.message


def test_a_term_of_a_list_used_twice_does_not_cover_itself(tmp_path: Path) -> None:
    lists = "version: 1\nlists: {one: {en: [rare earth, neodymium]}}\n"
    text = f"{lists}topics: [{{id: a, title: A, match: [{{use: one}}, {{use: one}}]}}]\n"
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")

    report = check(tmp_path, is_real=is_real)

    assert not [warning for warning in report.warnings if warning.code == "W104"]
