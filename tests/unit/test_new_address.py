"""An operator changes a feed's URL: it may be the same feed elsewhere, or another one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.feedsync import url_key
from bot.model import Item, ItemReason
from tests.unit.one_feed import HOUR, House, a_polled_house, an_item, at, copy_of, told


def elsewhere(number: int) -> Item:
    """Return an item of another feed; it is as old as the one of the same number here."""
    return replace(
        an_item(number),
        title=f"Train {number} departs",
        url=f"https://station.example/{number}",
        guid=f"station-{number}",
    )


def readdressed(house: House) -> House:
    house.state = replace(house.state, is_new_address=True, etag=None, body_sha256=None)
    return house


def test_the_stock_of_another_feed_is_kept_silently() -> None:
    house = readdressed(a_polled_house(10))

    found = house.poll([elsewhere(number) for number in range(2, -8, -1)], at(2))

    assert {one.reason for one in found} == {ItemReason.FIRST_POLL}
    assert not house.state.is_new_address


def test_after_the_stock_of_another_feed_its_news_are_told() -> None:
    house = readdressed(a_polled_house(10))
    house.poll([elsewhere(number) for number in range(2, -8, -1)], at(2))

    found = house.poll([elsewhere(number) for number in range(3, -7, -1)], at(3))

    assert told(found) == [elsewhere(3).title]


def test_the_stock_of_another_feed_begins_its_window_and_misses_nothing() -> None:
    house = readdressed(a_polled_house(10))

    house.poll([elsewhere(number) for number in range(2, -80, -1)], at(2))

    assert (house.state.gap_at, house.state.hurry) == (None, 0)
    assert house.state.window_start is not None
    assert house.state.window_start < at(-60)


def test_news_of_the_same_feed_elsewhere_are_told() -> None:
    house = readdressed(a_polled_house(10))

    found = house.poll(copy_of(3, 10), at(3))

    assert told(found) == [an_item(3).title, an_item(2).title]
    assert not house.state.is_new_address


def test_the_same_feed_elsewhere_is_known_by_its_titles() -> None:
    house = readdressed(a_polled_house(10))
    moved = [
        replace(item, guid=f"new-{item.title}", url=f"https://port.example/{number}")
        for number, item in enumerate(copy_of(2, 10))
    ]

    found = house.poll(moved, at(2))

    assert told(found) == [an_item(2).title]


def test_an_empty_answer_is_the_whole_stock_of_another_feed() -> None:
    house = readdressed(a_polled_house(10))
    house.poll([], at(2))

    found = house.poll([elsewhere(3)], at(3) + HOUR)

    assert told(found) == [elsewhere(3).title]


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("https://a.example/rss", "http://www.a.example/rss/", True),
        ("https://a.example/rss", "https://user:pw@a.example/rss#top", True),
        ("https://a.example/rss?id=1", "https://a.example/rss?id=2", False),
        ("https://a.example/rss", "https://a.example:8443/rss", False),
    ],
)
def test_spellings_of_an_address_are_one(one: str, other: str, is_same: bool) -> None:
    assert (url_key(one) == url_key(other)) is is_same
