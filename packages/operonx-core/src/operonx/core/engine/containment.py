"""What a failure does: it is contained where policies say so, else it ends the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from operonx.core.engine.cancelling import interrupt_in, leaves_of, was_asked
from operonx.core.engine.failures import error_value, op_error
from operonx.core.engine.guarding import is_dead
from operonx.core.engine.state import SKIP, MemoryState

if TYPE_CHECKING:
    from operonx.core.engine.scheduler import Run
    from operonx.core.errors import OpError
    from operonx.core.plan.guards import Guard
    from operonx.core.plan.nodes import Node

__all__ = ["contain", "escalate", "failure_of", "handle"]


def handle(run: Run, inst: MemoryState, node: Node, failure: OpError) -> None:
    """Contain a failure where its op's policies say so, or hand it to the graphs around."""
    if node.failed is not None or node.may_lose or _skips(node):
        contain(run, inst, node, failure)
    else:
        escalate(run, inst, node.guard, failure)


def contain(run: Run, inst: MemoryState, node: Node, failure: OpError) -> None:
    """Keep a failure: as the op's `.error`, or in the result's list."""
    if is_dead(run, inst, node):
        # What fails in a graph that is closed, or after its race, does so because of that.
        if node.failed is not None:
            run.signal(inst, node.failed, SKIP, "it was no longer wanted")
    elif node.failed is not None:
        inst.slots[node.failed.slot] = error_value(failure)
        run.signal(inst, node.failed)
    elif node.may_lose and not _skips(node):
        inst.note_raced()[node] = failure
    else:
        run.errors.append(failure)


def escalate(run: Run, inst: MemoryState, guard: Guard | None, failure: OpError) -> None:
    """Hand a failure to the graphs around; the outermost is the run."""
    while guard is not None:
        state = run.guard_state(inst, guard)
        if guard.contains:
            state.kill(failure)
            return
        guard = guard.outer
    run.fail(failure)


def failure_of(run: Run, inst: MemoryState, node: Node, error: BaseException) -> OpError | None:
    """Return what a firing raised as an `OpError`; None if it has ended the run as it is.

    A cancelling that was asked for is raised again.
    """
    if was_asked(run, error):
        raise next(leaves_of(error))
    interrupt = interrupt_in(error)
    if interrupt is not None:
        run.fail(interrupt)
        return None
    if isinstance(error, StopIteration):
        wrapped = RuntimeError("the function raised StopIteration")
        wrapped.__cause__ = error
        error = wrapped
    return op_error(inst, node, error)


def _skips(node: Node) -> bool:
    return node.op is not None and node.op.policies.on_error == "skip"
