"""Which items are the same, and what is new in a poll."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.core.identity import (
    canonical_url,
    content_hash,
    item_keys,
    key_keep_for,
    redact_url,
)
from bot.model import FeedId, Item

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
FERRY = Item(
    feed_id=FeedId("harbour"),
    title="Ferry returns",
    summary="After a summer in the dock.",
    url="https://harbour.example/ferry",
    guid="ferry-1",
    published_at=NOW - timedelta(hours=2),
)


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


hosts = st.from_regex(r"[a-z0-9.-]{1,12}\.[a-z]{1,3}", fullmatch=True)
paths = st.lists(st.sampled_from(["", ".", "..", "a", "A-b_c~d", "a.b", "..a", "-", "~", "%41", "ä", "a b"]))
names = [
    "id",
    "a",
    "a-b",
    "a.b",
    "A",
    "ref",
    "from",
    "utm_source",
    "Utm_X",
    "fbclid",
    "",
    "ä",
    "%41",
    "a+b",
    ".",
]
values = ["7", "", "rss", "Twitter", "a.b", "..", "~-_", "/.", "%41", "%2f", "a+b", "ä", "=", "a=b", ":", ";"]
queries = st.lists(st.tuples(st.sampled_from(names), st.sampled_from(["", "="]), st.sampled_from(values)))


@settings(deadline=None, max_examples=400)
@example("https", "x.example", [], [("a-b", "=", "1"), ("a", "=", "1")])  # "-" sorts before "="
@example("https", "x.example", ["a"], [("id", "=", "/.")])
@given(st.sampled_from(["http", "https"]), hosts, paths, queries | st.just([]))
def test_a_plain_address_is_read_as_any_other(
    scheme: str, host: str, path: list[str], query: list[tuple[str, str, str]]
) -> None:
    plain = f"{scheme}://{host}/{'/'.join(path)}"
    if query:
        plain += "?" + "&".join(map("".join, query))

    assert canonical_url(plain) == canonical_url(f"{plain}#")


# Databases hold such keys for months; another spelling would make all that is known new.
@pytest.mark.parametrize(
    ("item", "keys"),
    [
        (FERRY, ["guid:62c260151a96d82679586fc87d932fb3", "link:2e3170dd1cc203592dc1b1b49b073e30"]),
        (replace(FERRY, guid=None, url=None), ["title:ac0f776838cd358f5ea1a1336740d9fd"]),
        (
            replace(FERRY, guid=None, url="https://harbour.example/ferry?utm_source=rss&id=7&a-b=1&a=2"),
            ["link:7275bc170e5ae8cfc481ab3fe9f3d4c3"],
        ),
    ],
    ids=["guid and link", "title and date", "a link with a query"],
)
def test_keys_stay_as_they_were_written(item: Item, keys: list[str]) -> None:
    assert list(item_keys(item)) == keys
    assert content_hash(item) == "35c187e75f05f78e7deacf7eb58af3c5"


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


# ---- how long keys live --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("window", "expected"),
    [(None, 90), (timedelta(0), 90), (timedelta(days=22), 90), (timedelta(days=30), 120)],
)
def test_keys_live_ninety_days_or_four_windows(window: timedelta | None, expected: int) -> None:
    assert key_keep_for(window) == timedelta(days=expected)
