"""What becomes of a stream in the region around it: a list, a wait, batches, pairs, itself.

Every item has a *cell* for each of these; firing it hands the item's part over. Those that open
streams of their own, or hand items on one by one, may *hold* a cell, which keeps its item open and
so, through the window, holds the generator back.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from operonx.core.engine.failures import reason_of
from operonx.core.engine.feeds import End, Feed, Offer
from operonx.core.engine.state import SKIP, MemoryState, StreamState, context_of
from operonx.core.errors import OpError, StreamError
from operonx.core.plan.nodes import (
    BatchNode,
    CellNode,
    CollectNode,
    ExitNode,
    Node,
    StreamNode,
    WaitNode,
    ZipNode,
)
from operonx.core.plan.places import Poison
from operonx.core.streaming import Stream

if TYPE_CHECKING:
    from operonx.core.engine.scheduler import Run

__all__ = ["CONSUMERS", "feed_of", "fire_cell", "skip_cell"]


def fire_cell(run: Run, inst: MemoryState, cell: CellNode) -> None:
    """Hand an item's part to its consumer."""
    value: Any = None
    if cell.evaluate is not None:
        try:
            value = cell.evaluate(inst)
        except Exception as error:  # noqa: BLE001 - raised to whoever reads the value
            value = Poison(error)
    if not cell.consumer.take(run, inst, cell, True, value):
        run.fired(inst, cell)


def skip_cell(run: Run, inst: MemoryState, cell: CellNode, _heard: int, _reason: Any) -> None:
    """Tell the consumer that an item's part was skipped."""
    cell.consumer.take(run, inst, cell, False, None)


# -- collect


class _Collected:
    __slots__ = ("decided", "items")

    def __init__(self) -> None:
        self.decided = 0
        self.items: list[tuple[int, Any]] = []


def _collected(parent: MemoryState, slot: int) -> _Collected:
    state = parent.slots[slot]
    if state is None:
        state = parent.slots[slot] = _Collected()
    return state  # type: ignore[no-any-return]  # slots hold anything


def _take_collect(run: Run, inst: MemoryState, cell: CellNode, fired: bool, value: Any) -> bool:
    node: Any = cell.consumer
    parent = inst.parent
    stream = inst.stream
    assert parent is not None  # cells are in items
    assert stream is not None  # and so in a stream
    state = _collected(parent, node.state)
    state.decided += 1
    if fired and not (node.for_result and run.streamed):
        state.items.append((inst.index, value))
    if stream.ended and stream.ok and state.decided == stream.count:
        run.signal(parent, node)
    return False


def _collect_ended(
    run: Run, stream: StreamState, node: CollectNode, ok: bool, reason: str | None
) -> None:
    if not ok:
        run.signal(stream.parent, node, SKIP, reason)
    elif _collected(stream.parent, node.state).decided == stream.count:
        run.signal(stream.parent, node)


def fire_collect(run: Run, inst: MemoryState, node: CollectNode) -> None:
    """Put the list together, in index order."""
    items = _collected(inst, node.state).items
    inst.slots[node.state] = None
    items.sort(key=itemgetter(0))
    values: Any = [value for _, value in items]
    poison = next((value for value in values if type(value) is Poison), None)
    if poison is None and node.flatten:
        values = [value for part in values for value in part]
    inst.slots[node.slot] = values if poison is None else poison
    if node.for_result and run.streamed:
        # Nothing was kept, so there is nothing to hand on.
        run.skipped(inst, node, reason="it left as frames; a streamed run keeps no stream")
    else:
        run.fired(inst, node)


# -- waiting for the end


def _take_wait(run: Run, inst: MemoryState, cell: CellNode, _fired: bool, _value: Any) -> bool:
    parent = inst.parent
    stream = inst.stream
    assert parent is not None  # cells are in items
    assert stream is not None  # and so in a stream
    node: Any = cell.consumer
    state = _collected(parent, node.state)
    state.decided += 1
    if stream.ended and state.decided == stream.count:
        run.signal(parent, node, 0 if stream.ok else SKIP)
    return False


def _wait_ended(
    run: Run, stream: StreamState, node: WaitNode, ok: bool, reason: str | None
) -> None:
    if _collected(stream.parent, node.state).decided == stream.count:
        run.signal(stream.parent, node, 0 if ok else SKIP, reason)


# -- the stream itself


def feed_of(run: Run, parent: MemoryState, node: StreamNode) -> Feed:
    """Return the source of a stream, seen from the instance that it is handed to."""
    feed = parent.slots[node.state]
    if feed is None:
        feed = parent.slots[node.state] = Feed(run, node.readers)
    return feed  # type: ignore[no-any-return]  # slots hold anything


def _take_stream(run: Run, inst: MemoryState, cell: CellNode, fired: bool, value: Any) -> bool:
    assert inst.parent is not None  # cells are in items
    node: Any = cell.consumer
    return feed_of(run, inst.parent, node).offer(inst, cell, fired, value)


