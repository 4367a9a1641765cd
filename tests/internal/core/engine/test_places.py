"""Places of ops with `concurrency=`: who gets one, and what firing it then comes to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anyio
import pytest

from operonx.core import PARENT, GraphOp, Operon, OpError, collect, each, op, race
from operonx.core.engine.guarding import Granted
from operonx.core.engine.linking import LinkedPlan
from operonx.core.plan.lowering import compile_plan
from operonx.core.plan.nodes import GeneratorNode

HOW = ["async def", "thread", "inline", "auto", "generator", "generator in a thread"]


def calls(how: str, begun: list[int]) -> Any:
    """An op that fails at item 1, of each kind, that goes one by one."""

    def called(x: int) -> int:
        begun.append(x)
        if x == 1:
            raise ValueError("no")
        return x

    @op(concurrency=1)
    async def waits(x: int) -> int:
        await anyio.lowlevel.checkpoint()
        return called(x)

    @op(concurrency=1)
    def plain(x: int) -> int:
        return called(x)

    @op(concurrency=1)
    def yields(x: int) -> Iterator[int]:
        yield called(x)

    return {
        "async def": waits,
        "thread": plain.with_(run_in="thread"),
        "inline": plain.with_(run_in="inline"),
        "auto": plain,
        "generator": yields.with_(run_in="inline"),
        "generator in a thread": yields.with_(run_in="thread"),
    }[how].with_(name="it")


@pytest.mark.anyio
@pytest.mark.parametrize("how", HOW)
async def test_what_waits_for_a_place_does_not_begin_once_the_run_has_failed(how: str) -> None:
    begun: list[int] = []
    with GraphOp(name="g") as g:
        it = calls(how, begun)(x=each(PARENT["xs"])["item"])
        it >> PARENT["out"]
    engine = Operon(g)
    for _ in range(2):  # the second time it is known how long it takes
        begun.clear()
        with pytest.raises(OpError, match="no"):
            await engine.run({"xs": list(range(50))})
        assert [0, 1] == begun


@pytest.mark.anyio
@pytest.mark.parametrize("how", HOW)
async def test_what_waits_for_a_place_does_not_begin_once_its_graph_has_failed(how: str) -> None:
    begun: list[int] = []
    with GraphOp(name="g") as g:
        with GraphOp(name="sub", xs=PARENT["xs"], on_error="skip") as sub:
            it = calls(how, begun)(x=each(PARENT["xs"])["item"])
            it >> PARENT["out"]
        sub["out"] >> PARENT["out"]
    engine = Operon(g)
    for _ in range(2):
        begun.clear()
        result = await engine.run({"xs": list(range(6))})
        assert [0, 1] == begun
        assert ["g.sub.it"] == [error.op for error in result.errors]


@pytest.mark.anyio
async def test_what_waits_for_a_place_does_not_begin_once_its_race_is_lost() -> None:
    begun: list[int] = []
    won = anyio.Event()

    @op(concurrency=1, timeout=20)
    async def loses(x: int) -> int:
        begun.append(x)
        await won.wait()
        await anyio.sleep_forever()
        return x

    @op
    async def wins() -> list[int]:
        while not begun:
            await anyio.lowlevel.checkpoint()
        won.set()
        return [-1]

    with GraphOp(name="g") as g:
        with GraphOp(name="sub", xs=PARENT["xs"]) as sub:
            collect(loses(x=each(PARENT["xs"])["item"])) >> PARENT["out"]
        race(sub["out"], wins()) >> PARENT["out"]
    with anyio.fail_after(10):
        assert {"out": [-1]} == dict(await Operon(g).run({"xs": list(range(9))}))
    assert [0] == begun


def test_what_was_given_its_place_fires_as_its_op_does_by_then() -> None:
    # Another run may find out meanwhile that the op is slow, and needs a task.
    @op(concurrency=1)
    def it(x: int) -> Iterator[int]:
        yield x

    with GraphOp(name="g") as g:
        it(x=PARENT["x"]) >> PARENT["out"]
    linked = LinkedPlan(compile_plan(g), hub=None, max_open=1, replaced={})
    node: Any = next(node for node in linked.plan.nodes if isinstance(node, GeneratorNode))
    granted = Granted(node)
    for short in (True, False, True):
        node.caller.short = short
        node.choose(node)
        assert granted.firing[0] is not short
