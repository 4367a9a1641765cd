"""Values to JSON and back, and what has no place there."""

from __future__ import annotations

import json
import math
import re
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operonx.core import SpecError
from operonx.core.spec.arrays import Array
from operonx.core.spec.values import MAX_DEPTH, read_value, write_value

PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(st.characters(codec="utf-8")),
    st.binary(),
)
KEYS = st.one_of(st.integers(), st.text(st.sampled_from("$ab")), st.tuples(st.integers()))
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        st.lists(inner), st.tuples(inner, inner), st.dictionaries(KEYS, inner, max_size=4)
    ),
)


def typed(value: Any) -> Any:
    """Return a value with its types, which `==` does not compare."""
    if isinstance(value, (list, tuple)):
        kind = "list" if isinstance(value, list) else "tuple"
        return kind, [typed(one) for one in cast("list[object]", value)]
    if isinstance(value, dict):
        items = cast("dict[object, object]", value).items()
        return "dict", [(typed(key), typed(one)) for key, one in items]
    return type(value).__name__, repr(value)


@given(value=VALUES)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    again = read_value(json.loads(json.dumps(write_value(value), allow_nan=False)))
    assert typed(value) == typed(again)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (2**63 - 1, 2**63 - 1),
        (2**63, {"$int": str(2**63)}),
        (-(2**63) - 1, {"$int": str(-(2**63) - 1)}),
        (math.inf, {"$float": "inf"}),
        (-math.inf, {"$float": "-inf"}),
        (b"hi", {"$bytes": "aGk="}),
        ((1, (2,)), {"$tuple": [1, {"$tuple": [2]}]}),
        ({1: "a"}, {"$dict": [[1, "a"]]}),
        ({"$x": 1}, {"$dict": [["$x", 1]]}),
        (Array("|u1", (2,), b"ab"), {"$array": {"dtype": "|u1", "shape": [2], "data": "YWI="}}),
    ],
)
def test_what_json_lacks_is_an_object_of_one_key(value: Any, written: Any) -> None:
    assert written == write_value(value)
    assert value == read_value(written)


def test_nan_is_one() -> None:
    assert {"$float": "nan"} == write_value(math.nan)
    assert math.isnan(read_value({"$float": "nan"}))


def nested(depth: int, wrap: Any) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = wrap(value)
    return value


WRAPS: list[Callable[[Any], Any]] = [
    lambda x: [x],
    lambda x: (x,),
    lambda x: {"k": x},
    lambda x: {1: x},
]


@pytest.mark.parametrize("wrap", WRAPS)
def test_values_nest_a_hundred_deep_and_no_deeper(wrap: Any) -> None:
    deepest = nested(MAX_DEPTH, wrap)
    assert deepest == read_value(write_value(deepest))
    with pytest.raises(ValueError, match="nested more than 100 deep"):
        write_value(nested(MAX_DEPTH + 1, wrap))


def test_a_value_that_holds_itself_is_refused() -> None:
    own: list[Any] = []
    own.append(own)
    with pytest.raises(ValueError, match="nested more than 100 deep"):
        write_value(own)
    with pytest.raises(SpecError, match="nested more than 100 deep"):
        read_value(own)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (dict[str, Any](a=[1, {2}]), "v['a'][1]: a value of type `set`"),
        ([OrderedDict[str, int]()], "v[0]: a value of type `OrderedDict`"),
        ({1: object()}, "v[1]: a value of type `object`"),
        ({frozenset({1}): 1}, "v, a key: a value of type `frozenset`"),
        (["\ud800"], "v[0]: text that is no Unicode"),
        ({"\ud800": 1}, "v: text that is no Unicode"),
    ],
)
def test_what_has_no_place_is_named_with_its_place(value: Any, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)) as caught:
        write_value(value, "v")
    assert str(caught.value).startswith(says)


NONE_OF_OURS: list[Any] = [
    {"$int": 1},
    {"$int": " 1"},
    {"$int": "1_0"},
    {"$float": "1.0"},
    {"$float": []},
    {"$bytes": "a"},
    {"$bytes": None},
    {"$tuple": {}},
    {"$dict": [[1]]},
    {"$dict": [1]},
    {"$dict": {}},
    {"$dict": [[[], 1]]},
    {"$dict": [[1, 1], [1, 2]]},
    {"$array": {}},
    {"$set": []},
    {"$int": "1", "x": 1},
    {"x": 1, "$int": "1"},
    [math.nan],
    2**63,
    "\ud800",
    {"\ud800": 1},
    {1: 2},
    b"",
    {"x": (1,)},
]


@pytest.mark.parametrize("data", NONE_OF_OURS)
def test_what_no_writer_gives_is_refused(data: Any) -> None:
    with pytest.raises(SpecError, match=r" is |takes |no `|Unicode|alone"):
        read_value(data)
