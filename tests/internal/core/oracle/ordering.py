"""The order of ops, and how axes and contexts of two things lie to each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from operonx.core import GraphOp, Op
from operonx.core.expressions.refs import Expression, PortRef
from operonx.core.expressions.walking import walk

from .axes import branches_to, reads
from .outcome import Ctx

__all__ = ["holds_op", "in_order", "place_added", "related", "shared_length"]


def place_added(graph: GraphOp, expression: Expression) -> int:
    """Return the place of the op that a write reads, in the order that ops were added."""
    ops = [part.op for part in walk(expression) if isinstance(part, PortRef)]
    places = {op: index for index, op in enumerate(graph.ops)}
    return max((places[op] for op in ops), default=-1)


def in_order(graph: GraphOp) -> list[Op]:
    """Return the ops of a graph, each after all that it waits for."""
    done: dict[Op, None] = {}

    def visit(op: Op) -> None:
        if op in done:
            return
        for source in _before(op):
            visit(source)
        done[op] = None

    for op in graph.ops:
        visit(op)
    return list(done)


def _before(op: Op) -> Iterator[Op]:
    for expression in reads(op):
        for part in walk(expression):
            source = getattr(part, "loop", getattr(part, "op", None))
            if isinstance(source, Op):
                yield source
    yield from (edge.source for edge in op.graph.edges if edge.target is op)
    yield from branches_to(op)


def holds_op(axes: Iterable[Any], op: Op) -> bool:
    return any(owner is op for owner in axes)


def shared_length(one: Iterable[Any], other: Iterable[Any]) -> int:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left is not right:
            break
        count += 1
    return count


def related(one: Ctx, other: Ctx) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]
