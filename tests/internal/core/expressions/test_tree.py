"""Expressions are data: what operators, methods and containers make of refs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

import operonx.core as core
from operonx.core import END, PARENT, GraphOp
from operonx.core.expressions.tree import Constant, DictOf, ListOf, Operators, lift

# An op stands for its result in typed code; here it is looked at as an op.
op: Callable[..., Any] = core.op


@op
def give(x: int) -> int:
    return x


X: Any = PARENT["x"]
Y: Any = PARENT["y"]


@pytest.mark.parametrize(
    ("ref", "text"),
    [
        (X == 1, 'PARENT["x"] == 1'),
        (X != Y, 'PARENT["x"] != PARENT["y"]'),
        (X < 1, 'PARENT["x"] < 1'),
        (X <= 1, 'PARENT["x"] <= 1'),
        (1 < X, 'PARENT["x"] > 1'),  # Python turns it round
        (X >= 1, 'PARENT["x"] >= 1'),
        (X + 1, 'PARENT["x"] + 1'),
        (1 + X, '1 + PARENT["x"]'),
        (X - 1, 'PARENT["x"] - 1'),
        (1 - X, '1 - PARENT["x"]'),
        (X * 2, 'PARENT["x"] * 2'),
        (2 * X, '2 * PARENT["x"]'),
        (X / 2, 'PARENT["x"] / 2'),
        (2 / X, '2 / PARENT["x"]'),
        (X // 2, 'PARENT["x"] // 2'),
        (2 // X, '2 // PARENT["x"]'),
        (X % 2, 'PARENT["x"] % 2'),
        ([2] + X, '[2] + PARENT["x"]'),  # noqa: RUF005 - an expression, no list
        (-X, '-PARENT["x"]'),
        (~X, '~PARENT["x"]'),
        ((X == 1) & Y, '(PARENT["x"] == 1) & PARENT["y"]'),
        (True & Y, 'True & PARENT["y"]'),
        (X | False, 'PARENT["x"] | False'),
        (~(X | Y), '~(PARENT["x"] | PARENT["y"])'),
        (X["key"], 'PARENT["x"]["key"]'),
        (X[0], 'PARENT["x"][0]'),
        (X[Y], 'PARENT["x"][PARENT["y"]]'),
        ((X + 1)["k"], '(PARENT["x"] + 1)["k"]'),
        (X.len(), 'PARENT["x"].len()'),
        (X.contains("a"), "PARENT[\"x\"].contains('a')"),
        (X.is_none(), 'PARENT["x"].is_none()'),
        (X.flatten(), 'PARENT["x"].flatten()'),
        (X.or_else(0), 'PARENT["x"].or_else(0)'),
        (X.or_else(Y), 'PARENT["x"].or_else(PARENT["y"])'),
        (X.collect(), 'PARENT["x"].collect()'),
        (X.stream(), 'PARENT["x"].stream()'),
        (X.batch(3), 'PARENT["x"].batch(3)'),
        (core.first_of(X, Y), 'first_of(PARENT["x"], PARENT["y"])'),
        (core.race(X, Y), 'race(PARENT["x"], PARENT["y"])'),
        (core.template("{a}!", a=X), "template('{a}!', a=PARENT[\"x\"])"),
        (core.collect(X), 'PARENT["x"].collect()'),
        (core.stream(X), 'PARENT["x"].stream()'),
        (core.batch(X, 2), 'PARENT["x"].batch(2)'),
        (core.or_else(X, 1), 'PARENT["x"].or_else(1)'),
        (core.length(X), 'PARENT["x"].len()'),
        (core.contains(X, 1), 'PARENT["x"].contains(1)'),
        (core.is_none(X), 'PARENT["x"].is_none()'),
        (core.flatten(X), 'PARENT["x"].flatten()'),
    ],
)
def test_an_expression_reads_as_it_was_written(ref: object, text: str) -> None:
    assert text == repr(ref)


def test_containers_that_hold_refs_are_refs() -> None:
    made = lift([1, (X, 2), {"k": [Y]}])
    assert isinstance(made, ListOf)
    assert '[1, (PARENT["x"], 2), {\'k\': [PARENT["y"]]}]' == repr(made)
    assert isinstance(lift({"k": X}), DictOf)
    assert isinstance(lift([1, {"k": [2]}]), Constant)


def test_an_op_with_one_port_stands_for_it() -> None:
    with GraphOp("g") as g:
        a = give(x=1)
        more = [a > 2, a.collect, a + 1, [a]]
        a >> END
    assert 'a["result"] > 2' == repr(more[0])
    assert '[a["result"]]' == repr(lift(more[3]))
    assert g.op("a") is a


@pytest.mark.parametrize("size", [0, -1, True, "3", 1.5, None])
def test_a_batch_takes_a_size_from_one(size: Any) -> None:
    with pytest.raises(ValueError, match="takes a whole number from 1"):
        X.batch(size)


@pytest.mark.parametrize("per", [3, X, "a"])
def test_a_collect_is_per_an_op(per: Any) -> None:
    for collect in (X.collect, partial(core.collect, X)):
        with pytest.raises(TypeError, match="per= takes an op"):
            collect(per=per)


def test_a_container_that_holds_itself_is_a_constant_or_refused() -> None:
    endless: list[object] = [1]
    endless.append(endless)
    assert isinstance(lift(endless), Constant)
    endless.append(X)
    with pytest.raises(ValueError, match="nested more than 100 deep holds refs"):
        lift(endless)


def test_operators_are_hashable_and_compare_as_expressions() -> None:
    assert {X: 1}[X] == 1
    assert isinstance(X == X, Operators)  # noqa: PLR0124 - an expression, no answer
