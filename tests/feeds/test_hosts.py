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
