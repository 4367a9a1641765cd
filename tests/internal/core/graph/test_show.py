"""A printed graph shows the policies that its ops were given; test_mermaid pins a whole one."""

from __future__ import annotations

from typing import Any

import pytest

from operonx.core import END, PARENT, GraphOp, each, emit, op


@op(run_in="inline")
def mine(x: int) -> int:
    return x


@pytest.mark.parametrize(
    ("factory", "given", "shown"),
    [
        (each, {}, ""),
        (emit, {}, ""),
        (each, {"max_open": 8}, " max_open=8"),
        (each, {"run_in": "auto"}, " run_in='auto'"),
        (mine, {}, " run_in='inline'"),
        (mine, {"run_in": "auto"}, ""),
        (mine, {"max_open": None, "concurrency": 2}, " concurrency=2 run_in='inline'"),
    ],
)
def test_the_policies_that_an_op_was_given_are_shown(
    factory: Any, given: dict[str, Any], shown: str
) -> None:
    with GraphOp("g") as g:
        if factory is emit:
            emit.with_(name="it", **given)(channel="c", value=1)
            PARENT["x"] >> PARENT["out"]
        else:
            factory.with_(name="it", **given)(PARENT["x"]) >> END
    (line,) = [line for line in str(g).splitlines() if line.startswith("  it(")]
    ports = {mine: "result: int", each: "item[it], index: int[it]", emit: "()"}[factory]
    assert line.endswith(f" -> {ports}{shown}")
