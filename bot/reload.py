"""Reloading: what operators edit is checked beside the house's work, swapped in whole, or refused aloud."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog

from bot.app import House, Setup, SystemClock, read_lists, read_rules_of
from bot.config_models import Config
from bot.core.notices import problems_state, rules_message
from bot.errors import ConfigInvalid, Problem, RulesInvalid, StoreError
from bot.i18n import texts
from bot.model import Address
from bot.ports import Notice
from bot.rules import RuleSet, check_texts
from bot.rules.reading import rule_files
from bot.store import open_store

log = structlog.get_logger()

T = TypeVar("T")

SUBJECT = "rules"
REFUSED = "reload refused; the last good set keeps running"


# ---- the start --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What the house starts with."""

    setup: Setup
    refused: tuple[Problem, ...] = ()  # why the rules are the last good ones, and not those of the folder


async def start_setup(config_path: Path) -> Start:
    """Return the setup; where the rule files are wrong, with the last good rules instead.

    The caller holds `single_instance`.

    Raises:
        ConfigInvalid: The config or the feed list is wrong.
        RulesInvalid: A rule file is wrong, and no good set was ever kept.
        StoreError: A rule file is wrong, and the database cannot be used.
    """
    config, feeds = read_lists(config_path)
    try:
        return Start(setup=read_rules_of(config, feeds, config_path))
    except (RulesInvalid, ConfigInvalid) as error:  # of the config, now: a chat that follows no topic
        rules = await _last_good_rules(config)
        if rules is None:
            raise
        return Start(setup=Setup(config, rules, feeds, config_path), refused=error.problems)


async def _last_good_rules(config: Config) -> RuleSet | None:
    """Return the rule set that was last in force; None: there never was one, or it can no longer be read.

    Its inline tests are not asked: they passed, and a newer version of ours is no reason not to start.
    """
    if not config.database_file.exists():
        return None
    store, _ = await open_store(config.database_url, SystemClock(), config.store.busy_timeout)
    try:
        kept = await store.kept_rules()
    finally:
        await store.close()
    if kept is None:
        return None
    report = await beside(partial(check_texts, kept.files))
    rules = report.rules or report.trial
    if rules is None:
        problems = [str(problem) for problem in report.problems]
        log.error(
            "the last good rules cannot be read either", since=kept.since.isoformat(), problems=problems
        )
    return rules


async def tell_of_rules(house: House, refused: Sequence[Problem]) -> None:
    """Owe the operators a word on how the rules fare, each in their language, where it is news to them.

    Raises:
        StoreError: Nothing could be written.
    """
    now, state = house.clock.now(), problems_state(refused)
    for operator in sorted(house.operators()):
        chat = await house.store.chat(Address(telegram_id=operator))
        message = rules_message(refused, texts(chat.language if chat else ""))
        notice = Notice(telegram_id=operator, subject=SUBJECT, state=state, message=message)
        await house.store.owe_notice(notice, now)


async def begin(house: House, refused: Sequence[Problem]) -> None:
    """Say in the log and to the operators with which rules the house starts.

    Raises:
        StoreError: Nothing could be written.
    """
    if refused:
        problems = [str(problem) for problem in refused]
        log.error("the rules are wrong; started with the last good ones", problems=problems)
    await tell_of_rules(house, refused)


# ---- while it runs ----------------------------------------------------------------------------


class Reloader:
    """Swaps in what operators edited, one reload at a time."""

    def __init__(self, house: House, reread: Callable[[], Setup], refused: Sequence[Problem] = ()) -> None:
        self._house = house
        self._reread = reread
        self._refused = tuple(refused)  # what keeps the folder's rules out of force
        self._seen: Mapping[str, str] | None = None if refused else house.setup.rules.texts
        self._turn = asyncio.Lock()

    async def reload(self) -> None:
        """Read config, feed list and rules again, because somebody asked for it.

        Raises:
            StoreError: Nothing was swapped.
        """
        async with self._turn:
            self._seen = None
            if setup := await self._read(self._reread, is_asked=True):
                await self._swap(setup)
                log.info("reloaded", feeds=len(setup.feeds), topics=len(setup.rules.topics))

    async def reload_rules(self) -> None:
        """Read the rules again, if a file says something else than last time.

        Raises:
            StoreError: Nothing was swapped.
        """
        async with self._turn:
            setup = self._house.setup
            found = await beside(partial(_texts, setup.config.rules_dir))
            if found == self._seen:
                return
            # What changes while it is being read is seen by the next look, since this one came before.
            self._seen = found
            read = partial(read_rules_of, setup.config, setup.feeds, setup.file, setup.rules)
            try:
                if fresh := await self._read(read, is_asked=False):
                    await self._swap(fresh)
            except StoreError:
                self._seen = None
                raise

    async def _read(self, read: Callable[[], Setup], *, is_asked: bool) -> Setup | None:
        """Return the setup; None: it is wrong, and that was said."""
        try:
            return await beside(read)
        except (ConfigInvalid, RulesInvalid) as error:
            if is_asked or problems_state(error.problems) != problems_state(self._refused):
                log.error(REFUSED, problems=[str(problem) for problem in error.problems])
            self._refused = error.problems
            await tell_of_rules(self._house, self._refused)
            return None

    async def _swap(self, setup: Setup) -> None:
        before = self._house.setup.rules
        await self._house.reload(setup)
        was_refused, self._refused = bool(self._refused), ()
        await tell_of_rules(self._house, ())
        changed = changed_topics(before, setup.rules)
        if was_refused:
            log.info("rules are good again", rules_hash=setup.rules.rules_hash)
        if any(changed.values()):
            log.info("rules reloaded", **changed, rules_hash=setup.rules.rules_hash)


def changed_topics(before: RuleSet, after: RuleSet) -> dict[str, list[str]]:
    """Return the ids of the topics that were added, removed and changed; layout and tests do not count."""
    old, new = _definitions(before), _definitions(after)
    return {
        "added": [topic for topic in new if topic not in old],
        "removed": [topic for topic in old if topic not in new],
        "changed": [topic for topic in new if topic in old and old[topic] != new[topic]],
    }


def _definitions(rules: RuleSet) -> dict[str, object]:
    return {str(rule.id): (rule, rules.topics[rule.id]) for rule in rules.matcher.rules}


def _texts(folder: Path) -> dict[str, str]:
    """Return what the rule files say, near enough to see that it is something else; unreadable: nothing."""
    found = {}
    with suppress(OSError):
        for path in rule_files(folder):
            found[str(path)] = ""
            with suppress(OSError):
                if path.is_file():
                    found[str(path)] = path.read_bytes().decode("utf-8-sig", "replace")
    return found


async def beside(work: Callable[[], T]) -> T:
    """Return what the work returns; the event loop goes on meanwhile, and no stop waits for its end.

    (The loop's own threads are joined at the end of a program, and a large rule set takes seconds.)
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(settling: Callable[[], None]) -> None:
        if not done.done():  # cancelled meanwhile
            settling()

    def run() -> None:
        try:
            settling = partial(done.set_result, work())
        except Exception as error:  # noqa: BLE001  # whatever it is, it is raised where the result is awaited
            settling = partial(done.set_exception, error)
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, settling)

    threading.Thread(target=run, name="reload", daemon=True).start()
    return await done
