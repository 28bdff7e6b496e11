"""What feeds do to themselves over several polls, and that nobody is told old news for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.core.identity import is_flood
from bot.model import Item
from tests.unit.one_feed import DAY, HOUR, NOW, House, a_polled_house, an_item, at, copy_of, edited, told

sizes = pytest.mark.parametrize("size", [3, 10, 40])
dated = pytest.mark.parametrize("is_dated", [True, False], ids=["dated", "undated"])


@dated
@sizes
def test_a_feed_that_behaves_tells_each_item_once(size: int, is_dated: bool) -> None:
    house = House()

    news = [told(house.poll(copy_of(hour, size, is_dated=is_dated), at(hour))) for hour in range(20)]

    assert news == [[], *([f"Ship {hour} comes in"] for hour in range(1, 20))]


# ---- new names for old items ---------------------------------------------------------------------


def with_https(item: Item) -> Item:
    return replace(
        item,
        url=(item.url or "").replace("http:", "https:"),
        guid=(item.guid or "").replace("http:", "https:"),
    )


def with_guids_of_another_kind(item: Item) -> Item:
    return replace(item, guid=f"urn:ship:{item.title}")


def without_guids(item: Item) -> Item:
    return replace(item, guid=None)


def with_other_links(item: Item) -> Item:
    return replace(item, url=(item.url or "").replace("/news/", "/archive/2026/"))


def on_another_domain(item: Item) -> Item:
    return replace(
        item,
        url=(item.url or "").replace("http://harbour.example/news", "https://port.example/stories"),
        guid=(item.guid or "").replace("http://harbour.example", "https://port.example"),
    )


def on_another_domain_with_another_guid(item: Item) -> Item:
    return replace(on_another_domain(item), guid=f"urn:ship:{item.summary}")


def on_another_domain_with_renewed_dates(item: Item) -> Item:
    return replace(on_another_domain(item), published_at=NOW + 10 * HOUR)


Change = Callable[[Item], Item]
renamings: list[Change] = [with_https, with_guids_of_another_kind, without_guids, with_other_links]
moves: list[Change] = [on_another_domain, on_another_domain_with_another_guid]
changes = pytest.mark.parametrize("change", renamings + moves)
changes_but_for_moves = pytest.mark.parametrize("change", renamings)


@changes
@dated
@sizes
def test_new_names_for_old_items_are_no_news(size: int, is_dated: bool, change: Change) -> None:
    house = a_polled_house(size, is_dated=is_dated)

    found = house.poll([change(item) for item in copy_of(1, size, is_dated=is_dated)], at(2))

    assert (told(found), edited(found)) == ([], [])
    assert house.state.gap_at is None


@changes
@dated
@sizes
def test_news_that_come_with_new_names_are_told(size: int, is_dated: bool, change: Change) -> None:
    house = a_polled_house(size, is_dated=is_dated)

    found = house.poll([change(item) for item in copy_of(2, size, is_dated=is_dated)], at(2))

    assert (told(found), edited(found)) == (["Ship 2 comes in"], [])


@changes_but_for_moves  # a story, not a name, holds together what two domains show in turn
@dated
@sizes
def test_old_names_that_return_are_no_news_either(size: int, is_dated: bool, change: Change) -> None:
    house = a_polled_house(size, is_dated=is_dated)

    news: list[str] = []
    for hour in range(2, 12):
        items = copy_of(hour, size, is_dated=is_dated)
        found = house.poll([change(item) for item in items] if hour % 2 else items, at(hour))
        news += told(found)
        assert edited(found) == []

    assert news == [f"Ship {hour} comes in" for hour in range(2, 12)]


@changes
def test_an_edited_title_after_a_change_of_names_is_an_edit(change: Change) -> None:
    house = a_polled_house(10)
    house.poll([change(item) for item in copy_of(1, 10)], at(2))

    items = [replace(change(item), title=f"{item.title} at last") for item in copy_of(1, 10)]
    found = house.poll(items, at(3))

    kept = [title for title in told(found) if change is not without_guids]
    assert kept == []
    if change is not without_guids:  # a title with its link is then the only name there is
        assert len(edited(found)) == 10


@dated
def test_a_text_that_changed_with_the_names_is_an_edit(is_dated: bool) -> None:
    house = a_polled_house(10, is_dated=is_dated)

    items = [
        replace(on_another_domain(item), summary=f"{item.summary} Read on at port.example.")
        for item in copy_of(1, 10, is_dated=is_dated)
    ]
    found = house.poll(items, at(2))

    assert told(found) == []
    assert len(edited(found)) == 10


@sizes
def test_a_move_that_renews_all_dates_is_no_news(size: int) -> None:
    house = a_polled_house(size)

    found = house.poll([on_another_domain_with_renewed_dates(item) for item in copy_of(1, size)], at(11))

    assert (told(found), edited(found)) == ([], [])


def test_a_feed_whose_clock_is_fast_may_move_too() -> None:
    fast = [replace(item, published_at=at(1) + HOUR) for item in copy_of(1, 10)]
    house = House()
    house.poll([replace(item, published_at=at(1)) for item in fast], at(1))  # no date is in the future

    found = house.poll([on_another_domain(item) for item in fast], at(3))

    assert (told(found), edited(found)) == ([], [])


def test_a_pinned_item_that_stays_does_not_hide_a_move() -> None:
    pinned = replace(an_item(-900), url="https://other.example/rules", guid="rules")
    house = House()
    for hour in (0, 1):
        house.poll([pinned, *copy_of(hour, 9)], at(hour))

    found = house.poll([pinned, *map(on_another_domain, copy_of(1, 9))], at(2))

    assert (told(found), edited(found)) == ([], [])


@sizes
def test_a_move_after_days_of_silence_tells_only_what_is_new(size: int) -> None:
    house = a_polled_house(size)
    hour = 1 + size - 1  # all but one of the items are new by then

    found = house.poll([on_another_domain(item) for item in copy_of(hour, size)], at(hour))

    assert told(found) == [f"Ship {number} comes in" for number in range(hour, 1, -1)]


# ---- older copies and archives -------------------------------------------------------------------


@sizes
@pytest.mark.parametrize("back", [1, 2, 5, 24, 24 * 20], ids="{} h".format)
def test_an_older_copy_is_no_news(size: int, back: int) -> None:
    house = a_polled_house(size)

    found = house.poll(copy_of(1 - back, size), at(2))

    assert (told(found), edited(found)) == ([], [])
    assert house.state.gap_at is None


@dated
@sizes
def test_an_older_copy_of_what_was_polled_is_no_news_even_without_dates(size: int, is_dated: bool) -> None:
    house = a_polled_house(size, is_dated=is_dated, hours=50)

    found = house.poll(copy_of(20, size, is_dated=is_dated), at(50))
    after = house.poll(copy_of(51, size, is_dated=is_dated), at(51))

    assert (told(found), edited(found)) == ([], [])
    assert told(after) == ["Ship 51 comes in", "Ship 50 comes in"]


@sizes
@pytest.mark.parametrize("length", [50, 500], ids="{} items".format)
@pytest.mark.parametrize("hours", [1, 2, 100], ids="{} polls".format)
def test_an_archive_is_no_news(size: int, length: int, hours: int) -> None:
    house = a_polled_house(size, hours=hours)

    found = house.poll(copy_of(hours, length), at(hours))

    assert told(found) == [f"Ship {hours} comes in"]
    assert not is_flood(found)


@pytest.mark.parametrize("size", [10, 40])
def test_an_old_item_that_is_pinned_does_not_make_the_archive_news(size: int) -> None:
    house = House()
    for hour in (0, 1):
        house.poll([*copy_of(hour, size - 1), an_item(-5000)], at(hour))

    found = house.poll([*copy_of(1, 200), an_item(-5000)], at(2))

    assert told(found) == []


def test_an_archive_on_a_new_domain_is_no_news() -> None:
    house = a_polled_house(10)

    found = house.poll([on_another_domain(item) for item in copy_of(2, 300)], at(2))

    assert told(found) == ["Ship 2 comes in"]


# ---- and yet nothing is lost ---------------------------------------------------------------------


def test_what_comes_late_is_told() -> None:
    house = a_polled_house(10, hours=30)
    late = replace(an_item(999), published_at=at(5))

    assert told(house.poll([*copy_of(29, 10), late], at(30))) == [late.title]


def test_a_feed_that_was_empty_at_first_tells_its_first_item() -> None:
    house = House()
    house.poll([], NOW)

    assert told(house.poll([an_item(0)], NOW)) == ["Ship 0 comes in"]


def test_an_archive_that_follows_an_empty_first_poll_is_no_news() -> None:
    house = House()
    house.poll([], NOW)

    found = house.poll(
        [replace(an_item(-number), published_at=NOW - HOUR - number * DAY) for number in range(25)], at(1)
    )

    assert told(found) == ["Ship 0 comes in"]
    assert told(house.poll([an_item(1)], at(2))) == ["Ship 1 comes in"]


@pytest.mark.parametrize("is_dated", [True, False], ids=["dated", "undated"])
def test_what_gets_its_dates_after_the_first_poll_is_no_news(is_dated: bool) -> None:
    house = House()
    house.poll(copy_of(0, 10, is_dated=False), NOW)

    found = house.poll(copy_of(1, 10, is_dated=is_dated), at(1))
    archive = house.poll([an_item(-number) for number in range(25, 300)], at(2))

    assert (told(found), told(archive)) == (["Ship 1 comes in"], [])


def test_a_feed_that_was_away_for_months_tells_what_happened_since() -> None:
    house = a_polled_house(10)

    found = house.poll(copy_of(24 * 60, 10), at(24 * 60))

    assert len(told(found)) == 10


def test_doubles_keep_both_their_names() -> None:
    one = an_item(3)
    double = replace(one, guid="another")
    house = a_polled_house(10)

    assert told(house.poll([one, double], at(3))) == [one.title]
    found = house.poll([replace(double, title="Ship 3 comes in after all")], at(4))

    assert (told(found), edited(found)) == ([], ["Ship 3 comes in after all"])
