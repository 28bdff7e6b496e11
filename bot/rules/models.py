"""The rule format, version 1, as pydantic models; editors get them as JSON Schema."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError
from typing_extensions import TypeAliasType

from bot.core.terms import DEFAULT_SLOP

FieldName = Literal["title", "summary", "content", "author", "url", "source", "categories"]
LevelName = Literal["info", "low", "medium", "high", "critical"]
StatusName = Literal["stable", "experimental", "deprecated"]
ContentName = Literal["feed", "fetch"]
Weight = Annotated[float, Field(gt=0, le=10)]


def fuzzy(value: object) -> object:
    """Return the value if it is a least similarity or `off`; one error then, not one for each.

    Raises:
        PydanticCustomError: It is neither.
    """
    if value == "off":
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and 50 <= value <= 100:
        return value
    raise PydanticCustomError("fuzzy", "; use a number from 50 to 100, or off")


Fuzzy = Annotated[Annotated[float, Field(ge=50, le=100)] | Literal["off"], BeforeValidator(fuzzy)]

# ISO 639-1
LANGUAGES: Final = frozenset(
    re.findall(
        r"\S+",
        "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de "
        "dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id "
        "ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu "
        "lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu "
        "rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr "
        "ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu ",
    )
)
_DURATION: Final = re.compile(r"(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", re.ASCII)
_UNITS: Final = (604_800, 86_400, 3_600, 60, 1)  # seconds
_MAX_DIGITS: Final = 12
MAX_TESTS: Final = 1_000  # of a topic that must match, and as many that must not
MAX_DURATION: Final = timedelta(days=3_653)


def duration(text: object) -> timedelta:
    """Return the time that 90m, 2h30m, 1d or 0 means.

    Raises:
        PydanticCustomError: It means none.
    """
    if isinstance(text, timedelta):
        return text
    found = _DURATION.fullmatch(text) if isinstance(text, str) and text else None
    if text == "0" or (text == 0 and not isinstance(text, bool)):
        return timedelta(0)
    if found is None:
        raise PydanticCustomError("duration", ", which is no duration; write 90m, 2h30m, 1d or 0")
    parts = [part or "0" for part in found.groups()]
    seconds = sum(unit * int(part[:_MAX_DIGITS]) for unit, part in zip(_UNITS, parts, strict=True))
    if seconds > MAX_DURATION.total_seconds() or max(map(len, parts)) > _MAX_DIGITS:
        raise PydanticCustomError("duration", ", which is longer than ten years; write 520w or less")
    return timedelta(seconds=seconds)


Duration = Annotated[
    timedelta,
    BeforeValidator(duration),
    WithJsonSchema({"type": ["string", "integer"], "pattern": r"^(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?$|^0$"}),
]


def _language(code: str) -> str:
    if code not in LANGUAGES:
        raise PydanticCustomError("language", ", which is no language; write an ISO 639-1 code such as en")
    return code


Language = Annotated[
    str, AfterValidator(_language), WithJsonSchema({"type": "string", "enum": sorted(LANGUAGES)})
]


_SLUG: Final = r"^[a-z0-9][a-z0-9-]{0,39}$"
_TAG: Final = r"^\w[\w-]{0,31}$"
_LIST: Final = r"^[a-z0-9][a-z0-9_-]*$"
PATTERNS: Final = {  # in words
    _SLUG: "lower-case letters, digits and hyphens, at most 40",
    _TAG: "letters, digits and hyphens, at most 32",
    _LIST: "lower-case letters, digits, hyphens and underscores",
}


class Model(BaseModel):
    """Strict: nothing is converted, unknown keys are errors."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, populate_by_name=False)


# ---- expressions -------------------------------------------------------------------------------


_WEIGHT: Final = "How much it counts in the score."
_FUZZY: Final = "Least similarity of a typo, or off; the topic's, unless it is told."


class _Form(Model):
    fields: list[FieldName] | None = Field(
        None, alias="in", min_length=1, description="Only in these fields."
    )


class AnyForm(_Form):
    """Matches when any of them does."""

    any_: Expression = Field(alias="any", description="A list, a map of languages, or one expression.")


class AllForm(_Form):
    """Matches when every one does."""

    all_: list[Expression] = Field(alias="all", min_length=1, description="What must all be found.")


