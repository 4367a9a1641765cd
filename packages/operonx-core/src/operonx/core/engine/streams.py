"""What becomes of a stream in the region around it: a list, a wait, batches, pairs, itself.

Every item has a *cell* for each of these; firing it hands the item's part over. Those that open
streams of their own, or hand items on one by one, may *hold* a cell, which keeps its item open and
so, through the window, holds the generator back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from operonx.core.engine.batches import Batches
from operonx.core.engine.collecting import collect_ended, take_collect, take_wait, wait_ended
from operonx.core.engine.feeds import End, Feed
from operonx.core.engine.zips import Pairs
from operonx.core.plan.nodes import (
    BatchNode,
    CellNode,
    CollectNode,
    ExitNode,
    Node,
    StreamNode,
    WaitNode,
    ZipNode,
)
from operonx.core.plan.places import Poison
from operonx.core.streaming import Stream

if TYPE_CHECKING:
    from operonx.core.engine.derived import Derived
    from operonx.core.engine.scheduler import Run
    from operonx.core.engine.state import MemoryState, StreamState

__all__ = [
    "CONSUMERS",
    "derived_of",
    "feed_of",
    "fire_cell",
    "fire_derived",
    "fire_stream",
    "skip_cell",
    "skip_derived",
    "skip_waiters",
]


def fire_cell(run: Run, inst: MemoryState, cell: CellNode) -> None:
    """Hand an item's part to its consumer."""
    value: Any = None
    if cell.evaluate is not None:
        try:
            value = cell.evaluate(inst)
        except Exception as error:  # noqa: BLE001 - raised to whoever reads the value
            value = Poison(error)
    if not cell.consumer.take(run, inst, cell, True, value):
        run.fired(inst, cell)


def skip_cell(run: Run, inst: MemoryState, cell: CellNode, _heard: int, _reason: Any) -> None:
    """Tell the consumer that an item's part was skipped."""
    cell.consumer.take(run, inst, cell, False, None)


# -- the stream itself


def feed_of(run: Run, parent: MemoryState, node: StreamNode) -> Feed:
    """Return the source of a stream, seen from the instance that it is handed to."""
    feed = parent.slots[node.state]
    if feed is None:
        feed = parent.slots[node.state] = Feed(run, node.readers)
    return feed  # type: ignore[no-any-return]  # slots hold anything


def _take_stream(run: Run, inst: MemoryState, cell: CellNode, fired: bool, value: Any) -> bool:
    assert inst.parent is not None  # cells are in items
    node: Any = cell.consumer
    return feed_of(run, inst.parent, node).offer(inst, cell, fired, value)


def _stream_ended(
    run: Run, stream: StreamState, node: StreamNode, ok: bool, reason: str | None
) -> None:
    feed_of(run, stream.parent, node).end(End(stream.count, ok, reason))


def fire_stream(run: Run, inst: MemoryState, node: StreamNode) -> None:
    """Hand the stream over, as it has been opened."""
    inst.slots[node.slot] = Stream(feed_of(run, inst, node))
    run.fired(inst, node)


# -- batches and pairs: streams made of streams


def derived_of(run: Run, parent: MemoryState, node: Any) -> Derived:
    """Return the batches or pairs of a node, seen from the instance that holds their stream."""
    state = parent.slots[node.state]
    if state is None:
        state = Batches(run, node) if isinstance(node, BatchNode) else Pairs(run, node)
        parent.slots[node.state] = state
    return state  # type: ignore[no-any-return]  # slots hold anything


def _take_derived(run: Run, inst: MemoryState, cell: CellNode, fired: bool, value: Any) -> bool:
    assert inst.parent is not None  # cells are in items
    return derived_of(run, inst.parent, cell.consumer).offer(inst, cell, fired, value)


def _derived_ended(run: Run, stream: StreamState, node: Any, ok: bool, reason: str | None) -> None:
    state = derived_of(run, stream.parent, node)
    cells = [node.cell] if isinstance(node, BatchNode) else node.cells
    for cell in cells:
        if cell.region is stream.region:
            state.ended(cell.side, End(stream.count, ok, reason))


def fire_derived(run: Run, inst: MemoryState, node: Any) -> None:
    """Begin a stream of batches or pairs."""
    derived_of(run, inst, node).begin(inst)


def skip_derived(run: Run, inst: MemoryState, node: Any, heard: int, reason: str | None) -> None:
    """A stream of batches or pairs will not be: let go of what its cells hold."""
    derived_of(run, inst, node).drop()
    skip_waiters(run, inst, node, heard, reason)


def skip_waiters(run: Run, inst: MemoryState, node: Any, heard: int, reason: str | None) -> None:
    """A stream will never open: those that wait for its end hear so."""
    for waiter in node.child.waiters:
        if isinstance(waiter, CollectNode | WaitNode | ExitNode):
            run.signal(inst, waiter, heard, reason)


CONSUMERS: dict[type[Node], tuple[Callable[..., bool], Callable[..., None]]] = {
    CollectNode: (take_collect, collect_ended),
    WaitNode: (take_wait, wait_ended),
    StreamNode: (_take_stream, _stream_ended),
    BatchNode: (_take_derived, _derived_ended),
    ZipNode: (_take_derived, _derived_ended),
}
"""For each kind of consumer: what takes a cell's part, and what hears of the stream's end."""
