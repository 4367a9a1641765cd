"""Ops beside each other, joined: short ones, waiting ones, blocking ones."""

from benchmarks import work
from benchmarks.contender import Run
from benchmarks.operonx._engine import engine_for
from operonx.core import PARENT, GraphOp, op

total = op(work.total)


def _fan(function, size: int) -> Run:  # any `(x: int) -> int`, sync or async
    member = op(function)
    with GraphOp(name="fan") as fan:
        members = [member.with_(name=f"member_{i}")(x=PARENT["x"]) for i in range(size)]
        joined = total(values=members)
        joined["result"] >> PARENT["y"]
    engine = engine_for(fan)

    async def run() -> int:
        result = await engine.run(inputs={"x": work.SEED})
        return result["y"]

    return run


def fan_def(size: int) -> Run:
    """Short plain functions."""
    return _fan(work.inc, size)


def fan_async(size: int) -> Run:
    """Coroutines that suspend once."""
    return _fan(work.inc_async, size)


def wait_async(size: int) -> Run:
    """Coroutines that wait."""
    return _fan(work.wait_async, size)


def wait_def(size: int) -> Run:
    """Plain functions that block their thread."""
    return _fan(work.wait_def, size)


#: The same graph; what differs is that the runner watches the event loop meanwhile.
blocking = wait_def
