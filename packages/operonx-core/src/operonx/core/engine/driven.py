"""A generator that may wait, runs in a thread or has policies: driven by a task of its own."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel

from operonx.core.engine.attempts import Attempts
from operonx.core.engine.calling import SHORT, Caller
from operonx.core.engine.cancelling import heeding
from operonx.core.engine.closing import ThreadSource, closing
from operonx.core.engine.guarding import guards_of
from operonx.core.engine.stepping import watched
from operonx.core.engine.threads import ThreadIterator
from operonx.core.engine.yielding import LONG_YIELD, SLOW, GeneratorFiring, returned_value

if TYPE_CHECKING:
    from operonx.core.engine.scheduler import Run
    from operonx.core.engine.state import MemoryState
    from operonx.core.ops.context import RunContext
    from operonx.core.plan.nodes import GeneratorNode

__all__ = ["fire_driven"]


def fire_driven(run: Run, inst: MemoryState, node: GeneratorNode) -> None:
    """Start the task of a generator."""
    assert run.group is not None  # `suspends` is set, so there is one
    driver = DrivenGenerator(run, inst, node)
    run.fired(inst, node)
    run.group.start(run.variables.copy(), driver.drive)


class DrivenGenerator(GeneratorFiring):
    """A generator that may wait, or runs in a thread; one task is its own to the end."""

    def __init__(self, run: Run, inst: MemoryState, node: GeneratorNode) -> None:
        super().__init__(run, inst, node)
        self.scope: anyio.CancelScope = anyio.CancelScope()

    async def drive(self) -> None:
        """Take all yields."""
        states = list(guards_of(self.run, self.inst, self.node))
        flights = self.run.state.setdefault("flights", {})
        scope = self.scope
        if not self.node.streams:
            self.run.drivers.add(scope)  # what reads a stream ends as that does
        flights[self.inst, self.node] = scope
        for state in states:
            state.scopes.add(scope)
        if any(state.dead for state in states):
            scope.cancel()
        ended = False
        attempts = Attempts(self.run, self.inst, self.node, self._attempt, self._begun)
        try:
            with scope:
                ended = await attempts.result()
            if self.stopped:
                attempts.refuse_broken()  # the end that a stop makes is no way around it
        except BaseException as error:
            self.run.drivers.discard(scope)
            if self.run.is_cancelling(error):
                raise
            self.fail(error, attempts.hint)
        else:
            if ended or self.stopped:
                self.end()
            else:
                self.drop()
        finally:
            self.run.drivers.discard(scope)
            flights.pop((self.inst, self.node), None)
            for state in states:
                state.scopes.discard(scope)
        self.run.kick()

    def _begun(self) -> bool:
        # Half an answer is never glued to another, and what is closed not begun again.
        return bool(self.stream.count or self.final_seen or self.scope.cancel_called)

    async def _attempt(self, caller: Caller, given: dict[str, Any], context: RunContext) -> bool:
        """Take all yields; return whether it came to an end."""
        self.caller = caller
        self.shape = caller.signature.shape
        self.ports: tuple[str, ...] = caller.ports
        if caller.signature.is_async:
            return await self._take_async(caller.function(**given))
        return await self._take_threaded(given, context)

    async def _take_async(self, iterator: Any) -> bool:
        # What has no `aclose` is an iterator somebody wrote by hand; it is merely dropped.
        close = getattr(iterator, "aclose", None)

        async def closed() -> BaseException | None:
            try:
                if close is not None:
                    await close()
            except BaseException as error:  # noqa: BLE001 - sorted out in one place
                return error
            return None

        async with closing(closed):
            iterator = aiter(iterator)
            while True:
                await self._room()
                if self.stopped:
                    return True
                if self.scope.cancel_called or self.run.called_off:
                    await anyio.lowlevel.checkpoint()  # its own waits may all be in shields
                try:
                    value = await self._within(self._next, iterator)
                except StopAsyncIteration:
                    return True
                self.give(value)
                await _settle(self.run)

    async def _next(self, iterator: Any) -> Any:
        step = iterator.__anext__()
        if hasattr(step, "send"):  # an iterator somebody wrote by hand gives any awaitable
            step = watched(self.run, self.node, step)
        return await (heeding(step) if self.node.streams else step)

    async def _take_threaded(self, given: dict[str, Any], context: RunContext) -> bool:
        source = ThreadSource(partial(self.caller.function, **given))
        lane = ThreadIterator(self.run.waker, self.run.variables.copy(), source.iterate, context)

        async def closed() -> BaseException | None:
            await lane.close()
            return source.taken()

        longest = 0.0
        async with closing(closed):
            while True:
                before = source.spent
                with lane.held(waits=self._full()):
                    await self._room()
                if self.stopped:
                    return True
                kind, value = await self._within(lane.ask)
                longest = max(longest, source.spent - before)
                if kind == "error":
                    raise value
                if kind == "return":
                    if value is not None:
                        raise returned_value(value)
                    break
                self.give(value)
                await _settle(self.run)
        count = self.stream.count or 1
        quick = source.spent < SHORT * count or source.spent < SLOW
        self.caller.judge(short=quick and longest < LONG_YIELD)
        self.node.choose(self.node)
        return True

    async def _within(self, wait: Any, *args: Any) -> Any:
        timeout = self.node.op.policies.timeout
        if timeout is None:
            return await wait(*args)
        with anyio.move_on_after(timeout) as scope:
            value = await wait(*args)
            if not scope.cancel_called:
                return value  # else it took its cancelling for a yield's turn, too late
        raise TimeoutError(f"no yield within {timeout:g} s")

    def _full(self) -> bool:
        return self.stream.full or self.run.full

    async def _room(self) -> None:
        while self.stream.full:
            event = anyio.Event()
            self.stream.resume = event.set
            await event.wait()
        if self.run.full:
            await self.run.room()


async def _settle(run: Run) -> None:
    """Dispatch what became ready, without giving up the task we are in."""
    while run.drain(pinned=True) is not None:
        await anyio.lowlevel.checkpoint()
    if run.waiting or run.sources:
        run.kick()
        await anyio.lowlevel.checkpoint()
