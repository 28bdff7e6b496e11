"""From a feed to a message, the whole way."""

from __future__ import annotations

from datetime import timedelta

from bot.core.render import Action
from bot.model import DeliveryState
from tests.flow.household import ADA, Household, an_entry

ELSEWHERE = "https://globe.example/gas"


async def test_a_new_item_of_a_topic_becomes_one_message(home: Household) -> None:
    await home.hear(an_entry("Gas price rises in the north"))

    [message] = home.sent
    assert message.chat_id == ADA
    assert "Gas price rises in the north" in message.text
    assert "Herald" in message.text


async def test_an_item_of_no_topic_is_kept_quiet(home: Household) -> None:
    report = await home.hear(an_entry("Ferry returns to the northern line"))

    assert report.summary()["new"] == 1
    assert home.sent == []


async def test_the_first_poll_of_a_feed_is_silent(home: Household) -> None:
    home.publish(an_entry("Gas price rises"), outlet="newcomer")
    setup = home.house.setup
    herald = setup.feeds[0]
    newcomer = type(herald)(id="newcomer", url=home.feeds.url("/newcomer"), allow_private=True)  # type: ignore[arg-type]  # a FeedId is a str
    await home.house.reload(type(setup)(setup.config, setup.rules, (*setup.feeds, newcomer)))

    report = await home.pass_by()

    assert report.summary()["silent"] == 1
    assert home.sent == []


async def test_a_second_pass_tells_nothing_twice(home: Household) -> None:
    await home.hear(an_entry())
    await home.pass_by()

    assert len(home.sent) == 1
    assert home.api.calls("editMessageText") == []


async def test_the_same_link_with_tracking_parameters_is_the_same_story(home: Household) -> None:
    await home.hear(an_entry("Gas price rises", link="https://wire.example/gas"))
    await home.hear(
        an_entry("What is known of the gas price", link="https://wire.example/gas?utm_source=rss"),
        outlet="post",
    )

    assert len(home.sent) == 1
    assert "2 sources" in home.sent[0].text


async def test_a_copy_in_another_outlet_edits_the_message(home: Household) -> None:
    text = "The regulator said on Monday that households in Norland will pay nine percent more from May."
    await home.hear(an_entry("Gas price rises in Norland", summary=text))
    await home.hear(an_entry("Norland: gas price rises", summary=text), outlet="post")
    await home.hear(an_entry("Gas price rises in Norland - Globe", summary=text), outlet="globe")

    [message] = home.sent
    assert "3 sources" in message.text
    assert len(home.api.calls("editMessageText")) == 2


async def test_copies_in_one_pass_are_one_message_from_the_start(home: Household) -> None:
    text = "The regulator said on Monday that households in Norland will pay nine percent more from May."
    home.publish(an_entry("Gas price rises in Norland", summary=text))
    home.publish(an_entry("Norland: gas price rises", summary=text), outlet="post")

    await home.pass_by()

    assert len(home.sent) == 1


async def test_two_topics_on_one_story_are_one_message(home: Household) -> None:
    await home.hear(an_entry("Gas price and oil price rise together"))

    [message] = home.sent
    assert "Gas" in message.text
    assert "Oil" in message.text


async def test_different_events_are_different_messages(home: Household) -> None:
    await home.hear(
        an_entry("Gas pipeline to Rosenholm leaks near Hasle"),
        an_entry("Parliament of Westmark votes on a gas price brake"),
    )

    assert len(home.sent) == 2


async def test_a_changed_guid_alone_is_no_news(home: Household) -> None:
    await home.hear(an_entry("Gas price rises", guid="http://news.example/1"))

    home.replace(an_entry("Gas price rises", guid="another"))
    await home.pass_by()

    assert len(home.sent) == 1


async def test_an_old_item_that_resurfaces_is_kept_quiet(home: Household) -> None:
    await home.hear(an_entry("Gas price rises", date="Mon, 05 Jan 2026 10:00:00 +0000"))

    assert home.sent == []


async def test_an_edited_item_alerts_where_a_topic_newly_matches(home: Household) -> None:
    await home.hear(an_entry("Prices rise", guid="1", link="https://news.example/1"))
    assert home.sent == []

    home.replace(an_entry("Gas price rises", guid="1", link="https://news.example/1"))
    await home.pass_by()

    assert len(home.sent) == 1


async def test_an_edited_item_that_still_matches_the_same_topic_stays_quiet(home: Household) -> None:
    await home.hear(an_entry("Gas price rises", guid="1", link="https://news.example/1"))

    home.replace(an_entry("Gas price rises by a third", guid="1", link="https://news.example/1"))
    await home.pass_by()

    assert len(home.sent) == 1


async def test_an_alert_has_its_buttons(home: Household) -> None:
    await home.hear(an_entry())

    data = [value.split(":")[1] for value in home.sent[0].buttons.values() if value.startswith("1:")]
    assert set(data) >= {Action.MUTE_STORY.value, Action.WHY.value, Action.NOT_RELEVANT.value}


async def test_a_mute_holds_alerts_and_lets_them_leave_together(home: Household) -> None:
    store, now = home.house.store, home.clock.now()
    chat = await store.chat(home.house.setup.config.chats[0].address)
    assert chat is not None
    await store.mute(chat.id, None, now + timedelta(hours=2), now)

    await home.hear(
        an_entry("Gas pipeline to Rosenholm leaks near Hasle"),
        an_entry("Parliament of Westmark votes on a gas price brake"),
    )
    assert home.sent == []

    await home.pass_by(after=timedelta(hours=3))
    [digest] = home.sent
    assert "Rosenholm" in digest.text
    assert "Westmark" in digest.text
    assert await store.delivery_counts() == {DeliveryState.SENT: 2}


async def test_a_feed_that_suddenly_renews_everything_becomes_one_message(home: Household) -> None:
    names = ["Aberg", "Bjelke", "Carlow", "Drammen", "Esbjerg", "Falster", "Gotland", "Hvidovre", "Inari"]
    names += ["Jelling", "Kolding", "Lolland", "Mora", "Nyborg", "Odense", "Piteo", "Ribe", "Skien", "Tana"]
    names += ["Umeo", "Vardo"]

    await home.hear(*(an_entry(f"Gas pipeline {name} {name}hamn {name}sund") for name in names))

    [digest] = home.sent
    assert all(name in digest.text for name in names)


async def test_a_muted_story_is_not_edited_any_more(home: Household) -> None:
    text = "The regulator said on Monday that households in Norland will pay nine percent more from May."
    await home.hear(an_entry("Gas price rises in Norland", summary=text))
    store = home.house.store
    address = home.house.setup.config.chats[0].address
    alert = await store.alert_of_message(address.telegram_id, home.sent[0].message_id)
    assert alert is not None
    await store.mute_story(*alert, home.clock.now())

    await home.hear(an_entry("Norland: gas price rises", summary=text), outlet="post")

    assert home.api.calls("editMessageText") == []
    assert len(home.sent) == 1
