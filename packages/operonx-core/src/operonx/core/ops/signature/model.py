"""What is known of a function: parameters, ports, and how it is called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

__all__ = ["Parameter", "Port", "Role", "Shape", "Signature"]

Role: TypeAlias = Literal["input", "context", "stream"]
"""`context` is handed the run, `stream` a stream itself, `input` a value."""

Shape: TypeAlias = Literal["none", "value", "mapping", "fields"]
"""How a result becomes ports: not at all, as a whole, by its keys, or by its attributes."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a function."""

    name: str
    """The name it is given by."""
    annotation: Any
    """Its type, `Any` where unknown; of a stream the type of its items."""
    required: bool
    """Whether it has no default."""
    default: Any
    """The default; `inspect.Parameter.empty` where it is required."""
    keyword_only: bool
    """Whether it cannot be given by position."""
    role: Role
    """What it is handed."""


@dataclass(frozen=True, slots=True)
class Port:
    """One output of a function."""

    name: str
    """The name it is read by."""
    annotation: Any
    """Its type, `Any` where unknown."""


@dataclass(frozen=True, slots=True)
class Signature:
    """All that a graph must know of a function before it runs."""

    parameters: tuple[Parameter, ...]
    """In the order of the function."""
    accepts_extra: bool
    """Whether it takes any keyword (`**kwargs`)."""
    ports: tuple[Port, ...] | None
    """What each result or yield has; None where only the results will tell."""
    final: tuple[Port, ...]
    """What `yield final(...)` has."""
    shape: Shape
    """How a result becomes ports."""
    is_async: bool
    """Whether it is an `async def`, a generator or not."""
    is_generator: bool
    """Whether it yields."""
    whole: Any = Any
    """The type of one result, or in a generator of one item; `Any` where unknown."""
