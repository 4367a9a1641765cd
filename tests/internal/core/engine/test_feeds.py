"""Streams that an op is handed: who may read them, when, and what a bad item does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, cast

import anyio
import anyio.lowlevel
import pytest

from operonx.core import PARENT, GraphOp, Operon, OpError, Retry, Stream, op, stream
from operonx.core.engine.threads import current_waker
from operonx.core.ops.context import CancelledRunError

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


# -- further attempts


tries: list[str] = []
"""What was attempted, in order."""


@pytest.fixture(autouse=True)
def nothing_tried() -> None:
    tries.clear()


@op
async def after_one(xs: Stream[int]) -> int:
    tries.append("first")
    async for _ in xs:
        raise ConnectionError("after an item")
    raise ConnectionError("after the end")


@op
def after_one_threaded(xs: Stream[int]) -> int:
    tries.append("first")
    next(iter(xs), None)
    raise ConnectionError("after an item")


@op
async def after_one_yielding(xs: Stream[int]) -> AsyncIterator[int]:
    tries.append("first")
    async for x in xs:
        if x:
            yield x
        raise ConnectionError("after an item")
    raise ConnectionError("after the end")


@op
def after_one_yielding_threaded(xs: Stream[int]) -> Iterator[int]:
    tries.append("first")
    for x in xs:
        if x:
            yield x
        raise ConnectionError("after an item")
    raise ConnectionError("after the end")


@op
async def total_anyway(xs: Stream[int]) -> int:
    tries.append("fallback")
    return sum([x async for x in xs])


@op
async def each_anyway(xs: Stream[int]) -> AsyncIterator[int]:
    tries.append("fallback")
    async for x in xs:
        yield x


@op
async def nothing() -> AsyncIterator[int]:
    tries.append("fallback")
    for x in (7,):
        yield x


@op
def seven() -> int:
    tries.append("fallback")
    return 7


def reads(reader: Any, n: int = 3, **policies: Any) -> GraphOp:
    with GraphOp(name="g") as g:
        reader.with_(name="read", **policies)(xs=stream(numbers(n=n))) >> PARENT["r"]
    return g


READERS = [after_one, after_one_threaded, after_one_yielding, after_one_yielding_threaded]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("n", [3, 0], ids=["an item", "the end"])
async def test_an_attempt_that_has_read_a_stream_is_not_retried(reader: Any, n: int) -> None:
    with pytest.raises(OpError, match="ConnectionError") as caught:
        await Operon(reads(reader, n, retry=Retry(3, backoff=0))).run()
    assert ["first"] == tries
    assert isinstance(caught.value.__cause__, ConnectionError)
    assert "a stream is read once" in str(caught.value.hint)
    assert ".collect()" in str(caught.value.hint)


@pytest.mark.parametrize("reader", READERS)
async def test_a_fallback_that_takes_a_stream_is_not_called_for_the_rest_of_it(reader: Any) -> None:
    generates = reader in READERS[2:]
    with pytest.raises(OpError, match="ConnectionError") as caught:
        await Operon(reads(reader, fallback=each_anyway if generates else total_anyway)).run()
    assert ["first"] == tries
    assert "a stream is read once" in str(caught.value.hint)


@pytest.mark.parametrize("reader", READERS)
async def test_a_fallback_that_takes_no_stream_stands_in_for_what_has_read_it(reader: Any) -> None:
    generates = reader in READERS[2:]
    fallback = nothing if generates else seven
    result = await Operon(reads(reader, retry=Retry(3, backoff=0), fallback=fallback)).run()
    assert ([7] if generates else 7) == result["r"]
    assert ["first", "fallback"] == tries


@pytest.mark.parametrize("reader", READERS[:2])
async def test_a_value_stands_in_for_what_has_read_a_stream(reader: Any) -> None:
    result = await Operon(reads(reader, retry=Retry(3, backoff=0), fallback=-1)).run()
    assert -1 == result["r"]
    assert ["first"] == tries


@op
async def at_second(xs: Stream[int]) -> list[int]:
    tries.append("attempt")
    if len(tries) == 1:
        raise ConnectionError("before any item")
    return [x async for x in xs]


@op
def at_second_threaded(xs: Stream[int]) -> list[int]:
    tries.append("attempt")
    if len(tries) == 1:
        raise ConnectionError("before any item")
    return list(xs)


@op
async def at_second_yielding(xs: Stream[int]) -> AsyncIterator[int]:
    tries.append("attempt")
    if len(tries) == 1:
        raise ConnectionError("before any item")
    async for x in xs:
        yield x


@op
def at_second_yielding_threaded(xs: Stream[int]) -> Iterator[int]:
    tries.append("attempt")
    if len(tries) == 1:
        raise ConnectionError("before any item")
    yield from xs


@pytest.mark.parametrize(
    "reader",
    [at_second, at_second_threaded, at_second_yielding, at_second_yielding_threaded],
)
async def test_an_attempt_that_has_read_nothing_is_retried_with_all_of_the_stream(
    reader: Any,
) -> None:
    result = await Operon(reads(reader, retry=Retry(2, backoff=0))).run()
    assert [0, 1, 2] == result["r"]
    assert ["attempt"] * 2 == tries


async def test_before_it_has_read_anything_a_fallback_takes_the_stream() -> None:
    @op(fallback=total_anyway)
    async def fails(xs: Stream[int]) -> int:
        del xs
        raise ConnectionError("before any item")

    assert 3 == (await Operon(reads(fails)).run())["r"]


async def test_a_thread_that_timed_out_waiting_takes_nothing_from_the_next_attempt(
    pass_time: Callable[[float], None],
) -> None:
    opened = anyio.Event()
    seen: list[type[BaseException]] = []

    @op
    async def late() -> AsyncIterator[int]:
        await opened.wait()
        for i in range(3):
            yield i

    @op(timeout=100.0, retry=Retry(2, backoff=0, on=(TimeoutError,)))
    def read(xs: Stream[int]) -> list[int]:
        tries.append("attempt")
        waker((lambda: pass_time(1000.0)) if len(tries) == 1 else opened.set)
        try:
            return list(xs)
        except BaseException as error:
            seen.append(type(error))
            raise

    waker = current_waker()
    with GraphOp(name="g") as g:
        read(xs=stream(late())) >> PARENT["r"]
    assert [0, 1, 2] == (await Operon(g).run())["r"]
    assert [CancelledRunError] == seen
    assert ["attempt"] * 2 == tries
