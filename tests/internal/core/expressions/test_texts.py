"""A template writes JSON, and nothing that only looks like text."""

from __future__ import annotations

import enum
import json
from collections import UserDict
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operonx.core import PARENT, ExpressionError, GraphOp, Operon, OpError, op, template
from operonx.core.expressions.texts import text_of


class Tone(str, enum.Enum):  # noqa: UP042 - the older way, that writes its name by `str`
    WARM = "warm"


class Level(enum.IntEnum):
    HIGH = 3


class Bare(enum.Enum):
    ONE = 1


class Name(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "something else"


class Point(NamedTuple):
    x: int
    y: str


WRITTEN = [
    ('caf\u00e9 "x"', 'caf\u00e9 "x"'),
    (None, "null"),
    (True, "true"),
    (False, "false"),
    (12, "12"),
    (0.1, "0.1"),
    (1e100, "1e+100"),
    ([1, "a"], '[1,"a"]'),
    ((1, "a"), '[1,"a"]'),
    ((), "[]"),
    ({"k": (1, None, True)}, '{"k":[1,null,true]}'),
    (["caf\u00e9"], '["caf\u00e9"]'),
    (Point(1, "y"), '[1,"y"]'),
    (Tone.WARM, "warm"),
    ([Tone.WARM, Level.HIGH], '["warm",3]'),
    (Level.HIGH, "3"),
    (Name("Ada"), "Ada"),
    ({Name("a"): [Name("b")]}, '{"a":["b"]}'),
]


@pytest.mark.parametrize(("value", "text"), WRITTEN, ids=str)
def test_what_json_knows_is_written(value: object, text: str) -> None:
    assert text == text_of(value, "x")


REFUSED = [
    (b"caf", "`x` is a `bytes`: no text, number"),
    ({1, 2}, "`x` is a `set`"),
    (Decimal(1), "`x` is a `Decimal`"),
    (1j, "`x` is a `complex`"),
    (print, "`x` is a `builtin_function_or_method`"),
    (SimpleNamespace(), "`x` is a `SimpleNamespace`"),
    (Bare.ONE, "`x` is a `Bare`"),
    (UserDict(a=1), "`x` is a `UserDict`"),
    (iter([1]), "`x` is a `list_iterator`"),
    ({"k": [1, b"x"]}, "`x`['k'][1] is a `bytes`"),
    ({1: "a"}, "`x` is a dict with the key 1; keys are texts"),
    ([{None: "a"}], "`x`[0] is a dict with the key None"),
    (float("nan"), "`x` is nan, which JSON has no number for"),
    ({"k": [float("-inf")]}, "`x`['k'][0] is -inf"),
]


@pytest.mark.parametrize(("value", "message"), REFUSED, ids=str)
def test_what_json_does_not_know_is_an_error(value: object, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        text_of(value, "x")
    assert message in str(caught.value)
    assert caught.value.hint


def test_what_holds_itself_is_an_error() -> None:
    ring: list[Any] = []
    ring.append(ring)
    with pytest.raises(ExpressionError, match="field `x` holds itself"):
        text_of(ring, "x")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner | st.text()) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(values)
def test_what_is_written_reads_as_the_same_value(value: object) -> None:
    assert value == json.loads(text_of(value, "x"))


def test_numbers_of_numpy_are_numbers() -> None:
    numpy: Any = pytest.importorskip("numpy")
    given = {"a": numpy.int64(1), "b": [numpy.float32(0.5), numpy.bool_(True)]}
    assert '{"a":1,"b":[0.5,true]}' == text_of(given, "x")
    with pytest.raises(ExpressionError, match="`x` is a `ndarray`"):
        text_of(numpy.zeros(2), "x")


def test_a_template_in_a_graph_names_the_op_and_the_field() -> None:
    @op
    def prompt(text: str) -> str:
        return text

    with GraphOp(name="g", inputs=["x"]) as g:
        p: Any = prompt(text=template("{a}: {x}", a=(1, "a"), x=PARENT["x"]))
        p["result"] >> PARENT["r"]
    engine = Operon(g)
    assert '[1,"a"]: {"k":[2]}' == engine.run_sync({"x": {"k": (2,)}})["r"]
    with pytest.raises(OpError, match=r"op `g.p` failed: .*field `x` is a `bytes`"):
        engine.run_sync({"x": b"caf"})
