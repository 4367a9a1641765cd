"""Blocks of graphs: entered once, left built, and closed for good."""

# ruff: noqa: PT012, SIM117 - leaving the block of a graph is what raises

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import pytest

import operonx.core as core
from operonx.core import END, PARENT, BuildError, GraphOp, Operon, Retry, RunStateError, if_
from operonx.core.expressions.building import building_graph
from operonx.core.expressions.walking import walk

# An op stands for its result in typed code; here it is looked at as an op.
op: Callable[..., Any] = core.op


@op
def give(x: int) -> int:
    return x


def test_a_block_is_entered_once() -> None:
    with pytest.raises(TypeError, match="the block of a graph is entered once"):
        with GraphOp("g") as g:
            give(x=1) >> END
            with g:
                pass
    assert building_graph() is None
    with GraphOp("g") as again:
        give(x=1) >> END
    with pytest.raises(TypeError, match="entered once"), again:
        pass


def test_an_error_in_a_block_is_the_error_and_closes_it() -> None:
    with pytest.raises(KeyError), GraphOp("g"):
        give(x=1)
        raise KeyError
    assert building_graph() is None


def test_a_graph_left_by_an_error_is_reported_by_the_one_around() -> None:
    with pytest.raises(BuildError) as caught, GraphOp("g"):
        with pytest.raises(KeyError), GraphOp("inner") as inner:
            give(x=1)
            raise KeyError
        give(x=inner["result"]) >> END
    assert ["g.inner: its block was left by an error, so it is not built"] == [
        f"{issue.op}: {issue.message}" for issue in caught.value.issues
    ]


def test_an_op_called_behind_its_block_with_a_ref_is_refused() -> None:
    with GraphOp("g"):
        a = give(x=1)
        a >> END
    with pytest.raises(TypeError, match="called outside a graph block, where it is a plain funct"):
        give(x=a)
    with pytest.raises(TypeError, match="graph `g` is built and can no longer change"):
        a >> END
    assert 3 == give(3)


def test_a_branch_cannot_grow_behind_its_block() -> None:
    with GraphOp("g"):
        a, b = give(x=1), give(x=2)
        branch = if_(a > 1, b)
        b >> END
    with pytest.raises(TypeError, match="is built and can no longer change"):
        branch.else_(a)


def test_end_is_that_of_the_innermost_block() -> None:
    with GraphOp("g"):
        a = give(x=1)
        with GraphOp("inner"):
            with pytest.raises(TypeError, match="END is that of graph `inner`"):
                a >> END
            give(x=1)["result"] >> PARENT["n"]
        a["result"] >> PARENT["a"]
        inner: Any = building_graph().op("inner")  # type: ignore[union-attr]  # it is open
        inner["n"] >> PARENT["b"]


def test_a_graph_is_not_run_in_a_block_nor_before_it_is_built() -> None:
    with pytest.raises(TypeError, match="is not built: leave its block first"):
        Operon(GraphOp("g"))
    with GraphOp("ready") as ready:
        give(x=1) >> END
    with GraphOp("g"):
        give(x=1) >> END
        with pytest.raises(RunStateError, match="the block of graph `g` is open"):
            Operon(ready).run_sync()


def test_policies_of_ops_are_no_inputs_of_a_graph() -> None:
    with (
        pytest.raises(BuildError, match="a graph has no policy `retry`"),
        GraphOp("g", retry=Retry()),
    ):
        give(x=1) >> END
    with GraphOp("g") as g:  # an input of that name is one where it is read
        with GraphOp("inner", rate=3) as inner:
            give(x=PARENT["rate"]) >> END
        inner >> END
    assert {"result": 3} == dict(Operon(g).run_sync())


def test_a_root_graph_is_given_its_inputs_when_it_runs() -> None:
    with pytest.raises(BuildError, match="nobody would read that"), GraphOp("g", x=3):
        give(x=PARENT["x"]) >> END


@pytest.mark.parametrize("inputs", ["x", [1], {1: int}])
def test_inputs_are_names(inputs: Any) -> None:
    with pytest.raises(TypeError, match="takes a list of names, or types by name"):
        GraphOp("g", inputs=inputs)


def test_an_expression_of_a_hundred_levels_runs_and_a_deeper_one_is_refused() -> None:
    def author(levels: int) -> GraphOp:
        with GraphOp("g") as g:
            ref = give(x=1)["result"]
            for _ in range(levels):
                ref = ref + 1
            give(x=ref) >> END
        return g

    assert 101 == Operon(author(100)).run_sync()["result"]
    with pytest.raises(BuildError, match="an expression is too large: it nests more than 100 deep"):
        author(101)
    with pytest.raises(BuildError, match="nests more than 100 deep"):
        author(5_000)


def test_500_chained_ops_are_looked_at_a_bounded_number_of_times() -> None:
    """Build time is measured in benchmarks; here, that no check walks what it need not."""
    calls = 0

    def counting(expression: Any) -> Any:
        nonlocal calls
        calls += 1
        return walk(expression)

    with pytest.MonkeyPatch.context() as patch:
        for module in ("analysis", "validation.interface", "validation.references"):
            patch.setattr(importlib.import_module(f"operonx.core.graph.{module}"), "walk", counting)
        with GraphOp("g"):
            a = give(x=PARENT["x"])
            for _ in range(499):
                a = give(x=a)
            a >> END
    assert calls < 10
