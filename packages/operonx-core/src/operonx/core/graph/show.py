"""A built graph as text: ops in order, what they read, their ports, axes and policies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from operonx.core.graph.analysis import port_axes
from operonx.core.graph.branches import BranchOp, SwitchOp
from operonx.core.graph.graph import GraphOp
from operonx.core.graph.loops import LoopOp
from operonx.core.ops.base import Op
from operonx.core.schema import type_name

__all__ = ["show_graph"]


def show_graph(graph: GraphOp) -> str:
    """Return a graph as indented lines, one op each."""
    return "\n".join(_graph_lines(graph, 0))


def _graph_lines(graph: GraphOp, depth: int) -> Iterator[str]:
    analysis = graph.analysis
    if analysis is None:
        yield f"{'  ' * depth}{graph.kind} {graph.name} (not built)"
        return
    takes = ", ".join(
        given.name if given.annotation is Any else f"{given.name}: {type_name(given.annotation)}"
        for given in analysis.inputs.values()
    )
    until = f" until {graph.until!r}" if isinstance(graph, LoopOp) else ""
    yield f"{'  ' * depth}{graph.kind} {graph.name}({takes}){until}{_policies(graph)}"
    for op in analysis.order:
        if isinstance(op, GraphOp):
            yield from _graph_lines(op, depth + 1)
            yield from _bindings(op, depth + 2)
        else:
            yield "  " * (depth + 1) + _op_line(graph, op)
    for edge in graph.edges:
        target = f"~{edge.target.name}" if edge.soft else edge.target.name
        yield f"{'  ' * (depth + 1)}{edge.source.name} >> {target}"
    for key, writes in analysis.writers.items():
        for write in writes:
            axes = _axes(analysis.output_axes.get(key, ()))
            yield f"{'  ' * (depth + 1)}{write.expression!r} >> {key}{axes}"


def _bindings(op: GraphOp, depth: int) -> Iterator[str]:
    for key, value in op.inputs.items():
        yield f"{'  ' * depth}{key} = {value!r}"


def _op_line(graph: GraphOp, op: Op) -> str:
    if isinstance(op, BranchOp):
        return f"{op.name}: {_arms(op)}"
    reads = ", ".join(f"{name}={value!r}" for name, value in op.inputs.items())
    return f"{op.name}({reads}) -> {_ports(graph, op)}{_policies(op)}"


def _arms(op: BranchOp) -> str:
    arms: list[str] = []
    for arm in op.arms:
        names = ", ".join(target.name for target in arm.resolved())
        arms.append(f"else {names}" if arm.condition is None else f"if {arm.condition!r}: {names}")
    subject = f"switch {op.subject!r}: " if isinstance(op, SwitchOp) else ""
    return subject + "; ".join(arms)


def _ports(graph: GraphOp, op: Op) -> str:
    assert graph.analysis is not None  # the caller looked
    if op.ports is None:
        return "?"
    own = graph.analysis.axes.get(op, ())
    parts = [
        port.name
        + ("" if port.annotation is Any else f": {type_name(port.annotation)}")
        + _axes(port_axes(op, port.name, own))
        for port in op.all_ports()
    ]
    return ", ".join(parts) or "()"


def _axes(axes: Any) -> str:
    return "".join(f"[{axis.name}]" for axis in axes)


def _policies(op: Op) -> str:
    asked = op.policies.asked()
    return "".join(f" {name}={_short(value)}" for name, value in asked.items())


def _short(value: Any) -> str:
    return str(getattr(value, "name", None) or repr(value))
