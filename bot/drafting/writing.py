"""Writes proposed topics as a rule file whose inline tests pass."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from bot.core.terms import IsWord
from bot.core.text import fold, tokens_of
from bot.drafting.proposals import NAME, DraftTerm, Proposal
from bot.drafting.words import LONGEST_SENTENCE, Sentence, stem_of
from bot.model import FeedId, Item, TopicId
from bot.rules import RuleSet, RulesReport, check
from bot.rules.formatting import format_text
from bot.rules.scalars import written

MATCH_TESTS: Final = 4  # at least, where there are so many
NEAR_MISSES: Final = 3  # of each kind
_LOOKED_AT: Final = 200  # stored titles that share a word; beyond, all are found
_SHORTEST: Final = 4  # words of a sentence that makes a test
_SHORTEST_MISS: Final = (
    30  # characters of one that must not match; shorter lines are often a page's furniture
)


@dataclass(frozen=True, slots=True)
class _Tests:
    """Sentences that a topic must find, and must not."""

    match: Sequence[str] = ()
    near: Sequence[str] = ()  # of the articles
    archived: Sequence[str] = ()  # of the archive


def rule_file(
    proposals: Sequence[Proposal],
    sentences: Sequence[Sentence],
    *,
    names: Sequence[str],
    archive: Sequence[str] = (),
    is_real: IsWord | None = None,
) -> tuple[str, list[Proposal]]:
    """Return the YAML of a rule file, and the proposals in it, each with tests that it passes.

    A topic that no sentence of a test's size tells is left out; the text is of no use when none is left.

    Args:
        names: Of the articles, for the comment above.
        archive: Titles of stored items, to choose near misses from.
    """
    bare = _yaml(proposals, names, [_Tests()] * len(proposals))
    report = _checked(bare, is_real)
    if report.trial is None:
        raise AssertionError(f"a draft that is no rule file: {report.problems}")
    rules = report.trial
    stored = _stems_of(archive, {language for proposal in proposals for language, _ in proposal.stems})
    tests = [_tests_for(proposal, rules, sentences, stored) for proposal in proposals]
    tested = [(proposal, own) for proposal, own in zip(proposals, tests, strict=True) if own.match]
    kept = [proposal for proposal, _ in tested]
    return format_text(_yaml(kept, names, [own for _, own in tested])), kept


def _checked(text: str, is_real: IsWord | None) -> RulesReport:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "draft.yaml").write_text(text, encoding="utf-8")
        return check(Path(folder), is_real=is_real)


# ---- tests -------------------------------------------------------------------------------------


Stems = frozenset[tuple[str, str]]  # language and stem


def _stems_of(titles: Iterable[str], languages: Collection[str]) -> list[tuple[str, Stems]]:
    """Return the titles, each once, with what their words would be in each of the languages."""
    found = []
    for title in dict.fromkeys(titles):
        if title.strip() and len(title) <= LONGEST_SENTENCE and title.isprintable():
            words = [token.text for token in tokens_of(title)]
            found.append((title, frozenset((one, stem_of(word, one)) for one in languages for word in words)))
    return found


def _tests_for(
    proposal: Proposal,
    rules: RuleSet,
    sentences: Sequence[Sentence],
    archive: Sequence[tuple[str, Stems]],
) -> _Tests:
    topic = TopicId(proposal.slug)
    found: list[tuple[str, frozenset[str]]] = []
    missed = []
    for sentence in sentences:
        if len(sentence.words) < _SHORTEST or len(sentence.text) > LONGEST_SENTENCE:
            continue
        if _is_found(sentence.text, topic, rules):
            reached = rules.explain(_titled(sentence.text), topic)[0].reached
            found.append((sentence.text, reached))
        else:
            missed.append(sentence)
    near = _near_misses(missed, proposal)
    return _Tests(
        match=_reaching(found),
        near=near[: 1 if archive else NEAR_MISSES],
        archived=_closest(archive, proposal, rules),
    )


def _is_found(title: str, topic: TopicId, rules: RuleSet) -> bool:
    return any(match.topic == topic for match in rules.match(_titled(title)))


def _titled(title: str) -> Item:
    return Item(feed_id=FeedId(""), title=title)


def _reaching(found: Sequence[tuple[str, frozenset[str]]]) -> list[str]:
    """Return sentences that together reach every term that is reached at all; short ones first."""
    chosen: list[str] = []
    reached: set[str] = set()
    waiting = sorted(found, key=lambda pair: len(pair[0]))
    while waiting:
        best = max(waiting, key=lambda pair: len(pair[1] - reached))
        if best[1] <= reached and len(chosen) >= MATCH_TESTS:
            break
        waiting.remove(best)
        chosen.append(best[0])
        reached |= best[1]
    return chosen


def _near_misses(missed: Sequence[Sentence], proposal: Proposal) -> list[str]:
    """Return the sentences that share a telling word with the topic; where none does, one that does not."""
    ranked = []
    languages = {language for language, _ in proposal.stems}
    for sentence in missed:
        stems = {(sentence.language, stem_of(token.text, sentence.language)) for token in sentence.words}
        is_theirs = any(
            fold(token.text).startswith(word) for token in sentence.words for word in proposal.own
        )
        is_read = sentence.language in languages and len(sentence.text) >= _SHORTEST_MISS
        if is_read and not is_theirs:
            ranked.append((-len(stems & proposal.stems), len(sentence.text), sentence.text))
    ranked.sort()
    return [text for alike, _, text in ranked if alike] or [text for _, _, text in ranked[:1]]


def _closest(archive: Sequence[tuple[str, Stems]], proposal: Proposal, rules: RuleSet) -> list[str]:
    """Return the titles that share a telling word and are not found, the most alike first."""
    topic = TopicId(proposal.slug)
    alike = ((len(stems & proposal.stems), title) for title, stems in archive)
    ranked = sorted((-shared, len(title), title) for shared, title in alike if shared)
    unfound = (title for _, _, title in ranked[:_LOOKED_AT] if not _is_found(title, topic, rules))
    return list(islice(unfound, NEAR_MISSES))


# ---- YAML --------------------------------------------------------------------------------------


def _yaml(proposals: Sequence[Proposal], names: Sequence[str], tests: Sequence[_Tests]) -> str:
    lines = [
        "# Drafted by `topicwire rules draft`, the most telling topic first. Delete what you don't want,",
        "# mend the titles, then look what your archive makes of it: topicwire rules backtest",
        *(f"# from {_one_line(name)}" for name in names),
        "version: 1",
        "",
        "topics:",
    ]
    for proposal, own in zip(proposals, tests, strict=True):
        lines += [*_topic_lines(proposal, own), ""]
    return "\n".join(lines) + "\n"


def _one_line(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)


def _topic_lines(proposal: Proposal, tests: _Tests) -> Iterator[str]:
    yield f"  - id: {written(proposal.slug)}"
    yield f"    title: {written(proposal.title)}"
    yield "    status: experimental # only operators hear of it; delete this line when you trust it"
    yield "    match:"
    yield from _match_lines(proposal.terms)
    if tests.match:
        yield "    tests:"
        yield "      match:"
        yield from (f"        - {written(text)}" for text in tests.match)
        if tests.near or tests.archived:
            yield "      no_match:"
        if tests.archived:
            yield "        # from the archive; delete what the topic should find after all"
        yield from (f"        - {written(text)}" for text in tests.archived)
        if tests.near:
            yield "        # from the same articles"
        yield from (f"        - {written(text)}" for text in tests.near)


def _match_lines(terms: Sequence[DraftTerm]) -> Iterator[str]:
    for term in terms:
        if term.language == NAME and not term.is_aside:
            yield f"      - name: {written(term.text)} # {term.why}"
        elif term.language == NAME:
            yield f"      # - name: {written(term.text)} # {term.why}"
    languages = dict.fromkeys(term.language for term in terms if term.language != NAME)
    for number, language in enumerate(languages):
        yield f"      {'-' if number == 0 else ' '} {language}:"
        for term in terms:
            if term.language == language:
                silenced = " # lint: allow W131" if term.is_guess else ""  # no sentence holds it
                yield f"          - {_term(term)} # {term.why}{silenced}"


def _term(term: DraftTerm) -> str:
    """Return the term; words that stood side by side shall, with room for one more: secondary US tariffs."""
    if " " in term.text:
        return f"{{term: {written(term.text, in_flow=True)}, slop: 1}}"
    return written(term.text)
