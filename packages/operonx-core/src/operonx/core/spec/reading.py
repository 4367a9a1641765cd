"""A graph out of JSON: `GraphOp.deserialize(spec)`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from operonx.core.errors import SpecError, listed
from operonx.core.expressions.refs import Binary, Constant, Expression
from operonx.core.graph.branches import Arm, BranchOp, SwitchOp
from operonx.core.graph.graph import GraphOp
from operonx.core.graph.loops import LoopOp, State
from operonx.core.graph.parts import Edge, GraphInput, Write
from operonx.core.graph.zips import ZipOp
from operonx.core.ops.function import FuncOp, OpDefinition
from operonx.core.spec.annotation_reader import read_annotation
from operonx.core.spec.expression_reader import ExpressionReader
from operonx.core.spec.functions import read_function
from operonx.core.spec.policies import read_policies
from operonx.core.spec.resolving import Resolver
from operonx.core.spec.validation import validated
from operonx.core.spec.values import read_value

if TYPE_CHECKING:
    from operonx.core.ops.base import Op
    from operonx.core.ops.policies import Policies

__all__ = ["deserialize"]

T = TypeVar("T")
_Data = dict[str, Any]


def deserialize(spec: Mapping[str, Any], allow: Iterable[str] = ()) -> GraphOp:
    """Return the graph that a spec describes, built.

    Args:
        spec: What `serialize` gave.
        allow: Modules that may be imported for its ops; of a package, all in it.

    Raises:
        SpecError: If it is no spec, or names what is not there.
        BuildError: If the graph is wrong.
    """
    return _SpecReader(validated(spec), Resolver(allow)).read()


class _SpecReader:
    """Reads a graph and those in it, the outer ones first and built last."""

    def __init__(self, spec: _Data, resolver: Resolver) -> None:
        self._bodies: list[_Data] = spec["graphs"]
        self._root: _Data = {"kind": "graph", "graph": 0, **spec["root"]}
        self.resolver = resolver
        self.definitions: list[OpDefinition] = [
            read_function(data, resolver) for data in spec["functions"]
        ]
        self._taken: set[int] = set()

    def read(self) -> GraphOp:
        """Return the graph, built."""
        root = self._new_graph(self._root)
        found: list[tuple[GraphOp, _Data]] = [(root, self._root)]
        for graph, data in found:  # it grows meanwhile
            found += self._add_ops(graph, self._body(data)["ops"])
        unused = set(range(len(self._bodies))) - self._taken
        if unused:
            raise SpecError(f"nothing is made of graph {min(unused)}")
        for graph, data in found:
            self._fill(graph, self._body(data))
        for graph in _inner_first(root):
            graph.build()
        return root

    def _body(self, data: _Data) -> _Data:
        number: int = data["graph"]
        return self._bodies[number]

    # -- ops, of which a graph's expressions read any

    def _add_ops(self, graph: GraphOp, ops: list[_Data]) -> Iterator[tuple[GraphOp, _Data]]:
        """Add a graph's ops to it; yield the graphs among them."""
        for data in ops:
            op = self._new_op(data)
            graph.add_op(op)
            if isinstance(op, GraphOp):
                yield op, data

    def _new_op(self, data: _Data) -> Op:
        name: str = data["name"]
        match data["kind"]:
            case "func":
                definition = _at(self.definitions, data["function"], "function")
                return FuncOp(definition, name, {}, self._policies(data), named=True)
            case "branch":
                return BranchOp(name, named=True)
            case "switch":
                return SwitchOp(name, Constant(None), named=True)
            case "zip":
                return ZipOp(name, {}, named=True)
            case _:
                return self._new_graph(data)

    def _policies(self, data: _Data) -> Policies:
        try:
            return read_policies(data.get("policies", {}), self.definitions, self.resolver)
        except SpecError as error:
            raise SpecError(f"op `{data['name']}`: {error.message}", hint=error.hint) from error

    def _new_graph(self, data: _Data) -> GraphOp:
        body = _at(self._bodies, data["graph"], "graph")
        if data["graph"] in self._taken:
            raise SpecError(f"graph {data['graph']} stands in two places; each has one of its own")
        self._taken.add(data["graph"])
        if ("states" in body) != (data["kind"] == "loop"):
            has = "states, as a loop has" if "states" in body else "no states, as a loop has"
            raise SpecError(f"{data['kind']} `{data['name']}`: graph {data['graph']} has {has}")
        graph = self._loop(data, body) if data["kind"] == "loop" else self._graph(data, body)
        graph.policies = self._policies(data)
        return graph

    def _graph(self, data: _Data, body: _Data) -> GraphOp:
        if "inputs" not in body:
            return GraphOp(data["name"])
        _refuse_twice(body["inputs"], f"inputs of `{data['name']}`")
        inputs = {one["name"]: self._input(one) for one in body["inputs"]}
        return GraphOp(data["name"], inputs=inputs)

    def _input(self, data: _Data) -> GraphInput:
        kind = read_annotation(data["type"], self.resolver)
        if "default" not in data:
            return GraphInput(data["name"], kind)
        default = read_value(data["default"]["value"], f"input `{data['name']}`")
        return GraphInput(data["name"], kind, required=False, default=default)

    def _loop(self, data: _Data, body: _Data) -> LoopOp:
        _refuse_twice(body["states"], f"states of `{data['name']}`")
        states = {one["name"]: State(reducer=one.get("reducer")) for one in body["states"]}
        types = {one["name"]: read_annotation(one["type"], self.resolver) for one in body["states"]}
        most: int = body["max_iterations"]
        return LoopOp(states, until=None, max_iterations=most, annotations=types, name=data["name"])

    # -- what joins them

    def _fill(self, graph: GraphOp, body: _Data) -> None:
        _refuse_twice(body["batches"], f"batches of `{graph.path}`")
        _refuse_twice(body["ops"], f"ops of `{graph.path}`")
        read = ExpressionReader(graph, body["batches"], body["choices"])
        for data in body["ops"]:
            _fill_op(read.op(data["name"]), data, read)
        for edge in body["edges"]:
            ends = read.op(edge["from"]), read.op(edge["to"])
            graph.edges.append(Edge(*ends, soft=edge.get("soft", False)))
        graph.ends += [read.op(name) for name in body["ends"]]
        for write in body["writes"]:
            op = read.op(write["op"]) if "op" in write else None
            graph.writes.append(Write(write["to"], read.read(write["value"]), op))
        if isinstance(graph, LoopOp):
            graph.until_source = read.read(body["until"])
        read.require_all_read()


