"""Telling a cancelling that was asked for from an op that raised its exception by itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from operonx.core.engine.scheduler import Run

__all__ = ["was_asked"]


def was_asked(run: Run, error: BaseException) -> bool:
    """Return whether an exception is a cancelling that reached a firing from outside it."""
    if isinstance(error, GeneratorExit):
        return True
    if not isinstance(error, anyio.get_cancelled_exc_class()):
        return False
    if run.group is not None and run.group.cancel_called:
        return True
    if anyio.current_effective_deadline() == float("-inf"):
        return True
    return _native_cancel()


def _native_cancel() -> bool:
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return False  # trio: a cancelling always comes through a scope
    return task is not None and task.cancelling() > 0
