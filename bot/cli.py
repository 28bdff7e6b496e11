"""The commands of `topicwire`. Each reads what it needs, lets the house work, and says what came of it.

Exit codes: 0 done; 1 something needs an operator; 2 wrong usage, configuration or rules; 75 another
instance runs (EX_TEMPFAIL of sysexits.h: try again later).
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Annotated, NoReturn

import typer
import uvloop
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bot import (
    __version__,
    cli_archive,
    cli_draft,
    cli_explain,
    cli_feeds,
    cli_health,
    cli_match,
    cli_rules,
    cli_stats,
    cli_stories,
)
from bot.app import SystemClock, open_house, read_setup, single_instance
from bot.config import read_config
from bot.config_models import Config
from bot.daemon import Daemon, PassReport, run_pass
from bot.demo import run_demo
from bot.errors import AlreadyRunning, ConfigInvalid, RulesInvalid, TopicwireError
from bot.logs import set_up_logs
from bot.metrics import serve
from bot.reload import start_setup
from bot.seeds import copy_starter
from bot.store import open_store

EXIT_OPERATOR, EXIT_USAGE, EXIT_BUSY = 1, 2, 75

app = typer.Typer(
    name="topicwire",
    help="News-monitoring alerts: topics in YAML, feeds in, one Telegram message a story out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: paragraphs fill the width, examples keep their lines
    context_settings={"help_option_names": ["-h", "--help"]},
)
db_app = typer.Typer(help="Care for the database.", no_args_is_help=True, rich_markup_mode=None)

out = Console()
err = Console(stderr=True)

ConfigOption = Annotated[
    Path,
    typer.Option("--config", "-c", envvar="TOPICWIRE_CONFIG", help="The configuration.", dir_okay=False),
]
DEFAULT_CONFIG = Path("config.toml")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"topicwire {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Read feeds, find the news of your topics, and tell them in Telegram: one message a story."""
    del version
    set_up_logs("warning")  # until a config says otherwise


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the new installation shall live.")],
) -> None:
    """Write a commented config.toml, starter rules and a list of feeds into DIR; nothing is overwritten."""
    for path in copy_starter(folder):
        out.print(f"  [green]+[/] {escape(str(path))}", highlight=False, soft_wrap=True)
    out.print(
        f"\nNext: give it your bot's token ({folder / 'config.toml'} tells how), then\n"
        f"  topicwire rules check {folder / 'rules'}\n"
        f"  topicwire run --config {folder / 'config.toml'}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


@app.command()
def run(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Stay up: poll feeds, send alerts, listen to Telegram. SIGTERM stops, SIGHUP reloads."""
    settings = read_config(config)
    set_up_logs(settings.log.level, settings.log.format)
    with single_instance(settings):
        uvloop.run(_run(config))


async def _run(config: Path) -> None:
    start = await start_setup(config)
    async with open_house(start.setup, console=out) as house:
        chat = None
        if house.bot:
            from bot.chat import make_chat_room  # noqa: PLC0415 - Telegram's library, for those who use it

            chat = make_chat_room(
                house.bot,
                store=house.store,
                topics=house.topics,
                clock=house.clock,
                operators=house.operators,
            )
        reread = partial(read_setup, config)
        async with serve(house.metrics, start.setup.config.metrics.listen, house.clock.now):
            await Daemon(house, reread=reread, chat=chat, refused=start.refused).run()


@app.command()
def once(
    config: ConfigOption = DEFAULT_CONFIG,
    everything: Annotated[bool, typer.Option("--all", help="Poll all feeds, due or not.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Make one pass, for cron: poll what is due, deliver what is owed, print a summary.

    Exits 1 when something needs an operator, 75 when another instance runs.
    """
    settings = read_config(config)
    set_up_logs(settings.log.level, settings.log.format)
    with single_instance(settings):
        # Machines read standard output, so messages for the console go elsewhere.
        report = uvloop.run(_once(config, everything, err if as_json else out))
    _print_pass(report, as_json)
    if report.needs_operator:
        raise typer.Exit(EXIT_OPERATOR)


async def _once(config: Path, everything: bool, console: Console) -> PassReport:
    start = await start_setup(config)
    # One pass hears all its feeds before it speaks, so there is nothing to hold a story for.
    settings = start.setup.config
    delivery = settings.delivery.model_copy(update={"hold": settings.delivery.hold * 0})
    setup = replace(start.setup, config=settings.model_copy(update={"delivery": delivery}))
    async with open_house(setup, console=console) as house:
        return await run_pass(house, everything=everything, refused=start.refused)


def _print_pass(report: PassReport, as_json: bool) -> None:
    totals = report.summary()
    if as_json:
        sick = [asdict(feed) for feed in report.sick]
        lost = [asdict(chat) for chat in report.lost_chats]
        refused = [str(problem) for problem in report.refused]
        told = {"sick_feeds": sick, "lost_chats": lost, "rules_refused": refused}
        typer.echo(json.dumps({**totals, **told, "needs_operator": report.needs_operator}))
        return
    table = Table(title="One pass", show_header=False)
    for name, value in totals.items():
        table.add_row(name.replace("_", " "), str(value))
    out.print(table)
    for problem in report.refused:
        tell(f"the last good rules were taken: {problem}")
    for feed in report.sick:
        tell(f"feed {feed.feed}: {feed.reason}: {feed.error}", "yellow")
    for chat in report.lost_chats:
        tell(f"chat {chat.telegram_id}: Telegram lets the bot not write there; add it, and give it the right")
    if report.dead:
        tell(f"{report.dead} deliveries were refused for good; the log says why")


def tell(sentence: str, style: str = "red") -> None:
    """Say something to whoever runs this: on standard error, one line, nothing in it taken for markup."""
    err.print(sentence, style=style, markup=False, highlight=False, soft_wrap=True)


@app.command()
def demo(
    data_dir: Annotated[
        Path,
        typer.Option(help="Its memory; a second run with it tells nothing twice."),
    ] = Path("demo-data"),
) -> None:
    """Show all of it in a minute: sample feeds polled, matched, grouped, told. No token, no network."""
    set_up_logs("warning", "auto")
    with single_instance(Config(data_dir=data_dir)):
        asyncio.run(run_demo(data_dir, out))


@db_app.command("upgrade")
def db_upgrade(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Bring the database's tables up to date. `run` and `once` do so by themselves."""
    settings = read_config(config)
    with single_instance(settings):
        changed = asyncio.run(_upgrade(settings))
    typer.echo("brought up to date" if changed else "already up to date")


async def _upgrade(config: Config) -> bool:
    store, changed = await open_store(config.database_url, SystemClock(), config.store.busy_timeout)
    await store.close()
    return changed


app.add_typer(cli_rules.app, name="rules")
app.add_typer(cli_feeds.app, name="feeds")
app.add_typer(db_app, name="db")
cli_rules.app.command("backtest")(cli_archive.backtest_command)
cli_rules.app.command("draft")(cli_draft.draft_command)
cli_rules.app.command("fmt")(cli_draft.fmt_command)
cli_rules.app.command("stats")(cli_stats.stats_command)
cli_rules.app.command("explain")(cli_explain.explain_command)
app.command("health")(cli_health.health_command)
app.command("match")(cli_match.match_command)
app.command("stories")(cli_stories.stories_command)


def main() -> NoReturn:
    """Run the command line; mistakes of operators end in a sentence, not in a traceback."""
    try:
        app(standalone_mode=True)
    except (ConfigInvalid, RulesInvalid) as error:
        for problem in error.problems:
            tell(str(problem))
        sys.exit(EXIT_USAGE)
    except AlreadyRunning as error:
        tell(str(error))
        sys.exit(EXIT_BUSY)
    except TopicwireError as error:
        tell(str(error))
        sys.exit(EXIT_OPERATOR)
    sys.exit(0)


if __name__ == "__main__":
    main()
