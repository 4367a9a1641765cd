"""`@graph` functions: what they may be, take and return."""

# ruff: noqa: ARG001 - parameters are what is looked at

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

import operonx.core as core
from operonx.core import BuildError, GraphOp, Operon, State, Static, graph

if TYPE_CHECKING:
    Unknown: TypeAlias = Any  # what checkers find and a running program does not

# An op stands for its result in typed code; here it is looked at as an op.
op: Callable[..., Any] = core.op


@op
def give(x: int) -> int:
    return x


async def coroutine(x: int) -> None: ...


def generator(x: int) -> Any:
    yield give(x=x)


def positional(*x: int) -> Any: ...


def keywords(**x: int) -> Any: ...


def by_position(x: int, /) -> Any: ...


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (3, "`@graph` takes a function, got 3"),
        (coroutine, "graph `coroutine`: write `def`; it runs once"),
        (generator, "graph `generator` yields; it runs once"),
    ],
)
def test_a_graph_function_is_a_plain_def(function: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        graph(function)


@pytest.mark.parametrize("function", [positional, keywords, by_position])
def test_a_parameter_has_a_name_to_bind(function: Any) -> None:
    with pytest.raises(TypeError, match="has no name to bind"):
        graph(function).build()


def test_an_annotation_that_cannot_be_found_costs_only_itself() -> None:
    seen: list[int] = []

    @graph
    def made(x: Unknown, n: Static[int]) -> Any:
        seen.append(n)
        return give(x=x)

    assert ["x"] == list(made.build(n=3).analysis.inputs)  # type: ignore[union-attr]  # it is built
    assert [3] == seen


def test_a_static_parameter_takes_a_python_value() -> None:
    @graph
    def made(x: int, n: Static[int]) -> Any:
        return give(x=x + n)

    with pytest.raises(TypeError, match="static parameter `n` needs a value"):
        made.build()
    with pytest.raises(TypeError, match="`n` is static: it takes a Python value"), GraphOp("g"):
        made(x=1, n=core.PARENT["n"])
    with pytest.raises(TypeError, match="graph `made` has no parameter `m`; it has `x`, `n`"):
        made.build(m=3)


def test_a_graph_in_itself_ends_by_a_static_parameter_or_is_refused() -> None:
    @graph
    def down(x: int, n: Static[int]) -> Any:
        return give(x=x) if n == 0 else down(x=x, n=n - 1)

    @graph
    def endless(x: int) -> Any:
        return endless(x=x)

    assert 7 == Operon(down.build(n=50)).run_sync({"x": 7})["result"]
    with pytest.raises(TypeError, match="graph `endless` is in itself, 100 times over"):
        endless.build()


@pytest.mark.parametrize("setting", ["retry", "fallback", "timout"])
def test_a_graph_takes_three_policies(setting: str) -> None:
    with pytest.raises(TypeError, match=rf"a graph has no policy `{setting}`"):
        graph(**{setting: 1})  # type: ignore[call-overload]  # that is the mistake


def test_a_loop_function_may_have_parameters_called_as_its_settings() -> None:
    @graph.loop(until="name >= 3")
    def made(name: int = 0, until: int = 5, max_iterations: int = 1) -> Any:
        return {"name": give(x=name + 1)}

    result = Operon(made).run_sync()
    assert {"name": 3, "until": 5, "max_iterations": 1} == dict(result)


def test_a_state_without_a_first_value_is_an_input() -> None:
    @graph.loop(until="xs.len() >= 3")
    def made(xs: Any = State(reducer="append")) -> Any:  # noqa: B008 - it cannot be changed
        return {"xs": give(x=1)}

    with pytest.raises(core.InputError, match="input `xs` is missing"):
        Operon(made).run_sync()
    assert [9, 1, 1] == Operon(made).run_sync({"xs": [9]})["xs"]


def test_what_is_no_state_of_a_loop_is_reported() -> None:
    @graph.loop(until="x >= 3")
    def made(x: int = 0) -> Any:
        return {"x": give(x=x + 1)}

    wrong: Any = made
    with pytest.raises(BuildError, match=r"g.made: no input `y`; it takes `x`"), GraphOp("g"):
        wrong(y=1) >> core.END
