"""The checks of a graph when its block is left: all mistakes, each with place, cause and hint.

The modules it goes through, in this order: `references` (names), `streams` (axes), `bindings`
(arguments and their types), `policies`, `outputs` (writers, and what nobody reads).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from operonx.core.graph.analysis import Analysis, order_ops
from operonx.core.graph.bindings import check_bindings
from operonx.core.graph.loops import LoopOp
from operonx.core.graph.outputs import check_deciders, check_unread, find_outputs
from operonx.core.graph.parameters import is_broken
from operonx.core.graph.policies import check_policies
from operonx.core.graph.references import (
    all_expressions,
    check_refs,
    find_inputs,
    find_writers,
    resolve_targets,
)
from operonx.core.graph.streams import StreamChecks

if TYPE_CHECKING:
    from operonx.core.graph.graph import GraphOp
    from operonx.core.ops.base import Op

__all__ = ["check"]


def check(graph: GraphOp) -> Analysis:
    """Check a graph; mistakes are reported to it.

    Returns:
        The analysis, as far as the mistakes let it be made.
    """
    analysis = Analysis()
    if not graph.ops:
        graph.report(graph, "the graph has no ops", hint="make some inside its block")
    resolve_targets(graph)
    graph.add_forwarded()
    find_writers(graph, analysis)
    find_inputs(graph, analysis)
    if isinstance(graph, LoopOp):
        graph.resolve_until({*graph.states, *analysis.writers})
    doubtful = _check_names(graph, analysis)
    analysis.order, cycle = order_ops(graph)
    if cycle:
        _report_cycle(graph, cycle)
        doubtful.update(graph.ops)
    streams = StreamChecks(graph, analysis, doubtful)
    streams.check()
    for op in graph.ops:
        check_bindings(graph, analysis, op, streams.wrong)
        check_policies(graph, op)
    find_outputs(graph, analysis, streams)
    if streams.sound:
        check_deciders(graph, analysis)
    check_unread(graph, analysis)
    analysis.broken = bool(graph.issues)
    return analysis


def _check_names(graph: GraphOp, analysis: Analysis) -> set[Op]:
    """Return the ops with a wrong ref, about whose streams nothing can be said."""
    doubtful = {op for op in graph.ops if is_broken(op)}
    for op, expression in all_expressions(graph, analysis):
        before = len(graph.issues)
        check_refs(graph, analysis, op, expression)
        if len(graph.issues) > before:
            doubtful.add(op)
    return doubtful


def _report_cycle(graph: GraphOp, cycle: list[Op]) -> None:
    names = " >> ".join(op.name for op in (*cycle, cycle[0]))
    graph.report(
        cycle[0],
        f"a cycle: {names}",
        hint="a graph has none; to repeat ops use `GraphOp.loop(until=..., ...)`",
    )
