"""What the worst texts and patterns cost: nobody shall be able to stop the engine with an item or a rule."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from benchmarks.said import Said, rules
from bot.core.match import Matcher, TopicRule
from bot.core.patterns import PatternInvalid, check_pattern
from bot.core.terms import IsWord, Pattern
from bot.model import FeedId, Item

SIZE: Final = 1_000_000  # characters
_LETTERS: Final = "abcdefghijklmnoprstuvwz"


def hostile_texts(terms: Sequence[Said], size: int = SIZE) -> Mapping[str, str]:
    """Return texts of that many characters, each bad in its own way."""
    dice = random.Random(3)  # noqa: S311 - the same texts each time
    words = [word for one in terms for word in one.text.rstrip("*").split() if len(word) > 4]
    made: dict[str, Callable[[], str]] = {
        "one word": lambda: "a",
        "blanks": lambda: " ",
        "unknown words": lambda: "".join(dice.choices(_LETTERS, k=9)) + " ",
        "words nearly terms": lambda: _mistyped(dice.choice(words), dice) + " ",
        "terms": lambda: dice.choice(terms).text.rstrip("*") + " ",
        "a hyphen chain": lambda: dice.choice(words)[:5] + "-",
        "accents": lambda: "e\u0301\u0308",
        "invisible characters": lambda: "a\u00ad\u200b",
        "Chinese": lambda: chr(dice.randrange(0x4E00, 0x9FFF)),
        "line breaks behind hyphens": lambda: "ab-\n",
        "full stops": lambda: "A.",
    }
    return {name: _filled(piece, size) for name, piece in made.items()}


def _filled(piece: Callable[[], str], size: int) -> str:
    pieces: list[str] = []
    left = size
    while left > 0:
        pieces.append(piece())
        left -= len(pieces[-1])
    return "".join(pieces)[:size]


def _mistyped(word: str, dice: random.Random) -> str:
    at = dice.randrange(1, len(word))
    return word[:at] + dice.choice(_LETTERS) + word[at + 1 :]


HOSTILE_PATTERNS: Final = (
    r"(a+)+$",
    r"(?:a|a)*b",
    r"(?i)(?:\w+\s?)*!",
    r".*.*.*.*=.*",
    r"(?:a?){50}a{50}",
    r"\pL{1,500}x",
    r"((((a{1,10}){1,10}){1,10}){1,10}){1,10}",
)


def cost_of_texts(terms: Sequence[Said], is_real: IsWord) -> dict[str, float]:
    """Return the seconds that each hostile text costs, as the content of an item."""
    matcher = Matcher(rules([one.read() for one in terms]), is_real=is_real)
    return {
        name: _seconds(matcher, Item(feed_id=FeedId("hostile"), title="", content=text))
        for name, text in hostile_texts(terms).items()
    }


def cost_of_patterns(is_real: IsWord) -> dict[str, float]:
    """Return the seconds that each hostile pattern costs: compiled, and run over a long text."""
    text = "a" * (SIZE // 2) + " a" * (SIZE // 4)
    item = Item(feed_id=FeedId("hostile"), title=text)
    return {pattern: _cost_of_pattern(pattern, item, is_real) for pattern in HOSTILE_PATTERNS}


def _cost_of_pattern(pattern: str, item: Item, is_real: IsWord) -> float:
    begun = time.process_time()
    try:
        check_pattern(pattern)
    except PatternInvalid:
        return time.process_time() - begun
    Matcher(_topic_of(pattern), is_real=is_real).match(item)
    return time.process_time() - begun


def _topic_of(pattern: str) -> list[TopicRule]:
    return rules([Pattern(pattern)])


def _seconds(matcher: Matcher, item: Item) -> float:
    begun = time.process_time()
    matcher.match(item)
    return time.process_time() - begun
