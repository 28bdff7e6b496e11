"""When trouble with polling has begun, when it is over, and how it is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.health import (
    GOOD_POLLS,
    FeedHealth,
    HostHealth,
    HouseHealth,
    Judgement,
    Sight,
    judge,
    silence_allowed,
    troubles_of,
)
from bot.core.health_notices import MAX_TROUBLES, begun_message, ended_message
from bot.core.typeset import MAX_UNITS, units
from bot.i18n import LANGUAGES, texts
from bot.model import FeedId, PauseReason, PollReason, Trouble, TroubleKind, TroubleScope

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def a_feed(name: str = "herald", **facts: object) -> FeedHealth:
    """Return a feed that fares well; name only what matters."""
    feed = FeedHealth(
        id=FeedId(name),
        host=f"{name}.example",
        reason=PollReason.FETCHED,
        added_at=NOW - 100 * DAY,
        last_ok_at=NOW - MINUTE,
        news_at=NOW - HOUR,
    )
    return replace(feed, **facts)  # type: ignore[arg-type]  # facts of a FeedHealth


def failing(
    ago: timedelta, reason: PollReason = PollReason.TEMPORARY, name: str = "herald", **facts: object
) -> FeedHealth:
    """Return a feed that has failed for that long."""
    told = {"failures": 5, "error": "HTTP 500", "last_ok_at": NOW - ago - HOUR, **facts}
    return a_feed(name, reason=reason, failing_since=NOW - ago, **told)


def a_host(failing: int, feeds: int = 5, ago: timedelta = HOUR, **facts: object) -> HostHealth:
    """Return a host of which that many feeds have failed for that long."""
    host = HostHealth(
        host="herald.example", feeds=feeds, failing=failing, since=NOW - ago, ok_at=NOW - ago - MINUTE
    )
    return replace(host, **facts)  # type: ignore[arg-type]  # facts of a HostHealth


def seen(*feeds: FeedHealth, **facts: object) -> Sight:
    """Return a sight of these feeds."""
    return replace(Sight(feeds=feeds), **facts)  # type: ignore[arg-type]  # facts of a Sight


def a_trouble(kind: TroubleKind, key: str = "herald", ago: timedelta = DAY, detail: str = "") -> Trouble:
    """Return a trouble of a feed."""
    return Trouble(scope=TroubleScope.FEED, key=key, kind=kind, since=NOW - ago, detail=detail)


HOST_DOWN = Trouble(
    scope=TroubleScope.HOST, key="herald.example", kind=TroubleKind.OUTAGE, since=NOW - 2 * HOUR
)
ALL_DOWN = Trouble(scope=TroubleScope.ALL, key="", kind=TroubleKind.OUTAGE, since=NOW - 2 * HOUR)


def kinds(sight: Sight, *lasting: Trouble) -> list[TroubleKind]:
    return [trouble.kind for trouble in troubles_of(sight, lasting, NOW)]


# ---- what is wrong with a feed ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("feed", "kind"),
    [
        (a_feed(), None),
        (failing(23 * HOUR), None),
        (failing(24 * HOUR), TroubleKind.FAILING),
        (failing(24 * HOUR, PollReason.RATE_LIMITED), TroubleKind.FAILING),
        (failing(24 * HOUR, PollReason.GONE), TroubleKind.FAILING),
        (failing(59 * MINUTE, PollReason.REFUSED), None),
        (failing(HOUR, PollReason.REFUSED), TroubleKind.REFUSED),
        (failing(HOUR, PollReason.FORBIDDEN_ADDRESS), TroubleKind.REFUSED),
        (failing(HOUR, PollReason.CHALLENGED), TroubleKind.CHALLENGED),
        (failing(HOUR, PollReason.UNREADABLE), TroubleKind.UNREADABLE),
        (failing(HOUR, PollReason.BROKEN), TroubleKind.FAILING),
        (failing(5 * HOUR, PollReason.UNREADABLE, failures=1), None),
        (failing(24 * HOUR, PollReason.UNREADABLE, failures=1), TroubleKind.FAILING),
        (failing(9 * DAY, PollReason.REFUSED, pause=PauseReason.OPERATOR), None),
        (failing(3 * DAY, PollReason.GONE, pause=PauseReason.GONE), TroubleKind.GONE),
        (a_feed(reason=None, last_ok_at=None, news_at=NOW - 90 * DAY), None),
    ],
    ids=[
        "well",
        "failing for 23 hours",
        "failing for a day",
        "rate limited for a day",
        "410 for a day",
        "refused for 59 minutes",
        "refused for an hour",
        "an address of the LAN",
        "challenged",
        "a web page",
        "a bug of ours",
        "a web page once",
        "a web page once, a day ago",
        "paused by the operator",
        "gone",
        "never polled",
    ],
)
def test_a_failing_feed_is_in_trouble_when_it_will_not_get_well_by_itself(
    feed: FeedHealth, kind: TroubleKind | None
) -> None:
    assert kinds(seen(feed)) == ([kind] if kind else [])


@pytest.mark.parametrize(
    ("quiet", "gap", "is_silent"),
    [
        (7 * DAY, HOUR, True),
        (7 * DAY - MINUTE, HOUR, False),
        (7 * DAY, None, True),
        (49 * DAY, 10 * DAY, False),
        (50 * DAY, 10 * DAY, True),
    ],
    ids=["a week", "almost a week", "no rhythm known", "49 days at a gap of 10", "50 days at a gap of 10"],
)
def test_a_feed_is_silent_after_a_week_and_five_usual_gaps(
    quiet: timedelta, gap: timedelta | None, is_silent: bool
) -> None:
    feed = a_feed(last_ok_at=NOW, news_at=NOW - quiet, median_gap=gap)

    assert kinds(seen(feed)) == ([TroubleKind.SILENT] if is_silent else [])


def test_a_feed_is_not_silent_because_we_were_away() -> None:
    feed = a_feed(last_ok_at=NOW - 30 * DAY, news_at=NOW - 31 * DAY, median_gap=HOUR)

    assert kinds(seen(feed)) == []


def test_a_feed_never_polled_well_is_not_silent() -> None:
    feed = failing(10 * MINUTE, last_ok_at=None, news_at=NOW - 30 * DAY)

    assert kinds(seen(feed)) == []


@pytest.mark.parametrize(
    ("ago", "gaps", "is_missed"),
    [
        (MINUTE, 1, False),
        (10 * MINUTE, 1, True),
        (MINUTE, 2, True),
        (23 * HOUR, 1, True),
        (24 * HOUR, 1, False),
    ],
)
def test_missed_items_are_trouble_for_a_day(ago: timedelta, gaps: int, is_missed: bool) -> None:
    feed = a_feed(gap_at=NOW - ago, gaps=gaps)

    assert kinds(seen(feed)) == ([TroubleKind.MISSED] if is_missed else [])


def test_a_new_address_is_told_once_the_feed_is_a_day_old() -> None:
    url = "https://herald.example/new"

    [old] = troubles_of(seen(a_feed(learned_url=url)), (), NOW)
    new = kinds(seen(a_feed(learned_url=url, added_at=NOW - HOUR)))

    assert (old.kind, old.detail, old.since) == (TroubleKind.MOVED, url, NOW)
    assert new == []


def test_new_addresses_are_told_once_a_day() -> None:
    feed = a_feed(learned_url="https://herald.example/new")

    told = {ago: kinds(seen(feed), a_trouble(TroubleKind.MOVED, "post", ago=ago)) for ago in (23 * HOUR, DAY)}

    assert told == {23 * HOUR: [], DAY: [TroubleKind.MOVED]}


# ---- hosts and the network --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "is_down"),
    [
        (a_host(3, 5), True),
        (a_host(2, 4), False),
        (a_host(3, 3), True),
        (a_host(2, 2), False),
        (a_host(3, 5, 15 * MINUTE), True),
        (a_host(3, 5, 14 * MINUTE), False),
    ],
    ids=["most", "half", "three of three", "two of two", "for 15 minutes", "for 14 minutes"],
)
def test_a_host_is_down_when_most_of_its_feeds_fail_for_a_while(host: HostHealth, is_down: bool) -> None:
    assert kinds(seen(hosts=(host,))) == ([TroubleKind.OUTAGE] if is_down else [])


def test_feeds_of_a_host_that_is_down_are_not_told_one_by_one() -> None:
    sight = seen(failing(2 * DAY), failing(2 * DAY, name="post"), hosts=(a_host(3, 5),))

    found = troubles_of(sight, (), NOW)

    assert [one.key for one in found] == ["herald.example", "post"]


def test_a_host_that_is_down_hides_nothing_but_failures() -> None:
    feed = a_feed(gap_at=NOW - HOUR)

    assert kinds(seen(feed), HOST_DOWN) == [TroubleKind.MISSED]


@pytest.mark.parametrize(
    ("house", "is_down"),
    [
        (HouseHealth(hosts=9, in_vain=3, in_vain_since=NOW - 10 * MINUTE), True),
        (HouseHealth(hosts=9, in_vain=3, in_vain_since=NOW - 9 * MINUTE), False),
        (HouseHealth(hosts=9, in_vain=2, in_vain_since=NOW - DAY), False),
        (HouseHealth(hosts=9, down=5, down_since=NOW - HOUR, polled=6, polled_down=4), True),
        (HouseHealth(hosts=10, down=5, down_since=NOW - HOUR, polled=6, polled_down=4), False),
        (HouseHealth(hosts=9, down=5, down_since=NOW - HOUR, polled=6, polled_down=3), False),
        (HouseHealth(hosts=3, down=2, down_since=NOW - HOUR, polled=3, polled_down=2), False),
    ],
    ids=[
        "nothing was good for ten minutes",
        "nothing was good for nine minutes",
        "two hosts are few",
        "most hosts",
        "half of the hosts",
        "most hosts, but not of those asked of late",
        "two of three",
    ],
)
def test_the_network_is_down_when_most_hosts_are(house: HouseHealth, is_down: bool) -> None:
    sight = seen(failing(2 * DAY), hosts=(a_host(5),), house=house)

    scopes = [trouble.scope for trouble in troubles_of(sight, (), NOW)]

    assert scopes == [TroubleScope.ALL if is_down else TroubleScope.HOST]


# ---- begun, lasting, over ---------------------------------------------------------------------


def test_what_is_known_does_not_begin_again() -> None:
    sight = seen(failing(2 * DAY))

    first = judge(sight, (), NOW)
    again = judge(sight, first.begun, NOW + MINUTE)

    assert [one.kind for one in first.begun] == [TroubleKind.FAILING]
    assert again == Judgement(lasting=first.begun)


def test_another_kind_of_failure_is_the_same_trouble_still() -> None:
    known = a_trouble(TroubleKind.FAILING)

    assert judge(seen(failing(2 * DAY, PollReason.REFUSED)), [known], NOW) == Judgement(lasting=(known,))


def test_what_ripens_within_ten_minutes_is_told_together() -> None:
    feeds = [failing(HOUR - delay * MINUTE, PollReason.REFUSED, f"feed{delay}") for delay in (0, 4, 10, 11)]

    assert judge(seen(*feeds[1:]), (), NOW).begun == ()
    begun = judge(seen(*feeds), (), NOW).begun
    assert [one.key for one in begun] == ["feed0", "feed4", "feed10"]


def test_a_flood_is_told_after_ten_minutes_or_with_something_else() -> None:
    flood = a_trouble(TroubleKind.FLOOD, ago=5 * MINUTE, detail="40/50")
    feed = a_feed(flood_at=NOW - 5 * MINUTE)

    assert judge(seen(feed), [flood], NOW) == Judgement(lasting=(flood,))
    assert judge(seen(feed), [flood], NOW + 5 * MINUTE) == Judgement(begun=(flood,))
    begun = judge(seen(feed, failing(2 * DAY, name="post")), [flood], NOW).begun
    assert [one.kind for one in begun] == [TroubleKind.FAILING, TroubleKind.FLOOD]


def test_a_flood_that_was_told_lasts_until_a_day_after_the_last_one() -> None:
    told = a_trouble(TroubleKind.FLOOD, ago=3 * DAY)
    feed = a_feed(flood_at=NOW - 23 * HOUR)

    assert judge(seen(feed), [told], NOW) == Judgement(lasting=(told,))
    assert judge(seen(feed), [told], NOW + HOUR) == Judgement(ended=(told,))


def test_a_flood_that_nobody_was_told_of_waits_however_old_it_is() -> None:
    flood = a_trouble(TroubleKind.FLOOD, ago=3 * DAY, detail="40/50")

    assert judge(seen(a_feed()), [flood], NOW) == Judgement(begun=(flood,))


@pytest.mark.parametrize("detail", ["40/50", ""], ids=["not told", "told"])
def test_the_flood_of_a_feed_that_was_paused_or_removed_is_dropped(detail: str) -> None:
    flood = a_trouble(TroubleKind.FLOOD, ago=HOUR, detail=detail)
    paused = a_feed(pause=PauseReason.OPERATOR, flood_at=NOW - HOUR)

    assert judge(seen(paused), [flood], NOW) == Judgement(dropped=(flood,))
    assert judge(seen(), [flood], NOW) == Judgement(dropped=(flood,))


OVER, LASTS, DROPPED = "over", "lasts", "dropped"


def fate(trouble: Trouble, sight: Sight) -> str:
    found = judge(sight, [trouble], NOW)
    fates = {OVER: found.ended, LASTS: found.lasting, DROPPED: found.dropped}
    [name] = [name for name, some in fates.items() if trouble in some]
    return name


@pytest.mark.parametrize(
    ("kind", "feed", "expected"),
    [
        (TroubleKind.FAILING, a_feed(), OVER),
        (TroubleKind.FAILING, failing(2 * DAY), LASTS),
        (TroubleKind.REFUSED, failing(MINUTE), LASTS),
        (TroubleKind.REFUSED, a_feed(reason=PollReason.REFUSED), LASTS),
        (TroubleKind.FAILING, failing(3 * DAY, PollReason.GONE, pause=PauseReason.GONE), DROPPED),
        (TroubleKind.FAILING, failing(3 * DAY, pause=PauseReason.OPERATOR), DROPPED),
        (TroubleKind.GONE, failing(3 * DAY, PollReason.GONE, pause=PauseReason.GONE), LASTS),
        (TroubleKind.GONE, a_feed(reason=PollReason.GONE), LASTS),
        (TroubleKind.GONE, a_feed(), OVER),
        (TroubleKind.SILENT, a_feed(news_at=NOW - 8 * DAY), LASTS),
        (TroubleKind.SILENT, failing(HOUR, news_at=NOW - 9 * DAY), LASTS),
        (TroubleKind.SILENT, a_feed(), OVER),
        (TroubleKind.MISSED, a_feed(gap_at=NOW - 23 * HOUR), LASTS),
        (TroubleKind.MISSED, a_feed(gap_at=NOW - 24 * HOUR), OVER),
        (TroubleKind.MOVED, a_feed(learned_url="https://new.example/"), LASTS),
        (TroubleKind.MOVED, a_feed(), OVER),
    ],
    ids=lambda value: value.value if isinstance(value, TroubleKind) else "",
)
def test_a_feeds_trouble_is_over_when_its_cause_is(
    kind: TroubleKind, feed: FeedHealth, expected: str
) -> None:
    assert fate(a_trouble(kind), seen(feed)) == expected


def test_the_trouble_of_a_removed_feed_is_dropped_without_a_word() -> None:
    assert fate(a_trouble(TroubleKind.FAILING), seen()) == DROPPED


def test_a_feed_is_well_only_after_half_an_hour_without_a_failed_poll() -> None:
    sight = seen(a_feed(), restless={FeedId("herald"): "herald.example"})

    assert fate(a_trouble(TroubleKind.FAILING), sight) == LASTS


def test_a_host_is_back_when_it_answers_and_none_of_its_feeds_failed_of_late() -> None:
    down, back = a_host(5, ago=2 * HOUR), a_host(0, ok_at=NOW - MINUTE, since=None)
    herald, post = FeedId("herald"), FeedId("post")

    assert fate(HOST_DOWN, seen(hosts=(down,))) == LASTS
    assert fate(HOST_DOWN, seen(hosts=(back,))) == OVER
    assert fate(HOST_DOWN, seen(hosts=(back,), restless={herald: "herald.example"})) == LASTS
    assert fate(HOST_DOWN, seen(hosts=(back,), restless={post: "post.example"})) == OVER
    assert fate(HOST_DOWN, seen()) == DROPPED


def test_a_feed_with_a_trouble_of_its_own_keeps_no_host_down() -> None:
    own = a_trouble(TroubleKind.REFUSED)
    sight = seen(
        failing(2 * DAY, PollReason.REFUSED),
        hosts=(a_host(1, ok_at=NOW - MINUTE),),
        restless={FeedId("herald"): "herald.example"},
    )

    found = judge(sight, [own, HOST_DOWN], NOW)

    assert (found.ended, found.lasting) == ((HOST_DOWN,), (own,))


def test_the_network_is_back_when_three_quarters_of_those_asked_answer() -> None:
    back = HouseHealth(hosts=40, polled=8, polled_down=2, ok_at=NOW - MINUTE)

    assert fate(ALL_DOWN, seen(house=back)) == OVER
    assert fate(ALL_DOWN, seen(house=replace(back, polled_down=3))) == LASTS
    assert fate(ALL_DOWN, seen(house=replace(back, ok_at=NOW - DAY))) == LASTS
    assert fate(ALL_DOWN, seen()) == DROPPED


def test_while_the_network_is_down_no_host_or_feed_begins_to_fail() -> None:
    house = HouseHealth(hosts=9, polled=9, polled_down=9, in_vain=9, in_vain_since=NOW - 2 * HOUR)
    sight = seen(failing(2 * DAY), hosts=(a_host(5),), house=house)

    assert judge(sight, [ALL_DOWN], NOW) == Judgement(lasting=(ALL_DOWN,))


def test_what_still_fails_when_its_outage_is_over_is_not_told_in_the_same_breath() -> None:
    sight = seen(failing(2 * DAY, host="herald.example"), hosts=(a_host(0, ok_at=NOW - MINUTE, since=None),))

    found = judge(sight, [HOST_DOWN], NOW)

    assert (found.ended, found.begun) == ((HOST_DOWN,), ())


ages = st.sampled_from([MINUTE, 30 * MINUTE, HOUR, 5 * HOUR, 23 * HOUR, DAY, 3 * DAY, 9 * DAY, 80 * DAY])
moments = ages.map(lambda age: NOW - age) | st.none()
some_feeds = st.builds(
    FeedHealth,
    id=st.sampled_from([FeedId("a"), FeedId("b"), FeedId("c")]),
    host=st.sampled_from(["a.example", "b.example"]),
    pause=st.sampled_from([None, None, *PauseReason]),
    reason=st.sampled_from([None, *PollReason]),
    failures=st.integers(0, 9),
    failing_since=moments,
    last_ok_at=moments,
    news_at=moments,
    median_gap=ages | st.none(),
    gap_at=moments,
    gaps=st.integers(0, 3),
    learned_url=st.sampled_from([None, "https://new.example/"]),
)
some_hosts = st.builds(
    a_host,
    failing=st.integers(0, 6),
    feeds=st.just(6),
    ago=ages,
    host=st.sampled_from(["a.example", "b.example"]),
)
some_houses = st.builds(
    HouseHealth,
    hosts=st.just(9),
    down=st.integers(0, 9),
    down_since=moments,
    polled=st.integers(0, 9),
    polled_down=st.integers(0, 9),
    ok_at=moments,
    in_vain=st.integers(0, 9),
    in_vain_since=moments,
)
sights = st.builds(
    Sight,
    feeds=st.lists(some_feeds, max_size=3, unique_by=lambda feed: feed.id).map(tuple),
    hosts=st.lists(some_hosts, max_size=2, unique_by=lambda host: host.host).map(tuple),
    house=some_houses,
)


@given(sights)
def test_of_one_sight_all_is_told_at_once(sight: Sight) -> None:
    first = judge(sight, (), NOW)

    assert judge(sight, first.begun, NOW).begun == ()


@given(sights, sights)
def test_every_trouble_has_one_fate(before: Sight, after: Sight) -> None:
    known = judge(before, (), NOW).begun

    found = judge(after, known, NOW + HOUR)

    fates = [*found.ended, *found.dropped, *found.lasting]
    assert sorted(map(repr, fates)) == sorted(map(repr, known))
    kept = {(one.scope, one.key, one.kind) for one in found.lasting}
    assert not kept & {(one.scope, one.key, one.kind) for one in found.begun}


@given(some_feeds.filter(lambda feed: feed.reason in GOOD_POLLS and feed.failing_since is None))
def test_a_feed_that_is_polled_well_does_not_fail(feed: FeedHealth) -> None:
    assert set(kinds(seen(feed))) <= {
        TroubleKind.GONE,
        TroubleKind.SILENT,
        TroubleKind.MISSED,
        TroubleKind.MOVED,
    }


@given(ages | st.none())
def test_silence_is_allowed_for_a_week_at_least(gap: timedelta | None) -> None:
    assert silence_allowed(gap) >= max(7 * DAY, 5 * (gap or timedelta(0)))


# ---- how it is told ---------------------------------------------------------------------------


def test_a_message_says_what_since_when_what_the_server_said_and_what_to_do() -> None:
    refused = a_trouble(TroubleKind.REFUSED, ago=2 * HOUR, detail="HTTP 404 <none>")

    message = begun_message([refused], {"herald": "The Herald"}, texts("en"))

    assert message.plain == (
        "⚠️ Trouble with feeds\n\n"
        "Refused\n"
        "• The Herald herald, since Nov 22, 2026, 10:00 AM UTC: HTTP 404 <none>\n"
        "The address is wrong, or wants a log-in. Correct it, or remove the feed."
    ).replace("10:00 AM", "10:00\u202fAM")
    assert "HTTP 404 &lt;none&gt;" in message.html


def test_troubles_of_one_kind_share_their_advice_and_the_worst_come_first() -> None:
    some = [
        a_trouble(TroubleKind.MOVED, "a", detail="https://a.example/"),
        a_trouble(TroubleKind.SILENT, "b"),
        a_trouble(TroubleKind.SILENT, "c"),
        HOST_DOWN,
    ]

    plain = begun_message(some, {}, texts("de")).plain

    assert plain.index("Server gestört") < plain.index("Verstummt") < plain.index("Umgezogen")
    assert plain.count("Verstummt") == 1
    assert "• a: https://a.example/" in plain


def test_a_message_names_ten_and_counts_the_rest() -> None:
    some = [a_trouble(TroubleKind.SILENT, f"feed{number:02}") for number in range(23)]

    for message in (begun_message(some, {}, texts("en")), ended_message(some, {}, texts("en"))):
        assert message.plain.count("• ") == MAX_TROUBLES
        assert message.plain.endswith("and 13 more")


def test_the_end_names_what_is_over() -> None:
    plain = ended_message([ALL_DOWN, a_trouble(TroubleKind.MISSED)], {}, texts("en")).plain

    assert plain.startswith("✅ Over\n\n• all hosts: Hardly any host answers (since ")
    assert "• herald: Items missed (since " in plain


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_longest_message_fits(language: str) -> None:
    long = "<&>" * 200
    some = [a_trouble(kind, key=f"{kind}{long}", detail=long) for kind in TroubleKind]
    some += [ALL_DOWN]
    outlets = {one.key: long for one in some}

    for told, words in product((begun_message, ended_message), (texts(language),)):
        message = told(some, outlets, words)
        assert units(message.plain) <= MAX_UNITS
        assert message.html.count("<b>") + message.html.count("<code>") <= 100
