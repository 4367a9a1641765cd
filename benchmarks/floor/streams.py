"""Streams by hand: a generator and a loop."""

from collections.abc import AsyncIterator

from benchmarks import work
from benchmarks.contender import Run


def stream(size: int) -> Run:
    """An async generator that its caller counts."""

    async def results() -> AsyncIterator[int]:
        for item in work.source(size):
            yield work.inc(work.inc(item))

    async def run() -> list[int]:
        tally = work.Tally()
        async for value in results():
            tally.add(value)
        return tally.take()

    return run


def drain(size: int) -> Run:
    """A loop whose last call keeps nothing."""

    async def run() -> list[int]:
        tally = work.Tally()
        for item in work.source(size):
            tally.add(work.inc(work.inc(item)))
        return tally.take()

    return run
