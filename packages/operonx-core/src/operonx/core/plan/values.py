"""Refs resolved to places; what they stand for is made on the way, once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

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
)
from operonx.core.expressions.walking import walk
from operonx.core.graph.axes import Axes, axes_of
from operonx.core.graph.graph import GraphOp
from operonx.core.graph.loops import LoopOp
from operonx.core.plan.choices import choice_place
from operonx.core.plan.nodes import (
    BranchNode,
    CallNode,
    ChoiceNode,
    GeneratorNode,
    LoopNode,
    Node,
    OutputNode,
    Region,
    ZipNode,
)
from operonx.core.plan.places import Place
from operonx.core.plan.streams import batch_place, collected, stream_place

if TYPE_CHECKING:
    from operonx.core.ops.base import Op
    from operonx.core.plan.lowering import Lowering
    from operonx.core.plan.scopes import Scope

__all__ = ["Values"]


@dataclass(slots=True, eq=False)
class Values:
    """Resolves the expressions of a graph; what a ref stands for is made once."""

    lowering: Lowering
    choices: dict[Choice | OrElse, ChoiceNode] = field(
        default_factory=dict[Choice | OrElse, ChoiceNode]
    )
    """The nodes that take an option."""
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
                options = (base, other)
                return choice_place(self.lowering, scope, expression, expression, options, path)
            case Chosen(choice=choice):
                given = expression.options()
                return choice_place(self.lowering, scope, expression, choice, given, path)
            case Collect(base=base):
                levels = len(self.axes(scope, base)) - len(self.axes(scope, expression))
                items = self.place(scope, base, path)
                return collected(self.lowering, items, levels, path, flatten=True)
            case StreamOf(base=base):
                return stream_place(self.lowering, self.place(scope, base, path), path)
            case Batch(base=base):
                axis = f"{scope.path}.{expression.name}"
                items = self.place(scope, base, path)
                return batch_place(self.lowering, items, expression, axis, path)
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
        node = OutputNode(region, graph, scope.path, key, place.reader(region))
        node.owner_region = own
        self.lowering.builder.take(node, place.needs)
        return Place(region, node.slot, None, (node,))

    def _iterations(self, loop: LoopOp, port: str) -> Place:
        node = self.lowering.nodes[loop]
        assert isinstance(node, LoopNode)  # a loop's node is one
        if port in node.after_slots:
            return Place(node.child, node.after_slots[port], None, (node.done,))
        return self.output(loop, port)
