"""What a process and those that it started cost: processor time and memory, as Linux's /proc tells."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_TICK_S: Final = 1 / os.sysconf("SC_CLK_TCK")
SAMPLE_S: Final = 0.1


def family(pid: int) -> list[int]:
    """Return a process and all that descend from it and live."""
    found = [pid]
    for one in found:  # grows meanwhile
        for children in (_PROC / str(one) / "task").glob("*/children"):
            found.extend(map(int, _text(children).split()))
    return found


def cpu_s(pid: int) -> float:
    """Return the seconds of processor that a family took since its start, user and system.

    Of those that ended, if their parents live and have waited for them. In steps of 10 ms.
    """
    return sum(_times(_text(_PROC / str(one) / "stat")) for one in family(pid)) * _TICK_S


def _times(stat: str) -> int:
    """Return utime, stime, cutime and cstime of proc_pid_stat(5) together."""
    return sum(map(int, stat.rpartition(")")[2].split()[11:15]))


def pss_mb(pid: int) -> float:
    """Return the memory of a family: what is shared counts once, in equal parts."""
    return sum(_field(_PROC / str(one) / "smaps_rollup", "Pss:") for one in family(pid)) / 1e3


def resident_mb(pid: int) -> float:
    """Return the resident memory of a family; what is shared counts for each."""
    return sum(_field(_PROC / str(one) / "status", "VmRSS:") for one in family(pid)) / 1e3


def peak_mb(pid: int) -> float:
    """Return the most resident memory that each of a family ever had since `forget_peak`, in sum."""
    return sum(_field(_PROC / str(one) / "status", "VmHWM:") for one in family(pid)) / 1e3


def forget_peak(pid: int) -> None:
    """Let the peak of each of a family be what it holds now (proc_pid_clear_refs(5))."""
    for one in family(pid):
        (_PROC / str(one) / "clear_refs").write_text("5")


def _field(path: Path, name: str) -> int:
    """Return a field in kB, which here are KiB turned into kB; 0 where the process has ended."""
    line = next((line for line in _lines(path) if line.startswith(name)), "_ 0")
    return int(line.split()[1]) * 1024 // 1000


def _lines(path: Path) -> Iterator[str]:
    yield from _text(path).splitlines()


def _text(path: Path) -> str:
    """Return a file of /proc; empty where its process has ended in the meantime."""
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


class Watch:
    """Looks each 100 ms, from a thread, at how much memory a family takes; use it as a context manager."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peak = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="memory", daemon=True)

    def __enter__(self) -> Watch:
        """Begin to look."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Look no more."""
        self._over.set()
        self._thread.join()

    def take_peak_mb(self) -> float:
        """Return the most that was seen since the last call."""
        peak, self._peak = max(self._peak, pss_mb(self._pid)), 0.0
        return peak

    def _look(self) -> None:
        while not self._over.wait(SAMPLE_S):
            self._peak = max(self._peak, pss_mb(self._pid))
