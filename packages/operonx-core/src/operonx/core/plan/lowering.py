"""A built graph becomes a plan: the walk over its ops, and those of the graphs in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from operonx.core.errors import EngineError
from operonx.core.graph.analysis import expressions_of
from operonx.core.graph.branches import BranchOp
from operonx.core.graph.graph import GraphOp
from operonx.core.graph.loops import LoopOp
from operonx.core.graph.zips import ZipOp
from operonx.core.ops.function import FuncOp
from operonx.core.plan.branches import lower_branch
from operonx.core.plan.calls import lower_call
from operonx.core.plan.guards import Guard
from operonx.core.plan.links import PlanBuilder
from operonx.core.plan.loops import lower_loop
from operonx.core.plan.nested import lower_graph
from operonx.core.plan.nodes import DoneNode, FailedNode, Node, OutputNode, Plan, Region
from operonx.core.plan.places import Place
from operonx.core.plan.scopes import Scope, new_scope
from operonx.core.plan.streams import collected
from operonx.core.plan.values import Values
from operonx.core.plan.windows import drop_deadlocking_windows
from operonx.core.plan.zips import lower_zip

if TYPE_CHECKING:
    from operonx.core.graph.axes import Axes
    from operonx.core.ops.base import Op

__all__ = ["Lowering", "compile_plan"]


def compile_plan(graph: GraphOp) -> Plan:
    """Compile a built graph.

    Returns:
        The plan. It is never changed again.

    Raises:
        EngineError: If the graph is not built.
    """
    if graph.analysis is None:
        raise EngineError(f"graph `{graph.name}` is not built: leave its block first")
    return Lowering(graph).run()


class Lowering:
    """Walks the ops of all graphs in order and makes their nodes."""

    def __init__(self, graph: GraphOp) -> None:
        self.graph = graph
        self.builder: PlanBuilder = PlanBuilder()
        self.root: Region = self.builder.add_region(None, "", None)
        self.regions: dict[Any, Region] = {}
        """Regions by what opens their axis."""
        self.nodes: dict[Op, Node] = {}
        self.failed: dict[Op, FailedNode] = {}
        self.scopes: dict[GraphOp, Scope] = {}
        self.done: dict[GraphOp, DoneNode] = {}
        self.spans: dict[GraphOp, tuple[int, int]] = {}
        """The nodes of a graph: the number of the first, and past the last."""
        self.closed: dict[int, int] = {}
        """Runs of nodes that a `DoneNode` speaks for, told in the same way."""
        self.values: Values = Values(self)

    def run(self) -> Plan:
        """Lower everything."""
        graph = self.graph
        scope = new_scope(graph, graph.name, ())
        slots = {
            key: self.root.new_slot(given.default) for key, given in scope.analysis.inputs.items()
        }
        scope.parents = {key: Place(self.root, slot, None, ()) for key, slot in slots.items()}
        plan = Plan(graph, self.builder.regions, self.builder.nodes, slots)
        if graph.policies.timeout is not None or graph.policies.on_error == "skip":
            contains = graph.policies.on_error == "skip"
            plan.root_guard = Guard(graph, None, self.root, self.root.new_slot(), contains)
            self.builder.guard = plan.root_guard
        self._lower_all(scope)
        for key in scope.analysis.writers:
            plan.outputs[key] = self._lower_result(scope, key)
        self.builder.finish()
        drop_deadlocking_windows(plan)
        return plan

    def region_of(self, axes: Axes) -> Region:
        """Return the region of absolute axes."""
        return self.regions[axes[-1]] if axes else self.root

    def own_region(self, scope: Scope, op: Op) -> Region:
        """Return the region that an op fires in."""
        return self.region_of(scope.base + scope.analysis.axes.get(op, ()))

    def _lower_result(self, scope: Scope, key: str) -> OutputNode:
        place = self.values.output(scope.graph, key)
        levels = len(scope.analysis.output_axes[key])
        place = collected(self, place, levels, scope.path, flatten=False, for_result=True)
        node = OutputNode(self.root, scope.graph, scope.path, key, place.reader(self.root))
        node.is_result = True
        self.builder.take(node, place.needs)
        return node

    # -- ops

    def _lower_all(self, scope: Scope) -> None:
        """Lower a graph and those inside it, with a stack of our own: they may nest deeply."""
        stack = [self._lower_ops(scope)]
        while stack:
            inner = next(stack[-1], None)
            if inner is None:
                stack.pop()
            else:
                stack.append(self._lower_ops(inner))

    def _lower_ops(self, scope: Scope) -> Iterator[Scope]:
        """Lower the ops of one graph; yields each inner graph, to be lowered before going on."""
        self.scopes[scope.graph] = scope
        first = scope.first = len(self.builder.nodes)
        for op in scope.analysis.order:
            for expression in expressions_of(op):
                self.values.open_batches(scope, expression, scope.path_of(op))
            match op:
                case FuncOp():
                    lower_call(self, scope, op)
                case BranchOp():
                    lower_branch(self, scope, op)
                case ZipOp():
                    lower_zip(self, scope, op)
                case LoopOp():
                    yield from lower_loop(self, scope, op)
                case GraphOp():
                    yield from lower_graph(self, scope, op)
                case _:
                    raise EngineError(f"nothing runs an op of kind `{op.kind}`")
        self.spans[scope.graph] = (first, len(self.builder.nodes))

    def finish_op(self, scope: Scope, op: Op, node: Node) -> None:
        """Note an op's node, and make the one for its error if that is read."""
        self.nodes[op] = node
        node.may_lose = op in scope.raced
        if op in scope.routed:
            failed = FailedNode(node)
            self.builder.take(failed, node.hard)
            node.failed = failed
            self.failed[op] = failed