def _refuse_twice(named: list[_Data], what: str) -> None:
    counted = Counter(one["name"] for one in named)
    twice = [name for name, count in counted.items() if count > 1]
    if twice:
        raise SpecError(f"the {what}: {listed(twice)} stands there twice")


def _inner_first(root: GraphOp) -> Iterator[GraphOp]:
    """Yield a graph and those in it in the order in which an author leaves their blocks."""
    left = [root]
    order: list[GraphOp] = []
    while left:
        graph = left.pop()
        order.append(graph)
        left += [op for op in graph.ops if isinstance(op, GraphOp)]
    return reversed(order)


def _fill_op(op: Op, data: _Data, read: ExpressionReader) -> None:
    for key, value in data.get("inputs", {}).items():
        op.inputs[key] = read.read(value)
    if isinstance(op, SwitchOp):
        op.subject = read.read(data["subject"])
    if isinstance(op, BranchOp):
        op.arms += [_arm(op, one, read) for one in data["arms"]]


def _arm(branch: BranchOp, data: _Data, read: ExpressionReader) -> Arm:
    condition: Expression | None = None
    if "when" in data:
        condition = read.read(data["when"])
    elif "case" in data and isinstance(branch, SwitchOp):
        condition = Binary("==", branch.subject, Constant(read_value(data["case"])))
    return Arm(condition, [read.op(name) for name in data["targets"]])


def _at(items: list[T], number: int, what: str) -> T:
    if not 0 <= number < len(items):
        raise SpecError(f"there is no {what} {number}; there are {len(items)}")
    return items[number]
