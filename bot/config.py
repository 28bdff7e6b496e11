"""The one reader of config.toml and of the environment's TOPICWIRE_ variables.

Order, first wins: environment, config.toml, defaults. Relative paths are seen from the file's folder.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict
from rapidfuzz import process

from bot.core.identity import redact_url
from bot.core.toml_lines import line_of
from bot.errors import ConfigInvalid, Problem
from bot.model import Address, Feed, FeedId

Loc = tuple[int | str, ...]  # where a value stands: ("feeds", 1, "url")

_PREFIX = "TOPICWIRE_"
_SQLITE = "sqlite+aiosqlite:///"
_UNITS = {"": 1, "ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d|)\s*")
_LONGEST = timedelta(days=3650)  # far below where adding to a date overflows


def parse_duration(value: object) -> object:
    """Return `"90s"`, `"5min"`, `"2h"`, `"1d"` or a number of seconds as a timedelta, at most ten years.

    What is neither text nor number is returned as it came, for pydantic to refuse.

    Raises:
        ValueError: Not a duration, or one out of bounds.
    """
    if isinstance(value, str) and (found := _DURATION.fullmatch(value)):
        seconds = float(found[1]) * _UNITS[found[2]]
    elif isinstance(value, str | bool):
        raise ValueError('not a duration; write a number with a unit, like "30s", "5min", "2h" or "1d"')
    elif isinstance(value, int | float):
        seconds = value
    else:
        return value
    if not 0 <= seconds <= _LONGEST.total_seconds():  # so written, it is true of nan as well
        raise ValueError(f'a duration is at least 0 and at most "{_LONGEST.days}d"')
    return timedelta(seconds=seconds)


def _as_list(value: object) -> object:
    """Return the numbers of `"12,13"` or `12`, as they are written in the environment."""
    if isinstance(value, str):
        return [part for part in value.split(",") if part.strip()]
    return [value] if type(value) is int else value


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Wait = Annotated[Duration, Field(ge=timedelta(milliseconds=1))]  # of no length, nothing would ever succeed
Interval = Annotated[Duration, Field(ge=timedelta(minutes=1))]
OptionalPath = Annotated[Path | None, BeforeValidator(lambda value: value or None)]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]


def _sqlite_file(url: str) -> str:
    cure = f'write {_SQLITE}PATH, or "" for topicwire.db in data_dir'
    if url.startswith("postgres"):
        raise ValueError(f"PostgreSQL comes in a later version; {cure}")
    if url in {_SQLITE, _SQLITE.removesuffix("/"), f"{_SQLITE}:memory:"}:
        raise ValueError(f"a database in memory forgets at each start what was sent; {cure}")
    if url and (not url.startswith(_SQLITE) or "?" in url):
        raise ValueError(f"not the address of an SQLite file; {cure}")
    return url


def _conflict(message: str, *places: Loc) -> PydanticCustomError:
    """Return a mistake that lies in several values together; `places` are seen from the model."""
    return PydanticCustomError("conflict", "{said}", {"said": message, "places": places})


def _repeated(keys: Sequence[object]) -> int:
    """Return the index of the first key that stood there before, 0 if none did; None is no key."""
    met: set[object] = set()
    for nth, key in enumerate(keys):
        if key is not None and key in met:
            return nth
        met.add(key)
    return 0


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LogConfig(_Section):
    """How the daemon speaks."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "console", "json"] = "auto"


class StoreConfig(_Section):
    """Where everything is remembered."""

    url: Annotated[str, AfterValidator(_sqlite_file)] = ""
    busy_timeout: Wait = timedelta(seconds=5)


class TelegramConfig(_Section):
    """How the bot reaches Telegram."""

    token: SecretStr = SecretStr("")
    token_file: OptionalPath = None
    base_url: AnyHttpUrl = AnyHttpUrl("https://api.telegram.org")
    operators: Annotated[tuple[int, ...], BeforeValidator(_as_list)] = ()
    timeout: Wait = timedelta(seconds=20)


