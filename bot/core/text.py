"""From raw text to tokens: what a word is, where it stands, and when two spellings are alike.

A chunk is a whitespace-separated piece of the text. All that is computed here depends on a chunk
alone, so a caller can remember chunks and do nothing twice.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from anyascii import anyascii

MAX_WORD: Final = 40  # letters; a longer run is no word
MAX_CHUNK: Final = 1_000  # letters; a longer chunk is read in pieces of this size
MAX_TEXT: Final = 200_000  # characters of a field that are read
MAX_TOKENS: Final = 5_000  # words of an item that are read
MAX_RUN: Final = 4  # parts of a hyphen chain that are joined

_CLAUSE_GAP: Final = 1
_SENTENCE_GAP: Final = 2


class Token(NamedTuple):
    """One word of a text, or a joined run of a hyphen chain."""

    text: str  # NFKC, without invisible characters, in its own case
    at: int  # position; counts words, and breaks between clauses (1) and sentences (2)
    to: int  # position after it; more than at + 1 for a joined run
    start: int  # code points into the raw text
    end: int  # exclusive
    clause: int
    sentence: int

    @property
    def is_joined(self) -> bool:
        """True: several parts of a hyphen chain, read as one word."""
        return self.to - self.at > 1


class Chunk(NamedTuple):
    """A chunk's tokens, counted from its own beginning."""

    tokens: tuple[Token, ...]
    words: int  # without the joined runs
    width: int  # positions it takes, breaks included
    clauses: int  # clause breaks in and after it
    sentences: int


# ---- characters --------------------------------------------------------------------------------

# Scripts written without spaces: each character is a token.
_SPACELESS = (
    "\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46\u0e50-\u0e59"  # Thai
    "\u0e81-\u0eb0\u0eb2\u0eb3\u0ebd-\u0ec6\u0ed0-\u0edf"  # Lao
    "\u1000-\u102a\u103f-\u1055\u1780-\u17b3"  # Burmese, Khmer
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff"
    "\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
)
_MODIFIER_APOSTROPHES = "\u02b9\u02bb\u02bc\u02c8"  # letters to Unicode, apostrophes to people


def _ranges(codes: list[int]) -> str:
    """Return the code points as the inside of a regex class."""
    spans: list[list[int]] = []
    for code in codes:
        if spans and spans[-1][1] == code - 1:
            spans[-1][1] = code
        else:
            spans.append([code, code])
    return "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in spans)


_MARKS = _ranges([code for code in range(0x300, 0x20000) if unicodedata.category(chr(code)) in {"Mn", "Mc"}])
_LETTER = rf"(?![{_SPACELESS}{_MODIFIER_APOSTROPHES}])[^\W_]"
_WORD: Final = re.compile(rf"[{_SPACELESS}][{_MARKS}]*|{_LETTER}(?:{_LETTER}|[{_MARKS}])*")
_SPACELESS_WORD: Final = re.compile(rf"[{_SPACELESS}]")
INVISIBLE: Final = re.compile(
    "["
    + _ranges([c for c in range(sys.maxunicode) if unicodedata.category(chr(c)) == "Cf"])
    + "\u034f\u0640\ufe00-\ufe0f]+"
)
_LINK: Final = re.compile(rf"[-\u2010-\u2015\u2212'’‘`´{_MODIFIER_APOSTROPHES}·・‧]+")
_SENTENCE_END: Final = re.compile(r"[.!?…。．！？؟।॥]")
_FULL_STOP_ONLY: Final = re.compile(r"[^!?…。．！？؟।॥]*")
_CLAUSE_END: Final = re.compile(r"[,;:()\[\]{}|/\\<>=+*~_@&、，；：،؛•—–]")
_UPPER: Final = _ranges([c for c in range(0x250) if chr(c).isupper()]) + "\u0400-\u042f"
_LOWER: Final = _ranges([c for c in range(0x250) if chr(c).islower()]) + "\u0430-\u045f"
_QUOTES: Final = '"“”„«»'
_CAMEL: Final = re.compile(rf"(?<=[{_LOWER}0-9])(?=[{_UPPER}])|(?<=[{_UPPER}])(?=[{_UPPER}][{_LOWER}])")
_BROKEN: Final = re.compile(r"(?<=[^\W\d_][-\u2010\u00ad])\r?\n[ \t]*(?=[^\W\d_])")
_JOINER: Final = "\u2060"  # invisible
_CHUNKS: Final = re.compile(r"\S+")


