"""`Run`: one run of a plan. It owns every counter; nothing else decides what fires.

A node that has all its signals goes into one line, `ready`. Draining the line fires nodes where
they stand, one after the other, without tasks, until one of them has to wait. The task that
drained then becomes that firing's own, and another one goes on draining: so a task is only made
where something really waits, and an op always runs in one task from beginning to end.
"""

from __future__ import annotations

import random
import threading
import types
import warnings
from collections import deque
from collections.abc import Coroutine, Generator
from contextvars import Context as Variables
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import anyio
import anyio.lowlevel

from operonx.core.engine.calling import clock
from operonx.core.engine.cancelling import was_asked
from operonx.core.engine.frames import Emit, Frame, Outbox
from operonx.core.engine.result import RunResult, Skip
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
from operonx.core.engine.tasks import Tasks, new_tasks
from operonx.core.errors import (
    BlockingOpWarning,
    Context,
    EngineError,
    NoAnswerError,
    OpError,
)
from operonx.core.expressions.printing import show_value
from operonx.core.plan.nodes import CallNode, Node, OutputNode, Region

if TYPE_CHECKING:
    from operonx.core.engine.linking import LinkedPlan
    from operonx.core.engine.questions import Questions
    from operonx.core.engine.turns import Turns
    from operonx.core.ops.context import RunContext
    from operonx.core.plan.guards import Guard

__all__ = ["Run", "Suspended", "error_value", "reason_of", "watched"]

_SLICE: Final = 0.004
"""Seconds of work after which the event loop gets its turn."""
_LOOK: Final = 16
"""Firings between two looks at the clock."""
_BLOCKED: Final = 0.25
"""Seconds after which one step of an `async def` counts as blocking the event loop."""

_SECRET_NAMES: Final = ("key", "token", "secret", "password", "credential", "authorization")


class Suspended:
    """A firing that was begun and has to wait; some task must await it."""

    __slots__ = ("coroutine", "node", "run", "trap", "variables")

    def __init__(
        self,
        run: Run,
        node: Node,
        coroutine: Coroutine[Any, Any, None],
        trap: Any,
        variables: Variables,
    ) -> None:
        self.run = run
        self.node = node
        self.coroutine = coroutine
        self.trap = trap
        """What it wants the event loop to know, not yet handed on."""
        self.variables = variables


_PAUSE: Final = object()
"""The slice is over: let the event loop run."""


