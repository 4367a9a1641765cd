"""Guards and places at run time: what may still fire, and when."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio

from operonx.core.engine.turns import Turns

if TYPE_CHECKING:
    from operonx.core.engine.scheduler import Run
    from operonx.core.engine.state import MemoryState
    from operonx.core.errors import OpError
    from operonx.core.plan.nodes import Action, Node

__all__ = [
    "GuardState",
    "Places",
    "PlacesInOrder",
    "cancellable",
    "guarded",
    "is_dead",
    "limited",
    "places_of",
    "settle",
]


class GuardState:
    """One firing of a guarded graph."""

    __slots__ = ("dead", "error", "scopes", "timer")

    def __init__(self) -> None:
        self.dead: bool = False
        self.error: OpError | None = None
        """What it failed with; None where it only lost a race."""
        self.scopes: set[anyio.CancelScope] = set()
        """Firings and generators in flight inside it."""
        self.timer: anyio.CancelScope | None = None

    def kill(self, error: OpError | None) -> None:
        """Let nothing more fire inside, and cancel what is in flight."""
        if self.dead:
            return
        self.dead = True
        self.error = error
        for scope in list(self.scopes):
            scope.cancel()


def guards_of(run: Run, inst: MemoryState, node: Node) -> Iterator[GuardState]:
    """Yield the states of the guards around a node, innermost first."""
    guard = node.guard
    while guard is not None:
        state = run.guard_state(inst, guard)
        if state is not None:  # a choice may be made before its graph has begun
            yield state
        guard = guard.outer


def is_dead(run: Run, inst: MemoryState, node: Node) -> bool:
    """Return whether nothing wants a node to fire any more."""
    if node.may_lose and inst.raced is not None and node in inst.raced:
        return True
    return any(state.dead for state in guards_of(run, inst, node))


@contextmanager
def cancellable(run: Run, inst: MemoryState, node: Node) -> Generator[anyio.CancelScope | None]:
    """Let a firing be cancelled alone: by a guard around it, or by the race that it lost."""
    if node.guard is None and not node.may_lose:
        yield None
        return
    states = list(guards_of(run, inst, node))
    flights = run.state.setdefault("flights", {})
    with anyio.CancelScope() as scope:
        for state in states:
            state.scopes.add(scope)
        flights[inst, node] = scope
        if any(state.dead for state in states):
            scope.cancel()
        try:
            yield scope
        finally:
            for state in states:
                state.scopes.discard(scope)
            del flights[inst, node]


def guarded(inner: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a node's fire: skip it where its graph has failed or its race is decided."""

    def fire(run: Run, inst: MemoryState, node: Node) -> Any:
        if is_dead(run, inst, node):
            run.skipped(inst, node, reason="it was no longer wanted")
            return None
        return inner(run, inst, node)

    return fire


def settle(node: Node, action: Action) -> None:
    """Say what a node does when it fires, inside of the guards and places around it."""
    node.action = action
    node.firing = action if node.around is None else node.around(action)


class Granted:
    """Stands in the ready line for a node that has been given its place."""

    __slots__ = ("_node",)

    def __init__(self, node: Node) -> None:
        self._node = node

    @property
    def firing(self) -> Action:
        """What firing the node comes to now, and not when its place was given."""
        suspends, act = self._node.action
        return suspends, partial(_fire_granted, self._node, act)


def _fire_granted(
    node: Node, act: Callable[..., Any], run: Run, inst: MemoryState, _granted: Granted
) -> Any:
    if is_dead(run, inst, node):  # it was not when it began to wait
        run.skipped(inst, node, reason="it was no longer wanted")
        places_of(run, node).leave()
        return None
    return act(run, inst, node)


class Places:
    """The places of one op over a run: at most so many of its firings at one time."""

    def __init__(self, run: Run, node: Node, capacity: int) -> None:
        self._run = run
        self._granted = Granted(node)
        self._free = capacity
        self._line: deque[MemoryState] = deque()

    def arrive(self, inst: MemoryState) -> None:
        """A firing is ready: give it a place, or let it wait for one."""
        self._line.append(inst)
        self._give()

    def leave(self) -> None:
        """A firing is over: its place is free."""
        self._free += 1
        self._give()

    def passed(self, inst: MemoryState) -> None:
        """A firing was skipped; it wants no place."""

    def _give(self) -> None:
        while self._free and self._line:
            self._free -= 1
            self._run.ready.append((self._line.popleft(), self._granted))


class PlacesInOrder(Places):
    """Places that go out strictly in context order, outer index first."""

    def __init__(self, run: Run, node: Node, capacity: int) -> None:
        super().__init__(run, node, capacity)
        self._turns = Turns(node.region, self._come)
        run.turns.append(self._turns)

    def arrive(self, inst: MemoryState) -> None:
        """A firing is ready; it gets its place when all before it have theirs."""
        self._turns.arrive(inst, inst)

    def passed(self, inst: MemoryState) -> None:
        """A firing was skipped; those after it need not wait for it."""
        self._turns.passed(inst)

    def _come(self, inst: Any) -> None:
        self._line.append(inst)
        self._give()


def places_of(run: Run, node: Node) -> Places:
    """Return the places of a node that has a cap."""
    key = ("places", node.id)
    places: Places | None = run.state.get(key)
    if places is None:
        assert node.op is not None  # only ops have caps
        capacity = node.op.policies.concurrency
        assert capacity is not None  # `_is_limited` looked
        kind = PlacesInOrder if node.in_order else Places
        places = run.state[key] = kind(run, node, capacity)
    return places


def limited(run: Run, inst: MemoryState, node: Node) -> None:
    """Fire a node that has a cap: as soon as it is given a place."""
    places_of(run, node).arrive(inst)


def skip_limited(run: Run, inst: MemoryState, node: Node) -> None:
    """Tell a node's places that one of its firings will not come."""
    places_of(run, node).passed(inst)