def is_spaceless(text: str) -> bool:
    """True: the text begins with a character of a script without spaces."""
    return _SPACELESS_WORD.match(text) is not None


# ---- the fold: which spellings are alike -------------------------------------------------------

# Scripts that anyascii romanises letter by letter; others keep their letters.
_ROMANISED = ((0x80, 0x58F), (0x10A0, 0x10FF), (0x1C80, 0x1CBF), (0x1D00, 0x1FFF), (0x2C60, 0x2C7F))
_ROMANISED_TOO = ((0xA640, 0xA69F), (0xA720, 0xA7FF), (0xAB30, 0xAB6F))
_ARABIC = {"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ی": "ي", "ک": "ك", "ة": "ه"}


class _FoldTable(dict[int, str]):
    """A table for str.translate that fills itself; one entry per character ever seen."""

    def __missing__(self, code: int) -> str:
        folded = self[code] = self._fold(code)
        return folded

    @staticmethod
    def _fold(code: int) -> str:
        char = chr(code)
        if any(low <= code <= high for low, high in _ROMANISED + _ROMANISED_TOO):
            return "".join(c for c in anyascii(char).lower() if c.isalnum())
        if _is_accent(char):
            return ""
        return _ARABIC.get(char, char)


def _is_accent(char: str) -> bool:
    """True: an accent or vowel point; False also for the vowel signs of Indian scripts."""
    order = unicodedata.combining(char)
    return order in {220, 230} or 10 <= order <= 35


_FOLD: Final = _FoldTable({code: chr(code) for code in range(0x80)})
_ACCENTS: Final = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670]")


def fold(text: str) -> str:
    """Return the spelling without case, accents and script: Zölle, ZOLLE → zolle; Тариф → tarif."""
    return text.lower() if text.isascii() else _folded(text)


@lru_cache(maxsize=65_536)
def _folded(text: str) -> str:
    return text.casefold().translate(_FOLD)


UMLAUTS: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "æ": "a"})
DIGRAPHS: Final = re.compile(r"(?<![aeiouq])([aou])e")  # that may stand for an umlaut

_LATIN: Final = re.compile("[A-Za-z\u00aa-\u024f\u1e00-\u1eff]")
_CYRILLIC: Final = re.compile("[\u0400-\u052f]")


def script(text: str) -> str:
    """Return "latin" or "cyrillic"; "mixed" for both in one word (homoglyphs); "" for any other script."""
    return "latin" if text.isascii() and text.isalpha() else _script(text)


@lru_cache(maxsize=65_536)
def _script(text: str) -> str:
    latin, cyrillic = _LATIN.search(text), _CYRILLIC.search(text)
    if latin and cyrillic:
        return "mixed"
    return "latin" if latin else "cyrillic" if cyrillic else ""


def same_script(left: str, right: str) -> bool:
    """True: words of these scripts may be one word: мито is not the German "mit"."""
    return left == right or "mixed" in {left, right}


# Latin letters that stand for the Cyrillic ones they look like, where a word mixes both.
_LOOK_ALIKES: Final = str.maketrans("aceiïjopxy", "асеіїјорху")


@lru_cache(maxsize=4_096)
def plain(text: str) -> str:
    """Return the word as a stemmer wants it: lower case in its own script, without stress marks."""
    return _ACCENTS.sub("", text.casefold()).replace("ё", "е")


def stemmable(text: str) -> str:
    """Return the plain word, in Cyrillic letters throughout where it mixes them with Latin ones."""
    low = plain(text)
    return low if low.isascii() or script(low) != "mixed" else low.translate(_LOOK_ALIKES)


def clean(text: str) -> str:
    """Return the text in NFKC, without invisible characters (soft hyphens, direction marks)."""
    return text if text.isascii() else unicodedata.normalize("NFKC", INVISIBLE.sub("", text))


# ---- tokens ------------------------------------------------------------------------------------


def read_chunk(raw: str) -> Chunk:
    """Return the tokens of a chunk; at most MAX_CHUNK characters of it are looked at."""
    simple = _SIMPLE.fullmatch(raw)
    return _read_simple(simple) if simple else _read_any(raw[:MAX_CHUNK])


