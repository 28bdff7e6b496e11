"""Where a term stands in a field, and how well, given where its needles were met."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Final

from bot.core import names
from bot.core.names import Ending, NameForm, name_forms, name_key
from bot.core.patterns import find_all
from bot.core.terms import EQUAL, GAP_COST, Name, NameNeedle, Needle, Pattern, Phrase, Step, Term
from bot.core.text import MAX_TEXT, Token, is_spaceless

INITIAL: Final = 90.0  # K. for Kirill
MAX_BETWEEN: Final = 2  # words inside a name
_TITLE_CASE_SMALL: Final = frozenset(
    re.findall(
        r"\S+",
        "with from over into after amid than that upon about against under for and the but not are has his "
        "her its who as at by in of on or to up via per ",
    )
)
_POLISH_LETTERS: Final = re.compile("[ąęłńśźżĄĘŁŃŚŹŻ]")
_POLISH_WORDS: Final = frozenset({"w", "z", "ze", "dla", "przez", "przed", "oraz", "jest", "nad", "pod"})


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One place where a term stands."""

    field: str
    at: int  # positions, see text.Token
    to: int
    start: int  # code points of the field's text
    end: int
    score: float  # 0 to 100


Spans = Sequence[tuple[int, int]]  # of code points


@dataclass
class FieldText:
    """A field's tokens, and which needles they met."""

    name: str
    text: str
    tokens: list[Token]
    hits: dict[Needle, dict[int, list[tuple[Token, float]]]] = field(default_factory=dict)  # by position

    def add(self, token: Token, needle: Needle, score: float) -> None:
        """Note that the token met the needle."""
        self.hits.setdefault(needle, defaultdict(list))[token.at].append((token, score))

    @cached_property
    def words(self) -> dict[int, Token]:
        """The tokens that are no joined runs, by position."""
        return {token.at: token for token in self.tokens if not token.is_joined}

    @cached_property
    def is_title_case(self) -> bool:
        """True: every word of some length begins with a capital, so that capitals say nothing."""
        words = [token.text for token in self.words.values() if token.text.isalpha() and len(token.text) > 2]
        return len(words) > 4 and not self.has_small_words

    @cached_property
    def has_capitals(self) -> bool:
        """True: some word begins with a capital, so that a small letter says something."""
        return any(token.text[0].isupper() for token in self.words.values())

    @cached_property
    def has_small_letters(self) -> bool:
        """True: the text is not all in capitals."""
        return any(char.islower() for char in self.text)

    @cached_property
    def has_small_words(self) -> bool:
        """True: some word of three letters or more, no title's small word, begins with a small letter."""
        words = (token.text for token in self.words.values())
        return any(len(w) > 2 and w[0].islower() and w not in _TITLE_CASE_SMALL for w in words)

    @cached_property
    def is_polish(self) -> bool:
        """True: by its letters or small words."""
        words = {token.text.casefold() for token in self.words.values()}
        return not _POLISH_WORDS.isdisjoint(words) or _POLISH_LETTERS.search(self.text) is not None


def occurrences(term: Term, text: FieldText, covered: Spans = ()) -> list[Occurrence]:
    """Return where the term stands, in the text's order; words inside `covered` do not count."""
    match term:
        case Phrase():
            found = _phrases(term, text, covered)
        case Name():
            found = _Names(term, text, covered).find()
        case Pattern():
            found = _patterns(term, text, covered)
    return sorted(_best_per_place(found), key=lambda o: (o.at, o.to))


def _best_per_place(found: Iterable[Occurrence]) -> Iterable[Occurrence]:
    """Return one occurrence per beginning: the best, then the shortest."""
    best: dict[int, Occurrence] = {}
    for one in found:
        other = best.get(one.start)
        if other is None or (one.score, -one.end) > (other.score, -other.end):
            best[one.start] = one
    return best.values()


def overlaps(start: int, end: int, covered: Spans) -> bool:
    """True: some of start..end lies inside a covered span."""
    return any(start < high and low < end for low, high in covered)


# ---- phrases -----------------------------------------------------------------------------------


def _phrases(phrase: Phrase, text: FieldText, covered: Spans) -> Iterable[Occurrence]:
    if phrase.literal:
        yield from _literals(phrase.literal, text, covered)
        return
    for reading in phrase.readings:
        if all(step.needle in text.hits for step in reading):
            for firsts in text.hits[reading[0].needle].values():
                for first, score in firsts:
                    if not overlaps(first.start, first.end, covered):
                        yield from _completions(reading, first, score, phrase.slop, text, covered)


