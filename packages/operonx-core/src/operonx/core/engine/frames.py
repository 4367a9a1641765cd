"""Frames, and how they reach those who watch a run."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import anyio

if TYPE_CHECKING:
    from operonx.core.errors import Context

__all__ = ["Emit", "Frame", "Outbox"]

_ROOM: Final = 256
"""Items that may wait for a slow watcher before the run does."""


class Frame(NamedTuple):
    """What one firing emitted."""

    run_id: str
    op_name: str
    """The op's full path, as `Emit.op` and `OpError.op`; the contract names it so in frames."""
    ctx: Context
    outputs: Mapping[str, Any]
    """Values by port."""
    seq: int
    """The number of this frame in the run, from 0, in order of arrival."""


class Emit(NamedTuple):
    """What an op said through `RunContext.emit`."""

    channel: str
    payload: Any
    op: str
    ctx: Context
    attempt: int


class Outbox:
    """A line of items from a run to one watcher; a full one makes the run wait."""

    def __init__(self) -> None:
        self._items: deque[Any] = deque()
        self._arrived: anyio.Event | None = None
        self._room: anyio.Event | None = None
        self.closed: bool = False
        """Whether nothing more will come."""

    @property
    def full(self) -> bool:
        """Whether the run must wait before it goes on."""
        return len(self._items) >= _ROOM and not self.closed

    def put(self, item: Any) -> None:
        """Add an item."""
        if self.closed:
            return
        self._items.append(item)
        if self._arrived is not None:
            self._arrived.set()
            self._arrived = None

    def close(self) -> None:
        """Say that nothing more comes; what is there can still be taken."""
        self.closed = True
        for event in (self._arrived, self._room):
            if event is not None:
                event.set()
        self._arrived = self._room = None

    async def room(self) -> None:
        """Wait until the watcher has caught up."""
        while self.full:
            if self._room is None:
                self._room = anyio.Event()
            await self._room.wait()

    async def take(self) -> tuple[bool, Any]:
        """Return `(True, item)`, or `(False, None)` once closed and empty."""
        while not self._items:
            if self.closed:
                return False, None
            if self._arrived is None:
                self._arrived = anyio.Event()
            await self._arrived.wait()
        item = self._items.popleft()
        if self._room is not None and len(self._items) <= _ROOM // 2:
            self._room.set()
            self._room = None
        return True, item
