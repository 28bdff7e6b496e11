"""The middle of the main path: a matched item → its story → an alert for each chat that follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog

from bot.core.identity import canonical_url
from bot.core.routing import AlertAction, AlertPolicy, News, decide_alert
from bot.core.stories import StoryPolicy, StoryText, decide_story
from bot.model import ChatId, DeliveryState, Item, ItemId, StoryId, Topic, TopicId
from bot.ports import PollTransaction

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """What came of telling one item."""

    opened: bool = False  # a story
    alerts: tuple[ChatId, ...] = ()  # chats for which a message was queued or held
    edits: int = 0  # of messages sent, now due


@dataclass(frozen=True, slots=True, kw_only=True)
class TellPolicies:
    """The numbers that telling decides by."""

    stories: StoryPolicy = field(default_factory=StoryPolicy)
    alerts: AlertPolicy = field(default_factory=AlertPolicy)


class Teller:
    """Puts matched items into stories, and decides for each listener what that means."""

    def __init__(
        self,
        *,
        topics: Callable[[], Mapping[TopicId, Topic]],
        operators: Callable[[], frozenset[int]],
        policies: Callable[[], TellPolicies],
    ) -> None:
        self._topics = topics
        self._operators = operators
        self._policies = policies

    async def tell(
        self,
        store: PollTransaction,
        number: ItemId,
        item: Item,
        now: datetime,
        *,
        story: StoryId | None = None,
        topics: Mapping[TopicId, Topic] | None = None,
        is_silent: bool = False,
        is_flood: bool = False,
    ) -> Telling:
        """Put an item whose matches are written into its story, and queue what is owed for that.

        Args:
            story: Where the item belongs already; None: nowhere yet.
            topics: Those of the rule set that matched it; None: those in force.
            is_silent: Nobody is told; later reports of the story are.
            is_flood: What is owed leaves as a digest.
        """
        opened = outlet_joined = False
        if story is None:
            text, policy = story_text(item, now), self._policies().stories
            decision = decide_story(text, await store.candidates(text, policy, now), policy)
            story, outlet_joined = await store.add_report(number, text, decision, now)
            opened = decision.story is None
        if is_silent:
            return Telling(opened=opened)
        known = self._topics() if topics is None else topics
        matched = {topic: known[topic] for topic in await store.matched_topics(story) if topic in known}
        news = News(story=story, topics=matched, outlet_joined=outlet_joined, is_flood=is_flood)
        return replace(await self._alert(store, news, now), opened=opened)

    async def _alert(self, store: PollTransaction, news: News, now: datetime) -> Telling:
        policy = self._policies().alerts
        told, operators = await store.told(news.story), self._operators()
        decisions = {}
        for each in await store.listeners(news.topics, now):
            listener = replace(each, is_operator=each.chat.address.telegram_id in operators)
            decision = decide_alert(listener, news, told.get(listener.chat.id), now, policy)
            decisions[listener.chat.id] = decision
            log.debug("alert decided", story=news.story, chat=listener.chat.id, reason=decision.reason.value)
        await store.apply(news.story, decisions, now)
        owed = {AlertAction.QUEUE, AlertAction.HOLD}
        held = {chat for chat, one in told.items() if one.state is DeliveryState.HELD}  # owed already
        return Telling(
            alerts=tuple(
                chat for chat, decision in decisions.items() if decision.action in owed and chat not in held
            ),
            edits=sum(decision.action is AlertAction.EDIT for decision in decisions.values()),
        )


def story_text(item: Item, now: datetime) -> StoryText:
    """Return what an item's story is told by; an item without a date is of now."""
    return StoryText(
        title=item.title,
        summary=item.lead,
        outlet=item.outlet,
        url=canonical_url(item.url) if item.url else None,
        language=item.language,
        at=item.published_at or now,
    )
