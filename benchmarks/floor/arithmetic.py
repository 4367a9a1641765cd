"""Chains, fans, nesting, branches, loops and concurrent runs by hand."""

import asyncio

from benchmarks import work
from benchmarks.contender import Run


def chain(size: int) -> Run:
    """Call one after the other."""

    async def run() -> int:
        x = work.SEED
        for _ in range(size):
            x = work.inc(x)
        return x

    return run


def fan_def(size: int) -> Run:
    """Plain functions need no tasks: call each, then join."""

    async def run() -> int:
        x = work.SEED
        return work.total([work.inc(x) for _ in range(size)])

    return run


def fan_async(size: int) -> Run:
    """A task each, then join."""

    async def run() -> int:
        x = work.SEED
        return work.total(await asyncio.gather(*(work.inc_async(x) for _ in range(size))))

    return run


def nested(size: int) -> Run:
    """A coroutine within a coroutine."""

    async def level(depth: int, x: int) -> int:
        x = work.inc(x)
        return x if depth == 1 else await level(depth - 1, x)

    async def run() -> int:
        return await level(size, work.SEED)

    return run


def branches(size: int) -> Run:
    """An `if` each."""

    async def run() -> int:
        x = work.SEED
        for _ in range(size):
            x = work.inc(x)
            x = work.halve(x) if x % 2 == 0 else work.triple(x)
        return x

    return run


def loop(size: int) -> Run:
    """A `while`."""

    async def run() -> int:
        count = 0
        while True:
            count = work.advance(count)
            if count >= size:
                return count

    return run


def concurrent(size: int) -> Run:
    """A task for each run of a chain of 10."""
    one = chain(10)

    async def run() -> int:
        return sum(await asyncio.gather(*(one() for _ in range(size))))

    return run
