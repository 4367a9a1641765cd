"""`outputs=` of an op: what it maps, and which ports it can forward."""

# ruff: noqa: SIM117 - leaving the block of a graph is what raises

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import operonx.core as core
from operonx.core import PARENT, BuildError, GraphOp

# An op stands for its result in typed code; here it is looked at as an op.
op: Callable[..., Any] = core.op


@op
def give(x: int) -> int:
    return x


@op
def unknown(x: int):  # type: ignore[no-untyped-def]  # its ports are open
    return dict(x=x)  # noqa: C408 - a literal would tell


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        (["result"], "takes a mapping"),
        ({"result": "a"}, r'takes `PARENT\["name"\]`'),
        ({"*": PARENT["a"]}, "takes `PARENT`"),
        ({"result": PARENT}, r'takes `PARENT\["name"\]`'),
        ({1: PARENT["a"]}, r'takes `PARENT\["name"\]`'),
    ],
)
def test_outputs_map_ports_to_parent(outputs: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message), GraphOp("g"):
        give(x=1, outputs=outputs)


def test_a_port_misspelt_in_outputs_is_reported_at_the_op() -> None:
    with pytest.raises(BuildError) as caught, GraphOp("g"):
        give(x=1, outputs={"resutl": PARENT["a"]})
    (issue,) = caught.value.issues
    assert ("g.give", 'give["resutl"]', "did you mean `result`?") == (
        issue.op,
        issue.ref,
        issue.hint,
    )


def test_open_ports_cannot_be_forwarded_by_a_star() -> None:
    with pytest.raises(BuildError, match=r'so `outputs=\{"\*": PARENT\}` cannot forward them'):
        with GraphOp("g"):
            unknown(x=1, outputs={"*": PARENT})
