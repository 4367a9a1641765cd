"""What refs and branch targets point at: something of this graph, under its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from operonx.core.errors import did_you_mean, listed
from operonx.core.expressions.refs import (
    Batch,
    Collect,
    Constant,
    ErrorRef,
    Expression,
    IterationRef,
    IterationsRef,
    ParentRef,
    PortRef,
)
from operonx.core.expressions.walking import walk
from operonx.core.graph.branches import BranchOp, SwitchOp
from operonx.core.graph.graph import GraphOp
from operonx.core.graph.loops import LoopOp
from operonx.core.ops.base import Op

if TYPE_CHECKING:
    from operonx.core.graph.analysis import Analysis

__all__ = ["check_refs", "resolve_targets"]


def resolve_targets(graph: GraphOp) -> None:
    """Turn the names of branch targets into ops, and check the edges of branches."""
    branches = [op for op in graph.ops if isinstance(op, BranchOp)]
    for branch in branches:
        for arm in branch.arms:
            arm.targets = [_resolved(graph, branch, target) for target in arm.targets]
        if isinstance(branch, SwitchOp):
            branch.resolve_choice()
    if not branches:
        return
    for edge in graph.edges:
        if isinstance(edge.source, BranchOp):
            _check_edge(graph, edge.source, edge.target)


def _resolved(graph: GraphOp, branch: BranchOp, target: Op | str) -> Op | str:
    if isinstance(target, Op):
        if target.graph is not graph:
            graph.report(
                branch,
                f"target `{target.name}` is an op of another graph",
                hint="branch in the graph that the op is in",
                ref=target.name,
            )
        return target
    found = graph.op(target)
    if found is not None:
        return found
    names = [op.name for op in graph.ops if op is not branch]
    graph.report(
        branch,
        f"target `{target}` is no op of this graph; there are {listed(names, 'no others')}",
        hint=did_you_mean(target, names) or "a target is an op of this graph, or its name",
        ref=target,
    )
    return target


def _check_edge(graph: GraphOp, branch: BranchOp, target: Op) -> None:
    # A set: `in` on a list would ask the ops' `==`, which is an expression.
    targets = {one for arm in branch.arms for one in arm.resolved()}
    if target not in targets:
        graph.report(
            target,
            f"`{branch.name} >> {target.name}`: `{target.name}` is no target of the branch",
            hint=f"name it as one: `.elif_(condition, {target.name})` or `.else_({target.name})`",
            ref=branch.name,
        )


def check_refs(graph: GraphOp, analysis: Analysis) -> None:
    """Check that every ref points at something of this graph, and note who reads whom."""
    reader = _RefReader(graph, analysis)
    for op in graph.ops:
        reads = analysis.reads[op] = []
        for expression in analysis.expressions[op]:
            reader.read(op, expression, reads)
    for writes in analysis.writers.values():
        for write in writes:
            reader.read(write.place(graph), write.expression, [])


class _RefReader:
    def __init__(self, graph: GraphOp, analysis: Analysis) -> None:
        self.graph = graph
        self.analysis = analysis
        self.taken = {op.name for op in graph.ops}
        """Names of axes so far: a batch must not be taken for an op."""

    def read(self, op: Op, expression: Expression, reads: list[Op]) -> None:
        kind = type(expression)
        if kind is Constant:
            return
        for part in (expression,) if kind in (PortRef, ParentRef) else walk(expression):
            match part:
                case PortRef(op=source) | ErrorRef(op=source):
                    self._source(op, part, source, reads)
                case IterationsRef(loop=loop, port=port):
                    self._source(op, PortRef(loop, port), loop, reads)
                case ParentRef():
                    self._parent(op, part)
                case IterationRef(graph=owner):
                    self._iteration(op, owner)
                case Collect(per=Op() as per) if per.graph is not self.graph:
                    self._foreign(op, part, per)
                case Batch():
                    self._name_batch(op, part, expression)
                case _:
                    continue

    def _source(self, op: Op, ref: Expression, source: Op, reads: list[Op]) -> None:
        if source.graph is not self.graph:
            self._foreign(op, ref, source)
            return
        reads.append(source)
        if isinstance(source, GraphOp) and (source.analysis is None or source.analysis.broken):
            self.analysis.unknown.add(source)
        elif isinstance(ref, PortRef) and not _has_port(source, ref.port):
            names = [port.name for port in source.all_ports()]
            what = f"{ref!r}: op `{source.name}` has no port `{ref.port}`; it has "
            hint = did_you_mean(ref.port, names) or "read one of these"
            if isinstance(source, BranchOp):
                hint = source.port_hint(ref.port)
                self.graph.misread.update(one for arm in source.arms for one in arm.resolved())
            self.graph.report(op, what + listed(names, "no ports"), hint=hint, ref=repr(ref))
            if isinstance(source, GraphOp):
                self.analysis.unknown.add(op)

    def _foreign(self, op: Op, ref: Expression, source: Op) -> None:
        graph = self.graph
        self.analysis.unknown.add(op)
        text = repr(ref)
        if source is graph or source in _around(graph):
            what = f"{text}: a graph's own output cannot be read inside it"
            graph.report(op, what, hint="read the op that writes it", ref=text)
            return
        if source.graph is None:
            where, hint = "no graph", "make it inside this graph's block"
        else:
            where, hint = f"graph `{source.graph.name}`", self._way_in(source, text)
            _mark_misread(source)
        what = f"{text}: op `{source.name}` is of {where}, not of `{graph.name}`"
        graph.report(op, what, hint=hint, ref=text)

    def _way_in(self, source: Op, text: str) -> str:
        if source.graph in _around(self.graph):
            name = source.name
            return f'pass it in: `GraphOp(..., {name}={text})` and read `PARENT["{name}"]`'
        inner = source.graph.name
        if self.graph in _around(source.graph):
            return f'hand it out: `{source.name} >> END` in `{inner}`, and read `{inner}["..."]`'
        return "graphs share no ops: hand it out of one by `>> END` and pass it into the other"

    def _parent(self, op: Op, ref: ParentRef) -> None:
        graph, key = self.graph, ref.key
        if ref.graph is not graph and ref.graph is not None:
            self.analysis.unknown.add(op)
            graph.report(
                op,
                f"{ref!r} is an input of graph `{ref.graph.name}`, not of `{graph.name}`",
                hint=f"pass it in as an input of `{graph.name}`",
                ref=repr(ref),
            )
        elif key not in self.analysis.inputs:
            what, hint = self._missing_input(ref, key)
            graph.report(op, what, hint=hint, ref=repr(ref))

    def _missing_input(self, ref: ParentRef, key: str) -> tuple[str, str]:
        graph, names = self.graph, list(self.analysis.inputs)
        give = f"give it one: `GraphOp(..., {key}=...)`"
        if isinstance(graph, LoopOp):
            give = f"make it a state: `GraphOp.loop(..., {key}=...)`"
        elif graph.graph is None:
            give = f"declare `{key}` in the graph's `inputs=`"
            if graph.factory is not None:
                give = f"make it a parameter of `{graph.name}`"
        if key in self.analysis.writers:
            what = f"{ref!r}: `{key}` is only an output of `{graph.name}`"
            return what, f"{give}, or read the op that writes it"
        has = listed(names, "no inputs")
        what = f"{ref!r}: graph `{graph.name}` has no input `{key}`; it has {has}"
        return what, did_you_mean(key, names) or give

    def _iteration(self, op: Op, owner: Any) -> None:
        if not isinstance(self.graph, LoopOp) or owner is not self.graph:
            self.graph.report(
                op,
                "`PARENT.iteration` is only there in a loop's own block",
                hint="pass it in as an input, or count in a loop's state",
                ref="PARENT.iteration",
            )

    def _name_batch(self, op: Op, batch: Batch, expression: Expression) -> None:
        if batch in self.analysis.batches:
            return
        name = batch.name
        if name is None:
            port = next((key for key, one in op.inputs.items() if one is expression), "batch")
            name = f"{op.name}_{port}"
        number, unique = 1, name
        while unique in self.taken:
            number += 1
            unique = f"{name}_{number}"
        batch.name = unique
        self.taken.add(unique)
        self.analysis.batches.add(batch)


def _has_port(op: Op, name: str) -> bool:
    ports = op.ports
    if ports is None:
        return True
    return any(port.name == name for port in ports) or any(one.name == name for one in op.final)


def _mark_misread(op: Op) -> None:
    # The graphs that hold it are of use too: else they would be reported as read by nobody.
    while op.graph is not None:
        op.graph.misread.add(op)
        op = op.graph


def _around(graph: GraphOp) -> set[Any]:
    found: set[Any] = set()
    outer = graph.graph
    while outer is not None:
        found.add(outer)
        outer = outer.graph
    return found
