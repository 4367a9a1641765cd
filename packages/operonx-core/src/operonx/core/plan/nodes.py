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
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from operonx.core.expressions.evaluation import Evaluate
    from operonx.core.graph.graph import GraphOp
    from operonx.core.graph.loops import LoopOp, State
    from operonx.core.ops.base import Op
    from operonx.core.ops.function import FuncOp
    from operonx.core.plan.guards import Guard

__all__ = [
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


class Region:
    """All nodes at one tuple of axes."""

    def __init__(self, index: int, parent: Region | None, axis: str, owner: Node | None) -> None:
        self.index = index
        self.parent = parent
        self.axis = axis
        """Path of what opens the axis; empty for the root."""
        self.owner = owner
        """The node whose firing opens instances of this region; None for the root."""
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.nodes: list[Node] = []
        self.slots: list[Any] = []
        """What every slot holds when an instance is made; constants are here."""
        self.pending: list[int] = []
        """How many signals each node waits for when an instance is made."""
        self.roots: list[Node] = []
        """Nodes that wait for nothing."""
        self.outer: list[tuple[Node, Node]] = []
        """Links into this region: a node of an outer region, and one of this that waits for it."""
        self.waiters: list[Node] = []
        """Nodes of the parent region that wait for what becomes of a stream of these instances."""
        self.window: bool = True
        """False where an item can only close after its own stream has ended."""

    def new_slot(self, value: Any = None) -> int:
        """Add a slot; return its index."""
        self.slots.append(value)
        return len(self.slots) - 1

    def holds(self, other: Region) -> bool:
        """Return whether this is `other` or one around it."""
        at: Region | None = other
        while at is not None and at.depth > self.depth:
            at = at.parent
        return at is self


@dataclass(slots=True, eq=False)
class Argument:
    """One argument of a call: a slot of the node's own region, or an expression."""

    name: str
    slot: int | None
    evaluate: Evaluate


class Node:
    """What is decided once per instance of its region."""

    id: int
    index: int

    def __init__(self, region: Region, path: str, op: Op | None = None) -> None:
        self.region = region
        self.path = path
        self.op = op
        """The op whose own firing this is; None for what refs and edges stand for."""
        self.guard: Guard | None = None
        self.hard: list[Node] = []
        """Nodes that must fire, in this region or around it."""
        self.waits: int = 0
        """Signals expected besides those of the links: a stream's end, a generator's."""
        self.targets: tuple[Node, ...] = ()
        self.after: list[Node] = []
        self.reports: list[tuple[Node, int]] = []
        self.inner: list[Node] = []
        self.covers: list[Node] = []
        """Ops in deeper regions that are skipped as a whole when this is."""
        self.linked: bool = False
        """Whether there are links besides `targets`."""
        self.failed: FailedNode | None = None
        self.may_lose = False
        """Whether a failure only loses a race."""
        self.promises: list[Node] = []
        """Nodes that this one signals itself: its end, its error, its arms."""
        self.gate: Node | None = None
        """In the region around: fires unless this is skipped as a whole; None: the owner tells."""
        # Set by the engine when it takes the plan.
        self.fire: Callable[..., Any]
        self.act: Callable[..., Any]
        """What `fire` comes to, inside of guards and places."""
        self.direct = False
        """Whether `fire` is `act` itself."""
        self.suspends = False
        """Whether firing may have to wait, and so needs a task."""
        self.on_skip: Callable[..., None] | None = None
        self.hear: Callable[..., None]
        self.take: Callable[..., bool]
        self.stream_ended: Callable[..., None]
        self.in_order = False
        """Whether its places go out in context order."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.path} in {self.region.axis or 'root'}>"


class CallNode(Node):
    """Calls a function."""

    op: FuncOp

    def __init__(self, region: Region, path: str, op: FuncOp) -> None:
        super().__init__(region, path, op)
        self.arguments: list[Argument] = []
        self.outputs: dict[str, int] = {}
        """Slots by port."""
        self.caller: Any = None
        self.fallback: Any = None
        """How the engine calls the function, and the op that stands in for it."""
        self.open_slot: int | None = None
        """Where the whole result is kept for an op with open ports."""
        self.streams: list[StreamNode] = []
        """Streams handed to it, to be let go when it is done."""


class GeneratorNode(CallNode):
    """Calls a generator; every yield opens an instance of `child`."""

    def __init__(self, region: Region, path: str, op: FuncOp) -> None:
        super().__init__(region, path, op)
        self.child: Region
        self.final: dict[str, int] = {}
        self.end: EndNode


class EndNode(Node):
    """The end of a generator, loop or graph that `of` began; fires if it ended well."""

    def __init__(self, region: Region, path: str, of: Node) -> None:
        super().__init__(region, path)
        self.of = of
        self.waits = 1
        of.promises.append(self)


class ArmNode(Node):
    """A branch's word on one of its targets: fires if the target was chosen."""

    def __init__(self, branch: BranchNode, target: str) -> None:
        super().__init__(branch.region, f"{branch.path} -> {target}")
        self.waits = 1
        branch.promises.append(self)


class FailedNode(Node):
    """Fires if its op failed; the value is the error as a dict."""

    def __init__(self, of: Node) -> None:
        super().__init__(of.region, f"{of.path}.error")
        self.of = of
        self.waits = 1
        self.slot: int = of.region.new_slot()
        of.promises.append(self)


class BranchNode(Node):
    """Chooses an arm."""

    def __init__(self, region: Region, path: str, op: Op) -> None:
        super().__init__(region, path, op)
        self.subject: Evaluate | None = None
        """What a switch compares; None for conditions of their own."""
        self.arms: list[tuple[Any, list[str], set[Node]]] = []
        """Condition (a switch: the case; None: always), names of the targets, their arm nodes."""
        self.chosen_slot: int = region.new_slot()


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


class CellNode(Node):
    """One item's part in what a node of the region around makes of the stream."""

    def __init__(self, region: Region, path: str, evaluate: Evaluate | None) -> None:
        super().__init__(region, path)
        self.evaluate = evaluate
        self.consumer: Any
        self.side: int = 0
        self.source: Node | None = None
        """The op whose firings an edge waits for."""


class CollectNode(Node):
    """A stream as a list, in index order."""

    def __init__(self, region: Region, path: str, cell: CellNode, *, flatten: bool) -> None:
        super().__init__(region, path)
        self.waits = 1
        self.cell = cell
        self.flatten = flatten
        self.for_result = False
        """Whether only the result reads it, so that a streamed run keeps nothing."""
        self.slot: int = region.new_slot()
        self.state: int = region.new_slot()


class WaitNode(Node):
    """Waits for the end of a stream and of what happens in its items."""

    def __init__(self, region: Region, path: str, cell: CellNode) -> None:
        super().__init__(region, path)
        self.waits = 1
        self.cell = cell
        self.state: int = region.new_slot()


class StreamNode(Node):
    """Hands a stream itself to an op."""

    def __init__(self, region: Region, path: str, cell: CellNode) -> None:
        super().__init__(region, path)
        self.cell = cell
        self.readers = 0
        self.slot: int = region.new_slot()
        self.state: int = region.new_slot()


class BatchNode(Node):
    """A stream as one of lists."""

    def __init__(self, region: Region, path: str, cell: CellNode, size: int) -> None:
        super().__init__(region, path)
        self.cell = cell
        self.size = size
        self.child: Region
        self.value_slot: int
        self.state: int = region.new_slot()


class ZipNode(Node):
    """Streams as one of pairs."""

    def __init__(self, region: Region, path: str, op: Op) -> None:
        super().__init__(region, path, op)
        self.cells: list[CellNode] = []
        self.child: Region
        self.ports: list[ZipPortNode] = []
        self.state: int = region.new_slot()


class ZipPortNode(Node):
    """One side of a pair."""

    def __init__(self, region: Region, path: str) -> None:
        super().__init__(region, path)
        self.waits = 1
        self.slot: int = region.new_slot()


@dataclass(slots=True, eq=False)
class LoopWrite:
    """One write of a loop's state: its value's slot in the body, and whether it is a list."""

    key: str
    slot: int
    many: bool


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

    def __init__(self, region: Region, path: str, key: str, evaluate: Evaluate) -> None:
        super().__init__(region, path)
        self.key = key
        self.evaluate = evaluate
        self.slot: int = region.new_slot()
        self.is_result = False
        self.owner_region: Region | None = None
        """Region of the firing of the graph or loop that is written to."""


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
