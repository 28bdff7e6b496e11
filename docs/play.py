"""Plays tutorial.md: writes its files, runs its commands, and puts what they print behind them.

`python docs/play.py` writes the page anew; a test compares.
"""

from __future__ import annotations

import os
import re
import shlex
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from typer.testing import CliRunner

from bot.cli import app

PAGE: Final = Path(__file__).parent / "tutorial.md"
_BLOCK: Final = re.compile(r"<!-- file: (\S+) -->\n```yaml\n(.*?)```\n|```console\n(.*?)```\n", re.DOTALL)


def played(page: str, folder: Path) -> str:
    """Return the page with what its commands print today.

    Args:
        folder: An empty one, in which the files are written and the commands run.
    """
    with _inside(folder):
        return _BLOCK.sub(_play, page)


def _play(found: re.Match[str]) -> str:
    name, text, console = found.groups()
    if name:
        Path(name).write_text(text, encoding="utf-8")
        return found[0]
    commands = [line for line in console.splitlines() if line.startswith("$ ")]
    return "```console\n" + "".join(f"{line}\n{_run(line[2:])}" for line in commands) + "```\n"


def _run(command: str) -> str:
    """Return what a command prints, without spaces at the ends of lines."""
    program, *words = shlex.split(command)
    if program == "mkdir":
        Path(words[-1]).mkdir()
        return ""
    if program != "topicwire":
        raise ValueError(f"the tutorial runs {program}")
    result = CliRunner().invoke(app, words, env={"COLUMNS": "100", "TERM": "dumb"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return "".join(f"{line.rstrip()}\n" for line in result.output.splitlines())


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as empty:
        PAGE.write_text(played(PAGE.read_text(encoding="utf-8"), Path(empty)), encoding="utf-8")
