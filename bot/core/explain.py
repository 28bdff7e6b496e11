"""Why an item belongs to a topic, or why not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from bot.core.expressions import Evidence, Find, Leaf, evaluate, identity, leaves
from bot.core.finder import FIELDS, TITLE_FACTOR, Sight, strength
from bot.core.match import Matcher, TopicRule, is_heard, item_score, spans
from bot.core.names import name_forms
from bot.core.places import Occurrence, Spans
from bot.core.stems import stem
from bot.core.terms import (
    IsWord,
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
)
from bot.core.text import Token, fold, same_script, script, tokens_of
from bot.model import Item, TermMatch, TopicId

_NOTHING: Final[Mapping[str, Spans]] = MappingProxyType({})
LEAST_NEAR: Final = 60.0  # similarity below which a miss is no near miss
MAX_NEAR: Final = 5
MAX_COMPARED: Final = 2_000  # different words of a field
MAX_PLACES: Final = 100  # of the rarest word of a term
MAX_APART: Final = 12  # positions that the words of a near miss may cover
LONGEST_COMPARED: Final = 20_000  # characters of a field; a longer one has no near misses


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
class Share:
    """What one term gives to the score: weight · similarity/100 · field_factor."""

    term: str
    field: str
    text: str
    weight: float  # the operator's
    similarity: float  # 0 to 100
    field_factor: float  # the title counts more
    counts: float  # the product


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A topic's whole answer to an item."""

    topic: TopicId
    why: WhyNot
    score: float  # 0 when the expression does not hold
    min_score: float
    shares: tuple[Share, ...]  # of each different term once, where it counts most, greatest first
    evidence: float  # E: the sum of the shares; the score is 100 · (1 - 0.25^E)
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
    find = _finding(matcher, sight)
    ignored = evaluate(rule.ignore, find) if rule.ignore is not None else None
    covered = spans(ignored or {})
    every = ((leaf, find(leaf)) for leaf in leaves(rule.match, positive=True))
    found: Evidence = {leaf: list(spots) for leaf, spots in every if spots}
    visible = {leaf: spots for leaf in found if (spots := sight.find_uncovered(leaf, covered))}
    evidence = evaluate(rule.match, _finding(matcher, sight, covered)) if visible else None
    score = item_score(evidence) if evidence else 0.0
    shares = _shares(evidence or {}, sight)
    unless = evaluate(rule.unless, find) if rule.unless is not None else None
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
    near_misses = _near_misses(matcher, rule, sight) if with_near_misses else ()
    return Explanation(
        topic=rule.id,
        why=why,
        score=score,
        min_score=rule.min_score,
        shares=shares,
        evidence=sum(share.counts for share in shares),
        terms=sight.term_matches(shown),
        covered=sight.term_matches(hidden),
        ignored=sight.term_matches(ignored or {}),
        unless=sight.term_matches(unless or {}),
        near_misses=near_misses,
        reached=frozenset(leaf.term.text for leaf in visible),
    )


def _finding(matcher: Matcher, sight: Sight, covered: Mapping[str, Spans] = _NOTHING) -> Find:
    """Return what finds a term in the item, passing over all that cannot stand there at once."""
    possible, number = sight.possible, matcher.finder.number

    def find(leaf: Leaf) -> Sequence[Occurrence]:
        return sight.find_uncovered(leaf, covered) if number(leaf.term) in possible else ()

    return find


def _shares(evidence: Evidence, sight: Sight) -> tuple[Share, ...]:
    """Return what the score is made of, by the rule of `item_score`."""
    best: dict[object, tuple[float, Leaf, Occurrence]] = {}
    for leaf, found in evidence.items():
        key = identity(leaf.term)
        for one in found:
            counts = strength(leaf, one)
            if key not in best or counts > best[key][0]:
                best[key] = (counts, leaf, one)
    ordered = sorted(best.values(), key=lambda share: -share[0])
    return tuple(_share(counts, leaf, one, sight) for counts, leaf, one in ordered)


def _share(counts: float, leaf: Leaf, one: Occurrence, sight: Sight) -> Share:
    return Share(
        term=leaf.term.text,
        field=one.field,
        text=sight.texts[one.field][one.start : one.end],
        weight=leaf.weight,
        similarity=one.score,
        field_factor=TITLE_FACTOR if one.field == "title" else 1.0,
        counts=counts,
    )


# ---- near misses -------------------------------------------------------------------------------


