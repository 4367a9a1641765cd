"""Ops that return dicts, wired with `>>`."""

import asyncio
import inspect
from typing import Any

from benchmarks import work
from benchmarks.contender import Run
from operonx import END, PARENT, START, BranchOp, GraphOp, Operon, graph, op


@op
def inc(x: int) -> dict:
    """Add one."""
    return {"result": work.inc(x)}


@op
def halve(x: int) -> dict:
    """Halve."""
    return {"result": work.halve(x)}


@op
def triple(x: int) -> dict:
    """Three times, plus one."""
    return {"result": work.triple(x)}


def _run(built: Any, **inputs: Any) -> Run:  # a graph, its inputs
    engine = Operon(built, errors="raise")

    async def run() -> int:
        return (await engine.run(inputs=inputs))["y"]

    return run


def chain(size: int) -> Run:
    """An op after an op."""
    with GraphOp(name="chain") as built:
        last = inc(name="inc_0", x=PARENT["x"])
        START >> last
        for i in range(1, size):
            following = inc(name=f"inc_{i}", x=last["result"])
            last >> following
            last = following
        last["result"] >> PARENT["y"]
        last >> END
    return _run(built, x=work.SEED)


def nested(size: int) -> Run:
    """A graph as an op of the next."""
    factory = None
    for i in range(size):
        factory = _level(factory, i)
    return _run(factory(x=PARENT["x"]), x=work.SEED)


def _level(inner: Any, number: int) -> Any:  # a factory, or none below
    def level(x):  # as its examples are
        first = inc(name="inc", x=x)
        START >> first
        if inner is None:
            first["result"] >> PARENT["y"]
            first >> END
            return
        below = inner(name=f"level_{number - 1}", x=first["result"])
        below["y"] >> PARENT["y"]
        first >> below >> END

    return graph(level)


def branches(size: int) -> Run:
    """A branch to two arms that meet again in an op with soft edges."""

    @op
    def merge(even: Any = None, odd: Any = None) -> dict:  # a number or nothing
        return {"result": odd if even is None else even}

    with GraphOp(name="branches") as built:
        value, last = PARENT["x"], START
        for i in range(size):
            stage = inc(name=f"inc_{i}", x=value)
            even = halve(name=f"halve_{i}", x=stage["result"])
            odd = triple(name=f"triple_{i}", x=stage["result"])
            router = BranchOp(
                name=f"parity_{i}",
                cases=[(stage["result"] % 2 == 0, f"halve_{i}")],
                default=f"triple_{i}",
            )
            met = merge(name=f"merge_{i}", even=even["result"], odd=odd["result"])
            last >> stage >> router
            router >> even >> ~met
            router >> odd >> ~met
            value, last = met["result"], met
        last["result"] >> PARENT["y"]
        last >> END
    return _run(built, x=work.SEED)


def concurrent(size: int) -> Run:
    """Runs of one engine."""
    one = chain(10)

    async def run() -> int:
        return sum(await asyncio.gather(*(one() for _ in range(size))))

    return run


def _member(function: Any) -> Any:  # any `(x: int) -> int`, sync or async
    if inspect.iscoroutinefunction(function):

        @op
        async def member(x: int) -> dict:
            return {"result": await function(x)}
    else:

        @op
        def member(x: int) -> dict:
            return {"result": function(x)}

    return member


def _fan(function: Any, size: int) -> Run:  # as above
    make = _member(function)
    names = [f"value_{i}" for i in range(size)]

    # Inputs are found by parameter name, so the join takes a parameter for each member.
    scope: dict[str, Any] = {"work": work}
    listed = ", ".join(names)
    code = f"def joined({listed}):\n    return {{'result': work.total([{listed}])}}"
    exec(code, scope)  # noqa: S102  # writes out what a user would
    with GraphOp(name="fan") as built:
        members = [make(name=f"member_{i}", x=PARENT["x"]) for i in range(size)]
        values = {name: member["result"] for name, member in zip(names, members, strict=True)}
        join = op(scope["joined"])(name="total", **values)
        START >> members >> join >> END
        join["result"] >> PARENT["y"]
    return _run(built, x=work.SEED)


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
    """Plain functions that block."""
    return _fan(work.wait_def, size)


blocking = wait_def


@op
def source(n: int):  # as its examples are
    """Yield items."""
    for item in work.source(n):
        yield {"item": item}


def stream(size: int) -> Run:
    """Take each frame of the graph's output as it comes."""
    with GraphOp(name="streaming") as built:
        items = source(n=PARENT["n"])
        first = inc(name="first", x=items["item"])
        second = inc(name="second", x=first["result"])
        second["result"] >> PARENT["y"]
        START >> items >> first >> second >> END
    engine = Operon(built, errors="raise")
    tally = work.Tally()

    async def run() -> list[int]:
        async for _, _, data in engine.stream({"n": size}, mode="frames"):
            tally.add(data["y"])
        return tally.take()

    return run


def drain(size: int) -> Run:
    """Let the last op take the items in."""
    tally = work.Tally()

    @op
    def swallow(x: int) -> dict:
        tally.add(work.inc(x))
        return {}

    with GraphOp(name="draining") as built:
        items = source(n=PARENT["n"])
        first = inc(name="first", x=items["item"])
        last = swallow(name="last", x=first["result"])
        START >> items >> first >> last >> END
    engine = Operon(built, errors="raise")

    async def run() -> list[int]:
        await engine.run(inputs={"n": size})
        return tally.take()

    return run