class Run:
    """One run of a plan."""

    def __init__(
        self,
        linked: LinkedPlan,
        inputs: dict[str, Any],
        *,
        streamed: bool = False,
    ) -> None:
        self.linked = linked
        self.run_id = uuid4().hex
        self.hub = linked.hub
        self.streamed = streamed
        """Whether outputs that carry axes leave as frames only."""
        self.questions: Questions | None = None
        self.frames: Outbox | None = None
        self.sifter: Any = None
        """Chooses and orders the frames that a watcher gets; None: as they come."""
        self.emits: list[Outbox] = []
        self.ready: deque[Any] = deque()
        """Instances and nodes in turn, two entries for each firing."""
        self.waiting: deque[Any] = deque()
        """The same of those that may have to wait, and so need a task."""
        self.sources: deque[Any] = deque()
        """Generators that may be advanced when nothing is ready."""
        self.open_sources: set[Any] = set()
        """All of them that are not over, also those that wait for their window."""
        self.variables = copy_context()
        self.group: Tasks | None = None
        self.failure: BaseException | None = None
        self.stopping = False
        self.over = False
        """Whether the run has ended, well or not."""
        self.outputs: dict[str, Any] = {}
        self.errors: list[OpError] = []
        self.skips: dict[str, Skip] = {}
        self.state: dict[Any, Any] = {}
        """What nodes keep over the whole run: places, rates."""
        self.drivers: set[Any] = set()
        """Scopes of generators that wait, to be cancelled when the run is stopped."""
        self.turns: list[Turns] = []
        """What goes in context order in this run."""
        self.streams: dict[tuple[int, Context], StreamState] = {}
        """Streams by region and context; kept only where something goes in context order."""
        self.waker: Any = None
        self.seq = 0
        self._kicked = False
        self._thread = threading.get_ident()
        self.root = self._open_root(inputs)

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
            await anyio.lowlevel.checkpoint()
        if self.waiting and self.failure is None:
            await self._execute_in_group()

    async def _execute_in_group(self) -> None:
        self.group = new_tasks(self.fail)
        await self.group.run(self._work_first)

    async def _work_first(self) -> None:
        self.linked.enter(self)
        await self.work()

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
        self.errors.sort(key=lambda error: (self._order_of(error.ctx), error.op))
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

    @staticmethod
    def _order_of(ctx: Context) -> tuple[Any, ...]:
        return tuple((axis, index) for axis, index in ctx)

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
                await self._pause()
                continue
            if self.ready or self.waiting or self.sources:
                self.spawn()
            await _resume(left)

    async def _pause(self) -> None:
        if self.frames is not None and self.frames.full:
            await self.frames.room()
        await anyio.lowlevel.checkpoint()

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

    def drain(self, *, pinned: bool = False) -> Any:  # noqa: C901 - the one hot loop, kept flat
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
        look = _LOOK
        end = clock() + _SLICE
        while True:
            if ready:
                inst = ready.popleft()
                node = ready.popleft()
                heard = inst.pending[node.index]
                if heard:
                    self.skipped(inst, node, covered=bool(heard & COVERED))
                elif node.suspends:
                    waiting.append(inst)
                    waiting.append(node)
                else:
                    node.fire(self, inst, node)
            elif waiting:
                if alone:
                    return None
                inst = waiting.popleft()
                node = waiting.popleft()
                suspended = node.fire(self, inst, node)
                if suspended is not None:
                    return suspended
            elif self.sources and not pinned:
                self.sources.popleft().advance()
            else:
                return None
            look -= 1
            if not look:
                look = _LOOK
                if clock() > end or (self.frames is not None and self.frames.full):
                    return _PAUSE

    def begin(self, node: Node, coroutine: Coroutine[Any, Any, None]) -> Suspended | None:
        """Take the first step of a firing in the task that drains."""
        variables = self.variables.copy()
        before = clock()
        try:
            trap = variables.run(coroutine.send, None)
        except StopIteration:
            return None
        finally:
            if clock() - before > _BLOCKED:
                self.warn_blocking(node)
        return Suspended(self, node, coroutine, trap, variables)

    def warn_blocking(self, node: Node) -> None:
        """Warn of an `async def` that blocked; where warnings are errors, the run fails of it."""
        if not getattr(getattr(node.op, "signature", None), "is_async", False):
            return
        try:
            warnings.warn(
                f"`async def` op `{node.path}` blocked the event loop for over {_BLOCKED:g} s; "
                "make it a plain `def`, or await what takes long",
                BlockingOpWarning,
                stacklevel=2,
            )
        except BlockingOpWarning as error:
            self.fail(OpError(node.path, (), error))

    # -- what becomes of nodes

    def push(self, inst: MemoryState, node: Node) -> None:
        """Let a node fire (or be skipped) next."""
        self.ready.append(inst)
        self.ready.append(node)

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
            self.ready.append(inst)
            self.ready.append(node)

    def fired(self, inst: MemoryState, node: Node) -> None:
        """A node fired: tell those that wait for it."""
        pending = inst.pending
        for target in node.targets:
            index = target.index
            left = pending[index] - 1
            pending[index] = left
            if not left & COUNT:
                self.ready.append(inst)
                self.ready.append(target)
        if node.linked:
            self._tell(inst, node, 0, None)
        inst.open -= 1
        if not inst.open:
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
        if not covered:
            self._note(node, context_of(inst), reason)
        heard = SKIP | COVERED if covered else SKIP
        for promise in node.promises:
            if not (began and promise is node.failed):
                self.signal(inst, promise, heard, reason)
        if node.on_skip is not None:
            node.on_skip(self, inst, node, heard, reason)
        if self.turns and node.op is not None:
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
        elif self._order_of(ctx) < self._order_of(known.ctx):
            self.skips[path] = Skip(known.count + 1, ctx, reason)
        else:
            self.skips[path] = Skip(known.count + 1, known.ctx, known.reason)

    # -- instances and streams

    def open_stream(
        self, owner: Node, region: Region, parent: MemoryState, limit: int | None
    ) -> StreamState:
        """Begin a stream; its parent stays open until the stream is over."""
        stream = StreamState(owner, region, parent, limit if region.window else None)
        parent.open += 1
        if self.turns:
            self.streams[region.index, context_of(parent)] = stream
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
            ready.append(inst)
            ready.append(node)
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
            waiter.stream_ended(self, stream, waiter, reason)
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
            return
        stream.open -= 1
        resume = stream.resume
        if resume is not None and not stream.full:
            stream.resume = None
            resume()
        self._finish_stream(stream)

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
            raise error
        if isinstance(error, KeyboardInterrupt | SystemExit):
            self.fail(error)
            return None
        if isinstance(error, StopIteration):
            wrapped = RuntimeError("the function raised StopIteration")
            wrapped.__cause__ = error
            error = wrapped
        return error if isinstance(error, OpError) else self._op_error(inst, node, error)

    @staticmethod
    def draw() -> float:
        """Return a number from [0, 1) for a jitter."""
        return random.random()  # noqa: S311 - no secret

    def _op_error(self, inst: MemoryState, node: Node, error: BaseException) -> OpError:
        return OpError(node.path, context_of(inst), error, self._shown_inputs(inst, node))

    def failed(self, inst: MemoryState, node: Node, failure: OpError) -> None:
        """Deal with a firing that failed for good, before it gave anything."""
        self.handle(inst, node, failure)
        if self.failure is None:
            self.skipped(inst, node, reason=reason_of(failure), began=True)

    def handle(self, inst: MemoryState, node: Node, failure: OpError) -> None:
        """Contain a failure where its op's policies say so, or hand it to the graphs around."""
        on_error = node.op.policies.on_error if node.op is not None else "raise"
        if node.failed is not None or node.may_lose or on_error == "skip":
            self.contain(inst, node, failure)
        else:
            self.escalate(inst, node.guard, failure)

    def contain(self, inst: MemoryState, node: Node, failure: OpError) -> None:
        """Keep a failure: as the op's `.error`, or in the result's list."""
        if node.failed is not None:
            inst.slots[node.failed.slot] = error_value(failure)
            self.signal(inst, node.failed)
        elif node.may_lose:
            self.state.setdefault("lost", {})[inst, node] = failure
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

    def _shown_inputs(self, inst: MemoryState, node: Node) -> dict[str, str]:
        if not isinstance(node, CallNode):
            return {}
        shown: dict[str, str] = {}
        for argument in node.arguments:
            if any(word in argument.name.lower() for word in _SECRET_NAMES):
                shown[argument.name] = "<redacted>"
                continue
            try:
                shown[argument.name] = show_value(argument.evaluate(inst))
            except Exception as error:  # noqa: BLE001 - the input itself is what failed
                shown[argument.name] = f"<{type(error).__name__}>"
        return shown

    # -- frames and emits

    def frame(
        self, inst: MemoryState | None, node: Node, outputs: dict[str, Any], ctx: Any = None
    ) -> None:
        """Hand a frame to the watcher; call it only where there is one."""
        assert self.frames is not None  # the caller looked
        frame = Frame(
            self.run_id, node.path, context_of(inst) if ctx is None else ctx, outputs, self.seq
        )
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


