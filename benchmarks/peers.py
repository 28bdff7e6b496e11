"""Other ways to find many terms in a text, behind one function each: terms in, places out.

They are given every help that costs them nothing in their own trade: terms and texts are folded as the engine
folds them (NFKC, lower case, without accents, in Latin letters), words are parted by one blank, so that
hyphens and line breaks are no hindrance, a place must begin and end where words do, and wildcards are said in
each one's own way where it has one. `partial_ratio` alone gets texts in lower case and nothing else when its
speed is measured: for it, this is quicker.
"""

from __future__ import annotations

import importlib.util
import re
import unicodedata
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import accumulate
from typing import Any, Final, NamedTuple

from rapidfuzz import fuzz

from bot.core.text import fold, is_spaceless

MISSING: Final = "not installed (pip install 'topicwire[bench]')"
_WORD: Final = re.compile(r"\w+")
_SHORT, _LONG = 5, 9  # letters from which on a term may carry one edit, and two


class Place(NamedTuple):
    """Where a peer finds a term: its number, and code points of the text it was given."""

    term: int
    start: int
    end: int


Search = Callable[[str], Iterable[Place]]


@dataclass(frozen=True, slots=True)
class Plain:
    """A term as a plain string."""

    text: str  # folded words, a blank between
    regex: str  # of the same, with wildcards inside too
    is_beginning: bool = False  # a word may go on behind it
    is_end: bool = False  # a word may begin before it

    @property
    def begins_freely(self) -> bool:
        """True: it may stand anywhere in a word, by a wildcard or by its script."""
        return self.is_end or is_spaceless(self.text)

    @property
    def ends_freely(self) -> bool:
        """True: a word may go on behind it."""
        return self.is_beginning or is_spaceless(self.text[-1])

    def edits(self, most: int) -> int:
        """Return how many edits it may carry: one from 5 letters on, two from 9.

        None where a wildcard stands inside: a peer would take minutes to compile it.
        """
        if "*" in self.regex:
            return 0
        return min(most, (len(self.text) >= _SHORT) + (len(self.text) >= _LONG))


@dataclass(frozen=True, slots=True)
class Peer:
    """A way to find terms, with the settings that it is tried at."""

    name: str
    module: str
    settings: tuple[str, ...]
    usual: tuple[str, ...]  # of them, those that it is there for: its speed is measured at the best of these
    compile: Callable[[Sequence[Plain], str], Search]
    prepare: Callable[[str], str]  # what is done to a text first, where speed is measured

    @property
    def is_installed(self) -> bool:
        """True: its package is there."""
        return importlib.util.find_spec(self.module) is not None


# ---- words -------------------------------------------------------------------------------------


class _Folds(dict[int, str]):
    """A table for str.translate that fills itself."""

    def __missing__(self, code: int) -> str:
        folded = self[code] = fold(chr(code))
        return folded


_FOLDS: Final = _Folds()


