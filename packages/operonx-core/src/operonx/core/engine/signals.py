"""What becomes of nodes, instances and streams: the accounting of a run, with one owner.

A node is decided once: it fires or is skipped. Whoever decides it says so here, and those that wait
for it get their signals; a node that has all of them goes into the line of what is ready.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from operonx.core.engine.result import Skip
from operonx.core.engine.state import (
    COUNT,
    COVERED,
    FIRED,
    SKIP,
    SKIPPED,
    MemoryState,
    StreamState,
    context_of,
)

if TYPE_CHECKING:
    from operonx.core.engine.sifting import Sifter
    from operonx.core.engine.turns import Turns
    from operonx.core.errors import Context
    from operonx.core.plan.nodes import Action, Node, Region

__all__ = ["Signals"]


class Doomed:
    """Stands in the ready line for a node that will be skipped."""

    __slots__ = ("firing",)

    def __init__(self, node: Node) -> None:
        self.firing: Action = (False, partial(_skip, node))


def _skip(node: Node, run: Signals, inst: MemoryState, _doomed: Doomed) -> None:
    run.skipped(inst, node, covered=bool(inst.pending[node.index] & COVERED))


class Signals:
    """The counters of one run."""

    def __init__(self) -> None:
        self.ready: deque[Any] = deque()
        """What is decided next: instances with their nodes."""
        self.skips: dict[str, Skip] = {}
        """What was skipped, by op path."""
        self.turns: list[Turns] = []
        """What goes in context order in this run."""
        self.sifter: Sifter | None = None
        """Chooses and orders the frames that a watcher gets; None: as they come."""
        self.on_decided: Callable[[Any], None] | None = None
        """Called with this run when all of it is decided."""

    # -- nodes

    def push(self, inst: MemoryState, node: Node) -> None:
        """Let a node fire (or be skipped) next."""
        self.ready.append((inst, node))

    def signal(
        self, inst: MemoryState, node: Node, heard: int = 0, reason: str | None = None
    ) -> None:
        """Give a node one of the signals it waits for.

        Args:
            inst: The node's instance.
            node: The node.
            heard: `SKIP` if what it waits for was skipped, with `COVERED` if as a whole.
            reason: Why.
        """
        left = (inst.pending[node.index] - 1) | heard
        inst.pending[node.index] = left
        if heard and reason is not None:
            if inst.reasons is None:
                inst.reasons = {}
            inst.reasons.setdefault(node.index, reason)
        if not left & COUNT:
            self.ready.append((inst, Doomed(node) if left else node))

    def fired(self, inst: MemoryState, node: Node) -> None:
        """A node fired: tell those that wait for it."""
        pending = inst.pending
        for target in node.targets:
            index = target.index
            pending[index] = left = pending[index] - 1
            if not left:
                self.ready.append((inst, target))
            elif not left & COUNT:
                self.ready.append((inst, Doomed(target)))
        if node.linked:
            self._tell(inst, node, 0, None)
        inst.open = left = inst.open - 1
        if not left:
            self.close(inst)

    def skipped(
        self,
        inst: MemoryState,
        node: Node,
        *,
        covered: bool = False,
        reason: str | None = None,
        began: bool = False,
    ) -> None:
        """A node will not fire here: tell those that wait for it.

        Args:
            inst: The node's instance.
            node: The node.
            covered: Whether it was skipped as a whole, outside this instance.
            reason: Why; None takes what it heard.
            began: Whether it fired and failed, so that its error node has heard already.
        """
        if reason is None:
            reason = (inst.reasons or {}).get(node.index, "what it waits for was skipped")
        if not covered and (node.op is not None or node.covers):
            self._note(node, context_of(inst), reason)
        heard = SKIP | COVERED if covered else SKIP
        for promise in node.promises:
            if not (began and promise is node.failed):
                self.signal(inst, promise, heard, reason)
        if node.on_skip is not None:
            node.on_skip(self, inst, node, heard, reason)
        if self.turns:
            self._pass_turns(inst, node)
        for target in node.targets:
            self.signal(inst, target, heard, reason)
        if node.linked:
            self._tell(inst, node, heard, reason)
        inst.open -= 1
        if not inst.open:
            self.close(inst)

    def _pass_turns(self, inst: MemoryState, node: Node) -> None:
        child = getattr(node, "child", None)
        for turns in self.turns:
            if child is not None and turns.concerns(child):
                turns.passed(inst)
        if self.sifter is not None:
            self.sifter.passed(inst, node)

    def _tell(self, inst: MemoryState, node: Node, heard: int, reason: str | None) -> None:
        for waiter in node.after:
            self.signal(inst, waiter)
        for listener, member in node.reports:
            listener.hear(self, inst, listener, member, heard, reason)
        if node.inner:
            inst.pending[node.index] = SKIPPED if heard else FIRED
            late = inst.late.pop(node.index, ()) if inst.late is not None else ()
            for deeper in late:
                for target in node.inner:
                    if target.region is deeper.region:
                        self.signal(deeper, target, heard and SKIP | COVERED, reason)

    def _note(self, node: Node, ctx: Context, reason: str) -> None:
        """Note that a node, and what it covers in deeper regions, was skipped."""
        open_ends = [node]
        while open_ends:
            at = open_ends.pop()
            open_ends.extend(at.covers)
            if at.op is not None:
                self.note(at.path, ctx, reason)

    def note(self, path: str, ctx: Context, reason: str) -> None:
        """Note that an op was skipped, or failed and was contained, at a context."""
        known = self.skips.get(path)
        if known is None:
            self.skips[path] = Skip(1, ctx, reason)
            return
        known.count += 1
        if ctx < known.ctx:
            known.ctx, known.reason = ctx, reason

    # -- instances and streams

    def open_stream(
        self, owner: Node, region: Region, parent: MemoryState, limit: int | None
    ) -> StreamState:
        """Begin a stream; its parent stays open until the stream is over."""
        stream = StreamState(owner, region, parent, limit if region.window else None)
        parent.open += 1
        for turns in self.turns:
            turns.opened(stream)
        return stream

    def open_item(self, stream: StreamState) -> MemoryState:
        """Open the next item of a stream; its slots are the caller's to fill at once."""
        region = stream.region
        inst = MemoryState(region, stream.parent, stream.count, stream)
        stream.count += 1
        if not inst.open:
            return inst
        stream.open += 1
        ready = self.ready
        for node in region.roots:
            ready.append((inst, node))
        for source, target in region.outer:
            self._link_outer(inst, source, target)
        return inst

    def _link_outer(self, inst: MemoryState, source: Node, target: Node) -> None:
        holder = inst.parent
        while holder is not None and holder.region is not source.region:
            holder = holder.parent
        assert holder is not None  # the plan links regions to those around them only
        state = holder.pending[source.index]
        if state & FIRED:
            self.signal(inst, target)
        elif state & SKIPPED:
            reason = (holder.reasons or {}).get(source.index)
            self.signal(inst, target, SKIP | COVERED, reason)
        else:
            if holder.late is None:
                holder.late = {}
            waiting = holder.late.setdefault(source.index, [])
            if not waiting or waiting[-1] is not inst:
                waiting.append(inst)

    def end_stream(self, stream: StreamState, *, ok: bool, reason: str | None = None) -> None:
        """End a stream: no further items come. `ok` is False where it failed."""
        stream.ended = True
        stream.ok = ok
        for waiter in stream.region.waiters:
            waiter.stream_ended(self, stream, waiter, ok, reason)
        for turns in self.turns:
            turns.move()
        self._finish_stream(stream)

    def _finish_stream(self, stream: StreamState) -> None:
        if stream.ended and not stream.open and not stream.over:
            # Telling of the end may close the last item, which comes here too.
            stream.over = True
            parent = stream.parent
            parent.open -= 1
            if not parent.open:
                self.close(parent)

    def close(self, inst: MemoryState) -> None:
        """Everything of an instance is decided: let its stream go on."""
        stream = inst.stream
        if stream is None:
            if self.on_decided is not None:
                self.on_decided(self)
            return
        stream.open -= 1
        resume = stream.resume
        if resume is not None and not stream.full:
            stream.resume = None
            resume()
        self._finish_stream(stream)
