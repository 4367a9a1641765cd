"""Expressions: what a ref carries. An op is named by its name, which is unique in its graph."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from typing_extensions import TypeAliasType

from operonx.core.spec.model.base import ABSENT, Model, Name, Number, Value

__all__ = ["Expression"]


class ValueExpression(Model):
    """A constant. What JSON lacks is an object whose one key begins with `$`."""

    kind: Literal["value"]
    value: Value


class PortExpression(Model):
    """An output of an op of the same graph."""

    kind: Literal["port"]
    op: Name
    port: Name


class InputExpression(Model):
    """An input of the graph, or the state of a loop."""

    kind: Literal["input"]
    key: Name


class IterationExpression(Model):
    """The number of the loop's iteration, from 0."""

    kind: Literal["iteration"]


class IterationsExpression(Model):
    """An output of every iteration of a loop, as a stream."""

    kind: Literal["iterations"]
    loop: Name
    port: Name


class ErrorExpression(Model):
    """The error of an op that failed."""

    kind: Literal["error"]
    op: Name


class BatchExpression(Model):
    """A batch of the graph."""

    kind: Literal["batch"]
    name: Name


class ChosenExpression(Model):
    """What a choice of the graph took, or a port of the op that it took."""

    kind: Literal["chosen"]
    choice: Number
    port: Name = ABSENT


class CaseExpression(Model):
    """A port of the target that a switch chose."""

    kind: Literal["case"]
    switch: Name
    port: Name


class ItemExpression(Model):
    """`of[key]`."""

    kind: Literal["item"]
    of: Expression
    key: Expression


class UnaryExpression(Model):
    """`-of`, or `~of` of a boolean."""

    kind: Literal["unary"]
    symbol: Literal["-", "~"]
    of: Expression


class BinaryExpression(Model):
    """`left symbol right`; `&` and `|` stop at the operand that decides."""

    kind: Literal["binary"]
    symbol: Literal["+", "-", "*", "/", "//", "%", "<", "<=", ">", ">=", "==", "!=", "&", "|"]
    left: Expression
    right: Expression


class MethodExpression(Model):
    """`of.name(*arguments)`."""

    kind: Literal["method"]
    name: Literal["len", "contains", "is_none", "flatten"]
    of: Expression
    arguments: list[Expression]

    @model_validator(mode="after")
    def _takes_as_many(self) -> Self:
        takes = 1 if self.name == "contains" else 0
        if len(self.arguments) != takes:
            raise ValueError(f"`{self.name}` takes {takes} arguments, got {len(self.arguments)}")
        return self


class TemplateExpression(Model):
    """A text whose `{name}` fields are filled."""

    kind: Literal["template"]
    text: str
    fields: dict[str, Expression]


class ItemsExpression(Model):
    """A list or tuple that holds refs."""

    kind: Literal["list", "tuple"]
    items: list[Expression]


class DictExpression(Model):
    """A dict whose values hold refs, as pairs of a constant key and a value."""

    kind: Literal["dict"]
    items: list[Annotated[tuple[Value, Expression], Field(strict=False)]]


class OrElseExpression(Model):
    """`other` at every context where `of` was skipped."""

    kind: Literal["or_else"]
    of: Expression
    other: Expression


class CollectExpression(Model):
    """The items of a stream as a list."""

    kind: Literal["collect"]
    of: Expression
    per: Name = ABSENT
    """An op: all axes below those of its ports are removed, into one flat list."""


class StreamExpression(Model):
    """The stream itself."""

    kind: Literal["stream"]
    of: Expression


Expression = TypeAliasType(
    "Expression",
    Annotated[
        ValueExpression
        | PortExpression
        | InputExpression
        | IterationExpression
        | IterationsExpression
        | ErrorExpression
        | BatchExpression
        | ChosenExpression
        | CaseExpression
        | ItemExpression
        | UnaryExpression
        | BinaryExpression
        | MethodExpression
        | TemplateExpression
        | ItemsExpression
        | DictExpression
        | OrElseExpression
        | CollectExpression
        | StreamExpression,
        Field(discriminator="kind"),
    ],
)
"""What a ref carries."""
