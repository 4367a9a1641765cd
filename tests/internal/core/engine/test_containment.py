"""Graphs with `on_error="skip"`: what comes out of one that failed, and what is told of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import anyio
import pytest

from operonx.core import (
    PARENT,
    GraphOp,
    InputError,
    Operon,
    OpError,
    RunResult,
    Stream,
    StreamError,
    collect,
    error_of,
    first_of,
    op,
    or_else,
    stream,
    zip_streams,
)

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore::operonx.core.BlockingOpWarning"),  # CI is slow, not stuck
]


@op(run_in="inline")  # all of it is there before anything waits, on however busy a machine
def count(n: int) -> Iterator[int]:
    yield from range(n)


@op
async def breaks(n: int) -> AsyncIterator[int]:
    for x in range(n):
        yield x
    await anyio.sleep(0.01)
    raise ValueError("it broke")


@op
def abrupt(n: int) -> Iterator[int]:
    yield from range(n)
    raise ValueError("it broke")


@op
async def abrupt_async(n: int) -> AsyncIterator[int]:
    for x in range(n):
        yield x
    raise ValueError("it broke")


@op
async def late(x: int, after: list[int], bad: bool = True) -> int:
    del after  # a whole stream, which has ended then
    await anyio.wait_all_tasks_blocked()  # whoever reads that has read to its end
    if bad:
        raise ValueError("too late")
    return x


@op
async def total(items: Stream[int]) -> int:
    return sum([x async for x in items])


@op
def thread_total(items: Stream[int]) -> int:
    return sum(items)


@op
async def running(items: Stream[int]) -> AsyncIterator[int]:
    held = 0
    async for x in items:
        held += x
        yield held


@op(run_in="inline")
def double(x: int) -> int:
    return 2 * x


@op
def told(x: str) -> str:
    return x


def listed(result: RunResult) -> list[tuple[str, str]]:
    return [(error.op, type(error.__cause__).__name__) for error in result.errors]


def failing_late(*, bad: bool = True, n: int = 3) -> GraphOp:
    """Make a graph whose stream ends well before the graph fails."""
    with GraphOp(name="sub", inputs=["x"], on_error="skip", x=PARENT["x"]) as sub:
        items = count(n=n)
        after = late(x=PARENT["x"], after=collect(items), bad=bad)
        items >> PARENT["items"]
        after >> PARENT["after"]
    return sub


# -- what is listed


@pytest.mark.parametrize("reader", [total, thread_total, running], ids=["async", "thread", "gen"])
@pytest.mark.parametrize("source", [breaks, abrupt, abrupt_async], ids=["late", "def", "async"])
async def test_a_reader_cut_off_by_its_graphs_failure_is_not_listed(
    reader: Any, source: Any
) -> None:
    with GraphOp(name="g") as g:
        with GraphOp(name="sub", inputs=["x"], on_error="skip", x=PARENT["x"]) as sub:
            items = source.with_(name="items")(n=PARENT["x"])
            read = reader.with_(name="read", on_error="skip")(items=stream(items))
            read >> PARENT["out"]
        sub["out"] >> PARENT["out"]
    result = await Operon(g).run({"x": 2})
    assert {} == dict(result)
    assert [("g.sub.items", "ValueError")] == listed(result)


async def test_the_error_of_what_was_cut_off_is_not_handled() -> None:
    with GraphOp(name="g") as g:
        with GraphOp(name="sub", inputs=["x"], on_error="skip", x=PARENT["x"]) as sub:
            items = abrupt_async(n=PARENT["x"])
            read = running(items=stream(items))
            why = told(x=error_of(read)["message"])
            read >> PARENT["out"]
            why >> PARENT["why"]
        sub["out"] >> PARENT["out"]
        sub["why"] >> PARENT["why"]
    result = await Operon(g).run({"x": 2})
    assert {} == dict(result)
    assert [("g.sub.items", "ValueError")] == listed(result)


async def test_what_had_failed_before_its_graph_is_listed_beside_it() -> None:
    failing = anyio.Event()

    @op(on_error="skip")
    async def breaks_early() -> AsyncIterator[int]:
        await anyio.sleep(0.001)
        failing.set()
        for x in range(0):
            yield x
        raise ValueError("it broke")

    @op
    async def breaks_after(x: int) -> int:
        await failing.wait()
        await anyio.sleep(0.001)
        raise ValueError(x)

    with GraphOp(name="g") as g:
        with GraphOp(name="sub", inputs=["x"], on_error="skip", x=PARENT["x"]) as sub:
            early = breaks_early()
            after = breaks_after(x=PARENT["x"])
            early >> PARENT["early"]
            after >> PARENT["after"]
        sub["early"] >> PARENT["early"]
        sub["after"] >> PARENT["after"]
    result = await Operon(g).run({"x": 1})
    assert [("g.sub.after", "ValueError"), ("g.sub.early", "ValueError")] == listed(result)


async def test_a_graph_closed_by_the_one_around_it_is_not_listed() -> None:
    with GraphOp(name="g") as g:
        with GraphOp(name="outer", inputs=["x"], on_error="skip", x=PARENT["x"]) as outer:
            items = abrupt_async(n=PARENT["x"])
            whole = stream(items)
            with GraphOp(name="inner", inputs=["s"], on_error="skip", s=whole) as inner:
                read = total(items=PARENT["s"])
                read >> PARENT["out"]
            inner["out"] >> PARENT["out"]
        outer["out"] >> PARENT["out"]
    result = await Operon(g).run({"x": 2})
    assert [("g.outer.items", "ValueError")] == listed(result)


# -- the ends of its streams


@pytest.mark.parametrize("reader", [total, thread_total], ids=["async", "thread"])
async def test_past_the_last_item_of_a_failed_graphs_stream_iteration_raises(reader: Any) -> None:
    with GraphOp(name="g") as g:
        sub = failing_late()
        read = reader.with_(name="read", on_error="skip")(items=sub["items"].stream())
        read >> PARENT["out"]
        sub["after"] >> PARENT["after"]
    result = await Operon(g).run({"x": 1})
    assert {} == dict(result)
    assert [("g.read", "StreamError"), ("g.sub.after", "ValueError")] == listed(result)
    assert "too late" in result.errors[0].cause_message


async def test_a_failed_graphs_stream_gives_no_short_last_batch() -> None:
    with GraphOp(name="g") as g:
        sub = failing_late()
        batch = sub["items"].batch(2)
        sums = double(x=batch.len())
        sums >> PARENT["sums"]
        sub["after"] >> PARENT["after"]
    async with Operon(g).stream({"x": 1}) as run:
        frames = [(frame.ctx, frame.outputs) async for frame in run if frame.op_name == "g.sums"]
    assert [((("g.batch", 0),), {"result": 4})] == frames
    assert {} == dict(run.result)


async def test_pairs_of_a_failed_graphs_stream_have_no_end() -> None:
    with GraphOp(name="g") as g:
        sub = failing_late()
        other = count(n=3)
        pairs = zip_streams(p=sub["items"], q=other)
        pairs["p"] >> PARENT["pairs"]
        read = total.with_(on_error="skip")(items=pairs["q"].stream())
        read >> PARENT["read"]
        sub["after"] >> PARENT["after"]
    result = await Operon(g).run({"x": 1})
    assert {} == dict(result)
    assert [("g.read", "StreamError"), ("g.sub.after", "ValueError")] == listed(result)


@pytest.mark.parametrize("window", [1, 256])
async def test_a_graph_that_ends_well_ends_its_streams(window: int) -> None:
    with GraphOp(name="g") as g:
        sub = failing_late(bad=False)
        read = total(items=sub["items"].stream())
        batch = sub["items"].batch(2)
        pairs = zip_streams(p=sub["items"], q=sub["items"] + 1)
        read >> PARENT["read"]
        batch >> PARENT["batches"]
        pairs["q"] >> PARENT["pairs"]
        sub["after"] >> PARENT["after"]
    result = await Operon(g, max_open=window).run({"x": 1})
    assert {"read": 3, "batches": [[0, 1], [2]], "pairs": [1, 2, 3], "after": 1} == dict(result)


async def test_unequal_streams_of_one_graph_raise_within_the_narrowest_window() -> None:
    with GraphOp(name="g") as g:
        with GraphOp(name="sub", inputs=["x"], on_error="skip", x=PARENT["x"]) as sub:
            count.with_(name="long")(n=9) >> PARENT["long"]
            count.with_(name="short")(n=2) >> PARENT["short"]
        pairs = zip_streams(p=sub["long"], q=sub["short"])
        pairs["p"] >> PARENT["pairs"]
    with anyio.fail_after(10), pytest.raises(OpError, match="unequal") as caught:
        await Operon(g, max_open=1).run({"x": 1})
    assert "g.pairs" == caught.value.op
    assert isinstance(caught.value.__cause__, StreamError)


@pytest.mark.parametrize("first", ["the failed one", "the other"])
async def test_a_side_longer_than_one_that_ended_well_raises_also_where_it_failed(
    first: str,
) -> None:
    quick, slow = (0.0, 0.03) if first == "the failed one" else (0.03, 0.0)

    @op
    async def long() -> AsyncIterator[int]:
        await anyio.sleep(quick)
        for x in range(3):
            yield x
        raise ValueError

    @op
    async def short() -> AsyncIterator[int]:
        await anyio.sleep(slow)
        for x in range(2):
            yield x

    with GraphOp(name="g") as g:
        pairs = zip_streams(p=long.with_(on_error="skip")(), q=short())
        pairs["p"] >> PARENT["pairs"]
    with pytest.raises(OpError, match="unequal"):
        await Operon(g).run({})


async def test_a_failed_graph_gives_no_choice_in_place_of_what_failed() -> None:
    @op
    def picky(x: int) -> int:
        if x == 1:
            raise ValueError(x)
        return x

    with GraphOp(name="g") as g:
        with GraphOp(name="sub", inputs=["x"], on_error="skip", x=PARENT["x"]) as sub:
            items = count(n=PARENT["x"])
            bad = picky(x=items)
            or_else(bad, -1) >> PARENT["either"]
            first_of(bad, items) >> PARENT["first"]
        seen = double.with_(name="seen")(x=sub["either"])
        also = double.with_(name="also")(x=sub["first"])
        seen >> PARENT["seen"]
        also >> PARENT["also"]
    async with Operon(g).stream({"x": 2}) as run:
        seen_items = {f.ctx[0][1] async for f in run if f.op_name in ("g.seen", "g.also")}
    assert seen_items <= {0}
    assert [("g.sub.bad", "ValueError")] == listed(run.result)


# -- what is skipped


async def test_a_generator_that_failed_is_listed_as_skipped() -> None:
    with GraphOp(name="g") as g:
        items = breaks.with_(on_error="skip")(n=2)
        twice = double(x=items)
        twice >> PARENT["out"]
    result = await Operon(g).run({})
    assert "`g.items` was skipped: op `g.items` failed: ValueError: it broke" == result.why(
        "g.items"
    )
    assert (1, ()) == (result.skipped["g.items"].count, result.skipped["g.items"].ctx)
    assert "g.twice" not in result.skipped  # its items stand


async def test_a_zip_of_streams_that_failed_did_not_fail_itself() -> None:
    with GraphOp(name="g") as g:
        items = breaks.with_(on_error="skip")(n=2)
        pairs = zip_streams(p=items, q=items)
        pairs["p"] >> PARENT["out"]
    result = await Operon(g).run({})
    assert {"g.items"} == set(result.skipped)
    assert {} == dict(result)


async def test_a_graph_and_a_loop_that_failed_are_listed_as_skipped() -> None:
    with GraphOp(name="g") as g:
        sub = failing_late()
        with GraphOp.loop(until="iteration == 5", on_error="skip", name="loop", n=1) as loop:
            late(x=PARENT["n"], after=[]) >> PARENT["n"]
        sub["after"] >> PARENT["after"]
        loop["n"] >> PARENT["n"]
    result = await Operon(g).run({"x": 1})
    assert "g.sub.after` failed: ValueError: too late" in result.why("g.sub")
    assert "failed: ValueError: too late" in result.why("g.loop")


# -- the root graph


@op
def picked(x: int) -> int:
    if x == 1:
        raise ValueError("no ones")
    return x


def root_of(author: Callable[[], dict[str, Any]], *, timeout: float | None = None) -> GraphOp:
    with GraphOp(name="g", inputs=["x"], on_error="skip", timeout=timeout) as g:
        for key, value in author().items():
            value >> PARENT[key]
    return g


def plain() -> dict[str, Any]:
    before = double.with_(name="before")(x=PARENT["x"])
    bad = picked.with_(name="bad")(x=before - 1)
    return {"before": before, "bad": bad}


def with_a_stream() -> dict[str, Any]:
    return {"items": picked.with_(name="bad")(x=count(n=PARENT["x"] + 2))}


def with_a_bad_write() -> dict[str, Any]:
    return {"quotient": PARENT["x"] / 0, "before": double.with_(name="before")(x=PARENT["x"])}


KEYS: dict[Any, tuple[str, ...]] = {
    plain: ("before", "bad"),
    with_a_stream: ("items",),
    with_a_bad_write: ("quotient", "before"),
}


@pytest.mark.parametrize("watched", [False, True], ids=["run", "stream"])
@pytest.mark.parametrize(
    ("author", "path", "kind"),
    [
        (plain, "g.bad", "ValueError"),
        (with_a_stream, "g.bad", "ValueError"),
        (with_a_bad_write, "g", "ZeroDivisionError"),
    ],
)
async def test_a_root_graph_that_failed_gives_its_error_and_no_outputs(
    author: Any, path: str, kind: str, watched: bool
) -> None:
    g = root_of(author)
    if watched:
        async with Operon(g).stream({"x": 1}) as run:
            async for _ in run:
                pass
        result = run.result
    else:
        result = await Operon(g).run({"x": 1})
    assert {} == dict(result)
    assert [(path, kind)] == listed(result)
    assert result.why("g").startswith(f"`g` was skipped: op `{path}` failed: {kind}: ")
    for key in () if watched and author is with_a_stream else KEYS[author]:
        with pytest.raises(KeyError, match=rf"output `{key}` is not there: op `{path}` failed: "):
            result[key]


async def test_a_root_graph_that_ends_well_gives_its_outputs() -> None:
    result = await Operon(root_of(plain)).run({"x": 3})
    assert {"before": 6, "bad": 5} == dict(result)
    assert [] == result.errors
    with pytest.raises(KeyError, match="no op `g`"):
        result.why("g")


async def test_a_root_graph_that_contains_failures_takes_no_wrong_inputs() -> None:
    with pytest.raises(InputError, match="input `x` is missing"):
        await Operon(root_of(plain)).run({})


async def test_what_is_contained_inside_leaves_the_root_graph_its_outputs() -> None:
    def author() -> dict[str, Any]:
        bad = picked.with_(name="bad", on_error="skip")(x=PARENT["x"])
        return {"bad": bad, "before": double(x=PARENT["x"])}

    result = await Operon(root_of(author)).run({"x": 1})
    assert {"before": 2} == dict(result)
    assert [("g.bad", "ValueError")] == listed(result)


async def test_a_root_graph_out_of_time_is_listed() -> None:
    @op
    async def never(x: int) -> int:
        await anyio.sleep_forever()
        return x

    def author() -> dict[str, Any]:
        return {"out": never(x=PARENT["x"])}

    result = await Operon(root_of(author, timeout=0.01)).run({"x": 1})
    assert {} == dict(result)
    assert [("g", "TimeoutError")] == listed(result)


@pytest.mark.parametrize("on_error", ["raise", "skip"])
async def test_a_root_graph_in_time_waits_for_no_more(on_error: Any) -> None:
    with GraphOp(name="g", timeout=1000, on_error=on_error) as g:
        double(x=PARENT["x"]) >> PARENT["out"]
    with anyio.fail_after(20):
        assert {"out": 2} == dict(await Operon(g).run({"x": 1}))
