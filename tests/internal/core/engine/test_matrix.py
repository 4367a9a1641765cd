"""Every kind of function, at every place, read in every way, cold and warm, on both loops."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from operonx.core import PARENT, GraphOp, Operon, each, op

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore::operonx.core.BlockingOpWarning"),  # CI is slow, not stuck
]


@op
def plus(x: int) -> int:
    return x + 1


@op
async def plus_async(x: int) -> int:
    await anyio.lowlevel.checkpoint()
    return x + 1


@op
async def plus_at_once(x: int) -> int:
    return x + 1


@op
def twice(x: int) -> Iterator[int]:
    yield x
    yield x * 10


@op
async def twice_async(x: int) -> AsyncIterator[int]:
    yield x
    await anyio.lowlevel.checkpoint()
    yield x * 10


@op
async def twice_at_once(x: int) -> AsyncIterator[int]:
    yield x
    yield x * 10


@op
def keep(values: list[Any]) -> list[Any]:
    return values


@op
def following(n: int) -> int:
    return n + 1


FUNCTIONS = {
    "def": plus,
    "def inline": plus.with_(run_in="inline"),
    "def thread": plus.with_(run_in="thread"),
    "async def": plus_async,
    "async def without await": plus_at_once,
}
GENERATORS = {
    "def": twice,
    "def inline": twice.with_(run_in="inline"),
    "def thread": twice.with_(run_in="thread"),
    "async def": twice_async,
    "async def without await": twice_at_once,
}
EXPECTED: dict[tuple[str, str], Any] = {
    ("plain", "one"): 2,
    ("plain", "stream"): [2, 3, 4],
    ("plain", "collect"): [2, 3, 4],
    ("generator", "one"): [1, 10],
    ("generator", "stream"): [[1, 10], [2, 20], [3, 30]],
    ("generator", "collect"): [[1, 10], [2, 20], [3, 30]],
}


def body(make: Any, kind: str, shape: str) -> None:
    """Author the op under test, named `it`, over `PARENT["xs"]`, in the graph being built."""
    if shape == "one":
        make.with_(name="it")(x=PARENT["xs"][0])["result"] >> PARENT["out"]
        return
    item = each(PARENT["xs"], name="item")
    it = make.with_(name="it")(x=item["item"])
    if shape == "stream":
        it["result"] >> PARENT["out"]
        return
    ref = it.collect() if kind == "plain" else it.collect().collect()
    keep.with_(name="kept")(values=ref) >> PARENT["out"]


def root(author: Callable[[], None]) -> GraphOp:
    with GraphOp(name="g") as g:
        author()
    return g


def nested(author: Callable[[], None]) -> GraphOp:
    with GraphOp(name="g") as g:
        with GraphOp(name="sub", inputs=["xs"], xs=PARENT["xs"]) as sub:
            author()
        sub["out"] >> PARENT["out"]
    return g


def loop(author: Callable[[], None]) -> GraphOp:
    with GraphOp(name="g") as g:
        with GraphOp.loop(
            name="again", until=PARENT["rounds"] >= 2, xs=PARENT["xs"], rounds=0
        ) as again:
            author()
            following.with_(name="rounds")(n=PARENT["rounds"]) >> PARENT["rounds"]
        again["out"] >> PARENT["out"]
    return g


PLACES = {"root": root, "nested": nested, "loop": loop}


@pytest.fixture(params=["plain", "generator"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=list(FUNCTIONS))
def make(request: pytest.FixtureRequest, kind: str) -> Any:
    return (FUNCTIONS if kind == "plain" else GENERATORS)[request.param]


@pytest.fixture(params=list(PLACES))
def place(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["one", "stream", "collect"])
def shape(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def engine(make: Any, kind: str, place: str, shape: str) -> Operon:
    return Operon(PLACES[place](lambda: body(make, kind, shape)))


async def test_every_run_gives_the_same_value(engine: Operon, kind: str, shape: str) -> None:
    for _ in range(3):  # cold, then warm: ops that were short then run inline
        assert {"out": EXPECTED[kind, shape]} == dict(await engine.run({"xs": [1, 2, 3]}))


async def test_every_run_gives_the_same_frames(
    engine: Operon, kind: str, place: str, shape: str, seen: Any
) -> None:
    for _ in range(3):
        async with engine.stream({"xs": [1, 2, 3]}) as run:
            frames = [frame async for frame in run]
        assert expected_frames(kind, place, shape) == seen(frames)
        assert list(range(len(frames))) == [frame.seq for frame in frames]
        assert {run.run_id} == {frame.run_id for frame in frames}


def expected_frames(kind: str, place: str, shape: str) -> list[tuple[object, ...]]:
    inside = {"root": "g", "nested": "g.sub", "loop": "g.again"}[place]
    contexts: list[tuple[tuple[str, int], ...]] = [()]
    facts: list[tuple[Any, ...]] = []
    if place == "loop":
        contexts = [(("g.again", 0),), (("g.again", 1),)]
        facts += [("g.again.rounds", ctx, {"result": i + 1}) for i, ctx in enumerate(contexts)]
    for ctx in contexts:
        facts += body_frames(inside, ctx, kind, shape)
    return sorted(facts, key=lambda fact: (fact[1], fact[0]))


def body_frames(
    inside: str, ctx: tuple[tuple[str, int], ...], kind: str, shape: str
) -> Iterator[tuple[Any, ...]]:
    firings = [(ctx, 1)]
    if shape != "one":
        firings = [((*ctx, (f"{inside}.item", i)), x) for i, x in enumerate([1, 2, 3])]
        for i, (at, x) in enumerate(firings):
            yield f"{inside}.item", at, {"item": x, "index": i}
    if shape == "collect":
        yield f"{inside}.kept", ctx, {"result": EXPECTED[kind, shape]}
    for at, x in firings:
        if kind == "plain":
            yield f"{inside}.it", at, {"result": x + 1}
        else:
            yield f"{inside}.it", (*at, (f"{inside}.it", 0)), {"result": x}
            yield f"{inside}.it", (*at, (f"{inside}.it", 1)), {"result": x * 10}