def _stream_ended(
    run: Run, stream: StreamState, node: StreamNode, ok: bool, reason: str | None
) -> None:
    feed_of(run, stream.parent, node).end(End(stream.count, ok, reason))


def fire_stream(run: Run, inst: MemoryState, node: StreamNode) -> None:
    """Hand the stream over, as it has been opened."""
    inst.slots[node.slot] = Stream(feed_of(run, inst, node))
    run.fired(inst, node)


# -- batches and pairs: streams made of streams


class _Derived:
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
        self.over = True
        for offers in self.offers:
            for offer in offers.values():
                self.release(offer)
            offers.clear()
        self.run.end_stream(self.stream, ok=ok, reason=reason)


class _Batches(_Derived):
    """Lists of `size` items."""

    def __init__(self, run: Run, node: BatchNode) -> None:
        super().__init__(run, node, 1)
        self.items: list[Any] = []

    def pump(self) -> None:
        offers = self.offers[0]
        while self.next in offers:
            fired, value, _ = offers[self.next]
            if fired and len(self.items) + 1 == self.node.size and not self.room():
                return
            offer = offers.pop(self.next)
            self.next += 1
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


class _Pairs(_Derived):
    """One item of every side."""

    def __init__(self, run: Run, node: ZipNode) -> None:
        super().__init__(run, node, len(node.cells))
        self.longest = 0
        """Items that any side has had."""
        self.bound: int | None = None
        """Pairs that there can be at most: a side has no more items."""

    def offer(self, inst: MemoryState, cell: CellNode, fired: bool, value: Any) -> bool:
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
        self.next += 1
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
        self.run.handle(parent, self.node, failure)
        self.run.note(self.node.path, failure.ctx, reason_of(failure))
        self.finish(ok=False, reason=reason_of(failure))


def _derived(run: Run, parent: MemoryState, node: Any) -> _Derived:
    state = parent.slots[node.state]
    if state is None:
        state = _Batches(run, node) if isinstance(node, BatchNode) else _Pairs(run, node)
        parent.slots[node.state] = state
    return state  # type: ignore[no-any-return]  # slots hold anything


def _take_derived(run: Run, inst: MemoryState, cell: CellNode, fired: bool, value: Any) -> bool:
    assert inst.parent is not None  # cells are in items
    return _derived(run, inst.parent, cell.consumer).offer(inst, cell, fired, value)


def _derived_ended(run: Run, stream: StreamState, node: Any, ok: bool, reason: str | None) -> None:
    state = _derived(run, stream.parent, node)
    cells = [node.cell] if isinstance(node, BatchNode) else node.cells
    for cell in cells:
        if cell.region is stream.region:
            state.ended(cell.side, End(stream.count, ok, reason))


def fire_derived(run: Run, inst: MemoryState, node: Any) -> None:
    """Begin a stream of batches or pairs."""
    _derived(run, inst, node).begin(inst)


def skip_derived(run: Run, inst: MemoryState, node: Any, heard: int, reason: str | None) -> None:
    """A stream of batches or pairs will not be: let go of what its cells hold."""
    state = _derived(run, inst, node)
    state.over = True
    for offers in state.offers:
        for offer in offers.values():
            state.release(offer)
        offers.clear()
    skip_waiters(run, inst, node, heard, reason)


def skip_waiters(run: Run, inst: MemoryState, node: Any, heard: int, reason: str | None) -> None:
    """A stream will never open: those that wait for its end hear so."""
    for waiter in node.child.waiters:
        if isinstance(waiter, CollectNode | WaitNode | ExitNode):
            run.signal(inst, waiter, heard, reason)


def fire_port(run: Run, inst: MemoryState, node: Node) -> None:
    """One side of a pair is there."""
    run.fired(inst, node)


# -- an end that waits for the graphs that the stream comes out of


def hold_end(run: Run, stream: StreamState, node: ExitNode, ok: bool, reason: str | None) -> None:
    """Keep the end of a stream until all graphs around it have ended."""
    stream.parent.slots[node.state] = stream
    if isinstance(node.consumer, ZipNode):
        # What it holds without a pair may be what keeps those graphs from ending.
        pairs = _derived(run, stream.parent, node.consumer)
        assert isinstance(pairs, _Pairs)  # as it is a zip's
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


CONSUMERS: dict[type[Node], tuple[Callable[..., bool], Callable[..., None]]] = {
    CollectNode: (_take_collect, _collect_ended),
    WaitNode: (_take_wait, _wait_ended),
    StreamNode: (_take_stream, _stream_ended),
    BatchNode: (_take_derived, _derived_ended),
    ZipNode: (_take_derived, _derived_ended),
}
"""For each kind of consumer: what takes a cell's part, and what hears of the stream's end."""
