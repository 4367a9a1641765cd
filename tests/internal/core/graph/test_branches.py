"""Branches: what they take, how they are read, and what is refused."""

# ruff: noqa: PT012 - leaving the block of a graph is what raises

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pytest

import operonx.core as core
from operonx.core import END, PARENT, BuildError, GraphOp, Operon, if_, switch

# An op stands for its result in typed code; here it is looked at as an op.
op: Callable[..., Any] = core.op


@op
def give(x: int) -> int:
    return x


@op
def twice(x: int) -> int:
    return 2 * x


@op
def kind(text: str) -> Literal["refund", "sales"]:
    return "refund" if text else "sales"


def test_targets_may_be_named_before_they_are_made() -> None:
    with GraphOp("g") as g:
        route = switch(PARENT["k"], {"a": "one", "b": ["two"]}, default="rest")
        one = give(x=1)
        two = give(x=2)
        rest = give(x=3)
        route["result"] >> PARENT["o"]
    assert ["one", "two", "rest"] == [one.name, two.name, rest.name]
    engine = Operon(g)
    assert [1, 2, 3] == [engine.run_sync({"k": k})["o"] for k in ("a", "b", "c")]


REFUSED: list[tuple[Callable[[Any], object], str]] = [
    (lambda a: if_(a > 1, 3), "a target is an op or its name, got 3"),
    (lambda a: if_(a > 1, a).else_(a).else_(a), r"nothing can follow `\.else_\(\.\.\.\)`"),
    (lambda a: switch(a, {}), "takes targets by case"),
    (lambda a: switch(a, [a]), "takes targets by case"),  # type: ignore[arg-type]  # that is the mistake
    (lambda a: switch(a, {None: a}), "a case is a text, number or boolean, got None"),
    (lambda a: switch(a, {float("nan"): a}), "a case is a text, number or boolean, got nan"),
    (lambda a: switch(a, {1: a})[0], "takes the name of a port"),  # type: ignore[index]  # likewise
]


@pytest.mark.parametrize(("author", "message"), REFUSED)
def test_what_a_branch_does_not_take_raises_at_once(author: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message), GraphOp("g"):
        author(give(x=1))


@pytest.mark.parametrize("block", [lambda: if_(True, "a"), lambda: switch(1, {1: "a"})])
def test_a_branch_is_made_in_a_block(block: Any) -> None:
    with pytest.raises(TypeError, match="adds to a graph: use it in a graph block"):
        block()


WRONG: list[tuple[Callable[[Any, Any, Any], object], str, str, str]] = [
    (
        lambda a, b, c: if_(a > 1, b) >> c,
        "g.c",
        "`branch >> c`: `c` is no target of the branch",
        "name it as one: `.elif_(condition, c)` or `.else_(c)`",
    ),
    (
        lambda _, b, __: if_(3, b),
        "g.branch",
        "condition 3 is `int`, expected a boolean",
        "write a comparison of refs: `ref != 0`, `ref.len() > 0`",
    ),
    (
        lambda _, b, c: switch(kind(text="x"), {"refund": b, "slaes": c}),
        "g.switch",
        (
            """case 'slaes' never comes: kind["result"]: """
            """expected `Literal['refund', 'sales']`, got `str` 'slaes'"""
        ),
        "did you mean `sales`?",
    ),
]


@pytest.mark.parametrize(("author", "op_path", "message", "hint"), WRONG)
def test_a_wrong_branch_is_reported(author: Any, op_path: str, message: str, hint: str) -> None:
    with pytest.raises(BuildError) as caught, GraphOp("g"):
        a = give(x=1)
        b = give(x=a)
        c = give(x=3)
        author(a, b, c)
        b["result"] >> PARENT["b"]
        c["result"] >> PARENT["c"]
    (issue,) = caught.value.issues
    assert (op_path, message, hint) == (issue.op, issue.message, issue.hint)


def test_a_condition_that_turns_out_to_be_no_boolean_ends_the_run() -> None:
    with GraphOp("g") as g:
        a, b = give(x=1), give(x=2)
        if_(a, b)
        b >> END
    with pytest.raises(core.OpError, match="a condition gave `int`, not a boolean"):
        Operon(g).run_sync()


def test_an_output_that_needs_two_arms_is_reported_at_the_graph() -> None:
    with pytest.raises(BuildError) as caught, GraphOp("g"):
        a = give(x=1)
        b = give(x=2)
        if_(PARENT["x"] > 0, a).else_(b)
        a["result"] + b["result"] >> PARENT["sum"]
    (issue,) = caught.value.issues
    assert "g" == issue.op
    assert issue.message.startswith('output `sum` (a["result"] + b["result"]) could never be')


@pytest.mark.parametrize("collected", [True, False])
def test_arms_inside_a_stream_of_a_nested_graph_exclude_each_other_by_item(collected: bool) -> None:
    @op
    def added(x: Any, y: Any) -> int:
        total: int = sum(x) + sum(y)
        return total

    def author() -> GraphOp:
        with GraphOp("g") as g:
            with GraphOp("s", n=PARENT["n"]) as s:
                i = core.each(PARENT["n"])
                one, two = give(x=i["item"]), twice(x=i["item"])
                if_(PARENT["n"].len() > i["item"], one).else_(two)
                one["result"] >> PARENT["one"]
                two["result"] >> PARENT["two"]
            refs = [s["one"], s["two"]]
            x, y = [ref.collect() for ref in refs] if collected else refs
            added(x=x, y=y) >> END
        return g

    if collected:
        assert 1 + 2 * 3 + 2 * 4 == Operon(author()).run_sync({"n": [1, 3, 4]})["result"]
    else:
        with pytest.raises(BuildError, match="it could never fire: it needs arms of `branch`"):
            author()


def test_states_of_a_loop_are_there_whichever_arm_wrote_them() -> None:
    @op
    def add(x: int, y: int) -> int:
        return x + y

    with GraphOp("g") as g:
        with GraphOp.loop(until="n >= 3", n=0, a=0, b=0) as loop:
            n = give(x=PARENT["n"] + 1)
            n["result"] >> PARENT["n"]
            p, q = give(x=PARENT["a"] + 1), give(x=PARENT["b"] + 1)
            if_(n > 2, p).else_(q)
            p["result"] >> PARENT["a"]
            q["result"] >> PARENT["b"]
        add(x=loop["a"], y=loop["b"]) >> END
    assert 3 == Operon(g).run_sync()["result"]
