"""What leaves a graph: types and axes of its outputs, who writes them, and what nobody reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from operonx.core.errors import listed
from operonx.core.graph.analysis import Analysis, op_leaves
from operonx.core.graph.axes import Axes, AxisError, axes_of
from operonx.core.graph.branches import BranchOp
from operonx.core.graph.exclusion import Needs, all_exclusive
from operonx.core.graph.graph import GraphOp
from operonx.core.graph.loops import LoopOp
from operonx.core.graph.validation.states import check_state_write
from operonx.core.ops.signature import Port

if TYPE_CHECKING:
    from operonx.core.graph.parts import Write
    from operonx.core.graph.validation.bindings import TypeCheck
    from operonx.core.ops.base import Op

__all__ = ["check_unread", "check_writers", "find_outputs"]


def find_outputs(graph: GraphOp, analysis: Analysis, types: TypeCheck) -> None:
    """Find out the types and axes of the outputs."""
    states = graph.states if isinstance(graph, LoopOp) else {}
    ports: list[Port] = []
    for key in dict.fromkeys((*states, *analysis.writers)):
        writes = analysis.writers.get(key, [])
        found = [_write_type(graph, write, types) for write in writes]
        axes = [_write_axes(graph, analysis, write) for write in writes]
        if isinstance(graph, LoopOp) and key in states:
            _check_state_writes(graph, analysis, types, list(zip(writes, found, axes, strict=True)))
            ports.append(Port(key, analysis.inputs[key].annotation))
            analysis.output_axes[key] = ()
        else:
            same = all(one == found[0] for one in found)
            # What a loop hands out of a stream in it is a list.
            nested = isinstance(graph, LoopOp) and bool(axes[0])
            ports.append(Port(key, found[0] if same and not nested else Any))
            analysis.output_axes[key] = axes[0]
    analysis.outputs = tuple(ports)


def _write_type(graph: GraphOp, write: Write, types: TypeCheck) -> Any:
    types.op = write.place(graph)
    expression = write.expression
    if types.refuse_streams_in(expression):
        return Any
    if types.is_stream(expression):
        types.report_stream(expression)
        return Any
    return types.type_of(expression)


def _check_state_writes(
    loop: LoopOp, analysis: Analysis, types: TypeCheck, writes: list[tuple[Write, Any, Axes]]
) -> None:
    for write, source, axes in writes:
        if axes and loop.states[write.key].reducer is None:
            continue  # told as a stream in place of a value
        if write.expression not in types.wrong:
            check_state_write(loop, write, source, analysis.inputs[write.key].annotation)


def _write_axes(graph: GraphOp, analysis: Analysis, write: Write) -> Axes:
    try:
        return axes_of(write.expression, analysis.axes)
    except AxisError as error:
        sources = [source for _, source in op_leaves(write.expression)]
        if analysis.unknown.isdisjoint(sources):
            graph.report(graph, error.message, hint=error.hint, ref=repr(write.expression))
        analysis.unknown.update(sources)
        return ()


def check_writers(graph: GraphOp, analysis: Analysis, needs: dict[str, list[Needs]]) -> None:
    """Check that no output has two values at a time, and no state a stream of them.

    Args:
        graph: The graph.
        analysis: Its axes.
        needs: What each write of each output needs.
    """
    states = graph.states if isinstance(graph, LoopOp) else {}
    for key, writes in analysis.writers.items():
        sources = [source for write in writes for _, source in op_leaves(write.expression)]
        if not analysis.unknown.isdisjoint(sources):
            continue
        state = states.get(key)
        axes = [axes_of(write.expression, analysis.axes) for write in writes]
        if state is not None and state.reducer is None and any(axes):
            what = f"state `{key}` is written by a stream"
            hint = f"`.collect()` it, or `{key}=State(..., reducer=...)`"
            graph.report(graph, what, hint=hint, ref=repr(writes[0].expression))
        elif len(writes) > 1 and (state is None or state.reducer is None):
            _check_pair(graph, key, writes, axes, needs.get(key, []))


def _check_pair(
    graph: GraphOp, key: str, writes: list[Write], axes: list[Axes], needs: list[Needs]
) -> None:
    texts = listed(repr(write.expression) for write in writes)
    ref = f'PARENT["{key}"]'
    if any(not _same(axes[0], other) for other in axes[1:]):
        what = f"output `{key}` is written with different axes: {texts}"
        graph.report(
            graph, what, hint="`.collect()` the deeper one, or give one another name", ref=ref
        )
        return
    if all_exclusive(needs):
        return
    what = f"output `{key}` has two writers that may both fire: {texts}"
    hint = f"give one another name, or write `first_of(a, b) >> {ref}`"
    if isinstance(graph, LoopOp) and key in graph.states:
        hint = f"say how they combine: `{key}=State(..., reducer=...)`"
    graph.report(graph, what, hint=hint, ref=ref)


def _same(one: Axes, other: Axes) -> bool:
    return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))


def check_unread(graph: GraphOp, analysis: Analysis) -> None:
    """Report ops whose work nobody would see."""
    before: dict[Op, list[Op]] = {op: list(reads) for op, reads in analysis.reads.items()}
    read = {source for reads in analysis.reads.values() for source in reads}
    for edge in graph.edges:
        before[edge.target].append(edge.source)
    written = {
        source
        for writes in analysis.writers.values()
        for write in writes
        for _, source in op_leaves(write.expression)
    }
    useful = read | graph.misread | _upstream(written.union(graph.ends), before)
    for op in graph.ops:
        if op in useful or isinstance(op, BranchOp) or op.ports == () == op.final:
            continue
        if isinstance(op, GraphOp) and (op.analysis is None or op.analysis.broken):
            continue
        names = "known when it runs" if op.ports is None else _names(op)
        hint = _way_out(graph, op)
        what = f"nobody reads its outputs ({names}) and it does not reach END"
        graph.report(op, what, hint=hint, ref=op.name)


def _way_out(graph: GraphOp, op: Op) -> str:
    is_function = graph.factory is not None
    if op.ports is None:
        read = f'{op.name}["key"]'
        way = f'`return {{"key": {read}}}`' if is_function else f'`{read} >> PARENT["key"]`'
        return f"{way}, or annotate `-> None` if it gives nothing"
    if not is_function:
        return f"`{op.name} >> END`, or leave it out"
    way = f"`return {op.name}`" if not graph.ends and not graph.writes else "return it"
    return f"{way}, or leave it out"


def _names(op: Op) -> str:
    return listed(port.name for port in op.all_ports())


def _upstream(starts: Iterable[Op], before: dict[Op, list[Op]]) -> set[Op]:
    found = set(starts)
    open_ends = list(found)
    while open_ends:
        for source in before.get(open_ends.pop(), ()):
            if source not in found:
                found.add(source)
                open_ends.append(source)
    return found
