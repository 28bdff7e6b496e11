"""Why an item belongs to a topic, or why not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.core.expressions import Evidence, Leaf, evaluate, leaves
from bot.core.finder import FIELDS, Sight
from bot.core.match import Matcher, TopicRule, covered_spans, is_heard, item_score
from bot.core.names import name_forms
from bot.core.terms import (
    Name,
    NameNeedle,
    Needle,
    Phrase,
    Word,
    WordNeedle,
    may_be_typo,
    raw_name_similarity,
    raw_similarity,
    similarity,
    stem,
)
from bot.core.text import Token, fold, same_script, script, tokens_of
from bot.model import Item, TermMatch, TopicId

LEAST_NEAR: Final = 60.0  # similarity below which a miss is no near miss
MAX_NEAR: Final = 5
MAX_COMPARED: Final = 500  # different words of a field


class WhyNot(StrEnum):
    """Why a topic does not match."""

    MATCHES = "matches"
    NO_TERM = "no term found"
    COVERED = "all that was found is covered by `ignore`"
    INCOMPLETE = "terms were found, but the expression asks for more"
    BELOW_MIN_SCORE = "below min_score"
    UNLESS = "dropped by `unless`"
    LANGUAGE = "in a language the topic does not read"
    SOURCE = "from a source the topic does not read"


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMiss:
    """A term that was almost found."""

    term: str
    field: str
    start: int
    end: int
    text: str
    similarity: float  # of the word that failed, 0 to 100
    cutoff: float  # that it failed by
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A topic's whole answer to an item."""

    topic: TopicId
    why: WhyNot
    score: float  # 0 when the expression does not hold
    min_score: float
    terms: tuple[TermMatch, ...]  # found and not covered up, best first
    covered: tuple[TermMatch, ...]  # found, but covered up
    ignored: tuple[TermMatch, ...]  # what `ignore` found
    unless: tuple[TermMatch, ...]  # what `unless` found
    near_misses: tuple[NearMiss, ...]
    reached: frozenset[str]  # every term found and not covered up, as written, spellings of one term too

    @property
    def matched(self) -> bool:
        """True: the item belongs to the topic."""
        return self.why is WhyNot.MATCHES


def explain(matcher: Matcher, rule: TopicRule, item: Item, *, with_near_misses: bool = True) -> Explanation:
    """Return what the topic makes of the item.

    Args:
        with_near_misses: They compare every term with every word; without them it costs little.
    """
    sight = matcher.see(item)
    covered = covered_spans(rule, sight)
    every = ((leaf, sight.find(leaf)) for leaf in leaves(rule.match, positive=True))
    found: Evidence = {leaf: spots for leaf, spots in every if spots}
    visible = {leaf: spots for leaf in found if (spots := sight.find_uncovered(leaf, covered))}
    evidence = evaluate(rule.match, lambda leaf: sight.find_uncovered(leaf, covered))
    score = item_score(evidence) if evidence else 0.0
    unless = evaluate(rule.unless, sight.find) if rule.unless is not None else None
    reasons = (  # against a match, in the order the matcher asks
        (not found, WhyNot.NO_TERM),
        (not visible, WhyNot.COVERED),
        (not evidence, WhyNot.INCOMPLETE),
        (score < rule.min_score, WhyNot.BELOW_MIN_SCORE),
        (not is_heard(rule, item), WhyNot.SOURCE),
        (unless is not None, WhyNot.UNLESS),
        (not matcher.speaks(rule, item), WhyNot.LANGUAGE),
    )
    why = next((why for is_so, why in reasons if is_so), WhyNot.MATCHES)
    shown = evidence if evidence else visible
    hidden = {
        leaf: gone for leaf in found if (gone := [o for o in found[leaf] if o not in visible.get(leaf, ())])
    }
    ignored = evaluate(rule.ignore, sight.find) if rule.ignore is not None else None
    near_misses = _near_misses(matcher, rule, sight) if with_near_misses else ()
    return Explanation(
        topic=rule.id,
        why=why,
        score=score,
        min_score=rule.min_score,
        terms=sight.term_matches(shown),
        covered=sight.term_matches(hidden),
        ignored=sight.term_matches(ignored or {}),
        unless=sight.term_matches(unless or {}),
        near_misses=near_misses,
        reached=frozenset(leaf.term.text for leaf in visible),
    )


