"""A loop of one op."""

from benchmarks import work
from benchmarks.contender import Run
from benchmarks.operonx._engine import engine_for
from operonx.core import PARENT, GraphOp, op

advance = op(work.advance)


def loop(size: int) -> Run:
    """Count up to `size`."""
    with GraphOp(name="looping") as graph:
        with GraphOp.loop(until=PARENT["count"] >= size, max_iterations=size, count=0) as counting:
            step = advance(count=PARENT["count"])
            step["result"] >> PARENT["count"]
        counting["count"] >> PARENT["count"]
    engine = engine_for(graph)

    async def run() -> int:
        result = await engine.run(inputs={})
        return result["count"]

    return run
