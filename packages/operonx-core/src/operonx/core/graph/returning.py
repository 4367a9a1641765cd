"""What a `@graph` function returns, written to the outputs of its graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from operonx.core.expressions.refs import Operators, lift
from operonx.core.graph.branches import BranchOp
from operonx.core.ops.base import Op

if TYPE_CHECKING:
    from operonx.core.graph.graph import GraphOp

__all__ = ["write_returned"]


def write_returned(node: GraphOp, returned: object) -> None:
    """Make outputs of what a graph function returned.

    Raises:
        TypeError: If it returned anything but an op, a ref, or a dict of outputs.
    """
    if returned is None:
        return
    if isinstance(returned, BranchOp):
        raise TypeError(
            f"graph `{node.name}` returned the branch `{returned.name}`, which stands for no "
            f"value; {returned.value_hint()}"
        )
    if isinstance(returned, Op):
        node.add_end(returned)
    elif isinstance(returned, Mapping):
        for key, value in cast("Mapping[object, object]", returned).items():
            if not isinstance(key, str):
                raise TypeError(f"graph `{node.name}` returned {key!r} as the name of an output")
            node.add_output(key, lift(value))
    elif isinstance(returned, Operators):
        node.add_output("result", lift(returned))
    else:
        raise TypeError(
            f"graph `{node.name}` returned {returned!r}; a graph function returns an op, a ref, "
            "or a dict of outputs"
        )
