"""The task that a run goes on in beside its caller, and what its watchers iterate."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

import anyio

from operonx.core.engine.threads import Waker, current_waker
from operonx.core.errors import RunStateError

if TYPE_CHECKING:
    from operonx.core.engine.frames import Outbox
    from operonx.core.engine.result import RunResult
    from operonx.core.engine.scheduler import Run

__all__ = ["Host", "Items", "loop_is_running"]


def loop_is_running() -> bool:
    """Tell whether an event loop runs in this thread, asyncio's or trio's."""
    try:
        # The first knows of a loop outside of its tasks, the second of trio.
        if asyncio.events._get_running_loop() is None:
            anyio.get_current_task()
    except RuntimeError:
        return False
    return True


class Host:
    """The task that a run goes on in, and what became of it.

    It knows nothing of the handle, so that a handle nobody holds can be found out and its run
    cancelled.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.result: RunResult | None = None
        self.error: BaseException | None = None
        self.over: anyio.Event = anyio.Event()
        self.cancelled: bool = False
        self.left: bool = False
        """Whether it was cancelled because nobody iterates its frames any more."""
        self._scope = anyio.CancelScope()
        self._waker: Waker | None = None
        self._task: Any = None

    def begin(self) -> None:
        """Start the task. Nothing but this run lives in it, and it lives no longer."""
        self._waker = current_waker()
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            import trio  # without an asyncio loop this can only run on trio

            trio.lowlevel.spawn_system_task(self._main, context=copy_context())
        else:
            # A handle has no block around it to hold a task group open.
            self._task = asyncio.ensure_future(self._main())  # noqa: TID251 - see above

    async def _main(self) -> None:
        try:
            with self._scope:
                if not self.cancelled:
                    self.result = await self.run.execute()
        except BaseException as error:  # noqa: BLE001 - handed to whoever awaits the run
            self.error = error
        finally:
            self.run.over = True
            for outbox in (self.run.frames, *self.run.emits):
                if outbox is not None:
                    outbox.close()
            if self.run.questions is not None:
                self.run.questions.outbox.close()
            self.over.set()

    def cancel(self) -> None:
        """Cancel the run; callable more than once, and from any thread."""
        if self.over.is_set():
            return
        self.cancelled = True
        if self._waker is not None:  # else it was never begun
            self.call(self._scope.cancel)

    def stop(self) -> None:
        """Let the sources end; callable from any thread."""
        self.run.stopping = True  # at once, also where the run was not begun yet
        self.call(self.run.stop)

    def leave(self) -> None:
        """Cancel the run, as the iteration of its frames was left."""
        if not self.over.is_set():
            self.left = True
            self.cancel()

    def call(self, function: Callable[[], object]) -> None:
        """Call a function on the event loop's thread; callable from any thread."""
        if self.run.on_loop_thread():
            function()
        elif self._waker is not None:
            self._waker(function)

    async def wait(self) -> None:
        """Wait for the end; being cancelled meanwhile cancels the run."""
        try:
            await self.over.wait()
        except BaseException:
            await self.end()
            raise

    async def end(self) -> None:
        """Cancel the run and wait until nothing of it is left.

        However often the caller's task is cancelled meanwhile: the scope shields from anyio's
        cancelling alone, so one by asyncio is raised once the run is over.
        """
        self.cancel()
        again: asyncio.CancelledError | None = None
        with anyio.CancelScope(shield=True):
            while not self.over.is_set():
                try:
                    await self.over.wait()
                except asyncio.CancelledError as error:
                    again = error
        if again is not None:
            raise again

    def outcome(self) -> RunResult:
        """Return the result, or raise what the run failed with."""
        if self.result is not None:
            return self.result
        if self.error is not None and not isinstance(self.error, asyncio.CancelledError):
            raise self.error
        raise self.was_cancelled()

    def was_cancelled(self) -> RunStateError:
        """Return the error of whoever asks for the result of a run that was cancelled."""
        hint = "iterate its frames to the end: leaving the iteration cancels the run"
        return RunStateError(
            "the run was cancelled, so it has no result", hint=hint if self.left else None
        )


class Items(AsyncIterator[Any]):
    """The items of an outbox; at their end it raises what the run failed with.

    `async for` does not tell an iterator that it was left by a `break` or an error: it only lets
    go of it. So what is to be done then is done when nobody holds it any more, or by `aclose`.

    Args:
        outbox: Where the items come from.
        host: Of the run that they are of.
        keeps: What must live as long as this: a run goes on while somebody watches it.
        left: Called once when the iteration was left, on the event loop's thread.
        awaits_run: Whether being cancelled while waiting for an item cancels the run.
    """

    def __init__(
        self,
        outbox: Outbox,
        host: Host,
        keeps: object,
        left: Callable[[], object],
        *,
        awaits_run: bool = False,
    ) -> None:
        self._outbox = outbox
        self._host = host
        self._keeps = keeps
        self._left: Callable[[], object] | None = left
        self._awaits_run = awaits_run

    async def __anext__(self) -> Any:
        if self._left is None:
            raise StopAsyncIteration
        try:
            more, item = await self._outbox.take()
            if not more:
                await self._host.over.wait()
        except BaseException:
            if self._awaits_run:
                await self._host.end()
            raise
        if more:
            return item
        self._host.outcome()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Leave the iteration, as a `break` does."""
        self._leave()
        if self._host.cancelled:
            await self._host.end()

    def _leave(self) -> None:
        left, self._left = self._left, None
        if left is not None:
            self._host.call(left)

    def __del__(self) -> None:
        self._leave()
