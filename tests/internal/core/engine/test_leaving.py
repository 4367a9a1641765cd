"""Leaving a run before its end: its frames, its events, its questions; and none to leave."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator
from typing import Any

import anyio
import anyio.abc
import anyio.lowlevel
import pytest

from operonx.core import (
    END,
    PARENT,
    GraphOp,
    NoAnswerError,
    Operon,
    OpError,
    RunContext,
    RunStateError,
    RunStream,
    each,
    op,
)

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore::operonx.core.BlockingOpWarning"),  # CI is slow, not stuck
]


class Ticking:
    """A graph that ticks for ever, and tells when it was closed."""

    def __init__(self) -> None:
        self.closed = anyio.Event()

        @op
        async def ticks() -> AsyncIterator[int]:
            i = 0
            try:
                while True:
                    yield i
                    i += 1
                    await anyio.sleep(0.0005)
            finally:
                self.closed.set()

        with GraphOp(name="g") as g:
            t: Any = ticks()
            t["result"] >> PARENT["tick"]
        self.engine = Operon(g)


@op
def once() -> int:
    return 1


async def fail_at_first(stream: RunStream) -> None:
    async for _ in stream:
        raise ZeroDivisionError


def single() -> GraphOp:
    with GraphOp(name="g") as g:
        once() >> END
    return g


# -- frames


@pytest.mark.parametrize("how", ["break", "error", "aclose", "block"])
async def test_leaving_the_frames_of_a_stream_that_is_still_held_cancels_its_run(how: str) -> None:
    ticking = Ticking()
    stream = ticking.engine.stream()
    with anyio.fail_after(10):
        if how == "break":
            async for _ in stream:
                break
        elif how == "error":
            with pytest.raises(ZeroDivisionError):
                await fail_at_first(stream)
        elif how == "aclose":
            frames: Any = aiter(stream)
            await anext(frames)
            await frames.aclose()
            assert [] == [frame async for frame in frames]
        else:
            async with stream:
                async for _ in stream:
                    break
                await ticking.closed.wait()
        await ticking.closed.wait()
    with pytest.raises(RunStateError, match="leaving the iteration cancels"):
        stream.result  # noqa: B018 - it raises


async def test_a_stream_says_that_it_was_cancelled_as_soon_as_it_was_left() -> None:
    ticking = Ticking()
    async with ticking.engine.stream() as run:
        async for _ in run:
            break
        with pytest.raises(RunStateError, match="the run was cancelled"):
            run.result  # noqa: B018 - it raises


async def test_the_frames_of_a_stream_are_iterated_once() -> None:
    async with Operon(single()).stream() as run:
        assert 1 == len([frame async for frame in run])
        with pytest.raises(RunStateError, match="once"):
            aiter(run)


async def test_leaving_the_frames_of_a_handle_lets_its_run_go_on_to_its_end() -> None:
    @op
    async def count() -> AsyncIterator[int]:
        for i in range(2000):  # more than a line to a watcher holds
            yield i

    with GraphOp(name="g") as g:
        c: Any = count()
        c["result"] >> PARENT["out"]
    handle = Operon(g).start()
    async for _ in handle:
        break
    with anyio.fail_after(10):
        result = await handle.result()
    assert list(range(2000)) == result["out"]


async def test_frames_of_a_handle_come_from_the_first_look_on() -> None:
    handle = Operon(single()).start()
    await handle.result()
    assert [] == [frame async for frame in handle]


async def test_whoever_iterates_keeps_the_run() -> None:
    frames = [frame.op_name async for frame in Operon(single()).start()]
    assert ["g.once"] == frames


# -- cancelling again and again


@pytest.mark.parametrize("how", ["run", "result", "frames", "block"])
async def test_cancels_during_clean_up_do_not_cut_it_off(how: str, anyio_backend: str) -> None:
    if anyio_backend == "trio":
        pytest.skip("asyncio's own way of cancelling")
    begun, cleaning, cleaned = anyio.Event(), anyio.Event(), anyio.Event()

    @op
    async def works() -> int:
        begun.set()
        try:
            await anyio.sleep_forever()
        finally:
            cleaning.set()
            with anyio.CancelScope(shield=True):
                await anyio.sleep(0.05)
            cleaned.set()
        return 1

    with GraphOp(name="g") as g:
        works() >> END
    engine = Operon(g)

    async def main() -> None:
        if how == "run":
            await engine.run()
        elif how == "block":
            async with engine.stream():
                await anyio.sleep_forever()
        else:
            handle = engine.start()
            await (handle.result() if how == "result" else anext(aiter(handle)))

    before = asyncio.all_tasks()
    task = asyncio.ensure_future(main())  # noqa: TID251 - what is tested
    with anyio.fail_after(10):
        await begun.wait()
        task.cancel()
        await cleaning.wait()
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await task
    assert cleaned.is_set()
    assert before == asyncio.all_tasks()


# -- events and questions


@pytest.mark.parametrize("how", ["events", "questions"])
async def test_a_wait_for_an_event_or_a_question_may_be_cancelled_and_taken_up_again(
    how: str,
) -> None:
    goes_on = anyio.Event()

    @op
    async def says(run: RunContext) -> int:
        await goes_on.wait()
        if how == "questions":
            return int(await run.ask("how many?"))
        run.emit("a", 1)
        return 1

    with GraphOp(name="g") as g:
        says() >> END
    handle = Operon(g).start()
    watched: Any = getattr(handle, how)()
    for _ in range(2):
        with anyio.move_on_after(0) as scope:
            await anext(watched)
        assert scope.cancelled_caught
    goes_on.set()
    with anyio.fail_after(10):
        async for one in watched:
            if how == "questions":
                await one.answer(1)
        with anyio.move_on_after(0):
            await anext(watched, None)
        assert {"result": 1} == dict(await handle.result())


async def test_events_that_nobody_reads_any_more_are_not_kept() -> None:
    kept: weakref.WeakSet[Ticking] = weakref.WeakSet()

    @op
    def noisy(run: RunContext) -> int:
        payload = Ticking()
        kept.add(payload)
        run.emit("a", payload)
        return 1

    with GraphOp(name="g") as g:
        noisy() >> END
    handle = Operon(g).start()
    handle.events()
    assert {"result": 1} == dict(await handle.result())
    gc.collect()
    assert [] == list(kept)


def noisy(how: str, said: list[int]) -> Operon:
    """A graph that emits 3000 times, once in each call or yield."""

    def say(run: RunContext, i: int) -> int:
        said.append(i)
        run.emit("a", i)
        return i

    @op
    def says(run: RunContext, i: int) -> int:
        return say(run, i)

    @op
    async def awaits(run: RunContext, i: int) -> int:
        await anyio.lowlevel.checkpoint()
        return say(run, i)

    @op
    async def yields(run: RunContext) -> AsyncIterator[int]:
        for i in range(3000):
            yield say(run, i)

    @op
    async def counts(run: RunContext, i: int) -> int:
        await anyio.lowlevel.checkpoint()
        return say(run, i) + 1

    with GraphOp(name="g") as g:
        if how == "generator":
            yields() >> END
        elif how == "loop":
            with GraphOp.loop(until=PARENT["i"] >= 3000, i=0, max_iterations=3000) as loop:
                counted: Any = counts(i=PARENT["i"])
                counted["result"] >> PARENT["i"]
            loop["i"] >> PARENT["out"]
        else:
            item = each(list(range(3000)))
            saying: Any = (awaits if how == "async def" else says)(i=item["item"])
            saying >> PARENT["out"]
    return Operon(g)


@pytest.mark.parametrize("how", ["def", "async def", "generator", "loop"])
async def test_a_slow_reader_of_events_slows_the_run_and_misses_none(how: str) -> None:
    said: list[int] = []
    handle = noisy(how, said).start()
    events = handle.events()
    with anyio.fail_after(20):
        first = await anext(events)
        before = -1
        while before != len(said):  # until the run has come to a stop
            before = len(said)
            await anyio.sleep(0.05)
        assert 200 < before < 1000
        read = [emit.payload async for emit in events]
    assert list(range(3000)) == sorted([first.payload, *read])


async def test_events_that_are_held_and_not_read_do_not_keep_what_is_done_from_its_end() -> None:
    @op
    def says(run: RunContext) -> int:
        for i in range(1000):
            run.emit("a", i)
        return 1

    with GraphOp(name="g") as g:
        says() >> END
    handle = Operon(g).start()
    events = handle.events()
    with anyio.fail_after(10):
        assert {"result": 1} == dict(await handle.result())
    assert list(range(1000)) == [emit.payload async for emit in events]


async def test_letting_go_of_events_lets_a_run_go_on_that_waits_for_their_reader() -> None:
    said: list[int] = []
    handle = noisy("loop", said).start()
    events = handle.events()
    with anyio.fail_after(20):
        await anext(events)
        while len(said) < 200:
            await anyio.lowlevel.checkpoint()
        del events
        assert {"out": 3000} == dict(await handle.result())


# -- questions


def asking_twice() -> Operon:
    @op
    async def ask(run: RunContext) -> str:
        return f"{await run.ask('first?')} {await run.ask('second?')}"

    with GraphOp(name="g") as g:
        ask() >> END
    return Operon(g)


@pytest.mark.parametrize("how", ["break", "aclose"])
async def test_asking_where_nobody_reads_questions_any_more_raises(how: str) -> None:
    handle = asking_twice().start()
    if how == "break":
        async for question in handle.questions():
            await question.answer("yes")
            break
    else:
        questions: Any = handle.questions()
        await (await anext(questions)).answer("yes")
        await questions.aclose()
    with anyio.fail_after(10), pytest.raises(OpError, match="nobody reads questions any") as caught:
        await handle.result()
    assert isinstance(caught.value.__cause__, NoAnswerError)


async def test_a_question_that_was_left_open_fails_with_its_reader() -> None:
    handle = asking_twice().start()
    question = await anext(handle.questions())
    with anyio.fail_after(10), pytest.raises(OpError, match="nobody reads questions any more"):
        await handle.result()
    with pytest.raises(RunStateError, match="no longer open"):
        await question.answer("too late")


@pytest.mark.parametrize("why", ["timeout", "run over", "cancelled", "cancelled just before"])
async def test_an_answer_that_comes_too_late_is_refused(why: str) -> None:
    over = anyio.Event()

    @op(timeout=0.01 if why == "timeout" else None, fallback="none")
    async def asks(run: RunContext) -> str:
        try:
            return str(await run.ask("sure?"))
        finally:
            over.set()

    @op
    async def fails() -> None:
        await anyio.sleep(0.01)
        if why == "run over":
            raise LookupError

    with GraphOp(name="g") as g:
        asks() >> END
        fails() >> END
    handle = Operon(g).start()
    question = await anext(handle.questions())
    with anyio.fail_after(10):
        if why.startswith("cancelled"):
            handle.cancel()
        if why != "cancelled just before":
            await over.wait()
        with pytest.raises(RunStateError, match=r"too late: op `g\.asks` no longer asks") as caught:
            await question.answer("yes")
    assert caught.value.hint is not None


async def test_once_it_is_answered_the_op_has_the_answer() -> None:
    got: list[str] = []

    @op
    async def asks(run: RunContext) -> None:
        got.append(await run.ask("who?"))

    with GraphOp(name="g") as g:
        asks() >> END
    handle = Operon(g).start()
    async for question in handle.questions():
        await question.answer("ada")
        assert ["ada"] == got
        with pytest.raises(RunStateError, match="answered already"):
            await question.answer("bob")


async def test_questions_left_while_the_result_is_awaited_fail() -> None:
    handle = asking_twice().start()
    failures: list[str] = []

    async def wait(*, task_status: anyio.abc.TaskStatus[None]) -> None:
        task_status.started()
        try:
            await handle.result()
        except OpError as error:
            failures.append(error.cause_message)

    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            async for question in handle.questions():
                await group.start(wait)
                await question.answer("yes")
                break
    assert ["op `g.ask` asks, but nobody reads questions any more"] == failures


async def test_questions_can_be_read_by_one_after_the_other() -> None:
    handle = asking_twice().start()
    for answer in ("yes", "no"):
        async for question in handle.questions():
            await question.answer(answer)
            break
    assert {"result": "yes no"} == dict(await handle.result())


# -- no loop, no await


@pytest.mark.parametrize("call", ["stream", "start"])
def test_where_no_event_loop_runs_a_run_cannot_be_begun(call: str) -> None:
    engine = Operon(single())
    with pytest.raises(RunStateError, match=r"no event loop is running\n.*run_sync"):
        getattr(engine, call)()
    gc.collect()  # what was begun of it is dropped in silence


@pytest.mark.parametrize(
    ("call", "instead"), [("stream", "async for frame in"), ("start", "await handle.result()")]
)
async def test_awaiting_what_is_no_awaitable_says_what_to_await(call: str, instead: str) -> None:
    made: Any = getattr(Operon(single()), call)()
    with pytest.raises(TypeError) as caught:
        await made
    assert instead in str(caught.value)
