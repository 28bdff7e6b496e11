"""Where a name stands in a field: its words, their order, what may stand between, and whose name it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from bot.core import names
from bot.core.names import Ending, NameForm, name_forms, name_key
from bot.core.places import FieldText, Occurrence, Spans, overlaps
from bot.core.terms import GAP_COST, Name, NameNeedle
from bot.core.text import Token

INITIAL: Final = 90.0  # K. for Kirill
MAX_BETWEEN: Final = 2  # words inside a name


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
