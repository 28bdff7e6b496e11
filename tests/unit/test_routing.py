"""Who is told of a story, when, and why not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.routing import AlertAction, AlertPolicy, Listener, News, Told, decide_alert
from bot.model import (
    Address,
    AlertReason,
    Chat,
    ChatId,
    ChatState,
    DeliveryState,
    Level,
    StoryId,
    Topic,
    TopicId,
    TopicStatus,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
POLICY = AlertPolicy(hold=timedelta(seconds=60), edit_every=timedelta(seconds=60))
GAS, OIL = TopicId("gas"), TopicId("oil")


def a_topic(name: TopicId = GAS, **facts: object) -> Topic:
    return replace(Topic(id=name, titles={"en": str(name)}), **facts)  # type: ignore[arg-type]  # facts of a Topic


def a_listener(*follows: TopicId, **facts: object) -> Listener:
    chat = Chat(id=ChatId(1), address=Address(telegram_id=5))
    return replace(Listener(chat=chat, follows=frozenset(follows or {GAS})), **facts)  # type: ignore[arg-type]


def news(*topics: Topic, joined: bool = False) -> News:
    known = topics or (a_topic(),)
    return News(story=StoryId(1), topics={topic.id: topic for topic in known}, outlet_joined=joined)


def told(state: DeliveryState = DeliveryState.SENT, **facts: object) -> Told:
    base = Told(state=state, topics=frozenset({GAS}), level=Level.MEDIUM, due_at=NOW, edited_at=NOW - HOUR)
    return replace(base, **facts)  # type: ignore[arg-type]  # facts of a Told


def test_a_new_story_is_queued_after_the_hold() -> None:
    decision = decide_alert(a_listener(), news(), None, NOW, POLICY)

    assert decision.action is AlertAction.QUEUE
    assert decision.reason is AlertReason.NEW_STORY
    assert decision.due_at == NOW + POLICY.hold


def test_a_critical_story_does_not_wait() -> None:
    decision = decide_alert(a_listener(), news(a_topic(level=Level.CRITICAL)), None, NOW, POLICY)

    assert decision.due_at == NOW
    assert decision.level is Level.CRITICAL


def test_two_topics_on_one_story_are_one_alert_with_both_and_the_higher_level() -> None:
    decision = decide_alert(
        a_listener(GAS, OIL), news(a_topic(), a_topic(OIL, level=Level.HIGH)), None, NOW, POLICY
    )

    assert decision.topics == {GAS, OIL}
    assert decision.level is Level.HIGH


def test_a_topic_that_is_not_followed_is_not_named() -> None:
    decision = decide_alert(a_listener(GAS), news(a_topic(), a_topic(OIL)), None, NOW, POLICY)

    assert decision.topics == {GAS}


@pytest.mark.parametrize(
    ("listener", "reason"),
    [
        pytest.param(
            a_listener(chat=Chat(id=ChatId(1), address=Address(telegram_id=5), state=ChatState.STOPPED)),
            AlertReason.CHAT_INACTIVE,
            id="stopped",
        ),
        pytest.param(
            a_listener(chat=Chat(id=ChatId(1), address=Address(telegram_id=5), state=ChatState.SUSPENDED)),
            AlertReason.CHAT_INACTIVE,
            id="suspended",
        ),
        pytest.param(a_listener(OIL), AlertReason.NOTHING_NEW, id="follows another topic"),
    ],
)
def test_a_chat_that_cannot_or_will_not_hear_is_left_alone(listener: Listener, reason: AlertReason) -> None:
    decision = decide_alert(listener, news(), None, NOW, POLICY)

    assert (decision.action, decision.reason) == (AlertAction.NONE, reason)


@pytest.mark.parametrize(
    ("status", "is_operator", "heard"),
    [
        (TopicStatus.STABLE, False, True),
        (TopicStatus.EXPERIMENTAL, False, False),
        (TopicStatus.EXPERIMENTAL, True, True),
        (TopicStatus.DEPRECATED, True, False),
    ],
)
def test_experimental_topics_are_for_operators(status: TopicStatus, is_operator: bool, heard: bool) -> None:
    decision = decide_alert(
        a_listener(is_operator=is_operator), news(a_topic(status=status)), None, NOW, POLICY
    )

    assert (decision.action is AlertAction.QUEUE) is heard


@pytest.mark.parametrize("scope", [None, GAS])
def test_a_mute_holds_and_does_not_drop(scope: TopicId | None) -> None:
    decision = decide_alert(a_listener(mutes={scope: NOW + HOUR}), news(), None, NOW, POLICY)

    assert (decision.action, decision.reason) == (AlertAction.HOLD, AlertReason.MUTED)
    assert decision.due_at == NOW + HOUR


def test_a_mute_of_one_topic_does_not_hold_the_other() -> None:
    listener = a_listener(GAS, OIL, mutes={GAS: NOW + HOUR})

    decision = decide_alert(listener, news(a_topic(), a_topic(OIL)), None, NOW, POLICY)

    assert decision.action is AlertAction.QUEUE


def test_a_cooldown_holds_until_it_ends() -> None:
    topic = a_topic(cooldown=2 * HOUR)

    decision = decide_alert(a_listener(last_alert={GAS: NOW - HOUR}), news(topic), None, NOW, POLICY)

    assert (decision.action, decision.reason) == (AlertAction.HOLD, AlertReason.COOLDOWN)
    assert decision.due_at == NOW + HOUR


def test_a_further_outlet_edits_the_message() -> None:
    decision = decide_alert(a_listener(), news(joined=True), told(), NOW, POLICY)

    assert (decision.action, decision.reason) == (AlertAction.EDIT, AlertReason.SOURCE_JOINED)
    assert decision.due_at == NOW


def test_edits_keep_their_distance() -> None:
    decision = decide_alert(
        a_listener(), news(joined=True), told(edited_at=NOW - timedelta(seconds=10)), NOW, POLICY
    )

    assert decision.due_at == NOW + timedelta(seconds=50)


def test_the_same_outlet_again_is_nothing_new() -> None:
    decision = decide_alert(a_listener(), news(joined=False), told(), NOW, POLICY)

    assert (decision.action, decision.reason) == (AlertAction.NONE, AlertReason.NOTHING_NEW)


def test_a_further_topic_edits_the_message() -> None:
    decision = decide_alert(a_listener(GAS, OIL), news(a_topic(), a_topic(OIL)), told(), NOW, POLICY)

    assert (decision.action, decision.reason) == (AlertAction.EDIT, AlertReason.NEW_TOPIC)
    assert decision.topics == {GAS, OIL}


@pytest.mark.parametrize("state", [DeliveryState.QUEUED, DeliveryState.UNCERTAIN])
def test_what_has_not_left_yet_keeps_its_time(state: DeliveryState) -> None:
    before = told(state, due_at=NOW + HOUR)

    decision = decide_alert(a_listener(), news(joined=True), before, NOW, POLICY)

    assert (decision.action, decision.due_at) == (AlertAction.REFRESH, NOW + HOUR)


def test_a_story_the_chat_muted_stays_as_it_is() -> None:
    decision = decide_alert(a_listener(), news(joined=True), told(story_muted=True), NOW, POLICY)

    assert (decision.action, decision.reason) == (AlertAction.NONE, AlertReason.STORY_MUTED)


def test_a_story_told_in_a_digest_is_not_edited() -> None:
    decision = decide_alert(a_listener(), news(joined=True), told(in_digest=True), NOW, POLICY)

    assert decision.action is AlertAction.NONE


def test_a_new_topic_of_a_story_told_in_a_digest_is_a_message_of_its_own() -> None:
    listener, both = a_listener(GAS, OIL), news(a_topic(), a_topic(OIL, level=Level.CRITICAL))

    decision = decide_alert(listener, both, told(in_digest=True), NOW, POLICY)

    assert (decision.action, decision.due_at) == (AlertAction.QUEUE, NOW)
    assert decision.level is Level.CRITICAL


def test_a_dead_letter_is_tried_again_when_another_outlet_reports() -> None:
    decision = decide_alert(a_listener(), news(joined=True), told(DeliveryState.FAILED), NOW, POLICY)

    assert decision.action is AlertAction.QUEUE


def test_a_dead_letter_of_doubts_is_not_sent_again_for_an_outlet() -> None:
    doubted = told(DeliveryState.FAILED, uncertain=6)

    assert decide_alert(a_listener(), news(joined=True), doubted, NOW, POLICY).action is AlertAction.NONE


@pytest.mark.parametrize(
    "before", [told(in_digest=True), told(message_lost=True), told(DeliveryState.FAILED)]
)
def test_what_is_told_again_keeps_to_the_mutes(before: Told) -> None:
    listener = a_listener(GAS, OIL, mutes={None: NOW + HOUR})

    decision = decide_alert(listener, news(a_topic(), a_topic(OIL)), before, NOW, POLICY)

    assert (decision.action, decision.due_at) == (AlertAction.HOLD, NOW + HOUR)
    assert decision.topics == {GAS, OIL}


def test_a_suspended_chat_of_the_config_is_owed_what_it_misses() -> None:
    chat = Chat(id=ChatId(1), address=Address(telegram_id=5), state=ChatState.SUSPENDED)

    decision = decide_alert(a_listener(chat=chat, from_config=True), news(), None, NOW, POLICY)

    assert decision.action is AlertAction.QUEUE


def test_a_further_topic_that_is_not_muted_sets_a_held_story_free() -> None:
    listener = a_listener(GAS, OIL, mutes={GAS: NOW + HOUR})
    before = told(DeliveryState.HELD, due_at=NOW + HOUR)

    decision = decide_alert(listener, news(a_topic(), a_topic(OIL)), before, NOW, POLICY)

    assert decision.action is AlertAction.QUEUE
    assert decision.topics == {GAS, OIL}


def test_a_further_outlet_does_not_set_a_held_story_free() -> None:
    listener = a_listener(mutes={None: NOW + HOUR})
    before = told(DeliveryState.HELD, due_at=NOW + HOUR)

    decision = decide_alert(listener, news(joined=True), before, NOW, POLICY)

    assert (decision.action, decision.due_at) == (AlertAction.HOLD, NOW + HOUR)


def test_a_flood_is_held_for_a_digest_and_dropped_by_nobody() -> None:
    flood = replace(news(), is_flood=True)

    decision = decide_alert(a_listener(), flood, None, NOW, POLICY)

    assert (decision.action, decision.reason) == (AlertAction.HOLD, AlertReason.FLOOD)
    assert decision.due_at == NOW + POLICY.hold


def test_a_further_report_in_the_same_flood_stays_in_the_digest() -> None:
    flood = replace(news(a_topic(), joined=True), is_flood=True)
    held = told(DeliveryState.HELD, due_at=NOW + POLICY.hold)

    decision = decide_alert(a_listener(), flood, held, NOW, POLICY)

    assert (decision.action, decision.due_at) == (AlertAction.HOLD, NOW + POLICY.hold)


moments = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=30)).map(lambda wait: NOW + wait)


@given(
    mutes=st.dictionaries(st.sampled_from([None, GAS, OIL]), moments),
    cooldown=st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=2)),
    last=st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=2)),
)
def test_no_mute_and_no_cooldown_ever_loses_a_new_story(
    mutes: dict[TopicId | None, datetime], cooldown: timedelta, last: timedelta
) -> None:
    listener = a_listener(GAS, OIL, mutes=mutes, last_alert={GAS: NOW - last})

    decision = decide_alert(listener, news(a_topic(cooldown=cooldown), a_topic(OIL)), None, NOW, POLICY)

    assert decision.action in {AlertAction.QUEUE, AlertAction.HOLD}
    assert decision.due_at is not None
    assert decision.due_at >= NOW
    assert decision.due_at <= max([NOW + POLICY.hold, *mutes.values()])
