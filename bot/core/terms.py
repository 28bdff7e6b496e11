"""Terms: what an operator wrote, as needles, and how alike a needle and a word of a text are."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from bot.core.name_spellings import keys_of_name, may_have_typos
from bot.core.names import is_another_consonant, name_forms, name_keys
from bot.core.stems import has_stemmer, kept_letters, stem
from bot.core.text import (
    DIGRAPHS,
    MAX_WORD,
    UMLAUTS,
    clean,
    fold,
    is_spaceless,
    read_chunk,
    same_script,
    script,
    tokens_of,
)
from bot.core.typos import SHORTEST_TYPO, STEM_COST, SWAPPED, edit_similarity, swapped, typo_similarities

EQUAL: Final = 100.0
WILDCARD: Final = 99.0
INFLECTED: Final = 98.0
GAP_COST: Final = 5.0  # score lost per foreign word between
DEFAULT_FUZZY: Final = 80.0
DEFAULT_SLOP: Final = 2
MAX_WORDS: Final = 12  # in one term
NO_TYPOS: Final = 101.0  # a least similarity that no typo has
SHORTEST_GLUED: Final = 8  # letters of a phrase or name that is also found closed up
_GLUED_WORDS: Final = (2, 3)

# A lower-case word, NFKC; a language. True: that language knows the word or another inflection of it;
# without a language: some language knows the word as it stands.
IsWord = Callable[[str, str], bool]

# ---- needles: one word of a term ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WordNeedle:
    """A word in any inflection, perhaps with a typo."""

    folds: tuple[str, ...]  # spellings: zolle and zoelle
    stems: tuple[str, ...]  # in `language`
    language: str  # empty: none, hence no inflection
    fuzzy: float  # least similarity of a typo; above 100: no typos
    size: int  # letters, its weight in a phrase
    script: str
    has_company: bool = False  # True: one word of a phrase, whose others vouch for it
    swaps: tuple[str, ...] = ()  # those of `folds` that are typos of a short word

    def __hash__(self) -> int:
        """Return a hash of what tells most needles apart; the other fields would cost more than they do."""
        return hash(self.folds)


@dataclass(frozen=True, slots=True)
class AffixNeedle:
    """A word that begins, or ends, so."""

    folds: tuple[str, ...]
    at_end: bool
    size: int
    script: str


@dataclass(frozen=True, slots=True)
class ExactNeedle:
    """A word in exactly this spelling and case."""

    text: str

    @property
    def size(self) -> int:
        """Return its weight in a phrase."""
        return len(self.text)


@dataclass(frozen=True, slots=True)
class NameNeedle:
    """A word of a name."""

    keys: tuple[str, ...]
    fuzzy: float
    size: int
    is_proper: bool = True  # False: the operator begins it with a small letter, such as von


Needle = WordNeedle | AffixNeedle | ExactNeedle | NameNeedle


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text, as needles meet it."""

    text: str
    is_joined: bool = False  # a joined run of a hyphen chain


def similarity(needle: Needle, word: Word, is_real: IsWord) -> float:
    """Return how alike they are, 0 to 100; 0 below the needle's cutoff.

    Args:
        is_real: Tells real words, which are no typos.
    """
    if isinstance(needle, WordNeedle | AffixNeedle) and not same_script(needle.script, script(word.text)):
        return 0.0
    match needle:
        case ExactNeedle():
            return EQUAL if word.text == needle.text else 0.0
        case AffixNeedle():
            folded = fold(word.text)
            test = folded.endswith if needle.at_end else folded.startswith
            return WILDCARD if any(map(test, needle.folds)) else 0.0
        case NameNeedle():
            return _name_similarity(needle, word, is_real)
        case WordNeedle():
            return _word_similarity(needle, word, is_real)


def _word_similarity(needle: WordNeedle, word: Word, is_real: IsWord) -> float:
    folded = fold(word.text)
    if folded in needle.folds and folded not in needle.swaps:
        return EQUAL
    stemmed = stem(word.text, needle.language) if needle.stems and len(folded) > 2 else ""
    if stemmed in needle.stems and folded.startswith(stemmed[: kept_letters(needle.language)]):
        return INFLECTED
    return max(
        _best_typo(needle, word, is_real, _spelling_typos(needle, folded)),
        _best_typo(needle, word, is_real, _stem_typos(needle, stemmed), by_stem=True),
    )


def _best_typo(
    needle: WordNeedle,
    word: Word,
    is_real: IsWord,
    typos: Iterable[tuple[float, float]],
    *,
    by_stem: bool = False,
) -> float:
    best = max((similar - cost for similar, cost in typos if similar >= needle.fuzzy), default=0.0)
    if not best:
        return 0.0
    allowed = may_be_typo(word, needle.language, is_real, has_company=needle.has_company, by_stem=by_stem)
    return best if allowed else 0.0


def raw_similarity(needle: WordNeedle, folded: str, stemmed: str) -> float:
    """Return how alike a needle and a folded word are as typos, before cutoff and word lists."""
    typos = (*_spelling_typos(needle, folded), *_stem_typos(needle, stemmed))
    return max((similar for similar, _ in typos), default=0.0)


