"""Manners towards hosts."""

from __future__ import annotations

import asyncio

import pytest

from bot.core.hosts import host_key
from bot.feeds.hosts import HostBusy, HostTurns


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("feeds.bbci.co.uk", "bbci.co.uk"),
        ("WWW.Example.COM.", "example.com"),
        ("a.b.example.com", "example.com"),
        ("one.github.io", "one.github.io"),
        ("com", "com"),
        ("localhost", "localhost"),
        ("192.168.1.1", "192.168.1.1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("xn--mnchen-3ya.de", "xn--mnchen-3ya.de"),
        ("", ""),
    ],
)
def test_those_who_share_a_registrable_domain_share_its_turns(host: str, key: str) -> None:
    assert host_key(host) == key


class Patience:
    def __init__(self) -> None:
        self.now_s = 0.0

    def monotonic(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.now_s += seconds


@pytest.fixture
def patience() -> Patience:
    return Patience()


@pytest.fixture
def turns(patience: Patience) -> HostTurns:
    return HostTurns(2.0, 60.0, patience.monotonic, patience.sleep)


async def test_turns_come_one_at_a_time_in_order_and_apart(turns: HostTurns, patience: Patience) -> None:
    log: list[tuple[str, int, float]] = []

    async def visit(number: int) -> None:
        async with turns.turn("x.example"):
            log.append(("in", number, patience.now_s))
            await asyncio.sleep(0)
            patience.now_s += 1
            log.append(("out", number, patience.now_s))

    await asyncio.gather(*(visit(number) for number in range(3)))

    assert log == [("in", 0, 0), ("out", 0, 1), ("in", 1, 3), ("out", 1, 4), ("in", 2, 6), ("out", 2, 7)]


async def test_hosts_do_not_wait_for_each_other(turns: HostTurns, patience: Patience) -> None:
    async with turns.turn("x.example"), turns.turn("y.example"):
        pass

    assert patience.now_s == 0


async def test_a_host_that_asked_for_a_pause_is_left_alone(turns: HostTurns, patience: Patience) -> None:
    turns.pause("x.example", 600)

    with pytest.raises(HostBusy) as caught:
        async with turns.turn("x.example"):
            pass
    patience.now_s += 595
    async with turns.turn("x.example"):
        pass

    assert caught.value.wait_s == 600
    assert patience.now_s == 600


async def test_a_pause_that_begins_while_waiting_is_noticed(turns: HostTurns) -> None:
    async def first() -> None:
        async with turns.turn("x.example"):
            await asyncio.sleep(0)
            turns.pause("x.example", 600)

    async def second() -> None:
        async with turns.turn("x.example"):
            raise AssertionError("the host was asked")

    results = await asyncio.gather(first(), second(), return_exceptions=True)

    assert isinstance(results[1], HostBusy)


async def test_an_error_inside_gives_the_turn_back(turns: HostTurns) -> None:
    with pytest.raises(ZeroDivisionError):
        async with turns.turn("x.example"):
            raise ZeroDivisionError

    async with turns.turn("x.example"):
        pass


async def test_who_is_sent_away_is_told_a_time_of_their_own(patience: Patience) -> None:
    turns = HostTurns(2.0, 60.0, patience.monotonic, patience.sleep)
    asked: list[float] = []

    async def visit() -> None:
        async with turns.turn("x.example"):
            asked.append(patience.now_s)

    results = await asyncio.gather(*(visit() for _ in range(100)), return_exceptions=True)

    busy = [result.wait_s for result in results if isinstance(result, HostBusy)]
    assert asked == [2.0 * number for number in range(31)]
    assert busy == [62.0 + 2.0 * number for number in range(69)]


async def test_after_a_pause_each_who_was_sent_away_has_a_time_of_their_own(
    turns: HostTurns, patience: Patience
) -> None:
    turns.pause("x.example", 600)

    async def visit() -> None:
        async with turns.turn("x.example"):
            raise AssertionError("the host was asked")

    results = await asyncio.gather(*(visit() for _ in range(3)), return_exceptions=True)
    patience.now_s += 650

    assert [result.wait_s for result in results if isinstance(result, HostBusy)] == [600, 602, 604]
    async with turns.turn("x.example"):
        pass


async def test_nobody_waits_longer_than_the_longest_wait_in_all(turns: HostTurns, patience: Patience) -> None:
    asked: list[float] = []

    async def visit() -> None:
        async with turns.turn("x.example"):
            asked.append(patience.now_s)
            turns.pause("x.example", 25)

    results = await asyncio.gather(*(visit() for _ in range(10)), return_exceptions=True)

    assert asked == [0, 25, 50]
    assert [round(result.wait_s) for result in results if isinstance(result, HostBusy)] == [
        25 + 2 * number for number in range(7)
    ]


async def test_who_gives_up_waiting_leaves_the_queue(turns: HostTurns, patience: Patience) -> None:
    async def visit() -> None:
        async with turns.turn("x.example"):
            pass

    async with turns.turn("x.example"):
        waiting = [asyncio.create_task(visit()) for _ in range(29)]
        await asyncio.sleep(0)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    await asyncio.gather(*(visit() for _ in range(30)))

    assert patience.now_s == 60


async def test_who_gives_up_while_its_turn_is_near_hands_it_on(patience: Patience) -> None:
    asleep = asyncio.Event()

    async def sleep(seconds: float) -> None:
        asleep.set()
        await asyncio.Event().wait()

    turns = HostTurns(2.0, 60.0, patience.monotonic, sleep)

    async def visit() -> None:
        async with turns.turn("x.example"):
            pass

    await visit()
    waiting = asyncio.create_task(visit())
    await asleep.wait()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    patience.now_s += 2

    await visit()


async def test_hosts_that_rest_are_forgotten_and_pauses_are_not(turns: HostTurns, patience: Patience) -> None:
    turns.pause("paused.example", 600)
    for number in range(10_000):
        turns.pause(f"{number}.example", 0)
    patience.now_s += 1

    async with turns.turn("another.example"):
        pass

    with pytest.raises(HostBusy):
        async with turns.turn("paused.example"):
            pass
