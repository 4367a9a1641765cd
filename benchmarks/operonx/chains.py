"""Ops one after the other: flat, nested, and many runs at once."""

import asyncio

from benchmarks import work
from benchmarks.contender import Run
from benchmarks.operonx._engine import engine_for
from operonx.core import PARENT, GraphOp, Static, graph, op

inc = op(work.inc)


def chain_graph(size: int) -> GraphOp:
    """Build a chain."""
    with GraphOp(name="chain") as chain:
        x = inc.with_(name="inc_0")(x=PARENT["x"])
        for i in range(1, size):
            x = inc.with_(name=f"inc_{i}")(x=x)
        x["result"] >> PARENT["y"]
    return chain


@graph
def level(depth: Static[int], x: int):  # whatever a graph's factory returns
    """One op, and the next level below it."""
    a = inc(x=x)
    return a if depth == 1 else level(depth=depth - 1, x=a)


def chain(size: int) -> Run:
    """One run of a chain."""
    engine = engine_for(chain_graph(size))

    async def run() -> int:
        result = await engine.run(inputs={"x": work.SEED})
        return result["y"]

    return run


def nested(size: int) -> Run:
    """One run of graphs within graphs."""
    engine = engine_for(level.build(depth=size))

    async def run() -> int:
        result = await engine.run(inputs={"x": work.SEED})
        return result["result"]

    return run


def concurrent(size: int) -> Run:
    """Many runs of a chain of 10 on one engine at once."""
    one = chain(10)

    async def run() -> int:
        return sum(await asyncio.gather(*(one() for _ in range(size))))

    return run
