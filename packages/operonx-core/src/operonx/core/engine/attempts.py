"""The attempts of a firing: as many as `rate` and `retry` let it make, then its `fallback`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import anyio

from operonx.core.engine.calling import Caller, ports_of
from operonx.core.engine.rates import wait_for_rate
from operonx.core.engine.state import MemoryState, context_of
from operonx.core.engine.streams import feed_of
from operonx.core.ops.context import RunContext
from operonx.core.ops.policies import UNSET

if TYPE_CHECKING:
    from operonx.core.engine.feeds import Feed
    from operonx.core.engine.scheduler import Run
    from operonx.core.plan.nodes import CallNode

__all__ = ["Attempt", "Attempts", "release_streams"]

Attempt: TypeAlias = Callable[[Caller, dict[str, Any], RunContext], Awaitable[Any]]
"""Makes one attempt: calls a function with arguments, and returns what came of it."""


def feeds_of(run: Run, inst: MemoryState, node: CallNode) -> Iterator[Feed]:
    """Yield the sources of the streams that are handed to a firing."""
    for stream in node.streams:
        holder: Any = inst
        while holder.region is not stream.region:
            holder = holder.parent
        yield feed_of(run, holder, stream)


def release_streams(run: Run, inst: MemoryState, node: CallNode) -> None:
    """Let go of the streams that are handed to a firing, read or not."""
    for feed in feeds_of(run, inst, node):
        feed.let_go(inst, node)


class Attempts:
    """The attempts that one firing makes, as its op's policies say.

    Args:
        run: The run.
        inst: Where the firing is.
        node: What fires.
        attempt: Makes one attempt.
        begun: Whether what was given so far forbids another attempt.
    """

    def __init__(
        self,
        run: Run,
        inst: MemoryState,
        node: CallNode,
        attempt: Attempt,
        begun: Callable[[], bool] | None = None,
    ) -> None:
        self._run = run
        self._inst = inst
        self._node = node
        self._attempt = attempt
        self._begun = begun
        self._feeds: tuple[Feed, ...] = tuple(feeds_of(run, inst, node)) if node.streams else ()
        self._given: dict[str, Any] = {}

    async def result(self) -> Any:
        """Return what came of the first attempt that went well, or of the fallback.

        Raises:
            Exception: What the last of them raised.
        """
        policies = self._node.op.policies
        # An expression that raises is no attempt: it would raise again.
        self._given = self._node.caller.gather(self._inst)
        number = 1
        while True:
            if policies.rate is not None:
                await wait_for_rate(self._run, self._node, policies.rate)
            try:
                return await self._make(self._node.caller, self._given, number)
            except Exception as error:
                self.refuse_broken()
                if self._begun is not None and self._begun():
                    raise
                retry = policies.retry
                if retry is not None and number < retry.attempts and isinstance(error, retry.on):
                    await anyio.sleep(retry.delay(number, self._run.draw()))
                    number += 1
                    continue
                if policies.fallback is UNSET:
                    raise
                return await self._fall_back(policies.fallback, number)

    async def _make(self, caller: Caller, given: dict[str, Any], number: int) -> Any:
        context = RunContext(self._run, self._node.path, context_of(self._inst), number)
        if caller.context_parameter is not None:
            given = {**given, caller.context_parameter: context}
        for feed in self._feeds:
            context.on_cancel(feed.interrupt)
        result = await self._attempt(caller, given, context)
        self.refuse_broken()
        return result

    def refuse_broken(self) -> None:
        """Raise what an item's expression raised as it was read, whatever the op made of it."""
        for feed in self._feeds:
            if feed.broken is not None:
                raise feed.broken

    async def _fall_back(self, value: Any, number: int) -> Any:
        fallback: Caller | None = self._node.fallback
        if fallback is None:
            return _fallback_value(self._node, value)
        names = {parameter.name for parameter in fallback.signature.parameters}
        given = {name: value for name, value in self._given.items() if name in names}
        return await self._make(fallback, given, number)


def _fallback_value(node: CallNode, value: Any) -> dict[str, Any]:
    ports = node.caller.ports
    given = cast("dict[str, Any]", value) if isinstance(value, dict) else None
    if len(ports) == 1 and (given is None or set(given) != set(ports)):
        return {ports[0]: value}
    return ports_of(node.caller, value, ports, "mapping" if ports else "none")
