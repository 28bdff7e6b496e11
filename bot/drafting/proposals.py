"""From people and phrases to topics: what belongs together, and in which order."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from anyascii import anyascii

from bot.core.text import UMLAUTS, fold
from bot.drafting.people import Person, people_of
from bot.drafting.phrases import Phrase, phrases_of
from bot.drafting.words import Sentence, stem_of

NAME: Final = "name"  # stands where a term's language would, for a `name:`


@dataclass(frozen=True, slots=True)
class DraftTerm:
    """A term as it is proposed."""

    text: str
    language: str  # NAME: a person
    why: str  # for the operator
    is_guess: bool = False  # True: the articles have the words, not in this form
    is_aside: bool = False  # True: only mentioned, for the operator to take up


@dataclass(slots=True)
class Proposal:
    """A topic as it is proposed."""

    title: str
    score: float
    terms: list[DraftTerm] = field(default_factory=list)
    stems: set[tuple[str, str]] = field(default_factory=set)  # language and stem of the words that tell it
    own: set[str] = field(default_factory=set)  # folded words that make no near miss: a person's surname
    is_one_word: bool = False

    @property
    def slug(self) -> str:
        """Return an id made of the title."""
        latin = anyascii(unicodedata.normalize("NFKC", self.title).lower().translate(UMLAUTS)).lower()
        return re.sub(r"[^a-z0-9]+", "-", latin).strip("-")[:36].strip("-") or "topic"


def proposals_of(sentences: Sequence[Sentence], titles: Sequence[str], most: int) -> list[Proposal]:
    """Return topics for what the sentences are about, the most telling first.

    Args:
        titles: Of the topics that are wanted. One takes all terms; of several, each takes the terms that
            share a word with it. Empty: one topic for each subject that was found.
        most: Topics, where no titles are told.
    """
    people = people_of(sentences)
    languages = list(dict.fromkeys(sentence.language for sentence in sentences))
    names = {word for person in people for word in person.words}
    found = [_person(person, _language_of(person, sentences)) for person in people]
    for language in languages:
        own = [sentence for sentence in sentences if sentence.language == language]
        found += _grouped(phrases_of(own, names))
    found.sort(key=lambda one: -one.score)
    if not titles:
        return _named_apart(found[:most])
    return _named_apart(_gathered(found, titles, languages))


def _language_of(person: Person, sentences: Sequence[Sentence]) -> str:
    surname = fold(person.surname)
    for sentence in sentences:
        if any(fold(token.text) == surname for token in sentence.words):
            return sentence.language
    return sentences[0].language


def _person(person: Person, language: str) -> Proposal:
    why = f"named {_times(person.count)}"
    spelled = sorted({surname for _, surname in person.spellings} | set(person.alone))
    if len(spelled) > 1:
        why += f", as {', '.join(spelled[:4])}"
    proposal = Proposal(person.name, person.salience(language), [DraftTerm(person.name, NAME, why)])
    if person.alone:
        told = f"the surname alone stands there {_times(person.alone.total())}; take it if nobody else has it"
        proposal.terms.append(DraftTerm(person.surname, NAME, told, is_aside=True))
    proposal.own = set(person.words)
    proposal.stems = {(language, stem_of(word, language)) for word in person.name.split(" ")}
    return proposal


def _grouped(phrases: Sequence[Phrase]) -> list[Proposal]:
    """Return a topic for each group of phrases that share a telling word."""
    proposals: list[Proposal] = []
    for phrase in phrases:
        telling = {
            (phrase.language, stem)
            for stem, rare in zip(phrase.stems, phrase.rarities, strict=True)
            if rare >= 1.0
        }
        home = next((one for one in proposals if one.stems & telling), None)
        if home is None:
            home = Proposal(phrase.text[:1].upper() + phrase.text[1:], phrase.score)
            proposals.append(home)
        is_first = not home.terms
        # Where phrases tell it, one word of theirs tells too much; beside the word, they tell nothing more.
        if is_first or (len(phrase.stems) > 1 and not home.is_one_word):
            home.terms += _terms(phrase)
            home.stems |= telling
            home.is_one_word = len(phrase.stems) == 1
    return proposals


def _terms(phrase: Phrase) -> Iterator[DraftTerm]:
    why = _times(phrase.count)
    if len(phrase.articles) > 1:
        why += f" in {len(phrase.articles)} articles"
    often = phrase.times_as_often
    if often is None:
        why += ", a word no frequency list has"
    elif often >= 2:
        why += f", {_rounded(often)} times as often as usual"
    yield DraftTerm(phrase.text, phrase.language, why)
    for compound in phrase.compounds:
        is_guess = not compound.endswith("*")
        told = "the same in one word" if is_guess else "whatever begins so; such words stand there"
        yield DraftTerm(compound, phrase.language, told, is_guess=is_guess)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _rounded(number: float) -> str:
    digits = len(str(int(number)))
    return f"{round(number, 1 - digits):,.0f}"


def _gathered(found: Sequence[Proposal], titles: Sequence[str], languages: Sequence[str]) -> list[Proposal]:
    """Return one topic for each title; those for which nothing was found are left out."""
    gathered = []
    for title in titles:
        own = [one for one in found if len(titles) == 1 or _share_a_word(title, one, languages)]
        terms = list(dict.fromkeys(term for one in own for term in one.terms))
        stems = {stem for one in own for stem in one.stems}
        if terms:
            words = {word for one in own for word in one.own}
            gathered.append(Proposal(title, max(one.score for one in own), terms, stems, words))
    return gathered


def _share_a_word(title: str, proposal: Proposal, languages: Sequence[str]) -> bool:
    words = [word for word in re.findall(r"\w+", title) if len(word) > 2]
    told = {(language, stem_of(word, language)) for word in words for language in languages}
    return bool(told & proposal.stems)


def _named_apart(proposals: list[Proposal]) -> list[Proposal]:
    """Return them with titles whose ids differ."""
    taken: set[str] = set()
    for proposal in proposals:
        number, title = 2, proposal.title
        while proposal.slug in taken:
            proposal.title = f"{title} {number}"
            number += 1
        taken.add(proposal.slug)
    return proposals
