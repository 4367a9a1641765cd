"""`RunContext`: the run as an op sees it, for a parameter annotated so."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Protocol

from operonx.core.errors import Context, OperonxError

__all__ = ["CancelledRunError", "RunContext", "RunServices"]

logger: logging.Logger = logging.getLogger("operonx.run")


class CancelledRunError(OperonxError):
    """`RunContext.raise_if_cancelled` found the firing cancelled; let it pass through."""


class RunServices(Protocol):
    """What an engine offers to the contexts of its firings."""

    run_id: str
    hub: object

    def emit(self, context: RunContext, channel: str, payload: object) -> None:
        """Hand an emit to whoever watches the run; callable from any thread."""
        ...

    async def ask(self, context: RunContext, payload: object) -> Any:
        """Put a question to whoever watches the run."""
        ...


class RunContext:
    """What a firing may know of its run, and say to those who watch it.

    Example:
        ```python
        @op
        def index(run: RunContext, pages: list[str]) -> int:
            for number, page in enumerate(pages):
                run.raise_if_cancelled()
                run.emit("progress", {"page": number})
            return len(pages)
        ```
    """

    __slots__ = ("_cancelled", "_on_cancel", "_services", "attempt", "ctx", "op")

    def __init__(self, services: RunServices, op: str, ctx: Context, attempt: int = 1) -> None:
        self._services = services
        self._cancelled = False
        self._on_cancel: list[Callable[[], None]] = []
        self.op: str = op
        """Full path of the op."""
        self.ctx: Context = ctx
        """The context of this firing: `(axis, index)` steps."""
        self.attempt: int = attempt
        """The number of this attempt, from 1."""

    @property
    def run_id(self) -> str:
        """The id of the run."""
        return self._services.run_id

    @property
    def hub(self) -> Any:
        """The resource hub of the engine, or None."""
        return self._services.hub

    @property
    def logger(self) -> logging.LoggerAdapter[logging.Logger]:
        """A logger whose records carry `run_id`, `op` and `ctx`."""
        extra = {"run_id": self.run_id, "op": self.op, "ctx": self.ctx}
        return logging.LoggerAdapter(logger, extra)

    @property
    def cancelled(self) -> bool:
        """Whether this firing was asked to stop; look at it in long-running functions."""
        return self._cancelled

    def raise_if_cancelled(self) -> None:
        """Return at once, or leave the function if the firing was asked to stop.

        Raises:
            CancelledRunError: If it was.
        """
        if self._cancelled:
            raise CancelledRunError(f"op `{self.op}` was cancelled")

    def emit(self, channel: str, payload: object) -> None:
        """Tell those who watch the run something; no frame, and not replayed.

        It never waits: where those who watch are slow, what the op emits is kept for them, and
        the run waits for them before it goes on to further ops.

        Args:
            channel: What the payload is about; watchers filter by it.
            payload: Any value.
        """
        self._services.emit(self, channel, payload)

    async def ask(self, payload: object) -> Any:
        """Ask whoever watches the run, and wait for the answer.

        Raises:
            NoAnswerError: If nobody is there to answer.
        """
        return await self._services.ask(self, payload)

    def cancel(self) -> None:
        """Ask this firing to stop; the engine calls it."""
        self._cancelled = True
        for call in self._on_cancel:
            call()

    def on_cancel(self, call: Callable[[], None]) -> None:
        """Let `call` be called when this firing is asked to stop; engines use it."""
        self._on_cancel.append(call)
