"""Processes that a bad document may break: how they start, and what they may take."""

from __future__ import annotations

import gc
import resource
import signal
import sys
from multiprocessing.context import ForkServerContext, ForkServerProcess
from multiprocessing.process import BaseProcess
from types import ModuleType
from typing import Any, Final

_MEMORY: Final = 1 << 30  # bytes of address space; the largest feed takes a tenth


class WorkerProcess(ForkServerProcess):
    """A process that does not import the program's main module, of which a parser needs nothing.

    multiprocessing would: with all of the daemon, at each start, 2 s and 90 MB.
    """

    @staticmethod
    def _Popen(process_obj: BaseProcess) -> Any:  # noqa: N802  # multiprocessing's name
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            return ForkServerProcess._Popen(process_obj)
        finally:
            sys.modules["__main__"] = main


class WorkerContext(ForkServerContext):
    """Starts worker processes from a clean server: the daemon has threads, so it must not be forked."""

    Process = WorkerProcess


def prepare_worker() -> None:
    """Make a worker deaf to Ctrl-C, which is for the daemon that then stops it, and bound its memory.

    What it was born with stays shared with the server it comes from: the collector would write to all of it.
    """
    gc.freeze()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
