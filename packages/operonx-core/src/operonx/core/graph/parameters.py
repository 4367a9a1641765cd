"""The parameters of a `@graph` function: its inputs, its state, and what stays a Python value."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any, Final, TypeAlias, TypeVar

from operonx.core.expressions.refs import Operators
from operonx.core.graph.loops import State
from operonx.core.graph.parts import GraphInput
from operonx.core.ops.policies import UNSET
from operonx.core.ops.signature.parameters import Scope

__all__ = [
    "Static",
    "graph_input",
    "is_static",
    "loop_input",
    "read_parameters",
    "state_of",
    "static_value",
]

T = TypeVar("T")


class _StaticMark:
    def __repr__(self) -> str:
        return "Static"


_STATIC = _StaticMark()
Static: TypeAlias = Annotated[T, _STATIC]
"""`Static[int]`: a parameter of a `@graph` function that stays a Python value."""

_NAMELESS: Final = (
    inspect.Parameter.VAR_POSITIONAL,
    inspect.Parameter.VAR_KEYWORD,
    inspect.Parameter.POSITIONAL_ONLY,
)


def read_parameters(function: Callable[..., Any], name: str) -> list[inspect.Parameter]:
    """Read a function's parameters, their annotations resolved.

    Raises:
        TypeError: If one has no name to bind.
    """
    scope = Scope(function)
    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in _NAMELESS:
            raise TypeError(
                f"graph `{name}`: parameter `{parameter}` has no name to bind; "
                "a graph's inputs are named parameters"
            )
        parameters.append(parameter.replace(annotation=scope.resolve(parameter.annotation)))
    return parameters


def is_static(parameter: inspect.Parameter) -> bool:
    """Tell whether a parameter stays a Python value."""
    return _STATIC in getattr(parameter.annotation, "__metadata__", ())


def static_value(name: str, parameter: inspect.Parameter, values: Mapping[str, Any]) -> Any:
    """Return the value of a static parameter of the graph `name`.

    Raises:
        TypeError: If it is missing, or a ref.
    """
    if parameter.name in values:
        value = values[parameter.name]
        if isinstance(value, Operators):
            raise TypeError(
                f"graph `{name}`: `{parameter.name}` is static: it takes a Python value, "
                f"got {value!r}"
            )
        return value
    if parameter.default is parameter.empty:
        raise TypeError(f"graph `{name}`: static parameter `{parameter.name}` needs a value")
    return parameter.default


def graph_input(parameter: inspect.Parameter, given: Mapping[str, Any]) -> GraphInput:
    """Return the input that a parameter is, with the default that was given or is its own."""
    default = given.get(parameter.name, parameter.default)
    required = default is parameter.empty
    return GraphInput(parameter.name, parameter.annotation, required, None if required else default)


def loop_input(parameter: inspect.Parameter, given: Mapping[str, Any]) -> GraphInput:
    """Return the input that a state is set from, where its loop is a graph's only op."""
    found = graph_input(parameter, given)
    if not isinstance(found.default, State):
        return found
    initial = found.default.initial
    required = initial is UNSET
    return replace(found, required=required, default=None if required else initial)


def state_of(parameter: inspect.Parameter, values: Mapping[str, Any]) -> State:
    """Return the state that a parameter of a loop is, set first to what was given."""
    default = State() if parameter.default is parameter.empty else parameter.default
    state = default if isinstance(default, State) else State(default)
    return State(values[parameter.name], state.reducer) if parameter.name in values else state
