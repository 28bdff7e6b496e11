"""Changed rules in a running house: swapped whole or refused aloud, and no old news told by them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.app import Setup, read_rules_of
from bot.config_models import TelegramConfig
from bot.core.match import Matcher
from bot.daemon import PassReport
from bot.errors import RulesInvalid
from bot.model import Address, ChatKind, Item, Match
from bot.reload import Reloader, beside, changed_topics, start_setup
from bot.rules import RuleSet
from bot.sender import SendReport
from tests.botapi import BotApi, Silent
from tests.clock import FakeClock
from tests.flow.household import (
    ADA,
    RULES,
    Household,
    a_setup,
    an_entry,
    open_household,
    some_rules,
    world,
)

OLGA, OTTO = 71, 72  # operators

COAL = """
  - id: coal
    title: Coal
    match: {en: [coal mine]}
"""
BROKEN = RULES + "  - id: coal\n    titel: Coal\n    match: {en: [coal mine]}\n"


class Place:
    """A household with a folder of rules, and who reloads them."""

    def __init__(self, home: Household, folder: Path) -> None:
        self.home = home
        self.file = folder / "rules.yaml"
        self.reloader = Reloader(home.house, self.reread)

    def reread(self) -> Setup:
        """Return the setup with the rules as the folder has them."""
        setup = self.home.house.setup
        return read_rules_of(setup.config, setup.feeds, setup.file)

    async def write(self, text: str) -> None:
        """Let the rules say this, and be taken up."""
        self.file.write_text(text)
        await self.reloader.reload_rules()

    async def deliver(self) -> SendReport:
        """Send what is owed."""
        return await self.home.house.sender.deliver_due()

    def told(self, operator: int) -> list[str]:
        """Return what an operator was sent."""
        return [message.text for message in self.home.api.in_chat(operator)]


async def edit(home: Household, title: str) -> PassReport:
    """Let the herald's feed show an item of a former poll in other words."""
    home.replace(an_entry(title, guid="tag:edited", link="https://news.example/edited"))
    return await home.pass_by()


async def show(home: Household, title: str) -> PassReport:
    """Let the herald's feed show an item that `edit` will edit."""
    return await home.hear(an_entry(title, guid="tag:edited", link="https://news.example/edited"))


def with_operators(setup: Setup, folder: Path, operators: Sequence[int]) -> Setup:
    telegram = TelegramConfig(**{**dict(setup.config.telegram), "operators": tuple(operators)})
    config = setup.config.model_copy(update={"rules_dir": folder, "telegram": telegram})
    return replace(setup, config=config)


@asynccontextmanager
async def a_place(tmp_path: Path) -> AsyncIterator[Place]:
    folder = tmp_path / "rules"
    async with world() as (feeds, api):
        setup = a_setup(feeds, api, tmp_path, some_rules(folder))
        setup = with_operators(setup, folder, (OLGA,))
        async with open_household(setup, feeds, api, FakeClock()) as home:
            for outlet in ("herald", "post", "globe"):
                home.publish(an_entry(f"Old news of the {outlet}"), outlet=outlet)
            await home.pass_by()
            yield Place(home, folder)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with a_place(tmp_path) as place:
        yield place


# ---- what a changed topic tells ---------------------------------------------------------------


async def test_a_new_topic_tells_news_from_then_on(place: Place) -> None:
    await place.write(RULES + COAL)

    await place.home.hear(an_entry("Fire in a coal mine"))

    [message] = place.home.sent
    assert "Coal" in message.text


async def test_a_new_topic_says_nothing_of_an_old_item_that_is_edited(place: Place) -> None:
    await show(place.home, "Fire in a coal mine")
    await place.write(RULES + COAL)

    report = await edit(place.home, "Fire in a coal mine is out")

    assert (report.summary()["matched"], place.home.sent) == (1, [])


async def test_a_changed_topic_says_nothing_of_an_old_item_that_is_edited(place: Place) -> None:
    await show(place.home, "Tanker with gas arrives")
    await place.write(RULES.replace("[oil price, oil tanker]", "[oil price, oil tanker, tanker]"))

    await edit(place.home, "Tanker with gas has arrived")

    assert place.home.sent == []


