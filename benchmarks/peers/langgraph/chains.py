"""Nodes one after the other, subgraphs, conditional edges, cycles."""

import asyncio
from typing import Any, TypedDict

from langgraph.graph import END, START, StateGraph

from benchmarks import work
from benchmarks.contender import Run

#: Supersteps that a run may take beyond those it needs.
SPARE_STEPS = 10


class Number(TypedDict):
    """The state: one number."""

    x: int


def _inc(state: Number) -> Number:
    return {"x": work.inc(state["x"])}


def _run(app: Any, steps: int) -> Run:  # a compiled graph
    config = {"recursion_limit": steps + SPARE_STEPS}

    async def run() -> int:
        result = await app.ainvoke({"x": work.SEED}, config)
        return result["x"]

    return run


def chain(size: int) -> Run:
    """A node after a node."""
    builder = StateGraph(Number)
    previous = START
    for i in range(size):
        builder.add_node(f"inc_{i}", _inc)
        builder.add_edge(previous, f"inc_{i}")
        previous = f"inc_{i}"
    builder.add_edge(previous, END)
    return _run(builder.compile(), size)


def nested(size: int) -> Run:
    """A compiled graph as a node of the next."""
    inner = None
    for _ in range(size):
        builder = StateGraph(Number)
        builder.add_node("inc", _inc)
        builder.add_edge(START, "inc")
        if inner is None:
            builder.add_edge("inc", END)
        else:
            builder.add_node("inner", inner)
            builder.add_edge("inc", "inner")
            builder.add_edge("inner", END)
        inner = builder.compile()
    return _run(inner, size)


def _halve(state: Number) -> Number:
    return {"x": work.halve(state["x"])}


def _triple(state: Number) -> Number:
    return {"x": work.triple(state["x"])}


def _parity(state: Number) -> str:
    return "even" if state["x"] % 2 == 0 else "odd"


def branches(size: int) -> Run:
    """Conditional edges to two arms that meet again."""
    builder = StateGraph(Number)
    builder.add_edge(START, "inc_0")
    for i in range(size):
        after = f"inc_{i + 1}" if i + 1 < size else END
        builder.add_node(f"inc_{i}", _inc)
        builder.add_node(f"halve_{i}", _halve)
        builder.add_node(f"triple_{i}", _triple)
        arms = {"even": f"halve_{i}", "odd": f"triple_{i}"}
        builder.add_conditional_edges(f"inc_{i}", _parity, arms)
        builder.add_edge(f"halve_{i}", after)
        builder.add_edge(f"triple_{i}", after)
    return _run(builder.compile(), 2 * size)


def loop(size: int) -> Run:
    """A conditional edge back to its own node."""

    def again(state: Number) -> str:
        return END if state["x"] >= size else "advance"

    builder = StateGraph(Number)
    builder.add_node("advance", lambda state: {"x": work.advance(state["x"])})
    builder.add_edge(START, "advance")
    builder.add_conditional_edges("advance", again, ["advance", END])
    app = builder.compile()
    config = {"recursion_limit": size + SPARE_STEPS}

    async def run() -> int:
        result = await app.ainvoke({"x": 0}, config)
        return result["x"]

    return run


def concurrent(size: int) -> Run:
    """Runs of one compiled chain of 10."""
    one = chain(10)

    async def run() -> int:
        return sum(await asyncio.gather(*(one() for _ in range(size))))

    return run
