"""Firing a function: where it runs, and the policies around it."""

from __future__ import annotations

from functools import partial
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from operonx.core.engine.attempts import Attempts, release_streams
from operonx.core.engine.calling import SHORT, Caller, clock, ports_of
from operonx.core.engine.guarding import cancellable, places_of, settle
from operonx.core.engine.invoking import invoke, refuse_coroutine
from operonx.core.engine.state import SKIP, MemoryState, context_of
from operonx.core.ops.context import RunContext
from operonx.core.ops.policies import UNSET

if TYPE_CHECKING:
    from operonx.core.engine.scheduler import Run
    from operonx.core.engine.stepping import Suspended
    from operonx.core.plan.nodes import CallNode

__all__ = ["choose_fire", "complete", "fire_async", "fire_inline", "fire_waiting"]


def choose_fire(node: CallNode) -> None:
    """Set how a node fires, from its function, its policies and what was learnt."""
    caller: Caller = node.caller
    policies = node.op.policies
    plain = (
        policies.retry is None
        and policies.timeout is None
        and policies.fallback is UNSET
        and policies.rate is None
        and policies.concurrency is None
        and not node.streams
    )
    inline = policies.run_in == "inline" or (policies.run_in == "auto" and caller.short)
    guarded = node.guard is not None or node.may_lose
    if caller.signature.is_async:
        settle(node, (True, fire_async if plain and not guarded else fire_waiting))
    elif inline and plain:
        settle(node, (False, fire_inline))
    else:
        settle(node, (True, fire_waiting))


def fire_inline(run: Run, inst: MemoryState, node: CallNode) -> None:
    """Call a short function where we stand."""
    caller = node.caller
    before = clock()
    try:
        if caller.simple:
            value = run.variables.copy().run(caller.function, *caller.take(inst.slots))
        else:
            value = run.variables.copy().run(partial(caller.function, **arguments(run, inst, node)))
        if type(value) is CoroutineType:
            refuse_coroutine(value)
        if caller.measures and ((took := clock() - before) > SHORT or caller.doubted):
            caller.doubt(took)
            choose_fire(node)
        if caller.value_slot is None or run.frames is not None:
            outputs = ports_of(caller, value, caller.ports, caller.signature.shape)
        else:
            # One port that is the whole result, and nobody to show a frame to.
            inst.slots[caller.value_slot] = value
            outputs = None
    except BaseException as error:  # noqa: BLE001 - sorted out in one place
        run.raised(inst, node, error)
        return
    if outputs is not None:
        complete(run, inst, node, outputs)
        return
    if node.failed is not None:
        run.signal(inst, node.failed, SKIP, f"`{node.path}` did not fail")
    run.fired(inst, node)


def arguments(run: Run, inst: MemoryState, node: CallNode) -> dict[str, Any]:
    """Return the arguments of a call by name, the run's context included."""
    caller: Caller = node.caller
    found = caller.gather(inst)
    if caller.context_parameter is not None:
        found[caller.context_parameter] = RunContext(run, node.path, context_of(inst))
    return found


def complete(run: Run, inst: MemoryState, node: CallNode, outputs: dict[str, Any]) -> None:
    """Put a firing's outputs where they are read, and let go on what waits for them."""
    slots = inst.slots
    if node.open_slot is not None:
        slots[node.open_slot] = outputs
    else:
        for port, slot in node.outputs.items():
            slots[slot] = outputs[port]
    if run.frames is not None:
        run.frame(inst, node, outputs)
    if node.failed is not None:
        run.signal(inst, node.failed, SKIP, f"`{node.path}` did not fail")
    run.fired(inst, node)


def fire_async(run: Run, inst: MemoryState, node: CallNode) -> Suspended | None:
    """Call an `async def` that has no policies."""
    return run.begin(node, _call_async(run, inst, node))


async def _call_async(run: Run, inst: MemoryState, node: CallNode) -> None:
    caller = node.caller
    try:
        if caller.simple:
            value = await caller.function(*caller.take(inst.slots))
        else:
            value = await caller.function(**arguments(run, inst, node))
        outputs = ports_of(caller, value, caller.ports, caller.signature.shape)
    except BaseException as error:  # noqa: BLE001 - sorted out in one place
        run.raised(inst, node, error)
    else:
        complete(run, inst, node, outputs)


def fire_waiting(run: Run, inst: MemoryState, node: CallNode) -> Suspended | None:
    """Call a function with all its policies, in a thread or process if it asks for one."""
    return run.begin(node, _call_waiting(run, inst, node))


async def _call_waiting(run: Run, inst: MemoryState, node: CallNode) -> None:
    outputs: dict[str, Any] = {}
    done = False

    async def attempt(caller: Caller, given: dict[str, Any], context: RunContext) -> dict[str, Any]:
        value = await invoke(run, node, caller, given, context)
        return ports_of(caller, value, caller.ports, caller.signature.shape)

    attempts = Attempts(run, inst, node, attempt)
    with cancellable(run, inst, node) as scope:
        try:
            outputs = await attempts.result()
            done = True
        except BaseException as error:  # noqa: BLE001 - sorted out in one place
            run.raised(inst, node, error, attempts.hint)
            return
        finally:
            release_streams(run, inst, node)
            if node.op.policies.concurrency is not None:
                places_of(run, node).leave()
    if done:
        complete(run, inst, node, outputs)
    elif scope is not None and scope.cancelled_caught:
        run.skipped(inst, node, reason="it was no longer wanted")
