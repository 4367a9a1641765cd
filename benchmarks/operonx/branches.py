"""Branches in a row."""

from benchmarks import work
from benchmarks.contender import Run
from benchmarks.operonx._engine import engine_for
from operonx.core import PARENT, GraphOp, first_of, if_, op

inc = op(work.inc)
halve = op(work.halve)
triple = op(work.triple)


def branches(size: int) -> Run:
    """An op, a branch on what it gave, an arm, and the next op reads the arm taken."""
    with GraphOp(name="branches") as graph:
        x = PARENT["x"]
        for i in range(size):
            stage = inc.with_(name=f"inc_{i}")(x=x)
            even = halve.with_(name=f"halve_{i}")(x=stage)
            odd = triple.with_(name=f"triple_{i}")(x=stage)
            if_(stage["result"] % 2 == 0, even).else_(odd)
            x = first_of(even, odd)["result"]
        x >> PARENT["y"]
    engine = engine_for(graph)

    async def run() -> int:
        result = await engine.run(inputs={"x": work.SEED})
        return result["y"]

    return run
