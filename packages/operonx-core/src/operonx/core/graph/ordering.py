"""The order that a graph's ops can fire in, or the cycle that keeps them from it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from operonx.core.graph.branches import BranchOp

if TYPE_CHECKING:
    from operonx.core.graph.graph import GraphOp
    from operonx.core.ops.base import Op

__all__ = ["dependencies", "order_ops"]


def dependencies(graph: GraphOp, reads: dict[Op, list[Op]]) -> dict[Op, list[Op]]:
    """Return for each op those of the graph that it waits for, in any way."""
    found = {op: list(sources) for op, sources in reads.items()}
    for op in graph.ops:
        if isinstance(op, BranchOp):
            for arm in op.arms:
                for target in arm.resolved():
                    if target in found:
                        found[target].append(op)
    for edge in graph.edges:
        found[edge.target].append(edge.source)
    return found


def order_ops(graph: GraphOp, reads: dict[Op, list[Op]]) -> tuple[list[Op], list[Op]]:
    """Return the ops in an order that they can fire in, and those of one cycle, if there is one.

    Args:
        graph: The graph.
        reads: The ops that each op's refs read.
    """
    before = dependencies(graph, reads)
    waiting = {op: len(sources) for op, sources in before.items()}
    after: dict[Op, list[Op]] = {op: [] for op in graph.ops}
    for op, sources in before.items():
        for source in sources:
            after[source].append(op)
    ready = deque(op for op in graph.ops if not waiting[op])
    order: list[Op] = []
    while ready:
        op = ready.popleft()
        order.append(op)
        for target in after[op]:
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    if len(order) == len(graph.ops):
        return order, []
    return order, _one_cycle(before, [op for op in graph.ops if waiting[op]])


def _one_cycle(before: dict[Op, list[Op]], stuck: list[Op]) -> list[Op]:
    # Every stuck op waits for another stuck one, so walking back must come round.
    members = set(stuck)
    trail: list[Op] = [stuck[0]]
    seen = {stuck[0]: 0}
    while True:
        op = next(source for source in before[trail[-1]] if source in members)
        if op in seen:
            return list(reversed(trail[seen[op] :]))
        seen[op] = len(trail)
        trail.append(op)
