"""What building a graph finds out: the order of its ops, their axes, the types of its outputs.

Axes are tuples of the things that open them (a generator op, a zip, a loop, a `.batch` ref),
relative to the graph: its own context is `()`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, Union

from operonx.core.expressions.refs import (
    Batch,
    Binary,
    Chosen,
    Collect,
    Constant,
    ErrorRef,
    Expression,
    IterationRef,
    IterationsRef,
    Method,
    OrElse,
    ParentRef,
    PortRef,
    StreamOf,
    Template,
    Unary,
    children,
    lift,
    walk,
)
from operonx.core.graph.branches import BranchOp, SwitchOp
from operonx.core.graph.exclusion import Needs
from operonx.core.graph.graph import GraphInput, GraphOp, Write
from operonx.core.graph.loops import LoopOp
from operonx.core.ops.base import Op

if TYPE_CHECKING:
    from operonx.core.ops.signature import Port

__all__ = [
    "Analysis",
    "Axes",
    "AxisError",
    "annotation_of",
    "axes_of",
    "expressions_of",
    "join_axes",
    "op_leaves",
    "order_ops",
    "port_axes",
]

Axes: TypeAlias = tuple[Any, ...]
"""The owners of axes, outermost first."""


@dataclass(slots=True, eq=False)
class Analysis:
    """The findings about one graph."""

    order: list[Op] = field(default_factory=list[Op])
    """The ops, each after all that it waits for."""
    axes: dict[Op, Axes] = field(default_factory=dict[Op, Axes])
    """Each op's own axes."""
    inputs: dict[str, GraphInput] = field(default_factory=dict[str, GraphInput])
    writers: dict[str, list[Write]] = field(default_factory=dict[str, list[Write]])
    """What writes each output (and each state of a loop)."""
    outputs: tuple[Port, ...] = ()
    output_axes: dict[str, Axes] = field(default_factory=dict[str, Axes])
    """Axes that each output still carries."""
    needs: dict[str, Needs] = field(default_factory=dict[str, Needs])
    """Which arms of which branches each output depends on."""
    broken: bool = False
    """Whether mistakes were found, so that what depends on this graph says no more."""


class AxisError(Exception):
    """Two refs are on independent axes, or a stream is wanted where none was opened."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def expressions_of(op: Op) -> Iterator[Expression]:
    """Yield what an op reads: its inputs, a branch's conditions."""
    yield from op.inputs.values()
    if isinstance(op, SwitchOp):
        yield op.subject
    if isinstance(op, BranchOp):
        for arm in op.arms:
            if arm.condition is not None:
                yield arm.condition


def op_leaves(expression: Expression) -> Iterator[tuple[Expression, Op]]:
    """Yield the refs in an expression that point at ops, with the op."""
    for part in walk(expression):
        match part:
            case PortRef(op=op) | ErrorRef(op=op):
                yield part, op
            case IterationsRef(loop=loop):
                yield part, loop
            case _:
                pass


def dependencies(graph: GraphOp) -> dict[Op, list[Op]]:
    """Return for each op those of the graph that it waits for, in any way."""
    found: dict[Op, list[Op]] = {op: [] for op in graph.ops}
    for op in graph.ops:
        for expression in expressions_of(op):
            found[op].extend(leaf for _, leaf in op_leaves(expression) if leaf.graph is graph)
        if isinstance(op, BranchOp):
            for arm in op.arms:
                for target in arm.resolved():
                    if target in found:
                        found[target].append(op)
    for edge in graph.edges:
        found[edge.target].append(edge.source)
    return found


def order_ops(graph: GraphOp) -> tuple[list[Op], list[Op]]:
    """Return the ops in an order that they can fire in, and those caught in cycles."""
    before = dependencies(graph)
    waiting = {op: len(sources) for op, sources in before.items()}
    after: dict[Op, list[Op]] = {op: [] for op in graph.ops}
    for op, sources in before.items():
        for source in sources:
            after[source].append(op)
    ready = deque(op for op in graph.ops if not waiting[op])
    order: list[Op] = []
    while ready:
        op = ready.popleft()
        order.append(op)
        for target in after[op]:
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    if len(order) == len(graph.ops):
        return order, []
    return order, _one_cycle(before, [op for op in graph.ops if waiting[op]])


def _one_cycle(before: dict[Op, list[Op]], stuck: list[Op]) -> list[Op]:
    # Every stuck op waits for another stuck one, so walking back must come round.
    members = set(stuck)
    trail: list[Op] = [stuck[0]]
    seen = {stuck[0]: 0}
    while True:
        op = next(source for source in before[trail[-1]] if source in members)
        if op in seen:
            return list(reversed(trail[seen[op] :]))
        seen[op] = len(trail)
        trail.append(op)


