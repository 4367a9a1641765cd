"""Streams read in threads of the op's own making: a read ends with the firing it is for."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from typing import Any

import anyio
import anyio.to_thread
import pytest

from operonx.core import END, PARENT, GraphOp, Operon, OpError, Stream, collect, op, stream

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]


@op
async def numbers() -> AsyncIterator[int]:
    yield 1
    await anyio.sleep_forever()


class Reading:
    """Reads a stream to its end in a thread of anyio's, and says when it has begun."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.ended = threading.Event()

    async def total(self, xs: Stream[int]) -> int:
        """The function of an op."""
        return await anyio.to_thread.run_sync(self.read, xs)

    def read(self, xs: Stream[int]) -> int:
        """Read all items."""
        try:
            total = 0
            for x in xs:
                total += x
                self.begun.set()
            return total
        finally:
            self.ended.set()

    async def wait(self) -> None:
        """Wait until it has read an item."""
        await anyio.to_thread.run_sync(self.begun.wait)


async def test_such_a_read_ends_when_the_run_is_cancelled() -> None:
    reading = Reading()
    with GraphOp(name="g") as g:
        op(reading.total)(xs=stream(numbers())) >> END
    async with anyio.create_task_group() as group:
        group.start_soon(Operon(g).run)
        await reading.wait()
        group.cancel_scope.cancel()
    assert reading.ended.is_set()


async def test_such_a_read_ends_when_another_op_fails() -> None:
    reading = Reading()

    @op
    async def fails() -> int:
        await reading.wait()
        raise ValueError("no")

    with GraphOp(name="g") as g:
        op(reading.total)(xs=stream(numbers())) >> END
        fails() >> PARENT["other"]
    with pytest.raises(OpError, match="fails"):
        await Operon(g).run()
    assert reading.ended.is_set()


async def test_such_a_read_ends_when_its_op_times_out() -> None:
    reading = Reading()
    with GraphOp(name="g") as g:
        op(timeout=0.05)(reading.total)(xs=stream(numbers())) >> END
    with pytest.raises(OpError, match="no result within") as caught:
        await Operon(g).run()
    assert isinstance(caught.value.__cause__, TimeoutError)
    assert reading.ended.is_set()


async def test_such_a_read_ends_when_its_graph_has_failed() -> None:
    reading = Reading()

    @op
    async def fails() -> int:
        await reading.wait()
        raise ValueError("no")

    with GraphOp(name="outer") as outer:
        xs = numbers()
        with GraphOp(name="inner", on_error="skip", xs=stream(xs)) as inner:
            op(reading.total)(xs=PARENT["xs"]) >> END
            fails() >> PARENT["other"]
        inner >> END
    handle = Operon(outer).start()
    await anyio.to_thread.run_sync(reading.ended.wait)
    handle.stop()  # the source goes on: it is outside of the graph that failed
    result = await handle.result()
    assert ["fails"] == [error.op.rsplit(".", 1)[-1] for error in result.errors]


async def test_a_generator_that_reads_so_times_out() -> None:
    reading = Reading()

    @op(timeout=0.05)
    async def totals(xs: Stream[int]) -> AsyncIterator[int]:
        yield await reading.total(xs)

    with GraphOp(name="g") as g:
        collect(totals(xs=stream(numbers()))) >> PARENT["got"]
    with pytest.raises(OpError, match="no yield within"):
        await Operon(g).run()
    assert reading.ended.is_set()


async def test_a_generator_that_reads_so_ends_with_the_source_that_was_stopped() -> None:
    reading = Reading()

    @op
    async def unending() -> AsyncIterator[int]:
        yield 1
        await anyio.sleep_forever()

    @op
    async def totals(xs: Stream[int]) -> AsyncIterator[int]:
        yield 0
        yield await reading.total(xs)

    with GraphOp(name="g") as g:
        collect(totals(xs=stream(unending()))) >> PARENT["got"]
    handle = Operon(g).start()
    await reading.wait()
    handle.stop()
    result = await handle.result()
    assert {"got": [0, 1]} == dict(result)
    assert reading.ended.is_set()
    assert [] == result.errors


@pytest.mark.parametrize("in_thread", [False, True])
async def test_a_read_in_a_shield_ends_with_the_run_that_brings_its_items(in_thread: bool) -> None:
    reading = Reading()
    waits = anyio.Event()

    @op
    async def shielded(xs: Stream[int]) -> int:
        with anyio.CancelScope(shield=True):
            if in_thread:
                return await reading.total(xs)
            async for _ in xs:
                waits.set()
        return 1

    with GraphOp(name="g") as g:
        shielded(xs=stream(numbers())) >> END
    async with anyio.create_task_group() as group:
        group.start_soon(Operon(g).run)
        await (reading.wait() if in_thread else waits.wait())
        group.cancel_scope.cancel()


async def test_a_thread_that_nobody_can_wait_for_reads_on_as_it_did() -> None:
    found: list[Any] = []

    @op
    async def total(xs: Stream[int]) -> int:
        over = threading.Event()

        def read() -> None:
            found.extend(xs)
            over.set()

        threading.Thread(target=read).start()
        while not over.is_set():  # noqa: ASYNC110 - another thread sets it
            await anyio.sleep(0.001)
        return sum(found)

    @op
    async def slow() -> AsyncIterator[int]:
        for i in range(3):
            await anyio.sleep(0.15)  # longer than it takes a reader to look
            yield i

    with GraphOp(name="g") as g:
        total(xs=stream(slow())) >> PARENT["total"]
    assert {"total": 3} == dict(await Operon(g).run())
