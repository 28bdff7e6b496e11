"""A slice of what `python -m tests.fuzz.bodies` does by the million."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.bodies import body_of, run


@pytest.mark.parametrize("seed", range(4))
def test_bad_bodies_break_no_law(seed: int) -> None:
    tally = run(seed, 0, 150, compare_all=True)

    assert [failure.says for failure in tally.failures] == []
    assert tally.feeds > 30
    assert tally.fast > 5


def test_a_seed_makes_the_same_bodies_again() -> None:
    assert [body_of(7, number) for number in range(50)] == [body_of(7, number) for number in range(50)]


def test_a_run_that_finds_nothing_ends_well_and_says_what_it_did(tmp_path: Path) -> None:
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.fuzz.bodies",
            "--count",
            "20",
            "--jobs",
            "1",
            "--failures",
            str(tmp_path / "bad"),
        ],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    assert "20 bodies in" in ran.stderr
    assert not (tmp_path / "bad").exists()
