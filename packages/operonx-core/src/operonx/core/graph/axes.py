"""Axes: which streams a value is an item of.

Axes are tuples of the things that open them (a generator op, a zip, a loop, a `.batch` ref),
relative to the graph: its own context is `()`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

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
from operonx.core.expressions.walking import children
from operonx.core.graph.loops import LoopOp

if TYPE_CHECKING:
    from operonx.core.ops.base import Op

__all__ = ["Axes", "AxisError", "axes_of", "join_axes", "port_axes"]

Axes: TypeAlias = tuple[Any, ...]
"""The owners of axes, outermost first."""


class AxisError(Exception):
    """Two refs are on independent axes, or a stream is wanted where none was opened."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


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


_OPEN_ONE: Final = (
    "a generator op or `each(list)` opens one; a nested graph's inputs are single values"
)


def _without_last(expression: Expression, axes: Axes) -> Axes:
    if not axes:
        (base,) = children(expression)
        hint = base.op.stream_hint() if isinstance(base, PortRef) else None
        what = f"{expression!r}: no stream was opened in this graph"
        raise AxisError(what, hint or _OPEN_ONE)
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
