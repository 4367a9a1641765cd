"""What a ref is not: Python uses of it, each refused with what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import operonx.core as core
from operonx.core import END, PARENT, GraphOp

# An op stands for its result in typed code; here it is looked at as an op.
op: Callable[..., Any] = core.op


@op
def give(x: int) -> int:
    return x


X: Any = PARENT["x"]


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
