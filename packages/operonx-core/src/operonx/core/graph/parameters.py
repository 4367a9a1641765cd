"""What an op of any kind may be given, and whether what it is given is a stream."""

from __future__ import annotations

from typing import Any

from operonx.core.expressions.refs import Expression, ParentRef, StreamOf
from operonx.core.graph.graph import GraphOp
from operonx.core.ops.base import Op
from operonx.core.ops.function import FuncOp
from operonx.core.ops.signature import Parameter

__all__ = ["is_broken", "is_stream", "parameter_type", "parameters_of"]


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
                    False,  # noqa: FBT003 - `keyword_only`
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


def is_stream(expression: Expression) -> bool:
    """Return whether a whole stream is handed over: `ref.stream()`, or an input that is one."""
    while isinstance(expression, ParentRef) and expression.graph is not None:
        given = expression.graph.parameters
        if expression.graph.kind == "loop" or given is None:
            return False
        outer = expression.graph.inputs.get(expression.key)
        if outer is None:
            return False
        expression = outer
    return isinstance(expression, StreamOf)


def is_broken(op: Op) -> bool:
    """Return whether an op is a graph in which mistakes were found."""
    return isinstance(op, GraphOp) and op.analysis is not None and op.analysis.broken
