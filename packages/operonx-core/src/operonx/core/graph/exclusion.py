"""Which arms of which branches an op needs, so that impossible joins are found when building.

`Needs` maps a branch (or an op whose error is read) to the arms under which something fires.
Needs of all hard predecessors are intersected, those of a soft group are united.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from operonx.core.expressions.refs import (
    Batch,
    Chosen,
    Collect,
    ErrorRef,
    Expression,
    IterationsRef,
    OrElse,
    PortRef,
    StreamOf,
    children,
    walk,
)
from operonx.core.graph.branches import BranchOp

if TYPE_CHECKING:
    from operonx.core.graph.analysis import Analysis
    from operonx.core.graph.graph import GraphOp
    from operonx.core.ops.base import Op

__all__ = ["Needs", "NeverFiresError", "both", "either", "exclusive", "find_needs"]

Needs: TypeAlias = Mapping[Any, frozenset[Any]]
"""Arms by branch; `"ok"` and `"error"` are those of an op whose error is read."""


class NeverFiresError(Exception):
    """Two needs exclude each other."""

    def __init__(self, decider: Op) -> None:
        super().__init__(decider.name)
        self.decider = decider


def both(parts: Iterable[Needs]) -> Needs:
    """Return the needs of something that needs all of `parts`.

    Raises:
        NeverFiresError: If they exclude each other.
    """
    joined: dict[Any, frozenset[Any]] = {}
    for needs in parts:
        for decider, arms in needs.items():
            kept = joined.get(decider, arms) & arms
            if not kept:
                raise NeverFiresError(decider)
            joined[decider] = kept
    return joined


def either(parts: Iterable[Needs]) -> Needs:
    """Return the needs of something that needs any one of `parts`."""
    options = list(parts)
    if not options:
        return {}
    shared = set(options[0]).intersection(*options[1:])
    united = {
        decider: frozenset[Any]().union(*(needs[decider] for needs in options))
        for decider in shared
    }
    # Where any arm will do nothing is needed; dropping it keeps a chain of branches linear.
    return {decider: arms for decider, arms in united.items() if not _is_any(decider, arms)}


def _is_any(decider: Op, arms: frozenset[Any]) -> bool:
    if isinstance(decider, BranchOp) and "ok" not in arms:
        has_else = bool(decider.arms) and decider.arms[-1].condition is None
        return has_else and len(arms) == len(decider.arms)
    return arms == frozenset[Any](["ok", "error"])


def exclusive(one: Needs, other: Needs) -> bool:
    """Return whether two needs can never hold together."""
    return any(not (arms & other[decider]) for decider, arms in one.items() if decider in other)


class _Finder:
    """Walks one graph in order; `needs` grows as it goes."""

    def __init__(self, graph: GraphOp, analysis: Analysis) -> None:
        self.graph = graph
        self.analysis = analysis
        self.needs: dict[Op, Needs] = {}
        self.targeted: dict[Op, dict[BranchOp, frozenset[int]]] = {}
        self.routed: set[Op] = _ops_whose_error_is_read(graph, analysis)
        for op in graph.ops:
            if isinstance(op, BranchOp):
                self._note_arms(op)
        self.hard: dict[Op, list[Op]] = {op: [] for op in graph.ops}
        self.soft: dict[Op, list[Op]] = {op: [] for op in graph.ops}
        for edge in graph.edges:
            (self.soft if edge.soft else self.hard)[edge.target].append(edge.source)

    def _note_arms(self, branch: BranchOp) -> None:
        for index, arm in enumerate(branch.arms):
            for target in arm.resolved():
                arms = self.targeted.setdefault(target, {})
                arms[branch] = arms.get(branch, frozenset()) | {index}

    def of_op(self, op: Op, expressions: Iterable[Expression]) -> Needs:
        axes = self.analysis.axes.get(op, ())
        parts = [self.of_expression(expression) for expression in expressions]
        parts += [self._across(source, len(axes)) for source in self.hard[op]]
        if self.soft[op]:
            parts.append(either(self._across(source, len(axes)) for source in self.soft[op]))
        for branch, arms in self.targeted.get(op, {}).items():
            parts += [self.needs.get(branch, {}), {branch: arms}]
        return both(parts)

    def of_expression(self, expression: Expression) -> Needs:
        match expression:
            case PortRef(op=op, port=port):
                inner: Analysis | None = getattr(op, "analysis", None)
                below: Needs = inner.needs.get(port, {}) if inner is not None else {}
                return both([self._fired(op), below])
            case IterationsRef(loop=loop):
                return self._fired(loop)
            case ErrorRef(op=op):
                return both([self.needs.get(op, {}), {op: frozenset(["error"])}])
            case OrElse(base=base, other=other):
                return either([self.of_expression(base), self.of_expression(other)])
            case Chosen():
                return either(self.of_expression(option) for option in expression.options())
            case Collect(base=base) | StreamOf(base=base) | Batch(base=base):
                return self._collected(expression, base)
            case _:
                return both(self.of_expression(part) for part in children(expression))

    def _fired(self, op: Op) -> Needs:
        needs = self.needs.get(op, {})
        return both([needs, {op: frozenset(["ok"])}]) if op in self.routed else needs

    def _collected(self, expression: Expression, base: Expression) -> Needs:
        from operonx.core.graph.analysis import axes_of  # analysis builds on this module

        left = len(axes_of(expression, self.analysis.axes))
        if isinstance(expression, Batch):
            left -= 1
        return self._outer(self.of_expression(base), left)

    def _across(self, source: Op, depth: int) -> Needs:
        return self._outer(self._fired(source), depth)

    def _outer(self, needs: Needs, depth: int) -> Needs:
        # What was decided per item says nothing about the whole stream.
        axes = self.analysis.axes
        return {
            decider: arms for decider, arms in needs.items() if len(axes.get(decider, ())) <= depth
        }


def _ops_whose_error_is_read(graph: GraphOp, analysis: Analysis) -> set[Op]:
    from operonx.core.graph.analysis import expressions_of  # analysis builds on this module

    read = [expression for op in graph.ops for expression in expressions_of(op)]
    read += [write.expression for writes in analysis.writers.values() for write in writes]
    return {
        part.op for expression in read for part in walk(expression) if isinstance(part, ErrorRef)
    }


def find_needs(graph: GraphOp, analysis: Analysis, expressions_of: Any, report: Any) -> _Finder:
    """Work out every op's needs; ops that could never fire are handed to `report(op, decider)`."""
    finder = _Finder(graph, analysis)
    for op in analysis.order:
        try:
            finder.needs[op] = finder.of_op(op, expressions_of(op))
        except NeverFiresError as conflict:
            report(op, conflict.decider)
            finder.needs[op] = {}
    return finder
