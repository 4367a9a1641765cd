"""Which ops' frames carry an output of a graph, for those who watch some outputs only."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from operonx.core.expressions.refs import ErrorRef, IterationsRef, ParentRef, PortRef
from operonx.core.expressions.walking import walk
from operonx.core.graph.branches import BranchOp
from operonx.core.graph.graph import GraphOp
from operonx.core.graph.loops import LoopOp

if TYPE_CHECKING:
    from operonx.core.graph.analysis import Analysis
    from operonx.core.ops.base import Op

__all__ = ["carriers"]


def carriers(graph: GraphOp, output: str) -> list[tuple[str, str]]:
    """Return the ops and ports whose frames carry an output.

    Args:
        graph: The root graph.
        output: One of its outputs.

    Raises:
        ValueError: If no frame carries just what leaves as this output.
    """
    found: list[tuple[str, str]] = []
    open_ends = [(graph, output)]
    while open_ends:
        at, key = open_ends.pop()
        if _holds_back(at, key):
            _refuse(output, f"leaves `{at.path}` only once that has ended well")
        for write in _analysis(at).writers.get(key, ()):
            match write.expression:
                case PortRef(op=LoopOp() as loop, port=port):
                    instead = f'for each iteration hand out `{loop.name}.iterations["{port}"]`'
                    _refuse(output, f"is what loop `{loop.path}` leaves with", instead)
                case PortRef(op=GraphOp() as inner, port=port):
                    open_ends.append((inner, port))
                case IterationsRef(loop=loop, port=port):
                    _require_written(loop, port, output)
                    open_ends.append((loop, port))
                case PortRef(op=one, port=port) if one.calls:
                    found.append((one.path, port))
                case ParentRef() as given:
                    _refuse(output, f"is an input handed on (`{given!r}`)", "let an op hand it on")
                case other:
                    _refuse(output, f"is computed (`{other!r}`)")
    return found


def _refuse(output: str, what: str, instead: str = "let an op compute it") -> NoReturn:
    raise ValueError(f"ports: output `{output}` {what}, so no frame carries it; {instead}")


def _analysis(graph: GraphOp) -> Analysis:
    assert graph.analysis is not None  # a built graph's inner graphs are built
    return graph.analysis


def _holds_back(graph: GraphOp, key: str) -> bool:
    """Tell whether an output may still fail to leave when its op has emitted its frame."""
    analysis = _analysis(graph)
    if isinstance(graph, LoopOp) or analysis.output_axes.get(key):
        return False
    return graph.policies.on_error == "skip" or _is_error_read(graph)


def _is_error_read(op: Op) -> bool:
    if op.graph is None:
        return False
    outer = _analysis(op.graph)
    read = [one for expressions in outer.expressions.values() for one in expressions]
    read += [write.expression for writes in outer.writers.values() for write in writes]
    return any(isinstance(part, ErrorRef) and part.op is op for one in read for part in walk(one))


def _require_written(loop: LoopOp, port: str, output: str) -> None:
    """Refuse a state that is not in each iteration what one op gave."""
    state = loop.states.get(port)
    if state is None:
        return
    writes = _analysis(loop).writers.get(port, [])
    sources = [one.expression.op for one in writes if isinstance(one.expression, PortRef)]
    if state.reducer is not None or not writes:
        how = "is never written" if not writes else f'has the reducer "{state.reducer}"'
        _refuse(output, f"is state `{port}` of loop `{loop.path}`, which {how}")
    if any(_may_be_skipped(loop, source) for source in sources):
        _refuse(output, f"is state `{port}` of loop `{loop.path}`, which some iterations keep")


def _may_be_skipped(loop: LoopOp, source: Op) -> bool:
    analysis = _analysis(loop)
    before = _upstream(loop, source)
    targets = {
        target
        for branch in loop.ops
        if isinstance(branch, BranchOp)
        for arm in branch.arms
        for target in arm.resolved()
    }
    reads = (part for op in before for one in analysis.expressions[op] for part in walk(one))
    return (
        not before.isdisjoint(targets)
        or any(map(_skips, before))
        or any(isinstance(part, ErrorRef) for part in reads)
    )


def _skips(op: Op) -> bool:
    inside = op.walk() if isinstance(op, GraphOp) else ()
    return any(
        one.policies.on_error == "skip" or isinstance(one, BranchOp) for one in (op, *inside)
    )


def _upstream(graph: GraphOp, op: Op) -> set[Op]:
    before: dict[Op, list[Op]] = {one: list(read) for one, read in _analysis(graph).reads.items()}
    for edge in graph.edges:
        before[edge.target].append(edge.source)
    found, open_ends = {op}, [op]
    while open_ends:
        for source in before[open_ends.pop()]:
            if source not in found:
                found.add(source)
                open_ends.append(source)
    return found