def _spelling_typos(needle: WordNeedle, folded: str) -> Iterator[tuple[float, float]]:
    if folded in needle.swaps:
        yield SWAPPED, 0.0
    yield from typo_similarities(needle.folds, folded)


def _stem_typos(needle: WordNeedle, stemmed: str) -> Iterator[tuple[float, float]]:
    return typo_similarities(needle.stems, stemmed, STEM_COST)


def may_be_typo(
    word: Word, language: str, is_real: IsWord, *, has_company: bool = False, by_stem: bool = False
) -> bool:
    """True: long enough, of letters only, written in one piece, and no real word.

    A word that some language knows as it stands is real; but a phrase's other words vouch for one that only
    foreign languages know ("teres rares", though "teres" is Portuguese).

    Args:
        by_stem: Only its stem is like the term's: it is then real too if it inflects a word of the language.
    """
    low, folded = word.text.casefold(), fold(word.text)
    if word.is_joined or len(folded) < SHORTEST_TYPO - 1 or not folded.isalpha():
        return False
    if not language:
        return not is_real(low, "")
    if by_stem or has_company:
        is_own = is_real(low, language)
        if is_own and by_stem:
            return False
        if has_company and not is_own:
            return True
    return not is_real(low, "")


def _name_similarity(needle: NameNeedle, word: Word, is_real: IsWord) -> float:
    forms = name_forms(word.text)
    if not forms:
        return 0.0
    if forms[0].key in needle.keys:
        return EQUAL
    if any(form.key in needle.keys for form in forms):
        return INFLECTED
    best = raw_name_similarity(needle, forms[0].key)
    if best < needle.fuzzy or not may_be_typo(word, "", is_real):
        return 0.0
    return best


def raw_name_similarity(needle: NameNeedle, key: str) -> float:
    """Return how alike they are as typos: with the first and the last letter right, and no other consonant.

    The last letter tells a man from a woman, a son from a father, a town from its founder.
    """
    return max(
        (
            edit_similarity(own, key)
            for own in needle.keys
            if len(own) >= SHORTEST_TYPO and own[0] == key[0] and own[-1] == key[-1]
            if not is_another_consonant(own, key)
        ),
        default=0.0,
    )


# ---- terms -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Step:
    """A needle in its place in a term."""

    needle: Needle
    is_tight: bool  # True: nothing may stand between it and the step before


@dataclass(frozen=True, slots=True)
class Phrase:
    """One or more words in order."""

    text: str  # as the operator wrote it
    readings: tuple[tuple[Step, ...], ...]  # as written, and with its hyphens closed
    slop: int = DEFAULT_SLOP
    literal: str = ""  # what must stand there sign by sign: =C++


@dataclass(frozen=True, slots=True)
class Name:
    """A person or company."""

    text: str
    words: tuple[NameNeedle, ...]  # the surname last
    glued: NameNeedle | None = None  # both of two words closed up: kirilldmitriev


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression in RE2's language."""

    text: str


Term = Phrase | Name | Pattern


class TermInvalid(ValueError):
    """A term that cannot be; its text names the cure."""


def spellings(word: str, language: str) -> tuple[str, ...]:
    """Return the folds of a term's word: ä is also ae, and under a German key ae also ä."""
    low = clean(word).casefold()
    found = {fold(low)} if low.isascii() else {fold(low), fold(low.translate(UMLAUTS))}
    if language == "de" and "e" in low:
        found.add(fold(DIGRAPHS.sub(r"\1", low)))
    return _settled(found)


def _settled(texts: Iterable[str]) -> tuple[str, ...]:
    """Return what is not empty, each once, in order; equal texts of all terms share their memory."""
    return tuple(sorted({sys.intern(text) for text in texts if text}))


def read_phrase(
    text: str, language: str = "", *, fuzzy: float = DEFAULT_FUZZY, slop: int = DEFAULT_SLOP
) -> Phrase:
    """Return the term that the operator's text means under a language key (empty: none).

    Raises:
        TermInvalid: No words, too many, or a wildcard in the middle of a word.
    """
    pieces = text.split()
    exact = text.startswith("=")
    if exact:
        pieces = text[1:].split()
    readings: list[tuple[Step, ...]] = [()]
    for piece in pieces:
        options = (
            _exact_steps(piece) if exact else _steps(piece, language, fuzzy, has_company=len(pieces) > 1)
        )
        readings = [reading + option for reading in readings for option in options][:4]
    if not readings[0]:
        if any(len(piece) > MAX_WORD and piece.strip("*=").isalnum() for piece in pieces):
            said = f"the term {text!r} is a word of over {MAX_WORD} letters"
            raise TermInvalid(f"{said}; so long ones are not read in texts either")
        raise TermInvalid(f"the term {text!r} has no letters or digits; write a word")
    if len(readings[0]) > MAX_WORDS and not is_spaceless(text):
        raise TermInvalid(f"the term has {len(readings[0])} words; use at most {MAX_WORDS}")
    literal = " ".join(pieces) if exact and _has_signs(pieces) else ""
    if not exact and (closed := _closed_up(pieces, readings[0], language)) is not None:
        readings.append((Step(closed, is_tight=False),))
    return Phrase(text, tuple(dict.fromkeys(readings)), slop, literal)


