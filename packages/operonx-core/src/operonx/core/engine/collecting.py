"""A stream awaited as a whole: its items as one list, or its end alone."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

from operonx.core.engine.state import SKIP, MemoryState, StreamState
from operonx.core.plan.places import Poison

if TYPE_CHECKING:
    from operonx.core.engine.scheduler import Run
    from operonx.core.plan.nodes import CellNode, CollectNode, WaitNode

__all__ = ["collect_ended", "fire_collect", "take_collect", "take_wait", "wait_ended"]


class _Collected:
    __slots__ = ("decided", "items")

    def __init__(self) -> None:
        self.decided = 0
        self.items: list[tuple[int, Any]] = []


def _collected(parent: MemoryState, slot: int) -> _Collected:
    state = parent.slots[slot]
    if state is None:
        state = parent.slots[slot] = _Collected()
    return state  # type: ignore[no-any-return]  # slots hold anything


def take_collect(run: Run, inst: MemoryState, cell: CellNode, fired: bool, value: Any) -> bool:
    """Add an item's part to its list; return False, as its cell is not held."""
    node: Any = cell.consumer
    parent = inst.parent
    stream = inst.stream
    assert parent is not None  # cells are in items
    assert stream is not None  # and so in a stream
    state = _collected(parent, node.state)
    state.decided += 1
    if fired and not (node.for_result and run.streamed):
        state.items.append((inst.index, value))
    if stream.ended and stream.ok and state.decided == stream.count:
        run.signal(parent, node)
    return False


def collect_ended(
    run: Run, stream: StreamState, node: CollectNode, ok: bool, reason: str | None
) -> None:
    """Let the list be put together, or skip it with a stream that failed."""
    if not ok:
        run.signal(stream.parent, node, SKIP, reason)
    elif _collected(stream.parent, node.state).decided == stream.count:
        run.signal(stream.parent, node)


def fire_collect(run: Run, inst: MemoryState, node: CollectNode) -> None:
    """Put the list together, in index order."""
    items = _collected(inst, node.state).items
    inst.slots[node.state] = None
    items.sort(key=itemgetter(0))
    values: Any = [value for _, value in items]
    poison = next((value for value in values if type(value) is Poison), None)
    if poison is None and node.flatten:
        values = [value for part in values for value in part]
    inst.slots[node.slot] = values if poison is None else poison
    if node.for_result and run.streamed:
        # Nothing was kept, so there is nothing to hand on.
        run.skipped(inst, node, reason="it left as frames; a streamed run keeps no stream")
    else:
        run.fired(inst, node)


# -- waiting for the end


def take_wait(run: Run, inst: MemoryState, cell: CellNode, _fired: bool, _value: Any) -> bool:
    """Count an item; return False, as its cell is not held."""
    parent = inst.parent
    stream = inst.stream
    assert parent is not None  # cells are in items
    assert stream is not None  # and so in a stream
    node: Any = cell.consumer
    state = _collected(parent, node.state)
    state.decided += 1
    if stream.ended and state.decided == stream.count:
        run.signal(parent, node, 0 if stream.ok else SKIP)
    return False


def wait_ended(run: Run, stream: StreamState, node: WaitNode, ok: bool, reason: str | None) -> None:
    """Let go on what waits for the end, once all items are decided."""
    if _collected(stream.parent, node.state).decided == stream.count:
        run.signal(stream.parent, node, 0 if ok else SKIP, reason)
