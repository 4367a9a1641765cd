"""How expressions are gone through, and which are too large."""

from __future__ import annotations

from typing import Any

from operonx.core import PARENT
from operonx.core.expressions.refs import lift
from operonx.core.expressions.walking import excess, walk

X: Any = PARENT["x"]


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
