"""The source of a `Stream` that an op is handed: items in index order, one by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from operonx.core.engine.readers import Reader
from operonx.core.engine.state import MemoryState
from operonx.core.errors import StreamError
from operonx.core.plan.nodes import CellNode, Node
from operonx.core.plan.places import Poison

if TYPE_CHECKING:
    from operonx.core.engine.scheduler import Run

__all__ = ["End", "Feed", "Held", "Offer"]

Held = tuple[MemoryState, CellNode]
Offer = tuple[bool, Any, Held]
"""Whether the part fired, its value, and the cell it came from."""


@dataclass(frozen=True, slots=True)
class End:
    """The end of a stream, as one of its readers sees it."""

    count: int
    ok: bool
    reason: str | None
    """Why it failed."""


class Feed:
    """The source of a `Stream`: items in index order, handed out one by one."""

    def __init__(self, run: Run, readers: int) -> None:
        self._run = run
        self._readers = readers
        self._offers: dict[int, Offer] = {}
        self._next = 0
        self._end: End | None = None
        self._callbacks: list[Callable[[], None]] = []
        self._closed = False
        self._reader: Reader | None = None
        self._done: set[tuple[MemoryState, Node]] = set()
        self.broken: BaseException | None = None
        """What an item's expression raised: a failure of the op that read it, whatever it did."""
        self.taken: bool = False
        """Whether a reader was given an item or the end, which no other will see."""

    def open(self) -> Reader:
        """Hand the stream to one more attempt, and take it from the one before."""
        if self._reader is not None:
            self._reader.close()
        self._reader = Reader(self._run, self)
        return self._reader

    def close(self) -> None:
        """The attempt is over: nothing more is handed to it."""
        if self._reader is not None:
            self._reader.close()

    def interrupt(self) -> None:
        """The attempt was asked to stop: let a worker thread that waits go on, with an error."""
        if self._reader is not None:
            self._reader.interrupt()

    def offer(self, inst: MemoryState, cell: CellNode, fired: bool, value: Any) -> bool:
        """Take an item in; return whether its cell is held until it is read."""
        if self._closed:
            return False
        self._offers[inst.index] = (fired, value, (inst, cell))
        if inst.index == self._next:
            self.wake()
        return fired

    def end(self, end: End) -> None:
        """Note that no further items come."""
        self._end = end
        self.wake()

    def let_go(self, inst: MemoryState, node: Node) -> None:
        """One reader is done; with the last one what is left unread is dropped."""
        self._done.add((inst, node))
        if len(self._done) < self._readers or self._closed:
            return
        self._closed = True
        self.wake()
        offers, self._offers = self._offers, {}
        for fired, _, (item, cell) in offers.values():
            if fired:
                self._run.fired(item, cell)

    def call_back(self, callback: Callable[[], None]) -> None:
        """Call once when there may be more to `poll`."""
        self._callbacks.append(callback)
        self._run.starving.add(self)

    def wake(self) -> None:
        """Let those who wait look again."""
        self._run.starving.discard(self)
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def poll(self) -> tuple[bool, Any] | None:
        """Return `(True, item)`, `(False, None)` past the last one, or None while it has to wait.

        Raises:
            StreamError: Past the last item of a stream that failed.
        """
        if self.broken is not None:
            raise self.broken
        while self._next in self._offers:
            fired, value, (inst, cell) = self._offers.pop(self._next)
            self._next += 1
            if not fired:
                continue
            self.taken = True
            self._run.fired(inst, cell)
            self._run.kick()
            if type(value) is Poison:
                self.broken = value.error
                raise value.error
            return True, value
        end = self._end
        if end is None or self._next < end.count:
            return None
        self.taken = True
        if not end.ok:
            raise StreamError(f"the stream ended early, after {end.count} items: {end.reason}")
        return False, None