def _read_simple(found: re.Match[str]) -> Chunk:
    """Return what _read_any would: most chunks are one word, perhaps quoted and with a mark behind."""
    text = found[2]
    tokens = (Token(text, 0, 1, found.start(2), found.end(2), 0, 0),)
    mark = found[3]
    if not mark:
        return Chunk(tokens, 1, 1, 0, 0)
    if _SENTENCE_END.search(mark) and not _is_abbreviation(text, mark):
        return Chunk(tokens, 1, 1 + _SENTENCE_GAP, 1, 1)
    if _CLAUSE_END.search(mark):
        return Chunk(tokens, 1, 1 + _CLAUSE_GAP, 1, 0)
    return Chunk(tokens, 1, 1, 0, 0)


def _read_any(raw: str) -> Chunk:
    norm, origins = _normalised(raw)
    reader = _Reader(norm, origins)
    after = 0
    for found in _WORD.finditer(norm):
        for start, end in _parts(norm, found.start(), found.end()):
            reader.add(after, start, end)
            after = end
    return reader.finish(after)


# Letters and digits that NFKC leaves as they are, none of a script without spaces.
_PLAIN: Final = _ranges(
    [
        code
        for code in range(0x530)
        if re.fullmatch(_LETTER, chr(code)) and unicodedata.normalize("NFKC", chr(code)) == chr(code)
    ]
)
_SIMPLE: Final = re.compile(f"([{_QUOTES}]?)([{_PLAIN}]{{1,{MAX_WORD}}})([{_QUOTES}]?[,;:.!?…]?)")


