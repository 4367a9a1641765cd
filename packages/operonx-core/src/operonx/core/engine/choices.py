"""Branches, soft groups, `first_of`, `race` and `.or_else`: what fires instead of what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from operonx.core.engine.containment import escalate
from operonx.core.engine.state import COVERED, SKIP, MemoryState
from operonx.core.errors import listed
from operonx.core.expressions.equality import equal
from operonx.core.expressions.operators import require_decision

if TYPE_CHECKING:
    from operonx.core.engine.scheduler import Run
    from operonx.core.plan.nodes import AnyNode, BranchNode, ChoiceNode, Node

__all__ = ["fire_all", "fire_branch", "hear_any", "hear_choice"]


def fire_all(run: Run, inst: MemoryState, node: Node) -> None:
    """Fire a node that only passes on that all it waits for fired."""
    run.fired(inst, node)


# -- soft groups


def hear_any(
    run: Run, inst: MemoryState, node: AnyNode, _member: int, heard: int, reason: str | None
) -> None:
    """Note that one member of a soft group is decided."""
    state: list[Any] | None = inst.slots[node.state]
    if state is None:
        state = inst.slots[node.state] = [len(node.members), False, False]
    state[0] -= 1
    if not heard:
        state[1] = True
    elif not heard & COVERED:
        state[2] = True
    if not state[0]:
        run.signal(inst, node, 0 if state[1] else _skip(here=state[2]), reason)


def _skip(*, here: bool) -> int:
    return SKIP if here else SKIP | COVERED


# -- first_of, race, or_else


def hear_choice(
    run: Run, inst: MemoryState, node: ChoiceNode, member: int, heard: int, reason: str | None
) -> None:
    """Note that one option is decided, and choose if that is enough."""
    state: list[Any] | None = inst.slots[node.state]
    if state is None:
        state = inst.slots[node.state] = [None] * node.members
    state[member] = heard or "fired"
    if inst.slots[node.slot] is not None:
        return
    chosen = _first_in_time(state) if node.race else _first_in_order(state)
    if chosen is not None:
        inst.slots[node.slot] = chosen
        run.signal(inst, node)
        if node.race:
            _drop_losers(run, inst, node, chosen)
    elif all(one is not None and one != "fired" for one in state):
        _none_fired(run, inst, node, state, reason)


def _first_in_order(state: list[Any]) -> int | None:
    for number, one in enumerate(state):
        if one == "fired":
            return number
        if one is None:
            return None
    return None


def _first_in_time(state: list[Any]) -> int | None:
    return next((number for number, one in enumerate(state) if one == "fired"), None)


def _none_fired(
    run: Run, inst: MemoryState, node: ChoiceNode, state: list[Any], reason: str | None
) -> None:
    losers = {loser for option in node.losers for loser in option}
    # Kept in order of time, and the last one counts.
    raced = (inst.raced or {}).items()
    failures = [error for loser, error in raced if error is not None and loser in losers]
    if failures:
        escalate(run, inst, node.guard, failures[-1])
    here = any(not heard & COVERED for heard in state)
    run.signal(inst, node, _skip(here=here), reason)


def _drop_losers(run: Run, inst: MemoryState, node: ChoiceNode, chosen: int) -> None:
    """Cancel what only the lost options wanted."""
    raced = inst.note_raced()
    for number, losers in enumerate(node.losers):
        if number == chosen:
            continue
        for loser in losers:
            if loser.region is not inst.region:
                continue  # what other items of a stream may want, too
            raced.setdefault(loser, None)
            flight = run.state.get("flights", {}).get((inst, loser))
            if flight is not None:
                flight.cancel()
            guard = getattr(loser, "own_guard", None)
            if guard is not None and inst.slots[guard.slot] is not None:
                inst.slots[guard.slot].kill(None)


# -- branches


def fire_branch(run: Run, inst: MemoryState, node: BranchNode) -> None:
    """Try the conditions in order; the targets of the first that holds fire."""
    try:
        names, chosen = _choose(inst, node)
    except BaseException as error:  # noqa: BLE001 - sorted out in one place
        run.raised(inst, node, error)
        return
    inst.slots[node.chosen_slot] = names
    if run.frames is not None:
        run.frame(inst, node, {"chosen": names})
    reason: str | None = None
    for promise in node.promises:
        if promise in chosen:
            run.fired(inst, promise)
        elif promise is node.failed:
            run.signal(inst, promise, SKIP, f"`{node.path}` did not fail")
        else:
            reason = reason or _chose(node, names)
            run.skipped(inst, promise, reason=reason)
    run.fired(inst, node)


def _chose(node: BranchNode, names: list[str]) -> str:
    return f"branch `{node.path}` chose {listed(names, 'nothing')}"


def _choose(inst: MemoryState, node: BranchNode) -> tuple[list[str], set[Node]]:
    subject = node.subject(inst) if node.subject is not None else None
    for condition, names, arms in node.arms:
        if condition is None:
            return names, arms
        if node.subject is not None:
            holds = equal(subject, condition)
        else:
            holds = condition(inst)
            if holds is not True and holds is not False:
                holds = require_decision(holds, "a condition")
        if holds:
            return names, arms
    return [], set()
