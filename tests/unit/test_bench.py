"""The benchmarks: that what they compare does its work, and that their rows and bars add up."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from benchmarks.matching import items_of, quickest
from benchmarks.matching_hostile import hostile_texts
from benchmarks.matching_quality import Quality, own_quality, peer_quality
from benchmarks.matching_report import BEGIN, END, Report, as_markdown, bars, read_report, rewrite
from benchmarks.matching_run import (
    FLOORS,
    OURS,
    PLAIN,
    TEXT,
    Job,
    Row,
    measure,
    read_world,
    timed,
    write_world,
)
from benchmarks.peers import PEERS, Peer, Place, Words, plain_term, plain_text
from benchmarks.polling import QUICK, measured
from benchmarks.polling_feeds import ITEMS, SIZE, a_feed
from benchmarks.polling_report import FIRST, NEWS, UNCHANGED, PassRow
from benchmarks.polling_report import Report as PollReport
from benchmarks.polling_report import bars as poll_bars
from benchmarks.polling_run import OURS as POLLER
from benchmarks.polling_run import READER, Took
from benchmarks.said import Said
from benchmarks.topics import Labelled
from bot.core.expressions import AllOf, Leaf, Near
from bot.core.match import DEFAULT_FIELDS, Matcher, TopicRule
from bot.core.terms import read_phrase
from bot.feeds.parse import parse_feed
from bot.model import Feed, FeedId, Item, TopicId

TERMS = [
    Said("Seltene Erden", "de"),
    Said("rare earth", "en"),
    Said("neodym*", ""),
    Said("=RDIF", ""),
    Said("редкоземельный", "ru"),
    Said("稀土", "zh"),
    Said("Kirill Dmitriev", "", is_name=True),
    Said("secondary tariffs", "en"),
    Said("Sekundärzölle", "de"),
    Said("critical mineral", "en"),
]
TEXTS = (
    "Seltene Erden: China drosselt die Ausfuhr",
    "A rare earth mine reopens",
    "Kirill Dmitriev in Miami",
    "Streit um Sekundärzölle",
    "Nothing to see here",
)
WARNINGS = "ignore::DeprecationWarning"  # of the peers' own imports


def no_word(word: str, language: str) -> bool:
    return False


def items(count: int = 50) -> list[Item]:
    return [Item(feed_id=FeedId("x"), title=TEXTS[n % len(TEXTS)], summary=f"part {n}") for n in range(count)]


def installed(peer: Peer) -> Peer:
    if not peer.is_installed:
        pytest.skip(f"{peer.module} is not installed")
    return peer


each_peer = pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)


# ---- peers -------------------------------------------------------------------------------------


@pytest.mark.filterwarnings(WARNINGS)
@each_peer
def test_a_peer_finds_a_term_as_it_is_written(peer: Peer) -> None:
    terms = [plain_term(one.text) for one in TERMS]
    text = plain_text("Streit um seltene Erden")

    for setting in installed(peer).settings:
        found = set(peer.compile(terms, setting)(text))

        assert Place(0, 10, 23) in found
        assert {place.term for place in found} == {0}


@pytest.mark.filterwarnings(WARNINGS)
@each_peer
def test_a_peer_finds_no_term_in_the_middle_of_words(peer: Peer) -> None:
    if peer.name == "partial_ratio":
        pytest.skip("it knows no words, and is not made to")
    search = installed(peer).compile([plain_term("art"), plain_term("rare")], "0 edits")

    assert list(search(plain_text("A party of librarels"))) == []


@pytest.mark.parametrize("name", ["pyahocorasick", "hyperscan", "regex, fuzzy"])
def test_wildcards_are_said_where_there_is_a_way(name: str) -> None:
    peer = installed(next(peer for peer in PEERS if peer.name == name))
    terms = [plain_term("neodym*"), plain_term("*gesandter")]

    search = peer.compile(terms, peer.settings[-1])

    assert {place.term for place in search("ein sondergesandter holt neodymmagnete")} == {0, 1}


@pytest.mark.parametrize("name", ["hyperscan", "regex, fuzzy"])
def test_an_edit_is_enough_for_a_typo(name: str) -> None:
    peer = installed(next(peer for peer in PEERS if peer.name == name))

    exact, fuzzy = (
        list(peer.compile([plain_term("secondary")], s)("a secundary one")) for s in peer.settings[:2]
    )

    assert exact == []
    assert {place.term for place in fuzzy} == {0}


def test_peers_read_a_text_as_it_is_read_word_by_word() -> None:
    for text in (*TEXTS, "Сверхредкие земли, 稀土 и «неодим»", "l’Ukraine – Straße"):
        assert Words(text).text == plain_text(text)


def test_a_peers_place_is_one_of_the_raw_text() -> None:
    raw = "„Größe“: Seltene-Erden-Magnete, 中国稀土"
    words = Words(raw)

    spans = [
        words.raw_span(Place(0, at, at + len(text)))
        for text in ("seltene erden", "稀土", "grosse")
        if (at := words.text.index(text)) >= 0
    ]

    assert [raw[start:end] for start, end in spans] == ["Seltene-Erden", "稀土", "Größe"]


# ---- quality -----------------------------------------------------------------------------------


def rule() -> TopicRule:
    left, right = (Leaf(read_phrase(text, "en"), DEFAULT_FIELDS) for text in ("rare earth", "mine"))
    return TopicRule(id=TopicId("mines"), match=AllOf((left, Near((left, right), within=2))))


def labelled(title: str, *topics: str) -> Labelled:
    return Labelled(title=title, summary="", language="en", half="tuned", topics=frozenset(topics))


@pytest.mark.filterwarnings(WARNINGS)
@each_peer
def test_a_peer_is_judged_by_the_rules_expressions(peer: Peer) -> None:
    matcher = Matcher([rule()], is_real=no_word)
    texts = [
        labelled("A rare earth mine reopens", "mines"),
        labelled("Rare earths for all of us, says the owner of a mine"),
        labelled("Rare earths"),
    ]

    quality = peer_quality(installed(peer), peer.settings[-1], matcher, texts)

    assert (quality.hits, quality.false_alarms, quality.missed) == (1, 0, 0)
    assert own_quality(matcher, texts).f1 == quality.f1 == 1


# ---- speed -------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", [*FLOORS, OURS, *(peer.name for peer in PEERS)])
@pytest.mark.filterwarnings(WARNINGS)
def test_each_way_to_match_gets_a_row(who: str) -> None:
    peer = next((peer for peer in PEERS if peer.name == who), None)
    setting = installed(peer).usual[-1] if peer is not None else ""

    row = measure(Job(who=who, terms=len(TERMS), setting=setting), items(), TERMS, no_word)

    assert row.items == 24
    assert min(row.cold_us, row.steady_us, row.warm_us) > 0
    assert (row.found > 0) == (who not in FLOORS)


def test_what_takes_too_long_is_run_on_fewer_items() -> None:
    _, count, _ = timed(lambda item: len(sorted(range(20_000))), items(), budget_s=0.0001)

    assert 1 <= count < 50


def test_items_and_terms_reach_the_other_process(tmp_path: Path) -> None:
    write_world(tmp_path, items(), TERMS)

    some, terms = read_world(tmp_path, 3)

    assert [item.title for item in some] == [item.title for item in items()]
    assert terms == TERMS[:3]


def test_items_of_a_file_are_those_of_its_lines_and_a_bad_line_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "items.jsonl"
    file.write_text(
        '{"id": 1, "title": "One"}\nnonsense\n{"id": 2, "title": "Two"}\n{"id": 3, "title": "Three"}'
    )

    some = items_of(file, 2)

    assert [item.title for item in some] == ["One", "Two"]
    assert "items.jsonl:2: " in capsys.readouterr().err


def test_of_two_measurements_the_quicker_counts() -> None:
    one = Row(who=OURS, terms=10, steady_us=3, warm_us=2, found=1)
    two = Row(who=OURS, terms=10, steady_us=4, warm_us=1, found=1)

    assert quickest([one, Row(who=PLAIN, terms=0), two])[0] == Row(
        who=OURS, terms=10, steady_us=3, warm_us=1, found=1
    )


def test_every_hostile_text_is_as_long_as_it_shall_be() -> None:
    texts = hostile_texts(TERMS, 1_000)

    assert {len(text) for text in texts.values()} == {1_000}
    assert len(set(texts.values())) == len(texts)


# ---- the report --------------------------------------------------------------------------------


def report(steady_us: float) -> Report:
    rows = [
        Row(who=PLAIN, terms=0, steady_us=20, warm_us=20),
        Row(who=TEXT, terms=0, steady_us=10, warm_us=10),
        Row(who=OURS, terms=10_000, steady_us=steady_us, warm_us=15, items=4_000),
        Row(who="flashtext", terms=10, setting="words", failed="not installed"),
    ]
    return Report(rows=rows, texts={"blanks": 0.5, "terms": 2.0})


def test_a_bar_says_whether_it_is_met() -> None:
    near, far = bars(report(70)), bars(report(170))

    assert [bar.is_met for bar in near] == [True, True, True, True, False]
    assert [bar.is_met for bar in far] == [False, True, False, True, False]


def test_the_page_is_rewritten_between_its_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nyesterday\n{END}\nafter", encoding="utf-8")

    rewrite(page, as_markdown(report(70)))

    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{BEGIN}\n")
    assert text.endswith(f"{END}\nafter")
    assert "yesterday" not in text
    assert "not installed" in text


def test_figures_kept_as_json_are_read_again(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    quality = Quality(setting="words", hits=3, false_alarms=1, missed=2)
    told = replace(report(70), qualities={OURS: [quality]})

    file.write_text(json.dumps(asdict(told)), encoding="utf-8")

    assert read_report(file) == told


# ---- polling -----------------------------------------------------------------------------------


def titles(feed: bytes) -> list[str]:
    url = "https://news.example/feed"
    parsed = parse_feed(feed, None, Feed(id=FeedId("x"), url=url), datetime.now(UTC), url)
    return [item.title for item in parsed.items]


@pytest.mark.parametrize("number", range(4))
def test_a_made_up_feed_is_as_large_as_it_shall_be_and_always_the_same(number: int) -> None:
    feed = a_feed(number, datetime(2026, 11, 1, tzinfo=UTC))

    assert feed == a_feed(number, datetime(2026, 11, 1, tzinfo=UTC))
    assert len(set(titles(feed))) == ITEMS
    assert 0.9 * SIZE < len(feed) < 1.1 * SIZE


def test_news_comes_on_top_of_a_made_up_feed() -> None:
    newest = datetime(2026, 11, 1, tzinfo=UTC)

    before, after = titles(a_feed(1, newest)), titles(a_feed(1, newest + timedelta(hours=1), news=1))

    assert after[1:] == before[:-1]
    assert after[0] not in before


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives each feed an address of its own")
def test_every_feed_is_polled_in_every_pass(tmp_path: Path) -> None:
    scale = replace(QUICK, feeds=3, pause_s=0)

    told = measured(scale, ["passes"], [POLLER], lambda line: None, tmp_path)

    rows = {row.name: row for row in told.passes}
    assert {name: (row.took.failed, row.requests) for name, row in rows.items()} == dict.fromkeys(
        (FIRST, UNCHANGED, NEWS), (0, 3)
    )
    assert (rows[FIRST].took.stored, rows[UNCHANGED].unchanged, rows[NEWS].took.stored) == (3 * ITEMS, 3, 1)
    assert min(row.took.cpu_s for row in told.passes) > 0
    assert min(row.peak_mb for row in told.passes) > 0


def a_pass(who: str, name: str, cpu_s: float) -> PassRow:
    took = Took(cpu_s=cpu_s, wall_s=1)
    return PassRow(
        who=who, name=name, took=took, peak_mb=120, requests=0, unchanged=0, connections=0, received=0
    )


def test_a_pass_is_held_against_the_same_pass_of_the_reader() -> None:
    told = PollReport(feeds=1, size=1, bomb_mib=0, load=0)
    told.passes.extend([a_pass(READER, FIRST, 80), a_pass(READER, UNCHANGED, 8)])
    told.passes.extend([a_pass(POLLER, FIRST, 6), a_pass(POLLER, UNCHANGED, 2)])

    assert [(bar.value, bar.is_met) for bar in poll_bars(told)] == [(0.075, True), (0.25, False), (120, True)]
