"""Measure what tolerance of typos finds, and what it brings in by chance.

    python benchmarks/typos.py [--items FILE.jsonl] [--misses 20] [--markdown]

For each `fuzzy`, and for several ways to tell real words from typos:

- labelled: tests/golden/typos.yaml, terms with texts in which somebody mistyped them, and with texts that
  hold a real word that only looks alike. Only half was looked at while thresholds were chosen; before that,
  the other half gave precision 0.920, recall 0.972, F1 0.945 with `fuzzy` 80.
- chance: alerts that typos alone bring to unrelated texts, with the 300 terms of typos.yaml, each a topic of
  its own. The texts are those of benchmarks/unrelated.yaml, or real ones: lines of JSON with `title` and
  `summary`.

And, as the shipped rules are: the titles of tests/golden/titles.yaml, each with one slip of a finger (fixed
seed) in one of the words that it is found by. How many are still found?
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table
from ruamel.yaml import YAML

from benchmarks.stories import unrelated
from benchmarks.topics import labelled
from bot.core.expressions import Leaf
from bot.core.match import Matcher, TopicRule
from bot.core.terms import DEFAULT_FUZZY, NO_TYPOS, IsWord, read_phrase
from bot.jsonlines import BadLine, read_items
from bot.lexicon import LANGUAGES, open_lexicon, word_frequencies
from bot.model import FeedId, Item, Match, TopicId
from bot.rules import RuleSet, read_rules

ROOT: Final = Path(__file__).resolve().parent.parent
GOLDEN: Final = ROOT / "tests" / "golden" / "typos.yaml"
CUTOFFS: Final = (70.0, 75.0, 80.0, 82.0, 85.0, 88.0, 90.0, NO_TYPOS)
SHIPPED: Final = "as shipped"
DEFAULT: Final = DEFAULT_FUZZY
FIELDS: Final = frozenset({"title", "summary"})
KEYBOARDS: Final = (
    "qwertyuiop", "asdfghjkl", "zxcvbnm",
    "qwertzuiopü", "asdfghjklöä", "yxcvbnm",
    "йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A term and a text, and whether it should be found there."""

    language: str
    term: str
    text: str
    belongs: bool
    held_out: bool

    @property
    def item(self) -> Item:
        """Return the text as an item's title."""
        return Item(feed_id=FeedId("golden"), title=self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one cutoff does under one guard."""

    cutoff: float
    hits: int
    false_alarms: int
    missed: int
    chance: int  # alerts that typos alone bring to unrelated items

    @property
    def precision(self) -> float:
        """Return the share of what was found that belongs there, 0 to 1."""
        return self.hits / max(1, self.hits + self.false_alarms)

    @property
    def recall(self) -> float:
        """Return the share of what belongs there that was found, 0 to 1."""
        return self.hits / max(1, self.hits + self.missed)

    @property
    def f1(self) -> float:
        """Return the harmonic mean of the two, 0 to 1."""
        return 2 * self.hits / max(1, 2 * self.hits + self.false_alarms + self.missed)


def pairs(path: Path = GOLDEN) -> list[Pair]:
    """Return the labelled pairs, in the file's order."""
    return [
        Pair(
            language=entry["lang"],
            term=entry["term"],
            text=text,
            belongs=belongs,
            held_out=entry["held_out"],
        )
        for entry in YAML(typ="safe").load(path.read_text(encoding="utf-8"))["pairs"]
        for belongs, texts in ((True, entry["match"]), (False, entry["no_match"]))
        for text in texts
    ]


def terms(path: Path = GOLDEN) -> list[tuple[str, str]]:
    """Return the words of the news, each with its language."""
    listed = YAML(typ="safe").load(path.read_text(encoding="utf-8"))["terms"]
    return [(language, term) for language, some in listed.items() for term in some]


def topic(language: str, term: str, cutoff: float) -> TopicRule:
    """Return a topic of that one term."""
    phrase = read_phrase(term, language, fuzzy=cutoff)
    return TopicRule(id=TopicId(f"{language}:{term}"), match=Leaf(term=phrase, fields=FIELDS))


# ---- ways to tell real words -------------------------------------------------------------------


def guards() -> dict[str, IsWord]:
    """Return ways to tell real words from typos, the shipped one last."""
    best: dict[str, float] = {}
    for language in LANGUAGES:
        for word, zipf in word_frequencies(language, 1.0).items():
            best[word] = max(zipf, best.get(word, 0.0))

    def listed(least: float) -> IsWord:
        return lambda word, _: best.get(word, 0.0) >= least

    return {
        "no word lists": lambda *_: False,
        "any list, Zipf 3": listed(3.0),
        "any list, Zipf 2": listed(2.0),
        "any list, Zipf 1": listed(1.0),
        SHIPPED: open_lexicon(),
    }


# ---- chance ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Suspect:
    """An item that a term may be found in, with many typos allowed."""

    item: Item
    language: str
    term: str


class Chance:
    """Unrelated items, and what typos alone find in them.

    Everything is looked for once with the most tolerant of settings; the others only in what that finds.
    """

    def __init__(self, items: Sequence[Item]) -> None:
        self.size = len(items)
        wanted = {str(topic(*one, 0).id): one for one in terms()}
        loose = Matcher([topic(*one, min(CUTOFFS)) for one in wanted.values()], is_real=lambda *_: False)
        self._matcher = cache(lambda one, cutoff, is_real: Matcher([topic(*one, cutoff)], is_real=is_real))
        found = [Suspect(item, *wanted[match.topic]) for item in items for match in loose.match(item)]
        as_written = [self._is_found(one, NO_TYPOS, _no_word) for one in found]
        self.as_written = sum(as_written)
        self._suspects = [one for one, is_exact in zip(found, as_written, strict=True) if not is_exact]

    def alerts(self, is_real: IsWord) -> Iterator[list[tuple[Suspect, str]]]:
        """Yield, for each of CUTOFFS, what is found thanks to typos alone, and by which words.

        What a cutoff does not find, no stricter one does.
        """
        left = self._suspects
        for cutoff in CUTOFFS:
            hits = ((one, self._match(one, cutoff, is_real)) for one in left)
            found = [(one, match.terms[0].text) for one, match in hits if match is not None]
            left = [one for one, _ in found]
            yield found

    def _is_found(self, one: Suspect, cutoff: float, is_real: IsWord) -> bool:
        return self._match(one, cutoff, is_real) is not None

    def _match(self, one: Suspect, cutoff: float, is_real: IsWord) -> Match | None:
        return next(iter(self._matcher((one.language, one.term), cutoff, is_real).match(one.item)), None)


def _no_word(word: str, language: str) -> bool:
    return False


def unrelated_items(file: Path | None) -> list[Item]:
    """Return the items of a file of JSON lines, else those made of benchmarks/unrelated.yaml."""
    if file is None:
        day = datetime(2025, 1, 1, tzinfo=UTC)
        made = (one.text for one in unrelated(600, day, day))
        return [Item(feed_id=FeedId("made"), title=text.title, summary=text.summary) for text in made]
    with file.open("rb") as lines:
        return [one.as_item() for one in read_items(lines) if not isinstance(one, BadLine)]


# ---- curves ------------------------------------------------------------------------------------


def curve(some: Sequence[Pair], chance: Chance, is_real: IsWord) -> list[Row]:
    """Return a row for each cutoff."""
    alerts = chance.alerts(is_real)
    return [row(some, cutoff, is_real, len(found)) for cutoff, found in zip(CUTOFFS, alerts, strict=True)]


def row(some: Iterable[Pair], cutoff: float, is_real: IsWord, by_chance: int) -> Row:
    """Return what a cutoff does to labelled pairs, beside its chance alerts."""
    count = Counter((one.belongs, is_found(one, cutoff, is_real)) for one in some)
    return Row(
        cutoff=cutoff,
        hits=count[True, True],
        false_alarms=count[False, True],
        missed=count[True, False],
        chance=by_chance,
    )


def is_found(pair: Pair, cutoff: float, is_real: IsWord) -> bool:
    """True: the term is found in the text."""
    return bool(Matcher([topic(pair.language, pair.term, cutoff)], is_real=is_real).match(pair.item))


# ---- slips of the finger -----------------------------------------------------------------------


def slips(rules: RuleSet, seed: int = 11) -> Iterator[tuple[str, Item, TopicId]]:
    """Yield titles with one slip in a word that a topic finds them by: its kind, the item, the topic."""
    dice = random.Random(seed)  # noqa: S311 - repeatable test data
    for title in labelled():
        for match in rules.match(title.item()):
            for found in match.terms:
                kind = dice.choice(("swapped", "left out", "doubled", "key beside"))
                slipped = _slipped(found.text, kind, dice)
                if found.field == "title" and slipped is not None:
                    text = title.title[: found.start] + slipped + title.title[found.end :]
                    yield kind, Item(feed_id=FeedId("golden"), title=text), match.topic


def _slipped(text: str, kind: str, dice: random.Random) -> str | None:
    """Return the text with an inner letter of its longest word mistyped; None: all its words are short."""
    word = max(text.split(), key=len)
    if len(word) < 5 or not word.isalpha():
        return None
    at = dice.randrange(1, len(word) - 1)
    letter = word[at]
    changed = {
        "swapped": word[at + 1] + letter + word[at + 2 :],
        "left out": word[at + 1 :],
        "doubled": letter + letter + word[at + 1 :],
        "key beside": _beside(letter, dice) + word[at + 1 :],
    }
    return text.replace(word, word[:at] + changed[kind], 1)


def _beside(letter: str, dice: random.Random) -> str:
    """Return a key beside the letter's; the letter itself where no keyboard has it."""
    rows = [row for row in KEYBOARDS if letter in row]
    if not rows:
        return letter
    keys = dice.choice(rows)
    at = keys.index(letter)
    return dice.choice(keys[max(0, at - 1) : at] + keys[at + 1 : at + 2])


def slip_recall(folder: Path, cutoff_guards: Mapping[str, IsWord]) -> dict[str, dict[str, tuple[int, int]]]:
    """Return, for each guard and kind of slip, how many titles are still found, and of how many."""
    made = list(slips(read_rules(folder)))
    told: dict[str, dict[str, tuple[int, int]]] = {}
    for name, is_real in cutoff_guards.items():
        rules = read_rules(folder, is_real=is_real)
        all_of = Counter(kind for kind, _, _ in made)
        found = Counter(kind for kind, item, wanted in made if wanted in {m.topic for m in rules.match(item)})
        told[name] = {kind: (found[kind], all_of[kind]) for kind in sorted(all_of)}
    return told


# ---- printing ----------------------------------------------------------------------------------


def table(title: str, headings: Iterable[str], rows: Iterable[Sequence[str]]) -> Table:
    """Return a table whose numbers stand to the right."""
    made = Table(title=title, title_justify="left")
    for number, heading in enumerate(headings):
        made.add_column(heading, justify="right" if number else "left")
    for cells in rows:
        made.add_row(*cells)
    return made


HEADINGS: Final = ("fuzzy", "precision", "recall", "F1", "chance per 10,000", "per 100 alerts")


def cells(one: Row, chance: Chance) -> list[str]:
    """Return a row's cells."""
    return [
        "off" if one.cutoff > 100 else f"{one.cutoff:g}",
        *(f"{share:.3f}" for share in (one.precision, one.recall, one.f1)),
        f"{10_000 * one.chance / max(1, chance.size):.1f}",
        f"{100 * one.chance / max(1, chance.as_written):.1f}",
    ]


def as_markdown(curves: Mapping[str, list[Row]], chance: Chance) -> str:
    """Return the curve as shipped, and beside it each guard's recall and chance alerts."""
    others = [name for name in curves if name != SHIPPED]
    headings = [*HEADINGS, *others]
    lines = [f"| {' | '.join(headings)} |", "|---" + "|---:" * (len(headings) - 1) + "|"]
    for number, one in enumerate(curves[SHIPPED]):
        beside = [curves[name][number] for name in others]
        told = [f"{row.recall:.3f}, {10_000 * row.chance / max(1, chance.size):.0f}" for row in beside]
        lines.append(f"| {' | '.join([*cells(one, chance), *told])} |")
    return "\n".join(lines)


def show(some: Sequence[Pair], chance: Chance, misses: int, console: Console) -> None:
    """Print which pairs and which chance alerts the shipped settings get wrong."""
    is_real = open_lexicon()
    for pair in some:
        if is_found(pair, DEFAULT, is_real) != pair.belongs and misses > 0:
            wrong = "missed" if pair.belongs else "false alarm"
            console.print(f"{wrong} [{pair.language}] {pair.term}: {pair.text}", markup=False)
    by_cutoff = dict(zip(CUTOFFS, chance.alerts(is_real), strict=True))
    for one, text in by_cutoff[DEFAULT][:misses]:
        console.print(f"by chance [{one.language}] {one.term} ← {text}", markup=False)


def main(arguments: Sequence[str]) -> int:
    """Print the curves; return 0."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--items", type=Path, help="unrelated items, one a line, as JSON")
    parser.add_argument("--rules", type=Path, default=ROOT / "rules", help="folder of rule files")
    parser.add_argument("--half", choices=("tuned", "heldout"), help="only these labelled pairs")
    parser.add_argument("--misses", type=int, default=0, help="how many mistakes to show")
    parser.add_argument("--markdown", action="store_true", help="the table of docs/matching.md")
    options = parser.parse_args(arguments)
    some = [pair for pair in pairs() if options.half is None or pair.held_out == (options.half == "heldout")]
    chance = Chance(unrelated_items(options.items))
    told = guards()
    curves = {name: curve(some, chance, is_real) for name, is_real in told.items()}
    if options.markdown:
        sys.stdout.write(as_markdown(curves, chance) + "\n")
        return 0
    console = Console()
    console.print(
        f"{len(some)} labelled pairs; {chance.size} unrelated items, {chance.as_written} alerts without"
    )
    for name, rows in curves.items():
        console.print(table(name, HEADINGS, (cells(one, chance) for one in rows)))
    for name, kinds in slip_recall(options.rules, told).items():
        rows_of = ([kind, f"{found}", f"{of}", f"{found / of:.3f}"] for kind, (found, of) in kinds.items())
        console.print(table(f"slips in titles, {name}", ("slip", "found", "of", "recall"), rows_of))
    show(some, chance, options.misses, console)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
