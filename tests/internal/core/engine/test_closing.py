"""The ends of streams that come early: closed generators, stopped runs, and what reads on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Final, TypedDict

import anyio
import anyio.lowlevel
import pytest

from operonx.core import (
    Operon,
    OpError,
    OutputError,
    Retry,
    RunContext,
    Stream,
    collect,
    each,
    graph,
    op,
    stream,
    zip_streams,
)

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


# -- generators whose `finally` raises

WAYS: Final = ("inline", "thread", "async")


class Row(TypedDict):
    """What the sources below yield."""

    x: int


def commit_fails() -> None:
    raise OSError("commit failed")


def nothing() -> None:
    """Do nothing."""


def source_of(
    way: str,
    policies: dict[str, Any],
    begins: Callable[[], None] = nothing,
    ends: Callable[[], None] = commit_fails,
) -> Any:
    """Return a generator op of `n` rows, then one that is none if it is to be `bad`."""

    def rows(n: int, bad: bool) -> Iterator[Row]:
        begins()
        try:
            for x in range(n):
                yield {"x": x}
            if bad:
                yield {}  # type: ignore[typeddict-item]  # that is the point
        finally:
            ends()

    async def async_rows(n: int, bad: bool) -> AsyncIterator[Row]:
        begins()
        try:
            for x in range(n):
                yield {"x": x}
                await anyio.lowlevel.checkpoint()
            if bad:
                yield {}  # type: ignore[typeddict-item]  # that is the point
        finally:
            ends()

    if way == "async":
        return op(**policies)(async_rows)
    return op(run_in=way, **policies)(rows)  # type: ignore[call-overload]


@pytest.mark.parametrize("way", WAYS)
async def test_a_generator_that_fails_and_raises_in_its_finally_fails_once(way: str) -> None:
    source = source_of(way, {"on_error": "skip"})

    @graph
    def g() -> Any:
        return {"xs": collect(source(n=1, bad=True)["x"])}

    result = await Operon(g).run()
    (error,) = result.errors
    assert isinstance(error.__cause__, OutputError)
    (note,) = error.__cause__.__notes__
    assert "OSError: commit failed" in note
    assert result.skipped[error.op].count == 1


@pytest.mark.parametrize("way", WAYS)
async def test_it_gives_its_place_back_once(way: str) -> None:
    live: list[int] = []
    most: list[int] = []

    def begins() -> None:
        live.append(1)
        most.append(len(live))

    def ends() -> None:
        live.pop()
        commit_fails()

    source = source_of(way, {"on_error": "skip", "concurrency": 1}, begins, ends)

    @graph
    def g() -> Any:
        one = each([1, 2, 3, 4])
        return {"xs": collect(collect(source(n=one["item"], bad=True)["x"]))}

    result = await Operon(g).run()
    assert len(result.errors) == 4
    assert most == [1, 1, 1, 1]


@pytest.mark.parametrize("way", WAYS)
async def test_what_a_finally_raises_when_the_run_is_stopped_fails_it(way: str) -> None:
    source = source_of(way, {})

    @graph
    def g() -> Any:
        return {"xs": collect(source(n=10**9, bad=False)["x"])}

    handle = Operon(g).start()
    await anyio.sleep(0.05)
    handle.stop()
    with pytest.raises(OpError, match="OSError: commit failed"):
        await handle.result()


async def test_what_is_stopped_and_raises_is_not_begun_again() -> None:
    begun: list[int] = []

    @op(retry=Retry(attempts=3, backoff=0.01))
    async def waits() -> AsyncIterator[int]:
        begun.append(1)
        try:
            await anyio.sleep(60)
            yield 1
        finally:
            commit_fails()

    @graph
    def g() -> Any:
        return {"xs": collect(waits())}

    handle = Operon(g).start()
    await anyio.sleep(0.05)
    handle.stop()
    with pytest.raises(OpError, match="OSError: commit failed"):
        await handle.result()
    assert begun == [1]


@pytest.mark.parametrize("way", WAYS)
async def test_what_a_finally_raises_is_in_the_list_of_a_stopped_run_that_skips(way: str) -> None:
    source = source_of(way, {"on_error": "skip"})

    @graph
    def g() -> Any:
        return {"xs": collect(source(n=10**9, bad=False)["x"])}

    handle = Operon(g).start()
    await anyio.sleep(0.05)
    handle.stop()
    result = await handle.result()
    assert ["commit failed" in str(error) for error in result.errors] == [True]
    assert "xs" not in result


@pytest.mark.parametrize("way", WAYS)
async def test_the_failure_of_another_op_comes_before_what_closing_raises(way: str) -> None:
    source = source_of(way, {})

    @op
    async def breaks(x: int) -> int:
        if x == 3:
            raise ValueError("the first")
        return x

    @graph
    def g() -> Any:
        return {"xs": collect(breaks(x=source(n=10**9, bad=False)["x"]))}

    with pytest.raises(OpError, match="the first"):
        await Operon(g).run()


@pytest.mark.parametrize("way", WAYS)
async def test_what_a_finally_raises_in_a_graph_that_failed_is_not_listed(way: str) -> None:
    ended: list[int] = []

    def ends() -> None:
        ended.append(1)
        commit_fails()

    source = source_of(way, {}, ends=ends)

    @op
    async def breaks(x: int) -> int:
        if x == 3:
            raise ValueError("the first")
        return x

    @graph(on_error="skip")
    def inner() -> Any:
        return {"xs": collect(breaks(x=source(n=10**9, bad=False)["x"]))}

    @graph
    def g() -> Any:
        return {"xs": inner()["xs"]}

    result = await Operon(g).run()
    assert ["the first" in str(error) for error in result.errors] == [True]
    assert ended == [1]


async def test_heeding_the_cancelling_in_a_thread_is_no_failure() -> None:
    @op(run_in="thread")
    def heeding(ctx: RunContext) -> Iterator[int]:
        i = 0
        while True:
            ctx.raise_if_cancelled()
            yield i
            i += 1

    @graph
    def g() -> Any:
        return {"xs": collect(heeding())}

    handle = Operon(g).start()
    await anyio.sleep(0.05)
    handle.stop()
    assert (await handle.result())["xs"]


# -- zips in a run that is stopped


@pytest.mark.parametrize("fast", ["inline", "thread", "async"])
async def test_a_zip_in_a_stopped_run_ends_at_its_shortest_side(fast: str) -> None:
    @op
    async def clock() -> AsyncIterator[int]:
        for i in range(10**9):
            yield i
            await anyio.sleep(0.005)

    source = source_of(fast, {}, ends=nothing)

    @graph
    def g() -> Any:
        pairs = zip_streams(at=clock(), value=source(n=10**9, bad=False)["x"])
        return {"at": collect(pairs["at"]), "value": collect(pairs["value"])}

    handle = Operon(g).start()
    await anyio.sleep(0.1)
    handle.stop()
    result = await handle.result()
    assert len(result["at"]) > 1
    assert result["at"] == result["value"] == list(range(len(result["at"])))
