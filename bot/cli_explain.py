"""`topicwire rules explain`: why a text belongs to a topic, or why not."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from bot.app import SystemClock
from bot.articles import article_item
from bot.cli_shared import (
    DEFAULT_CONFIG,
    DEFAULT_FOLDER,
    ConfigOption,
    JsonOption,
    RulesOption,
    TopicArgument,
    json_text,
    mistakes_told,
    stop,
    stop_if_unknown,
    tested_rules,
)
from bot.config import read_config
from bot.config_models import Config
from bot.core.explain import Explanation, NearMiss
from bot.core.finder import field_texts
from bot.core.match import DOUBT
from bot.errors import FetchError
from bot.feeds.pages import is_url
from bot.model import FeedId, Item, ItemId, TermMatch, TopicId
from bot.rules import check
from bot.store import open_beside

AROUND = 40  # characters shown before and behind what was found


def explain_command(
    topic: TopicArgument = None,
    *,
    text: Annotated[str | None, typer.Option("--text", help="The title; without it, stdin is read.")] = None,
    summary: Annotated[str, typer.Option("--summary", help="The summary.")] = "",
    language: Annotated[str | None, typer.Option("--lang", help="The item's language, e.g. en.")] = None,
    url: Annotated[str | None, typer.Option("--link", help="The item's address, for `sources`.")] = None,
    number: Annotated[
        int | None, typer.Option("--item", metavar="ID", min=1, max=2**63 - 1, help="An item of the store.")
    ] = None,
    page: Annotated[
        str | None, typer.Option("--url", metavar="URL", help="Fetch this page; its article is the text.")
    ] = None,
    private: Annotated[
        bool, typer.Option("--allow-private", help="The URL may lead into your own network.")
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    rules: RulesOption = DEFAULT_FOLDER,
) -> None:
    """Show which terms a text has, where, what it scores, and why a topic does not match.

    The text is --text with its companions, or standard input, or with --item what the store of the config
    (--config, else ./config.toml) keeps under that number, or with --url the article of a web page. Where a
    term was almost found, the cutoff that it failed by is told.

    Exits 0 when there is an answer, whatever it is; 1 when the rules have errors (failing tests are none
    here); 2 when there is no such topic or item, or something cannot be read.

    \b
    topicwire rules explain --text "Rare earths are getting rarer"
    topicwire rules explain rare-earths --item 1234
    """
    report = check(rules)
    live = tested_rules(report)
    stop_if_unknown(topic, live.topics)
    if number is not None:
        with mistakes_told():
            item = _stored_item(ItemId(number), read_config(config or DEFAULT_CONFIG))
    elif page is not None:
        item = _fetched_item(page, private)
    else:
        title = text if text is not None else sys.stdin.read().strip()
        item = Item(feed_id=FeedId(""), title=title, summary=summary, language=language, url=url)
    explanations = live.explain(item, TopicId(topic) if topic else None)
    if as_json:
        typer.echo(json_text([_explanation_json(one) for one in explanations]))
        return
    console = Console(highlight=False)
    for one in explanations:
        _show_explanation(console, one, field_texts(item))


def _stored_item(number: ItemId, config: Config) -> Item:
    """Return an item of the store; nothing is written there, and a running Topicwire is not disturbed."""
    item = asyncio.run(_read_item(number, config))
    if item is None:
        raise stop(f"{config.database_file} has no item {number}")
    return item


def _fetched_item(url: str, private: bool) -> Item:
    """Return the article of a web page: its title, lead and main text."""
    if not is_url(url):
        raise stop(f"--url {url}: no web address; it must begin with http:// or https://")
    try:
        return article_item(url, allow_private=private)
    except FetchError as error:
        raise stop(str(error)) from error


async def _read_item(number: ItemId, config: Config) -> Item | None:
    store = await open_beside(config.database_url, SystemClock(), config.store.busy_timeout)
    try:
        return await store.item(number)
    finally:
        await store.close()


def _explanation_json(explanation: Explanation) -> dict[str, Any]:
    said = asdict(explanation)
    return {**said, "matched": explanation.matched, "reached": sorted(explanation.reached)}


# ---- for people --------------------------------------------------------------------------------


def _show_explanation(console: Console, explanation: Explanation, texts: dict[str, str]) -> None:
    verdict = Text(f"{explanation.topic}: {explanation.why}")
    verdict.stylize("bold green" if explanation.matched else "bold")
    console.print(verdict)
    _show_score(console, explanation)
    kinds = (
        ("found", explanation.terms, "underline green"),
        ("covered up by ignore", explanation.covered, "underline dim"),
        ("ignore", explanation.ignored, "underline yellow"),
        ("unless", explanation.unless, "underline red"),
    )
    for label, terms, style in kinds:
        for term in terms:
            said = f"  {label}: {term.term}, score {term.score:.1f}, in {term.field}"
            console.print(Text(said), soft_wrap=True)
            _show_span(console, texts[term.field], term, style)
    for miss in explanation.near_misses:
        said = f"  near miss: {miss.term}: {_plain(miss.text)!r} in {miss.field}: {miss.reason}"
        console.print(Text(said), soft_wrap=True)
        _show_span(console, texts[miss.field], miss, "underline magenta")


def _show_score(console: Console, explanation: Explanation) -> None:
    """Print the score with its arithmetic."""
    formula = f" = 100 · (1 - {DOUBT}^{explanation.evidence:.3f})" if explanation.shares else ""
    said = f"  score {explanation.score:.1f}{formula}, min_score {explanation.min_score:g}"
    console.print(Text(said), soft_wrap=True)
    for share in explanation.shares:
        factor = f" · {share.field} {share.field_factor:g}" if share.field_factor != 1 else ""
        product = f"weight {share.weight:g} · similarity {share.similarity:g}/100{factor}"
        console.print(Text(f"    {share.counts:.3f} = {product}: {share.term}"), soft_wrap=True)


def _show_span(console: Console, text: str, found: TermMatch | NearMiss, style: str) -> None:
    """Print the text around the span, underlined; without a terminal, with a line of ~ below."""
    start, end = max(0, found.start - AROUND), min(len(text), found.end + AROUND)
    before, inside, behind = map(
        _plain, (text[start : found.start], text[found.start : found.end], text[found.end : end])
    )
    line = Text.assemble("    ", before, (inside, style), behind)
    console.print(line, soft_wrap=True)
    if not console.is_terminal:
        console.print(Text(" " * (4 + cell_len(before)) + "~" * cell_len(inside)), soft_wrap=True)


def _plain(text: str) -> str:
    """Return the text with a space for whatever is no sign: line ends, commands to the terminal."""
    return "".join(char if char.isprintable() else " " for char in text)
