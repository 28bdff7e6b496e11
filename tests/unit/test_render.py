"""What messages look like, and that nothing a feed says can break or fake one."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.render import (
    Action,
    Press,
    alert_message,
    digest_message,
    parse_press,
    press_data,
    why_message,
)
from bot.core.typeset import button_url, clean, cut, host, safe_url, units
from bot.i18n import texts
from bot.model import Level, Match, Message, Report, Story, StoryId, StoryReason, TermMatch, Topic, TopicId
from tests.botapi_rules import Entity, checked_keyboard, parsed_html, parsed_text

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
EN, DE = texts("en"), texts("de")


def a_report(
    title: str = "Mine reopens",
    *,
    url: str | None = "https://daily.example/mine",
    outlet: str = "Daily",
    summary: str = "It was closed for years. Now it digs again.",
    published_at: datetime | None = NOW - timedelta(minutes=5),
) -> Report:
    return Report(
        title=title,
        url=url,
        outlet=outlet,
        summary=summary,
        language="en",
        published_at=published_at,
        seen_at=NOW,
        reason=StoryReason.NEW,
    )


def a_match(
    topic: str = "rare-earths", score: float = 92.4, found: Sequence[str] = ("rare earths",)
) -> Match:
    terms = tuple(
        TermMatch(term="rare earth", field="title", start=0, end=len(text), text=text, score=98)
        for text in found
    )
    return Match(topic=TopicId(topic), score=score, terms=terms)


def a_story(*reports: Report, matches: Sequence[Match] = (a_match(),)) -> Story:
    return Story(id=StoryId(42), reports=reports or (a_report(),), matches=tuple(matches))


def a_topic(id_: str = "rare-earths", title: str = "Rare earths", level: Level = Level.HIGH) -> Topic:
    return Topic(id=TopicId(id_), titles={"": title, "de": f"{title} (de)"}, level=level)


def entities(message: Message) -> list[Entity]:
    """Return the message's marks, after checking that Telegram takes it and that both forms agree."""
    text, marks = parsed_text(message.html, "HTML")
    assert text == message.plain.strip()
    checked_keyboard(_keyboard(message))
    return marks


def _keyboard(message: Message) -> str:
    rows = [
        [{"text": b.text, **({"url": b.url} if b.url else {"callback_data": b.data})} for b in row]
        for row in message.buttons
    ]
    return json.dumps({"inline_keyboard": rows})


def test_an_alert_shows_topic_level_title_outlet_age_lead_match_and_tag() -> None:
    message = alert_message(a_story(), [a_topic()], EN, NOW)

    assert message.html == (
        "🟠 <b>Rare earths</b> · high\n"
        "\n"
        '<b><a href="https://daily.example/mine">Mine reopens</a></b>\n'
        "<i>Daily · 5 minutes ago</i>\n"
        "<blockquote expandable>It was closed for years. Now it digs again.</blockquote>\n"
        "Matched <i>“rare earths”</i> · score 92\n"
        "#rare_earths"
    )
    assert [[button.text for button in row] for row in message.buttons] == [
        ["Read the article"],
        ["Mute story", "Why", "Not relevant"],
    ]
    assert not message.silent


def test_an_alert_speaks_the_language_of_its_chat() -> None:
    message = alert_message(a_story(), [a_topic()], DE, NOW)

    assert message.plain.splitlines()[0] == "🟠 Rare earths (de) · hoch"
    assert "Daily · vor 5 Minuten" in message.plain
    assert "Gefunden: „rare earths“ · Wertung 92" in message.plain


def test_an_alert_links_each_outlet_once_in_order_of_appearance() -> None:
    reports = [
        a_report(outlet="Daily"),
        a_report(outlet="Courier", url="https://courier.example/1"),
        a_report(outlet="Daily", url="https://daily.example/2"),
        a_report(outlet="Wire", url=None),
    ]

    message = alert_message(a_story(*reports), [a_topic()], EN, NOW)

    assert (
        '3 sources: <a href="https://daily.example/mine">Daily</a>, '
        '<a href="https://courier.example/1">Courier</a>, Wire'
    ) in message.html


