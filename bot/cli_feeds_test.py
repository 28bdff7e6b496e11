"""`topicwire feeds test`: a poll of one feed as it would be, told step by step; nothing is written."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.cli_feeds_asking import cure_for, open_rooms, stop_if_at_rest
from bot.cli_feeds_settings import (
    ContentOption,
    EncodingOption,
    HeaderOption,
    LanOption,
    Settings,
    web_address,
)
from bot.cli_feeds_shared import Desk, a_console, named_feed, open_desk, say
from bot.cli_shared import OK, WRONG, ConfigOption, JsonOption, count, json_text, mistakes_told, stop
from bot.core.fulltext import wants_page
from bot.core.identity import redact_url
from bot.core.pollwords import size_words, span_words, time_words
from bot.errors import FetchError
from bot.feeds.look import WEB_PAGE, Look, look_at
from bot.jsonlines import shown as printable
from bot.jsonlines import until_nobody_reads
from bot.model import Feed, FeedId, Fetched, Item, Match, ParsedFeed, PollState
from bot.rules import RuleSet, check

SHOWN_TITLE = 100  # characters of a title for people
SHOWN_PAGES = 5  # addresses of linked pages, for people


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What one poll would bring."""

    feed: Feed
    answer: Fetched
    look: Look | None  # None: the bytes cannot be decoded as the settings say
    parsed: ParsedFeed | None  # None: what came is no feed
    matches: (
        tuple[tuple[Item, tuple[Match, ...]], ...] | None
    )  # of those that match; None: no rules to match with
    pages: tuple[Item, ...]  # whose linked pages would be read, were they news
    problems: tuple[str, ...]  # what is wrong, for people
    now: datetime