def _completions(
    reading: tuple[Step, ...], first: Token, score: float, slop: int, text: FieldText, covered: Spans
) -> Iterable[Occurrence]:
    """Return the ways to go on from the first word.

    A state is (position reached, gaps used); it keeps the best sum of size times similarity.
    """
    total = sum(step.needle.size for step in reading)
    states = {(first.to, 0): (reading[0].needle.size * score, first.end)}
    for step in reading[1:]:
        following: dict[tuple[int, int], tuple[float, int]] = {}
        places = text.hits[step.needle]
        for (to, gaps), (reached, _) in states.items():
            room = 0 if step.is_tight else slop - gaps
            for gap in range(room + 1):
                for token, similar in places.get(to + gap, ()):
                    if token.sentence != first.sentence or overlaps(token.start, token.end, covered):
                        continue
                    value = (reached + step.needle.size * similar, token.end)
                    state = (token.to, gaps + gap)
                    if state not in following or value[0] > following[state][0]:
                        following[state] = value
        states = following
    for (to, gaps), (reached, end) in states.items():
        mean = reached / total - GAP_COST * gaps
        if mean > 0:
            yield Occurrence(text.name, first.at, to, first.start, end, round(mean, 2))


def _literals(literal: str, text: FieldText, covered: Spans) -> Iterable[Occurrence]:
    """Return where the text reads exactly so; hyphens and apostrophes of all kinds are alike."""
    places = (found.span() for found in _literal(literal).finditer(text.text, 0, MAX_TEXT))
    return _between(places, text, covered)


@lru_cache(maxsize=1_024)
def _literal(literal: str) -> re.Pattern[str]:
    letters = [_ALIKE.get(char, r"\s+" if char == " " else re.escape(char)) for char in literal]
    before = "" if is_spaceless(literal[0]) else r"(?<![^\W_])"
    behind = "" if is_spaceless(literal[-1]) else r"(?![^\W_])"
    return re.compile(before + "[\u00ad\u200b]?".join(letters) + behind)


_ALIKE: Final = {"-": "[-\u2010\u2011]", "'": "['\u2019]", "\u2019": "['\u2019]"}


# ---- names -------------------------------------------------------------------------------------


