"""An end that waits: of a stream that comes out of graphs, until those have ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from operonx.core.engine.state import SKIP, MemoryState, StreamState
from operonx.core.engine.streams import derived_of
from operonx.core.engine.zips import Pairs
from operonx.core.plan.nodes import ExitNode, ZipNode

if TYPE_CHECKING:
    from operonx.core.engine.scheduler import Run

__all__ = ["fire_exit", "hold_end", "skip_exit"]


def hold_end(run: Run, stream: StreamState, node: ExitNode, ok: bool, reason: str | None) -> None:
    """Keep the end of a stream until all graphs around it have ended."""
    stream.parent.slots[node.state] = stream
    if isinstance(node.consumer, ZipNode):
        # What it holds without a pair may be what keeps those graphs from ending.
        pairs = derived_of(run, stream.parent, node.consumer)
        assert isinstance(pairs, Pairs)  # as it is a zip's
        pairs.end_at(stream.count)
    run.signal(stream.parent, node, 0 if ok else SKIP, reason)


def fire_exit(run: Run, inst: MemoryState, node: ExitNode) -> None:
    """The graphs have ended well, and the stream has."""
    _end_for_consumer(run, inst, node, ok=True, reason=None)
    run.fired(inst, node)


def skip_exit(run: Run, inst: MemoryState, node: ExitNode, _heard: int, reason: Any) -> None:
    """A graph has failed or the stream has, if it was there at all."""
    _end_for_consumer(run, inst, node, ok=False, reason=reason)


def _end_for_consumer(
    run: Run, inst: MemoryState, node: ExitNode, *, ok: bool, reason: str | None
) -> None:
    stream, inst.slots[node.state] = inst.slots[node.state], None
    if stream is not None:
        node.consumer.stream_ended(run, stream, node.consumer, ok, reason)
