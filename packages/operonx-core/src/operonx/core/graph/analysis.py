"""What building a graph finds out: the order of its ops, their axes, its inputs and outputs.

Axes are tuples of the things that open them (a generator op, a zip, a loop, a `.batch` ref),
relative to the graph: its own context is `()`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from operonx.core.expressions.refs import (
    Batch,
    Collect,
    Constant,
    ErrorRef,
    Expression,
    IterationsRef,
    ParentRef,
    PortRef,
    StreamOf,
)
from operonx.core.expressions.walking import children, walk
from operonx.core.graph.branches import BranchOp, SwitchOp
from operonx.core.graph.loops import LoopOp
from operonx.core.ops.base import Op

if TYPE_CHECKING:
    from operonx.core.graph.exclusion import Needs
    from operonx.core.graph.graph import GraphInput, GraphOp, Write
    from operonx.core.ops.signature import Port

__all__ = [
    "Analysis",
    "Axes",
    "AxisError",
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
    inputs: dict[str, GraphInput] = field(default_factory=dict[str, Any])
    """The graph's inputs, with the types of what reads them."""
    read_inputs: set[str] = field(default_factory=set[str])
    """The inputs that something in the graph reads."""
    writers: dict[str, list[Write]] = field(default_factory=dict[str, Any])
    """What writes each output (and each state of a loop)."""
    outputs: tuple[Port, ...] = ()
    """The graph's own ports."""
    output_axes: dict[str, Axes] = field(default_factory=dict[str, Axes])
    """Axes that each output still carries."""
    needs: dict[str, Needs] = field(default_factory=dict[str, Any])
    """Which arms of which branches each output depends on."""
    depths: dict[Any, int] = field(default_factory=dict[Any, int])
    """How many axes of this graph each branch in `needs` is decided under."""
    expressions: dict[Op, list[Expression]] = field(default_factory=dict[Op, list[Expression]])
    """What each op reads."""
    composite: list[tuple[Op, Expression]] = field(default_factory=list[tuple[Op, Expression]])
    """The expressions that are more than one ref or constant, with where they are read."""
    reads: dict[Op, list[Op]] = field(default_factory=dict[Op, list[Op]])
    """The ops of this graph that each op's refs read."""
    unknown: set[Op] = field(default_factory=set[Op])
    """Ops of which a mistake hides the axes, so that nothing is said of what follows from them."""
    wrong: set[Expression] = field(default_factory=set[Expression])
    """Expressions with a mistake in their streams: of their types no more is said."""
    batches: set[Batch] = field(default_factory=set[Batch])
    """The batches that have their names."""
    broken: bool = False
    """Whether mistakes were found, so that what depends on this graph says no more."""


class AxisError(Exception):
    """Two refs are on independent axes, or a stream is wanted where none was opened."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def expressions_of(op: Op) -> list[Expression]:
    """Return what an op reads: its inputs, a branch's conditions."""
    found = list(op.inputs.values())
    if isinstance(op, BranchOp):
        if isinstance(op, SwitchOp):
            found.append(op.subject)
        found += [arm.condition for arm in op.arms if arm.condition is not None]
    return found


def op_leaves(expression: Expression) -> Iterator[tuple[Expression, Op]]:
    """Yield the refs in an expression that point at ops, with the op."""
    if type(expression) in (Constant, ParentRef):
        return
    if type(expression) is PortRef:
        yield expression, expression.op
        return
    for part in walk(expression):
        match part:
            case PortRef(op=op) | ErrorRef(op=op):
                yield part, op
            case IterationsRef(loop=loop):
                yield part, loop
            case _:
                continue


def dependencies(graph: GraphOp, reads: dict[Op, list[Op]]) -> dict[Op, list[Op]]:
    """Return for each op those of the graph that it waits for, in any way."""
    found = {op: list(sources) for op, sources in reads.items()}
    for op in graph.ops:
        if isinstance(op, BranchOp):
            for arm in op.arms:
                for target in arm.resolved():
                    if target in found:
                        found[target].append(op)
    for edge in graph.edges:
        found[edge.target].append(edge.source)
    return found


def order_ops(graph: GraphOp, reads: dict[Op, list[Op]]) -> tuple[list[Op], list[Op]]:
    """Return the ops in an order that they can fire in, and those of one cycle, if there is one.

    Args:
        graph: The graph.
        reads: The ops that each op's refs read.
    """
    before = dependencies(graph, reads)
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


def join_axes(parts: Iterable[tuple[Axes, Any]]) -> Axes:
    """Return the longest axes, of which every other must be a prefix.

    Args:
        parts: Axes with the ref (or a text) that carries them.

    Raises:
        AxisError: If two are independent.
    """
    longest: Axes = ()
    holder: Any = ""
    for axes, ref in parts:
        if not axes:
            continue
        shorter, longer = (axes, longest) if len(axes) <= len(longest) else (longest, axes)
        if any(one is not other for one, other in zip(shorter, longer, strict=False)):
            raise AxisError(
                f"{_text(holder)} and {_text(ref)} are independent streams ({_names(longest)} and "
                f"{_names(axes)}), so no item of one belongs to an item of the other",
                "`.collect()` one of them, or pair them with `zip_streams(...)`",
            )
        if len(axes) > len(longest):
            longest, holder = axes, ref
    return longest


def _text(ref: Any) -> str:
    return ref if isinstance(ref, str) else repr(ref)


def _names(axes: Axes) -> str:
    return ".".join(str(axis.name or "batch") for axis in axes)


def port_axes(op: Op, port: str, own: Axes) -> Axes:
    """Return the axes of one port of an op whose own axes are `own`."""
    if op.analysis is not None:
        return own if isinstance(op, LoopOp) else own + tuple(op.analysis.output_axes.get(port, ()))
    if not op.opens_axis or any(one.name == port for one in op.final):
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
        case Constant() | ParentRef():
            return ()
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
            return join_axes((axes_of(part, axes), part) for part in children(expression))


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
    own = axes.get(per, base)  # not known yet: what comes later is nothing the stream is made from
    target = max((port_axes(per, port.name, own) for port in per.all_ports()), key=len, default=own)
    is_prefix = len(target) < len(base) and all(
        one is other for one, other in zip(target, base, strict=False)
    )
    if not is_prefix:
        raise AxisError(
            f"{expression!r}: the stream has no axis below those of `{per.name}`",
            "`per=` takes an op whose items the stream was made from",
        )
    return target
