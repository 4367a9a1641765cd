"""Static axes, from section 3 of the contract: refs decide them, edges only order.

Axes are absolute here: those of a nested graph's ops begin with those of the graph, and a loop's
with the loop. Their length is the length of the contexts that something fires at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from operonx.core import BranchOp, GraphOp, LoopOp, Op, ZipOp
from operonx.core.expressions.refs import (
    Batch,
    Choice,
    Chosen,
    Collect,
    ErrorRef,
    Expression,
    IterationRef,
    IterationsRef,
    ParentRef,
    PortRef,
    StreamOf,
)
from operonx.core.expressions.walking import children, walk
from operonx.core.graph.branches import SwitchOp

__all__ = [
    "Axes",
    "Places",
    "axis_name",
    "branches_to",
    "errors_read",
    "reads",
    "writers",
    "written",
]

Axes: TypeAlias = tuple[Any, ...]
"""What opens each axis (an op or a `Batch` ref), outermost first."""


def reads(op: Op) -> Iterator[Expression]:
    """Yield the expressions that an op waits for."""
    yield from op.inputs.values()
    if isinstance(op, SwitchOp):
        yield op.subject
    if isinstance(op, BranchOp):
        yield from (arm.condition for arm in op.arms if arm.condition is not None)


def writers(graph: GraphOp) -> dict[str, list[Expression]]:
    """Return what writes each output of a built graph."""
    assert graph.analysis is not None
    return {
        key: [write.expression for write in writes]
        for key, writes in graph.analysis.writers.items()
    }


def written(graph: GraphOp, key: str) -> Expression:
    """Return an output as one expression: of several writers, the one that fired."""
    expressions = writers(graph)[key]
    if len(expressions) == 1:
        return expressions[0]
    return Chosen(Choice(tuple(expressions), race=False))


def axis_name(owner: Any) -> str:
    """Return the name that contexts give to an axis."""
    return f"{owner.graph.path}.{owner.name}" if isinstance(owner, Batch) else str(owner.path)


def _longest(parts: Iterable[Axes]) -> Axes:
    return max(parts, key=len, default=())


class Places:
    """The axes of everything in one graph, worked out once."""

    def __init__(self) -> None:
        self._ops: dict[Op, Axes] = {}

    def of_graph(self, graph: GraphOp) -> Axes:
        """Return the axes that the inside of a graph begins with."""
        if graph.graph is None:
            return ()
        own = self.of_op(graph)
        return (*own, graph) if isinstance(graph, LoopOp) else own

    def of_op(self, op: Op) -> Axes:
        """Return an op's own axes: the longest of its refs' and its branches'."""
        if op not in self._ops:
            self._ops[op] = self._find(op)
        return self._ops[op]

    def _find(self, op: Op) -> Axes:
        parts = [self.of_expression(part, op.graph) for part in reads(op)]
        if isinstance(op, ZipOp):
            parts = [axes[:-1] for axes in parts]
        parts += [self.of_op(branch) for branch in branches_to(op)]
        return _longest([self.of_graph(op.graph), *parts])

    def of_port(self, op: Op, port: str) -> Axes:
        """Return the axes of one output port."""
        own = self.of_op(op)
        if isinstance(op, LoopOp):
            return own
        if isinstance(op, GraphOp):
            return self.of_expression(written(op, port), op)
        if op.opens_axis and all(port != one.name for one in op.final):
            return (*own, op)
        return own

    def of_expression(self, expression: Expression, graph: GraphOp) -> Axes:
        """Return the axes of an expression that stands in `graph`."""
        match expression:
            case PortRef(op=op, port=port):
                return self.of_port(op, port)
            case ErrorRef(op=op):
                return self.of_op(op)
            case ParentRef() | IterationRef():
                return self.of_graph(graph)
            case IterationsRef(loop=loop, port=port):
                return self._of_iterations(loop, port)
            case Collect(base=base, per=None) | StreamOf(base=base):
                return self.of_expression(base, graph)[:-1]
            case Collect(per=per):
                ports = per.all_ports()
                return self.of_port(per, ports[0].name) if ports else self.of_op(per)
            case Batch(base=base):
                return (*self.of_expression(base, graph)[:-1], expression)
            case _:
                parts = [self.of_expression(part, graph) for part in children(expression)]
                return _longest([self.of_graph(graph), *parts])

    def _of_iterations(self, loop: LoopOp, port: str) -> Axes:
        if port in loop.states:
            return self.of_graph(loop)
        return self.of_expression(written(loop, port), loop)


def _targets(branch: BranchOp, op: Op) -> bool:
    # Not `op in ...`: ops compare to expressions.
    return any(target is op for arm in branch.arms for target in arm.resolved())


def branches_to(op: Op) -> Iterator[BranchOp]:
    """Yield the branches that an op is a target of."""
    for branch in op.graph.ops:
        if isinstance(branch, BranchOp) and _targets(branch, op):
            yield branch


def errors_read(graph: GraphOp) -> set[Op]:
    """Return the ops of a graph whose `.error` something in it reads."""
    expressions = [part for op in graph.ops for part in reads(op)]
    expressions += [part for parts in writers(graph).values() for part in parts]
    return {part.op for one in expressions for part in walk(one) if isinstance(part, ErrorRef)}
