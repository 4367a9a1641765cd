"""The tasks of one run: none outlives it.

On asyncio they are made by hand: a task of anyio's task group costs three to four times as much
(see docs/decisions/), and a fan-out of waiting ops is mostly the making of tasks. They are
cancelled once, as asyncio does, but never within a shield, as anyio does. On trio, a nursery by way
of anyio.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, Protocol

import anyio

if TYPE_CHECKING:
    from contextvars import Context

__all__ = ["Tasks", "is_shielded", "new_tasks"]

OnError = Callable[[BaseException], None]


class Tasks(Protocol):
    """The tasks of one run."""

    cancel_called: bool
    """Whether everything was asked to stop."""

    def start(
        self, variables: Context, function: Callable[..., Coroutine[Any, Any, None]], *args: Any
    ) -> None:
        """Start a task, with context variables of its own."""
        ...

    def cancel(self) -> None:
        """Ask everything to stop."""
        ...

    async def run(self, main: Callable[[], Awaitable[None]]) -> None:
        """Run `main` in the calling task, and return when it and all tasks are over."""
        ...


def new_tasks(on_error: OnError, on_cancel: Callable[[], None]) -> Tasks:
    """Return a group of tasks for the event loop that runs now.

    Args:
        on_error: Called with what a task lets through; nothing should.
        on_cancel: Called once when everything was asked to stop, from inside or outside.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _AnyioTasks(on_error, on_cancel)
    return _AsyncioTasks(on_error, on_cancel)


class _AsyncioTasks:
    def __init__(self, on_error: OnError, on_cancel: Callable[[], None]) -> None:
        self._on_error = on_error
        self._on_cancel = on_cancel
        self._loop = asyncio.get_running_loop()
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._made = 0
        self._scope = anyio.CancelScope()
        self._empty: asyncio.Future[None] | None = None
        self.cancel_called = False

    def start(
        self, variables: Context, function: Callable[..., Coroutine[Any, Any, None]], *args: Any
    ) -> None:
        self._made = number = self._made + 1
        # Not by the loop: an eager task factory would nest what each task starts, and have it end
        # before it is known here.
        work = self._run(number, function, args)
        task = asyncio.Task(work, loop=self._loop, context=variables)
        self._tasks[number] = task
        if self.cancel_called:
            self._cancel(number, task)

    async def _run(
        self,
        number: int,
        function: Callable[..., Coroutine[Any, Any, None]],
        args: tuple[Any, ...],
    ) -> None:
        # Its own bookkeeping: a done callback costs asyncio a turn of its event loop for each task.
        try:
            await function(*args)
        except Exception as error:  # noqa: BLE001 - nothing should come; it must not be lost
            self._on_error(error)
        finally:
            self._left(number)

    def _left(self, number: int) -> None:
        self._tasks.pop(number, None)
        if not self._tasks and self._empty is not None and not self._empty.done():
            self._empty.set_result(None)

    def _cancel(self, number: int, task: asyncio.Task[None]) -> None:
        # One that is cancelled before it began never comes to its own bookkeeping.
        task.add_done_callback(lambda _task: self._left(number))
        self._cancel_unshielded(task)

    def _cancel_unshielded(self, task: asyncio.Task[None]) -> None:
        """Cancel a task once, in the first of its waits that is in no shield."""
        if task.done():
            return
        if task is asyncio.current_task(self._loop):
            # It may enter a shield before it waits; asyncio would cancel that wait all the same.
            self._loop.call_soon(self._cancel_unshielded, task)
            return
        if not is_shielded(task):
            task.cancel()
            return
        awaited: asyncio.Future[Any] | None = getattr(task, "_fut_waiter", None)
        if awaited is None:
            self._loop.call_soon(self._cancel_unshielded, task)
        else:
            # The task asked first, and is called first: this comes when it waits again.
            awaited.add_done_callback(lambda _awaited: self._cancel_unshielded(task))

    def cancel(self) -> None:
        if self.cancel_called:
            return  # once, as asyncio's own task group does: a second one would cut clean-ups off
        self.cancel_called = True
        self._scope.cancel()
        for number, task in self._tasks.items():
            self._cancel(number, task)
        self._on_cancel()

    async def run(self, main: Callable[[], Awaitable[None]]) -> None:
        try:
            with self._scope:
                await main()
                while self._tasks:
                    self._empty = self._loop.create_future()
                    await self._empty
        finally:
            if self._tasks:
                self.cancel()
                await self._all_over()

    async def _all_over(self) -> None:
        """Wait for all tasks, however often the caller's is cancelled meanwhile."""
        again: asyncio.CancelledError | None = None
        with anyio.CancelScope(shield=True):
            while self._tasks:
                try:
                    await asyncio.wait(self._tasks.values())
                except asyncio.CancelledError as error:
                    again = error
        if again is not None:
            raise again


def is_shielded(task: asyncio.Task[None]) -> bool:
    """Return whether a task is in a shielded scope of anyio.

    Only anyio knows, and keeps it to itself: its own cancelling is heard again and again, and a
    scope around each firing is dear. Where a version of it keeps this elsewhere, shields do not
    hold against the end of a run, and all else is as it was.
    """
    backend = sys.modules.get("anyio._backends._asyncio")  # not loaded: nobody entered a scope
    state = getattr(backend, "_task_states", {}).get(task)
    scope = getattr(state, "cancel_scope", None)
    while scope is not None:
        if scope.shield:
            return True
        scope = getattr(scope, "_parent_scope", None)
    return False


class _AnyioTasks:
    def __init__(self, on_error: OnError, on_cancel: Callable[[], None]) -> None:
        self._on_error = on_error
        self._on_cancel = on_cancel
        self._group = anyio.create_task_group()
        self._left = 0
        self._empty: anyio.Event | None = None
        self.cancel_called = False

    def start(
        self, variables: Context, function: Callable[..., Coroutine[Any, Any, None]], *args: Any
    ) -> None:
        self._left += 1
        variables.run(self._start, function, args)

    def _start(self, function: Callable[..., Coroutine[Any, Any, None]], args: Any) -> None:
        self._group.start_soon(self._caught, function, args)  # type: ignore[unused-awaitable,unused-ignore]  # newer anyio returns a handle that may be awaited

    async def _caught(
        self, function: Callable[..., Coroutine[Any, Any, None]], args: tuple[Any, ...]
    ) -> None:
        try:
            await function(*args)
        except Exception as error:  # noqa: BLE001 - nothing should come; it must not be lost
            self._on_error(error)
        finally:
            self._left -= 1
            if not self._left and self._empty is not None:
                self._empty.set()

    def cancel(self) -> None:
        if self.cancel_called:
            return
        self.cancel_called = True
        self._group.cancel_scope.cancel()
        self._on_cancel()

    async def run(self, main: Callable[[], Awaitable[None]]) -> None:
        async with self._group:
            try:
                await main()
                while self._left:
                    self._empty = anyio.Event()
                    await self._empty.wait()
            except BaseException:
                self.cancel()  # from outside, which a nursery would tell its tasks alone
                raise
