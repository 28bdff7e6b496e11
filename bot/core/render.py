"""Stories as messages. Whatever came from a feed is cleaned and escaped here, by means of typeset.py."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.core.typeset import (
    MAX_UNITS,
    Marked,
    bold,
    button_url,
    clean,
    code,
    fill,
    host,
    isolated,
    italic,
    join,
    link,
    quote,
    text,
    units,
)
from bot.model import Button, Level, Match, Message, Report, Story, StoryId, TermMatch, Topic

# The parts' greatest sizes, in UTF-16 units. Together they stay below Telegram's 4,096, so nothing is ever
# cut after it was marked; and they need at most some 40 of its 100 entities.
MAX_TITLE = 400
MAX_LEAD = 400
MAX_NAME = 60  # of a topic, an outlet, a matched text, a term
MAX_TOPICS = 5
MAX_TERMS = 5
MAX_SOURCES = 12
MAX_DIGEST_TITLE = 200
MAX_DIGEST_STORIES = 24  # a message; each needs up to 4 of the 100 entities

_SENTENCE_END = re.compile(r"[.!?…。！？]+[\"'»”“)\]]*(?=\s|$)|[。！？]")
_MARKERS = {Level.INFO: "⚪", Level.LOW: "🔵", Level.MEDIUM: "🟡", Level.HIGH: "🟠", Level.CRITICAL: "🔴"}


class Texts(Protocol):
    """The words of a chat's language."""

    @property
    def language(self) -> str:
        """Return the ISO 639-1 code."""

    def gettext(self, message: str) -> str:
        """Return the English message in this language."""

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        """Return the form of the message that goes with the number."""

    def number(self, value: float) -> str:
        """Return the number as this language writes it."""

    def age(self, moment: datetime, now: datetime) -> str:
        """Return how long ago that was, for people; a date when it is longer than a week."""

    def moment(self, moment: datetime) -> str:
        """Return date and time, UTC, for people."""


class Action(StrEnum):
    """What a button under an alert asks for."""

    MUTE_STORY = "ms"
    WHY = "wy"
    NOT_RELEVANT = "nr"


@dataclass(frozen=True, slots=True)
class Press:
    """A press on a button under an alert."""

    action: Action
    story: StoryId


def press_data(press: Press) -> str:
    """Return a button's callback data, versioned: `1:ms:42`, at most 64 bytes."""
    return f"1:{press.action}:{press.story}"


def parse_press(data: str) -> Press | None:
    """Return what a button asks for; None: not one of ours, or of a version we do not know."""
    found = re.fullmatch(r"1:([a-z]{2}):([0-9]{1,18})", data)
    if found is None or found[1] not in set(Action):
        return None
    return Press(Action(found[1]), StoryId(int(found[2])))


def alert_message(story: Story, topics: Sequence[Topic], texts: Texts, now: datetime) -> Message:
    """Return the one message that tells a chat of a story.

    Args:
        topics: Those of the story's topics that this chat follows.
    """
    first = story.reports[0]
    sources = _sources(story.reports, texts)
    parts = [
        _topic_line(topics, texts),
        text(""),
        bold(link(text(_title(first, texts)), first.url)),
        italic(join(" · ", (text(_outlet(first, texts)), text(_age(first, texts, now))))),
        *_lead(first),
        *_matched(_matches(story, topics), texts),
        *_sources_line(sources, texts),
        text(" ".join(_hashtag(topic) for topic in topics[:MAX_TOPICS])),
    ]
    return _message(join("\n", parts), _alert_buttons(story, first, texts))


def why_message(story: Story, topics: Sequence[Topic], texts: Texts) -> Message:
    """Return why a chat was told of a story: each topic's score, and where its terms were found."""
    heading = bold(text(texts.gettext("Why this alert?")))
    blocks = [_why_topic(match, topic, texts) for match, topic in _matches(story, topics)]
    if not blocks:
        blocks = [
            text(texts.gettext("The topics of this story have changed since; nothing is left to show."))
        ]
    reports = texts.ngettext("{count} report", "{count} reports", len(story.reports))
    outlets = _sources(story.reports, texts)
    sources = texts.ngettext("from {count} source", "from {count} sources", len(outlets))
    count = join(
        " ",
        (
            fill(reports, count=text(texts.number(len(story.reports)))),
            fill(sources, count=text(texts.number(len(outlets)))),
        ),
    )
    return _message(join("\n\n", [heading, *blocks, count]))


