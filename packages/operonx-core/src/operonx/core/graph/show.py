"""A built graph as text: ops in order, what they read, their ports, axes and policies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from operonx.core.graph.axes import port_axes
from operonx.core.graph.branches import BranchOp, SwitchOp
from operonx.core.graph.graph import GraphOp
from operonx.core.graph.loops import LoopOp
from operonx.core.schema import type_name

if TYPE_CHECKING:
    from operonx.core.ops.base import Op

__all__ = ["show_graph"]


def show_graph(graph: GraphOp) -> str:
    """Return a graph as indented lines, one op each."""
    return "\n".join(_graph_lines(graph))


def _graph_lines(graph: GraphOp) -> Iterator[str]:
    # Open graphs with what is left of their ops: graphs may be nested deeper than Python recurses.
    open_graphs: list[tuple[GraphOp, Iterator[Op]]] = [(graph, _ordered(graph))]
    yield _title(graph)
    while open_graphs:
        current, left = open_graphs[-1]
        indent = "  " * len(open_graphs)
        op = next(left, None)
        if op is None:
            open_graphs.pop()
            yield from (indent + line for line in _edges_and_writes(current))
            yield from (indent + line for line in _bindings(current))
        elif isinstance(op, GraphOp):
            open_graphs.append((op, _ordered(op)))
            yield indent + _title(op)
        else:
            yield indent + _op_line(current, op)


def _ordered(graph: GraphOp) -> Iterator[Op]:
    return iter(graph.analysis.order if graph.analysis is not None else ())


def _title(graph: GraphOp) -> str:
    if graph.analysis is None:
        return f"{graph.kind} {graph.name} (not built)"
    takes = ", ".join(
        given.name if given.annotation is Any else f"{given.name}: {type_name(given.annotation)}"
        for given in graph.analysis.inputs.values()
    )
    until = f" until {graph.until!r}" if isinstance(graph, LoopOp) else ""
    return f"{graph.kind} {graph.name}({takes}){until}{_policies(graph)}"


def _edges_and_writes(graph: GraphOp) -> Iterator[str]:
    for edge in graph.edges:
        target = f"~{edge.target.name}" if edge.soft else edge.target.name
        yield f"{edge.source.name} >> {target}"
    if graph.analysis is not None:
        for key, writes in graph.analysis.writers.items():
            axes = _axes(graph.analysis.output_axes.get(key, ()))
            yield from (f"{write.expression!r} >> {key}{axes}" for write in writes)


def _bindings(graph: GraphOp) -> Iterator[str]:
    return (f"{key} = {value!r}" for key, value in graph.inputs.items())


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
