"""The bot's answers to people, as messages. Pure: what to say, not how it gets there."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from bot.chat.topics import menu_keyboard, suggestions
from bot.core.render import Texts, headline, topic_title
from bot.core.typeset import Marked, bold, clean, code, fill, isolated, join, text
from bot.model import Message, Story, Topic, TopicId

MOST_UNKNOWN = 5  # names that are answered one by one
MOST_NAMES = 20  # topics named in one answer


def plain_answer(words: str) -> Message:
    """Return a fixed text as a message."""
    return as_message(text(words))


def as_message(body: Marked) -> Message:
    """Return a marked text as a message without buttons."""
    return Message(html=body.html, plain=body.plain)


def command_list(texts: Texts) -> tuple[tuple[str, str], ...]:
    """Return each command with what it does, as Telegram's menu and /help show them."""
    return (
        ("topics", texts.gettext("choose topics from a list")),
        ("follow", texts.gettext("follow topics by name")),
        ("unfollow", texts.gettext("leave topics")),
        ("latest", texts.gettext("the newest stories")),
        ("mute", texts.gettext("hold alerts: 8h, 2d, off")),
        ("why", texts.gettext("why an alert came (reply to it)")),
        ("help", texts.gettext("what I can do")),
        ("start", texts.gettext("turn alerts on")),
        ("stop", texts.gettext("turn alerts off")),
    )


def operator_command_list(texts: Texts) -> tuple[tuple[str, str], ...]:
    """Return each command that only operators have, with what it does."""
    return (("health", texts.gettext("how feeds, deliveries and rules fare")),)


def help_answer(texts: Texts, *, for_operator: bool = False) -> Message:
    """Return what the bot can do, on one phone screen."""
    commands = (*command_list(texts), *(operator_command_list(texts) if for_operator else ()))
    lines = [text(f"/{name} – {what}") for name, what in commands]
    intro = text(texts.gettext("I read news feeds and send one message per story on the topics you follow."))
    reply = text(texts.gettext("Reply to an alert with /mute to hear no more of its story, or with /why."))
    groups = text(texts.gettext("In groups only administrators change settings."))
    return as_message(join("\n\n", (intro, join("\n", lines), join("\n", (reply, groups)))))


def menu_answer(
    topics: Sequence[Topic],
    followed: Collection[TopicId],
    page: int,
    texts: Texts,
    heading: Marked | None = None,
) -> Message:
    """Return the keyboard of topics, under a heading where one is given."""
    if not topics:
        words = text(texts.gettext("There are no topics yet. An operator adds them to the rules."))
    else:
        chosen = sum(topic.id in followed for topic in topics)
        words = fill(
            texts.gettext("You follow {chosen} of {all} topics. Tap a topic to follow or leave it."),
            chosen=text(texts.number(chosen)),
            all=text(texts.number(len(topics))),
        )
    body = join("\n\n", (heading, words)) if heading else words
    return Message(html=body.html, plain=body.plain, buttons=menu_keyboard(topics, followed, page, texts))


def welcome(texts: Texts) -> Marked:
    """Return the first words to a new chat."""
    hello = texts.gettext(
        "Alerts are on. I send one message per story, and edit it when other outlets join in."
    )
    return join("\n", (text(hello), text(texts.gettext("/help shows all commands."))))


def following_answer(topics: Sequence[Topic], texts: Texts) -> Marked:
    """Return the word that these topics are followed now."""
    return fill(texts.gettext("Following: {topics}"), topics=topic_names(topics, texts))


def left_answer(topics: Sequence[Topic], texts: Texts) -> Marked:
    """Return the word that these topics are left."""
    return fill(texts.gettext("No longer following: {topics}"), topics=topic_names(topics, texts))


def unknown_answer(names: Sequence[str], topics: Sequence[Topic], texts: Texts) -> Marked:
    """Return, for each name that is no topic, what it might have meant."""
    lines = [_unknown(name, topics, texts) for name in names[:MOST_UNKNOWN]]
    return join("\n", (*lines, text(texts.gettext("/topics shows all topics."))))


def _unknown(name: str, topics: Sequence[Topic], texts: Texts) -> Marked:
    known = fill(texts.gettext("I know no topic “{name}”."), name=text(isolated(clean(name, 60))))
    alike = suggestions(name, topics)
    if not alike:
        return known
    names = join(", ", [_with_id(topic, texts) for topic in alike])
    return join(" ", (known, fill(texts.gettext("Did you mean {topics}?"), topics=names)))


def _with_id(topic: Topic, texts: Texts) -> Marked:
    title = text(isolated(topic_title(topic, texts)))
    return fill("{title} ({id})", title=title, id=code(text(clean(str(topic.id), 60))))


def topic_names(topics: Sequence[Topic], texts: Texts) -> Marked:
    """Return the topics' titles in bold, with commas."""
    shown = [bold(text(isolated(topic_title(topic, texts)))) for topic in topics[:MOST_NAMES]]
    more = len(topics) - len(shown)
    if more:
        template = texts.ngettext("{count} more", "{count} more", more)
        shown.append(fill(template, count=text(texts.number(more))))
    return join(", ", shown)


def latest_answer(stories: Sequence[Story], texts: Texts, now: datetime) -> Message:
    """Return the newest stories."""
    if not stories:
        return plain_answer(texts.gettext("No stories yet."))
    heading = bold(text(texts.gettext("Latest stories")))
    return as_message(join("\n\n", [heading, *(headline(story, texts, now) for story in stories)]))


def muted_answer(topics: Sequence[Topic], until: datetime, texts: Texts) -> Message:
    """Return the word that alerts on these topics (none: all alerts) are held until then."""
    lines = [_mute_line(topic, until, texts) for topic in topics[:MOST_NAMES] or (None,)]
    promise = text(texts.gettext("What comes in the meantime is kept and sent together afterwards."))
    return as_message(join("\n", (*lines, promise)))


def mutes_answer(mutes: Sequence[tuple[Topic | None, datetime]], texts: Texts) -> Message:
    """Return the mutes in force, and how to set one."""
    if mutes:
        lines = [_mute_line(topic, until, texts) for topic, until in mutes]
    else:
        lines = [text(texts.gettext("Nothing is muted."))]
    usage = texts.gettext("Examples: {all}, {topic}, {off}. In reply to an alert, /mute ends its story.")
    how = fill(
        usage, all=code(text("/mute 8h")), topic=code(text("/mute TOPIC 2d")), off=code(text("/mute off"))
    )
    return as_message(join("\n\n", (join("\n", lines), how)))


def _mute_line(topic: Topic | None, until: datetime, texts: Texts) -> Marked:
    when = text(texts.moment(until))
    if topic is None:
        return fill(texts.gettext("All alerts are muted until {time}."), time=when)
    return fill(texts.gettext("{topic} is muted until {time}."), topic=topic_names([topic], texts), time=when)
