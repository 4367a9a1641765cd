"""Items one by one, in a cycle: the graph's state holds the item in work.

A node cannot yield into the graph, and `Send` starts all items in one superstep and keeps them;
a cycle is how items pass one at a time and are streamed out as they come.
"""

from typing import Any, TypedDict

from langgraph.graph import END, START, StateGraph

from benchmarks import work
from benchmarks.contender import Run

#: Supersteps of one item, and those before and after.
STEPS_PER_ITEM = 3
SPARE_STEPS = 10


class Item(TypedDict):
    """The state: which item is next, and its value on the way."""

    item: int
    value: int


def _compiled(size: int, second: Any) -> Any:  # a node; a compiled graph
    builder = StateGraph(Item)
    builder.add_node("source", lambda state: {"value": state["item"], "item": state["item"] + 1})
    builder.add_node("first", lambda state: {"value": work.inc(state["value"])})
    builder.add_node("second", second)
    builder.add_edge(START, "source")
    builder.add_edge("source", "first")
    builder.add_edge("first", "second")
    builder.add_conditional_edges(
        "second", lambda state: END if state["item"] >= size else "source", ["source", END]
    )
    return builder.compile()


def _config(size: int) -> dict[str, int]:
    return {"recursion_limit": STEPS_PER_ITEM * size + SPARE_STEPS}


def stream(size: int) -> Run:
    """Take each update of the last node as it comes."""
    app = _compiled(size, lambda state: {"value": work.inc(state["value"])})
    tally = work.Tally()

    async def run() -> list[int]:
        start = {"item": 0, "value": 0}
        async for update in app.astream(start, _config(size), stream_mode="updates"):
            if "second" in update:
                tally.add(update["second"]["value"])
        return tally.take()

    return run


def drain(size: int) -> Run:
    """Let the last node take the items in."""
    tally = work.Tally()

    def swallow(state: Item) -> dict[str, int]:
        tally.add(work.inc(state["value"]))
        return {}

    app = _compiled(size, swallow)

    async def run() -> list[int]:
        await app.ainvoke({"item": 0, "value": 0}, _config(size))
        return tally.take()

    return run
