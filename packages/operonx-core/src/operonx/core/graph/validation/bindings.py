"""What ops are given: every keyword known, every required one there, each of the right type."""

from __future__ import annotations

from types import GenericAlias
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from operonx.core.errors import did_you_mean, listed
from operonx.core.expressions.refs import Binary, Constant, Expression, ParentRef, PortRef, StreamOf
from operonx.core.expressions.walking import walk
from operonx.core.graph.analysis import Analysis, expressions_of
from operonx.core.graph.branches import BranchOp, SwitchOp
from operonx.core.graph.inference import TypeReader, is_stream_type, stream_type
from operonx.core.graph.loops import LoopOp
from operonx.core.graph.validation.defaults import check_default
from operonx.core.graph.validation.states import check_states, refuse_state
from operonx.core.graph.zips import ZipOp
from operonx.core.ops.function import FuncOp
from operonx.core.ops.signature import Parameter
from operonx.core.schema import assignable, plain, type_name, validator

if TYPE_CHECKING:
    from operonx.core.graph.graph import GraphOp
    from operonx.core.graph.parts import GraphInput
    from operonx.core.ops.base import Op

__all__ = ["TypeCheck", "check_bindings", "parameters_of", "wanted_type"]


def parameters_of(op: Op) -> dict[str, Parameter]:
    """Return what an op may be given by name; nothing for branches and zips."""
    if isinstance(op, FuncOp):
        return op.definition.inputs
    if op.analysis is None:
        return {}
    return {
        name: Parameter(name, given.annotation, given.required, given.default, True, "input")
        for name, given in op.analysis.inputs.items()
    }


def wanted_type(parameter: Parameter) -> Any:
    """Return the type of what a parameter takes: of a stream that of the stream itself."""
    if parameter.role == "stream":
        return stream_type(parameter.annotation)
    return parameter.annotation


class TypeCheck:
    """The types of one graph's expressions; what cannot be right is reported to the graph."""

    def __init__(self, graph: GraphOp, analysis: Analysis) -> None:
        self.graph = graph
        self.inputs: dict[str, GraphInput] = analysis.inputs
        self.op: Op = graph
        """The op that mistakes are at now."""
        self.read: set[Expression] = set()
        """Streams that have a reader."""
        self.wrong: set[Expression] = analysis.wrong
        self._reader = TypeReader(analysis.inputs, self._report)

    def _report(self, part: Expression, what: str, hint: str | None) -> None:
        self.graph.report(self.op, f"{part!r}: {what}", hint=hint, ref=repr(part))

    def type_of(self, expression: Expression) -> Any:
        """Return the type of a value, `Any` where it is not known."""
        return self._reader.type_of(expression)

    def is_stream(self, expression: Expression) -> bool:
        """Tell whether an expression is a whole stream."""
        if type(expression) is ParentRef:
            given = self.inputs.get(expression.key)
            return given is not None and is_stream_type(given.annotation)
        return type(expression) is StreamOf

    def report_stream(self, part: Expression) -> None:
        """Report a whole stream where a value is wanted."""
        self.graph.report(
            self.op,
            f"{part!r} is a whole stream, no value to compute with or to write",
            hint="hand it to an op whose parameter is a `Stream[...]`, "
            "or take its items as a list with `.collect()`",
            ref=repr(part),
        )

    def refuse_streams_in(self, expression: Expression) -> bool:
        """Report whole streams inside a bigger expression; return whether there are any."""
        if type(expression) in (Constant, ParentRef, PortRef):
            return False
        found = False
        for part in walk(expression):
            if part is not expression and self.is_stream(part):
                found = True
                self.report_stream(part)
        return found


def check_bindings(graph: GraphOp, op: Op, types: TypeCheck) -> None:
    """Check what one op is given."""
    types.op = op
    if isinstance(op, BranchOp):
        _check_branch(op, types)
    elif isinstance(op, ZipOp):
        for expression in op.inputs.values():
            _check_value(expression, types)
    elif op.analysis is not None or isinstance(op, FuncOp):
        _check_inputs(graph, op, types)
    if isinstance(op, LoopOp):
        check_states(graph, op)


def _check_inputs(graph: GraphOp, op: Op, types: TypeCheck) -> None:
    parameters = parameters_of(op)
    extra = isinstance(op, FuncOp) and op.signature.accepts_extra
    for name, expression in op.inputs.items():
        parameter = parameters.get(name)
        if parameter is not None:
            _check_type(op, parameter, expression, types)
        elif not extra:
            what = f"no input `{name}`; it takes {listed(parameters, 'no inputs')}"
            hint = did_you_mean(name, parameters) or "leave it out, or give the op such a parameter"
            graph.report(op, what, hint=hint, ref=name)
    if len(op.inputs) < len(parameters) or parameters.keys() != op.inputs.keys():
        for name, parameter in parameters.items():
            if name in op.inputs:
                continue
            if parameter.required:
                hint = f"pass it: `{name}=...` a ref or a constant"
                graph.report(op, f"input `{name}` is not given", hint=hint, ref=name)
            elif isinstance(op, FuncOp) and parameter.role == "input":
                check_default(graph, op, parameter)  # a graph's own are checked with it


