"""The ends of streams that come early: closed generators, stopped runs, and what reads on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import pytest

from operonx.core import Operon, Stream, collect, graph, op, stream

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.timeout(60),
    pytest.mark.filterwarnings("ignore::operonx.core.BlockingOpWarning"),  # CI is slow, not stuck
]


# -- several streams of one source, read by one op


@op
def numbers(n: int) -> Iterator[int]:
    yield from range(n)


@op
def others(n: int) -> Iterator[int]:
    yield from range(n)


@op
async def negated(x: int) -> int:
    return -x


@op
async def one_by_one(xs: Stream[int], ys: Stream[int]) -> int:
    return sum([x async for x in xs]) + len([y async for y in ys])


@op
async def other_way_round(xs: Stream[int], ys: Stream[int]) -> int:
    return len([y async for y in ys]) + sum([x async for x in xs])


@op
def in_a_thread(xs: Stream[int], ys: Stream[int]) -> int:
    return sum(list(xs)) + len(list(ys))


@pytest.mark.parametrize("reader", [one_by_one, other_way_round, in_a_thread])
async def test_an_op_that_reads_two_streams_of_one_source_in_turn_does_not_hang(
    reader: Any,
) -> None:
    @graph
    def compare(n: int) -> Any:
        x = numbers(n=n)
        return reader(xs=stream(x), ys=stream(negated(x=x)))

    with anyio.fail_after(5):
        result = await Operon(compare, max_open=8).run({"n": 30})
    assert result["result"] == sum(range(30)) + 30


async def test_a_generator_that_reads_two_streams_of_one_source_in_turn_does_not_hang() -> None:
    @op
    async def both(xs: Stream[int], ys: Stream[int]) -> AsyncIterator[int]:
        async for x in xs:
            yield x
        async for y in ys:
            yield y

    @graph
    def compare(n: int) -> Any:
        x = numbers(n=n)
        return collect(both(xs=stream(x), ys=stream(x)))

    with anyio.fail_after(5):
        result = await Operon(compare, max_open=8).run({"n": 30})
    assert result["result"] == [*range(30), *range(30)]


async def test_two_readers_of_two_sources_each_its_own_way_round_do_not_hang() -> None:
    @graph
    def crossed(n: int) -> Any:
        x, y = numbers(n=n), others(n=n)
        return {
            "a": one_by_one(xs=stream(x), ys=stream(y)),
            "b": other_way_round(xs=stream(x), ys=stream(y)),
        }

    with anyio.fail_after(5):
        result = await Operon(crossed, max_open=8).run({"n": 30})
    assert result["a"] == result["b"] == sum(range(30)) + 30


async def test_the_window_of_a_source_that_an_op_reads_last_stays() -> None:
    most = 0

    @op(run_in="inline")
    def last(n: int) -> Iterator[int]:
        nonlocal most
        for i in range(n):
            most = i + 1
            yield i

    @op
    async def looking(xs: Stream[int], ys: Stream[int]) -> int:
        total = sum([x async for x in xs])
        assert most <= 9  # the window, and the one that waits for its place in it
        return total + len([y async for y in ys])

    @graph
    def two_sources(n: int) -> Any:
        return looking(xs=stream(numbers(n=n)), ys=stream(last(n=n)))

    with anyio.fail_after(5):
        result = await Operon(two_sources, max_open=8).run({"n": 100})
    assert result["result"] == sum(range(100)) + 100
