"""The checks of a graph when its block is left: all mistakes, each with place, cause and hint.

In the order in which they run: `interface` (inputs and outputs), `references` (refs and targets),
`until` (of loops), `streams` (axes), `bindings` (what ops are given), `policies`, `outputs` (what
leaves the graph, and what nobody reads), `returned` (what a `@graph` function says that it
returns), `firing` (what could never fire).
A mistake does not keep the later checks from running; what follows from it is not reported again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from operonx.core.graph.analysis import Analysis
from operonx.core.graph.ordering import order_ops
from operonx.core.graph.validation.bindings import TypeCheck, check_bindings
from operonx.core.graph.validation.firing import check_firing
from operonx.core.graph.validation.interface import (
    check_graph,
    check_sizes,
    find_inputs,
    find_writers,
    gather_expressions,
)
from operonx.core.graph.validation.outputs import check_unread, check_writers, find_outputs
from operonx.core.graph.validation.policies import check_policies, check_settings
from operonx.core.graph.validation.references import check_refs, resolve_targets
from operonx.core.graph.validation.returned import check_returned
from operonx.core.graph.validation.streams import check_streams, report_cycle
from operonx.core.graph.validation.until import resolve_until

if TYPE_CHECKING:
    from operonx.core.graph.graph import GraphOp

__all__ = ["check"]


def check(graph: GraphOp) -> Analysis:
    """Check a graph; mistakes are reported to it.

    Args:
        graph: A graph whose inner graphs are checked.

    Returns:
        The analysis, as far as the mistakes let it be made.
    """
    analysis = Analysis()
    check_graph(graph)
    resolve_targets(graph)
    graph.add_forwarded()
    find_writers(graph, analysis)
    gather_expressions(graph, analysis)
    if check_sizes(graph, analysis):
        _check_all(graph, analysis)
    analysis.broken = bool(graph.issues)
    return analysis


def _check_all(graph: GraphOp, analysis: Analysis) -> None:
    find_inputs(graph, analysis)
    check_refs(graph, analysis)
    resolve_until(graph, analysis)
    check_settings(graph, analysis)
    analysis.order, cycle = order_ops(graph, analysis.reads)
    if cycle:
        report_cycle(graph, analysis, cycle)
    check_streams(graph, analysis)
    types = TypeCheck(graph, analysis)
    for op in graph.ops:
        check_bindings(graph, op, types)
        check_policies(graph, op)
    find_outputs(graph, analysis, types)
    check_returned(graph, analysis)
    needs = check_firing(graph, analysis)
    check_writers(graph, analysis, needs)
    check_unread(graph, analysis)
