"""Questions: what ops ask of those who watch a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio

from operonx.core.engine.frames import Outbox
from operonx.core.errors import Context, NoAnswerError, RunStateError

if TYPE_CHECKING:
    from operonx.core.ops.context import RunContext

__all__ = ["Question", "Questions"]


class Question:
    """What an op asked, and where; `await question.answer(value)` lets it go on."""

    __slots__ = ("_answered", "_over", "_taken", "_value", "ctx", "op", "payload")

    def __init__(self, context: RunContext, payload: Any) -> None:
        self.payload: Any = payload
        self.op: str = context.op
        """Path of the op that asks."""
        self.ctx: Context = context.ctx
        self._answered = anyio.Event()
        self._over = anyio.Event()
        self._taken = False
        self._value: Any = None

    async def answer(self, value: Any) -> None:
        """Answer it, and return when the op has the answer.

        Raises:
            RunStateError: If it was answered before, has failed for want of a reader, or the op
                has given up asking: its attempt has timed out, or was cancelled.
        """
        if isinstance(self._value, NoAnswerError):
            raise RunStateError(
                f"the question of op `{self.op}` is no longer open: nobody read questions any more",
                hint="answer before leaving `handle.questions()`",
            )
        if self._answered.is_set():
            raise RunStateError(f"the question of op `{self.op}` is answered already")
        if not self._over.is_set():
            self.settle(value)
            await self._over.wait()
        if not self._taken:
            raise RunStateError(
                f"the answer came too late: op `{self.op}` no longer asks, as its attempt has "
                "timed out or was cancelled",
                hint="answer sooner, or give the op a longer `timeout=`; another attempt asks anew",
            )

    @property
    def settled(self) -> bool:
        """Whether it has been answered, or has failed."""
        return self._answered.is_set()

    def settle(self, value: Any) -> None:
        """Let the op go on with a value; an error is raised there."""
        self._value = value
        self._answered.set()

    async def wait(self) -> Any:
        """Return the answer once it is there; left before, the question is over without one."""
        try:
            await self._answered.wait()
            self._taken = True
        finally:
            self._over.set()
        return self._value


class Questions:
    """The questions of one run, on their way to whoever answers."""

    def __init__(self) -> None:
        self.outbox: Outbox = Outbox()
        self.awaited: bool = False
        """Whether somebody waits for the end, and so can no longer begin to answer."""
        self._watchers = 0
        self._was_watched = False
        self._open: list[Question] = []

    def watch(self) -> None:
        """Note that somebody takes questions."""
        self._watchers += 1
        self._was_watched = True

    def unwatch(self) -> None:
        """Note that one who took questions does so no more."""
        self._watchers -= 1
        self._give_up()

    async def ask(self, context: RunContext, payload: Any) -> Any:
        """Put a question and wait for its answer."""
        if self.awaited and not self._watchers:
            raise self._nobody(context.op)
        question = Question(context, payload)
        self._open.append(question)
        self.outbox.put(question)
        try:
            answer = await question.wait()
        finally:
            self._open.remove(question)
        if isinstance(answer, NoAnswerError):
            raise answer
        return answer

    def await_result(self) -> None:
        """Note that the result is awaited: what nobody will answer fails now."""
        self.awaited = True
        self._give_up()

    def _give_up(self) -> None:
        if self.awaited and not self._watchers:
            for question in self._open:
                if not question.settled:
                    question.settle(self._nobody(question.op))

    def _nobody(self, op: str) -> NoAnswerError:
        if self._was_watched:
            return NoAnswerError(
                f"op `{op}` asks, but nobody reads questions any more",
                hint="go on with `async for question in handle.questions()` until the run is over",
            )
        return NoAnswerError(
            f"op `{op}` asks, but nobody answers",
            hint="take `handle.questions()` before awaiting the result or iterating the frames",
        )