def digest_message(
    stories: Sequence[tuple[Story, Sequence[Topic]]], texts: Texts, now: datetime
) -> tuple[Message, ...]:
    """Return the alerts that were held back, together, in as many messages as they need; none is left out."""
    heading = bold(
        fill(
            texts.ngettext("{count} story held for you", "{count} stories held for you", len(stories)),
            count=text(texts.number(len(stories))),
        )
    )
    blocks = [_digest_block(story, topics, texts, now) for story, topics in stories]
    return tuple(
        _message(join("\n\n", [heading, *page] if number == 0 else page))
        for number, page in enumerate(_pages(blocks, MAX_UNITS - units(heading.plain) - 2))
    )


def headline(story: Story, texts: Texts, now: datetime) -> Marked:
    """Return a story on two lines: its linked title, then its outlet, its age and how many sources it has."""
    first = story.reports[0]
    facts = [text(_outlet(first, texts)), text(_age(first, texts, now))]
    count = len(_sources(story.reports, texts))
    if count > 1:
        facts.append(_count_sources(count, texts))
    title = link(text(_title(first, texts, MAX_DIGEST_TITLE)), first.url)
    return join("\n", (title, italic(join(" · ", facts))))


def topic_title(topic: Topic, texts: Texts) -> str:
    """Return a topic's title in the chat's language, cleaned; its id where the title is empty."""
    return clean(topic.title(texts.language), MAX_NAME) or clean(str(topic.id), MAX_NAME)


def level_name(level: Level, texts: Texts) -> str:
    """Return the word for a level."""
    match level:
        case Level.INFO:
            return texts.gettext("info")
        case Level.LOW:
            return texts.gettext("low")
        case Level.MEDIUM:
            return texts.gettext("medium")
        case Level.HIGH:
            return texts.gettext("high")
        case Level.CRITICAL:
            return texts.gettext("critical")


# ---- the parts of an alert ---------------------------------------------------------------------


def _topic_line(topics: Sequence[Topic], texts: Texts) -> Marked:
    level = max((topic.level for topic in topics), default=Level.INFO)
    names = [isolated(topic_title(topic, texts)) for topic in topics[:MAX_TOPICS]]
    titles = bold(text(", ".join(names)))
    word = text(level_name(level, texts))
    return join(" ", (text(_MARKERS[level]), join(" · ", (titles, word)) if names else word))


def _title(report: Report, texts: Texts, limit: int = MAX_TITLE) -> str:
    return clean(report.title, limit) or _sentences(report.summary, limit) or texts.gettext("Without a title")


def _outlet(report: Report, texts: Texts) -> str:
    name = clean(report.outlet, MAX_NAME) or clean(host(report.url), MAX_NAME)
    return isolated(name or texts.gettext("unknown source"))


def _age(report: Report, texts: Texts, now: datetime) -> str:
    return texts.age(report.published_at or report.seen_at, now)


def _lead(report: Report) -> Iterator[Marked]:
    lead, title = _sentences(report.summary, MAX_LEAD), clean(report.title, MAX_TITLE)
    if lead and title and lead != title:  # without a title the lead already stands in for it
        yield quote(text(lead))


def _sentences(summary: str, limit: int) -> str:
    """Return the first whole sentences that fit; where even the first is too long, its beginning."""
    whole = clean(summary, 2 * limit)
    if units(whole) <= limit:
        return whole
    ends = [end.end() for end in _SENTENCE_END.finditer(whole) if units(whole[: end.end()]) <= limit]
    return whole[: ends[-1]] if ends and ends[-1] > limit // 3 else clean(whole, limit)


def _matches(story: Story, topics: Iterable[Topic]) -> list[tuple[Match, Topic]]:
    known = {topic.id: topic for topic in topics}
    return [(match, known[match.topic]) for match in story.matches if match.topic in known][:MAX_TOPICS]


def _matched(matches: Sequence[tuple[Match, Topic]], texts: Texts) -> Iterator[Marked]:
    if not matches:
        return
    words = [italic(_quoted(word, texts)) for word in _telling_words(matches)]
    score = texts.number(round(max(match.score for match, _ in matches)))
    if words:
        template = texts.gettext("Matched {words} · score {score}")
        yield fill(template, words=join(", ", words), score=text(score))


