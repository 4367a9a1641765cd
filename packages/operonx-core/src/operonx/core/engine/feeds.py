"""The source of a `Stream` that an op is handed: items in index order, one by one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio

from operonx.core.engine.pool import holding
from operonx.core.engine.state import MemoryState
from operonx.core.errors import StreamError
from operonx.core.ops.context import CancelledRunError
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
        self._interrupted = False
        self._done: set[tuple[MemoryState, Node]] = set()
        self.broken: BaseException | None = None
        """What an item's expression raised: a failure of the op that read it, whatever it did."""

    def interrupt(self) -> None:
        """Let a reader in a worker thread go on, with an error: its firing is cancelled."""
        self._interrupted = True
        self._wake()

    def offer(self, inst: MemoryState, cell: CellNode, fired: bool, value: Any) -> bool:
        """Take an item in; return whether its cell is held until it is read."""
        if self._closed:
            return False
        self._offers[inst.index] = (fired, value, (inst, cell))
        if inst.index == self._next:
            self._wake()
        return fired

    def end(self, end: End) -> None:
        """Note that no further items come."""
        self._end = end
        self._wake()

    def let_go(self, inst: MemoryState, node: Node) -> None:
        """One reader is done; with the last one what is left unread is dropped."""
        self._done.add((inst, node))
        if len(self._done) < self._readers or self._closed:
            return
        self._closed = True
        self._wake()
        offers, self._offers = self._offers, {}
        for fired, _, (item, cell) in offers.values():
            if fired:
                self._run.fired(item, cell)

    def _wake(self) -> None:
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def _poll(self) -> tuple[bool, Any] | None:
        """Return what `receive` would, or None while it has to wait."""
        if self.broken is not None:
            raise self.broken
        while self._next in self._offers:
            fired, value, (inst, cell) = self._offers.pop(self._next)
            self._next += 1
            if not fired:
                continue
            self._run.fired(inst, cell)
            self._run.kick()
            if type(value) is Poison:
                self.broken = value.error
                raise value.error
            return True, value
        end = self._end
        if end is None or self._next < end.count:
            if self._closed:
                raise StreamError(
                    "the stream is read after the firing that it was handed to",
                    hint="read it within the op: what is left unread there is dropped",
                )
            return None
        if not end.ok:
            raise StreamError(f"the stream ended early, after {end.count} items: {end.reason}")
        return False, None

    async def receive(self) -> tuple[bool, Any]:
        """Return `(True, item)`, or `(False, None)` past the last one."""
        while (found := self._poll()) is None:
            arrived = anyio.Event()
            self._callbacks.append(arrived.set)
            await arrived.wait()
        return found

    def receive_blocking(self) -> tuple[bool, Any]:
        """Do the same from a worker thread."""
        if self._run.on_loop_thread():
            raise StreamError(
                "`for` over a stream would stop the event loop that brings its items",
                hint="in an `async def` write `async for`",
            )
        answer: list[Any] = []
        arrived = threading.Event()

        def attempt() -> None:
            try:
                if self._interrupted:
                    raise CancelledRunError("the firing that reads this stream was cancelled")
                found = self._poll()
            except BaseException as error:  # noqa: BLE001 - carried over to the thread
                answer.append(error)
                arrived.set()
                return
            if found is None:
                self._callbacks.append(attempt)
            else:
                answer.append(found)
                arrived.set()

        with holding:
            self._run.waker(attempt)
            while not arrived.wait(timeout=0.1):
                if self._run.over:
                    raise CancelledRunError("the run is over")
        if isinstance(answer[0], BaseException):
            raise answer[0]
        return answer[0]  # type: ignore[no-any-return]  # a pair, as no error came