def _check_type(op: Op, parameter: Parameter, expression: Expression, types: TypeCheck) -> None:
    if isinstance(expression, Constant):
        _check_constant(op, parameter, expression, types)
        return
    if types.refuse_streams_in(expression):
        return
    if expression in types.wrong:
        return
    source = types.type_of(expression)
    wanted = parameter.annotation
    takes_stream = parameter.role == "stream" or is_stream_type(wanted)
    if types.is_stream(expression) != takes_stream:
        _report_stream(op, parameter, expression, types, takes_stream=takes_stream)
        return
    if takes_stream:
        _check_single_reader(op, parameter, expression, types)
        wanted = stream_type(wanted) if parameter.role == "stream" else wanted
        source, wanted = _item(source), _item(wanted)
    if source is not wanted and not assignable(source, wanted):
        types.graph.report(
            op,
            f"input `{parameter.name}` takes `{type_name(parameter.annotation)}`, "
            f"{expression!r} is `{type_name(source)}`",
            hint=_type_hint(source, wanted, expression),
            ref=repr(expression),
        )


def _item(stream: Any) -> Any:
    args = getattr(stream, "__args__", ())
    return args[0] if args else Any


def _check_constant(op: Op, parameter: Parameter, constant: Constant, types: TypeCheck) -> None:
    if parameter.role == "stream" or is_stream_type(parameter.annotation):
        _report_stream(op, parameter, constant, types, takes_stream=True)
        return
    if refuse_state(types.graph, op, f"input `{parameter.name}`", constant.value):
        return
    if type(constant.value) is parameter.annotation:
        return
    problem = validator(parameter.annotation)(constant.value)
    if problem is not None:
        what = f"input `{parameter.name}`: {problem}"
        hint = f"it takes `{type_name(parameter.annotation)}`"
        types.graph.report(op, what, hint=hint, ref=f"{parameter.name}={constant!r}")


def _report_stream(
    op: Op, parameter: Parameter, expression: Expression, types: TypeCheck, *, takes_stream: bool
) -> None:
    name = parameter.name
    takes = "takes a stream"
    hint = f"pass `ref.stream()`, or annotate `{name}` as the item's type"
    if takes_stream and isinstance(expression, ParentRef):
        hint = f"hand one into this graph: `GraphOp(..., {expression.key}=ref.stream())`"
    elif not takes_stream and isinstance(op, LoopOp):
        takes = "is a loop's state, which holds values and no stream"
        hint = "pass `ref.collect()`"
    elif not takes_stream:
        takes = "takes no stream"
        hint = f"annotate `{name}` as `Stream[...]`, or pass `ref.collect()`"
    what = f"input `{name}` {takes}, got {expression!r}"
    types.graph.report(op, what, hint=hint, ref=repr(expression))


def _check_single_reader(
    op: Op, parameter: Parameter, expression: Expression, types: TypeCheck
) -> None:
    if isinstance(expression, ParentRef):
        return  # counted where the graph's inputs are
    if expression in types.read:
        what = f"input `{parameter.name}`: {expression!r} has a reader, and a stream is read once"
        hint = "write `.stream()` again for each reader"
        types.graph.report(op, what, hint=hint, ref=repr(expression))
    types.read.add(expression)


def _type_hint(source: Any, target: Any, expression: Expression) -> str:
    if source is not Any and assignable(GenericAlias(list, (source,)), target):
        return f"to wait for the whole stream write `{expression!r}.collect()`"
    if isinstance(expression, PortRef) and isinstance(expression.op, FuncOp):
        whole = expression.op.whole_hint()
        if whole is not None and _is_whole(expression.op, target):
            return whole
    return "put an op between them that converts, or mend an annotation"


def _is_whole(op: FuncOp, target: Any) -> bool:
    whole = op.signature.whole
    return whole is not Any and assignable(whole, target)


# -- branches


def _check_value(expression: Expression, types: TypeCheck) -> bool:
    """Report a whole stream where a value is wanted; return whether there was none."""
    if types.refuse_streams_in(expression):
        return False
    if types.is_stream(expression):
        types.report_stream(expression)
        return False
    types.type_of(expression)
    return True


def _check_branch(op: BranchOp, types: TypeCheck) -> None:
    if isinstance(op, SwitchOp):
        if _check_value(op.subject, types):
            _check_cases(op, types)
        return
    for condition in expressions_of(op):
        is_value = _check_value(condition, types)
        # What a ref gives is looked at when the graph runs; a constant is known.
        if is_value and isinstance(condition, Constant) and not isinstance(condition.value, bool):
            types.graph.report(
                op,
                f"condition {condition!r} is `{type(condition.value).__name__}`, "
                "expected a boolean",
                hint="write a comparison of refs: `ref != 0`, `ref.len() > 0`",
                ref=repr(condition),
            )


def _check_cases(op: SwitchOp, types: TypeCheck) -> None:
    subject = plain(types.type_of(op.subject))
    if get_origin(subject) is not Literal:
        return
    check = validator(subject)
    for arm in op.arms:
        if isinstance(arm.condition, Binary) and isinstance(arm.condition.right, Constant):
            problem = check(arm.condition.right.value)
            if problem is not None:
                case = arm.condition.right
                what = f"case {case!r} never comes: {op.subject!r}: {problem}"
                known = [one for one in get_args(subject) if isinstance(one, str)]
                hint = did_you_mean(str(case.value), known) or "leave it out"
                types.graph.report(op, what, hint=hint, ref=repr(op.subject))
