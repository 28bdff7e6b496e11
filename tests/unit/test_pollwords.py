"""Reasons in words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.core.pollwords import (
    pause_words,
    poll_words,
    size_words,
    span_words,
    time_words,
    trouble_words,
    why_words,
)
from bot.core.schedule import NextPollReason
from bot.model import PauseReason, PollReason, TroubleKind
from tests.clock import START


def test_every_reason_has_words_of_its_own() -> None:
    for words in (
        [poll_words(reason) for reason in PollReason],
        [why_words(why) for why in NextPollReason],
        [pause_words(pause) for pause in PauseReason],
        [trouble_words(kind) for kind in TroubleKind],
    ):
        assert all(words)
        assert len(set(words)) == len(words)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (0.4, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (900, "15 min"),
        (5400, "90 min"),
        (866, "14 min"),
        (596, "9.9 min"),
        (599, "10 min"),
        (7200, "2 h"),
        (9000, "2.5 h"),
        (86400, "24 h"),
        (7 * 86400, "7 d"),
    ],
)
def test_a_length_of_time_is_told_in_the_unit_that_suits_it(seconds: float, words: str) -> None:
    assert span_words(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "now"), (0.5, "now"), (-300, "5 min ago"), (7200, "in 2 h")]
)
def test_a_time_is_told_as_seen_from_now(seconds: float, words: str) -> None:
    assert time_words(START + timedelta(seconds=seconds), START) == words


@pytest.mark.parametrize(
    ("size", "words"), [(0, "0 B"), (999, "999 B"), (12_345, "12.3 kB"), (1_250_000, "1.25 MB")]
)
def test_a_size_is_told_in_the_unit_that_suits_it(size: int, words: str) -> None:
    assert size_words(size) == words
