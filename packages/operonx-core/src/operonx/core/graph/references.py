"""Checks of names: what refs, branch targets and outputs point at is there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from operonx.core.errors import did_you_mean, listed
from operonx.core.expressions.refs import (
    Batch,
    ErrorRef,
    Expression,
    IterationRef,
    IterationsRef,
    ParentRef,
    PortRef,
    walk,
)
from operonx.core.graph.analysis import Analysis, expressions_of, op_leaves
from operonx.core.graph.branches import BranchOp
from operonx.core.graph.graph import GraphInput, GraphOp, Write
from operonx.core.graph.loops import LoopOp
from operonx.core.graph.parameters import is_broken, is_stream, names_stream, parameter_type
from operonx.core.ops.base import Op

__all__ = ["all_expressions", "check_refs", "find_inputs", "find_writers", "resolve_targets"]


def resolve_targets(graph: GraphOp) -> None:
    """Turn the names that branches have as targets into ops."""
    for branch in graph.ops:
        if isinstance(branch, BranchOp):
            for arm in branch.arms:
                arm.targets = [_resolve(graph, branch, target) for target in arm.targets]


def _resolve(graph: GraphOp, branch: BranchOp, target: Op | str) -> Op | str:
    if isinstance(target, Op):
        if target.graph is not graph:
            graph.report(
                branch,
                f"target `{target.name}` is an op of another graph",
                hint="branch in the graph that the op is in",
            )
        return target
    found = graph.op(target)
    if found is None:
        names = [op.name for op in graph.ops if op is not branch]
        graph.report(
            branch,
            f"target `{target}` is no op of this graph; there are {listed(names, 'no others')}",
            hint=did_you_mean(target, names),
        )
        return target
    return found


def find_writers(graph: GraphOp, analysis: Analysis) -> None:
    """Fill in what writes each output; `x >> END` forwards the ports of `x`."""
    explicit = {op for write in graph.writes for _, op in op_leaves(write.expression)}
    writes = list(graph.writes)
    for op in dict.fromkeys(graph.ends):
        if op in explicit:
            continue
        if op.ports is None:
            graph.report(
                op,
                "its ports are only known when it runs, so `>> END` cannot forward them",
                hint=f'write `{op.name}["key"] >> PARENT["key"]`, or `@op(outputs=[...])`',
            )
            continue
        writes.extend(Write(port.name, PortRef(op, port.name)) for port in op.all_ports())
    for write in writes:
        analysis.writers.setdefault(write.key, []).append(write)


def find_inputs(graph: GraphOp, analysis: Analysis) -> None:
    """Fill in the inputs: those declared, else those bound, else those that are read."""
    if graph.parameters is None and graph.graph is not None:
        graph.parameters = {key: GraphInput(key) for key in graph.inputs}
    if graph.parameters is None:
        keys = dict.fromkeys(part.key for part in _parent_refs(graph, analysis))
        graph.parameters = {key: GraphInput(key) for key in keys}
    analysis.inputs = {
        key: _with_type(graph, declared) for key, declared in graph.parameters.items()
    }


def _with_type(graph: GraphOp, declared: GraphInput) -> GraphInput:
    annotation = declared.annotation
    streams = False
    if not isinstance(graph, LoopOp):
        given = graph.inputs.get(declared.name)
        streams = names_stream(annotation)
        if streams:
            annotation = next(iter(get_args(annotation)), Any)
        elif annotation is Any and given is not None:
            streams = is_stream(given)
    if annotation is Any:
        annotation = _type_of_readers(graph, declared.name)
    return GraphInput(declared.name, annotation, declared.required, declared.default, streams)


def _type_of_readers(graph: GraphOp, key: str) -> Any:
    # An input without a type has that of the parameters that read it, where they agree.
    types = [
        parameter_type(op, port)
        for op in graph.ops
        for port, expression in op.inputs.items()
        if isinstance(expression, ParentRef) and expression.key == key
    ]
    return types[0] if types and all(one == types[0] for one in types) else Any


def _parent_refs(graph: GraphOp, analysis: Analysis) -> Iterator[ParentRef]:
    for _, expression in all_expressions(graph, analysis):
        for part in walk(expression):
            if isinstance(part, ParentRef):
                yield part


def all_expressions(graph: GraphOp, analysis: Analysis) -> Iterator[tuple[Op, Expression]]:
    """Yield every expression of a graph with the op that reads it; writes are the graph's."""
    for op in graph.ops:
        for expression in expressions_of(op):
            yield op, expression
    for writes in analysis.writers.values():
        for write in writes:
            yield graph, write.expression


def check_refs(graph: GraphOp, analysis: Analysis, op: Op, expression: Expression) -> None:
    """Report the refs in an expression that point at nothing, or at another graph's."""
    for part in walk(expression):
        match part:
            case PortRef(op=source) | ErrorRef(op=source):
                _check_op_ref(graph, op, part, source)
            case IterationsRef(loop=loop, port=port):
                _check_op_ref(graph, op, PortRef(loop, port), loop)
            case ParentRef(key=key):
                _check_parent_ref(graph, analysis, op, part, key)
            case IterationRef(graph=owner):
                if not isinstance(graph, LoopOp) or owner is not graph:
                    graph.report(
                        op,
                        "`PARENT.iteration` is only there in a loop's own block",
                        hint="pass it in as an input, or count in a loop's state",
                    )
            case Batch(name=None):
                part.name = _batch_name(op, expression)
            case _:
                pass


def _batch_name(op: Op, expression: Expression) -> str:
    port = next((key for key, value in op.inputs.items() if value is expression), "batch")
    return f"{op.name}_{port}"


def _check_op_ref(graph: GraphOp, op: Op, ref: Expression, source: Op) -> None:
    if source.graph is not graph:
        _report_foreign(graph, op, ref, source)
    elif isinstance(ref, PortRef) and not is_broken(source):
        names = [port.name for port in source.all_ports()]
        if source.ports is not None and ref.port not in names:
            graph.report(
                op,
                f"{ref!r}: op `{source.name}` has no port `{ref.port}`; "
                f"it has {listed(names, 'no ports')}",
                hint=did_you_mean(ref.port, names),
            )


def _report_foreign(graph: GraphOp, op: Op, ref: Expression, source: Op) -> None:
    if source is graph:
        graph.report(
            op,
            f"{ref!r}: a graph's own output cannot be read inside it",
            hint="read the op that writes it",
        )
        return
    where = f"graph `{source.graph.name}`" if source.graph is not None else "no graph"
    hint = f'pass it in: `GraphOp(..., {source.name}={ref!r})` and read `PARENT["{source.name}"]`'
    graph.report(op, f"{ref!r}: op `{source.name}` is of {where}, not of `{graph.name}`", hint=hint)


def _check_parent_ref(graph: GraphOp, analysis: Analysis, op: Op, ref: ParentRef, key: str) -> None:
    if ref.graph is not graph and ref.graph is not None:
        graph.report(
            op,
            f"{ref!r} is an input of graph `{ref.graph.name}`, not of `{graph.name}`",
            hint=f"pass it in as an input of `{graph.name}`",
        )
    elif key not in analysis.inputs:
        names = list(analysis.inputs)
        if key in analysis.writers:
            hint = f"declare it: `inputs=[..., {key!r}]`, or read the op that writes it"
            graph.report(op, f"{ref!r}: `{key}` is only an output of `{graph.name}`", hint=hint)
        else:
            graph.report(
                op,
                f"{ref!r}: graph `{graph.name}` has no input `{key}`; "
                f"it has {listed(names, 'no inputs')}",
                hint=did_you_mean(key, names),
            )
