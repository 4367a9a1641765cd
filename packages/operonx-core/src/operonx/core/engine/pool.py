"""The pool of worker threads: how many there are, and which of them count (docs/decisions/0010)."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from operonx.core.errors import OperonxError

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Pool", "holding", "pool"]

_IDLE: Final = 10.0
"""Seconds after which a thread without work ends."""
_LIMIT: Final = 256
"""Threads at one time that are not held; more calls wait in line."""
_MOST: Final = 4096
"""Threads at one time, those included that are held."""


class _Here(threading.local):
    """What a thread knows of itself."""

    worker: bool = False
    """Whether it is one of the pool's."""
    depth: int = 0
    """How many waits it is held by at one time."""


_here = _Here()


class Pool:
    """Daemon threads that take jobs from one line.

    A thread is *held* while its job waits for what other jobs must do first. Such threads do not
    count against the limit: if they did, enough of them would leave none to do what they wait for.
    """

    _lock: threading.Condition
    _jobs: deque[Callable[[], None]]
    _idle: int
    _threads: int
    _held: int

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin anew, with no threads but the one that calls if it is a worker.

        After a fork there are no others, and the old lock may be one that nobody will let go of.
        """
        self._lock = threading.Condition()
        self._jobs = deque()
        self._idle = 0
        self._threads = int(_here.worker)
        self._held = int(_here.depth > 0)

    def submit(self, job: Callable[[], None]) -> None:
        """Put a job in line.

        Raises:
            OperonxError: If no thread will take it, as all are held and there can be no more.
        """
        with self._lock:
            self._jobs.append(job)
            if self._idle >= len(self._jobs):
                self._lock.notify()
                return
            try:
                self._grow()
            except OperonxError:
                self._jobs.remove(job)
                raise

    def hold(self) -> None:
        """Stop counting a thread, until `release`.

        Raises:
            OperonxError: If there are jobs in line that no thread would be left to take.
        """
        with self._lock:
            self._held += 1
            try:
                self._grow()
            except OperonxError:
                self._held -= 1
                raise

    def release(self) -> None:
        """Count a held thread again; where it is one too many, the next to be done ends."""
        with self._lock:
            self._held -= 1

    def _grow(self) -> None:
        """Start a thread if one is lacking for what is in line."""
        counted = self._threads - self._held
        if len(self._jobs) <= self._idle or counted >= _LIMIT:
            return
        try:
            if self._threads >= _MOST:
                raise RuntimeError(f"{_MOST} is the most there may be")
            threading.Thread(target=self._work, name="operonx-worker", daemon=True).start()
        except RuntimeError as error:
            if counted > 0:
                return  # one of those takes what is in line once it is done
            raise OperonxError(
                f"all {self._threads} worker threads wait for others: {error}",
                hint="let fewer generators and readers of streams run at one time, as with "
                "`concurrency=`, or make them `async def`: those need no thread",
            ) from error
        self._threads += 1
        self._idle += 1

    def _work(self) -> None:
        _here.worker = True
        while (job := self._take()) is not None:
            job()
            del job  # what it holds must not live until the next one comes
            if not self._stays():
                return

    def _take(self) -> Callable[[], None] | None:
        with self._lock:
            if not self._jobs:
                self._lock.wait_for(lambda: bool(self._jobs), _IDLE)
            self._idle -= 1
            if self._jobs:
                return self._jobs.popleft()
            self._threads -= 1
            return None

    def _stays(self) -> bool:
        with self._lock:
            if self._threads - self._held > _LIMIT:
                self._threads -= 1
                return False
            self._idle += 1
            return True


pool: Final = Pool()
"""The pool of this process."""

if hasattr(os, "register_at_fork"):  # where there is no fork there is nothing to do after it
    os.register_at_fork(after_in_child=pool.reset)


class _Holding:
    """Holds the calling thread while a block waits, if it is a worker of the pool."""

    def __enter__(self) -> None:
        if _here.worker:
            if not _here.depth:
                pool.hold()
            _here.depth += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if _here.worker:
            _here.depth -= 1
            if not _here.depth:
                pool.release()


holding: Final = _Holding()
"""Holds the calling thread while a block waits, if it is a worker of the pool."""
