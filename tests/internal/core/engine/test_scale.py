"""Size: many runs, long chains, deep graphs, long streams: nothing recurses, nothing piles up."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from operonx.core import PARENT, GraphOp, Operon, each, first_of, if_, op

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore::operonx.core.BlockingOpWarning"),  # CI is slow, not stuck
]


@op(run_in="inline")
def plus(x: int) -> int:
    return x + 1


@op
async def plus_async(x: int) -> int:
    await anyio.lowlevel.checkpoint()
    return x + 1


@op
async def plus_at_once(x: int) -> int:
    return x + 1


@op(run_in="thread")
def plus_in_thread(x: int) -> int:
    return x + 1


@pytest.mark.timeout(120)
async def test_5000_runs_of_one_engine_at_one_time() -> None:
    inside = 0
    most = 0
    all_there = anyio.Event()

    @op
    async def meet(x: int) -> int:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        if inside == 5000:
            all_there.set()
        await all_there.wait()
        inside -= 1
        return x

    with GraphOp(name="g") as g:
        a = plus(x=PARENT["x"])
        m = meet(x=a)
        b = plus_async(x=m)
        b >> PARENT["out"]
    engine = Operon(g)
    results: dict[int, Any] = {}

    async def run(x: int) -> None:
        result = await engine.run({"x": x})
        results[x] = (result["out"], result.run_id)

    async with anyio.create_task_group() as group:
        for x in range(5000):
            group.start_soon(run, x)
    assert 5000 == most
    assert {x: x + 2 for x in range(5000)} == {x: out for x, (out, _) in results.items()}
    assert 5000 == len({run_id for _, run_id in results.values()})


@pytest.mark.timeout(120)
@pytest.mark.parametrize("how", ["inline", "async", "at once", "mixed"])
async def test_a_chain_of_10_000_ops(how: str) -> None:
    kinds = {
        "inline": [plus],
        "async": [plus_async],
        "at once": [plus_at_once],
        "mixed": [plus] * 40 + [plus_async, plus_at_once, plus_in_thread],
    }[how]
    with GraphOp(name="g") as g:
        last: Any = PARENT["x"]
        for i in range(10_000):
            last = kinds[i % len(kinds)].with_(name=f"p{i}")(x=last)
        last["result"] >> PARENT["out"]
    engine = Operon(g)
    for _ in range(2):
        assert {"out": 10_000} == dict(await engine.run({"x": 0}))


@pytest.mark.timeout(120)
async def test_a_failure_at_the_end_of_10_000_ops() -> None:
    @op(on_error="skip")
    def fails(x: int) -> int:
        raise ValueError(x)

    with GraphOp(name="g") as g:
        last: Any = fails(x=PARENT["x"])
        for i in range(10_000):
            last = plus.with_(name=f"p{i}")(x=last)
        last["result"].or_else("skipped") >> PARENT["out"]
    result = await Operon(g).run({"x": 0})
    assert {"out": "skipped"} == dict(result)
    assert 10_001 == len(result.skipped)
    assert "ValueError" in result.why("g.p9999")


@pytest.mark.timeout(120)
async def test_a_skip_passes_through_10_000_ops() -> None:
    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        first = plus(x=item["item"])
        if_(item["item"] > 0, first)
        last: Any = first
        for i in range(9_999):
            last = plus.with_(name=f"p{i}")(x=last)
        end = plus.with_(name="end")(x=last["result"].or_else(-1))
        end >> PARENT["out"]
    assert {"out": [10_002, 0]} == dict(await Operon(g).run({"xs": [1, 0]}))


@pytest.mark.timeout(120)
async def test_a_fan_of_10_000_ops() -> None:
    @op
    def count(xs: list[int]) -> int:
        return sum(xs)

    with GraphOp(name="g") as g:
        ops = [plus_async.with_(name=f"p{i}")(x=PARENT["x"]) for i in range(10_000)]
        c = count(xs=ops)
        c >> PARENT["out"]
    assert {"out": 10_000} == dict(await Operon(g).run({"x": 0}))


@pytest.mark.timeout(120)
async def test_a_long_chain_of_branches() -> None:
    with GraphOp(name="g") as g:
        last: Any = PARENT["x"]
        for i in range(1000):
            yes = plus.with_(name=f"yes{i}")(x=last)
            no = plus.with_(name=f"no{i}")(x=last)
            if_.with_(name=f"if{i}")(last % 2 == 0, yes).else_(no)
            last = first_of(yes, no)
        end = plus(x=last)
        end >> PARENT["out"]
    assert {"out": 1001} == dict(await Operon(g).run({"x": 0}))


@pytest.mark.timeout(120)
async def test_graphs_nested_deeper_than_python_recurses() -> None:
    depth = sys.getrecursionlimit() + 200
    g = GraphOp(name="g", inputs=["x"])
    g.__enter__()
    subs = [GraphOp(name="sub", inputs=["x"], x=PARENT["x"]).__enter__() for _ in range(depth)]
    one = plus(x=PARENT["x"])
    one >> PARENT["out"]
    for sub in reversed(subs):
        sub.__exit__(None, None, None)
        sub["out"] >> PARENT["out"]
    g.__exit__(None, None, None)
    assert {"out": 1} == dict(await Operon(g).run({"x": 0}))


@pytest.mark.timeout(120)
@pytest.mark.parametrize("how", ["inline", "async"])
async def test_a_stream_through_a_chain_of_1_000_ops(how: str) -> None:
    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        last: Any = item["item"]
        for i in range(1000):
            last = (plus if how == "inline" else plus_async).with_(name=f"p{i}")(x=last)
        last["result"] >> PARENT["out"]
    assert [1000 + i for i in range(10)] == (await Operon(g).run({"xs": list(range(10))}))["out"]


@pytest.mark.parametrize("depth", [0, 3, 20])
async def test_the_first_item_leaves_before_the_second_is_computed_at_any_depth(
    depth: int,
) -> None:
    computed: list[int] = []
    go_on = anyio.Event()

    @op
    async def source() -> AsyncIterator[int]:
        computed.append(0)
        yield 0
        await go_on.wait()
        computed.append(1)
        yield 1

    def author(level: int) -> Any:
        if level == 0:
            return source()
        with GraphOp(name="sub") as sub:
            inner = author(level - 1)
            p = plus(x=inner["result"] - 1)
            p >> PARENT["result"]
        return sub

    with GraphOp(name="g") as g:
        inner = author(depth)
        end = plus(x=inner["result"])
        end >> PARENT["out"]
    got: list[int] = []
    async for frame in Operon(g).stream(ports=["out"]):
        got.append(frame.outputs["out"])
        if len(got) == 1:
            assert [0] == computed
            go_on.set()
    assert [1, 2] == got


async def test_a_graph_built_once_serves_many_engines() -> None:
    @op(run_in="inline")
    def items(n: int) -> Iterator[int]:
        yield from range(n)

    with GraphOp(name="g") as g:
        i = items(n=PARENT["n"])
        p = plus(x=i)
        p >> PARENT["out"]
    engines = [Operon(g) for _ in range(20)]
    for n, engine in enumerate(engines):
        assert list(range(1, n + 1)) == (await engine.run({"n": n}))["out"]


STREAM = """
import resource, sys
import anyio
from collections.abc import AsyncIterator, Iterator
from operonx.core import PARENT, GraphOp, Operon, Stream, op

