"""The one reader of config.toml and of the environment's TOPICWIRE_ variables.

Order, first wins: environment, config.toml, defaults. Paths in the file are relative to the file.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AnyHttpUrl,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from rapidfuzz import process

from bot.errors import ConfigInvalid, Problem
from bot.model import Address, Feed, FeedId

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d)\s*")


def parse_duration(value: object) -> object:
    """Return `"90s"`, `"5min"`, `"2h"`, `"1d"` or a number of seconds as a timedelta.

    Anything else is returned as it came, for pydantic to refuse.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return timedelta(seconds=value)
    if isinstance(value, str):
        if found := _DURATION.fullmatch(value):
            return timedelta(seconds=float(found[1]) * _UNITS[found[2]])
        if re.fullmatch(r"\d+(\.\d+)?", value):
            return timedelta(seconds=float(value))
        raise ValueError('not a duration; write a number with a unit, like "30s", "5min", "2h" or "1d"')
    return value


Duration = Annotated[timedelta, BeforeValidator(parse_duration), Field(ge=timedelta(0))]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LogConfig(_Section):
    """How the daemon speaks."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "console", "json"] = "auto"


class StoreConfig(_Section):
    """Where everything is remembered."""

    url: str = ""
    busy_timeout: Duration = timedelta(seconds=5)


class TelegramConfig(_Section):
    """How the bot reaches Telegram."""

    token: SecretStr = SecretStr("")
    token_file: Path | None = None
    base_url: AnyHttpUrl = AnyHttpUrl("https://api.telegram.org")
    operators: tuple[int, ...] = ()
    timeout: Duration = timedelta(seconds=20)


class DeliveryConfig(_Section):
    """When and how fast messages leave."""

    notifier: Literal["telegram", "console"] = "telegram"
    hold: Duration = timedelta(seconds=60)
    edit_every: Duration = timedelta(seconds=60)
    per_second: Annotated[float, Field(gt=0, le=30)] = 25
    chat_interval: Duration = timedelta(seconds=1)
    group_per_minute: Annotated[int, Field(ge=1, le=20)] = 18
    in_flight: Annotated[int, Field(ge=1, le=100)] = 1
    retry_uncertain_after: Duration = timedelta(seconds=30)


class PollingConfig(_Section):
    """How feeds are read."""

    user_agent: str = "Topicwire/0.1 (news alert bot)"
    connections: Annotated[int, Field(ge=1, le=1000)] = 100
    host_interval: Duration = timedelta(seconds=2)
    connect_timeout: Duration = timedelta(seconds=5)
    timeout: Duration = timedelta(seconds=30)
    max_bytes: Annotated[int, Field(ge=10_000)] = 5_000_000
    max_redirects: Annotated[int, Field(ge=0, le=20)] = 5
    max_items: Annotated[int, Field(ge=1, le=5000)] = 500
    parse_timeout: Duration = timedelta(seconds=10)
    parse_workers: Annotated[int, Field(ge=1, le=64)] = 1
    min_interval: Duration = timedelta(minutes=5)
    max_interval: Duration = timedelta(hours=4)
    default_interval: Duration = timedelta(minutes=15)


class StoriesConfig(_Section):
    """When reports are one story."""

    window: Duration = timedelta(hours=72)
    closes_after: Duration = timedelta(hours=48)
    lives: Duration = timedelta(days=7)


class FeedConfig(_Section):
    """One feed of the config."""

    id: Annotated[str | None, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,79}$")] = None
    url: AnyHttpUrl
    outlet: str | None = None
    language: Annotated[str | None, Field(pattern=r"^[a-z]{2,3}$")] = None
    interval: Annotated[timedelta, BeforeValidator(parse_duration), Field(ge=timedelta(minutes=1))] | None = (
        None
    )
    encoding: str | None = None
    allow_private: bool = False


class ChatConfig(_Section):
    """A chat that hears of topics without having asked the bot."""

    id: int
    thread: Annotated[int | None, Field(ge=1)] = None
    topics: Annotated[tuple[str, ...], Field(min_length=1)] = ("*",)
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] = "en"
    title: str = ""

    @property
    def address(self) -> Address:
        """Return where Telegram delivers."""
        return Address(telegram_id=self.id, thread_id=self.thread)


class Config(_Section):
    """Everything that can be set, checked."""

    data_dir: Path = Path("data")
    rules_dir: Path = Path("rules")
    feeds_file: Annotated[Path | None, BeforeValidator(lambda value: value or None)] = Path("feeds.opml")
    log: LogConfig = LogConfig()
    store: StoreConfig = StoreConfig()
    telegram: TelegramConfig = TelegramConfig()
    delivery: DeliveryConfig = DeliveryConfig()
    polling: PollingConfig = PollingConfig()
    stories: StoriesConfig = StoriesConfig()
    feeds: tuple[FeedConfig, ...] = ()
    chats: tuple[ChatConfig, ...] = ()

    @model_validator(mode="after")
    def _names_are_used_once(self) -> Self:
        ids = [feed.id for feed in self.feeds if feed.id]
        if twice := {name for name in ids if ids.count(name) > 1}:
            raise ValueError(f"feeds: the id {min(twice)!r} is used twice; give each feed its own")
        places = [chat.address for chat in self.chats]
        if again := [place for place in places if places.count(place) > 1]:
            raise ValueError(
                f"chats: {again[0].telegram_id} stands there twice; put its topics into one entry"
            )
        return self

    @property
    def database_url(self) -> str:
        """Return SQLAlchemy's URL of the store."""
        return self.store.url or f"sqlite+aiosqlite:///{self.data_dir / 'topicwire.db'}"

    @property
    def token(self) -> str:
        """Return the bot's token; empty: none is set.

        Raises:
            ConfigInvalid: `token_file` cannot be read.
        """
        if self.telegram.token.get_secret_value():
            return self.telegram.token.get_secret_value().strip()
        if self.telegram.token_file is None:
            return ""
        try:
            return self.telegram.token_file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not text"
            problem = Problem(
                file=str(self.telegram.token_file), message=f"cannot read the bot's token: {why}"
            )
            raise ConfigInvalid((problem,)) from error

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
    """The config as the file and the environment tell it."""

    model_config = SettingsConfigDict(
        env_prefix="TOPICWIRE_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file, which comes in as init values."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings


def read_config(path: Path) -> Config:
    """Return the checked configuration.

    Raises:
        ConfigInvalid: With one problem for each mistake: file, line and cure.
    """
    text = _read_text(path)
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigInvalid((_syntax_problem(path, error),)) from error
    try:
        config = _Settings(**values)
    except ValidationError as error:
        raise ConfigInvalid(tuple(_problems(path, text, error))) from error
    return _anchored(config, path.resolve().parent)


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        message = "no such file; make one with: topicwire init DIR, or name yours with --config FILE"
        raise ConfigInvalid((Problem(file=str(path), message=message),)) from error
    except OSError as error:
        raise ConfigInvalid(
            (Problem(file=str(path), message=f"cannot read it: {error.strerror}"),)
        ) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        message = "this is not UTF-8; save the file as UTF-8"
        raise ConfigInvalid((Problem(file=str(path), line=line, message=message),)) from error


def _syntax_problem(path: Path, error: tomllib.TOMLDecodeError) -> Problem:
    text = str(error)
    found = re.search(r"\(at line (\d+), column (\d+)\)", text)
    line, col = (int(found[1]), int(found[2])) if found else (0, 0)
    said = re.sub(r" *\(at .*\)$", "", text)
    return Problem(file=str(path), line=line, col=col, message=f"not TOML: {said}")


def _problems(path: Path, text: str, error: ValidationError) -> list[Problem]:
    lines = text.splitlines()
    problems = []
    for fault in error.errors(include_url=False, include_context=False):
        loc = fault["loc"]
        line = line_of(lines, loc)
        where = ".".join(str(part) for part in loc)
        if line == 0 and loc and (name := _env_name(loc)):
            where = f"{where} (set by {name} in the environment, or missing)"
        problems.append(
            Problem(file=str(path), line=line, message=_message(where, fault["type"], fault, loc))
        )
    return problems


def _env_name(loc: Sequence[int | str]) -> str:
    return "TOPICWIRE_" + "__".join(str(part).upper() for part in loc)


def _message(where: str, kind: str, fault: Any, loc: Sequence[int | str]) -> str:
    if kind == "extra_forbidden":
        close = process.extractOne(str(loc[-1]), _known_keys(loc[:-1]), score_cutoff=60)
        return f"unknown key {where}" + (f"; did you mean {close[0]}?" if close else "")
    said = str(fault["msg"]).removeprefix("Value error, ")
    secret = "token" in where
    shown = "" if secret or kind in {"missing", "value_error"} else f" (it is {fault['input']!r:.80})"
    return f"{where}: {said}{shown}" if where else said


def _known_keys(loc: Sequence[int | str]) -> list[str]:
    sections: dict[str, type[BaseModel]] = {
        "log": LogConfig,
        "store": StoreConfig,
        "telegram": TelegramConfig,
        "delivery": DeliveryConfig,
        "polling": PollingConfig,
        "stories": StoriesConfig,
        "feeds": FeedConfig,
        "chats": ChatConfig,
    }
    model = sections.get(str(loc[0]), Config) if loc else Config
    return list(model.model_fields)


def line_of(lines: Sequence[str], loc: Sequence[int | str]) -> int:
    """Return the 1-based line on which a key of a TOML file stands; 0: not in the file.

    Understands tables, arrays of tables and plain keys: all that a config of ours needs.
    """
    names = [part for part in loc if isinstance(part, str)]
    nth = next((part for part in loc if isinstance(part, int)), 0)
    table, seen, best = "", -1, 0
    for number, line in enumerate(lines, start=1):
        if header := re.match(r"\s*\[\[?\s*([\w.\-]+)\s*\]\]?", line):
            table = header[1]
            seen += table == names[0] if names else 0
            if names and table == names[0] and seen == nth:
                best = number
        elif key := re.match(r"\s*\"?([\w\-]+)\"?\s*=", line):
            path = [*table.split("."), key[1]] if table else [key[1]]
            in_place = len(names) < 2 or not table or seen == nth
            if path == names[: len(path)] and in_place:
                return number
    return best


def _anchored(config: Config, base: Path) -> Config:
    """Return the config with its paths made absolute, seen from the config file."""
    telegram = config.telegram
    if telegram.token_file:
        telegram = telegram.model_copy(update={"token_file": base / telegram.token_file})
    return config.model_copy(
        update={
            "data_dir": base / config.data_dir,
            "rules_dir": base / config.rules_dir,
            "feeds_file": base / config.feeds_file if config.feeds_file else None,
            "telegram": telegram,
        }
    )
