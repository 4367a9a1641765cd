"""Nodes joined into a plan: signals counted, gates between regions made.

A node waits for all its hard predecessors, those in its own region and those around it. What is
skipped outside a stream is skipped there **as a whole**, once, and not item by item; so a node
with predecessors around its region has a *gate* in the region around: an `AllNode` that fires
unless the node is skipped as a whole there. Only the gate links into the stream.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from operonx.core.plan.implied import Implied
from operonx.core.plan.nodes import (
    AllNode,
    AnyNode,
    ArmNode,
    BatchNode,
    ChoiceNode,
    CollectNode,
    ExitNode,
    Node,
    Region,
    StreamNode,
    WaitNode,
    ZipNode,
)

if TYPE_CHECKING:
    from operonx.core.plan.guards import Guard

__all__ = ["PlanBuilder"]


class PlanBuilder:
    """Takes nodes in an order in which they can be decided, and links them at the end."""

    def __init__(self) -> None:
        self.regions: list[Region] = []
        self.nodes: list[Node] = []
        self.guard: Guard | None = None
        """The guard of what is added now."""
        self._gates: dict[tuple[int, frozenset[Node]], Node] = {}
        self._implied = Implied()

    def add_region(self, parent: Region | None, axis: str, owner: Node | None) -> Region:
        """Make a region."""
        region = Region(len(self.regions), parent, axis, owner)
        self.regions.append(region)
        return region

    @contextmanager
    def guarded(self, guard: Guard | None) -> Generator[None]:
        """Put what is added meanwhile under a guard, if there is one."""
        outer, self.guard = self.guard, guard or self.guard
        yield
        self.guard = outer

    def take(self, node: Node, needs: Iterable[Node] = (), after: Iterable[Node] = ()) -> None:
        """Take a node in.

        Args:
            node: The node.
            needs: Nodes in its region or around it that must fire.
            after: Nodes in its region that must be decided.
        """
        node.id = len(self.nodes)
        node.index = len(node.region.nodes)
        node.region.nodes.append(node)
        node.region.pending.append(0)
        node.guard = self.guard
        node.hard = list(dict.fromkeys(needs))
        for other in dict.fromkeys(after):
            other.after.append(node)
            node.waits += 1
        self.nodes.append(node)

    def need(self, node: Node, other: Node) -> None:
        """Let a node that was taken in wait for one more."""
        if other not in node.hard:
            node.hard.append(other)

    # -- linking

    def finish(self) -> None:
        """Make the gates and count the signals."""
        if len(self.regions) > 1:
            self._make_gates()
        targets: dict[Node, list[Node]] = {node: [] for node in self.nodes}
        for node in self.nodes:
            self._link(node, targets)
        for node in self.nodes:
            node.targets = tuple(targets[node])
            node.linked = bool(node.after or node.reports or node.inner)

    def _make_gates(self) -> None:
        for node in self.nodes:
            for pred in node.hard:
                if pred.region is not node.region:
                    self._implied.mark(pred)
        for node in list(self.nodes):
            self._add_stream_needs(node)
            self._make_gate(node)
            self._implied.add(node)

    def _add_stream_needs(self, node: Node) -> None:
        # What takes a stream in needs it to be opened, and its items' op not to be skipped whole.
        match node:
            case CollectNode(cell=cell):
                self._need_exits(node, cell.region)
                cells = [cell]
            case StreamNode(cell=cell) | BatchNode(cell=cell):
                self._add_exit(node, cell.region)
                cells = [cell]
            case ZipNode(cells=cells):
                for region in dict.fromkeys(cell.region for cell in cells):
                    self._add_exit(node, region)
            case WaitNode(cell=cell):
                self._need_exits(node, cell.region)
                self.need(node, _owner(cell.region))
                if cell.source is not None and cell.source.gate is not None:
                    self.need(node, cell.source.gate)
                return
            case _:
                return
        for cell in cells:
            self.need(node, _owner(cell.region))
            if cell.gate is not None:
                self.need(node, cell.gate)

    def _need_exits(self, node: Node, region: Region) -> None:
        """Let what takes a stream to its end wait for the graphs that it comes out of."""
        for done in _exits(node, region):
            self.need(node, done)

    def _add_exit(self, node: Node, region: Region) -> None:
        """Let what takes a stream item by item hear of its end only after those graphs'."""
        exits = list(_exits(node, region))
        if not exits:
            return
        end = ExitNode(node.region, region, node)
        self._take_for(end, [_owner(region), *exits], node)
        region.waiters[region.waiters.index(node)] = end

    def _make_gate(self, node: Node) -> None:
        region = node.region
        if region.parent is None:
            return
        if isinstance(node, AnyNode) or (isinstance(node, ChoiceNode) and not node.strict):
            options = node.members if isinstance(node, AnyNode) else node.options
            node.gate = self._any_gate(node, options)
            return
        found = {pred.gate for pred in node.hard if pred.region is region and pred.gate is not None}
        found |= set(self._outer_needs(node))
        if isinstance(node, ChoiceNode):
            owner = _owner(region)
            gates = {one.gate for one in node.strict if one.gate is not None}
            either = self._any_gate(node, node.options)
            gates |= set() if either is None else {either}
            found |= {gate for gate in gates if not self._implied.holds(owner, gate)}
        if found:
            node.gate = self._all_gate(region, frozenset(found), node)

    def _outer_needs(self, node: Node) -> list[Node]:
        outer = [pred for pred in node.hard if pred.region is not node.region]
        return [pred for pred in outer if not self._implied.holds(_owner(node.region), pred)]

    def _all_gate(self, region: Region, found: frozenset[Node], node: Node) -> Node:
        owner = _owner(region)
        key = (region.index, found)
        if key not in self._gates:
            gate = AllNode(owner.region, f"{node.path} (gate)")
            self._take_for(gate, [owner, *sorted(found, key=lambda one: one.id)], node)
            self._gates[key] = gate
        return self._gates[key]

    def _any_gate(self, node: Node, options: Iterable[Node]) -> Node | None:
        gates = [option.gate for option in options]
        known = [gate for gate in gates if gate is not None]
        if not known or len(known) < len(gates):
            return None
        if len(set(known)) == 1:
            return known[0]
        gate = AnyNode(known[0].region, f"{node.path} (gate)", list(dict.fromkeys(known)))
        self._take_for(gate, (), node)
        for number, member in enumerate(gate.members):
            member.reports.append((gate, number))
        return gate

    def _take_for(self, made: Node, needs: Iterable[Node], node: Node) -> None:
        """Take in what linking makes for a node, where that stands."""
        self.take(made, needs)
        made.guard = node.guard
        self._make_gate(made)
        self._implied.mark(made)
        self._implied.add(made)

    def _link(self, node: Node, targets: dict[Node, list[Node]]) -> None:
        region = node.region
        count = node.waits
        # A branch speaks to its arms itself, one by one.
        for pred in () if isinstance(node, ArmNode) else node.hard:
            if pred.region is region:
                targets[pred].append(node)
                count += 1
        strict = isinstance(node, ChoiceNode) and bool(node.strict)
        if node.gate is not None and (strict or self._outer_needs(node)):
            node.gate.inner.append(node)
            region.outer.append((node.gate, node))
            count += 1
        if region.owner is not None:
            (node.gate or region.owner).covers.append(node)
        region.pending[node.index] = count
        if not count:
            region.roots.append(node)


def _exits(node: Node, region: Region) -> Iterator[Node]:
    """Yield what ends the graphs between a stream and its reader that contain their failures.

    Such a graph has the end of a stream that opened at its own context only if it ends well itself.
    """
    around = set(_outwards(node.guard))
    for guard in _outwards(_owner(region).guard):
        if guard in around:
            return
        if guard.contains and guard.done is not None and guard.done.region is node.region:
            yield guard.done


def _outwards(guard: Guard | None) -> Iterator[Guard]:
    """Yield a guard and those around it."""
    while guard is not None:
        yield guard
        guard = guard.outer


def _owner(region: Region) -> Node:
    assert region.owner is not None  # only the root has none, and no stream is of the root
    return region.owner
