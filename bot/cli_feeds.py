"""`topicwire feeds`: the commands that add, list, change, pause and remove what is polled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli_feeds_add import add_command, is_asked
from bot.cli_feeds_lists import export_command, import_command
from bot.cli_feeds_settings import (
    AgentOption,
    AuthOption,
    ContentOption,
    EncodingOption,
    HeaderOption,
    IntervalOption,
    LanguageOption,
    LanOption,
    OutletOption,
    Settings,
    web_address,
)
from bot.cli_feeds_shared import (
    Desk,
    IdArgument,
    KnownFeed,
    YesOption,
    feed_json,
    gone_meanwhile,
    named_feed,
    open_desk,
    refuse_config_feed,
    same_url,
    say,
    usage,
)
from bot.cli_feeds_show import list_command, show_command
from bot.cli_feeds_test import test_command
from bot.cli_shared import WRONG, ConfigOption, JsonOption, json_text, mistakes_told, stop
from bot.core.identity import redact_url
from bot.model import Feed, FeedId, PauseReason
from bot.rules.building import places_naming
from bot.rules.reading import read_source, rule_files

app = typer.Typer(
    help="Say what is polled. A running Topicwire takes every change up within seconds.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command("add")(add_command)
app.command("list")(list_command)
app.command("show")(show_command)
app.command("test")(test_command)


@app.command("edit")
def edit_command(
    feed: IdArgument,
    *,
    url: Annotated[str | None, typer.Option("--url", metavar="URL", help="Its new address.")] = None,
    outlet: OutletOption = None,
    language: LanguageOption = None,
    interval: IntervalOption = None,
    encoding: EncodingOption = None,
    headers: HeaderOption = None,
    user_agent: AgentOption = None,
    auth_file: AuthOption = None,
    content: ContentOption = None,
    allow_private: LanOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change a feed that was added by command; what is not named stays.

    An empty value takes a setting away: --interval ''. --header 'Name: value' adds or replaces one header,
    'Name:' takes it away, '' takes all away. With another address, encoding, header, agent or log-in the
    whole feed is read again at once; what it is known to have shown is told to nobody again.

    Exits 0 when done; 1 when the feed is the config's, which says in which file to change it; 2 when there
    is no such feed, or an option is wrong.

    \b
    topicwire feeds edit tagesschau --interval 10min --outlet Tagesschau
    topicwire feeds edit intranet --header 'X-Key: abc' --encoding ''
    """
    settings = Settings(
        outlet=outlet,
        language=language,
        interval=interval,
        encoding=encoding,
        headers=headers,
        user_agent=user_agent,
        auth_file=auth_file,
        content=content,
        allow_private=allow_private,
    )
    if settings == Settings() and url is None:
        raise usage("nothing to change; name a setting, such as --interval 10min")

    async def change(desk: Desk, one: KnownFeed, known: dict[FeedId, KnownFeed]) -> bool:
        if one.is_of_config:
            raise refuse_config_feed(one, "change")
        after = settings.changed(one.feed, web_address(url) if url else None)
        _stop_if_elsewhere(after, known)
        return await desk.store.edit_feed(after, desk.now)

    _changed(feed, config, as_json, change, "changed")


def _stop_if_elsewhere(after: Feed, known: dict[FeedId, KnownFeed]) -> None:
    others = [one for one in known.values() if one.feed.id != after.id]
    if (same := same_url(after.url, others)) is not None:
        raise stop(f"--url {redact_url(after.url)} is known already: {same.feed.id} ({same.where})", WRONG)


