"""Draining: what is ready is fired where it stands, in one task until something waits.

A node that has all its signals goes into one line, `ready`. Draining the line fires nodes where
they stand, one after the other, without tasks, until one of them has to wait. The task that
drained then becomes that firing's own, and another one goes on draining: so a task is only made
where something really waits, and an op always runs in one task from beginning to end.
"""

from __future__ import annotations

from collections import deque
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Final

import anyio
import anyio.lowlevel

from operonx.core.engine.calling import clock
from operonx.core.engine.signals import Signals
from operonx.core.engine.stepping import Suspended, begin, resume
from operonx.core.engine.tasks import Tasks, new_tasks

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from contextvars import Context as Variables

    from operonx.core.engine.feeds import Feed
    from operonx.core.engine.frames import Outbox
    from operonx.core.plan.nodes import Node

__all__ = ["Draining"]

_SLICE: Final = 0.004
"""Seconds of work after which the event loop gets its turn."""
_LOOK: Final = 16
"""Firings between two looks at the clock."""
_PAUSE: Final = object()
"""The slice is over: let the event loop run."""


class Draining(Signals):
    """The lines of what is ready, and the tasks that work them off."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: deque[Any] = deque()
        """As `ready`, of what may have to wait, and so needs a task."""
        self.sources: deque[Any] = deque()
        """Generators that may be advanced when nothing is ready."""
        self.starving: set[Feed] = set()
        """Streams that somebody waits for an item of."""
        self.open_sources: set[Any] = set()
        """All of them that are not over, also those that wait for their window."""
        self.variables: Variables = copy_context()
        self.group: Tasks | None = None
        """The tasks; None as long as nothing has had to wait."""
        self.failure: BaseException | None = None
        """What the run fails with."""
        self.frames: Outbox | None = None
        """Where frames go, if somebody watches them."""
        self.emits: list[Outbox] = []
        """Where emits go, one for each who watches them."""
        self._kicked: bool = False
        self._pausing: bool = False

    async def in_group(self, main: Callable[[], Awaitable[None]]) -> None:
        """Run `main`, and the tasks that are started meanwhile, to their end."""
        self.group = new_tasks(self.fail, self.wake_readers)
        await self.group.run(main)

    async def work(self) -> None:
        """Fire what is ready until nothing is; awaits what has to wait in this task."""
        assert self.group is not None  # only what runs in the group works
        # A firing that was in a shield when all was cancelled comes back, and nothing follows it.
        while self.failure is None and not self.group.cancel_called:
            left = self.drain()
            if left is None:
                return
            if left is _PAUSE:
                if self._pausing:
                    return  # one task goes on after the pause, however many firings came back
                await self.pause()
                continue
            if self.ready or self.waiting or self.sources:
                self.spawn()
            await resume(left)

    async def pause(self) -> None:
        """Let the event loop run, and those who watch catch up."""
        self._pausing = True
        try:
            if self.full:
                await self.room()
            await anyio.lowlevel.checkpoint()
        finally:
            self._pausing = False

    @property
    def full(self) -> bool:
        """Whether a watcher is so slow that the run must wait before it goes on."""
        if self.frames is not None and self.frames.full:
            return True
        return bool(self.emits) and any(outbox.full for outbox in self.emits)

    async def room(self) -> None:
        """Wait until those who watch have caught up."""
        for outbox in (*self.emits, *([self.frames] if self.frames is not None else [])):
            await outbox.room()

    def kick(self) -> None:
        """See to it that what became ready is fired, from outside of draining."""
        if (
            (self.ready or self.waiting or self.sources)
            and not self._kicked
            and self.failure is None
        ):
            self._kicked = True
            assert self.group is not None  # only what runs in the group calls from outside
            self.group.start(self.variables.copy(), self._work_kicked)

    async def _work_kicked(self) -> None:
        self._kicked = False
        await self.work()

    def spawn(self) -> None:
        """Let another task go on draining."""
        assert self.group is not None  # only what runs in the group suspends
        self.group.start(self.variables.copy(), self.work)

    def drain(self, *, pinned: bool = False) -> Any:
        """Fire what is ready, where it stands.

        What cannot have to wait goes first, so that a task is only made where all that is left
        may wait; sources come last, so that a yield is worked off before the next.

        Args:
            pinned: Leave alone what may have to wait, as the calling task is a generator's own.

        Returns:
            None when nothing is left, a `Suspended` firing, or `_PAUSE`.
        """
        ready = self.ready
        waiting = self.waiting
        alone = pinned or self.group is None
        end = clock() + _SLICE
        while True:
            for _ in range(_LOOK):
                if ready:
                    inst, node = ready.popleft()
                    suspends, fire = node.firing
                    if suspends:
                        waiting.append((inst, node))
                    else:
                        fire(self, inst, node)
                elif waiting:
                    if alone or self.full:
                        return None if alone else _PAUSE
                    inst, node = waiting.popleft()
                    suspended = node.firing[1](self, inst, node)
                    if suspended is not None:
                        return suspended
                elif self.sources and not pinned:
                    self.sources.popleft().advance()
                else:
                    return None
            if clock() > end or self.full:
                return _PAUSE

    def begin(self, node: Node, coroutine: Coroutine[Any, Any, None]) -> Suspended | None:
        """Take the first step of a firing in the task that drains."""
        return begin(self, node, coroutine)

    # -- ending

    def fail(self, error: BaseException) -> None:
        """End the run with an error; everything in flight is cancelled."""
        if self.failure is None:
            self.failure = error
        self.cancel()

    def cancel(self) -> None:
        """Cancel everything in flight."""
        for line in (self.ready, self.waiting, self.sources):
            line.clear()
        # What comes to an end now still leaves its place, its window, its turn to others.
        nothing: deque[Any] = deque(maxlen=0)
        self.ready: deque[Any] = nothing
        self.waiting = self.sources = nothing
        self.close_sources()
        if self.group is not None:
            self.group.cancel()

    @property
    def called_off(self) -> bool:
        """Whether everything in flight was cancelled, by a failure or from outside."""
        return self.group is not None and self.group.cancel_called

    def wake_readers(self) -> None:
        """Let those who wait for an item see that none comes: a shield keeps them from hearing."""
        for feed in list(self.starving):
            feed.wake()

    def close_sources(self) -> None:
        """Close all generators, wherever they stand."""
        self.sources.clear()
        for source in list(self.open_sources):
            source.close()
        self.open_sources.clear()
