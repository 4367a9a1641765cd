"""Policies, alone and together: timeout, retry, fallback, on_error, concurrency, rate."""

# Threads and loops of two kinds meet here: looking again is simpler than waking across them.
# ruff: noqa: ASYNC110

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Iterator
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
    collect,
    each,
    first_of,
    op,
    or_else,
)

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore::operonx.core.BlockingOpWarning"),  # CI is slow, not stuck
]


class Flaky:
    """Counts calls, and raises in the first `failures` of them."""

    def __init__(self, failures: int, error: type[Exception] = ValueError) -> None:
        self.failures = failures
        self.error = error
        self.calls = 0
        self.attempts: list[int] = []

    def __call__(self, x: int, run: RunContext) -> int:
        self.calls += 1
        self.attempts.append(run.attempt)
        if self.calls <= self.failures:
            raise self.error(f"call {self.calls}")
        return x * 2


def flaky_op(flaky: Flaky, how: str, **policies: Any) -> Any:
    """An op that asks `flaky`, as a function of each kind."""

    @op(**policies)
    def plain(x: int, run: RunContext) -> int:
        return flaky(x, run)

    @op(**policies)
    async def plain_async(x: int, run: RunContext) -> int:
        await anyio.lowlevel.checkpoint()
        return flaky(x, run)

    @op(**policies)
    def stream(x: int, run: RunContext) -> Iterator[int]:
        yield flaky(x, run)

    @op(**policies)
    async def stream_async(x: int, run: RunContext) -> AsyncIterator[int]:
        await anyio.lowlevel.checkpoint()
        yield flaky(x, run)

    kinds = {"def": plain, "async def": plain_async, "def gen": stream, "async gen": stream_async}
    return kinds[how]


KINDS = ["def", "async def", "def gen", "async gen"]


def alone(factory: Any) -> GraphOp:
    with GraphOp(name="g") as g:
        it = factory.with_(name="it")(x=PARENT["x"])
        it["result"] >> PARENT["out"]
    return g


def value(how: str, one: int) -> Any:
    return [one] if "gen" in how else one


# -- retry


@pytest.mark.parametrize("how", KINDS)
@pytest.mark.parametrize("run_in", ["auto", "inline", "thread"])
async def test_a_retry_makes_as_many_attempts_as_it_takes(how: str, run_in: Any) -> None:
    flaky = Flaky(failures=2)
    factory = flaky_op(flaky, how, retry=Retry(attempts=3))
    if not how.startswith("async"):
        factory = factory.with_(run_in=run_in)
    engine = Operon(alone(factory))
    assert value(how, 10) == (await engine.run({"x": 5}))["out"]
    assert [1, 2, 3] == flaky.attempts


@pytest.mark.parametrize("how", KINDS)
async def test_a_retry_ends_with_the_last_error_after_its_attempts(how: str) -> None:
    flaky = Flaky(failures=99)
    engine = Operon(alone(flaky_op(flaky, how, retry=Retry(attempts=3))))
    with pytest.raises(OpError, match="call 3") as caught:
        await engine.run({"x": 5})
    assert 3 == flaky.calls
    assert isinstance(caught.value.__cause__, ValueError)


@pytest.mark.parametrize("how", KINDS)
async def test_a_retry_is_for_the_errors_it_names(how: str) -> None:
    flaky = Flaky(failures=99, error=KeyError)
    engine = Operon(alone(flaky_op(flaky, how, retry=Retry(attempts=3, on=(ValueError,)))))
    with pytest.raises(OpError):
        await engine.run({"x": 5})
    assert 1 == flaky.calls


async def test_each_firing_has_attempts_of_its_own() -> None:
    calls: dict[int, int] = {}

    @op(retry=Retry(attempts=2))
    def once(x: int) -> int:
        calls[x] = calls.get(x, 0) + 1
        if calls[x] == 1:
            raise ValueError(x)
        return x

    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        it = once(x=item["item"])
        it >> PARENT["out"]
    assert [1, 2, 3] == (await Operon(g).run({"xs": [1, 2, 3]}))["out"]
    assert {1: 2, 2: 2, 3: 2} == calls


