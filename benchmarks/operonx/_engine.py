"""Which of our engines is measured: the runner says so in the environment."""

import os

from operonx.core import GraphOp, Operon

#: `python` or `rust`.
ENGINE_VARIABLE = "OPERONX_BENCH_ENGINE"


def engine_for(graph: GraphOp) -> Operon:
    """Make the engine under measurement for a graph."""
    return Operon(graph, engine=os.environ.get(ENGINE_VARIABLE, "python"))
