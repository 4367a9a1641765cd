"""A stream through two ops, whose items nobody collects."""

from benchmarks import work
from benchmarks.contender import Run
from benchmarks.operonx._engine import engine_for
from operonx.core import PARENT, GraphOp, op

source = op(work.source)
inc = op(work.inc)


def stream(size: int) -> Run:
    """Take each frame of the graph's output as it comes, count it and let it go."""
    with GraphOp(name="streaming") as graph:
        items = source(n=PARENT["n"])
        first = inc(x=items)
        second = inc(x=first)
        second["result"] >> PARENT["y"]
    engine = engine_for(graph)
    tally = work.Tally()

    async def run() -> list[int]:
        async with engine.stream(inputs={"n": size}, ports=["y"]) as frames:
            async for frame in frames:
                tally.add(frame.outputs["y"])
        return tally.take()

    return run


def drain(size: int) -> Run:
    """Let the last op, which has no ports, take the items in."""
    tally = work.Tally()

    @op
    def swallow(x: int) -> None:
        tally.add(work.inc(x))

    with GraphOp(name="draining") as graph:
        items = source(n=PARENT["n"])
        first = inc(x=items)
        swallow(x=first)
    engine = engine_for(graph)

    async def run() -> list[int]:
        await engine.run(inputs={"n": size})
        return tally.take()

    return run
