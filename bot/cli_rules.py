"""The operator's commands about rules: check, test, explain, schema; and `topicwire match`."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.app import SystemClock, all_feeds
from bot.config import Config, read_config
from bot.core.explain import Explanation
from bot.core.finder import field_texts
from bot.errors import ConfigInvalid, Problem
from bot.jsonlines import BadLine, JsonItem, read_items, until_nobody_reads
from bot.model import FeedId, Item, ItemId, Match, TermMatch, TopicId
from bot.rules import Outcome, RuleSet, RulesReport, check, json_schema
from bot.store import SqlStore
from bot.store.engine import Database

OK, WRONG, UNREADABLE = 0, 1, 2

app = typer.Typer(name="rules", help="Check, test and explain rule files.", no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of rule files.")]
RulesOption = Annotated[Path, typer.Option("--rules", metavar="DIR", help="The folder of rule files.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON.")]
TopicArgument = Annotated[str | None, typer.Argument(metavar="TOPIC", help="Only this topic.")]
ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", envvar="TOPICWIRE_CONFIG", dir_okay=False, help="The configuration."),
]
DEFAULT_FOLDER = Path("rules")
DEFAULT_CONFIG = Path("config.toml")


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
    this folder, unless --config names another.
    """
    feeds = _feed_ids(folder, config)
    report = check(folder, feeds=feeds.ids)
    if as_json:
        told = {**_report_json(report), "feed_ids_checked": feeds.ids is not None}
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        for problem in (*report.problems, *report.warnings):
            _show_problem(problem)
        typer.echo(_summary(folder, report, feeds), err=True)
    raise typer.Exit(_exit_code(report, strict=strict))


@dataclass(frozen=True, slots=True)
class _FeedIds:
    """The feeds that `sources` may name."""

    ids: frozenset[str] | None  # None: no config told them
    unknown_because: str = ""  # for people, when there are none


def _feed_ids(folder: Path, config: Path | None) -> _FeedIds:
    """Return the ids of the feeds of the config, if that is the one of this folder.

    Raises:
        ConfigInvalid: The config that was named is wrong; one that merely stands here may be.
    """
    if config is not None:
        return _FeedIds(_ids_of(read_config(config), config))
    if not DEFAULT_CONFIG.is_file():
        return _FeedIds(None, "no config; name it with --config")
    try:
        settings = read_config(DEFAULT_CONFIG)
        if settings.rules_dir.resolve() != folder.resolve():
            return _FeedIds(None, f"{DEFAULT_CONFIG} is of other rules; name a config with --config")
        return _FeedIds(_ids_of(settings, DEFAULT_CONFIG))
    except ConfigInvalid as error:
        return _FeedIds(None, str(error.problems[0]))


def _ids_of(config: Config, path: Path) -> frozenset[str]:
    return frozenset(feed.id for feed in all_feeds(config, path))


def _exit_code(report: RulesReport, *, strict: bool = False) -> int:
    if report.is_unreadable:
        return UNREADABLE
    return WRONG if report.problems or (strict and report.warnings) else OK


def _show_problem(problem: Problem) -> None:
    style = {"E": "bold red", "W": "yellow"}.get(problem.code[:1], "")
    line = Text(str(problem))
    line.highlight_words([f" {problem.code} "], style)
    Console(soft_wrap=True, highlight=False).print(line)


