"""Steps one after the other, graphs run within steps, decisions, cycles.

Steps are coroutines; a plain function is called within one.
"""

import asyncio
import itertools
from typing import Any

from pydantic_graph import GraphBuilder, StepContext

from benchmarks import work
from benchmarks.contender import Run

Context = StepContext[None, None, int]


async def _inc(ctx: Context) -> int:
    return work.inc(ctx.inputs)


def _builder() -> Any:  # a graph builder from int to int
    return GraphBuilder(input_type=int, output_type=int)


def _run(graph: Any, start: int = work.SEED) -> Run:  # a graph
    async def run() -> int:
        return await graph.run(inputs=start)

    return run


def chain(size: int) -> Run:
    """A step after a step."""
    g = _builder()
    steps = [g.step(_inc, node_id=f"inc_{i}") for i in range(size)]
    places = [g.start_node, *steps, g.end_node]
    g.add(*(g.edge_from(a).to(b) for a, b in itertools.pairwise(places)))
    return _run(g.build())


def nested(size: int) -> Run:
    """A step that runs the next graph."""
    inner = None
    for _ in range(size):
        inner = _level(inner)
    return _run(inner)


def _level(inner: Any) -> Any:  # a graph, or none below
    g = _builder()
    inc = g.step(_inc, node_id="inc")
    g.add(g.edge_from(g.start_node).to(inc))
    if inner is None:
        g.add(g.edge_from(inc).to(g.end_node))
        return g.build()

    async def descend(ctx: Context) -> int:
        return await inner.run(inputs=ctx.inputs)

    down = g.step(descend, node_id="descend")
    g.add(g.edge_from(inc).to(down), g.edge_from(down).to(g.end_node))
    return g.build()


async def _halve(ctx: Context) -> int:
    return work.halve(ctx.inputs)


async def _triple(ctx: Context) -> int:
    return work.triple(ctx.inputs)


def branches(size: int) -> Run:
    """A decision between two steps that meet again."""
    g = _builder()
    before = [g.start_node]
    for i in range(size):
        inc = g.step(_inc, node_id=f"inc_{i}")
        even = g.step(_halve, node_id=f"halve_{i}")
        odd = g.step(_triple, node_id=f"triple_{i}")
        decision = (
            g.decision(node_id=f"parity_{i}")
            .branch(g.match(int, matches=lambda x: x % 2 == 0).to(even))
            .branch(g.match(int).to(odd))
        )
        g.add(g.edge_from(*before).to(inc), g.edge_from(inc).to(decision))
        before = [even, odd]
    g.add(g.edge_from(*before).to(g.end_node))
    return _run(g.build())


async def _advance(ctx: Context) -> int:
    return work.advance(ctx.inputs)


def loop(size: int) -> Run:
    """A decision back to its own step."""
    g = _builder()
    advance = g.step(_advance, node_id="advance")
    decision = (
        g.decision(node_id="enough")
        .branch(g.match(int, matches=lambda x: x >= size).to(g.end_node))
        .branch(g.match(int).to(advance))
    )
    g.add(g.edge_from(g.start_node).to(advance), g.edge_from(advance).to(decision))
    return _run(g.build(), start=0)


def concurrent(size: int) -> Run:
    """Runs of one chain of 10."""
    one = chain(10)

    async def run() -> int:
        return sum(await asyncio.gather(*(one() for _ in range(size))))

    return run
