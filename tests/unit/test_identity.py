"""Which items are the same, and what is new in a poll."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.core.identity import (
    KnownItem,
    Sorted,
    canonical_url,
    content_hash,
    is_flood,
    item_keys,
    redact_url,
    sort_items,
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


# ---- canonical URLs ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://harbour.example/a?id=7",
        "http://harbour.example/a?id=7",
        "HTTPS://Harbour.Example:443/a?id=7",
        "https://harbour.example./a?id=7#comments",
        "https://reader:secret@harbour.example/a?id=7",
        "//harbour.example/a?id=7",
        " https://harbour.example/x/../a?id=7 ",
        "https://harbour.example/%61?id=7",
        "https://harbour.example/a?utm_source=rss&id=7&utm_medium=feed",
        "https://harbour.example/a?id=7&fbclid=x&gclid=y&yclid=z",
        "https://harbour.example/a?at_medium=RSS&at_campaign=KARANGA&id=7",
        "https://harbour.example/a?id=7&ref=rss&from=newsletter&xtor=RSS-1",
        "https://harbour.example/a?wt_mc=nl.red&id=7&cmpid=3&ns_campaign=x&mc_cid=1&_hsenc=2",
    ],
)
def test_a_page_has_one_spelling(url: str) -> None:
    assert canonical_url(url) == "harbour.example/a?id=7"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://x.example/a?id=7", "https://x.example/a?id=8"),
        ("https://x.example/a", "https://x.example/A"),
        ("https://x.example/a", "https://x.example:8443/a"),
        ("https://x.example/a", "https://www.x.example/a"),
        ("https://x.example/?ref=7", "https://x.example/?ref=8"),
        ("https://x.example/?source=oil", "https://x.example/?source=gas"),
        ("https://x.example/?a=1&a=2", "https://x.example/?a=1"),
    ],
)
def test_different_pages_stay_different(one: str, other: str) -> None:
    assert canonical_url(one) != canonical_url(other)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mailto:a@b.example",
        "javascript:alert(1)",
        "tag:x.example,2026:1",
        "ftp://x/",
        "https://",
        "http://[::1",
    ],
)
def test_what_is_no_web_address_has_no_canonical_form(url: str) -> None:
    assert canonical_url(url) is None


def test_parameters_come_in_one_order() -> None:
    assert canonical_url("https://x.example/?b=2&a=1&b=1") == "x.example/?a=1&b=1&b=2"


def test_international_hosts_and_paths_are_encoded_alike() -> None:
    assert canonical_url("https://münchen.example/ä?q=ö") == canonical_url(
        "https://xn--mnchen-3ya.example/%C3%A4?q=%c3%b6"
    )


urls = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["https://", "http://", "//", "", "HTTP://u:p@"]),
    st.sampled_from(["x.example", "X.Example:80", "[::1]:8080", "münchen.example", "1.2.3.4"])
    | st.text(max_size=8),
    st.just("/") | st.text(max_size=12).map("/{}".format),
    st.just("") | st.text(max_size=12).map("?{}".format),
)


@settings(deadline=None)
@example("https:// /")
@given(urls | st.text())
def test_canonical_twice_is_canonical_once(url: str) -> None:
    once = canonical_url(url)

    assert once is None or canonical_url(once) == once == canonical_url(f"https://{once}")


# ---- redaction -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://u:p@x.example/a", "https://***@x.example/a"),
        ("https://u:p@ss@x.example/a@b", "https://***@x.example/a@b"),
        ("https://x.example/?token=abc&id=1", "https://x.example/?token=***&id=1"),
        ("https://x.example/?id=1&API-KEY=abc#x", "https://x.example/?id=1&API-KEY=***#x"),
        (
            "https://x.example/?access_token=a&monkey=1&key=2",
            "https://x.example/?access_token=***&monkey=1&key=***",
        ),
        ("https://api.telegram.org/bot123:AB-c_d/getMe", "https://api.telegram.org/bot***/getMe"),
        ("no address, user@x.example", "no address, user@x.example"),
    ],
)
def test_secrets_in_urls_are_blanked(text: str, expected: str) -> None:
    assert redact_url(text) == expected
    assert redact_url(f"GET {text} failed") == f"GET {expected} failed"
    assert redact_url(expected) == expected


# ---- keys ----------------------------------------------------------------------------------------


def test_an_item_is_known_by_guid_and_by_link_with_title() -> None:
    keys = item_keys(FERRY)

    assert [key.split(":")[0] for key in keys] == ["guid", "link"]
    assert len(set(keys)) == 2


@pytest.mark.parametrize(
    "other",
    [
        replace(FERRY, guid=None, url="http://HARBOUR.example/ferry?utm_source=x#top"),
        replace(FERRY, url=None),
        replace(FERRY, title="Ferry returns at last", url="https://harbour.example/elsewhere"),
        replace(FERRY, guid="renewed-by-the-server"),
        replace(FERRY, published_at=NOW),
    ],
    ids=["no guid, link spelt otherwise", "no link", "new title and link", "new guid", "new date"],
)
def test_one_thing_in_common_is_enough_to_be_known(other: Item) -> None:
    assert set(item_keys(FERRY)) & set(item_keys(other))


@pytest.mark.parametrize(
    "other",
    [
        replace(FERRY, guid="ferry-2", title="Ferry sinks"),
        replace(FERRY, guid="ferry-2", url="https://harbour.example/ferry-2"),
    ],
    ids=["same link, other title", "same title, other link"],
)
def test_another_guid_with_another_link_or_title_is_another_item(other: Item) -> None:
    assert not set(item_keys(FERRY)) & set(item_keys(other))


def test_a_guid_is_blind_to_its_scheme() -> None:
    secure = replace(FERRY, guid="https://harbour.example/?p=1")

    assert item_keys(secure)[0] == item_keys(replace(FERRY, guid="http://harbour.example/?p=1"))[0]
    assert item_keys(secure)[0] != item_keys(replace(FERRY, guid="https://harbour.example/?p=2"))[0]


def test_without_guid_and_link_title_and_date_are_left() -> None:
    bare = replace(FERRY, guid=None, url=None)

    (key,) = item_keys(bare)

    assert key.startswith("title:")
    assert item_keys(replace(bare, published_at=NOW)) != (key,)


def test_untitled_entries_of_one_page_differ_by_their_text() -> None:
    one = replace(FERRY, guid=None, title="", summary="Line 1 is delayed")

    assert item_keys(one) != item_keys(replace(one, summary="Line 2 is delayed"))


@settings(deadline=None)
@given(
    st.builds(
        Item,
        feed_id=st.just(FeedId("f")),
        title=st.text(),
        guid=st.none() | st.text(),
        url=st.none() | urls,
        published_at=st.none() | st.just(NOW),
    )
)
def test_each_item_has_a_key_and_all_keys_are_short(item: Item) -> None:
    keys = item_keys(item)

    assert keys
    assert all(key.isascii() and len(key) <= 40 for key in keys)


def test_the_content_hash_ignores_dates_and_sees_each_field() -> None:
    base = content_hash(FERRY)

    assert content_hash(replace(FERRY, published_at=NOW, guid="x", url=None, author="y")) == base
    moved = replace(FERRY, title=FERRY.title + FERRY.summary[0], summary=FERRY.summary[1:])
    assert len({base, content_hash(moved), content_hash(replace(FERRY, content="x"))}) == 3


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


# ---- floods and gaps -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("new", "old", "expected"), [(19, 0, False), (20, 0, True), (20, 19, True), (20, 20, False)]
)
def test_twenty_new_items_and_more_than_half_are_a_flood(new: int, old: int, expected: bool) -> None:
    items = [an_item(number) for number in range(new + old)]

    assert is_flood(sort(*items, known=remembered(*items[new:]))) is expected
