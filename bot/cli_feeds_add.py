"""`topicwire feeds add`: from an address that somebody names to a feed that is polled."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from bot.app import poll_policies
from bot.cli_feeds_asking import discovered
from bot.cli_feeds_first import Answered, answered, first_poll_beside, keep_first, usable_rules
from bot.cli_feeds_settings import (
    AgentOption,
    AuthOption,
    ContentOption,
    EncodingOption,
    HeaderOption,
    IntervalOption,
    LanguageOption,
    OutletOption,
    Settings,
    check_id,
    web_address,
)
from bot.cli_feeds_shared import (
    Desk,
    KnownFeed,
    YesOption,
    a_console,
    feed_json,
    free_id,
    open_desk,
    same_url,
    say,
    usage,
    why_next,
)
from bot.cli_shared import WRONG, ConfigOption, JsonOption, count, json_text, mistakes_told, stop
from bot.core.identity import redact_url
from bot.core.pollwords import span_words, time_words
from bot.core.schedule import after_success
from bot.feeds.discover import Discovery, FoundFeed, Via
from bot.model import Feed, FeedId, PollState
from bot.rules import RuleSet

_VIA: Mapping[Via, str] = {
    Via.ITSELF: "the address itself",
    Via.LINK: "named by the page",
    Via.ANCHOR: "linked on the page",
    Via.GUESS: "where feeds often are",
}


def add_command(
    url: Annotated[str, typer.Argument(metavar="URL", help="A feed's address, or that of a web page.")],
    *,
    feed_id: Annotated[
        str | None, typer.Option("--id", metavar="ID", help="What it is called; else made of its address.")
    ] = None,
    outlet: OutletOption = None,
    language: LanguageOption = None,
    interval: IntervalOption = None,
    encoding: EncodingOption = None,
    headers: HeaderOption = None,
    user_agent: AgentOption = None,
    auth_file: AuthOption = None,
    content: ContentOption = None,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="It may lead into your own network.")
    ] = False,
    pick: Annotated[
        int | None,
        typer.Option(
            "--pick", metavar="N", min=1, help="Of several feeds found, take the one of that number."
        ),
    ] = None,
    yes: YesOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a feed. The address of a web page will do: the feeds that the page names are looked for.

    The address is asked once, politely; what answers must be a feed. What it holds now is remembered and told
    to nobody; what comes later is news. A running Topicwire takes the feed up within seconds.

    Exits 0 when it is added; 1 when it is known already, or no feed is there; 2 when an option or the config
    is wrong, or when the page names several feeds and none is picked: then they are listed.

    \b
    topicwire feeds add https://www.tagesschau.de/
    topicwire feeds add https://example.org/news --pick 2 --language en --interval 10min
    topicwire feeds add http://192.168.1.5/rss --allow-private --auth-file ~/intranet.auth
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
    asked = settings.feed(check_id(feed_id) if feed_id else FeedId(""), web_address(url))
    with mistakes_told(WRONG):
        asyncio.run(_add(asked, config, pick, yes, as_json))


async def _add(asked: Feed, config: Path | None, pick: int | None, yes: bool, as_json: bool) -> None:
    async with open_desk(config) as desk:
        known = await desk.known()
        _stop_if_known(asked, known)
        result = await discovered(desk, asked)
        number, found = _chosen(result, asked, pick, yes, as_json, desk.now)
        feed = replace(found.feed, id=asked.id or free_id(found.feed.url, known))
        _stop_if_known(feed, known)
    async with open_desk(config, to_write=True) as desk:
        unkept = await _added(desk, answered(feed, found.answer, found.parsed))
        _tell(desk, (await desk.known())[feed.id], number, found, unkept, as_json)


async def _added(desk: Desk, one: Answered) -> str | None:
    """Add a feed, and make what it answered its first poll; return why that could not be kept."""
    feed, rules = one.feed, await usable_rules(desk, [one.feed.id])
    is_usable = isinstance(rules, RuleSet)
    first = first_poll_beside(desk.now) if is_usable else desk.now
    if not await desk.store.add_feed(feed, first, desk.now):
        raise stop(f"{feed.id}: somebody gave a feed this id meanwhile; write another with --id", WRONG)
    if not isinstance(rules, RuleSet):
        return f"the rules cannot be used: {rules}"
    report = (await keep_first(desk, rules, [one])).get(feed.id)
    return "a running Topicwire polls it already" if report is None else report.error


def _stop_if_known(feed: Feed, known: Mapping[FeedId, KnownFeed]) -> None:
    """End the command where the feed is known; say as what, and where it is written."""
    if (same := same_url(feed.url, known.values())) is not None:
        url = redact_url(feed.url)
        raise stop(f"{url} is known already: {same.feed.id} ({same.where}; {same.state})", WRONG)
    if feed.id in known:
        other = known[feed.id]
        says = f"--id {feed.id} is taken: {redact_url(other.feed.url)} ({other.where}); write another"
        raise stop(says, WRONG)


def _chosen(
    result: Discovery, asked: Feed, pick: int | None, yes: bool, as_json: bool, now: datetime
) -> tuple[int, FoundFeed]:
    """Return the number of the feed that is meant, and it; where that is not clear, end with the list."""
    found = result.found
    if not found:
        tried = "\n".join(f"  {error}" for error in result.failed)
        url = redact_url(asked.url)
        raise stop(f"{url} is a web page, and no feed is to be found there; tried:\n{tried}", WRONG)
    is_clear = len(found) == 1
    if not (is_clear and as_json):
        a_console(stderr=as_json).print(_table(found, now))
    for error in result.in_vain:
        say(f"the page declares a feed in vain: {error}")
    if pick is None and is_clear:
        if found[0].via is not Via.ITSELF and not yes and not as_json and is_asked():
            typer.confirm("Add it", default=True, abort=True, err=True)
        return 1, found[0]
    if pick is None and (as_json or not is_asked()):
        _list_for_machines(found, as_json)
        raise usage(f"{len(found)} feeds found; name one with --pick N")
    number = pick or int(typer.prompt("Which one", default=1, type=int, err=True))
    if not 1 <= number <= len(found):
        raise usage(f"{number} is none of them; only {count(len(found), 'feed')} found")
    return number, found[number - 1]


def is_asked() -> bool:
    """True: somebody sits there who can answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _list_for_machines(found: Sequence[FoundFeed], as_json: bool) -> None:
    if as_json:
        typer.echo(json_text({"found": [_found_json(number, one) for number, one in enumerate(found, 1)]}))