def test_an_alert_counts_the_outlets_it_has_no_room_for() -> None:
    reports = [a_report(outlet=f"Outlet {number}") for number in range(40)]

    message = alert_message(a_story(*reports), [a_topic()], EN, NOW)

    assert message.plain.count("Outlet") == 13  # the first is also above
    assert "40 sources: Outlet 0" in message.plain
    assert ", 28 more" in message.plain


def test_two_topics_on_one_story_are_one_message_with_two_tags() -> None:
    topics = [a_topic(), a_topic("kirill-dmitriev", "Kirill Dmitriev", Level.CRITICAL)]
    story = a_story(matches=[a_match(), a_match("kirill-dmitriev", 99, ["Dmitrijew", "rare earths"])])

    message = alert_message(story, topics, EN, NOW)

    assert "🔴 Rare earths, Kirill Dmitriev · critical" in message.plain
    assert "Matched “rare earths”, “Dmitrijew” · score 99" in message.plain
    assert message.plain.endswith("#rare_earths #kirill_dmitriev")


def test_the_longest_matched_texts_come_first_and_their_parts_not_at_all() -> None:
    found = ["oil", "Dmitriev", "rare earths", "Kirill Dmitriev", "OIL"]

    message = alert_message(a_story(matches=[a_match(found=found)]), [a_topic()], EN, NOW)

    assert "Matched “Kirill Dmitriev”, “rare earths”, “oil” · score 92" in message.plain


def test_only_matches_of_the_topics_that_a_chat_follows_are_shown() -> None:
    story = a_story(matches=[a_match("secret", 100, ["hidden"]), a_match()])

    shown = [alert_message(story, [a_topic()], EN, NOW), why_message(story, [a_topic()], EN)]

    assert all("hidden" not in message.plain for message in shown)


@pytest.mark.parametrize(
    ("report", "title"),
    [
        (a_report(title="<script>alert(1)</script>"), "<script>alert(1)</script>"),
        (a_report(title="AT&T &nbsp; & <b>"), "AT&T &nbsp; & <b>"),
        (a_report(title="", summary="Only a lead."), "Only a lead."),
        (a_report(title="\u200b\u202e \u3164", summary=""), "Without a title"),
        (a_report(title="one\n\ttwo\x00\u00a0three"), "one two three"),
        (a_report(title="abc\u202edef\u2066g\u200fh"), "abcdefgh"),
        (a_report(title="\ud83d broken half"), "broken half"),
        (a_report(title="Z" + "\u0301" * 500), "Z\u0301\u0301\u0301"),
        (a_report(title="می‌خواهم"), "می‌خواهم"),
        (a_report(title="👩‍👩‍👧 family"), "👩‍👩‍👧 family"),
    ],
    ids=["script", "entities", "none", "invisible", "spaces", "bidi", "surrogate", "marks", "zwnj", "zwj"],
)
def test_a_hostile_or_missing_title_does_no_harm(report: Report, title: str) -> None:
    message = alert_message(a_story(report), [a_topic()], EN, NOW)

    assert message.plain.splitlines()[2] == title
    entities(message)


def test_feeds_cannot_call_people_nor_offer_commands_nor_tags() -> None:
    report = a_report(title="Ask @durov /start #win $CASH, km/h and/or a@b.example")

    message = alert_message(a_story(report), [a_topic()], EN, NOW)

    assert not re.search(r"@durov|(?<!\w)/start|#win|\$CASH", message.plain)
    assert "km/h and/or a@b.example" in message.plain


