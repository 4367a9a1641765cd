"""Shields hold, whatever ends the run: an op's own, and those around what the engine closes."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from types import ModuleType
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

from operonx.core import (
    END,
    PARENT,
    AbandonedThreadWarning,
    GraphOp,
    Operon,
    OpError,
    RunContext,
    RunStateError,
    collect,
    op,
)

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.timeout(60),
    pytest.mark.filterwarnings("ignore::operonx.core.BlockingOpWarning"),  # CI is slow, not stuck
]

Run = Callable[[], Awaitable[Any]]


async def turns() -> None:
    """Let the event loop turn often enough for what it can do to be done."""
    for _ in range(20):
        await anyio.lowlevel.checkpoint()


class Watched:
    """A run in a task of its own, and whether it is over."""

    def __init__(self) -> None:
        self.over = False
        self.error: BaseException | None = None
        self.scope = anyio.CancelScope()

    async def run(self, run: Run) -> None:
        try:
            with self.scope:
                await run()
        except (OpError, RunStateError) as error:
            self.error = error
        self.over = True


class Shielded:
    """An op that is in a shield until it is let go, and then waits outside of it."""

    def __init__(self) -> None:
        self.inside = anyio.Event()
        self.let = anyio.Event()
        self.said: list[str] = []

    async def wait(self) -> int:
        """The op's function."""
        try:
            with anyio.CancelScope(shield=True):
                self.inside.set()
                await self.let.wait()
                await anyio.lowlevel.checkpoint()  # more waits than one
                self.said.append("written")
            await anyio.sleep_forever()
        except anyio.get_cancelled_exc_class():
            self.said.append("cancelled")
            await self.clean_up()
            raise
        return 1

    async def clean_up(self) -> None:
        """Wait in a shield once more."""
        with anyio.CancelScope(shield=True):
            await anyio.lowlevel.checkpoint()
            self.said.append("cleaned up")


def failing(fail: anyio.Event) -> Any:
    @op
    async def fails() -> int:
        await fail.wait()
        raise ValueError("no")

    return fails


@pytest.mark.parametrize("ending", ["scope", "handle", "failure"])
async def test_a_shield_holds_against_the_end_of_its_run(ending: str) -> None:
    shielded, fail = Shielded(), anyio.Event()

    with GraphOp(name="g") as g:
        op(shielded.wait)() >> END
        failing(fail)() >> PARENT["other"]
    engine = Operon(g)
    watched = Watched()
    handle = engine.start() if ending == "handle" else None
    run = engine.run if handle is None else handle.result
    async with anyio.create_task_group() as group:
        group.start_soon(watched.run, run)
        await shielded.inside.wait()
        if handle is not None:
            handle.cancel()
        elif ending == "scope":
            watched.scope.cancel()
        else:
            fail.set()
        await turns()
        assert not watched.over
        assert [] == shielded.said
        shielded.let.set()
    assert ["written", "cancelled", "cleaned up"] == shielded.said
    assert watched.over


async def test_a_shield_holds_against_asyncios_cancelling_of_who_awaits_the_run(
    anyio_backend: str,
) -> None:
    if anyio_backend == "trio":
        pytest.skip("asyncio's own way of cancelling")
    shielded = Shielded()
    with GraphOp(name="g") as g:
        op(shielded.wait)() >> END
    task = asyncio.ensure_future(Operon(g).run())  # noqa: TID251 - what is tested
    await shielded.inside.wait()
    for _ in range(3):
        task.cancel()
        await turns()
    assert not task.done()
    shielded.let.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ["written", "cancelled", "cleaned up"] == shielded.said


