"""Telling a cancelling that was asked for from an op that raised its exception by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import anyio

if TYPE_CHECKING:
    from collections.abc import Iterator

    from operonx.core.engine.scheduler import Run

__all__ = ["interrupt_in", "is_called_off", "leaves_of", "was_asked"]


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
