"""A rude Telegram: nothing is lost, and nobody waits for somebody else's trouble."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot import sender
from bot.core.render import alert_message
from bot.errors import StoreBusy
from bot.model import Address, ChatState, DeliveryState, Message, Story, TopicId
from tests.botapi import (
    BadGateway,
    Blocked,
    Dropped,
    Migrated,
    Place,
    RateLimited,
    Refused,
    Silent,
    Unparsable,
)
from tests.clock import FakeClock
from tests.flow.household import Household, a_setup, an_entry, open_household, some_rules, world

ADA, BEN, DESK = 5, 6, -1001
HOUR = timedelta(hours=1)


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Household]:
    async with world() as (feeds, api):
        rules = some_rules(tmp_path / "rules")
        chats = {ADA: ["*"], BEN: ["gas"]}
        setup = a_setup(feeds, api, tmp_path, rules, outlets=("herald",), chats=chats)
        async with open_household(setup, feeds, api, FakeClock()) as home:
            home.publish(an_entry("Old news"))
            await home.pass_by()
            yield home


async def counts(home: Household) -> dict[DeliveryState, int]:
    return dict(await home.house.store.delivery_counts())


async def test_a_429_delays_only_that_chat(home: Household) -> None:
    home.api.fail(ADA, RateLimited(retry_after=300))

    await home.hear(an_entry())
    assert [message.chat_id for message in home.sent] == [BEN]

    await home.pass_by(after=timedelta(seconds=301))
    assert [message.chat_id for message in home.sent] == [BEN, ADA]


async def test_a_short_429_is_waited_for_within_the_pass(home: Household) -> None:
    home.api.fail(ADA, RateLimited(retry_after=3))

    await home.hear(an_entry())

    assert {message.chat_id for message in home.sent} == {ADA, BEN}


async def test_a_chat_that_blocked_the_bot_is_suspended_and_its_alert_is_kept(home: Household) -> None:
    home.api.fail(ADA, Blocked(), times=None)

    await home.hear(an_entry())

    chat = await home.house.store.chat(Address(telegram_id=ADA))
    assert chat is not None
    assert chat.state is ChatState.SUSPENDED
    assert await counts(home) == {DeliveryState.QUEUED: 1, DeliveryState.SENT: 1}


async def test_a_suspended_chat_is_not_asked_again(home: Household) -> None:
    home.api.fail(ADA, Blocked(), times=None)
    await home.hear(an_entry())
    asked = len(home.api.calls("sendMessage"))

    await home.hear(an_entry("Gas pipeline to Rosenholm leaks near Hasle"))

    assert [request.params["chat_id"] for request in home.api.calls("sendMessage")[asked:]] == [str(BEN)]


@pytest.mark.parametrize("failure", [BadGateway(), Dropped(), Silent()], ids=["502", "dropped", "silent"])
async def test_an_answer_that_never_came_is_doubted_and_the_alert_sent_again(
    home: Household, failure: BadGateway | Dropped | Silent
) -> None:
    home.api.fail(ADA, failure)
    report = await home.hear(an_entry())
    await home.pass_by()

    assert report.summary()["delayed"] == 1
    assert {message.chat_id for message in home.sent} == {ADA, BEN}
    assert await counts(home) == {DeliveryState.SENT: 2}


async def test_no_outage_of_a_day_loses_an_alert(home: Household) -> None:
    home.api.fail(None, BadGateway(), times=None)
    await home.hear(an_entry())
    for _ in range(150):
        await home.pass_by(after=timedelta(minutes=10))
    assert home.sent == []

    home.api.heal()
    await home.pass_by(after=HOUR)

    assert {message.chat_id for message in home.sent} == {ADA, BEN}


async def test_a_group_that_became_a_supergroup_gets_the_same_alert(home: Household, tmp_path: Path) -> None:
    setup = a_setup(
        home.feeds, home.api, tmp_path, home.house.setup.rules, outlets=("herald",), chats={-77: ["*"]}
    )
    await home.house.reload(setup)
    home.api.fail(-77, Migrated(to=-10077), times=None)

    await home.hear(an_entry())

    assert [message.chat_id for message in home.sent] == [-10077]


async def test_a_closed_thread_falls_back_to_the_chat(home: Household) -> None:
    store, now = home.house.store, home.clock.now()
    address = Address(telegram_id=DESK, thread_id=7)
    home.api.places[DESK] = Place(id=DESK, kind="supergroup", title="Desk", is_forum=True)
    await store.sync_config_chats({address: list(home.house.topics())}, {address: ("Desk", "en")}, now)

    await home.hear(an_entry())

    [message] = home.sent
    assert (message.chat_id, message.thread_id) == (DESK, None)


async def test_markup_that_telegram_cannot_read_is_sent_plain(home: Household) -> None:
    home.api.fail(ADA, Unparsable())

    await home.hear(an_entry("Gas price < oil price & rising"))

    assert "Gas price < oil price & rising" in home.api.in_chat(ADA)[0].text


async def test_a_message_that_telegram_refuses_for_good_is_kept_for_the_operator(home: Household) -> None:
    home.api.fail(ADA, Refused(400, "Bad Request: something quite new"), times=None)

    report = await home.hear(an_entry())

    assert report.needs_operator
    assert report.summary()["dead"] == 1
    assert [message.chat_id for message in home.sent] == [BEN]


async def test_a_refused_token_stops_sending_and_loses_nothing(home: Household) -> None:
    home.api.fail(None, Refused(401, "Unauthorized"), times=None)
    report = await home.hear(an_entry())

    assert report.needs_operator
    assert len(home.api.calls("sendMessage")) == 1

    home.api.heal()
    await home.pass_by()
    assert {message.chat_id for message in home.sent} == {ADA, BEN}


class PowerCut(BaseException):
    """Ends the process, as far as the house can tell."""


async def test_a_crash_between_sending_and_writing_it_down_repeats_only_the_one_in_flight(
    home: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = home.house.store
    settle = store.settle

    async def crash(*args: object) -> None:
        raise PowerCut

    monkeypatch.setattr(store, "settle", crash)
    with pytest.raises(PowerCut):
        await home.hear(an_entry())
    monkeypatch.setattr(store, "settle", settle)

    async with open_household(home.house.setup, home.feeds, home.api, home.clock) as again:
        await again.pass_by()

    assert sorted(message.chat_id for message in home.sent) == [ADA, ADA, BEN]
    assert await counts(home) == {DeliveryState.SENT: 2}


async def test_a_database_that_is_busy_after_sending_repeats_nothing(
    home: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = home.house.store
    settle, trouble = store.settle, [StoreBusy("held by another program")] * 3

    async def busy(*args: Any) -> None:
        if trouble:
            raise trouble.pop()
        await settle(*args)

    monkeypatch.setattr(store, "settle", busy)
    await home.hear(an_entry())
    await home.pass_by(after=HOUR)

    assert sorted(message.chat_id for message in home.sent) == [ADA, BEN]


async def test_trouble_in_one_lane_cuts_off_no_other(
    home: Household, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rules, chats = home.house.setup.rules, {ADA: ["*"], BEN: ["gas"]}
    setup = a_setup(home.feeds, home.api, tmp_path, rules, outlets=("herald",), chats=chats, in_flight=2)
    await home.house.reload(setup)
    store = home.house.store
    settle, claim, claims = store.settle, store.claim_batch, 0
    busy = [StoreBusy("held by another program")]

    async def busy_settle(*args: Any) -> None:
        if busy:
            raise busy.pop()
        await settle(*args)

    async def busy_claim(*args: Any) -> Any:
        nonlocal claims
        claims += 1
        if claims == 3:
            raise StoreBusy("held by another program")
        return await claim(*args)

    monkeypatch.setattr(store, "settle", busy_settle)
    monkeypatch.setattr(store, "claim_batch", busy_claim)
    with pytest.raises(StoreBusy):
        await home.hear(an_entry())
    async with open_household(setup, home.feeds, home.api, home.clock) as again:
        await again.pass_by(after=HOUR)

    assert sorted(message.chat_id for message in home.sent) == [ADA, BEN]


async def test_a_stop_ends_the_wait_of_what_was_sent_and_writes_it_down(
    home: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, sender = home.house.store, home.house.sender
    settle, tries = store.settle, 0

    async def busy(*args: Any) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            sender.stop()
            raise StoreBusy("held by another program")
        await settle(*args)

    monkeypatch.setattr(store, "settle", busy)
    await home.hear(an_entry())

    assert tries == 2
    assert await counts(home) == {DeliveryState.SENT: 1, DeliveryState.QUEUED: 1}


async def test_of_a_digest_that_is_refused_only_the_bad_story_is_kept_back(home: Household) -> None:
    store, now = home.house.store, home.clock.now()
    ada = await store.chat(Address(telegram_id=ADA))
    assert ada is not None
    await store.mute(ada.id, None, now + HOUR, now)
    await home.hear(
        an_entry("Gas pipeline to Rosenholm leaks near Hasle"),
        an_entry("Parliament of Westmark votes on a gas price brake"),
    )
    refused = Refused(400, "Bad Request: something quite new")
    home.api.fail(ADA, refused, times=2)  # the digest, and then the first story by itself

    report = await home.pass_by(after=2 * HOUR)

    assert len(home.api.in_chat(ADA)) == 1
    assert report.summary()["dead"] == 1


async def test_a_story_that_breaks_the_renderer_harms_no_other(
    home: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    render = alert_message

    def breaks(story: Story, *rest: Any) -> Message:
        if "Poison" in story.reports[0].title:
            raise RuntimeError("a bug")
        return render(story, *rest)

    monkeypatch.setattr(sender, "alert_message", breaks)
    await home.hear(
        an_entry("Poison in the gas pipeline to Rosenholm"),
        an_entry("Parliament of Westmark votes on a gas price brake"),
    )

    assert {message.chat_id for message in home.sent} == {ADA, BEN}
    assert all("Westmark" in message.text for message in home.sent)


async def test_a_chat_of_the_config_that_was_lost_gets_what_it_missed(
    home: Household, tmp_path: Path
) -> None:
    home.api.fail(ADA, Refused(400, "Bad Request: not enough rights to send text messages"), times=None)
    lost = await home.hear(an_entry("Gas pipeline to Rosenholm leaks near Hasle"))
    await home.hear(an_entry("Parliament of Westmark votes on a gas price brake"))
    home.api.heal()

    async with open_household(home.house.setup, home.feeds, home.api, home.clock) as again:
        report = await again.pass_by()

    assert [chat.telegram_id for chat in lost.lost_chats] == [ADA]
    assert lost.needs_operator
    assert not report.needs_operator
    [digest] = home.api.in_chat(ADA)
    assert "Rosenholm" in digest.text
    assert "Westmark" in digest.text


async def test_a_mute_catches_what_waits_for_its_hold(home: Household, tmp_path: Path) -> None:
    rules = home.house.setup.rules
    setup = a_setup(
        home.feeds,
        home.api,
        tmp_path,
        rules,
        outlets=("herald",),
        chats={ADA: ["*"]},
        hold=timedelta(minutes=30),
    )
    await home.house.reload(setup)
    await home.hear(an_entry())
    ada = await home.house.store.chat(Address(telegram_id=ADA))
    assert ada is not None
    await home.house.store.mute(ada.id, None, home.clock.now() + 3 * HOUR, home.clock.now())

    await home.pass_by(after=HOUR)
    assert home.sent == []

    await home.pass_by(after=3 * HOUR)
    assert len(home.sent) == 1


async def test_what_waits_for_its_hold_is_owed_no_more_after_an_unfollow(
    home: Household, tmp_path: Path
) -> None:
    rules = home.house.setup.rules
    setup = a_setup(home.feeds, home.api, tmp_path, rules, outlets=("herald",), chats={ADA: ["*"]}, hold=HOUR)
    await home.house.reload(setup)
    await home.hear(an_entry())
    ada = await home.house.store.chat(Address(telegram_id=ADA))
    assert ada is not None

    await home.house.store.unfollow(ada.id, [TopicId("gas")])
    await home.pass_by(after=2 * HOUR)

    assert home.sent == []


async def test_a_restart_delivers_what_the_former_run_owed(home: Household, tmp_path: Path) -> None:
    home.api.fail(None, BadGateway(), times=None)
    await home.hear(an_entry())
    home.api.heal()

    async with open_household(home.house.setup, home.feeds, home.api, home.clock) as again:
        await again.pass_by(after=HOUR)

    assert {message.chat_id for message in home.sent} == {ADA, BEN}


async def test_an_edit_of_a_message_that_is_gone_harms_nobody(home: Household) -> None:
    text = "The regulator said on Monday that households in Norland will pay nine percent more from May."
    await home.hear(an_entry("Gas price rises in Norland", summary=text))
    home.api.fail(ADA, Refused(400, "Bad Request: message to edit not found"), method="editMessageText")
    setup = home.house.setup
    post = type(setup.feeds[0])(id="post", url=home.feeds.url("/post"), outlet="Post", allow_private=True)  # type: ignore[arg-type]  # a FeedId is a str
    await home.house.reload(type(setup)(setup.config, setup.rules, (*setup.feeds, post)))
    home.publish(an_entry("Something else"), outlet="post")
    await home.pass_by()

    await home.hear(an_entry("Norland: gas price rises", summary=text), outlet="post")
    report = await home.pass_by()

    assert "2 sources" in home.api.in_chat(BEN)[0].text
    assert "2 sources" not in home.api.in_chat(ADA)[0].text
    assert not report.needs_operator


async def test_a_chat_gets_one_message_a_second_and_a_group_eighteen_a_minute(
    home: Household, tmp_path: Path
) -> None:
    setup = a_setup(
        home.feeds,
        home.api,
        tmp_path,
        home.house.setup.rules,
        outlets=("herald",),
        chats={DESK: ["*"]},
        chat_interval=timedelta(seconds=1),
    )
    async with open_household(setup, home.feeds, home.api, home.clock) as house:
        names = ["Aberg", "Bjelke", "Carlow", "Drammen", "Esbjerg", "Falster", "Gotland", "Hvidovre"]
        rest = ["Ilulissat", "Jelling", "Kolding", "Lolland", "Middelfart", "Nyborg", "Odense", "Præstø"]
        more = ["Quedlin", "Ribe", "Struer"]  # 19: one more would be a flood
        house.publish(
            *(an_entry(f"Gas pipeline {name} {name}hamn {name}sund") for name in names + rest + more)
        )
        home.clock.advance(timedelta(minutes=10))
        start = home.clock.now()
        await house.pass_by(after=timedelta(0))
        took = home.clock.now() - start

    assert len(home.api.in_chat(DESK)) == 18
    assert took >= timedelta(seconds=17)
