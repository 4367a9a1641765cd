"""The states of loops: that they begin as their reducers want, and are declared nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from operonx.core.expressions.refs import Constant
from operonx.core.graph.loops import LoopOp, State
from operonx.core.schema import type_name, validator

if TYPE_CHECKING:
    from operonx.core.graph.graph import GraphOp
    from operonx.core.ops.base import Op

__all__ = ["check_states", "refuse_state"]


def check_states(graph: GraphOp, loop: LoopOp) -> None:
    """Check that each state of a loop begins as its reducer wants."""
    for name, state in loop.states.items():
        initial = loop.inputs.get(name)
        wanted = _REDUCED.get(state.reducer or "")
        if wanted is None or not isinstance(initial, Constant) or _is_state(initial.value):
            continue
        problem = validator(wanted)(initial.value)
        if problem is not None:
            what = f'state `{name}` with reducer "{state.reducer}": {problem}'
            hint = f"begin with a `{type_name(wanted)}`"
            graph.report(loop, what, hint=hint, ref=f"{name}={initial!r}")


_REDUCED: dict[str, Any] = {"append": list, "extend": list, "merge": dict, "sum": float}


def refuse_state(graph: GraphOp, op: Op, what: str, value: object) -> bool:
    """Report a `State(...)` that is given as a value; return whether it is one.

    Args:
        graph: The graph that mistakes are reported to.
        op: What was given it.
        what: Which input or default it is, to begin the message with.
        value: What was given.
    """
    if not _is_state(value):
        return False
    hint = (
        "declare it where a loop is made: `GraphOp.loop(xs=State(...), ...)`, or as the default of "
        'a `@graph.loop` parameter; what is in the loop reads `PARENT["xs"]` or that parameter'
    )
    if isinstance(op, LoopOp):
        hint = "pass its first value; how writes combine is said where the loop is made"
    said = f"{what} is `State(...)`, which declares a loop's state and is no value"
    graph.report(op, said, hint=hint, ref="State(...)")
    return True


def _is_state(value: object) -> bool:
    return isinstance(value, State)
