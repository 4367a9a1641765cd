"""A built graph as text: ops in order, what they read, their ports, axes and policies."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from operonx.core.expressions.printing import show_value
from operonx.core.expressions.refs import Binary
from operonx.core.graph.axes import port_axes
from operonx.core.graph.branches import BranchOp, SwitchOp
from operonx.core.graph.graph import GraphOp
from operonx.core.graph.loops import LoopOp
from operonx.core.ops.builtin import BUILTIN
from operonx.core.ops.function import FuncOp
from operonx.core.ops.policies import NO_POLICIES, Rate, Retry
from operonx.core.schema import type_name

if TYPE_CHECKING:
    from operonx.core.expressions.refs import Expression
    from operonx.core.ops.base import Op
    from operonx.core.ops.policies import Policies

__all__ = ["axes_text", "own_axes", "policy_texts", "printable", "show_graph"]

_WIDTH: Final = 100
"""Columns that a line may take; what does not fit goes on below, indented."""
_LEAST: Final = 60
"""Columns that are left to a line however deep its graph is nested."""
_CLOSER: Final = frozenset({"+", "-", "*", "/", "//", "%", "**"})
"""What binds closer than `>>` does; all else is written in brackets before it."""
_JOINERS: Final = "\u200c\u200d"
"""Invisible, but letters and emoji are written with them."""


def show_graph(graph: GraphOp) -> str:
    """Return a graph as indented lines, one op each."""
    return "\n".join(_graph_lines(graph))


def printable(text: str) -> str:
    """Return a text on one line, with line breaks and control characters as escapes."""
    return "".join(
        char if char.isprintable() or char in _JOINERS else repr(char)[1:-1] for char in text
    )


def axes_text(axes: Iterable[Any]) -> str:
    """Write axes as they follow a port: `[doc][chunk]`."""
    return "".join(f"[{axis.name}]" for axis in axes)


def own_axes(op: Op) -> str:
    """Write which items an op fires for: `for each [doc][chunk]`, or nothing."""
    analysis = None if op.graph is None else op.graph.analysis
    axes = "" if analysis is None else axes_text(analysis.axes.get(op, ()))
    return f"for each {axes}" if axes else ""


def policy_texts(op: Op) -> list[tuple[str, str]]:
    """Return the policies that an op was given: their names, and them as they are written."""
    asked = op.policies.asked(_defaults(op))
    return [(name, f"{name}={_policy(value)}") for name, value in asked.items()]


def _defaults(op: Op) -> Policies:
    """Return the policies that an op has though nobody gave it any."""
    if isinstance(op, FuncOp) and any(op.definition is one for one in BUILTIN):
        return op.definition.policies
    return NO_POLICIES


def _policy(value: Any) -> str:
    match value:
        case Retry():
            return _retry(value)
        case Rate(count=count, per=per):
            return f"Rate({count}, per={per})"
        case _:
            return str(getattr(value, "name", None) or show_value(value))


def _retry(retry: Retry) -> str:
    plain = Retry()
    parts = [f"attempts={retry.attempts}"]
    parts += [f"backoff={retry.backoff}"] if retry.backoff != plain.backoff else []
    parts += [f"jitter={retry.jitter}"] if retry.jitter != plain.jitter else []
    if retry.on != plain.on:
        names = [kind.__name__ for kind in retry.on]
        parts.append(f"on=({', '.join(names)}{',' if len(names) == 1 else ''})")
    return f"Retry({', '.join(parts)})"


def _graph_lines(graph: GraphOp) -> Iterator[str]:
    # Open graphs with what is left of their ops: graphs may be nested deeper than Python recurses.
    open_graphs: list[tuple[GraphOp, Iterator[Op]]] = [(graph, _ordered(graph))]
    yield from _wrapped(_title(graph), "")
    while open_graphs:
        current, left = open_graphs[-1]
        indent = "  " * len(open_graphs)
        op = next(left, None)
        if op is None:
            open_graphs.pop()
            for line in (*_edges_and_writes(current), *_bindings(current)):
                yield from _wrapped([line], indent)
        elif isinstance(op, GraphOp):
            open_graphs.append((op, _ordered(op)))
            yield from _wrapped(_title(op), indent)
        else:
            yield from _wrapped(_op_parts(current, op), indent)


def _wrapped(parts: Iterable[str], indent: str) -> Iterator[str]:
    """Yield the parts on one line where they fit, else a line or more each."""
    shown = [printable(part) for part in parts if part]
    line = indent + " ".join(shown)
    if len(line) <= _WIDTH:
        yield line
        return
    width = max(_WIDTH, len(indent) + _LEAST)
    for number, part in enumerate(shown):
        yield from textwrap.wrap(
            part,
            width,
            initial_indent=indent + ("    " if number else ""),
            subsequent_indent=indent + ("      " if number else "    "),
            break_long_words=False,
            break_on_hyphens=False,
        )


def _ordered(graph: GraphOp) -> Iterator[Op]:
    return iter(graph.analysis.order if graph.analysis is not None else ())


def _title(graph: GraphOp) -> list[str]:
    if graph.analysis is None:
        return [f"{graph.kind} {graph.name} (not built)"]
    takes = ", ".join(
        given.name if given.annotation is Any else f"{given.name}: {type_name(given.annotation)}"
        for given in graph.analysis.inputs.values()
    )
    until: list[str] = []
    if isinstance(graph, LoopOp):
        until = [f"until {graph.until!r}", f"max_iterations={graph.max_iterations}"]
    return [f"{graph.kind} {graph.name}({takes})", own_axes(graph), *until, _policies(graph)]


def _edges_and_writes(graph: GraphOp) -> Iterator[str]:
    for edge in graph.edges:
        target = f"~{edge.target.name}" if edge.soft else edge.target.name
        yield f"{edge.source.name} >> {target}"
    if graph.analysis is not None:
        for key, writes in graph.analysis.writers.items():
            axes = axes_text(graph.analysis.output_axes.get(key, ()))
            yield from (f"{_operand(write.expression)} >> {key}{axes}" for write in writes)


def _operand(expression: Expression) -> str:
    looser = isinstance(expression, Binary) and expression.symbol not in _CLOSER
    return f"({expression!r})" if looser else repr(expression)


def _bindings(graph: GraphOp) -> Iterator[str]:
    states = graph.states if isinstance(graph, LoopOp) else {}
    for key, value in graph.inputs.items():
        reducer = states[key].reducer if key in states else None
        first = repr(value) if reducer is None else f"State({value!r}, reducer={reducer!r})"
        yield f"{key} = {first}"


def _op_parts(graph: GraphOp, op: Op) -> list[str]:
    if isinstance(op, BranchOp):
        return _arms(op)
    reads = ", ".join(f"{name}={value!r}" for name, value in op.inputs.items())
    return [f"{op.name}({reads})", f"-> {_ports(graph, op)}", _policies(op)]


def _arms(op: BranchOp) -> list[str]:
    arms: list[str] = []
    for arm in op.arms:
        names = ", ".join(target.name for target in arm.resolved())
        arms.append(f"else {names}" if arm.condition is None else f"if {arm.condition!r}: {names}")
    subject = f" switch {op.subject!r}:" if isinstance(op, SwitchOp) else ""
    ended = [f"{arm};" for arm in arms[:-1]]
    name = " ".join(filter(None, [op.name, own_axes(op)]))
    return [f"{name}:{subject}", *ended, *arms[-1:]]


def _ports(graph: GraphOp, op: Op) -> str:
    assert graph.analysis is not None  # the caller looked
    if op.ports is None:
        return "?"
    own = graph.analysis.axes.get(op, ())
    parts = [
        port.name
        + ("" if port.annotation is Any else f": {type_name(port.annotation)}")
        + axes_text(port_axes(op, port.name, own))
        for port in op.all_ports()
    ]
    return ", ".join(parts) or f"(){axes_text(own)}"


def _policies(op: Op) -> str:
    return " ".join(text for _, text in policy_texts(op))
