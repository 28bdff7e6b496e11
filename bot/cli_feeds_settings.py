"""The settings of a feed as options of `feeds add` and `feeds edit`, checked as those of the config are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from pydantic import ValidationError

from bot.cli_feeds_shared import usage
from bot.config_models import FeedConfig
from bot.core.identity import redact_url
from bot.feeds.decode import decode
from bot.feeds.opml import plain_address
from bot.feeds.trips import NoLogin, read_login
from bot.model import Feed, FeedId

OutletOption = Annotated[str | None, typer.Option("--outlet", metavar="NAME", help="Its name for people.")]
LanguageOption = Annotated[
    str | None, typer.Option("--language", metavar="xx", help="Its language (ISO 639-1), such as de.")
]
IntervalOption = Annotated[
    str | None,
    typer.Option("--interval", metavar="TIME", help="Poll it so often, from 1min; else it is found out."),
]
EncodingOption = Annotated[
    str | None,
    typer.Option(
        "--encoding", metavar="NAME", help="Read it so, such as windows-1251; else it is found out."
    ),
]
HeaderOption = Annotated[
    list[str] | None,
    typer.Option("--header", metavar="'NAME: VALUE'", help="A further header of its requests; repeatable."),
]
AgentOption = Annotated[str | None, typer.Option("--user-agent", metavar="TEXT", help="Ask as this program.")]
AuthOption = Annotated[
    str | None,
    typer.Option("--auth-file", metavar="FILE", help="A file of one line, user:password, for HTTP Basic."),
]
ContentOption = Annotated[
    str | None,
    typer.Option(
        "--content", metavar="feed|fetch", help="fetch: read the linked pages where the feed matches nothing."
    ),
]

LanOption = Annotated[
    bool | None,
    typer.Option("--allow-private/--no-allow-private", help="Whether it may lead into your own network."),
]

_NAMES: Final = {"url": "URL", "headers": "--header"}
_WANTED: Final = {
    "url": "write a whole http:// or https:// address, such as https://example.org/rss",
    "interval": "the shortest is 1min",
    "language": "write two letters, such as de",
    "content": "write feed or fetch",
    "id": "write small letters, digits, dots, hyphens and underscores, 80 at most, a letter or digit first",
}
_SECRET: Final = frozenset({"url", "headers", "auth_file"})  # values that are not repeated


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the options said; None: nothing, an empty text: as if it were not set."""

    outlet: str | None = None
    language: str | None = None
    interval: str | None = None
    encoding: str | None = None
    user_agent: str | None = None
    auth_file: str | None = None
    content: str | None = None
    allow_private: bool | None = None
    headers: Sequence[str] | None = None

    def feed(self, feed: FeedId, url: str) -> Feed:
        """Return a new feed with these settings; a mistake in them ends the command."""
        return _checked({"url": url, **self._told({})}, feed)

    def changed(self, feed: Feed, url: str | None) -> Feed:
        """Return the feed with these settings in place of its own; a mistake in them ends the command.

        Args:
            url: None: it stays.
        """
        before = {
            "url": feed.url,
            "outlet": feed.outlet,
            "language": feed.language,
            "interval": feed.interval,
            "encoding": feed.encoding,
            "user_agent": feed.user_agent,
            "auth_file": feed.auth_file,
            "content": "fetch" if feed.fetch_content else "feed",
            "allow_private": feed.allow_private,
            "headers": dict(feed.headers),
        }
        after = before | self._told(dict(feed.headers)) | ({"url": url} if url else {})
        return _checked(after, feed.id)

    def _told(self, headers: dict[str, str]) -> dict[str, Any]:
        """Return what the options said as the config would, headers added to those there are."""
        texts = ("outlet", "language", "interval", "encoding", "user_agent")
        told: dict[str, Any] = {
            name: getattr(self, name) or None for name in texts if getattr(self, name) is not None
        }
        if self.content is not None:
            told["content"] = self.content or "feed"
        if self.allow_private is not None:
            told["allow_private"] = self.allow_private
        if self.auth_file is not None:
            told["auth_file"] = _login_file(self.auth_file) if self.auth_file else None
        if self.headers is not None:
            told["headers"] = _with_headers(headers, self.headers)
        return told


def web_address(text: str) -> str:
    """Return the address that somebody typed, with https:// where no scheme was."""
    bare = plain_address(text)
    return bare if "://" in bare else f"https://{bare}"


def check_id(text: str) -> FeedId:
    """Return the id; one that the config would not take ends the command."""
    _checked({"url": "https://example.org/", "id": text}, FeedId(text))
    return FeedId(text)


def _checked(told: Mapping[str, Any], feed: FeedId) -> Feed:
    try:
        found = FeedConfig.model_validate({**told, "id": feed or None}).feed()
    except ValidationError as error:
        raise usage("\n".join(map(_sentence, error.errors(include_url=False)))) from error
    if found.encoding is not None:
        try:
            decode(b"<", None, found.encoding)
        except (LookupError, UnicodeError) as error:
            says = f"--encoding: nobody knows {found.encoding!r}; write one such as windows-1251 or utf-8"
            raise usage(says) from error
    return found


def _sentence(fault: Any) -> str:
    name = str(fault["loc"][0])
    option = _NAMES.get(name, f"--{name.replace('_', '-')}")
    if fault["type"] == "value_error":  # of ours, so it says what to write
        return f"{option}: {str(fault['msg']).removeprefix('Value error, ')}"
    said = _WANTED.get(name, str(fault["msg"]))
    if name in _SECRET:
        return f"{option}: {said}"
    return f"{option}: {redact_url(str(fault['input'])):.80}: {said}"


def _with_headers(headers: dict[str, str], lines: Sequence[str]) -> dict[str, str]:
    """Return the headers with those of these lines; a name without a value goes, an empty line clears all."""
    found = dict(headers)
    for line in lines:
        name, colon, value = (part.strip() for part in line.partition(":"))
        if not line.strip():
            found.clear()
        elif not colon:
            raise usage("--header: write it as 'Name: value'; 'Name:' takes one away, '' takes all away")
        else:
            for same in [known for known in found if known.lower() == name.lower()]:
                del found[same]
            if value:
                found[name] = value
    return found


def _login_file(text: str) -> str:
    """Return the file's whole path, since a daemon stands in another folder; it must be there."""
    path = str(Path(text).expanduser().resolve())
    try:
        read_login(path)
    except NoLogin as error:
        raise usage(f"--auth-file: {str(error).removeprefix('its auth_file ')}") from error
    return path
