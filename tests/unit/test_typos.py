"""Typos: what the shipped defaults find among labelled texts."""

from __future__ import annotations

import pytest

from benchmarks.typos import DEFAULT, Pair, is_found, pairs
from bot.lexicon import lazy_lexicon

IS_REAL = lazy_lexicon()

# Precision and recall over the labelled pairs, as measured with `python benchmarks/typos.py`; they may rise,
# never fall.
LEAST = (0.92, 0.97)


def test_typos_are_told_from_words_that_only_look_alike() -> None:
    some = pairs()
    found = [pair for pair in some if is_found(pair, DEFAULT, IS_REAL)]
    right = sum(pair.belongs for pair in found)

    assert right / len(found) >= LEAST[0]
    assert right / sum(pair.belongs for pair in some) >= LEAST[1]


@pytest.mark.parametrize(
    ("language", "term", "text", "expected"),
    [
        ("en", "rare earth", "Raer earths deal signed", True),
        ("fr", "terres rares", "Les teres rares au sommet", True),
        ("en", "secondary tariff", "Secundary tarrifs on India", True),
        ("de", "Seltene Erden", "Selten-Erdbeben-Netz misst Stöße", False),
        ("de", "Seltene Erden", "Sie werden immer seltener, Handwerk auf Erden", False),
        ("pl", "kopnia", "Kopie zapasowe", False),
        ("pl", "kopia", "Kopnie prądem", False),
        ("en", "government", "Goverment falls", True),
        ("ru", "завод", "Мотор заведён", False),
    ],
)
def test_a_hard_one_is_decided_rightly(language: str, term: str, text: str, *, expected: bool) -> None:
    pair = Pair(language=language, term=term, text=text, belongs=expected, held_out=False)

    assert is_found(pair, DEFAULT, IS_REAL) is expected
