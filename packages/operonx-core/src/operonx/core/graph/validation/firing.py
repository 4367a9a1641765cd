"""Ops that could never fire, or that depend on one op in two ways at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from operonx.core.expressions.refs import (
    Batch,
    Chosen,
    Collect,
    Constant,
    Expression,
    OrElse,
    ParentRef,
    PortRef,
    StreamOf,
)
from operonx.core.expressions.walking import children
from operonx.core.graph.axes import AxisError
from operonx.core.graph.exclusion import Needs, NeedsFinder, NeverFiresError
from operonx.core.graph.graph import GraphOp
from operonx.core.graph.loops import LoopOp
from operonx.core.graph.zips import ZipOp

if TYPE_CHECKING:
    from operonx.core.graph.analysis import Analysis
    from operonx.core.graph.parts import Write
    from operonx.core.ops.base import Op

__all__ = ["check_firing"]


def check_firing(graph: GraphOp, analysis: Analysis) -> dict[str, list[Needs]]:
    """Report ops that could never fire.

    Returns:
        What each write of each output needs.
    """
    finder = NeedsFinder(graph, analysis)
    soft = finder.soft
    for op in analysis.order:
        if finder.needed:
            _add(graph, analysis, finder, op)
        _check_soft_and_plain(graph, op, analysis.expressions[op], soft.get(op, []))
    found: dict[str, list[Needs]] = {}
    for key, writes in analysis.writers.items():
        found[key] = [_of_write(graph, finder, write) for write in writes]
        analysis.needs[key] = finder.of_output(graph, key, found[key])
    analysis.needs = {key: needs for key, needs in analysis.needs.items() if needs}
    for needs in analysis.needs.values():
        analysis.depths.update({decider: finder.depths.get(decider, 0) for decider in needs})
    return found


def _add(graph: GraphOp, analysis: Analysis, finder: NeedsFinder, op: Op) -> None:
    if op in analysis.unknown:
        return
    try:
        finder.add(op)
    except NeverFiresError as conflict:
        _report_never(graph, op, conflict, "it could never fire")
    except AxisError:
        analysis.unknown.add(op)  # said where the axes were looked for


def _of_write(graph: GraphOp, finder: NeedsFinder, write: Write) -> Needs:
    if not finder.needed:
        return {}
    try:
        return finder.of_expression(write.expression)
    except NeverFiresError as conflict:
        text = repr(write.expression)
        _report_never(
            graph, write.place(graph), conflict, f"output `{write.key}` ({text}) could never be"
        )
    except AxisError:
        pass  # said where the axes were looked for
    return {}


def _report_never(graph: GraphOp, op: Op, conflict: NeverFiresError, what: str) -> None:
    decider = conflict.decider
    why = f"it needs arms of `{decider.name}` that exclude each other"
    if conflict.by_error:
        why = f"it needs `{decider.name}` to fire, and to fail as well (`{decider.name}.error`)"
    graph.report(
        op,
        f"{what}: {why}",
        hint="take whichever fired with `first_of(a, b)`, or order softly with `>> ~op`",
        ref=decider.name,
    )


# -- plain and soft


def _check_soft_and_plain(
    graph: GraphOp, op: Op, expressions: list[Expression], soft_edges: list[Op]
) -> None:
    if not soft_edges and all(type(one) in _SIMPLE for one in expressions):
        return
    by_edge = set(soft_edges)  # a set tells ops by identity, as `==` makes an expression
    soft: set[Any] = set()
    plain: dict[Any, PortRef] = {}
    for expression in expressions:
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
                ref=repr(leaf),
            )


def _followed(leaf: PortRef) -> Any:
    # The ports of a zip and of a graph fire and are skipped each by itself, those of others as one.
    by_port = isinstance(leaf.op, (GraphOp, ZipOp)) and not isinstance(leaf.op, LoopOp)
    return (id(leaf.op), leaf.port) if by_port else leaf.op


_SIMPLE = frozenset({Constant, ParentRef, PortRef})


def _leaves_by_edge(expression: Expression) -> Iterator[tuple[PortRef, bool]]:
    """Yield the ports that an expression reads, and whether it does so softly."""
    open_ends: list[tuple[Expression, bool]] = [(expression, False)]
    seen: set[tuple[int, bool]] = set()
    while open_ends:
        part, is_soft = open_ends.pop()
        if (id(part), is_soft) in seen:
            continue
        seen.add((id(part), is_soft))
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
