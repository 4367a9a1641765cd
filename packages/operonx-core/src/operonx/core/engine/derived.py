"""A stream made of others: it opens its items as those hand theirs over.

A cell that it has no room for is *held*: its item stays open and so, through the window, holds the
generator back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from operonx.core.engine.feeds import End, Offer
    from operonx.core.engine.scheduler import Run
    from operonx.core.engine.state import MemoryState, StreamState
    from operonx.core.plan.nodes import CellNode

__all__ = ["Derived"]


class Derived:
    """A stream made of others; cells that it has no room for are held."""

    def __init__(self, run: Run, node: Any, sides: int) -> None:
        self.run = run
        self.node = node
        self.stream: StreamState | None = None
        self.offers: list[dict[int, Offer]] = [{} for _ in range(sides)]
        self.next: int = 0
        self.ends: dict[int, End] = {}
        self.over: bool = False

    def begin(self, inst: MemoryState) -> None:
        """The streams it is made of are open, so it is."""
        self.stream = self.run.open_stream(
            self.node, self.node.child, inst, self.run.linked.max_open
        )
        self.run.fired(inst, self.node)
        self.pump()

    def offer(self, inst: MemoryState, cell: CellNode, fired: bool, value: Any) -> bool:
        """Take a part in; return whether its cell is held: `release` decides it then."""
        if self.over:
            return False
        self.offers[cell.side][inst.index] = (fired, value, (inst, cell))
        if self.stream is not None:
            self.pump()
        return fired

    def ended(self, side: int, end: End) -> None:
        """Note the end of a stream it is made of."""
        self.ends[side] = end
        if self.stream is not None and not self.over:
            self.pump()

    def advance(self) -> None:
        """Go on to the next index."""
        self.next += 1

    def room(self) -> bool:
        """Return whether an item may be opened; if not, `pump` comes back when it may."""
        assert self.stream is not None  # asked once it has begun
        if not self.stream.full:
            return True
        self.stream.resume = self.pump
        return False

    def pump(self) -> None:
        """Open what can be opened."""
        raise NotImplementedError

    def release(self, offer: Offer) -> None:
        """Let an item's cell be decided."""
        fired, _, (inst, cell) = offer
        if fired:
            self.run.fired(inst, cell)

    def finish(self, *, ok: bool, reason: str | None = None) -> None:
        """End the stream and let go of what is held."""
        assert self.stream is not None  # asked once it has begun
        self.drop()
        self.run.end_stream(self.stream, ok=ok, reason=reason)

    def drop(self) -> None:
        """Let go of what is held: nothing more will be opened."""
        self.over = True
        for offers in self.offers:
            for offer in offers.values():
                self.release(offer)
            offers.clear()
