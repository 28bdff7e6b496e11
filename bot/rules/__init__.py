"""The reader of what operators write in `rules/`: all files of the folder are one set, or none is."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bot.core.explain import Explanation, explain
from bot.core.expressions import leaves
from bot.core.match import Matcher, TopicRule, is_heard
from bot.core.terms import IsWord
from bot.errors import Problem, RulesInvalid
from bot.lexicon import LANGUAGES, lazy_lexicon
from bot.model import Item, Match, Topic, TopicId, TopicStatus
from bot.rules.building import Built, Entry, build
from bot.rules.inline import Coverage, Outcome, definition, failed_tests, run_tests
from bot.rules.languages import language_detector
from bot.rules.lint import lint
from bot.rules.models import RuleFile
from bot.rules.reading import Source, parse_source, read_source, rule_files

__all__ = [
    "Coverage",
    "Outcome",
    "RuleSet",
    "RulesReport",
    "check",
    "check_texts",
    "json_schema",
    "read_rules",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """All topics of a folder, ready to match."""

    topics: Mapping[TopicId, Topic]  # in the files' order
    rules_hash: str  # of what the files say; comments and layout do not change it
    matcher: Matcher = field(repr=False)
    texts: Mapping[str, str] = field(default_factory=dict, repr=False)  # of the files, as they were read
    passed: Mapping[TopicId, object] = field(default_factory=dict, repr=False)  # inline.definition, tested
    page_rules: tuple[TopicRule, ...] = field(default=(), repr=False)  # of live topics that read linked pages

    def match(self, item: Item) -> tuple[Match, ...]:
        """Return the topics that the item belongs to, highest score first; deprecated ones are silent."""
        found = self.matcher.match(item)
        return tuple(m for m in found if self.topics[m.topic].status is not TopicStatus.DEPRECATED)

    def page_topics(self, item: Item) -> frozenset[TopicId]:
        """Return the topics with `content: fetch` that take items of such a source and language."""
        return frozenset(
            rule.id for rule in self.page_rules if is_heard(rule, item) and self.matcher.speaks(rule, item)
        )

    def explain(self, item: Item, topic: TopicId | None = None) -> tuple[Explanation, ...]:
        """Return for each topic (or the one) what was found, what it scores, and why it does not match."""
        rules = [rule for rule in self.matcher.rules if topic in {None, rule.id}]
        return tuple(explain(self.matcher, rule, item) for rule in rules)


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesReport:
    """What is to say about a folder of rules."""

    problems: tuple[Problem, ...]  # errors, in the files' order; none: `rules` is there
    warnings: tuple[Problem, ...]
    rules: RuleSet | None
    trial: RuleSet | None = None  # the same set, also when its inline tests fail: for explaining them
    files: int = 0
    outcomes: tuple[Outcome, ...] = ()  # of the inline tests, failed ones included
    coverage: tuple[Coverage, ...] = ()  # per term, what the inline tests reach

    @property
    def is_unreadable(self) -> bool:
        """True: the folder or a file could not be read at all."""
        return any(problem.code == "E000" for problem in self.problems)


def read_rules(
    folder: Path,
    *,
    is_real: IsWord | None = None,
    cache: Path | None = None,
    feeds: Collection[str] | None = None,
    before: RuleSet | None = None,
) -> RuleSet:
    """Return the rule set of a folder.

    Args:
        is_real: Tells real words from typos; None: the word lists of bot.lexicon.
        cache: Where the word lists are kept; None: the user's cache folder.
        feeds: Ids of the known feeds, which `sources` may name; None: not told.
        before: A set that this function gave, with the same word lists: a topic that is in it word for word,
            tests included, is not tested again.

    Raises:
        RulesInvalid: With every problem of every file. The inline tests ran too.
    """
    sources = _sources(folder)
    if isinstance(sources, Problem):
        raise RulesInvalid((sources,))
    built = build(sources, feeds)
    rules = _rule_set(sources, built.entries, is_real or lazy_lexicon(cache))
    failures = failed_tests(built.entries, rules, before.passed if before else {})
    problems = tuple(sorted({*built.problems, *failures}, key=_place))
    if problems:
        raise RulesInvalid(problems)
    return replace(rules, passed={entry.topic.id: definition(entry) for entry in built.entries})


def check(
    folder: Path,
    *,
    is_real: IsWord | None = None,
    cache: Path | None = None,
    feeds: Collection[str] | None = None,
    archive: Iterable[str] | None = None,
) -> RulesReport:
    """Return what is to say about the folder; an operator's mistake is a problem, never an exception.

    The other arguments are those of read_rules.

    Args:
        archive: Titles and summaries of stored items, which tell surnames that several people bear; None:
            not told, and W110 is not looked for.
    """
    sources = _sources(folder)
    if isinstance(sources, Problem):
        return RulesReport(problems=(sources,), warnings=(), rules=None)
    return _checked(sources, build(sources, feeds), is_real or lazy_lexicon(cache), archive)


def check_texts(
    texts: Mapping[str, str],
    *,
    is_real: IsWord | None = None,
    cache: Path | None = None,
    feeds: Collection[str] | None = None,
) -> RulesReport:
    """Return what is to say about rule files whose texts are kept elsewhere: `RuleSet.texts`.

    The other arguments are those of read_rules.
    """
    sources = [Source(file) for file in texts]
    for source in sources:
        parse_source(source, texts[source.file])
    return _checked(sources, build(sources, feeds), is_real or lazy_lexicon(cache))


def _sources(folder: Path) -> list[Source] | Problem:
    """Return the folder's files as read, or why there are none."""
    try:
        paths = rule_files(folder)
    except OSError as error:
        message = f"the rules folder cannot be read: {error.strerror}"
        return Problem(file=str(folder), code="E000", message=message)
    if not paths:
        return Problem(file=str(folder), code="E000", message="the folder holds no .yaml files")
    return [read_source(path) for path in paths]


