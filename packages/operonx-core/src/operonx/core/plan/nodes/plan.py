"""A graph compiled."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from operonx.core.plan.nodes.graphs import OutputNode

if TYPE_CHECKING:
    from operonx.core.graph.graph import GraphOp
    from operonx.core.plan.guards import Guard
    from operonx.core.plan.nodes.base import Node, Region

__all__ = ["Plan"]


@dataclass(slots=True, eq=False)
class Plan:
    """A graph compiled: regions of integer-indexed nodes."""

    graph: GraphOp
    regions: list[Region]
    nodes: list[Node]
    inputs: dict[str, int]
    """Slots of the root's inputs."""
    outputs: dict[str, OutputNode] = field(default_factory=dict[str, OutputNode])
    """What writes each output of the root."""
    root_guard: Guard | None = None