def _found_json(number: int, one: FoundFeed) -> dict[str, Any]:
    return {
        "number": number,
        "url": redact_url(one.feed.url),
        "title": one.title,
        "kind": one.look.kind,
        "items": len(one.parsed.items),
        "newest": one.newest.isoformat() if one.newest else None,
        "via": one.via.value,
    }


def _table(found: Sequence[FoundFeed], now: datetime) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("#", justify="right")
    for heading in ("title", "address", "kind"):
        table.add_column(heading)
    table.add_column("items", justify="right")
    for heading in ("newest", "found"):
        table.add_column(heading, no_wrap=True)
    for number, one in enumerate(found, start=1):
        table.add_row(
            str(number),
            Text(one.title or "-"),
            Text(redact_url(one.feed.url), overflow="fold"),
            one.look.kind,
            f"{len(one.parsed.items)}",
            time_words(one.newest, now) if one.newest else "no dates",
            _VIA[one.via],
        )
    return table


def _tell(
    desk: Desk, added: KnownFeed, number: int, found: FoundFeed, unkept: str | None, as_json: bool
) -> None:
    """Say what was added, and how it will be polled.

    Args:
        unkept: Why its items are not yet remembered; None: they are.
    """
    policy = poll_policies(desk.config).polls
    now = desk.now
    then = after_success(
        found.feed, PollState(), found.answer, None, found.parsed, None, now=now, dice=0.5, policy=policy
    )
    wait = then.next_poll_at - now
    items = len(found.parsed.items)
    if as_json:
        told = {**feed_json(added), "found": _found_json(number, found)}
        polled = {"every_s": round(wait.total_seconds()), "why": then.why.value}
        remembered = items if unkept is None else None
        typer.echo(json_text({**told, "will_be_polled": polled, "remembered": remembered}))
    else:
        say(f"added as {added.feed.id}")
        say(f"It will be polled every {span_words(wait)} or so: {why_next(then.why, then.state)}.")
        say("A running Topicwire takes it up within seconds; else the next `run` or `once` does.")
    if unkept is None and not as_json:
        say(_remembered(items))
    elif unkept is not None:
        cure = "what it holds at its first poll is told to nobody"
        say(f"Nothing is remembered yet, since {unkept}; {cure}.")


def _remembered(items: int) -> str:
    if items == 0:
        return "It holds no item now; what comes from now on is news."
    verb = "is" if items == 1 else "are"
    says = f"The {count(items, 'item')} of now {verb} remembered and told to nobody"
    return f"{says}; what comes from now on is news."
