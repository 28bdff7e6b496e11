"""Which header fields an operator may add to a feed's requests."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")  # RFC 9110, section 5.6.2
_LONGEST_VALUE: Final = 4000
_OURS: Final = frozenset(
    {
        *("host", "content-length", "content-encoding", "content-type", "accept-encoding", "user-agent"),
        *("connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect", "via"),
        *("if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range", "range"),
        "authorization",
    }
)
_CURES: Final = {
    "authorization": "use auth_file",
    "user-agent": "use user_agent",
}


def header_problem(name: str, value: str) -> str | None:
    """Return what is wrong with a further header of a feed, and the cure; None: it may be sent.

    Those that steer the connection, the conditions, the encoding and the log-in are ours to set.
    """
    if not _NAME.fullmatch(name):
        return f"{name[:40]!r} is no name of a header; use letters, digits and hyphens"
    plain = name.lower()
    if plain in _OURS or plain.startswith("proxy-"):
        return f"the header {name} is set by Topicwire itself; {_CURES.get(plain, 'leave it out')}"
    return value_problem(f"the header {name}", value)


def value_problem(what: str, value: str) -> str | None:
    """Return what is wrong with a header's value, and the cure; None: it may be sent."""
    if not value.isprintable() or value != value.strip():
        return f"{what} has a value with line breaks or blanks around it; give one line of plain text"
    if len(value) > _LONGEST_VALUE:
        return f"{what} is longer than {_LONGEST_VALUE} characters; shorten it"
    return None


@lru_cache(maxsize=1024)
def headers_problem(headers: tuple[tuple[str, str], ...], user_agent: str | None) -> str | None:
    """Return the first problem of a feed's headers and user agent; None: all may be sent."""
    problems = [header_problem(name, value) for name, value in headers]
    problems.append(value_problem("user_agent", user_agent or ""))
    return next((problem for problem in problems if problem), None)
