"""The attempts of a firing: as many as `rate` and `retry` let it make, then its `fallback`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

import anyio

from operonx.core.engine.calling import Caller, ports_of
from operonx.core.engine.cancelling import is_called_off
from operonx.core.engine.rates import wait_for_rate
from operonx.core.engine.state import MemoryState, context_of
from operonx.core.engine.streams import feed_of
from operonx.core.ops.context import RunContext
from operonx.core.ops.policies import UNSET
from operonx.core.streaming import Stream

if TYPE_CHECKING:
    from operonx.core.engine.feeds import Feed
    from operonx.core.engine.scheduler import Run
    from operonx.core.ops.policies import Retry
    from operonx.core.plan.nodes import CallNode

__all__ = ["Attempt", "Attempts", "release_streams"]

Attempt: TypeAlias = Callable[[Caller, dict[str, Any], RunContext], Awaitable[Any]]
"""Makes one attempt: calls a function with arguments, and returns what came of it."""


_READ_ONCE: Final = (
    "it was not tried again: a stream is read once, and the failed attempt had read from it; "
    "hand it in as a list, with `.collect()`, and every attempt has all of it"
)


def _feeds_of(run: Run, inst: MemoryState, node: CallNode) -> dict[str, Feed]:
    """Return the sources of the streams that are handed to a firing, by argument."""
    feeds: dict[str, Feed] = {}
    for name, stream in node.streams.items():
        holder: Any = inst
        while holder.region is not stream.region:
            holder = holder.parent
        feeds[name] = feed_of(run, holder, stream)
    return feeds


def release_streams(run: Run, inst: MemoryState, node: CallNode) -> None:
    """Let go of the streams that are handed to a firing, read or not."""
    for feed in _feeds_of(run, inst, node).values():
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
        self._feeds: dict[str, Feed] = _feeds_of(run, inst, node) if node.streams else {}
        self.hint: str | None = None
        """Why there was no further attempt, where the policies ask for one."""
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
                # An asyncio task hears of its cancelling once; what it made of that is the end.
                if is_called_off(self._run) or (self._begun is not None and self._begun()):
                    raise
                retry = policies.retry
                if retry is not None and self._repeats(retry, error, number):
                    await anyio.sleep(retry.delay(number, self._run.draw()))
                    number += 1
                    continue
                if policies.fallback is UNSET or not self._is_whole(self._node.fallback):
                    raise
                return await self._fall_back(policies.fallback, number)

    def _repeats(self, retry: Retry, error: Exception, number: int) -> bool:
        wanted = number < retry.attempts and isinstance(error, retry.on)
        return wanted and self._is_whole(self._node.caller)

    def _is_whole(self, caller: Caller | None) -> bool:
        """Return whether a function, if it is one, would have all of the streams that it takes."""
        taken = [name for name, feed in self._feeds.items() if feed.taken]
        if caller is None or not any(_takes(caller, name) for name in taken):
            return True
        self.hint = _READ_ONCE
        return False

    async def _make(self, caller: Caller, given: dict[str, Any], number: int) -> Any:
        context = RunContext(self._run, self._node.path, context_of(self._inst), number)
        if caller.context_parameter is not None:
            given = {**given, caller.context_parameter: context}
        if not self._feeds:
            return await self._attempt(caller, given, context)
        given = dict(given)
        for name, feed in self._feeds.items():
            if name in given:
                given[name] = Stream[Any](feed)
            context.on_cancel(feed.interrupt)
        try:
            result = await self._attempt(caller, given, context)
        finally:
            for feed in self._feeds.values():
                feed.close()
        self.refuse_broken()
        return result

    def refuse_broken(self) -> None:
        """Raise what an item's expression raised as it was read, whatever the op made of it."""
        for feed in self._feeds.values():
            if feed.broken is not None:
                raise feed.broken

    async def _fall_back(self, value: Any, number: int) -> Any:
        fallback: Caller | None = self._node.fallback
        if fallback is None:
            return _fallback_value(self._node, value)
        given = {name: value for name, value in self._given.items() if _takes(fallback, name)}
        return await self._make(fallback, given, number)


def _takes(caller: Caller, name: str) -> bool:
    return any(parameter.name == name for parameter in caller.signature.parameters)


def _fallback_value(node: CallNode, value: Any) -> dict[str, Any]:
    ports = node.caller.ports
    given = cast("dict[str, Any]", value) if isinstance(value, dict) else None
    if len(ports) == 1 and (given is None or set(given) != set(ports)):
        return {ports[0]: value}
    return ports_of(node.caller, value, ports, "mapping" if ports else "none")
