"""`rate=`: how often the attempts of an op may begin."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from operonx.core.engine.scheduler import Run
    from operonx.core.ops.policies import Rate
    from operonx.core.plan.nodes import CallNode

__all__ = ["wait_for_rate"]


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
