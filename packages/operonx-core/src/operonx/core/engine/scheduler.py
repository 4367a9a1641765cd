"""`Run`: one run of a plan. It owns every counter; nothing else decides what fires.

A node that has all its signals goes into one line, `ready`. Draining the line fires nodes where
they stand, one after the other, without tasks, until one of them has to wait. The task that
drained then becomes that firing's own, and another one goes on draining: so a task is only made
where something really waits, and an op always runs in one task from beginning to end.
"""

from __future__ import annotations

import random
import threading
from collections import deque
from contextvars import copy_context
from os import urandom
from typing import TYPE_CHECKING, Any, Final

import anyio
import anyio.lowlevel

from operonx.core.engine.calling import clock
from operonx.core.engine.cancelling import interrupt_in, leaves_of, was_asked
from operonx.core.engine.failures import error_value, op_error, reason_of
from operonx.core.engine.frames import Emit, Frame, Outbox
from operonx.core.engine.guarding import is_dead
from operonx.core.engine.result import RunResult
from operonx.core.engine.signals import Signals
from operonx.core.engine.state import (
    COUNT,
    FIRED,
    SKIP,
    SKIPPED,
    MemoryState,
    context_of,
)
from operonx.core.engine.stepping import Suspended, begin, resume
from operonx.core.engine.tasks import Tasks, new_tasks
from operonx.core.errors import EngineError, NoAnswerError, OpError

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from contextvars import Context as Variables

    from operonx.core.engine.linking import LinkedPlan
    from operonx.core.engine.questions import Questions
    from operonx.core.ops.context import RunContext
    from operonx.core.plan.guards import Guard
    from operonx.core.plan.nodes import Node, OutputNode

__all__ = ["Run"]

_SLICE: Final = 0.004
"""Seconds of work after which the event loop gets its turn."""
_LOOK: Final = 16
"""Firings between two looks at the clock."""


_PAUSE: Final = object()
"""The slice is over: let the event loop run."""


