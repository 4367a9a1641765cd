"""Windows: never more open items than they hold, never a deadlock, and nothing kept."""

# Threads and loops of two kinds meet here: looking again is simpler than waking across them.
# ruff: noqa: ASYNC110

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, TypeAlias

import anyio
import anyio.lowlevel
import pytest

from operonx.core import (
    PARENT,
    GraphOp,
    Operon,
    Stream,
    batch,
    collect,
    each,
    first_of,
    if_,
    length,
    op,
    stream,
    zip_streams,
)

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.timeout(90),
    pytest.mark.filterwarnings("ignore::operonx.core.BlockingOpWarning"),  # CI is slow, not stuck
]


class OpenItems:
    """Counts items from their yield to the end of the op that reads them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.now = 0
        self.most = 0
        self.all = 0
        self.asked = 0
        self._full: dict[int, anyio.Event] = {}

    def opens(self) -> None:
        with self._lock:
            self.all += 1
            self.now += 1
            self.most = max(self.most, self.now)

    def closes(self) -> None:
        with self._lock:
            self.now -= 1

    async def full(self, limit: int, of: int) -> None:
        """Called before each item is closed: wait till the `limit` it belongs to are all open.

        The last of the `of` items of a run may be fewer.
        """
        run, place = divmod(self.asked, of)
        self.asked += 1
        last = run * of + min(of, (place // limit + 1) * limit)
        if last not in self._full:
            self._full[last] = anyio.Event()
            while self.all < last:  # one looks for all: hundreds may wait
                await anyio.sleep(0.001)
            self._full[last].set()
        await self._full[last].wait()


def source(count: OpenItems, how: str, **policies: Any) -> Any:
    @op(**policies)
    def plain(n: int) -> Iterator[int]:
        for i in range(n):
            count.opens()
            yield i

    @op(**policies)
    async def waiting(n: int) -> AsyncIterator[int]:
        for i in range(n):
            await anyio.lowlevel.checkpoint()
            count.opens()
            yield i

    kinds: dict[str, Any] = {
        "def": plain,
        "def inline": plain.with_(run_in="inline"),
        "def thread": plain.with_(run_in="thread"),
        "async def": waiting,
    }
    return kinds[how]


HOWS = ["def", "def inline", "def thread", "async def"]


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("limit", [1, 2, 7])
@pytest.mark.parametrize("where", ["op", "engine"])
async def test_a_window_bounds_the_open_items(how: str, limit: int, where: str) -> None:
    count = OpenItems()

    @op
    async def work(x: int) -> int:
        await count.full(limit, of=30)
        await anyio.sleep(0.0005 * (7 * x % 5))
        count.closes()
        return x

    with GraphOp(name="g") as g:
        policies = {"max_open": limit} if where == "op" else {}
        s = source(count, how, **policies).with_(name="s")(n=PARENT["n"])
        w = work(x=s)
        w >> PARENT["out"]
    engine = Operon(g) if where == "op" else Operon(g, max_open=limit)
    for _ in range(3):
        assert list(range(30)) == (await engine.run({"n": 30}))["out"]
        assert (0, limit) == (count.now, count.most)


@pytest.mark.parametrize("how", HOWS)
async def test_the_window_is_256_unless_told(how: str) -> None:
    count = OpenItems()

    @op
    async def work(x: int) -> int:
        await count.full(256, of=600)
        count.closes()
        return x

    with GraphOp(name="g") as g:
        s = source(count, how).with_(name="s")(n=PARENT["n"])
        w = work(x=s)
        w >> PARENT["out"]
    assert list(range(600)) == (await Operon(g).run({"n": 600}))["out"]
    assert (0, 256) == (count.now, count.most)


async def test_an_item_is_open_until_all_that_read_it_are_decided() -> None:
    count = OpenItems()

    @op
    async def left(x: int) -> int:
        await anyio.lowlevel.checkpoint()
        return x

    @op
    async def right(x: int) -> int:
        await anyio.sleep(0.001)
        return x

    @op
    async def last(x: int, y: int) -> int:
        await count.full(2, of=12)
        await anyio.sleep(0.001)
        count.closes()
        return x + y

    with GraphOp(name="g") as g:
        s = source(count, "async def", max_open=2).with_(name="s")(n=PARENT["n"])
        a = left(x=s)
        b = right(x=s)
        c = last(x=a, y=b)
        c >> PARENT["out"]
    assert [2 * i for i in range(12)] == (await Operon(g).run({"n": 12}))["out"]
    assert (0, 2) == (count.now, count.most)


async def test_each_firing_of_a_generator_has_a_window_of_its_own() -> None:
    counts = [OpenItems(), OpenItems()]

    @op(max_open=2)
    async def inner(x: int) -> AsyncIterator[dict[str, int]]:
        for _ in range(10):
            await anyio.lowlevel.checkpoint()
            counts[x].opens()
            yield {"x": x}

    @op
    async def work(x: int) -> int:
        await counts[x].full(2, of=10)
        await anyio.sleep(0.001)
        counts[x].closes()
        return x

    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        i = inner(x=item["item"])
        w = work(x=i["x"])
        w >> PARENT["out"]
    assert [[0] * 10, [1] * 10] == (await Operon(g).run({"xs": [0, 1]}))["out"]
    assert [(0, 2), (0, 2)] == [(count.now, count.most) for count in counts]


async def test_a_window_bounds_the_outer_items_of_a_nested_stream() -> None:
    outer = OpenItems()

    @op
    async def inner(x: int) -> AsyncIterator[int]:
        for i in range(3):
            await anyio.lowlevel.checkpoint()
            yield x * 10 + i

    @op
    async def work(x: int) -> int:
        await anyio.sleep(0.001)
        if x % 10 == 2:
            await outer.full(2, of=8)
            outer.closes()
        return x

    with GraphOp(name="g") as g:
        s = source(outer, "async def", max_open=2).with_(name="s")(n=PARENT["n"])
        i = inner.with_(max_open=1)(x=s)
        w = work(x=i)
        w >> PARENT["out"]
    assert [[x * 10 + i for i in range(3)] for x in range(8)] == (await Operon(g).run({"n": 8}))[
        "out"
    ]
    assert (0, 2) == (outer.now, outer.most)


async def test_a_slow_reader_of_a_stream_holds_the_source_back() -> None:
    count = OpenItems()

    @op
    async def reader(items: Stream[int]) -> int:
        total = 0
        async for item in items:
            await count.full(3, of=20)
            await anyio.sleep(0.001)
            count.closes()
            total += item
        return total

    with GraphOp(name="g") as g:
        s = source(count, "async def", max_open=3).with_(name="s")(n=PARENT["n"])
        r = reader(items=s["result"].stream())
        r >> PARENT["out"]
    assert sum(range(20)) == (await Operon(g).run({"n": 20}))["out"]
    assert 0 == count.now
    assert 3 <= count.most <= 4  # the reader has taken one more from the window


async def test_a_slow_reader_of_a_nested_stream_holds_the_source_back() -> None:
    count = OpenItems()

    @op
    async def reader(items: Stream[int]) -> int:
        total = 0
        async for item in items:
            await count.full(3, of=20)
            await anyio.sleep(0.001)
            count.closes()
            total += item
        return total

    with GraphOp(name="g") as g:
        with GraphOp(name="sub", inputs=["n"], n=PARENT["n"]) as sub:
            s = source(count, "async def", max_open=3).with_(name="s")(n=PARENT["n"])
            s["result"] >> PARENT["out"]
        r = reader(items=sub["out"].stream())
        r >> PARENT["out"]
    assert sum(range(20)) == (await Operon(g).run({"n": 20}))["out"]
    assert 0 == count.now
    assert 3 <= count.most <= 4


# -- no deadlock at `max_open=1`


@op
async def slowly(x: int) -> int:
    await anyio.sleep(0.0003 * (7 * x % 5))
    return x


@op
def add(a: int, b: int) -> int:
    return a + b


@op
def listed(xs: list[Any]) -> list[Any]:
    return xs


@op
async def counting(n: int) -> AsyncIterator[int]:
    for i in range(n):
        await anyio.lowlevel.checkpoint()
        yield i


@op
async def rest(items: Stream[int]) -> AsyncIterator[int]:
    async for item in items:
        yield item


Shape: TypeAlias = tuple[Any, Callable[[int], list[Any]]]
"""A ref, and what it gives of `n` items."""


def read_back() -> Shape:
    s = counting(n=PARENT["n"])
    w = slowly(x=s)
    return add(a=w, b=length(collect(w))), lambda n: [i + n for i in range(n)]


def read_back_deeper() -> Shape:
    s = counting(n=PARENT["n"])
    inner = counting(n=s + 1)
    total = listed(xs=collect(inner))
    w = add(a=inner, b=length(total) + length(collect(s)))
    return w, lambda n: [[j + i + 1 + n for j in range(i + 1)] for i in range(n)]


def zip_with_its_own() -> Shape:
    s = counting(n=PARENT["n"])
    z = zip_streams(a=s, b=slowly(x=s))
    return add(a=z["a"], b=z["b"]), lambda n: [2 * i for i in range(n)]


def zip_with_a_stream_of_its_own_stream() -> Shape:
    s = counting(n=PARENT["n"])
    r = rest(items=stream(s))
    z = zip_streams(a=s, b=r)
    return add(a=z["a"], b=z["b"]), lambda n: [2 * i for i in range(n)]


def zip_with_a_stream_of_the_collected() -> Shape:
    s = counting(n=PARENT["n"])
    again = each(collect(s))
    z = zip_streams(a=s, b=again["item"])
    return add(a=z["a"], b=z["b"]), lambda n: [2 * i for i in range(n)]


def zip_of_two_sources() -> Shape:
    a = counting(n=PARENT["n"])
    b = counting(n=PARENT["n"])
    z = zip_streams(a=slowly(x=a), b=b)
    return add(a=z["a"], b=z["b"]), lambda n: [2 * i for i in range(n)]


def batch_read_back() -> Shape:
    s = counting(n=PARENT["n"])
    b = listed(xs=batch(s, 2))
    w = add(a=s, b=length(collect(b)))
    return w, lambda n: [i + (n + 1) // 2 for i in range(n)]


def batches_of_batches() -> Shape:
    s = counting(n=PARENT["n"])
    b = batch(s, 2)
    c = listed(xs=b)
    d = listed(xs=batch(c, 2))

    def expected(n: int) -> list[Any]:
        twos = [list(range(i, min(i + 2, n))) for i in range(0, n, 2)]
        return [twos[i : i + 2] for i in range(0, len(twos), 2)]

    return d, expected


def stream_of_a_stream() -> Shape:
    s = counting(n=PARENT["n"])
    r = rest(items=stream(s))
    q = rest(items=stream(slowly(x=r)))
    return q, lambda n: list(range(n))


def through_two_windows() -> Shape:
    s = counting(n=PARENT["n"])
    r = rest(items=stream(slowly(x=s)))
    total = listed(xs=collect(r))
    w = add(a=s, b=length(total))
    return w, lambda n: [i + n for i in range(n)]


def merged_arms() -> Shape:
    s = counting(n=PARENT["n"])
    even, odd = slowly(x=s), add(a=s, b=100)
    if_(s % 2 == 0, even).else_(odd)
    m = add(a=first_of(even, odd), b=length(collect(even)))
    return m, lambda n: [i + (n + 1) // 2 + 100 * (i % 2) for i in range(n)]


def nested_graph_read_back() -> Shape:
    s = counting(n=PARENT["n"])
    with GraphOp(name="sub", inputs=["x"], x=s) as sub:
        w = slowly(x=PARENT["x"])
        w >> PARENT["out"]
    back = add(a=sub["out"], b=sub["out"].collect().len())
    return back, lambda n: [i + n for i in range(n)]


def edge_back() -> Shape:
    s = counting(n=PARENT["n"])
    w = slowly(x=s)
    report = add(a=1, b=2)
    w >> report
    back = add(a=s, b=report)
    return back, lambda n: [i + 3 for i in range(n)]


SHAPES = [
    read_back,
    read_back_deeper,
    zip_with_its_own,
    zip_with_a_stream_of_its_own_stream,
    zip_with_a_stream_of_the_collected,
    zip_of_two_sources,
    batch_read_back,
    batches_of_batches,
    stream_of_a_stream,
    through_two_windows,
    merged_arms,
    nested_graph_read_back,
    edge_back,
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_a_window_never_deadlocks(shape: Any, limit: int) -> None:
    with GraphOp(name="g") as g:
        ref, expected = shape()
        ref >> PARENT["out"]
    engine = Operon(g, max_open=limit)
    for n in (0, 1, 2, 7):
        with anyio.fail_after(20):
            assert expected(n) == (await engine.run({"n": n}))["out"]
    async with engine.stream({"n": 7}) as run:  # and not where outputs are not collected
        with anyio.fail_after(20):
            frames = [frame async for frame in run]
    assert len(frames) >= 7


async def test_a_zip_with_a_stream_whose_items_wait_for_the_other_side_does_not_deadlock() -> None:
    @op
    def count(n: int) -> Iterator[int]:
        yield from range(n)

    @op
    def add(x: int, y: int) -> int:
        return x + y

    with GraphOp(name="g") as g:
        left, right = count.with_(name="left")(n=3), count.with_(name="right")(n=3)
        held = add(x=right, y=length(collect(left)))
        pairs = zip_streams(p=left, q=right)
        pairs["p"] >> PARENT["pairs"]
        held >> PARENT["held"]
    with anyio.fail_after(10):
        result = await Operon(g, max_open=1).run({})
    assert {"pairs": [0, 1, 2], "held": [3, 4, 5]} == dict(result)