def _telling_words(matches: Sequence[tuple[Match, Topic]]) -> list[str]:
    """Return the matched texts, surest and then longest first, none that is part of one before it."""
    terms = sorted(
        (term for match, _ in matches for term in match.terms),
        key=lambda term: (-term.score, -len(term.text)),
    )
    shown: list[str] = []
    for word in (clean(term.text, MAX_NAME) for term in terms):
        if len(shown) == MAX_TERMS:
            break
        if word and not any(word.casefold() in known.casefold() for known in shown):
            shown.append(word)
    return shown


def _quoted(word: str, texts: Texts) -> Marked:
    return fill(texts.gettext("“{text}”"), text=text(isolated(word)))


def _sources(reports: Sequence[Report], texts: Texts) -> dict[str, str | None]:
    """Return the outlets in order of appearance, each with the link to its first report."""
    found: dict[str, str | None] = {}
    for report in reports:
        found.setdefault(_outlet(report, texts), report.url)
    return found


def _sources_line(sources: dict[str, str | None], texts: Texts) -> Iterator[Marked]:
    if len(sources) < 2:
        return
    shown = [link(text(name), url) for name, url in list(sources.items())[:MAX_SOURCES]]
    more = len(sources) - len(shown)
    if more:
        template = texts.ngettext("{count} more", "{count} more", more)
        shown.append(fill(template, count=text(texts.number(more))))
    yield join(": ", (_count_sources(len(sources), texts), join(", ", shown)))


def _count_sources(count: int, texts: Texts) -> Marked:
    template = texts.ngettext("{count} source", "{count} sources", count)
    return fill(template, count=text(texts.number(count)))


def _hashtag(topic: Topic) -> str:
    """Return a tag that Telegram links: letters, digits and underscores, not digits alone."""
    word = re.sub(r"\W+", "_", clean(str(topic.id), MAX_NAME)).strip("_")
    return f"#{word}" if re.search(r"[^\W\d_]", word) else f"#topic_{word}"


def _alert_buttons(story: Story, first: Report, texts: Texts) -> tuple[tuple[Button, ...], ...]:
    calls = (
        Button(text=texts.gettext("Mute story"), data=press_data(Press(Action.MUTE_STORY, story.id))),
        Button(text=texts.gettext("Why"), data=press_data(Press(Action.WHY, story.id))),
        Button(text=texts.gettext("Not relevant"), data=press_data(Press(Action.NOT_RELEVANT, story.id))),
    )
    url = button_url(first.url)
    if url is None:
        return (calls,)
    return ((Button(text=texts.gettext("Read the article"), url=url),), calls)


# ---- why and digest ----------------------------------------------------------------------------


def _why_topic(match: Match, topic: Topic, texts: Texts) -> Marked:
    template = texts.gettext("{topic}: score {score} of 100")
    score = text(texts.number(round(match.score)))
    heading = fill(template, topic=bold(text(isolated(topic_title(topic, texts)))), score=score)
    return join("\n", [heading, *(_why_term(term, texts) for term in match.terms[:MAX_TERMS])])


def _why_term(term: TermMatch, texts: Texts) -> Marked:
    return fill(
        texts.gettext("• {found} in the {field}: term {term}, {score}"),
        found=italic(_quoted(clean(term.text, MAX_NAME), texts)),
        field=text(_field_name(term.field, texts)),
        term=code(text(clean(term.term, MAX_NAME) or "–")),
        score=text(texts.number(round(term.score))),
    )


def _field_name(field: str, texts: Texts) -> str:
    names = {
        "title": texts.gettext("title"),
        "summary": texts.gettext("summary"),
        "content": texts.gettext("content"),
        "author": texts.gettext("author"),
        "url": texts.gettext("link"),
        "source": texts.gettext("source"),
        "categories": texts.gettext("categories"),
    }
    return names.get(field) or clean(field, MAX_NAME)


def _digest_block(story: Story, topics: Sequence[Topic], texts: Texts, now: datetime) -> Marked:
    return join("\n", (_topic_line(topics, texts), headline(story, texts, now)))


def _pages(blocks: Sequence[Marked], room: int) -> Iterator[list[Marked]]:
    page: list[Marked] = []
    used = 0
    for block in blocks:
        size = units(block.plain) + 2
        if page and (used + size > room or len(page) >= MAX_DIGEST_STORIES):
            yield page
            page, used = [], 0
        page.append(block)
        used += size
    if page:
        yield page


def _message(body: Marked, buttons: tuple[tuple[Button, ...], ...] = ()) -> Message:
    return Message(html=body.html.strip(), plain=body.plain.strip(), buttons=buttons)