class NotForm(_Form):
    """Matches when it does not."""

    not_: Expression = Field(
        alias="not", description="What must not be found; only beside something that must."
    )


class AtLeastForm(_Form):
    """Matches when that many different terms are found."""

    at_least: int = Field(ge=1, le=100, description="How many.")
    of: Expression = Field(description="The terms; one in several languages or spellings counts once.")


class NearForm(_Form):
    """Matches when all stand in one field, that close."""

    near: list[Expression] = Field(
        min_length=2, max_length=8, description="Terms, names, patterns, lists and `any`; nothing else."
    )
    within: int = Field(default=8, ge=0, le=100, description="Words between the first and the last.")
    ordered: bool = Field(default=False, description="In this order only.")


class UseForm(_Form):
    """A list of `lists:`, of any file."""

    use: str = Field(description="The list's name.")


class RegexForm(_Form):
    """A regular expression in RE2's language (linear time; no look-around)."""

    regex: str = Field(min_length=1, max_length=10_000, description="The pattern; case counts.")
    weight: Weight = Field(default=1.0, description=_WEIGHT)


class TermForm(_Form):
    """One term, tuned."""

    term: str = Field(min_length=1, max_length=500, description="The term.")
    weight: Weight = Field(default=1.0, description=_WEIGHT)
    fuzzy: Fuzzy | None = Field(default=None, description=_FUZZY)
    slop: int = Field(
        default=DEFAULT_SLOP, ge=0, le=10, description="Foreign words allowed between its words."
    )


class NameForm(_Form):
    """A person or company, in any script, romanisation and case."""

    name: str = Field(min_length=1, max_length=200, description="The name, the surname last.")
    weight: Weight = Field(default=1.0, description=_WEIGHT)
    fuzzy: Fuzzy | None = Field(default=None, description=_FUZZY)


class LanguagesForm(_Form):
    """Terms by language: the key picks the stemmer."""

    # The forms' own keys are no languages, so that an editor's schema tells the forms apart.
    model_config = ConfigDict(
        extra="allow", json_schema_extra={"propertyNames": {"enum": [*sorted(LANGUAGES), "in"]}}
    )
    __pydantic_extra__: dict[str, Expression]


FORMS: Final[dict[str, type[_Form]]] = {
    "any": AnyForm,
    "all": AllForm,
    "not": NotForm,
    "at_least": AtLeastForm,
    "of": AtLeastForm,
    "near": NearForm,
    "within": NearForm,
    "use": UseForm,
    "regex": RegexForm,
    "term": TermForm,
    "name": NameForm,
}


def form_of(value: Any) -> str:
    """Return which form an expression has, as a tag that no key can look like."""
    if isinstance(value, list):
        return "<list>"
    if isinstance(value, dict):
        form = next((FORMS[key] for key in FORMS if key in value), LanguagesForm)
        return f"<{form.__name__}>"
    if isinstance(value, BaseModel):
        return f"<{type(value).__name__}>"
    return "<term>"


if TYPE_CHECKING:  # mypy does not follow a TypeAliasType that speaks of itself
    Expression = str | list[Any] | _Form
else:
    Expression = TypeAliasType(
        "Expression",
        Annotated[
            Annotated[str, Field(min_length=1, max_length=500), Tag("<term>")]
            | Annotated[list["Expression"], Field(min_length=1), Tag("<list>")]
            | Annotated[AnyForm, Tag("<AnyForm>")]
            | Annotated[AllForm, Tag("<AllForm>")]
            | Annotated[NotForm, Tag("<NotForm>")]
            | Annotated[AtLeastForm, Tag("<AtLeastForm>")]
            | Annotated[NearForm, Tag("<NearForm>")]
            | Annotated[UseForm, Tag("<UseForm>")]
            | Annotated[RegexForm, Tag("<RegexForm>")]
            | Annotated[TermForm, Tag("<TermForm>")]
            | Annotated[NameForm, Tag("<NameForm>")]
            | Annotated[LanguagesForm, Tag("<LanguagesForm>")],
            Discriminator(form_of),
        ],
    )


# ---- topics ------------------------------------------------------------------------------------


class Sources(Model):
    """Where items may come from: domains or feed ids; deny wins."""

    allow: list[str] = Field(default=[], description="Only items from there; empty: from everywhere.")
    deny: list[str] = Field(default=[], description="No items from there.")


