"""What is new in a poll, and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.identity import (
    KnownItem,
    Sorted,
    content_hash,
    is_flood,
    item_keys,
    plain_title,
    sort_items,
    wants_titles,
)
from bot.model import FeedId, Item, ItemId, ItemKey, ItemReason, PollState

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
POLLED = PollState(last_ok_at=NOW - timedelta(hours=1))
FERRY = Item(
    feed_id=FeedId("harbour"),
    title="Ferry returns",
    summary="After a summer in the dock.",
    url="https://harbour.example/ferry",
    guid="ferry-1",
    published_at=NOW - timedelta(hours=2),
)


def an_item(number: int) -> Item:
    return replace(
        FERRY, guid=f"guid-{number}", title=f"Title {number}", url=f"https://harbour.example/{number}"
    )


def remembered(*items: Item) -> dict[ItemKey, KnownItem]:
    return {
        key: KnownItem(id=ItemId(number), content_hash=content_hash(item), seen_at=NOW)
        for number, item in enumerate(items)
        for key in item_keys(item)
    }


def sort(
    *items: Item, known: dict[ItemKey, KnownItem] | None = None, state: PollState = POLLED
) -> tuple[Sorted, ...]:
    return sort_items(items, known or {}, state, NOW)


def reasons(
    *items: Item, known: dict[ItemKey, KnownItem] | None = None, state: PollState = POLLED
) -> list[ItemReason]:
    return [entry.reason for entry in sort(*items, known=known, state=state)]


# ---- sorting a poll ------------------------------------------------------------------------------


def test_an_unknown_item_is_new() -> None:
    (found,) = sort(FERRY)

    assert found == Sorted(
        item=FERRY, keys=item_keys(FERRY), content_hash=content_hash(FERRY), reason=ItemReason.NEW
    )


def test_a_known_item_is_seen_and_with_other_text_edited() -> None:
    known = remembered(FERRY)

    assert reasons(FERRY, known=known) == [ItemReason.SEEN]
    assert reasons(replace(FERRY, published_at=NOW), known=known) == [ItemReason.SEEN]
    assert reasons(replace(FERRY, summary="Corrected."), known=known) == [ItemReason.EDITED]
    assert reasons(replace(FERRY, guid="renewed"), known=known) == [ItemReason.SEEN]


def test_a_first_poll_is_silent() -> None:
    assert reasons(an_item(1), an_item(2), state=PollState()) == [ItemReason.FIRST_POLL] * 2


@pytest.mark.parametrize(
    ("age", "expected"),
    [(timedelta(days=29), ItemReason.NEW), (timedelta(days=31), ItemReason.BACKFILL)],
)
def test_an_unknown_item_from_long_before_the_last_good_poll_is_backfill(
    age: timedelta, expected: ItemReason
) -> None:
    assert POLLED.last_ok_at is not None
    assert reasons(replace(FERRY, published_at=POLLED.last_ok_at - age)) == [expected]


def test_a_feed_that_was_away_for_months_still_brings_its_news() -> None:
    away = PollState(last_ok_at=NOW - timedelta(days=90))

    assert reasons(replace(FERRY, published_at=NOW - timedelta(days=60)), state=away) == [ItemReason.NEW]


def test_doubles_inside_a_poll_are_seen() -> None:
    copy = replace(FERRY, guid="ferry-copy")

    assert reasons(FERRY, FERRY, copy) == [ItemReason.NEW, ItemReason.SEEN, ItemReason.SEEN]
    assert reasons(FERRY, FERRY, state=PollState()) == [ItemReason.FIRST_POLL, ItemReason.SEEN]


def test_a_guid_that_stands_on_different_items_names_none_of_them() -> None:
    one, two = (replace(an_item(number), guid="0") for number in (1, 2))

    assert reasons(one, two) == [ItemReason.NEW, ItemReason.NEW]
    assert reasons(one, two, known=remembered(one)) == [ItemReason.SEEN, ItemReason.NEW]


@settings(deadline=None)
@given(st.lists(st.integers(0, 9), max_size=12), st.sets(st.integers(0, 9)))
def test_what_a_poll_found_is_all_seen_the_next_time(polled: list[int], known: set[int]) -> None:
    items = [an_item(number) for number in polled]
    before = remembered(*(an_item(number) for number in known))

    first = sort(*items, known=before)
    new = {entry.item.guid for entry in first if entry.reason is ItemReason.NEW}
    again = reasons(*items, known=before | remembered(*items))

    assert new == {f"guid-{number}" for number in set(polled) - known}
    assert set(again) <= {ItemReason.SEEN}


def test_a_known_item_comes_with_what_is_known_of_it() -> None:
    items = [an_item(number) for number in range(3)]
    known = remembered(*items)

    found = sort(
        replace(items[1], guid="renewed"), replace(items[2], title="Another"), an_item(9), known=known
    )

    assert [one.known and one.known.id for one in found] == [1, 2, None]
    assert found[0].keys == item_keys(replace(items[1], guid="renewed"))  # the old and the new names


def test_doubles_leave_their_names_to_the_first() -> None:
    double = replace(FERRY, guid="ferry-copy")

    new = sort(FERRY, double)
    seen = sort(FERRY, double, known=remembered(FERRY))

    for first, second in (new, seen):
        assert first.keys == (*item_keys(FERRY), item_keys(double)[0])
        assert second.keys == ()
        assert second.known == first.known
    assert new[0].known is None


def test_an_item_is_edited_once_in_a_poll_under_whatever_names() -> None:
    by_guid = replace(FERRY, title="Ferry returns at last", url="https://harbour.example/elsewhere")
    by_link = replace(FERRY, guid="renewed", summary="Corrected.")

    assert reasons(by_guid, by_link, known=remembered(FERRY)) == [ItemReason.EDITED, ItemReason.SEEN]


WINDOW = replace(POLLED, window_start=NOW - timedelta(days=2))


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        pytest.param(timedelta(days=1), ItemReason.NEW, id="since"),
        pytest.param(timedelta(days=2), ItemReason.NEW, id="at its very begin"),
        pytest.param(timedelta(days=3), ItemReason.BACKFILL, id="before"),
        pytest.param(None, ItemReason.NEW, id="no date"),
    ],
)
def test_what_is_older_than_the_first_polls_window_is_archive(
    age: timedelta | None, expected: ItemReason
) -> None:
    item = replace(FERRY, published_at=None if age is None else NOW - age)

    assert reasons(item, state=WINDOW) == [expected]


def test_a_slow_clock_makes_nothing_archive() -> None:
    state = replace(WINDOW, window_start=NOW + timedelta(days=400))

    assert reasons(replace(FERRY, published_at=NOW), state=state) == [ItemReason.NEW]


# ---- known by titles -----------------------------------------------------------------------------

MOVED = replace(FERRY, guid="other", url="https://port.example/1")


def titled(item: Item, seen_at: datetime = NOW - timedelta(hours=1)) -> dict[str, KnownItem]:
    return {item.title: KnownItem(id=ItemId(7), content_hash=content_hash(item), seen_at=seen_at)}


@pytest.mark.parametrize(
    ("known", "has_news", "state", "expected"),
    [
        pytest.param(0, True, POLLED, True, id="none is known"),
        pytest.param(1, True, POLLED, True, id="one in ten is known"),
        pytest.param(3, True, POLLED, False, id="three in ten are known"),
        pytest.param(0, True, PollState(), False, id="first poll"),
        pytest.param(0, False, POLLED, False, id="nothing but archive"),
    ],
)
def test_titles_are_asked_for_where_next_to_nothing_is_known(
    known: int, has_news: bool, state: PollState, expected: bool
) -> None:
    date = NOW if has_news else NOW - timedelta(days=100)
    items = [replace(an_item(number), published_at=date) for number in range(10)]

    assert wants_titles(sort(*items, known=remembered(*items[:known]), state=state), state) is expected


def test_no_titles_are_asked_for_where_there_is_no_item() -> None:
    assert not wants_titles((), POLLED)


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        pytest.param(MOVED, ItemReason.SEEN, id="same text"),
        pytest.param(replace(MOVED, title=" FERRY\n returns"), ItemReason.EDITED, id="case and blanks"),
        pytest.param(replace(MOVED, summary="Corrected."), ItemReason.EDITED, id="other text"),
        pytest.param(replace(MOVED, published_at=NOW), ItemReason.NEW, id="dated later"),
        pytest.param(replace(MOVED, published_at=None), ItemReason.NEW, id="no date, and alone"),
        pytest.param(replace(MOVED, title="Ferry sinks"), ItemReason.NEW, id="other title"),
        pytest.param(replace(MOVED, title=""), ItemReason.NEW, id="no title"),
    ],
)
def test_an_item_is_known_by_its_title_if_it_can_have_been_there(item: Item, expected: ItemReason) -> None:
    titles = titled(FERRY) | titled(replace(FERRY, title="", summary=""))

    (found,) = sort_items([item], {}, POLLED, NOW, titles=titles)

    assert found.reason is expected
    assert (found.known is not None) is (expected is not ItemReason.NEW)


def test_a_guid_counts_more_than_a_title() -> None:
    known = remembered(FERRY)

    (found,) = sort_items([replace(FERRY, summary="Corrected.")], known, POLLED, NOW, titles=titled(FERRY))

    assert found.known == known[item_keys(FERRY)[0]]


@pytest.mark.parametrize("title", ["Straße  frei", " STRASSE frei\t"])
def test_a_plain_title_has_neither_case_nor_blanks(title: str) -> None:
    assert plain_title(title) == "strasse frei"
    assert plain_title(plain_title(title)) == "strasse frei"


# ---- floods --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("new", "old", "expected"), [(19, 0, False), (20, 0, True), (20, 19, True), (20, 20, False)]
)
def test_twenty_new_items_and_more_than_half_are_a_flood(new: int, old: int, expected: bool) -> None:
    items = [an_item(number) for number in range(new + old)]

    assert is_flood(sort(*items, known=remembered(*items[new:]))) is expected
