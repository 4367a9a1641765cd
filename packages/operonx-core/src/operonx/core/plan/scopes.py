"""One graph while its ops are lowered: where it is, and what is asked of its ops."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from operonx.core.expressions.refs import Chosen, ErrorRef, Expression, PortRef
from operonx.core.expressions.walking import walk
from operonx.core.graph.analysis import expressions_of
from operonx.core.graph.parts import Edge
from operonx.core.ops.base import Op
from operonx.core.plan.nodes import AnyNode, ChoiceNode, DoneNode, Node, OutputNode
from operonx.core.plan.places import Place

if TYPE_CHECKING:
    from operonx.core.graph.analysis import Analysis
    from operonx.core.graph.axes import Axes
    from operonx.core.graph.graph import GraphOp

__all__ = ["Scope", "new_scope"]


@dataclass(slots=True, eq=False)
class Scope:
    """One graph while its ops are lowered."""

    graph: GraphOp
    analysis: Analysis
    path: str
    base: Axes
    """Axes of everything in the graph, absolute."""
    enter: Node | None
    """What ops without predecessors wait for."""
    parents: dict[str, Place] = field(default_factory=dict[str, Place])
    """Where the graph's inputs are."""
    edges: dict[Op, list[Edge]] = field(default_factory=dict[Op, list[Edge]])
    arms: dict[Op, list[Node]] = field(default_factory=dict[Op, list[Node]])
    """What branches say of their targets."""
    routed: set[Op] = field(default_factory=set[Op])
    """Ops whose error is read."""
    raced: set[Op] = field(default_factory=set[Op])
    """Ops that only a race reads."""
    exits: dict[Op, DoneNode] = field(default_factory=dict[Op, DoneNode])
    """Graphs that hand on only what has ended well."""
    first: int = 0
    """The number of the graph's first node."""

    def path_of(self, op: Op) -> str:
        """Return the path of one of the graph's ops."""
        return f"{self.path}.{op.name}"

    def implies_start(self, node: Node) -> bool:
        """Return whether a node can only fire where the graph has."""
        # A choice may fall back on what the graph knows nothing of.
        return node.id >= self.first and not isinstance(node, ChoiceNode | AnyNode | OutputNode)


def new_scope(graph: GraphOp, path: str, base: Axes, enter: Node | None = None) -> Scope:
    """Return a graph's scope, with what its refs and edges ask for."""
    analysis = graph.analysis
    assert analysis is not None  # a built graph's inner graphs are built
    scope = Scope(graph, analysis, path, base, enter)
    for edge in graph.edges:
        scope.edges.setdefault(edge.target, []).append(edge)
    readers: dict[Op, int] = {}
    races: dict[Op, int] = {}
    for expression in _all_expressions(graph, analysis):
        for part in walk(expression):
            if isinstance(part, ErrorRef):
                scope.routed.add(part.op)
            if isinstance(part, PortRef):
                readers[part.op] = readers.get(part.op, 0) + 1
            if isinstance(part, Chosen) and part.choice.race:
                for option in part.options():
                    if isinstance(option, PortRef):
                        races[option.op] = races.get(option.op, 0) + 1
    followed = {edge.source for edge in graph.edges}
    scope.raced = {op for op, n in races.items() if readers[op] == n and op not in followed}
    return scope


def _all_expressions(graph: GraphOp, analysis: Analysis) -> Iterable[Expression]:
    for op in graph.ops:
        yield from expressions_of(op)
    for writes in analysis.writers.values():
        for write in writes:
            yield write.expression
