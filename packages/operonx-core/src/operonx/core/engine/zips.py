"""Zips: a stream of pairs, each of one item of every side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from operonx.core.engine.containment import handle
from operonx.core.engine.derived import Derived
from operonx.core.engine.failures import reason_of
from operonx.core.engine.state import SKIP, MemoryState, context_of
from operonx.core.errors import OpError, StreamError

if TYPE_CHECKING:
    from operonx.core.engine.feeds import Offer
    from operonx.core.engine.scheduler import Run
    from operonx.core.plan.nodes import CellNode, ZipNode

__all__ = ["Pairs"]


class Pairs(Derived):
    """One item of every side."""

    def __init__(self, run: Run, node: ZipNode) -> None:
        super().__init__(run, node, len(node.cells))
        self.longest: int = 0
        """Items that any side has had."""
        self.bound: int | None = None
        """Pairs that there can be at most: a side has no more items."""

    def offer(self, inst: MemoryState, cell: CellNode, fired: bool, value: Any) -> bool:
        """Take a part in; return whether its cell is held: one without a pair is not."""
        self.longest = max(self.longest, inst.index + 1)
        if self.bound is not None and inst.index >= self.bound:
            if self.stream is not None and not self.over:
                self.pump()
            return False
        return super().offer(inst, cell, fired, value)

    def end_at(self, count: int) -> None:
        """Let go of what can have no pair: a side has so many items, however it ends."""
        self.bound = count if self.bound is None else min(count, self.bound)
        for offers in self.offers:
            for index in [index for index in offers if index >= self.bound]:
                self.release(offers.pop(index))

    def pump(self) -> None:
        """Open a pair for every index that all sides have, and end with them."""
        while all(self.next in offers for offers in self.offers) and self.room():
            self._open([offers.pop(self.next) for offers in self.offers])
        if self.over:
            return
        ends = self.ends.values()
        failed = next((end for end in ends if not end.ok), None)
        if self._unequal() and not self.run.stopping:
            self._fail()
        elif failed is not None:
            if self.next >= min(end.count for end in ends):
                self.finish(ok=False, reason=failed.reason)
        elif self._complete():
            if self.node.failed is not None:
                assert self.stream is not None  # `pump` runs once it has begun
                self.run.signal(self.stream.parent, self.node.failed, SKIP, "it did not fail")
            self.finish(ok=True)

    def _complete(self) -> bool:
        """Return whether all pairs are there; in a run that is stopped, of its shortest side."""
        counts = [end.count for end in self.ends.values()]
        if self.run.stopping:  # where the engine closed a source says nothing about the graph
            return self.next in counts
        return len(counts) == len(self.offers) and set(counts) == {self.next}

    def _unequal(self) -> bool:
        """Return whether a side has more items than one that ended well, cut short or not."""
        whole = [end.count for end in self.ends.values() if end.ok]
        longest = max(self.longest, *(end.count for end in self.ends.values()), 0)
        return bool(whole) and longest > min(whole)

    def _open(self, parts: list[Offer]) -> None:
        assert self.stream is not None  # `pump` runs once it has begun
        self.advance()
        item = self.run.open_item(self.stream)
        for port, (fired, value, _) in zip(self.node.ports, parts, strict=True):
            item.slots[port.slot] = value
            if fired:
                self.run.signal(item, port)
            else:
                self.run.signal(item, port, SKIP, "its side of the zip was skipped")
        for part in parts:
            self.release(part)

    def _fail(self) -> None:
        assert self.stream is not None  # `pump` runs once it has begun
        parent = self.stream.parent
        ended = {
            port.path.rpartition(".")[2]: self.ends[side].count
            for side, port in enumerate(self.node.ports)
            if side in self.ends
        }
        sides = ", ".join(f"`{side}` ended after {count}" for side, count in ended.items())
        error = StreamError(
            f"the zipped streams have unequal lengths: {sides}, another side goes on"
            if len(set(ended.values())) == 1
            else f"the zipped streams have unequal lengths: {sides}",
            hint="zip streams made from the same items",
        )
        failure = OpError(self.node.path, context_of(parent), error)
        handle(self.run, parent, self.node, failure)
        self.run.note(self.node.path, failure.ctx, reason_of(failure))
        self.finish(ok=False, reason=reason_of(failure))
