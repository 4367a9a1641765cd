"""What becomes of streams: lists, batches, and the streams themselves as values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from operonx.core.plan.nodes import BatchNode, CellNode, CollectNode, Region, StreamNode
from operonx.core.plan.places import Place

if TYPE_CHECKING:
    from operonx.core.expressions.refs import Batch
    from operonx.core.plan.lowering import Lowering

__all__ = ["add_cell", "batch_place", "collected", "consume", "stream_place"]


def add_cell(lowering: Lowering, place: Place, path: str) -> CellNode:
    """Make the part of each item in what becomes of a stream of such values."""
    cell = CellNode(place.region, path, place.reader(place.region))
    lowering.builder.take(cell, place.needs)
    return cell


def consume(node: Any, cell: CellNode) -> None:
    """Let a node of the region around take a cell's part of every item."""
    cell.consumer = node
    waiters = cell.region.waiters
    # Only a zip takes several cells, one after the other.
    if not waiters or waiters[-1] is not node:
        waiters.append(node)


def collected(
    lowering: Lowering,
    place: Place,
    levels: int,
    path: str,
    *,
    flatten: bool,
    for_result: bool = False,
) -> Place:
    """Collect `levels` axes off a value, into one flat list or into nested ones."""
    for level in range(levels):
        cell = add_cell(lowering, place, path)
        outer = _parent(cell.region)
        node = CollectNode(outer, path, cell, flatten=flatten and level > 0)
        node.for_result = for_result
        lowering.builder.take(node)
        consume(node, cell)
        place = Place(outer, node.slot, None, (node,), checked=True)
    return place


def stream_place(lowering: Lowering, items: Place, path: str) -> Place:
    """Hand a stream itself on, as one value."""
    cell = add_cell(lowering, items, path)
    node = StreamNode(_parent(cell.region), path, cell)
    lowering.builder.take(node)
    consume(node, cell)
    return Place(node.region, node.slot, None, (node,), stream=node)


def batch_place(lowering: Lowering, items: Place, batch: Batch, axis: str, path: str) -> Place:
    """Make lists of a stream's values: a stream of its own, whose axis has the path `axis`."""
    cell = add_cell(lowering, items, path)
    node = BatchNode(_parent(cell.region), axis, cell, batch.size)
    lowering.builder.take(node)
    consume(node, cell)
    node.child = lowering.builder.add_region(node.region, axis, node)
    lowering.regions[batch] = node.child
    node.value_slot = node.child.new_slot()
    return Place(node.child, node.value_slot, None, (), checked=True)


def _parent(region: Region) -> Region:
    assert region.parent is not None  # what carries an axis is not in the root region
    return region.parent