@types.coroutine
def watched(run: Run, node: Node, awaitable: Any) -> Generator[Any, Any, Any]:
    """Await what a user wrote, and warn if a step of it blocks the event loop."""
    step: Any = awaitable.send
    value: Any = None
    while True:
        before = clock()
        try:
            trap = step(value)
        except StopIteration as stop:
            return stop.value
        finally:
            if clock() - before > _BLOCKED:
                run.warn_blocking(node)
        step = awaitable.send
        try:
            value = yield trap
        except BaseException as error:  # noqa: BLE001 - handed into what is awaited
            step, value = awaitable.throw, error


@types.coroutine
def _resume(suspended: Suspended) -> Generator[Any, Any, None]:
    """Await a firing that was begun by hand, each step in its own context variables."""
    coroutine = suspended.coroutine
    run = suspended.variables.run
    trap = suspended.trap
    while True:
        step: Any = coroutine.send
        try:
            value: Any = yield trap
        except BaseException as error:  # noqa: BLE001 - handed into the firing
            step, value = coroutine.throw, error
        before = clock()
        try:
            trap = run(step, value)
        except StopIteration:
            return
        finally:
            if clock() - before > _BLOCKED:
                suspended.run.warn_blocking(suspended.node)


def reason_of(failure: OpError) -> str:
    """Return a failure as the reason of a skip."""
    return f"op `{failure.op}` failed: {type(failure.__cause__).__name__}: {failure.cause_message}"


def error_value(failure: OpError) -> dict[str, Any]:
    """Return an error as `op.error` gives it."""
    cause = failure.__cause__
    return {
        "type": type(cause).__name__,
        "message": failure.cause_message,
        "op": failure.op,
        "ctx": [list(step) for step in failure.ctx],
    }
