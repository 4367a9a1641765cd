"""A run that goes on beside its caller: `engine.start(...)` and `engine.stream(...)`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import TYPE_CHECKING, ClassVar, NoReturn, Self

from operonx.core.engine.frames import Emit, Frame, Outbox
from operonx.core.engine.hosting import Host, Items, loop_is_running
from operonx.core.engine.questions import Question, Questions
from operonx.core.errors import RunStateError

if TYPE_CHECKING:
    from types import TracebackType

    from operonx.core.engine.result import RunResult
    from operonx.core.engine.scheduler import Run

__all__ = ["RunHandle", "RunStream"]


class _Live:
    """What a handle and a stream of frames share."""

    _call: ClassVar[str]
    """The method of the engine that makes one."""
    _instead_of_await: ClassVar[str]
    """What to write in place of awaiting the object itself."""

    def __init__(self, run: Run) -> None:
        if not loop_is_running():
            raise RunStateError(
                f"`{self._call}` was called where no event loop is running",
                hint=f"call it in an `async def`, with `{self._instead_of_await}`; "
                "without one use `engine.run_sync(...)`",
            )
        self._host = Host(run)
        self._questions = run.questions = Questions()

    @property
    def run_id(self) -> str:
        """The id of the run."""
        return self._host.run.run_id

    def cancel(self) -> None:
        """Cancel the run: everything in flight stops, and there is no result.

        Callable from any thread.
        """
        self._host.cancel()

    def stop(self) -> None:
        """Close the sources and let what is open finish; the result is what came so far.

        A source is a generator op that reads no stream; one that does ends as its stream ends.
        Callable from any thread.
        """
        self._host.stop()

    def events(self) -> AsyncIterator[Emit]:
        """Return what ops emit from now on.

        Read them as they come, or let go of the iterator: where many wait to be read, the run
        begins no further ops and asks generators for no more until they are. What one call of an
        op emits is not held back, so an op that says much is best a generator.

        At the end of a run that failed or was cancelled the iteration raises as `result()` does. A
        wait for an event may be cancelled, and taken up again: the run goes on.
        """
        outbox = Outbox()
        emits = self._host.run.emits
        emits.append(outbox)
        if self._host.over.is_set():
            outbox.close()
        return Items(outbox, self._host, self, partial(_drop, emits, outbox))

    def questions(self) -> AsyncIterator[Question]:
        """Return the questions that ops ask; answer each with `await question.answer(value)`.

        Go on iterating until the run is over. Once nobody iterates them any more and the result
        or the frames are awaited, ops that ask fail, with those that wait for an answer.

        At the end of a run that failed or was cancelled the iteration raises as `result()` does. A
        wait for a question may be cancelled, and taken up again: the run goes on.
        """
        questions = self._questions
        questions.watch()
        return Items(questions.outbox, self._host, self, questions.unwatch)

    if not TYPE_CHECKING:  # checkers shall see that it cannot be awaited

        def __await__(self) -> NoReturn:
            raise TypeError(
                f"what `{self._call}` gives is not awaited itself: write `{self._instead_of_await}`"
            )

    def __del__(self) -> None:
        # Nobody can learn any more what becomes of the run, so it does not go on.
        host = getattr(self, "_host", None)
        if host is not None:
            host.cancel()


def _drop(outboxes: list[Outbox], outbox: Outbox) -> None:
    """What nobody reads any more is not kept."""
    outbox.close()
    outboxes.remove(outbox)


class RunHandle(_Live):
    """A run begun by `engine.start(inputs)`.

    It goes on whether or not anybody looks. Iterating it gives the frames from then on: those that
    came before are not kept, so begin at once, before anything else is awaited, to get them all.
    Leaving that iteration lets the run go on without a watcher. Dropping the handle cancels the
    run.

    Example:
        ```python
        handle = engine.start({"text": text})
        async for question in handle.questions():
            await question.answer(input(question.payload))
        result = await handle.result()
        ```
    """

    _call: ClassVar[str] = "engine.start(...)"
    _instead_of_await: ClassVar[str] = "await handle.result()"

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self._host.begin()

    async def result(self) -> RunResult:
        """Wait for the end and return the result.

        Raises:
            OpError: If an op failed.
            RunStateError: If the run was cancelled.
        """
        self._questions.await_result()
        await self._host.wait()
        return self._host.outcome()

    def __aiter__(self) -> AsyncIterator[Frame]:
        run = self._host.run
        if run.frames is not None:
            raise RunStateError("the frames of a run can be iterated once")
        self._questions.await_result()
        run.frames = Outbox()
        if self._host.over.is_set():
            run.frames.close()
        # A line that nobody reads must not make the run wait, so it is closed when it is left.
        return Items(run.frames, self._host, self, run.frames.close, awaits_run=True)


class RunStream(_Live):
    """The frames of a run, from `engine.stream(inputs)`.

    Leaving the iteration before its end, by `break`, `return` or an error, cancels the run. With
    `async with engine.stream(...) as run:` nothing of it is left when the block is; without a
    block it ends at its next steps.
    """

    _call: ClassVar[str] = "engine.stream(...)"
    _instead_of_await: ClassVar[str] = "async for frame in engine.stream(...)"

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self._frames = run.frames = Outbox()
        self._begun = False
        self._iterated = False

    @property
    def result(self) -> RunResult:
        """The result, once the iteration has come to its end.

        Raises:
            RunStateError: If the run is not over, or was cancelled.
            OpError: If an op failed.
        """
        if self._host.over.is_set():
            return self._host.outcome()
        if self._host.cancelled:
            raise self._host.was_cancelled()
        raise RunStateError(
            "the run is not over", hint="iterate its frames to the end before reading `.result`"
        )

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
        await self._host.end()

    def __aiter__(self) -> AsyncIterator[Frame]:
        if self._iterated:
            raise RunStateError(
                "the frames of a run can be iterated once",
                hint="leaving the iteration cancelled the run" if self._host.left else None,
            )
        if not self._begun:
            self._begin()
        self._iterated = True
        self._questions.await_result()
        host = self._host
        return Items(self._frames, host, self, host.leave, awaits_run=True)