def _checked(
    sources: list[Source], built: Built, is_real: IsWord, archive: Iterable[str] | None = None
) -> RulesReport:
    rules = _rule_set(sources, built.entries, is_real)
    outcomes, coverage, failures = run_tests(built.entries, rules)
    problems = tuple(sorted({*built.problems, *failures}, key=_place))
    warnings = tuple(sorted({*built.warnings, *lint(built, coverage, outcomes, archive)}, key=_place))
    allowed = {source.file: source.allowed for source in sources}
    return RulesReport(
        problems=problems,
        warnings=tuple(w for w in warnings if w.code not in allowed[w.file].get(w.line, ())),
        rules=None if problems else rules,
        trial=None if any(problem.code != "E040" for problem in problems) else rules,
        files=len(sources),
        outcomes=outcomes,
        coverage=coverage,
    )


def _place(problem: Problem) -> tuple[str, int, int, str, str]:
    return problem.file, problem.line, problem.col, problem.code, problem.message


def _rule_set(sources: list[Source], entries: list[Entry], is_real: IsWord) -> RuleSet:
    said = [[Path(source.file).name, source.data] for source in sources]
    text = json.dumps(said, sort_keys=True, ensure_ascii=False, default=str)
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    live: list[TopicRule] = [entry.rule for entry in entries]
    languages = {code for rule in live for code in rule.languages}
    known = languages.union(LANGUAGES, _key_languages(entries))
    detect = language_detector(known) if languages else None
    matcher = Matcher(live, is_real=is_real, detect_language=detect, rules_hash=digest)
    topics = {entry.topic.id: entry.topic for entry in entries}
    texts = {source.file: source.text for source in sources}
    return RuleSet(
        topics=topics, rules_hash=digest, matcher=matcher, texts=texts, page_rules=_page_rules(entries)
    )


def _page_rules(entries: list[Entry]) -> tuple[TopicRule, ...]:
    """Return the rules that a linked page may help: where no term is looked for in the content, none does."""
    return tuple(
        entry.rule
        for entry in entries
        if entry.topic.fetch_content
        and entry.topic.status is not TopicStatus.DEPRECATED
        and any("content" in leaf.fields for leaf in leaves(entry.rule.match))
    )


def _key_languages(entries: list[Entry]) -> set[str]:
    """Return the languages that the terms' words are stemmed in."""
    return {
        getattr(needle, "language", "") or "en"
        for entry in entries
        for leaf in leaves(entry.rule.match)
        for reading in getattr(leaf.term, "readings", ())
        for needle in (step.needle for step in reading)
    }


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a rule file, for editors."""
    schema = RuleFile.model_json_schema(by_alias=True)
    _speak_our_durations(schema)
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": dialect, **schema, "title": "Topicwire rules"}


def _speak_our_durations(schema: dict[str, Any]) -> None:
    """Write the defaults of durations as operators do: PT6H is 6h."""
    for model in (schema, *schema["$defs"].values()):
        for prop in model.get("properties", {}).values():
            default = prop.get("default")
            if isinstance(default, str) and (iso := re.fullmatch(r"P(\d+D)?T?(\d+[HMS])?", default)):
                prop["default"] = "0" if default == "PT0S" else "".join(filter(None, iso.groups())).lower()
