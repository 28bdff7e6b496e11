"""Who is told of a story, when, and why not."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.model import AlertReason, Chat, ChatState, DeliveryState, Level, StoryId, Topic, TopicId, TopicStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPolicy:
    """How long alerts wait for more reports, and how often a message is edited."""

    hold: timedelta = timedelta(seconds=60)  # critical topics do not wait
    edit_every: timedelta = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A chat, and what it wants to hear."""

    chat: Chat
    follows: frozenset[TopicId]
    mutes: Mapping[TopicId | None, datetime] = field(default_factory=dict)  # until when; None: all topics
    last_alert: Mapping[TopicId, datetime] = field(default_factory=dict)
    is_operator: bool = False
    from_config: bool = False  # an operator wants it told, so what it misses while suspended is kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a chat has been told of a story so far, or will be."""

    state: DeliveryState
    topics: frozenset[TopicId]
    level: Level
    due_at: datetime
    edited_at: datetime | None = None  # when the message last changed, or was sent
    in_digest: bool = False
    uncertain: int = 0  # how often it was perhaps sent
    message_lost: bool = False  # it was sent, but its message is gone and cannot be edited
    story_muted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What is new about a story."""

    story: StoryId
    topics: Mapping[TopicId, Topic]  # all that the story has matched so far
    outlet_joined: bool = False  # an outlet reports it that had not before
    is_flood: bool = False  # it came with more news in one poll than is credible


class AlertAction(StrEnum):
    """What the store shall do about a delivery."""

    NONE = "none"
    QUEUE = "queue"
    HOLD = "hold"
    EDIT = "edit"
    REFRESH = "refresh"  # it waits still: only its topics, level and due time change


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDecision:
    """What to do about one chat and one story."""

    action: AlertAction
    reason: AlertReason
    topics: frozenset[TopicId] = frozenset()
    level: Level = Level.INFO
    due_at: datetime | None = None  # None only where nothing is done


def decide_alert(
    listener: Listener, news: News, told: Told | None, now: datetime, policy: AlertPolicy
) -> AlertDecision:
    """Return whether, why and when a chat is told of a story.

    Holding never drops: what is held has a moment at which it is released.

    Args:
        told: None: this chat has not been told of this story.
    """
    is_waiting = listener.chat.state is ChatState.SUSPENDED and listener.from_config
    if listener.chat.state is not ChatState.ACTIVE and not is_waiting:
        return _nothing(AlertReason.CHAT_INACTIVE)
    followed = {topic: news.topics[topic] for topic in listener.follows if topic in news.topics}
    wanted = {key: topic for key, topic in followed.items() if may_hear(topic, listener.is_operator)}
    if not wanted:
        return _nothing(AlertReason.NOT_OPERATOR if followed else AlertReason.NOTHING_NEW)
    if told and told.story_muted:
        return _nothing(AlertReason.STORY_MUTED)
    if told is None:
        return _first(listener, wanted, now, policy, is_flood=news.is_flood)
    if not (news.outlet_joined or frozenset(wanted) - told.topics):
        return _nothing(AlertReason.NOTHING_NEW)
    first = _first(listener, wanted, now, policy, is_flood=news.is_flood)
    if told.state is DeliveryState.HELD:
        return _released(first, told)
    return _again(first, wanted, told, now, policy)


def may_hear(topic: Topic, is_operator: bool) -> bool:
    """Return whether a chat may follow a topic: experimental ones are for operators."""
    return topic.status is TopicStatus.STABLE or (topic.status is TopicStatus.EXPERIMENTAL and is_operator)


def _nothing(reason: AlertReason) -> AlertDecision:
    return AlertDecision(action=AlertAction.NONE, reason=reason)


def _first(
    listener: Listener,
    wanted: Mapping[TopicId, Topic],
    now: datetime,
    policy: AlertPolicy,
    *,
    is_flood: bool = False,
) -> AlertDecision:
    level = max(topic.level for topic in wanted.values())
    reason, free_at = _earliest(listener, wanted, now)
    action = AlertAction.HOLD if free_at > now else AlertAction.QUEUE
    if is_flood and action is AlertAction.QUEUE:
        action, reason = AlertAction.HOLD, AlertReason.FLOOD
    if free_at <= now and level is not Level.CRITICAL:
        free_at = now + policy.hold
    return AlertDecision(action=action, reason=reason, topics=frozenset(wanted), level=level, due_at=free_at)


def _earliest(
    listener: Listener, wanted: Mapping[TopicId, Topic], now: datetime
) -> tuple[AlertReason, datetime]:
    """Return when the first of the topics may speak, and what it waits for."""
    moments = [_may_speak(listener, topic, now) for topic in wanted.values()]
    return min(moments, key=lambda moment: moment[1])


def mutes_end(
    topics: Collection[TopicId], mutes: Mapping[TopicId | None, datetime], now: datetime
) -> datetime:
    """Return when the first of these topics may speak, as far as mutes go; now: at once."""
    every = mutes.get(None, now)
    return min((max(every, mutes.get(topic, now), now) for topic in topics), default=now)


def _may_speak(listener: Listener, topic: Topic, now: datetime) -> tuple[AlertReason, datetime]:
    waits = [(AlertReason.NEW_STORY, now)]
    waits += [
        (AlertReason.MUTED, listener.mutes[scope]) for scope in (None, topic.id) if scope in listener.mutes
    ]
    if topic.cooldown and topic.id in listener.last_alert:
        waits.append((AlertReason.COOLDOWN, listener.last_alert[topic.id] + topic.cooldown))
    return max(waits, key=lambda wait: wait[1])


def _released(first: AlertDecision, told: Told) -> AlertDecision:
    """Return the decision for a story that is held: a further topic may set it free, never hold it longer."""
    due_at = min(told.due_at, first.due_at or told.due_at)
    topics, level = told.topics | first.topics, max(told.level, first.level)
    return replace(first, topics=topics, level=level, due_at=due_at)


def _again(
    first: AlertDecision, wanted: Mapping[TopicId, Topic], told: Told, now: datetime, policy: AlertPolicy
) -> AlertDecision:
    """Return the decision for a story of which the chat was told, or is about to be."""
    topics = told.topics | frozenset(wanted)
    level = max([told.level, *(topic.level for topic in wanted.values())])
    reason = AlertReason.NEW_TOPIC if topics != told.topics else AlertReason.SOURCE_JOINED
    is_new_topic = reason is AlertReason.NEW_TOPIC
    match told.state:
        case DeliveryState.FAILED if is_new_topic or not told.uncertain:
            return replace(first, topics=topics, level=level)  # refused, not doubted: what is new is tried
        case DeliveryState.FAILED:
            return _nothing(AlertReason.NOTHING_NEW)  # it will have arrived, some time
        case DeliveryState.SENT if is_new_topic and (told.in_digest or told.message_lost):
            return replace(first, topics=topics, level=level)  # nothing to edit: tell it by itself
        case DeliveryState.SENT | DeliveryState.SENDING if told.in_digest:
            return _nothing(AlertReason.NOTHING_NEW)  # one more outlet is not worth a message
        case DeliveryState.SENT | DeliveryState.SENDING:
            action, due_at = AlertAction.EDIT, max(now, (told.edited_at or now) + policy.edit_every)
        case _:
            hurry = level is Level.CRITICAL and told.state is DeliveryState.QUEUED
            action, due_at = AlertAction.REFRESH, now if hurry else told.due_at
    return AlertDecision(action=action, reason=reason, topics=topics, level=level, due_at=due_at)
