"""Refs are data: what operators, methods and containers make of them, and what they refuse."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

import operonx.core as core
from operonx.core import END, PARENT, START, GraphOp
from operonx.core.expressions.refs import Constant, DictOf, ListOf, Operators, lift
from operonx.core.expressions.walking import excess, walk

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


# -- what a ref is not


@dataclass
class Holder:
    value: object


Pair = namedtuple("Pair", "a b")  # noqa: PYI024 # pyright: ignore[reportUntypedNamedTuple]  # this kind is meant


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({X}, "is an item of a `set`"),
        (frozenset([X]), "is an item of a `frozenset`"),
        ({X: 1}, "is a key of a `dict`"),
        ([{"a": {X}}], "is an item of a `set`"),
        (Pair(1, X), "is a field of a `Pair`"),
        (Holder(X), "is a field of a `Holder`"),
    ],
)
def test_a_ref_that_could_not_be_followed_is_refused(value: object, message: str) -> None:
    with pytest.raises(TypeError, match=message) as caught:
        lift(value)
    assert "let an op build it" in str(caught.value)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (PARENT, 'name the input that is meant: `PARENT["k"]`'),
        (START, "it only stands on the left of `>>`"),
        ([END], "it only stands on the right of `>>`"),
    ],
)
def test_what_only_authors_a_graph_is_no_value(value: object, message: str) -> None:
    with pytest.raises(TypeError) as caught:
        lift(value)
    assert message in str(caught.value)


def test_not_of_an_op_says_that_its_port_is_meant() -> None:
    with GraphOp("g"):
        a = give(x=1)
        with pytest.raises(TypeError, match=r'for "not" write `~op\["port"\]`'):
            lift(~a)
        a >> END


MISUSES: list[tuple[Callable[[Any], object], str]] = [
    (bool, "has no value while the graph is built"),
    (lambda ref: ref and 1, "`\\(x\\) & \\(y\\)` for `and`"),
    (lambda ref: ref or 1, "`|` for `or`"),
    (lambda ref: not ref, "`~ref` for `not`"),
    (lambda ref: 0 < ref < 3, r"`\(a < x\) & \(x < b\)` for `a < x < b`"),
    (lambda ref: 1 in ref, r"\.contains\(1\)` instead of `in`"),
    (lambda ref: ref in [1, 2], "has no value"),
    (list, r"fan out with `each\(ref\)`"),
    (len, r"\.len\(\)` instead of `len\(\.\.\.\)`"),
    (str, "instead of an f-string"),
    (lambda ref: f"{ref}", "instead of an f-string"),
    (lambda ref: f"{ref:>3}", "instead of an f-string"),
    (max, "has no items"),
    (lambda ref: ref == 1 & ref, "add parentheses"),
    (lambda ref: ref & 1 == ref, "add parentheses"),
    (lambda ref: "a" | ref, "add parentheses"),
    (lambda ref: ref >> 1, r"a ref is written to `PARENT\[\.\.\.\]`"),
]


@pytest.mark.parametrize(("use", "message"), MISUSES)
def test_a_ref_used_as_a_value_says_what_to_write(
    use: Callable[[Any], object], message: str
) -> None:
    with GraphOp("g"):
        a = give(x=1)
        a >> END
        for ref in (a["result"], a):
            if ref is a and message.startswith("a ref is written"):
                continue
            with pytest.raises(TypeError, match=message):
                use(ref)


def test_an_attribute_of_a_ref_says_how_keys_are_read() -> None:
    with pytest.raises(AttributeError, match=r'to read a key write `ref\["upper"\]`'):
        X.upper()
    with GraphOp("g"):
        a = give(x=1)
        a >> END
        with pytest.raises(AttributeError, match=r'an output is read as `a\["result"\]`'):
            _ = a.result
    assert not hasattr(X, "_repr_html_")


@pytest.mark.parametrize("size", [0, -1, True, "3", 1.5, None])
def test_a_batch_takes_a_size_from_one(size: Any) -> None:
    with pytest.raises(ValueError, match="takes a whole number from 1"):
        X.batch(size)


@pytest.mark.parametrize("per", [3, X, "a"])
def test_a_collect_is_per_an_op(per: Any) -> None:
    for collect in (X.collect, partial(core.collect, X)):
        with pytest.raises(TypeError, match="per= takes an op"):
            collect(per=per)


@pytest.mark.parametrize(
    "function", [core.collect, core.stream, core.length, core.is_none, core.flatten]
)
def test_a_function_of_refs_takes_a_ref(function: Any) -> None:
    with pytest.raises(TypeError, match="takes a ref, got 3"):
        function(3)


def test_a_choice_takes_two_or_more_refs() -> None:
    with pytest.raises(TypeError, match="two or more refs or ops, got 1"):
        core.first_of(X)
    with pytest.raises(TypeError, match="takes refs or ops, got 3"):
        core.race(X, 3)


# -- size


def chain(length: int) -> Any:
    ref = X
    for _ in range(length):
        ref = ref + 1
    return ref


def test_a_long_expression_is_shown_and_walked_without_recursion() -> None:
    ref = chain(5_000)
    assert len(repr(ref)) < 1_000
    assert 10_001 == sum(1 for _ in walk(ref))
    assert "it nests more than 100 deep" == excess(ref)
    assert excess(chain(100)) is None


def test_an_expression_of_itself_is_walked_once_and_shown_in_part() -> None:
    ref = X
    for _ in range(60):
        ref = ref + ref
    assert 61 == sum(1 for _ in walk(ref))
    assert len(repr(ref)) < 10_000
    assert "it has more than 100,000 parts" == excess(ref)


def test_a_wide_list_of_refs_is_no_large_expression() -> None:
    assert excess(lift([X] * 20_000)) is None


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
