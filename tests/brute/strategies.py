"""Random rule files, and random items that are made of what the rules look for, and of near misses of it."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
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


def leaves(pool: list[Sample]) -> st.SearchStrategy[Any]:
    """Return terms of the pool: as written, under their language key, or tuned."""
    return st.builds(_leaf, st.sampled_from(pool), st.integers(0, 11), st.integers(0, 5))


def _leaf(sample: Sample, manner: int, tuning: int) -> Any:
    written, key = sample.written, "term"
    if isinstance(written, dict):
        key = next(iter(written))
        written = written[key]
    tuned: dict[str, Any] = {key: written}
    if manner >= 6:
        tuned["weight"] = (0.3, 0.5, 1.5, 2.0, 0.75, 10)[tuning]
    if manner >= 8 and key != "regex":
        tuned["fuzzy"] = ("off", 70.0, 90, 60, 100, 85.5)[tuning]
    if manner >= 9 and key == "term":
        tuned["slop"] = (0, 1, 3, 0, 4, 2)[tuning]
    if manner == 10:
        tuned["in"] = (["title"], ["summary", "content"], ["source", "author"], FIELDS, ["url"], ["title"])[
            tuning
        ]
    plain = sample.written if manner < 6 else tuned
    another = ("", "de", "en", "ru", "uk", "fr")[tuning]
    language = another if manner in {0, 11} else sample.language
    return {language: plain} if language else plain


@st.composite
def expressions(draw: st.DrawFn, pool: list[Sample], lists: list[str], depth: int = 2) -> Any:
    """Return an expression over terms of the pool."""
    if depth == 0:
        return draw(leaves(pool))
    kind = draw(st.integers(0, 13))
    inner = expressions(pool, lists, depth - 1)
    several = st.lists(inner, min_size=1, max_size=3)
    if kind <= 3:
        return draw(leaves(pool))
    if kind <= 5:
        return draw(several)
    if kind == 6:
        return _inside(draw, {"any": draw(several)})
    if kind == 7:
        return _inside(draw, {"all": draw(several)})
    if kind == 8:
        return {"all": [draw(inner), {"not": draw(inner)}]}
    if kind == 9:
        return {"at_least": draw(st.integers(1, 2)), "of": draw(st.lists(inner, min_size=2, max_size=4))}
    if kind == 10 and lists:
        return _inside(draw, {"use": draw(st.sampled_from(lists))})
    if kind == 11:
        return {"all": [{"not": draw(leaves(pool))}, draw(several)]}
    return draw(nears(pool))


def _inside(draw: st.DrawFn, form: dict[str, Any]) -> dict[str, Any]:
    inside = draw(st.sampled_from([None, None, None, ["title"], ["summary", "title"], ["content", "author"]]))
    return form if inside is None else {**form, "in": inside}


@st.composite
def nears(draw: st.DrawFn, pool: list[Sample]) -> Any:
    """Return a `near` over terms and lists of terms."""
    side = st.one_of(leaves(pool), leaves(pool), st.lists(leaves(pool), min_size=2, max_size=3))
    sides = draw(st.lists(side, min_size=2, max_size=3))
    near = {"near": sides, "within": draw(st.integers(0, 6)), "ordered": draw(st.booleans())}
    return _inside(draw, near)


def _maybe(draw: st.DrawFn, chance: int, strategy: st.SearchStrategy[Any]) -> Any:
    """Return a value of the strategy once in `chance` times, else None."""
    return draw(strategy) if draw(st.integers(0, chance - 1)) == chance - 1 else None


@st.composite
def topics(draw: st.DrawFn, number: int, pool: list[Sample], lists: list[str]) -> dict[str, Any]:
    """Return a topic."""
    plain = expressions(pool, lists, 1)
    keys = {
        "ignore": _maybe(draw, 3, plain),
        "unless": _maybe(draw, 8, plain),
        "min_score": draw(st.sampled_from([0, 0, 30.5, None, None, 80])),
        "where": _maybe(draw, 4, st.lists(st.sampled_from(FIELDS), min_size=1, max_size=4)),
        "languages": _maybe(draw, 8, st.lists(st.sampled_from(["de", "ru", "zh", "en"]), min_size=1)),
        "fuzzy": _maybe(draw, 5, st.sampled_from(["off", 70, 95])),
        "sources": _maybe(draw, 8, st.sampled_from(SOURCES)),
        "status": _maybe(draw, 12, st.sampled_from(["deprecated", "experimental"])),
    }
    given = {key: value for key, value in keys.items() if value is not None}
    return {"id": f"t{number}", "title": "T", "match": draw(expressions(pool, lists)), **given}


SOURCES = [
    {"allow": ["news.example"]},
    {"deny": ["a.news.example"]},
    {"allow": ["example"], "deny": ["Feed-1"]},
    {"allow": ["feed-1", "other.example"]},
]


@st.composite
def rules(draw: st.DrawFn, pool: list[Sample]) -> Rules:
    """Return one or two files with a few topics, which share terms and lists."""
    names = ["one", "two"][: draw(st.integers(0, 2))]
    files: Rules = []
    for number in range(draw(st.integers(1, 2))):
        ids = range(number * 2, number * 2 + draw(st.integers(1, 2)))
        files.append({"version": 1, "topics": [draw(topics(n, pool, names)) for n in ids]})
        defaults = draw(
            st.sampled_from([None, None, {"min_score": 45}, {"fuzzy": 90, "where": ["title", "author"]}])
        )
        if defaults is not None:
            files[-1]["defaults"] = defaults
    files[0]["lists"] = {name: draw(expressions(pool, [], 1)) for name in names}
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
