"""The operator's commands about rule files by themselves: check, test, schema."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.cli_shared import (
    DEFAULT_FOLDER,
    OK,
    WRONG,
    ConfigOption,
    FeedIds,
    Folder,
    JsonOption,
    RulesOption,
    TopicArgument,
    archived_texts,
    count,
    exit_code,
    feed_ids,
    json_text,
    mistakes_told,
    stop_if_unknown,
    tested_rules,
)
from bot.errors import Problem
from bot.rules import Coverage, Outcome, RulesReport, check, json_schema

app = typer.Typer(
    name="rules",
    help="Check, test, explain and try out rule files.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


# ---- check -------------------------------------------------------------------------------------


@app.command("check")
def check_command(
    folder: Folder = DEFAULT_FOLDER,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail too.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Read all rule files, run their tests, and report every mistake with its place and cure.

    Whether `sources` names feeds that exist is told by the config: ./config.toml, where it stands and names
    this folder, unless --config names another. Its archive tells whether a surname alone is several people's.

    Exits 0 when the rules are clean, 1 when there are errors (with --strict, warnings too), 2 when the folder
    or the config cannot be read.

    \b
    topicwire rules check
    topicwire rules check --strict --json /etc/topicwire/rules
    """
    with mistakes_told():
        feeds = feed_ids(folder, config)
        report = check(folder, feeds=feeds.ids, archive=archived_texts(feeds.config))
    if as_json:
        told = {**_report_json(report), "feed_ids_checked": feeds.ids is not None}
        typer.echo(json_text(told))
    else:
        for problem in (*report.problems, *report.warnings):
            _show_problem(problem)
        typer.echo(_summary(folder, report, feeds), err=True)
    raise typer.Exit(exit_code(report, strict=strict))


def _show_problem(problem: Problem) -> None:
    style = {"E": "bold red", "W": "yellow"}.get(problem.code[:1], "")
    line = Text(str(problem))
    line.highlight_words([f" {problem.code} "], style)
    Console(soft_wrap=True, highlight=False).print(line)


def _summary(folder: Path, report: RulesReport, feeds: FeedIds) -> str:
    passed = sum(outcome.passed for outcome in report.outcomes)
    parts = (
        count(report.files, "file"),
        count(len({one.topic for one in report.coverage}), "topic"),
        f"{passed} of {count(len(report.outcomes), 'test')} pass",
        count(len(report.problems), "error"),
        count(len(report.warnings), "warning"),
    )
    unchecked = f"; feed ids in `sources` not checked: {feeds.unknown_because}" if feeds.ids is None else ""
    return f"{folder}: {', '.join(parts)}{unchecked}"


def _report_json(report: RulesReport) -> dict[str, Any]:
    return {
        "errors": [asdict(problem) for problem in report.problems],
        "warnings": [asdict(problem) for problem in report.warnings],
        "files": report.files,
        "tests": {
            "passed": sum(outcome.passed for outcome in report.outcomes),
            "failed": sum(not outcome.passed for outcome in report.outcomes),
        },
        "rules_hash": report.rules.rules_hash if report.rules else None,
    }


# ---- test --------------------------------------------------------------------------------------


@app.command("test")
def run_inline_tests(
    topic: TopicArgument = None, rules: RulesOption = DEFAULT_FOLDER, as_json: JsonOption = False
) -> None:
    """Run the tests that stand in the rule files, and show which terms they reach.

    Exits 0 when all pass, 1 when a test fails or the rules have errors, 2 when there is no such topic or the
    folder cannot be read.

    \b
    topicwire rules test
    topicwire rules test rare-earths --json
    """
    report = check(rules)
    stop_if_unknown(topic, {str(one) for one in tested_rules(report).topics})
    outcomes = [one for one in report.outcomes if topic in {None, one.topic}]
    coverage = [one for one in report.coverage if topic in {None, one.topic}]
    failed = [one for one in outcomes if not one.passed]
    if as_json:
        typer.echo(json_text(_tests_json(outcomes, coverage)))
    else:
        _show_tests(Console(highlight=False), outcomes, coverage, failed)
    raise typer.Exit(WRONG if failed else OK)


def _show_tests(
    console: Console, outcomes: list[Outcome], coverage: list[Coverage], failed: list[Outcome]
) -> None:
    console.print(_outcome_table(outcomes))
    console.print(_coverage_table(coverage))
    for one in failed:
        console.print(Text(f"{one.topic}: {one.text!r}: {one.detail}"), soft_wrap=True)
    reached = sum(bool(one.found) for one in coverage)
    passed = len(outcomes) - len(failed)
    console.print(f"{passed} of {count(len(outcomes), 'test')} pass; they reach {reached} of ", end="")
    console.print(count(len(coverage), "term"))


def _outcome_table(outcomes: Iterable[Outcome]) -> Table:
    table = Table("topic", "test", "should", "score", "result", title="Tests")
    for one in outcomes:
        table.add_row(
            one.topic,
            Text(one.text),
            "match" if one.wants_match else "not match",
            f"{one.explanation.score:.1f}",
            Text("pass", "green") if one.passed else Text("FAIL", "bold red"),
        )
    return table


def _coverage_table(coverage: Iterable[Coverage]) -> Table:
    table = Table("topic", "term", "match tests that find it", title="Coverage")
    for one in coverage:
        table.add_row(one.topic, Text(one.term), Text(str(one.found), "" if one.found else "yellow"))
    return table


def _tests_json(outcomes: Iterable[Outcome], coverage: Iterable[Coverage]) -> dict[str, Any]:
    return {
        "tests": [
            {
                "topic": one.topic,
                "text": one.text,
                "should_match": one.wants_match,
                "passed": one.passed,
                "score": one.explanation.score,
                "detail": one.detail,
            }
            for one in outcomes
        ],
        "coverage": [asdict(one) for one in coverage],
    }


# ---- schema ------------------------------------------------------------------------------------


@app.command("schema")
def schema_command() -> None:
    """Write the JSON Schema of rule files, for editors.

    \b
    topicwire rules schema > rules.schema.json
    """
    typer.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
