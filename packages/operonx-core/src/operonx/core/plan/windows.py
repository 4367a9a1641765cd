"""Windows that could deadlock, found in the plan and dropped.

A window holds a generator back until items close. Where an item can only close after its own
stream has ended, also by way of other windows, holding back would wait for ever. Such a stream is
one whose end and whose items lie on one cycle of "must come before"; it has no window.
"""

from __future__ import annotations

from collections.abc import Iterator

from operonx.core.plan.components import components
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
    component = components(order.edges)
    for region in plan.regions:
        if region.owner is not None:
            region.window = component[order.end(region)] != component[order.close(region)]
    for (_, stream), (drained, held) in order.drained.items():
        # The same window, as one who reads the stream to its end sees it.
        if any(component[vertex] == component[drained] for vertex in held):
            stream.cell.region.window = False


class _Before:
    """What must have happened before what.

    The vertices are the nodes by id, then for each region the end of its streams, the closing of
    their items, and one more item coming; then for each zip and side one more item of that side,
    and for each op that reads several streams and each of these its end while it is being read.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.edges: list[list[int]] = [[] for _ in range(len(plan.nodes) + 3 * len(plan.regions))]
        self.readers: dict[StreamNode, list[CallNode]] = {}
        self.exits: dict[tuple[Node, Region], Node] = {}
        self.zip_cells: dict[Region, list[CellNode]] = {}
        """Cells that zips take, by region."""
        self.sides: dict[CellNode, int] = {}
        """The vertices of one more item of a zip's side."""
        self.drained: dict[tuple[Node, StreamNode], tuple[int, list[int]]] = {}
        """For each stream of an op that reads several: its vertex, what its window waits for."""
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
        for (_, stream), (drained, held) in self.drained.items():
            held.extend(self._held_besides(stream))
            self.edges[drained] += [*held, *self._ends_after(stream)]

    def _take_in(self, node: Node) -> None:
        if isinstance(node, CallNode):
            self._take_in_reader(node)
        if isinstance(node, ExitNode):
            self.exits[node.consumer, node.ended] = node
        for cell in node.cells if isinstance(node, ZipNode) else ():
            self.zip_cells.setdefault(cell.region, []).append(cell)
            self.sides[cell] = len(self.edges)
            self.edges.append([])

    def _take_in_reader(self, node: CallNode) -> None:
        streams = dict.fromkeys(node.streams.values())
        for stream in streams:
            self.readers.setdefault(stream, []).append(node)
            if len(streams) > 1:
                self.drained[node, stream] = (len(self.edges), [])
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

    def _held_besides(self, stream: StreamNode) -> Iterator[int]:
        """Yield what keeps items of a stream open while its own items are being read."""
        region = stream.cell.region
        return (one for one in self.edges[self.close(region)] if one != stream.cell.id)

    def _ends_after(self, stream: StreamNode) -> Iterator[int]:
        """Yield what a stream's end comes after, besides its window."""
        region = stream.cell.region
        held_end = self.exits.get((stream, region))
        if held_end is not None:
            yield held_end.id
        yield from (one for one in self.edges[self.end(region)] if one != self.close(region))

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
                yield from (self.heard_end(stream, stream.cell) for stream in node.streams.values())
            case _:
                pass

    def _before_cell(self, cell: CellNode) -> Iterator[int]:
        # A cell is held until its consumer takes it.
        match cell.consumer:
            case StreamNode() as stream:
                for reader in self.readers.get(stream, ()):
                    # It must have begun, and not be held back itself.
                    yield from (pred.id for pred in reader.hard)
                    # It may read its other streams to their ends first, in whatever order.
                    for first in reader.streams.values():
                        if first is not stream:
                            yield self.drained[reader, first][0]
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
            going_on.extend(
                self.heard_end(stream, stream.cell) for stream in owner.streams.values()
            )
        elif isinstance(owner, BatchNode):
            going_on.append(self.heard_end(owner, owner.cell))
        elif isinstance(owner, ZipNode):
            going_on.extend(self.sides[cell] for cell in owner.cells)
        if isinstance(owner, LoopNode):
            end.append(owner.done.id)
            going_on.append(owner.done.id)
        elif isinstance(owner, GeneratorNode):
            end.extend(self.heard_end(stream, stream.cell) for stream in owner.streams.values())
        elif isinstance(owner, ZipNode | BatchNode):
            cells = owner.cells if isinstance(owner, ZipNode) else [owner.cell]
            end.extend(self.heard_end(owner, cell) for cell in cells)
