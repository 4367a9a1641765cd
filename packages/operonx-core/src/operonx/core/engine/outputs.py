"""Outputs: of the root into the result, of a loop's body into its iteration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from operonx.core.engine.containment import escalate
from operonx.core.engine.state import MemoryState, context_of
from operonx.core.errors import OpError

if TYPE_CHECKING:
    from operonx.core.engine.scheduler import Run
    from operonx.core.plan.nodes import OutputNode

__all__ = ["fire_output", "skip_output"]


def fire_output(run: Run, inst: MemoryState, node: OutputNode) -> None:
    """Write an output."""
    try:
        value = node.evaluate(inst)
    except BaseException as error:  # noqa: BLE001 - sorted out in one place
        _raised(run, inst, node, error)
        return
    inst.slots[node.slot] = value
    if node.is_result:
        run.outputs[node.key] = value
    run.fired(inst, node)


def _raised(run: Run, inst: MemoryState, node: OutputNode, error: BaseException) -> None:
    # The graph that is written to has failed, at its own context.
    holder: MemoryState = inst
    if node.owner_region is not None:
        while holder.region is not node.owner_region:
            assert holder.parent is not None  # a graph's outputs are inside it
            holder = holder.parent
    failure = OpError(node.path, context_of(holder), error, output=_shown_output(node))
    escalate(run, inst, node.guard, failure)
    if run.failure is None:
        run.skipped(inst, node, reason=f"`{node.path}` failed: {failure.cause_message}")


def _shown_output(node: OutputNode) -> str:
    assert node.graph.analysis is not None  # it is running
    written = [repr(write.expression) for write in node.graph.analysis.writers.get(node.key, ())]
    return f"`{node.key}`: {' or '.join(written)}"


def skip_output(_run: Run, inst: MemoryState, node: OutputNode, _heard: int, reason: Any) -> None:
    """Keep why an output of the root is not there."""
    if node.is_result and reason is not None:
        if inst.reasons is None:
            inst.reasons = {}
        inst.reasons.setdefault(node.index, reason)
