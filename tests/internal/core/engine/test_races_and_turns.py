"""Races and context order inside of streams: what they keep, and what they let through."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Iterator

import pytest

from operonx.core import (
    END,
    PARENT,
    GraphOp,
    MemoryState,
    Operon,
    batch,
    collect,
    each,
    graph,
    if_,
    op,
    or_else,
    race,
)

pytestmark = pytest.mark.anyio

ITEMS = 3000
WINDOW = 256


@op
async def same(x: int) -> int:
    return x


@op
async def fails(x: int) -> int:
    raise ValueError(f"no {x}")


@op
def drop(x: int) -> None:
    """Have no ports, so that nobody keeps anything."""


def _instances() -> int:
    gc.collect()
    return sum(isinstance(one, MemoryState) for one in gc.get_objects())


def _counting(counts: list[int]) -> Iterator[int]:
    for i in range(ITEMS):
        if i % 1000 == 999:
            counts.append(_instances())
        yield i


@pytest.mark.timeout(120)
@pytest.mark.parametrize("other", [same, fails])
async def test_a_race_in_a_stream_keeps_nothing_of_items_that_are_over(other: object) -> None:
    counts: list[int] = []

    @op(run_in="inline")
    def numbers() -> Iterator[int]:
        yield from _counting(counts)

    with GraphOp(name="g") as g:
        n = numbers()
        a = same.with_(name="a")(x=n)
        b = (same if other is same else fails).with_(name="b")(x=n)
        drop(x=race(a, b))
    await Operon(g).run()
    assert 3 == len(counts)
    assert max(counts) <= 2 * WINDOW


@pytest.mark.timeout(120)
async def test_a_cap_in_inner_streams_keeps_nothing_of_those_that_are_over() -> None:
    counts: list[int] = []

    @op(run_in="inline")
    def numbers() -> Iterator[int]:
        yield from _counting(counts)

    @op(run_in="inline")
    def pair(x: int) -> Iterator[int]:
        yield x
        yield x + 1

    with GraphOp(name="g") as g:
        drop.with_(concurrency=1)(x=pair(x=numbers()))
    await Operon(g).run()
    assert max(counts) <= 4 * WINDOW


async def test_an_arm_of_a_race_with_on_error_skip_skips() -> None:
    optional = fails.with_(on_error="skip")

    @graph
    def none_left() -> dict[str, int]:
        a, b = optional(x=1), fails.with_(name="b", on_error="skip")(x=2)
        return {"r": or_else(same(x=race(a, b)), -1), "other": same(x=3)}

    result = await Operon(none_left).run()
    assert {"r": -1, "other": 3} == dict(result)
    assert ["none_left.b", "none_left.fails"] == sorted(error.op for error in result.errors)


@pytest.mark.parametrize("cap", [None, 1])
async def test_batches_of_a_skipped_inner_stream_hold_nobody_up(cap: int | None) -> None:
    @op
    async def inner(x: int) -> AsyncIterator[int]:
        yield x
        yield x

    @op
    async def size(xs: list[int]) -> int:
        return len(xs)

    with GraphOp(name="g") as g:
        item = each([0, 1, 2])["item"]
        numbers = inner(x=item)
        if_(item != 1, numbers)
        sizes = size.with_(concurrency=cap)(xs=batch(numbers, 2))
        collect(collect(sizes)) >> PARENT["r"]
        sizes >> END
    engine = Operon(g)
    assert [[2], [2]] == (await engine.run())["r"]
    async with engine.stream(order="index") as run:
        frames = [frame.ctx[0][1] async for frame in run if frame.op_name == "g.sizes"]
    assert [0, 2] == frames


async def test_an_item_that_loses_a_race_leaves_the_graph_that_streams_it_to_the_others() -> None:
    @op
    async def other() -> int:
        return -1

    with GraphOp(name="g") as g:
        with GraphOp(name="sub", xs=PARENT["xs"]) as sub:
            same(x=each(PARENT["xs"])["item"]) >> PARENT["out"]
        race(sub["out"], other()) >> PARENT["out"]
    assert [-1] * 9 == (await Operon(g).run({"xs": list(range(9))}))["out"]
