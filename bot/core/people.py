"""Where a name stands in a field: its words, their order, what may stand between, and whose name it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Final

from bot.core import name_gender as gender
from bot.core.names import Ending, NameForm, is_cyrillic, name_forms, name_key
from bot.core.places import FieldText, Occurrence, Spans, overlaps
from bot.core.terms import GAP_COST, Name, NameNeedle
from bot.core.text import Token

INITIAL: Final = 90.0  # K. for Kirill
_COMMA: Final = re.compile(r",\s+\S")
MAX_BETWEEN: Final = 2  # words inside a name
SHORTEST_GIVEN: Final = 3  # letters of a name before the surname that is declined: Liu is no case of Li
_SHORTEST_ALONE: Final = {
    True: 3,
    False: 4,
}  # letters of a surname that is declined alone, in Cyrillic and not
_HYPHENS: Final = "-\u2010\u2011"
_POLISH_ENDINGS: Final = frozenset({"a", "em", "owi", "ie", "u"})
_APOSTROPHES: Final = "'\u2019"


def find_names(name: Name, text: FieldText, covered: Spans) -> Iterable[Occurrence]:
    """Return where the name stands; words inside `covered` do not count."""
    return _Names(name, text, covered).find()


class _Names:
    """Finds one name in one field."""

    def __init__(self, name: Name, text: FieldText, covered: Spans) -> None:
        self.name = name
        self.text = text
        self.surname = name.words[-1]
        self.given = name.words[:-1]
        self.words: Mapping[int, Token] = text.words
        if covered:
            seen = self.words.items()
            self.words = {at: word for at, word in seen if not overlaps(word.start, word.end, covered)}

    @cached_property
    def is_german(self) -> bool:
        """True: by its letters or small words."""
        return gender.is_german(self.text.text)

    def find(self) -> Iterable[Occurrence]:
        yield from self._closed_up()
        for at, met in self.text.hits.get(self.surname, {}).items():
            for token, score in met:
                if self._is_small(token, self.surname):
                    continue
                if token.is_joined:
                    if self._is_visible(token):
                        yield from self._around(token, score)
                elif at in self.words:
                    yield from self._around(token, score)

    def _closed_up(self) -> Iterable[Occurrence]:
        """Return where both words of the name are one (kirilldmitriev), and not a woman's."""
        if self.name.glued is None:
            return
        for met in self.text.hits.get(self.name.glued, {}).values():
            for token, score in met:
                is_hers = _ending(token, self.name.glued) is Ending.A and gender.is_other_gender(token.text)
                if self._is_visible(token) and not token.is_joined and not is_hers:
                    yield self._occurrence([(token, self.name.glued, score)], 0.0)

    def _is_small(self, token: Token, needle: NameNeedle) -> bool:
        """True: a common word (trumps), by its small letter in a text that has capitals.

        What a hyphen joins to a capital is part of a name: Kim Jong-un.
        """
        if not needle.is_proper or not token.text[0].islower() or not self.text.has_capitals:
            return False
        before = self.words.get(token.at - 1)
        return before is None or not self._is_hyphenated(before, token) or before.text[0].islower()

    def _is_hyphenated(self, before: Token, token: Token) -> bool:
        return token.start == before.end + 1 and self.text.text[before.end] in _HYPHENS

    def _is_visible(self, token: Token) -> bool:
        return all(at in self.words for at in range(token.at, token.to))

    def _around(self, token: Token, score: float) -> Iterable[Occurrence]:
        ending = _ending(token, self.surname)
        if not self.given:
            if not self._is_a_woman(token, ending) and not self._is_too_short(token, ending):
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
        if ending is not Ending.A or not gender.is_other_gender(token.text):
            return False
        before, behind = self.words.get(token.at - 1), self.words.get(token.at + 1)
        if before is not None and (gender.is_woman(before.text) or _is_initial(before, self.text)):
            return True
        if behind is not None and gender.is_her_verb(before.text if before else "", behind.text):
            return True
        if is_cyrillic(token.text):
            return False
        return not gender.is_mans(
            before.text if before else "",
            token.text,
            is_polish=self.text.is_polish,
            is_german=self.is_german,
        )

    def _is_too_short(self, token: Token, ending: Ending) -> bool:
        """True: a declined surname that might be any short word (Xis, Yis), or a name in -o in -a."""
        shortest = _SHORTEST_ALONE[is_cyrillic(token.text)]
        return ending is Ending.O or (ending is not Ending.PLAIN and self.surname.size < shortest)

    def _key(self, token: Token) -> str:
        return next(
            (f.key for f in name_forms(token.text) if f.key in self.surname.keys), name_key(token.text)
        )

    def _agree(self, parts: list[tuple[Token, NameNeedle, float]], token: Token, ending: Ending) -> bool:
        key = self._key(token)
        whole = ((given, needle) for given, needle, score in parts if score != INITIAL)
        told = [(given, _ending(given, needle)) for given, needle in whole]
        if not told:
            return gender.agrees(Ending.PLAIN, ending, "", token.text, key)
        given, case = next((one for one in told if one[1] is not Ending.PLAIN), told[0])  # Касым-Жомарта
        return gender.agrees(case, ending, given.text, token.text, key)

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
            first = self._part(before, self.given[0])
            if first is None:
                return None  # A. K. Dmitriev is not K. Dmitriev
            return [first, *parts[1:]], cost + 1.0  # V. V. Putin: the second is the patronymic's
        return parts, cost

    def _behind(self, surname: Token) -> tuple[list[tuple[Token, NameNeedle, float]], float] | None:
        """Return the other words of the name right behind the surname (Dmitriev Kirill; Dmitriev, Kirill)."""
        at = surname.to
        has_comma = at not in self.words and self._is_comma(surname.end)
        at += has_comma
        parts: list[tuple[Token, NameNeedle, float]] = []
        for needle in self.given:
            token = self.words.get(at)
            if token is None or token.clause != surname.clause + has_comma:
                return None
            part = self._part(token, needle)
            if part is None or (has_comma and part[2] == INITIAL):
                return None
            parts.append(part)
            at = token.to
        if has_comma and self._goes_on(at, surname.clause + 1):
            return None  # Dmitriev, Kirill Androsov: two people
        return parts, 0.0

    def _is_comma(self, at: int) -> bool:
        """True: a comma and white space, nothing else, stand before the next word."""
        return _COMMA.match(self.text.text, at) is not None

    def _goes_on(self, at: int, clause: int) -> bool:
        """True: the word at this position may go on with the name: it has a capital and is no patronymic."""
        token = self.words.get(at)
        if token is None or token.clause != clause or gender.is_patronymic(token.text):
            return False
        return token.text[0].isupper() or not self.text.has_capitals

    def _part(self, token: Token, needle: NameNeedle) -> tuple[Token, NameNeedle, float] | None:
        for met, score in self.text.hits.get(needle, {}).get(token.at, ()):
            is_too_short = needle.size < SHORTEST_GIVEN and _ending(token, needle) is not Ending.PLAIN
            if met == token and not is_too_short and not self._is_small(token, needle):
                return token, needle, score
        if _is_initial(token, self.text) and _begins(needle, token):
            return token, needle, INITIAL
        return None

    def _price_between(self, token: Token) -> float | None:
        """Return what a word inside the name costs; None: it ends the name."""
        if _is_initial(token, self.text) or gender.is_patronymic(token.text):
            return 1.0
        if gender.is_particle(token.text):
            return GAP_COST
        if token.text in _POLISH_ENDINGS and self.text.text[token.start - 1] in _APOSTROPHES:
            return 0.0  # Steve'a Witkoffa
        says_little = self.text.is_title_case or not self.text.has_small_letters
        if token.text[0].isupper() and token.text.isalpha() and not says_little:
            return GAP_COST
        return None


def _ending(token: Token, needle: NameNeedle) -> Ending:
    forms: tuple[NameForm, ...] = name_forms(token.text)
    return next((form.ending for form in forms if form.key in needle.keys), Ending.PLAIN)


def _begins(needle: NameNeedle, initial: Token) -> bool:
    """True: the name may begin with this initial."""
    letters = name_key(initial.text)
    return any(key.casefold().startswith(letters) for key in needle.keys)


def _is_in_s(token: Token, needle: NameNeedle) -> bool:
    """True: the name with an -s that Latin letters decline it by, or an English verb (trumps)."""
    return _ending(token, needle) is Ending.DECLINED and token.text.endswith(("s", "S"))


def _is_initial(token: Token, text: FieldText) -> bool:
    """True: one capital, or two and a full stop (K, K., Yu.)."""
    if not token.text[0].isupper() or not token.text.isalpha():
        return False
    return len(token.text) == 1 or (len(token.text) == 2 and text.text[token.end : token.end + 1] == ".")
