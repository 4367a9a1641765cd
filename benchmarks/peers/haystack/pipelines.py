"""Pipelines run with `run_async`, with its default of four components at once."""

import asyncio
from typing import Any

from haystack import Pipeline, SuperComponent
from haystack.components.joiners import BranchJoiner

from benchmarks import work
from benchmarks.contender import Run
from benchmarks.peers.haystack.components import (
    Halve,
    Inc,
    Join,
    Parity,
    Triple,
    Until,
    single,
)


def _run(pipeline: Any, data: dict[str, Any], last: str, socket: str = "out") -> Run:
    async def run() -> Any:  # what the last component gives
        return (await pipeline.run_async(data))[last][socket]

    return run


def chain(size: int) -> Run:
    """A component after a component."""
    pipeline = Pipeline()
    for i in range(size):
        pipeline.add_component(f"inc_{i}", Inc())
        if i:
            pipeline.connect(f"inc_{i - 1}.out", f"inc_{i}.x")
    return _run(pipeline, {"inc_0": {"x": work.SEED}}, f"inc_{size - 1}")


def nested(size: int) -> Run:
    """A pipeline as a component of the next."""
    inner = None
    for _ in range(size):
        pipeline = Pipeline()
        pipeline.add_component("inc", Inc())
        last = "inc"
        if inner is not None:
            pipeline.add_component("inner", inner)
            pipeline.connect("inc.out", "inner.x")
            last = "inner"
        inner = SuperComponent(
            pipeline=pipeline,
            input_mapping={"x": ["inc.x"]},
            output_mapping={f"{last}.out": "out"},
        )
    return _run(pipeline, {"inc": {"x": work.SEED}}, last)


def branches(size: int) -> Run:
    """A router to two arms that meet again in a joiner."""
    pipeline = Pipeline()
    for i in range(size):
        for name, part in [
            ("inc", Inc()),
            ("parity", Parity()),
            ("halve", Halve()),
            ("triple", Triple()),
            ("meet", BranchJoiner(int)),
        ]:
            pipeline.add_component(f"{name}_{i}", part)
        pipeline.connect(f"inc_{i}.out", f"parity_{i}.x")
        pipeline.connect(f"parity_{i}.even", f"halve_{i}.x")
        pipeline.connect(f"parity_{i}.odd", f"triple_{i}.x")
        pipeline.connect(f"halve_{i}.out", f"meet_{i}.value")
        pipeline.connect(f"triple_{i}.out", f"meet_{i}.value")
        if i:
            pipeline.connect(f"meet_{i - 1}.value", f"inc_{i}.x")
    return _run(pipeline, {"inc_0": {"x": work.SEED}}, f"meet_{size - 1}", "value")


def loop(size: int) -> Run:
    """A connection back to the joiner before."""
    pipeline = Pipeline(max_runs_per_component=size + 1)
    pipeline.add_component("enter", BranchJoiner(int))
    pipeline.add_component("until", Until(size))
    pipeline.connect("enter.value", "until.count")
    pipeline.connect("until.again", "enter.value")
    return _run(pipeline, {"enter": {"value": 0}}, "until", "done")


def concurrent(size: int) -> Run:
    """Runs of one pipeline of 10."""
    one = chain(10)

    async def run() -> int:
        return sum(await asyncio.gather(*(one() for _ in range(size))))

    return run


def _fan(function: Any, size: int) -> Run:  # any `(x: int) -> int`
    member = single(function)
    pipeline = Pipeline()
    pipeline.add_component("join", Join())
    for i in range(size):
        pipeline.add_component(f"member_{i}", member())
        pipeline.connect(f"member_{i}.out", "join.values")
    data = {f"member_{i}": {"x": work.SEED} for i in range(size)}
    return _run(pipeline, data, "join")


def fan_def(size: int) -> Run:
    """Plain functions."""
    return _fan(work.inc, size)


def fan_async(size: int) -> Run:
    """Coroutines."""
    return _fan(work.inc_async, size)


def wait_async(size: int) -> Run:
    """Coroutines that wait, four at a time: the default."""
    return _fan(work.wait_async, size)


def wait_def(size: int) -> Run:
    """Plain functions that block, four at a time: the default."""
    return _fan(work.wait_def, size)


blocking = wait_def
