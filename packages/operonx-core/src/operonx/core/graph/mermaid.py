"""A built graph as a Mermaid flowchart."""

from __future__ import annotations

from collections.abc import Iterator

from operonx.core.expressions.printing import show
from operonx.core.graph.analysis import expressions_of, op_leaves
from operonx.core.graph.branches import BranchOp
from operonx.core.graph.graph import GraphOp
from operonx.core.graph.loops import LoopOp
from operonx.core.ops.base import Op

__all__ = ["to_mermaid"]


def to_mermaid(graph: GraphOp) -> str:
    """Return a graph as Mermaid text; nested graphs are boxes, soft edges dotted."""
    ids: dict[Op, str] = {graph: "g"}
    for number, op in enumerate(graph.walk()):
        ids[op] = f"n{number}"
    lines = ["flowchart TB"]
    lines.extend(_graph_lines(graph, ids, "  "))
    return "\n".join(lines)


def _graph_lines(graph: GraphOp, ids: dict[Op, str], indent: str) -> Iterator[str]:
    yield f'{indent}subgraph {ids[graph]}["{_escape(_title(graph))}"]'
    inner = indent + "  "
    for op in graph.ops:
        if isinstance(op, GraphOp):
            yield from _graph_lines(op, ids, inner)
        else:
            yield inner + _node(op, ids[op])
    yield f"{inner}{ids[graph]}_end([END])"
    yield from (inner + edge for edge in _edges(graph, ids))
    yield f"{indent}end"


def _title(graph: GraphOp) -> str:
    if isinstance(graph, LoopOp) and graph.until is not None:
        return f"{graph.name}: loop until {show(graph.until)}"
    return graph.name


def _node(op: Op, key: str) -> str:
    name = _escape(op.name)
    if isinstance(op, BranchOp):
        return f'{key}{{"{name}"}}'
    if op.opens_axis:
        return f'{key}[/"{name}"/]'
    return f'{key}["{name}"]'


def _edges(graph: GraphOp, ids: dict[Op, str]) -> list[str]:
    found: dict[str, None] = {}
    for op in graph.ops:
        for expression in expressions_of(op):
            for _, source in op_leaves(expression):
                if source in ids:
                    found[f"{ids[source]} --> {ids[op]}"] = None
        if isinstance(op, BranchOp):
            for arm in op.arms:
                label = "else" if arm.condition is None else _escape(show(arm.condition))
                for target in arm.resolved():
                    found[f'{ids[op]} -->|"{label}"| {ids[target]}'] = None
    for edge in graph.edges:
        arrow = "-.->" if edge.soft else "-->"
        found[f"{ids[edge.source]} {arrow} {ids[edge.target]}"] = None
    if graph.analysis is not None:
        for key, writes in graph.analysis.writers.items():
            for write in writes:
                for _, source in op_leaves(write.expression):
                    found[f'{ids[source]} -->|"{_escape(key)}"| {ids[graph]}_end'] = None
    return list(found)


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
