"""Reads `seeds/`: what a new installation starts from, and the demo's script."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bot.errors import TopicwireError
from bot.model import FeedId

FeedFormat = Literal["rss", "atom", "json"]

CONTENT_TYPES: Mapping[FeedFormat, str] = {
    "rss": "application/rss+xml",
    "atom": "application/atom+xml",
    "json": "application/feed+json",
}

_DATE = re.compile(r"\{\{\s*now\s*(?P<shift>[^|{}]*)\|\s*(?P<form>\w+)\s*\}\}")
_SHIFT = re.compile(r"(?P<sign>[+-])(?:(?P<d>\d+)d)?(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m)?(?:(?P<s>\d+)s)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoFeed:
    """A feed of the demo: an invented outlet."""

    id: FeedId
    outlet: str
    language: str  # ISO 639-1
    path: str  # the file's name, and its path on the demo's server
    format: FeedFormat
    encoding: str = "utf-8"

    @property
    def content_type(self) -> str:
        """Return the Content-Type to serve it with; for XML the prolog tells the charset (RFC 7303)."""
        return CONTENT_TYPES[self.format]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoStage:
    """One moment of the demo: the file that each feed then answers with."""

    title: str
    note: str  # what is to be seen, for people
    files: Mapping[FeedId, Path]  # every feed, those that did not change too


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoScript:
    """The demo: its feeds, and its stages in order."""

    feeds: tuple[DemoFeed, ...]
    stages: tuple[DemoStage, ...]

    def bodies(self, stage: int, now: datetime) -> dict[FeedId, bytes]:
        """Return what each feed answers with at that stage (0-based), dates filled in.

        Args:
            stage: Index into `stages`.
            now: Aware. Keep one for the whole run, so that items keep their dates from stage to stage.
        """
        files = self.stages[stage].files
        return {feed.id: _body(feed, files[feed.id], now) for feed in self.feeds}


def starter_dir() -> Path:
    """Return the folder with `rules/`, `seeds/` and `config.example.toml`.

    An installed wheel carries them in `bot/starter/`; a checkout has them beside `bot/`.
    """
    package = Path(__file__).resolve().parent
    shipped = package / "starter"
    return shipped if shipped.is_dir() else package.parent


def demo_script(folder: Path | None = None) -> DemoScript:
    """Return the demo as `demo.yaml` in that folder tells it; None: the one we ship.

    Raises:
        TopicwireError: The file is missing or wrong, or a feed has no body at the first stage.
    """
    folder = folder or starter_dir() / "seeds" / "demo"
    source = folder / "demo.yaml"
    try:
        written = _Script.model_validate(YAML(typ="safe").load(source.read_text(encoding="utf-8")))
    except (OSError, YAMLError, ValidationError) as error:
        raise TopicwireError(f"{source}: the demo cannot be read: {error}") from error
    feeds = tuple(DemoFeed(**feed.model_dump()) for feed in written.feeds)
    return DemoScript(feeds=feeds, stages=tuple(_stages(folder, feeds, written.stages)))


def fill_dates(text: str, now: datetime) -> str:
    """Return the text with `{{now-2h15m|rfc822}}` and `{{now-1d|rfc3339}}` replaced by dates.

    The shift is any of `d`, `h`, `m`, `s`, in that order, after `+` or `-`; without it, `now` itself.
    `rfc822` is the date of RSS (RFC 822 with the years of RFC 5322), `rfc3339` that of Atom and JSON Feed.

    Args:
        now: Aware; its offset is the one written.

    Raises:
        TopicwireError: A date is asked for in another way than these.
    """
    return _DATE.sub(lambda found: _date(found, now), text)


def copy_starter(target: Path) -> list[Path]:
    """Write the starter into a folder, made if need be, and return the files written.

    They are `config.toml`, `feeds.opml` and `rules/`.

    Raises:
        TopicwireError: Some of them are there already, and nothing was written; or the disk refuses.
    """
    plan = _starter_files(starter_dir(), target)
    in_the_way = [path for path in plan if path.exists() or path.is_symlink()]
    if in_the_way:
        names = ", ".join(str(path) for path in in_the_way)
        raise TopicwireError(f"{names}: already there. Move them away or choose another folder.")
    try:
        for path, source in plan.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:  # x: never over a file that came in between
                file.write(source.read_bytes())
    except OSError as error:
        raise TopicwireError(f"{target}: the starter cannot be written: {error}") from error
    return list(plan)


# ---- what stands in demo.yaml ------------------------------------------------------------------


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Feed(_Strict):
    id: str
    outlet: str
    language: str
    path: str = Field(pattern=r"^[\w.-]+$")
    format: FeedFormat
    encoding: str = "utf-8"


class _Stage(_Strict):
    folder: str = Field(pattern=r"^[\w-]+$")
    title: str
    note: str = ""


class _Script(_Strict):
    version: Literal[1]
    feeds: list[_Feed] = Field(min_length=1)
    stages: list[_Stage] = Field(min_length=1)


def _stages(folder: Path, feeds: tuple[DemoFeed, ...], written: list[_Stage]) -> list[DemoStage]:
    stages: list[DemoStage] = []
    files: dict[FeedId, Path] = {}
    for stage in written:
        changed = {feed.id: folder / stage.folder / feed.path for feed in feeds}
        files = files | {feed: path for feed, path in changed.items() if path.is_file()}
        stages.append(DemoStage(title=stage.title, note=stage.note, files=files))
    missing = [feed.id for feed in feeds if feed.id not in stages[0].files]
    if missing:
        raise TopicwireError(f"{folder / written[0].folder}: no body for {', '.join(missing)}")
    return stages


def _body(feed: DemoFeed, file: Path, now: datetime) -> bytes:
    text = file.read_bytes().decode(feed.encoding)
    return fill_dates(text, now).encode(feed.encoding)


def _date(found: re.Match[str], now: datetime) -> str:
    when = now + _shift(found)
    match found["form"]:
        case "rfc822":
            return format_datetime(when)
        case "rfc3339":
            return when.isoformat(timespec="seconds")
    raise TopicwireError(f"{found[0]}: write the date as rfc822 or rfc3339")


def _shift(found: re.Match[str]) -> timedelta:
    written = found["shift"].strip()
    if not written:
        return timedelta(0)
    parts = _SHIFT.fullmatch(written)
    if parts is None or len(written) == 1:
        raise TopicwireError(f"{found[0]}: write the shift like -2h15m, with d, h, m and s in that order")
    days, hours, minutes, seconds = (int(parts[unit] or 0) for unit in "dhms")
    shift = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return -shift if parts["sign"] == "-" else shift


def _starter_files(starter: Path, target: Path) -> dict[Path, Path]:
    """Return where each file of the starter goes, and where it comes from."""
    rules = sorted(path for path in (starter / "rules").rglob("*") if path.is_file())
    return {
        target / "config.toml": starter / "config.example.toml",
        target / "feeds.opml": starter / "seeds" / "feeds.opml",
        **{target / "rules" / path.relative_to(starter / "rules"): path for path in rules},
    }