def _summary(folder: Path, report: RulesReport, feeds: _FeedIds) -> str:
    passed = sum(outcome.passed for outcome in report.outcomes)
    parts = (
        _count(report.files, "file"),
        _count(len({one.topic for one in report.coverage}), "topic"),
        f"{passed} of {_count(len(report.outcomes), 'test')} pass",
        _count(len(report.problems), "error"),
        _count(len(report.warnings), "warning"),
    )
    unchecked = f"; feed ids in `sources` not checked: {feeds.unknown_because}" if feeds.ids is None else ""
    return f"{folder}: {', '.join(parts)}{unchecked}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


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
def run_inline_tests(topic: TopicArgument = None, rules: RulesOption = DEFAULT_FOLDER) -> None:
    """Run the tests that stand in the rule files, and show which terms they reach."""
    report = check(rules)
    _stop_unless_tested(report)
    outcomes = [one for one in report.outcomes if topic in {None, one.topic}]
    _stop_if_unknown(topic, {str(one.topic) for one in report.coverage})
    console = Console()
    console.print(_outcome_table(outcomes))
    console.print(_coverage_table(report, topic))
    failed = [one for one in outcomes if not one.passed]
    for one in failed:
        console.print(Text(f"{one.topic}: {one.text!r}: {one.detail}"), soft_wrap=True)
    console.print(f"{len(outcomes) - len(failed)} of {len(outcomes)} tests pass")
    raise typer.Exit(WRONG if failed else OK)


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


def _coverage_table(report: RulesReport, topic: str | None) -> Table:
    table = Table("topic", "term", "match tests that find it", title="Coverage")
    for one in report.coverage:
        if topic in {None, one.topic}:
            table.add_row(one.topic, Text(one.term), Text(str(one.found), "" if one.found else "yellow"))
    return table


# ---- explain -----------------------------------------------------------------------------------


@app.command("explain")
def explain_command(
    topic: TopicArgument = None,
    *,
    text: Annotated[str | None, typer.Option("--text", help="The title; without it, stdin is read.")] = None,
    summary: Annotated[str, typer.Option("--summary", help="The summary.")] = "",
    language: Annotated[str | None, typer.Option("--lang", help="The item's language, e.g. en.")] = None,
    url: Annotated[str | None, typer.Option("--link", help="The item's address, for `sources`.")] = None,
    number: Annotated[
        int | None, typer.Option("--item", metavar="ID", min=1, max=2**63 - 1, help="An item of the store.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    rules: RulesOption = DEFAULT_FOLDER,
) -> None:
    """Show which terms a text has, where, what it scores, and why a topic does not match.

    The text is --text with its companions, or standard input, or with --item what the store of the config
    (--config, else ./config.toml) keeps under that number.
    """
    report = check(rules)
    if report.trial is None:
        _stop_unless_tested(report)
        raise typer.Exit(WRONG)
    _stop_if_unknown(topic, set(report.trial.topics))
    if number is not None:
        item = _stored_item(ItemId(number), read_config(config or DEFAULT_CONFIG))
    else:
        title = text if text is not None else sys.stdin.read().strip()
        item = Item(feed_id=FeedId(""), title=title, summary=summary, language=language, url=url)
    explanations = report.trial.explain(item, TopicId(topic) if topic else None)
    if as_json:
        typer.echo(json.dumps([_explanation_json(one) for one in explanations], ensure_ascii=False))
        return
    console = Console(highlight=False)
    for one in explanations:
        _show_explanation(console, one, item)


def _stored_item(number: ItemId, config: Config) -> Item:
    """Return an item of the store; nothing is written there, and a running Topicwire is not disturbed."""
    if not config.database_file.exists():
        typer.echo(f"{config.database_file}: no database is there", err=True)
        raise typer.Exit(UNREADABLE)
    item = asyncio.run(_read_item(number, config))
    if item is None:
        typer.echo(f"{config.database_file} has no item {number}", err=True)
        raise typer.Exit(UNREADABLE)
    return item


async def _read_item(number: ItemId, config: Config) -> Item | None:
    store = SqlStore(Database(config.database_url, config.store.busy_timeout), SystemClock())
    try:
        return await store.item(number)
    finally:
        await store.close()


def _explanation_json(explanation: Explanation) -> dict[str, Any]:
    said = asdict(explanation)
    return {**said, "matched": explanation.matched, "reached": sorted(explanation.reached)}


def _show_explanation(console: Console, explanation: Explanation, item: Item) -> None:
    verdict = Text(f"{explanation.topic}: {explanation.why}")
    verdict.stylize("bold green" if explanation.matched else "bold")
    console.print(verdict)
    console.print(f"  score {explanation.score:.1f}, min_score {explanation.min_score:g}")
    texts = field_texts(item)
    kinds = (
        ("found", explanation.terms, "underline green"),
        ("covered up by ignore", explanation.covered, "underline dim"),
        ("ignore", explanation.ignored, "underline yellow"),
        ("unless", explanation.unless, "underline red"),
    )
    for label, terms, style in kinds:
        for term in terms:
            console.print(Text(f"  {label}: {term.term}, score {term.score:.1f}, in {term.field}"))
            _show_span(console, texts[term.field], term, style)
    for miss in explanation.near_misses:
        console.print(Text(f"  near miss: {miss.term}: {miss.text!r}: {miss.reason}"))


def _show_span(console: Console, text: str, term: TermMatch, style: str) -> None:
    """Print the text around the span, underlined; without a terminal, with a line of ~ below."""
    start, end = max(0, term.start - 40), min(len(text), term.end + 40)
    before, found, behind = (
        " ".join(part.split("\n")) for part in (text[start : term.start], term.text, text[term.end : end])
    )
    line = Text.assemble("    ", before, (found, style), behind)
    console.print(line, soft_wrap=True)
    if not console.is_terminal:
        console.print(Text(" " * (4 + cell_len(before)) + "~" * cell_len(found)), soft_wrap=True)


@app.command("schema")
def schema_command() -> None:
    """Write the JSON Schema of rule files, for editors."""
    typer.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))


