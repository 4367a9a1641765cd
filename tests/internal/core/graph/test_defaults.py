"""Defaults of parameters and inputs are checked against their annotations, as constants are."""

# ruff: noqa: RUF013, ARG001 - what is wrong, or not read, is what is looked at

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

import operonx.core as core
from operonx.core import BuildError, Operon, Stream, graph

op: Any = core.op


class _Missing:
    """A mark of a library's own."""


MISSING: Any = _Missing()


@op
def wrong(x: int = "s") -> int:  # type: ignore[assignment]  # that is the mistake
    return x


@op
def none(x: int = None) -> int:  # type: ignore[assignment]  # that is the mistake
    return x


@op
def right(
    a: int = 1,
    b: float = 1,
    c: int | None = None,
    d: list[str] = [],  # noqa: B006 - as users write it
    e: int = MISSING,
    f: Stream[int] | None = None,
    **rest: int,
) -> int:
    return a


@op
@dataclass
class Made:
    items: list[int] = field(default_factory=list[int])


def issues_of(factory: Any) -> list[str]:
    with pytest.raises(BuildError) as caught:
        factory.build()
    return [f"{one.op}: {one.message} | {one.hint}" for one in caught.value.issues]


def test_the_default_of_a_parameter_that_is_not_given_is_checked() -> None:
    @graph
    def g() -> Any:
        return {"a": wrong(), "b": none()}

    assert [
        "g.wrong: the default of input `x`: expected `int`, got `str` 's' | it takes `int`",
        (
            "g.none: the default of input `x`: expected `int`, got `None` | annotate it as "
            "`int | None`, or leave the default out"
        ),
    ] == issues_of(g)


def test_the_default_of_a_parameter_that_is_given_is_not_used() -> None:
    @graph
    def g(x: int) -> Any:
        return {"a": wrong(x=x), "b": none(x=x)}

    assert {"a": 1, "b": 1} == dict(Operon(g).run_sync({"x": 1}))


def test_right_defaults_and_marks_for_none_given_are_left_alone() -> None:
    @graph
    def g() -> Any:
        made: Any = Made()
        return {"a": right(), "b": made["items"]}

    assert {"a": 1, "b": []} == dict(Operon(g).run_sync())


def test_the_default_of_an_input_is_checked_once_wherever_its_graph_is() -> None:
    @graph
    def inner(x: int = "s") -> int:  # type: ignore[assignment]  # that is the mistake
        return right(a=x)  # type: ignore[no-any-return]  # `op` is typed so here

    @graph
    def outer(x: int) -> Any:
        return {"a": inner(), "b": inner(x=x)}

    said = "the default of input `x`: expected `int`, got `str` 's' | it takes `int`"
    assert [f"inner: {said}"] == issues_of(inner)
    assert [f"outer.inner: {said}", f"outer.inner_2: {said}"] == issues_of(outer)


def test_a_value_given_to_build_is_the_default() -> None:
    @graph
    def g(x: int) -> Any:
        return right(a=x)

    with pytest.raises(BuildError, match="the default of input `x`: expected `int`, got `str` 's'"):
        g.build(x="s")
    assert {"result": 2} == dict(Operon(g.build(x=2)).run_sync())


def test_the_default_of_a_loop_is_its_first_state() -> None:
    @graph.loop(until="x > 2")
    def up(x: int = "s") -> Any:  # type: ignore[assignment]  # that is the mistake
        return {"x": right(a=x)}

    assert [
        "up: the default of input `x`: expected `int`, got `str` 's' | it takes `int`"
    ] == issues_of(up)