async def test_a_long_shield_is_not_looked_at_again_and_again(
    anyio_backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if anyio_backend == "trio":
        pytest.skip("trio keeps shields itself")
    from operonx.core.engine import tasks  # noqa: PLC0415 - only there is something to look at

    looks: list[object] = []
    look = tasks.is_shielded

    def counted(task: asyncio.Task[None]) -> bool:
        looks.append(task)
        return look(task)

    monkeypatch.setattr(tasks, "is_shielded", counted)
    shielded, watched = Shielded(), Watched()
    with GraphOp(name="g") as g:
        op(shielded.wait)() >> END
    async with anyio.create_task_group() as group:
        group.start_soon(watched.run, Operon(g).run)
        await shielded.inside.wait()
        watched.scope.cancel()
        await turns()
        await turns()
        assert 1 == len(looks)
        shielded.let.set()
    assert ["written", "cancelled", "cleaned up"] == shielded.said


async def test_where_anyio_tells_nothing_of_its_shields_a_run_ends_all_the_same(
    anyio_backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if anyio_backend == "trio":
        pytest.skip("trio keeps shields itself")
    shielded, watched = Shielded(), Watched()
    with GraphOp(name="g") as g:
        op(shielded.wait)() >> END
    async with anyio.create_task_group() as group:
        group.start_soon(watched.run, Operon(g).run)
        await shielded.inside.wait()
        name = "anyio._backends._asyncio"
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
        watched.scope.cancel()
    assert ["cancelled", "cleaned up"] == shielded.said


async def test_a_shield_entered_by_the_task_that_fails_the_run_holds() -> None:
    said: list[object] = []

    @op
    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
            while True:  # all its waits are in shields
                with anyio.CancelScope(shield=True):
                    await anyio.lowlevel.checkpoint()
                said.append("whole")
                yield 2
        except anyio.get_cancelled_exc_class():
            said.append("cut")
            raise

    @op(run_in="inline")
    def fails(x: int) -> int:
        raise ValueError(x)

    with GraphOp(name="g") as g:
        fails(x=numbers()) >> END
    with pytest.raises(OpError, match="fails"):
        await Operon(g).run()
    assert "cut" not in said
    assert len(said) <= 1


async def test_nothing_follows_a_firing_that_was_in_a_shield_when_all_was_cancelled() -> None:
    inside, let = anyio.Event(), anyio.Event()
    said: list[str] = []

    @op
    async def first() -> int:
        with anyio.CancelScope(shield=True):
            inside.set()
            await let.wait()
        said.append("first")
        return 1

    @op
    async def second(x: int) -> int:
        said.append("second")
        with anyio.CancelScope(shield=True):
            await anyio.lowlevel.checkpoint()
        return x

    with GraphOp(name="g") as g:
        second(x=first()) >> END
    watched = Watched()
    async with anyio.create_task_group() as group:
        group.start_soon(watched.run, Operon(g).run)
        await inside.wait()
        watched.scope.cancel()
        await turns()
        let.set()
    assert ["first"] == said


async def test_a_shielded_clean_up_after_a_time_out_outlasts_a_failure_elsewhere() -> None:
    fail, cleaning, let = anyio.Event(), anyio.Event(), anyio.Event()
    said: list[str] = []

    @op(timeout=0.001, on_error="skip")
    async def late() -> int:
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                cleaning.set()
                await let.wait()
                said.append("closed")
        return 1

    with GraphOp(name="g") as g:
        late() >> END
        failing(fail)() >> PARENT["other"]
    watched = Watched()
    async with anyio.create_task_group() as group:
        group.start_soon(watched.run, Operon(g).run)
        await cleaning.wait()
        fail.set()
        await turns()
        assert not watched.over
        let.set()
    assert ["closed"] == said
    assert isinstance(watched.error, OpError)


async def test_a_run_waits_for_a_generator_that_is_being_closed_in_its_thread() -> None:
    closing, let = threading.Event(), threading.Event()
    said: list[str] = []

    @op(run_in="thread", max_open=1)
    def pages() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            closing.set()
            let.wait()
            said.append("closed")

    with GraphOp(name="g") as g:
        collect(pages()) >> PARENT["all"]
    handle = Operon(g).start()
    watched = Watched()
    async with anyio.create_task_group() as group:
        group.start_soon(watched.run, handle.result)
        await turns()
        handle.stop()
        await anyio.to_thread.run_sync(closing.wait)
        handle.cancel()
        await turns()
        assert not watched.over
        let.set()
    assert ["closed"] == said
    assert isinstance(watched.error, RunStateError)


async def test_a_thread_in_its_grace_time_when_the_run_fails_is_waited_for(
    pass_time: Callable[[float], None],
) -> None:
    fail, asked = anyio.Event(), anyio.Event()
    inside, let = threading.Event(), threading.Event()
    said: list[str] = []

    @op(run_in="thread", timeout=3600, on_error="skip")
    def late(run: RunContext) -> int:
        run.on_cancel(asked.set)
        inside.set()
        let.wait()
        said.append("late")
        return 1

    with GraphOp(name="g") as g:
        late() >> END
        failing(fail)() >> PARENT["other"]
    watched = Watched()
    async with anyio.create_task_group() as group:
        group.start_soon(watched.run, Operon(g).run)
        await anyio.to_thread.run_sync(inside.wait)
        pass_time(4000)
        await asked.wait()
        fail.set()
        await turns()
        assert not watched.over
        let.set()
    assert ["late"] == said
    assert isinstance(watched.error, OpError)


async def test_a_thread_that_outlives_a_run_that_failed_in_its_grace_time_is_named(
    pass_time: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("operonx.core.engine.threads.GRACE", 0.2)
    inside, let, asked = threading.Event(), threading.Event(), anyio.Event()

    @op(run_in="thread", timeout=3600, on_error="skip")
    def late(run: RunContext) -> int:
        run.on_cancel(asked.set)
        inside.set()
        let.wait()
        return 1

    with GraphOp(name="g") as g:
        late() >> END
        failing(asked)() >> PARENT["other"]
    watched = Watched()

    async def time_out() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(watched.run, Operon(g).run)
            await anyio.to_thread.run_sync(inside.wait)
            pass_time(4000)

    try:
        with pytest.warns(AbandonedThreadWarning, match="late"):
            await time_out()
        assert isinstance(watched.error, OpError)
    finally:
        let.set()
