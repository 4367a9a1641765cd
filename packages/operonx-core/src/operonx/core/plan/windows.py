"""Windows that could deadlock, found in the plan and dropped.

A window holds a generator back until items close. Where an item can only close after its own
stream has ended, also by way of other windows, holding back would wait for ever. Such a stream is
one whose end and whose items lie on one cycle of "must come before"; it has no window.
"""

from __future__ import annotations

from collections.abc import Iterator

from operonx.core.plan.nodes import (
    BatchNode,
    CallNode,
    CellNode,
    CollectNode,
    EndNode,
    ExitNode,
    FailedNode,
    GeneratorNode,
    LoopNode,
    Node,
    Plan,
    Region,
    StreamNode,
    WaitNode,
    ZipNode,
)

__all__ = ["drop_deadlocking_windows"]


def drop_deadlocking_windows(plan: Plan) -> None:
    """Set `region.window` to False where a bound on open items could wait for ever."""
    if len(plan.regions) == 1:
        return
    order = _Before(plan)
    component = order.components()
    for region in plan.regions:
        if region.owner is not None:
            region.window = component[order.end(region)] != component[order.close(region)]


class _Before:
    """What must have happened before what.

    The vertices are the nodes by id, then for each region the end of its streams, the closing of
    their items, and one more item coming; then for each zip and side one more item of that side.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.edges: list[list[int]] = [[] for _ in range(len(plan.nodes) + 3 * len(plan.regions))]
        self.readers: dict[StreamNode, list[Node]] = {}
        self.exits: dict[tuple[Node, Region], Node] = {}
        self.zip_cells: dict[Region, list[CellNode]] = {}
        """Cells that zips take, by region."""
        self.sides: dict[CellNode, int] = {}
        """The vertices of one more item of a zip's side."""
        for node in plan.nodes:
            self._take_in(node)
        for node in plan.nodes:
            self.edges[node.id].extend(self._before(node))
            for later in (*node.after, *(one for one, _ in node.reports), *node.promises):
                self.edges[later.id].append(node.id)
        for region in plan.regions:
            self._add_region(region)
        for cell, side in self.sides.items():
            # What a zip itself holds of a side does not keep that side's next item from it.
            held = [
                one.id for one in self.zip_cells[cell.region] if one.consumer is not cell.consumer
            ]
            self.edges[side] += [self.going_on(cell.region), *held]

    def _take_in(self, node: Node) -> None:
        for stream in getattr(node, "streams", ()):
            self.readers.setdefault(stream, []).append(node)
        if isinstance(node, ExitNode):
            self.exits[node.consumer, node.ended] = node
        for cell in node.cells if isinstance(node, ZipNode) else ():
            self.zip_cells.setdefault(cell.region, []).append(cell)
            self.sides[cell] = len(self.edges)
            self.edges.append([])

    def end(self, region: Region) -> int:
        """Return the vertex of the end of a region's streams."""
        return len(self.plan.nodes) + 3 * region.index

    def heard_end(self, consumer: Node, cell: CellNode) -> int:
        """Return the vertex of a stream's end as what takes its items in hears of it."""
        held = self.exits.get((consumer, cell.region))
        return self.end(cell.region) if held is None else held.id

    def close(self, region: Region) -> int:
        """Return the vertex of the closing of a region's items."""
        return len(self.plan.nodes) + 3 * region.index + 1

    def going_on(self, region: Region) -> int:
        """Return the vertex of one more item of a region's streams coming, whatever zips hold."""
        return len(self.plan.nodes) + 3 * region.index + 2

    def _before(self, node: Node) -> Iterator[int]:
        yield from (pred.id for pred in node.hard)
        if node.region.owner is not None:
            yield node.region.owner.id
        match node:
            case CollectNode(cell=cell) | WaitNode(cell=cell):
                yield cell.id
                yield self.end(cell.region)
            case ExitNode(ended=ended):
                yield self.end(ended)
            case EndNode(of=of) | FailedNode(of=of) if isinstance(of, GeneratorNode | LoopNode):
                yield self.end(of.child)
            case CellNode():
                yield from self._before_cell(node)
            case CallNode() if not isinstance(node, GeneratorNode):
                # A function is done with the streams it reads when they have ended.
                yield from (self.heard_end(stream, stream.cell) for stream in node.streams)
            case _:
                pass

    def _before_cell(self, cell: CellNode) -> Iterator[int]:
        # A cell is held until its consumer takes it.
        match cell.consumer:
            case StreamNode() as stream:
                for reader in self.readers.get(stream, ()):
                    # It must have begun, and not be held back itself.
                    yield from (pred.id for pred in reader.hard)
                    if isinstance(reader, GeneratorNode):
                        yield self.close(reader.child)
            case ZipNode(cells=cells, child=child) as zipped:
                yield zipped.id
                yield self.close(child)
                for other in cells:
                    if other is not cell:
                        yield other.id
                        yield self.sides[other]
            case BatchNode(child=child) as batch:
                yield batch.id
                yield self.close(child)
            case _:
                pass

    def _add_region(self, region: Region) -> None:
        owner = region.owner
        if owner is None:
            return
        end, close = self.edges[self.end(region)], self.edges[self.close(region)]
        end.append(owner.id)
        end.append(self.close(region))  # this is the window
        close.extend(node.id for node in region.nodes)
        going_on = self.edges[self.going_on(region)]
        going_on.append(owner.id)
        # A full window lets no further item come before one is closed.
        held = set(self.zip_cells.get(region, ()))
        going_on.extend(node.id for node in region.nodes if node not in held)
        if region.parent is not None and region.parent.owner is not None:
            inside = [self.end(region), self.close(region)]
            self.edges[self.close(region.parent)] += inside
            self.edges[self.going_on(region.parent)] += inside
        if isinstance(owner, GeneratorNode):
            # One more item may take any number of those of the streams it reads.
            going_on.extend(self.heard_end(stream, stream.cell) for stream in owner.streams)
        elif isinstance(owner, BatchNode):
            going_on.append(self.heard_end(owner, owner.cell))
        elif isinstance(owner, ZipNode):
            going_on.extend(self.sides[cell] for cell in owner.cells)
        if isinstance(owner, LoopNode):
            end.append(owner.done.id)
            going_on.append(owner.done.id)
        elif isinstance(owner, GeneratorNode):
            end.extend(self.heard_end(stream, stream.cell) for stream in owner.streams)
        elif isinstance(owner, ZipNode | BatchNode):
            cells = owner.cells if isinstance(owner, ZipNode) else [owner.cell]
            end.extend(self.heard_end(owner, cell) for cell in cells)

    def components(self) -> list[int]:
        """Return for every vertex the number of its strongly connected component.

        Tarjan's algorithm (1972), with a stack of its own instead of recursion.
        """
        search = _Search(self.edges)
        for start in range(len(self.edges)):
            if search.index[start] == -1:
                search.visit(start)
        return search.component


