"""What is decided last: in a graph, in a stream and all that happens in its items."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from operonx.core.plan.nodes import CellNode, DoneNode, Node, Region, WaitNode
from operonx.core.plan.streams import consume

if TYPE_CHECKING:
    from operonx.core.graph.graph import GraphOp
    from operonx.core.plan.lowering import Lowering
    from operonx.core.plan.scopes import Scope

__all__ = ["done_of", "take_done", "wait_for_end"]


def done_of(lowering: Lowering, scope: Scope, op: GraphOp) -> DoneNode:
    """Return the node that fires once everything in a nested graph is decided."""
    if op not in lowering.done:
        region = lowering.own_region(scope, op)
        done = DoneNode(region, scope.path_of(op))
        enter = lowering.scopes[op].enter
        needs = [enter] if enter is not None else []
        take_done(lowering, op, done, needs)
        lowering.done[op] = done
    return lowering.done[op]


def take_done(lowering: Lowering, op: GraphOp, done: DoneNode, needs: Iterable[Node]) -> None:
    """Take in a node that is decided last of all in a graph, and so speaks for all of it."""
    waits = len(lowering.builder.nodes)
    lowering.builder.take(done, needs, _sinks(lowering, op, done.region))
    for first, past in (lowering.spans[op], (waits, done.id)):
        if first < past:
            lowering.closed[first] = past


def _sinks(lowering: Lowering, op: GraphOp, region: Region) -> list[Node]:
    """Return nodes of `region` such that once they are decided all of a graph is."""
    by_region: dict[Region, list[Node]] = {}
    for node in _open_nodes(lowering, op):
        at: Region | None = node.region
        while at is not None and at not in by_region:
            by_region[at] = []
            at = at.parent
        by_region[node.region].append(node)
    # Deepest first: what happens in items is over when a wait in the region around is.
    for inner in sorted(by_region, key=lambda one: -one.depth):
        if inner is region or not region.holds(inner):
            continue
        wait = wait_for_end(lowering, inner, _without_followed(by_region[inner]), op.name)
        by_region[wait.region].append(wait)
    return _without_followed(by_region.get(region, []))


def _open_nodes(lowering: Lowering, op: GraphOp) -> Iterator[Node]:
    """Yield a graph's nodes, without those that the `DoneNode` of a graph inside speaks for."""
    number, last = lowering.spans[op]
    while number < last:
        past = lowering.closed.get(number)
        if past is None:
            yield lowering.builder.nodes[number]
        number = number + 1 if past is None else past


def wait_for_end(lowering: Lowering, region: Region, after: Iterable[Node], path: str) -> WaitNode:
    """Make a node around `region` that waits for the end of the stream and for `after`."""
    cell = CellNode(region, path, None)
    lowering.builder.take(cell, (), after)
    assert region.parent is not None  # only streams are waited for
    wait = WaitNode(region.parent, path, cell)
    lowering.builder.take(wait)
    consume(wait, cell)
    return wait


def _without_followed(nodes: list[Node]) -> list[Node]:
    """Leave out nodes that another one of the list waits for."""
    region_nodes = set(nodes)
    followed = {pred for node in nodes for pred in node.hard if pred in region_nodes}
    return [node for node in nodes if node not in followed]
