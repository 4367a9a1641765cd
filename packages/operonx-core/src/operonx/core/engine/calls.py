"""Firing a function: where it runs, and the policies around it."""

from __future__ import annotations

from collections import deque
from functools import partial
from types import CoroutineType
from typing import TYPE_CHECKING, Any, NoReturn, cast

import anyio

from operonx.core.engine.calling import SHORT, Caller, clock, ports_of
from operonx.core.engine.guarding import cancellable, places_of
from operonx.core.engine.processes import call_in_process
from operonx.core.engine.state import SKIP, MemoryState, context_of
from operonx.core.engine.streams import feed_of
from operonx.core.engine.threads import ThreadCall
from operonx.core.errors import OutputError
from operonx.core.ops.context import RunContext
from operonx.core.ops.policies import UNSET, Rate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from operonx.core.engine.feeds import Feed
    from operonx.core.engine.scheduler import Run
    from operonx.core.engine.stepping import Suspended
    from operonx.core.ops.policies import Policies
    from operonx.core.plan.nodes import CallNode

__all__ = [
    "choose_fire",
    "complete",
    "fire_async",
    "fire_inline",
    "fire_waiting",
    "refuse_broken",
    "wait_for_rate",
]


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
        node.act = fire_async if plain and not guarded else fire_waiting
        node.suspends = True
    elif inline and plain:
        node.act = fire_inline
        node.suspends = False
    else:
        node.act = fire_waiting
        node.suspends = True
    if node.direct:
        node.fire = node.act


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
            _refuse_coroutine(value)
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


def arguments(run: Run, inst: MemoryState, node: CallNode, attempt: int = 1) -> dict[str, Any]:
    """Return the arguments of a call by name, the run's context included."""
    caller: Caller = node.caller
    found = caller.gather(inst)
    if caller.context_parameter is not None:
        found[caller.context_parameter] = RunContext(run, node.path, context_of(inst), attempt)
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
    with cancellable(run, inst, node) as scope:
        try:
            outputs = await _attempts(run, inst, node)
            done = True
        except BaseException as error:  # noqa: BLE001 - sorted out in one place
            run.raised(inst, node, error)
            return
        finally:
            release_streams(run, inst, node)
            if node.op.policies.concurrency is not None:
                places_of(run, node).leave()
    if done:
        complete(run, inst, node, outputs)
    elif scope is not None and scope.cancelled_caught:
        run.skipped(inst, node, reason="it was no longer wanted")


def feeds_of(run: Run, inst: MemoryState, node: CallNode) -> Iterator[Feed]:
    """Yield the sources of the streams that are handed to a firing."""
    for stream in node.streams:
        holder: Any = inst
        while holder.region is not stream.region:
            holder = holder.parent
        yield feed_of(run, holder, stream)


def refuse_broken(run: Run, inst: MemoryState, node: CallNode) -> None:
    """Raise what an item's expression raised while a firing read it, whatever the op made of it."""
    for feed in feeds_of(run, inst, node):
        if feed.broken is not None:
            raise feed.broken


def release_streams(run: Run, inst: MemoryState, node: CallNode) -> None:
    """Let go of the streams that are handed to a firing, read or not."""
    for feed in feeds_of(run, inst, node):
        feed.let_go(inst, node)


async def _attempts(run: Run, inst: MemoryState, node: CallNode) -> dict[str, Any]:
    policies = node.op.policies
    caller = node.caller
    attempt = 1
    # An expression that raises is no attempt: it would raise again.
    given = arguments(run, inst, node)
    while True:
        if policies.rate is not None:
            await wait_for_rate(run, node, policies.rate)
        try:
            value = await _attempt(run, inst, node, caller, given, attempt)
            refuse_broken(run, inst, node)
            return ports_of(caller, value, caller.ports, caller.signature.shape)
        except Exception as error:
            refuse_broken(run, inst, node)
            retry = policies.retry
            if retry is not None and attempt < retry.attempts and isinstance(error, retry.on):
                await anyio.sleep(retry.delay(attempt, run.draw()))
                attempt += 1
                continue
            if policies.fallback is UNSET:
                raise
            return await _fall_back(run, inst, node, policies, given, attempt)


async def _attempt(
    run: Run, inst: MemoryState, node: CallNode, caller: Caller, given: dict[str, Any], attempt: int
) -> Any:
    context = RunContext(run, node.path, context_of(inst), attempt)
    for feed in feeds_of(run, inst, node):
        context.on_cancel(feed.interrupt)
    if caller.context_parameter is not None:
        given = {**given, caller.context_parameter: context}
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
        return await caller.function(**given)
    policies = node.op.policies
    if policies.run_in == "process":
        return await call_in_process(caller.function, given)
    short = policies.run_in == "auto" and caller.short and policies.timeout is None
    if (policies.run_in == "inline" or short) and not node.streams:
        value = _measured(caller, given)
        if type(value) is CoroutineType:
            _refuse_coroutine(value)
        return value
    value = await ThreadCall(run.waker).run(
        run.variables.copy(), partial(_measured, caller, given), context
    )
    if type(value) is CoroutineType:
        _refuse_coroutine(value)
    if caller.short and policies.run_in == "auto":
        choose_fire(node)
    return value


def _refuse_coroutine(coroutine: Any) -> NoReturn:
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


async def _fall_back(
    run: Run,
    inst: MemoryState,
    node: CallNode,
    policies: Policies,
    given: dict[str, Any],
    attempt: int,
) -> dict[str, Any]:
    fallback: Caller | None = node.fallback
    if fallback is None:
        return _fallback_value(node, policies.fallback)
    names = {p.name for p in fallback.signature.parameters if p.role == "input"}
    wanted = {name: value for name, value in given.items() if name in names}
    value = await _attempt(run, inst, node, fallback, wanted, attempt)
    return ports_of(fallback, value, fallback.ports, fallback.signature.shape)


def _fallback_value(node: CallNode, value: Any) -> dict[str, Any]:
    ports = node.caller.ports
    given = cast("dict[str, Any]", value) if isinstance(value, dict) else None
    if len(ports) == 1 and (given is None or set(given) != set(ports)):
        return {ports[0]: value}
    return ports_of(node.caller, value, ports, "mapping" if ports else "none")


class _Rate:
    """When the last attempts of an op began, and the line of those that want to."""

    def __init__(self, count: int) -> None:
        self.begins: deque[float] = deque(maxlen=count)
        self.line = anyio.Lock()


async def wait_for_rate(run: Run, node: CallNode, rate: Rate) -> None:
    """Wait until one more attempt may begin."""
    state: _Rate = run.state.setdefault(("rate", node.id), _Rate(rate.count))
    async with state.line:
        begins = state.begins
        if len(begins) == rate.count:
            await anyio.sleep_until(begins[0] + rate.per)
        begins.append(anyio.current_time())
