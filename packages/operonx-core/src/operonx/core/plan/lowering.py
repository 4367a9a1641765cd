"""A built graph becomes a plan: nested graphs flattened, refs and edges turned into nodes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from operonx.core.errors import EngineError
from operonx.core.expressions.evaluation import Evaluate, compile_expression
from operonx.core.expressions.refs import (
    Binary,
    Choice,
    Chosen,
    Constant,
    ErrorRef,
    Expression,
    IterationRef,
    ParentRef,
    PortRef,
    lift,
    walk,
)
from operonx.core.graph.analysis import Analysis, Axes, expressions_of, op_leaves
from operonx.core.graph.branches import BranchOp, SwitchOp
from operonx.core.graph.graph import Edge, GraphOp
from operonx.core.graph.loops import LoopOp
from operonx.core.graph.zips import ZipOp
from operonx.core.ops.base import Op
from operonx.core.ops.function import FuncOp
from operonx.core.ops.policies import UNSET
from operonx.core.plan.guards import Guard
from operonx.core.plan.links import PlanBuilder
from operonx.core.plan.nodes import (
    AllNode,
    AnyNode,
    Argument,
    ArmNode,
    BranchNode,
    CallNode,
    CellNode,
    ChoiceNode,
    DoneNode,
    EndNode,
    EnterNode,
    FailedNode,
    GeneratorNode,
    LoopNode,
    LoopWrite,
    MarkNode,
    Node,
    OutputNode,
    Plan,
    Region,
    WaitNode,
    ZipNode,
    ZipPortNode,
)
from operonx.core.plan.places import Place, Values
from operonx.core.plan.windows import drop_deadlocking_windows

__all__ = ["Lowering", "Scope", "compile_plan"]


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


@dataclass(slots=True, eq=False)
class Scope:
    """One graph while its ops are lowered."""

    graph: GraphOp
    analysis: Analysis
    path: str
    base: Axes
    """Axes of everything in the graph, absolute."""
    enter: Node | None
    """What ops without predecessors wait for."""
    parents: dict[str, Place] = field(default_factory=dict[str, Place])
    """Where the graph's inputs are."""
    edges: dict[Op, list[Edge]] = field(default_factory=dict[Op, list[Edge]])
    arms: dict[Op, list[Node]] = field(default_factory=dict[Op, list[Node]])
    """What branches say of their targets."""
    routed: set[Op] = field(default_factory=set[Op])
    """Ops whose error is read."""
    raced: set[Op] = field(default_factory=set[Op])
    """Ops that only a race reads."""
    exits: dict[Op, DoneNode] = field(default_factory=dict[Op, DoneNode])
    """Graphs that hand on only what has ended well."""
    first: int = 0
    """The number of the graph's first node."""

    def implies_start(self, node: Node) -> bool:
        """Return whether a node can only fire where the graph has."""
        # A choice may fall back on what the graph knows nothing of.
        return node.id >= self.first and not isinstance(node, ChoiceNode | AnyNode | OutputNode)


def _new_scope(graph: GraphOp, path: str, base: Axes, enter: Node | None) -> Scope:
    analysis = graph.analysis
    assert analysis is not None  # a built graph's inner graphs are built
    scope = Scope(graph, analysis, path, base, enter)
    for edge in graph.edges:
        scope.edges.setdefault(edge.target, []).append(edge)
    readers: dict[Op, int] = {}
    races: dict[Op, int] = {}
    for expression in _all_expressions(graph, analysis):
        for part in walk(expression):
            if isinstance(part, ErrorRef):
                scope.routed.add(part.op)
            if isinstance(part, PortRef):
                readers[part.op] = readers.get(part.op, 0) + 1
            if isinstance(part, Chosen) and part.choice.race:
                for option in part.options():
                    if isinstance(option, PortRef):
                        races[option.op] = races.get(option.op, 0) + 1
    followed = {edge.source for edge in graph.edges}
    scope.raced = {op for op, n in races.items() if readers[op] == n and op not in followed}
    return scope


