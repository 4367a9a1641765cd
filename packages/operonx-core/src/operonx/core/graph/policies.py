"""Checks of policies: what is asked for can be kept, and a fallback fits its op."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from operonx.core.errors import listed
from operonx.core.ops.decorator import OpFactory
from operonx.core.ops.function import FuncOp
from operonx.core.ops.policies import UNSET

if TYPE_CHECKING:
    from operonx.core.graph.graph import GraphOp
    from operonx.core.ops.base import Op

__all__ = ["check_policies"]


def check_policies(graph: GraphOp, op: Op) -> None:
    """Report the policies of an op that it cannot keep."""
    asked = op.policies.asked()
    if "cache" in asked:
        graph.report(op, "`cache=` is reserved: there is no store for it yet", hint="leave it out")
    if "max_open" in asked and not op.opens_axis:
        graph.report(
            op,
            "`max_open=` bounds a generator's open items; this op is no generator",
            hint="leave it out",
        )
    if isinstance(op, FuncOp):
        _check_run_in(graph, op)
        _check_fallback(graph, op)


def _check_run_in(graph: GraphOp, op: FuncOp) -> None:
    run_in = op.policies.run_in
    if op.signature.is_async and run_in in ("thread", "process"):
        graph.report(
            op,
            f'`run_in="{run_in}"`: an `async def` runs on the event loop',
            hint="make it a plain `def`, or leave `run_in=` out",
        )
    if run_in == "process" and op.signature.is_generator:
        graph.report(
            op,
            '`run_in="process"`: a generator cannot run in another process',
            hint="collect in a plain `def`, or run it in a thread",
        )
    if run_in == "process" and any(p.role != "input" for p in op.signature.parameters):
        graph.report(
            op,
            '`run_in="process"`: RunContext and Stream do not cross processes',
            hint="take values, or run it in a thread",
        )
    if run_in == "process" and not _is_importable(op.definition.function):
        graph.report(
            op,
            f'`run_in="process"`: `{_name_of(op.definition.function)}` cannot be imported by its '
            "name, so no other process finds it",
            hint="define the function at the top of a module, under its own name",
        )
    if run_in == "inline" and not op.signature.is_async and op.policies.timeout is not None:
        graph.report(
            op,
            '`run_in="inline"`: nothing can time out a plain `def` on the event loop',
            hint="leave `run_in=` out, so that it runs in a thread",
        )


def _name_of(function: object) -> str:
    return getattr(function, "__qualname__", None) or repr(function)


def _is_importable(function: object) -> bool:
    found: Any = sys.modules.get(getattr(function, "__module__", None) or "")
    for part in getattr(function, "__qualname__", "<none>").split("."):
        found = getattr(found, part, None)
    return (found.definition.function if isinstance(found, OpFactory) else found) is function


def _check_fallback(graph: GraphOp, op: FuncOp) -> None:
    fallback = op.policies.fallback
    definition = getattr(fallback, "definition", None)
    if fallback is UNSET:
        return
    if definition is None:
        if op.signature.is_generator:
            graph.report(
                op,
                f"`fallback={fallback!r}`: one value cannot stand for a generator's stream",
                hint="fall back on a generator op of the same inputs and ports",
            )
        return
    theirs = definition.signature
    missing = [p.name for p in theirs.parameters if p.required and p.role == "input"]
    unbound = [name for name in missing if name not in op.inputs]
    if unbound:
        graph.report(
            op,
            f"fallback `{definition.name}` needs {listed(unbound)}, not given here",
            hint="fall back on an op of the same inputs",
        )
    if theirs.is_generator != op.signature.is_generator:
        graph.report(
            op,
            f"fallback `{definition.name}`: a generator stands only for a generator",
            hint="fall back on an op of the same kind",
        )
    ports = {p.name for p in theirs.ports or ()} | {p.name for p in theirs.final}
    if (
        theirs.ports is not None
        and op.ports is not None
        and ports != {p.name for p in op.all_ports()}
    ):
        graph.report(
            op,
            f"fallback `{definition.name}` has ports {listed(sorted(ports), 'none')}, "
            f"the op has {listed(sorted(p.name for p in op.all_ports()), 'none')}",
            hint="fall back on an op of the same ports",
        )