# ---- near misses -------------------------------------------------------------------------------


def _near_misses(matcher: Matcher, rule: TopicRule, sight: Sight) -> tuple[NearMiss, ...]:
    every = dict.fromkeys(leaves(rule.match, positive=True))
    missing = [leaf for leaf in every if not sight.find(leaf)]
    tokens = {
        name: _distinct(tokens_of(text))
        for name, text in sight.texts.items()
        if name in matcher.wanted and len(text) < 20_000
    }
    closest: dict[tuple[str, Needle], _Closest | None] = {}  # each needle is looked for once a field
    misses = []
    for leaf in missing:
        options = []
        for field in leaf.fields & tokens.keys():
            for needle in _needles(leaf):
                if (field, needle) not in closest:
                    closest[field, needle] = _closest(matcher, needle, tokens[field])
            words = [closest[field, needle] for needle in _needles(leaf)]
            if (miss := _near_miss(leaf, field, words, sight.texts[field])) is not None:
                options.append(miss)
        misses += sorted(options, key=lambda miss: (-miss.similarity, FIELDS.index(miss.field)))[:1]
    return tuple(sorted(misses, key=lambda miss: -miss.similarity)[:MAX_NEAR])


@dataclass(frozen=True, slots=True)
class _Closest:
    """The word of a text that comes closest to a needle."""

    token: Token
    similarity: float
    cutoff: float
    reason: str  # empty: the word is found


def _distinct(tokens: list[Token]) -> list[Token]:
    """Return the first token of each spelling, at most MAX_COMPARED of them."""
    first: dict[str, Token] = {}
    for token in tokens:
        first.setdefault(token.text, token)
    return list(first.values())[:MAX_COMPARED]


def _near_miss(leaf: Leaf, field: str, closest: list[_Closest | None], text: str) -> NearMiss | None:
    words = [one for one in closest if one is not None]
    if not words or len(words) < len(closest):
        return None
    start, end = min(w.token.start for w in words), max(w.token.end for w in words)
    worst = min(words, key=lambda w: (w.reason == "", w.similarity))
    apart = "its words stand apart or in another order"
    if isinstance(leaf.term, Name):
        apart = "its words do not agree as one person's name, or stand apart"
    return NearMiss(
        term=leaf.term.text,
        field=field,
        start=start,
        end=end,
        text=text[start:end],
        similarity=round(worst.similarity, 1),
        cutoff=worst.cutoff,
        reason=worst.reason or apart,
    )


def _needles(leaf: Leaf) -> list[Needle]:
    match leaf.term:
        case Phrase():
            return [step.needle for step in leaf.term.readings[0]]
        case Name():
            return list(leaf.term.words)
        case _:
            return []


def _closest(matcher: Matcher, needle: Needle, tokens: list[Token]) -> _Closest | None:
    best: _Closest | None = None
    for token in tokens:
        word = Word(token.text, token.is_joined)
        found = similarity(needle, word, matcher.is_real)
        one = _Closest(token, found, 0.0, "") if found > 0 else _failed(matcher, needle, token, word)
        if one is not None and (best is None or one.similarity > best.similarity):
            best = one
    return best


def _failed(matcher: Matcher, needle: Needle, token: Token, word: Word) -> _Closest | None:
    """Return how close a word came that is not taken; None: not close."""
    if isinstance(needle, WordNeedle) and same_script(needle.script, script(word.text)):
        raw = raw_similarity(needle, fold(word.text), stem(word.text, needle.language))
        cutoff = needle.fuzzy
    elif isinstance(needle, NameNeedle):
        raw = raw_name_similarity(needle, name_forms(word.text)[0].key) if name_forms(word.text) else 0.0
        cutoff = needle.fuzzy
    else:
        return None
    if raw < LEAST_NEAR or word.is_joined:
        return None
    if cutoff > 100:
        return _Closest(token, raw, 100.0, "the term allows no typos")
    if raw < cutoff:
        return _Closest(token, raw, cutoff, f"similarity {raw:.0f} is below {cutoff:.0f}")
    language = needle.language if isinstance(needle, WordNeedle) else ""
    if not may_be_typo(word, language, matcher.is_real):
        return _Closest(token, raw, cutoff, "a real word, and so no typo")
    return None
