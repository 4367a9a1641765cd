"""`each`, `emit` and calls of ops: arguments as Python takes them, mistakes with the others."""

# ruff: noqa: PT012 - leaving the block of a graph is what raises

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import operonx.core as core
from operonx.core import END, PARENT, BuildError, GraphOp, Operon

# An op stands for its result in typed code; here it is looked at as an op.
op: Callable[..., Any] = core.op
each: Any = core.each
emit: Any = core.emit


@op
def give(x: int, y: int = 0, *, z: int = 0) -> int:
    return x + y + z


def issues(caught: pytest.ExceptionInfo[BuildError]) -> list[str]:
    return [f"{one.op}: {one.message}" for one in caught.value.issues]


def test_arguments_are_given_by_position_or_name() -> None:
    with GraphOp("g") as g:
        give(1, PARENT["y"], z=3) >> END
    assert {"result": 6} == dict(Operon(g).run_sync({"y": 2}))


def test_surplus_and_double_arguments_are_reported_with_the_others() -> None:
    with pytest.raises(BuildError) as caught, GraphOp("g"):
        a = give(1, 2, 3)
        b = give(1, x=2)
        give(w=1, x=b, y=a) >> END
    assert [
        "g.a: it takes `x`, `y` by position, got 3 arguments",
        "g.b: input `x` is given twice, by position and by name",
        "g.give: no input `w`; it takes `x`, `y`, `z`",
    ] == issues(caught)


def test_each_has_two_ports_and_a_name() -> None:
    with GraphOp("g") as g:
        page = each([5, 6])
        given = each.with_(name="other")(PARENT["xs"])
        give(x=page["item"], y=page["index"]).collect() >> PARENT["o"]
        given["index"].collect() >> PARENT["indices"]
    assert ["page", "other", "give"] == [one.name for one in g.ops]
    assert {"o": [5, 7], "indices": [0]} == dict(Operon(g).run_sync({"xs": ["a"]}))
    assert [{"item": 3, "index": 0}] == list(each([3]))


def test_mistakes_with_each_and_emit_are_reported() -> None:
    with pytest.raises(BuildError) as caught, GraphOp("g"):
        page = each(list=[1])
        give(x=page["itm"]).collect() >> PARENT["o"]
        emit(chanel="progress", value=1)
    assert [
        'g.give: page["itm"]: op `page` has no port `itm`; it has `item`, `index`',
        "g.emit: no input `chanel`; it takes `channel`, `value`",
        "g.emit: input `channel` is not given",
    ] == issues(caught)
    assert ["did you mean `item`?", "did you mean `channel`?"] == [
        one.hint for one in caught.value.issues[:2]
    ]


def test_an_op_is_made_of_a_function() -> None:
    with pytest.raises(TypeError, match="`@op` takes a function, got 3"):
        op(3)
