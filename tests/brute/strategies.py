"""Random rule files, and random items that are made of what the rules look for, and of near misses of it."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from bot.model import FeedId, Item
from tests.brute.samples import FILLERS, REAL_BESIDE_ENGLISH_ONLY, REAL_WORDS, SAMPLES, Sample

Rules = list[dict[str, Any]]  # files, as YAML would give them

FIELDS = ["title", "summary", "content", "author", "url", "source", "categories"]
TEXT_FIELDS = ["title", "summary", "content"]


@dataclass(frozen=True)
class Case:
    """Rule files, and items that come one after another."""

    files: Rules
    items: list[Item]


def is_real(word: str, language: str) -> bool:
    """Return whether a word is real beside terms of a language: a word list in small."""
    return word in REAL_WORDS or (language == "en" and word in REAL_BESIDE_ENGLISH_ONLY)


def detect_language(text: str) -> str | None:
    """Return a language by the first letter that tells: a detector in small."""
    for char in text:
        for low, high, language in ((0x400, 0x4FF, "ru"), (0x4E00, 0x9FFF, "zh"), (0xDF, 0xFC, "de")):
            if low <= ord(char) <= high:
                return language
    return None


# ---- rules -------------------------------------------------------------------------------------


class Dice:
    """Choices read off some bytes, so that a whole topic is one draw; the first choice where they end."""

    def __init__(self, thrown: bytes) -> None:
        self.thrown = iter(thrown)

    def pick(self, count: int) -> int:
        """Return a number below `count`."""
        return next(self.thrown, 0) % count

    def of(self, options: Sequence[Any]) -> Any:
        """Return one of the options."""
        return options[self.pick(len(options))]

    def happens(self, once_in: int) -> bool:
        """Return True once in so many throws."""
        return self.pick(once_in) == once_in - 1


def leaf(dice: Dice, pool: Sequence[Sample]) -> Any:
    """Return a term of the pool: as written, under its language key, or tuned."""
    sample, manner = dice.of(pool), dice.pick(12)
    key, written = "term", sample.written
    if isinstance(written, dict):
        ((key, written),) = written.items()
    tuned: dict[str, Any] = {key: written}
    if manner >= 6:
        tuned["weight"] = dice.of((0.3, 0.5, 1.5, 2.0, 0.75, 10))
    if manner >= 8 and key != "regex":
        tuned["fuzzy"] = dice.of(("off", 70.0, 90, 60, 100, 85.5))
    if manner >= 9 and key == "term":
        tuned["slop"] = dice.of((0, 1, 3, 4, 2))
    if manner == 10:
        tuned["in"] = dice.of((["title"], ["summary", "content"], ["source", "author"], FIELDS, ["url"]))
    plain = sample.written if manner < 6 else tuned
    language = dice.of(("", "de", "en", "ru", "uk", "fr")) if manner in {5, 11} else sample.language
    return {language: plain} if language else plain


def expression(dice: Dice, pool: Sequence[Sample], lists: Sequence[str], depth: int = 2) -> Any:
    """Return an expression over terms of the pool."""

    def several(least: int = 1, more: int = 3) -> list[Any]:
        return [expression(dice, pool, lists, depth - 1) for _ in range(least + dice.pick(more))]

    kind = dice.pick(14) if depth else 0
    if kind <= 3:
        return leaf(dice, pool)
    if kind <= 5:
        return several()
    if kind == 6:
        return _inside(dice, {"any": several()})
    if kind == 7:
        return _inside(dice, {"all": several()})
    if kind == 8:
        held, not_held = several(2, 1)
        return {"all": [held, {"not": not_held}]}
    if kind == 9:
        return {"at_least": 1 + dice.pick(2), "of": several(2)}
    if kind == 10 and lists:
        return _inside(dice, {"use": dice.of(lists)})
    if kind == 11:
        return {"all": [{"not": leaf(dice, pool)}, several()]}
    return near(dice, pool)


def _inside(dice: Dice, form: dict[str, Any]) -> dict[str, Any]:
    inside = dice.of([None, None, None, ["title"], ["summary", "title"], ["content", "author"]])
    return form if inside is None else {**form, "in": inside}


def near(dice: Dice, pool: Sequence[Sample]) -> Any:
    """Return a `near` over terms and lists of terms."""
    sides: list[Any] = []
    for _ in range(2 + dice.pick(2)):
        terms = [leaf(dice, pool) for _ in range(1 + dice.pick(4) // 2)]
        sides.append(terms if len(terms) > 1 else terms[0])
    return _inside(dice, {"near": sides, "within": dice.pick(7), "ordered": dice.happens(2)})


def topic(dice: Dice, number: int, pool: Sequence[Sample], lists: Sequence[str]) -> dict[str, Any]:
    """Return a topic."""
    given: dict[str, Any] = {
        "id": f"t{number}",
        "title": "T",
        "match": expression(dice, pool, lists),
        "min_score": dice.of([0, 0, 30.5, 60, 80]),
    }
    if dice.happens(3):
        given["ignore"] = expression(dice, pool, lists, 1)
    if dice.happens(8):
        given["unless"] = expression(dice, pool, lists, 1)
    if dice.happens(4):
        given["where"] = [dice.of(FIELDS) for _ in range(1 + dice.pick(4))]
    if dice.happens(8):
        given["languages"] = [dice.of(["de", "ru", "zh", "en"]) for _ in range(1 + dice.pick(2))]
    if dice.happens(5):
        given["fuzzy"] = dice.of(["off", 70, 95])
    if dice.happens(8):
        given["sources"] = dice.of(SOURCES)
    if dice.happens(12):
        given["status"] = dice.of(["deprecated", "experimental"])
    return given


SOURCES = [
    {"allow": ["news.example"]},
    {"deny": ["a.news.example"]},
    {"allow": ["example"], "deny": ["Feed-1"]},
    {"allow": ["feed-1", "other.example"]},
]
DEFAULTS = [None, None, {"min_score": 45}, {"fuzzy": 90, "where": ["title", "author"]}]
THROWS = st.binary(min_size=80, max_size=80)


@st.composite
def expressions(draw: st.DrawFn, pool: list[Sample]) -> Any:
    """Return any expression over terms of the pool."""
    return expression(Dice(draw(THROWS)), pool, [])


@st.composite
def rules(draw: st.DrawFn, pool: list[Sample]) -> Rules:
    """Return one or two files with a few topics, which share terms and lists."""
    dice = Dice(draw(THROWS))
    lists = {name: expression(dice, pool, [], 1) for name in ["one", "two"][: dice.pick(3)]}
    files: Rules = []
    for first in range(0, 2 * (1 + dice.pick(2)), 2):
        ids = range(first, first + 1 + dice.pick(2))
        topics = [topic(Dice(draw(THROWS)), number, pool, list(lists)) for number in ids]
        defaults = dice.of(DEFAULTS)
        if defaults is not None:
            for one in topics:
                del one["min_score"]
        files.append({"version": 1, "topics": topics, **({"defaults": defaults} if defaults else {})})
    files[0]["lists"] = lists
    return files


# ---- items -------------------------------------------------------------------------------------

_Change = Callable[[str, int, str], str]  # a text, where, a letter


def _cut(text: str, at: int, put: str, drop: int) -> str:
    return text[:at] + put + text[at + drop :]


CHANGES: list[_Change] = [
    *([lambda text, at, letter: text] * 12),
    lambda text, at, letter: _cut(text, at, letter, 1),  # another letter
    lambda text, at, letter: _cut(text, at, "", 1),  # a letter less
    lambda text, at, letter: _cut(text, at, letter, 0),  # a letter more
    lambda text, at, letter: _cut(text, at, text[at + 1 : at + 2] + text[at : at + 1], 2),  # two swapped
    lambda text, at, letter: _cut(text, at, text[at : at + 1], 0),  # one doubled
    lambda text, at, letter: text.upper(),
    lambda text, at, letter: text.lower(),
    lambda text, at, letter: text.title(),
    lambda text, at, letter: unicodedata.normalize("NFD", text),
    lambda text, at, letter: unicodedata.normalize("NFKC", text),
    lambda text, at, letter: _cut(text, at, "\u00ad", 0),
    lambda text, at, letter: _cut(text, at, "\u200b", 0),
    lambda text, at, letter: text.replace(" ", "-"),
    lambda text, at, letter: text.replace(" ", ""),
    lambda text, at, letter: text.replace(" ", "\n"),
    lambda text, at, letter: text.replace("-", " "),
    lambda text, at, letter: text.replace("-", ""),
    lambda text, at, letter: text.replace("-", "\u2011"),
    lambda text, at, letter: " ".join(reversed(text.split())),
    lambda text, at, letter: text.replace(" ", ", "),
    lambda text, at, letter: text.replace(" ", ". "),
    lambda text, at, letter: text.replace(" ", " x "),
    lambda text, at, letter: text.replace(" ", " so to "),
    lambda text, at, letter: "#" + text.title().replace(" ", ""),
    lambda text, at, letter: text.translate(str.maketrans("aeocxpATOсеаоА", "аеосхрАТОceaoA")),  # look-alikes
    lambda text, at, letter: _cut(text, at, " ", 0),
    lambda text, at, letter: _cut(text, at, "-", 0),
    lambda text, at, letter: "«" + text + "»",
    lambda text, at, letter: text + "s",
    lambda text, at, letter: text[: max(3, at)],
]
LETTERS = "aeinrstоеаλ土x9'’."
GLUE = [" "] * 16 + [", ", ". ", "\n", " – ", "-", "", "’", "; ", "! ", " (", "。", " \u200f", "…"]


NUMBERS = st.integers(0, 1 << 40)


@st.composite
def texts(draw: st.DrawFn, pool: list[Sample], longest: int, shortest: int = 0) -> str:
    """Return a text of the pool's forms, changed or not, and of other words."""
    return "".join(
        _piece(pool, number) for number in draw(st.lists(NUMBERS, min_size=shortest, max_size=longest))
    )


