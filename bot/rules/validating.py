"""A rule file against the format: pydantic's errors as ours, each with its place and a cure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from pydantic import ValidationError
from rapidfuzz import process

from bot.errors import Problem
from bot.rules import models
from bot.rules.models import LANGUAGES, RuleFile
from bot.rules.reading import Path_, Source

MAX_PROBLEMS: Final = 200  # told of one file
_LONGEST_SHOWN: Final = 80  # characters of a wrong value


def validated(source: Source, problems: list[Problem]) -> RuleFile | None:
    """Return the file as the format wants it, defaults filled in; None: its problems are in the list."""
    problems += source.problems
    if source.problems:
        return None
    if not isinstance(source.data, dict) or source.data.get("version") != 1 or source.data["version"] is True:
        what = source.data.get("version") if isinstance(source.data, dict) else None
        message = (
            "`version: 1` is missing"
            if what is None
            else f"version is {repr(what)[:40]}; this reader knows 1"
        )
        problems.append(source.problem(("version",), "E001", message))
        return None
    try:
        model = RuleFile.model_validate(source.data)
        if model.defaults is None:
            return model
        _apply_defaults(source)
        return RuleFile.model_validate(source.data)
    except ValidationError as error:
        problems += _problems(source, [dict(detail) for detail in error.errors(include_url=False)])
        return None


def _apply_defaults(source: Source) -> None:
    """Put the file's defaults into each of its topics; the source remembers where they stand."""
    defaults = source.data.get("defaults") or {}
    for number, topic in enumerate(source.data.get("topics") or []):
        for key in defaults.keys() - topic.keys():
            topic[key] = defaults[key]
            source.inherited.add(("topics", number, key))


def _problems(source: Source, errors: Sequence[dict[str, Any]]) -> Iterable[Problem]:
    """Return one problem a place; of a place's alternatives, those that fit best are told."""
    first: dict[Path_, dict[str, Any]] = {}
    for error in errors:
        first.setdefault(_path(source.data, error), error)
    parents = {path[:length] for path in first for length in range(len(path))}
    told = [(path, error) for path, error in first.items() if path not in parents]
    problems = [_problem(source, path, error) for path, error in told[:MAX_PROBLEMS]]
    if len(told) > MAX_PROBLEMS:
        more = f"and {len(told) - MAX_PROBLEMS:,} mistakes more in this file"
        problems.append(source.problem(told[MAX_PROBLEMS][0], "E011", more))
    return problems


def _path(data: Any, error: dict[str, Any]) -> Path_:
    """Return where the error stands in the file, without pydantic's names for the kinds of a value."""
    path: list[str | int] = []
    for part in error["loc"]:
        if (isinstance(data, dict) and part in data) or (isinstance(data, list) and isinstance(part, int)):
            path.append(part)
            data = data[part]
    if error["type"] == "missing":
        path.append(error["loc"][-1])
    return tuple(path)


def _problem(source: Source, path: Path_, error: dict[str, Any]) -> Problem:
    kind, loc = error["type"], error["loc"]
    if kind == "extra_forbidden":
        if path[-1] in LANGUAGES and str(loc[-2]).startswith("<"):
            message = f"a language (`{path[-1]}`) and a form cannot share a map; make it a list of two"
            return source.problem(path, "E010", message, key=True)
        if path[-1] in models.FORMS and str(loc[-2]).startswith("<"):
            message = f"`{path[-1]}` and another form cannot share a map; make it a list of two"
            return source.problem(path, "E010", message, key=True)
        name = str(path[-1])
        message = f"unknown key `{name[:_LONGEST_SHOWN]}`{did_you_mean(str(path[-1]), _keys_at(loc[:-1]))}"
        return source.problem(path, "E010", message, key=True)
    if kind == "missing":
        return source.problem(path[:-1], "E011", f"the key `{path[-1]}` is missing")
    if path[-1:] == ("match",) and path[-2:-1] != ("tests",) and not error.get("input"):
        return source.problem(path, "E030", "`match` is empty; write the terms that must be found", key=True)
    name = next((part for part in reversed(path) if isinstance(part, str)), "file")
    return source.problem(path, "E011", f"`{name}` {_wish(kind, error)}", key=loc[-1:] == ("[key]",))


_KINDS: Final = {
    "model_type": "a map",
    "dict_type": "a map",
    "list_type": "a list",
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
}
_LIMITS: Final = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}


def _wish(kind: str, error: dict[str, Any]) -> str:
    """Return what is there and what is wanted instead."""
    given, context = error.get("input"), error.get("ctx") or {}
    is_short = isinstance(given, str | int | float | bool) or given is None
    kind_of_many = "a list" if isinstance(given, list) else "a map"
    text = json.dumps(given, ensure_ascii=False) if is_short else kind_of_many
    if given is None:
        text = "empty"
    shown = f"is {text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + '…'}"
    match kind:
        case "string_type" if isinstance(given, int | float):
            return f"{shown}; put it in quotes to make it text"
        case "literal_error":
            wanted = str(context.get("expected", ""))
            choices = [part.strip("'") for part in wanted.replace(" or ", ", ").split(", ")]
            return f"{shown}; use {wanted}{did_you_mean(str(given), choices)}"
        case "greater_than" | "greater_than_equal" | "less_than" | "less_than_equal":
            key, words = _LIMITS[kind]
            return f"{shown}; use {words} {context[key]:g}"
        case "string_pattern_mismatch":
            return f"{shown}; use {models.PATTERNS.get(context['pattern'], context['pattern'])}"
        case "too_short" | "string_too_short":
            least = context.get("min_length", 1)
            return f"has too little; write at least {least}" if given else "is empty; write something"
        case "too_long" | "string_too_long":
            what = "entries" if isinstance(given, list) else "characters"
            return f"has over {context['max_length']:,} {what}; use fewer"
        case "duration" | "language" | "fuzzy":
            return f"{shown}{error['msg']}"
        case _:
            return f"{shown}; use {_KINDS.get(kind) or error['msg'].removeprefix('Input should be ')}"


def _keys_at(loc: Sequence[Any]) -> list[str]:
    """Return the keys that pydantic would have taken at that place."""
    tag = next((str(part) for part in reversed(loc) if not isinstance(part, int)), "")
    named: dict[str, list[type[models.Model]]] = {
        "sources": [models.Sources],
        "spike": [models.Spike],
        "tests": [models.InlineTests],
        "defaults": [models.TopicDefaults],
        "topics": [models.TopicModel],
        "InlineItem": [models.InlineItem],
        "": [models.RuleFile],
    }
    forms = {f"<{form.__name__}>": form for form in models.FORMS.values()}
    found = [forms[tag]] if tag in forms else named.get(tag, [])
    return [info.alias or name for model in found for name, info in model.model_fields.items()]


def did_you_mean(word: str, known: Collection[str]) -> str:
    """Return the end of a message that names the likeliest of the known words; empty: none is near."""
    best = process.extractOne(word, list(known), score_cutoff=60)
    return f"; did you mean `{best[0]}`?" if best else ""
