"""Where a ref may hide in a value, and what is written in a block and is no value."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

import operonx.core as core
from operonx.core import END, PARENT, START, GraphOp
from operonx.core.expressions.refs import lift

# An op stands for its result in typed code; here it is looked at as an op.
op: Callable[..., Any] = core.op


@op
def give(x: int) -> int:
    return x


X: Any = PARENT["x"]


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
