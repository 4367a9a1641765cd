"""Policies that an op cannot keep, and values that stand in for results they do not fit."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from operonx.core.errors import listed
from operonx.core.ops.factory import OpFactory
from operonx.core.ops.function import FuncOp, OpDefinition
from operonx.core.ops.policies import NO_POLICIES, POLICY_NAMES, UNSET

if TYPE_CHECKING:
    from operonx.core.graph.analysis import Analysis
    from operonx.core.graph.graph import GraphOp
    from operonx.core.ops.base import Op
    from operonx.core.ops.signature import Port

__all__ = ["check_policies", "check_settings"]


def check_policies(graph: GraphOp, op: Op) -> None:
    """Check the policies of one op."""
    policies = op.policies
    if policies is NO_POLICIES or not isinstance(op, FuncOp):
        return
    if policies.cache is not None:
        what = "`cache=` is reserved: there is no store for it yet"
        graph.report(op, what, hint="leave it out", ref="cache")
    if policies.max_open is not None and not op.opens_axis:
        what = "`max_open=` bounds a generator's open items; this op is no generator"
        graph.report(op, what, hint="leave it out", ref="max_open")
    _check_run_in(graph, op)
    if policies.fallback is not UNSET:
        _check_fallback(graph, op, policies.fallback)


def check_settings(graph: GraphOp, analysis: Analysis) -> None:
    """Report policies of ops that a graph was given: they would be inputs that nobody reads."""
    for name in graph.inputs:
        if name in POLICY_NAMES and name not in analysis.read_inputs:
            what = f"a {graph.kind} has no policy `{name}`, and nothing in it reads such an input"
            hint = "it takes `timeout`, `concurrency`, `on_error`; set others on the ops inside"
            graph.report(graph, what, hint=hint, ref=name)


def _check_run_in(graph: GraphOp, op: FuncOp) -> None:
    run_in = op.policies.run_in
    signature = op.signature

    def refuse(why: str, hint: str) -> None:
        graph.report(op, f'`run_in="{run_in}"`: {why}', hint=hint, ref="run_in")

    if signature.is_async and run_in in ("thread", "process"):
        refuse(
            "an `async def` runs on the event loop", "make it a plain `def`, or leave `run_in=` out"
        )
    elif run_in == "process" and signature.is_generator:
        why = "a generator cannot run in another process"
        refuse(why, "collect in a plain `def`, or run it in a thread")
    elif run_in == "process" and any(one.role != "input" for one in signature.parameters):
        what = "RunContext and Stream do not cross processes"
        refuse(what, "take values, or run it in a thread")
    elif run_in == "process" and not _is_importable(op.definition.function):
        name = _name_of(op.definition.function)
        what = f"`{name}` cannot be imported by its name, so no other process finds it"
        refuse(what, "define the function at the top of a module, under its own name")
    elif run_in == "process" and _is_of_no_file(op.definition.function):
        name = _name_of(op.definition.function)
        what = f"`{name}` is of a program that is no file (of `-c`, of stdin, of a prompt)"
        refuse(f"{what}, which no other process can import", "put it into a module, and import it")
    elif run_in == "inline" and not signature.is_async and op.policies.timeout is not None:
        what = "nothing can time out a plain `def` on the event loop"
        refuse(what, "leave `run_in=` out, so that it runs in a thread")


def _name_of(function: object) -> str:
    return getattr(function, "__qualname__", None) or repr(function)


def _is_of_no_file(function: object) -> bool:
    if getattr(function, "__module__", None) != "__main__":
        return False
    file = getattr(sys.modules["__main__"], "__file__", None)
    return file is None or file == "<stdin>"


def _is_importable(function: object) -> bool:
    found: Any = sys.modules.get(getattr(function, "__module__", None) or "")
    for part in getattr(function, "__qualname__", "<none>").split("."):
        found = getattr(found, part, None)
    return (found.definition.function if isinstance(found, OpFactory) else found) is function


# -- fallbacks


def _check_fallback(graph: GraphOp, op: FuncOp, fallback: Any) -> None:
    definition = getattr(fallback, "definition", None)
    if isinstance(definition, OpDefinition):
        _check_fallback_op(graph, op, definition)
    elif inspect.isroutine(fallback):
        name = getattr(fallback, "__name__", "fallback")
        what = f"`fallback={name}` is a function, so it would be the value itself"
        graph.report(op, what, hint="decorate it with `@op`", ref="fallback")
    elif op.signature.is_generator:
        what = "one value cannot stand for a generator's stream"
        hint = "fall back on a generator op of the same inputs and ports"
        graph.report(op, f"`fallback={fallback!r}`: {what}", hint=hint, ref="fallback")
    elif op.ports is not None and len(op.ports) > 1:
        _check_fallback_keys(graph, op, fallback, [port.name for port in op.ports])


def _check_fallback_keys(graph: GraphOp, op: FuncOp, fallback: object, names: list[str]) -> None:
    given = set(cast("Mapping[object, object]", fallback)) if isinstance(fallback, Mapping) else ()
    if set(names) != given:
        what = f"`fallback={fallback!r}`: the op has ports {listed(names)}"
        graph.report(op, what, hint="write a dict with a value for each port", ref="fallback")


def _check_fallback_op(graph: GraphOp, op: FuncOp, definition: OpDefinition) -> None:
    theirs = definition.signature
    name = f"fallback `{definition.name}`"
    needed = [one for one in definition.inputs.values() if one.required]
    missing = [one.name for one in needed if one.name not in op.inputs]
    if missing:
        hint = "fall back on an op of the same inputs"
        what = f"{name} needs {listed(missing)}, not given here"
        graph.report(op, what, hint=hint, ref="fallback")
    if theirs.is_generator != op.signature.is_generator:
        what = f"{name}: a generator stands only for a generator"
        graph.report(op, what, hint="fall back on an op of the same kind", ref="fallback")
    ports, own = _port_names(theirs.ports, theirs.final), _port_names(op.ports, op.final)
    if ports is not None and own is not None and ports != own:
        what = f"{name} has ports {listed(sorted(ports), 'none')}"
        what += f", the op has {listed(sorted(own), 'none')}"
        graph.report(op, what, hint="fall back on an op of the same ports", ref="fallback")


def _port_names(ports: tuple[Port, ...] | None, final: tuple[Port, ...]) -> set[str] | None:
    return None if ports is None else {port.name for port in (*ports, *final)}
