"""The checks of a graph when its block is left: all mistakes, each with place, cause and hint."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from operonx.core.errors import did_you_mean, listed
from operonx.core.expressions.refs import (
    Batch,
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
    children,
    walk,
)
from operonx.core.graph.analysis import (
    Analysis,
    AxisError,
    annotation_of,
    axes_of,
    expressions_of,
    join_axes,
    op_leaves,
    order_ops,
)
from operonx.core.graph.branches import BranchOp
from operonx.core.graph.exclusion import exclusive, find_needs
from operonx.core.graph.graph import GraphInput, GraphOp, Write
from operonx.core.graph.loops import LoopOp
from operonx.core.graph.zips import ZipOp
from operonx.core.ops.base import Op
from operonx.core.ops.function import FuncOp
from operonx.core.ops.policies import UNSET
from operonx.core.ops.signature import Parameter, Port
from operonx.core.schema import assignable, type_name, validator

__all__ = ["check"]


def check(graph: GraphOp) -> Analysis:
    """Check a graph; mistakes are reported to it.

    Returns:
        The analysis, as far as the mistakes let it be made.
    """
    analysis = Analysis()
    if not graph.ops:
        graph.report(graph, "the graph has no ops", hint="make some inside its block")
    _resolve_targets(graph)
    graph.add_forwarded()
    _find_writers(graph, analysis)
    _find_inputs(graph, analysis)
    if isinstance(graph, LoopOp):
        graph.resolve_until({*graph.states, *analysis.writers})
    for op, expression in _all_expressions(graph, analysis):
        _check_refs(graph, analysis, op, expression)
    for op in graph.ops:
        _check_bindings(graph, analysis, op)
        _check_policies(graph, op)
    analysis.order, cycle = order_ops(graph)
    if cycle:
        _report_cycle(graph, cycle)
    elif not graph.issues:
        _check_streams(graph, analysis)
    _find_outputs(graph, analysis)
    if not graph.issues:
        _check_deciders(graph, analysis)
        _check_unread(graph, analysis)
    analysis.broken = bool(graph.issues)
    return analysis


# -- names


def _resolve_targets(graph: GraphOp) -> None:
    for branch in graph.ops:
        if not isinstance(branch, BranchOp):
            continue
        for arm in branch.arms:
            arm.targets = [_resolve(graph, branch, target) for target in arm.targets]


def _resolve(graph: GraphOp, branch: BranchOp, target: Op | str) -> Op | str:
    if isinstance(target, Op):
        if target.graph is not graph:
            graph.report(branch, f"target `{target.name}` is an op of another graph")
        return target
    found = graph.op(target)
    if found is None:
        names = [op.name for op in graph.ops]
        graph.report(
            branch,
            f"target `{target}` is no op of this graph; there are {listed(names)}",
            hint=did_you_mean(target, names),
        )
        return target
    return found


def _find_writers(graph: GraphOp, analysis: Analysis) -> None:
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


def _find_inputs(graph: GraphOp, analysis: Analysis) -> None:
    if graph.parameters is None and graph.graph is not None:
        graph.parameters = {key: GraphInput(key) for key in graph.inputs}
    if graph.parameters is None:
        read = [part for _, part in _parent_refs(graph, analysis)]
        keys = dict.fromkeys(part.key for part in read)
        graph.parameters = {key: GraphInput(key) for key in keys}
    analysis.inputs = {
        key: _with_type(graph, declared) for key, declared in graph.parameters.items()
    }


def _with_type(graph: GraphOp, declared: GraphInput) -> GraphInput:
    # An input without a type has that of the parameters that read it, where they agree.
    if declared.annotation is not Any:
        return declared
    types: list[Any] = []
    for op in graph.ops:
        for port, expression in op.inputs.items():
            if isinstance(expression, ParentRef) and expression.key == declared.name:
                annotation = _parameter_type(op, port)
                if annotation is Any:
                    return declared
                types.append(annotation)
    if not types or any(one != types[0] for one in types):
        return declared
    return GraphInput(declared.name, types[0], declared.required, declared.default)


def _parent_refs(graph: GraphOp, analysis: Analysis) -> Iterator[tuple[Op, ParentRef]]:
    for op, expression in _all_expressions(graph, analysis):
        for part in walk(expression):
            if isinstance(part, ParentRef):
                yield op, part


def _all_expressions(graph: GraphOp, analysis: Analysis) -> Iterator[tuple[Op, Expression]]:
    for op in graph.ops:
        for expression in expressions_of(op):
            yield op, expression
    for writes in analysis.writers.values():
        for write in writes:
            yield graph, write.expression


def _check_refs(graph: GraphOp, analysis: Analysis, op: Op, expression: Expression) -> None:
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
                    graph.report(op, "`PARENT.iteration` is only there in a loop's own block")
            case Batch(name=None):
                part.name = _batch_name(op, expression)


def _batch_name(op: Op, expression: Expression) -> str:
    port = next((key for key, value in op.inputs.items() if value is expression), "batch")
    return f"{op.name}_{port}"


def _check_op_ref(graph: GraphOp, op: Op, ref: Expression, source: Op) -> None:
    if source.graph is not graph:
        _report_foreign(graph, op, ref, source)
    elif isinstance(ref, PortRef) and not _is_broken(source):
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
        graph.report(op, f"{ref!r}: a graph's own output cannot be read inside it")
        return
    where = f"graph `{source.graph.name}`" if source.graph is not None else "no graph"
    hint = f'pass it in: `GraphOp(..., {source.name}={ref!r})` and read `PARENT["{source.name}"]`'
    graph.report(op, f"{ref!r}: op `{source.name}` is of {where}, not of `{graph.name}`", hint=hint)


def _is_broken(op: Op) -> bool:
    analysis = getattr(op, "analysis", None)
    return analysis is not None and analysis.broken


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


# -- bindings and their types


def _parameters(op: Op) -> dict[str, Parameter] | None:
    """Return what an op may be given by name, or None where it takes anything."""
    match op:
        case FuncOp(signature=signature):
            return {p.name: p for p in signature.parameters if p.role != "context"}
        case GraphOp():
            inputs = op.analysis.inputs if op.analysis else {}
            return {
                i.name: Parameter(i.name, i.annotation, i.required, i.default, False, "input")
                for i in inputs.values()
            }
        case _:
            return None


def _parameter_type(op: Op, port: str) -> Any:
    parameters = _parameters(op) or {}
    return parameters[port].annotation if port in parameters else Any


def _check_bindings(graph: GraphOp, analysis: Analysis, op: Op) -> None:
    parameters = _parameters(op)
    if parameters is None or _is_broken(op):
        return
    extra = isinstance(op, FuncOp) and op.signature.accepts_extra
    for name, expression in op.inputs.items():
        if name in parameters:
            _check_type(graph, analysis, op, parameters[name], expression)
        elif not extra:
            graph.report(
                op,
                f"no input `{name}`; it takes {listed(parameters, 'no inputs')}",
                hint=did_you_mean(name, parameters),
            )
    for name, parameter in parameters.items():
        if parameter.required and name not in op.inputs:
            graph.report(
                op,
                f"input `{name}` is not given",
                hint=f"pass it: `{name}=...` a ref or a constant",
            )


def _check_type(
    graph: GraphOp, analysis: Analysis, op: Op, parameter: Parameter, expression: Expression
) -> None:
    is_stream = isinstance(expression, StreamOf)
    if is_stream != (parameter.role == "stream"):
        hint = (
            f"pass `ref.stream()`, or annotate `{parameter.name}` as the item's type"
            if parameter.role == "stream"
            else f"annotate `{parameter.name}` as `Stream[...]`, or pass `ref.collect()`"
        )
        takes = "takes a stream" if parameter.role == "stream" else "takes no stream"
        graph.report(op, f"input `{parameter.name}` {takes}, got {expression!r}", hint=hint)
        return
    if isinstance(expression, Constant):
        problem = validator(parameter.annotation)(expression.value)
        if problem is not None:
            graph.report(op, f"input `{parameter.name}`: {problem}")
        return
    source = annotation_of(expression, analysis.inputs)
    if not assignable(source, parameter.annotation):
        graph.report(
            op,
            f"input `{parameter.name}` takes `{type_name(parameter.annotation)}`, "
            f"{expression!r} is `{type_name(source)}`",
            hint=_type_hint(source, parameter.annotation, expression),
        )


def _type_hint(source: Any, target: Any, expression: Expression) -> str | None:
    if assignable(list[source], target):
        return f"to wait for the whole stream write `{expression!r}.collect()`"
    return "put an op between them that converts, or mend an annotation"


def _check_policies(graph: GraphOp, op: Op) -> None:
    asked = op.policies.asked()
    if "cache" in asked:
        graph.report(op, "`cache=` is reserved: there is no store for it yet", hint="leave it out")
    if "max_open" in asked and not op.opens_axis:
        graph.report(op, "`max_open=` bounds a generator's open items; this op is no generator")
    if isinstance(op, FuncOp):
        _check_run_in(graph, op)
        _check_fallback(graph, op)


def _check_run_in(graph: GraphOp, op: FuncOp) -> None:
    run_in = op.policies.run_in
    if op.signature.is_async and run_in in ("thread", "process"):
        graph.report(op, f'`run_in="{run_in}"`: an `async def` runs on the event loop')
    if run_in == "process" and op.signature.is_generator:
        graph.report(op, '`run_in="process"`: a generator cannot run in another process')
    if run_in == "process" and any(p.role != "input" for p in op.signature.parameters):
        graph.report(op, '`run_in="process"`: RunContext and Stream do not cross processes')
    if run_in == "inline" and not op.signature.is_async and op.policies.timeout is not None:
        graph.report(op, '`run_in="inline"`: nothing can time out a plain `def` on the event loop')


def _check_fallback(graph: GraphOp, op: FuncOp) -> None:
    fallback = op.policies.fallback
    definition = getattr(fallback, "definition", None)
    if fallback is UNSET or definition is None:
        return
    theirs = definition.signature
    missing = [p.name for p in theirs.parameters if p.required and p.role == "input"]
    unbound = [name for name in missing if name not in op.inputs]
    if unbound:
        graph.report(op, f"fallback `{definition.name}` needs {listed(unbound)}, not given here")
    if theirs.is_generator != op.signature.is_generator:
        graph.report(op, f"fallback `{definition.name}`: a generator stands only for a generator")
    ports = {p.name for p in theirs.ports or ()} | {p.name for p in theirs.final}
    if (
        theirs.ports is not None
        and op.ports is not None
        and ports != {p.name for p in op.all_ports()}
    ):
        graph.report(
            op,
            f"fallback `{definition.name}` has ports {listed(sorted(ports), 'none')}, "
            f"the op has {listed(sorted(p.name for p in op.all_ports()), 'none')}",
        )


# -- order and streams


def _report_cycle(graph: GraphOp, cycle: list[Op]) -> None:
    names = " >> ".join(op.name for op in (*cycle, cycle[0]))
    graph.report(
        cycle[0],
        f"a cycle: {names}",
        hint="a graph has none; to repeat ops use `GraphOp.loop(until=..., ...)`",
    )


def _check_streams(graph: GraphOp, analysis: Analysis) -> None:
    targeted: dict[Op, list[BranchOp]] = {}
    for branch in graph.ops:
        if isinstance(branch, BranchOp):
            for arm in branch.arms:
                for target in arm.resolved():
                    targeted.setdefault(target, []).append(branch)
    for op in analysis.order:
        try:
            parts = [
                (axes_of(expression, analysis.axes), repr(expression))
                for expression in expressions_of(op)
            ]
            if isinstance(op, ZipOp):
                parts = _zip_axes(op, parts)
            parts += [
                (analysis.axes.get(branch, ()), f"branch `{branch.name}`")
                for branch in targeted.get(op, ())
            ]
            analysis.axes[op] = join_axes(parts)
        except AxisError as error:
            graph.report(op, error.message, hint=error.hint)
            analysis.axes[op] = ()


def _zip_axes(op: ZipOp, parts: list[tuple[Any, str]]) -> list[tuple[Any, str]]:
    outer = []
    for axes, text in parts:
        if not axes:
            raise AxisError(f"{text} is no stream, so it has no items to pair", "zip streams only")
        outer.append((axes[:-1], text))
    first = outer[0][0]
    for axes, text in outer[1:]:
        if len(axes) != len(first) or any(a is not b for a, b in zip(axes, first, strict=True)):
            raise AxisError(
                f"`{op.name}` zips {outer[0][1]} and {text}, whose outer streams differ",
                "zip streams of the same depth, inside the same items",
            )
    return outer


# -- outputs


def _find_outputs(graph: GraphOp, analysis: Analysis) -> None:
    ports: list[Port] = []
    keys = [*analysis.writers]
    if isinstance(graph, LoopOp):
        keys = [*graph.states, *(key for key in keys if key not in graph.states)]
    for key in keys:
        writes = analysis.writers.get(key, [])
        axes = _output_axes(graph, analysis, key, writes)
        analysis.output_axes[key] = axes
        ports.append(Port(key, _output_type(graph, analysis, key, writes, axes)))
    analysis.outputs = tuple(ports)


def _output_axes(graph: GraphOp, analysis: Analysis, key: str, writes: list[Write]) -> Any:
    if isinstance(graph, LoopOp) and key in graph.states:
        return ()
    try:
        return axes_of(writes[0].expression, analysis.axes)
    except AxisError as error:
        graph.report(graph, error.message, hint=error.hint)
        return ()


def _output_type(
    graph: GraphOp, analysis: Analysis, key: str, writes: list[Write], axes: Any
) -> Any:
    if isinstance(graph, LoopOp) and key in graph.states:
        return graph.parameters[key].annotation if graph.parameters else Any
    types = [annotation_of(write.expression, analysis.inputs) for write in writes]
    if any(one != types[0] for one in types):
        return Any
    if isinstance(graph, LoopOp):
        return Any if axes else types[0]
    return types[0]


def _check_deciders(graph: GraphOp, analysis: Analysis) -> None:
    def report(op: Op, decider: Op) -> None:
        graph.report(
            op,
            f"it could never fire: it needs arms of `{decider.name}` that exclude each other",
            hint="take whichever fired with `first_of(a, b)`, or order softly with `>> ~op`",
        )

    finder = find_needs(graph, analysis, expressions_of, report)
    for op in graph.ops:
        _check_soft_and_plain(graph, op, finder.soft[op])
    for key, writes in analysis.writers.items():
        needs = [finder.of_expression(write.expression) for write in writes]
        analysis.needs[key] = needs[0] if len(needs) == 1 else {}
        _check_writers(graph, analysis, key, writes, needs)


def _check_writers(
    graph: GraphOp, analysis: Analysis, key: str, writes: list[Write], needs: list[Any]
) -> None:
    state = graph.states.get(key) if isinstance(graph, LoopOp) else None
    depths = {len(axes_of(write.expression, analysis.axes)) for write in writes}
    if state is not None:
        if state.reducer is None and depths != {0}:
            graph.report(
                graph,
                f"state `{key}` is written by a stream",
                hint=f"`.collect()` it, or `{key}=State(..., reducer=...)`",
            )
        if state.reducer is not None:
            return
    texts = listed(repr(write.expression) for write in writes)
    if len(depths) > 1:
        graph.report(graph, f"output `{key}` is written with different axes: {texts}")
    for index, one in enumerate(needs):
        if any(not exclusive(one, other) for other in needs[index + 1 :]):
            graph.report(
                graph,
                f"output `{key}` has two writers that may both fire: {texts}",
                hint='give one another name, or write `first_of(a, b) >> PARENT["key"]`',
            )
            return


def _check_soft_and_plain(graph: GraphOp, op: Op, soft_edges: list[Op]) -> None:
    soft = {*soft_edges}
    plain: dict[Op, Expression] = {}
    for expression in expressions_of(op):
        for leaf, source, is_soft in _leaves_by_edge(expression):
            if is_soft:
                soft.add(source)
            else:
                plain.setdefault(source, leaf)
    for source, leaf in plain.items():
        if source in soft:
            graph.report(
                op,
                f"{leaf!r} needs `{source.name}` to fire, another edge from it is soft",
                hint=f"read it with `first_of(...)` or `{leaf!r}.or_else(value)`, or drop the `~`",
            )


def _leaves_by_edge(
    expression: Expression, soft: bool = False
) -> Iterator[tuple[Expression, Op, bool]]:
    open_ends: list[tuple[Expression, bool]] = [(expression, soft)]
    while open_ends:
        part, is_soft = open_ends.pop()
        match part:
            case PortRef(op=op):
                yield part, op, is_soft
            case OrElse() | Chosen():
                open_ends.extend((child, True) for child in children(part))
            case Collect() | StreamOf() | Batch():
                # The stream's end is another event than the op's firing.
                continue
            case _:
                open_ends.extend((child, is_soft) for child in children(part))


def _check_unread(graph: GraphOp, analysis: Analysis) -> None:
    useful: set[Op] = set()
    before: dict[Op, list[Op]] = {op: [] for op in graph.ops}
    for edge in graph.edges:
        before[edge.target].append(edge.source)
    for op, expression in _all_expressions(graph, analysis):
        for _, source in op_leaves(expression):
            useful.add(source)
            if op is not graph:
                before[op].append(source)
    reaches_end = {
        source
        for writes in analysis.writers.values()
        for write in writes
        for _, source in op_leaves(write.expression)
    } | set(graph.ends)
    for op in _upstream(reaches_end, before):
        useful.add(op)
    for op in graph.ops:
        if op not in useful and op.all_ports() and not isinstance(op, BranchOp):
            names = listed(port.name for port in op.all_ports())
            graph.report(
                op,
                f"nobody reads its outputs ({names}) and it does not reach END",
                hint=f"`{op.name} >> END`, or leave it out",
            )


def _upstream(starts: Iterable[Op], before: dict[Op, list[Op]]) -> set[Op]:
    found = set(starts)
    open_ends = list(found)
    while open_ends:
        for source in before.get(open_ends.pop(), ()):
            if source not in found:
                found.add(source)
                open_ends.append(source)
    return found
