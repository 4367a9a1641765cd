"""A run that goes on beside its caller: `engine.start(...)` and `engine.stream(...)`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Self

import anyio

from operonx.core.engine.frames import Emit, Frame, Outbox
from operonx.core.engine.questions import Question, Questions
from operonx.core.engine.threads import Waker, current_waker
from operonx.core.errors import RunStateError

if TYPE_CHECKING:
    from types import TracebackType

    from operonx.core.engine.result import RunResult
    from operonx.core.engine.scheduler import Run

__all__ = ["RunHandle", "RunStream"]


class _Host:
    """The task that a run goes on in, and what became of it.

    It knows nothing of the handle, so that a handle nobody holds can be found out and its run
    cancelled.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.result: RunResult | None = None
        self.error: BaseException | None = None
        self.over = anyio.Event()
        self.cancelled = False
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
        if self._waker is not None:
            if self.run.on_loop_thread():
                self._scope.cancel()
            else:
                self._waker(self._scope.cancel)

    async def wait(self) -> None:
        """Wait for the end; being cancelled meanwhile cancels the run."""
        try:
            await self.over.wait()
        except BaseException:
            self.cancel()
            with anyio.CancelScope(shield=True):
                await self.over.wait()
            raise

    def outcome(self) -> RunResult:
        """Return the result, or raise what the run failed with."""
        if self.result is not None:
            return self.result
        if self.error is not None and not isinstance(self.error, asyncio.CancelledError):
            raise self.error
        raise RunStateError("the run was cancelled, so it has no result")


class _Live:
    """What a handle and a stream of frames share."""

    def __init__(self, run: Run) -> None:
        self._host = _Host(run)

    @property
    def run_id(self) -> str:
        """The id of the run."""
        return self._host.run.run_id

    def cancel(self) -> None:
        """Cancel the run: everything in flight stops, and there is no result."""
        self._host.cancel()

    def stop(self) -> None:
        """Close the sources and let what is open finish; the result is what came so far."""
        self._host.run.stop()

    def events(self) -> AsyncIterator[Emit]:
        """Return what ops emit from now on."""
        outbox = Outbox()
        if self._host.over.is_set():
            outbox.close()
        self._host.run.emits.append(outbox)
        return _Items(outbox, self._host)

    def questions(self) -> AsyncIterator[Question]:
        """Return the questions that ops ask; answer each with `await question.answer(value)`."""
        questions = self._host.run.questions
        assert questions is not None  # every run with a handle has them
        questions.watched = True
        return _Items(questions.outbox, self._host)

    def __del__(self) -> None:
        # Nobody can learn any more what becomes of the run, so it does not go on.
        self._host.cancel()


class _Items(AsyncIterator[Any]):
    """The items of an outbox; being cancelled while waiting for one cancels the run."""

    def __init__(
        self, outbox: Outbox, host: _Host, at_end: Callable[[], object] | None = None
    ) -> None:
        self._outbox = outbox
        self._host = host
        self._at_end = at_end

    async def __anext__(self) -> Any:
        try:
            more, item = await self._outbox.take()
        except BaseException:
            self._host.cancel()
            with anyio.CancelScope(shield=True):
                await self._host.over.wait()
            raise
        if more:
            return item
        await self._host.wait()
        if self._at_end is not None:
            self._at_end()
        raise StopAsyncIteration


class RunHandle(_Live):
    """A run begun by `engine.start(inputs)`.

    Iterating it gives the frames from then on; dropping it cancels the run.

    Example:
        ```python
        handle = engine.start({"text": text})
        async for question in handle.questions():
            await question.answer(input(question.payload))
        result = await handle.result()
        ```
    """

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        run.questions = Questions()
        self._host.begin()

    async def result(self) -> RunResult:
        """Wait for the end and return the result.

        Raises:
            OpError: If an op failed.
            RunStateError: If the run was cancelled.
        """
        questions = self._host.run.questions
        if questions is not None:
            questions.await_result()
        await self._host.wait()
        return self._host.outcome()

    def __aiter__(self) -> AsyncIterator[Frame]:
        run = self._host.run
        if run.questions is not None:
            run.questions.await_result()
        if run.frames is not None:
            raise RunStateError("the frames of a run can be iterated once")
        run.frames = Outbox()
        if self._host.over.is_set():
            run.frames.close()
        return _Items(run.frames, self._host, self._host.outcome)


class RunStream(_Live):
    """The frames of a run, from `engine.stream(inputs)`.

    `async with engine.stream(...) as run:` ends the run when the block is left; iterating it
    without a block does so when the iteration is left.
    """

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        run.questions = Questions()
        run.frames = Outbox()
        self._begun = False

    @property
    def result(self) -> RunResult:
        """The result, once the iteration has come to its end.

        Raises:
            RunStateError: If the run is not over, or was cancelled.
            OpError: If an op failed.
        """
        if not self._host.over.is_set():
            raise RunStateError(
                "the run is not over", hint="iterate its frames to the end before reading `.result`"
            )
        return self._host.outcome()

    def _begin(self) -> None:
        if self._begun:
            raise RunStateError("a stream of frames can be begun once")
        self._begun = True
        self._host.begin()

    async def __aenter__(self) -> Self:
        self._begin()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._host.cancel()
        with anyio.CancelScope(shield=True):
            await self._host.over.wait()

    def __aiter__(self) -> AsyncIterator[Frame]:
        if not self._begun:
            self._begin()
        questions = self._host.run.questions
        if questions is not None:
            questions.await_result()
        return _Frames(self)

    def items(self) -> AsyncIterator[Frame]:
        """Return the frames; unlike iterating, this does not keep the stream alive."""
        frames = self._host.run.frames
        assert frames is not None  # set when this was made
        return _Items(frames, self._host, self._host.outcome)


class _Frames(AsyncIterator[Frame]):
    """The frames of a stream; keeps it, and so its run, alive while it is iterated."""

    def __init__(self, stream: RunStream) -> None:
        self._stream = stream
        self._items = stream.items()

    async def __anext__(self) -> Frame:
        return await self._items.__anext__()
