"""Closing generators: what their `finally` blocks raise is told, wherever they ran."""

from __future__ import annotations

import traceback
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager
from typing import Any

import anyio

from operonx.core.engine.calling import clock
from operonx.core.engine.cancelling import interrupt_in, leaves_of
from operonx.core.ops.context import CancelledRunError

__all__ = ["ThreadSource", "closing", "joined"]


def joined(error: BaseException, raised: BaseException | None) -> BaseException:
    """Return the one failure of a generator that failed, and raised again when it was closed."""
    if raised is None or raised is error:
        return error
    if interrupt_in(raised) is not None:
        return raised
    shown = "".join(traceback.format_exception_only(raised)).strip()
    error.add_note(f"closing the generator raised, too: {shown}")
    return error


@asynccontextmanager
async def closing(close: Callable[[], Awaitable[BaseException | None]]) -> AsyncGenerator[None]:
    """Close a generator after a block, however it ends, and raise what that raised.

    Args:
        close: Closes it, and returns what it raised.
    """
    failed: BaseException | None = None
    raised: BaseException | None = None
    try:
        yield
    except BaseException as error:  # noqa: BLE001 - raised again below
        failed = error
    with anyio.CancelScope(shield=True):
        raised = await close()
    try:
        if failed is None or _is_cancelled(failed):
            failed = raised or failed
        else:
            failed = joined(failed, raised)
        if failed is not None:
            raise failed
    finally:
        del failed, raised  # a traceback would hold this frame, and it the traceback


def _is_cancelled(error: BaseException) -> bool:
    cancelled = anyio.get_cancelled_exc_class()
    return all(isinstance(one, cancelled) for one in leaves_of(error))


class ThreadSource:
    """A plain generator as its worker thread runs it, timed."""

    def __init__(self, begin: Callable[[], Any]) -> None:
        self.begin = begin
        self.spent: float = 0.0
        """Seconds that its steps took."""
        self._raised: BaseException | None = None

    def taken(self) -> BaseException | None:
        """Return what it raised, if it was not that it heeded its cancelling."""
        raised, self._raised = self._raised, None
        return raised

    def iterate(self) -> Generator[Any, None, Any]:
        """Yield what the generator yields, and return what it returns."""
        try:
            return (yield from self._timed())
        except (GeneratorExit, CancelledRunError):
            raise
        except BaseException as error:
            self._raised = error
            raise

    def _timed(self) -> Generator[Any, None, Any]:
        iterator = iter(self.begin())
        try:
            while True:
                before = clock()
                try:
                    value = next(iterator)
                except StopIteration as stop:
                    return stop.value  # handed through, as `yield from` would
                self.spent += clock() - before
                yield value
        finally:
            close = getattr(iterator, "close", None)
            if close is not None:
                close()
