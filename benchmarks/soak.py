"""A long stream watched from outside: `python -m benchmarks.soak`.

A fresh worker of our engine passes the items; its resident set is sampled meanwhile. Exits with 1
if it grew beyond the ceiling.
"""

import argparse
import sys
import threading
import time
from collections.abc import Sequence

from benchmarks import environments, memory
from benchmarks.runner import WARM_SIZE
from benchmarks.session import Session, WorkerError
from benchmarks.targets import Targets

MEGA = 1e6


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    ceiling = Targets.load().bounds("memory", "stream_1000000")["at_most"]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    add = parser.add_argument
    add("--items", type=int, default=1_000_000, help="how many (default 1,000,000)")
    add(
        "--workload",
        choices=["stream", "drain"],
        default="stream",
        help="take the frames as they come, or let the last op keep nothing",
    )
    add("--every", type=float, default=1.0, help="seconds between samples")
    add("--ceiling", type=float, default=ceiling, help=f"megabytes of growth (default {ceiling:g})")
    add("--timeout", type=float, default=3600, help="seconds for all items")
    add("--native", action="store_true", help="the native engine")
    add("--python", help="interpreter (default: an environment made for our engine)")
    return parser  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Soak, print the samples, return the exit code."""
    options = parser().parse_args(arguments)
    contender = environments.with_environment(
        environments.NATIVE if options.native else environments.OURS, print, options.python
    )
    session = Session(contender)
    try:
        return _soak(session, options)
    except WorkerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    finally:
        session.close()


def _soak(session: Session, options: argparse.Namespace) -> int:
    session.request(options.timeout, do="hello")
    watch = _Watch(session.pid, options.every)
    with watch:
        answer = session.request(
            options.timeout,
            do="memory",
            workload=options.workload,
            size=options.items,
            warm_size=WARM_SIZE,
        )
    grown = answer["bytes"] / MEGA
    print(
        f"{options.items:,} items in {answer['wall']:.1f} s, "
        f"{answer['cpu'] / options.items * MEGA:.2f} µs CPU an item; "
        f"grew by {grown:.1f} MB at most, ceiling {options.ceiling:g} MB"
    )
    return int(grown > options.ceiling)


class _Watch:
    """Prints the resident set of a process at intervals, from a thread of its own."""

    def __init__(self, pid: int | None, every: float) -> None:
        self._pid = pid
        self._every = every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._print_samples, daemon=True)

    def __enter__(self) -> None:
        self._started = time.perf_counter()
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _print_samples(self) -> None:
        print("seconds  resident MB")
        while not self._stop.wait(self._every):
            try:
                resident = memory.resident_bytes_of(self._pid or 0) / MEGA
            except (OSError, LookupError):
                return
            print(f"{time.perf_counter() - self._started:7.1f}  {resident:11.1f}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
