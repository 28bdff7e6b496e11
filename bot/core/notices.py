"""What operators are told of the installation itself, rendered and escaped by means of typeset.py."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from bot.core.render import Texts
from bot.core.typeset import Marked, bold, clean, code, fill, join, text
from bot.errors import Problem
from bot.model import Message

MAX_PROBLEMS = 5
MAX_PLACE = 100
MAX_PROBLEM = 400
WELL = ""  # the state of a subject of which there is nothing to tell


def problems_state(problems: Sequence[Problem]) -> str:
    """Return a fingerprint of the problems, the same in whatever order; WELL for none."""
    if not problems:
        return WELL
    said = "\n".join(sorted({str(problem) for problem in problems}))
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def rules_message(problems: Sequence[Problem], texts: Texts) -> Message:
    """Return the word on how the rules fare: refused for these problems, or, without any, good again."""
    if not problems:
        good = text(texts.gettext("The rules are good again and in force."))
        return Message(html=f"✅ {good.html}", plain=f"✅ {good.plain}")
    heading = text(texts.gettext("The rules are refused; the last good ones stay in force"))
    lines = [_line(problem) for problem in problems[:MAX_PROBLEMS]]
    more = len(problems) - len(lines)
    if more:
        template = texts.ngettext("and {count} more mistake", "and {count} more mistakes", more)
        lines.append(fill(template, count=text(texts.number(more))))
    body = join("\n\n", [join(" ", (text("⚠️"), bold(heading))), *lines])
    return Message(html=body.html, plain=body.plain)


def _line(problem: Problem) -> Marked:
    """Return `file:line:col CODE message`, of the file its name alone: all lie in one folder."""
    name = problem.file.rpartition("/")[2]
    place = ":".join([name, *(str(number) for number in (problem.line, problem.col) if number)])
    said = clean(" ".join(filter(None, (problem.code, problem.message))), MAX_PROBLEM)
    return join(" ", (code(text(clean(place, MAX_PLACE))), text(said)))
