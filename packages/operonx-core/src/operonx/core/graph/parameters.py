"""What an op of any kind may be given, and whether what it is given is a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_origin

from operonx.core.expressions.refs import Expression, ParentRef, StreamOf
from operonx.core.graph.graph import GraphOp
from operonx.core.ops.function import FuncOp
from operonx.core.ops.signature import Parameter
from operonx.core.streaming import Stream

if TYPE_CHECKING:
    from operonx.core.ops.base import Op

__all__ = ["is_broken", "is_stream", "names_stream", "parameter_type", "parameters_of"]


def parameters_of(op: Op) -> dict[str, Parameter] | None:
    """Return what an op may be given by name, or None where it takes anything."""
    match op:
        case FuncOp(signature=signature):
            return {p.name: p for p in signature.parameters if p.role != "context"}
        case GraphOp():
            inputs = op.analysis.inputs if op.analysis else {}
            return {
                given.name: Parameter(
                    given.name,
                    given.annotation,
                    given.required,
                    given.default,
                    False,
                    "stream" if given.streams else "input",
                )
                for given in inputs.values()
            }
        case _:
            return None


def parameter_type(op: Op, port: str) -> Any:
    """Return the type that an op wants at a port, `Any` where it does not say."""
    parameters = parameters_of(op) or {}
    return parameters[port].annotation if port in parameters else Any


def names_stream(annotation: object) -> bool:
    """Return whether an annotation is `Stream` or `Stream[T]`."""
    return annotation is Stream or get_origin(annotation) is Stream


def is_stream(expression: Expression) -> bool:
    """Return whether a whole stream is handed over: `ref.stream()`, or an input that is one."""
    while isinstance(expression, ParentRef) and expression.graph is not None:
        graph: GraphOp = expression.graph
        if graph.kind == "loop":
            return False
        declared = (graph.parameters or {}).get(expression.key)
        if declared is not None and declared.annotation is not Any:
            return names_stream(declared.annotation)
        outer = graph.inputs.get(expression.key)
        if outer is None:
            return False
        expression = outer
    return isinstance(expression, StreamOf)


def is_broken(op: Op) -> bool:
    """Return whether an op is a graph in which mistakes were found."""
    return isinstance(op, GraphOp) and op.analysis is not None and op.analysis.broken
