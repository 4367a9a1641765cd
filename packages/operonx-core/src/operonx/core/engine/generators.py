"""Generators: how one fires, and what becomes of one that does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from operonx.core.engine.driven import fire_driven
from operonx.core.engine.guarding import settle
from operonx.core.engine.inlined import fire_inlined
from operonx.core.engine.streams import skip_waiters
from operonx.core.ops.policies import UNSET

if TYPE_CHECKING:
    from operonx.core.engine.calling import Caller
    from operonx.core.engine.scheduler import Run
    from operonx.core.engine.state import MemoryState
    from operonx.core.plan.nodes import GeneratorNode

__all__ = ["choose_generator_fire", "skip_generator"]


def choose_generator_fire(node: GeneratorNode) -> None:
    """Set how a generator fires: advanced where we stand, or by a task of its own."""
    caller: Caller = node.caller
    policies = node.op.policies
    plain = (
        policies.retry is None
        and policies.timeout is None
        and policies.fallback is UNSET
        and policies.rate is None
        and not node.streams
    )
    inline = policies.run_in == "inline" or (policies.run_in == "auto" and caller.short)
    suspends = caller.signature.is_async or not (plain and inline)
    settle(node, (suspends, fire_driven if suspends else fire_inlined))


def skip_generator(
    run: Run, inst: MemoryState, node: GeneratorNode, heard: int, reason: str | None
) -> None:
    """A generator is skipped, and with it its stream."""
    skip_waiters(run, inst, node, heard, reason)
