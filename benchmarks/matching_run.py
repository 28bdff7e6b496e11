"""One way to match, at one number of terms, measured in a process of its own.

    python benchmarks/matching_run.py FOLDER < job.json

`benchmarks/matching.py` starts this. The folder holds the items and the terms; the row goes to standard
output. Times are of the process, so that other work on the machine counts for little, and of several passes
the quickest counts.
"""

from __future__ import annotations

import gc
import json
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks.peers import PEERS, plain_term, plain_words
from benchmarks.said import Said, rules
from bot.core.match import Matcher
from bot.core.memory import Memory
from bot.core.terms import IsWord
from bot.core.text import Chunk, chunks_of, read_chunk
from bot.lexicon import open_lexicon
from bot.model import FeedId, Item

PLAIN: Final = "floor: plain"  # normalising and tokenising, no memory
TEXT: Final = "floor: text"  # our own, with a memory of chunks
OURS: Final = "topicwire"
FLOORS: Final = (PLAIN, TEXT)
REMEMBERING: Final = frozenset({TEXT, OURS, "spaCy PhraseMatcher"})
COLD: Final = 2_000  # items
BLOCK: Final = 1_000  # items measured together
BLOCKS: Final = 4
MEMORY_LIMIT: Final = 8 << 30  # bytes of address space for a peer
TIMES: Final = ("read_s", "compile_s", "cold_us", "steady_us", "warm_us")  # figures of Row
PASSES: Final = 3  # of what nothing is remembered of
Run = Callable[[Item], int]  # returns how many terms, or topics, it found


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to measure."""

    who: str
    terms: int
    setting: str = ""
    budget_s: float = 10.0  # of the process, for each of cold, steady and warm
    compile_limit_s: float = 120.0  # of the process


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What was measured. Microseconds are for an item."""

    who: str
    terms: int
    setting: str = ""
    read_s: float = 0.0  # reading the terms
    compile_s: float = 0.0  # and making one thing of them
    compiled_mb: float = 0.0  # resident memory that this took
    after_mb: float = 0.0  # and with all items seen
    cold_us: float = 0.0
    steady_us: float = 0.0
    warm_us: float = 0.0
    items: int = 0  # that the steady figure is of
    found: float = 0.0  # topics, or a peer's terms, an item
    failed: str = ""  # why there are no figures


@dataclass(frozen=True, slots=True)
class Made:
    """A way to match, ready to run."""

    run: Run
    read_s: float = 0.0
    compile_s: float = 0.0


# ---- ways to match -----------------------------------------------------------------------------


def make(job: Job, terms: Sequence[Said], is_real: IsWord) -> Made:
    """Return the way to match that the job names."""
    if job.who == PLAIN:
        return Made(_plainly)
    if job.who == TEXT:
        return Made(_reading())
    return _ours(terms, is_real) if job.who == OURS else _peer(job, terms)


def _plainly(item: Item) -> int:
    plain_words(_text(item))
    return 0


def _text(item: Item) -> str:
    return f"{item.title}\n{item.summary}\n{item.content}"


def _reading() -> Run:
    """Return what the engine does to a text before it looks for anything, in its own kind of memory."""
    memory: Memory[str, Chunk] = Memory()

    def run(item: Item) -> int:
        for text in (item.title, item.summary, item.content):
            chunks = chunks_of(text)
            reads = list(map(memory.young.get, chunks))
            if None in reads:
                for raw in chunks:
                    if memory.get(raw) is None:
                        memory.put(raw, read_chunk(raw))
        return 0

    return run


def _ours(terms: Sequence[Said], is_real: IsWord) -> Made:
    begun = time.process_time()
    topics = rules([one.read() for one in terms])
    read = time.process_time()
    matcher = Matcher(topics, is_real=is_real)
    return Made(
        lambda item: len(matcher.match(item)), read_s=read - begun, compile_s=time.process_time() - read
    )


def _peer(job: Job, terms: Sequence[Said]) -> Made:
    peer = next(one for one in PEERS if one.name == job.who)
    begun = time.process_time()
    plain = [plain_term(one.text) for one in terms]
    read = time.process_time()
    search = peer.compile(plain, job.setting)
    prepare = peer.prepare
    return Made(
        lambda item: len({place.term for place in search(prepare(_text(item)))}),
        read_s=read - begun,
        compile_s=time.process_time() - read,
    )


# ---- measuring ---------------------------------------------------------------------------------


class Timed(NamedTuple):
    """What running some items took."""

    us: float  # an item
    count: int  # items run
    found: int  # in all of them


