"""`Run`: one run of a plan, from its inputs to its result.

It owns every counter: `Signals` decides what fires, `Draining` fires it, and nothing else does.
"""

from __future__ import annotations

import random
import threading
from os import urandom
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel

from operonx.core.engine.cancelling import was_asked
from operonx.core.engine.containment import failure_of, handle
from operonx.core.engine.draining import Draining
from operonx.core.engine.failures import reason_of
from operonx.core.engine.frames import Emit, Frame
from operonx.core.engine.outcome import result_of
from operonx.core.engine.state import MemoryState, context_of
from operonx.core.errors import NoAnswerError

if TYPE_CHECKING:
    from operonx.core.engine.linking import LinkedPlan
    from operonx.core.engine.questions import Questions
    from operonx.core.engine.result import RunResult
    from operonx.core.errors import OpError
    from operonx.core.ops.context import RunContext
    from operonx.core.plan.guards import Guard
    from operonx.core.plan.nodes import Node

__all__ = ["Run"]


class Run(Draining):
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
            self.close_sources()
            for outbox in (*self.emits, *([self.frames] if self.frames is not None else [])):
                outbox.close()
        return result_of(self)

    async def _execute_inline(self) -> None:
        # A group costs more than a short graph, so it is only made where something must wait.
        while self.drain() is not None:
            await self.pause()
        if self.waiting and self.failure is None:
            await self._execute_in_group()

    async def _execute_in_group(self) -> None:
        await self.in_group(self._begin_work)

    async def _begin_work(self) -> None:
        self.linked.enter(self)
        # In a task of its own: the caller's may be cancelled from outside, again and again.
        self.spawn()

    def stop(self) -> None:
        """Close the sources and let what is open finish."""
        self.stopping = True
        for scope in list(self.drivers):
            scope.cancel()

    def on_loop_thread(self) -> bool:
        """Return whether the caller is on the thread of the event loop."""
        return threading.get_ident() == self._thread

    # -- what a firing says of its failure

    def raised(
        self, inst: MemoryState, node: Node, error: BaseException, hint: str | None = None
    ) -> None:
        """A firing raised before it gave anything: end the run, or contain it."""
        failure = failure_of(self, inst, node, error)
        if failure is None:
            return
        failure.hint = hint or failure.hint
        handle(self, inst, node, failure)
        if self.failure is None:
            self.skipped(inst, node, reason=reason_of(failure), began=True)

    def failure_of(self, inst: MemoryState, node: Node, error: BaseException) -> OpError | None:
        """Return what a firing raised as an `OpError`; None if it has ended the run as it is.

        A cancelling that was asked for is raised again.
        """
        return failure_of(self, inst, node, error)

    def handle(self, inst: MemoryState, node: Node, failure: OpError) -> None:
        """Contain a failure where its op's policies say so, or hand it to the graphs around."""
        handle(self, inst, node, failure)

    def is_cancelling(self, error: BaseException) -> bool:
        """Return whether an exception is a cancelling that was asked for."""
        return was_asked(self, error)

    @staticmethod
    def draw() -> float:
        """Return a number from [0, 1) for a jitter."""
        return random.random()  # noqa: S311 - no secret

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
        seq = self.seq
        self.seq = seq + 1
        if self.sifter is None:
            self.frames.put(Frame(self.run_id, node.path, context_of(inst), outputs, seq))
        else:
            self.sifter.put(self, inst, node, outputs, seq)

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
