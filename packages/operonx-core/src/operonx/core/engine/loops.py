"""Running a loop: iterations one after the other, each an instance of the body's region."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from operonx.core.engine.containment import failure_of, handle
from operonx.core.engine.failures import reason_of, show_input
from operonx.core.engine.graphs import end_guard, start_guard
from operonx.core.engine.guarding import places_of
from operonx.core.engine.state import SKIP, MemoryState, StreamState, context_of
from operonx.core.errors import ExpressionError, LoopLimitError, OpError
from operonx.core.expressions.operators import BINARY, require_decision
from operonx.core.ops.policies import UNSET

if TYPE_CHECKING:
    from operonx.core.engine.scheduler import Run
    from operonx.core.plan.nodes import DoneNode, LoopNode

__all__ = ["advance", "fire_loop"]

_NO_STATE: Final = "its iteration failed, so there is no state after it"


def fire_loop(run: Run, inst: MemoryState, node: LoopNode) -> None:
    """Set the state and begin the first iteration."""
    try:
        state = {key: evaluate(inst) for key, evaluate in node.inputs}
    except BaseException as error:  # noqa: BLE001 - sorted out in one place
        run.raised(inst, node, error)
        _leave(run, node)
        return
    if node.own_guard is not None:
        start_guard(run, inst, node.own_guard)
    stream = run.open_stream(node, node.child, inst, run.linked.max_open)
    run.fired(inst, node)
    _iterate(run, node, stream, state)


def _iterate(run: Run, node: LoopNode, stream: StreamState, state: dict[str, Any]) -> None:
    if stream.full:
        stream.resume = partial(_iterate, run, node, stream, state)
        return
    item = run.open_item(stream)
    for key, slot in node.state_slots.items():
        item.slots[slot] = state[key]


def advance(run: Run, item: MemoryState, done: DoneNode) -> None:
    """An iteration is over: write the state, and test whether the loop is."""
    node = done.loop
    stream = item.stream
    assert node is not None  # the body's `done` knows its loop
    assert stream is not None  # and is in an iteration
    inst = stream.parent
    guard = None if node.own_guard is None else inst.slots[node.own_guard.slot]
    if guard is not None and guard.dead:
        run.skipped(item, done, reason=_NO_STATE)
        _fail(run, inst, node, stream, guard.error)
        return
    state: dict[str, Any] | None = None
    try:
        state = _written(item, node)
        over = _is_over(item, node)
    except BaseException as error:  # noqa: BLE001 - sorted out in one place
        failure = failure_of(run, inst, node, error)
        if state is None:
            run.skipped(item, done, reason=_NO_STATE)
        else:
            run.fired(item, done)
        if failure is not None:
            _fail(run, inst, node, stream, failure)
        return
    run.fired(item, done)
    if over:
        _finish(run, inst, node, stream, item, state)
    elif stream.count >= node.op.max_iterations:
        _fail(run, inst, node, stream, _limit_error(inst, node, stream.count, state))
    else:
        _iterate(run, node, stream, state)


def _limit_error(
    inst: MemoryState, node: LoopNode, count: int, state: dict[str, Any]
) -> LoopLimitError:
    source = node.op.until_source
    until = source if isinstance(source, str) else repr(node.op.until)
    iterations = "1 iteration" if count == 1 else f"{count} iterations"
    cause = RuntimeError(f"`{until}` was still false after {iterations}")
    shown = {name: show_input(name, value) for name, value in state.items()}
    hint = "raise `max_iterations=`, or look at what `until` waits for"
    return LoopLimitError(node.path, context_of(inst), cause, shown, hint=hint)


def _is_over(item: MemoryState, node: LoopNode) -> bool:
    return require_decision(node.until(item), "`until`")


def _written(item: MemoryState, node: LoopNode) -> dict[str, Any]:
    """Return the state after an iteration; also kept for those who read it."""
    state = {key: item.slots[slot] for key, slot in node.state_slots.items()}
    for write in node.writes:
        value = item.slots[write.slot]
        if value is UNSET:
            continue
        reducer = node.states[write.key].reducer
        if reducer is None:
            state[write.key] = value
            continue
        for one in value if write.many else (value,):
            try:
                state[write.key] = _reduce(reducer, state[write.key], one)
            except ExpressionError as error:
                what = f"state `{write.key}` is written {write.expression!r}"
                raise ExpressionError(f"{what}: {error.message}", hint=error.hint) from error
    for key, slot in node.after_slots.items():
        item.slots[slot] = state[key]
    return state


def _reduce(reducer: str, state: Any, written: Any) -> Any:
    if reducer == "sum":
        return BINARY["+"](state, written)
    if reducer == "merge":
        _require(isinstance(state, dict) and isinstance(written, dict), reducer, state, written)
        return cast("dict[Any, Any]", state) | cast("dict[Any, Any]", written)
    _require(isinstance(state, list), reducer, state, written)
    if reducer == "append":
        return [*cast("list[Any]", state), written]
    _require(isinstance(written, list), reducer, state, written)
    return cast("list[Any]", state) + cast("list[Any]", written)


def _require(holds: bool, reducer: str, state: Any, written: Any) -> None:
    if not holds:
        raise ExpressionError(
            f'reducer "{reducer}" is not defined for a state of `{type(state).__name__}` '
            f"and a written `{type(written).__name__}`"
        )


def _finish(
    run: Run,
    inst: MemoryState,
    node: LoopNode,
    stream: StreamState,
    item: MemoryState,
    state: dict[str, Any],
) -> None:
    for key, value in state.items():
        inst.slots[node.outputs[key]] = value
    for key, slot in node.body_outputs.items():
        value = item.slots[slot]
        end = node.output_ends[key]
        if value is UNSET:
            run.signal(inst, end, SKIP, f"`{key}` was skipped in the last iteration")
        else:
            inst.slots[node.outputs[key]] = value
            run.signal(inst, end)
    if node.own_guard is not None:
        end_guard(inst, node.own_guard)
    if node.failed is not None:
        run.signal(inst, node.failed, SKIP, f"`{node.path}` did not fail")
    run.end_stream(stream, ok=True)
    run.signal(inst, node.end)
    _leave(run, node)


def _fail(
    run: Run, inst: MemoryState, node: LoopNode, stream: StreamState, failure: OpError | None
) -> None:
    if node.own_guard is not None:
        end_guard(inst, node.own_guard)
    reason = "it lost a race"
    if failure is not None:
        reason = reason_of(failure)
        handle(run, inst, node, failure)
        if run.failure is not None:
            return
    elif node.failed is not None:
        run.signal(inst, node.failed, SKIP, reason)
    run.note(node.path, context_of(inst), reason)
    run.end_stream(stream, ok=False, reason=reason)
    for promise in node.promises:
        if promise is not node.failed:
            run.signal(inst, promise, SKIP, reason)
    _leave(run, node)


def _leave(run: Run, node: LoopNode) -> None:
    if node.op.policies.concurrency is not None:
        places_of(run, node).leave()
