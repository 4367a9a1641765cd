"""What a caller gets when an op fails: class, place, inputs, cause, message, however it watches."""

# What an op takes and does not look at is what its test hands it.
# ruff: noqa: ARG001

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from operonx.core import (
    END,
    PARENT,
    ExpressionError,
    GraphOp,
    InputError,
    Operon,
    OpError,
    OutputError,
    Retry,
    StreamError,
    each,
    if_,
    op,
    template,
    zip_streams,
)

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore::operonx.core.BlockingOpWarning"),  # CI is slow, not stuck
]


async def by_run(engine: Operon, inputs: dict[str, Any]) -> object:
    return await engine.run(inputs)


async def by_stream(engine: Operon, inputs: dict[str, Any]) -> object:
    async with engine.stream(inputs) as run:
        async for _ in run:
            pass
    return run.result


async def by_bare_stream(engine: Operon, inputs: dict[str, Any]) -> object:
    return [frame async for frame in engine.stream(inputs)]


async def by_handle(engine: Operon, inputs: dict[str, Any]) -> object:
    return await engine.start(inputs).result()


async def by_handle_frames(engine: Operon, inputs: dict[str, Any]) -> object:
    handle = engine.start(inputs)
    return [frame async for frame in handle]


async def by_index(engine: Operon, inputs: dict[str, Any]) -> object:
    return [frame async for frame in engine.stream(inputs, order="index")]


async def by_result_of_a_stream(engine: Operon, inputs: dict[str, Any]) -> object:
    async with engine.stream(inputs) as run:
        with pytest.raises(OpError):
            async for _ in run:
                pass
        return run.result


Watch = Callable[[Operon, dict[str, Any]], Awaitable[object]]
WATCHES: list[Watch] = [
    by_run,
    by_stream,
    by_bare_stream,
    by_handle,
    by_handle_frames,
    by_index,
    by_result_of_a_stream,
]


@pytest.fixture(params=WATCHES, ids=lambda watch: watch.__name__)
def watch(request: pytest.FixtureRequest) -> Watch:
    found: Watch = request.param
    return found


class Broken(Exception):  # noqa: N818 - it reads as what it is
    """What the ops of these tests raise."""


def breaking(how: str) -> Any:
    @op
    def plain(x: int, api_key: str) -> int:
        raise Broken(f"no {x}")

    @op
    async def plain_async(x: int, api_key: str) -> int:
        await anyio.lowlevel.checkpoint()
        raise Broken(f"no {x}")

    @op
    def stream(x: int, api_key: str) -> Iterator[int]:
        raise Broken(f"no {x}")
        yield x

    @op
    async def stream_async(x: int, api_key: str) -> AsyncIterator[int]:
        raise Broken(f"no {x}")
        yield x

    return {
        "def": plain,
        "def inline": plain.with_(run_in="inline"),
        "def thread": plain.with_(run_in="thread"),
        "async def": plain_async,
        "def gen": stream,
        "def gen inline": stream.with_(run_in="inline"),
        "async gen": stream_async,
    }[how]


HOWS = ["def", "def inline", "def thread", "async def", "def gen", "def gen inline", "async gen"]


@pytest.mark.parametrize("how", HOWS)
async def test_a_failing_op_is_named_however_the_run_is_watched(how: str, watch: Watch) -> None:
    with GraphOp(name="g") as g:
        with GraphOp(name="sub", inputs=["xs", "key"], xs=PARENT["xs"], key=PARENT["key"]) as sub:
            item = each(PARENT["xs"])
            bad = breaking(how).with_(name="bad")(x=item["item"], api_key=PARENT["key"])
            bad["result"] >> PARENT["out"]
        sub["out"] >> PARENT["out"]
    with pytest.raises(OpError) as caught:
        await watch(Operon(g), {"xs": [7], "key": "sk-1234"})
    error = caught.value
    assert OpError is type(error)
    assert ("g.sub.bad", (("g.sub.item", 0),)) == (error.op, error.ctx)
    assert {"x": "7", "api_key": "<redacted>"} == error.inputs
    assert isinstance(error.__cause__, Broken)
    assert "no 7" == str(error.__cause__)
    assert "no 7" in str(error)
    assert "g.sub.bad" in str(error)
    assert "sk-1234" not in str(error)


