"""The axes of ops: which streams they are in, and where two have nothing to do with each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from operonx.core.expressions.refs import (
    Expression,
    ParentRef,
    StreamOf,
)
from operonx.core.graph.axes import Axes, AxisError, axes_of, join_axes
from operonx.core.graph.branches import BranchOp
from operonx.core.graph.inference import is_stream_type
from operonx.core.graph.loops import LoopOp
from operonx.core.graph.zips import ZipOp

if TYPE_CHECKING:
    from operonx.core.graph.analysis import Analysis
    from operonx.core.graph.graph import GraphOp
    from operonx.core.ops.base import Op

__all__ = ["check_streams", "report_cycle"]


def report_cycle(graph: GraphOp, analysis: Analysis, cycle: list[Op]) -> None:
    """Report a cycle; nothing is known of the ops that wait for it."""
    names = " >> ".join(op.name for op in (*cycle, cycle[0]))
    hint = _decided_by_target(cycle) or (
        "a graph has none; to repeat ops use `GraphOp.loop(until=..., ...)`"
    )
    graph.report(cycle[0], f"a cycle: {names}", hint=hint, ref=names)
    ordered = set(analysis.order)
    analysis.unknown.update(op for op in graph.ops if op not in ordered)


def _decided_by_target(cycle: list[Op]) -> str | None:
    for branch, after in zip(cycle, [*cycle[1:], cycle[0]], strict=True):
        if isinstance(branch, BranchOp):
            targets = {target for arm in branch.arms for target in arm.resolved()}
            if after in targets:
                return (
                    f"`{branch.name}` reads what comes of its own target `{after.name}`: "
                    "decide on what is there before"
                )
    return None


def check_streams(graph: GraphOp, analysis: Analysis) -> None:
    """Find out the axes of every op, and report what joins independent streams."""
    branches: dict[Op, list[BranchOp]] = {}
    for branch in graph.ops:
        if isinstance(branch, BranchOp):
            for arm in branch.arms:
                for target in arm.resolved():
                    branches.setdefault(target, []).append(branch)
    for op in analysis.order:
        deciders = branches.get(op, [])
        unknown = analysis.unknown
        if unknown and not unknown.isdisjoint((op, *analysis.reads[op], *deciders)):
            unknown.add(op)
        try:
            analysis.axes[op] = _axes(op, analysis, deciders)
        except AxisError as error:
            if op not in unknown:
                graph.report(op, error.message, hint=error.hint)
            unknown.add(op)
            analysis.axes[op] = ()
        else:
            _check_stream_inputs(graph, analysis, op)


def _axes(op: Op, analysis: Analysis, deciders: list[BranchOp]) -> Axes:
    axes = analysis.axes
    parts: list[tuple[Axes, Any]] = []
    for expression in analysis.expressions[op]:
        try:
            parts.append((axes_of(expression, axes), expression))
        except AxisError:
            analysis.wrong.add(expression)
            raise
    if isinstance(op, ZipOp):
        parts = _outer_axes(op, parts)
    parts += [(axes.get(one, ()), f"branch `{one.name}`") for one in deciders]
    return join_axes(parts)


def _outer_axes(op: ZipOp, parts: list[tuple[Axes, Expression]]) -> list[tuple[Axes, Any]]:
    outer: list[tuple[Axes, Any]] = []
    for axes, side in parts:
        if not axes:
            what = f"{side!r} is no stream, so it has no items to pair"
            raise AxisError(what, "zip streams only")
        outer.append((axes[:-1], side))
    first = outer[0][0]
    for axes, side in outer[1:]:
        if len(axes) != len(first) or any(a is not b for a, b in zip(axes, first, strict=True)):
            what = f"`{op.name}` zips {outer[0][1]!r} and {side!r}, whose outer streams differ"
            raise AxisError(what, "zip streams of the same depth, inside the same items")
    return outer


def _check_stream_inputs(graph: GraphOp, analysis: Analysis, op: Op) -> None:
    """A stream is read once, so what takes one must not fire for each item of another."""
    if op in analysis.unknown or isinstance(op, LoopOp):
        return
    if not analysis.axes[op]:
        return
    for expression in op.inputs.values():
        if not _is_stream(analysis, expression):
            continue
        below = analysis.axes[op][len(axes_of(expression, analysis.axes)) :]
        if below:
            names = ".".join(str(axis.name or "batch") for axis in below)
            analysis.wrong.add(expression)
            graph.report(
                op,
                f"{expression!r} is read once, but `{op.name}` fires for each item of `{names}`",
                hint="hand it in as a list, with `.collect()`",
                ref=repr(expression),
            )


def _is_stream(analysis: Analysis, expression: Expression) -> bool:
    if isinstance(expression, ParentRef):
        given = analysis.inputs.get(expression.key)
        return given is not None and is_stream_type(given.annotation)
    return isinstance(expression, StreamOf)
