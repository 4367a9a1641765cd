"""What a graph takes and gives: its name, what writes its outputs, its inputs and their types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from operonx.core.errors import listed
from operonx.core.expressions.refs import Constant, Expression, ParentRef, PortRef, StreamOf
from operonx.core.expressions.walking import excess, walk
from operonx.core.graph.analysis import Analysis, expressions_of, op_leaves
from operonx.core.graph.graph import GraphOp
from operonx.core.graph.inference import TypeReader, is_stream_type, stream_type
from operonx.core.graph.loops import LoopOp
from operonx.core.graph.parts import GraphInput, Write
from operonx.core.graph.validation.bindings import parameters_of, wanted_type
from operonx.core.graph.validation.defaults import check_default
from operonx.core.ops.policies import POLICY_NAMES

if TYPE_CHECKING:
    from operonx.core.ops.base import Op

__all__ = ["check_graph", "check_sizes", "find_inputs", "find_writers", "gather_expressions"]


def check_graph(graph: GraphOp) -> None:
    """Check what concerns the graph as a whole, and the graphs in it that were never built."""
    if not graph.ops:
        graph.report(graph, "the graph has no ops", hint="make some inside its block")
    for op in (graph, *graph.ops):
        if not op.name or "." in op.name:
            graph.report(
                op,
                f"{op.name!r} is no name: names have no dots and are not empty",
                hint="the dots of a path stand between the names of graphs",
                ref=op.name,
            )
    unread = [name for name in graph.inputs if name not in POLICY_NAMES]
    if graph.graph is None and unread:
        graph.report(
            graph,
            f"{listed(unread)} given to a graph that is in no other: nobody would read that",
            hint="inputs of a root graph are given when it runs: `engine.run({...})`",
            ref=unread[0],
        )
    for op in graph.ops:
        if isinstance(op, GraphOp) and op.analysis is None:
            what = "its block was left by an error, so it is not built"
            graph.report(op, what, hint="mend that error: the graph around cannot do without it")


def find_writers(graph: GraphOp, analysis: Analysis) -> None:
    """Gather what writes each output."""
    explicit = {op for write in graph.writes for _, op in op_leaves(write.expression)}
    writes = list(graph.writes)
    for op in dict.fromkeys(graph.ends):
        if op in explicit:
            continue
        if op.ports is None:
            graph.report(
                op,
                "its ports are only known when it runs, so `>> END` cannot forward them",
                hint=f"{op.ports_hint()}; or {_by_key(graph, op)}",
                ref=f"{op.name} >> END",
            )
            continue
        writes += [Write(port.name, PortRef(op, port.name)) for port in op.all_ports()]
    for write in writes:
        analysis.writers.setdefault(write.key, []).append(write)


def _by_key(graph: GraphOp, op: Op) -> str:
    read = f'{op.name}["key"]'
    if graph.factory is not None:
        return f'return the keys that it gives: `return {{"key": {read}}}`'
    return f'write `{read} >> PARENT["key"]`'


def gather_expressions(graph: GraphOp, analysis: Analysis) -> None:
    """Note all that is read in the graph."""
    for op in graph.ops:
        found = analysis.expressions[op] = expressions_of(op)
        for expression in found:
            if type(expression) not in _SIMPLE:
                analysis.composite.append((op, expression))
    for writes in analysis.writers.values():
        for write in writes:
            if type(write.expression) not in _SIMPLE:
                analysis.composite.append((write.place(graph), write.expression))


_SIMPLE = (PortRef, ParentRef, Constant)


def check_sizes(graph: GraphOp, analysis: Analysis) -> bool:
    """Report expressions too large to be followed; return whether there are none."""
    fits = True
    for op, expression in analysis.composite:
        problem = excess(expression)
        if problem is not None:
            fits = False
            hint = "let an op compute it: an input may be a list of refs, `f(xs=[a, b, ...])`"
            graph.report(
                op, f"an expression is too large: {problem}", hint=hint, ref=repr(expression)
            )
    return fits


def find_inputs(graph: GraphOp, analysis: Analysis) -> None:
    """Find out the inputs, and their types where only what reads them tells."""
    if graph.parameters is None and graph.graph is not None:
        graph.parameters = {key: GraphInput(key) for key in graph.inputs}
    reads = _parent_reads(graph, analysis)
    analysis.read_inputs.update(reads)
    if graph.parameters is None:
        graph.parameters = {key: GraphInput(key) for key in reads}
    analysis.inputs = {
        key: _with_type(graph, declared, reads.get(key, ()))
        for key, declared in graph.parameters.items()
    }
    for key, given in analysis.inputs.items():
        if is_stream_type(given.annotation):
            _check_stream_input(graph, analysis, key)
        elif not given.required:
            check_default(graph, graph, given)


def _check_stream_input(graph: GraphOp, analysis: Analysis, key: str) -> None:
    ref = f'PARENT["{key}"]'
    if graph.graph is None:
        what = f"input `{key}` is a stream; the inputs of a run are single values"
        graph.report(graph, what, hint=f"take a list and fan it out: `each({ref})`", ref=ref)
        return
    read = [one for expressions in analysis.expressions.values() for one in expressions]
    read += [write.expression for writes in analysis.writers.values() for write in writes]
    parts = [part for one in read for part in walk(one)]
    count = sum(isinstance(part, ParentRef) and part.key == key for part in parts)
    if count != 1:
        readers = f"{count} ops or ports" if count else "nobody"
        what = f"input `{key}` is a stream, which is read once; {readers} read it"
        hint = "hand it in collected, or once for each reader"
        graph.report(graph, what, hint=hint, ref=ref)


def _parent_reads(graph: GraphOp, analysis: Analysis) -> dict[str, list[Any]]:
    """Return the keys of `PARENT` that are read, with the types that ops take them as."""
    found: dict[str, list[Any]] = {}
    for op in graph.ops:
        for port, expression in op.inputs.items():
            if type(expression) is ParentRef:
                parameter = parameters_of(op).get(port)
                wanted = Any if parameter is None else wanted_type(parameter)
                found.setdefault(expression.key, []).append(wanted)
    read = [one for expressions in analysis.expressions.values() for one in expressions]
    read += [write.expression for writes in analysis.writers.values() for write in writes]
    for expression in read:
        if type(expression) in (Constant, PortRef):
            continue
        for part in walk(expression):
            if isinstance(part, ParentRef):
                found.setdefault(part.key, [])
    return found


def _with_type(graph: GraphOp, declared: GraphInput, wanted: Any) -> GraphInput:
    # An input without a type has that of the parameters that read it, where they agree.
    if declared.annotation is not Any:
        return declared
    annotation: Any = Any
    given = graph.inputs.get(declared.name)
    if given is not None and not isinstance(graph, LoopOp) and _is_stream(given):
        annotation = _stream_type(given)
    elif wanted and all(one == wanted[0] for one in wanted) and not is_stream_type(wanted[0]):
        annotation = wanted[0]
    if annotation is Any:
        return declared
    return GraphInput(declared.name, annotation, declared.required, declared.default)


def _is_stream(expression: Expression) -> bool:
    """Tell whether what a nested graph is given is a stream, handed in by graph after graph."""
    asked: list[tuple[GraphOp, str]] = []
    found: bool | None = None
    while found is None and isinstance(expression, ParentRef) and expression.graph is not None:
        outer: GraphOp = expression.graph
        key = expression.key
        asked.append((outer, key))
        found = outer.given_streams.get(key)
        declared = (outer.parameters or {}).get(key)
        if declared is not None and is_stream_type(declared.annotation):
            found = True
        handed = outer.inputs.get(key)
        if handed is None:
            found = found or False
        else:
            expression = handed
    answer = isinstance(expression, StreamOf) if found is None else found
    for outer, key in asked:
        outer.given_streams[key] = answer
    return answer


def _stream_type(expression: Expression) -> Any:
    # The graph around is not built yet: only the ports of its ops are known.
    base = expression.base if isinstance(expression, StreamOf) else None
    return stream_type(Any if base is None else TypeReader({}).type_of(base))
