"""Loops: a graph whose body runs again and again over a state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self, TypeAlias, cast

from operonx.core.errors import listed
from operonx.core.expressions.building import building_graph
from operonx.core.expressions.naming import assigned_name, calling_frame
from operonx.core.expressions.refs import Expression, IterationRef, IterationsRef, ParentRef, lift
from operonx.core.expressions.symbols import NoValue
from operonx.core.graph.graph import GraphOp
from operonx.core.graph.parts import GraphInput
from operonx.core.ops.policies import UNSET

__all__ = ["Iterations", "LoopOp", "Reducer", "State", "rebind_parent"]

Reducer: TypeAlias = Literal["append", "extend", "merge", "sum"]
_REDUCERS = ("append", "extend", "merge", "sum")


@dataclass(frozen=True, slots=True)
class State:
    """A loop's state; made by the function of this name in `states`."""

    initial: Any = UNSET
    """The first value or ref; unset where the loop's caller gives it."""
    reducer: Reducer | None = None
    """How several writes combine; None: there is one, which replaces the value."""

    def __post_init__(self) -> None:
        if self.reducer is not None and self.reducer not in _REDUCERS:
            raise ValueError(f"State(reducer={self.reducer!r}): there are {listed(_REDUCERS)}")


class Iterations(NoValue):
    """`loop.iterations`: what every iteration gave, as a stream."""

    __slots__ = ("_loop",)
    instead: ClassVar[str] = 'name the output or state that is meant: `loop.iterations["x"]`'

    def __init__(self, loop: LoopOp) -> None:
        self._loop = loop

    def __getitem__(self, port: str) -> Any:
        if not isinstance(cast("object", port), str):
            raise TypeError(f"loop.iterations[...] takes the name of an output, got {port!r}")
        return IterationsRef(self._loop, port)

    def __repr__(self) -> str:
        return f"{self._loop.name}.iterations"


class LoopOp(GraphOp):
    """A loop; made by `GraphOp.loop(...)` or `@graph.loop(...)`."""

    kind: ClassVar[str] = "loop"

    def __init__(
        self,
        states: Mapping[str, Any],
        *,
        until: Any,
        max_iterations: object = 1000,
        annotations: Mapping[str, Any] | None = None,
        name: str | None = None,
        **settings: Any,
    ) -> None:
        if isinstance(max_iterations, bool) or not isinstance(max_iterations, int):
            raise TypeError(f"max_iterations={max_iterations!r}: takes a whole number")
        if max_iterations < 1:
            raise ValueError(f"max_iterations={max_iterations!r}: takes a whole number from 1")
        types = annotations or {}
        inputs = {key: GraphInput(key, types.get(key, Any)) for key in states}
        super().__init__(name, inputs=inputs, **settings)
        self.states: dict[str, State] = {
            key: value if isinstance(value, State) else State(value)
            for key, value in states.items()
        }
        """The state by name: first value and reducer."""
        self.inputs: dict[str, Expression] = {
            key: lift(state.initial)
            for key, state in self.states.items()
            if state.initial is not UNSET
        }
        self.max_iterations = max_iterations
        """After this many with `until` still false, the loop fails."""
        self.until_source = until
        self.until: Expression | None = None
        """The test after each iteration, over the state and the body's outputs; set by `build`."""

    @property
    def iterations(self) -> Iterations:
        """An output of every iteration as it comes: `loop.iterations["x"]`."""
        return Iterations(self)

    def __enter__(self) -> Self:
        if building_graph() is None:
            raise TypeError("a loop is part of a graph: open its block inside a graph block")
        if not self.named:
            self.name: str = assigned_name(calling_frame(1)) or self.name
        return super().__enter__()


def rebind_parent(expression: Expression, graph: GraphOp) -> Expression:
    """Return an expression whose `PARENT` refs are those of `graph`.

    `until=PARENT["n"] > 2` is written before its loop exists, so its refs point elsewhere.
    """
    match expression:
        case ParentRef(key=key):
            return ParentRef(graph, key)
        case IterationRef():
            return IterationRef(graph)
        case _:
            return _rebuild(expression, graph)


def _rebuild(expression: Expression, graph: GraphOp) -> Expression:
    copy = object.__new__(type(expression))
    slots: tuple[str, ...] = getattr(type(expression), "__slots__", ())
    for slot in slots:
        setattr(copy, slot, _rebound(getattr(expression, slot), graph))
    return copy


def _rebound(value: object, graph: GraphOp) -> object:
    match value:
        case Expression():
            return rebind_parent(value, graph)
        case tuple():
            return tuple(_rebound(part, graph) for part in cast("tuple[object, ...]", value))
        case dict():
            parts = cast("dict[object, object]", value)
            return {key: _rebound(part, graph) for key, part in parts.items()}
        case _:
            return value
