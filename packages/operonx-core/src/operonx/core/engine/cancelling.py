"""Telling a cancelling that was asked for from an op that raised its exception by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import anyio
import anyio.lowlevel

from operonx.core.ops.context import CancelledRunError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator

    from operonx.core.engine.scheduler import Run

__all__ = ["heeding", "interrupt_in", "is_called_off", "leaves_of", "was_asked"]


def was_asked(run: Run, error: BaseException) -> bool:
    """Return whether an exception is a cancelling that reached a firing from outside it."""
    try:
        cancelled = anyio.get_cancelled_exc_class()
    except RuntimeError:
        return True  # no event loop runs any more: what it left behind is being closed
    if not all(isinstance(one, cancelled) for one in leaves_of(error)):
        return False
    # Firings run in tasks that the run made, and nobody else cancels those: what is left is an op
    # that raised it, or cancelled its own task.
    return is_called_off(run)


def is_called_off(run: Run) -> bool:
    """Return whether the firing that runs in this task was cancelled from outside it."""
    if run.group is not None and run.group.cancel_called:
        return True
    return anyio.current_effective_deadline() == float("-inf")


async def heeding(awaitable: Awaitable[Any]) -> Any:
    """Await what a user wrote: if it left a thread because it was cancelled, it was cancelled.

    `asyncio` and `trio` tell a task of it only where it waits in no shield, and waiting for a
    thread is in one.
    """
    try:
        return await awaitable
    except Exception as error:
        if any(isinstance(one, CancelledRunError) for one in leaves_of(error)):
            await anyio.lowlevel.checkpoint()
        raise


def interrupt_in(error: BaseException) -> BaseException | None:
    """Return the `KeyboardInterrupt` or `SystemExit` that an exception is or holds."""
    interrupts = (
        one for one in leaves_of(error) if isinstance(one, KeyboardInterrupt | SystemExit)
    )
    return next(interrupts, None)


def leaves_of(error: BaseException) -> Iterator[BaseException]:
    """Yield the exceptions that a group holds at any depth, or the exception itself."""
    if not isinstance(error, BaseExceptionGroup):
        yield error
        return
    for part in cast("BaseExceptionGroup[BaseException]", error).exceptions:
        yield from leaves_of(part)
