"""Size: twice the graph is planned in about twice the steps."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from operonx.core import PARENT, GraphOp, Operon, each, first_of, if_, op, zip_streams
from operonx.core.plan.lowering import compile_plan


@op(returns="result")
def plus(x: int) -> Any:
    return x + 1


@op(returns="result")
def listed(xs: list[object]) -> Any:
    return xs


def chain(n: int) -> None:
    last: Any = PARENT["x"]
    for i in range(n):
        last = plus.with_(name=f"p{i}")(x=last)
    last["result"] >> PARENT["out"]


def lists_in_a_row(n: int) -> None:
    xs: Any = [PARENT["x"], 2]
    for i in range(n):
        item = each.with_(name=f"e{i}")(xs)
        xs = plus.with_(name=f"p{i}")(x=item["item"])["result"].collect()
    xs >> PARENT["out"]


def lists_that_read_from_outside(n: int) -> None:
    values = [plus.with_(name=f"v{i}")(x=PARENT["x"]) for i in range(n)]
    xs: Any = [PARENT["x"], 2]
    for i in range(n):
        item = each.with_(name=f"e{i}")(xs)
        read = item["item"] + values[0]["result"] + values[i]["result"]
        xs = plus.with_(name=f"p{i}")(x=read)["result"].collect()
    xs >> PARENT["out"]


def pairs_in_a_row(n: int) -> None:
    xs: Any = [PARENT["x"], 2]
    for i in range(n):
        one, other = (each.with_(name=f"{side}{i}")(xs) for side in "ab")
        pair = zip_streams(a=one["item"], b=other["item"])
        xs = plus.with_(name=f"p{i}")(x=pair["a"])["result"].collect()
    xs >> PARENT["out"]


def streams_ordered_by_edges(n: int) -> None:
    last: Any = None
    for i in range(n):
        item = each.with_(name=f"e{i}")([PARENT["x"]])
        if last is not None:
            last >> item
        last = plus.with_(name=f"p{i}")(x=item["item"])
    last["result"] >> PARENT["out"]


def a_fan_of_streams(n: int) -> None:
    lists: list[Any] = []
    for i in range(n):
        item = each.with_(name=f"e{i}")([PARENT["x"]])
        lists.append(plus.with_(name=f"p{i}")(x=item["item"])["result"].collect().len())
    listed(xs=lists)["result"] >> PARENT["out"]


def lists_of_one_stream(n: int) -> None:
    item = each([PARENT["x"]])
    ops = [plus.with_(name=f"p{i}")(x=item["item"]) for i in range(n)]
    listed(xs=[one["result"].collect().len() for one in ops])["result"] >> PARENT["out"]


def arms_in_arms(n: int) -> None:
    last: Any = plus.with_(name="p")(x=PARENT["x"])
    for i in range(n):
        yes, no = (plus.with_(name=f"{arm}{i}")(x=PARENT["x"]) for arm in "yn")
        if_(last["result"] > i, yes).else_(no)
        no["result"] >> PARENT[f"no{i}"]
        last = yes
    last["result"] >> PARENT["out"]


def arms_joined(n: int) -> None:
    last: Any = PARENT["x"]
    for i in range(n):
        yes, no = (plus.with_(name=f"{arm}{i}")(x=last) for arm in "yn")
        if_(PARENT["x"] > i, yes).else_(no)
        last = first_of(yes["result"], no["result"])
    last >> PARENT["out"]


WIDE: list[Callable[[int], object]] = [
    chain,
    lists_in_a_row,
    lists_that_read_from_outside,
    pairs_in_a_row,
    streams_ordered_by_edges,
    a_fan_of_streams,
    lists_of_one_stream,
    arms_in_arms,
    arms_joined,
]


def streams_in_graphs_that_may_be_skipped(n: int, x: Any = PARENT["x"]) -> Any:
    with GraphOp(name=f"g{n}", inputs=["x"], x=x, on_error="skip") as inner:
        item = each([PARENT["x"]])["item"]
        last = streams_in_graphs_that_may_be_skipped(n - 1, item) if n else plus(x=item)["result"]
        last >> PARENT["last"]
    if inner.graph.graph is None:
        inner["last"] >> PARENT["out"]
    return inner["last"]


def loops(n: int) -> None:
    with GraphOp.loop(until=PARENT["count"] >= 1, name=f"l{n}", count=0, x=PARENT["x"]) as loop:
        plus.with_(name="tick")(x=PARENT["count"])["result"] >> PARENT["count"]
        if n:
            loops(n - 1)
        else:
            plus(x=PARENT["x"])["result"] >> PARENT["out"]
    loop["out"] >> PARENT["out"]


DEEP: list[Callable[[int], object]] = [streams_in_graphs_that_may_be_skipped, loops]


def build(author: Callable[[int], object], n: int) -> GraphOp:
    with GraphOp(name="g") as graph:
        author(n)
    return graph


def steps(author: Callable[[int], object], n: int) -> int:
    """Count the lines that run while a graph becomes a plan."""
    graph = build(author, n)
    count = 0

    def trace(_frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        compile_plan(graph)
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("author", WIDE)
def test_twice_as_wide_takes_twice_the_steps(author: Callable[[int], object]) -> None:
    assert steps(author, 200) < 2.2 * steps(author, 100)


@pytest.mark.parametrize("author", DEEP)
def test_twice_as_deep_takes_twice_the_steps(author: Callable[[int], object]) -> None:
    assert steps(author, 40) < 2.2 * steps(author, 20)


@pytest.mark.anyio
@pytest.mark.parametrize("author", [*WIDE, *DEEP])
async def test_the_plan_runs(author: Callable[[int], object]) -> None:
    assert "out" in await Operon(build(author, 5)).run({"x": 100})
