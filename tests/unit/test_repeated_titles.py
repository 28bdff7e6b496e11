"""Titles that come again and again, and which of them are news."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.model import Item
from tests.unit.one_feed import DAY, FEED, HOUR, NOW, House, at, copy_of, edited, told


def a_report(day: int, *, is_dated: bool = True, title: str = "Market report") -> Item:
    return Item(
        feed_id=FEED.id,
        title=title,
        summary=f"Bananas cost {100 + day}.",
        url=f"https://harbour.example/market/{day}",
        guid=f"market-{day}",
        published_at=NOW + day * DAY - HOUR if is_dated else None,
    )


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize(
    "kind",
    [
        {},
        {"summary": ""},
        {"summary": "", "hours": 0},
    ],
    ids=["with text", "title alone", "the day alone"],
)
def test_a_title_that_comes_again_is_news_each_time(size: int, kind: dict[str, object]) -> None:
    house = House()

    def report(day: int) -> Item:
        one = a_report(day)
        date = NOW.replace(hour=0) + day * DAY if "hours" in kind else one.published_at
        return replace(one, summary=str(kind.get("summary", one.summary)), published_at=date)

    news = 0
    for day in range(0, 10 * size, size):  # each poll is all new
        found = house.poll([report(each) for each in range(day, day - size, -1)], NOW + day * DAY)
        assert edited(found) == []
        news += len(told(found))

    assert news == 9 * size


@pytest.mark.parametrize("size", [1, 2])
def test_an_undated_title_that_comes_again_alone_is_news(size: int) -> None:
    house = House()

    news = [
        len(
            told(
                house.poll(
                    [a_report(each, is_dated=False) for each in range(day, day + size)], NOW + day * DAY
                )
            )
        )
        for day in range(0, 10 * size, size)
    ]

    assert news == [0, *[size] * 9]


def test_an_undated_title_that_comes_again_among_others_is_news() -> None:
    house = House()
    house.poll([a_report(0, is_dated=False), *copy_of(0, 9, is_dated=False)], NOW)

    found = house.poll([a_report(1, is_dated=False), *copy_of(9, 9, is_dated=False)], at(9))

    assert len(told(found)) == 10


def test_reports_of_one_title_that_move_are_neither_news_nor_edits() -> None:
    reports = [a_report(-day) for day in range(10)]
    house = House()
    house.poll(reports, NOW)

    moved = [replace(item, url=f"https://port.example/{item.guid}", guid=None) for item in reports]
    first = house.poll(moved, NOW + DAY)
    second = house.poll([a_report(2), *moved[:-1]], NOW + 2 * DAY)

    assert (told(first), edited(first)) == ([], [])
    assert (told(second), edited(second)) == (["Market report"], [])
