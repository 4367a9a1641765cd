"""Nodes of nested graphs and loops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from operonx.core.plan.nodes.base import Node

if TYPE_CHECKING:
    from operonx.core.expressions.evaluation import Evaluate
    from operonx.core.expressions.refs import Expression
    from operonx.core.graph.graph import GraphOp
    from operonx.core.graph.loops import LoopOp, State
    from operonx.core.plan.guards import Guard
    from operonx.core.plan.nodes.base import Region
    from operonx.core.plan.nodes.calls import EndNode

__all__ = ["DoneNode", "EnterNode", "LoopNode", "LoopWrite", "MarkNode", "OutputNode"]


class EnterNode(Node):
    """A nested graph fires: its inputs are there."""

    def __init__(self, region: Region, path: str, op: GraphOp) -> None:
        super().__init__(region, path, op)
        self.inputs: list[tuple[int, Evaluate]] = []
        self.own_guard: Guard | None = None
        self.done: DoneNode | None = None


class MarkNode(Node):
    """Stands for a nested graph that was flattened away, so that its skips are noted."""


class DoneNode(Node):
    """Everything of a graph at this context is decided."""

    def __init__(self, region: Region, path: str) -> None:
        super().__init__(region, path)
        self.own_guard: Guard | None = None
        self.enter: EnterNode | None = None
        self.loop: LoopNode | None = None


@dataclass(slots=True, eq=False)
class LoopWrite:
    """One write of a loop's state: its value's slot in the body, and whether that is a list."""

    key: str
    slot: int
    many: bool
    expression: Expression
    """What is written, as it was authored."""


class LoopNode(Node):
    """Runs the body region again and again."""

    op: LoopOp

    def __init__(self, region: Region, path: str, op: LoopOp) -> None:
        super().__init__(region, path, op)
        self.child: Region
        self.inputs: list[tuple[str, Evaluate]] = []
        self.states: dict[str, State] = op.states
        self.state_slots: dict[str, int] = {}
        """Slots in the body of the state, and of the state after the iteration."""
        self.after_slots: dict[str, int] = {}
        self.writes: list[LoopWrite] = []
        self.body_outputs: dict[str, int] = {}
        """Slots in the body of the END outputs that are no state."""
        self.outputs: dict[str, int] = {}
        """Slots in the loop's own region."""
        self.until: Evaluate
        self.end: EndNode
        self.output_ends: dict[str, EndNode] = {}
        """For the outputs that may be skipped in the last iteration."""
        self.done: DoneNode
        self.own_guard: Guard | None = None


class OutputNode(Node):
    """An output leaves: of the root into the result, of a loop's body into its slot."""

    def __init__(
        self, region: Region, graph: GraphOp, path: str, key: str, evaluate: Evaluate
    ) -> None:
        super().__init__(region, path)
        self.graph = graph
        """The graph that is written to."""
        self.key = key
        self.evaluate = evaluate
        self.slot: int = region.new_slot()
        self.is_result = False
        self.owner_region: Region | None = None
        """Region of the firing of the graph or loop that is written to."""