def measure(job: Job, items: Sequence[Item], terms: Sequence[Said], is_real: IsWord) -> Row:
    """Return the row of a job; the last BLOCKS blocks of the items are those measured steadily."""
    before = resident_mb()
    made = make(job, terms, is_real)
    signal.setitimer(signal.ITIMER_PROF, 0)  # compiled in time
    compiled = resident_mb()
    size = min(BLOCK, max(1, len(items) // (2 * BLOCKS)))
    seen, unseen = items[: -BLOCKS * size], items[-BLOCKS * size :]
    cold = timed(made.run, seen[:COLD], job.budget_s)
    if job.who in REMEMBERING:
        for item in seen[COLD:]:
            made.run(item)
    blocks = _blocks(job, unseen, size, cold)
    steady = [timed(made.run, block, job.budget_s) for block in blocks]
    blocks = [block[: one.count] for block, one in zip(blocks, steady, strict=True)]
    warm = [timed(made.run, block, job.budget_s) for block in blocks * (1 if len(blocks) == 1 else 2)]
    return Row(
        who=job.who,
        terms=job.terms,
        setting=job.setting,
        read_s=made.read_s,
        compile_s=made.compile_s,
        compiled_mb=compiled - before,
        after_mb=resident_mb() - before,
        cold_us=cold.us,
        steady_us=min(one.us for one in steady),
        warm_us=min(one.us for one in warm),
        items=len({id(item) for block in blocks for item in block}),
        found=sum(one.found for one in steady) / sum(one.count for one in steady),
    )


def _blocks(job: Job, unseen: Sequence[Item], size: int, cold: Timed) -> list[Sequence[Item]]:
    """Return what is measured at a time: all, if it is slow; several times, what remembers nothing."""
    if cold.us * len(unseen) > job.budget_s * 1e6:
        return [unseen]
    blocks = [unseen[start : start + size] for start in range(0, len(unseen), size)]
    return blocks if job.who in REMEMBERING else blocks * PASSES


def timed(run: Run, items: Sequence[Item], budget_s: float) -> Timed:
    """Return what running the items takes; stops when the time is up.

    At least one item is run. The clock is read after 1, 2, 4, 8, … items.
    """
    spent = 0.0
    count = found = 0
    size = 1
    while count < len(items) and (spent < budget_s or not count):
        batch = items[count : count + size]
        begun = time.process_time()
        for item in batch:
            found += run(item)
        spent += time.process_time() - begun
        count += len(batch)
        in_time = int((budget_s - spent) * count / max(spent, 1e-9))
        size = max(1, min(2 * size, in_time))
    return Timed(spent / max(1, count) * 1e6, count, found)


def resident_mb() -> float:
    """Return the process's resident memory, without garbage; where nobody tells, the most it ever was."""
    gc.collect()
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * resource.getpagesize() / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


# ---- the process -------------------------------------------------------------------------------


def write_world(folder: Path, items: Sequence[Item], terms: Sequence[Said]) -> None:
    """Write what a process reads: the items, and the terms, one a line."""
    with (folder / "items").open("w", encoding="utf-8") as file:
        for item in items:
            file.write(json.dumps([item.title, item.summary, item.content, item.language]) + "\n")
    with (folder / "terms").open("w", encoding="utf-8") as file:
        for one in terms:
            file.write(json.dumps(one) + "\n")


def read_world(folder: Path, terms: int) -> tuple[list[Item], list[Said]]:
    """Return the items, and so many of the terms."""
    items = [
        Item(feed_id=FeedId("stream"), title=title, summary=summary, content=content, language=language)
        for title, summary, content, language in _lines(folder / "items")
    ]
    return items, [Said(*told) for _, told in zip(range(terms), _lines(folder / "terms"), strict=False)]


def _lines(path: Path) -> Iterator[Any]:
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def main(arguments: Sequence[str]) -> int:
    """Measure the job on standard input; return 0."""
    job = Job(**json.load(sys.stdin))
    items, terms = read_world(Path(arguments[0]), job.terms)
    is_real = open_lexicon()
    if job.who not in (*FLOORS, OURS):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    signal.setitimer(signal.ITIMER_PROF, job.compile_limit_s)  # its signal ends the process
    try:
        row = measure(job, items, terms, is_real)
    except MemoryError:
        row = Row(who=job.who, terms=job.terms, setting=job.setting, failed="more than 8 GB of memory")
    json.dump(asdict(row), sys.stdout)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
