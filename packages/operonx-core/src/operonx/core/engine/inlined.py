"""A short plain generator, advanced by whoever drains the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from operonx.core.engine.calling import SHORT, clock
from operonx.core.engine.closing import joined
from operonx.core.engine.guarding import is_dead
from operonx.core.engine.state import MemoryState, context_of
from operonx.core.engine.yielding import LONG_YIELD, SLOW, GeneratorFiring, returned_value
from operonx.core.ops.context import RunContext

if TYPE_CHECKING:
    from contextvars import Context as Variables

    from operonx.core.engine.scheduler import Run
    from operonx.core.plan.nodes import GeneratorNode

__all__ = ["fire_inlined"]


def fire_inlined(run: Run, inst: MemoryState, node: GeneratorNode) -> None:
    """Line a generator up with those that are advanced where the run is drained."""
    source = InlinedGenerator(run, inst, node)
    run.open_sources.add(source)
    run.fired(inst, node)
    run.sources.append(source)


class InlinedGenerator(GeneratorFiring):
    """A short plain generator, advanced by whoever drains when nothing else is ready."""

    def __init__(self, run: Run, inst: MemoryState, node: GeneratorNode) -> None:
        super().__init__(run, inst, node)
        self.iterator: Iterator[Any] | None = None
        self.variables: Variables = run.variables.copy()
        self.guarded: bool = node.guard is not None or node.may_lose
        self.measures: bool = node.op.policies.run_in == "auto"
        self.spent: float = 0.0

    def advance(self) -> None:
        """Take one yield."""
        if self.guarded and is_dead(self.run, self.inst, self.node):
            self._end_early(self.drop)
            return
        if self.stream.full:
            self.stream.resume = partial(self.run.sources.append, self)
            return
        if self.stopped:
            self._end_early(self.end)
            return
        before = clock()
        try:
            if self.iterator is None:
                self.iterator = iter(self.caller.function(**self._arguments()))
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

    def _arguments(self) -> dict[str, Any]:
        found = self.caller.gather(self.inst)
        name = self.caller.context_parameter
        if name is not None:
            found[name] = RunContext(self.run, self.node.path, context_of(self.inst))
        return found

    def _look_at_the_clock(self, took: float) -> None:
        self.spent += took
        # One slow yield may be the machine's doing; a firing that is slow on average is not.
        slow = self.spent > SLOW and self.spent > SHORT * (self.stream.count + 1)
        if (slow or took > LONG_YIELD) and self.caller.short:
            self.caller.relapse()  # this firing stays where it is: its generator knows one thread
            self.node.choose(self.node)

    def _returned(self, value: Any) -> None:
        if value is None:
            self.end()
        else:
            self.fail(returned_value(value))

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
