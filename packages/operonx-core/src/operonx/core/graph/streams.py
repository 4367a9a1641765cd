"""Checks of streams: no op joins independent ones, and each `.stream()` is read once."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypeAlias

from operonx.core.expressions.refs import Expression, ParentRef, StreamOf, walk
from operonx.core.graph.analysis import (
    Analysis,
    Axes,
    AxisError,
    axes_of,
    expressions_of,
    join_axes,
    op_leaves,
)
from operonx.core.graph.branches import BranchOp
from operonx.core.graph.loops import LoopOp
from operonx.core.graph.parameters import parameters_of
from operonx.core.graph.references import all_expressions
from operonx.core.graph.zips import ZipOp

if TYPE_CHECKING:
    from operonx.core.graph.graph import GraphOp
    from operonx.core.ops.base import Op

__all__ = ["StreamChecks"]

_Parts: TypeAlias = list[tuple[Axes, str]]


class StreamChecks:
    """The checks of one graph's streams; fills in `analysis.axes`.

    Args:
        graph: The graph.
        analysis: What is known of it, with the order of its ops where there is no cycle.
        doubtful: Ops with a wrong ref: of these, and of what depends on them, no mistake with
            streams is reported, as it may only follow from the other one.
    """

    def __init__(self, graph: GraphOp, analysis: Analysis, doubtful: set[Op]) -> None:
        self.graph = graph
        self.analysis = analysis
        self.doubtful = doubtful
        self.sound = not doubtful
        """Whether the axes of all ops are known."""
        self.wrong: set[Expression] = set()
        """Expressions that a mistake was reported of: their types say no more."""

    def check(self) -> None:
        """Report the mistakes with streams."""
        self._check_places()
        targeted = _branches_by_target(self.graph)
        for op in self.analysis.order:
            branches = targeted.get(op, [])
            sources = {leaf for e in expressions_of(op) for _, leaf in op_leaves(e)}
            if not self.doubtful.isdisjoint((*sources, *branches)):
                self.doubtful.add(op)
            self.analysis.axes[op] = self._axes(op, branches)
            self._check_read_once(op)

    def _axes(self, op: Op, branches: list[BranchOp]) -> Axes:
        parts = [
            (self.axes_of(op, expression), repr(expression)) for expression in expressions_of(op)
        ]
        parts += [(self.analysis.axes.get(one, ()), f"branch `{one.name}`") for one in branches]
        try:
            if isinstance(op, ZipOp) and op not in self.doubtful:
                parts = _zip_axes(op, parts)
            return join_axes(parts)
        except AxisError as error:
            self.report(op, error)
            return ()

    def axes_of(self, op: Op, expression: Expression) -> Axes:
        """Return the axes of what an op (or the graph, in a write) reads; mistakes are reported."""
        try:
            return axes_of(expression, self.analysis.axes)
        except AxisError as error:
            self.wrong.add(expression)
            self.sound = False
            if all(leaf not in self.doubtful for _, leaf in op_leaves(expression)):
                self.report(op, error)
            return ()

    def report(self, op: Op, error: AxisError) -> None:
        """Report a mistake with streams, unless it may only follow from another one."""
        self.sound = False
        if op not in self.doubtful:
            self.graph.report(op, error.message, hint=error.hint)
        self.doubtful.add(op)

    # -- whole streams

    def _check_places(self) -> None:
        """Report whole streams that are anything but an argument of an op."""
        readers: Counter[str] = Counter()
        for op, expression in self._all_expressions():
            takes_it = (
                op is not self.graph
                and parameters_of(op) is not None
                and any(value is expression for value in op.inputs.values())
            )
            for part in walk(expression):
                if not self._is_whole(part):
                    continue
                if isinstance(part, ParentRef):
                    readers[part.key] += 1
                if part is not expression or not takes_it:
                    self.wrong.add(expression)
                    self.graph.report(
                        op,
                        f"{part!r} is a whole stream, no value to compute with or to write",
                        hint="hand it to an op whose parameter is a `Stream[...]`, "
                        "or take its items as a list with `.collect()`",
                    )
        self._check_inputs(readers)

    def _all_expressions(self) -> list[tuple[Op, Expression]]:
        found = list(all_expressions(self.graph, self.analysis))
        if isinstance(self.graph, LoopOp) and self.graph.until is not None:
            found.append((self.graph, self.graph.until))
        return found

    def _is_whole(self, part: Expression) -> bool:
        if isinstance(part, ParentRef):
            given = self.analysis.inputs.get(part.key)
            return given is not None and given.streams
        return isinstance(part, StreamOf)

    def _check_inputs(self, readers: Counter[str]) -> None:
        for key, given in self.analysis.inputs.items():
            if not given.streams:
                continue
            if self.graph.graph is None:
                self.graph.report(
                    self.graph,
                    f"input `{key}` is a stream; the inputs of a run are single values",
                    hint=f'take a list and fan it out: `each(PARENT["{key}"])`',
                )
            elif readers[key] != 1:
                count = "nobody" if not readers[key] else f"{readers[key]} ops or ports"
                self.graph.report(
                    self.graph,
                    f"input `{key}` is a stream, which is read once; {count} read it",
                    hint="hand it in collected, or once for each reader",
                )

    def _check_read_once(self, op: Op) -> None:
        own = self.analysis.axes[op]
        for expression in op.inputs.values():
            if op in self.doubtful or not self._is_whole(expression):
                continue
            below = own[len(axes_of(expression, self.analysis.axes)) :]
            if below:
                names = ".".join(str(axis.name or "batch") for axis in below)
                self.wrong.add(expression)
                self.graph.report(
                    op,
                    f"{expression!r} is read once, but `{op.name}` fires for each item of "
                    f"`{names}`",
                    hint="hand it in as a list, with `.collect()`",
                )


def _branches_by_target(graph: GraphOp) -> dict[Op, list[BranchOp]]:
    targeted: dict[Op, list[BranchOp]] = {}
    for branch in graph.ops:
        if isinstance(branch, BranchOp):
            for arm in branch.arms:
                for target in arm.resolved():
                    targeted.setdefault(target, []).append(branch)
    return targeted


def _zip_axes(op: ZipOp, parts: _Parts) -> _Parts:
    outer: _Parts = []
    for axes, text in parts:
        if not axes:
            raise AxisError(f"{text} is no stream, so it has no items to pair", "zip streams only")
        outer.append((axes[:-1], text))
    first, first_text = outer[0]
    for axes, text in outer[1:]:
        if len(axes) != len(first) or any(a is not b for a, b in zip(axes, first, strict=True)):
            raise AxisError(
                f"`{op.name}` zips {first_text} and {text}, whose outer streams differ",
                "zip streams of the same depth, inside the same items",
            )
    return outer
