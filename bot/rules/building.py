"""From rule files as read to topics and their rules, or to problems with their place."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from bot.core.expressions import (
    AllOf,
    AnyOf,
    AtLeast,
    Expression,
    Leaf,
    Near,
    NoneOf,
    leaves,
    needs_evidence,
)
from bot.core.match import TopicRule, best_possible_score
from bot.core.memory import uncollected
from bot.core.patterns import PatternInvalid, pattern_notes
from bot.core.terms import NO_TYPOS, Pattern, TermInvalid, read_name, read_phrase
from bot.errors import Problem
from bot.model import Level, Topic, TopicId, TopicStatus
from bot.rules import models
from bot.rules.models import LANGUAGES, TopicModel
from bot.rules.reading import Path_, Source
from bot.rules.validating import did_you_mean, validated

MAX_USES: Final = 40  # lists inside lists
MAX_NESTED: Final = 120  # steps from a topic to a term, all lists opened
MAX_TERMS: Final = 20_000  # of a topic, all lists opened
_LABEL: Final = r"[a-z0-9\x80-\U0010ffff](?:[a-z0-9\x80-\U0010ffff-]*[a-z0-9\x80-\U0010ffff])?"
_DOMAIN: Final = re.compile(
    rf"(?:{_LABEL}\.)+(?:xn--[a-z0-9-]*[a-z0-9]|[a-z\x80-\U0010ffff]{{2,}})", re.IGNORECASE
)
_IPV4: Final = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")


@dataclass(frozen=True, slots=True)
class Entry:
    """A topic with the place it comes from."""

    source: Source
    path: Path_
    model: TopicModel
    topic: Topic
    rule: TopicRule


@dataclass(frozen=True, slots=True)
class Written:
    """A term as it stands in a file, for warnings."""

    source: Source
    path: Path_
    text: str
    language: str
    leaf: Leaf
    topic: str  # empty: in a list


@dataclass(slots=True)
class Built:
    """Everything the files say."""

    entries: list[Entry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)
    lists: dict[str, tuple[Source, Path_, models.Expression]] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)


@uncollected()
def build(sources: Sequence[Source], feeds: Collection[str] | None) -> Built:
    """Return the topics of the files; a topic with a problem is left out.

    Args:
        feeds: Ids of the known feeds; None: not told, and E014 is not looked for.
    """
    built = Built()
    files = [
        (source, model) for source in sources if (model := validated(source, built.problems)) is not None
    ]
    for source, model in files:
        for name, expression in model.lists.items():
            _add_list(built, source, name, expression)
    first: dict[str, tuple[Source, Path_]] = {}
    for source, model in files:
        for number, topic in enumerate(model.topics):
            path: Path_ = ("topics", number)
            if topic.id in first:
                other, place = first[topic.id]
                line, col = other.spot((*place, "id"))
                message = f"topic id `{topic.id}` is taken at {other.file}:{line}:{col}; choose another"
                built.problems.append(source.problem((*path, "id"), "E020", message))
            else:
                first[topic.id] = (source, path)
                _add_topic(built, source, path, topic, feeds)
    for name, (source, path, expression) in built.lists.items():
        if name not in built.used:
            built.warnings.append(source.problem(path, "W101", f"no topic uses the list `{name}`", key=True))
            plain = models.TopicDefaults()
            builder = _Builder(built, source, "", frozenset(plain.where), plain, _Room())
            builder.expression(expression, path, "")
            if builder.room.left < 0:
                built.problems.append(source.problem(path, "E011", _TOO_MANY.format(name), key=True))
    built.problems = list(dict.fromkeys(built.problems))
    built.warnings = list(dict.fromkeys(built.warnings))
    return built


def _add_list(built: Built, source: Source, name: str, expression: models.Expression) -> None:
    path: Path_ = ("lists", name)
    if name in built.lists:
        other, place, _ = built.lists[name]
        line, col = other.spot(place, key=True)
        message = f"list `{name}` is defined at {other.file}:{line}:{col} already; choose another name"
        built.problems.append(source.problem(path, "E020", message, key=True))
    else:
        built.lists[name] = (source, path, expression)


def _add_topic(
    built: Built, source: Source, path: Path_, model: TopicModel, feeds: Collection[str] | None
) -> None:
    before = len(built.problems)
    builder = _Builder(built, source, model.id, frozenset(model.where), model, _Room())
    match = builder.expression(model.match, (*path, "match"), "")
    parts = {
        key: builder.expression(value, (*path, key), "")
        for key in ("ignore", "unless")
        if (value := getattr(model, key)) is not None
    }
    if builder.room.left < 0:
        built.problems.append(source.problem((*path, "match"), "E011", _TOO_MANY.format(model.id), key=True))
    _check_sources(built, source, path, model, feeds)
    if len(built.problems) > before or match is None:
        return
    if not needs_evidence(match):
        message = "`match` holds without any term; add terms that must be found beside the `not`"
        built.problems.append(source.problem((*path, "match"), "E030", message, key=True))
    elif best_possible_score(match) < model.min_score:
        best = best_possible_score(match)
        message = f"`min_score` {model.min_score:g} cannot be reached; all terms together score {best:.1f}"
        built.problems.append(source.problem((*path, "min_score"), "E031", message))
    rule = TopicRule(
        id=TopicId(model.id),
        match=match,
        ignore=parts.get("ignore"),
        unless=parts.get("unless"),
        min_score=model.min_score,
        languages=frozenset(model.languages),
        allow=frozenset(name.lower() for name in model.sources.allow),
        deny=frozenset(name.lower() for name in model.sources.deny),
    )
    built.entries.append(Entry(source, path, model, _topic(model), rule))


def _topic(model: TopicModel) -> Topic:
    return Topic(
        id=TopicId(model.id),
        titles={"": model.title} if isinstance(model.title, str) else model.title,
        description=model.description,
        level=Level[model.level.upper()],
        tags=tuple(dict.fromkeys(model.tags)),
        status=TopicStatus(model.status),
        cooldown=model.cooldown,
        fetch_content=model.content == "fetch",
    )


def _check_sources(
    built: Built, source: Source, path: Path_, model: TopicModel, feeds: Collection[str] | None
) -> None:
    """Report what is neither a domain nor a feed we know."""
    if feeds is None:
        return
    for key in ("allow", "deny"):
        for number, name in enumerate(getattr(model.sources, key)):
            if name in feeds or _may_be_domain(name):
                continue
            why = ", and no domain is written so" if "." in name else " (a domain has a dot)"
            message = f"no feed has the id `{name}`{why}{did_you_mean(name, feeds)}"
            built.problems.append(source.problem((*path, "sources", key, number), "E014", message))


def places_naming(feed: str, sources: Sequence[Source]) -> list[str]:
    """Return where `sources` name this feed, as "file:line", in the files' order."""
    found = []
    for source in sources:
        model = validated(source, [])
        for nth, topic in enumerate(model.topics if model else ()):
            for key in ("allow", "deny"):
                for number, name in enumerate(getattr(topic.sources, key)):
                    if name.lower() == feed.lower():
                        line, _ = source.spot(("topics", nth, "sources", key, number))
                        found.append(f"{source.file}:{line}")
    return list(dict.fromkeys(found))


