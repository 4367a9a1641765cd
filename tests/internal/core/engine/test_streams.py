"""Streams: axes, `.stream()`, finals, and when items are dispatched."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
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
    OutputError,
    RunContext,
    Stream,
    StreamError,
    collect,
    each,
    final,
    first_of,
    if_,
    length,
    op,
    stream,
)

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore::operonx.core.BlockingOpWarning"),  # CI is slow, not stuck
]


@op
async def shuffled(x: int) -> int:
    """Finish out of order, as 7 and 5 have no common factor."""
    await anyio.sleep(0.001 * (7 * x % 5))
    return x


@op
def listed(xs: list[Any]) -> list[Any]:
    return xs


@op
def down_from(x: int) -> Iterator[int]:
    yield from range(x)


@op
def add(a: int, b: int) -> int:
    return a + b


# -- dispatch


@pytest.mark.parametrize("how", ["async def", "async without await", "auto", "inline", "thread"])
@pytest.mark.parametrize("depth", [0, 1, 3, 10])
async def test_an_item_is_dispatched_before_the_next_is_computed(  # noqa: C901 - five sources
    how: str, depth: int
) -> None:
    log: list[str] = []

    def note(what: str) -> None:
        log.append(what)

    @op
    def plain() -> Iterator[int]:
        for i in range(3):
            note(f"compute {i}")
            yield i

    @op
    async def awaiting() -> AsyncIterator[int]:
        for i in range(3):
            await anyio.lowlevel.checkpoint()
            note(f"compute {i}")
            yield i

    @op
    async def hasty() -> AsyncIterator[int]:
        for i in range(3):
            note(f"compute {i}")
            yield i

    @op(run_in="inline")
    def arrive(x: int) -> int:
        note(f"arrive {x}")
        return x

    kinds: dict[str, Any] = {
        "async def": awaiting,
        "async without await": hasty,
        "auto": plain,
        "inline": plain.with_(run_in="inline"),
        "thread": plain.with_(run_in="thread"),
    }

    def author(level: int) -> Any:
        if level == 0:
            return kinds[how].with_(name="it")()
        with GraphOp(name=f"sub{level}") as sub:
            inner = author(level - 1)
            inner["result"] >> PARENT["result"]
        return sub

    with GraphOp(name="g") as g:
        a = arrive(x=author(depth)["result"])
        a >> PARENT["out"]
    engine = Operon(g)
    expected = [f"{what} {i}" for i in range(3) for what in ("compute", "arrive")]
    for _ in range(3):
        log.clear()
        assert [0, 1, 2] == (await engine.run())["out"]
        assert expected == log


@pytest.mark.parametrize("depth", [1, 3])
async def test_a_frame_leaves_before_the_next_item_is_computed(depth: int) -> None:
    computed: list[int] = []
    let = anyio.Event()

    @op
    async def gated() -> AsyncIterator[int]:
        computed.append(0)
        yield 0
        await let.wait()
        computed.append(1)
        yield 1

    def author(level: int) -> Any:
        if level == 0:
            return gated.with_(name="it")()
        with GraphOp(name=f"sub{level}") as sub:
            author(level - 1)["result"] >> PARENT["result"]
        return sub

    with GraphOp(name="g") as g:
        author(depth)["result"] >> PARENT["out"]
    values: list[int] = []
    async for frame in Operon(g).stream():
        values.append(frame.outputs["result"])
        assert list(range(len(values))) == computed
        let.set()
    assert [0, 1] == values


async def test_a_generator_runs_to_its_end_though_nobody_reads_it() -> None:
    taken: list[int] = []

    @op(outputs=[])
    def source() -> Iterator[dict[str, int]]:
        for i in range(5):
            taken.append(i)
            yield {}

    with GraphOp(name="g") as g:
        source()
        o = add(a=1, b=2)
        o >> END
    assert {"result": 3} == dict(await Operon(g).run())
    assert [0, 1, 2, 3, 4] == taken


async def test_the_firing_of_a_plain_generator_stays_in_one_thread() -> None:
    threads: list[int] = []

    @op(run_in="thread")
    def source() -> Iterator[int]:
        for i in range(20):
            threads.append(threading.get_ident())
            yield i

    with GraphOp(name="g") as g:
        s = shuffled(x=source())
        s >> PARENT["out"]
    await Operon(g).run()
    assert 20 == len(threads)
    assert 1 == len(set(threads))
    assert threading.get_ident() not in threads


# -- `.stream()`


@op
async def pairs(items: Stream[int]) -> AsyncIterator[str]:
    previous: int | None = None
    async for item in items:
        if previous is not None:
            yield f"{previous}{item}"
        previous = item


@op
def pairs_plain(items: Stream[int]) -> Iterator[str]:
    previous: int | None = None
    for item in items:
        if previous is not None:
            yield f"{previous}{item}"
        previous = item


@op
async def summed(items: Stream[int]) -> int:
    return sum([item async for item in items])


@op
def summed_plain(items: Stream[int]) -> int:
    return sum(items)


@pytest.mark.parametrize("how", ["async def", "def"])
async def test_a_stream_is_handed_over_in_index_order(how: str) -> None:
    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        s = shuffled(x=item["item"])
        p = (pairs if how == "async def" else pairs_plain).with_(name="p")(items=stream(s))
        p >> PARENT["out"]
    engine = Operon(g)
    for _ in range(3):
        assert ["01", "12", "23", "34"] == (await engine.run({"xs": [0, 1, 2, 3, 4]}))["out"]
        assert [] == (await engine.run({"xs": []}))["out"]


@pytest.mark.parametrize("how", ["async def", "def"])
async def test_a_stream_is_handed_to_one_firing_for_each_outer_item(how: str) -> None:
    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        d = down_from(x=item["item"])
        s = shuffled(x=d)
        t = (summed if how == "async def" else summed_plain).with_(name="t")(items=stream(s))
        t >> PARENT["out"]
    assert [6, 0, 1, 10] == (await Operon(g).run({"xs": [4, 0, 2, 5]}))["out"]


async def test_the_reader_of_a_stream_fires_when_it_opens() -> None:
    begun = anyio.Event()

    @op
    async def source() -> AsyncIterator[int]:
        await begun.wait()
        yield 1

    @op
    async def reader(items: Stream[int]) -> int:
        begun.set()
        return sum([item async for item in items])

    with GraphOp(name="g") as g:
        r = reader(items=stream(source()))
        r >> END
    with anyio.fail_after(10):
        assert {"result": 1} == dict(await Operon(g).run())


async def test_two_streams_of_one_source() -> None:
    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        a = summed(items=item["item"].stream())
        b = summed_plain(items=stream(shuffled(x=item["item"])))
        a >> PARENT["a"]
        b >> PARENT["b"]
    engine = Operon(g, max_open=1)
    assert {"a": 10, "b": 10} == dict(await engine.run({"xs": [1, 2, 3, 4]}))


@pytest.mark.parametrize("how", ["async def", "def"])
async def test_past_the_last_item_of_a_failed_stream_the_iteration_raises(how: str) -> None:
    got: list[Any] = []

    @op(on_error="skip")
    async def source() -> AsyncIterator[int]:
        yield 1
        yield 2
        raise ValueError("broken")

    @op
    async def reader(items: Stream[int]) -> int:
        try:
            async for item in items:
                got.append(item)  # noqa: PERF401 - what came before the error
        except StreamError as error:
            got.append(type(error))
        return len(got)

    @op
    def reader_plain(items: Stream[int]) -> int:
        try:
            for item in items:
                got.append(item)  # noqa: PERF402 - what came before the error
        except StreamError as error:
            got.append(type(error))
        return len(got)

    with GraphOp(name="g") as g:
        it = source()
        r = (reader if how == "async def" else reader_plain)(items=stream(it))
        r >> PARENT["out"]
    result = await Operon(g).run()
    assert [1, 2, StreamError] == got
    assert {"out": 3} == dict(result)
    assert ["g.it"] == [error.op for error in result.errors]


@pytest.mark.parametrize("how", ["async def", "def", "not at all"])
async def test_what_is_left_unread_holds_no_window(how: str) -> None:
    taken: list[int] = []

    @op(max_open=2)
    async def source() -> AsyncIterator[int]:
        for i in range(50):
            taken.append(i)
            yield i

    @op
    async def first(items: Stream[int]) -> int:
        async for item in items:
            return item
        return -1

    @op
    def first_plain(items: Stream[int]) -> int:
        return next(iter(items))

    @op
    async def none(items: Stream[int]) -> int:  # noqa: ARG001 - it reads nothing
        return 0

    reader = {"async def": first, "def": first_plain, "not at all": none}[how]
    with GraphOp(name="g") as g:
        r = reader.with_(name="r")(items=stream(source()))
        r >> PARENT["out"]
    assert {"out": 0} == dict(await Operon(g).run())
    assert list(range(50)) == taken


async def test_skipped_items_are_left_out_of_a_stream() -> None:
    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        s = shuffled(x=item["item"])
        if_(item["item"] % 2 == 1, s)
        t = summed(items=stream(s))
        t >> PARENT["out"]
    assert {"out": 9} == dict(await Operon(g).run({"xs": [1, 2, 3, 4, 5]}))


async def test_a_stream_passes_into_a_nested_graph() -> None:
    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        s = shuffled(x=item["item"])
        with GraphOp(name="sub", inputs=["items"], items=stream(s)) as sub:
            p = pairs(items=PARENT["items"])
            p >> PARENT["out"]
        sub["out"] >> PARENT["out"]
    assert ["01", "12"] == (await Operon(g).run({"xs": [0, 1, 2]}))["out"]


# -- final


def talking(how: str, run_in: Any = "auto") -> Any:
    @op(run_in=run_in)
    def talk(n: int) -> Iterator[Any]:
        text = ""
        for i in range(n):
            text += str(i)
            yield {"delta": str(i)}
        yield final(text=text, count=n)

    @op
    async def talk_async(n: int) -> AsyncIterator[Any]:
        text = ""
        for i in range(n):
            await anyio.lowlevel.checkpoint()
            text += str(i)
            yield {"delta": str(i)}
        yield final(text=text, count=n)

    return talk if how == "def" else talk_async


@pytest.mark.parametrize(
    ("how", "run_in"), [("def", "auto"), ("def", "inline"), ("def", "thread"), ("async def", "")]
)
async def test_final_ports_keep_the_ops_own_axes(how: str, run_in: Any, seen: Any) -> None:
    with GraphOp(name="g") as g:
        t = talking(how, run_in or "auto").with_(name="t")(n=PARENT["n"])
        size = add(a=t["count"], b=t["text"].len())
        t["delta"] >> PARENT["delta"]
        t["text"] >> PARENT["text"]
        size >> PARENT["size"]
    engine = Operon(g)
    for _ in range(3):
        expected = {"delta": ["0", "1", "2"], "text": "012", "size": 6}
        assert expected == dict(await engine.run({"n": 3}))
        assert {"delta": [], "text": "", "size": 0} == dict(await engine.run({"n": 0}))
        frames = [frame async for frame in engine.stream({"n": 2})]
        assert [
            ("g.size", (), {"result": 4}),
            ("g.t", (), {"text": "01", "count": 2}),
            ("g.t", (("g.t", 0),), {"delta": "0"}),
            ("g.t", (("g.t", 1),), {"delta": "1"}),
        ] == seen(frames)


@pytest.mark.parametrize("run_in", ["inline", "thread"])
@pytest.mark.parametrize("mistake", ["none", "twice", "not last", "wrong keys"])
async def test_a_final_comes_once_and_last(mistake: str, run_in: Any) -> None:
    @op(outputs=["delta"], final=["text"], run_in=run_in)
    def talk() -> Iterator[Any]:
        yield {"delta": "a"}
        if mistake == "wrong keys":
            yield final(texts="a")
        elif mistake != "none":
            yield final(text="a")
        if mistake == "twice":
            yield final(text="b")
        if mistake == "not last":
            yield {"delta": "b"}

    with GraphOp(name="g") as g:
        t = talk()
        t["text"] >> PARENT["text"]
    with pytest.raises(OpError) as caught:
        await Operon(g).run()
    assert ("g.t", ()) == (caught.value.op, caught.value.ctx)
    assert isinstance(caught.value.__cause__, OutputError)


# -- edges from streams


async def test_an_edge_from_a_stream_waits_for_the_end_of_all_its_firings() -> None:
    done: list[int] = []

    @op
    async def step(x: int) -> int:
        await anyio.sleep(0.001 * (7 * x % 5))
        done.append(x)
        return x

    @op
    def report() -> int:
        return len(done)

    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        s = step(x=item["item"])
        r = report()
        s >> r
        s >> PARENT["s"]
        r >> PARENT["r"]
    engine = Operon(g)
    assert 10 == (await engine.run({"xs": list(range(10))}))["r"]
    done.clear()
    assert 0 == (await engine.run({"xs": []}))["r"]


async def test_an_edge_from_a_failed_stream_skips() -> None:
    @op(on_error="skip")
    async def source() -> AsyncIterator[int]:
        yield 1
        raise ValueError("broken")

    @op
    def report() -> int:
        return 1

    with GraphOp(name="g") as g:
        s = source()
        r = report()
        s >> r
        s >> PARENT["s"]
        r >> PARENT["r"]
    result = await Operon(g).run()
    assert {} == dict(result)
    assert "g.r" in result.skipped


# -- nested graphs in streams


async def test_a_nested_graph_fires_at_the_longest_of_its_inputs_axes(seen: Any) -> None:
    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        with GraphOp(name="sub", inputs=["x", "base"], x=item["item"], base=PARENT["base"]) as sub:
            own = add(a=PARENT["base"], b=1)
            s = add(a=PARENT["x"], b=own)
            s >> PARENT["out"]
        sub["out"] >> PARENT["out"]
    engine = Operon(g)
    async with engine.stream({"xs": [1, 2], "base": 10}) as run:
        frames = [frame async for frame in run]
    own_frames = [fact for fact in seen(frames) if fact[0] == "g.sub.own"]
    assert [
        ("g.sub.own", (("g.item", 0),), {"result": 11}),
        ("g.sub.own", (("g.item", 1),), {"result": 11}),
    ] == own_frames
    assert [12, 13] == (await engine.run({"xs": [1, 2], "base": 10}))["out"]


async def test_a_graph_streams_into_its_parent() -> None:
    with GraphOp(name="g") as g:
        with GraphOp(name="sub", inputs=["n"], n=PARENT["n"]) as sub:
            d = down_from(x=PARENT["n"])
            d >> PARENT["out"]
        s = shuffled(x=sub["out"])
        xs = listed(xs=collect(s))
        xs >> END
    assert [0, 1, 2, 3] == (await Operon(g).run({"n": 4}))["result"]


async def test_a_branch_in_a_stream_and_its_merge() -> None:
    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        even = add(a=item["item"], b=100)
        odd = shuffled(x=item["item"])
        if_(item["item"] % 2 == 0, even).else_(odd)
        m = add(a=first_of(even, odd), b=0)
        m >> PARENT["out"]
    assert [1, 102, 3, 104] == (await Operon(g).run({"xs": [1, 2, 3, 4]}))["out"]


async def test_collected_lists_of_two_arms() -> None:
    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        even = shuffled(x=item["item"])
        odd = shuffled(x=item["item"])
        if_(item["item"] % 2 == 0, even).else_(odd)
        both = add(a=length(collect(even)), b=length(collect(odd)) * 10)
        both >> PARENT["out"]
    assert 32 == (await Operon(g).run({"xs": [1, 2, 3, 4, 5]}))["out"]


async def test_a_streamed_run_keeps_no_outputs_that_carry_axes() -> None:
    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        s = shuffled(x=item["item"])
        xs = listed(xs=collect(s))
        s >> PARENT["items"]
        xs >> PARENT["list"]
    async with Operon(g).stream({"xs": [1, 2, 3]}) as run:
        items = sorted([f.outputs["result"] async for f in run if f.op_name == "g.s"])
    assert [1, 2, 3] == items
    assert {"list": [1, 2, 3]} == dict(run.result)
    with pytest.raises(KeyError, match="frames"):
        run.result["items"]


async def test_the_attempt_and_context_of_an_item_are_its_own() -> None:
    contexts: list[tuple[Any, ...]] = []

    @op
    async def where(run: RunContext, x: int) -> int:
        contexts.append((x, run.op, run.ctx, run.attempt))
        return x

    with GraphOp(name="g") as g:
        row = each(PARENT["xs"])
        d = down_from(x=row["item"])
        w = where(x=d)
        w >> PARENT["out"]
    await Operon(g).run({"xs": [1, 2]})
    assert [
        (0, "g.w", (("g.row", 0), ("g.d", 0)), 1),
        (0, "g.w", (("g.row", 1), ("g.d", 0)), 1),
        (1, "g.w", (("g.row", 1), ("g.d", 1)), 1),
    ] == sorted(contexts, key=lambda fact: fact[2])
