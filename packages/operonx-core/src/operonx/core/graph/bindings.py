"""Checks of arguments: they are known, none is missing, and their types fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from operonx.core.errors import did_you_mean, listed
from operonx.core.expressions.refs import Constant, Expression, ParentRef, StreamOf
from operonx.core.graph.analysis import Analysis, annotation_of
from operonx.core.graph.parameters import is_broken, parameters_of
from operonx.core.ops.function import FuncOp
from operonx.core.schema import assignable, type_name, validator

if TYPE_CHECKING:
    from operonx.core.graph.graph import GraphOp
    from operonx.core.ops.base import Op
    from operonx.core.ops.signature import Parameter

__all__ = ["check_bindings"]


def check_bindings(graph: GraphOp, analysis: Analysis, op: Op, wrong: set[Expression]) -> None:
    """Report the arguments of an op that are unknown, missing or of another type.

    Args:
        graph: The graph that the op is in.
        analysis: What is known of it.
        op: The op.
        wrong: Expressions that another mistake was reported of.
    """
    parameters = parameters_of(op)
    if parameters is None or is_broken(op):
        return
    extra = isinstance(op, FuncOp) and op.signature.accepts_extra
    for name, expression in op.inputs.items():
        if name in parameters:
            if expression not in wrong:
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
    if _hands_stream(expression, analysis) != (parameter.role == "stream"):
        _report_stream(graph, op, parameter, expression)
        return
    if isinstance(expression, Constant):
        problem = validator(parameter.annotation)(expression.value)
        if problem is not None:
            graph.report(
                op,
                f"input `{parameter.name}`: {problem}",
                hint=f"it takes `{type_name(parameter.annotation)}`",
            )
        return
    source = annotation_of(expression, analysis.inputs)
    if not assignable(source, parameter.annotation):
        graph.report(
            op,
            f"input `{parameter.name}` takes `{type_name(parameter.annotation)}`, "
            f"{expression!r} is `{type_name(source)}`",
            hint=_type_hint(source, parameter.annotation, expression),
        )


def _hands_stream(expression: Expression, analysis: Analysis) -> bool:
    if isinstance(expression, ParentRef):
        given = analysis.inputs.get(expression.key)
        return given is not None and given.streams
    return isinstance(expression, StreamOf)


def _report_stream(graph: GraphOp, op: Op, parameter: Parameter, expression: Expression) -> None:
    if parameter.role == "stream":
        takes = "takes a stream"
        hint = f"pass `ref.stream()`, or annotate `{parameter.name}` as the item's type"
    elif op.kind == "loop":
        takes = "is a loop's state, which holds values and no stream"
        hint = "pass `ref.collect()`"
    else:
        takes = "takes no stream"
        hint = f"annotate `{parameter.name}` as `Stream[...]`, or pass `ref.collect()`"
    graph.report(op, f"input `{parameter.name}` {takes}, got {expression!r}", hint=hint)


def _type_hint(source: Any, target: Any, expression: Expression) -> str | None:
    if assignable(list[source], target):
        return f"to wait for the whole stream write `{expression!r}.collect()`"
    return "put an op between them that converts, or mend an annotation"
