"""Checks of what leaves a graph: its outputs, their writers, and ops that nobody reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from operonx.core.errors import listed
from operonx.core.expressions.refs import (
    Batch,
    Chosen,
    Collect,
    Expression,
    OrElse,
    PortRef,
    StreamOf,
    children,
)
from operonx.core.graph.analysis import (
    Analysis,
    Axes,
    annotation_of,
    axes_of,
    expressions_of,
    op_leaves,
)
from operonx.core.graph.branches import BranchOp
from operonx.core.graph.exclusion import exclusive, find_needs
from operonx.core.graph.graph import GraphOp, Write
from operonx.core.graph.loops import LoopOp
from operonx.core.graph.references import all_expressions
from operonx.core.graph.zips import ZipOp
from operonx.core.ops.signature import Port

if TYPE_CHECKING:
    from operonx.core.graph.streams import StreamChecks
    from operonx.core.ops.base import Op

__all__ = ["check_deciders", "check_unread", "find_outputs"]


def find_outputs(graph: GraphOp, analysis: Analysis, streams: StreamChecks) -> None:
    """Fill in the outputs with their axes and types."""
    ports: list[Port] = []
    keys = [*analysis.writers]
    if isinstance(graph, LoopOp):
        keys = [*graph.states, *(key for key in keys if key not in graph.states)]
    for key in keys:
        writes = analysis.writers.get(key, [])
        axes = _output_axes(graph, streams, key, writes)
        analysis.output_axes[key] = axes
        ports.append(Port(key, _output_type(graph, analysis, key, writes, axes)))
    analysis.outputs = tuple(ports)


def _output_axes(graph: GraphOp, streams: StreamChecks, key: str, writes: list[Write]) -> Axes:
    if isinstance(graph, LoopOp) and key in graph.states:
        return ()
    axes = [streams.axes_of(graph, write.expression) for write in writes]
    return axes[0]


def _output_type(
    graph: GraphOp, analysis: Analysis, key: str, writes: list[Write], axes: Any
) -> Any:
    if isinstance(graph, LoopOp) and key in graph.states:
        return graph.parameters[key].annotation if graph.parameters else Any
    types = [annotation_of(write.expression, analysis.inputs) for write in writes]
    if any(one != types[0] for one in types):
        return Any
    if isinstance(graph, LoopOp):
        return Any if axes else types[0]
    return types[0]


def check_deciders(graph: GraphOp, analysis: Analysis) -> None:
    """Report what needs two things that exclude each other, and writers that do not."""

    def report(op: Op, decider: Op) -> None:
        graph.report(
            op,
            f"it could never fire: it needs arms of `{decider.name}` that exclude each other",
            hint="take whichever fired with `first_of(a, b)`, or order softly with `>> ~op`",
        )

    finder = find_needs(graph, analysis, expressions_of, report)
    for op in graph.ops:
        _check_soft_and_plain(graph, op, finder.soft[op])
    for key, writes in analysis.writers.items():
        needs = [finder.of_expression(write.expression) for write in writes]
        analysis.needs[key] = needs[0] if len(needs) == 1 else {}
        _check_writers(graph, analysis, key, writes, needs)


def _check_writers(
    graph: GraphOp, analysis: Analysis, key: str, writes: list[Write], needs: list[Any]
) -> None:
    state = graph.states.get(key) if isinstance(graph, LoopOp) else None
    depths = {len(axes_of(write.expression, analysis.axes)) for write in writes}
    if state is not None:
        if state.reducer is None and depths != {0}:
            graph.report(
                graph,
                f"state `{key}` is written by a stream",
                hint=f"`.collect()` it, or `{key}=State(..., reducer=...)`",
            )
        if state.reducer is not None:
            return
    texts = listed(repr(write.expression) for write in writes)
    if len(depths) > 1:
        graph.report(
            graph,
            f"output `{key}` is written with different axes: {texts}",
            hint="`.collect()` the deeper one, or give one another name",
        )
    for index, one in enumerate(needs):
        if any(not exclusive(one, other) for other in needs[index + 1 :]):
            graph.report(
                graph,
                f"output `{key}` has two writers that may both fire: {texts}",
                hint='give one another name, or write `first_of(a, b) >> PARENT["key"]`',
            )
            return


def _check_soft_and_plain(graph: GraphOp, op: Op, soft_edges: list[Op]) -> None:
    by_edge = set(soft_edges)  # a set tells ops by identity, as `==` makes an expression
    soft: set[Any] = set()
    plain: dict[Any, PortRef] = {}
    for expression in expressions_of(op):
        for leaf, is_soft in _leaves_by_edge(expression):
            if is_soft:
                soft.add(_followed(leaf))
            else:
                plain.setdefault(_followed(leaf), leaf)
    for followed, leaf in plain.items():
        if followed in soft or leaf.op in by_edge:
            graph.report(
                op,
                f"{leaf!r} needs `{leaf.op.name}` to fire, another edge from it is soft",
                hint=f"read it with `first_of(...)` or `{leaf!r}.or_else(value)`, or drop the `~`",
            )


def _followed(leaf: PortRef) -> Any:
    # The ports of a zip and of a graph fire and are skipped each by itself, those of others as one.
    by_port = isinstance(leaf.op, (GraphOp, ZipOp)) and not isinstance(leaf.op, LoopOp)
    return (id(leaf.op), leaf.port) if by_port else leaf.op


def _leaves_by_edge(expression: Expression) -> Iterator[tuple[PortRef, bool]]:
    open_ends: list[tuple[Expression, bool]] = [(expression, False)]
    while open_ends:
        part, is_soft = open_ends.pop()
        match part:
            case PortRef():
                yield part, is_soft
            case OrElse() | Chosen():
                open_ends.extend((child, True) for child in children(part))
            case Collect() | StreamOf() | Batch():
                # The stream's end is another event than the op's firing.
                continue
            case _:
                open_ends.extend((child, is_soft) for child in children(part))


def check_unread(graph: GraphOp, analysis: Analysis) -> None:
    """Report the ops whose outputs nobody reads and that do not reach END."""
    useful: set[Op] = set()
    before: dict[Op, list[Op]] = {op: [] for op in graph.ops}
    for edge in graph.edges:
        before[edge.target].append(edge.source)
    for op, expression in all_expressions(graph, analysis):
        for _, source in op_leaves(expression):
            useful.add(source)
            if op is not graph:
                before[op].append(source)
    reaches_end = {
        source
        for writes in analysis.writers.values()
        for write in writes
        for _, source in op_leaves(write.expression)
    } | set(graph.ends)
    for op in _upstream(reaches_end, before):
        useful.add(op)
    for op in graph.ops:
        if op not in useful and op.all_ports() and not isinstance(op, BranchOp):
            names = listed(port.name for port in op.all_ports())
            graph.report(
                op,
                f"nobody reads its outputs ({names}) and it does not reach END",
                hint=f"`{op.name} >> END`, or leave it out",
            )


def _upstream(starts: Iterable[Op], before: dict[Op, list[Op]]) -> set[Op]:
    found = set(starts)
    open_ends = list(found)
    while open_ends:
        for source in before.get(open_ends.pop(), ()):
            if source not in found:
                found.add(source)
                open_ends.append(source)
    return found
