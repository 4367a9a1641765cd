"""Actions beside each other: `MapActions`, on asyncio for coroutines, on threads for functions."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from burr.core import ApplicationContext, GraphBuilder, State, action
from burr.core.parallelism import MapActions, RunnableGraph

from benchmarks import work
from benchmarks.contender import Run
from benchmarks.peers.burr.machines import finish


class _Fan(MapActions):  # type: ignore[misc]  # the base has no types
    """Runs the same action many times over the same state."""

    def __init__(self, member: Any, size: int) -> None:  # an action
        super().__init__()
        self._members = [RunnableGraph.create(member)] * size

    def actions(self, state: State, context: ApplicationContext, inputs: dict[str, Any]) -> Any:  # noqa: ARG002
        """Give all members."""
        yield from self._members

    @property
    def reads(self) -> list[str]:
        """What the members read."""
        return ["x"]

    @property
    def writes(self) -> list[str]:
        """What `reduce` writes."""
        return ["values"]


class _FanOfFunctions(_Fan):
    def is_async(self) -> bool:
        """Run on threads."""
        return False

    def reduce(self, state: State, states: Iterator[State]) -> State:
        """Put what the members gave into a list."""
        return state.update(values=[s["value"] for s in states])


class _FanOfCoroutines(_Fan):
    def is_async(self) -> bool:
        """Run on the event loop."""
        return True

    async def reduce(self, state: State, states: AsyncIterator[State]) -> State:
        """Put what the members gave into a list."""
        return state.update(values=[s["value"] async for s in states])


@action(reads=["values"], writes=["y"])
def total(state: State) -> State:
    """Sum the list."""
    return state.update(y=work.total(state["values"]))


def _run(fan: _Fan) -> Run:
    graph = (
        GraphBuilder().with_actions(fan=fan, total=total).with_transitions(("fan", "total")).build()
    )

    async def run() -> int:
        return (await finish(graph, "fan", "total", x=work.SEED))["y"]

    return run


def _of_functions(function: Any, size: int) -> Run:  # any `(x: int) -> int`
    @action(reads=["x"], writes=["value"])
    def member(state: State) -> State:
        return state.update(value=function(state["x"]))

    return _run(_FanOfFunctions(member, size))


def _of_coroutines(function: Any, size: int) -> Run:  # any async `(x: int) -> int`
    @action(reads=["x"], writes=["value"])
    async def member(state: State) -> State:
        return state.update(value=await function(state["x"]))

    return _run(_FanOfCoroutines(member, size))


def fan_def(size: int) -> Run:
    """Plain functions."""
    return _of_functions(work.inc, size)


def fan_async(size: int) -> Run:
    """Coroutines."""
    return _of_coroutines(work.inc_async, size)


def wait_async(size: int) -> Run:
    """Coroutines that wait."""
    return _of_coroutines(work.wait_async, size)


def wait_def(size: int) -> Run:
    """Plain functions that block their thread."""
    return _of_functions(work.wait_def, size)


blocking = wait_def
