"""Refs: what an expression reads. `a["k"]` is a `PortRef`, `PARENT["k"]` a `ParentRef`.

The trees that they are in are in `tree`; its names are given from here too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from operonx.core.expressions.tree import (
    MAX_DEPTH,
    Batch,
    Binary,
    Collect,
    Constant,
    DictOf,
    Expression,
    Item,
    ListOf,
    Method,
    Operators,
    OrElse,
    StreamOf,
    Unary,
    lift,
    require_op,
)

__all__ = [
    "MAX_DEPTH",
    "Batch",
    "Binary",
    "Choice",
    "Chosen",
    "Collect",
    "Constant",
    "DictOf",
    "ErrorRef",
    "Expression",
    "Item",
    "IterationRef",
    "IterationsRef",
    "ListOf",
    "Method",
    "Operators",
    "OrElse",
    "ParentRef",
    "PortRef",
    "StreamOf",
    "Template",
    "Unary",
    "lift",
    "require_op",
]


class PortRef(Expression):
    """An output of a sibling op: `a["k"]`."""

    __slots__ = ("op", "port")

    def __init__(self, op: Any, port: str) -> None:
        self.op: Any = op
        self.port: str = port


class ParentRef(Expression):
    """An input of the enclosing graph, or a loop's state: `PARENT["k"]`.

    `graph` is None where no block was open: a loop's `until` is written before its loop.
    """

    __slots__ = ("graph", "key")

    def __init__(self, graph: Any, key: str) -> None:
        self.graph: Any = graph
        self.key: str = key

    def _written(self, value: Expression) -> Expression:
        if self.graph is None:
            raise TypeError(f"`{self!r}` is written outside a graph block")
        self.graph.add_output(self.key, value)
        return self


class IterationRef(Expression):
    """The number of a loop's current iteration: `PARENT.iteration`."""

    __slots__ = ("graph",)

    def __init__(self, graph: Any) -> None:
        self.graph: Any = graph


class IterationsRef(Expression):
    """An output of every iteration of a loop: `loop.iterations["x"]`."""

    __slots__ = ("loop", "port")

    def __init__(self, loop: Any, port: str) -> None:
        self.loop: Any = loop
        self.port: str = port


class ErrorRef(Expression):
    """The error of an op that failed: `op.error`."""

    __slots__ = ("op",)

    def __init__(self, op: Any) -> None:
        self.op: Any = op


class Template(Expression):
    """A text with named fields: `template("Sum up {text}", text=a["text"])`."""

    __slots__ = ("fields", "text")

    def __init__(self, text: str, fields: Mapping[str, Expression]) -> None:
        self.text: str = text
        self.fields: dict[str, Expression] = dict(fields)


class Choice:
    """A `first_of` or `race` over refs or whole ops; `Chosen` reads it."""

    __slots__ = ("options", "race")

    def __init__(self, options: tuple[Any, ...], *, race: bool) -> None:
        self.options: tuple[Any, ...] = options
        self.race: bool = race


class Chosen(Expression):
    """The value of the option that a `Choice` took, or that option op's port."""

    __slots__ = ("_options", "choice", "port")

    def __init__(self, choice: Choice, port: str | None = None) -> None:
        self.choice: Choice = choice
        self.port: str | None = port
        self._options: tuple[Expression, ...] | None = None

    def __getitem__(self, key: object) -> Expression:
        whole_ops = any(not isinstance(option, Expression) for option in self.choice.options)
        if self.port is None and whole_ops and isinstance(key, str):
            return Chosen(self.choice, key)
        return Item(self, lift(key))

    def options(self) -> tuple[Expression, ...]:
        """Return what is read of each option, the same refs each time.

        Raises:
            TypeError: If an option is an op with several ports and none is chosen.
        """
        if self._options is None:
            port = self.port
            options = self.choice.options
            self._options = tuple(lift(one) if port is None else one[port] for one in options)
        return self._options
