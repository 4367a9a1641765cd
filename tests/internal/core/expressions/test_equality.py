"""A boolean only equals a boolean, wherever values are compared; numpy's boolean is one."""

from __future__ import annotations

import importlib
import sys
from collections import OrderedDict, UserDict, deque
from collections.abc import Iterator
from decimal import Decimal
from types import MappingProxyType, ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operonx.core import PARENT, ExpressionError, GraphOp, Operon, if_, op
from operonx.core.expressions.equality import contains, equal
from operonx.core.expressions.operators import (
    BINARY,
    get_item,
    invert,
    require_bool,
    require_decision,
)

NAN = float("nan")

UNEQUAL: list[tuple[Any, Any]] = [
    (True, 1),
    (False, 0.0),
    (True, Decimal(1)),
    ([True], [1]),
    ((1, [True]), [1, [1]]),
    ({"a": True}, {"a": 1}),
    (UserDict(a=True), {"a": 1}),
    (MappingProxyType({"a": [True]}), OrderedDict(a=[1])),
    ({True: "x"}, {1: "x"}),
    ({(0, 1): "x"}, {(0, True): "x"}),
    ({True}, {1}),
    ({(1,)}, frozenset({(True,)})),
    ({frozenset({1})}, {frozenset({True})}),
    ({"a": 1}, {"a": 1, "b": 2}),
    ({"a": 1}, {"b": 1}),
    (NAN, NAN),
    ([NAN], [NAN]),
    ({NAN}, {NAN}),
    ("1", 1),
]
EQUAL: list[tuple[Any, Any]] = [
    (1, 1.0),
    ([1], (1.0,)),
    ({"a": [1]}, UserDict(a=[1.0])),
    ({"a": 1, "b": 2}, OrderedDict(b=2, a=1)),
    ({True: 1}, {True: 1.0}),
    ({1, 2}, frozenset({1.0, 2})),
    ({"a": 0}.keys(), {"a"}),
    (Decimal("0.5"), 0.5),
]


@pytest.mark.parametrize(("left", "right"), UNEQUAL, ids=str)
def test_unequal_values(left: object, right: object) -> None:
    assert equal(left, right) is False
    assert equal(right, left) is False
    assert BINARY["!="](left, right) is True


@pytest.mark.parametrize(("left", "right"), EQUAL, ids=str)
def test_equal_values(left: object, right: object) -> None:
    assert equal(left, right) is True
    assert equal(right, left) is True
    assert BINARY["!="](left, right) is False


keys = st.recursive(
    st.booleans() | st.integers(-1, 2) | st.sampled_from([0.0, 1.0, 0.5]) | st.text(max_size=1),
    lambda inner: st.tuples(inner) | st.frozensets(inner, max_size=2),
    max_leaves=3,
)


@given(st.lists(keys, max_size=4), keys)
def test_every_container_contains_what_equals_an_item_of_it(items: list[Any], key: Any) -> None:
    for base in (items, tuple(items), deque(items), set(items), dict.fromkeys(items)):
        assert any(equal(item, key) for item in base) is contains(base, key)
    mapping = dict.fromkeys(items)
    if contains(mapping, key):
        assert get_item(mapping, key) is None
    else:
        with pytest.raises(KeyError):
            get_item(mapping, key)


@pytest.mark.parametrize(
    ("base", "value", "expected"),
    [
        (range(3), True, False),
        (range(10**12), 10**12 - 1, True),
        (range(3), 1.0, True),
        ({NAN}, NAN, False),
        ({"a": 1}.values(), True, False),
        ({"a": 1}, "a", True),
        ("text", "ex", True),
        (UserDict({1: "one"}), True, False),
    ],
)
def test_what_contains_what(base: Any, value: Any, expected: bool) -> None:
    assert contains(base, value) is expected


def count() -> Iterator[int]:
    yield 0
    yield 1


def test_what_can_be_read_once_is_not_looked_into() -> None:
    items = count()
    with pytest.raises(ExpressionError, match="a `generator` would use it up") as caught:
        contains(items, 1)
    assert "return a list" in (caught.value.hint or "")
    assert [0, 1] == list(items)


@pytest.mark.parametrize("base", [{1}, {"a": 1}, MappingProxyType({"a": 1})])
def test_what_cannot_be_a_key_is_an_error(base: Any) -> None:
    with pytest.raises(ExpressionError, match="cannot have a `list` in it"):
        contains(base, [1])
    if not isinstance(base, set):
        with pytest.raises(ExpressionError, match="cannot have a `dict` in it"):
            get_item(base, {})


# -- numpy's boolean


class StrangeBool:
    """Stands where numpy is not installed: a boolean that is no `bool`, and compares to others."""

    def __init__(self, value: object) -> None:
        self.value = bool(value)

    def __bool__(self) -> bool:
        return self.value


@pytest.fixture
def boolean(monkeypatch: pytest.MonkeyPatch) -> Any:
    try:
        return importlib.import_module("numpy").bool_  # where it is there, the real one
    except ImportError:
        module = ModuleType("numpy")
        module.bool_ = StrangeBool  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "numpy", module)
        return StrangeBool


def test_a_boolean_of_numpy_is_a_boolean(boolean: Any) -> None:
    yes, no = boolean(True), boolean(False)
    assert require_bool(yes, "&") is True
    assert require_decision(no, "a condition") is False
    assert invert(yes) is False
    assert equal(yes, True) is True
    assert equal(yes, 1) is False
    assert equal([no], [False]) is True
    assert BINARY["!="](yes, no) is True
    assert contains([1, 2], yes) is False
    assert contains({True}, yes) is True
    with pytest.raises(ExpressionError, match="`<` is not defined between `bool` and `int`"):
        BINARY["<"](yes, 2)
    with pytest.raises(ExpressionError, match=r"`\+` is not defined between `bool` and `int`"):
        BINARY["+"](yes, 2)


def test_conditions_and_loops_take_it(boolean: Any) -> None:
    @op(returns="result")
    def look(x: int) -> Any:
        return boolean(x > 1)

    @op
    def add(x: int) -> int:
        return x + 1

    with GraphOp(name="g", inputs=["x"]) as g:
        with GraphOp.loop(until=PARENT["large"], x=PARENT["x"], large=False) as loop:
            more: Any = add(x=PARENT["x"])
            more["result"] >> PARENT["x"]
            look(x=more)["result"] >> PARENT["large"]
        last: Any = add(x=loop["x"])
        found: Any = look(x=loop["x"])
        if_(found["result"] & True, last)
        last["result"] >> PARENT["r"]
        other: Any = add(x=0)
        if_(found["result"], other)
        other["result"] >> PARENT["s"]
    assert {"r": 3, "s": 1} == dict(Operon(g).run_sync({"x": 0}))


class Odd(float):
    """A number whose comparison gives what no plain one gives, as `numpy.float64`."""

    kind: Any = bool

    def __gt__(self, other: object) -> Any:
        return self.kind(float(self) > float(str(other)))


def test_a_comparison_of_numbers_gives_a_boolean(
    boolean: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Odd, "kind", boolean)
    assert BINARY[">"](Odd(0.7), 0.5) is True


@pytest.mark.parametrize("value", [1, "a", None, [True]])
def test_nothing_else_is_a_boolean(value: object, boolean: Any) -> None:
    del boolean  # it is there to be taken for
    with pytest.raises(ExpressionError, match=f"gave `{type(value).__name__}`, not a boolean"):
        require_decision(value, "`until`")