class _Names:
    """Finds one name in one field."""

    def __init__(self, name: Name, text: FieldText, covered: Spans) -> None:
        self.name = name
        self.text = text
        self.surname = name.words[-1]
        self.given = name.words[:-1]
        self.words = text.words
        if covered:
            seen = self.words.items()
            self.words = {at: word for at, word in seen if not overlaps(word.start, word.end, covered)}

    def find(self) -> Iterable[Occurrence]:
        yield from self._closed_up()
        for at, met in self.text.hits.get(self.surname, {}).items():
            for token, score in met:
                if self._is_small(token, self.surname):
                    continue
                if token.is_joined:
                    if not self.given and self._is_visible(token):
                        yield self._occurrence([(token, self.surname, score)], 0.0)
                elif at in self.words:
                    yield from self._around(token, score)

    def _closed_up(self) -> Iterable[Occurrence]:
        """Return where both words of the name are one (kirilldmitriev), and not a woman's."""
        if self.name.glued is None:
            return
        for met in self.text.hits.get(self.name.glued, {}).values():
            for token, score in met:
                is_hers = _ending(token, self.name.glued) is Ending.A and names.is_other_gender(token.text)
                if self._is_visible(token) and not token.is_joined and not is_hers:
                    yield self._occurrence([(token, self.name.glued, score)], 0.0)

    def _is_small(self, token: Token, needle: NameNeedle) -> bool:
        """True: a common word (trumps), by its small letter in a text that has capitals."""
        return needle.is_proper and token.text[0].islower() and self.text.has_capitals

    def _is_visible(self, token: Token) -> bool:
        return all(at in self.words for at in range(token.at, token.to))

    def _around(self, token: Token, score: float) -> Iterable[Occurrence]:
        ending = _ending(token, self.surname)
        if not self.given:
            if not self._is_a_woman(token, ending):
                yield self._occurrence([(token, self.surname, score)], 0.0)
            return
        for parts, cost in filter(None, (self._before(token), self._behind(token))):
            if self._agree(parts, token, ending):
                yield self._occurrence([*parts, (token, self.surname, score)], cost)

    def _occurrence(self, parts: list[tuple[Token, NameNeedle, float]], cost: float) -> Occurrence:
        tokens = [token for token, _, _ in parts]
        size = sum(needle.size for _, needle, _ in parts)
        mean = sum(needle.size * score for _, needle, score in parts) / size
        return Occurrence(
            self.text.name,
            min(token.at for token in tokens),
            max(token.to for token in tokens),
            min(token.start for token in tokens),
            max(token.end for token in tokens),
            round(max(mean - cost, 1.0), 2),
        )

    def _is_a_woman(self, token: Token, ending: Ending) -> bool:
        """True: a surname alone, in -a, that Latin letters or the words beside it say is a woman's."""
        if ending is not Ending.A or not names.is_other_gender(token.text):
            return False
        before, behind = self.words.get(token.at - 1), self.words.get(token.at + 1)
        if before is not None and (names.is_woman(before.text) or _is_initial(before, self.text)):
            return True
        if behind is not None and names.is_her_verb(before.text if before else "", behind.text):
            return True
        if names.is_cyrillic(token.text):
            return False
        return not names.is_mans(before.text if before else "", token.text, is_polish=self.text.is_polish)

    def _key(self, token: Token) -> str:
        return next(
            (f.key for f in name_forms(token.text) if f.key in self.surname.keys), name_key(token.text)
        )

    def _agree(self, parts: list[tuple[Token, NameNeedle, float]], token: Token, ending: Ending) -> bool:
        key = self._key(token)
        whole = ((given, needle) for given, needle, score in parts if score != INITIAL)
        first = next(whole, None)
        if first is None:
            return names.agrees(Ending.PLAIN, ending, "", token.text, key)
        return names.agrees(_ending(*first), ending, first[0].text, token.text, key)

    def _before(self, surname: Token) -> tuple[list[tuple[Token, NameNeedle, float]], float] | None:
        """Return the other words of the name in front of the surname, and the cost of words between."""
        wanted = list(self.given)
        parts: list[tuple[Token, NameNeedle, float]] = []
        between, cost, at = 0, 0.0, surname.at - 1
        while wanted:
            token = self.words.get(at)
            if token is None or token.clause != surname.clause:
                return None
            part = self._part(token, wanted[-1])
            if part is not None:
                parts.insert(0, part)
                wanted.pop()
            else:
                price = self._price_between(token)
                between += 1
                if price is None or between > MAX_BETWEEN:
                    return None
                cost += price
            at -= 1
        before = self.words.get(at)
        if between and not self.text.has_small_words and _is_in_s(surname, self.surname):
            return None  # Donald Duck Trumps Rivals
        if parts[0][2] == INITIAL and before is not None and _is_initial(before, self.text):
            return None  # A. K. Dmitriev is not K. Dmitriev
        return parts, cost

    def _behind(self, surname: Token) -> tuple[list[tuple[Token, NameNeedle, float]], float] | None:
        """Return the other words of the name right behind the surname (Dmitriev Kirill)."""
        parts: list[tuple[Token, NameNeedle, float]] = []
        for at, needle in enumerate(self.given, surname.to):
            token = self.words.get(at)
            if token is None or token.clause != surname.clause:
                return None
            part = self._part(token, needle)
            if part is None:
                return None
            parts.append(part)
        return parts, 0.0

    def _part(self, token: Token, needle: NameNeedle) -> tuple[Token, NameNeedle, float] | None:
        for met, score in self.text.hits.get(needle, {}).get(token.at, ()):
            if met is token and not self._is_small(token, needle):
                return token, needle, score
        if _is_initial(token, self.text) and any(key.startswith(name_key(token.text)) for key in needle.keys):
            return token, needle, INITIAL
        return None

    def _price_between(self, token: Token) -> float | None:
        """Return what a word inside the name costs; None: it ends the name."""
        if _is_initial(token, self.text) or names.is_patronymic(token.text):
            return 1.0
        if names.is_particle(token.text):
            return GAP_COST
        if token.text in {"a", "em", "owi", "ie"} and self.text.text[token.start - 1 : token.start] in {
            "'",
            "’",
        }:
            return 0.0  # Steve'a Witkoffa
        says_little = self.text.is_title_case or not self.text.has_small_letters
        if token.text[0].isupper() and token.text.isalpha() and not says_little:
            return GAP_COST
        return None


def _ending(token: Token, needle: NameNeedle) -> Ending:
    forms: tuple[NameForm, ...] = name_forms(token.text)
    return next((form.ending for form in forms if form.key in needle.keys), Ending.PLAIN)


def _is_in_s(token: Token, needle: NameNeedle) -> bool:
    """True: the name with an -s that Latin letters decline it by, or an English verb (trumps)."""
    return _ending(token, needle) is Ending.DECLINED and token.text.endswith(("s", "S"))


def _is_initial(token: Token, text: FieldText) -> bool:
    """True: one capital, or two and a full stop (K, K., Yu.)."""
    if not token.text[0].isupper() or not token.text.isalpha():
        return False
    return len(token.text) == 1 or (len(token.text) == 2 and text.text[token.end : token.end + 1] == ".")


# ---- patterns ----------------------------------------------------------------------------------


def _patterns(pattern: Pattern, text: FieldText, covered: Spans) -> Iterable[Occurrence]:
    return _between(find_all(pattern.text, text.text), text, covered)


def _between(spans: Iterable[tuple[int, int]], text: FieldText, covered: Spans) -> Iterable[Occurrence]:
    """Return the spans as occurrences, with the positions of the words in them."""
    words = list(text.words.values())
    starts = [token.start for token in words]
    ends = [token.end for token in words]
    for start, end in spans:
        if not overlaps(start, end, covered):
            first, last = bisect_right(ends, start), bisect_left(starts, end) - 1
            at = words[first].at if first < len(words) else 0
            to = words[last].to if 0 <= last < len(words) else at + 1
            yield Occurrence(text.name, at, max(to, at + 1), start, end, EQUAL)
