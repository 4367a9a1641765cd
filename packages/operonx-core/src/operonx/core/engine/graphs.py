"""Nested graphs that need more than flattening: inputs computed once, guards, places, time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio

from operonx.core.engine.containment import contain, escalate
from operonx.core.engine.failures import reason_of
from operonx.core.engine.guarding import GuardState, places_of
from operonx.core.engine.state import SKIP, MemoryState, context_of
from operonx.core.errors import OpError

if TYPE_CHECKING:
    from operonx.core.engine.scheduler import Run
    from operonx.core.plan.guards import Guard
    from operonx.core.plan.nodes import DoneNode, EnterNode

__all__ = ["end_guard", "end_root", "fire_done", "fire_enter", "start_guard"]


def start_guard(run: Run, inst: MemoryState, guard: Guard) -> GuardState:
    """Begin one firing of a guarded graph, and its time."""
    state = GuardState()
    inst.slots[guard.slot] = state
    timeout = guard.graph.policies.timeout
    if timeout is not None:
        assert run.group is not None  # a graph with a timeout `suspends`
        # Made here and not by its task: the graph may be over before that begins.
        state.timer = anyio.CancelScope()
        run.group.start(run.variables.copy(), _time_out, run, inst, guard, state, timeout)
    return state


async def _time_out(
    run: Run, inst: MemoryState, guard: Guard, state: GuardState, seconds: float
) -> None:
    assert state.timer is not None  # `start_guard` made it
    with state.timer:
        await anyio.sleep(seconds)
        error = TimeoutError(f"the graph was not done within {seconds:g} s")
        failure = OpError(guard.graph.path, context_of(inst), error)
        if guard.contains:
            state.kill(failure)
        else:
            escalate(run, inst, guard.outer, failure)
        run.kick()


def end_guard(inst: MemoryState, guard: Guard) -> GuardState:
    """End one firing of a guarded graph; return what became of it."""
    state: GuardState = inst.slots[guard.slot]
    if state.timer is not None:
        state.timer.cancel()
    return state


def end_root(run: Run, guard: Guard) -> None:
    """Let a root graph whose failure ends in it hand nothing on but that failure."""
    failure = end_guard(run.root, guard).error
    if failure is None:
        return
    run.errors.append(failure)
    run.note(guard.graph.path, (), reason_of(failure))
    run.outputs.clear()
    outputs = run.linked.plan.outputs.values()
    run.root.reasons = {node.index: reason_of(failure) for node in outputs}


def fire_enter(run: Run, inst: MemoryState, node: EnterNode) -> None:
    """A nested graph's inputs are there: compute them, and let its ops fire."""
    try:
        for slot, evaluate in node.inputs:
            inst.slots[slot] = evaluate(inst)
    except BaseException as error:  # noqa: BLE001 - sorted out in one place
        run.raised(inst, node, error)
        if node.op is not None and node.op.policies.concurrency is not None:
            places_of(run, node).leave()
        return
    if node.own_guard is not None:
        start_guard(run, inst, node.own_guard)
    run.fired(inst, node)


def fire_done(run: Run, inst: MemoryState, node: DoneNode) -> None:
    """Everything in a nested graph is decided."""
    enter = node.enter
    if enter is None:
        run.fired(inst, node)
        return
    state: Any = None if node.own_guard is None else end_guard(inst, node.own_guard)
    if enter.op is not None and enter.op.policies.concurrency is not None:
        places_of(run, enter).leave()
    if state is None or not state.dead:
        if enter.failed is not None:
            run.signal(inst, enter.failed, SKIP, f"`{enter.path}` did not fail")
        run.fired(inst, node)
        return
    if state.error is not None:
        contain(run, inst, enter, state.error)
        reason = reason_of(state.error)
    else:
        reason = "it lost a race"
        if enter.failed is not None:
            run.signal(inst, enter.failed, SKIP, reason)
    run.note(enter.path, context_of(inst), reason)
    run.skipped(inst, node, reason=reason)
