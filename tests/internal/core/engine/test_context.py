"""What an op sees of its run: ids, place, attempt, logger, hub; and `emit` as an op."""

# What an op takes and does not look at is what its test hands it.
# ruff: noqa: ARG001

from __future__ import annotations

import logging
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from operonx.core import PARENT, GraphOp, Operon, Retry, RunContext, each, edge, emit, op

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore::operonx.core.BlockingOpWarning"),  # CI is slow, not stuck
]


@pytest.mark.parametrize("run_in", ["inline", "thread"])
async def test_a_context_tells_run_place_and_attempt(run_in: Any) -> None:
    seen: list[tuple[Any, ...]] = []

    @op(run_in=run_in, retry=Retry(attempts=3))
    def where(run: RunContext, x: int) -> str:
        seen.append((run.op, run.ctx, run.attempt, run.cancelled))
        if run.attempt < 3:
            raise ValueError
        return run.run_id

    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        with GraphOp(name="sub", inputs=["x"], x=item["item"]) as sub:
            w = where(x=PARENT["x"])
            w >> PARENT["id"]
        sub["id"] >> PARENT["ids"]
    result = await Operon(g).run({"xs": [1, 2]})
    assert [result.run_id] * 2 == result["ids"]
    expected = [
        ("g.sub.w", (("g.item", i),), attempt, False) for i in range(2) for attempt in (1, 2, 3)
    ]
    assert expected == sorted(seen)


async def test_a_context_is_no_port() -> None:
    @op
    def plain(run: RunContext, x: int) -> int:
        return x

    with GraphOp(name="g") as g:
        p = plain(x=PARENT["x"])
        p >> PARENT["out"]
    assert {"out": 3} == dict(await Operon(g).run({"x": 3}))


async def test_a_logger_carries_its_place(caplog: pytest.LogCaptureFixture) -> None:
    @op
    def talks(run: RunContext) -> int:
        run.logger.warning("hello")
        return 1

    with GraphOp(name="g") as g:
        t = talks()
        t >> PARENT["out"]
    with caplog.at_level(logging.WARNING):
        result = await Operon(g).run()
    record: Any = caplog.records[0]
    assert ("hello", result.run_id, "g.t", ()) == (
        record.getMessage(),
        record.run_id,
        record.op,
        record.ctx,
    )


async def test_the_hub_is_handed_to_ops_and_to_their_warm_up() -> None:
    hub = {"model": "m1"}
    warmed: list[Any] = []

    @op(warm_up=warmed.append)
    def asks(run: RunContext) -> str:
        return str(run.hub["model"])

    with GraphOp(name="g") as g:
        a = asks()
        a >> PARENT["out"]
    engine = Operon(g, hub=hub)
    assert [hub] == warmed
    assert {"out": "m1"} == dict(await engine.run())
    assert [hub] == warmed


async def test_a_warm_up_that_fails_fails_when_the_engine_is_made() -> None:
    def refuse(hub: object) -> None:
        raise LookupError("no model")

    @op(warm_up=refuse)
    def asks() -> str:
        return "never"

    with GraphOp(name="g") as g:
        with GraphOp(name="sub") as sub:
            a = asks()
            a >> PARENT["out"]
        sub["out"] >> PARENT["out"]
    with pytest.raises(LookupError, match="no model"):
        Operon(g)
    assert {"out": "fake"} == dict(await Operon(g, replace={"g.sub.a": lambda: "fake"}).run())


async def test_emit_as_an_op() -> None:
    @op
    async def late(x: int) -> int:
        await anyio.lowlevel.checkpoint()
        return x

    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        value = late(x=item["item"])
        told = emit("progress", value * 10)
        value >> PARENT["out"]
        edge(item, told)
    handle = Operon(g).start({"xs": [1, 2]})
    events = [(e.channel, e.payload, e.op, e.ctx) async for e in handle.events()]
    assert [
        ("progress", 10, "g.told", (("g.item", 0),)),
        ("progress", 20, "g.told", (("g.item", 1),)),
    ] == sorted(events)
    assert {"out": [1, 2]} == dict(await handle.result())


async def test_emits_that_nobody_watches_are_dropped() -> None:
    @op
    def noisy(run: RunContext) -> int:
        for i in range(10_000):
            run.emit("a", i)
        return 1

    with GraphOp(name="g") as g:
        n = noisy()
        n >> PARENT["out"]
    assert {"out": 1} == dict(await Operon(g).run())


async def test_emits_of_a_failed_attempt_tell_its_number() -> None:
    @op(retry=Retry(attempts=2))
    def noisy(run: RunContext) -> int:
        run.emit("try", run.attempt)
        if run.attempt == 1:
            raise ValueError
        return 1

    with GraphOp(name="g") as g:
        n = noisy()
        n >> PARENT["out"]
    handle = Operon(g).start()
    assert [(1, 1), (2, 2)] == [(e.payload, e.attempt) async for e in handle.events()]
    await handle.result()
