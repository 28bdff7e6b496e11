"""Where a key stands in a TOML file: tomllib tells values, not lines."""

from __future__ import annotations

import re
from collections.abc import Sequence


def line_of(lines: Sequence[str], loc: Sequence[int | str]) -> int:
    """Return the 1-based line on which a key of a TOML file stands; 0: not in the file.

    Understands tables, arrays of tables and plain keys: all that a config of ours needs.
    """
    names = [part for part in loc if isinstance(part, str)]
    nth = next((part for part in loc if isinstance(part, int)), 0)
    table, seen, best = "", -1, 0
    for number, line in enumerate(lines, start=1):
        if header := re.match(r"\s*\[\[?\s*([\w.\-]+)\s*\]\]?", line):
            table = header[1]
            seen += table == names[0] if names else 0
            if names and table == names[0] and seen == nth:
                best = number
        elif key := re.match(r"\s*([\w\-.\"]+)\s*=", line):
            keys = key[1].replace('"', "").split(".")
            path = [*table.split("."), *keys] if table else keys
            in_place = len(names) < 2 or not table or seen == nth
            if path == names[: len(path)] and in_place:
                return number
    return best
