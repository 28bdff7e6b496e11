"""When the rule files may have changed: told by the file system, and seen by looking each second.

Looking catches what the file system does not tell: changes on network drives and in some containers, and a
folder that was replaced as a whole, as Kubernetes does it with the `..data` link of a ConfigMap.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from pathlib import Path

import structlog
from watchfiles import awatch
from watchfiles._rust_notify import WatchfilesRustInternalError  # it has no public name

from bot.rules.reading import rule_files

log = structlog.get_logger()

LOOK_EVERY_S = 1.0
QUIET_MS = 100  # without a further change, before files count as written
LONGEST_MS = 1000  # to wait for that

Signs = tuple[object, ...]


async def maybe_changed(
    folder: Callable[[], Path], stop: asyncio.Event, *, is_notified: bool = True
) -> AsyncGenerator[None, None]:
    """Yield whenever the folder's rule files may have changed, and once soon after the start.

    Args:
        folder: Says where the rules are; it may be a link, be replaced, or not be there for a while.
        is_notified: False: look each second, and ask the file system for no word.
    """
    seen: Signs | None = None
    while not stop.is_set():
        place = folder()
        watched = await asyncio.to_thread(_identity, place)
        try:
            async with aclosing(_wakes(place, stop, is_notified=is_notified and watched != ())) as wakes:
                async for is_told in wakes:
                    signs = await asyncio.to_thread(_signs, place)
                    if is_told or signs != seen:
                        seen = signs
                        yield
                    if folder() != place or await asyncio.to_thread(_identity, place) != watched:
                        break
        except FileNotFoundError:  # it went away between two looks
            continue
        except (OSError, WatchfilesRustInternalError) as error:
            log.warning("rules are looked at each second; the system tells no changes", error=str(error))
            is_notified = False


async def _wakes(folder: Path, stop: asyncio.Event, *, is_notified: bool) -> AsyncGenerator[bool, None]:
    """Yield True where the file system told of a change, and False each second otherwise."""
    if is_notified:
        notes = awatch(
            # The folder itself, and what holds it: for a link that is turned elsewhere.
            *dict.fromkeys((await asyncio.to_thread(folder.resolve), folder.parent)),
            watch_filter=lambda _, path: _is_ours(path, folder),
            debounce=LONGEST_MS,
            step=QUIET_MS,
            rust_timeout=int(LOOK_EVERY_S * 1000),
            yield_on_timeout=True,
            recursive=False,
            stop_event=stop,
        )
        async with aclosing(notes):
            async for changes in notes:
                yield bool(changes)
    while not stop.is_set():
        yield False
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), LOOK_EVERY_S)


def _is_ours(path: str, folder: Path) -> bool:
    """True: the change may be one of rules; the editors' own files, and other folders, are not."""
    name = Path(path).name
    return name in {folder.name, "..data"} or (
        name.lower().endswith((".yaml", ".yml")) and not name.startswith(".")
    )


def _identity(folder: Path) -> Signs:
    """Return what tells a folder from one that took its place; empty: it is not there."""
    try:
        found = folder.stat()
    except OSError:
        return ()
    return found.st_dev, found.st_ino


def _signs(folder: Path) -> Signs:
    """Return what changes when a rule file does; what cannot be seen is left out."""
    signs: list[object] = [_identity(folder)]
    with suppress(OSError):
        for path in rule_files(folder):
            with suppress(OSError):
                found = path.stat()
                signs.append((path.name, found.st_ino, found.st_size, found.st_mtime_ns))
    return tuple(signs)