class DeliveryConfig(_Section):
    """When and how fast messages leave."""

    notifier: Literal["telegram", "console"] = "telegram"
    hold: Duration = timedelta(seconds=60)
    edit_every: Duration = timedelta(seconds=60)
    per_second: Annotated[float, Field(gt=0, le=30)] = 25
    chat_interval: Duration = timedelta(seconds=1)
    group_per_minute: Annotated[int, Field(ge=1, le=20)] = 18
    in_flight: Annotated[int, Field(ge=1, le=100)] = 1
    retry_uncertain_after: Wait = timedelta(seconds=30)


class PollingConfig(_Section):
    """How feeds are read."""

    user_agent: str = "Topicwire/0.1 (news alert bot)"
    connections: Annotated[int, Field(ge=1, le=1000)] = 100
    host_interval: Duration = timedelta(seconds=2)
    connect_timeout: Wait = timedelta(seconds=5)
    timeout: Wait = timedelta(seconds=30)
    max_bytes: Annotated[int, Field(ge=10_000)] = 5_000_000
    max_redirects: Annotated[int, Field(ge=0, le=20)] = 5
    max_items: Annotated[int, Field(ge=1, le=5000)] = 500
    parse_timeout: Wait = timedelta(seconds=10)
    parse_workers: Annotated[int, Field(ge=1, le=64)] = 1
    min_interval: Wait = timedelta(minutes=5)
    max_interval: Wait = timedelta(hours=4)
    default_interval: Wait = timedelta(minutes=15)

    @model_validator(mode="after")
    def _bounds_are_in_order(self) -> Self:
        if self.min_interval > self.max_interval:
            raise _conflict("min_interval is longer than max_interval", ("min_interval",), ("max_interval",))
        return self


class StoriesConfig(_Section):
    """When reports are one story."""

    window: Duration = timedelta(hours=72)
    closes_after: Duration = timedelta(hours=48)
    lives: Duration = timedelta(days=7)


class RulesConfig(_Section):
    """How changes of rule files are noticed."""

    watch: Literal["auto", "poll", "off"] = "auto"


class FeedConfig(_Section):
    """One feed of the config."""

    id: Annotated[str | None, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,79}$")] = None
    url: AnyHttpUrl
    outlet: str | None = None
    language: Language | None = None
    interval: Interval | None = None
    encoding: str | None = None
    allow_private: bool = False


class ChatConfig(_Section):
    """A chat that hears of topics without having asked the bot."""

    id: int
    thread: Annotated[int | None, Field(ge=1)] = None
    topics: Annotated[tuple[str, ...], Field(min_length=1)] = ("*",)
    language: Language = "en"
    title: str = ""

    @property
    def address(self) -> Address:
        """Return where Telegram delivers."""
        return Address(telegram_id=self.id, thread_id=self.thread)


