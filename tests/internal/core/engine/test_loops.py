"""Loops: state, its reducers, `until`, iterations as they come, and loops with streams in them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from operonx.core import (
    END,
    PARENT,
    GraphOp,
    LoopLimitError,
    Operon,
    OpError,
    State,
    collect,
    each,
    error_of,
    graph,
    if_,
    length,
    op,
)

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore::operonx.core.BlockingOpWarning"),  # CI is slow, not stuck
]


@op
def inc(x: int) -> int:
    return x + 1


@op
async def inc_async(x: int) -> int:
    await anyio.lowlevel.checkpoint()
    return x + 1


@op
def add(a: int, b: int) -> int:
    return a + b


@op
def down_from(x: int) -> Iterator[int]:
    yield from range(x)


@op
async def down_slowly(x: int) -> AsyncIterator[int]:
    for i in range(x):
        await anyio.lowlevel.checkpoint()
        yield i


@op
def listed(xs: list[Any]) -> list[Any]:
    return xs


@pytest.fixture(params=["def", "async def"])
def step(request: pytest.FixtureRequest) -> Any:
    return inc if request.param == "def" else inc_async


async def test_a_loop_ends_when_until_holds(step: Any, seen: Any) -> None:
    with GraphOp(name="g") as g:
        with GraphOp.loop(until=PARENT["n"] >= 3, n=PARENT["from"]) as loop:
            s = step.with_(name="s")(x=PARENT["n"])
            s["result"] >> PARENT["n"]
        loop["n"] >> PARENT["out"]
    engine = Operon(g)
    assert {"out": 3} == dict(await engine.run({"from": 0}))
    frames = [frame async for frame in engine.stream({"from": 1})]
    assert [
        ("g.loop.s", (("g.loop", 0),), {"result": 2}),
        ("g.loop.s", (("g.loop", 1),), {"result": 3}),
    ] == seen(frames)


async def test_a_body_runs_at_least_once(step: Any) -> None:
    with GraphOp(name="g") as g:
        with GraphOp.loop(until="n >= 3", n=PARENT["from"]) as loop:
            s = step.with_(name="s")(x=PARENT["n"])
            s["result"] >> PARENT["n"]
        loop["n"] >> PARENT["out"]
    assert {"out": 11} == dict(await Operon(g).run({"from": 10}))


async def test_until_reads_state_outputs_and_the_iteration(step: Any) -> None:
    with GraphOp(name="g") as g:
        with GraphOp.loop(until="iteration >= 4 or out > 100 and n == 2", n=0) as loop:
            s = step.with_(name="s")(x=PARENT["n"])
            s["result"] >> PARENT["n"]
            o = add(a=100, b=s["result"])
            o >> PARENT["out"]
        loop >> END
    assert {"n": 2, "out": 102} == dict(await Operon(g).run())


async def test_a_loop_without_an_end_raises_at_its_own_context(step: Any) -> None:
    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        with GraphOp.loop(until=PARENT["n"] < 0, max_iterations=5, n=item["item"]) as loop:
            s = step.with_(name="s")(x=PARENT["n"])
            s["result"] >> PARENT["n"]
        loop["n"] >> PARENT["out"]
    with pytest.raises(LoopLimitError) as caught:
        await Operon(g).run({"xs": [1]})
    assert ("g.loop", (("g.item", 0),)) == (caught.value.op, caught.value.ctx)
    assert isinstance(caught.value, OpError)
    assert str(caught.value).startswith(
        'loop `g.loop` at g.item[0]: `PARENT["n"] < 0` was still false after 5 iterations '
        "(state: n=6)\nhint: raise `max_iterations=`"
    )


async def test_a_loop_limit_shows_the_last_state_but_no_secret() -> None:
    with GraphOp(name="g") as g:
        with GraphOp.loop(until="n < 0", max_iterations=1, n=0, api_key="abc") as loop:
            s: Any = inc(x=PARENT["n"])
            s["result"] >> PARENT["n"]
        loop["n"] >> PARENT["out"]
        loop["api_key"] >> PARENT["key"]
    with pytest.raises(LoopLimitError, match="`n < 0` was still false after 1 itera") as caught:
        await Operon(g).run()
    assert {"n": "1", "api_key": "<redacted>"} == caught.value.inputs


async def test_the_error_of_a_loop_without_an_end_names_its_class() -> None:
    @op
    def kind(error: dict[str, Any]) -> str:
        return str(error["type"])

    with GraphOp(name="g") as g:
        with GraphOp.loop(until="n < 0", max_iterations=2, n=0) as loop:
            s: Any = inc(x=PARENT["n"])
            s["result"] >> PARENT["n"]
        loop["n"] >> PARENT["out"]
        kind(error=error_of(loop)) >> PARENT["kind"]
    result = await Operon(g).run()
    assert "LoopLimitError" == result["kind"]
    assert "`n < 0` was still false after 2 iterations" in result.why("g.loop")


async def test_until_may_hold_in_the_last_iteration_allowed(step: Any) -> None:
    with GraphOp(name="g") as g:
        with GraphOp.loop(until=PARENT["n"] >= 5, max_iterations=5, n=0) as loop:
            s = step.with_(name="s")(x=PARENT["n"])
            s["result"] >> PARENT["n"]
        loop["n"] >> PARENT["out"]
    assert {"out": 5} == dict(await Operon(g).run())


@pytest.mark.parametrize("until", ["n / 0 > 1", "n", "n == 0 or text > 1"])
async def test_an_until_that_raises_or_is_no_boolean_fails_the_loop(until: str) -> None:
    with GraphOp(name="g") as g:
        with GraphOp.loop(until=until, n=0, text="a") as loop:
            s = inc(x=PARENT["n"])
            s >> PARENT["n"]
        loop["n"] >> PARENT["out"]
    with pytest.raises(OpError) as caught:
        await Operon(g).run()
    assert ("g.loop", ()) == (caught.value.op, caught.value.ctx)
    assert LoopLimitError is not type(caught.value)


async def test_writes_take_effect_together_at_the_end_of_an_iteration() -> None:
    with GraphOp(name="g") as g:
        with GraphOp.loop(until=PARENT.iteration >= 2, a=1, b=10) as loop:
            left = add(a=PARENT["b"], b=0)
            right = add(a=PARENT["a"], b=0)
            left >> PARENT["a"]
            right >> PARENT["b"]
        loop["a"] >> PARENT["a"]
        loop["b"] >> PARENT["b"]
    # swapped three times
    assert {"a": 10, "b": 1} == dict(await Operon(g).run())


async def test_what_was_skipped_writes_nothing() -> None:
    with GraphOp(name="g") as g:
        with GraphOp.loop(until=PARENT["n"] >= 4, n=0, odd=-1) as loop:
            s = inc(x=PARENT["n"])
            s >> PARENT["n"]
            o = add(a=PARENT["n"], b=0)
            if_(PARENT["n"] % 2 == 1, o)
            o >> PARENT["odd"]
        loop["odd"] >> PARENT["odd"]
    assert {"odd": 3} == dict(await Operon(g).run())


async def test_an_output_of_the_name_of_a_state_writes_it() -> None:
    @op(outputs=["n", "twice"])
    def both(n: int) -> dict[str, int]:
        return {"n": n + 1, "twice": 2 * n}

    with GraphOp(name="g") as g:
        with GraphOp.loop(until=PARENT["n"] >= 3, n=0) as loop:
            b = both(n=PARENT["n"])
            b >> END
        loop >> END
    assert {"n": 3, "twice": 4} == dict(await Operon(g).run())


@pytest.mark.parametrize(
    ("reducer", "initial", "written", "expected"),
    [
        ("append", [], [1, 2], [1, 2, 1, 2]),
        ("extend", [0], [[1], [2, 3]], [0, 1, 2, 3, 1, 2, 3]),
        ("sum", 10, [1, 2], 16),
        ("merge", {"a": 0}, [{"b": 1}, {"a": 2}], {"a": 2, "b": 1}),
    ],
)
async def test_a_reducer_combines_several_writes(
    reducer: Any, initial: Any, written: list[Any], expected: Any
) -> None:
    @op(returns="value")
    def give(value: Any) -> Any:
        return value

    with GraphOp(name="g") as g:
        with GraphOp.loop(
            until=PARENT.iteration >= 1, state=State(initial, reducer=reducer)
        ) as loop:
            first = give(value=written[0])
            second = give(value=written[1])
            first["value"] >> PARENT["state"]
            second["value"] >> PARENT["state"]
        loop["state"] >> PARENT["out"]
    engine = Operon(g)
    for _ in range(2):  # no run changes another's initial value
        assert {"out": expected} == dict(await engine.run())


async def test_writes_of_a_stream_are_in_context_order_whatever_the_timing() -> None:
    @op
    async def shuffled(x: int) -> int:
        await anyio.sleep(0.0005 * (7 * x % 5))
        return x

    with GraphOp(name="g") as g:
        with GraphOp.loop(until=PARENT.iteration >= 1, found=State([], reducer="append")) as loop:
            d = down_slowly(x=6)
            s = shuffled(x=d)
            s >> PARENT["found"]
        loop["found"] >> PARENT["out"]
    assert {"out": [0, 1, 2, 3, 4, 5] * 2} == dict(await Operon(g).run())


@pytest.mark.parametrize("how", ["an op", "a reducer"])
async def test_an_iteration_that_failed_has_no_state_after_it(how: str) -> None:
    @op
    def step(n: int) -> int:
        if how == "an op" and n == 1:
            raise ValueError(n)
        return n + 1

    @op(returns="value")
    def part(n: int) -> Any:
        return "no number" if how == "a reducer" and n == 1 else 1

    @op(returns="value")
    def shown(x: Any) -> Any:
        return x

    with GraphOp(name="g") as g:
        with GraphOp.loop(
            until=PARENT.iteration >= 2, n=0, all=State(0, reducer="sum"), on_error="skip"
        ) as loop:
            step(n=PARENT["n"]) >> PARENT["n"]
            part(n=PARENT["n"]) >> PARENT["all"]
        seen = shown(x=loop.iterations["n"])
        seen["value"] >> PARENT["seen"]
    async with Operon(g).stream({}) as run:
        frames = [frame.outputs["value"] async for frame in run if frame.op_name == "g.seen"]
    assert [1] == frames
    assert 1 == len(run.result.errors)


async def test_a_stream_that_failed_writes_nothing_to_a_reducer() -> None:
    @op(on_error="skip")
    def breaks(i: int) -> Iterator[int]:
        yield 10 * i
        if i == 1:
            raise ValueError(i)
        yield 10 * i + 1

    with GraphOp(name="g") as g:
        with GraphOp.loop(until=PARENT.iteration >= 2, xs=State([], reducer="append")) as loop:
            breaks(i=PARENT.iteration) >> PARENT["xs"]
        loop["xs"] >> PARENT["xs"]
    result = await Operon(g).run({})
    assert [0, 1, 20, 21] == result["xs"]
    assert ["g.loop.breaks"] == [error.op for error in result.errors]


async def test_a_reducer_that_raises_fails_the_loop() -> None:
    @op(returns="value")
    def give() -> Any:
        return "text"

    with GraphOp(name="g") as g:
        with GraphOp.loop(until=PARENT.iteration >= 1, n=State(0, reducer="sum")) as loop:
            give()["value"] >> PARENT["n"]
        loop["n"] >> PARENT["out"]
    with pytest.raises(OpError) as caught:
        await Operon(g).run()
    assert ("g.loop", ()) == (caught.value.op, caught.value.ctx)


async def test_the_axes_of_a_body_are_collected_as_at_the_root() -> None:
    with GraphOp(name="g") as g:
        with GraphOp.loop(until=PARENT["n"] >= 3, n=1) as loop:
            d = down_from(x=PARENT["n"])
            d >> PARENT["items"]
            s = inc(x=PARENT["n"])
            s >> PARENT["n"]
        loop["items"] >> PARENT["out"]
    assert {"out": [0, 1]} == dict(await Operon(g).run())


@pytest.mark.parametrize("source", [down_from, down_slowly], ids=["def", "async def"])
async def test_iterations_come_with_the_axes_of_the_body_below(source: Any, seen: Any) -> None:
    with GraphOp(name="g") as g:
        with GraphOp.loop(until=PARENT["n"] >= 3, n=1) as loop:
            d = source.with_(name="d")(x=PARENT["n"])
            d["result"] >> PARENT["items"]
            s = inc(x=PARENT["n"])
            s >> PARENT["n"]
        plus = add(a=loop.iterations["items"], b=100)
        plus >> PARENT["plus"]
        states = add(a=loop.iterations["n"], b=0)
        states >> PARENT["states"]
    engine = Operon(g)
    result = await engine.run()
    assert {"plus": [[100], [100, 101]], "states": [2, 3]} == dict(result)
    frames = [f async for f in engine.stream() if f.op_name == "g.plus"]
    assert [
        ("g.plus", (("g.loop", 0), ("g.loop.d", 0)), {"result": 100}),
        ("g.plus", (("g.loop", 1), ("g.loop.d", 0)), {"result": 100}),
        ("g.plus", (("g.loop", 1), ("g.loop.d", 1)), {"result": 101}),
    ] == seen(frames)


async def test_what_an_iteration_gives_leaves_before_the_next_begins() -> None:
    log: list[str] = []

    @op
    async def turn(n: int) -> int:
        log.append(f"turn {n}")
        await anyio.lowlevel.checkpoint()
        return n + 1

    @op(run_in="inline")
    def watch(n: int) -> int:
        log.append(f"watch {n}")
        return n

    @op
    async def tokens(n: int) -> AsyncIterator[int]:
        for i in range(2):
            await anyio.lowlevel.checkpoint()
            log.append(f"token {n}.{i}")
            yield i

    @op(run_in="inline")
    def see(i: int) -> int:
        log.append(f"see {i}")
        return i

    with GraphOp(name="g") as g:
        with GraphOp.loop(until=PARENT["n"] >= 2, n=0) as loop:
            t = tokens(n=PARENT["n"])
            t >> PARENT["token"]
            s = turn(n=PARENT["n"] + length(collect(t)) * 0)
            s >> PARENT["n"]
        w = watch(n=loop.iterations["n"])
        s2 = see(i=loop.iterations["token"])
        w >> PARENT["w"]
        s2 >> PARENT["s"]
    assert {"w": [1, 2], "s": [[0, 1], [0, 1]]} == dict(await Operon(g).run())
    tokens_first = ["token 0.0", "see 0", "token 0.1", "see 1", "turn 0"]
    assert tokens_first == log[:5]
    assert log.index("watch 1") < log.index("token 1.1")
    assert [line for line in log if line.startswith("turn")] == ["turn 0", "turn 1"]


async def test_loops_nest(step: Any) -> None:
    with GraphOp(name="g") as g:
        with GraphOp.loop(until=PARENT["i"] >= 3, i=0, sum=0) as outer:
            with GraphOp.loop(until=PARENT["j"] >= 2, j=0, total=PARENT["sum"]) as inner:
                t = add(a=PARENT["total"], b=1)
                t >> PARENT["total"]
                s = step.with_(name="s")(x=PARENT["j"])
                s["result"] >> PARENT["j"]
            inner["total"] >> PARENT["sum"]
            k = inc(x=PARENT["i"])
            k >> PARENT["i"]
        outer["sum"] >> PARENT["out"]
    engine = Operon(g)
    assert {"out": 6} == dict(await engine.run())
    contexts = sorted([f.ctx async for f in engine.stream() if f.op_name == "g.outer.inner.s"])
    expected = [(("g.outer", i), ("g.outer.inner", j)) for i in range(3) for j in range(2)]
    assert expected == contexts


async def test_a_loop_in_a_stream_runs_once_an_item(step: Any) -> None:
    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        with GraphOp.loop(until=PARENT["n"] % 5 == 0, n=item["item"]) as loop:
            s = step.with_(name="s")(x=PARENT["n"])
            s["result"] >> PARENT["n"]
        loop["n"] >> PARENT["out"]
    assert {"out": [5, 10, 5, 15]} == dict(await Operon(g).run({"xs": [1, 5, 4, 11]}))


async def test_the_exit_arm_of_a_loop_runs_where_it_is_chosen_only() -> None:
    exits: list[int] = []

    @op
    def leave(n: int) -> str:
        exits.append(n)
        return f"left at {n}"

    with GraphOp(name="g") as g:
        with GraphOp.loop(until="done", n=0) as loop:
            s = inc(x=PARENT["n"])
            s >> PARENT["n"]
            end = leave(n=s)
            if_(s >= 3, end)
            end >> PARENT["text"]
            (s >= 3) >> PARENT["done"]
        loop["text"] >> PARENT["out"]
    assert {"out": "left at 3"} == dict(await Operon(g).run())
    assert [3] == exits


async def test_an_output_skipped_in_the_last_iteration_is_absent() -> None:
    with GraphOp(name="g") as g:
        with GraphOp.loop(until=PARENT["n"] >= 2, n=0) as loop:
            s = inc(x=PARENT["n"])
            s >> PARENT["n"]
            early = add(a=s, b=0)
            if_(s == 1, early)
            early >> PARENT["early"]
        loop["early"] >> PARENT["early"]
        loop["n"] >> PARENT["n"]
    result = await Operon(g).run()
    assert {"n": 2} == dict(result)
    with pytest.raises(KeyError):
        result["early"]


async def test_a_failure_in_an_iteration_is_at_its_context() -> None:
    @op
    def check(n: int) -> int:
        if n == 2:
            raise ValueError("two")
        return n + 1

    with GraphOp(name="g") as g:
        with GraphOp.loop(until=PARENT["n"] >= 9, n=0) as loop:
            c = check(n=PARENT["n"])
            c >> PARENT["n"]
        loop["n"] >> PARENT["out"]
    with pytest.raises(OpError) as caught:
        await Operon(g).run()
    assert ("g.loop.c", (("g.loop", 2),)) == (caught.value.op, caught.value.ctx)


async def test_the_error_of_a_loop_is_that_of_the_op_in_it() -> None:
    @op
    def check(n: int) -> int:
        if n == 2:
            raise ValueError("two")
        return n + 1

    @op(returns="error")
    def mend(error: dict[str, Any]) -> Any:
        return error

    with GraphOp(name="g") as g:
        with GraphOp.loop(until=PARENT["n"] >= 9, n=0) as loop:
            c = check(n=PARENT["n"])
            c >> PARENT["n"]
        m = mend(error=loop.error)
        loop["n"] >> PARENT["n"]
        m["error"] >> PARENT["error"]
    result = await Operon(g).run()
    assert [] == result.errors
    expected = {
        "type": "ValueError",
        "message": "two",
        "op": "g.loop.c",
        "ctx": [["g.loop", 2]],
    }
    assert {"error": expected} == dict(result)


async def test_a_loop_that_fails_under_on_error_skip_is_skipped() -> None:
    @op
    def check(n: int) -> int:
        if n == 2:
            raise ValueError("two")
        return n + 1

    with GraphOp(name="g") as g:
        with GraphOp.loop(until=PARENT["n"] >= 9, n=0, on_error="skip") as loop:
            c = check(n=PARENT["n"])
            c >> PARENT["n"]
        loop["n"].or_else(-1) >> PARENT["out"]
    result = await Operon(g).run()
    assert {"out": -1} == dict(result)
    assert [("g.loop.c", (("g.loop", 2),))] == [(e.op, e.ctx) for e in result.errors]


async def test_a_loop_limit_under_on_error_skip_is_listed() -> None:
    with GraphOp(name="g") as g:
        with GraphOp.loop(until=PARENT["n"] < 0, max_iterations=3, n=0, on_error="skip") as loop:
            s = inc(x=PARENT["n"])
            s >> PARENT["n"]
        loop["n"].or_else(-1) >> PARENT["out"]
    result = await Operon(g).run()
    assert {"out": -1} == dict(result)
    assert [LoopLimitError] == [type(error) for error in result.errors]


@graph.loop(until="n >= limit")
def count_up(n: int, limit: int = 3) -> Any:  # noqa: ARG001 - `until` reads it
    s = inc(x=n)
    return {"n": s}


async def test_a_graph_function_as_a_loop() -> None:
    with GraphOp(name="g") as g:
        a = count_up(n=PARENT["n"])
        b = count_up(n=PARENT["n"], limit=7)
        a["n"] >> PARENT["a"]
        b["n"] >> PARENT["b"]
    assert {"a": 3, "b": 7} == dict(await Operon(g).run({"n": 0}))
    assert 3 == (await Operon(count_up).run({"n": 1}))["n"]


async def test_initial_state_is_not_shared_between_runs() -> None:
    with GraphOp(name="g") as g:
        with GraphOp.loop(until=PARENT.iteration >= 2, xs=State([], reducer="append")) as loop:
            s = inc(x=PARENT.iteration)
            s >> PARENT["xs"]
        loop["xs"] >> PARENT["out"]
    engine = Operon(g)
    first = await engine.run()
    second = await engine.run()
    assert [1, 2, 3] == first["out"] == second["out"]
    assert first["out"] is not second["out"]


async def test_a_loop_of_many_iterations_ends() -> None:
    with GraphOp(name="g") as g:
        with GraphOp.loop(until=PARENT["n"] >= 10_000, max_iterations=10_000, n=0) as loop:
            s = inc.with_(run_in="inline")(x=PARENT["n"])
            s >> PARENT["n"]
        loop["n"] >> PARENT["out"]
    assert {"out": 10_000} == dict(await Operon(g).run())


async def test_an_item_whose_loop_was_skipped_does_not_run_it() -> None:
    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        with GraphOp.loop(until=PARENT["n"] >= 3, n=item["item"]) as loop:
            s = inc(x=PARENT["n"])
            s >> PARENT["n"]
        if_(item["item"] >= 0, loop)
        xs = listed(xs=loop["n"].or_else(None).collect())
        xs >> END
    assert [3, None, 4] == (await Operon(g).run({"xs": [0, -1, 3]}))["result"]
