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

FieldName = Literal["title", "summary", "content", "author", "url", "source", "categories"]
LevelName = Literal["info", "low", "medium", "high", "critical"]
StatusName = Literal["stable", "experimental", "deprecated"]
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


Language = Annotated[str, AfterValidator(_language)]


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


class _Form(Model):
    fields: list[FieldName] | None = Field(
        None, alias="in", min_length=1, description="Only in these fields."
    )


class AnyForm(_Form):
    """Matches when any of them does."""

    any_: Expression = Field(alias="any")


class AllForm(_Form):
    """Matches when every one does."""

    all_: list[Expression] = Field(alias="all", min_length=1)


class NotForm(_Form):
    """Matches when it does not."""

    not_: Expression = Field(alias="not")


class AtLeastForm(_Form):
    """Matches when that many different terms are found."""

    at_least: int = Field(ge=1, le=100)
    of: Expression


class NearForm(_Form):
    """Matches when all stand in one field, that close."""

    near: list[Expression] = Field(min_length=2, max_length=8)
    within: int = Field(default=8, ge=0, le=100, description="Words between the first and the last.")
    ordered: bool = Field(default=False, description="In this order only.")


class UseForm(_Form):
    """A list of `lists:`, of any file."""

    use: str


class RegexForm(_Form):
    """A regular expression in RE2's language (linear time; no look-around)."""

    regex: str = Field(min_length=1, max_length=10_000)
    weight: Weight = 1.0


class TermForm(_Form):
    """One term, tuned."""

    term: str = Field(min_length=1, max_length=500)
    weight: Weight = 1.0
    fuzzy: Fuzzy | None = Field(default=None, description="Least similarity of a typo, or off.")
    slop: int | None = Field(
        default=None, ge=0, le=10, description="Foreign words allowed between its words."
    )


class NameForm(_Form):
    """A person or company, in any script, romanisation and case."""

    name: str = Field(min_length=1, max_length=200)
    weight: Weight = 1.0
    fuzzy: Fuzzy | None = None


class LanguagesForm(_Form):
    """Terms by language: the key picks the stemmer."""

    # The forms' own keys are no languages, so that an editor's schema tells the forms apart.
    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={"propertyNames": {"pattern": "^(?!(?:any|all|not|use|of)$)[a-z]{2,3}$"}},
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

    allow: list[str] = []
    deny: list[str] = []


class Spike(Model):
    """One extra alert when stories come much faster than usual."""

    min_stories: int = Field(default=5, ge=2)
    within: Duration = timedelta(hours=6)
    factor: float = Field(default=3.0, gt=1)
    baseline: Duration = timedelta(days=14)


class InlineItem(Model):
    """A test item with more than a title."""

    title: str = ""
    summary: str = ""
    content: str = ""
    source: str = ""
    url: str | None = None
    lang: Language | None = None
    why: str = Field(default="", description="Why it must or must not match; for people.")
    by: str | None = Field(default=None, description="The term that must do it, as written.")


class InlineTests(Model):
    """Titles or items that must match, and that must not."""

    match: list[str | InlineItem] = []
    no_match: list[str | InlineItem] = []


class TopicDefaults(Model):
    """Keys that all topics of the file share; a topic's own key wins."""

    description: str = ""
    owner: str = ""
    references: str | list[str] = ""
    status: StatusName = "stable"
    level: LevelName = "medium"
    tags: list[Annotated[str, Field(pattern=_TAG)]] = []
    where: list[FieldName] = Field(default=["title", "summary", "content"], min_length=1)
    languages: list[Language] = []
    sources: Sources = Sources()
    ignore: Expression | None = None
    unless: Expression | None = None
    min_score: float = Field(default=60.0, ge=0, le=100)
    fuzzy: Fuzzy = 80.0
    spike: Spike | None = None
    cooldown: Duration = timedelta(0)


class TopicModel(TopicDefaults):
    """An operator's interest."""

    id: str = Field(pattern=_SLUG, description="Lower case, digits and hyphens.")
    title: Annotated[str, Field(min_length=1)] | dict[Language, str] = Field(min_length=1)
    match: Expression
    tests: InlineTests = InlineTests()


class RuleFile(Model):
    """A file of the folder `rules/`."""

    version: Literal[1]
    defaults: TopicDefaults | None = None
    lists: dict[Annotated[str, Field(pattern=_LIST)], Expression] = {}
    topics: list[TopicModel] = []


_MODELS: Final[tuple[type[Model], ...]] = (
    *dict.fromkeys(FORMS.values()), LanguagesForm, TopicDefaults, TopicModel, RuleFile,
)  # fmt: skip
for _model in _MODELS:
    _model.model_rebuild()