def plain_words(text: str) -> list[str]:
    """Return the folded words: the least that any way to match words has to do."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold().translate(_FOLDS))


def plain_text(text: str) -> str:
    """Return the folded words with one blank between."""
    return " ".join(plain_words(text))


def plain_term(written: str) -> Plain:
    """Return what an operator wrote as a plain string; wildcards and the = of exact terms are understood."""
    pieces = written.removeprefix("=").split()
    words = [plain_text(piece) for piece in pieces]
    first, last = pieces[0], pieces[-1]
    regex = " ".join(
        r"\w*" * (piece is not first and piece.startswith("*"))
        + re.escape(word)
        + r"\w*" * (piece is not last and piece.endswith("*"))
        for piece, word in zip(pieces, words, strict=True)
    )
    return Plain(" ".join(words), regex, last.endswith("*"), first.startswith("*"))


class Words:
    """A raw text as peers read it, and where its places stand in the raw text."""

    def __init__(self, raw: str) -> None:
        folded = [(found, plain_text(found[0])) for found in _WORD.finditer(raw)]
        self._kept = [(found, word) for found, word in folded if word]
        self.text = " ".join(word for _, word in self._kept)
        self._starts = [0, *accumulate(len(word) + 1 for _, word in self._kept)]

    def raw_span(self, place: Place) -> tuple[int, int]:
        """Return the code points of the raw text's words that the place touches.

        In a script without spaces, a part of a word where its letters are the raw text's.
        """
        first, last = self._at(place.start), self._at(max(place.start, place.end - 1))
        begin, end = self._kept[first], self._kept[last]
        if first == last and len(begin[1]) == len(begin[0][0]):
            inside = place.start - self._starts[first]
            return begin[0].start() + inside, begin[0].start() + inside + place.end - place.start
        return begin[0].start(), end[0].end()

    def _at(self, offset: int) -> int:
        return min(bisect_right(self._starts, offset), len(self._kept)) - 1


def _stands_free(text: str, start: int, end: int, term: Plain) -> bool:
    """True: a place begins and ends where words do, as far as the term asks for it."""
    return (term.begins_freely or start == 0 or text[start - 1] == " ") and (
        term.ends_freely or end == len(text) or text[end] == " "
    )


def _by_text(terms: Sequence[Plain]) -> dict[str, list[int]]:
    """Return the numbers of the terms under their texts: several may have one."""
    numbers: defaultdict[str, list[int]] = defaultdict(list)
    for number, term in enumerate(terms):
        numbers[term.text].append(number)
    return dict(numbers)


# ---- rapidfuzz ---------------------------------------------------------------------------------


def _partial_ratio(terms: Sequence[Plain], setting: str) -> Search:
    """The loop that most people write first."""
    cutoff = float(setting.removeprefix("≥ "))
    texts = [term.text for term in terms]
    ratio = fuzz.partial_ratio

    def search(text: str) -> Iterator[Place]:
        for number, term in enumerate(texts):
            if ratio(term, text, score_cutoff=cutoff):
                found = fuzz.partial_ratio_alignment(term, text)
                if found is not None:
                    yield Place(number, found.dest_start, found.dest_end)

    return search


# ---- automata ----------------------------------------------------------------------------------


def _pyahocorasick(terms: Sequence[Plain], setting: str) -> Search:
    automaton = import_module("ahocorasick").Automaton()
    for text, numbers in _by_text(terms).items():
        automaton.add_word(text, (len(text), numbers))
    automaton.make_automaton()
    goes_on = setting == "beginnings"

    def search(text: str) -> Iterator[Place]:
        for last, (size, numbers) in automaton.iter(text):
            end = last + 1
            for number in numbers:
                term = terms[number]
                if _stands_free(text, end - size, len(text) if goes_on else end, term):
                    yield Place(number, end - size, end)

    return search


_WORD_LETTERS: Final = frozenset(
    char for char in map(chr, range(0x20000)) if _WORD.match(char) and not is_spaceless(char)
)


def _flashtext(terms: Sequence[Plain], setting: str) -> Search:
    """It has no wildcards, and finds the longest of overlapping terms only."""
    processor = import_module("flashtext").KeywordProcessor(case_sensitive=True)
    processor.set_non_word_boundaries(set(_WORD_LETTERS))
    numbers = _by_text(terms)
    for text in numbers:
        processor.add_keyword(text, text)

    def search(text: str) -> Iterator[Place]:
        for found, start, end in processor.extract_keywords(text, span_info=True):
            for number in numbers[found]:
                yield Place(number, start, end)

    return search


def _spacy(terms: Sequence[Plain], setting: str) -> Search:
    """It has no wildcards, and parts no words in scripts without spaces."""
    language = import_module("spacy").blank("xx")
    matcher = import_module("spacy.matcher").PhraseMatcher(language.vocab)
    numbers = _by_text(terms)
    for text in numbers:
        matcher.add(text, [language.make_doc(text)])
    keys = {language.vocab.strings[text]: some for text, some in numbers.items()}

    def search(text: str) -> Iterator[Place]:
        doc = language.make_doc(text)
        for key, first, end in matcher(doc):
            start = doc[first].idx
            stop = doc[end - 1].idx + len(doc[end - 1])
            for number in keys[key]:
                yield Place(number, start, stop)

    return search


# ---- with edits --------------------------------------------------------------------------------


def _hyperscan(terms: Sequence[Plain], setting: str) -> Search:
    """It counts edits in bytes, and takes no word borders beside them: those are checked behind it."""
    hyperscan = import_module("hyperscan")
    most = _edits(setting)
    database = hyperscan.Database()
    database.compile(
        expressions=[term.regex.encode() for term in terms],
        ids=list(range(len(terms))),
        flags=[hyperscan.HS_FLAG_SOM_LEFTMOST] * len(terms),
        ext=[_extension(hyperscan, term.edits(most)) for term in terms],
    )
    scratch = hyperscan.Scratch(database)

    def search(text: str) -> list[Place]:
        data = text.encode()
        found: list[tuple[int, int, int]] = []
        database.scan(
            data, lambda number, start, end, *_: found.append((number, start, end)), scratch=scratch
        )
        places = {Place(n, *_code_points(data, start, end)) for n, start, end in found}
        begun = {one._replace(start=_border(text, one.start, terms[one.term].edits(most))) for one in places}
        return [one for one in begun if _stands_free(text, one.start, one.end, terms[one.term])]

    return search


def _border(text: str, start: int, edits: int) -> int:
    """Return where the word begins that a place reaches to the left of, by edits that it has to spare."""
    blank = text.rfind(" ", max(0, start - 1), start + edits)
    return blank + 1 if blank >= 0 else start


def _extension(hyperscan: Any, edits: int) -> Any:
    flags = hyperscan.HS_EXT_FLAG_EDIT_DISTANCE if edits else 0
    return hyperscan.ExpressionExt(flags=flags, edit_distance=edits)


def _code_points(data: bytes, start: int, end: int) -> tuple[int, int]:
    if data.isascii():
        return start, end
    return len(data[:start].decode(errors="ignore")), len(data[:end].decode(errors="ignore"))


def _regex(terms: Sequence[Plain], setting: str) -> Search:
    module = import_module("regex")
    most = _edits(setting)
    patterns = [module.compile(_fuzzy_pattern(term, term.edits(most)), cache_pattern=False) for term in terms]

    def search(text: str) -> Iterator[Place]:
        for number, pattern in enumerate(patterns):
            for found in pattern.finditer(text):
                yield Place(number, found.start(), found.end())

    return search


def _fuzzy_pattern(term: Plain, edits: int) -> str:
    before = "" if term.begins_freely else r"\b"
    behind = "" if term.ends_freely else r"\b"
    fuzzy = f"{{e<={edits}}}" if edits else ""
    better = "(?e)" if edits else ""  # look for a better fit before it is told
    return f"{better}{before}(?:{term.regex}){fuzzy}{behind}"


def _edits(setting: str) -> int:
    """Return the number that a setting such as "2 edits" begins with."""
    return int(setting.split(maxsplit=1)[0])


_RATIOS: Final = ("≥ 80", "≥ 85", "≥ 88", "≥ 90", "≥ 93", "≥ 96", "≥ 100")
_EDITS: Final = ("0 edits", "1 edit", "2 edits")
_WHERE: Final = ("beginnings", "words")
PEERS: Final = (
    Peer("partial_ratio", "rapidfuzz", _RATIOS, _RATIOS[1:], _partial_ratio, str.casefold),
    Peer("hyperscan", "hyperscan", _EDITS, _EDITS[1:], _hyperscan, plain_text),
    Peer("pyahocorasick", "ahocorasick", _WHERE, _WHERE, _pyahocorasick, plain_text),
    Peer("flashtext", "flashtext", ("words",), ("words",), _flashtext, plain_text),
    Peer("spaCy PhraseMatcher", "spacy", ("words",), ("words",), _spacy, plain_text),
    Peer("regex, fuzzy", "regex", _EDITS, _EDITS[1:], _regex, plain_text),
)