def _piece(pool: list[Sample], number: int) -> str:
    """Return what a number means: a form of a sample, where it is changed, and what stands behind it."""

    def pick(count: int) -> int:
        nonlocal number
        number, chosen = divmod(number, count)
        return chosen

    if pick(5) == 4:
        text = FILLERS[pick(len(FILLERS))]
    else:
        forms = pool[pick(len(pool))].forms
        text = forms[pick(len(forms))]
    change = CHANGES[pick(len(CHANGES))]
    text = change(text, pick(len(text)), LETTERS[pick(len(LETTERS))])
    return text + GLUE[pick(len(GLUE))]


@st.composite
def items(draw: st.DrawFn, pool: list[Sample]) -> Item:
    """Return an item; most have a title and a summary."""
    rest = draw(st.integers(0, 7))
    return Item(
        feed_id=FeedId("feed-1" if rest % 2 else "Feed-2"),
        title=draw(texts(pool, 9, 2)),
        summary=draw(texts(pool, 7, 1)) if rest > 1 else "",
        content=draw(texts(pool, 4)) if rest > 5 else "",
        author=draw(texts(pool, 2)) if rest == 5 else "",
        outlet=draw(texts(pool, 2)) if rest == 6 else "",
        url=draw(st.sampled_from(URLS)),
        categories=tuple(draw(st.lists(texts(pool, 1), max_size=2))) if rest == 7 else (),
        language=draw(st.sampled_from([None, None, None, "de", "ru-RU", "eng", "zh", "und"])),
    )


URLS = [
    None,
    "https://news.example/rare-earths/2026",
    "https://a.news.example/us-tariffs",
    "https://other.example./x",
    "https://[broken",
]


@st.composite
def cases(draw: st.DrawFn, samples: list[Sample] = SAMPLES) -> Case:
    """Return rule files and some items made for them."""
    pool = draw(st.lists(st.sampled_from(samples), min_size=2, max_size=5, unique_by=id))
    return Case(draw(rules(pool)), draw(st.lists(items(pool), min_size=2, max_size=3)))
