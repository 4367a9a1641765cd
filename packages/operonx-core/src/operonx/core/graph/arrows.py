"""The arrows of a drawing: what reads or waits for what in one graph, each pair joined once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from operonx.core.expressions.printing import show
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
    OrElse,
    ParentRef,
    PortRef,
    StreamOf,
)
from operonx.core.expressions.walking import children
from operonx.core.graph.analysis import expressions_of
from operonx.core.graph.branches import BranchOp, SwitchOp
from operonx.core.graph.show import axes_text

if TYPE_CHECKING:
    from operonx.core.graph.branches import Arm
    from operonx.core.graph.graph import GraphOp
    from operonx.core.graph.parts import Write
    from operonx.core.ops.base import Op

__all__ = ["Arrow", "arrows_of"]


@dataclass(slots=True)
class Arrow:
    """What leads from one op to another."""

    source: Op | None
    """Where it begins; None is the graph's START."""
    target: Op | None
    """Where it ends; None is the graph's END."""
    soft: bool
    """Whether the target may fire though the source was skipped."""
    labels: dict[str, None] = field(default_factory=dict[str, None])
    """What is said of it, in order."""


@dataclass(frozen=True, slots=True)
class _Read:
    source: Op | None
    soft: bool
    label: str


_Key: TypeAlias = "tuple[Op | None, Op | None, bool]"


class _Arrows:
    """Collects arrows; reads of one op by another become one."""

    def __init__(self) -> None:
        self.found: dict[_Key, Arrow] = {}

    def add(self, source: Op | None, target: Op | None, *, soft: bool, label: str) -> None:
        arrow = self.found.setdefault((source, target, soft), Arrow(source, target, soft))
        if label:
            arrow.labels[label] = None

    def order(self, source: Op, target: Op, *, soft: bool) -> None:
        # An edge beside a read that binds as much says nothing more.
        if (source, target, False) not in self.found:
            self.add(source, target, soft=soft, label="")


def arrows_of(graph: GraphOp) -> list[Arrow]:
    """Return the arrows between the ops of a graph, its START and its END."""
    arrows = _Arrows()
    own = set(graph.ops)
    for op in graph.ops:
        for expression in expressions_of(op):
            for read in _reads(expression):
                if read.source is None or read.source in own:
                    arrows.add(read.source, op, soft=read.soft, label=read.label)
    for edge in graph.edges:
        arrows.order(edge.source, edge.target, soft=edge.soft)
    chosen = [one for op in graph.ops if isinstance(op, BranchOp) for one in _arms(op)]
    reached = {arrow.target for arrow in (*arrows.found.values(), *chosen)}
    first = [Arrow(None, op, soft=False) for op in graph.ops if op not in reached]
    _add_outputs(graph, arrows)
    return [*first, *arrows.found.values(), *chosen]


def _arms(branch: BranchOp) -> Iterator[Arrow]:
    for number, arm in enumerate(branch.arms):
        for target in arm.resolved():
            yield Arrow(branch, target, soft=False, labels={_arm_text(branch, arm, number): None})


def _arm_text(branch: BranchOp, arm: Arm, number: int) -> str:
    match arm.condition:
        case None:
            return "else"
        case Binary(right=Constant() as case) if isinstance(branch, SwitchOp):
            return show(case)
        case condition:
            return f"{'elif' if number else 'if'} {show(condition)}"


def _add_outputs(graph: GraphOp, arrows: _Arrows) -> None:
    if graph.analysis is None:
        return
    for key, writes in graph.analysis.writers.items():
        name = key + axes_text(graph.analysis.output_axes.get(key, ()))
        for write in writes:
            _add_write(arrows, name, write)


def _add_write(arrows: _Arrows, name: str, write: Write) -> None:
    reads = list(_reads(write.expression))
    if not reads:  # a constant
        arrows.add(None, None, soft=False, label=f"{name} = {show(write.expression)}")
    for read in reads:
        said = read.label not in ("", write.key)
        label = f"{name} from {read.label}" if said else name
        arrows.add(read.source, None, soft=read.soft, label=label)


def _reads(expression: Expression) -> Iterator[_Read]:
    """Yield what an expression reads, each with what is done to its stream on the way."""
    open_ends: list[tuple[Expression, str, bool]] = [(expression, "", False)]
    # A sum of a sum with itself, and so on, has few parts and endless paths to them.
    seen: set[tuple[int, str, bool]] = set()
    while open_ends:
        current, after, soft = open_ends.pop()
        if (id(current), after, soft) in seen:
            continue
        seen.add((id(current), after, soft))
        leaf = _leaf(current)
        if leaf is not None:
            source, name = leaf
            yield _Read(source, soft, (name + after).removeprefix("."))
            continue
        after = _verb(current) + after
        soft = soft or isinstance(current, (Chosen, OrElse))
        open_ends.extend((part, after, soft) for part in reversed(children(current)))


def _leaf(expression: Expression) -> tuple[Op | None, str] | None:
    match expression:
        case PortRef(op=op, port=port):
            alone = op.ports is not None and len(op.all_ports()) == 1
            return op, "" if alone else port
        case ErrorRef(op=op):
            return op, ".error"
        case IterationsRef(loop=loop, port=port):
            return loop, f".iterations[{port}]"
        case ParentRef(key=key):
            return None, key
        case IterationRef():
            return None, ".iteration"
        case _:
            return None


def _verb(expression: Expression) -> str:
    match expression:
        case Collect(per=per):
            return ".collect()" if per is None else f".collect(per={per.name})"
        case StreamOf():
            return ".stream()"
        case Batch(size=size):
            return f".batch({size})"
        case OrElse():
            return ".or_else"
        case Chosen(choice=choice):
            return ".race" if choice.race else ".first_of"
        case _:
            return ""
