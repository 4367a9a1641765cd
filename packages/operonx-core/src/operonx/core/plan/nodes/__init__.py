"""The parts of a plan: regions and nodes, as data.

A **region** is all that happens at one tuple of axes; running it makes an *instance* (one per
item, pair, batch or iteration; one in all for the root). A **node** is decided exactly once per
instance of its region: it fires or is skipped. Most nodes are ops; the others are what refs and
edges stand for (a collect, a choice, a wait for the end of a stream).

Links between nodes:

- `targets`: same region; wait for this node, and are skipped if it is.
- `after`: same region; wait for this node, whatever became of it.
- `reports`: same region; hear of this node's outcome, as one of several members.
- `inner`: like `targets`, but in deeper regions.

Read in this order: `base`, `calls`, `deciding`, `graphs`, `streams`, `plan`.
"""

from __future__ import annotations

from operonx.core.plan.nodes.base import Action, Node, Region
from operonx.core.plan.nodes.calls import Argument, CallNode, EndNode, FailedNode, GeneratorNode
from operonx.core.plan.nodes.deciding import AllNode, AnyNode, ArmNode, BranchNode, ChoiceNode
from operonx.core.plan.nodes.graphs import (
    DoneNode,
    EnterNode,
    LoopNode,
    LoopWrite,
    MarkNode,
    OutputNode,
)
from operonx.core.plan.nodes.plan import Plan
from operonx.core.plan.nodes.streams import (
    BatchNode,
    CellNode,
    CollectNode,
    ExitNode,
    StreamNode,
    WaitNode,
    ZipNode,
    ZipPortNode,
)

__all__ = [
    "Action",
    "AllNode",
    "AnyNode",
    "Argument",
    "ArmNode",
    "BatchNode",
    "BranchNode",
    "CallNode",
    "CellNode",
    "ChoiceNode",
    "CollectNode",
    "DoneNode",
    "EndNode",
    "EnterNode",
    "ExitNode",
    "FailedNode",
    "GeneratorNode",
    "LoopNode",
    "LoopWrite",
    "MarkNode",
    "Node",
    "OutputNode",
    "Plan",
    "Region",
    "StreamNode",
    "WaitNode",
    "ZipNode",
    "ZipPortNode",
]
