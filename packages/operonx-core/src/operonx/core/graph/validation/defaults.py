"""Defaults: checked against their annotations, as constants are."""

from __future__ import annotations

from types import NoneType
from typing import TYPE_CHECKING, Final

from operonx.core.graph.validation.states import refuse_state
from operonx.core.schema import type_name, validator

if TYPE_CHECKING:
    from operonx.core.graph.graph import GraphOp
    from operonx.core.graph.parts import GraphInput
    from operonx.core.ops.base import Op
    from operonx.core.ops.signature import Parameter

__all__ = ["check_default"]


def check_default(graph: GraphOp, op: Op, given: Parameter | GraphInput) -> None:
    """Check the default of a parameter or input against its annotation.

    Args:
        graph: The graph that mistakes are reported to.
        op: What has the parameter.
        given: The parameter, which has a default.
    """
    default = given.default
    if refuse_state(graph, op, f"the default of input `{given.name}`", default):
        return
    # An object of a class of its own is mostly a mark for "not given", known to the function only.
    if type(default) is given.annotation or type(default) not in _DATA:
        return
    problem = validator(given.annotation)(default)
    if problem is not None:
        wanted = type_name(given.annotation)
        hint = f"it takes `{wanted}`"
        if default is None:
            hint = f"annotate it as `{wanted} | None`, or leave the default out"
        what = f"the default of input `{given.name}`: {problem}"
        graph.report(op, what, hint=hint, ref=f"{given.name}={default!r}")


_DATA: Final = frozenset(
    {NoneType, bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset}
)