def _all_expressions(graph: GraphOp, analysis: Analysis) -> Iterable[Expression]:
    for op in graph.ops:
        yield from expressions_of(op)
    for writes in analysis.writers.values():
        for write in writes:
            yield write.expression


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
        scope = _new_scope(graph, graph.name, (), None)
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

    def _own_region(self, scope: Scope, op: Op) -> Region:
        return self.region_of(scope.base + scope.analysis.axes.get(op, ()))

    def _lower_result(self, scope: Scope, key: str) -> OutputNode:
        place = self.values.output(scope.graph, key)
        levels = len(scope.analysis.output_axes[key])
        place = self.values.collect_levels(
            place, levels, scope.path, flatten=False, for_result=True
        )
        node = OutputNode(self.root, scope.path, key, place.reader(self.root))
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
                self.values.open_batches(scope, expression, self._path(scope, op))
            match op:
                case FuncOp():
                    self._lower_call(scope, op)
                case BranchOp():
                    self._lower_branch(scope, op)
                case ZipOp():
                    self._lower_zip(scope, op)
                case LoopOp():
                    yield from self._lower_loop(scope, op)
                case GraphOp():
                    yield from self._lower_graph(scope, op)
                case _:
                    raise EngineError(f"nothing runs an op of kind `{op.kind}`")
        self.spans[scope.graph] = (first, len(self.builder.nodes))

    def _path(self, scope: Scope, op: Op) -> str:
        return f"{scope.path}.{op.name}"

    def _needs(self, scope: Scope, op: Op, needs: Iterable[Node]) -> list[Node]:
        """Add to what an op's refs need its edges and branches, or the graph's start."""
        region = self._own_region(scope, op)
        found = list(needs)
        read = {source for expression in expressions_of(op) for _, source in op_leaves(expression)}
        soft: list[Node] = []
        for edge in scope.edges.get(op, ()):
            if isinstance(edge.source, GraphOp) and edge.source in read:
                continue  # reading a port of a graph says all that the edge would
            node = self._edge_source(scope, edge.source, region)
            if node is not None:
                (soft if edge.soft else found).append(node)
        found.extend(scope.arms.get(op, ()))
        if soft:
            found.append(self._soft_group(self._path(scope, op), region, soft))
        if scope.enter is not None and not any(scope.implies_start(node) for node in found):
            found.append(scope.enter)
        return found

    def _soft_group(self, path: str, region: Region, sources: list[Node]) -> Node:
        members: list[Node] = []
        for source in dict.fromkeys(sources):
            member = source
            if source.region is not region:
                member = AllNode(region, path)
                self.builder.take(member, [source])
            members.append(member)
        group = AnyNode(region, path, members)
        self.builder.take(group)
        for number, member in enumerate(members):
            member.reports.append((group, number))
        return group

    def _finish_op(self, scope: Scope, op: Op, node: Node) -> None:
        """Note an op's node, and make the one for its error if that is read."""
        self.nodes[op] = node
        node.may_lose = op in scope.raced
        if op in scope.routed:
            failed = FailedNode(node)
            self.builder.take(failed, node.hard)
            node.failed = failed
            self.failed[op] = failed

    def _lower_call(self, scope: Scope, op: FuncOp) -> None:
        region = self._own_region(scope, op)
        path = self._path(scope, op)
        kind = GeneratorNode if op.signature.is_generator else CallNode
        node = kind(region, path, op)
        needs: list[Node] = []
        for name, expression in op.inputs.items():
            place = self._argument_place(scope, region, expression, path)
            local = place.slot if place.region is region and not place.checked else None
            node.arguments.append(Argument(name, local, place.reader(region)))
            needs.extend(place.needs)
            if place.stream is not None:
                place.stream.readers += 1
                node.streams.append(place.stream)
        self.builder.take(node, self._needs(scope, op, needs))
        if isinstance(node, GeneratorNode):
            self._lower_generator(op, node)
        else:
            self._add_ports(node, region, op)
        self._finish_op(scope, op, node)

    def _argument_place(
        self, scope: Scope, region: Region, expression: Expression, path: str
    ) -> Place:
        if isinstance(expression, Constant):
            return Place(region, region.new_slot(expression.value), None, ())
        return self.values.place(scope, expression, path)

    @staticmethod
    def _add_ports(node: CallNode, region: Region, op: FuncOp) -> None:
        if op.ports is None:
            node.open_slot = region.new_slot()
        else:
            node.outputs = {port.name: region.new_slot() for port in op.ports}

    def _lower_generator(self, op: FuncOp, node: GeneratorNode) -> None:
        node.child = self.builder.add_region(node.region, node.path, node)
        self.regions[op] = node.child
        self._add_ports(node, node.child, op)
        node.final = {port.name: node.region.new_slot() for port in op.final}
        node.end = EndNode(node.region, node.path, node)
        self.builder.take(node.end, [node])

    def _lower_branch(self, scope: Scope, op: BranchOp) -> None:
        region = self._own_region(scope, op)
        path = self._path(scope, op)
        node = BranchNode(region, path, op)
        needs: list[Node] = []

        def compiled(expression: Expression) -> Evaluate:
            evaluate, found = self.values.compile(scope, expression, region, path)
            needs.extend(found)
            return evaluate

        arms: list[tuple[Any, list[Op]]] = []
        if isinstance(op, SwitchOp):
            node.subject = compiled(op.subject)
        for arm in op.arms:
            condition: Any = None
            if isinstance(arm.condition, Binary) and isinstance(op, SwitchOp):
                condition = _case(arm.condition)
            elif arm.condition is not None:
                condition = compiled(arm.condition)
            arms.append((condition, arm.resolved()))
        self.builder.take(node, self._needs(scope, op, needs))
        self._finish_op(scope, op, node)
        made: dict[Op, ArmNode] = {}
        for condition, targets in arms:
            for target in targets:
                if target not in made:
                    made[target] = ArmNode(node, target.name)
                    self.builder.take(made[target], [node])
                    scope.arms.setdefault(target, []).append(made[target])
            names = [target.name for target in targets]
            node.arms.append((condition, names, {made[target] for target in targets}))

    def _lower_zip(self, scope: Scope, op: ZipOp) -> None:
        region = self._own_region(scope, op)
        path = self._path(scope, op)
        node = ZipNode(region, path, op)
        for side, expression in enumerate(op.inputs.values()):
            cell = self.values.cell(scope, expression, path)
            cell.side = side
            node.cells.append(cell)
        self.builder.take(node, self._needs(scope, op, ()))
        for cell in node.cells:
            self.values.consume(node, cell)
        node.child = self.builder.add_region(region, path, node)
        self.regions[op] = node.child
        for name in op.inputs:
            port = ZipPortNode(node.child, f"{path}.{name}")
            self.builder.take(port)
            node.ports.append(port)
        self._finish_op(scope, op, node)

    # -- nested graphs

    def _bindings(self, scope: Scope, op: GraphOp, path: str) -> dict[str, Place]:
        """Return where the inputs of a nested graph are, seen from outside it."""
        places: dict[str, Place] = {}
        analysis = op.analysis
        assert analysis is not None  # built, as it was left
        for key, given in analysis.inputs.items():
            expression = op.inputs.get(key, Constant(given.default))
            places[key] = self.values.place(scope, expression, path)
        return places

    def _lower_graph(self, scope: Scope, op: GraphOp) -> Iterator[Scope]:
        region = self._own_region(scope, op)
        path = self._path(scope, op)
        places = self._bindings(scope, op, path)
        needs = self._needs(scope, op, [need for place in places.values() for need in place.needs])
        base = scope.base + scope.analysis.axes.get(op, ())
        guard = self._guard(scope, op, region)
        plain = guard is None and op.policies.concurrency is None
        inner = _new_scope(op, path, base, None)
        distinct = list(dict.fromkeys(needs))
        local = all(node.region is region for node in distinct)
        bare = all(_is_bare(place) for place in places.values())
        if plain and bare and local and len(distinct) <= 1:
            # Such a graph costs nothing: its ops wait for what it would wait for.
            inner.enter = distinct[0] if distinct else scope.enter
            holder = inner.enter
            if holder is None or holder.region is not region:
                holder = region.owner
            if holder is not None:
                holder.covers.append(MarkNode(region, path, op))
            inner.parents = places
            yield inner
            self._keep_outputs(inner)
            return
        enter = EnterNode(region, path, op)
        self.builder.take(enter, needs)
        enter.own_guard = guard
        inner.enter = enter
        inner.parents = {
            key: place if _is_bare(place) else Place(region, slot, None, ())
            for (key, place), slot in zip(
                places.items(), self._input_slots(enter, places), strict=True
            )
        }
        self._finish_op(scope, op, enter)
        outer_guard, self.builder.guard = self.builder.guard, guard or self.builder.guard
        yield inner
        self._keep_outputs(inner)
        if not plain:
            enter.done = self._done(scope, op)
            enter.done.own_guard = guard
            if guard is not None:
                guard.done = enter.done
            enter.done.enter = enter
            if guard is not None and guard.contains:
                scope.exits[op] = enter.done
        self.builder.guard = outer_guard

    @staticmethod
    def _input_slots(enter: EnterNode, places: dict[str, Place]) -> list[int]:
        slots: list[int] = []
        for place in places.values():
            slot = -1
            if not _is_bare(place):
                slot = enter.region.new_slot()
                enter.inputs.append((slot, place.reader(enter.region)))
            slots.append(slot)
        return slots

    def _keep_outputs(self, scope: Scope) -> None:
        """Make all outputs now, so that they belong to the graph's own nodes."""
        for key in scope.analysis.writers:
            self.values.output(scope.graph, key)
        first, _ = self.spans[scope.graph]
        self.spans[scope.graph] = (first, len(self.builder.nodes))

    def _guard(self, scope: Scope, op: GraphOp, region: Region) -> Guard | None:
        contains = op.policies.on_error == "skip" or op in scope.routed or op in scope.raced
        if not contains and op.policies.timeout is None:
            return None
        return Guard(op, self.builder.guard, region, region.new_slot(), contains)

    def _done(self, scope: Scope, op: GraphOp) -> DoneNode:
        """Return the node that fires once everything in a nested graph is decided."""
        if op not in self.done:
            region = self._own_region(scope, op)
            done = DoneNode(region, self._path(scope, op))
            enter = self.scopes[op].enter
            needs = [enter] if enter is not None else []
            self._take_done(op, done, needs)
            self.done[op] = done
        return self.done[op]

    def _take_done(self, op: GraphOp, done: DoneNode, needs: Iterable[Node]) -> None:
        """Take in a node that is decided last of all in a graph, and so speaks for all of it."""
        waits = len(self.builder.nodes)
        self.builder.take(done, needs, self._sinks(op, done.region))
        for first, past in (self.spans[op], (waits, done.id)):
            if first < past:
                self.closed[first] = past

    def _sinks(self, op: GraphOp, region: Region) -> list[Node]:
        """Return nodes of `region` such that once they are decided all of a graph is."""
        by_region: dict[Region, list[Node]] = {}
        for node in self._open_nodes(op):
            at: Region | None = node.region
            while at is not None and at not in by_region:
                by_region[at] = []
                at = at.parent
            by_region[node.region].append(node)
        # Deepest first: what happens in items is over when a wait in the region around is.
        for inner in sorted(by_region, key=lambda one: -one.depth):
            if inner is region or not region.holds(inner):
                continue
            wait = self._wait_for_end(inner, _without_followed(by_region[inner]), op.name)
            by_region[wait.region].append(wait)
        return _without_followed(by_region.get(region, []))

    def _open_nodes(self, op: GraphOp) -> Iterator[Node]:
        """Yield a graph's nodes, without those that the `DoneNode` of a graph inside speaks for."""
        number, last = self.spans[op]
        while number < last:
            past = self.closed.get(number)
            if past is None:
                yield self.builder.nodes[number]
            number = number + 1 if past is None else past

    def _wait_for_end(self, region: Region, after: Iterable[Node], path: str) -> WaitNode:
        """Make a node around `region` that waits for the end of the stream and for `after`."""
        cell = CellNode(region, path, None)
        self.builder.take(cell, (), after)
        assert region.parent is not None  # only streams are waited for
        wait = WaitNode(region.parent, path, cell)
        self.builder.take(wait)
        self.values.consume(wait, cell)
        return wait

    def _edge_source(self, scope: Scope, source: Op, region: Region) -> Node | None:
        """Return what an edge from `source` into `region` waits for; None if nothing more."""
        own = self._own_region(scope, source)
        child = self.regions.get(source)
        if child is not None and child.holds(region):
            return None  # inside the stream that the source opened
        node: Node = self._ended(scope, source)
        after = node
        while not own.holds(region):
            node = self._wait_for_end(own, [after], source.name)
            node.cell.source = after
            after = node
            own = node.region
        return node

    def _ended(self, scope: Scope, source: Op) -> Node:
        node = self.nodes.get(source)
        match node:
            case GeneratorNode() | LoopNode():
                return node.end
            case ZipNode():
                return self._wait_for_end(node.child, node.ports, node.path)
            case CallNode() | BranchNode():
                return node
            case _:
                assert isinstance(source, GraphOp)  # every other kind has a node
                return self._done(scope, source)

    # -- loops

    def _lower_loop(self, scope: Scope, op: LoopOp) -> Iterator[Scope]:
        region = self._own_region(scope, op)
        path = self._path(scope, op)
        node = LoopNode(region, path, op)
        places = self._bindings(scope, op, path)
        node.inputs = [(key, place.reader(region)) for key, place in places.items()]
        needs = [need for place in places.values() for need in place.needs]
        self.builder.take(node, self._needs(scope, op, needs))
        node.own_guard = self._guard(scope, op, region)
        node.child = self.builder.add_region(region, path, node)
        self.regions[op] = node.child
        body = _new_scope(op, path, (*scope.base, *scope.analysis.axes.get(op, ()), op), None)
        for key in op.states:
            node.state_slots[key] = node.child.new_slot()
            node.after_slots[key] = node.child.new_slot()
            body.parents[key] = Place(node.child, node.state_slots[key], None, ())
        node.end = EndNode(region, path, node)
        self.builder.take(node.end, [node])
        self.nodes[op] = node
        self._finish_op(scope, op, node)
        outer_guard, self.builder.guard = self.builder.guard, node.own_guard or self.builder.guard
        yield body
        self._lower_body_outputs(body, node)
        self.builder.guard = outer_guard
        node.done = DoneNode(node.child, path)
        node.done.loop = node
        self._take_done(op, node.done, ())
        node.until = self._compile_until(op, node)

    def _lower_body_outputs(self, body: Scope, node: LoopNode) -> None:
        for key in [*node.op.states, *body.analysis.writers]:
            if key not in node.outputs:
                node.outputs[key] = node.region.new_slot()
        position = {op: index for index, op in enumerate(body.graph.ops)}
        states = [
            (_first_position(write.expression, position), key, write.expression)
            for key, writes in body.analysis.writers.items()
            if key in node.op.states
            for write in writes
        ]
        for _, key, expression in sorted(states, key=lambda one: one[0]):
            place = self.values.place(body, expression, body.path)
            levels = place.region.depth - node.child.depth
            output = self._body_output(body, node, key, place, flatten=True)
            node.writes.append(LoopWrite(key, output.slot, levels > 0))
        for key in body.analysis.writers:
            if key not in node.op.states:
                place = self.values.output(body.graph, key)
                output = self._body_output(body, node, key, place, flatten=False)
                node.body_outputs[key] = output.slot
                node.output_ends[key] = EndNode(node.region, node.path, node)
                self.builder.take(node.output_ends[key], [node])
        first, _ = self.spans[body.graph]
        self.spans[body.graph] = (first, len(self.builder.nodes))

    def _body_output(
        self, body: Scope, node: LoopNode, key: str, place: Place, *, flatten: bool
    ) -> OutputNode:
        levels = place.region.depth - node.child.depth
        place = self.values.collect_levels(place, levels, body.path, flatten=flatten)
        output = OutputNode(node.child, body.path, key, place.reader(node.child))
        output.owner_region = node.region
        node.child.slots[output.slot] = UNSET
        self.builder.take(output, place.needs)
        return output

    def _compile_until(self, op: LoopOp, node: LoopNode) -> Evaluate:
        assert op.until is not None  # validation bound it

        def leaf(part: Expression) -> Evaluate | None:
            match part:
                case IterationRef():
                    return lambda inst: inst.index
                case ParentRef(key=key) if key in node.after_slots:
                    slot = node.after_slots[key]
                    return lambda inst: inst.slots[slot]
                case ParentRef(key=key):
                    return _set_slot(node.body_outputs[key], key)
                case _:
                    return None

        return compile_expression(op.until, leaf)

    # -- races

    def note_race(self, node: ChoiceNode, choice: Choice) -> None:
        """Note for each option the nodes that nothing but this race waits for."""
        for option in choice.options:
            ref = lift(option)
            ops = [source for _, source in op_leaves(ref)]
            lost = [self.nodes[op] for op in ops if op in self.nodes and self.nodes[op].may_lose]
            node.losers.append(tuple(lost))


def _case(condition: Binary) -> Any:
    assert isinstance(condition.right, Constant)  # `switch` made it so
    return condition.right.value


def _is_bare(place: Place) -> bool:
    return place.slot is not None and not place.checked


def _without_followed(nodes: list[Node]) -> list[Node]:
    """Leave out nodes that another one of the list waits for."""
    region_nodes = set(nodes)
    followed = {pred for node in nodes for pred in node.hard if pred in region_nodes}
    return [node for node in nodes if node not in followed]


def _first_position(expression: Expression, position: dict[Op, int]) -> int:
    return min((position.get(op, 0) for _, op in op_leaves(expression)), default=-1)


def _set_slot(slot: int, key: str) -> Evaluate:
    def read(inst: Any) -> Any:
        value = inst.slots[slot]
        if value is UNSET:
            raise KeyError(f"output `{key}` was skipped in iteration {inst.index}")
        return value

    return read
