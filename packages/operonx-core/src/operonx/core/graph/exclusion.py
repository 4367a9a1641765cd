"""Which arms of which branches an op needs, so that impossible joins are found when building.

`Needs` maps a branch (or an op whose error is read) to the arms under which something fires.
Needs of all hard predecessors are intersected, those of a soft group are united.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from operonx.core.expressions.refs import (
    Batch,
    Chosen,
    Collect,
    Constant,
    ErrorRef,
    Expression,
    IterationsRef,
    OrElse,
    ParentRef,
    PortRef,
    StreamOf,
)
from operonx.core.expressions.walking import children, walk
from operonx.core.graph.axes import axes_of
from operonx.core.graph.branches import BranchOp
from operonx.core.graph.loops import LoopOp

if TYPE_CHECKING:
    from operonx.core.graph.analysis import Analysis
    from operonx.core.graph.graph import GraphOp
    from operonx.core.ops.base import Op

__all__ = ["Needs", "NeedsFinder", "NeverFiresError", "all_exclusive", "both", "either"]

Needs: TypeAlias = Mapping[Any, frozenset[Any]]
"""Arms by branch; `"ok"` and `"error"` are those of an op whose error is read."""

_NOTHING: Final[Needs] = {}
_OK: Final = frozenset(["ok"])
_FAILED: Final = frozenset(["error"])


class NeverFiresError(Exception):
    """Two needs exclude each other."""

    def __init__(self, decider: Op, arms: frozenset[Any]) -> None:
        super().__init__(decider.name)
        self.decider = decider
        self.by_error: bool = not arms.isdisjoint(_OK | _FAILED)
        """Whether it needs an op to fire and to fail."""


def both(parts: Iterable[Needs]) -> Needs:
    """Return the needs of something that needs all of `parts`.

    Raises:
        NeverFiresError: If they exclude each other.
    """
    joined: dict[Any, frozenset[Any]] = {}
    for needs in parts:
        for decider, arms in needs.items():
            kept = joined.get(decider, arms) & arms
            if not kept:
                raise NeverFiresError(decider, arms)
            joined[decider] = kept
    return joined


def either(parts: Iterable[Needs]) -> Needs:
    """Return the needs of something that needs any one of `parts`."""
    options = list(parts)
    if not options:
        return _NOTHING
    shared = set(options[0]).intersection(*options[1:])
    united = {
        decider: frozenset[Any]().union(*(needs[decider] for needs in options))
        for decider in shared
    }
    # Where any arm will do nothing is needed; dropping it keeps a chain of branches linear.
    return {decider: arms for decider, arms in united.items() if not _is_any(decider, arms)}


def _is_any(decider: Op, arms: frozenset[Any]) -> bool:
    if isinstance(decider, BranchOp) and "ok" not in arms:
        has_else = bool(decider.arms) and decider.arms[-1].condition is None
        return has_else and len(arms) == len(decider.arms)
    return arms == frozenset[Any](["ok", "error"])


def all_exclusive(options: Iterable[Needs]) -> bool:
    """Return whether no two needs can ever hold together."""
    groups: list[Sequence[Needs]] = [list(options)]
    while groups:
        group = groups.pop()
        if len(group) < 2:
            continue
        # Many writers are most often the arms of one branch, or of branches in its arms; to
        # compare each with each would take the square of their number.
        split = (_split(group, decider) for decider in group[0])
        parts = next((parts for parts in split if len(parts) > 1), None)
        if parts is not None:
            groups.extend(parts)
        elif not all(_exclusive(one, other) for one, other in combinations(group, 2)):
            return False
    return True


def _split(group: Sequence[Needs], decider: Any) -> list[Sequence[Needs]]:
    """Split needs into those that share no arm of a decider, if all of them need one."""
    parts: dict[Any, list[Needs]] = {}
    for needs in group:
        if decider not in needs:
            return [group]
        arms = needs[decider]
        found = {id(parts[arm]): parts[arm] for arm in arms if arm in parts}
        joined = max(found.values(), key=len, default=list[Needs]())
        joined.append(needs)
        smaller = [part for part in found.values() if part is not joined]
        for part in smaller:
            joined += part
        moved = (arm for part in smaller for one in part for arm in one[decider])
        parts.update(dict.fromkeys((*arms, *moved), joined))
    return list({id(part): part for part in parts.values()}.values())


def _exclusive(one: Needs, other: Needs) -> bool:
    return any(not (arms & other[decider]) for decider, arms in one.items() if decider in other)


class NeedsFinder:
    """Works out the needs of a graph's ops, one after the other, in their order."""

    def __init__(self, graph: GraphOp, analysis: Analysis) -> None:
        self.analysis = analysis
        self.needs: dict[Op, Needs] = {}
        self.depths: dict[Any, int] = {}
        """Axes of this graph that each decider is decided under."""
        self.routed: set[Op] = _ops_whose_error_is_read(analysis)
        self._targeted: dict[Op, dict[BranchOp, frozenset[int]]] = {}
        for op in graph.ops:
            if isinstance(op, BranchOp):
                self._note_arms(op)
        self.hard: dict[Op, list[Op]] = {}
        self.soft: dict[Op, list[Op]] = {}
        for edge in graph.edges:
            kind = self.soft if edge.soft else self.hard
            kind.setdefault(edge.target, []).append(edge.source)
        self.needed: bool = bool(self._targeted or self.routed) or any(
            op.analysis is not None and op.analysis.needs for op in graph.ops
        )
        """Whether there is anything to decide; most graphs have no arms at all."""

    def _note_arms(self, branch: BranchOp) -> None:
        for index, arm in enumerate(branch.arms):
            for target in arm.resolved():
                arms = self._targeted.setdefault(target, {})
                arms[branch] = arms.get(branch, frozenset()) | {index}

    def add(self, op: Op) -> None:
        """Work out the needs of one op; all that it waits for must have been added.

        Raises:
            NeverFiresError: If it could never fire; its needs are then taken to be none.
        """
        depth = len(self.analysis.axes.get(op, ()))
        self.needs[op] = _NOTHING
        self.depths[op] = depth
        parts = [self.of_expression(one) for one in self.analysis.expressions[op]]
        parts += [self._outer(self._fired(source), depth) for source in self.hard.get(op, ())]
        if op in self.soft:
            parts.append(
                either(self._outer(self._fired(source), depth) for source in self.soft[op])
            )
        for branch, arms in self._targeted.get(op, {}).items():
            parts += [self.needs.get(branch, _NOTHING), {branch: arms}]
        self.needs[op] = both(parts)

    def of_expression(self, expression: Expression) -> Needs:
        """Return the needs of an expression's value.

        Raises:
            NeverFiresError: If it could never be there.
        """
        match expression:
            case Constant() | ParentRef():
                return _NOTHING
            case PortRef(op=op, port=port):
                return both([self._fired(op), self._inside(op, port)])
            case IterationsRef(loop=loop):
                return self._fired(loop)
            case ErrorRef(op=op):
                return both([self.needs.get(op, _NOTHING), {op: _FAILED}])
            case OrElse(base=base, other=other):
                return either([self.of_expression(base), self.of_expression(other)])
            case Chosen():
                return either(self.of_expression(option) for option in expression.options())
            case Collect(base=base) | StreamOf(base=base) | Batch(base=base):
                left = len(axes_of(expression, self.analysis.axes))
                left -= isinstance(expression, Batch)
                return self._outer(self.of_expression(base), left)
            case _:
                return both(self.of_expression(part) for part in children(expression))

    def _inside(self, op: Op, port: str) -> Needs:
        """Return what an output of a nested graph needs of the branches in it."""
        if op.analysis is None:
            return _NOTHING
        needs: Needs = op.analysis.needs.get(port, _NOTHING)
        own = len(self.analysis.axes.get(op, ()))
        for decider in needs:
            self.depths[decider] = own + op.analysis.depths.get(decider, 0)
        return needs

    def _fired(self, op: Op) -> Needs:
        needs = self.needs.get(op, _NOTHING)
        return both([needs, {op: _OK}]) if op in self.routed else needs

    def _outer(self, needs: Needs, depth: int) -> Needs:
        # What was decided per item says nothing about the whole stream.
        return {
            decider: arms for decider, arms in needs.items() if self.depths.get(decider, 0) <= depth
        }

    def of_output(self, graph: GraphOp, key: str, writes: list[Needs]) -> Needs:
        """Return the needs of an output, by those of what writes it."""
        if not isinstance(graph, LoopOp):
            return either(writes)
        # A state has a value from the start; all else is of the last iteration, collected.
        return _NOTHING if key in graph.states else self._outer(either(writes), 0)


def _ops_whose_error_is_read(analysis: Analysis) -> set[Op]:
    return {
        part.op
        for _, expression in analysis.composite
        for part in walk(expression)
        if isinstance(part, ErrorRef)
    }
