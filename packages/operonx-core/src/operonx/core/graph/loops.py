"""Loops: a graph whose body runs again and again over a state."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self, TypeAlias, cast

from operonx.core.errors import did_you_mean, listed
from operonx.core.expressions.building import building_graph
from operonx.core.expressions.parsing import parse_expression
from operonx.core.expressions.refs import (
    Batch,
    Collect,
    ErrorRef,
    Expression,
    IterationRef,
    IterationsRef,
    Operators,
    ParentRef,
    PortRef,
    lift,
    walk,
)
from operonx.core.graph.graph import GraphInput, GraphOp
from operonx.core.ops.naming import assigned_name
from operonx.core.ops.policies import UNSET

__all__ = ["Iterations", "LoopOp", "Reducer", "State", "rebind_parent"]

Reducer: TypeAlias = Literal["append", "extend", "merge", "sum"]
_REDUCERS = ("append", "extend", "merge", "sum")


@dataclass(frozen=True, slots=True)
class State:
    """A loop's state with a rule for how several writes of one iteration combine.

    `"append"` adds what is written to a list, `"extend"` its items, `"merge"` updates a dict,
    `"sum"` adds numbers; each as `reducer(state, written)`.

    Example:
        ```python
        with GraphOp.loop(until=..., found=State([], reducer="append")) as loop: ...
        ```
    """

    initial: Any = UNSET
    """The first value or ref; unset where the loop's caller gives it."""
    reducer: Reducer | None = None

    def __post_init__(self) -> None:
        if self.reducer is not None and self.reducer not in _REDUCERS:
            raise ValueError(f"State(reducer={self.reducer!r}): there are {listed(_REDUCERS)}")


class Iterations:
    """`loop.iterations`: what every iteration gave, as a stream."""

    __slots__ = ("_loop",)

    def __init__(self, loop: LoopOp) -> None:
        self._loop = loop

    def __getitem__(self, port: str) -> Any:
        return IterationsRef(self._loop, port)


class LoopOp(GraphOp):
    """A loop; made by `GraphOp.loop(...)` or `@graph.loop(...)`."""

    kind: ClassVar[str] = "loop"

    def __init__(
        self,
        *,
        until: Any,
        max_iterations: object = 1000,
        name: str | None = None,
        annotations: Mapping[str, Any] | None = None,
        **state: Any,
    ) -> None:
        settings = {
            key: state.pop(key) for key in ("timeout", "concurrency", "on_error") if key in state
        }
        if isinstance(max_iterations, bool) or not isinstance(max_iterations, int):
            raise TypeError(f"max_iterations={max_iterations!r}: takes a whole number")
        if max_iterations < 1:
            raise ValueError(f"max_iterations={max_iterations!r}: takes a whole number from 1")
        states = {
            key: value if isinstance(value, State) else State(value) for key, value in state.items()
        }
        types = annotations or {}
        inputs = {key: GraphInput(key, types.get(key, Any)) for key in states}
        super().__init__(name, inputs=inputs, **settings)
        self.inputs = {
            key: lift(value.initial) for key, value in states.items() if value.initial is not UNSET
        }
        self.states = states
        self.max_iterations = max_iterations
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
            self.name = assigned_name(sys._getframe(1)) or self.name  # pyright: ignore[reportPrivateUsage]  # who calls
        return super().__enter__()

    def resolve_until(self, names: set[str]) -> None:
        """Bind `until` to this loop's state and outputs; mistakes are reported.

        Args:
            names: The state and the outputs of the body.
        """
        if isinstance(self.until_source, str):
            try:
                self.until = parse_expression(
                    self.until_source, lambda name: self._name(name, names)
                )
            except ValueError as error:
                self.report(self, f"until: {error}")
        elif isinstance(self.until_source, Operators):
            self.until = rebind_parent(lift(self.until_source), self)
            self._check_until(self.until, names)
        else:
            self.report(
                self,
                f"until={self.until_source!r}: takes a ref expression or a string",
                hint='for instance `until=PARENT["count"] >= 3` or `until="count >= 3"`',
            )

    def _check_until(self, until: Expression, names: set[str]) -> None:
        for part in walk(until):
            match part:
                case ParentRef(key=key):
                    self._require_name(key, names)
                case PortRef() | ErrorRef() | IterationsRef() | Collect() | Batch():
                    self.report(
                        self,
                        f"until: {part!r} is neither state nor output of the loop",
                        hint='write it to one in the body, `... >> PARENT["key"]`, and test that',
                    )
                case _:
                    pass

    def _name(self, name: str, names: set[str]) -> Expression:
        if name not in names and name == "iteration":
            return IterationRef(self)
        self._require_name(name, names)
        return ParentRef(self, name)

    def _require_name(self, name: str, names: set[str]) -> None:
        if name not in names:
            self.report(
                self,
                f"until: no state or output `{name}`; there are {listed(sorted(names), 'none')}",
                hint=did_you_mean(name, names),
            )


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
