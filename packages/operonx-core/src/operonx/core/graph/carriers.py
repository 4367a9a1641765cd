"""Whose frames carry the outputs of a graph."""

from __future__ import annotations

from operonx.core.expressions.refs import IterationsRef, ParentRef, PortRef
from operonx.core.graph.graph import GraphOp

__all__ = ["carriers"]


def carriers(graph: GraphOp, output: str) -> list[tuple[str, str]]:
    """Return the ops and ports whose frames carry an output.

    Raises:
        ValueError: If it is computed from refs, so that no frame carries it as it is.
    """
    found: list[tuple[str, str]] = []
    open_ends = [(graph, output)]
    while open_ends:
        at, key = open_ends.pop()
        assert at.analysis is not None  # a built graph's inner graphs are built
        for write in at.analysis.writers.get(key, ()):
            match write.expression:
                case PortRef(op=GraphOp() as inner, port=port):
                    open_ends.append((inner, port))
                case IterationsRef(loop=loop, port=port):
                    open_ends.append((loop, port))
                case PortRef(op=one, port=port):
                    found.append((one.path, port))
                case ParentRef():
                    continue
                case other:
                    raise ValueError(
                        f"ports: output `{output}` is computed (`{other!r}`), so no frame "
                        "carries it; let an op compute it"
                    )
    return found