class Run(Signals):
    """One run of a plan."""

    def __init__(
        self,
        linked: LinkedPlan,
        inputs: dict[str, Any],
        *,
        streamed: bool = False,
    ) -> None:
        super().__init__()
        self.linked = linked
        self.run_id: str = urandom(16).hex()
        self.hub: Any = linked.hub
        self.streamed = streamed
        """Whether outputs that carry axes leave as frames only."""
        self.questions: Questions | None = None
        self.frames: Outbox | None = None
        self.emits: list[Outbox] = []
        self.waiting: deque[Any] = deque()
        """As `ready`, of what may have to wait, and so needs a task."""
        self.sources: deque[Any] = deque()
        """Generators that may be advanced when nothing is ready."""
        self.open_sources: set[Any] = set()
        """All of them that are not over, also those that wait for their window."""
        self.variables: Variables = copy_context()
        self.group: Tasks | None = None
        self.failure: BaseException | None = None
        self.stopping: bool = False
        self.over: bool = False
        """Whether the run has ended, well or not."""
        self.outputs: dict[str, Any] = {}
        self.errors: list[OpError] = []
        self.state: dict[Any, Any] = {}
        """What nodes keep over the whole run: places, rates."""
        self.drivers: set[Any] = set()
        """Scopes of generators that wait, to be cancelled when the run is stopped."""
        self.waker: Any = None
        self.seq: int = 0
        self._kicked = False
        self._pausing = False
        self._thread = threading.get_ident()
        self.root: MemoryState = self._open_root(inputs)

    def _open_root(self, inputs: dict[str, Any]) -> MemoryState:
        plan = self.linked.plan
        root = MemoryState(plan.regions[0], None, 0, None)
        for key, value in inputs.items():
            root.slots[plan.inputs[key]] = value
        self.linked.set_up(self)
        for node in plan.regions[0].roots:
            self.push(root, node)
        return root

    # -- the life of a run

    async def execute(self) -> RunResult:
        """Run to the end and return the result; raises what the run fails with."""
        try:
            await anyio.lowlevel.checkpoint_if_cancelled()
            if self.frames is None and self.linked.plan.root_guard is None:
                await self._execute_inline()
            else:
                await self._execute_in_group()
        finally:
            self.over = True
            self._close_sources()
            for outbox in (*self.emits, *([self.frames] if self.frames is not None else [])):
                outbox.close()
        return self.result()

    async def _execute_inline(self) -> None:
        # A group costs more than a short graph, so it is only made where something must wait.
        while self.drain() is not None:
            await self._pause()
        if self.waiting and self.failure is None:
            await self._execute_in_group()

    async def _execute_in_group(self) -> None:
        self.group = new_tasks(self.fail)
        await self.group.run(self._begin_work)

    async def _begin_work(self) -> None:
        self.linked.enter(self)
        # In a task of its own: the caller's may be cancelled from outside, again and again.
        self.spawn()

    def on_loop_thread(self) -> bool:
        """Return whether the caller is on the thread of the event loop."""
        return threading.get_ident() == self._thread

    def result(self) -> RunResult:
        """Return the result, or raise the failure."""
        if self.failure is not None:
            raise self.failure
        if self.root.open:
            raise EngineError(self._stuck())
        missing = {
            key: self._why_missing(node)
            for key, node in self.linked.plan.outputs.items()
            if key not in self.outputs
        }
        self.errors.sort(key=lambda error: (error.ctx, error.op))
        return RunResult(
            run_id=self.run_id,
            outputs={
                key: self.outputs[key] for key in self.linked.plan.outputs if key in self.outputs
            },
            missing=missing,
            errors=self.errors,
            skipped=self.skips,
            paths=lambda: self.linked.paths,
            engine="python",
        )

    def _why_missing(self, node: OutputNode) -> str:
        if self.linked.streamed_outputs.get(node.key) and self.streamed:
            return "it left as frames; a streamed run keeps no outputs that carry axes"
        return (self.root.reasons or {}).get(node.index, "its op was skipped")

    def _stuck(self) -> str:
        waiting = [
            node.path
            for node, count in zip(self.root.region.nodes, self.root.pending, strict=True)
            if 0 < count & COUNT < COUNT and not count & (FIRED | SKIPPED)
        ]
        return f"the run came to rest with nodes waiting: {', '.join(waiting[:10])}"

    def fail(self, error: BaseException) -> None:
        """End the run with an error; everything in flight is cancelled."""
        if self.failure is None:
            self.failure = error
        self.cancel()

    def cancel(self) -> None:
        """Cancel everything in flight."""
        self.ready.clear()
        self.waiting.clear()
        self._close_sources()
        if self.group is not None:
            self.group.cancel()

    def stop(self) -> None:
        """Close the sources and let what is open finish."""
        self.stopping = True
        for scope in list(self.drivers):
            scope.cancel()

    def _close_sources(self) -> None:
        self.sources.clear()
        for source in list(self.open_sources):
            source.close()
        self.open_sources.clear()

    # -- draining

    async def work(self) -> None:
        """Fire what is ready until nothing is; awaits what has to wait in this task."""
        while self.failure is None:
            left = self.drain()
            if left is None:
                return
            if left is _PAUSE:
                if self._pausing:
                    return  # one task goes on after the pause, however many firings came back
                await self._pause()
                continue
            if self.ready or self.waiting or self.sources:
                self.spawn()
            await resume(left)

    async def _pause(self) -> None:
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
                    if node.suspends:
                        waiting.append((inst, node))
                    else:
                        node.fire(self, inst, node)
                elif waiting:
                    if alone or self.full:
                        return None if alone else _PAUSE
                    inst, node = waiting.popleft()
                    suspended = node.fire(self, inst, node)
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

    # -- failures

    def raised(self, inst: MemoryState, node: Node, error: BaseException) -> None:
        """A firing raised before it gave anything: end the run, or contain it."""
        failure = self.failure_of(inst, node, error)
        if failure is not None:
            self.failed(inst, node, failure)

    def is_cancelling(self, error: BaseException) -> bool:
        """Return whether an exception is a cancelling that was asked for."""
        return was_asked(self, error)

    def failure_of(self, inst: MemoryState, node: Node, error: BaseException) -> OpError | None:
        """Return what a firing raised as an `OpError`; None if it has ended the run as it is.

        A cancelling that was asked for is raised again.
        """
        if was_asked(self, error):
            raise next(leaves_of(error))
        interrupt = interrupt_in(error)
        if interrupt is not None:
            self.fail(interrupt)
            return None
        if isinstance(error, StopIteration):
            wrapped = RuntimeError("the function raised StopIteration")
            wrapped.__cause__ = error
            error = wrapped
        return op_error(inst, node, error)

    @staticmethod
    def draw() -> float:
        """Return a number from [0, 1) for a jitter."""
        return random.random()  # noqa: S311 - no secret

    def failed(self, inst: MemoryState, node: Node, failure: OpError) -> None:
        """Deal with a firing that failed for good, before it gave anything."""
        self.handle(inst, node, failure)
        if self.failure is None:
            self.skipped(inst, node, reason=reason_of(failure), began=True)

    def handle(self, inst: MemoryState, node: Node, failure: OpError) -> None:
        """Contain a failure where its op's policies say so, or hand it to the graphs around."""
        if node.failed is not None or node.may_lose or _skips(node):
            self.contain(inst, node, failure)
        else:
            self.escalate(inst, node.guard, failure)

    def contain(self, inst: MemoryState, node: Node, failure: OpError) -> None:
        """Keep a failure: as the op's `.error`, or in the result's list."""
        if is_dead(self, inst, node):
            # What fails in a graph that is closed, or after its race, does so because of that.
            if node.failed is not None:
                self.signal(inst, node.failed, SKIP, "it was no longer wanted")
        elif node.failed is not None:
            inst.slots[node.failed.slot] = error_value(failure)
            self.signal(inst, node.failed)
        elif node.may_lose and not _skips(node):
            inst.note_raced()[node] = failure
        else:
            self.errors.append(failure)

    def escalate(self, inst: MemoryState, guard: Guard | None, failure: OpError) -> None:
        """Hand a failure to the graphs around; the outermost is the run."""
        while guard is not None:
            state = self.guard_state(inst, guard)
            if guard.contains:
                state.kill(failure)
                return
            guard = guard.outer
        self.fail(failure)

    def guard_state(self, inst: MemoryState, guard: Guard) -> Any:
        """Return a guard's state, seen from an instance inside it."""
        holder: MemoryState = inst
        while holder.region is not guard.region:
            assert holder.parent is not None  # a guard's region is around its nodes
            holder = holder.parent
        return holder.slots[guard.slot]

    # -- frames and emits

    def frame(self, inst: MemoryState, node: Node, outputs: dict[str, Any]) -> None:
        """Hand a frame to the watcher; call it only where there is one."""
        assert self.frames is not None  # the caller looked
        frame = Frame(self.run_id, node.path, context_of(inst), outputs, self.seq)
        self.seq += 1
        if self.sifter is None:
            self.frames.put(frame)
        else:
            self.sifter.put(self, inst, node, frame)

    def emit(self, context: RunContext, channel: str, payload: object) -> None:
        """Hand an emit to those who watch; callable from any thread."""
        emit = Emit(channel, payload, context.op, context.ctx, context.attempt)

        def deliver() -> None:
            for outbox in self.emits:
                outbox.put(emit)

        if self.waker is None or self.on_loop_thread():
            deliver()
        else:
            self.waker(deliver)

    async def ask(self, context: RunContext, payload: object) -> Any:
        """Put a question to those who watch."""
        if self.questions is None:
            raise NoAnswerError(
                f"op `{context.op}` asks, but nobody watches this run",
                hint="use `engine.start(...)` and answer in `async for q in handle.questions()`",
            )
        return await self.questions.ask(context, payload)


def _skips(node: Node) -> bool:
    return node.op is not None and node.op.policies.on_error == "skip"
