"""Nodes beside each other in one superstep, reduced into a list."""

import inspect
import operator
from typing import Annotated, Any, TypedDict

from langgraph.graph import END, START, StateGraph

from benchmarks import work
from benchmarks.contender import Run


class Fan(TypedDict):
    """The state: the input, what the members gave, their sum."""

    x: int
    values: Annotated[list[int], operator.add]
    y: int


def _member(function: Any) -> Any:  # any `(x: int) -> int`, sync or async
    if inspect.iscoroutinefunction(function):

        async def member(state: Fan) -> dict[str, Any]:
            return {"values": [await function(state["x"])]}
    else:

        def member(state: Fan) -> dict[str, Any]:
            return {"values": [function(state["x"])]}

    return member


def _total(state: Fan) -> dict[str, Any]:
    return {"y": work.total(state["values"])}


def _fan(function: Any, size: int) -> Run:  # as above
    builder = StateGraph(Fan)
    names = [f"member_{i}" for i in range(size)]
    for name in names:
        builder.add_node(name, _member(function))
        builder.add_edge(START, name)
    builder.add_node("total", _total)
    builder.add_edge(names, "total")
    builder.add_edge("total", END)
    app = builder.compile()

    async def run() -> int:
        result = await app.ainvoke({"x": work.SEED, "values": []})
        return result["y"]

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
    """Plain functions that block their thread."""
    return _fan(work.wait_def, size)


blocking = wait_def
