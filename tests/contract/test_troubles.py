"""What every store promises of troubles with polling; today SQLite, in a file of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.health import FeedHealth, Sight
from bot.core.health_summary import Summary
from bot.core.schedule import NextPollReason, PollDecision
from bot.model import (
    Address,
    ChatKind,
    Feed,
    FeedId,
    Message,
    PauseReason,
    PollReason,
    PollState,
    Trouble,
    TroubleKind,
    TroubleScope,
)
from bot.ports import Notice, PollOutcome
from bot.store import SqlStore, open_store
from tests.clock import START, FakeClock

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
OLGA = 71
GOOD, BAD = PollReason.FETCHED, PollReason.TEMPORARY
HOST_DOWN = Trouble(scope=TroubleScope.HOST, key="wire.example", kind=TroubleKind.OUTAGE, since=START)
ALL_DOWN = Trouble(scope=TroubleScope.ALL, key="", kind=TroubleKind.OUTAGE, since=START)
SICK = Trouble(
    scope=TroubleScope.FEED, key="a1", kind=TroubleKind.FAILING, since=START, detail="HTTP 500 <&>"
)


def a_notice(subject: str = "health begun 1", operator: int = OLGA) -> Notice:
    return Notice(telegram_id=operator, subject=subject, state="x", message=Message(html="x", plain="x"))


class Polled:
    """A store with the feeds a1 to a5 of wire.example and b1, c1, d1 of hosts of their own, and a clock."""

    def __init__(self, store: SqlStore, clock: FakeClock) -> None:
        self.store = store
        self.clock = clock

    async def begin(self) -> None:
        wire = [Feed(id=FeedId(f"a{n}"), url=f"https://a{n}.wire.example/feed") for n in range(1, 6)]
        others = [Feed(id=FeedId(f"{x}1"), url=f"https://{x}.example/feed", outlet=x.upper()) for x in "bcd"]
        feeds = wire + others
        await self.store.sync_feeds(feeds, [self.clock.now()] * len(feeds), self.clock.now())

    async def poll(
        self,
        reasons: Mapping[str, PollReason],
        *,
        pause: PauseReason | None = None,
        seen: tuple[int, int] | None = None,
        **state: object,
    ) -> None:
        """Let these feeds have been polled, with these outcomes, and leave the others alone.

        Args:
            seen: How many items were new, and how many there were; None: no body was read.
        """
        new, items = seen or (None, None)
        now = self.clock.now()
        due = await self.store.claim_feeds(now, HOUR, 100, unpolled_since=now + DAY)
        outcomes = []
        for one in due:
            if reason := reasons.get(one.feed.id):
                fresh = self._after(one.state, reason, state)
                decision = PollDecision(
                    state=fresh,
                    next_poll_at=now + HOUR,
                    reason=reason,
                    why=NextPollReason.INTERVAL,
                    pause=pause,
                )
                error = None if reason is GOOD else f"{one.feed.id} fails"
                outcomes.append(PollOutcome(due=one, decision=decision, error=error, items=items, new=new))
        async with self.store.polling() as transaction:
            await transaction.save_polls(outcomes, now)
        await self.store.release_feeds([one for one in due if one.feed.id not in reasons])

    def _after(self, before: PollState, reason: PollReason, state: Mapping[str, object]) -> PollState:
        now = self.clock.now()
        if reason is GOOD:
            fresh = replace(before, failures=0, failing_since=None, last_ok_at=now)
        else:
            fresh = replace(before, failures=before.failures + 1, failing_since=before.failing_since or now)
        return replace(fresh, **state)  # type: ignore[arg-type]  # fields of a PollState

    async def sight(self, *known: Trouble) -> Sight:
        return await self.store.sight(known, self.clock.now())

    async def feed(self, name: str, *known: Trouble) -> FeedHealth | None:
        return next((one for one in (await self.sight(*known)).feeds if one.id == name), None)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path / 'topicwire.db'}"


@pytest.fixture
async def house(url: str) -> AsyncIterator[Polled]:
    clock = FakeClock()
    store, _ = await open_store(url, clock)
    house = Polled(store, clock)
    await house.begin()
    yield house
    await store.close()


def every(reason: PollReason, *names: str) -> dict[str, PollReason]:
    return dict.fromkeys(names or ("a1", "a2", "a3", "a4", "a5", "b1", "c1", "d1"), reason)


WIRE = ("a1", "a2", "a3", "a4", "a5")


# ---- feeds ------------------------------------------------------------------------------------


async def test_feeds_that_fare_well_are_not_even_read(house: Polled) -> None:
    assert (await house.sight()).feeds == ()
    await house.poll(every(GOOD), last_new_at=house.clock.now())

    assert (await house.sight()).feeds == ()


async def test_a_feed_that_failed_for_a_day_is_seen_with_all_that_is_known_of_it(house: Polled) -> None:
    await house.poll({"b1": GOOD})
    house.clock.advance(HOUR)
    await house.poll({"b1": BAD})
    house.clock.advance(DAY - 11 * MINUTE)
    assert await house.feed("b1") is None
    house.clock.advance(11 * MINUTE)

    assert await house.feed("b1") == FeedHealth(
        id=FeedId("b1"),
        host="b.example",
        outlet="B",
        added_at=START,
        reason=BAD,
        error="b1 fails",
        failures=1,
        failing_since=START + HOUR,
        last_ok_at=START,
        news_at=START,
    )


async def test_a_refused_feed_is_seen_after_two_polls_and_an_hour(house: Polled) -> None:
    await house.poll({"b1": PollReason.REFUSED})
    house.clock.advance(HOUR)
    assert await house.feed("b1") is None

    await house.poll({"b1": PollReason.REFUSED})

    assert await house.feed("b1") is not None


async def test_gone_missed_and_moved_feeds_are_seen(house: Polled) -> None:
    await house.poll({"b1": PollReason.GONE}, pause=PauseReason.GONE)
    await house.poll({"c1": GOOD}, gap_at=house.clock.now(), hurry=2)
    await house.poll({"d1": GOOD}, learned_url="https://user:secret@new.example/feed")

    gone, missed, moved = (await house.sight()).feeds

    assert (gone.id, gone.pause) == ("b1", PauseReason.GONE)
    assert (missed.id, missed.gap_at, missed.gaps) == ("c1", house.clock.now(), 2)
    assert (moved.id, moved.learned_url) == ("d1", "https://***@new.example/feed")


@pytest.mark.parametrize("gap", [None, HOUR, 1.4 * DAY, 2 * DAY, 10 * DAY, 11.2 * DAY, 90 * DAY])
async def test_a_silent_feed_is_seen_in_time_whatever_its_rhythm(
    house: Polled, gap: timedelta | None
) -> None:
    allowed = max(7 * DAY, 5 * (gap or timedelta(0)))
    await house.poll({"b1": GOOD}, median_gap=gap, last_new_at=house.clock.now())
    house.clock.advance(3 * DAY)
    await house.poll({"b1": GOOD})
    assert await house.feed("b1") is None

    house.clock.advance(allowed - 3 * DAY)
    await house.poll({"b1": GOOD})

    assert await house.feed("b1") is not None


async def test_a_removed_feed_is_not_seen_even_if_it_is_in_trouble(house: Polled) -> None:
    await house.poll(every(BAD, *WIRE))
    house.clock.advance(2 * DAY)
    assert await house.feed("a1", SICK) is not None

    await house.store.sync_feeds([], [], house.clock.now())

    assert await house.feed("a1", SICK) is None


async def test_a_feed_in_trouble_is_seen_although_it_fares_well(house: Polled) -> None:
    await house.poll({"a1": GOOD})

    assert await house.feed("a1") is None
    assert await house.feed("a1", SICK) is not None


# ---- hosts ------------------------------------------------------------------------------------


async def test_a_host_is_seen_when_most_of_its_feeds_failed_since_it_last_answered(house: Polled) -> None:
    await house.poll(every(GOOD))
    house.clock.advance(10 * MINUTE)
    await house.poll(every(BAD, "a1", "a2", "b1"))
    assert (await house.sight()).hosts == ()
    house.clock.advance(10 * MINUTE)

    await house.poll(every(BAD, "a3"))

    [host] = (await house.sight()).hosts
    assert (host.host, host.feeds, host.failing) == ("wire.example", 5, 3)
    assert (host.since, host.ok_at, host.error) == (START + 10 * MINUTE, START, "a3 fails")


async def test_feeds_that_failed_before_the_host_answered_another_prove_no_outage(house: Polled) -> None:
    await house.poll(every(BAD, "a1", "a2", "a3"))
    house.clock.advance(MINUTE)

    await house.poll(every(GOOD, "a4"))

    assert (await house.sight()).hosts == ()
    [host] = (await house.sight(HOST_DOWN)).hosts
    assert (host.failing, host.ok_at) == (0, START + MINUTE)


async def test_paused_and_never_polled_feeds_do_not_count(house: Polled) -> None:
    await house.poll(every(BAD, "a1"), pause=PauseReason.GONE)
    await house.poll(every(BAD, "a2", "a3", "a4"))

    [host] = (await house.sight()).hosts

    assert (host.feeds, host.failing, host.ok_at, host.since) == (3, 3, None, START)


async def test_failed_polls_are_remembered_for_half_an_hour_for_what_is_in_trouble(house: Polled) -> None:
    await house.poll(every(BAD, "a1", "a2", "b1"))
    await house.poll(every(GOOD, "a1", "a2", "b1"))
    house.clock.advance(29 * MINUTE)

    assert (await house.sight()).restless == {}
    assert (await house.sight(SICK)).restless == {"a1": "wire.example"}
    assert (await house.sight(HOST_DOWN)).restless == {"a1": "wire.example", "a2": "wire.example"}
    house.clock.advance(MINUTE)
    assert (await house.sight(HOST_DOWN, SICK)).restless == {}


# ---- all hosts --------------------------------------------------------------------------------


async def test_an_empty_house_has_no_hosts(house: Polled) -> None:
    assert (await house.sight()).house.hosts == 0


async def test_hosts_that_failed_since_anything_was_good_are_counted(house: Polled) -> None:
    await house.poll(every(GOOD))
    house.clock.advance(10 * MINUTE)
    await house.poll(every(BAD, "a1", "b1"))
    house.clock.advance(MINUTE)
    await house.poll(every(BAD, "c1"))

    found = (await house.sight()).house

    assert (found.hosts, found.ok_at) == (4, START)
    assert (found.in_vain, found.in_vain_since) == (3, START + 10 * MINUTE)
    assert found.error == "c1 fails"

    await house.poll(every(GOOD, "d1"))

    assert (await house.sight()).house.in_vain == 0


async def test_hosts_that_were_down_before_do_not_make_an_outage_begin_earlier(house: Polled) -> None:
    await house.poll(every(BAD, "b1"))
    house.clock.advance(DAY)
    await house.poll(every(GOOD, *WIRE, "c1", "d1"))
    house.clock.advance(10 * MINUTE)

    await house.poll(every(BAD))

    found = (await house.sight()).house
    assert (found.in_vain, found.in_vain_since) == (4, START + DAY + 10 * MINUTE)


async def test_hosts_that_are_down_are_counted_when_they_are_so_for_ten_minutes(house: Polled) -> None:
    await house.poll(every(GOOD))
    house.clock.advance(HOUR)
    await house.poll(every(BAD, "b1", "c1", "a1", "a2"))
    await house.poll(every(GOOD, "d1"))
    house.clock.advance(9 * MINUTE)
    assert (await house.sight()).house.down == 0
    house.clock.advance(MINUTE)

    found = (await house.sight()).house

    assert (found.down, found.down_since) == (2, START + HOUR)
    assert (found.polled, found.polled_down) == (4, 2)


async def test_only_what_was_polled_since_the_outage_counts_for_its_end(house: Polled) -> None:
    await house.poll(every(BAD, "b1", "c1"))
    house.clock.advance(10 * MINUTE)
    outage = replace(ALL_DOWN, since=house.clock.now())
    house.clock.advance(MINUTE)
    await house.poll(every(GOOD, "d1"))

    assert ((await house.sight()).house.polled, (await house.sight(outage)).house.polled) == (3, 1)
    assert (await house.sight(outage)).house.polled_down == 0


# ---- what is written --------------------------------------------------------------------------


async def test_troubles_are_kept_until_they_are_gone(house: Polled) -> None:
    now = house.clock.now()
    await house.store.replace_troubles([SICK, HOST_DOWN], [], [], now)
    assert set(await house.store.troubles()) == {SICK, HOST_DOWN}

    await house.store.replace_troubles([ALL_DOWN], [SICK], [], now)

    assert set(await house.store.troubles()) == {ALL_DOWN, HOST_DOWN}


async def note_flood(house: Polled, new: int, items: int) -> None:
    async with house.store.polling() as transaction:
        await transaction.note_flood(FeedId("b1"), new, items, house.clock.now())


async def test_a_flood_is_kept_by_its_poll_with_its_share_until_it_is_told(house: Polled) -> None:
    await note_flood(house, 30, 40)
    house.clock.advance(MINUTE)
    await note_flood(house, 25, 40)

    [flood] = await house.store.troubles()

    assert (flood.key, flood.kind, flood.detail, flood.since) == ("b1", TroubleKind.FLOOD, "30/40", START)
    await house.store.replace_troubles([flood], [], [], house.clock.now())
    await note_flood(house, 35, 40)
    assert await house.store.troubles() == [replace(flood, detail="")]
    await house.store.replace_troubles([], [flood], [], house.clock.now())
    assert await house.store.troubles() == []


@pytest.mark.parametrize(
    ("new", "items", "is_flood"), [(20, 39, True), (20, 40, False), (19, 19, False)], ids="{}".format
)
async def test_the_last_flood_of_a_feed_in_trouble_is_found_among_its_polls(
    house: Polled, new: int, items: int, is_flood: bool
) -> None:
    known = replace(SICK, key="b1", kind=TroubleKind.FLOOD, detail="")
    await house.poll(every(GOOD, "b1"), seen=(30, 30))
    house.clock.advance(HOUR)
    last = house.clock.now()
    await house.poll(every(GOOD, "b1"), seen=(new, items))
    house.clock.advance(HOUR)
    await house.poll(every(GOOD, "b1"), seen=(0, items))

    feed = await house.feed("b1", known)
    assert feed is not None and feed.flood_at == (last if is_flood else START)
    house.clock.advance(DAY)
    feed = await house.feed("b1", known)
    assert feed is not None and feed.flood_at is None


async def test_troubles_and_the_word_of_them_are_written_together_or_not_at_all(house: Polled) -> None:
    twice = [a_notice(), a_notice()]

    with pytest.raises(Exception, match="UNIQUE"):
        await house.store.replace_troubles([SICK], [], twice, house.clock.now())

    assert await house.store.troubles() == []
    assert await house.store.due_notices(house.clock.now()) == []


async def test_a_word_of_troubles_is_owed_once_and_leaves_no_trace(house: Polled) -> None:
    now = house.clock.now()
    await house.store.replace_troubles([SICK], [], [a_notice()], now)
    [owed] = await house.store.due_notices(now)
    await house.store.settle_notice(owed, now)
    assert await house.store.due_notices(now) == []

    await house.store.replace_troubles([], [SICK], [a_notice()], now)  # the same subject is free again

    assert len(await house.store.due_notices(now)) == 1


async def test_a_word_that_cannot_be_told_is_given_up_after_a_week(house: Polled) -> None:
    told = {"kind": ChatKind.PRIVATE, "title": "Olga", "language": "en", "now": START}
    chat = await house.store.register_chat(Address(telegram_id=OLGA), **told)  # type: ignore[arg-type]  # facts of a chat
    await house.store.stop_chat(chat.id, START)
    await house.store.replace_troubles([SICK], [], [a_notice("health begun 1")], START)
    rules = a_notice("rules")
    await house.store.owe_notice(rules, START)

    await house.store.replace_troubles([], [SICK], [a_notice("health ended 2")], START + 8 * DAY)

    await house.store.register_chat(Address(telegram_id=OLGA), **told)  # type: ignore[arg-type]  # facts of a chat
    subjects = {notice.subject for notice in await house.store.due_notices(START + 8 * DAY)}
    assert subjects == {"rules", "health ended 2"}


async def test_when_an_outage_is_gone_its_feeds_begin_to_fail_by_themselves(house: Polled) -> None:
    await house.poll(every(BAD))
    house.clock.advance(2 * DAY)
    await house.poll(every(BAD))
    now = house.clock.now()
    assert await house.store.claim_feeds(now, HOUR, 100) == []

    await house.store.replace_troubles([], [HOST_DOWN], [], now)
    assert {one.id for one in (await house.sight()).feeds} == {"b1", "c1", "d1"}
    await house.store.replace_troubles([], [ALL_DOWN], [], now)
    assert (await house.sight()).feeds == ()

    due = await house.store.claim_feeds(now, HOUR, 100)
    assert {(one.state.failures, one.state.failing_since) for one in due} == {(0, now)}
    assert len(due) == 8


async def test_a_few_failing_feeds_are_asked_whether_all_is_well_again(house: Polled) -> None:
    await house.poll(every(GOOD, "a1", "a2", "a3"))
    await house.poll(every(BAD, "b1"))
    house.clock.advance(MINUTE)
    await house.poll(every(BAD, "a4", "a5", "c1", "d1"))
    await house.store.probe(house.clock.now())
    assert await house.store.claim_feeds(house.clock.now(), HOUR, 100) == []
    house.clock.advance(10 * MINUTE)

    await house.store.probe(house.clock.now())

    due = await house.store.claim_feeds(house.clock.now(), HOUR, 100)
    assert len(due) == 3
    assert "b1" in {one.feed.id for one in due}


async def test_outlets_are_found_by_feed(house: Polled) -> None:
    assert await house.store.outlets(["a1", "b1", "d1", "unknown"]) == {"b1": "B", "d1": "D"}


# ---- the whole house --------------------------------------------------------------------------


async def test_a_house_in_which_nothing_happened_has_an_empty_summary(house: Polled) -> None:
    assert await house.store.summary(house.clock.now()) == Summary(live=8, due_since=START)


async def test_a_summary_counts_what_operators_care_for(house: Polled) -> None:
    await house.poll(every(BAD, "a1"))
    house.clock.advance(2 * HOUR)
    await house.poll(every(GOOD, "b1", "c1"))
    await house.poll({"d1": PollReason.GONE}, pause=PauseReason.GONE)
    house.clock.advance(MINUTE)
    await house.poll(every(GOOD, "b1"))
    await house.poll(every(BAD, "c1"))
    now = house.clock.now()
    in_trouble = replace(SICK, key="b1")
    flood = replace(SICK, kind=TroubleKind.FLOOD, detail="")
    await house.store.replace_troubles([in_trouble, HOST_DOWN, flood], [], [], now)
    await house.store.keep_rules("1", {"a.yaml": "x"}, START)

    found = await house.store.summary(now)

    assert (found.live, found.failing, found.paused, found.gone) == (7, 2, 0, 1)
    assert found.polls == {GOOD: 3, BAD: 1, PollReason.GONE: 1}
    assert (found.last_poll_at, found.due_since) == (now, START)
    assert (set(found.troubles), found.outlets) == ({in_trouble, HOST_DOWN, flood}, {"b1": "B"})
    assert (found.rules_since, found.rules_refused) == (START, False)
    assert (found.items, found.owed, found.dead, found.resting) == (0, 0, 0, 0)


async def test_a_summary_tells_that_the_rules_are_refused(house: Polled) -> None:
    await house.store.owe_notice(a_notice("rules"), START)
    assert (await house.store.summary(START)).rules_refused

    await house.store.owe_notice(replace(a_notice("rules"), state=""), START)

    assert not (await house.store.summary(START)).rules_refused
