"""Nodes that choose, or fire by what became of several others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from operonx.core.plan.nodes.base import Node

if TYPE_CHECKING:
    from operonx.core.expressions.evaluation import Evaluate
    from operonx.core.ops.base import Op
    from operonx.core.plan.nodes.base import Region

__all__ = ["AllNode", "AnyNode", "ArmNode", "BranchNode", "ChoiceNode"]


class BranchNode(Node):
    """Chooses an arm."""

    def __init__(self, region: Region, path: str, op: Op) -> None:
        super().__init__(region, path, op)
        self.subject: Evaluate | None = None
        """What a switch compares; None for conditions of their own."""
        self.arms: list[tuple[Any, list[str], set[Node]]] = []
        """Condition (a switch: the case; None: always), names of the targets, their arm nodes."""
        self.chosen_slot: int = region.new_slot()


class ArmNode(Node):
    """A branch's word on one of its targets: fires if the target was chosen."""

    def __init__(self, branch: BranchNode, target: str) -> None:
        super().__init__(branch.region, f"{branch.path} -> {target}")
        self.waits = 1
        branch.promises.append(self)


class ChoiceNode(Node):
    """`first_of`, `race`, `.or_else`; its slot holds the number of the option taken."""

    def __init__(self, region: Region, path: str, members: int, *, race: bool) -> None:
        super().__init__(region, path)
        self.waits = 1
        self.race = race
        self.members = members
        self.slot: int = region.new_slot()
        self.state: int = region.new_slot()
        self.options: list[Node] = []
        self.strict: tuple[Node, ...] = ()
        """What must not be skipped as a whole, for `.or_else` to give a value per item."""
        self.losers: list[tuple[Node, ...]] = []
        """For each option of a race the nodes that only it reads."""


class AnyNode(Node):
    """A group of soft edges: fires if any member did, once all are decided."""

    def __init__(self, region: Region, path: str, members: list[Node]) -> None:
        super().__init__(region, path)
        self.waits = 1
        self.members = members
        self.state: int = region.new_slot()


class AllNode(Node):
    """Fires if all it waits for did: a relay into its region, or a gate."""