@pytest.mark.parametrize("how", HOWS)
async def test_a_failing_op_at_the_root_context(how: str, watch: Watch) -> None:
    with GraphOp(name="g") as g:
        bad = breaking(how).with_(name="bad")(x=PARENT["x"], api_key="k")
        bad["result"] >> PARENT["out"]
    with pytest.raises(OpError, match="no 1") as caught:
        await watch(Operon(g), {"x": 1})
    assert ("g.bad", ()) == (caught.value.op, caught.value.ctx)


def third(how: str) -> Any:
    @op
    def stream() -> Iterator[int]:
        yield 0
        yield 1
        raise Broken("third")

    @op
    async def stream_async() -> AsyncIterator[int]:
        yield 0
        yield 1
        await anyio.lowlevel.checkpoint()
        raise Broken("third")

    return {
        "def gen": stream,
        "def gen inline": stream.with_(run_in="inline"),
        "def gen thread": stream.with_(run_in="thread"),
        "async gen": stream_async,
    }[how]


@pytest.mark.parametrize("how", ["def gen", "def gen inline", "def gen thread", "async gen"])
async def test_raising_in_the_third_item_ends_the_run(how: str, watch: Watch) -> None:
    with GraphOp(name="g") as g:
        it = third(how).with_(name="it")()
        it["result"] >> PARENT["out"]
    engine = Operon(g)
    for _ in range(3):
        with pytest.raises(OpError, match="third") as caught:
            await watch(engine, {})
        assert ("g.it", ()) == (caught.value.op, caught.value.ctx)


@pytest.mark.parametrize("how", ["def gen", "def gen inline", "def gen thread", "async gen"])
async def test_items_before_the_failing_one_leave_before_the_error(how: str) -> None:
    with GraphOp(name="g") as g:
        it = third(how).with_(name="it")()
        it["result"] >> PARENT["out"]
    items: list[int] = []
    with pytest.raises(OpError):  # noqa: PT012 - the iteration raises
        async for frame in Operon(g).stream():
            items.append(frame.outputs["result"])  # noqa: PERF401 - what came before the error
    assert [0, 1] == items


# -- results of the wrong shape


def returning(value: object, how: str, **settings: Any) -> Any:
    @op(**settings)
    def plain() -> dict[str, Any]:
        return value  # type: ignore[return-value]  # wrong on purpose

    @op(**settings)
    async def plain_async() -> dict[str, Any]:
        return value  # type: ignore[return-value]  # wrong on purpose

    @op(**settings)
    def stream() -> Iterator[dict[str, Any]]:
        yield value  # type: ignore[misc]  # wrong on purpose

    @op(**settings)
    async def stream_async() -> AsyncIterator[dict[str, Any]]:
        yield value  # type: ignore[misc]  # wrong on purpose

    kinds = {"def": plain, "async def": plain_async, "def gen": stream, "async gen": stream_async}
    return kinds[how]


KINDS = ["def", "async def", "def gen", "async gen"]


@pytest.mark.parametrize("how", KINDS)
@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": 1}, "lacks `b`"),
        ({"a": 1, "b": 2, "c": 3}, "has `c` too many"),
        ({"a": 1, "bb": 2}, "did you mean `b`"),
        ({}, "lacks `a`, `b`"),
        ([1, 2], "returned `list`"),
        (None, "returned `NoneType`"),
        ("ab", "returned `str`"),
    ],
    ids=["few", "many", "typo", "empty", "list", "None", "str"],
)
async def test_a_result_of_the_wrong_shape_raises(
    how: str, value: object, message: str, watch: Watch
) -> None:
    with GraphOp(name="g") as g:
        it = returning(value, how, outputs=["a", "b"]).with_(name="it")()
        it >> END
    with pytest.raises(OpError) as caught:
        await watch(Operon(g), {})
    assert "g.it" == caught.value.op
    assert isinstance(caught.value.__cause__, OutputError)
    if message != "did you mean `b`":
        assert message in str(caught.value)


@pytest.mark.parametrize("how", KINDS)
async def test_a_good_result_of_several_ports_is_kept(how: str) -> None:
    with GraphOp(name="g") as g:
        it = returning({"a": None, "b": 2}, how, outputs=["a", "b"]).with_(name="it")()
        it >> END
    expected = {"a": [None], "b": [2]} if "gen" in how else {"a": None, "b": 2}
    assert expected == dict(await Operon(g).run())