def test_command(
    feed: Annotated[str, typer.Argument(metavar="URL|ID", help="A feed's address, or the id of one.")],
    *,
    encoding: EncodingOption = None,
    headers: HeaderOption = None,
    content: ContentOption = None,
    allow_private: LanOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Try one poll of a feed: what is asked and answered, how it is decoded, what is in it, what matches.

    The feed is asked once, as a whole, with its settings; the options try others. It is matched with the
    rules of the config. Nothing is written, and no running Topicwire hears of it.

    Exits 0 when a feed answered and could be matched; 1 when it did not answer, is no feed, or the rules
    have errors; 2 when there is no such feed, or an option is wrong.

    \b
    topicwire feeds test https://example.org/rss
    topicwire feeds test tagesschau --encoding windows-1252
    """
    settings = Settings(encoding=encoding, headers=headers, content=content, allow_private=allow_private)
    with mistakes_told(WRONG):
        trial = asyncio.run(_trial(feed, settings, config))
    with until_nobody_reads():
        if as_json:
            typer.echo(json_text(_json(trial)))
        else:
            _print(trial, a_console())
    for problem in trial.problems:
        say(problem)
    raise typer.Exit(WRONG if trial.problems else OK)


async def _trial(text: str, settings: Settings, config: Path | None) -> Trial:
    async with open_desk(config) as desk:
        feed = await _named(text, settings, desk)
        await stop_if_at_rest(desk, feed)
        with a_console(stderr=True).status(f"asking {redact_url(feed.url)}"):
            async with open_rooms(desk.config) as (fetcher, parser):
                try:
                    answer = await fetcher.fetch(feed, PollState())
                except FetchError as error:
                    raise stop(_as_asked(error), WRONG) from error
                if not isinstance(answer, Fetched):
                    raise stop(f"{redact_url(feed.url)} answered 304 to a first question", WRONG)
                now, problems = desk.now, []
                parsed: ParsedFeed | None = None
                try:
                    parsed = await parser.parse(feed, answer, now)
                except FetchError as error:
                    problems.append(f"{error}{_page_cure(answer)}")
        matches: tuple[tuple[Item, tuple[Match, ...]], ...] | None = None
        pages: tuple[Item, ...] = ()
        if parsed is not None:
            rules = _rules(desk.config.rules_dir, problems)
            if rules is not None:
                matches = _matched(rules, parsed.items)
                pages = _pages(rules, feed, parsed.items, matches)
        return Trial(
            feed=feed,
            answer=answer,
            look=_look(feed, answer),
            parsed=parsed,
            matches=matches,
            pages=pages,
            problems=tuple(problems),
            now=now,
        )


def _as_asked(error: FetchError) -> str:
    """Return what is wrong; of a pause that a server asks for, that a trial does not keep it."""
    if error.host is None or error.retry_after is None:
        return f"{error}{cure_for(error)}"
    url, wait = redact_url(error.feed_url), span_words(error.retry_after)
    asks = f"{error.host} asks to be left in peace for {wait}"
    return f"{url} answered {error.status}: {asks}; a trial keeps nothing of that"


async def _named(text: str, settings: Settings, desk: Desk) -> Feed:
    """Return the feed of that id or address, with the settings to try in place of its own."""
    known = await desk.known()
    is_known = any(one.startswith(text) for one in known)
    if "://" in text or (not is_known and "." in text):
        url = web_address(text)
        asked = settings.feed(FeedId(""), url)
        same = next((one.feed for one in known.values() if one.feed.url == asked.url), None)
        return asked if same is None else settings.changed(same, None)
    return settings.changed(named_feed(text, known).feed, None)


def _page_cure(answer: Fetched) -> str:
    is_page = look_at(answer.body, answer.content_type).kind == WEB_PAGE
    return "; `topicwire feeds add` looks for the feeds that a page names" if is_page else ""


def _look(feed: Feed, answer: Fetched) -> Look | None:
    try:
        return look_at(answer.body, answer.content_type, feed.encoding)
    except (LookupError, UnicodeError):
        return None


def _rules(folder: Path, problems: list[str]) -> RuleSet | None:
    report = check(folder)
    if report.trial is None:
        problems.append(f"nothing was matched: {report.problems[0]}; see `topicwire rules check`")
    return report.trial


def _matched(rules: RuleSet, items: Sequence[Item]) -> tuple[tuple[Item, tuple[Match, ...]], ...]:
    found = ((item, rules.match(item)) for item in items)
    return tuple((item, matches) for item, matches in found if matches)


def _pages(
    rules: RuleSet, feed: Feed, items: Sequence[Item], matches: Sequence[tuple[Item, tuple[Match, ...]]]
) -> tuple[Item, ...]:
    """Return the items whose linked pages would be read for what they do not match by themselves."""
    topics = {id(item): {match.topic for match in found} for item, found in matches}
    return tuple(
        item
        for item in items
        if wants_page(
            item,
            feed_fetches=feed.fetch_content,
            matched=topics.get(id(item), frozenset()),
            fetching=rules.page_topics(item),
        )
    )


# ---- for people --------------------------------------------------------------------------------


def _print(trial: Trial, console: Console) -> None:
    facts = Table(show_header=False, box=None, pad_edge=False)
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    for name, value in (*_asked(trial), *_read(trial)):
        facts.add_row(name, Text(value))
    console.print(facts)
    if trial.matches:
        console.print()
        console.print(_match_table(trial.matches))


def _asked(trial: Trial) -> Iterator[tuple[str, str]]:
    answer = trial.answer
    yield "asked", redact_url(trial.feed.url)
    yield "status", str(answer.status)
    if answer.moved_to:
        yield "moved for good to", redact_url(answer.moved_to)
    if answer.final_url != trial.feed.url:
        yield "came from", redact_url(answer.final_url)
    sent = f" ({size_words(answer.received)} as sent)" if 0 < answer.received != len(answer.body) else ""
    yield "bytes", f"{size_words(len(answer.body))}{sent}"
    yield "type", printable(answer.content_type or "none told")
    yield "ETag", answer.etag or "none"
    yield "Last-Modified", answer.last_modified or "none"
    if answer.max_age:
        yield "fresh for", span_words(answer.max_age)


def _read(trial: Trial) -> Iterator[tuple[str, str]]:
    look, parsed = trial.look, trial.parsed
    if look is not None:
        yield "encoding", f"{look.encoding}: {look.why}"
        yield "kind", look.kind
    if parsed is None:
        return
    yield "title", parsed.title or "none"
    yield "language", parsed.language or "none told"
    left_out = f", {parsed.left_out} over the limit left out" if parsed.left_out else ""
    yield "items", f"{len(parsed.items)}{left_out}"
    dates = sorted(item.published_at for item in parsed.items if item.published_at)
    if dates:
        newest, oldest = time_words(dates[-1], trial.now), time_words(dates[0], trial.now)
        yield "dates", f"newest {newest}, oldest {oldest}, {len(parsed.items) - len(dates)} without"
    elif parsed.items:
        yield "dates", "none"
    if parsed.wait:
        yield "it asks to wait", span_words(parsed.wait)
    if trial.matches is not None:
        yield "matches", f"{count(len(trial.matches), 'item')} of {len(parsed.items)}"
    if trial.pages:
        yield "linked pages", f"{len(trial.pages)} of {len(parsed.items)} would be read, were they news:"
        for item in trial.pages[:SHOWN_PAGES]:
            yield "", redact_url(item.url or "")
        if len(trial.pages) > SHOWN_PAGES:
            yield "", f"and {len(trial.pages) - SHOWN_PAGES} more"


def _match_table(found: Sequence[tuple[Item, tuple[Match, ...]]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("topic", no_wrap=True)
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("item", overflow="fold")
    table.add_column("because of", overflow="fold")
    for item, matches in found:
        for match in matches:
            terms = ", ".join(dict.fromkeys(term.term for term in match.terms))
            title = (item.title or item.lead)[:SHOWN_TITLE]
            table.add_row(match.topic, f"{match.score:.0f}", Text(title), Text(terms))
    return table


# ---- for machines ------------------------------------------------------------------------------


def _json(trial: Trial) -> dict[str, Any]:
    answer, look, parsed = trial.answer, trial.look, trial.parsed
    return {
        "id": trial.feed.id or None,
        "url": redact_url(trial.feed.url),
        "status": answer.status,
        "final_url": redact_url(answer.final_url),
        "moved_to": redact_url(answer.moved_to) if answer.moved_to else None,
        "etag": answer.etag,
        "last_modified": answer.last_modified,
        "max_age_s": answer.max_age.total_seconds() if answer.max_age else None,
        "bytes": len(answer.body),
        "bytes_sent": answer.received or None,
        "content_type": answer.content_type,
        "encoding": look.encoding if look else None,
        "encoding_why": look.why if look else None,
        "kind": look.kind if look else None,
        "title": parsed.title if parsed else None,
        "language": parsed.language if parsed else None,
        "wait_s": parsed.wait.total_seconds() if parsed else None,
        "left_out": parsed.left_out if parsed else None,
        "items": [_item_json(item, trial) for item in parsed.items] if parsed else None,
        "problems": list(trial.problems),
    }


def _item_json(item: Item, trial: Trial) -> dict[str, Any]:
    matches = next((some for one, some in trial.matches or () if one is item), ())
    return {
        "title": item.title,
        "url": item.url,
        "guid": item.guid,
        "published": item.published_at.isoformat() if item.published_at else None,
        "matches": [_match_json(match) for match in matches],
        "would_read_page": any(one is item for one in trial.pages),
    }


def _match_json(match: Match) -> dict[str, Any]:
    terms = [
        {"term": one.term, "field": one.field, "text": one.text, "score": round(one.score, 1)}
        for one in match.terms
    ]
    return {"topic": match.topic, "score": round(match.score, 1), "terms": terms}
