"""Actions one after the other, machines within actions, transitions with conditions, cycles.

The graph is built once; each run is an application of its own on it, as an application holds the
state of one run.
"""

import asyncio
import itertools
from typing import Any

from burr.core import ApplicationBuilder, Condition, GraphBuilder, State, action, default, expr

from benchmarks import work
from benchmarks.contender import Run


@action(reads=["x"], writes=["x"])
def inc(state: State) -> State:
    """Add one."""
    return state.update(x=work.inc(state["x"]))


@action(reads=["x"], writes=["x"])
def halve(state: State) -> State:
    """Halve."""
    return state.update(x=work.halve(state["x"]))


@action(reads=["x"], writes=["x"])
def triple(state: State) -> State:
    """Three times, plus one."""
    return state.update(x=work.triple(state["x"]))


@action(reads=[], writes=[])
def end(state: State) -> State:
    """Give a run a place to halt."""
    return state


async def finish(graph: Any, entrypoint: str, last: str, **start: Any) -> State:
    """Run an application on a graph up to and with its last action."""
    app = (
        ApplicationBuilder()
        .with_graph(graph)
        .with_state(**start)
        .with_entrypoint(entrypoint)
        .build()
    )
    _, _, state = await app.arun(halt_after=[last])
    return state


def _chain_graph(size: int) -> Any:  # a graph
    names = [f"inc_{i}" for i in range(size)]
    return (
        GraphBuilder()
        .with_actions(**dict.fromkeys(names, inc))
        .with_transitions(*itertools.pairwise(names))
        .build()
    )


def chain(size: int) -> Run:
    """An action after an action."""
    graph = _chain_graph(size)

    async def run() -> int:
        return (await finish(graph, "inc_0", f"inc_{size - 1}", x=work.SEED))["x"]

    return run


def nested(size: int) -> Run:
    """An action that runs the next machine."""
    graph = None
    for _ in range(size):
        graph = _level(graph)

    async def run() -> int:
        return (await finish(graph, "inc", "end", x=work.SEED))["x"]

    return run


def _level(inner: Any) -> Any:  # a graph, or none below
    builder = GraphBuilder().with_actions(inc=inc, end=end)
    if inner is None:
        return builder.with_transitions(("inc", "end")).build()

    @action(reads=["x"], writes=["x"])
    async def descend(state: State) -> State:
        return state.update(x=(await finish(inner, "inc", "end", x=state["x"]))["x"])

    builder = builder.with_actions(descend=descend)
    return builder.with_transitions(("inc", "descend"), ("descend", "end")).build()


def branches(size: int) -> Run:
    """Transitions with a condition to two arms that meet again."""
    builder = GraphBuilder().with_actions(end=end)
    for i in range(size):
        stage, even, odd = f"inc_{i}", f"halve_{i}", f"triple_{i}"
        after = f"inc_{i + 1}" if i + 1 < size else "end"
        builder = builder.with_actions(**{stage: inc, even: halve, odd: triple})
        builder = builder.with_transitions(
            (stage, even, expr("x % 2 == 0")), (stage, odd, default), ([even, odd], after)
        )
    graph = builder.build()

    async def run() -> int:
        return (await finish(graph, "inc_0", "end", x=work.SEED))["x"]

    return run


@action(reads=["count"], writes=["count"])
def advance(state: State) -> State:
    """Count the iterations."""
    return state.update(count=work.advance(state["count"]))


def loop(size: int) -> Run:
    """A transition back to its own action."""
    graph = (
        GraphBuilder()
        .with_actions(advance=advance, end=end)
        .with_transitions(
            ("advance", "advance", expr(f"count < {size}")), ("advance", "end", default)
        )
        .build()
    )

    async def run() -> int:
        return (await finish(graph, "advance", "end", count=0))["count"]

    return run


def concurrent(size: int) -> Run:
    """Applications on one graph of 10."""
    one = chain(10)

    async def run() -> int:
        return sum(await asyncio.gather(*(one() for _ in range(size))))

    return run


@action(reads=["item"], writes=["item", "value"])
def source(state: State) -> State:
    """Take the next item."""
    return state.update(value=state["item"], item=state["item"] + 1)


@action(reads=["value"], writes=["value"])
def add(state: State) -> State:
    """Add one to the item in work."""
    return state.update(value=work.inc(state["value"]))


def _streaming(size: int, second: Any) -> Any:  # an action; a graph
    more = Condition.expr(f"item < {size}")
    return (
        GraphBuilder()
        .with_actions(source=source, first=add, second=second, end=end)
        .with_transitions(
            ("source", "first"),
            ("first", "second"),
            ("second", "source", more),
            ("second", "end", default),
        )
        .build()
    )


def stream(size: int) -> Run:
    """A cycle whose items are taken as `aiterate` gives them."""
    graph = _streaming(size, add)
    tally = work.Tally()

    async def run() -> list[int]:
        app = (
            ApplicationBuilder()
            .with_graph(graph)
            .with_state(item=0)
            .with_entrypoint("source")
            .build()
        )
        async for done, _, state in app.aiterate(halt_after=["end"]):
            if done.name == "second":
                tally.add(state["value"])
        return tally.take()

    return run


def drain(size: int) -> Run:
    """A cycle whose last action takes the items in."""
    tally = work.Tally()

    @action(reads=["value"], writes=[])
    def swallow(state: State) -> State:
        tally.add(work.inc(state["value"]))
        return state

    graph = _streaming(size, swallow)

    async def run() -> list[int]:
        await finish(graph, "source", "end", item=0)
        return tally.take()

    return run
