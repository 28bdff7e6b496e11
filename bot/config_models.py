"""What can be set, section by section, with its bounds and defaults; `config.py` reads it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    model_validator,
)
from pydantic_core import PydanticCustomError

from bot.core.headers import header_problem, value_problem
from bot.errors import ConfigInvalid, Problem
from bot.model import Address, Feed, FeedId

Loc = tuple[int | str, ...]  # where a value stands, seen from a model: ("url",)

SQLITE = "sqlite+aiosqlite:///"
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


def _feed_headers(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if problem := header_problem(name, value):
            raise ValueError(problem)
    return headers


def _a_user_agent(text: str | None) -> str | None:
    if problem := value_problem("it", text or ""):
        raise ValueError(problem)
    return text or None


Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]


def _sqlite_file(url: str) -> str:
    cure = f'write {SQLITE}PATH, or "" for topicwire.db in data_dir'
    if url.startswith("postgres"):
        raise ValueError(f"PostgreSQL comes in a later version; {cure}")
    if url in {SQLITE, SQLITE.removesuffix("/"), f"{SQLITE}:memory:"}:
        raise ValueError(f"a database in memory forgets at each start what was sent; {cure}")
    if url and (not url.startswith(SQLITE) or "?" in url):
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
    pages_per_minute: Annotated[int, Field(ge=0, le=600)] = 30

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


class MetricsConfig(_Section):
    """Where numbers are shown to a monitoring system."""

    listen: Annotated[str, Field(pattern=r"^(?:|[\w.:\[\]-]+:\d{1,5})$")] = ""


class FeedConfig(_Section):
    """One feed of the config."""

    id: Annotated[str | None, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,79}$")] = None
    url: AnyHttpUrl
    outlet: str | None = None
    language: Language | None = None
    interval: Interval | None = None
    encoding: str | None = None
    allow_private: bool = False
    user_agent: Annotated[str | None, AfterValidator(_a_user_agent)] = None
    headers: Annotated[dict[str, str], AfterValidator(_feed_headers)] = {}
    auth_file: OptionalPath = None
    content: Literal["feed", "fetch"] = "feed"

    def feed(self) -> Feed:
        """Return the feed; an id left out is empty, for the caller to fill."""
        return Feed(
            id=FeedId(self.id or ""),
            url=str(self.url),
            outlet=self.outlet,
            language=self.language,
            interval=self.interval,
            encoding=self.encoding,
            allow_private=self.allow_private,
            user_agent=self.user_agent,
            headers=tuple(self.headers.items()),
            auth_file=str(self.auth_file) if self.auth_file else None,
            fetch_content=self.content == "fetch",
        )


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
    metrics: MetricsConfig = MetricsConfig()
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
        return Path(self.store.url.removeprefix(SQLITE) or self.data_dir / "topicwire.db")

    @property
    def database_url(self) -> str:
        """Return SQLAlchemy's URL of the store."""
        return f"{SQLITE}{self.database_file}"

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
            problem = Problem(
                file=str(self.telegram.token_file), message=f"cannot read the bot's token: {why}"
            )
            raise ConfigInvalid((problem,)) from error

    def config_feeds(self) -> tuple[Feed, ...]:
        """Return the feeds of the `[[feeds]]` tables; an id left out is empty, for the caller to fill."""
        return tuple(feed.feed() for feed in self.feeds)
