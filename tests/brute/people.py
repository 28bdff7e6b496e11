"""Where a name stands in a field: every word is tried as the surname, every words before it as the rest."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise, product

from bot.core import name_gender as grammar
from bot.core.names import Ending, is_cyrillic, name_forms, name_key
from bot.core.places import Look
from bot.core.terms import Name, NameNeedle, Needle
from bot.core.text import Token
from tests.brute.fields import Field, Place, Spans, covers

INITIAL = 90.0
MOST_BETWEEN = 2
GAP_COST = 5.0

Alike = Callable[[Needle, Token], float]
Part = tuple[Token, NameNeedle, float]  # a word of the text, the word of the name that it is, how alike


def names(name: Name, field: Field, hidden: Spans, alike: Alike) -> Iterator[Place]:
    """Return every place of the name that has no hidden word in it; hidden ones beside it still tell."""
    for place in People(name, field, alike).every():
        words = [word for word in field.words if place.at <= word.at < place.to]
        if not any(covers(hidden, word.start, word.end) for word in words):
            yield place


class People:
    """One name in one field."""

    def __init__(self, name: Name, field: Field, alike: Alike) -> None:
        self.name = name
        self.field = field
        self.looks = Look(
            field.text, {token.at: token for token in field.tokens if not token.is_joined}
        )  # title case, Polish and so on
        self.alike = alike
        self.words = {word.at: word for word in field.words}

    def every(self) -> Iterator[Place]:
        """Return every place of the name."""
        *given, surname = self.name.words
        for token in self.field.tokens:
            whole = self._closed_up(token)
            if whole is not None:
                yield self._place([whole], 0.0)
            part = (token, surname, self.alike(surname, token))
            if part[2] == 0 or self._is_small(token, surname):
                continue
            if not all(at in self.words for at in range(token.at, token.to)):
                continue
            if not given:
                if not self._is_a_woman(part) and not self._is_too_short(part):
                    yield self._place([part], 0.0)
            else:
                for others, cost in [*self._before(given, part), *self._behind(given, part)]:
                    if self._agree(others, part):
                        yield self._place([*others, part], cost)

    # ---- the words of a name -------------------------------------------------------------------

    def _closed_up(self, token: Token) -> Part | None:
        """Return the word as both words of the name in one, unless it is a woman's."""
        needle = self.name.glued
        if needle is None or token.is_joined or self.alike(needle, token) == 0:
            return None
        is_hers = _ending(token, needle) is Ending.A and grammar.is_other_gender(token.text)
        return None if is_hers else (token, needle, self.alike(needle, token))

    def _is_small(self, token: Token, needle: NameNeedle) -> bool:
        is_small = needle.is_proper and token.text[0].islower() and self.looks.has_capitals
        before = self.words.get(token.at - 1)
        if before is None or before.end + 1 != token.start or before.text[0].islower():
            return is_small
        return is_small and self.field.text[before.end] not in "-\u2010\u2011"  # Kim Jong-un

    def _given(self, token: Token, needle: NameNeedle) -> Part | None:
        """Return the word as a given name, or as its initial."""
        is_liu = needle.size < 3 and _ending(token, needle) is not Ending.PLAIN  # no case of Li
        if (score := self.alike(needle, token)) > 0 and not is_liu and not self._is_small(token, needle):
            return token, needle, score
        if self._is_initial(token) and any(
            key.casefold().startswith(name_key(token.text)) for key in needle.keys
        ):
            return token, needle, INITIAL
        return None

    def _is_initial(self, token: Token | None) -> bool:
        """True: one capital letter, or two and a full stop."""
        if token is None or not token.text.isalpha() or not token.text[0].isupper():
            return False
        return len(token.text) == 1 or (len(token.text) == 2 and self.field.text[token.end :].startswith("."))

    def _before(self, given: Sequence[NameNeedle], surname: Part) -> Iterator[tuple[list[Part], float]]:
        """Return the given names in front, each the nearest that can be it, and what stands between costs."""
        token = surname[0]
        words = [word for word in self.field.words if word.clause == token.clause and word.at < token.at]
        options = [[part for word in words if (part := self._given(word, needle))] for needle in given]
        groups = [
            (group, cost)
            for group in product(*options)
            if (cost := self._cost([*group, surname])) is not None
        ]
        if not groups:
            return
        parts, cost = max(groups, key=lambda group: [part[0].at for part in reversed(group[0])])
        has_between = token.at - parts[0][0].at > len(given)
        if has_between and not self.looks.has_small_words and _is_in_s(surname):
            return  # Donald Duck Trumps Rivals
        first = self.words.get(parts[0][0].at - 1)
        if parts[0][2] == INITIAL and first is not None and self._is_initial(first):
            part = self._given(first, given[0])
            if part is not None:  # V. V. Putin; but A. K. Dmitriev is not K.
                yield [part, *parts[1:]], cost + 1.0
            return
        yield list(parts), cost

    def _cost(self, parts: Sequence[Part]) -> float | None:
        """Return what the words between the parts cost; None: they are no one's name."""
        between = [at for left, right in pairwise(parts) for at in range(left[0].to, right[0].at)]
        prices = [self._price(at, parts[-1][0]) for at in reversed(between)]
        in_order = all(left[0].to <= right[0].at for left, right in pairwise(parts))
        if not in_order or len(prices) > MOST_BETWEEN or None in prices:
            return None
        return sum(price for price in prices if price is not None)

    def _behind(self, given: Sequence[NameNeedle], surname: Part) -> Iterator[tuple[list[Part], float]]:
        """Return the given names right behind, one by one; or behind a comma, none an initial and no more."""
        at, clause = surname[0].to, surname[0].clause
        is_comma = at not in self.words and re.match(r",\s+\S", self.field.text[surname[0].end :]) is not None
        if is_comma:
            at, clause = at + 1, clause + 1
        words = [self.words.get(at + index) for index in range(len(given))]
        parts = [
            self._given(word, needle) if word is not None and word.clause == clause else None
            for word, needle in zip(words, given, strict=True)
        ]
        whole = [part for part in parts if part is not None and not (is_comma and part[2] == INITIAL)]
        more = self.words.get(at + len(given)) if is_comma else None
        is_another = (
            more is not None
            and more.clause == clause
            and not grammar.is_patronymic(more.text)
            and (more.text[0].isupper() or not self.looks.has_capitals)
        )
        if len(whole) == len(given) and not is_another:
            yield whole, 0.0

    def _price(self, at: int, surname: Token) -> float | None:
        """Return what a word between costs; None: it stands in no name."""
        word = self.words.get(at)
        if word is None or word.clause != surname.clause:
            return None
        if self._is_initial(word) or grammar.is_patronymic(word.text):
            return 1.0
        if grammar.is_particle(word.text):
            return GAP_COST
        before = self.field.text[word.start - 1 : word.start]
        if word.text in {"a", "em", "owi", "ie", "u"} and before in {"'", "’"}:
            return 0.0  # Steve'a
        says_little = self.looks.is_title_case or not self.looks.has_small_letters
        is_capital = word.text[0].isupper() and word.text.isalpha()
        return GAP_COST if is_capital and not says_little else None

    # ---- whose name it is ----------------------------------------------------------------------

    def _agree(self, others: Sequence[Part], surname: Part) -> bool:
        """True: the first given name that is written out, and the surname, stand in the same case."""
        token, needle, _ = surname
        ending = _ending(token, needle)
        whole = [(given, _ending(given, word)) for given, word, score in others if score != INITIAL]
        whole.sort(key=lambda one: one[1] is Ending.PLAIN)  # those in another case first
        key = next((f.key for f in name_forms(token.text) if f.key in needle.keys), name_key(token.text))
        if not whole:
            return grammar.agrees(Ending.PLAIN, ending, "", token.text, key)
        return grammar.agrees(whole[0][1], ending, whole[0][0].text, token.text, key)

    def _is_a_woman(self, surname: Part) -> bool:
        """True: a surname alone, in -a, that its letters or the words beside it say is a woman's."""
        token, needle, _ = surname
        if _ending(token, needle) is not Ending.A or not grammar.is_other_gender(token.text):
            return False
        before, behind = self.words.get(token.at - 1), self.words.get(token.at + 1)
        text = before.text if before else ""
        if before is not None and (grammar.is_woman(text) or self._is_initial(before)):
            return True
        if behind is not None and grammar.is_her_verb(text, behind.text):
            return True
        is_german = grammar.is_german(self.field.text)
        is_his = grammar.is_mans(text, token.text, is_polish=self.looks.is_polish, is_german=is_german)
        return not is_cyrillic(token.text) and not is_his

    def _is_too_short(self, surname: Part) -> bool:
        """True: a surname alone that is declined and short, or in -a for one in -o."""
        token, needle, _ = surname
        ending = _ending(token, needle)
        is_short = needle.size < (3 if is_cyrillic(token.text) else 4)
        return ending is Ending.O or (is_short and ending is not Ending.PLAIN)

    def _place(self, parts: Sequence[Part], cost: float) -> Place:
        tokens = [token for token, _, _ in parts]
        whole = sum(needle.size * score for _, needle, score in parts)
        mean = whole / sum(needle.size for _, needle, _ in parts)
        return Place(
            field=self.field.name,
            at=min(token.at for token in tokens),
            to=max(token.to for token in tokens),
            start=min(token.start for token in tokens),
            end=max(token.end for token in tokens),
            score=round(max(mean - cost, 1.0), 2),
        )


def _ending(token: Token, needle: NameNeedle) -> Ending:
    """Return what grammar did to the word, read as that name."""
    return next((form.ending for form in name_forms(token.text) if form.key in needle.keys), Ending.PLAIN)


def _is_in_s(surname: Part) -> bool:
    """True: an -s stands behind the surname."""
    return _ending(*surname[:2]) is Ending.DECLINED and surname[0].text.endswith(("s", "S"))
