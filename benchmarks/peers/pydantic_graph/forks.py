"""Broadcasts to steps beside each other, and maps over what a step yields."""

import inspect
from collections.abc import AsyncIterator
from typing import Any

from pydantic_graph import GraphBuilder, StepContext, reduce_list_append, reduce_null

from benchmarks import work
from benchmarks.contender import Run

Context = StepContext[None, None, int]


async def _total(ctx: StepContext[None, None, list[int]]) -> int:
    return work.total(ctx.inputs)


def _member(function: Any) -> Any:  # any `(x: int) -> int`, sync or async
    if inspect.iscoroutinefunction(function):

        async def member(ctx: Context) -> int:
            return await function(ctx.inputs)
    else:

        async def member(ctx: Context) -> int:
            return function(ctx.inputs)

    return member


def _fan(function: Any, size: int) -> Run:  # as above
    g = GraphBuilder(input_type=int, output_type=int)
    members = [g.step(_member(function), node_id=f"member_{i}") for i in range(size)]
    values = g.join(reduce_list_append, initial_factory=list[int], node_id="values")
    total = g.step(_total, node_id="total")
    g.add(
        g.edge_from(g.start_node).to(*members),
        g.edge_from(*members).to(values),
        g.edge_from(values).to(total),
        g.edge_from(total).to(g.end_node),
    )
    graph = g.build()

    async def run() -> int:
        return await graph.run(inputs=work.SEED)

    return run


def fan_def(size: int) -> Run:
    """Plain functions."""
    return _fan(work.inc, size)


def fan_async(size: int) -> Run:
    """Coroutines."""
    return _fan(work.inc_async, size)


def wait_async(size: int) -> Run:
    """Coroutines that wait."""
    return _fan(work.wait_async, size)


def wait_def(size: int) -> Run:
    """Plain functions that block, in the coroutines that the steps must be."""
    return _fan(work.wait_def, size)


blocking = wait_def


async def _source(ctx: Context) -> AsyncIterator[int]:
    for item in work.source(ctx.inputs):
        yield item


async def _inc(ctx: Context) -> int:
    return work.inc(ctx.inputs)


def _count(tally: work.Tally, value: int) -> work.Tally:
    tally.add(value)
    return tally


def _graph(second: Any, join: Any, output_type: Any) -> Any:  # steps and joins
    g = GraphBuilder(input_type=int, output_type=output_type)
    source = g.stream(_source, node_id="source")
    first = g.step(_inc, node_id="first")
    last = g.step(second, node_id="second")
    joined = join(g)
    g.add(
        g.edge_from(g.start_node).to(source),
        g.edge_from(source).map().to(first),
        g.edge_from(first).to(last),
        g.edge_from(last).to(joined),
        g.edge_from(joined).to(g.end_node),
    )
    return g.build()


def stream(size: int) -> Run:
    """A join that counts each item as it comes and keeps none."""
    graph = _graph(_inc, lambda g: g.join(_count, initial_factory=work.Tally), work.Tally)

    async def run() -> list[int]:
        return (await graph.run(inputs=size)).take()

    return run


def drain(size: int) -> Run:
    """Let the last step take the items in."""
    tally = work.Tally()

    async def swallow(ctx: Context) -> None:
        tally.add(work.inc(ctx.inputs))

    graph = _graph(swallow, lambda g: g.join(reduce_null, initial=None), type(None))

    async def run() -> list[int]:
        await graph.run(inputs=size)
        return tally.take()

    return run