async def test_back_offs_double(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(anyio, "sleep", sleep)
    retry = Retry(attempts=5, backoff=0.5)
    with pytest.raises(OpError):
        await Operon(alone(flaky_op(Flaky(99), "def", retry=retry))).run({"x": 1})
    assert [0.5, 1.0, 2.0, 4.0] == waits


async def test_a_jitter_is_added_to_each_back_off(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(anyio, "sleep", sleep)
    retry = Retry(attempts=4, backoff=1.0, jitter=0.5)
    with pytest.raises(OpError):
        await Operon(alone(flaky_op(Flaky(99), "async def", retry=retry))).run({"x": 1})
    assert 3 == len(waits)
    assert all(base <= wait < base + 0.5 for base, wait in zip([1, 2, 4], waits, strict=True))


@pytest.mark.parametrize("how", KINDS)
async def test_a_cancelled_back_off_ends_at_once(how: str) -> None:
    flaky = Flaky(failures=99)
    engine = Operon(alone(flaky_op(flaky, how, retry=Retry(attempts=3, backoff=3600))))
    handle = engine.start({"x": 1})
    while not flaky.calls:
        await anyio.sleep(0.001)
    handle.cancel()
    with pytest.raises(Exception, match="cancelled"):
        await handle.result()
    assert 1 == flaky.calls


async def test_wrong_outputs_are_a_failure_that_is_retried() -> None:
    calls: list[int] = []

    @op(outputs=["a", "b"], retry=Retry(attempts=2))
    def partial() -> dict[str, int]:
        calls.append(1)
        return {"a": 1} if len(calls) == 1 else {"a": 1, "b": 2}

    with GraphOp(name="g") as g:
        partial() >> END
    assert {"a": 1, "b": 2} == dict(await Operon(g).run())


async def test_an_expression_that_raises_is_not_retried_nor_replaced() -> None:
    flaky = Flaky(0)
    factory = flaky_op(flaky, "def", retry=Retry(attempts=3), fallback=7)
    with GraphOp(name="g") as g:
        it = factory.with_(name="it")(x=PARENT["x"] // PARENT["y"])
        it >> END
    with pytest.raises(OpError) as caught:
        await Operon(g).run({"x": 1, "y": 0})
    assert ("g.it", ()) == (caught.value.op, caught.value.ctx)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert 0 == flaky.calls


# -- fallback


@pytest.mark.parametrize("how", ["def", "async def"])
async def test_a_fallback_value_stands_for_a_failed_firing(how: str, seen: Any) -> None:
    flaky = Flaky(failures=99)
    engine = Operon(alone(flaky_op(flaky, how, retry=Retry(attempts=2), fallback=-1)))
    async with engine.stream({"x": 5}) as run:
        frames = [frame async for frame in run]
    assert -1 == run.result["out"]
    assert [("g.it", (), {"result": -1})] == seen(frames)
    assert 2 == flaky.calls
    assert [] == run.result.errors


@pytest.mark.parametrize("how", ["def", "async def"])
async def test_a_fallback_of_none_is_a_value(how: str) -> None:
    engine = Operon(alone(flaky_op(Flaky(99), how, fallback=None)))
    assert {"out": None} == dict(await engine.run({"x": 5}))


@pytest.mark.parametrize("how", KINDS)
@pytest.mark.parametrize("spare", ["def", "async def"])
async def test_a_fallback_op_gets_the_same_inputs(how: str, spare: str, seen: Any) -> None:
    flaky, second = Flaky(failures=99), Flaky(failures=0)
    kind = f"{'async' if spare == 'async def' else 'def'} gen" if "gen" in how else spare
    engine = Operon(alone(flaky_op(flaky, how, fallback=flaky_op(second, kind))))
    async with engine.stream({"x": 5}) as run:
        frames = [frame async for frame in run]
    assert value(how, 10) == (await engine.run({"x": 5}))["out"]
    ctx = (("g.it", 0),) if "gen" in how else ()
    assert [("g.it", ctx, {"result": 10})] == seen(frames)
    assert (2, 2) == (flaky.calls, second.calls)


async def test_a_fallback_op_that_fails_is_the_failure() -> None:
    first, second = Flaky(99), Flaky(99, error=KeyError)
    engine = Operon(alone(flaky_op(first, "def", fallback=flaky_op(second, "def"))))
    with pytest.raises(OpError) as caught:
        await engine.run({"x": 5})
    assert "g.it" == caught.value.op
    assert isinstance(caught.value.__cause__, KeyError)


async def test_a_fallback_value_with_several_ports_is_a_mapping() -> None:
    @op(outputs=["a", "b"], fallback={"a": 1, "b": 2})
    def breaks() -> dict[str, int]:
        raise ValueError

    with GraphOp(name="g") as g:
        breaks() >> END
    assert {"a": 1, "b": 2} == dict(await Operon(g).run())


# -- timeout


class Never:
    """Functions that do not come to an end by themselves; counts begins and `finally`s."""

    def __init__(self) -> None:
        self.begun = 0
        self.ended = 0

    def as_op(self, how: str, **policies: Any) -> Any:
        @op(**policies)
        def plain(x: int, run: RunContext) -> int:
            self.begun += 1
            try:
                while not run.cancelled:
                    threading.Event().wait(0.001)
                run.raise_if_cancelled()
            finally:
                self.ended += 1
            return x

        @op(**policies)
        async def plain_async(x: int) -> int:
            self.begun += 1
            try:
                await anyio.sleep_forever()
            finally:
                self.ended += 1
            return x

        @op(**policies)
        def stream(x: int, run: RunContext) -> Iterator[int]:
            self.begun += 1
            try:
                while not run.cancelled:
                    threading.Event().wait(0.001)
                run.raise_if_cancelled()
                yield x
            finally:
                self.ended += 1

        @op(**policies)
        async def stream_async(x: int) -> AsyncIterator[int]:
            self.begun += 1
            try:
                await anyio.sleep_forever()
                yield x
            finally:
                self.ended += 1

        return {
            "def": plain,
            "async def": plain_async,
            "def gen": stream,
            "async gen": stream_async,
        }[how]


async def out_of_time(
    g: GraphOp, begun: Callable[[], object], pass_time: Callable[[float], None], **inputs: int
) -> OpError:
    """Run a graph, let half a minute pass once something in it has begun; return the failure."""

    async def wait() -> None:
        while not begun():
            await anyio.sleep(0.001)
        await anyio.sleep(0.001)  # what bounds it has begun as well
        pass_time(30)

    failure: OpError | None = None
    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        try:
            await Operon(g).run(inputs)
        except OpError as error:
            failure = error
        group.cancel_scope.cancel()
    assert failure is not None
    return failure


@pytest.mark.parametrize("how", KINDS)
async def test_a_timeout_bounds_a_firing(how: str) -> None:
    never = Never()
    with pytest.raises(OpError) as caught:
        await Operon(alone(never.as_op(how, timeout=0.01))).run({"x": 1})
    assert "g.it" == caught.value.op
    assert isinstance(caught.value.__cause__, TimeoutError)
    assert (1, 1) == (never.begun, never.ended)


@pytest.mark.parametrize("how", KINDS)
async def test_a_timeout_bounds_each_attempt(how: str) -> None:
    never = Never()
    factory = never.as_op(how, timeout=0.01, retry=Retry(attempts=3))
    with pytest.raises(OpError) as caught:
        await Operon(alone(factory)).run({"x": 1})
    assert isinstance(caught.value.__cause__, TimeoutError)
    assert (3, 3) == (never.begun, never.ended)


@pytest.mark.parametrize("how", ["def", "async def"])
async def test_a_fallback_comes_after_timeouts_and_retries(how: str) -> None:
    never = Never()
    factory = never.as_op(how, timeout=0.01, retry=Retry(attempts=2), fallback=3)
    assert 3 == (await Operon(alone(factory)).run({"x": 1}))["out"]
    assert (2, 2) == (never.begun, never.ended)


@pytest.mark.parametrize("how", KINDS)
async def test_on_error_comes_last(how: str) -> None:
    never = Never()
    factory = never.as_op(how, timeout=0.01, retry=Retry(attempts=2), on_error="skip")
    with GraphOp(name="g") as g:
        it = factory.with_(name="it")(x=PARENT["x"])
        it["result"] >> PARENT["out"]
    result = await Operon(g).run({"x": 1})
    assert [("g.it", (), TimeoutError)] == [(e.op, e.ctx, type(e.__cause__)) for e in result.errors]
    assert (2, 2) == (never.begun, never.ended)


async def test_the_timeout_of_a_generator_bounds_each_wait_not_their_sum(pass_time: Any) -> None:
    @op(timeout=20)
    async def slowly() -> AsyncIterator[int]:
        for i in range(6):
            pass_time(5)
            await anyio.sleep(0.001)
            yield i

    with GraphOp(name="g") as g:
        it = slowly()
        it >> PARENT["out"]
    assert [0, 1, 2, 3, 4, 5] == (await Operon(g).run())["out"]


async def test_the_timeout_of_a_generator_does_not_bound_its_wait_for_a_window(
    pass_time: Any,
) -> None:
    @op(timeout=20, max_open=1)
    async def quick() -> AsyncIterator[int]:
        yield 0
        yield 1

    @op
    async def slow(x: int) -> int:
        await anyio.sleep(0.001)  # the generator waits by now
        pass_time(30)
        await anyio.sleep(0.001)
        return x

    with GraphOp(name="g") as g:
        it = quick()
        s = slow(x=it)
        s >> PARENT["out"]
    assert [0, 1] == (await Operon(g).run())["out"]


async def test_a_timeout_does_not_bound_the_wait_for_a_place(pass_time: Any) -> None:
    @op(timeout=20, concurrency=1)
    async def slow(x: int) -> int:
        await anyio.sleep(0.001)  # the others wait by now
        pass_time(10)
        await anyio.sleep(0.001)
        return x

    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        s = slow(x=item["item"])
        s >> PARENT["out"]
    assert [1, 2, 3, 4, 5] == (await Operon(g).run({"xs": [1, 2, 3, 4, 5]}))["out"]


@pytest.mark.parametrize("how", KINDS)
async def test_a_timeout_bounds_a_graph(how: str, pass_time: Any) -> None:
    never = Never()
    with GraphOp(name="g") as g:
        with GraphOp(name="sub", inputs=["x"], timeout=20, x=PARENT["x"]) as sub:
            it = never.as_op(how).with_(name="it")(x=PARENT["x"])
            it["result"] >> PARENT["out"]
        sub["out"] >> PARENT["out"]
    failure = await out_of_time(g, lambda: never.begun, pass_time, x=1)
    assert ("g.sub", ()) == (failure.op, failure.ctx)
    assert isinstance(failure.__cause__, TimeoutError)
    assert (1, 1) == (never.begun, never.ended)


@pytest.mark.parametrize("how", KINDS)
async def test_a_timeout_bounds_a_loop(how: str, pass_time: Any) -> None:
    never = Never()
    with GraphOp(name="g") as g:
        with GraphOp.loop(name="again", until=PARENT["n"] > 3, n=0, timeout=20) as again:
            it = never.as_op(how).with_(name="it")(x=PARENT["n"])
            ref = it.collect().len() if "gen" in how else it["result"]
            ref >> PARENT["n"]
        again["n"] >> PARENT["out"]
    failure = await out_of_time(g, lambda: never.begun, pass_time)
    assert ("g.again", ()) == (failure.op, failure.ctx)
    assert isinstance(failure.__cause__, TimeoutError)
    assert (1, 1) == (never.begun, never.ended)


async def test_a_timeout_of_the_root_graph_bounds_the_run(pass_time: Any) -> None:
    never = Never()
    with GraphOp(name="g", timeout=20) as g:
        never.as_op("async def").with_(name="it")(x=PARENT["x"]) >> END
    failure = await out_of_time(g, lambda: never.begun, pass_time, x=1)
    assert ("g", ()) == (failure.op, failure.ctx)
    assert isinstance(failure.__cause__, TimeoutError)
    assert (1, 1) == (never.begun, never.ended)


async def test_a_graph_in_time_keeps_its_outputs() -> None:
    with GraphOp(name="g") as g:
        with GraphOp(name="sub", inputs=["x"], timeout=20, x=PARENT["x"]) as sub:
            flaky_op(Flaky(0), "async def").with_(name="it")(x=PARENT["x"]) >> END
        sub >> END
    assert {"result": 4} == dict(await Operon(g).run({"x": 2}))


# -- a generator that has yielded


def half(how: str, calls: list[int], **policies: Any) -> Any:
    @op(**policies)
    def stream() -> Iterator[int]:
        calls.append(1)
        yield 1
        yield 2
        raise ValueError("third")

    @op(**policies)
    async def stream_async() -> AsyncIterator[int]:
        calls.append(1)
        yield 1
        await anyio.lowlevel.checkpoint()
        yield 2
        raise ValueError("third")

    return stream if how == "def gen" else stream_async


@op
def spare() -> Iterator[int]:
    yield 100


@pytest.mark.parametrize("how", ["def gen", "async gen"])
@pytest.mark.parametrize("run_in", ["auto", "inline", "thread"])
async def test_a_generator_that_has_yielded_is_neither_retried_nor_replaced(
    how: str, run_in: Any
) -> None:
    calls: list[int] = []
    factory = half(how, calls, retry=Retry(attempts=3), fallback=spare)
    if how == "def gen":
        factory = factory.with_(run_in=run_in)
    with GraphOp(name="g") as g:
        it = factory.with_(name="it")()
        it["result"] >> PARENT["out"]
    with pytest.raises(OpError, match="third") as caught:
        await Operon(g).run()
    assert ("g.it", ()) == (caught.value.op, caught.value.ctx)
    assert 1 == len(calls)


@pytest.mark.parametrize("how", ["def gen", "async gen"])
async def test_a_timeout_after_a_yield_is_neither_retried_nor_replaced(
    how: str, pass_time: Any
) -> None:
    begun: list[int] = []
    yielded: list[int] = []

    @op(timeout=20, retry=Retry(attempts=3), fallback=spare)
    def stream(run: RunContext) -> Iterator[int]:
        begun.append(1)
        yield 1
        yielded.append(1)
        while not run.cancelled:
            threading.Event().wait(0.001)
        yield 2

    @op(timeout=20, retry=Retry(attempts=3), fallback=spare)
    async def stream_async() -> AsyncIterator[int]:
        begun.append(1)
        yield 1
        yielded.append(1)
        await anyio.sleep_forever()
        yield 2

    with GraphOp(name="g") as g:
        it = (stream if how == "def gen" else stream_async).with_(name="it")()
        it >> PARENT["out"]
    failure = await out_of_time(g, lambda: yielded, pass_time)
    assert isinstance(failure.__cause__, TimeoutError)
    assert 1 == len(begun)


# -- on_error and op.error


@pytest.mark.parametrize("how", KINDS)
async def test_on_error_skip_skips_and_lists_the_error(how: str) -> None:
    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        flaky = Flaky(failures=0)

        @op
        def check(x: int) -> int:
            if x == 2:
                raise ValueError("two")
            return x

        good = check.with_(on_error="skip")(x=item["item"])
        it = flaky_op(flaky, how).with_(name="it")(x=good)
        it["result"] >> PARENT["out"]
    result = await Operon(g).run({"xs": [1, 2, 3]})
    assert [value(how, 2), value(how, 6)] == result["out"]
    assert [("g.good", (("g.item", 1),), "two")] == [
        (error.op, error.ctx, error.cause_message) for error in result.errors
    ]


async def test_errors_are_listed_in_context_order_then_by_path() -> None:
    @op(on_error="skip")
    async def fails_late_first(x: int) -> int:
        await anyio.sleep((4 - x) * 0.005)
        raise ValueError(x)

    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        b = fails_late_first(x=item["item"])
        a = fails_late_first(x=item["item"])
        b >> PARENT["b"]
        a >> PARENT["a"]
    result = await Operon(g).run({"xs": [1, 2, 3]})
    assert [(path, (("g.item", i),)) for i in range(3) for path in ("g.a", "g.b")] == [
        (error.op, error.ctx) for error in result.errors
    ]
    assert {"a": [], "b": []} == dict(result)


@pytest.mark.parametrize("how", ["def", "async def"])
async def test_an_error_that_is_read_is_handled(how: str) -> None:
    flaky = Flaky(failures=2)

    @op(returns="text")
    def mend(error: dict[str, Any]) -> Any:
        return error

    with GraphOp(name="g") as g:
        it = flaky_op(flaky, how, retry=Retry(attempts=2)).with_(name="it")(x=PARENT["x"])
        mended = mend(error=it.error)
        first_of(it["result"], mended["text"]) >> PARENT["out"]
    engine = Operon(g)
    result = await engine.run({"x": 1})
    expected: dict[str, Any] = {"type": "ValueError", "message": "call 2", "op": "g.it", "ctx": []}
    assert expected == result["out"]
    assert [] == result.errors
    assert 2 == flaky.calls
    assert {"out": 6} == dict(await engine.run({"x": 3}))  # it no longer fails: mend is skipped
    assert "g.mended" in (await engine.run({"x": 3})).skipped


async def test_a_failed_item_does_not_shift_the_others() -> None:
    @op(on_error="skip")
    def odd(x: int) -> int:
        if x % 2 == 0:
            raise ValueError(x)
        return x

    @op
    def both(left: list[int], right: list[Any]) -> list[Any]:
        return list(zip(left, right, strict=True))

    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        it = odd(x=item["item"])
        pairs = both(left=item["item"].collect(), right=collect(or_else(it, None)))
        pairs >> PARENT["out"]
    assert [(1, 1), (2, None), (3, 3), (4, None)] == (await Operon(g).run({"xs": [1, 2, 3, 4]}))[
        "out"
    ]


@pytest.mark.parametrize("how", ["def gen", "async gen"])
async def test_a_failed_generator_keeps_its_items_and_skips_its_end(how: str) -> None:
    @op
    def double(x: int) -> int:
        return x * 2

    @op
    def total(xs: list[int]) -> int:
        return sum(xs)

    doubled: list[Any] = []
    with GraphOp(name="g") as g:
        it = half(how, [], on_error="skip").with_(name="it")()
        d = double(x=it)
        t = total(xs=collect(d))
        t >> PARENT["sum"]
    async with Operon(g).stream() as run:
        doubled = [
            (frame.ctx[0][1], frame.outputs["result"])
            async for frame in run
            if frame.op_name == "g.d"
        ]
    assert [(0, 2), (1, 4)] == sorted(doubled)
    assert {} == dict(run.result)
    assert [("g.it", (), "third")] == [
        (error.op, error.ctx, error.cause_message) for error in run.result.errors
    ]
    assert "g.t" in run.result.skipped
    with pytest.raises(KeyError, match="third"):
        run.result["sum"]


async def test_a_graph_that_fails_under_on_error_skip_is_skipped() -> None:
    with GraphOp(name="g") as g:
        with GraphOp(name="sub", inputs=["x"], on_error="skip", x=PARENT["x"]) as sub:
            bad = flaky_op(Flaky(99), "async def").with_(name="bad")(x=PARENT["x"])
            bad["result"] >> PARENT["out"]
        sub["out"].or_else("none") >> PARENT["out"]
    result = await Operon(g).run({"x": 1})
    assert {"out": "none"} == dict(result)
    assert [("g.sub.bad", ())] == [(error.op, error.ctx) for error in result.errors]


async def test_a_graph_that_fails_hands_on_nothing_of_what_it_does_not_stream() -> None:
    @op
    async def late(x: int) -> int:
        await anyio.sleep(0.001)
        raise ValueError(x)

    with GraphOp(name="g") as g:
        with GraphOp(name="sub", inputs=["x"], on_error="skip", x=PARENT["x"]) as sub:
            fine = flaky_op(Flaky(0), "def", run_in="inline").with_(name="fine")(x=PARENT["x"])
            bad = late(x=PARENT["x"])
            fine["result"] >> PARENT["fine"]
            bad >> PARENT["bad"]
        sub["fine"] >> PARENT["fine"]
        sub["bad"] >> PARENT["bad"]
    assert {} == dict(await Operon(g).run({"x": 1}))


# -- concurrency


class Gauge:
    """How many are inside at one time, at most, and in which order they came.

    None is to leave before `cap` have been inside at one time, nor before the one that was let in
    ahead of it has come, which threads may do late.
    """

    def __init__(self, cap: int = 1) -> None:
        self._lock = threading.Lock()
        self._cap = cap
        self.now = 0
        self.most = 0
        self.order: list[int] = []

    def __enter__(self) -> None:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self.now -= 1

    def _rounds(self, x: int) -> Iterator[None]:
        for _ in range(5000):
            if self.most >= self._cap and (self._cap <= 1 or x == 0 or x - 1 in self.order):
                return
            yield
        self._cap = 0  # they will never come: let the test say so

    async def stay(self, x: int) -> None:
        """Be inside for a while."""
        self.order.append(x)
        await anyio.sleep(0.002 * (x % 3))
        for _ in self._rounds(x):
            await anyio.sleep(0.001)

    def stay_in_thread(self, x: int) -> None:
        """Be inside for a while."""
        self.order.append(x)
        threading.Event().wait(0.002 * (x % 3))
        for _ in self._rounds(x):
            threading.Event().wait(0.001)


def gauged(gauge: Gauge, how: str, **policies: Any) -> Any:
    @op(run_in="thread", **policies)
    def plain(x: int) -> int:
        with gauge:
            gauge.stay_in_thread(x)
            return x

    @op(**policies)
    async def plain_async(x: int) -> int:
        with gauge:
            await gauge.stay(x)
            return x

    @op(run_in="thread", **policies)
    def stream(x: int) -> Iterator[int]:
        with gauge:
            gauge.stay_in_thread(x)
            yield x
            yield x

    @op(**policies)
    async def stream_async(x: int) -> AsyncIterator[int]:
        with gauge:
            await gauge.stay(x)
            yield x
            yield x

    kinds = {"def": plain, "async def": plain_async, "def gen": stream, "async gen": stream_async}
    return kinds[how]


@op
async def out_of_order(x: int) -> int:
    await anyio.sleep(0.002 * (7 * x % 5))
    return x


@pytest.mark.parametrize("how", KINDS)
@pytest.mark.parametrize("cap", [1, 3])
async def test_never_more_firings_than_the_cap(how: str, cap: int) -> None:
    gauge = Gauge(cap)
    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        it = gauged(gauge, how, concurrency=cap).with_(name="it")(x=item["item"])
        it["result"] >> PARENT["out"]
    xs = list(range(12))
    expected = [[x, x] for x in xs] if "gen" in how else xs
    assert expected == (await Operon(g).run({"xs": xs}))["out"]
    assert cap == gauge.most
    assert xs == sorted(gauge.order)


@pytest.mark.parametrize("how", KINDS)
async def test_one_place_goes_out_in_context_order(how: str) -> None:
    gauge = Gauge()
    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        shuffled = out_of_order(x=item["item"])
        it = gauged(gauge, how, concurrency=1).with_(name="it")(x=shuffled)
        it["result"] >> PARENT["out"]
    await Operon(g).run({"xs": list(range(12))})
    assert list(range(12)) == gauge.order


@pytest.mark.parametrize("how", ["def gen", "async gen"])
async def test_places_of_a_capped_generator_go_out_in_context_order(how: str) -> None:
    gauge = Gauge(cap=2)
    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        shuffled = out_of_order(x=item["item"])
        it = gauged(gauge, how, concurrency=2).with_(name="it")(x=shuffled)
        it["result"] >> PARENT["out"]
    await Operon(g).run({"xs": list(range(12))})
    # Two that begin together may reach their first line in either order when in threads.
    starts = gauge.order
    assert all(abs(i - x) <= 1 for i, x in enumerate(starts))
    assert list(range(12)) == sorted(starts)
    assert 2 == gauge.most


async def test_places_go_out_outer_index_first() -> None:
    gauge = Gauge()
    with GraphOp(name="g") as g:
        row = each(PARENT["rows"])
        late = out_of_order(x=row["index"])
        with GraphOp(name="sub", inputs=["row", "late"], row=row["item"], late=late) as sub:
            cell = each(PARENT["row"])
            shuffled = out_of_order(x=cell["item"])
            it = gauged(gauge, "async def", concurrency=1).with_(name="it")(x=shuffled)
            it["result"] >> PARENT["out"]
        sub["out"] >> PARENT["out"]
    rows = [[4 * i + j for j in range(4)] for i in range(5)]
    assert rows == (await Operon(g).run({"rows": rows}))["out"]
    assert list(range(20)) == gauge.order


@pytest.mark.parametrize("cap", [1, 2])
async def test_never_more_firings_of_a_graph_than_its_cap(cap: int) -> None:
    gauge = Gauge(cap)

    @op
    async def enter(x: int) -> int:
        gauge.__enter__()
        await gauge.stay(x)
        return x

    @op
    async def leave(x: int) -> int:
        await anyio.lowlevel.checkpoint()
        gauge.__exit__()
        return x

    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        shuffled = out_of_order(x=item["item"])
        with GraphOp(name="sub", inputs=["x"], concurrency=cap, x=shuffled) as sub:
            entered = enter(x=PARENT["x"])
            left = leave(x=entered)
            left >> PARENT["out"]
        sub["out"] >> PARENT["out"]
    xs = list(range(12))
    assert xs == (await Operon(g).run({"xs": xs}))["out"]
    assert cap == gauge.most
    assert xs == gauge.order


async def test_a_cap_is_for_one_run() -> None:
    gauge = Gauge()
    both = anyio.Event()

    @op(concurrency=1)
    async def meet(x: int) -> int:
        with gauge:
            if gauge.now == 2:
                both.set()
            await both.wait()
            return x

    with GraphOp(name="g") as g:
        meet(x=PARENT["x"]) >> END
    engine = Operon(g)
    async with anyio.create_task_group() as group:
        group.start_soon(engine.run, {"x": 1})
        group.start_soon(engine.run, {"x": 2})
    assert 2 == gauge.most


async def test_skipped_items_give_their_turn_on() -> None:
    gauge = Gauge()

    @op(on_error="skip")
    async def odd(x: int) -> int:
        await anyio.sleep(0.002 * (7 * x % 5))
        if x % 2 == 0:
            raise ValueError(x)
        return x

    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        o = odd(x=item["item"])
        it = gauged(gauge, "async def", concurrency=1).with_(name="it")(x=o)
        it["result"] >> PARENT["out"]
    assert [1, 3, 5, 7] == (await Operon(g).run({"xs": list(range(8))}))["out"]
    assert [1, 3, 5, 7] == gauge.order


async def test_a_failing_firing_frees_its_place() -> None:
    gauge = Gauge()

    @op(concurrency=1, on_error="skip", retry=Retry(attempts=2))
    async def never(x: int) -> int:
        with gauge:
            await anyio.lowlevel.checkpoint()
            raise ValueError(x)

    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        it = never(x=item["item"])
        it >> PARENT["out"]
    result = await Operon(g).run({"xs": list(range(5))})
    assert (5, 1) == (len(result.errors), gauge.most)


# -- rate


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Until when the engine waits: what it decides, whenever the machine then lets it go on."""
    found: list[float] = []
    real = anyio.sleep_until

    async def sleep_until(deadline: float) -> None:
        found.append(deadline)
        await real(deadline)

    monkeypatch.setattr(anyio, "sleep_until", sleep_until)
    return found


@pytest.mark.parametrize("how", KINDS)
async def test_at_most_so_many_attempts_begin_in_any_such_time(
    how: str, waits: list[float]
) -> None:
    flaky = Flaky(failures=0)
    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        it = flaky_op(flaky, how, rate=Rate(2, per=0.05)).with_(name="it")(x=item["item"])
        it["result"] >> PARENT["out"]
    await Operon(g).run({"xs": list(range(6))})
    assert 6 == flaky.calls
    ordered = sorted(set(waits))[-4:]
    assert all(
        later - sooner >= 0.05 - 1e-6 for sooner, later in zip(ordered, ordered[2:], strict=False)
    )


async def test_a_late_attempt_delays_those_after_it(waits: list[float], pass_time: Any) -> None:
    begun: list[int] = []

    @op(rate=Rate(1, per=20))
    async def limited(x: int) -> int:
        begun.append(x)
        return x

    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        it = limited(x=item["item"])
        it >> PARENT["out"]
    async with anyio.create_task_group() as group:
        group.start_soon(Operon(g).run, {"xs": [1, 2, 3]})
        for turn in (1, 2):
            while len(begun) < turn:
                await anyio.sleep(0.001)
            pass_time(30)  # a machine that stands still while the next is due
    assert [1, 2, 3] == begun
    first, second = waits
    assert second - first >= 30 - 1e-6


async def test_retries_count_for_the_rate(waits: list[float]) -> None:
    begun: list[int] = []

    @op(rate=Rate(1, per=0.03), retry=Retry(attempts=3), on_error="skip")
    async def fails() -> int:
        begun.append(1)
        raise ValueError

    with GraphOp(name="g") as g:
        fails() >> END
    await Operon(g).run()
    assert 3 == len(begun)
    first, second = waits
    assert second - first >= 0.03 - 1e-6


# -- in combination


COMBINATIONS = [
    {"retry": 1, "timeout": 1},
    {"retry": 1, "concurrency": 1},
    {"retry": 1, "rate": 1},
    {"retry": 1, "fallback": 1},
    {"retry": 1, "on_error": 1},
    {"timeout": 1, "concurrency": 1},
    {"timeout": 1, "rate": 1},
    {"fallback": 1, "concurrency": 1},
    {"retry": 1, "timeout": 1, "concurrency": 1, "rate": 1},
    {"retry": 1, "timeout": 1, "concurrency": 1, "rate": 1, "fallback": 1, "on_error": 1},
]


@pytest.mark.parametrize("names", COMBINATIONS, ids="+".join)
@pytest.mark.parametrize("how", KINDS)
@pytest.mark.parametrize("failing", [False, True], ids=["well", "failing"])
async def test_policies_combine(names: dict[str, int], how: str, failing: bool) -> None:
    second: dict[str, Any] = {"fallback": flaky_op(Flaky(0), how)}
    settings = {
        "retry": Retry(attempts=3),
        "timeout": 20.0,
        "concurrency": 2,
        "rate": Rate(1000, per=1.0),
        "on_error": "skip",
    } | second
    chosen = {name: settings[name] for name in names}
    flaky = Flaky(failures=10**9 if failing else 0)
    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        it = flaky_op(flaky, how, **chosen).with_(name="it")(x=item["item"])
        it["result"] >> PARENT["out"]
    engine = Operon(g)
    attempts = 3 if "retry" in names else 1
    good = [value(how, 2), value(how, 4)]
    for turn in range(1, 4):
        if failing and "fallback" not in names and "on_error" not in names:
            with pytest.raises(OpError, match=r"g\.it"):
                await engine.run({"xs": [1, 2]})
            continue
        result = await engine.run({"xs": [1, 2]})
        skipped = failing and "fallback" not in names
        if skipped and "gen" in how:
            assert [] == [x for x in result.get("out", []) if x]
        else:
            assert ([] if skipped else good) == result["out"]
        assert (2 if skipped else 0) == len(result.errors)
        assert turn * 2 * (attempts if failing else 1) == flaky.calls