# ---- match -------------------------------------------------------------------------------------


def match_command(
    rules: RulesOption = DEFAULT_FOLDER,
    as_json: Annotated[bool, typer.Option("--json", help="Write one JSON object a line.")] = False,
) -> None:
    """Match items, one JSON object a line on stdin, against the rules; writes them in the input's order.

    A line that is no item is reported on stderr and left out; the exit code is then 2.
    """
    report = check(rules)
    if report.rules is None:
        for problem in report.problems:
            typer.echo(str(problem), err=True)
        raise typer.Exit(_exit_code(report))
    bad = 0
    with until_nobody_reads():
        for line in read_items(sys.stdin.buffer):
            if isinstance(line, BadLine):
                bad += 1
                typer.echo(str(line), err=True)
            else:
                typer.echo(_answer(report.rules, line, as_json=as_json))
    if bad:
        typer.echo(f"{_count(bad, 'line')} left out: no items", err=True)
        raise typer.Exit(UNREADABLE)


def _item_of(line: JsonItem) -> Item:
    """Return the item of a line; its `source` is its feed id and its outlet."""
    return Item(
        feed_id=FeedId(line.source),
        title=line.title,
        summary=line.summary,
        content=line.content,
        language=line.language,
        url=line.url,
        outlet=line.source,
    )


def _answer(rules: RuleSet, line: JsonItem, *, as_json: bool) -> str:
    matches = rules.match(_item_of(line))
    if as_json:
        return _json_line({"id": line.id, "matches": [_match_json(match) for match in matches]})
    found = "; ".join(f"{m.topic} {m.score:.1f} ({m.terms[0].text})" for m in matches)
    return f"{line.id}\t{found or '-'}\t{line.shown_title}"


def _match_json(match: Match) -> dict[str, Any]:
    return {
        "topic": match.topic,
        "score": match.score,
        "terms": [asdict(term) for term in match.terms],
    }


def _json_line(value: dict[str, Any]) -> str:
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair: legal in JSON as an escape, not in UTF-8
        return json.dumps(value)
    return text


# ---- shared ------------------------------------------------------------------------------------


def _stop_unless_tested(report: RulesReport) -> None:
    """End the command when there are mistakes other than failed tests."""
    if report.trial is None:
        for problem in report.problems:
            typer.echo(str(problem), err=True)
        raise typer.Exit(_exit_code(report))


def _stop_if_unknown(topic: str | None, known: set[Any]) -> None:
    if topic is not None and topic not in known:
        typer.echo(f"no topic is called {topic!r}; known: {', '.join(sorted(map(str, known)))}", err=True)
        raise typer.Exit(UNREADABLE)
