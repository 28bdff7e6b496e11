"""`topicwire match`: items from standard input against the rules, outside any store."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated, Any

import typer

from bot.cli_shared import DEFAULT_FOLDER, UNREADABLE, RulesOption, checked_rules, count, json_text
from bot.jsonlines import BadLine, JsonItem, read_items, until_nobody_reads
from bot.model import Match
from bot.rules import RuleSet


def match_command(
    rules: RulesOption = DEFAULT_FOLDER,
    as_json: Annotated[bool, typer.Option("--json", help="Write one JSON object a line.")] = False,
) -> None:
    """Match items, one JSON object a line on standard input, against the rules.

    A line holds `id` and `title`, and optionally `summary`, `content`, `lang`, `url`, `source` and
    `published`. The answers come in the same order, each as soon as its item was read. A line that is no item
    is told of on standard error and left out.

    Exits 0 when all lines were items, 1 when the rules have errors, 2 when a line was left out or the rules
    cannot be read.

    \b
    topicwire match --json < items.jsonl
    topicwire match --rules draft/ < items.jsonl | less
    """
    live = checked_rules(rules)
    bad = 0
    with until_nobody_reads():
        for line in read_items(sys.stdin.buffer):
            if isinstance(line, BadLine):
                bad += 1
                typer.echo(str(line), err=True)
            else:
                typer.echo(_answer(live, line, as_json=as_json))
    if bad:
        typer.echo(f"{count(bad, 'line')} left out: no items", err=True)
        raise typer.Exit(UNREADABLE)


def _answer(rules: RuleSet, line: JsonItem, *, as_json: bool) -> str:
    matches = rules.match(line.as_item())
    if as_json:
        return json_text({"id": line.id, "matches": [match_json(match) for match in matches]})
    found = "; ".join(f"{m.topic} {m.score:.1f} ({m.terms[0].text})" for m in matches)
    return f"{line.id}\t{found or '-'}\t{line.shown_title}"


def match_json(match: Match) -> dict[str, Any]:
    """Return a match as `topicwire match` writes it."""
    return {
        "topic": match.topic,
        "score": match.score,
        "terms": [asdict(term) for term in match.terms],
    }
