"""What `@graph` functions may return."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import operonx.core as core
from operonx.core import graph

# An op stands for its result in typed code; here it is looked at as an op.
op: Callable[..., Any] = core.op


@op
def give(x: int) -> int:
    return x


NO_OUTPUTS: list[tuple[Callable[[Any], object], str]] = [
    (lambda ref: [ref], "returns an op, a ref, or a dict of outputs"),
    (lambda _: 3, "returns an op, a ref, or a dict of outputs"),
    (lambda ref: {1: ref}, "returned 1 as the name of an output"),
]


@pytest.mark.parametrize(("returned", "message"), NO_OUTPUTS)
def test_a_graph_function_returns_outputs(returned: Any, message: str) -> None:
    def made(x: int) -> Any:
        return returned(give(x=x))

    with pytest.raises(TypeError, match=message):
        graph(made).build()