class Config(_Section):
    """Everything that can be set, checked."""

    data_dir: Path = Path("data")
    rules_dir: Path = Path("rules")
    feeds_file: OptionalPath = Path("feeds.opml")
    log: LogConfig = LogConfig()
    store: StoreConfig = StoreConfig()
    telegram: TelegramConfig = TelegramConfig()
    delivery: DeliveryConfig = DeliveryConfig()
    polling: PollingConfig = PollingConfig()
    stories: StoriesConfig = StoriesConfig()
    rules: RulesConfig = RulesConfig()
    feeds: tuple[FeedConfig, ...] = ()
    chats: tuple[ChatConfig, ...] = ()

    @model_validator(mode="after")
    def _names_are_used_once(self) -> Self:
        nth = _repeated([feed.id for feed in self.feeds])
        if nth:
            said = f"the id {self.feeds[nth].id!r} is used twice; give each feed its own"
            raise _conflict(said, ("feeds", nth))
        nth = _repeated([chat.address for chat in self.chats])
        if nth:
            said = f"{self.chats[nth].id} stands there twice; put its topics into one entry"
            raise _conflict(said, ("chats", nth))
        return self

    @property
    def database_file(self) -> Path:
        """Return the file in which SQLite keeps the store."""
        return Path(self.store.url.removeprefix(_SQLITE) or self.data_dir / "topicwire.db")

    @property
    def database_url(self) -> str:
        """Return SQLAlchemy's URL of the store."""
        return f"{_SQLITE}{self.database_file}"

    @property
    def token(self) -> str:
        """Return the bot's token; empty: none is set.

        Raises:
            ConfigInvalid: `token_file` cannot be read.
        """
        token = self.telegram.token.get_secret_value().strip()
        if token or self.telegram.token_file is None:
            return token
        try:
            return self.telegram.token_file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not text"
            raise _invalid(self.telegram.token_file, f"cannot read the bot's token: {why}") from error

    def config_feeds(self) -> tuple[Feed, ...]:
        """Return the feeds of the `[[feeds]]` tables; an id left out is empty, for the caller to fill."""
        return tuple(
            Feed(
                id=FeedId(feed.id or ""),
                url=str(feed.url),
                outlet=feed.outlet,
                language=feed.language,
                interval=feed.interval,
                encoding=feed.encoding,
                allow_private=feed.allow_private,
            )
            for feed in self.feeds
        )


class _Settings(BaseSettings, Config):
    """The config as pydantic-settings looks for it in the environment."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, env_nested_delimiter="__")


class _Environment(EnvSettingsSource):
    """What the variables say, by section and option."""

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        """Return the JSON's value, or the text as it is, for the model to refuse with its place."""
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            return value


def read_config(path: Path) -> Config:
    """Return the checked configuration.

    Raises:
        ConfigInvalid: With one problem for each mistake: its line or its variable, and the cure.
    """
    text = _read_text(path)
    values, said = _parsed(path, text), _Environment(_Settings)()
    if unknown := _unknown_variables():
        raise ConfigInvalid(tuple(unknown))
    try:
        config = Config.model_validate(_merged(values, said))
    except ValidationError as error:
        raise ConfigInvalid(tuple(_problems(path, text, said, error))) from error
    config = _anchored(config, path.resolve().parent)
    if "?" in str(config.database_file):
        raise _invalid(path, f"the database cannot lie in a path with a ?: {config.database_file}")
    return config


def _merged(values: dict[str, Any], winning: dict[str, Any]) -> dict[str, Any]:
    """Return the values, section for section, with those of `winning` in place of their own."""
    return values | {
        name: values[name] | mine if isinstance(mine, dict) and isinstance(values.get(name), dict) else mine
        for name, mine in winning.items()
    }


def _invalid(path: Path, message: str, line: int = 0, col: int = 0) -> ConfigInvalid:
    return ConfigInvalid((Problem(file=str(path), line=line, col=col, message=message),))


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        cure = "make one with: topicwire init DIR, or name yours with --config FILE"
        raise _invalid(path, f"no such file; {cure}") from error
    except OSError as error:
        raise _invalid(path, f"cannot read it: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise _invalid(path, "this is not UTF-8; save the file as UTF-8", line) from error


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError is one; a number of thousands of digits is another
        found = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        line, col = (int(found[1]), int(found[2])) if found else (0, 0)
        said = re.sub(r" *\(at .*\)$", "", str(error))
        raise _invalid(path, f"not TOML: {said}", line, col) from error


# ---- mistakes, each with its place ---------------------------------------------------------------

_SECTIONS = {
    name: info.annotation
    for name, info in Config.model_fields.items()
    if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel)
}
_MODELS: dict[str, type[BaseModel]] = {**_SECTIONS, "feeds": FeedConfig, "chats": ChatConfig}


def _variable(*names: object) -> str:
    return _PREFIX + "__".join(str(name).upper() for name in names)


