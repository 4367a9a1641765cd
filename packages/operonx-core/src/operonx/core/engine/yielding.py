"""One firing of a generator: every yield opens an item; how it ends, well or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from operonx.core.engine.attempts import release_streams
from operonx.core.engine.calling import SHORT, Caller, final_ports, ports_of
from operonx.core.engine.failures import reason_of
from operonx.core.engine.guarding import places_of
from operonx.core.engine.state import SKIP, MemoryState, StreamState, context_of
from operonx.core.errors import OutputError
from operonx.core.ops.signature import Final

if TYPE_CHECKING:
    from operonx.core.engine.scheduler import Run
    from operonx.core.plan.nodes import GeneratorNode

__all__ = ["LONG_YIELD", "SLOW", "GeneratorFiring", "returned_value"]

SLOW: float = 20 * SHORT
"""Seconds in all below which a generator is not judged by its average."""

LONG_YIELD: float = 10e-3
"""Seconds that one yield is enough of to send the next firings to threads."""


class GeneratorFiring:
    """One firing of a generator: what every way of advancing it shares."""

    def __init__(self, run: Run, inst: MemoryState, node: GeneratorNode) -> None:
        self.run = run
        self.inst = inst
        self.node = node
        self.caller: Caller = node.caller
        self.shape = self.caller.signature.shape
        self.ports: tuple[str, ...] = self.caller.ports
        limit = node.op.policies.max_open or run.linked.max_open
        self.stream: StreamState = run.open_stream(node, node.child, inst, limit)
        self.final_seen: bool = False
        self.slots: tuple[tuple[str, int], ...] = tuple(node.outputs.items())

    @property
    def stopped(self) -> bool:
        """Whether it is to end because the run was stopped: it is a source, and reads no stream."""
        return self.run.stopping and not self.node.streams

    def give(self, value: Any) -> None:
        """Dispatch one yield; raises if it has not the shape of the ports."""
        if type(value) is Final:
            self._give_final(value)
            return
        if self.final_seen:
            raise OutputError("yielded after its `final(...)`, which ends a stream")
        outputs = ports_of(self.caller, value, self.ports, self.shape)
        item = self.run.open_item(self.stream)
        slots = item.slots
        if self.node.open_slot is not None:
            slots[self.node.open_slot] = outputs
        else:
            for port, slot in self.slots:
                slots[slot] = outputs[port]
        if self.run.frames is not None:
            self.run.frame(item, self.node, outputs)

    def _give_final(self, value: Any) -> None:
        if self.final_seen:
            raise OutputError("yielded `final(...)` twice")
        outputs = ports_of(self.caller, dict(value), final_ports(self.node), "mapping")
        self.final_seen = True
        for port, slot in self.node.final.items():
            self.inst.slots[slot] = outputs[port]
        if self.run.frames is not None:
            self.run.frame(self.inst, self.node, outputs)

    def end(self) -> None:
        """The generator ended well."""
        node, run, inst = self.node, self.run, self.inst
        if node.final and not self.final_seen and not self.stopped:
            names = ", ".join(node.final)
            self.fail(OutputError(f"ended without its `final({names})`"))
            return
        run.end_stream(self.stream, ok=True)
        if node.final and not self.final_seen:
            run.signal(inst, node.end, SKIP, "the run was stopped")
        else:
            run.signal(inst, node.end)
        if node.failed is not None:
            run.signal(inst, node.failed, SKIP, f"`{node.path}` did not fail")
        self._leave()

    def fail(self, error: BaseException, hint: str | None = None) -> None:
        """The generator raised, or gave what has not the shape of its ports."""
        run, inst, node = self.run, self.inst, self.node
        failure = run.failure_of(inst, node, error)
        if failure is None:
            return
        failure.hint = hint or failure.hint
        run.handle(inst, node, failure)
        if run.failure is None:
            self._break_off(reason_of(failure))

    def drop(self) -> None:
        """End the stream as one that nothing wants any more."""
        reason = "it was no longer wanted"
        if self.node.failed is not None:
            self.run.signal(self.inst, self.node.failed, SKIP, reason)
        self._break_off(reason)

    def _break_off(self, reason: str) -> None:
        """End the stream as one that failed."""
        run, inst, node = self.run, self.inst, self.node
        run.note(node.path, context_of(inst), reason)
        run.end_stream(self.stream, ok=False, reason=reason)
        run.signal(inst, node.end, SKIP, reason)
        self._leave()

    def _leave(self) -> None:
        self.run.open_sources.discard(self)
        release_streams(self.run, self.inst, self.node)
        if self.node.op.policies.concurrency is not None:
            places_of(self.run, self.node).leave()


def returned_value(value: Any) -> OutputError:
    """Return the error of a generator that returned a value."""
    return OutputError(
        f"a generator returned `{type(value).__name__}`, which nobody would read",
        hint="yield it: `yield final(name=value)`",
    )