def _has_signs(pieces: Iterable[str]) -> bool:
    """True: a piece is more than one word of letters and digits, as .NET, C++ and F-16 are."""
    return any([token.text for token in tokens_of(piece)] != [clean(piece)] for piece in pieces)


def _closed_up(pieces: list[str], steps: tuple[Step, ...], language: str) -> Needle | None:
    """Return a phrase of two or three words as one word without typos (rareearth); None: it is none."""
    is_plain = len(steps) == len(pieces) and all(isinstance(step.needle, WordNeedle) for step in steps)
    whole = "".join(clean(piece) for piece in pieces)
    if len(steps) not in _GLUED_WORDS or not is_plain or not SHORTEST_GLUED <= len(whole) <= MAX_WORD:
        return None
    return _word(whole, language, NO_TYPOS) if whole.isalpha() else None


def _steps(piece: str, language: str, fuzzy: float, *, has_company: bool) -> list[tuple[Step, ...]]:
    """Return the readings of one written word: its parts and, of a hyphen chain, the whole."""
    body = clean(piece).strip("*")
    begins, ends = piece.endswith("*"), piece.startswith("*")
    if "*" in body or (begins and ends):
        raise TermInvalid(f"{piece!r}: a * stands at the end or at the beginning of a word, not both")
    tokens = read_chunk(body).tokens
    parts = [token.text for token in tokens if not token.is_joined]
    if begins or ends:
        if len(parts) != 1:
            raise TermInvalid(f"{piece!r}: a wildcard needs one word without hyphens")
        return [(Step(_affix(parts[0], language, at_end=ends), False),)]
    are_many = has_company or len(parts) > 1
    steps = tuple(
        Step(_word(part, language, fuzzy, has_company=are_many), is_tight=index > 0)
        for index, part in enumerate(parts)
    )
    whole = [token.text for token in tokens if token.is_joined and token.at == 0 and token.to == len(parts)]
    return [steps, *((Step(_word(text, language, fuzzy, has_company=has_company), False),) for text in whole)]


def _exact_steps(piece: str) -> list[tuple[Step, ...]]:
    parts = [token.text for token in tokens_of(piece) if not token.is_joined]
    return [tuple(Step(ExactNeedle(part), is_tight=index > 0) for index, part in enumerate(parts))]


def _affix(text: str, language: str, *, at_end: bool) -> AffixNeedle:
    return AffixNeedle(spellings(text, language), at_end, len(text), script(text))


def _word(text: str, language: str, fuzzy: float, *, has_company: bool = False) -> Needle:
    """Return the needle of a word; a short one with others beside it may have two letters swapped."""
    if is_spaceless(text):
        return ExactNeedle(text)
    folds = spellings(text, language)
    language = language if language and has_stemmer(language) else ""
    stems = {stem(spelling, language) for spelling in {text.casefold(), *folds}} if language else set()
    kept = _settled(s for s in stems if len(s) > 1)
    swaps = swapped(folds) - {*folds, *kept} if has_company and fuzzy <= SWAPPED else set()
    return WordNeedle(
        folds=_settled({*folds, *swaps}) if swaps else folds,
        stems=kept,
        language=language,
        fuzzy=fuzzy,
        size=max(map(len, folds), default=1),
        script=script(text),
        has_company=has_company,
        swaps=_settled(swaps),
    )


def read_name(text: str, *, fuzzy: float = DEFAULT_FUZZY) -> Name | Phrase:
    """Return the name; one in a script without spaces is read as a phrase.

    Raises:
        TermInvalid: No letters, or more than six words.
    """
    if "*" in text or "=" in text:
        raise TermInvalid(f"the name {text!r}: a name takes no * and no =; write it out, in any script")
    words = [token.text for token in tokens_of(text) if not token.is_joined]
    if any(map(is_spaceless, words)):
        return read_phrase(text, fuzzy=fuzzy)
    if not words or len(words) > 6:
        raise TermInvalid(f"the name {text!r} needs one to six words")
    fuzzy = fuzzy if may_have_typos(words) else NO_TYPOS
    needles = tuple(
        NameNeedle(_settled(keys), fuzzy, len(word), not word[0].islower())
        for word, keys in zip(words, keys_of_name(words), strict=True)
    )
    whole = "".join(words)
    if len(words) == 2 and all(len(word) > 1 for word in words) and SHORTEST_GLUED <= len(whole) <= MAX_WORD:
        glued = NameNeedle(_settled(name_keys(whole)), NO_TYPOS, len(whole), is_proper=False)
        return Name(text, needles, glued)
    return Name(text, needles)


def needles_of(term: Term) -> Iterable[Needle]:
    """Return all needles of a term."""
    match term:
        case Phrase():
            return (step.needle for reading in term.readings for step in reading)
        case Name():
            return term.words if term.glued is None else (*term.words, term.glued)
        case Pattern():
            return ()
