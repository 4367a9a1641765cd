"""The test of a loop: `until`, over its state and the outputs of its body."""

from __future__ import annotations

from typing import TYPE_CHECKING

from operonx.core.errors import did_you_mean, listed
from operonx.core.expressions.parsing import parse_expression
from operonx.core.expressions.refs import (
    Batch,
    Chosen,
    Collect,
    ErrorRef,
    Expression,
    IterationRef,
    IterationsRef,
    Operators,
    OrElse,
    ParentRef,
    PortRef,
    StreamOf,
    lift,
)
from operonx.core.expressions.walking import excess, walk
from operonx.core.graph.loops import LoopOp, rebind_parent

if TYPE_CHECKING:
    from operonx.core.graph.analysis import Analysis
    from operonx.core.graph.graph import GraphOp

__all__ = ["resolve_until"]


def resolve_until(graph: GraphOp, analysis: Analysis) -> None:
    """Bind a loop's `until` to its state and the outputs of its body, and check it."""
    if not isinstance(graph, LoopOp):
        return
    names = {*graph.states, *analysis.writers}
    source = graph.until_source
    if isinstance(source, str):
        graph.until = _parsed_until(graph, analysis, source, names)
    elif isinstance(source, Operators):
        graph.until = _bound_until(graph, analysis, lift(source), names)
    else:
        graph.report(
            graph,
            f"until={source!r}: takes a ref expression or a string",
            hint='for instance `until=PARENT["count"] >= 3` or `until="count >= 3"`',
            ref="until",
        )
    if graph.until is not None:
        _check_changes(graph, analysis, graph.until)


def _check_changes(graph: LoopOp, analysis: Analysis, until: Expression) -> None:
    """Report a test that no iteration can change: it holds after the first, or never."""
    parts = list(walk(until))
    read = list(dict.fromkeys(part.key for part in parts if isinstance(part, ParentRef)))
    counts = any(isinstance(part, IterationRef) for part in parts)
    is_known = all(op.ports is not None for op in graph.ends)
    if counts or not read or not is_known or any(key in analysis.writers for key in read):
        return
    source = graph.until_source
    graph.report(
        graph,
        f"until: nothing in the body writes {listed(read)}, so "
        f"`{source if isinstance(source, str) else repr(until)}` never changes",
        hint=f"give an output that name; the outputs are {listed(analysis.writers, 'none')}. "
        'For a number of rounds write `until="iteration == 4"`',
        ref="until",
    )


def _parsed_until(
    graph: LoopOp, analysis: Analysis, text: str, names: set[str]
) -> Expression | None:
    unknown: dict[str, None] = {}

    def name(identifier: str) -> Expression:
        analysis.read_inputs.add(identifier)
        if identifier not in names and identifier == "iteration":
            return IterationRef(graph)
        if identifier not in names:
            unknown[identifier] = None
        return ParentRef(graph, identifier)

    try:
        expression = parse_expression(text, name)
    except ValueError as error:
        graph.report(graph, f"until: {error}", hint='for instance `until="n >= 3"`', ref=text)
        return None
    problem = excess(expression)
    if problem is not None:
        what = f"until: the expression is too large: {problem}"
        graph.report(graph, what, hint="let an op of the body compute it", ref="until")
        return None
    for identifier in unknown:
        _report_until_name(graph, identifier, identifier, names)
    return None if unknown else expression


def _report_until_name(graph: LoopOp, name: str, ref: str, names: set[str]) -> None:
    graph.report(
        graph,
        f"until: no state or output `{name}`; there are {listed(sorted(names), 'none')}",
        hint=did_you_mean(name, names) or f"make it a state, `GraphOp.loop(..., {name}=...)`",
        ref=ref,
    )


def _bound_until(
    graph: LoopOp, analysis: Analysis, expression: Expression, names: set[str]
) -> Expression | None:
    problem = excess(expression)
    if problem is not None:
        what = f"until: the expression is too large: {problem}"
        graph.report(graph, what, hint="let an op of the body compute it", ref="until")
        return None
    sound = True
    for part in walk(expression):
        match part:
            case ParentRef(key=key):
                analysis.read_inputs.add(key)
                if key in names:
                    continue
                _report_until_name(graph, key, repr(part), names)
            case PortRef() | ErrorRef() | IterationsRef():
                what = f"until: {part!r} is neither state nor output of the loop"
                hint = 'write it to one in the body, `op["x"] >> PARENT["x"]`, and test that'
                graph.report(graph, what, hint=hint, ref=repr(part))
            case Collect() | StreamOf() | Batch() | Chosen() | OrElse():
                what = f"until: {part!r}: after an iteration there are values only"
                hint = "let an op of the body do it, and test its output"
                graph.report(graph, what, hint=hint, ref=repr(part))
            case _:
                continue
        sound = False
    return rebind_parent(expression, graph) if sound else None
