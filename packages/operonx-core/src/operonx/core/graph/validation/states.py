"""The states of loops: what they begin with and are written, and that no value is one."""

from __future__ import annotations

from types import GenericAlias
from typing import TYPE_CHECKING, Any

from operonx.core.expressions.refs import Constant
from operonx.core.graph.loops import LoopOp, State
from operonx.core.schema import assignable, is_typed_dict, plain, type_name, validator

if TYPE_CHECKING:
    from operonx.core.graph.graph import GraphOp
    from operonx.core.graph.parts import Write
    from operonx.core.ops.base import Op

__all__ = ["check_state_write", "check_states", "refuse_state"]


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


def check_state_write(loop: LoopOp, write: Write, source: Any, wanted: Any) -> None:
    """Check that what is written to a state may be read from it.

    Args:
        loop: The loop.
        write: What writes the state.
        source: Its type; of a stream that of an item.
        wanted: The type of the state.
    """
    reducer = loop.states[write.key].reducer
    problem = _misfit(reducer, write, source, wanted)
    if problem is None:
        return
    combined = "" if reducer is None else f' with reducer "{reducer}"'
    state = f"state `{write.key}`" + ("" if wanted is Any else f" of `{type_name(wanted)}`")
    loop.report(
        write.place(loop),
        f"{state}{combined} cannot take {write.expression!r}{problem}",
        hint=_write_hint(reducer, source, wanted),
        ref=repr(write.expression),
    )


def _misfit(reducer: str | None, write: Write, source: Any, wanted: Any) -> str | None:
    """Return what is wrong with a write, or None where some value of it may be right."""
    targets = _targets(reducer, wanted)
    if not isinstance(write.expression, Constant):
        given = _listed(source) if reducer == "append" else source
        fits = all(assignable(given, target) for target in targets)
        return None if fits else f", which is `{type_name(source)}`"
    value = [write.expression.value] if reducer == "append" else write.expression.value
    problems = (validator(target)(value) for target in targets)
    return next((f": {problem}" for problem in problems if problem is not None), None)


def _targets(reducer: str | None, wanted: Any) -> list[Any]:
    """Return the types that what is written has to fit; for `append` a list of it."""
    if reducer in (None, "append"):
        return [wanted]
    if reducer == "merge" and is_typed_dict(plain(wanted)):
        return [dict]  # what is merged may be a part of it
    if reducer == "sum":
        return [float if wanted is Any else wanted]
    return [_REDUCED[str(reducer)], wanted]


def _listed(item: Any) -> Any:
    return GenericAlias(list, (item,))


def _write_hint(reducer: str | None, source: Any, wanted: Any) -> str:
    if reducer != "append" and assignable(_listed(source), wanted) and wanted is not Any:
        return 'to add it to the list, declare the state as `State([], reducer="append")`'
    if reducer == "append" and assignable(source, wanted):
        return 'to add the items of a list, declare the state as `State([], reducer="extend")`'
    return "write what the state holds, or name the output otherwise, or mend an annotation"


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