def _unknown_variables() -> list[Problem]:
    options = [_variable(name, option) for name, kind in _SECTIONS.items() for option in kind.model_fields]
    options += [_variable(name) for name in Config.model_fields if name not in _SECTIONS]
    known = {*options, *map(_variable, _SECTIONS), _variable("config")}  # which the command line reads
    names = [name for name in sorted(os.environ) if name.upper().startswith(_PREFIX)]
    return [
        Problem(file="environment", message=f"unknown variable {name}{_did_you_mean(name.upper(), options)}")
        for name in names
        if name.upper() not in known
    ]


def _problems(path: Path, text: str, said: Mapping[str, Any], error: ValidationError) -> list[Problem]:
    lines = text.splitlines()
    problems = []
    for fault in error.errors(include_url=False):
        places: list[Loc] = [(*fault["loc"], *place) for place in fault.get("ctx", {}).get("places", [()])]
        told = [(name, place) for place in places if (name := _variable_of(place, said))]
        if told:
            problems.append(Problem(file="environment", message=_for_variable(*told[0], fault)))
        else:
            line = max(line_of(lines, place) for place in places)
            problems.append(Problem(file=str(path), line=line, message=_message(places[0], fault)))
    return problems


def _variable_of(loc: Loc, said: Mapping[str, Any]) -> str:
    """Return the variable that a value comes from; empty: the file, or nothing, told it.

    A section's variable holds JSON, and the variable of one option wins over it.
    """
    section = said.get(str(loc[0]))
    if section is None or len(loc) == 1 or not isinstance(section, dict):
        return "" if section is None else _variable(loc[0])
    own = _variable(*loc[:2])
    if own in {name.upper() for name in os.environ}:
        return own
    return _variable(loc[0]) if loc[1] in section else ""


def _for_variable(variable: str, loc: Loc, fault: Any) -> str:
    """Return what is wrong with a variable, and how it is written."""
    if len(loc) == 1 and fault["type"] in {"model_type", "tuple_type"}:
        shape = "{...}, or set a variable for each option" if loc[0] in _SECTIONS else "[{...}, {...}]"
        return f"{variable}: write JSON here: {shape}"
    return f"{variable}: {_message(loc, fault)}"


def _message(loc: Loc, fault: Any) -> str:
    where, kind = ".".join(str(part) for part in loc), fault["type"]
    if kind == "extra_forbidden":
        model = _MODELS[str(loc[0])] if len(loc) > 1 else Config
        return f"unknown key {where}{_did_you_mean(str(loc[-1]), list(model.model_fields))}"
    said = str(fault["msg"]).removeprefix("Value error, ")
    quiet = kind in {"missing", "value_error", "conflict"}
    return f"{where}: {said}" + ("" if quiet else _shown(loc, fault["input"]))


def _shown(loc: Loc, value: object) -> str:
    """Return a wrong value as it may be shown: nothing of Telegram's section, no password of a URL."""
    text = redact_url(repr(value))
    if loc[0] == "telegram" or "@" in text.replace("***@", ""):
        return ""
    return f" (it is {text:.80})"


def _did_you_mean(name: str, known: Sequence[str]) -> str:
    close = process.extractOne(
        name, known, processor=lambda text: re.sub("_+", " ", text.removeprefix(_PREFIX)), score_cutoff=75
    )
    return f"; did you mean {close[0]}?" if close else ""


def _anchored(config: Config, base: Path) -> Config:
    """Return the config with its paths made absolute, seen from the config file."""
    token_file, url = config.telegram.token_file, config.store.url
    return config.model_copy(
        update={
            "data_dir": base / config.data_dir,
            "rules_dir": base / config.rules_dir,
            "feeds_file": config.feeds_file and base / config.feeds_file,
            "telegram": config.telegram.model_copy(update={"token_file": token_file and base / token_file}),
            "store": config.store.model_copy(
                update={"url": url and f"{_SQLITE}{base / config.database_file}"}
            ),
        }
    )
