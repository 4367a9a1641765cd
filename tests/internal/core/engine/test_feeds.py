"""Streams that an op is handed: who may read them, when, and what a bad item does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import cast

import anyio
import anyio.lowlevel
import pytest

from operonx.core import PARENT, GraphOp, Operon, OpError, Stream, op, stream

pytestmark = pytest.mark.anyio


@op
async def numbers(n: int) -> AsyncIterator[int]:
    for i in range(n):
        await anyio.lowlevel.checkpoint()
        yield i


async def test_for_over_a_stream_on_the_event_loop_is_refused() -> None:
    @op
    async def count(xs: Stream[int]) -> int:
        return len(list(xs))

    with GraphOp(name="g") as g:
        count(xs=stream(numbers(n=3))) >> PARENT["r"]
    with pytest.raises(OpError, match="would stop the event loop") as caught:
        await Operon(g).run()
    assert "in an `async def` write `async for`" == caught.value.hint


async def test_several_tasks_of_one_op_may_share_a_stream() -> None:
    @op
    async def share(xs: Stream[int]) -> int:
        seen: list[int] = []

        async def read() -> None:
            async for x in xs:
                seen.append(x)  # noqa: PERF401 - two tasks fill one list

        async with anyio.create_task_group() as readers:
            readers.start_soon(read)
            readers.start_soon(read)
        return sum(sorted(seen))

    with GraphOp(name="g") as g:
        share(xs=stream(numbers(n=20))) >> PARENT["r"]
    assert 190 == (await Operon(g).run())["r"]


async def test_a_stream_is_not_read_after_its_firing() -> None:
    @op(returns="kept")
    async def keep(xs: Stream[int]) -> Stream[int]:
        return xs

    @op
    async def count(xs: object) -> int:
        return len([x async for x in cast("Stream[int]", xs)])

    with GraphOp(name="g") as g:
        kept = keep(xs=stream(numbers(n=3)))
        count(xs=kept) >> PARENT["r"]
    with pytest.raises(OpError, match="after the firing that it was handed to") as caught:
        await Operon(g).run()
    assert "g.count" == caught.value.op


async def test_an_item_whose_expression_raises_fails_the_op_that_reads_it() -> None:
    @op(fallback=-5)
    async def total(xs: Stream[float]) -> float:
        return sum([x async for x in xs])

    @op
    async def caught(xs: Stream[float]) -> list[float]:
        seen: list[float] = []
        try:
            async for x in xs:
                seen.append(x)  # noqa: PERF401 - what came before the error counts
        except ZeroDivisionError:
            seen.append(-1)
        return seen

    @op
    def goes_on(xs: Stream[float]) -> Iterator[float]:
        try:
            yield from xs
        except ZeroDivisionError:
            yield -1

    for reader in (total, caught, goes_on):
        with GraphOp(name="g") as g:
            read = reader.with_(name="read")(xs=stream(10 / (numbers(n=4) - 2)))
            read >> PARENT["r"]
        with pytest.raises(OpError, match="ZeroDivisionError") as raised:
            await Operon(g).run()
        assert "g.read" == raised.value.op
