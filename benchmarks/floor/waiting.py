"""Waiting and blocking by hand: tasks, or a thread for each function that blocks."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from benchmarks import work
from benchmarks.contender import Run


def wait_async(size: int) -> Run:
    """A task each."""

    async def run() -> int:
        return work.total(await asyncio.gather(*(work.wait_async(work.SEED) for _ in range(size))))

    return run


def wait_def(size: int) -> Run:
    """A thread each, from a pool that stays."""
    pool = ThreadPoolExecutor(size)

    async def run() -> int:
        loop = asyncio.get_running_loop()
        calls = [loop.run_in_executor(pool, work.wait_def, work.SEED) for _ in range(size)]
        return work.total(await asyncio.gather(*calls))

    return run


#: The same by hand; what differs is that the runner watches the event loop meanwhile.
blocking = wait_def
