"""Batches: a stream of lists, each of so many items of another stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from operonx.core.engine.derived import Derived
from operonx.core.plan.places import Poison

if TYPE_CHECKING:
    from operonx.core.engine.scheduler import Run
    from operonx.core.plan.nodes import BatchNode

__all__ = ["Batches"]


class Batches(Derived):
    """Lists of `size` items."""

    def __init__(self, run: Run, node: BatchNode) -> None:
        super().__init__(run, node, 1)
        self.items: list[Any] = []

    def pump(self) -> None:
        """Open a list for every `size` items, and at a good end one for the rest."""
        offers = self.offers[0]
        while self.next in offers:
            fired, value, _ = offers[self.next]
            if fired and len(self.items) + 1 == self.node.size and not self.room():
                return
            offer = offers.pop(self.next)
            self.advance()
            if fired:
                self.items.append(value)
            if len(self.items) == self.node.size:
                self._open()
            self.release(offer)
        end = self.ends.get(0)
        if end is None or self.over or self.next < end.count:
            return
        # What was opened before a stream failed stands, but for the items of an unfinished list.
        if self.items and end.ok:
            if not self.room():
                return
            self._open()
        self.finish(ok=end.ok, reason=end.reason)

    def _open(self) -> None:
        assert self.stream is not None  # `pump` runs once it has begun
        values, self.items = self.items, []
        poison = next((value for value in values if type(value) is Poison), None)
        item = self.run.open_item(self.stream)
        item.slots[self.node.value_slot] = values if poison is None else poison
