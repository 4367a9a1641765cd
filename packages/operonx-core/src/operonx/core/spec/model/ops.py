"""Ops and their policies."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypeAliasType

from operonx.core.spec.model.base import ABSENT, Count, Model, Name, Number, Path, Seconds, Value
from operonx.core.spec.model.expressions import Expression

__all__ = ["GraphNode", "Node"]


# -- policies


class RetryPolicy(Model):
    """How often a failed firing is tried again."""

    attempts: Count
    backoff: Annotated[float, Field(ge=0)] = 0.0
    jitter: Annotated[float, Field(ge=0)] = 0.0
    on: Annotated[list[Path], Field(min_length=1)] = ABSENT
    """Classes of exceptions; left out: all."""


class RatePolicy(Model):
    """At most `count` attempts begin in any `per` seconds."""

    count: Count
    per: Seconds


class FallbackValue(Model):
    """The outputs that stand in for a failed firing's."""

    value: Value


class FallbackFunction(Model):
    """The function that is called after a failed one."""

    function: Number


class GraphPolicies(Model):
    """What a graph takes."""

    timeout: Seconds = ABSENT
    concurrency: Count = ABSENT
    on_error: Literal["raise", "skip"] = "raise"


class Policies(GraphPolicies):
    """What an op takes."""

    retry: RetryPolicy = ABSENT
    fallback: FallbackValue | FallbackFunction = ABSENT
    rate: RatePolicy = ABSENT
    max_open: Count = ABSENT
    run_in: Literal["auto", "inline", "thread", "process"] = "auto"


# -- ops


class FuncNode(Model):
    """An op that calls a function."""

    kind: Literal["func"]
    name: Name
    policies: Policies = ABSENT
    function: Number
    """Its place in `functions`."""
    inputs: dict[str, Expression]


class ConditionArm(Model):
    """A way that a branch may go; without `when` it always matches."""

    when: Expression = ABSENT
    targets: list[Name]


class BranchNode(Model):
    """`if_(...)`: the first arm that matches chooses what fires."""

    kind: Literal["branch"]
    name: Name
    arms: list[ConditionArm]


class CaseArm(Model):
    """A way that a switch may go; without `case` it always matches."""

    case: Value = ABSENT
    targets: list[Name]


class SwitchNode(Model):
    """`switch(...)`: the case that the subject equals chooses what fires."""

    kind: Literal["switch"]
    name: Name
    subject: Expression
    arms: list[CaseArm]


class ZipNode(Model):
    """`zip_streams(...)`."""

    kind: Literal["zip"]
    name: Name
    inputs: dict[str, Expression]


class GraphNode(Model):
    """A graph, or a loop, within a graph."""

    kind: Literal["graph", "loop"]
    name: Name
    policies: GraphPolicies = ABSENT
    graph: Number
    """Its place in `graphs`."""
    inputs: dict[str, Expression]


Node = TypeAliasType(
    "Node",
    Annotated[
        FuncNode | BranchNode | SwitchNode | ZipNode | GraphNode, Field(discriminator="kind")
    ],
)
"""An op of a graph."""