class Spike(Model):
    """One extra alert when stories come much faster than usual."""

    min_stories: int = Field(default=5, ge=2, description="Fewer are no spike.")
    within: Duration = Field(default=timedelta(hours=6), description="The time they come in.")
    factor: float = Field(default=3.0, gt=1, description="How many times as many as usual.")
    baseline: Duration = Field(default=timedelta(days=14), description="The time that tells what is usual.")


class InlineItem(Model):
    """A test item with more than a title."""

    title: str = Field(default="", description="The item's title.")
    summary: str = Field(default="", description="Its summary.")
    content: str = Field(default="", description="Its text.")
    source: str = Field(default="", description="The domain or feed id it comes from, for `sources`.")
    url: str | None = Field(default=None, description="Its address.")
    lang: Language | None = Field(default=None, description="Its language; it is detected otherwise.")
    why: str = Field(default="", description="Why it must or must not match; for people.")
    by: str | None = Field(default=None, description="The term that must do it, as written.")


class InlineTests(Model):
    """Titles or items that must match, and that must not."""

    match: list[str | InlineItem] = Field(
        default=[], max_length=MAX_TESTS, description="What the topic must find."
    )
    no_match: list[str | InlineItem] = Field(
        default=[], max_length=MAX_TESTS, description="What it must leave alone."
    )


class TopicDefaults(Model):
    """Keys that all topics of the file share; a topic's own key wins."""

    description: str = Field(default="", description="For people.")
    owner: str = Field(default="", description="Who looks after it; for people.")
    references: str | list[str] = Field(default="", description="Where its facts come from; for people.")
    status: StatusName = Field(
        default="stable", description="experimental: only operators hear it; deprecated: off."
    )
    level: LevelName = Field(default="medium", description="How much it matters.")
    tags: list[Annotated[str, Field(pattern=_TAG)]] = Field(
        default=[], description="For subscriptions and routing."
    )
    where: list[FieldName] = Field(
        default=["title", "summary", "content"], min_length=1, description="The fields that are searched."
    )
    languages: list[Language] = Field(
        default=[], description="Keep only items in these; one whose language nobody can tell passes."
    )
    sources: Sources = Field(default=Sources(), description="Domains, with their subdomains, or feed ids.")
    content: ContentName = Field(
        default="feed",
        description="fetch: the linked page is read where the item itself does not match.",
    )
    ignore: Expression | None = Field(default=None, description="Covered up before anything is looked for.")
    unless: Expression | None = Field(default=None, description="Drops the whole item.")
    min_score: float = Field(default=60.0, ge=0, le=100, description="The least score of a match.")
    fuzzy: Fuzzy = Field(
        default=80.0, description="Least similarity of a typo for all terms of the topic, or off."
    )
    spike: Spike | None = Field(
        default=None, description="Checked, but not acted on yet: no alert comes of it."
    )
    cooldown: Duration = Field(
        default=timedelta(0),
        description="Least time between new stories of the topic in one chat; the rest joins the digest.",
    )


_Title = Annotated[str, Field(max_length=200)]


class TopicModel(TopicDefaults):
    """An operator's interest."""

    id: str = Field(
        pattern=_SLUG,
        description="Its name in alerts, subscriptions and statistics: unique, and never changed.",
    )
    title: Annotated[str, Field(min_length=1, max_length=200)] | dict[Language, _Title] = Field(
        min_length=1, description="Shown to people, in their language if it is there."
    )
    match: Expression = Field(description="What must be found.")
    tests: InlineTests = Field(default=InlineTests(), description="Run by `rules check` and on reload.")


class RuleFile(Model):
    """A file of the folder `rules/`."""

    version: Literal[1] = Field(description="Of this format.")
    defaults: TopicDefaults | None = Field(
        default=None, description="Copied into each topic of the file; a topic's own key wins."
    )
    lists: dict[Annotated[str, Field(pattern=_LIST)], Expression] = Field(
        default={}, description="Expressions by name, for `use:` here and in all other files."
    )
    topics: list[TopicModel] = Field(default=[], description="What to look for.")


_MODELS: Final[tuple[type[Model], ...]] = (
    *dict.fromkeys(FORMS.values()), LanguagesForm, TopicDefaults, TopicModel, RuleFile,
)  # fmt: skip
for _model in _MODELS:
    _model.model_rebuild()
