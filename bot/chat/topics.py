"""The topics a chat may choose from: found by what people type, and shown as a keyboard that toggles."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from rapidfuzz import fuzz, process, utils

from bot.core.render import Texts, topic_title
from bot.core.routing import may_hear
from bot.core.typeset import clean
from bot.model import Button, Topic, TopicId

PAGE = 8
MAX_SUGGESTIONS = 3
LIKENESS = 60  # of 100, rapidfuzz's WRatio; below that a suggestion only puzzles


def visible_topics(topics: Mapping[TopicId, Topic], is_operator: bool, texts: Texts) -> list[Topic]:
    """Return the topics that a chat may follow, by their titles in its language."""
    shown = (topic for topic in topics.values() if may_hear(topic, is_operator))
    return sorted(shown, key=lambda topic: (topic_title(topic, texts).casefold(), topic.id))


@dataclass(frozen=True, slots=True)
class Named:
    """What people's words name: topics, and words that name none."""

    topics: tuple[Topic, ...]
    unknown: tuple[str, ...]


def named_topics(words: Sequence[str], topics: Sequence[Topic]) -> Named:
    """Return the topics that the words name: all together, between commas, or each on its own."""
    whole = " ".join(words)
    parts = [part.strip() for part in whole.split(",") if part.strip()] or [whole]
    if len(parts) == 1 and _named(whole, topics) is None:
        parts = list(words)
    found = {part: _named(part, topics) for part in parts}
    known = {topic.id: topic for topic in found.values() if topic is not None}
    return Named(tuple(known.values()), tuple(part for part, topic in found.items() if topic is None))


def _named(name: str, topics: Iterable[Topic]) -> Topic | None:
    wanted = name.casefold().lstrip("#").replace("_", "-")
    for topic in topics:
        names = {str(topic.id), *topic.titles.values()}
        if wanted in {known.casefold().replace("_", "-") for known in names}:
            return topic
    return None


def suggestions(name: str, topics: Sequence[Topic]) -> list[Topic]:
    """Return the topics whose id or title is most like the name, best first; at most three."""
    names = {
        (topic.id, known): known for topic in topics for known in (str(topic.id), *topic.titles.values())
    }
    alike = process.extract(
        clean(name, 60),
        names,
        scorer=fuzz.WRatio,
        processor=utils.default_process,
        score_cutoff=LIKENESS,
        limit=None,
    )
    best = dict.fromkeys(key[0] for _, _, key in alike)
    by_id = {topic.id: topic for topic in topics}
    return [by_id[id_] for id_ in best][:MAX_SUGGESTIONS]


# ---- the keyboard --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MenuPress:
    """A press on the keyboard of topics."""

    page: int  # from 0
    topic_key: str | None = None  # None: only turn the page


def menu_keyboard(
    topics: Sequence[Topic], followed: Collection[TopicId], page: int, texts: Texts
) -> tuple[tuple[Button, ...], ...]:
    """Return one page of topics, a tick before those that are followed, and the way to the other pages."""
    pages = max(1, -(-len(topics) // PAGE))
    page = min(max(page, 0), pages - 1)
    rows: list[tuple[Button, ...]] = [
        (_topic_button(topic, topic.id in followed, page, texts),) for topic in topics[page * PAGE :][:PAGE]
    ]
    if pages > 1:
        rows.append(_page_buttons(page, pages))
    return tuple(rows)


def _topic_button(topic: Topic, is_followed: bool, page: int, texts: Texts) -> Button:
    title = topic_title(topic, texts)
    return Button(text=f"✓ {title}" if is_followed else title, data=f"1:tt:{page}:{topic_key(topic.id)}")


def _page_buttons(page: int, pages: int) -> tuple[Button, ...]:
    before, after = (page - 1) % pages, (page + 1) % pages
    return (
        Button(text="‹", data=f"1:pg:{before}"),
        Button(text=f"{page + 1}/{pages}", data=f"1:pg:{page}"),
        Button(text="›", data=f"1:pg:{after}"),
    )


def topic_key(topic: TopicId) -> str:
    """Return a short name of a topic that outlives restarts: an id may be longer than a button's data."""
    return sha256(topic.encode()).hexdigest()[:16]


def parse_menu_press(data: str) -> MenuPress | None:
    """Return what a button of the keyboard asks for; None: it is none of these."""
    if found := re.fullmatch(r"1:tt:([0-9]{1,4}):([0-9a-f]{16})", data):
        return MenuPress(int(found[1]), found[2])
    if found := re.fullmatch(r"1:pg:([0-9]{1,4})", data):
        return MenuPress(int(found[1]))
    return None
