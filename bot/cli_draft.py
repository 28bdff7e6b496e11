"""`topicwire rules draft` and `topicwire rules fmt`: rule files proposed, and rule files laid out."""

from __future__ import annotations

import asyncio
import difflib
import os
import shutil
import tempfile
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bot.app import SystemClock
from bot.articles import read_articles
from bot.cli_shared import (
    DEFAULT_CONFIG,
    DEFAULT_FOLDER,
    OK,
    UNREADABLE,
    WRONG,
    ConfigOption,
    JsonOption,
    count,
    json_text,
    mistakes_told,
    stop,
)
from bot.config import read_config
from bot.config_models import Config
from bot.drafting import Draft, DraftImpossible, draft
from bot.errors import FetchError, Problem, RulesInvalid
from bot.model import Item
from bot.rules.formatting import Formatted, format_file
from bot.rules.models import LANGUAGES
from bot.rules.reading import rule_files
from bot.store import open_beside

MOST_ARCHIVED: Final = 20_000  # of the latest stored titles, to choose near misses from
ARCHIVE_AGE: Final = timedelta(days=30)

# ---- draft -------------------------------------------------------------------------------------


def draft_command(
    articles: Annotated[
        list[str], typer.Argument(metavar="ARTICLE…", help="Files (.html, .txt, .md) or http(s) URLs.")
    ],
    *,
    titles: Annotated[
        list[str] | None,
        typer.Option("--topic", metavar="TITLE", help="Propose this topic only; may be repeated."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", dir_okay=False, help="Write the draft there."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    language: Annotated[
        str | None, typer.Option("--lang", metavar="xx", help="The articles' language; else it is found out.")
    ] = None,
    most: Annotated[int, typer.Option("--most", min=1, max=100, help="Topics at most.")] = 12,
    private: Annotated[
        bool, typer.Option("--allow-private", help="URLs may lead into your own network.")
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Propose topics, with tests, from articles that you want to hear more like.

    People's names and key phrases are told by comparing the articles with how often their language uses each
    word. Near misses come from the archive of the config (--config, else ./config.toml), where there is one.

    Exits 1 when nothing can be proposed or the file is there already, 2 when an article cannot be read.
    """
    if language is not None and language not in LANGUAGES:
        raise stop(f"--lang {language}: no language; write an ISO 639-1 code such as en")
    if not all(title.strip() for title in titles or ()):
        raise stop("--topic: the title is empty; write one")
    if out is not None and out.exists() and not force:
        raise stop(f"{out} is there already; name another file, or overwrite it with --force", WRONG)
    with mistakes_told():
        items = asyncio.run(_read_all(articles, private))
        archive = asyncio.run(_stored_titles(config))
    try:
        found = draft(items, language=language, titles=titles or (), archive=archive, most=most)
    except DraftImpossible as error:
        raise stop(str(error), WRONG) from error
    if out is not None:
        _write(out, found.yaml)
    if as_json:
        typer.echo(json_text(_draft_json(found, out)))
    elif out is None:
        typer.echo(found.yaml, nl=False)
    typer.echo(_summary(found, out, titles or ()), err=True)


async def _read_all(places: Sequence[str], private: bool) -> list[tuple[str, Item]]:
    """Return the articles with their names; one that cannot be read ends the command once all were tried."""
    items, errors = [], []
    with _progress("reading", len(places)) as progress:
        task = progress.add_task("articles", total=len(places))
        async for place, answer in read_articles(places, allow_private=private):
            progress.advance(task)
            if isinstance(answer, FetchError):
                errors.append(str(answer))
            else:
                items.append((place, answer))
    if errors:
        raise stop("\n".join(errors))
    return items


def _progress(what: str, total: int) -> Progress:
    """Return a progress bar on standard error; none is seen for a single thing, or without a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=total < 2 or not console.is_terminal)


async def _stored_titles(config: Path | None) -> list[str]:
    """Return the latest titles of the archive; none where no config is named and none stands here."""
    if config is None and not DEFAULT_CONFIG.is_file():
        return []
    settings = read_config(config or DEFAULT_CONFIG)
    if config is None and not settings.database_file.exists():
        return []
    return await _titles(settings)


async def _titles(config: Config) -> list[str]:
    store = await open_beside(config.database_url, SystemClock(), config.store.busy_timeout)
    try:
        since = SystemClock().now() - ARCHIVE_AGE
        titles = deque([stored.item.title async for stored in store.archive(since)], MOST_ARCHIVED)
    finally:
        await store.close()
    return list(titles)


def _draft_json(found: Draft, out: Path | None) -> dict[str, object]:
    return {
        "yaml": found.yaml,
        "file": str(out) if out else None,
        "languages": found.languages,
        "topics": [
            {
                "id": topic.slug,
                "title": topic.title,
                "score": round(topic.score, 2),
                "terms": [
                    {"term": term.text, "language": term.language, "why": term.why}
                    for term in topic.terms
                    if not term.is_aside
                ],
            }
            for topic in found.topics
        ],
    }


def _summary(found: Draft, out: Path | None, titles: Sequence[str]) -> str:
    told = f"{count(len(found.topics), 'topic')} drafted{f' into {out}' if out else ''}"
    missing = [title for title in titles if title not in {topic.title for topic in found.topics}]
    if missing:
        told += f"; nothing in the articles for {', '.join(map(repr, missing))}"
    return told


# ---- fmt ---------------------------------------------------------------------------------------


def fmt_command(
    places: Annotated[
        list[Path] | None, typer.Argument(metavar="[DIR|FILE]…", help="Rule files, or folders of them.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 if a file would change.")
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Write nothing; show what would change.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Lay rule files out in the one canonical way. What they say, and their comments, stay.

    Keys come in the order of the documentation, indented by two; lists and maps in brackets stay so while
    they fit into 120 columns. A file whose meaning would change is refused.

    Exits 0 when all is done, 1 with --check when a file would change, 2 when a file cannot be read.
    """
    found, problems = _formatted(places or [DEFAULT_FOLDER])
    changed = [one for one in found if one.is_changed]
    if diff:
        for one in changed:
            typer.echo(_diff(one), nl=False)
    for one in changed if not (check or diff) else ():
        _write(one.path, one.after)
    if as_json:
        told = {"changed": [str(one.path) for one in changed], "files": len(found)}
        typer.echo(json_text({**told, "errors": [str(problem) for problem in problems]}))
    else:
        verb = "would change" if check or diff else "laid out"
        for one in changed:
            typer.echo(f"{one.path} {verb}", err=True)
        for problem in problems:
            typer.echo(str(problem), err=True)
        typer.echo(f"{count(len(found), 'file')}, {len(changed)} {verb}", err=True)
    raise typer.Exit(UNREADABLE if problems else WRONG if check and changed else OK)


def _formatted(places: Iterable[Path]) -> tuple[list[Formatted], list[Problem]]:
    found: list[Formatted] = []
    problems: list[Problem] = []
    for path in _files(places, problems):
        try:
            found.append(format_file(path))
        except RulesInvalid as error:
            problems += error.problems
    return found, problems


def _files(places: Iterable[Path], problems: list[Problem]) -> list[Path]:
    """Return the rule files that are named, each once; what is none is among the problems."""
    files: list[Path] = []
    for place in places:
        try:
            files += rule_files(place) if place.is_dir() else [place]
        except OSError as error:
            message = f"the folder cannot be read: {error.strerror}"
            problems.append(Problem(file=str(place), code="E000", message=message))
    return list(dict.fromkeys(files))


def _diff(one: Formatted) -> str:
    before, after = one.before.splitlines(keepends=True), one.after.splitlines(keepends=True)
    lines = difflib.unified_diff(before, after, f"{one.path}", f"{one.path} laid out")
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


# ---- shared ------------------------------------------------------------------------------------


def _write(path: Path, text: str) -> None:
    """Write the file in one step, with the rights it had; a link stays a link."""
    target = path.resolve()
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
            if target.exists():
                shutil.copymode(target, name)
            else:
                Path(name).chmod(0o644)
            Path(name).replace(target)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise stop(f"{path}: cannot be written: {error.strerror}") from error
