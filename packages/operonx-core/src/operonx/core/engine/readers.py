"""One attempt's hold on a stream that its op is handed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import anyio

from operonx.core.engine.pool import holding
from operonx.core.errors import OperonxError, StreamError
from operonx.core.ops.context import CancelledRunError

if TYPE_CHECKING:
    from operonx.core.engine.feeds import Feed
    from operonx.core.engine.scheduler import Run

__all__ = ["Reader"]

_LOOK: Final = 0.1
"""Seconds between two looks of a thread that waits for an item whether it was cancelled."""


class Reader:
    """One attempt's hold on a stream: a thread left behind by it takes nothing from the next."""

    def __init__(self, run: Run, feed: Feed) -> None:
        self._run = run
        self._feed = feed
        self._refusal: Callable[[], OperonxError] | None = None

    def interrupt(self) -> None:
        """Let what waits here go on, with an error: its firing was asked to stop."""
        self._refuse(_cancelled)

    def close(self) -> None:
        """Hand nothing more over: the attempt is over."""
        self._refuse(_too_late)

    def _refuse(self, refusal: Callable[[], OperonxError]) -> None:
        if self._refusal is None:
            self._refusal = refusal
            self._feed.wake()

    def _poll(self) -> tuple[bool, Any] | None:
        if self._refusal is not None:
            raise self._refusal()
        found = self._feed.poll()
        if found is None and self._run.called_off:
            raise _cancelled()  # whoever waits in a shield would wait for ever
        return found

    async def receive(self) -> tuple[bool, Any]:
        """Return `(True, item)`, or `(False, None)` past the last one."""
        while (found := self._poll()) is None:
            arrived = anyio.Event()
            self._feed.call_back(arrived.set)
            await arrived.wait()
        return found

    def receive_blocking(self) -> tuple[bool, Any]:
        """Do the same from a worker thread."""
        if self._run.on_loop_thread():
            raise StreamError(
                "`for` over a stream would stop the event loop that brings its items",
                hint="in an `async def` write `async for`",
            )
        answer: list[Any] = []
        arrived = threading.Event()

        def attempt() -> None:
            try:
                found = self._poll()
            except BaseException as error:  # noqa: BLE001 - carried over to the thread
                answer.append(error)
                arrived.set()
                return
            if found is None:
                self._feed.call_back(attempt)
            else:
                answer.append(found)
                arrived.set()

        with holding:
            self._run.waker(attempt)
            while not arrived.wait(timeout=_LOOK):
                if self._run.over:
                    raise CancelledRunError("the run is over")
                if _is_called_off():
                    raise _cancelled()
        if isinstance(answer[0], BaseException):
            raise answer[0]
        return answer[0]  # type: ignore[no-any-return]  # a pair, as no error came


def _is_called_off() -> bool:
    """Return whether the task that waits for this thread was cancelled, and cannot leave it.

    Other threads than anyio's know nothing of who waits for them; who does is free to leave.
    """
    from anyio.from_thread import check_cancelled  # slow to import

    try:
        check_cancelled()
    except RuntimeError:
        return False
    except BaseException:  # noqa: BLE001 - the cancelling of either event loop
        return True
    return False


def _cancelled() -> OperonxError:
    return CancelledRunError("the firing that reads this stream was cancelled")


def _too_late() -> OperonxError:
    return StreamError(
        "the stream is read after the firing that it was handed to",
        hint="read it within the op: what is left unread there is dropped",
    )