def test_right_to_left_names_are_set_apart_from_what_surrounds_them() -> None:
    message = alert_message(a_story(a_report(outlet="الخبر")), [a_topic()], EN, NOW)

    assert "\u2068الخبر\u2069 · 5 minutes ago" in message.plain


def test_a_long_title_and_lead_are_cut_before_they_are_marked() -> None:
    report = a_report(title="word & " * 2000, summary="A sentence. " * 2000)

    message = alert_message(a_story(report), [a_topic()], EN, NOW)

    entities(message)
    title, lead = message.plain.splitlines()[2], message.plain.splitlines()[4]
    assert title.endswith("…")
    assert units(title) <= 400
    assert lead.endswith("A sentence.")


def test_a_lead_that_only_repeats_the_title_is_left_out() -> None:
    message = alert_message(a_story(a_report("Mine reopens", summary=" Mine  reopens")), [a_topic()], EN, NOW)

    assert "blockquote" not in message.html


def test_a_lead_that_only_repeats_itself_without_sentences_is_cut_at_a_word() -> None:
    message = alert_message(a_story(a_report(summary="word " * 500)), [a_topic()], EN, NOW)

    assert message.plain.splitlines()[4].endswith("word…")


@pytest.mark.parametrize(
    "url",
    [
        None,
        "javascript:alert(1)",
        "javascript://a.example/%0aalert(1)",
        "ftp://a.example/",
        "//a.example/",
        "https://",
        "http://[",
        "https://a.example:99999/",
        "https://bank.example@evil.example/",
        "https://a.example/a b",
        "https://a.example/\u202e",
        "https://a.example/" + "x" * 3000,
    ],
)
def test_a_url_that_is_no_plain_web_address_makes_no_link(url: str | None) -> None:
    message = alert_message(a_story(a_report(url=url)), [a_topic()], EN, NOW)

    assert safe_url(url) is None
    assert all(entity.type != "text_link" for entity in entities(message))
    assert len(message.buttons) == 1


def test_a_url_with_quotes_and_ampersands_stays_one_link() -> None:
    url = "https://a.example/?a=1&b=\"><b>'"

    message = alert_message(a_story(a_report(url=url)), [a_topic()], EN, NOW)

    assert [entity.url for entity in entities(message) if entity.url] == [url]


def test_a_host_without_a_dot_gets_a_link_but_no_button() -> None:
    message = alert_message(a_story(a_report(url="http://localhost:8080/x")), [a_topic()], EN, NOW)

    assert "http://localhost:8080/x" in message.html
    assert button_url("http://localhost:8080/x") is None
    assert len(message.buttons) == 1


def test_an_outlet_without_a_name_is_called_by_its_host() -> None:
    nameless = a_report(outlet="", url="https://www.daily.example/x")

    assert "daily.example · 5" in alert_message(a_story(nameless), [a_topic()], EN, NOW).plain
    assert host(None) == ""
    assert (
        "unknown source" in alert_message(a_story(a_report(outlet="", url=None)), [a_topic()], EN, NOW).plain
    )


def test_a_story_without_a_date_counts_from_when_we_saw_it() -> None:
    message = alert_message(a_story(a_report(published_at=None)), [a_topic()], EN, NOW + timedelta(hours=3))

    assert "Daily · 3 hours ago" in message.plain


@pytest.mark.parametrize(
    ("topic", "tag"),
    [
        ("rare-earths", "#rare_earths"),
        ("2026", "#topic_2026"),
        ("öl-und-gas", "#öl_und_gas"),
        ("a b", "#a_b"),
    ],
)
def test_a_hashtag_is_one_that_telegram_links(topic: str, tag: str) -> None:
    message = alert_message(a_story(), [a_topic(topic)], EN, NOW)

    assert message.plain.splitlines()[-1] == tag


