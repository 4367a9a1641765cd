"""A built graph as a Mermaid flowchart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from operonx.core.expressions.printing import show
from operonx.core.graph.analysis import expressions_of, op_leaves
from operonx.core.graph.branches import BranchOp
from operonx.core.graph.graph import GraphOp
from operonx.core.graph.loops import LoopOp

if TYPE_CHECKING:
    from operonx.core.ops.base import Op

__all__ = ["to_mermaid"]


def to_mermaid(graph: GraphOp) -> str:
    """Return a graph as Mermaid text; nested graphs are boxes, soft edges dotted."""
    ids: dict[Op, str] = {graph: "g"}
    for number, op in enumerate(graph.walk()):
        ids[op] = f"n{number}"
    lines = ["flowchart TB"]
    lines.extend(_graph_lines(graph, ids))
    return "\n".join(lines)


def _graph_lines(graph: GraphOp, ids: dict[Op, str]) -> Iterator[str]:
    # Open graphs with what is left of their ops: graphs may be nested deeper than Python recurses.
    open_graphs: list[tuple[GraphOp, Iterator[Op]]] = [(graph, iter(graph.ops))]
    yield f'  subgraph {ids[graph]}["{_escape(_title(graph))}"]'
    while open_graphs:
        current, left = open_graphs[-1]
        indent = "  " * (len(open_graphs) + 1)
        op = next(left, None)
        if op is None:
            open_graphs.pop()
            yield f"{indent}{ids[current]}_end([END])"
            yield from (indent + edge for edge in _edges(current, ids))
            yield f"{indent[2:]}end"
        elif isinstance(op, GraphOp):
            open_graphs.append((op, iter(op.ops)))
            yield f'{indent}subgraph {ids[op]}["{_escape(_title(op))}"]'
        else:
            yield indent + _node(op, ids[op])


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
    lines: list[str] = []
    for op in graph.ops:
        for expression in expressions_of(op):
            lines += [
                f"{ids[source]} --> {ids[op]}"
                for _, source in op_leaves(expression)
                if source in ids
            ]
        if isinstance(op, BranchOp):
            lines += _arms(op, ids)
    for edge in graph.edges:
        arrow = "-.->" if edge.soft else "-->"
        lines.append(f"{ids[edge.source]} {arrow} {ids[edge.target]}")
    if graph.analysis is not None:
        lines += [
            f'{ids[source]} -->|"{_escape(key)}"| {ids[graph]}_end'
            for key, writes in graph.analysis.writers.items()
            for write in writes
            for _, source in op_leaves(write.expression)
        ]
    return list(dict.fromkeys(lines))


def _arms(branch: BranchOp, ids: dict[Op, str]) -> Iterator[str]:
    for arm in branch.arms:
        label = "else" if arm.condition is None else _escape(show(arm.condition))
        for target in arm.resolved():
            yield f'{ids[branch]} -->|"{label}"| {ids[target]}'


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