def _may_be_domain(name: str) -> bool:
    """Tell whether a name with a dot is written as a domain or an IP address is.

    The last label of a domain holds letters only, or begins with "xn--" (RFC 3696, section 2); so ids that
    are made of an address, such as example.org_rss or example.org-rss-3fa9c1, are none.
    """
    return _DOMAIN.fullmatch(name) is not None or _IPV4.fullmatch(name) is not None


# ---- expressions -------------------------------------------------------------------------------

_BORDERS: Final = {r"\b": "; at its ends it knows all", r"\W": r"; write [^\pL\pM\pN_]"}
_TOO_MANY: Final = f"`{{}}` has over {MAX_TERMS:,} terms, counting each use of a list; use smaller lists"


@dataclass(slots=True)
class _Room:
    """How many more terms and uses of lists a topic may have; below 0: it has too many."""

    left: int = MAX_TERMS

    def take(self) -> bool:
        """Return True as long as there is room for one more."""
        self.left = max(self.left - 1, -1)
        return self.left >= 0


@dataclass(slots=True)
class _Builder:
    """Compiles the expressions of one topic; reports what cannot be."""

    built: Built
    source: Source
    topic: str
    fields: frozenset[str]
    model: models.TopicDefaults
    room: _Room
    stack: tuple[str, ...] = ()  # lists being opened
    depth: int = 0  # steps to the list that is open

    def expression(self, value: Any, path: Path_, language: str) -> Expression | None:
        """Return the compiled expression; None: a problem was reported."""
        if isinstance(value, models._Form) and value.fields is not None:
            return replace(self, fields=frozenset(value.fields))._form(value, path, language)
        return self._form(value, path, language)

    def _form(self, value: Any, path: Path_, language: str) -> Expression | None:
        match value:
            case str() | models.TermForm() | models.NameForm() | models.RegexForm():
                return self._leaf(value, path, language)
            case list():
                return self._group(value, path, language, AnyOf)
            case models.AllForm():
                return self._group(value.all_, (*path, "all"), language, AllOf)
            case models.AnyForm() | models.NotForm():
                return self._one(value, path, language)
            case models.AtLeastForm():
                return self._at_least(value, path, language)
            case models.NearForm():
                return self._near(value, path, language)
            case models.UseForm():
                return self._use(value, path, language)
            case models.LanguagesForm():
                return self._languages(value, path)
        raise AssertionError(value)

    def _one(self, value: models.AnyForm | models.NotForm, path: Path_, language: str) -> Expression | None:
        if isinstance(value, models.AnyForm):
            return self.expression(value.any_, (*path, "any"), language)
        child = self.expression(value.not_, (*path, "not"), language)
        return NoneOf(child) if child is not None else None

    def _group(
        self, values: Sequence[Any], path: Path_, language: str, kind: type[AnyOf] | type[AllOf]
    ) -> Expression | None:
        children = [self.expression(value, (*path, n), language) for n, value in enumerate(values)]
        whole = tuple(child for child in children if child is not None)
        return kind(whole) if len(whole) == len(children) else None

    def _languages(self, value: models.LanguagesForm, path: Path_) -> Expression | None:
        extra: Mapping[str, Any] = value.__pydantic_extra__ or {}
        if not extra:
            code = "E030" if path[-1] == "match" else "E011"
            self._report(path, code, "nothing stands here; write terms under language keys such as `en:`")
            return None
        children = []
        for key, child in extra.items():
            if key not in LANGUAGES:
                near = did_you_mean(key, models.FORMS if len(key) > 2 else ())
                message = f"unknown key `{key}`; write a language such as `en`, or a form such as `any`{near}"
                self._report((*path, key), "E010", message, key=True)
            children.append(self.expression(child, (*path, key), key))
        whole = tuple(child for child in children if child is not None)
        return AnyOf(whole) if len(whole) == len(children) else None

    def _at_least(self, value: models.AtLeastForm, path: Path_, language: str) -> Expression | None:
        child = self.expression(value.of, (*path, "of"), language)
        if child is None:
            return None
        count = len({leaf.term for leaf in leaves(child, positive=True)})
        if count < value.at_least:
            self._report((*path, "at_least"), "E011", f"at_least is {value.at_least}, of {count} terms")
        return AtLeast(value.at_least, child.children if isinstance(child, AnyOf) else (child,))

    def _near(self, value: models.NearForm, path: Path_, language: str) -> Expression | None:
        children = self._group(value.near, (*path, "near"), language, AllOf)
        if not isinstance(children, AllOf):
            return None
        for number, child in enumerate(children.children):
            if not _is_plain(child):
                message = "inside `near` only terms, names, patterns, lists and `any` may stand"
                self._report((*path, "near", number), "E011", message)
        if value.within > 15:
            message = f"within {value.within} words almost everything is near; use 15 or fewer"
            self._warn((*path, "within"), "W103", message)
        return Near(children.children, value.within, value.ordered)

    def _use(self, value: models.UseForm, path: Path_, language: str) -> Expression | None:
        name = value.use
        self.built.used.add(name)
        if name not in self.built.lists:
            near = did_you_mean(name, self.built.lists)
            self._report((*path, "use"), "E012", f"no list is called `{name}`{near}")
            return None
        if name in self.stack:
            circle = " → ".join([*self.stack[self.stack.index(name) :], name])
            self._report((*path, "use"), "E013", f"lists use each other in a circle: {circle}")
            return None
        depth = self.depth + len(path)
        if len(self.stack) == MAX_USES or depth > MAX_NESTED:
            message = f"lists use each other over {MAX_USES} deep, or nest too deeply; flatten them"
            self._report((*path, "use"), "E013", message)
            return None
        if not self.room.take():
            return None
        source, place, expression = self.built.lists[name]
        inner = replace(self, source=source, stack=(*self.stack, name), depth=depth)
        return inner.expression(expression, place, language)

    def _leaf(
        self, value: str | models.TermForm | models.NameForm | models.RegexForm, path: Path_, language: str
    ) -> Expression | None:
        if not self.room.take():
            return None
        weight, key = 1.0, None
        try:
            match value:
                case str():
                    text = value
                    term: Any = read_phrase(value, language, fuzzy=self._fuzzy(None))
                case models.TermForm():
                    text, weight, key = value.term, value.weight, "term"
                    term = read_phrase(text, language, fuzzy=self._fuzzy(value.fuzzy), slop=value.slop)
                case models.NameForm():
                    text, weight, key = value.name, value.weight, "name"
                    term = read_name(text, fuzzy=self._fuzzy(value.fuzzy))
                case models.RegexForm():
                    text, weight, key = value.regex, value.weight, "regex"
                    term = self._pattern(text, (*path, key))
        except TermInvalid as error:
            self._report((*path, key) if key else path, "E011", str(error))
            return None
        except PatternInvalid as error:
            self._report((*path, "regex"), "E032", f"RE2 refuses the pattern: {error}")
            return None
        leaf = Leaf(term, self.fields, weight)
        place = (*path, key) if key else path
        self.built.written.append(Written(self.source, place, text, language, leaf, self.topic))
        return leaf

    def _pattern(self, text: str, path: Path_) -> Pattern:
        notes = pattern_notes(text)
        for part in notes.ascii_parts:
            where = "inside [] " if part == r"\W" else "inside a pattern "
            self._warn(path, "W108", f"{part} {where}knows ASCII letters only{_BORDERS.get(part, '')}")
        if notes.is_rewritten:
            message = r"\w is read as [\pL\pM\pN_], letters of all alphabets; for ASCII write [A-Za-z0-9_]"
            self._warn(path, "W111", message)
        return Pattern(text)

    def _fuzzy(self, own: float | str | None) -> float:
        value = self.model.fuzzy if own is None else own
        return NO_TYPOS if isinstance(value, str) else float(value)

    def _report(self, path: Path_, code: str, message: str, *, key: bool = False) -> None:
        self.built.problems.append(self.source.problem(path, code, message, key=key))

    def _warn(self, path: Path_, code: str, message: str) -> None:
        self.built.warnings.append(self.source.problem(path, code, message))


def _is_plain(expression: Expression) -> bool:
    match expression:
        case Leaf():
            return True
        case AnyOf(children):
            return all(map(_is_plain, children))
        case _:
            return False
