"""Cancelling stops everything in flight, also a plain `def` that looks whether it should go on."""

from __future__ import annotations

import asyncio
import time

from operonx.core import Operon, RunContext, RunStateError, graph, op


@op
async def wait() -> None:
    """Wait for long, and clean up in any case."""
    try:
        await asyncio.sleep(60)
    finally:
        print("the async op has cleaned up")


@op(run_in="thread")
def compute(run: RunContext) -> None:
    """Work in a thread, looking at times whether anybody still wants the result."""
    while not run.cancelled:
        time.sleep(0.01)
    print("the thread has stopped")


@graph
def both() -> None:
    """Wire it."""
    wait()
    compute()


async def main() -> None:
    """Cancel a run by its handle; then one by a timeout around it."""
    engine = Operon(both)
    handle = engine.start()
    asyncio.get_running_loop().call_later(0.1, handle.cancel)
    try:
        await handle.result()
    except RunStateError as error:
        print(error)
    try:
        async with asyncio.timeout(0.1):
            await engine.run()
    except TimeoutError:
        print("timed out")


asyncio.run(main())

# Output:
# the async op has cleaned up
# the thread has stopped
# the run was cancelled, so it has no result
# the async op has cleaned up
# the thread has stopped
# timed out
