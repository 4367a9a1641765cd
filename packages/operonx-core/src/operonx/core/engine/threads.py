"""Functions in worker threads, and the way back to the event loop.

A hop costs a fraction of what a generic executor takes, a generator's firing can stay in one
thread, and a thread that ignores its cancelling can be left behind: these are the reasons for a
pool of our own (see docs/decisions/).
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import warnings
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, Final

import anyio

try:
    from sniffio import current_async_library_cvar as _library
except ModuleNotFoundError:  # newer anyio goes without it, and then keeps no such variable
    _library = None  # type: ignore[assignment]

from operonx.core.engine.pool import holding, pool
from operonx.core.errors import AbandonedThreadWarning

if TYPE_CHECKING:
    from contextvars import Context

    from operonx.core.ops.context import RunContext

__all__ = ["GRACE", "ThreadCall", "Waker", "current_waker"]

GRACE: Final = 1.0
"""Seconds that a cancelled function may take to answer before its thread is left to itself."""

Waker = Callable[[Callable[[], object]], None]
"""Runs a function on the event loop's thread, soon; callable from any thread."""


def current_waker() -> Waker:
    """Return the way back to the event loop that runs now, asyncio's or trio's."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        import trio  # without an asyncio loop this can only run on trio

        token = trio.lowlevel.current_trio_token()
        return _tolerant(token.run_sync_soon, (trio.RunFinishedError,))
    return _tolerant(loop.call_soon_threadsafe, (RuntimeError,))


def _tolerant(schedule: Callable[..., object], closed: tuple[type[Exception], ...]) -> Waker:
    def wake(function: Callable[[], object]) -> None:
        # A loop that is gone: whoever waited was abandoned with a warning.
        with contextlib.suppress(*closed):
            schedule(function)

    return wake


def _off_the_loop(function: Callable[[], Any]) -> Any:
    """Call a function that context variables followed into a thread, where no event loop runs."""
    if _library is not None:
        _library.set(None)
    return function()


class ThreadCall:
    """One function running in a worker thread, awaited on the event loop."""

    __slots__ = ("_done", "_error", "_finished", "_value", "_waker")

    def __init__(self, waker: Waker) -> None:
        self._waker = waker
        self._done = anyio.Event()
        self._finished = False
        self._value: Any = None
        self._error: BaseException | None = None

    async def run(
        self, context: Context, function: Callable[[], Any], run_context: RunContext
    ) -> Any:
        """Call `function` in a thread and return what it returns.

        On cancelling the function is asked through its `RunContext`; after a grace time its
        thread is left to itself, with a warning.
        """

        def job() -> None:
            try:
                self._value = context.run(_off_the_loop, function)
            except StopIteration as error:
                # It could not pass through a coroutine; Python words it so for generators.
                self._error = RuntimeError("the function raised StopIteration")
                self._error.__cause__ = error
            except BaseException as error:  # noqa: BLE001 - carried over to the event loop
                self._error = error
            self._finished = True
            self._waker(self._done.set)

        with holding:  # this event loop may itself be run by a worker, which waits here
            pool.submit(job)
            try:
                await self._done.wait()
            except BaseException:
                await self._give_up(run_context)
                raise
        if self._error is not None:
            try:
                raise self._error
            finally:
                self._error = None  # a traceback would hold this object, and it the traceback
        return self._value

    async def _give_up(self, run_context: RunContext) -> None:
        run_context.cancel()
        with anyio.move_on_after(GRACE, shield=True):
            await self._done.wait()
        if not self._finished:
            warnings.warn(
                f"op `{run_context.op}` ignored its cancelling for {GRACE:g} s; its thread goes on",
                AbandonedThreadWarning,
                stacklevel=2,
            )


class ThreadIterator:
    """A plain generator that lives in one worker thread, asked for an item at a time."""

    def __init__(
        self, waker: Waker, context: Context, iterate: Callable[[], Any], run_context: RunContext
    ) -> None:
        self._waker = waker
        self._context = context
        self._iterate = iterate
        self._run_context = run_context
        self._asked = threading.Semaphore(0)
        self._answer: tuple[str, Any] | None = None
        self._arrived = anyio.Event()
        self._closing = False
        self._started = False
        self._over = False

    async def ask(self) -> tuple[str, Any]:
        """Return `("item", value)`, `("return", value)` or `("error", exception)`."""
        self._arrived = anyio.Event()
        self._answer = None
        with holding:  # this event loop may itself be run by a worker, which waits here
            self._resume()
            await self._arrived.wait()
        assert self._answer is not None  # set before the event
        return self._answer

    def _resume(self) -> None:
        if self._started:
            self._asked.release()
        else:
            pool.submit(lambda: self._context.run(_off_the_loop, self._loop))
            self._started = True

    @contextlib.contextmanager
    def held(self, *, waits: bool) -> Generator[None]:
        """Let others have the thread's place in the pool in a block where the generator `waits`."""
        if not (waits and self._started):
            yield
            return
        pool.hold()
        try:
            yield
        finally:
            pool.release()

    async def close(self) -> None:
        """Close the generator in its thread; a thread that does not answer is left to itself."""
        if not self._started or self._over:
            return
        self._run_context.cancel()
        self._closing = True
        self._arrived = anyio.Event()
        self._asked.release()
        with anyio.move_on_after(GRACE, shield=True):
            while not self._over:
                await self._arrived.wait()
                self._arrived = anyio.Event()
        if not self._over:
            warnings.warn(
                f"generator op `{self._run_context.op}` ignored its closing for {GRACE:g} s; "
                "its thread goes on",
                AbandonedThreadWarning,
                stacklevel=2,
            )

    def _loop(self) -> None:
        try:
            iterator = self._iterate()
            while True:
                try:
                    value = next(iterator)
                except StopIteration as stop:
                    self._finish("return", stop.value)
                    return
                if self._closing:
                    iterator.close()
                    break
                self._give("item", value)
                self._asked.acquire()
                if self._closing:
                    iterator.close()
                    break
        except BaseException as error:  # noqa: BLE001 - carried over to the event loop
            self._finish("error", error)
            return
        self._finish("return", None)

    def _finish(self, kind: str, value: Any) -> None:
        self._over = True
        self._give(kind, value)

    def _give(self, kind: str, value: Any) -> None:
        def arrive() -> None:
            self._answer = (kind, value)
            self._arrived.set()

        self._waker(arrive)
