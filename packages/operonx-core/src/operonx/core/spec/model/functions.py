"""The functions that ops call."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from operonx.core.spec.model.base import ABSENT, Model, Name, Path
from operonx.core.spec.model.types import Type

__all__ = ["Function"]


class Parameter(Model):
    """A parameter of a function."""

    name: Name
    type: Type
    role: Literal["input", "context", "stream"] = "input"
    """`context` is handed the run, `stream` a stream itself."""
    required: bool = True
    keyword_only: bool = False


class Port(Model):
    """An output of a function."""

    name: Name
    type: Type


class Function(Model):
    """A function that ops call, and what a graph must know of it before it runs."""

    import_: Annotated[Path, Field(alias="import")]
    """Where Python finds it."""
    native: Name = ABSENT
    """The name of the native op that does the same."""
    parameters: list[Parameter]
    extra: bool = False
    """Whether it takes inputs of any name."""
    outputs: list[Port] = ABSENT
    """Left out where only its results tell them."""
    final: list[Port] = ABSENT
    """The ports that a generator fills at its end."""
    shape: Literal["value", "none", "mapping", "fields"] = "mapping"
    """What a result is: the one port's value, nothing, a dict of the ports, an object of them."""
    generator: bool = False
    is_async: Annotated[bool, Field(alias="async")] = False