def _parts(norm: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Return the words of a hashtag or handle in camel case; of any other word, the whole."""
    if start and norm[start - 1] in "#@":
        for border in _CAMEL.finditer(norm, start + 1, end):
            yield start, border.start()
            start = border.start()
    yield start, end


def _normalised(raw: str) -> tuple[str, list[int] | None]:
    """Return NFKC text without invisible characters, and where each character came from.

    The list has one entry more than the text; None: every character stands where it stood.
    """
    if raw.isascii():
        return raw, None
    if unicodedata.is_normalized("NFKC", raw) and not INVISIBLE.search(raw):
        return raw, None
    letters: list[str] = []
    origins: list[int] = []
    index = 0
    while index < len(raw):
        end = index + 1
        while end < len(raw) and _continues(raw[end]):
            end += 1
        piece = unicodedata.normalize("NFKC", INVISIBLE.sub("", raw[index:end]))
        letters.append(piece)
        origins.extend([index] * len(piece))
        index = end
    return "".join(letters), [*origins, len(raw)]


def _continues(char: str) -> bool:
    """True: the character may melt into the one before (a mark, a Hangul vowel or final)."""
    return (
        unicodedata.combining(char) != 0
        or "\u1160" <= char <= "\u11ff"
        or char in "\u3099\u309a\uff9e\uff9f"
        or INVISIBLE.match(char) is not None
    )


class _Reader:
    """Collects the tokens of one chunk."""

    def __init__(self, norm: str, origins: list[int] | None) -> None:
        self.norm = norm
        self.origins = origins
        self.tokens: list[Token] = []
        self.chain: list[Token] = []  # parts linked by hyphens, the last one last
        self.position = self.clause = self.sentence = self.words = 0

    def add(self, after: int, start: int, end: int) -> None:
        """Add the word norm[start:end], whose predecessor ended at `after`."""
        gap = self.norm[after:start]
        if not (self.chain and self._links(gap)):
            self._break(gap)
            self.chain = []
        token = self._token(self.norm[start:end], self.position, start, end)
        self.position += 1
        self.words += 1
        if end - start > MAX_WORD:
            self.chain = []
            return
        self.tokens.append(token)
        self._join(token)

    def finish(self, after: int) -> Chunk:
        """Return the chunk; what follows the last word may end a clause or sentence."""
        tail = self.norm[after:]
        if self.words == 0 and _LINK.fullmatch(tail):
            tail = ","  # a dash of its own
        self._break(tail)
        return Chunk(tuple(self.tokens), self.words, self.position, self.clause, self.sentence)

    def _links(self, gap: str) -> bool:
        if gap == ".":
            return len(self.chain[-1].text) <= 2  # U.S., K.A.Dmitriev
        return _LINK.fullmatch(gap) is not None or gap == ""

    def _break(self, gap: str) -> None:
        before = self.chain[-1].text if self.chain else ""
        if _SENTENCE_END.search(gap) and not _is_abbreviation(before, gap):
            self.position += _SENTENCE_GAP
            self.sentence += 1
            self.clause += 1
        elif _CLAUSE_END.search(gap):
            self.position += _CLAUSE_GAP
            self.clause += 1

    def _token(self, text: str, at: int, start: int, end: int) -> Token:
        if self.origins is not None:
            start, end = self.origins[start], _raw_end(self.origins, end)
        return Token(text, at, at + 1, start, end, self.clause, self.sentence)

    def _join(self, token: Token) -> None:
        """Add the runs of the chain that end with this token, if it can be part of one."""
        if is_spaceless(token.text):
            self.chain = []
            return
        self.chain.append(token)
        text = token.text
        for first in self.chain[-2 : -MAX_RUN - 1 : -1]:
            text = first.text + text
            if len(text) > MAX_WORD:
                break
            self.tokens.append(
                Token(text, first.at, token.to, first.start, token.end, token.clause, token.sentence)
            )


def _raw_end(origins: list[int], end: int) -> int:
    """Return where the raw text of the character before `end` ends."""
    return next((origin for origin in origins[end:] if origin > origins[end - 1]), origins[-1])


def _is_abbreviation(word: str, gap: str) -> bool:
    """True: the full stop belongs to the word (K., Dr., Inc., 3.) and ends no sentence."""
    if not word or gap[0] != "." or not _FULL_STOP_ONLY.fullmatch(gap):
        return False
    return word.isdigit() or (len(word) <= 3 and word[0].isupper() and not is_spaceless(word))


def chunks_of(text: str) -> list[str]:
    """Return at most MAX_TOKENS chunks of the text; a long one comes in pieces of MAX_CHUNK."""
    text = _unbroken(text)
    chunks = text.split(None, MAX_TOKENS)
    if len(text) > MAX_CHUNK and (len(chunks) > MAX_TOKENS or max(map(len, chunks), default=0) > MAX_CHUNK):
        return [text[start:end] for start, end in _spans(text)]
    return chunks


def chunk_spans(text: str) -> list[tuple[int, int]]:
    """Return where each chunk of `chunks_of` stands."""
    text = _unbroken(text)
    if len(text) <= MAX_CHUNK:  # hence no chunk is too long, nor are there too many
        return [found.span() for found in _CHUNKS.finditer(text)]
    return list(_spans(text))


def _unbroken(text: str) -> str:
    """Return what is read of the text; a word that a hyphen breaks at a line's end is one chunk.

    Each character stays where it stands: invisible ones take the place of the line break.
    """
    text = text[:MAX_TEXT]
    return _BROKEN.sub(lambda found: _JOINER * len(found[0]), text) if "\n" in text else text


def _spans(text: str) -> Iterator[tuple[int, int]]:
    count = 0
    for found in _CHUNKS.finditer(text):
        for start in range(found.start(), found.end(), MAX_CHUNK):
            if count == MAX_TOKENS:
                return
            count += 1
            yield start, min(start + MAX_CHUNK, found.end())


def placed(chunk: Iterable[Token], start: int, at: int, clause: int, sentence: int) -> Iterator[Token]:
    """Return a chunk's tokens where they stand in the text, whose chunks before took so much."""
    for token in chunk:
        yield Token(
            token.text,
            token.at + at,
            token.to + at,
            token.start + start,
            token.end + start,
            token.clause + clause,
            token.sentence + sentence,
        )


def tokens_of(text: str, limit: int = MAX_TOKENS) -> list[Token]:
    """Return the text's tokens in order of their end; ends before the chunk that exceeds `limit` words."""
    tokens: list[Token] = []
    at = clause = sentence = words = 0
    for raw, (start, _) in zip(chunks_of(text), chunk_spans(text), strict=True):
        chunk = read_chunk(raw)
        words += chunk.words
        if words > limit:
            break
        tokens += placed(chunk.tokens, start, at, clause, sentence)
        at, clause, sentence = at + chunk.width, clause + chunk.clauses, sentence + chunk.sentences
    return tokens