how, backend, count = sys.argv[1:]

@op(run_in="inline")
def source(n: int) -> Iterator[int]:
    yield from range(n)

@op
async def source_async(n: int) -> AsyncIterator[int]:
    for i in range(n):
        yield i

@op(run_in="inline")
def square(x: int) -> int:
    return x * x

@op
async def summed(items: Stream[int]) -> int:
    total = 0
    async for item in items:
        total += item
    return total

with GraphOp(name="g") as g:
    s = (source_async if how == "async" else source).with_(name="s")(n=PARENT["n"])
    q = square(x=s)
    if how == "stream":
        t = summed(items=q["result"].stream())
        t["result"] >> PARENT["total"]
    else:
        q["result"] >> PARENT["out"]

engine = Operon(g)

async def main(n: int) -> int:
    if how == "stream":
        return (await engine.run({"n": n}))["total"]
    total = 0
    async with engine.stream({"n": n}, ports=["out"]) as run:
        async for frame in run:
            total += frame.outputs["out"]
    return total

def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

N = int(count)
anyio.run(main, 5_000, backend=backend)
before = peak()
assert anyio.run(main, N, backend=backend) == (N - 1) * N * (2 * N - 1) // 6
print(peak() - before)
"""


@pytest.mark.timeout(200)
@pytest.mark.parametrize(
    ("how", "backend", "count"),
    [
        ("plain", "asyncio", 250_000),
        ("stream", "asyncio", 250_000),
        ("async", "asyncio", 50_000),
        ("async", "trio", 50_000),
    ],
)
def test_a_long_stream_grows_by_less_than_10_mb(how: str, backend: str, count: int) -> None:
    quiet = ["-W", "ignore:`async def` op"]  # a busy machine, as in pyproject.toml
    program = [sys.executable, *quiet, "-c", textwrap.dedent(STREAM), how, backend, str(count)]
    done = subprocess.run(program, capture_output=True, text=True, check=False, timeout=190)
    assert (0, "") == (done.returncode, done.stderr)
    assert int(done.stdout) < 10  # nothing is what it should be: no item leaves a word behind


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks are newer")
def test_an_eager_task_factory_changes_nothing() -> None:
    async def main() -> list[int]:  # of asyncio alone, so not by the plug-in
        eager: Any = getattr(asyncio, "eager_task_factory")  # noqa: B009 - newer than 3.11
        asyncio.get_running_loop().set_task_factory(eager)

        @op
        async def waits(x: int) -> int:
            await anyio.lowlevel.checkpoint()
            return x

        with GraphOp(name="g") as g:
            waits(x=each(PARENT["xs"])["item"]) >> PARENT["out"]
        found: list[int] = (await Operon(g).run({"xs": list(range(2000))}))["out"]
        return found

    assert list(range(2000)) == asyncio.run(main())