@pytest.mark.parametrize("how", ["def", "async def"])
async def test_an_op_without_ports_returns_nothing(how: str) -> None:
    @op
    def plain() -> None:
        return 1  # type: ignore[return-value]  # wrong on purpose

    @op
    async def plain_async() -> None:
        return 1  # type: ignore[return-value]  # wrong on purpose

    @op
    def other() -> int:
        return 1

    with GraphOp(name="g") as g:
        (plain if how == "def" else plain_async).with_(name="it")()
        other() >> END
    with pytest.raises(OpError) as caught:
        await Operon(g).run()
    assert "g.it" == caught.value.op
    assert isinstance(caught.value.__cause__, OutputError)


@pytest.mark.parametrize("value", [None, {}])
async def test_an_op_without_ports_may_return_an_empty_mapping(value: object) -> None:
    @op(outputs=[])
    def nothing() -> Any:
        return value

    with GraphOp(name="g") as g:
        n = nothing()
        o = returning({"a": 1, "b": 2}, "def", outputs=["a", "b"]).with_(name="o")()
        n >> o
        o >> END
    assert {"a": 1, "b": 2} == dict(await Operon(g).run())


@pytest.mark.parametrize("how", ["def gen", "async gen"])
async def test_a_generator_that_returns_a_value_raises(how: str) -> None:
    @op(outputs=["result"])
    def stream() -> Any:
        yield {"result": 1}
        return 5

    @op(outputs=["result"])
    async def stream_async() -> AsyncIterator[dict[str, int]]:
        yield {"result": 1}
        raise StopAsyncIteration(5)

    with GraphOp(name="g") as g:
        it = (stream if how == "def gen" else stream_async).with_(name="it")()
        it >> END
    with pytest.raises(OpError) as caught:
        await Operon(g).run()
    assert ("g.it", ()) == (caught.value.op, caught.value.ctx)


async def test_a_missing_key_of_an_open_port_names_those_that_are_there() -> None:
    @op
    def made(keys: list[str]):  # type: ignore[no-untyped-def]  # open ports, on purpose
        return dict.fromkeys(keys, 1)

    @op
    def read(x: int) -> int:
        return x

    with GraphOp(name="g") as g:
        m = made(keys=PARENT["keys"])
        r = read(x=m["wanted"])
        r >> END
    engine = Operon(g)
    assert {"result": 1} == dict(await engine.run({"keys": ["wanted"]}))
    with pytest.raises(OpError) as caught:
        await engine.run({"keys": ["want", "other"]})
    assert "g.r" == caught.value.op
    assert all(word in str(caught.value) for word in ("wanted", "want", "other"))


# -- expressions