async def test_what_was_kept_quietly_stays_quiet_when_it_is_edited_again(place: Place) -> None:
    await show(place.home, "Fire in a coal mine")
    await place.write(RULES + COAL)
    await edit(place.home, "Fire in a coal mine is out")

    await edit(place.home, "Fire in a coal mine is out, says brigade")

    assert place.home.sent == []


async def test_an_edit_that_makes_an_item_match_is_told(place: Place) -> None:
    await show(place.home, "Fire at the harbour")

    await edit(place.home, "Fire at the harbour: oil tanker burns")

    assert len(place.home.sent) == 1


async def test_an_edit_that_makes_an_item_match_is_told_although_the_topic_is_new(place: Place) -> None:
    await show(place.home, "Fire in the valley")
    await place.write(RULES + COAL)

    await edit(place.home, "Fire in the valley: coal mine closed")

    [message] = place.home.sent
    assert "Coal" in message.text


async def test_of_two_topics_only_the_one_that_the_edit_brought_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    async with world() as (feeds, api):
        chats = {ADA: ("gas", "oil"), OTTO: ("coal",)}
        first = some_rules(folder, RULES + COAL.replace("coal mine", "lignite"))
        setup = a_setup(feeds, api, tmp_path, first, chats=chats)
        async with open_household(with_operators(setup, folder, ()), feeds, api, FakeClock()) as home:
            place = Place(home, folder)
            home.publish(an_entry("Old news"))
            await home.pass_by()
            await show(home, "Fire in a coal mine")
            await place.write(RULES + COAL)

            await edit(home, "Fire in a coal mine near a gas pipeline")

            assert [message.chat_id for message in home.sent] == [ADA]
            assert "Coal" not in home.sent[0].text


