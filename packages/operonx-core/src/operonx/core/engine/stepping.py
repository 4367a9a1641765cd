"""Coroutines stepped by hand: begun where we stand, awaited later, watched for blocking."""

from __future__ import annotations

import types
import warnings
from typing import TYPE_CHECKING, Any, Final

from operonx.core.engine.calling import clock
from operonx.core.errors import BlockingOpWarning, OpError

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator
    from contextvars import Context as Variables

    from operonx.core.engine.draining import Draining
    from operonx.core.plan.nodes import Node

__all__ = ["Suspended", "begin", "resume", "watched"]

_BLOCKED: Final = 0.25
"""Seconds after which one step of an `async def` counts as blocking the event loop."""


class Suspended:
    """A firing that was begun and has to wait; some task must await it."""

    __slots__ = ("coroutine", "node", "run", "trap", "variables")

    def __init__(
        self,
        run: Draining,
        node: Node,
        coroutine: Coroutine[Any, Any, None],
        trap: Any,
        variables: Variables,
    ) -> None:
        self.run: Draining = run
        self.node: Node = node
        self.coroutine: Coroutine[Any, Any, None] = coroutine
        self.trap: Any = trap
        """What it wants the event loop to know, not yet handed on."""
        self.variables: Variables = variables


def begin(run: Draining, node: Node, coroutine: Coroutine[Any, Any, None]) -> Suspended | None:
    """Take the first step of a firing in the task that drains."""
    variables = run.variables.copy()
    before = clock()
    try:
        trap = variables.run(coroutine.send, None)
    except StopIteration:
        return None
    finally:
        if clock() - before > _BLOCKED:
            _warn_blocking(run, node)
    return Suspended(run, node, coroutine, trap, variables)


@types.coroutine
def watched(run: Draining, node: Node, awaitable: Any) -> Generator[Any, Any, Any]:
    """Await what a user wrote, and warn if a step of it blocks the event loop."""
    step: Any = awaitable.send
    value: Any = None
    while True:
        before = clock()
        try:
            trap = step(value)
        except StopIteration as stop:
            return stop.value
        finally:
            if clock() - before > _BLOCKED:
                _warn_blocking(run, node)
        step = awaitable.send
        try:
            value = yield trap
        except BaseException as error:  # noqa: BLE001 - handed into what is awaited
            step, value = awaitable.throw, error


@types.coroutine
def resume(suspended: Suspended) -> Generator[Any, Any, None]:
    """Await a firing that was begun by hand, each step in its own context variables."""
    coroutine = suspended.coroutine
    run = suspended.variables.run
    trap = suspended.trap
    while True:
        step: Any = coroutine.send
        try:
            value: Any = yield trap
        except BaseException as error:  # noqa: BLE001 - handed into the firing
            step, value = coroutine.throw, error
        before = clock()
        try:
            trap = run(step, value)
        except StopIteration:
            return
        finally:
            if clock() - before > _BLOCKED:
                _warn_blocking(suspended.run, suspended.node)


def _warn_blocking(run: Draining, node: Node) -> None:
    """Warn of an `async def` that blocked; where warnings are errors, the run fails of it."""
    if not getattr(getattr(node.op, "signature", None), "is_async", False):
        return
    try:
        warnings.warn(
            f"`async def` op `{node.path}` blocked the event loop for over {_BLOCKED:g} s; "
            "make it a plain `def`, or await what takes long",
            BlockingOpWarning,
            stacklevel=2,
        )
    except BlockingOpWarning as error:
        run.fail(OpError(node.path, (), error))
