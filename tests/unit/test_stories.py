"""Which story an item joins: what must join, what must not, and laws."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.stories import (
    MAX_MEMBERS,
    Candidate,
    StoryBook,
    StoryDecision,
    StoryPolicy,
    StoryText,
    decide_story,
    keep_members,
    story_keys,
)
from bot.model import StoryId, StoryReason

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
POLICY = StoryPolicy()

STRIKE = (
    "Dockers in Hamburg walk out over night shifts",
    "Some 2,300 dockers in Hamburg began a strike on Monday after talks about night shifts failed. "
    "The terminals Altenwerder and Burchardkai stand still, port operator Hafenlogistik said.",
)


def a_text(
    title: str = STRIKE[0],
    summary: str = STRIKE[1],
    *,
    outlet: str = "Elbe Wire",
    url: str | None = None,
    language: str | None = "en",
    after: timedelta = timedelta(0),
) -> StoryText:
    return StoryText(title=title, summary=summary, outlet=outlet, url=url, language=language, at=NOON + after)


def a_story(*members: StoryText, number: int = 1) -> Candidate:
    times = [member.at for member in members]
    return Candidate(story=StoryId(number), members=members, last_report_at=max(times), opened_at=min(times))


def decided(new: StoryText, *members: StoryText) -> StoryDecision:
    return decide_story(new, [a_story(*members)], POLICY)


# ---- must join ---------------------------------------------------------------------------------

JOINS = {
    "same text": STRIKE,
    "changed headline": ("Hamburg port at a standstill", STRIKE[1]),
    "appended outlet": (STRIKE[0] + " - Elbe Wire", ""),
    "appended outlet, bar": (STRIKE[0] + " | The Elbe Wire", STRIKE[1][:80]),
    "ticker": ("BREAKING: " + STRIKE[0], STRIKE[1]),
    "numbered update": ("UPDATE 2-" + STRIKE[0], STRIKE[1]),
    "stars": ("+++ Eil +++ " + STRIKE[0], ""),
    "truncated": (STRIKE[0], STRIKE[1][:70] + "…"),
    "title only": (STRIKE[0], ""),
    "agency's place": (STRIKE[0], "HAMBURG, March 2 (Elbe Wire) - " + STRIKE[1]),
    "reordered": (
        "Over night shifts, dockers in Hamburg walk out",
        "The terminals Altenwerder and Burchardkai stand still, port operator Hafenlogistik said. "
        "After talks about night shifts failed, some 2,300 dockers in Hamburg began a strike on Monday.",
    ),
    "typos": (
        "Dokers in Hamburg walk out over nigth shifts",
        STRIKE[1].replace("terminals", "terminnals").replace("failed", "faild"),
    ),
    "shouted": (STRIKE[0].upper(), STRIKE[1]),
}


@pytest.mark.parametrize("changed", JOINS.values(), ids=JOINS.keys())
def test_a_copy_in_another_outlet_joins(changed: tuple[str, str]) -> None:
    decision = decided(a_text(*changed, outlet="Copyist", after=HOUR), a_text())

    assert (decision.story, decision.reason) == (1, StoryReason.COPY)


REPORTS = {
    "other words": (
        "en",
        "Strike shuts Hamburg terminals",
        "Hafenlogistik closed Altenwerder and Burchardkai on Monday because 2,300 dockers stopped work in a "
        "dispute about night shifts.",
    ),
    "German": (
        "de",
        "Hafenarbeiter in Hamburg streiken gegen Nachtschichten",
        "Rund 2.300 Hafenarbeiter legten am Montag die Arbeit nieder, die Terminals Altenwerder und "
        "Burchardkai stehen laut Hafenlogistik still.",
    ),
    "Russian": (
        "ru",
        "Докеры в Гамбурге начали забастовку из-за ночных смен",
        "Около 2300 работников порта прекратили работу в понедельник, терминалы Альтенвердер и Бурхардкай "
        "остановлены, сообщила компания Hafenlogistik.",
    ),
    "language not told": (
        None,
        "Hamburg: Streik der Hafenarbeiter legt Altenwerder und Burchardkai lahm",
        "Weil die Gespräche über Nachtschichten gescheitert sind, streiken 2.300 Leute von Hafenlogistik.",
    ),
}


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS.keys())
def test_a_report_in_other_words_or_another_language_joins(report: tuple[str | None, str, str]) -> None:
    language, title, summary = report
    new = a_text(title, summary, language=language, outlet="Copyist", after=2 * HOUR)

    decision = decided(new, a_text())

    assert (decision.story, decision.reason) == (1, StoryReason.REPORT)


def test_an_updated_number_of_victims_stays_in_the_story() -> None:
    first = a_text(
        "Bridge collapse in Arkhava kills 4", "At least 4 people died when the Orlo bridge in Arkhava fell."
    )
    later = a_text(
        "Arkhava bridge: 13 dead",
        "The Orlo bridge collapse in Arkhava has now killed 13 people.",
        outlet="Copyist",
        after=20 * HOUR,
    )

    assert decided(later, first).reason is StoryReason.REPORT


# ---- must keep apart ---------------------------------------------------------------------------

APART = {
    "a deal after talks, a month later": (
        a_text("Envoys Marlow and Petrenko hold talks in Vienna", "They met at the Hofburg on Monday."),
        a_text(
            "Envoys Marlow and Petrenko sign deal in Vienna",
            "They met at the Hofburg on Monday.",
            outlet="Copyist",
            after=timedelta(days=30),
        ),
    ),
    "same people, another event, next day": (
        a_text(
            "Envoys Marlow and Petrenko hold talks in Vienna",
            "Grain exports were the subject at the Hofburg on Monday.",
        ),
        a_text(
            "Petrenko opens memorial with Marlow absent",
            "In Odesa the envoy unveiled a statue of the poet Lysenko on Tuesday.",
            outlet="Copyist",
            after=timedelta(days=1),
        ),
    ),
    "a series, next day": (
        a_text("Oil up 2 percent", "Brent rose 2 percent to 71.20 dollars a barrel on Monday."),
        a_text(
            "Oil up 3 percent",
            "Brent rose 3 percent to 73.30 dollars a barrel on Tuesday.",
            after=timedelta(days=1),
        ),
    ),
    "a series without weekdays, another outlet": (
        a_text("Gold up 2 percent at close in Zurich", "Gold settled 2 percent higher at 2410 francs."),
        a_text(
            "Gold up 1 percent at close in Zurich",
            "Gold settled 1 percent higher at 2434 francs.",
            outlet="Copyist",
            after=timedelta(days=1),
        ),
    ),
    "the same accident on another road": (
        a_text("Two hurt in crash on A4 near Bunzlau", "A lorry hit a car on the A4 near Bunzlau."),
        a_text(
            "Two hurt in crash on A9 near Triptis", "A lorry hit a car on the A9 near Triptis.", outlet="B"
        ),
    ),
    "the same disaster in another country": (
        a_text(
            "Forest fire near Volos forces 900 to flee", "Greek firefighters evacuated 900 people near Volos."
        ),
        a_text(
            "Forest fire near Faro forces 700 to flee",
            "Portuguese firefighters evacuated 700 people near Faro.",
            outlet="Copyist",
            after=HOUR,
        ),
    ),
    "one outlet's different articles": (
        a_text("Hamburg council debates new tram line", "The tram would link Altona and Bramfeld by 2034."),
        a_text(
            "Hamburg zoo shows its young tigers", "Three tigers were born at Hagenbeck in June.", after=HOUR
        ),
    ),
    "a threat, and the answer to it": (
        a_text(
            "Norland threatens Sudmark with 30% tariff on timber", "Sudmark must stop felling in the Tarn."
        ),
        a_text(
            "Sudmark defies Norland's threat of tariff on timber",
            "Felling in the Tarn will go on, the premier of Sudmark said.",
            outlet="Copyist",
            after=6 * HOUR,
        ),
    ),
    "a threat, and the answer to it in another language": (
        a_text("Trump threatens Turkey with tariff over gas from Iran", "Ankara must stop buying gas."),
        a_text(
            "Erdogan weist Zolldrohung der USA zurück und kauft weiter Gas im Iran",
            "Die Türkei brauche Gas, sagte der Präsident in Ankara.",
            language="de",
            outlet="Copyist",
            after=6 * HOUR,
        ),
    ),
    "two short titles": (
        a_text("Markets today", ""),
        a_text("Markets today", "", outlet="B", after=24 * HOUR),
    ),
    "nothing to compare": (a_text("", ""), a_text("", "", outlet="B")),
}


@pytest.mark.parametrize("pair", APART.values(), ids=APART.keys())
def test_another_event_opens_a_story(pair: tuple[StoryText, StoryText]) -> None:
    earlier, later = pair

    decision = decided(later, earlier)

    assert (decision.story, decision.reason) == (None, StoryReason.NEW)


def test_reports_of_an_answer_join_each_other() -> None:
    first = a_text(
        "Sudmark defies Norland's threat of tariff on timber",
        "Felling in the Tarn will go on, the premier of Sudmark said.",
    )
    second = a_text(
        "Sudmark rejects Norland's tariff threat, keeps felling timber",
        "Premier of Sudmark: felling in the Tarn goes on.",
        outlet="Copyist",
        after=HOUR,
    )

    assert decided(second, first).reason is StoryReason.REPORT


# ---- addresses, outlets, time ------------------------------------------------------------------


def test_the_same_address_joins_whatever_the_text() -> None:
    old = a_text(url="elbe.example/1")

    decision = decided(a_text("Quite another title", "", url="elbe.example/1", after=HOUR), old)

    assert (decision.story, decision.reason, decision.similarity) == (1, StoryReason.SAME_URL, 1.0)


@pytest.mark.parametrize("url", ["elbe.example/", "elbe.example", "https://elbe.example/"])
def test_a_front_page_is_no_address_of_an_article(url: str) -> None:
    old = a_text(url=url)

    assert decided(a_text("Quite another title", "", url=url), old).reason is StoryReason.NEW


def test_the_same_text_in_the_same_outlet_is_a_report_and_no_copy() -> None:
    assert decided(a_text(outlet="ELBE wire", after=HOUR), a_text()).reason is StoryReason.REPORT


def test_texts_of_unknown_outlets_may_be_copies() -> None:
    assert decided(a_text(outlet="", after=HOUR), a_text(outlet="")).reason is StoryReason.COPY


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        (timedelta(hours=48), StoryReason.COPY),
        (timedelta(hours=48, seconds=1), StoryReason.NEW),
        (timedelta(hours=-48), StoryReason.COPY),
        (timedelta(hours=-49), StoryReason.NEW),
    ],
)
def test_a_story_closes_48_hours_after_its_last_report(after: timedelta, reason: StoryReason) -> None:
    assert decided(a_text(outlet="Copyist", after=after), a_text()).reason is reason


def test_a_story_lives_seven_days_at_most() -> None:
    last = a_text(after=timedelta(days=6, hours=20))
    story = Candidate(story=StoryId(1), members=(last,), last_report_at=last.at, opened_at=NOON)
    in_time = a_text(outlet="Copyist", after=timedelta(days=7))

    late = replace(in_time, at=in_time.at + HOUR)

    assert decide_story(in_time, [story], POLICY).reason is StoryReason.COPY
    assert decide_story(late, [story], POLICY).reason is StoryReason.NEW


def test_the_oldest_of_equal_stories_wins() -> None:
    stories = [a_story(a_text(), number=number) for number in (9, 3, 7)]

    assert decide_story(a_text(outlet="Copyist", after=HOUR), stories, POLICY).story == 3


def test_the_same_address_outweighs_a_copy() -> None:
    copy = a_story(a_text(), number=1)
    address = a_story(a_text("Elsewhere", "", url="elbe.example/1"), number=2)

    decision = decide_story(a_text(url="elbe.example/1", outlet="Copyist"), [copy, address], POLICY)

    assert (decision.story, decision.reason) == (2, StoryReason.SAME_URL)


def test_a_new_story_tells_how_near_the_nearest_was() -> None:
    decision = decided(a_text("Dockers in Hamburg elect a new council", "The vote ends in May."), a_text())

    assert decision.reason is StoryReason.NEW
    assert 0.05 < decision.similarity < POLICY.same_language


# ---- laws --------------------------------------------------------------------------------------

WORDS = st.sampled_from(
    ["Hamburg", "Vienna", "strike", "oil", "price", "12", "2,300", "Dmitriev", "Дмитриев"]
) | st.sampled_from(["Monday", "Dienstag", "dead", "talks", "稀土", "A4", "the", "и", "Greece", "Россия"])
PHRASES = st.lists(WORDS, max_size=8).map(" ".join)
TEXTS = st.builds(
    StoryText,
    title=PHRASES | st.text(max_size=40),
    summary=PHRASES,
    outlet=st.sampled_from(["", "A", "B"]),
    url=st.sampled_from([None, "a.example/1", "a.example/2", "a.example/"]),
    language=st.sampled_from([None, "en", "de", "ru", "zh-Hans"]),
    at=st.integers(0, 80).map(lambda hours: NOON + hours * HOUR),
)
STORIES = st.lists(st.lists(TEXTS, min_size=1, max_size=3), max_size=5).map(
    lambda groups: [a_story(*members, number=number) for number, members in enumerate(groups, start=1)]
)


@settings(max_examples=150, deadline=None)
@given(TEXTS, STORIES, st.randoms())
def test_the_order_of_candidates_is_of_no_account(
    new: StoryText, stories: list[Candidate], dice: Any
) -> None:
    shuffled = dice.sample(stories, len(stories))

    assert decide_story(new, shuffled, POLICY) == decide_story(new, stories, POLICY)


@settings(max_examples=150, deadline=None)
@given(TEXTS, STORIES)
def test_a_decision_names_a_candidate_or_none(new: StoryText, stories: list[Candidate]) -> None:
    decision = decide_story(new, stories, POLICY)

    assert (decision.story is None) == (decision.reason is StoryReason.NEW)
    assert decision.story is None or decision.story in {story.story for story in stories}
    assert 0.0 <= decision.similarity <= 1.0


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_keys_are_few_short_and_different(text: StoryText) -> None:
    keys = story_keys(text)

    assert len(keys) == len(set(keys)) <= 24
    assert all(0 < len(key) <= 40 for key in keys)
    assert keys == story_keys(replace(text, at=text.at + HOUR, outlet="elsewhere"))


@settings(max_examples=50, deadline=None)
@given(st.lists(TEXTS, max_size=12))
def test_a_book_numbers_its_stories_from_one_in_the_order_they_open(texts: list[StoryText]) -> None:
    book = StoryBook()

    decisions = [book.add(str(number), text) for number, text in enumerate(texts)]

    opened = [one.story for one in decisions if one.reason is StoryReason.NEW]
    assert opened == list(range(1, len(opened) + 1))
    assert {one.story for one in decisions} == set(opened)


@given(st.lists(st.integers(), unique=True, max_size=30))
def test_a_story_keeps_its_first_and_latest_members(numbers: list[int]) -> None:
    texts = [a_text(str(number)) for number in numbers]

    kept = keep_members(texts)

    assert len(kept) == min(len(texts), MAX_MEMBERS)
    assert kept[:1] == tuple(texts[:1])
    assert kept[1:] == (tuple(texts[1:][-(MAX_MEMBERS - 1) :]))
    assert keep_members(kept) == kept
