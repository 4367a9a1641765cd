"""What an op waits for besides what it reads: its edges, its branches, its graph."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from operonx.core.graph.analysis import expressions_of, op_leaves
from operonx.core.graph.graph import GraphOp
from operonx.core.plan.endings import done_of, wait_for_end
from operonx.core.plan.nodes import (
    AllNode,
    AnyNode,
    BranchNode,
    CallNode,
    GeneratorNode,
    LoopNode,
    Node,
    Region,
    ZipNode,
)

if TYPE_CHECKING:
    from operonx.core.ops.base import Op
    from operonx.core.plan.lowering import Lowering
    from operonx.core.plan.scopes import Scope

__all__ = ["all_needs"]


def all_needs(lowering: Lowering, scope: Scope, op: Op, needs: Iterable[Node]) -> list[Node]:
    """Add to what an op's refs need its edges and branches, or the graph's start."""
    region = lowering.own_region(scope, op)
    found = list(needs)
    read = {source for expression in expressions_of(op) for _, source in op_leaves(expression)}
    soft: list[Node] = []
    for edge in scope.edges.get(op, ()):
        if isinstance(edge.source, GraphOp) and edge.source in read:
            continue  # reading a port of a graph says all that the edge would
        node = _edge_source(lowering, scope, edge.source, region)
        if node is not None:
            (soft if edge.soft else found).append(node)
    found.extend(scope.arms.get(op, ()))
    if soft:
        found.append(_soft_group(lowering, scope.path_of(op), region, soft))
    if scope.enter is not None and not any(scope.implies_start(node) for node in found):
        found.append(scope.enter)
    return found


def _soft_group(lowering: Lowering, path: str, region: Region, sources: list[Node]) -> Node:
    members: list[Node] = []
    for source in dict.fromkeys(sources):
        member = source
        if source.region is not region:
            member = AllNode(region, path)
            lowering.builder.take(member, [source])
        members.append(member)
    group = AnyNode(region, path, members)
    lowering.builder.take(group)
    for number, member in enumerate(members):
        member.reports.append((group, number))
    return group


def _edge_source(lowering: Lowering, scope: Scope, source: Op, region: Region) -> Node | None:
    """Return what an edge from `source` into `region` waits for; None if nothing more."""
    own = lowering.own_region(scope, source)
    child = lowering.regions.get(source)
    if child is not None and child.holds(region):
        return None  # inside the stream that the source opened
    node: Node = _ended(lowering, scope, source)
    after = node
    while not own.holds(region):
        node = wait_for_end(lowering, own, [after], source.name)
        node.cell.source = after
        after = node
        own = node.region
    return node


def _ended(lowering: Lowering, scope: Scope, source: Op) -> Node:
    node = lowering.nodes.get(source)
    match node:
        case GeneratorNode() | LoopNode():
            return node.end
        case ZipNode():
            return wait_for_end(lowering, node.child, node.ports, node.path)
        case CallNode() | BranchNode():
            return node
        case _:
            assert isinstance(source, GraphOp)  # every other kind has a node
            return done_of(lowering, scope, source)
