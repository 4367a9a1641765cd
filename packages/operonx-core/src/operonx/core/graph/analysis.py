"""What building a graph finds out: the order of its ops, their axes, its inputs and outputs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from operonx.core.expressions.refs import (
    Batch,
    Constant,
    ErrorRef,
    Expression,
    IterationsRef,
    ParentRef,
    PortRef,
)
from operonx.core.expressions.walking import walk
from operonx.core.graph.axes import Axes
from operonx.core.graph.branches import BranchOp, SwitchOp
from operonx.core.ops.base import Op

if TYPE_CHECKING:
    from operonx.core.graph.exclusion import Needs
    from operonx.core.graph.parts import GraphInput, Write
    from operonx.core.ops.signature import Port

__all__ = ["Analysis", "expressions_of", "op_leaves"]


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