@app.command("pause")
def pause_command(feed: IdArgument, *, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Poll a feed no more, wherever it is written, until `feeds resume`.

    Exits 0 when done, 1 when nothing has read the feed yet, 2 when there is no such feed.
    """

    async def change(desk: Desk, one: KnownFeed, known: dict[FeedId, KnownFeed]) -> bool:
        _stop_if_waiting(one, "paused")
        return await desk.store.pause_feed(one.feed.id, PauseReason.OPERATOR)

    _changed(feed, config, as_json, change, "paused")


@app.command("resume")
def resume_command(feed: IdArgument, *, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Poll a feed again, at the next tick or pass: whatever it failed at so far is forgotten.

    Exits 0 when done, 1 when nothing has read the feed yet, 2 when there is no such feed.
    """

    async def change(desk: Desk, one: KnownFeed, known: dict[FeedId, KnownFeed]) -> bool:
        _stop_if_waiting(one, "resumed")
        pauses = await desk.store.host_pauses(desk.now)
        if until := pauses.get(one.status.host):
            when = f"{until:%Y-%m-%d %H:%M} UTC"
            say(f"{one.status.host} asked to be left in peace until {when}; so long the feed waits")
        return await desk.store.resume_feed(one.feed.id, desk.now)

    _changed(
        feed,
        config,
        as_json,
        change,
        "resumed; the next tick of a running Topicwire polls it, or the next `once`",
    )


def _stop_if_waiting(one: KnownFeed, verb: str) -> None:
    if not one.is_taken_up:
        says = f"{one.feed.id} ({one.place}) waits for the next start or reload; after that it can be {verb}"
        raise stop(says, WRONG)


@app.command("remove")
def remove_command(
    feed: IdArgument, *, yes: YesOption = False, config: ConfigOption = None, as_json: JsonOption = False
) -> None:
    """Remove a feed that was added by command. Its items stay, so that adding it again tells nothing old.

    Exits 0 when done; 1 when the feed is the config's, which says in which file it stands, or when rules
    name it in `sources`; 2 when there is no such feed, or nobody is there to be asked and --yes is missing.

    \b
    topicwire feeds remove intranet --yes
    """

    async def change(desk: Desk, one: KnownFeed, known: dict[FeedId, KnownFeed]) -> bool:
        if one.is_of_config:
            raise refuse_config_feed(one, "remove")
        _stop_if_ruled(one.feed.id, desk.config.rules_dir)
        if not yes and not is_asked():
            raise usage(f"nobody is there to ask; to remove {one.feed.id}, say so with --yes")
        if not yes:
            typer.confirm(f"Remove {one.feed.id} ({redact_url(one.feed.url)})", abort=True, err=True)
        return await desk.store.remove_feed(one.feed.id)

    _changed(feed, config, as_json, change, "removed; its items stay")


def _stop_if_ruled(feed: FeedId, rules_dir: Path) -> None:
    """End the command where rules name the feed: without it they would be refused, or hold for nothing."""
    try:
        sources = [read_source(path) for path in rule_files(rules_dir)]
    except OSError:  # no rules, so none names the feed; whoever needs them says so
        return
    if named := places_naming(feed, sources):
        places = "\n".join(f"  {place}" for place in named)
        raise stop(f"rules name {feed} in `sources`; take it out there first:\n{places}", WRONG)


_Change = Callable[[Desk, KnownFeed, dict[FeedId, KnownFeed]], Coroutine[Any, Any, bool]]


def _changed(text: str, config: Path | None, as_json: bool, change: _Change, done: str) -> None:
    """Change a feed, and say so."""
    with mistakes_told(WRONG):
        after = asyncio.run(_change(text, config, change))
    if as_json:
        typer.echo(json_text(after))
    else:
        say(f"{after['id']}: {done}")


async def _change(text: str, config: Path | None, change: _Change) -> dict[str, Any]:
    async with open_desk(config) as desk:
        known = await desk.known()
        one = named_feed(text, known)
        if not await change(desk, one, known):
            raise gone_meanwhile(one.feed.id)
        now_known = await desk.known()
        return feed_json(now_known[one.feed.id]) if one.feed.id in now_known else {"id": one.feed.id}


app.command("import")(import_command)
app.command("export")(export_command)
