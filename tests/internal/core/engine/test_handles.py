"""Watching a run: `stream`, `start`, ports, order, slow watchers, results, events and questions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from operonx.core import (
    END,
    PARENT,
    Frame,
    GraphOp,
    NoAnswerError,
    Operon,
    OpError,
    RunContext,
    RunStateError,
    collect,
    each,
    final,
    op,
)
from operonx.core.engine.frames import Outbox

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore::operonx.core.BlockingOpWarning"),  # CI is slow, not stuck
]


@op
async def shuffled(x: int) -> int:
    await anyio.sleep(0.0005 * (7 * x % 5))
    return x


@op
def plus(x: int) -> int:
    return x + 1


@op
async def counting(n: int) -> AsyncIterator[int]:
    for i in range(n):
        yield i


@op
def total(xs: list[int]) -> int:
    return sum(xs)


def items() -> GraphOp:
    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        s = shuffled(x=item["item"])
        p = plus(x=s)
        t = total(xs=collect(p))
        p >> PARENT["each"]
        t >> PARENT["sum"]
    return g


async def test_frames_come_with_numbers_in_order_of_arrival() -> None:
    engine = Operon(items())
    async with engine.stream({"xs": [0, 1, 2, 3]}) as run:
        frames = [frame async for frame in run]
    assert list(range(13)) == [frame.seq for frame in frames]
    assert {run.run_id} == {frame.run_id for frame in frames}
    assert {"sum": 10} == dict(run.result)
    assert run.run_id == run.result.run_id


async def test_a_result_says_how_outputs_are_read() -> None:
    result: Any = await Operon(items()).run({"xs": []})
    with pytest.raises(AttributeError, match=r'read as `result\["sum"\]`'):
        result.sum  # noqa: B018 - it raises
    assert not hasattr(result, "_nothing")


async def test_no_two_runs_have_one_id() -> None:
    engine = Operon(items())
    ids = {(await engine.run({"xs": []})).run_id for _ in range(20)}
    assert 20 == len(ids)


async def test_frames_in_index_order_are_in_context_order_for_each_op() -> None:
    engine = Operon(items())
    xs = list(range(30))
    async with engine.stream({"xs": xs}, order="index") as run:
        frames = [frame async for frame in run]
    for path in ("g.item", "g.s", "g.p"):
        assert [(("g.item", i),) for i in xs] == [f.ctx for f in frames if f.op_name == path]
    assert [()] == [f.ctx for f in frames if f.op_name == "g.t"]
    assert len(frames) == 91


async def test_frames_in_index_order_of_nested_axes() -> None:
    with GraphOp(name="g") as g:
        row = each(PARENT["xs"])
        c = counting(n=shuffled(x=row["item"]))
        s = shuffled(x=c + row["index"])
        s >> PARENT["out"]
    async with Operon(g).stream({"xs": [3, 0, 4, 1]}, order="index") as run:
        contexts = [frame.ctx async for frame in run if frame.op_name == "g.s"]
    expected = [(("g.row", i), ("g.c", j)) for i, n in enumerate([3, 0, 4, 1]) for j in range(n)]
    assert expected == contexts


async def test_in_index_order_a_final_frame_comes_after_its_items_and_before_the_next() -> None:
    @op
    async def counted(n: int) -> AsyncIterator[Any]:
        for x in range(n):
            await anyio.sleep(0.005 * (4 - n) ** 2)
            yield {"item": x}
        yield final(total=n)

    with GraphOp(name="g") as g:
        row = each(PARENT["xs"])
        it = counted.with_(name="it")(n=row["item"])
        it["item"] >> PARENT["items"]
        it["total"] >> PARENT["totals"]
    async with Operon(g).stream({"xs": [1, 0, 3]}, order="index") as run:
        seen = [
            (*(index for _, index in frame.ctx), *frame.outputs)
            async for frame in run
            if frame.op_name == "g.it"
        ]
    expected = [
        (0, 0, "item"),
        (0, "total"),
        (1, "total"),
        (2, 0, "item"),
        (2, 1, "item"),
        (2, 2, "item"),
        (2, "total"),
    ]
    assert expected == seen


@pytest.mark.parametrize("port", ["items", "totals"])
async def test_index_order_of_one_port_of_a_generator_with_a_final_one(port: str) -> None:
    @op
    async def counted(n: int) -> AsyncIterator[Any]:
        await anyio.sleep(0.005 * (4 - n))
        yield {"item": n}
        yield final(total=n)

    with GraphOp(name="g") as g:
        row = each(PARENT["xs"])
        it = counted(n=row["item"])
        it["item"] >> PARENT["items"]
        it["total"] >> PARENT["totals"]
    async with Operon(g).stream({"xs": [1, 2, 3]}, ports=[port], order="index") as run:
        assert [{port: n} for n in (1, 2, 3)] == [frame.outputs async for frame in run]


async def test_index_order_waits_for_no_skipped_item() -> None:
    @op(on_error="skip")
    async def odd(x: int) -> int:
        await anyio.sleep(0.0005 * (7 * x % 5))
        if x % 2 == 0:
            raise ValueError(x)
        return x

    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        o = odd(x=item["item"])
        p = plus(x=o)
        p >> PARENT["out"]
    async with Operon(g).stream({"xs": list(range(10))}, order="index") as run:
        values = [frame.outputs["result"] async for frame in run if frame.op_name == "g.p"]
    assert [2, 4, 6, 8, 10] == values


async def test_ports_choose_frames_and_cut_them() -> None:
    @op
    async def talk(n: int) -> AsyncIterator[Any]:
        for i in range(n):
            yield {"token": f"t{i}", "place": i}
        yield final(text="all")

    with GraphOp(name="g") as g:
        with GraphOp(name="sub", inputs=["n"], n=PARENT["n"]) as sub:
            t = talk(n=PARENT["n"])
            t >> END
        p = plus(x=sub["place"])
        sub["token"] >> PARENT["token"]
        sub["text"] >> PARENT["text"]
        p >> PARENT["place"]
    engine = Operon(g)

    async def watch(ports: list[str]) -> list[tuple[Any, ...]]:
        async with engine.stream({"n": 2}, ports=ports) as run:
            return [(f.op_name, f.ctx, dict(f.outputs)) async for f in run]

    tokens = [("g.sub.t", (("g.sub.t", i),), {"token": f"t{i}"}) for i in range(2)]
    text = ("g.sub.t", (), {"text": "all"})
    assert tokens == await watch(["token"])
    assert [text] == await watch(["text"])
    assert [*tokens, text] == await watch(["token", "text"])
    assert 2 == len(await watch(["place"]))
    assert [] == await watch([])
    with pytest.raises(ValueError, match="did you mean `token`"):
        engine.stream({"n": 2}, ports=["tokens"])


async def test_the_iterations_of_a_loop_as_ports() -> None:
    with GraphOp(name="g") as g:
        with GraphOp.loop(until=PARENT["n"] >= 3, n=0) as loop:
            p = plus(x=PARENT["n"])
            p >> PARENT["n"]
        loop.iterations["n"] >> PARENT["n"]
    async with Operon(g).stream({}, ports=["n"]) as run:
        frames = [(f.op_name, f.ctx, dict(f.outputs)) async for f in run]
    assert [("g.loop.p", (("g.loop", i),), {"n": i + 1}) for i in range(3)] == frames


async def test_an_unknown_order_is_refused() -> None:
    with pytest.raises(ValueError, match="index"):
        Operon(items()).stream({"xs": []}, order="indexed")  # type: ignore[arg-type]  # that is the mistake


@pytest.mark.parametrize("how", ["stream", "bare", "handle", "index"])
async def test_a_slow_watcher_slows_the_run_and_misses_nothing(how: str) -> None:
    taken = 0

    @op
    async def source() -> AsyncIterator[int]:
        nonlocal taken
        for i in range(2000):
            taken += 1
            yield i

    with GraphOp(name="g") as g:
        s = source()
        s >> PARENT["out"]
    engine = Operon(g, max_open=10)
    if how == "handle":
        frames: Any = engine.start()
    else:
        frames = engine.stream(order="index" if how == "index" else "arrival")
    seen: list[int] = []
    ahead = 0
    async for frame in frames:
        seen.append(frame.outputs["result"])
        if len(seen) < 200:
            for _ in range(3):
                await anyio.lowlevel.checkpoint()
        ahead = max(ahead, taken - len(seen))
    assert list(range(2000)) == seen
    assert ahead <= 256 + 64


async def test_one_task_waits_for_a_slow_watcher_however_many_ops_came_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waiting = 0
    most = 0
    room = Outbox.room

    async def counted(outbox: Outbox) -> None:
        nonlocal waiting, most
        waiting += 1
        most = max(most, waiting)
        await room(outbox)
        waiting -= 1

    monkeypatch.setattr(Outbox, "room", counted)

    @op
    async def waits(x: int) -> int:
        await anyio.lowlevel.checkpoint()
        return x

    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        waits(x=item["item"]) >> PARENT["out"]
    async with Operon(g).stream({"xs": range(2000)}, order="index") as run:
        assert list(range(2000)) == [
            frame.outputs["result"] async for frame in run if frame.op_name == "g.waits"
        ]
    assert 1 == most


async def test_a_watcher_that_stops_looking_holds_the_run() -> None:
    taken: list[int] = []

    @op(run_in="inline")
    def source() -> Any:
        for i in range(100_000):
            taken.append(i)
            yield {"i": i}

    with GraphOp(name="g") as g:
        s = source()
        s["i"] >> PARENT["out"]
    async with Operon(g).stream() as run:
        async for _ in run:
            break
        held = -1
        while held != len(taken):  # in the end it is held, or it has come to the last
            held = len(taken)
            for _ in range(20):
                await anyio.sleep(0.001)
        assert held <= 256 + 64


async def test_two_runs_are_watched_at_one_time() -> None:
    engine = Operon(items())
    sums: list[int] = []

    async def watch(xs: list[int]) -> None:
        async with engine.stream({"xs": xs}) as run:
            ids = {frame.run_id async for frame in run}
        assert {run.run_id} == ids
        sums.append(run.result["sum"])

    async with anyio.create_task_group() as group:
        for i in range(20):
            group.start_soon(watch, [i])
    assert list(range(1, 21)) == sorted(sums)


async def test_the_result_of_a_stream_is_there_once_it_is_over() -> None:
    async with Operon(items()).stream({"xs": [1]}) as run:
        with pytest.raises(RunStateError, match="not over"):
            run.result  # noqa: B018 - it raises
        async for _ in run:
            pass
        assert 2 == run.result["sum"]
    assert 2 == run.result["sum"]


async def test_a_stream_is_begun_once() -> None:
    stream = Operon(items()).stream({"xs": [1]})
    async with stream:
        with pytest.raises(RunStateError):
            await stream.__aenter__()


async def test_a_handle_gives_its_result_to_many() -> None:
    handle = Operon(items()).start({"xs": [1, 2]})
    results: list[Any] = []

    async def wait() -> None:
        results.append(await handle.result())

    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(wait)
    assert 3 == len(results)
    assert all(result is results[0] for result in results)
    assert 5 == results[0]["sum"]


async def test_a_handle_runs_without_being_awaited() -> None:
    done = anyio.Event()

    @op
    async def work() -> int:
        await anyio.lowlevel.checkpoint()
        done.set()
        return 1

    with GraphOp(name="g") as g:
        work() >> END
    handle = Operon(g).start()
    with anyio.fail_after(10):
        await done.wait()
    assert {"result": 1} == dict(await handle.result())


async def test_the_frames_of_a_handle_are_iterated_once() -> None:
    handle = Operon(items()).start({"xs": [1]})
    frames: list[Frame] = [frame async for frame in handle]
    assert 4 == len(frames)
    with pytest.raises(RunStateError):
        aiter(handle)
    assert {"each": [2], "sum": 2} == dict(await handle.result())


# -- events


@pytest.mark.parametrize("how", ["def", "def thread", "async def"])
async def test_emits_reach_a_watcher_before_the_frame_of_their_firing(how: str) -> None:
    @op
    def plain(x: int, run: RunContext) -> int:
        run.emit("progress", x)
        run.emit("progress", x + 100)
        return x

    @op
    async def waiting(x: int, run: RunContext) -> int:
        run.emit("progress", x)
        await anyio.lowlevel.checkpoint()
        run.emit("progress", x + 100)
        return x

    kinds: dict[str, Any] = {
        "def": plain,
        "def thread": plain.with_(run_in="thread"),
        "async def": waiting,
    }
    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        it = kinds[how].with_(name="it", concurrency=1)(x=item["item"])
        it["result"] >> PARENT["out"]
    firings = 0
    async with Operon(g).stream({"xs": [1, 2]}, order="index") as run:
        events = aiter(run.events())
        async for frame in run:
            if frame.op_name != "g.it":
                continue
            x = frame.outputs["result"]
            with anyio.move_on_after(0):  # they are there already: taking them waits for nothing
                for payload in (x, x + 100):
                    event = await anext(events)
                    assert ("progress", payload) == (event.channel, event.payload)
                    assert ("g.it", frame.ctx, 1) == (event.op, event.ctx, event.attempt)
                firings += 1
    assert 2 == firings


async def test_events_end_with_their_run() -> None:
    @op
    def noisy(run: RunContext) -> int:
        run.emit("a", 1)
        return 1

    with GraphOp(name="g") as g:
        noisy() >> END
    handle = Operon(g).start()
    first, second = handle.events(), handle.events()
    assert [1] == [event.payload async for event in first]
    assert [1] == [event.payload async for event in second]
    assert [] == [event.payload async for event in handle.events()]
    assert {"result": 1} == dict(await handle.result())


# -- questions


def asking() -> GraphOp:
    @op
    async def ask(run: RunContext, x: int) -> str:
        answer: str = await run.ask({"x": x})
        return f"{x}:{answer}"

    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        a = ask(x=item["item"])
        a >> PARENT["out"]
    return g


async def test_questions_are_answered_where_they_are_asked() -> None:
    handle = Operon(asking()).start({"xs": [1, 2, 3]})
    places: list[Any] = []
    async for question in handle.questions():
        places.append((question.op, question.ctx))
        await question.answer("yes" if question.payload["x"] % 2 else "no")
    assert {"out": ["1:yes", "2:no", "3:yes"]} == dict(await handle.result())
    assert [("g.a", (("g.item", i),)) for i in range(3)] == sorted(places, key=lambda p: p[1])


async def test_a_question_is_answered_once() -> None:
    handle = Operon(asking()).start({"xs": [1]})
    async for question in handle.questions():
        await question.answer("first")
        with pytest.raises(RunStateError):
            await question.answer("second")
    assert {"out": ["1:first"]} == dict(await handle.result())


@pytest.mark.parametrize("how", ["run", "result", "stream"])
async def test_asking_where_nobody_answers_raises(how: str) -> None:
    engine = Operon(asking())

    async def watch() -> object:
        if how == "run":
            return await engine.run({"xs": [1]})
        if how == "result":
            return await engine.start({"xs": [1]}).result()
        return [frame async for frame in engine.stream({"xs": [1]})]

    with anyio.fail_after(10), pytest.raises(OpError) as caught:
        await watch()
    assert isinstance(caught.value.__cause__, NoAnswerError)
    assert ("g.a", (("g.item", 0),)) == (caught.value.op, caught.value.ctx)


async def test_a_run_that_waits_for_an_answer_can_be_cancelled() -> None:
    handle = Operon(asking()).start({"xs": [1]})
    questions = handle.questions()
    await anext(questions)
    handle.cancel()
    with pytest.raises(RunStateError, match="cancelled"):
        await anext(questions)
    with pytest.raises(RunStateError, match="cancelled"):
        await handle.result()


@pytest.mark.parametrize("how", ["frames", "events", "questions"])
async def test_however_a_run_is_watched_its_failure_is_raised_at_the_end(how: str) -> None:
    @op
    async def fails(run: RunContext) -> int:
        run.emit("a", 1)
        raise ValueError("no")

    with GraphOp(name="g") as g:
        fails() >> PARENT["out"]
    handle = Operon(g).start()
    watched: Any = handle if how == "frames" else getattr(handle, how)()
    with anyio.fail_after(10), pytest.raises(OpError, match="no"):
        async for _ in watched:
            pass


@pytest.mark.parametrize("how", ["frames", "events", "questions"])
async def test_however_a_run_is_watched_its_cancelling_is_raised_at_the_end(how: str) -> None:
    handle = Operon(asking()).start({"xs": [1]})
    watched: Any = handle if how == "frames" else getattr(handle, how)()
    handle.cancel()
    with anyio.fail_after(10), pytest.raises(RunStateError, match="cancelled"):
        async for _ in watched:
            pass
