"""Run every example over and over in this one process: `python tests/soak/repeat.py SECONDS`.

Memory, threads and open files must not grow with the number of runs.
"""

from __future__ import annotations

import contextlib
import gc
import io
import runpy
import sys
import threading
import time
import tracemalloc
from pathlib import Path
from typing import NamedTuple

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))
WARM_UP = 20
"""Runs before the first look: caches fill, worker pools start."""
ALLOWED = 1_000_000
"""Bytes that may be held more after all runs than after the first ones."""


class Held(NamedTuple):
    """What the process holds."""

    memory: int
    """Bytes that Python allocated."""
    threads: int
    """Threads alive."""
    files: int
    """Open file descriptors; 0 where the system does not tell."""


def held() -> Held:
    """Look, after collecting garbage."""
    gc.collect()
    descriptors = Path("/proc/self/fd")
    files = len(list(descriptors.iterdir())) if descriptors.is_dir() else 0
    return Held(tracemalloc.get_traced_memory()[0], threading.active_count(), files)


def run(example: Path) -> None:
    """Run an example as a program, without what it prints."""
    with contextlib.redirect_stdout(io.StringIO()):
        runpy.run_path(str(example), run_name="__main__")


def soak(example: Path, seconds: float) -> bool:
    """Run an example for so long, report, and return whether nothing grew."""
    for _ in range(WARM_UP):
        run(example)
    before, runs, end = held(), 0, time.monotonic() + seconds
    while time.monotonic() < end:
        run(example)
        runs += 1
    after = held()
    steady = (
        after.memory - before.memory <= ALLOWED
        and after.threads <= before.threads
        and after.files <= before.files
    )
    print(f"{'steady' if steady else 'GREW'}: {example.name}, {runs} runs: {before} -> {after}")
    return steady


def main() -> int:
    """Share the time out among the examples, and return the exit code."""
    if not EXAMPLES:
        print("no example to run")
        return 1
    seconds = float(sys.argv[1]) / len(EXAMPLES)
    tracemalloc.start()
    steady = [
        soak(example, seconds) for example in EXAMPLES
    ]  # all of them, whatever the first says
    return int(not all(steady))


if __name__ == "__main__":
    sys.exit(main())
