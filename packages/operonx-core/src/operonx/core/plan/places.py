"""Where values are: refs resolved to slots and nodes, what they stand for made on the way."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from operonx.core.errors import EngineError
from operonx.core.expressions.evaluation import Evaluate, compile_expression
from operonx.core.expressions.operators import get_port
from operonx.core.expressions.refs import (
    Batch,
    Choice,
    Chosen,
    Collect,
    ErrorRef,
    Expression,
    IterationRef,
    IterationsRef,
    OrElse,
    ParentRef,
    PortRef,
    StreamOf,
    walk,
)
from operonx.core.graph.analysis import Axes, axes_of
from operonx.core.graph.graph import GraphOp
from operonx.core.graph.loops import LoopOp
from operonx.core.plan.nodes import (
    AllNode,
    BatchNode,
    BranchNode,
    CallNode,
    CellNode,
    ChoiceNode,
    CollectNode,
    GeneratorNode,
    LoopNode,
    Node,
    OutputNode,
    Region,
    StreamNode,
    ZipNode,
)

if TYPE_CHECKING:
    from operonx.core.ops.base import Op
    from operonx.core.plan.lowering import Lowering, Scope

__all__ = ["Place", "Poison", "Values"]


@dataclass(frozen=True, slots=True)
class Poison:
    """Stands in a slot for a value whose expression raised: its reader raises that."""

    error: BaseException


@dataclass(slots=True, eq=False)
class Place:
    """Where a value is, and what must have fired for it to be there."""

    region: Region
    slot: int | None
    evaluate: Evaluate | None
    """Computes it from an instance of `region`, where it is in no slot."""
    needs: tuple[Node, ...]
    stream: StreamNode | None = None
    """The stream that the value is, where it is one."""
    checked: bool = False
    """Whether the slot may hold a `Poison`."""

    def reader(self, region: Region) -> Evaluate:
        """Return a function from an instance of `region` to the value."""
        up = region.depth - self.region.depth
        if self.slot is None:
            assert self.evaluate is not None  # one of the two is always there
            return self.evaluate if up == 0 else _above(self.evaluate, up)
        read = _slot_reader(self.slot, up)
        return _raising(read) if self.checked else read


def _slot_reader(slot: int, up: int) -> Evaluate:
    if up == 0:
        return lambda inst: inst.slots[slot]
    if up == 1:
        return lambda inst: inst.parent.slots[slot]
    return _above(lambda inst: inst.slots[slot], up)


def _above(evaluate: Evaluate, up: int) -> Evaluate:
    def read(inst: Any) -> Any:
        for _ in range(up):
            inst = inst.parent
        return evaluate(inst)

    return read


def _raising(read: Evaluate) -> Evaluate:
    def evaluate(inst: Any) -> Any:
        value = read(inst)
        if type(value) is Poison:
            raise value.error
        return value

    return evaluate


@dataclass(slots=True, eq=False)
class Values:
    """Resolves the expressions of a graph; what a ref stands for is made once."""

    lowering: Lowering
    _choices: dict[Choice | OrElse, ChoiceNode] = field(
        default_factory=dict[Choice | OrElse, ChoiceNode]
    )
    _made: dict[Expression, Place] = field(default_factory=dict[Expression, Place])
    _outputs: dict[tuple[GraphOp, str], Place] = field(
        default_factory=dict[tuple[GraphOp, str], Place]
    )

    def axes(self, scope: Scope, expression: Expression) -> Axes:
        """Return an expression's absolute axes."""
        return scope.base + axes_of(expression, scope.analysis.axes)

    def place(self, scope: Scope, expression: Expression, path: str) -> Place:
        """Return where the value of an expression is, at the expression's own axes.

        Args:
            scope: The graph it was written in.
            expression: The expression.
            path: Path of the op that reads it, for what must be named after it.
        """
        known = self._leaf(scope, expression, path)
        if known is not None:
            return known
        self.open_batches(scope, expression, path)
        region = self.lowering.region_of(self.axes(scope, expression))
        evaluate, needs = self.compile(scope, expression, region, path)
        return Place(region, None, evaluate, needs)

    def open_batches(self, scope: Scope, expression: Expression, path: str) -> None:
        """Make the regions that the batches in an expression open, before they are asked for."""
        for part in walk(expression):
            if isinstance(part, Batch):
                self._leaf(scope, part, path)

    def compile(
        self, scope: Scope, expression: Expression, region: Region, path: str
    ) -> tuple[Evaluate, tuple[Node, ...]]:
        """Return a function from an instance of `region` to the value, and what it needs."""
        needs: list[Node] = []

        def leaf(part: Expression) -> Evaluate | None:
            place = self._leaf(scope, part, path)
            if place is None:
                return None
            needs.extend(place.needs)
            return place.reader(region)

        return compile_expression(expression, leaf), tuple(needs)

    # -- leaves

    def _leaf(self, scope: Scope, expression: Expression, path: str) -> Place | None:
        match expression:
            case PortRef(op=op, port=port):
                return self.port(scope, op, port)
            case ParentRef(key=key):
                return scope.parents[key]
            case IterationRef():
                body = self.lowering.regions[scope.graph]
                return Place(body, None, lambda inst: inst.index, ())
            case ErrorRef(op=op):
                failed = self.lowering.failed[op]
                return Place(failed.region, failed.slot, None, (failed,))
            case IterationsRef(loop=loop, port=port):
                return self._iterations(loop, port)
            case OrElse() | Chosen() | Collect() | StreamOf() | Batch():
                if isinstance(expression, StreamOf):
                    # A stream is read once, so every reader gets its own.
                    return self._make(scope, expression, path)
                if expression not in self._made:
                    self._made[expression] = self._make(scope, expression, path)
                return self._made[expression]
            case _:
                return None

    def _make(self, scope: Scope, expression: Expression, path: str) -> Place:
        match expression:
            case OrElse(base=base, other=other):
                return self._choice(scope, expression, expression, (base, other), path)
            case Chosen(choice=choice):
                return self._choice(scope, expression, choice, expression.options(), path)
            case Collect():
                return self._collect(scope, expression, path)
            case StreamOf(base=base):
                cell = self.cell(scope, base, path)
                return self._stream(cell, path)
            case Batch():
                return self._batch(scope, expression, path)
            case _:
                raise EngineError(f"{expression!r} stands for nothing")

    def port(self, scope: Scope, op: Op, port: str) -> Place:
        """Return where an output of an op is."""
        node = self.lowering.nodes.get(op)
        match node:
            case GeneratorNode() if port in node.final:
                return Place(node.region, node.final[port], None, (node.end,))
            case GeneratorNode():
                return self._port_of(node, port, node.child, ())
            case CallNode():
                return self._port_of(node, port, node.region, (node,))
            case BranchNode():
                return Place(node.region, node.chosen_slot, None, (node,))
            case ZipNode():
                side = node.ports[list(op.inputs).index(port)]
                return Place(node.child, side.slot, None, (side,), checked=True)
            case LoopNode():
                needs = (node.output_ends.get(port, node.end),)
                return Place(node.region, node.outputs[port], None, needs)
            case _:
                return self._graph_port(scope, op, port)

    def _port_of(self, node: CallNode, port: str, region: Region, needs: tuple[Node, ...]) -> Place:
        slot = node.open_slot
        if slot is None:
            return Place(region, node.outputs[port], None, needs)
        return Place(region, None, lambda inst: get_port(inst.slots[slot], port, node.path), needs)

    def _graph_port(self, scope: Scope, op: Op, port: str) -> Place:
        assert isinstance(op, GraphOp)  # every other kind has a node
        place = self.output(op, port)
        done = scope.exits.get(op)
        if done is not None and place.region is done.region:
            # A graph that may be skipped on failure hands on only what has ended well.
            return Place(place.region, place.slot, place.evaluate, (*place.needs, done))
        return place

    def output(self, graph: GraphOp, key: str) -> Place:
        """Return where an output of a graph is, seen from inside it."""
        known = self._outputs.get((graph, key))
        if known is None:
            known = self._output(graph, key)
            self._outputs[graph, key] = known
        return known

    def _output(self, graph: GraphOp, key: str) -> Place:
        scope = self.lowering.scopes[graph]
        expressions = [write.expression for write in scope.analysis.writers[key]]
        expression = expressions[0]
        if len(expressions) > 1:
            # Writers on exclusive arms: the output is that of whichever fired.
            expression = Chosen(Choice(tuple(expressions), race=False))
        place = self.place(scope, expression, scope.path)
        if scope.enter is not None and not any(map(scope.implies_start, place.needs)):
            place = replace(place, needs=(*place.needs, scope.enter))
        own = self.lowering.region_of(scope.base)
        outside = place.region is not own and place.region.holds(own)
        if isinstance(graph, LoopOp) or (place.slot is not None and not outside):
            return place
        # Computed once, by the graph, so that what it raises is the graph's failure; and what it
        # passes on from outside a stream that it fires in is there once for every firing.
        region = own if outside else place.region
        node = OutputNode(region, scope.path, key, place.reader(region))
        node.owner_region = own
        self.lowering.builder.take(node, place.needs)
        return Place(region, node.slot, None, (node,))

    def _iterations(self, loop: LoopOp, port: str) -> Place:
        node = self.lowering.nodes[loop]
        assert isinstance(node, LoopNode)  # a loop's node is one
        if port in node.after_slots:
            return Place(node.child, node.after_slots[port], None, (node.done,))
        return self.output(loop, port)

    # -- what refs stand for

    def _choice(
        self,
        scope: Scope,
        expression: Expression,
        key: Choice | OrElse,
        options: tuple[Expression, ...],
        path: str,
    ) -> Place:
        region = self.lowering.region_of(self.axes(scope, expression))
        parts = [self.compile(scope, option, region, path) for option in options]
        node = self._choices.get(key)
        if node is None:
            node = self._add_choice(region, key, [needs for _, needs in parts], path)
            self._choices[key] = node
        readers = [evaluate for evaluate, _ in parts]
        slot = node.slot

        def read(inst: Any) -> Any:
            chosen: int = inst.slots[slot]
            return readers[chosen](inst)

        return Place(region, None, read, (node,))

    def _add_choice(
        self,
        region: Region,
        key: Choice | OrElse,
        needs: list[tuple[Node, ...]],
        path: str,
    ) -> ChoiceNode:
        options = [self._single(region, option, path) for option in needs]
        race = isinstance(key, Choice) and key.race
        node = ChoiceNode(region, path, len(options), race=race)
        node.options = options
        node.strict = needs[0] if isinstance(key, OrElse) else ()
        self.lowering.builder.take(node)
        for number, option in enumerate(options):
            option.reports.append((node, number))
        if race and isinstance(key, Choice):
            self.lowering.note_race(node, key)
        return node

    def _single(self, region: Region, needs: tuple[Node, ...], path: str) -> Node:
        """Return one node of `region` that fires if all of `needs` did."""
        distinct = list(dict.fromkeys(needs))
        if len(distinct) == 1 and distinct[0].region is region:
            return distinct[0]
        relay = AllNode(region, path)
        self.lowering.builder.take(relay, distinct)
        return relay

    def cell(self, scope: Scope, base: Expression, path: str) -> CellNode:
        """Make the part of each item in what becomes of a stream."""
        return self.cell_at(self.place(scope, base, path), path)

    def cell_at(self, place: Place, path: str) -> CellNode:
        """Do the same for a value that is found already."""
        cell = CellNode(place.region, path, place.reader(place.region))
        self.lowering.builder.take(cell, place.needs)
        return cell

    def consume(self, node: Any, cell: CellNode) -> None:
        """Let a node of the region around take a cell's part of every item."""
        cell.consumer = node
        if node not in cell.region.waiters:
            cell.region.waiters.append(node)

    def _collect(self, scope: Scope, expression: Collect, path: str) -> Place:
        place = self.place(scope, expression.base, path)
        levels = len(self.axes(scope, expression.base)) - len(self.axes(scope, expression))
        return self.collect_levels(place, levels, path, flatten=True)

    def collect_levels(
        self, place: Place, levels: int, path: str, *, flatten: bool, for_result: bool = False
    ) -> Place:
        """Collect `levels` axes off a value, into one flat list or into nested ones."""
        for level in range(levels):
            cell = self.cell_at(place, path)
            outer = _parent(cell.region)
            node = CollectNode(outer, path, cell, flatten=flatten and level > 0)
            node.for_result = for_result
            self.lowering.builder.take(node)
            self.consume(node, cell)
            place = Place(outer, node.slot, None, (node,), checked=True)
        return place

    def _stream(self, cell: CellNode, path: str) -> Place:
        node = StreamNode(_parent(cell.region), path, cell)
        self.lowering.builder.take(node)
        self.consume(node, cell)
        return Place(node.region, node.slot, None, (node,), stream=node)

    def _batch(self, scope: Scope, expression: Batch, path: str) -> Place:
        cell = self.cell(scope, expression.base, path)
        axis = f"{scope.path}.{expression.name}"
        node = BatchNode(_parent(cell.region), axis, cell, expression.size)
        self.lowering.builder.take(node)
        self.consume(node, cell)
        node.child = self.lowering.builder.add_region(node.region, axis, node)
        self.lowering.regions[expression] = node.child
        node.value_slot = node.child.new_slot()
        return Place(node.child, node.value_slot, None, (), checked=True)


def _parent(region: Region) -> Region:
    assert region.parent is not None  # what carries an axis is not in the root region
    return region.parent
