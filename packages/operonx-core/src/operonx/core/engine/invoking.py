"""Calling a function once: on the event loop, in a thread or in another process."""

from __future__ import annotations

from functools import partial
from types import CoroutineType
from typing import TYPE_CHECKING, Any, NoReturn

import anyio

from operonx.core.engine.calling import Caller, clock
from operonx.core.engine.cancelling import heeding
from operonx.core.engine.threads import ThreadCall
from operonx.core.errors import OutputError

if TYPE_CHECKING:
    from operonx.core.engine.scheduler import Run
    from operonx.core.ops.context import RunContext
    from operonx.core.plan.nodes import CallNode

__all__ = ["invoke", "refuse_coroutine"]


async def invoke(
    run: Run, node: CallNode, caller: Caller, given: dict[str, Any], context: RunContext
) -> Any:
    """Call a function within its op's `timeout`, and return what it returns.

    Raises:
        TimeoutError: If it did not return in time.
    """
    timeout = node.op.policies.timeout
    if timeout is None:
        return await _invoke(run, node, caller, given, context)
    with anyio.move_on_after(timeout) as scope:
        value = await _invoke(run, node, caller, given, context)
        if not scope.cancel_called:
            return value  # else the op took its cancelling for an answer, too late
    raise TimeoutError(f"no result within {timeout:g} s")


async def _invoke(
    run: Run, node: CallNode, caller: Caller, given: dict[str, Any], context: RunContext
) -> Any:
    if caller.signature.is_async:
        called = caller.function(**given)
        return await (heeding(called) if node.streams else called)
    policies = node.op.policies
    if caller.in_process:
        from operonx.core.engine.processes import call_in_process  # slow to import

        return await call_in_process(caller.function, given)
    short = policies.run_in == "auto" and caller.short and policies.timeout is None
    if (policies.run_in == "inline" or short) and not node.streams:
        before = clock()
        try:
            value = caller.function(**given)
        finally:
            caller.doubt(clock() - before)
        if type(value) is CoroutineType:
            refuse_coroutine(value)
        return value
    value = await ThreadCall(run.waker).run(
        run.variables.copy(), partial(_measured, caller, given), context
    )
    if type(value) is CoroutineType:
        refuse_coroutine(value)
    if caller.short and policies.run_in == "auto":
        node.choose(node)
    return value


def refuse_coroutine(coroutine: Any) -> NoReturn:
    """Raise that a plain function gave a coroutine."""
    coroutine.close()  # else Python warns that nobody awaited it, too
    raise OutputError(
        "a plain `def` returned a coroutine, which nothing awaits",
        hint="make the op an `async def` and await it there",
    )


def _measured(caller: Caller, given: dict[str, Any]) -> Any:
    before = clock()
    try:
        return caller.function(**given)
    finally:
        caller.measured(clock() - before)
