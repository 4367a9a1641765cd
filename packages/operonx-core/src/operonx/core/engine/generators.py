"""Firing a generator: every yield opens an item, and is dispatched before the next is computed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel

from operonx.core.engine.calling import SHORT, Caller, clock, final_ports, ports_of
from operonx.core.engine.calls import feeds_of, refuse_broken, release_streams, wait_for_rate
from operonx.core.engine.closing import ThreadSource, closing, joined
from operonx.core.engine.failures import reason_of
from operonx.core.engine.guarding import guards_of, is_dead, places_of
from operonx.core.engine.state import SKIP, MemoryState, StreamState, context_of
from operonx.core.engine.stepping import watched
from operonx.core.engine.streams import skip_waiters
from operonx.core.engine.threads import ThreadIterator
from operonx.core.errors import OutputError
from operonx.core.ops.context import RunContext
from operonx.core.ops.policies import UNSET
from operonx.core.ops.signature import Final

if TYPE_CHECKING:
    from operonx.core.engine.scheduler import Run
    from operonx.core.plan.nodes import GeneratorNode

_SLOW: float = 20 * SHORT
"""Seconds in all below which a generator is not judged by its average."""

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
    node.suspends = caller.signature.is_async or not (plain and inline)
    node.act = _fire_driven if node.suspends else _fire_inline
    if node.direct:
        node.fire = node.act


class Firing:
    """One firing of a generator: what every way of advancing it shares."""

    def __init__(self, run: Run, inst: MemoryState, node: GeneratorNode) -> None:
        self.run = run
        self.inst = inst
        self.node = node
        self.caller: Caller = node.caller
        self.shape = self.caller.signature.shape
        self.ports: tuple[str, ...] = self.caller.ports
        limit = node.op.policies.max_open or run.linked.max_open
        self.stream: StreamState = run.open_stream(node, node.child, inst, limit)
        self.final_seen: bool = False
        self.slots: tuple[tuple[str, int], ...] = tuple(node.outputs.items())

    def arguments(self, attempt: int = 1, context: RunContext | None = None) -> dict[str, Any]:
        """Return the arguments by name; raises what their expressions raise."""
        found = self.caller.gather(self.inst)
        name = self.caller.context_parameter
        if name is not None:
            found[name] = context or RunContext(
                self.run, self.node.path, context_of(self.inst), attempt
            )
        return found

    def give(self, value: Any) -> None:
        """Dispatch one yield; raises if it has not the shape of the ports."""
        if type(value) is Final:
            self._give_final(value)
            return
        if self.final_seen:
            raise OutputError("yielded after its `final(...)`, which ends a stream")
        outputs = ports_of(self.caller, value, self.ports, self.shape)
        item = self.run.open_item(self.stream)
        slots = item.slots
        if self.node.open_slot is not None:
            slots[self.node.open_slot] = outputs
        else:
            for port, slot in self.slots:
                slots[slot] = outputs[port]
        if self.run.frames is not None:
            self.run.frame(item, self.node, outputs)

    def _give_final(self, value: Any) -> None:
        if self.final_seen:
            raise OutputError("yielded `final(...)` twice")
        outputs = ports_of(self.caller, dict(value), final_ports(self.node), "mapping")
        self.final_seen = True
        for port, slot in self.node.final.items():
            self.inst.slots[slot] = outputs[port]
        if self.run.frames is not None:
            self.run.frame(self.inst, self.node, outputs)

    def end(self) -> None:
        """The generator ended well."""
        node, run, inst = self.node, self.run, self.inst
        try:
            refuse_broken(run, inst, node)
        except Exception as error:  # noqa: BLE001 - the op's failure, though it went on
            self.fail(error)
            return
        if node.final and not self.final_seen and not run.stopping:
            names = ", ".join(node.final)
            self.fail(OutputError(f"ended without its `final({names})`"))
            return
        run.end_stream(self.stream, ok=True)
        if node.final and not self.final_seen:
            run.signal(inst, node.end, SKIP, "the run was stopped")
        else:
            run.signal(inst, node.end)
        if node.failed is not None:
            run.signal(inst, node.failed, SKIP, f"`{node.path}` did not fail")
        self._leave()

    def fail(self, error: BaseException) -> None:
        """The generator raised, or gave what has not the shape of its ports."""
        run, inst, node = self.run, self.inst, self.node
        failure = run.failure_of(inst, node, error)
        if failure is None:
            return
        run.handle(inst, node, failure)
        if run.failure is None:
            self._break_off(reason_of(failure))

    def drop(self) -> None:
        """End the stream as one that nothing wants any more."""
        reason = "it was no longer wanted"
        if self.node.failed is not None:
            self.run.signal(self.inst, self.node.failed, SKIP, reason)
        self._break_off(reason)

    def _break_off(self, reason: str) -> None:
        """End the stream as one that failed."""
        run, inst, node = self.run, self.inst, self.node
        run.note(node.path, context_of(inst), reason)
        run.end_stream(self.stream, ok=False, reason=reason)
        run.signal(inst, node.end, SKIP, reason)
        self._leave()

    def _leave(self) -> None:
        self.run.open_sources.discard(self)
        release_streams(self.run, self.inst, self.node)
        if self.node.op.policies.concurrency is not None:
            places_of(self.run, self.node).leave()


# -- advanced where we stand


def _fire_inline(run: Run, inst: MemoryState, node: GeneratorNode) -> None:
    source = _InlineSource(run, inst, node)
    run.open_sources.add(source)
    run.fired(inst, node)
    run.sources.append(source)


class _InlineSource(Firing):
    """A short plain generator, advanced by whoever drains when nothing else is ready."""

    def __init__(self, run: Run, inst: MemoryState, node: GeneratorNode) -> None:
        super().__init__(run, inst, node)
        self.iterator: Iterator[Any] | None = None
        self.variables = run.variables.copy()
        self.guarded = node.guard is not None or node.may_lose
        self.measures = node.op.policies.run_in == "auto"
        self.spent = 0.0

    def advance(self) -> None:
        """Take one yield."""
        if self.guarded and is_dead(self.run, self.inst, self.node):
            self._end_early(self.drop)
            return
        if self.stream.full:
            self.stream.resume = partial(self.run.sources.append, self)
            return
        if self.run.stopping:
            self._end_early(self.end)
            return
        before = clock()
        try:
            if self.iterator is None:
                self.iterator = iter(self.caller.function(**self.arguments()))
            value = self.variables.run(next, self.iterator)
        except StopIteration as stop:
            self._returned(stop.value)
            return
        except BaseException as error:  # noqa: BLE001 - sorted out in one place
            self.fail(error)
            return
        if self.measures:
            self._look_at_the_clock(clock() - before)
        try:
            self.give(value)
        except BaseException as error:  # noqa: BLE001 - sorted out in one place
            self.fail(joined(error, self._close()))
            return
        self.run.sources.append(self)

    def _look_at_the_clock(self, took: float) -> None:
        self.spent += took
        # One slow yield may be the machine's doing; a firing that is slow on average is not.
        if self.spent > _SLOW and self.spent > SHORT * (self.stream.count + 1):
            self.caller.short = False
            choose_generator_fire(self.node)

    def _returned(self, value: Any) -> None:
        if value is None:
            self.end()
        else:
            self.fail(_returned_value(value))

    def _end_early(self, end: Callable[[], None]) -> None:
        error = self._close()
        if error is None:
            end()
        else:
            self.fail(error)

    def _close(self) -> BaseException | None:
        """Close the generator, so that its `finally` blocks run; return what they raised."""
        close = getattr(self.iterator, "close", None)
        if close is None:
            return None
        try:
            self.variables.run(close)
        except BaseException as error:  # noqa: BLE001 - sorted out in one place
            return error
        return None

    def close(self) -> None:
        """Close the generator: the run is over before it."""
        error = self._close()
        if error is not None and self.run.failure is None:
            self.fail(error)


def _returned_value(value: Any) -> OutputError:
    return OutputError(
        f"a generator returned `{type(value).__name__}`, which nobody would read",
        hint="yield it: `yield final(name=value)`",
    )


# -- advanced by a task of its own


def _fire_driven(run: Run, inst: MemoryState, node: GeneratorNode) -> None:
    assert run.group is not None  # `suspends` is set, so there is one
    driver = _Driver(run, inst, node)
    run.fired(inst, node)
    run.group.start(run.variables.copy(), driver.drive)


class _Driver(Firing):
    """A generator that may wait, or runs in a thread; one task is its own to the end."""

    def __init__(self, run: Run, inst: MemoryState, node: GeneratorNode) -> None:
        super().__init__(run, inst, node)
        self.scope = anyio.CancelScope()

    async def drive(self) -> None:
        """Take all yields."""
        states = list(guards_of(self.run, self.inst, self.node))
        flights = self.run.state.setdefault("flights", {})
        scope = self.scope
        self.run.drivers.add(scope)
        flights[self.inst, self.node] = scope
        for state in states:
            state.scopes.add(scope)
        if any(state.dead for state in states):
            scope.cancel()
        ended = False
        try:
            with scope:
                ended = await self._attempts()
        except BaseException as error:
            self.run.drivers.discard(scope)
            if self.run.is_cancelling(error):
                raise
            self.fail(error)
        else:
            if ended or self.run.stopping:
                self.end()
            else:
                self.drop()
        finally:
            self.run.drivers.discard(scope)
            flights.pop((self.inst, self.node), None)
            for state in states:
                state.scopes.discard(scope)
        self.run.kick()

    async def _attempts(self) -> bool:
        policies = self.node.op.policies
        attempt = 1
        self.caller.gather(self.inst)  # an expression that raises is no attempt
        while True:
            if policies.rate is not None:
                await wait_for_rate(self.run, self.node, policies.rate)
            try:
                return await self._attempt(attempt)
            except Exception as error:
                # Half an answer is never glued to another, and what is closed not begun again.
                if self.stream.count or self.final_seen or self.scope.cancel_called:
                    raise
                retry = policies.retry
                if retry is not None and attempt < retry.attempts and isinstance(error, retry.on):
                    await anyio.sleep(retry.delay(attempt, self.run.draw()))
                    attempt += 1
                elif self.node.fallback is not None and self.caller is not self.node.fallback:
                    self._use_fallback(self.node.fallback)
                else:
                    raise

    def _use_fallback(self, fallback: Caller) -> None:
        self.caller = fallback
        self.shape = fallback.signature.shape
        self.ports = fallback.ports

    def _given(self, attempt: int, context: RunContext) -> dict[str, Any]:
        given = self.arguments(attempt, context)
        if self.caller is not self.node.fallback:
            return given
        names = {p.name for p in self.caller.signature.parameters}
        return {name: value for name, value in given.items() if name in names}

    async def _attempt(self, attempt: int) -> bool:
        context = RunContext(self.run, self.node.path, context_of(self.inst), attempt)
        for feed in feeds_of(self.run, self.inst, self.node):
            context.on_cancel(feed.interrupt)
        given = self._given(attempt, context)
        if self.caller.signature.is_async:
            return await self._take_async(self.caller.function(**given))
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
                if self.run.stopping:
                    return True
                try:
                    value = await self._within(self._next, iterator)
                except StopAsyncIteration:
                    return True
                self.give(value)
                await settle(self.run)

    async def _next(self, iterator: Any) -> Any:
        step = iterator.__anext__()
        if not hasattr(step, "send"):
            return await step  # an iterator somebody wrote by hand gives any awaitable
        return await watched(self.run, self.node, step)

    async def _take_threaded(self, given: dict[str, Any], context: RunContext) -> bool:
        source = ThreadSource(partial(self.caller.function, **given))
        lane = ThreadIterator(self.run.waker, self.run.variables.copy(), source.iterate, context)

        async def closed() -> BaseException | None:
            await lane.close()
            return source.taken()

        async with closing(closed):
            while True:
                with lane.held(waits=self._full()):
                    await self._room()
                if self.run.stopping:
                    return True
                kind, value = await self._within(lane.ask)
                if kind == "error":
                    raise value
                if kind == "return":
                    if value is not None:
                        raise _returned_value(value)
                    break
                self.give(value)
                await settle(self.run)
        count = self.stream.count or 1
        self.caller.short = source.spent < SHORT * count or source.spent < _SLOW
        choose_generator_fire(self.node)
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


async def settle(run: Run) -> None:
    """Dispatch what became ready, without giving up the task we are in."""
    while run.drain(pinned=True) is not None:
        await anyio.lowlevel.checkpoint()
    if run.waiting or run.sources:
        run.kick()
        await anyio.lowlevel.checkpoint()


def skip_generator(
    run: Run, inst: MemoryState, node: GeneratorNode, heard: int, reason: str | None
) -> None:
    """A generator is skipped, and with it its stream."""
    skip_waiters(run, inst, node, heard, reason)
