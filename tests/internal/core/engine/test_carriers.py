"""`ports=[...]`: an output is watched only where frames carry just what leaves as it."""

# pyright: reportUnusedExpression=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from operonx.core import (
    PARENT,
    GraphOp,
    Operon,
    State,
    collect,
    each,
    error_of,
    if_,
    op,
    zip_streams,
)

pytestmark = pytest.mark.anyio


@op
def plus(x: int) -> int:
    return x + 1


@op(on_error="skip")
def maybe(x: int) -> int:
    return x


@op
def told(error: dict[str, Any]) -> str:
    return str(error["message"])


def author(write: Callable[[], None]) -> GraphOp:
    with GraphOp(name="g", inputs={"n": int, "xs": list[int]}) as g:
        write()
    return g


def last_state() -> None:
    with GraphOp.loop(until=PARENT["n"] > 3, n=PARENT["n"]) as loop:
        plus(x=PARENT["n"]) >> PARENT["n"]
    loop["n"] >> PARENT["out"]


def last_output() -> None:
    with GraphOp.loop(until=PARENT["n"] > 3, n=PARENT["n"]) as loop:
        more = plus(x=PARENT["n"])
        more >> PARENT["n"]
        more >> PARENT["seen"]
    loop["seen"] >> PARENT["out"]


def reduced() -> None:
    with GraphOp.loop(until="iteration == 2", seen=State([], reducer="append")) as loop:
        plus(x=PARENT.iteration) >> PARENT["seen"]
    loop["seen"] >> PARENT["out"]


def reduced_iterations() -> None:
    with GraphOp.loop(until="iteration == 2", seen=State([], reducer="append")) as loop:
        plus(x=PARENT.iteration) >> PARENT["seen"]
    loop.iterations["seen"] >> PARENT["out"]


def kept_iterations() -> None:
    with GraphOp.loop(until="iteration == 2", n=PARENT["n"]) as loop:
        more: Any = plus(x=PARENT["n"])
        if_(PARENT["n"] < 2, more)
        more >> PARENT["n"]
    loop.iterations["n"] >> PARENT["out"]


def failing_iterations() -> None:
    with GraphOp.loop(until="iteration == 2", n=PARENT["n"]) as loop:
        plus(x=maybe(x=PARENT["n"])) >> PARENT["n"]
    loop.iterations["n"] >> PARENT["out"]


def unwritten_iterations() -> None:
    with GraphOp.loop(until="iteration == 2", n=PARENT["n"], m=1) as loop:
        plus(x=PARENT["n"]) >> PARENT["n"]
    loop.iterations["m"] >> PARENT["out"]
    loop["n"] >> PARENT["n"]


def given() -> None:
    plus(x=PARENT["n"]) >> PARENT["other"]
    PARENT["n"] >> PARENT["out"]


def given_through_a_graph() -> None:
    with GraphOp(name="sub", inputs=["n"], n=PARENT["n"]) as sub:
        plus(x=PARENT["n"]) >> PARENT["other"]
        PARENT["n"] >> PARENT["same"]
    sub["same"] >> PARENT["out"]
    sub["other"] >> PARENT["other"]


def contained() -> None:
    with GraphOp(name="sub", inputs=["n"], n=PARENT["n"], on_error="skip") as sub:
        more: Any = plus(x=PARENT["n"])
        more["result"] >> PARENT["more"]
        plus(x=more) >> PARENT["even more"]
    sub["more"] >> PARENT["out"]


def routed() -> None:
    with GraphOp(name="sub", inputs=["n"], n=PARENT["n"]) as sub:
        plus(x=PARENT["n"]) >> PARENT["more"]
    told(error=error_of(sub)) >> PARENT["why"]
    sub["more"] >> PARENT["out"]


def zipped() -> None:
    one: Any = each(PARENT["xs"])
    z: Any = zip_streams(a=one["item"], b=plus(x=one["item"]))
    z["b"] >> PARENT["out"]


def collected() -> None:
    collect(plus(x=each(PARENT["xs"])["item"])) >> PARENT["out"]


@pytest.mark.parametrize(
    ("write", "says"),
    [
        (last_state, r"what loop `g\.loop` leaves with.*`loop\.iterations\[\"n\"\]`"),
        (last_output, r"what loop `g\.loop` leaves with.*`loop\.iterations\[\"seen\"\]`"),
        (reduced, r"what loop `g\.loop` leaves with"),
        (reduced_iterations, 'state `seen` of loop `g.loop`, which has the reducer "append"'),
        (kept_iterations, "which some iterations keep"),
        (failing_iterations, "which some iterations keep"),
        (unwritten_iterations, "which is never written"),
        (given, r"an input handed on \(`PARENT\[\"n\"\]`\)"),
        (given_through_a_graph, "an input handed on"),
        (contained, "leaves `g.sub` only once that has ended well"),
        (routed, "leaves `g.sub` only once that has ended well"),
        (zipped, "is computed"),
        (collected, "is computed"),
    ],
)
async def test_an_output_that_no_frame_carries_is_refused(
    write: Callable[[], None], says: str
) -> None:
    with pytest.raises(ValueError, match=f"output `out` .*{says}"):
        Operon(author(write)).stream({"n": 1, "xs": [1]}, ports=["out"])


def streamed_out_of_a_contained_graph() -> None:
    with GraphOp(name="sub", inputs=["xs"], xs=PARENT["xs"], on_error="skip") as sub:
        plus(x=each(PARENT["xs"])["item"]) >> PARENT["more"]
    sub["more"] >> PARENT["out"]


def outputs_of_iterations() -> None:
    with GraphOp.loop(until=PARENT["n"] > 3, n=PARENT["n"]) as loop:
        more: Any = plus(x=PARENT["n"])
        more >> PARENT["n"]
        odd: Any = plus(x=more)
        if_(more > 2, odd)
        odd >> PARENT["odd"]
    loop.iterations["odd"] >> PARENT["out"]


@pytest.mark.parametrize(
    ("write", "values"),
    [(streamed_out_of_a_contained_graph, [2, 3]), (outputs_of_iterations, [4, 5])],
)
async def test_frames_that_carry_an_output_have_just_its_values(
    write: Callable[[], None], values: list[int]
) -> None:
    engine = Operon(author(write))
    inputs = {"n": 1, "xs": [1, 2]}
    async with engine.stream(inputs, ports=["out"], order="index") as run:
        assert values == [frame.outputs["out"] async for frame in run]
    assert values == (await engine.run(inputs))["out"]