async def test_a_quiet_match_does_not_draw_later_reports_to_its_topic(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    async with world() as (feeds, api):
        chats = {ADA: ("gas",), OTTO: ("coal",)}
        first = some_rules(folder, RULES + COAL.replace("coal mine", "lignite"))
        setup = a_setup(feeds, api, tmp_path, first, chats=chats)
        async with open_household(with_operators(setup, folder, ()), feeds, api, FakeClock()) as home:
            place = Place(home, folder)
            for outlet in ("herald", "post"):
                home.publish(an_entry("Old news"), outlet=outlet)
            await home.pass_by()
            await show(home, "Gas pipeline burns beside Ronda coal mine")
            await place.write(RULES + COAL)
            await edit(home, "Gas pipeline burned beside Ronda coal mine")

            await home.hear(an_entry("Gas pipeline burns beside Ronda mine"), outlet="post")

            assert [message.chat_id for message in home.sent] == [ADA]
            assert "Post" in home.sent[0].text


# ---- refused and mended -----------------------------------------------------------------------


async def test_wrong_rules_are_told_to_the_operators_once_with_place_and_code(place: Place) -> None:
    with capture_logs() as logs:
        await place.write(BROKEN)
    await place.deliver()
    await place.write(BROKEN + "# the same, saved again\n")
    await place.deliver()

    [message] = place.told(OLGA)
    line = BROKEN.splitlines().index("    titel: Coal") + 1
    assert f"rules.yaml:{line}:5 E010 unknown key" in message
    assert "did you mean" in message
    assert place.told(ADA) == []
    assert set(place.home.house.topics()) == {"gas", "oil"}
    assert [log["event"] for log in logs if log["log_level"] == "error"] == [
        "reload refused; the last good set keeps running"
    ]


async def test_other_mistakes_are_told_again_and_so_is_their_end(place: Place) -> None:
    await place.write(BROKEN)
    await place.deliver()
    await place.write(BROKEN.replace("titel", "title").replace("coal mine", "coal ***"))
    place.home.clock.advance(timedelta(seconds=2))
    await place.deliver()
    await place.write(RULES + COAL)
    place.home.clock.advance(timedelta(seconds=2))
    await place.deliver()
    await place.write(RULES)
    place.home.clock.advance(timedelta(seconds=2))
    await place.deliver()

    first, second, third = place.told(OLGA)
    assert first != second
    assert third == "✅ The rules are good again and in force."


async def test_what_is_mended_before_it_was_told_is_not_told_at_all(place: Place) -> None:
    await place.write(BROKEN)
    await place.write(RULES)
    await place.deliver()

    assert place.told(OLGA) == []


async def test_many_mistakes_are_counted(place: Place) -> None:
    wrong = "".join(f"  - id: t{n}\n    title: T\n    match: [{{regex: '('}}]\n" for n in range(9))
    await place.write(RULES + wrong)
    await place.deliver()

    [message] = place.told(OLGA)
    assert message.count("E032") == 5
    assert message.endswith("and 4 more mistakes")


async def test_an_operator_is_told_in_the_language_of_their_chat(place: Place) -> None:
    house = place.home.house
    await house.store.register_chat(
        Address(telegram_id=OLGA), kind=ChatKind.PRIVATE, title="Olga", language="de", now=house.clock.now()
    )
    await place.write(BROKEN)
    await place.deliver()

    [message] = place.told(OLGA)
    assert "Die Regeln sind fehlerhaft" in message


async def test_an_operator_who_said_stop_is_left_in_peace(place: Place) -> None:
    house, now = place.home.house, place.home.clock.now()
    chat = await house.store.register_chat(
        Address(telegram_id=OLGA), kind=ChatKind.PRIVATE, title="Olga", language="en", now=now
    )
    await house.store.stop_chat(chat.id, now)
    await place.write(BROKEN)
    await place.deliver()

    assert place.told(OLGA) == []


async def test_a_notice_that_got_no_answer_is_sent_again(place: Place) -> None:
    place.home.api.fail(OLGA, Silent(), times=1)
    await place.write(BROKEN)
    await place.deliver()
    assert await place.home.house.sender.next_due() is not None

    place.home.clock.advance(timedelta(minutes=1))
    await place.deliver()

    assert place.told(OLGA)
    assert await place.home.house.sender.next_due() is None


async def test_what_changed_is_logged_by_topic(place: Place) -> None:
    with capture_logs() as logs:
        await place.write(RULES.replace("id: gas", "id: lng").replace("level: high", "level: low") + COAL)

    [line] = [log for log in logs if log["event"] == "rules reloaded"]
    assert (line["added"], line["removed"], line["changed"]) == (["lng", "coal"], ["gas"], ["oil"])


async def test_layout_and_comments_change_no_topic(place: Place) -> None:
    before = place.home.house.setup.rules

    await place.write(
        "# a comment\n" + RULES.replace("[gas price, gas pipeline]", "[ gas price, gas pipeline ]")
    )

    after = place.home.house.setup.rules
    assert after is not before
    assert changed_topics(before, after) == {"added": [], "removed": [], "changed": []}


LISTED = """
version: 1
lists: {mines: [coal mine]}
topics:
  - id: coal
    title: Coal
    match: {use: mines}
    tests: {match: [Fire in a coal mine], no_match: [Fire in a lignite mine]}
  - id: gas
    title: Gas
    match: {en: [gas price]}
    tests: {match: [Gas price rises]}
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("lists: {mines: [coal mine]}", "lists: {mines: [lignite mine]}"),
        ("match: {use: mines}", "match: {en: [coal pit]}"),
        ("match: [Fire in a coal mine]", "match: [Fire in a pit]"),
        ("no_match: [Fire in a lignite mine]", "no_match: [Fire in the coal mine]"),
        ("tests: {match: [Gas price rises]}", "tests: {match: [{title: Gas price, by: gas}]}"),
    ],
    ids=["its list", "its terms", "its tests", "its near misses", "a term that must do it"],
)
async def test_a_topic_that_passed_is_tested_again_when_anything_of_it_changed(
    place: Place, old: str, new: str
) -> None:
    await place.write(LISTED)
    assert set(place.home.house.topics()) == {"coal", "gas"}

    await place.write(LISTED.replace(old, new))
    await place.deliver()

    assert "E040" in place.told(OLGA)[0]


async def test_files_that_say_the_same_are_not_read_again(place: Place) -> None:
    before = place.home.house.setup.rules

    await place.write(RULES)

    assert place.home.house.setup.rules is before


async def test_a_topic_that_a_chat_of_the_config_follows_cannot_go(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    async with world() as (feeds, api):
        setup = a_setup(feeds, api, tmp_path, some_rules(folder), chats={ADA: ("oil",)})
        async with open_household(with_operators(setup, folder, (OLGA,)), feeds, api, FakeClock()) as home:
            place = Place(home, folder)
            await place.write(RULES.replace("id: oil", "id: crude"))
            await place.deliver()

            assert "oil" in home.house.topics()
            assert "no rule file has such a topic" in place.told(OLGA)[0]


# ---- the swap ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class HaltingRules(RuleSet):
    """Stands still in the middle of the first item, until it is let go."""

    started: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)

    def match(self, item: Item) -> tuple[Match, ...]:
        """Return what the item matches, once the test says so."""
        self.started.set()
        assert self.go_on.wait(30)
        return RuleSet.match(self, item)


def halting(rules: RuleSet) -> HaltingRules:
    matcher: Matcher = rules.matcher
    return HaltingRules(topics=rules.topics, rules_hash=rules.rules_hash, matcher=matcher, texts=rules.texts)


async def test_a_match_in_flight_finishes_with_the_old_rules_and_the_next_has_the_new(place: Place) -> None:
    house = place.home.house
    old = halting(house.setup.rules)
    house.setup = replace(house.setup, rules=old)
    place.home.publish(an_entry("Gas price rises in Ystad"), an_entry("Oil tanker stranded off Lisbon"))
    place.file.write_text(RULES.replace("gas price, ", "").replace("[Gas price rises]", "[Gas pipeline]"))
    place.home.clock.advance(timedelta(minutes=10))

    polling = asyncio.create_task(
        house.poller.poll_feeds(
            await house.store.claim_feeds(
                house.clock.now(), timedelta(minutes=2), 1, unpolled_since=house.clock.now()
            )
        )
    )
    await asyncio.to_thread(old.started.wait, 30)
    # The database is the poll's until it ends, so what a swap writes waits; the swap itself does not.
    house.setup = await beside(place.reread)
    old.go_on.set()
    [report] = await polling

    assert (report.new, report.matched, report.alerts) == (2, 2, 2)
    later = await place.home.hear(an_entry("Gas price rises in Malmö"))
    assert later.summary()["matched"] == 0


# ---- the start --------------------------------------------------------------------------------


def write_config(folder: Path, api: BotApi) -> Path:
    config = folder / "config.toml"
    config.write_text(
        f'feeds_file = ""\n[telegram]\ntoken = "{api.token}"\nbase_url = "{api.base_url}"\n'
        f'operators = [{OLGA}]\n[[feeds]]\nid = "herald"\nurl = "https://herald.example/rss"\n'
    )
    return config


async def test_a_start_with_wrong_rules_takes_the_last_good_ones(tmp_path: Path) -> None:
    async with world() as (feeds, api):
        config = write_config(tmp_path, api)
        (tmp_path / "data").mkdir()
        some_rules(tmp_path / "rules", RULES + COAL)
        good = await start_setup(config)
        async with open_household(good.setup, feeds, api, FakeClock()):
            pass
        (tmp_path / "rules" / "rules.yaml").write_text(BROKEN)

        start = await start_setup(config)

        assert good.refused == ()
        assert list(start.setup.rules.topics) == ["gas", "oil", "coal"]
        assert start.setup.rules.rules_hash == good.setup.rules.rules_hash
        assert "E010" in {problem.code for problem in start.refused}


async def test_a_start_with_no_rules_at_all_takes_the_last_good_ones(tmp_path: Path) -> None:
    async with world() as (feeds, api):
        config = write_config(tmp_path, api)
        (tmp_path / "data").mkdir()
        some_rules(tmp_path / "rules")
        async with open_household((await start_setup(config)).setup, feeds, api, FakeClock()):
            pass
        (tmp_path / "rules" / "rules.yaml").unlink()

        start = await start_setup(config)

        assert set(start.setup.rules.topics) == {"gas", "oil"}
        assert [problem.code for problem in start.refused] == ["E000"]


async def test_a_first_start_with_wrong_rules_is_refused(tmp_path: Path) -> None:
    async with world() as (_, api):
        config = write_config(tmp_path, api)
        (tmp_path / "rules").mkdir()
        (tmp_path / "rules" / "rules.yaml").write_text(BROKEN)

        with pytest.raises(RulesInvalid, match="E010"):
            await start_setup(config)


async def test_beside_raises_what_the_work_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        await beside(partial(divmod, 1, 0))
