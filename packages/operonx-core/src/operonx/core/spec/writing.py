"""A graph as JSON: `graph.serialize()`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from operonx.core.errors import BuildIssue, SpecError
from operonx.core.expressions.refs import Binary, Constant, Expression
from operonx.core.graph.branches import BranchOp, SwitchOp
from operonx.core.graph.graph import GraphOp
from operonx.core.graph.loops import LoopOp
from operonx.core.graph.zips import ZipOp
from operonx.core.ops.function import FuncOp, OpDefinition
from operonx.core.spec.annotation_writer import write_annotation
from operonx.core.spec.expression_writer import ExpressionWriter
from operonx.core.spec.functions import write_function
from operonx.core.spec.policies import write_policies
from operonx.core.spec.values import write_value
from operonx.core.spec.version import SCHEMA_VERSION

if TYPE_CHECKING:
    from operonx.core.graph.parts import Edge, GraphInput, Write
    from operonx.core.ops.base import Op

__all__ = ["serialize"]

_Data = dict[str, Any]


def serialize(graph: GraphOp) -> _Data:
    """Return a built graph as JSON values.

    Args:
        graph: A root graph.

    Raises:
        SpecError: If something in it has no place in a spec; all such things are named.
        TypeError: If the graph is part of another, or not built.
    """
    if graph.graph is not None:
        raise TypeError(f"graph `{graph.path}` is part of another; serialise that which it is in")
    if graph.analysis is None:
        raise TypeError(f"graph `{graph.name}` is not built: leave its block first")
    return _SpecWriter(graph).write()


class _SpecWriter:
    """Writes a graph and those in it, one after the other: they may nest to any depth."""

    def __init__(self, root: GraphOp) -> None:
        self.graphs: list[GraphOp] = [root]
        """Those met so far; the number of one is its place here."""
        self.functions: list[_Data] = []
        self.issues: list[BuildIssue] = []
        self._numbers: dict[int, int] = {}

    def write(self) -> _Data:
        root = _GraphWriter(self, self.graphs[0]).root()
        bodies = [_GraphWriter(self, graph).body() for graph in self.graphs]  # it grows meanwhile
        if self.issues:
            raise SpecError.listing("the graph cannot be written as a spec", self.issues)
        return {
            "schema_version": SCHEMA_VERSION,
            "root": root,
            "graphs": bodies,
            "functions": self.functions,
        }

    def graph_number(self, graph: GraphOp) -> int:
        """Have a graph written, and return its number."""
        self.graphs.append(graph)
        return len(self.graphs) - 1

    def function_number(self, definition: OpDefinition) -> int:
        """Have a function written unless it is, and return its number."""
        number = self._numbers.get(id(definition))  # the graphs keep it alive
        if number is None:
            self.functions.append(write_function(definition))
            number = self._numbers[id(definition)] = len(self.functions) - 1
        return number


class _GraphWriter:
    """Writes one graph."""

    def __init__(self, spec: _SpecWriter, graph: GraphOp) -> None:
        self._spec = spec
        self._graph = graph
        self._expressions = ExpressionWriter(graph)

    def _try(self, op: Op, what: str, write: Callable[[], Any]) -> Any:
        """Write a part; what has no place in a spec is noted, to be named with all the rest."""
        try:
            return write()
        except ValueError as error:
            issue = BuildIssue(op.path, f"{what}: {error}" if what else str(error))
            if issue not in self._spec.issues:
                self._spec.issues.append(issue)

    def _expression(self, op: Op, what: str, expression: Expression) -> Any:
        return self._try(op, what, lambda: self._expressions.write(expression))

    # -- what is in it

    def body(self) -> _Data:
        """Return what the graph is made of."""
        graph = self._graph
        written: _Data = {}
        if isinstance(graph, LoopOp):
            written["states"] = [self._state(graph, name) for name in graph.states]
        elif graph.parameters is not None:
            written["inputs"] = [self._input(one) for one in graph.parameters.values()]
        written["ops"] = [self._op(op) for op in graph.ops]
        written["edges"] = [_edge(edge) for edge in graph.edges]
        written["ends"] = [op.name for op in graph.ends]
        written["writes"] = [self._write(write) for write in graph.writes]
        if isinstance(graph, LoopOp):
            assert graph.until is not None  # the graph is built
            written["until"] = self._expression(graph, "`until`", graph.until)
            written["max_iterations"] = graph.max_iterations
        batches, choices = self._expressions.batches, self._expressions.choices
        return written | {"batches": batches, "choices": choices}

    def _input(self, given: GraphInput) -> _Data:
        what = f"input `{given.name}`"
        kind = self._try(self._graph, what, lambda: write_annotation(given.annotation))
        written: _Data = {"name": given.name, "type": kind}
        if not given.required:
            value = self._try(self._graph, what, lambda: write_value(given.default))
            written["default"] = {"value": value}
        return written

    def _state(self, loop: LoopOp, name: str) -> _Data:
        parameters = loop.parameters or {}
        annotation = parameters[name].annotation
        what = f"state `{name}`"
        kind = self._try(loop, what, lambda: write_annotation(annotation))
        reducer = loop.states[name].reducer
        return {"name": name, "type": kind} | ({"reducer": reducer} if reducer else {})

    def _write(self, write: Write) -> _Data:
        place = write.place(self._graph)
        value = self._expression(place, f"output `{write.key}`", write.expression)
        return {"to": write.key, "value": value} | (
            {} if write.op is None else {"op": write.op.name}
        )

    # -- its ops

    def root(self) -> _Data:
        """Return what is said of the graph that has none around it."""
        common = self._common(self._graph)
        return {key: value for key, value in common.items() if key != "kind"}

    def _op(self, op: Op) -> Any:
        match op:
            case GraphOp():
                return self._graph_op(op, self._spec.graph_number(op))
            case FuncOp():
                number = self._try(op, "", lambda: self._spec.function_number(op.definition))
                return self._common(op) | {"function": number} | self._inputs(op)
            case SwitchOp(subject=subject):
                value = self._expression(op, "its subject", subject)
                arms = [self._case(op, i) for i in range(len(op.arms))]
                return self._common(op) | {"subject": value, "arms": arms}
            case BranchOp():
                return self._common(op) | {"arms": [self._arm(op, i) for i in range(len(op.arms))]}
            case ZipOp():
                return self._common(op) | self._inputs(op)
            case _:
                return self._try(op, "", lambda: _refuse(op))
        return None

    def _graph_op(self, graph: GraphOp, number: int) -> _Data:
        return self._common(graph) | {"graph": number} | self._inputs(graph)

    def _common(self, op: Op) -> _Data:
        functions = self._spec.function_number
        policies = self._try(op, "", lambda: write_policies(op.policies, functions))
        written: _Data = {"kind": op.kind, "name": op.name}
        return written | ({"policies": policies} if policies else {})

    def _inputs(self, op: Op) -> _Data:
        # Its own inputs are read in the graph around it.
        return {
            "inputs": {
                key: self._expression(op, f"input `{key}`", value)
                for key, value in op.inputs.items()
            }
        }

    def _arm(self, branch: BranchOp, number: int) -> _Data:
        arm = branch.arms[number]
        targets = [target.name for target in arm.resolved()]
        if arm.condition is None:
            return {"targets": targets}
        when = self._expression(branch, f"arm {number + 1}", arm.condition)
        return {"when": when, "targets": targets}

    def _case(self, switch: SwitchOp, number: int) -> _Data:
        arm = switch.arms[number]
        targets = [target.name for target in arm.resolved()]
        if arm.condition is None:
            return {"targets": targets}
        value = self._try(switch, f"case {number + 1}", lambda: write_value(_case(arm.condition)))
        return {"case": value, "targets": targets}


def _case(condition: Expression | None) -> object:
    match condition:
        case Binary(right=Constant(value=value)):
            return value
        case _:
            raise ValueError(f"{condition!r}, which is no case")


def _edge(edge: Edge) -> _Data:
    joined = {"from": edge.source.name, "to": edge.target.name}
    return joined | ({"soft": True} if edge.soft else {})


def _refuse(op: Op) -> None:
    raise ValueError(f"an op of kind `{op.kind}`, which specs do not know")
