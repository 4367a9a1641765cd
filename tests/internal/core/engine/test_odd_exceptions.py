"""Exceptions that are odd in themselves: groups, interrupts, cancellings nobody asked for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import anyio
import pytest

import operonx.core as core
from operonx.core import GraphOp, Operon, OpError, Retry, RunContext, collect, each, graph

pytestmark = pytest.mark.anyio


class OddError(Exception):
    def __str__(self) -> str:
        raise TypeError("a bug in somebody's exception class")


def engine_of(function: Callable[..., object], **policies: Any) -> Operon:
    with GraphOp(name="g") as g:
        core.op(function).with_(name="a", **policies)() >> core.END
    return Operon(g)


async def test_a_group_of_cancellings_is_a_cancelling() -> None:
    async def both() -> int:
        try:
            await anyio.sleep_forever()
        except BaseException as error:  # noqa: BLE001 - each loop has its own class
            raise BaseExceptionGroup("as a nursery of trio does", [error]) from None
        return 1

    engine = engine_of(both, on_error="skip")
    with anyio.move_on_after(0.05) as scope:
        await engine.run()
    assert scope.cancelled_caught


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
async def test_an_interrupt_in_a_group_passes_through(interrupt: type[BaseException]) -> None:
    async def stopped() -> int:
        raise BaseExceptionGroup("outer", [BaseExceptionGroup("inner", [interrupt()])])

    with pytest.raises(interrupt):
        await engine_of(stopped, on_error="skip").run()


async def test_an_op_that_raises_generator_exit_has_failed() -> None:
    def one() -> int:
        raise GeneratorExit

    async def two() -> int:
        raise GeneratorExit

    def many() -> Iterator[int]:
        yield 1
        raise GeneratorExit

    for function in (one, two, many):
        with pytest.raises(OpError, match="GeneratorExit") as caught:
            await engine_of(function).run()
        assert "g.a" == caught.value.op
        result = await engine_of(function, on_error="skip").run()
        assert ["g.a"] == [error.op for error in result.errors]


async def test_a_message_that_cannot_be_shown_hides_nothing() -> None:
    def fails() -> int:
        raise OddError

    with pytest.raises(OpError, match="OddError: <its message cannot be shown") as caught:
        await engine_of(fails).run()
    assert isinstance(caught.value.__cause__, OddError)
    result = await engine_of(fails, on_error="skip").run()
    assert ["g.a"] == [error.op for error in result.errors]


async def test_a_failed_run_inside_an_op_is_that_ops_failure() -> None:
    def fails() -> int:
        raise ValueError("boom")

    inner = engine_of(fails)

    @core.op
    async def outside(x: int) -> int:
        result = await inner.run()
        return x + int(result["result"])

    @graph
    def outer() -> dict[str, list[int]]:
        return {"r": collect(outside(x=each([1, 2])["item"]))}

    with pytest.raises(OpError, match="boom") as caught:
        await Operon(outer).run()
    assert "outer.outside" == caught.value.op
    assert ("outer.each",) == tuple(axis for axis, _ in caught.value.ctx)
    assert isinstance(caught.value.__cause__, OpError)
    assert "g.a" == caught.value.__cause__.op


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_an_op_that_cancels_its_own_task_has_failed() -> None:
    async def gives_up() -> int:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(10)
        return 1

    with pytest.raises(OpError, match="CancelledError"):
        await engine_of(gives_up).run()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_however_often_a_caller_is_cancelled_its_run_is_over_when_it_returns() -> None:
    begun: list[str] = []
    all_begun = anyio.Event()
    cleaned: list[str] = []

    async def slow(name: str) -> str:
        begun.append(name)
        if len(begun) == 3:
            all_begun.set()
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(0.1)
            cleaned.append(name)
        return name

    with GraphOp(name="g") as g:
        for name in ("a", "b", "c"):
            core.op(slow).with_(name=name)(name=name) >> core.PARENT[name]
    engine = Operon(g)

    async def run() -> None:
        await engine.run()

    others = len(asyncio.all_tasks())
    task = asyncio.get_running_loop().create_task(run())
    await all_begun.wait()
    for _ in range(3):
        await asyncio.sleep(0.02)
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert others == len(asyncio.all_tasks())
    assert ["a", "b", "c"] == sorted(cleaned)


async def test_a_value_that_comes_after_the_time_is_up_comes_too_late() -> None:
    async def stubborn() -> int:
        try:
            await anyio.sleep(5)
        except BaseException:  # noqa: BLE001 - as some code does: log and go on
            return 7
        return 1

    with pytest.raises(OpError, match="no result within"):
        await engine_of(stubborn, timeout=0.02).run()


async def test_a_yield_that_comes_after_the_time_is_up_comes_too_late() -> None:
    async def stubborn() -> AsyncIterator[int]:
        try:
            await anyio.sleep(5)
        except BaseException:  # noqa: BLE001 - as above
            yield 7

    with pytest.raises(OpError, match="no yield within"):
        await engine_of(stubborn, timeout=0.02).run()


async def test_a_thread_and_a_coroutine_are_late_alike() -> None:
    def waits(run: RunContext) -> int:
        while not run.cancelled:
            time.sleep(0.005)
        return 7

    with pytest.raises(OpError, match="no result within"):
        await engine_of(waits, timeout=0.02).run()


async def test_retry_may_have_thousands_of_attempts() -> None:
    tries = 0

    def polls() -> int:
        nonlocal tries
        tries += 1
        if tries < 1500:
            raise ValueError("not yet")
        return tries

    result = await engine_of(polls, retry=Retry(attempts=2000)).run()
    assert 1500 == result["result"]
