"""Graphs, and the spec as a whole."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

from pydantic import Discriminator, Field, Tag

from operonx.core.spec.model.base import ABSENT, Count, Model, Name, Value
from operonx.core.spec.model.expressions import Expression
from operonx.core.spec.model.functions import Function
from operonx.core.spec.model.ops import GraphPolicies, Node
from operonx.core.spec.model.types import Type

__all__ = ["Spec"]


class Default(Model):
    """The value of an input that is not given."""

    value: Value


class Input(Model):
    """An input of a graph."""

    name: Name
    type: Type
    default: Default = ABSENT
    """Left out where it is required."""


class State(Model):
    """A loop's state."""

    name: Name
    type: Type
    reducer: Literal["append", "extend", "merge", "sum"] = ABSENT


class Edge(Model):
    """`from >> to`; a soft one does not bind."""

    from_: Annotated[Name, Field(alias="from")]
    to: Name
    soft: bool = False


class Write(Model):
    """An output of the graph, or a write of a loop's state."""

    to: Name
    value: Expression
    op: Name = ABSENT
    """The op that was given it as its `outputs=`."""


class Batch(Model):
    """A stream as one of lists of `size` items."""

    name: Name
    of: Expression
    size: Count


class OpOption(Model):
    """A whole op, as an option of a choice."""

    kind: Literal["op"]
    op: Name


def _option_kind(data: Any) -> str:
    named = isinstance(data, dict) and cast("dict[str, Any]", data).get("kind") == "op"
    return "op" if named else "expression"


class Choice(Model):
    """A `first_of` or `race`; it is one thing however often it is read."""

    takes: Literal["first_of", "race"]
    options: Annotated[
        list[
            Annotated[
                Annotated[OpOption, Tag("op")] | Annotated[Expression, Tag("expression")],
                Discriminator(_option_kind),
            ]
        ],
        Field(min_length=2),
    ]


class Body(Model):
    """What graphs and loops are made of."""

    ops: list[Node]
    edges: list[Edge]
    ends: list[Name]
    """The ops whose outputs are the graph's."""
    writes: list[Write]
    batches: list[Batch]
    choices: list[Choice]


class GraphBody(Body):
    """What a graph is made of."""

    inputs: list[Input] = ABSENT
    """Left out where a root graph takes what it reads as `PARENT[...]`."""


class LoopBody(Body):
    """What a loop is made of."""

    states: list[State]
    until: Expression
    max_iterations: Count


def _body_kind(data: Any) -> str:
    return "loop" if isinstance(data, dict) and "states" in data else "graph"


class Root(Model):
    """The graph that has none around it."""

    name: Name
    policies: GraphPolicies = ABSENT


class Spec(Model):
    """A graph as it was authored."""

    schema_version: Literal[1]
    root: Root
    graphs: Annotated[
        list[
            Annotated[
                Annotated[GraphBody, Tag("graph")] | Annotated[LoopBody, Tag("loop")],
                Discriminator(_body_kind),
            ]
        ],
        Field(min_length=1),
    ]
    """The root's first; each is one place."""
    functions: list[Function]