def test_why_tells_topic_score_terms_and_where_they_stood() -> None:
    message = why_message(a_story(a_report(), a_report(outlet="Courier")), [a_topic()], EN)

    assert message.plain == (
        "Why this alert?\n\n"
        "Rare earths: score 92 of 100\n"
        "• “rare earths” in the title: term rare earth, 98\n\n"
        "2 reports from 2 sources"
    )
    entities(message)


def test_why_says_so_when_the_topics_are_gone() -> None:
    assert "nothing is left to show" in why_message(a_story(), [], EN).plain


def test_a_digest_names_every_story_however_many_there_are() -> None:
    stories = [(a_story(a_report(title=f"Story number {number:03}.")), [a_topic()]) for number in range(300)]

    messages = digest_message(stories, DE, NOW)

    assert messages[0].plain.startswith("300 Geschichten für Sie aufgehoben")
    told = re.findall(r"number (\d{3})\.", "".join(message.plain for message in messages))
    assert told == [f"{number:03}" for number in range(300)]
    for message in messages:
        entities(message)


def test_a_digest_of_nothing_is_no_message() -> None:
    assert digest_message([], EN, NOW) == ()


@pytest.mark.parametrize("action", list(Action))
def test_a_press_survives_the_way_through_telegram(action: Action) -> None:
    press = Press(action, StoryId(2**53))

    assert parse_press(press_data(press)) == press
    assert len(press_data(press).encode()) <= 64


@pytest.mark.parametrize(
    "data", ["", "2:ms:1", "1:xx:1", "1:ms:", "1:ms:-1", "1:ms:1:2", "1:ms:٣", "1:ms:" + "9" * 50]
)
def test_a_strange_press_is_none_of_ours(data: str) -> None:
    assert parse_press(data) is None


ANY_TEXT = st.text(st.characters(), max_size=300) | st.sampled_from(
    ["<b>", "a" * 10_000, "😀" * 3000, "\u202e" * 99]
)
REPORTS = st.builds(
    a_report,
    title=ANY_TEXT,
    summary=ANY_TEXT,
    outlet=ANY_TEXT,
    url=st.none()
    | ANY_TEXT
    | st.sampled_from(["https://a.example/" + "ü&" * 500, "http://x/", "https://a.b/\"'<>"]),
)
TOPICS = st.builds(a_topic, id_=ANY_TEXT, title=ANY_TEXT, level=st.sampled_from(Level))


@settings(max_examples=60, deadline=None)
@given(
    reports=st.lists(REPORTS, min_size=1, max_size=20),
    topics=st.lists(TOPICS, max_size=8),
    found=st.lists(ANY_TEXT, min_size=1, max_size=8),
)
def test_telegram_takes_every_message_whatever_feeds_and_operators_write(
    reports: list[Report], topics: list[Topic], found: list[str]
) -> None:
    story = a_story(*reports, matches=[a_match(topic.id, 90, found) for topic in topics])

    for language in (EN, DE):
        entities(alert_message(story, topics, language, NOW))
        entities(why_message(story, topics, language))
        for message in digest_message([(story, topics)] * 30, language, NOW):
            entities(message)


@given(text=ANY_TEXT, limit=st.integers(1, 500))
def test_a_cleaned_text_fits_and_cleaning_twice_is_cleaning_once(text: str, limit: int) -> None:
    once = clean(text, limit)

    assert units(once) <= limit
    assert clean(once, limit) == once
    once.encode()


@given(text=st.text(), limit=st.integers(1, 50))
def test_a_cut_text_is_a_beginning_of_the_whole(text: str, limit: int) -> None:
    short = cut(text, limit)

    assert units(short) <= limit
    assert short == text or text.startswith(short[:-1])


def test_the_tests_html_reader_refuses_what_telegram_refuses() -> None:
    for raw in (
        "<b>x",
        "x</b>",
        "<b><i>x</b></i>",
        "<script>x</script>",
        "a < b",
        '<a href="javascript:x">x</a>',
    ):
        with pytest.raises(Exception, match="can't parse entities"):
            parsed_html(raw)