class _Search:
    """Tarjan's depth-first search, one root at a time."""

    def __init__(self, edges: list[list[int]]) -> None:
        size = len(edges)
        self.edges = edges
        self.index = [-1] * size
        self.low = [0] * size
        self.component = [-1] * size
        self.stack: list[int] = []
        self.counter = 0
        self.found = 0

    def visit(self, start: int) -> None:
        """Search from one vertex that was not seen yet."""
        work = [self._enter(start)]
        while work:
            vertex, successors = work[-1]
            for other in successors:
                if self.index[other] == -1:
                    work.append(self._enter(other))
                    break
                if self.component[other] == -1:
                    self.low[vertex] = min(self.low[vertex], self.index[other])
            else:
                work.pop()
                if work:
                    above = work[-1][0]
                    self.low[above] = min(self.low[above], self.low[vertex])
                self._leave(vertex)

    def _enter(self, vertex: int) -> tuple[int, Iterator[int]]:
        self.index[vertex] = self.low[vertex] = self.counter
        self.counter += 1
        self.stack.append(vertex)
        return vertex, iter(self.edges[vertex])

    def _leave(self, vertex: int) -> None:
        if self.low[vertex] != self.index[vertex]:
            return
        while True:
            member = self.stack.pop()
            self.component[member] = self.found
            if member == vertex:
                break
        self.found += 1
