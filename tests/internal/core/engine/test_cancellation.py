"""Cancelling and time-outs, wherever they come: nothing of a run is left behind."""

# Threads and loops of two kinds meet here: looking again is simpler than waking across them.
# ruff: noqa: ASYNC110

from __future__ import annotations

import asyncio
import gc
import random
import threading
from collections import Counter
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from operonx.core import (
    END,
    PARENT,
    GraphOp,
    Operon,
    OpError,
    Rate,
    Retry,
    RunContext,
    RunStateError,
    Stream,
    collect,
    each,
    error_of,
    final,
    first_of,
    if_,
    length,
    op,
    race,
    stream,
    zip_streams,
)

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore::operonx.core.BlockingOpWarning"),  # CI is slow, not stuck
]


class Ledger:
    """Who is inside which function: every begin must find its end."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.begun: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()

    @contextmanager
    def inside(self, name: str) -> Generator[None]:
        with self._lock:
            self.begun[name] += 1
        try:
            yield
        finally:
            with self._lock:
                self.ended[name] += 1

    @property
    def open(self) -> dict[str, int]:
        """How many are inside, by name."""
        return dict(self.begun - self.ended)


def living_tasks(backend: str) -> int:
    """The tasks of this event loop."""
    if backend == "asyncio":
        return len(asyncio.all_tasks())
    import trio  # noqa: PLC0415 - only there it runs

    return trio.lowlevel.current_statistics().tasks_living


async def settled(backend: str, tasks: int) -> int:
    """The tasks, once those that have ended had a turn to be counted off."""
    for _ in range(5):
        if living_tasks(backend) <= tasks:
            break
        await anyio.lowlevel.checkpoint()
    return living_tasks(backend)


def mix(ledger: Ledger, **settings: Any) -> GraphOp:  # noqa: C901, PLR0915 - one of each kind
    """A graph with something of everything that can be in flight."""

    @op(run_in="thread")
    def threaded(run: RunContext, x: int) -> int:
        with ledger.inside("threaded"):
            for _ in range(3):
                run.raise_if_cancelled()
                threading.Event().wait(0.0005)
            return x

    @op
    async def waiting(x: int) -> int:
        with ledger.inside("waiting"):
            await anyio.sleep(0.001 * (x % 3))
            return x

    @op
    async def cleaning(x: int) -> int:
        with ledger.inside("cleaning"):
            try:
                await anyio.sleep(0.001)
            finally:
                with anyio.CancelScope(shield=True):
                    await anyio.lowlevel.checkpoint()
            return x

    @op
    def short(x: int) -> int:
        with ledger.inside("short"):
            return x + 1

    @op(retry=Retry(attempts=3, backoff=0.002), timeout=10.0)
    async def retried(run: RunContext, x: int) -> int:
        with ledger.inside("retried"):
            await anyio.lowlevel.checkpoint()
            if run.attempt < 3:
                raise ValueError(x)
            return x

    @op(max_open=2)
    async def counting(n: int) -> AsyncIterator[int]:
        with ledger.inside("counting"):
            for i in range(n):
                await anyio.sleep(0.0005)
                yield i

    @op(run_in="thread", max_open=2)
    def counting_in_thread(n: int) -> Iterator[int]:
        with ledger.inside("counting_in_thread"):
            for i in range(n):
                threading.Event().wait(0.0005)
                yield i

    @op(run_in="inline")
    def counting_inline(n: int) -> Iterator[int]:
        with ledger.inside("counting_inline"):
            yield from range(n)

    @op
    async def pairs(items: Stream[int]) -> AsyncIterator[int]:
        with ledger.inside("pairs"):
            previous = 0
            async for item in items:
                yield previous + item
                previous = item

    @op
    def drained(items: Stream[int]) -> int:
        with ledger.inside("drained"):
            return sum(items)

    @op
    async def forever(x: int) -> int:
        with ledger.inside("forever"):
            await anyio.sleep_forever()
            return x

    @op
    def total(xs: list[int]) -> int:
        with ledger.inside("total"):
            return sum(xs)

    with GraphOp(name="g", **settings) as g:
        n = PARENT["n"]
        a = counting(n=n)
        b = counting_in_thread(n=n)
        c = counting_inline(n=n)
        w = waiting(x=a)
        with GraphOp(name="sub", inputs=["x"], concurrency=2, timeout=10.0, x=b) as sub:
            t = threaded(x=PARENT["x"])
            k = cleaning(x=t)
            k >> PARENT["out"]
        r = retried.with_(rate=Rate(100, per=0.01))(x=c)
        z = zip_streams(w=w, r=r)
        s = short(x=z["w"] + z["r"])
        p = pairs(items=sub["out"].stream())
        d = drained(items=stream(p))
        fast, slow = waiting(x=n), forever(x=n)
        winner = total(xs=[race(fast, slow)])
        even, odd = short(x=a), cleaning(x=a)
        if_(a % 2 == 0, even).else_(odd)
        e = total(xs=collect(first_of(even, odd)))
        with GraphOp.loop(name="again", until=PARENT["i"] >= 3, i=0) as again:
            step = cleaning(x=PARENT["i"])
            (step + 1) >> PARENT["i"]
        end = total(xs=[length(collect(s)), d, winner, e, again["i"]])
        end >> END
    return g


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


async def test_the_mix_runs_to_its_end(ledger: Ledger) -> None:
    engine = Operon(mix(ledger))
    # 6 pairs; 0+1+..+4 doubled but for the last; 6; e: 1+1+3+3+5+5; 3 iterations.
    assert 6 + (0 + 1 + 3 + 5 + 7 + 9) + 6 + 18 + 3 == (await engine.run({"n": 6}))["result"]
    assert {} == ledger.open


@pytest.mark.timeout(120)
@pytest.mark.parametrize("how", ["run", "stream", "handle"])
async def test_cancelled_at_random_points(how: str, ledger: Ledger, anyio_backend: str) -> None:
    draw = random.Random(f"{how} {anyio_backend}")  # noqa: S311 - seeded, no secret
    engine = Operon(mix(ledger))
    await engine.run({"n": 6})
    tasks = living_tasks(anyio_backend)
    outcomes: Counter[str] = Counter()
    for _ in range(170):
        outcome = "ended"
        with anyio.move_on_after(draw.random() ** 2 * 0.03) as scope:
            if how == "run":
                await engine.run({"n": 60})
            elif how == "stream":
                async with engine.stream({"n": 60}) as run:
                    async for _frame in run:
                        pass
            else:
                await engine.start({"n": 60}).result()
        if scope.cancelled_caught:
            outcome = "cancelled"
        outcomes[outcome] += 1
        assert {} == ledger.open
        assert tasks == await settled(anyio_backend, tasks)
    assert outcomes["cancelled"] > 100


@pytest.mark.timeout(120)
async def test_cancelled_after_random_numbers_of_turns(ledger: Ledger, anyio_backend: str) -> None:
    draw = random.Random(f"turns {anyio_backend}")  # noqa: S311 - seeded, no secret
    engine = Operon(mix(ledger))
    tasks = living_tasks(anyio_backend)
    for _ in range(170):
        turns = draw.randrange(60)
        async with anyio.create_task_group() as group:
            group.start_soon(engine.run, {"n": 6})
            for _ in range(turns):
                await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()
        assert {} == ledger.open
        assert tasks == await settled(anyio_backend, tasks)


@pytest.mark.timeout(120)
async def test_timed_out_at_random_points(ledger: Ledger, anyio_backend: str) -> None:
    draw = random.Random(f"timeout {anyio_backend}")  # noqa: S311 - seeded, no secret
    tasks = living_tasks(anyio_backend)
    failed = 0
    engines = [Operon(mix(ledger, timeout=draw.random() ** 2 * 0.03 + 1e-4)) for _ in range(34)]
    for engine in engines * 5:
        failure: OpError | None = None
        try:
            await engine.run({"n": 60})
        except OpError as error:
            failure = error
        if failure is not None:
            failed += 1
            assert ("g", ()) == (failure.op, failure.ctx)
            assert isinstance(failure.__cause__, TimeoutError)
        assert {} == ledger.open
        assert tasks == await settled(anyio_backend, tasks)
    assert failed > 100


@pytest.mark.timeout(120)
async def test_failing_at_random_points(ledger: Ledger, anyio_backend: str) -> None:
    draw = random.Random(f"failing {anyio_backend}")  # noqa: S311 - seeded, no secret

    @op
    async def bomb(after: float) -> int:
        await anyio.sleep(after)
        raise ValueError("bomb")

    with GraphOp(name="outer") as outer:
        with GraphOp(name="inner", inputs=["n"], n=PARENT["n"]) as inner:
            mixed = mix_into(ledger)
            mixed >> END
        b = bomb(after=PARENT["after"])
        inner["result"] >> PARENT["a"]
        b >> PARENT["b"]
    engine = Operon(outer)
    tasks = living_tasks(anyio_backend)
    for _ in range(170):
        with pytest.raises(OpError, match="bomb"):
            await engine.run({"n": 6, "after": draw.random() ** 2 * 0.02})
        assert {} == ledger.open
        assert tasks == await settled(anyio_backend, tasks)


def mix_into(ledger: Ledger) -> Any:
    """The mix as a graph inside the graph being built."""
    return mix(ledger, inputs=["n"], n=PARENT["n"])


# -- one kind at a time


async def test_cancelling_a_task_that_awaits_a_run(ledger: Ledger) -> None:
    @op(retry=Retry(attempts=3), fallback=1, on_error="skip")
    async def forever() -> int:
        with ledger.inside("forever"):
            await anyio.sleep_forever()
        return 1

    @op
    def after(x: int) -> int:
        ledger.begun["after"] += 1
        return x

    with GraphOp(name="g") as g:
        f = forever()
        n = after(x=first_of(f, error_of(f)["message"]))
        n >> END
    engine = Operon(g)
    for main in (engine.run, lambda: engine.start().result()):
        ledger.begun.clear()
        ledger.ended.clear()
        async with anyio.create_task_group() as group:
            group.start_soon(main)
            while not ledger.begun["forever"]:
                await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()
        assert ({"forever": 1}, {"forever": 1}) == (dict(ledger.begun), dict(ledger.ended))


async def test_an_asyncio_task_that_awaits_a_run_is_cancelled(
    ledger: Ledger, anyio_backend: str
) -> None:
    if anyio_backend == "trio":
        pytest.skip("asyncio's own way of cancelling")

    @op(retry=Retry(attempts=3), fallback=1, on_error="skip")
    async def forever() -> int:
        with ledger.inside("forever"):
            await anyio.sleep_forever()
        return 1

    with GraphOp(name="g") as g:
        forever() >> END
    engine = Operon(g)

    async def watched() -> None:
        async with engine.stream() as run:
            async for _ in run:
                pass

    before = asyncio.all_tasks()
    for main in (engine.run, lambda: engine.start().result(), watched):
        ledger.begun.clear()
        ledger.ended.clear()
        task = asyncio.ensure_future(main())  # noqa: TID251 - what is tested
        while not ledger.begun["forever"]:
            await anyio.lowlevel.checkpoint()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert {} == ledger.open
        assert 1 == ledger.begun["forever"]
        assert before == asyncio.all_tasks()


async def test_wait_for_of_asyncio_cancels_a_run(ledger: Ledger, anyio_backend: str) -> None:
    if anyio_backend == "trio":
        pytest.skip("asyncio's own way of timing out")
    engine = Operon(mix(ledger))
    for seconds in (0.0, 0.001, 0.003, 0.005):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(engine.run({"n": 500}), seconds)
        assert {} == ledger.open


async def test_a_run_in_a_cancelled_scope_is_cancelled(ledger: Ledger) -> None:
    with anyio.CancelScope() as scope:
        scope.cancel()
        await Operon(mix(ledger)).run({"n": 3})
    assert scope.cancelled_caught
    assert {} == ledger.open


async def test_a_run_cancelled_before_it_began_fires_nothing(ledger: Ledger) -> None:
    handle = Operon(mix(ledger)).start({"n": 3})
    handle.cancel()
    with pytest.raises(RunStateError, match="cancelled"):
        await handle.result()
    assert {} == dict(ledger.begun)


async def test_the_result_of_a_cancelled_run_raises_again_and_again(ledger: Ledger) -> None:
    handle = Operon(mix(ledger)).start({"n": 500})
    while not ledger.begun:
        await anyio.lowlevel.checkpoint()
    handle.cancel()
    handle.cancel()
    for _ in range(3):
        with pytest.raises(RunStateError, match="cancelled"):
            await handle.result()
    assert {} == ledger.open
    handle.cancel()


async def test_cancelling_after_the_end_changes_nothing(ledger: Ledger) -> None:
    handle = Operon(mix(ledger)).start({"n": 1})
    first = await handle.result()
    handle.cancel()
    handle.stop()
    assert first is await handle.result()


async def test_iterating_a_cancelled_run_says_so(ledger: Ledger) -> None:
    handle = Operon(mix(ledger)).start({"n": 500})
    with pytest.raises(RunStateError, match="cancelled"):  # noqa: PT012 - the iteration raises
        async for _ in handle:
            handle.cancel()
    assert {} == ledger.open


async def test_a_dropped_handle_cancels_its_run(ledger: Ledger, anyio_backend: str) -> None:
    tasks = living_tasks(anyio_backend)
    handle = Operon(mix(ledger)).start({"n": 100_000})
    while not ledger.begun:
        await anyio.lowlevel.checkpoint()
    del handle
    gc.collect()
    with anyio.fail_after(10):
        while ledger.open or living_tasks(anyio_backend) > tasks:
            await anyio.sleep(0.001)


async def test_leaving_an_iteration_by_break_cancels_the_run(
    ledger: Ledger, anyio_backend: str
) -> None:
    tasks = living_tasks(anyio_backend)
    engine = Operon(mix(ledger))
    async with engine.stream({"n": 100_000}) as run:
        async for _ in run:
            break
    assert {} == ledger.open
    with pytest.raises(RunStateError):
        run.result  # noqa: B018 - it raises
    async for _ in engine.stream({"n": 100_000}):
        break
    gc.collect()
    with anyio.fail_after(10):
        while ledger.open or living_tasks(anyio_backend) > tasks:
            await anyio.sleep(0.001)


async def test_an_exception_in_the_block_of_a_stream_passes_and_ends_the_run(
    ledger: Ledger, anyio_backend: str
) -> None:
    tasks = living_tasks(anyio_backend)
    with pytest.raises(LookupError, match="mine"):  # noqa: PT012 - what leaves the block
        async with Operon(mix(ledger)).stream({"n": 100_000}) as run:
            async for _ in run:
                raise LookupError("mine")
    assert {} == ledger.open
    assert tasks == await settled(anyio_backend, tasks)


async def test_leaving_the_block_at_once_ends_the_run(ledger: Ledger, anyio_backend: str) -> None:
    tasks = living_tasks(anyio_backend)
    async with Operon(mix(ledger)).stream({"n": 100_000}):
        pass
    assert {} == ledger.open
    assert tasks == await settled(anyio_backend, tasks)


async def test_a_stream_that_is_never_begun_runs_nothing(ledger: Ledger) -> None:
    Operon(mix(ledger)).stream({"n": 3})
    gc.collect()
    await anyio.lowlevel.checkpoint()
    assert {} == dict(ledger.begun)


async def test_the_loser_of_a_race_is_cancelled(ledger: Ledger) -> None:
    @op
    async def forever() -> int:
        with ledger.inside("forever"):
            await anyio.sleep_forever()
        return 1

    @op
    async def quick() -> int:
        while not ledger.begun["forever"]:
            await anyio.lowlevel.checkpoint()
        return 2

    @op
    def keep(x: int) -> dict[str, Any]:
        return {"x": x, "open": ledger.open}

    with GraphOp(name="g") as g:
        f, q = forever(), quick()
        keep(x=race(f, q)) >> END
    assert 2 == (await Operon(g).run())["x"]
    assert ({"forever": 1}, {}) == (dict(ledger.begun), ledger.open)


async def test_a_generator_that_lost_a_race_is_closed(ledger: Ledger) -> None:
    @op
    async def endless() -> AsyncIterator[int]:
        with ledger.inside("endless"):
            while True:
                await anyio.sleep(0.001)
                yield 1

    @op
    def count(xs: list[int]) -> int:
        return len(xs)

    @op
    async def quick() -> int:
        while not ledger.begun["endless"]:
            await anyio.lowlevel.checkpoint()
        await anyio.sleep(0.005)  # and let it yield some
        return 2

    with GraphOp(name="g") as g:
        with GraphOp(name="sub") as sub:
            e = endless()
            n = count(xs=collect(e))
            n >> END
        q = quick()
        race(sub["result"], q) >> PARENT["out"]
    assert {"out": 2} == dict(await Operon(g).run())
    assert ({"endless": 1}, {}) == (dict(ledger.begun), ledger.open)


@pytest.mark.parametrize("how", ["async gen", "def gen", "def gen inline"])
async def test_a_generator_is_closed_when_another_op_fails(how: str, ledger: Ledger) -> None:
    @op
    async def endless_async() -> AsyncIterator[int]:
        with ledger.inside("gen"):
            while True:
                await anyio.lowlevel.checkpoint()
                yield 1

    @op
    def endless() -> Iterator[int]:
        with ledger.inside("gen"):
            while True:
                yield 1

    kinds: dict[str, Any] = {
        "async gen": endless_async,
        "def gen": endless.with_(run_in="thread"),
        "def gen inline": endless.with_(run_in="inline"),
    }
    seen: list[int] = []

    @op
    def many(x: int) -> int:
        seen.append(x)
        if len(seen) > 50:
            raise ValueError("enough")
        return x

    with GraphOp(name="g") as g:
        it = kinds[how].with_(name="it")()
        m = many(x=it)
        m >> PARENT["out"]
    with pytest.raises(OpError, match="enough"):
        await Operon(g).run()
    assert ({"gen": 1}, {}) == (dict(ledger.begun), ledger.open)


async def test_a_generator_that_raises_while_it_is_closed_does_not_hide_the_failure() -> None:
    begun = anyio.Event()

    @op
    async def rude() -> AsyncIterator[int]:
        try:
            while True:
                await anyio.lowlevel.checkpoint()
                yield 1
                begun.set()
        finally:
            raise LookupError("while closing")

    @op
    async def fails() -> int:
        await begun.wait()
        raise ValueError("the failure")

    with GraphOp(name="g") as g:
        r = rude()
        f = fails()
        r >> PARENT["r"]
        f >> PARENT["f"]
    with pytest.raises(OpError) as caught:
        await Operon(g).run()
    assert ("g.f", "the failure") == (caught.value.op, caught.value.cause_message)


async def test_shielded_clean_ups_come_to_their_end(ledger: Ledger) -> None:
    cleaned: list[int] = []

    @op
    async def cleaning(x: int) -> int:
        try:
            with ledger.inside("cleaning"):
                await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(0.7)
                cleaned.append(x)
        return x

    @op
    async def fails(x: int) -> int:
        while ledger.begun["cleaning"] < 3:
            await anyio.lowlevel.checkpoint()
        raise ValueError(f"bomb {x}")

    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        c = cleaning(x=item["item"])
        f = fails(x=item["item"])
        c >> PARENT["c"]
        f >> PARENT["f"]
    with pytest.raises(OpError, match="bomb"):
        await Operon(g).run({"xs": [1, 2, 3]})
    assert [1, 2, 3] == sorted(cleaned)


# -- stop


async def test_stop_closes_the_sources_and_finishes_what_is_open(ledger: Ledger) -> None:
    @op
    async def endless() -> AsyncIterator[int]:
        with ledger.inside("endless"):
            i = 0
            while True:
                await anyio.lowlevel.checkpoint()
                yield i
                i += 1

    @op
    async def slow(x: int) -> int:
        with ledger.inside("slow"):
            await anyio.sleep(0.001)
            return x

    @op
    def listed(xs: list[int]) -> list[int]:
        return xs

    with GraphOp(name="g") as g:
        e = endless()
        s = slow(x=e)
        xs = listed(xs=collect(s))
        xs >> END
    handle = Operon(g).start()
    async for frame in handle:
        if frame.op_name == "g.s" and len(frame.ctx) == 1 and frame.ctx[0][1] >= 5:
            handle.stop()
    result = await handle.result()
    assert list(range(len(result["result"]))) == result["result"]
    assert ledger.begun["slow"] == len(result["result"]) >= 6
    assert {} == ledger.open


@pytest.mark.parametrize("run_in", ["thread", "inline"])
async def test_stop_closes_plain_generators(run_in: Any, ledger: Ledger) -> None:
    @op(run_in=run_in)
    def endless() -> Iterator[int]:
        with ledger.inside("endless"):
            i = 0
            while True:
                yield i
                i += 1

    with GraphOp(name="g") as g:
        e = endless()
        e >> PARENT["out"]
    handle = Operon(g).start()
    async for frame in handle:
        if frame.ctx[0][1] == 9:
            handle.stop()
    result = await handle.result()
    assert list(range(len(result["out"]))) == result["out"]
    assert len(result["out"]) >= 10
    assert {} == ledger.open


def paired(kept: list[int], x: int) -> list[dict[str, list[int]]]:
    kept.append(x)
    return [{"pair": kept[-2:]}] if not len(kept) % 2 else []


@op
async def pairs(v: Stream[int]) -> AsyncIterator[dict[str, Any]]:
    kept: list[int] = []
    async for x in v:
        for pair in paired(kept, x):
            yield pair
    yield {"pair": kept[len(kept) // 2 * 2 :]}  # the rest
    yield final(count=len(kept))


@op
def pairs_in_thread(v: Stream[int]) -> Iterator[dict[str, Any]]:
    kept: list[int] = []
    for x in v:
        yield from paired(kept, x)
    yield {"pair": kept[len(kept) // 2 * 2 :]}  # the rest
    yield final(count=len(kept))


@pytest.mark.parametrize("run_in", ["async", "thread"])
async def test_a_generator_that_reads_a_stream_ends_as_that_does(run_in: Any) -> None:
    @op
    async def endless() -> AsyncIterator[int]:
        i = 0
        while True:
            yield i
            i += 1
            await anyio.lowlevel.checkpoint()

    with GraphOp(name="g") as g:
        e = endless()
        p: Any = (pairs if run_in == "async" else pairs_in_thread).with_(name="p")(v=stream(e))
        collect(e) >> PARENT["all"]
        collect(p["pair"]) >> PARENT["pairs"]
        p["count"] >> PARENT["count"]
    handle = Operon(g).start()
    async for frame in handle:
        if frame.op_name == "g.p" and frame.ctx and frame.ctx[0][1] == 3:
            handle.stop()
    with anyio.fail_after(10):
        result = await handle.result()
    assert result["all"] == [x for pair in result["pairs"] for x in pair]
    assert len(result["all"]) == result["count"]


async def test_stop_from_another_thread_ends_what_waits() -> None:
    waits = anyio.Event()

    @op
    async def endless() -> AsyncIterator[int]:
        yield 1
        waits.set()
        await anyio.sleep_forever()

    with GraphOp(name="g") as g:
        endless() >> PARENT["out"]
    handle = Operon(g).start()
    with anyio.fail_after(10):
        await waits.wait()
        await anyio.to_thread.run_sync(handle.stop)
        assert {"out": [1]} == dict(await handle.result())


async def test_a_stopped_run_without_sources_gives_its_result() -> None:
    @op
    async def slow() -> int:
        await anyio.sleep(0.005)
        return 1

    with GraphOp(name="g") as g:
        slow() >> END
    handle = Operon(g).start()
    handle.stop()
    assert {"result": 1} == dict(await handle.result())


async def test_what_an_op_raises_on_being_cancelled_is_not_retried() -> None:
    tries: list[int] = []
    began = anyio.Event()

    @op(retry=Retry(2, backoff=0))
    async def stubborn() -> int:
        tries.append(1)
        began.set()
        try:
            await anyio.sleep_forever()
        except anyio.get_cancelled_exc_class():
            raise ValueError("instead") from None
        return 1

    @op
    async def fails() -> int:
        await began.wait()
        raise LookupError

    with GraphOp(name="g") as g:
        stubborn() >> PARENT["a"]
        fails() >> PARENT["b"]
    with anyio.fail_after(10), pytest.raises(OpError):
        await Operon(g).run()
    assert [1] == tries