def _near_misses(matcher: Matcher, rule: TopicRule, sight: Sight) -> tuple[NearMiss, ...]:
    every = dict.fromkeys(leaves(rule.match, positive=True))
    missing = [leaf for leaf in every if not sight.find(leaf)]
    fields = {
        name: _Words(tokens_of(text), matcher)
        for name, text in sight.texts.items()
        if name in matcher.wanted and len(text) < LONGEST_COMPARED
    }
    misses = []
    for leaf in missing:
        options = []
        for field in leaf.fields & fields.keys():
            if (miss := _near_miss(leaf, field, fields[field], sight.texts[field])) is not None:
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


class _Words:
    """The different words of a field, and which of them comes closest to a needle."""

    def __init__(self, tokens: list[Token], matcher: Matcher) -> None:
        self.places: dict[str, list[Token]] = {}  # of each different word
        for token in tokens:
            self.places.setdefault(token.text, []).append(token)
        self._tokens = [places[0] for places in self.places.values()][:MAX_COMPARED]
        self._is_real = matcher.is_real
        self._closest: dict[Needle, _Closest | None] = {}
        self._alike: dict[str, dict[str, list[Token]]] = {}  # by the stems' language, by first letter
        self._names: dict[str, list[Token]] | None = None  # by the first letter of the name's key

    def closest(self, needle: Needle) -> _Closest | None:
        """Return the word that is found, or else comes closest; None: none comes close."""
        if needle not in self._closest:
            self._closest[needle] = self._compared(needle)
        return self._closest[needle]

    def _compared(self, needle: Needle) -> _Closest | None:
        best: _Closest | None = None
        for token in self._candidates(needle):
            word = Word(token.text, token.is_joined)
            found = similarity(needle, word, self._is_real)
            if found > 0:
                return _Closest(token, found, 0.0, "")
            one = _failed(self._is_real, needle, token, word)
            if one is not None and (best is None or one.similarity > best.similarity):
                best = one
        return best

    def _candidates(self, needle: Needle) -> Iterable[Token]:
        """Return the words that may be alike: a typo never is in the first letter."""
        match needle:
            case WordNeedle():
                by_first = self._by_first(needle.language)
                firsts = {form[0] for form in (*needle.folds, *needle.stems)}
            case NameNeedle():
                by_first, firsts = self._by_name(), {key[0] for key in needle.keys}
            case _:
                return self._tokens
        return dict.fromkeys(token for first in sorted(firsts) for token in by_first.get(first, ()))

    def _by_first(self, language: str) -> dict[str, list[Token]]:
        if language not in self._alike:
            by_first: dict[str, list[Token]] = {}
            for token in self._tokens:
                for first in {fold(token.text)[:1], stem(token.text, language)[:1]}:
                    by_first.setdefault(first, []).append(token)
            self._alike[language] = by_first
        return self._alike[language]

    def _by_name(self) -> dict[str, list[Token]]:
        if self._names is None:
            self._names = {}
            for token in self._tokens:
                for first in {form.key[0] for form in name_forms(token.text)}:
                    self._names.setdefault(first, []).append(token)
        return self._names


def _near_miss(leaf: Leaf, field: str, words: _Words, text: str) -> NearMiss | None:
    needles = _needles(leaf)
    closest = [one for needle in needles if (one := words.closest(needle)) is not None]
    if not closest or len(closest) < len(needles):
        return None
    span = _tightest([words.places[one.token.text] for one in closest])
    if span is None:
        return None
    start, end = span
    worst = min(closest, key=lambda one: (one.reason == "", one.similarity))
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


def _tightest(words: Sequence[Sequence[Token]]) -> tuple[int, int] | None:
    """Return the least part of the text that has all the words; None: they stand too far apart."""
    rarest = min(words, key=len)
    windows = []
    for one in rarest[:MAX_PLACES]:
        near = [min(places, key=lambda token: abs(token.at - one.at)) for places in words]
        windows.append((max(token.to for token in near) - min(token.at for token in near), near))
    width, near = min(windows, key=lambda window: window[0])
    if width > MAX_APART:
        return None
    return min(token.start for token in near), max(token.end for token in near)


def _needles(leaf: Leaf) -> list[Needle]:
    match leaf.term:
        case Phrase():
            return [step.needle for step in leaf.term.readings[0]]
        case Name():
            return list(leaf.term.words)
        case _:
            return []


def _failed(is_real: IsWord, needle: Needle, token: Token, word: Word) -> _Closest | None:
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
    if not may_be_typo(word, language, is_real):
        return _Closest(token, raw, cutoff, "a real word, and so no typo")
    return None
