"""Turns: what arrives in any order is let through in context order, outer index first."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from operonx.core.engine.state import MemoryState, StreamState, context_of

if TYPE_CHECKING:
    from operonx.core.errors import Context
    from operonx.core.plan.nodes import Region

__all__ = ["Turns"]


class Turns:
    """Lets through what arrives at the instances of one region, each when its turn has come.

    A turn has come when everything at earlier contexts has arrived or has been passed over, and
    no earlier item can come any more. So whoever uses it says of every instance either that
    something arrived there or that nothing will.
    """

    def __init__(self, region: Region, go: Callable[[Any], None]) -> None:
        self._go = go
        self._chain: list[Region] = []
        at = region
        while at.parent is not None:
            self._chain.insert(0, at)
            at = at.parent
        self._next = [0] * len(self._chain)
        self._streams: dict[tuple[int, Context], StreamState] = {}
        """Those on the way, by region and context, until they are behind us."""
        self._waiting: dict[Context, Any] = {}
        self._last: dict[Context, Any] = {}
        self._passed: set[Context] = set()
        self._moving = False

    def arrive(self, inst: MemoryState, what: Any) -> None:
        """Let `what` through when it is the turn of `inst`."""
        if not self._chain:
            self._go(what)
            return
        self._waiting[context_of(inst)] = what
        self.move()

    def close(self, inst: MemoryState, what: Any) -> None:
        """Let `what` through after all that arrives in the stream that opened at `inst`."""
        self._last[context_of(inst)] = what
        self.move()

    def passed(self, inst: MemoryState) -> None:
        """Nothing will arrive at an instance, or at those inside it."""
        if self._chain:
            self._passed.add(context_of(inst))
            self.move()

    def opened(self, stream: StreamState) -> None:
        """Take note of a stream: its items may come here."""
        if stream.region in self._chain:
            self._streams[stream.region.index, context_of(stream.parent)] = stream

    def concerns(self, region: Region) -> bool:
        """Return whether instances of a region lie on the way to these turns."""
        return region in self._chain

    def move(self) -> None:
        """Let through whatever has its turn now."""
        if self._moving:
            return  # called from what was let through
        self._moving = True
        try:
            while self._step():
                pass
        finally:
            self._moving = False

    def _step(self) -> bool:
        """Go to the next context; return whether anything moved."""
        ctx: Context = ()
        for level, region in enumerate(self._chain):
            if ctx and ctx in self._passed:
                return self._up(level - 1, ctx)
            stream = self._streams.get((region.index, ctx))
            if stream is None:
                return False
            index = self._next[level]
            if index >= stream.count:
                if level == len(self._chain) - 1 and ctx in self._last:
                    self._go(self._last.pop(ctx))
                    return True
                if not stream.ended or not level:
                    return False
                del self._streams[region.index, ctx]
                return self._up(level - 1, ctx)
            ctx = (*ctx, (region.axis, index))
        if ctx in self._waiting:
            what = self._waiting.pop(ctx)
            self._next[-1] += 1
            self._go(what)
            return True
        if ctx in self._passed:
            return self._up(len(self._chain) - 1, ctx)
        return False

    def _up(self, level: int, ctx: Context) -> bool:
        self._passed.discard(ctx)
        self._next[level] += 1
        for deeper in range(level + 1, len(self._next)):
            self._next[deeper] = 0
        return True