def join_axes(parts: Iterable[tuple[Axes, str]]) -> Axes:
    """Return the longest axes, of which every other must be a prefix.

    Args:
        parts: Axes with the text of the ref that carries them.

    Raises:
        AxisError: If two are independent.
    """
    longest: Axes = ()
    holder = ""
    for axes, text in parts:
        shorter, longer = (axes, longest) if len(axes) <= len(longest) else (longest, axes)
        if any(one is not other for one, other in zip(shorter, longer, strict=False)):
            raise AxisError(
                f"{holder} and {text} are independent streams ({_names(longest)} and "
                f"{_names(axes)}), so no item of one belongs to an item of the other",
                "`.collect()` one of them, or pair them with `zip_streams(...)`",
            )
        if len(axes) > len(longest):
            longest, holder = axes, text
    return longest


def _names(axes: Axes) -> str:
    return ".".join(str(axis.name or "batch") for axis in axes)


def port_axes(op: Op, port: str, own: Axes) -> Axes:
    """Return the axes of one port of an op whose own axes are `own`."""
    analysis = getattr(op, "analysis", None)
    if analysis is not None and not isinstance(op, LoopOp):
        return own + tuple(analysis.output_axes.get(port, ()))
    if isinstance(op, LoopOp) or not op.opens_axis or any(p.name == port for p in op.final):
        return own
    return (*own, op)


def axes_of(expression: Expression, axes: dict[Op, Axes]) -> Axes:
    """Return the axes of an expression's value.

    Args:
        expression: The expression.
        axes: The axes of the ops it may read.

    Raises:
        AxisError: If it joins independent streams, or collects where no axis was opened.
    """
    match expression:
        case PortRef(op=op, port=port):
            return port_axes(op, port, axes.get(op, ()))
        case ErrorRef(op=op):
            return axes.get(op, ())
        case IterationsRef(loop=loop, port=port):
            inner = loop.analysis.output_axes.get(port, ()) if loop.analysis else ()
            return (*axes.get(loop, ()), loop, *inner)
        case Collect(base=base, per=per):
            return _collected(expression, axes_of(base, axes), per, axes)
        case StreamOf(base=base):
            return _without_last(expression, axes_of(base, axes))
        case Batch(base=base):
            return (*_without_last(expression, axes_of(base, axes)), expression)
        case _:
            return join_axes((axes_of(part, axes), repr(part)) for part in children(expression))


def _without_last(expression: Expression, axes: Axes) -> Axes:
    if not axes:
        raise AxisError(
            f"{expression!r}: no stream was opened in this graph",
            "a generator op or `each(list)` opens one; a nested graph's inputs are single values",
        )
    return axes[:-1]


def _collected(expression: Expression, base: Axes, per: Any, axes: dict[Op, Axes]) -> Axes:
    if per is None:
        return _without_last(expression, base)
    ports = per.all_ports()
    target = port_axes(per, ports[0].name, axes.get(per, ())) if ports else axes.get(per, ())
    is_prefix = len(target) < len(base) and all(
        one is other for one, other in zip(target, base, strict=False)
    )
    if not is_prefix:
        raise AxisError(
            f"{expression!r}: the stream has no axis below those of `{per.name}`",
            "`per=` takes an op whose items the stream was made from",
        )
    return target


def annotation_of(expression: Expression, inputs: dict[str, GraphInput]) -> Any:
    """Return the type of an expression's value, `Any` where it is not known."""
    match expression:
        case PortRef(op=op, port=port):
            return next((p.annotation for p in op.all_ports() if p.name == port), Any)
        case ParentRef(key=key):
            return inputs[key].annotation if key in inputs else Any
        case Collect(base=base) | Batch(base=base):
            return list[annotation_of(base, inputs)]  # type: ignore[misc]  # a type made at run time
        case StreamOf(base=base):
            return annotation_of(base, inputs)
        case OrElse(base=base, other=Constant(value=value)):
            return Union[annotation_of(base, inputs), type(value)]  # noqa: UP007 - made at run time
        case OrElse(base=base, other=other):
            return Union[annotation_of(base, inputs), annotation_of(other, inputs)]  # noqa: UP007
        case Chosen():
            return _union(annotation_of(lift(part), inputs) for part in expression.options())
        case _:
            return _computed_type(expression)


def _computed_type(expression: Expression) -> Any:
    match expression:
        case Template():
            return str
        case Binary(symbol="==" | "!=" | "<" | "<=" | ">" | ">=" | "&" | "|") | Unary(symbol="~"):
            return bool
        case Method(name="contains" | "is_none"):
            return bool
        case Method(name="len") | IterationRef():
            return int
        case _:
            return Any


def _union(annotations: Iterable[Any]) -> Any:
    known = list(annotations)
    return Any if any(one is Any for one in known) else Union[tuple(known)]  # noqa: UP007
