"""Proposes topics, as a rule file, from articles that somebody wants to hear more like."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.core.terms import IsWord
from bot.drafting.proposals import Proposal, proposals_of
from bot.drafting.words import can_be_read, look_up, sentences_of
from bot.drafting.writing import rule_file
from bot.lexicon import LANGUAGES
from bot.model import Item
from bot.rules.languages import language_detector
from bot.rules.models import LANGUAGES as RULE_LANGUAGES

__all__ = ["Draft", "DraftImpossible", "draft"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A proposed rule file."""

    yaml: str
    topics: tuple[Proposal, ...]
    languages: tuple[str, ...]  # of the articles, in their order

    def terms(self, language: str) -> list[str]:
        """Return the terms under a language key; "name": the names."""
        every = (term for topic in self.topics for term in topic.terms if not term.is_aside)
        return [term.text for term in every if term.language == language]


class DraftImpossible(ValueError):
    """Nothing can be proposed; the text says why."""


def draft(
    articles: Sequence[tuple[str, Item]],
    *,
    language: str | None = None,
    titles: Sequence[str] = (),
    archive: Sequence[str] = (),
    most: int = 12,
    is_real: IsWord | None = None,
) -> Draft:
    """Return topics for the articles, each with tests that it passes.

    Args:
        articles: Each with the name that the file's head calls it.
        language: Of all articles; None: each item's own, else found out.
        titles: Of the topics that are wanted; see proposals_of.
        archive: Titles of stored items, for near misses.
        most: Topics to propose where no titles are told.

    Raises:
        DraftImpossible: The articles hold nothing that stands out, or are in a script without spaces.
    """
    detect = language_detector(LANGUAGES)
    told = [language or _told(item) or _detected(detect, item) for _, item in articles]
    sentences = [
        sentence
        for number, ((_, item), own) in enumerate(zip(articles, told, strict=True))
        for sentence in sentences_of(item, number, own)
    ]
    if sentences and not any(can_be_read(sentence.text) for sentence in sentences):
        raise DraftImpossible("the articles are written without spaces, so no words can be counted")
    look_up(sentences)
    found = proposals_of(sentences, titles, most) if sentences else []
    text = ""
    if found:
        names = [name for name, _ in articles]
        text, found = rule_file(found, sentences, names=names, archive=archive, is_real=is_real)
    if not found:
        raise DraftImpossible(
            "the articles hold no name or phrase that stands out; give longer ones, or more"
        )
    return Draft(yaml=text, topics=tuple(found), languages=tuple(dict.fromkeys(told)))


def _told(item: Item) -> str | None:
    """Return the language that the page itself tells, if there is such a language."""
    return item.language if item.language in RULE_LANGUAGES else None


def _detected(detect: Callable[[str], str | None], item: Item) -> str:
    return detect(f"{item.title}\n{item.lead}") or detect(item.content) or "en"