@pytest.mark.parametrize(
    ("make", "cause"),
    [
        (lambda: PARENT["x"] // PARENT["y"], ZeroDivisionError),
        (lambda: PARENT["d"]["missing"], KeyError),
        (lambda: PARENT["x"] < PARENT["s"], ExpressionError),
        (lambda: PARENT["x"].len() + 0, ExpressionError),
        (lambda: PARENT["l"][5], IndexError),
    ],
    ids=["division", "key", "unlike types", "len", "index"],
)
async def test_an_expression_that_raises_fails_the_op_that_reads_it(
    make: Callable[[], Any], cause: type[Exception], watch: Watch
) -> None:
    @op(returns="value")
    def read(v: Any) -> Any:
        return v

    inputs = ["x", "y", "d", "s", "l"]
    with GraphOp(name="g", inputs=inputs) as g:
        r = read(v=make())
        r >> END
    with pytest.raises(OpError) as caught:
        await watch(Operon(g), {"x": 1, "y": 0, "d": {}, "s": "a", "l": [1]})
    assert ("g.r", ()) == (caught.value.op, caught.value.ctx)
    assert isinstance(caught.value.__cause__, cause)


async def test_an_expression_that_raises_in_an_output_is_the_failure_of_the_graph(
    watch: Watch,
) -> None:
    @op
    def one() -> int:
        return 1

    with GraphOp(name="g") as g:
        with GraphOp(name="sub") as sub:
            o = one()
            (o // 0) >> PARENT["out"]
        sub >> END
    with pytest.raises(OpError) as caught:
        await watch(Operon(g), {})
    assert ("g.sub", ()) == (caught.value.op, caught.value.ctx)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


async def test_an_expression_that_raises_in_an_output_of_the_root(watch: Watch) -> None:
    @op
    def one() -> int:
        return 1

    with GraphOp(name="g") as g:
        o = one()
        (o // 0) >> PARENT["out"]
    with pytest.raises(OpError) as caught:
        await watch(Operon(g), {})
    assert ("g", ()) == (caught.value.op, caught.value.ctx)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


async def test_a_condition_that_raises_never_takes_the_else_arm(watch: Watch) -> None:
    fired: list[str] = []

    @op
    def yes() -> int:
        fired.append("yes")
        return 1

    @op
    def no() -> int:
        fired.append("no")
        return 2

    with GraphOp(name="g") as g:
        a, b = yes(), no()
        if_.with_(name="choice")(PARENT["x"] > 1, a).else_(b)
        a >> PARENT["out"]
        b >> PARENT["out"]
    with pytest.raises(OpError) as caught:
        await watch(Operon(g), {"x": "text"})
    assert "g.choice" == caught.value.op
    assert isinstance(caught.value.__cause__, ExpressionError)
    assert [] == fired


async def test_a_condition_that_is_no_boolean_ends_the_run() -> None:
    @op
    def yes() -> int:
        return 1

    with GraphOp(name="g") as g:
        a = yes()
        if_.with_(name="choice")(PARENT["x"], a)
        a >> PARENT["out"]
    with pytest.raises(OpError) as caught:
        await Operon(g).run({"x": 1})
    assert "g.choice" == caught.value.op


async def test_a_template_writes_values() -> None:
    @op
    def echo(text: str) -> str:
        return text

    with GraphOp(name="g") as g:
        e = echo(text=template("{a} {b} {{}} {c}", a=PARENT["a"], b=PARENT["b"], c=PARENT["c"]))
        e >> END
    assert {"result": '1 null {} ["x",true]'} == dict(
        await Operon(g).run({"a": 1, "b": None, "c": ["x", True]})
    )


# -- what is not an op's failure


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("how", [*KINDS, "def inline", "def thread"])
async def test_exits_pass_through_unwrapped(
    kind: type[BaseException], how: str, watch: Watch
) -> None:
    if watch is by_result_of_a_stream:
        pytest.skip("it expects an `OpError` first")
    calls: list[int] = []

    def leave() -> None:
        calls.append(1)
        raise kind("leaving")

    policies: dict[str, Any] = {"retry": Retry(attempts=3), "on_error": "skip"}

    @op(**policies)
    def plain() -> int:
        leave()
        return 1

    @op(**policies)
    async def plain_async() -> int:
        await anyio.lowlevel.checkpoint()
        leave()
        return 1

    @op(**policies)
    def stream() -> Iterator[int]:
        leave()
        yield 1

    @op(**policies)
    async def stream_async() -> AsyncIterator[int]:
        leave()
        yield 1

    kinds: dict[str, Any] = {
        "def": plain,
        "def inline": plain.with_(run_in="inline"),
        "def thread": plain.with_(run_in="thread"),
        "async def": plain_async,
        "def gen": stream,
        "async gen": stream_async,
    }
    with GraphOp(name="g") as g:
        it = kinds[how].with_(name="it")()
        it["result"] >> PARENT["out"]
    with pytest.raises(kind, match="leaving"):
        await watch(Operon(g), {})
    assert [1] == calls


@pytest.mark.parametrize("how", [*KINDS, "def thread"])
async def test_a_cancelled_error_raised_unasked_is_a_failure(
    how: str, anyio_backend: str, watch: Watch
) -> None:
    if anyio_backend == "trio" and how.startswith("async"):
        pytest.skip("trio lets nobody make its `Cancelled`")

    @op
    def plain() -> int:
        raise asyncio.CancelledError("mine")

    @op
    async def plain_async() -> int:
        await anyio.lowlevel.checkpoint()
        raise asyncio.CancelledError("mine")

    @op
    def stream() -> Iterator[int]:
        raise asyncio.CancelledError("mine")
        yield 1

    @op
    async def stream_async() -> AsyncIterator[int]:
        raise asyncio.CancelledError("mine")
        yield 1

    kinds: dict[str, Any] = {
        "def": plain,
        "def thread": plain.with_(run_in="thread"),
        "async def": plain_async,
        "def gen": stream,
        "async gen": stream_async,
    }
    with GraphOp(name="g") as g:
        it = kinds[how].with_(name="it")()
        it["result"] >> PARENT["out"]
    with pytest.raises(OpError, match="mine") as caught:
        await watch(Operon(g), {})
    assert "g.it" == caught.value.op
    assert isinstance(caught.value.__cause__, asyncio.CancelledError)


@pytest.mark.parametrize("how", ["def", "async def", "def inline"])
async def test_a_stop_iteration_is_a_failure(how: str, watch: Watch) -> None:
    @op
    def plain() -> int:
        raise StopIteration(3)

    @op
    async def plain_async() -> int:
        return next(iter([]))

    kinds: dict[str, Any] = {
        "def": plain,
        "def inline": plain.with_(run_in="inline"),
        "async def": plain_async,
    }
    with GraphOp(name="g") as g:
        it = kinds[how].with_(name="it")()
        it >> END
    with pytest.raises(OpError) as caught:
        await watch(Operon(g), {})
    assert "g.it" == caught.value.op


async def test_one_of_several_failures_is_raised_and_the_rest_is_cancelled() -> None:
    ended: list[str] = []
    waiting = anyio.Event()

    @op
    async def fails() -> int:
        await waiting.wait()
        raise Broken("first")

    @op
    async def waits() -> int:
        waiting.set()
        try:
            await anyio.sleep_forever()
        finally:
            ended.append("waits")
        return 1

    with GraphOp(name="g") as g:
        f = fails()
        w = waits()
        f >> PARENT["f"]
        w >> PARENT["w"]
    with pytest.raises(OpError, match="first"):
        await Operon(g).run()
    assert ["waits"] == ended


async def test_nothing_fires_after_a_failure() -> None:
    fired: list[int] = []

    @op
    async def fails(x: int) -> int:
        raise Broken(x)

    @op
    def note(x: int) -> int:
        fired.append(x)
        return x

    with GraphOp(name="g") as g:
        n = note(x=fails(x=1))
        n >> PARENT["out"]
    with pytest.raises(OpError):
        await Operon(g).run()
    assert [] == fired


async def test_an_engine_runs_again_after_a_failure() -> None:
    @op
    def positive(x: int) -> int:
        if x < 0:
            raise Broken(x)
        return x

    with GraphOp(name="g") as g:
        positive(x=PARENT["x"]) >> END
    engine = Operon(g)
    for _ in range(3):
        with pytest.raises(OpError):
            await engine.run({"x": -1})
        assert {"result": 1} == dict(await engine.run({"x": 1}))


async def test_a_zip_of_unequal_lengths_raises_at_the_zip(watch: Watch) -> None:
    @op
    def add(a: int, b: int) -> int:
        return a + b

    with GraphOp(name="g") as g:
        a = each(PARENT["a"])
        b = each(PARENT["b"])
        z = zip_streams(a=a["item"], b=b["item"])
        s = add(a=z["a"], b=z["b"])
        s >> PARENT["out"]
    engine = Operon(g)
    assert {"out": [11, 22]} == dict(await engine.run({"a": [1, 2], "b": [10, 20]}))
    for inputs in ({"a": [1, 2, 3], "b": [1]}, {"a": [1], "b": [1, 2]}, {"a": [], "b": [1]}):
        with pytest.raises(OpError) as caught:
            await watch(engine, inputs)
        assert ("g.z", ()) == (caught.value.op, caught.value.ctx)
        assert isinstance(caught.value.__cause__, StreamError)


async def test_inputs_are_checked_before_anything_runs() -> None:
    fired: list[int] = []

    @op
    def note(x: int) -> int:
        fired.append(x)
        return x

    with GraphOp(name="g", inputs={"count": int}) as g:
        note(x=PARENT["count"]) >> END
    engine = Operon(g)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({}, "`count` is missing"),
        ({"coutn": 1}, "did you mean `count`"),
        ({"count": 1, "more": 2}, "no input `more`"),
        ({"count": "1"}, "`count`"),
    ]
    for inputs, message in wrong:
        for call in (engine.stream, engine.start):
            with pytest.raises(InputError, match=message):
                call(inputs)
        with pytest.raises(InputError, match=message):
            await engine.run(inputs)
    assert [] == fired


async def test_big_inputs_are_shortened_in_an_error() -> None:
    @op
    def fails(text: str) -> int:
        raise Broken("big")

    with GraphOp(name="g") as g:
        fails(text=PARENT["text"]) >> END
    with pytest.raises(OpError) as caught:
        await Operon(g).run({"text": "x" * 1_000_000})
    assert len(str(caught.value)) < 1000
